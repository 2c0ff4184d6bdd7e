//! The approval of a petition is revoked: intended first with a notice (NOIR), and done by another officer once the petitioner could
//! answer (8 CFR 205.2). A machine does neither.

use docket_kernel::Refusal;
use docket_kernel::deadline::office_date;
use docket_proto::case_status::events::v1 as pb;
use jiff::Timestamp;
use uuid::Uuid;

use super::decision::reasoned;
use super::ending::ending;
use super::request::{plan, said};
use super::search::addressee_sought;
use super::{Decision, Intent, no_open_request};
use crate::domain::{Case, Outcome, RequestKind, Revocation};

/// The forms whose approval is revoked so: petitions under section 204 of the Act (8 CFR 205.2(a)).
const PETITIONS: [&str; 2] = ["I-130", "I-140"];
/// Why a request ended that belongs to what is not done any more.
pub(super) const INTENT_WITHDRAWN: &str = "intent_withdrawn";

/// Tells the petitioner why the approval is to be revoked, with what may be answered to it; at most 30 days, as of a notice of intent
/// to deny. It is no decision, and the approval stands.
///
/// # Errors
/// `NOT_APPROVED`, `NOT_REVOCABLE`, `REVOCATION_INTENDED`, `GROUNDS_MISSING`, `ITEMS_MISSING`, `PERIOD_TOO_LONG`; not found without a
/// case.
pub fn intend_revocation(case: &Case, officer: Uuid, intent: &Intent, now: Timestamp) -> Decision {
    revocable(case)?;
    if case.intended_revocation().is_some() {
        return Err(Refusal::state(
            "REVOCATION_INTENDED",
            "A revocation of this approval is intended already.",
        )
        .way_out("Revoke it after the answer, or withdraw the intent."));
    }
    said(intent)?;
    let deadline = plan(case, RequestKind::Noir, intent.days, intent.supervised, now)?;
    Ok(vec![
        pb::RevocationIntended {
            request_id: intent.request_id.to_string(),
            items: intent.items.clone(),
            deadline: Some(deadline),
            grounds: intent.grounds.clone(),
            derogatory_information: intent.derogatory_information.clone(),
            officer: officer.to_string(),
        }
        .into(),
    ])
}

/// Gives the intent up: the approval stands, and a request that waits for an answer waits no more.
///
/// # Errors
/// `REVOCATION_NOT_INTENDED`; not found without a case.
pub fn withdraw_revocation_intent(case: &Case, officer: Uuid) -> Decision {
    let intended = intended(case)?;
    let request_id = intended.request.to_string();
    let withdrawn =
        pb::RevocationIntentWithdrawn { request_id: request_id.clone(), officer: officer.to_string() };
    let mut events = vec![withdrawn.into()];
    if case.open_request().is_some_and(|open| open.id == intended.request) {
        events.push(pb::RequestCancelled { request_id, cause: INTENT_WITHDRAWN.to_owned() }.into());
    }
    Ok(events)
}

/// Revokes the approval as another officer than who intended it. What stands open ends with it.
///
/// # Errors
/// `REVOCATION_NOT_INTENDED`, `REQUEST_OPEN` while an answer may come, `SAME_OFFICER`, `GROUNDS_MISSING`, `ADDRESSEE_NOT_SOUGHT`
/// where nobody answered; not found without a case.
pub fn revoke_approval(
    case: &Case,
    officer: Uuid,
    (ground_codes, reasons): (&[String], &str),
    now: Timestamp,
) -> Decision {
    let intended = intended(case)?;
    no_open_request(case)?;
    if intended.officer == officer {
        return Err(Refusal::not_yours("SAME_OFFICER", "Who intended a revocation does not revoke.")
            .way_out("Another officer of the office decides."));
    }
    reasoned(
        (ground_codes, reasons),
        "GROUNDS_MISSING",
        "A revocation names its grounds and says the findings and reasons (8 CFR 205.2(c)).",
    )?;
    unanswered_and_sought(case)?;
    let revoked = pb::ApprovalRevoked {
        officer: officer.to_string(),
        ground_codes: ground_codes.to_vec(),
        reasons: reasons.to_owned(),
        revoked_on_date: office_date(now).to_string(),
    };
    let mut events = vec![revoked.into()];
    events.extend(ending(case, "revoked"));
    Ok(events)
}

/// Where nobody answered, whom the mail about the notice did not reach was looked for.
///
/// # Errors
/// `ADDRESSEE_NOT_SOUGHT`.
pub(super) fn unanswered_and_sought(case: &Case) -> Result<(), Refusal> {
    let answered = case.request.as_ref().is_some_and(|request| request.received_at.is_some());
    if answered { Ok(()) } else { addressee_sought(case) }
}

/// An approved petition.
///
/// # Errors
/// `NOT_APPROVED`, `NOT_REVOCABLE`; not found without a case.
pub(super) fn revocable(case: &Case) -> Result<(), Refusal> {
    if !case.exists() {
        return Err(Refusal::not_found());
    }
    if case.outcome != Some(Outcome::Approved) {
        return Err(Refusal::state("NOT_APPROVED", "Only an approval that stands is revoked.")
            .way_out("Look at how the case stands."));
    }
    if PETITIONS.contains(&case.form.as_str()) {
        return Ok(());
    }
    Err(Refusal::state("NOT_REVOCABLE", "Only the approval of a petition is revoked so (8 CFR 205.2(a)).")
        .way_out("Reopen an approved naturalization before the oath on the office's own motion."))
}

fn intended(case: &Case) -> Result<Revocation, Refusal> {
    if !case.exists() {
        return Err(Refusal::not_found());
    }
    let of_petition = |_: &&Revocation| PETITIONS.contains(&case.form.as_str());
    case.intended_revocation().filter(of_petition).copied().ok_or_else(|| {
        Refusal::state("REVOCATION_NOT_INTENDED", "No revocation of an approval is intended in this case.")
            .way_out("Send a notice of intent to revoke first.")
    })
}
