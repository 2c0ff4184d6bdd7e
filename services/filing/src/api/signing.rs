//! From the fee to sending: quote, review, sign, submit.

use std::collections::HashMap;

use docket_eventlog::{Context, Error, Expected, Store, StreamAppend, Subjects};
use docket_forms::{FeeResult, Language, fee};
use docket_kernel::{Refusal, derived_id, resource};
use docket_proto::events::filing as events;
use docket_proto::filing::v1 as pb;
use docket_proto::payments::v1::CreateQuoteRequest;
use docket_proto::types::v1::FeeRow;
use docket_service::{ApiError, Caller};
use docket_vault::Subject;
use jiff::civil::Date;
use uuid::Uuid;

use super::drafts::ATTEMPTS;
use super::{helpers, packages, unnamed, uploads, view};
use crate::aggregates::Filings;
use crate::check::{Check, filer_role};
use crate::desk::{Desk, acting_for, full_name, id_in};
use crate::domain::filing::{self, Capacity, Checked, Fee, Filing, Sign};
use crate::domain::name;
use crate::dossiers::Dossier;
use crate::policies::hold_signature;
use crate::sheet::fits_event;
use crate::{party, review};

/// Why a row is zero while a waiver is asked for.
fn waiver_asked(language: Language) -> &'static str {
    match language {
        Language::En => "You ask that this be waived; an officer decides before your filing is accepted.",
        Language::Es => {
            "Usted pide que se le exima de este pago; un oficial lo decide antes de que se acepte su presentación."
        }
    }
}

/// Asks payments for the fee and notes that it was shown.
pub(super) async fn quote(
    desk: &Desk,
    caller: &Caller,
    request: pb::QuoteFeeRequest,
) -> Result<pb::QuoteFeeResponse, ApiError> {
    let id = id_in("name", "filings", &request.name)?;
    let context = caller.context(&request.request_id, &request)?;
    let dossier = desk.filing(caller, "QuoteFee", id).await?;
    let context = acting_for(context, caller, dossier.filing.account);
    dossier.filing.open()?;
    let check = Check::now(desk, &dossier).await?;
    let quote_id = derived_id("quote_fee", context.command_id, 0);
    let quote = desk.quote(quote_request(&check, &dossier, quote_id)?).await?;
    let total = quote.total.unwrap_or_default();
    let shown = Fee {
        quote: id_in("quote", "quotes", &quote.name).map_err(|_| ApiError::unavailable("payments"))?,
        total_cents: total.cents,
        answers_mac: check.answers_mac(desk, &dossier),
    };
    desk.filings
        .execute(&context, id, Subjects::filing(id), |state| filing::show_fee(state, shown.clone()))
        .await?;
    let rows = in_language(desk, &check, &dossier, quote.rows, Language::of(&request.language));
    Ok(pb::QuoteFeeResponse { quote: quote.name, rows, total: Some(total) })
}

fn reason(waived: bool, because: String, language: Language) -> String {
    if waived { waiver_asked(language).to_owned() } else { because }
}

/// The rows with their reasons in a language; the quote itself is kept in English, like all that is signed.
fn in_language(
    desk: &Desk,
    check: &Check<'_>,
    dossier: &Dossier,
    rows: Vec<FeeRow>,
    language: Language,
) -> Vec<FeeRow> {
    let said = desk.catalogue.in_language(check.form, language);
    if said.language == Language::En {
        return rows;
    }
    let computed = fee(said, &dossier.content.answers, &check.given, dossier.filing.fee_waiver);
    let reasons: HashMap<String, String> = match computed {
        FeeResult::Known { rows, .. } => {
            rows.into_iter().map(|row| (row.id, reason(row.waived, row.because, said.language))).collect()
        }
        FeeResult::Unknown { .. } | FeeResult::Unpublished { .. } => HashMap::new(),
    };
    let told = |row: FeeRow| {
        let because = reasons.get(&row.row).cloned().unwrap_or(row.because);
        FeeRow { because, ..row }
    };
    rows.into_iter().map(told).collect()
}

fn quote_request(check: &Check<'_>, dossier: &Dossier, command: Uuid) -> Result<CreateQuoteRequest, Refusal> {
    match fee(check.form, &dossier.content.answers, &check.given, dossier.filing.fee_waiver) {
        FeeResult::Known { rows, table_version, .. } => Ok(CreateQuoteRequest {
            request_id: command.to_string(),
            package_id: dossier.filing.package.to_string(),
            account_id: dossier.filing.account.to_string(),
            rows: rows
                .into_iter()
                .map(|row| FeeRow {
                    row: row.id,
                    form: check.form.id.clone(),
                    cents: row.cents,
                    cite: row.cite,
                    waiver_asked: row.waived,
                    kept_on_rejection: row.kept_on_rejection,
                    because: reason(row.waived, row.because, Language::En),
                })
                .collect(),
            table_version,
            filing_date: check.given.filing_date.to_string(),
        }),
        FeeResult::Unknown { hangs_on, .. } => Err(Refusal::state(
            "FEE_UNKNOWN",
            format!("The fee hangs on what is not answered yet: {}.", hangs_on.join(", ")),
        )
        .way_out("Answer these questions first.")
        .fact("questions", hangs_on.join(","))),
        FeeResult::Unpublished { known_until, cite, .. } => Err(unpublished(known_until, &cite)),
    }
}

/// A sum of last year would be a wrong one, and a reason to reject what is sent with it (8 CFR 103.2(a)(7)(ii)(D)).
fn unpublished(known_until: Date, cite: &str) -> Refusal {
    Refusal::state(
        "FEE_NOT_PUBLISHED",
        format!(
            "A part of this fee changes every year, and is known here up to {known_until} only ({cite})."
        ),
    )
    .way_out(
        "Nothing is lost: sign and send it when the new fee is here, or ask the office when that will be.",
    )
}

/// What a filing costs as of now, in cents.
pub(crate) fn costs_cents(check: &Check<'_>, dossier: &Dossier) -> Result<i64, Refusal> {
    let request = quote_request(check, dossier, Uuid::nil())?;
    Ok(request.rows.iter().map(|row| row.cents).sum())
}

/// The text to be signed, when the filing is ready for it.
pub(super) async fn review(
    desk: &Desk,
    caller: &Caller,
    request: &pb::ReviewFilingRequest,
) -> Result<pb::ReviewFilingResponse, ApiError> {
    let id = id_in("name", "filings", &request.name)?;
    let dossier = desk.filing(caller, "ReviewFiling", id).await?;
    not_erased(&dossier)?;
    let check = Check::now(desk, &dossier).await?;
    if let (Ok(()), Some(refusal)) = (dossier.filing.open(), check.not_ready()) {
        return Err(refusal.into());
    }
    let text = check.text(&dossier);
    let content_hash = Check::content_mac(desk, &dossier, &text);
    Ok(pb::ReviewFilingResponse {
        text,
        content_hash,
        declaration: review::declaration(check.form).to_owned(),
        helpers: helpers::view_of(desk, &dossier, dossier.filing.open().is_ok().then_some(&check)),
        hard_to_read: view::evidence_of(&dossier)
            .into_iter()
            .filter(|file| !file.hard_to_read.is_empty())
            .collect(),
    })
}

/// Signs the reviewed text.
pub(super) async fn sign(
    desk: &Desk,
    caller: &Caller,
    request: pb::SignFilingRequest,
) -> Result<pb::Filing, ApiError> {
    let id = id_in("name", "filings", &request.name)?;
    let context = caller.context(&request.request_id, &request)?;
    let dossier = desk.filing(caller, "SignFiling", id).await?;
    not_erased(&dossier)?;
    let check = Check::now(desk, &dossier).await?;
    let checked = check.checked(desk, &dossier);
    let capacity = Capacity::read(&request.capacity)?;
    let done = desk.done_before(&context).await?;
    if !done && dossier.filing.open().is_ok() {
        uploads::none_under_way(desk, &request.name).await?;
    }
    let proven = if done { String::new() } else { full_name(&desk.contact(dossier.filing.account).await?) };
    let agrees_with_proven = name::agrees(&proven, &request.typed_name);
    let names = party::names(check.form, &dossier.content.answers);
    let now_us = desk.now_us();
    let standing = desk.represented(&dossier).await?;
    let sign = Sign {
        signer: caller.person()?.account,
        role: filer_role(check.form).to_owned(),
        shown_mac: request.content_hash,
        capacity,
        filer: party::filer(check.form, &dossier.content.answers, &check.given),
        ended: dossier.filing.representation.filter(|under| standing.is_none_or(|(one, _)| one != *under)),
        name_agrees: match capacity {
            Capacity::OneSelf => names.iter().any(|expected| name::same(&request.typed_name, expected)),
            Capacity::Parent | Capacity::Guardian | Capacity::AttorneyInFact | Capacity::CompanyOfficer => {
                agrees_with_proven
            }
        },
        typed_name: request.typed_name,
        name_unproven: proven.is_empty(),
        proven_name: if agrees_with_proven { String::new() } else { proven },
        signed_at_us: now_us,
        catalogue_version: check.form.catalogue_version.clone(),
        sheet_json: check.sheet(&dossier).kept(),
        sheet_key: String::new(),
    };
    let sign = if done || fits_event(&sign.sheet_json) { sign } else { kept_apart(desk, id, sign).await? };
    append_signature(desk, &context, id, (&checked, &sign)).await?;
    let dossier = desk.filing(caller, "SignFiling", id).await?;
    view::filing(desk, &dossier, Language::of(&request.language)).await
}

/// A signature whose sheet is too large for the event: it is written down before the event that names it.
async fn kept_apart(desk: &Desk, id: Uuid, sign: Sign) -> Result<Sign, ApiError> {
    let sheet_key = desk.base.objects.put(&Subject::filing(id), sign.sheet_json.as_bytes()).await?;
    Ok(Sign { sheet_json: String::new(), sheet_key, ..sign })
}

async fn append_signature(
    desk: &Desk,
    context: &Context,
    id: Uuid,
    (checked, sign): (&Checked, &Sign),
) -> Result<(), ApiError> {
    let decide = |state: &Filing| filing::sign(state, checked, sign.clone());
    let held = hold_signature::held(id, desk.base.clock.now());
    let signed = desk
        .execute_with(&desk.filings, context, (id, Subjects::filing(id), &held), decide)
        .await
        .map(|done| done.repeated);
    let beside = Some(sign.sheet_key.clone()).filter(|key| !key.is_empty());
    unnamed::take_away(desk, beside.as_slice(), signed.as_ref().copied()).await;
    signed.map(|_repeated| ())
}

/// Sends the signed filing: it waits for its fee from here on.
pub(super) async fn submit(
    desk: &Desk,
    caller: &Caller,
    request: pb::SubmitFilingRequest,
) -> Result<pb::SubmitFilingResponse, ApiError> {
    let id = id_in("name", "filings", &request.name)?;
    let context = caller.context(&request.request_id, &request)?;
    let done = desk.done_before(&context).await?;
    let mut attempt = 1;
    let appended = loop {
        let dossier = desk.filing(caller, "SubmitFiling", id).await?;
        let context = acting_for(context.clone(), caller, dossier.filing.account);
        let streams = if done { repeated(id) } else { packages::sending(desk, dossier).await? };
        match desk.log.append(context.append(&desk.log, streams)).await {
            Ok(appended) => break appended,
            Err(Error::Conflict { .. }) if attempt < ATTEMPTS => attempt += 1,
            Err(error) => return Err(error.into()),
        }
    };
    let sent = appended.events.iter().find_map(|event| match event.decode::<events::Event>() {
        Ok(events::Event::FilingSent(sent)) => Some(sent.package_id),
        _ => None,
    });
    let dossier = desk.filing(caller, "SubmitFiling", id).await?;
    let package = sent.and_then(|id| Uuid::try_parse(&id).ok()).unwrap_or(dossier.filing.package);
    Ok(pb::SubmitFilingResponse {
        filing: Some(view::filing(desk, &dossier, Language::En).await?),
        payment: resource::name("payments", package),
    })
}

/// A repeated sending: the log compares the requests and gives the first answer.
fn repeated(id: Uuid) -> Vec<StreamAppend> {
    let none: [events::Event; 0] = [];
    vec![StreamAppend::of(Store::<Filings>::stream(id), Expected::Any, Subjects::filing(id), &none)]
}

pub(crate) fn not_erased(dossier: &Dossier) -> Result<(), Refusal> {
    if dossier.content.erased {
        return Err(Refusal::state(
            "ERASED",
            "The content of this filing was erased and cannot be read again.",
        ));
    }
    Ok(())
}
