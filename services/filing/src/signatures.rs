//! Who signed a filing, as whom and when, as its copy says it: the signer, who signed together with them, each helper, and the representative.

use docket_eventlog::Recorded;
use docket_forms::Type;
use docket_proto::events::representation::Event;
use docket_service::ApiError;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::appearance::Said;
use crate::desk::Desk;
use crate::domain::filing::{Capacity, HelperRole, Signature as Signed};
use crate::dossiers::Dossier;
use crate::help;
use crate::sheet::Sheet;
use crate::spoken;

/// One signature, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Signature {
    /// Whose it is, such as `Applicant`.
    pub(crate) part: String,
    /// The name as typed.
    pub(crate) name: String,
    /// As whom, or what it says.
    pub(crate) says: String,
    /// When, in words; empty where only the filing says it.
    pub(crate) at: String,
    /// Keyed hash of what was signed, hexadecimal; empty where it is part of the filing.
    pub(crate) hash: String,
}

/// All of a filing, the signer first.
///
/// # Errors
/// A log or vault that does not answer.
pub(crate) async fn of(
    desk: &Desk,
    dossier: &Dossier,
    signed: &Signed,
    sheet: &Sheet,
) -> Result<Vec<Signature>, ApiError> {
    let mut signatures = vec![signer(dossier, signed)];
    signatures.extend(helpers(dossier, signed));
    signatures.extend(typed(sheet));
    if let Some(representation) = signed.representation {
        signatures.extend(appearance(desk, dossier, representation, signed.signed_at_us).await?);
    }
    Ok(signatures)
}

fn signer(dossier: &Dossier, signed: &Signed) -> Signature {
    let sealed = &dossier.content.signature;
    let as_whom = match signed.capacity {
        Capacity::OneSelf => "Signs in the own name.",
        Capacity::Parent => "Signs as a parent, for a child (8 CFR 103.2(a)(2)).",
        Capacity::Guardian => "Signs as legal guardian (8 CFR 103.2(a)(2)).",
        Capacity::AttorneyInFact => "Signs under a durable power of attorney.",
        Capacity::CompanyOfficer => "Signs for the company that files (8 CFR 103.2(a)(2)).",
    };
    let proven = format!("{}{}", not_proven(!signed.name_unproven), proven(&sealed.proven_name));
    Signature {
        part: spoken::choice(&sealed.role),
        name: sealed.typed_name.clone(),
        says: format!("{as_whom}{proven}"),
        at: spoken::instant(signed.signed_at_us),
        hash: hex::encode(&signed.content_mac),
    }
}

/// What is said of a proven name that is another than the one typed.
fn proven(name: &str) -> String {
    if name.is_empty() { String::new() } else { format!(" Name proven for the account: {name}.") }
}

/// What is said where no name is proven for the account of a signer or co-signer.
fn not_proven(proven: bool) -> &'static str {
    if proven { "" } else { " No name is proven for the account." }
}

/// Co-signers, interpreter and preparer, each in an account of their own, of the very text that was signed, or of their part of it.
fn helpers(dossier: &Dossier, signed: &Signed) -> impl Iterator<Item = Signature> {
    let roles = || dossier.filing.helpers.keys().copied();
    let co_signers = roles().filter(|role| role.is_co_signer());
    co_signers.chain(roles().filter(|role| !role.is_co_signer())).filter_map(move |role| {
        let given = dossier.filing.helper_went(role, &signed.content_mac)?;
        let sealed = dossier.content.helpers.get(&role).cloned().unwrap_or_default();
        let (part, more) = match role {
            HelperRole::Interpreter => {
                ("Interpreter".to_owned(), format!(" Language: {}.", sealed.spoken_language))
            }
            HelperRole::Preparer => ("Preparer".to_owned(), String::new()),
            HelperRole::CoSigner | HelperRole::OneOf(_) => {
                (spoken::choice(&given.signs_as), not_proven(given.name_proven).to_owned())
            }
        };
        Some(Signature {
            part,
            name: sealed.typed_name,
            says: format!("{}{more}{}", given.statement, proven(&sealed.proven_name)),
            at: spoken::instant(given.signed_at_us),
            hash: hex::encode(&given.content_mac),
        })
    })
}

/// What was typed for a helper, in filings from before helpers signed themselves.
fn typed(sheet: &Sheet) -> impl Iterator<Item = Signature> {
    let rows = sheet.sections.iter().flat_map(|section| &section.rows);
    rows.filter(|row| row.kind == Type::Signature).filter_map(|row| {
        let name = row.value.as_ref().and_then(Value::as_str)?;
        Some(Signature {
            part: "Signed within the form".to_owned(),
            name: name.to_owned(),
            says: row.label.clone(),
            at: String::new(),
            hash: String::new(),
        })
    })
}

/// The representative's and the client's signature on Form G-28, if the appearance stood when the filing was signed.
async fn appearance(
    desk: &Desk,
    dossier: &Dossier,
    id: Uuid,
    signed_at_us: i64,
) -> Result<Vec<Signature>, ApiError> {
    let loaded = desk.representations.load(id).await?;
    let said = Said::open(&desk.log, &loaded.events).await?;
    let entered = if help::prepared_by(&dossier.content.answers, &said.signed_by) {
        "Entered an appearance on Form G-28, and prepared this filing."
    } else {
        "Entered an appearance on Form G-28."
    };
    let mut signatures = Vec::new();
    for recorded in loaded.events.iter().filter(|event| event.recorded_at.as_microsecond() <= signed_at_us) {
        let event = recorded.decode::<Event>().map_err(docket_eventlog::Error::from)?;
        signatures.extend(on_form(&event, &said, entered));
        match event {
            Event::RepresentationSought(_)
            | Event::RepresentationPrepared(_)
            | Event::RepresentationAccepted(_)
            | Event::RepresentationWishesChanged(_) => {}
            Event::RepresentationReplaced(e) if !e.ended => {}
            Event::RepresentationRefused(_)
            | Event::RepresentationWithdrawn(_)
            | Event::RepresentationEnded(_)
            | Event::RepresentationEndedByOffice(_)
            | Event::RepresentationReplaced(_) => signatures.clear(),
        }
    }
    Ok(signatures)
}

/// Those on Form G-28 itself, also once it has ended.
///
/// # Errors
/// An event that cannot be read.
pub(crate) fn on_appearance(events: &[Recorded], said: &Said) -> Result<Vec<Signature>, ApiError> {
    let mut signatures = Vec::new();
    for recorded in events {
        let event = recorded.decode::<Event>().map_err(docket_eventlog::Error::from)?;
        signatures.extend(on_form(&event, said, "Entered the appearance."));
    }
    Ok(signatures)
}

/// The signature that an event puts on Form G-28.
#[expect(clippy::wildcard_enum_match_arm, reason = "nothing else is signed there")]
fn on_form(event: &Event, said: &Said, entered: &str) -> Option<Signature> {
    match event {
        Event::RepresentationPrepared(e) => Some(Signature {
            part: spoken::choice(&e.representative_kind),
            name: said.signed_by.clone(),
            says: entered.to_owned(),
            at: spoken::instant(e.signed_at_us),
            hash: hex::encode(&e.content_mac),
        }),
        Event::RepresentationAccepted(e) => Some(Signature {
            part: "Client".to_owned(),
            name: said.consented_by.clone(),
            says: "Consented to the appearance on Form G-28.".to_owned(),
            at: spoken::instant(e.signed_at_us),
            hash: hex::encode(&e.content_mac),
        }),
        _ => None,
    }
}
