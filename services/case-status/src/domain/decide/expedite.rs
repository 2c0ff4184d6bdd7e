//! Requests to expedite: one at a time, answered yes or no, and nothing but the order of work changes by it (Policy Manual
//! vol. 1 part A ch. 5; lifecycle 57).

use docket_kernel::Refusal;
use docket_proto::case_status::events::v1 as pb;
use jiff::Timestamp;
use uuid::Uuid;

use super::{Decision, answer_by, pending, worded};
use crate::domain::{Case, Expedite, ExpediteState};

/// The published criteria.
pub const CRITERIA: [&str; 5] = [
    "severe_financial_loss",
    "emergency_or_urgent_humanitarian",
    "nonprofit_us_interest",
    "government_interest",
    "uscis_error",
];
/// Docket's own limit for the answer; the office has none.
const RULE: &str = "expedite.answer";

/// Asks that the case be expedited. Where premium processing can be bought for every case of the form, only a nonprofit asks.
///
/// # Errors
/// `CRITERION_UNKNOWN`, `WORDS_OUT_OF_BOUNDS`, `PREMIUM_AVAILABLE`, `EXPEDITE_OPEN`, `EXPEDITE_GRANTED`, and what [`pending`]
/// says.
pub fn request_expedite(case: &Case, id: Uuid, criterion: &str, reasons: &str, now: Timestamp) -> Decision {
    pending(case)?;
    if !CRITERIA.contains(&criterion) {
        let message = format!("Give one of the criteria: {}.", CRITERIA.join(", "));
        return Err(Refusal::invalid("criterion", "CRITERION_UNKNOWN", message));
    }
    let reasons = worded("reasons", reasons)?;
    none_before(case.expedite.as_ref())?;
    if case.form == "I-140" && criterion != "nonprofit_us_interest" {
        return Err(Refusal::state(
            "PREMIUM_AVAILABLE",
            "A form with premium processing is not expedited, but for a nonprofit organization.",
        )
        .way_out("Ask for premium processing with Form I-907."));
    }
    Ok(vec![
        pb::ExpediteRequested {
            expedite_id: id.to_string(),
            criterion: criterion.to_owned(),
            reasons,
            deadline: Some(answer_by(case, RULE, now)?),
            requested_at_us: now.as_microsecond(),
        }
        .into(),
    ])
}

fn none_before(last: Option<&Expedite>) -> Result<(), Refusal> {
    let Some(last) = last else { return Ok(()) };
    match last.state {
        ExpediteState::Requested => {
            let due = &last.deadline.due_date;
            Err(Refusal::state(
                "EXPEDITE_OPEN",
                format!("A request to expedite this case is open; we mean to answer it by {due}."),
            )
            .way_out("Wait for the answer; after a refusal you may ask again on new facts.")
            .fact("due_date", due.as_str()))
        }
        ExpediteState::Granted => Err(Refusal::state("EXPEDITE_GRANTED", "This case is expedited already.")
            .way_out("Wait for the decision of the case.")),
        ExpediteState::Denied | ExpediteState::Closed => Ok(()),
    }
}

/// Answers the open request. There is no appeal; another request may follow on new facts.
///
/// # Errors
/// `NO_EXPEDITE_OPEN`, `WORDS_OUT_OF_BOUNDS`; not found without a case.
pub fn answer_expedite(case: &Case, officer: Uuid, granted: bool, answer: &str) -> Decision {
    if !case.exists() {
        return Err(Refusal::not_found());
    }
    let open = case.open_expedite().ok_or_else(|| {
        Refusal::state("NO_EXPEDITE_OPEN", "No request to expedite this case waits for an answer.")
            .way_out("Look at what was asked in the case, and at how it was answered.")
    })?;
    Ok(vec![
        pb::ExpediteDecided {
            expedite_id: open.id.to_string(),
            officer: officer.to_string(),
            granted,
            answer: worded("answer", answer)?,
        }
        .into(),
    ])
}
