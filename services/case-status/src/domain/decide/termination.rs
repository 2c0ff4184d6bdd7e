//! A status that an approval gave is terminated: intended first with a notice (NOIT), and done by another officer once its holder could
//! answer (8 CFR 236.23(d), 244.14). A machine does neither.

use docket_kernel::Refusal;
use docket_kernel::deadline::office_date;
use docket_proto::case_status::events::v1 as pb;
use jiff::Timestamp;
use uuid::Uuid;

use super::decision::reasoned;
use super::ending::ending;
use super::request::{plan, said};
use super::revocation::{INTENT_WITHDRAWN, unanswered_and_sought};
use super::{Decision, Intent, no_open_request};
use crate::domain::{Case, Outcome, RequestKind, Revocation};

/// The forms whose approval gives a status that the office may end: temporary protected status, and deferred action for childhood arrivals.
pub(super) const STATUSES: [&str; 2] = ["I-821", "I-821D"];

/// Tells the holder why the status is to be terminated, with what may be answered to it; at most 30 days. It is no decision, and the
/// status stands.
///
/// # Errors
/// `NOT_APPROVED`, `NOT_TERMINABLE`, `TERMINATION_INTENDED`, `GROUNDS_MISSING`, `ITEMS_MISSING`, `PERIOD_TOO_LONG`; not found without a
/// case.
pub fn intend_termination(case: &Case, officer: Uuid, intent: &Intent, now: Timestamp) -> Decision {
    terminable(case)?;
    if case.intended_revocation().is_some() {
        return Err(Refusal::state(
            "TERMINATION_INTENDED",
            "A termination of this status is intended already.",
        )
        .way_out("Terminate it after the answer, or withdraw the intent."));
    }
    said(intent)?;
    let deadline = plan(case, RequestKind::Noit, intent.days, intent.supervised, now)?;
    Ok(vec![
        pb::TerminationIntended {
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

/// Gives the intent up: the status stands, and a request that waits for an answer waits no more.
///
/// # Errors
/// `TERMINATION_NOT_INTENDED`; not found without a case.
pub fn withdraw_termination_intent(case: &Case, officer: Uuid) -> Decision {
    let intended = intended(case)?;
    let (request_id, officer) = (intended.request.to_string(), officer.to_string());
    let withdrawn = pb::TerminationIntentWithdrawn { request_id: request_id.clone(), officer };
    let mut events = vec![withdrawn.into()];
    if case.open_request().is_some_and(|open| open.id == intended.request) {
        events.push(pb::RequestCancelled { request_id, cause: INTENT_WITHDRAWN.to_owned() }.into());
    }
    Ok(events)
}

/// Terminates the status as another officer than who intended it. What stands open ends with it.
///
/// # Errors
/// `TERMINATION_NOT_INTENDED`, `REQUEST_OPEN` while an answer may come, `SAME_OFFICER`, `GROUNDS_MISSING`, `ADDRESSEE_NOT_SOUGHT` where
/// nobody answered; not found without a case.
pub fn terminate_status(
    case: &Case,
    officer: Uuid,
    (ground_codes, reasons): (&[String], &str),
    now: Timestamp,
) -> Decision {
    let intended = intended(case)?;
    no_open_request(case)?;
    if intended.officer == officer {
        return Err(Refusal::not_yours("SAME_OFFICER", "Who intended a termination does not terminate.")
            .way_out("Another officer of the office decides."));
    }
    reasoned(
        (ground_codes, reasons),
        "GROUNDS_MISSING",
        "A termination names its grounds and says the findings and reasons (8 CFR 236.23(d), 244.14).",
    )?;
    unanswered_and_sought(case)?;
    let terminated = pb::StatusTerminated {
        officer: officer.to_string(),
        ground_codes: ground_codes.to_vec(),
        reasons: reasons.to_owned(),
        terminated_on_date: office_date(now).to_string(),
    };
    let mut events = vec![terminated.into()];
    events.extend(ending(case, "terminated"));
    Ok(events)
}

/// An approved case that gave a status.
fn terminable(case: &Case) -> Result<(), Refusal> {
    if !case.exists() {
        return Err(Refusal::not_found());
    }
    if case.outcome != Some(Outcome::Approved) {
        return Err(Refusal::state(
            "NOT_APPROVED",
            "Only a status that was approved and stands is terminated.",
        )
        .way_out("Look at how the case stands."));
    }
    if STATUSES.contains(&case.form.as_str()) {
        return Ok(());
    }
    Err(Refusal::state(
        "NOT_TERMINABLE",
        "Only temporary protected status and deferred action are terminated so (8 CFR 236.23(d), 244.14).",
    )
    .way_out("The approval of a petition is revoked; other cases are reopened on the office's own motion."))
}

fn intended(case: &Case) -> Result<Revocation, Refusal> {
    if !case.exists() {
        return Err(Refusal::not_found());
    }
    let of_status = |_: &&Revocation| STATUSES.contains(&case.form.as_str());
    case.intended_revocation().filter(of_status).copied().ok_or_else(|| {
        Refusal::state("TERMINATION_NOT_INTENDED", "No termination of a status is intended in this case.")
            .way_out("Send a notice of intent to terminate first.")
    })
}
