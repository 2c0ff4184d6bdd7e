//! What was sent: taken back, let in once its fee is settled, and then accepted, rejected, or its acceptance taken back.

use docket_kernel::Refusal;
use docket_proto::events::filing::Event;
use docket_proto::filing::events::v1 as pb;
use docket_proto::types::v1::MailingWishes;
use uuid::Uuid;

use super::{Capacity, Filing, Phase};
use crate::domain::attached::Attached;

/// Takes back what waits for the fee of this package, now that its payment was withdrawn; nothing where it does not.
/// `waited_until` is the last day on which it waited, where nobody paid, and empty else.
pub fn recall(filing: &Filing, package: Uuid, waited_until: &str) -> Vec<Event> {
    if filing.phase != Phase::Sent || filing.package != package {
        return Vec::new();
    }
    let recalled = pb::FilingRecalled {
        package_id: package.to_string(),
        account_id: filing.account.to_string(),
        waited_until_date: waited_until.to_owned(),
    };
    vec![recalled.into()]
}

/// How the fee of a package was settled.
#[derive(Debug, Clone)]
pub struct Settled {
    /// Package.
    pub package: Uuid,
    /// Payment; none when nothing was due.
    pub payment: Option<Uuid>,
    /// When it was authorised, microseconds since the epoch.
    pub authorised_at_us: i64,
    /// Family of the form.
    pub family: String,
    /// Whether another name than the one it was signed under is proven for the signer's account.
    pub other_name: bool,
    /// Facts derived from the answers on the receipt date.
    pub facts: pb::DerivedFacts,
    /// Whether it gives the address of who files.
    pub gives_address: bool,
    /// The appearance that stands.
    pub represented: Option<Represented>,
}

/// An appearance that stands when a filing goes in.
#[derive(Debug, Clone, Copy)]
pub struct Represented {
    /// The appearance.
    pub appearance: Uuid,
    /// Account of the representative.
    pub representative: Uuid,
    /// Where originals and documents go, as the client says then; none where it was not told.
    pub wishes: Option<MailingWishes>,
}

/// The instant at which a signed filing counts as received: the later of signature and authorisation.
pub fn received_at_us(filing: &Filing, authorised_at_us: i64) -> i64 {
    filing.signature.as_ref().map_or(authorised_at_us, |signed| signed.signed_at_us.max(authorised_at_us))
}

/// Lets the filing go in, now that its fee is settled; once, also where it is paid again because payments lost with a restore that it was.
pub fn submit(filing: &Filing, settled: Settled) -> Result<Vec<Event>, Refusal> {
    if went_in(filing) && settled.package == filing.package {
        return Ok(Vec::new());
    }
    let (Phase::Sent, Some(signature)) = (filing.phase, &filing.signature) else {
        return Err(Refusal::state("NOT_SENT", "The filing does not wait for its fee.")
            .fact("state", filing.phase.as_str()));
    };
    if settled.package != filing.package {
        return Err(Refusal::state("OTHER_PACKAGE", "The fee was settled for another package."));
    }
    let co_signers = filing.helpers.keys().filter(|role| role.is_co_signer());
    let mut co_signed = co_signers.filter_map(|role| filing.helper_went(*role, &signature.content_mac));
    let names_proven =
        !settled.other_name && !signature.name_unproven && co_signed.all(|signed| signed.name_proven);
    let represented = settled.represented;
    Ok(vec![
        pb::FilingSubmitted {
            package_id: filing.package.to_string(),
            form: filing.form.clone(),
            edition: filing.edition.clone(),
            family: settled.family,
            account_id: filing.account.to_string(),
            submitted_at_us: received_at_us(filing, settled.authorised_at_us),
            content_mac: signature.content_mac.clone(),
            evidence: filing.evidence.iter().map(Attached::reference).collect(),
            payment_id: settled.payment.map(|id| id.to_string()).unwrap_or_default(),
            zone: filing.zone.clone(),
            catalogue_version: signature.catalogue_version.clone(),
            facts: Some(pb::DerivedFacts {
                signed_as: signed_as(signature.capacity, names_proven).to_owned(),
                fee_waiver: filing.fee_waiver,
                ..settled.facts
            }),
            representation_id: represented
                .map(|standing| standing.appearance.to_string())
                .unwrap_or_default(),
            representative: represented
                .map(|standing| standing.representative.to_string())
                .unwrap_or_default(),
            gives_address: settled.gives_address,
            co_signers: filing.co_signers().map(|account| account.to_string()).collect(),
            wishes: represented.and_then(|standing| standing.wishes),
        }
        .into(),
    ])
}

fn went_in(filing: &Filing) -> bool {
    matches!(filing.phase, Phase::Submitted | Phase::Accepted | Phase::Rejected | Phase::Voided)
}

/// Who signs under a name that is not the one proven for them, because none is or another one, for themselves or as co-signer, may be
/// somebody else: a person looks at it (8 CFR 103.2(a)(2)). Where somebody signs for another a person looks in any case.
fn signed_as(capacity: Capacity, names_proven: bool) -> &'static str {
    if capacity == Capacity::OneSelf && !names_proven { "self_other_name" } else { capacity.as_str() }
}

/// Notes the receipt number.
pub fn accept(filing: &Filing, receipt_number: String) -> Result<Vec<Event>, Refusal> {
    if filing.phase == Phase::Accepted && filing.receipt_number == receipt_number {
        return Ok(Vec::new());
    }
    submitted(filing)?;
    Ok(vec![pb::AcceptanceRecorded { receipt_number, ..pb::AcceptanceRecorded::default() }.into()])
}

/// Notes that intake rejected the filing: it is over.
pub fn reject(filing: &Filing, codes: Vec<String>) -> Result<Vec<Event>, Refusal> {
    submitted(filing)?;
    Ok(vec![pb::RejectionRecorded { codes, ..pb::RejectionRecorded::default() }.into()])
}

/// Notes that the office took its acceptance back: the filing is over.
pub fn void(filing: &Filing, cause: String) -> Result<Vec<Event>, Refusal> {
    if filing.phase != Phase::Accepted {
        return Err(Refusal::state("NOT_SUBMITTED", "The filing has not gone in.")
            .fact("state", filing.phase.as_str()));
    }
    Ok(vec![pb::VoidingRecorded { cause, ..pb::VoidingRecorded::default() }.into()])
}

fn submitted(filing: &Filing) -> Result<(), Refusal> {
    if filing.phase == Phase::Submitted {
        return Ok(());
    }
    Err(Refusal::state("NOT_SUBMITTED", "The filing has not gone in.").fact("state", filing.phase.as_str()))
}
