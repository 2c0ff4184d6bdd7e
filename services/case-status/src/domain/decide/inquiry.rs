//! Inquiries of the party about its case, of the kinds that the agency takes online, and their answers.

use docket_kernel::Refusal;
use docket_proto::case_status::events::v1 as pb;
use jiff::Timestamp;
use uuid::Uuid;

use super::card::document_of;
use super::closing::can_be_reopened;
use super::{Decision, answer_by, decided, not_scheduled, pending, worded};
use crate::domain::{APPOINTMENT_MISSED, CardState, Case, Oath, Outcome, REOPENING, Stage};

/// The kinds.
pub const INQUIRIES: [&str; 7] = [
    "outside_normal_time",
    "notice_not_received",
    "card_not_delivered",
    "typographic_error",
    "appointment_accommodation",
    APPOINTMENT_MISSED,
    REOPENING,
];
/// Docket's own limit for the answer.
const RULE: &str = "inquiry.answer";

/// Sends an inquiry. Of each kind one is open at a time.
///
/// # Errors
/// `KIND_UNKNOWN`, `WORDS_OUT_OF_BOUNDS`, `INQUIRY_OPEN`, and what its kind needs: `NOT_APPROVED`, `NO_CARD`,
/// `CARD_NOT_MAILED`, `NOT_SCHEDULED`, `NOT_MISSED`, `NOT_CLOSED`, or what [`pending`] says.
pub fn send_inquiry(case: &Case, id: Uuid, kind: &str, text: &str, now: Timestamp) -> Decision {
    can_be_asked_about(case)?;
    match kind {
        "outside_normal_time" => pending(case)?,
        "card_not_delivered" => card_should_be_there(case)?,
        "appointment_accommodation" => {
            case.appointment().ok_or_else(not_scheduled)?;
        }
        APPOINTMENT_MISSED => missed(case)?,
        REOPENING => can_be_reopened(case)?,
        // Asked after in every case that was accepted, also when it is decided.
        "notice_not_received" | "typographic_error" => {}
        _ => {
            let message = format!("Give one of the kinds: {}.", INQUIRIES.join(", "));
            return Err(Refusal::invalid("kind", "KIND_UNKNOWN", message));
        }
    }
    let text = worded("text", text)?;
    if let Some(open) = case.inquiries.iter().find(|open| open.kind == kind) {
        let due = &open.deadline.due_date;
        return Err(Refusal::state(
            "INQUIRY_OPEN",
            format!("An inquiry of this kind is open; we mean to answer it by {due}."),
        )
        .way_out("Wait for the answer.")
        .fact("inquiry", format!("inquiries/{}", open.id))
        .fact("due_date", due.as_str()));
    }
    Ok(vec![
        pb::InquirySent {
            inquiry_id: id.to_string(),
            kind: kind.to_owned(),
            text,
            deadline: Some(answer_by(case, RULE, now)?),
            sent_at_us: now.as_microsecond(),
        }
        .into(),
    ])
}

/// The case was accepted, and its party did not end it itself.
fn can_be_asked_about(case: &Case) -> Result<(), Refusal> {
    match case.stage {
        Stage::Unknown | Stage::Submitted | Stage::Rejected | Stage::Voided => pending(case),
        Stage::Decided | Stage::Closed if case.outcome == Some(Outcome::Withdrawn) => Err(decided(case)),
        Stage::Accepted | Stage::InReview | Stage::DecisionPending | Stage::Decided | Stage::Closed => Ok(()),
    }
}

/// Why somebody did not come, and that another day is asked for (8 CFR 103.2(b)(9), (b)(13)(ii)).
fn missed(case: &Case) -> Result<(), Refusal> {
    if case.oath == Oath::Missed {
        return Ok(());
    }
    pending(case)?;
    if case.has_missed() {
        return Ok(());
    }
    Err(Refusal::state("NOT_MISSED", "No appointment was missed in this case.")
        .way_out("Move an appointment that you cannot come to, up to 12 hours before."))
}

/// A card is asked after while the carrier has it, or says that it was delivered.
fn card_should_be_there(case: &Case) -> Result<(), Refusal> {
    if case.outcome != Some(Outcome::Approved) {
        return Err(Refusal::state("NOT_APPROVED", "A card is made only after the approval.")
            .way_out("Look at how the case stands."));
    }
    document_of(case)?;
    if matches!(case.card.state, CardState::Mailed | CardState::Delivered) {
        return Ok(());
    }
    let so_far = if case.card.state == CardState::None { "not ordered" } else { case.card.state.as_str() };
    Err(Refusal::state("CARD_NOT_MAILED", format!("The card is {so_far}; it is not on its way to you."))
        .way_out("Look at how far it is; when it came back, confirm your address.")
        .fact("card", so_far))
}

/// Answers an inquiry.
///
/// # Errors
/// `INQUIRY_NOT_OPEN`, `WORDS_OUT_OF_BOUNDS`; not found without a case.
pub fn answer_inquiry(case: &Case, inquiry: Uuid, officer: Uuid, answer: &str) -> Decision {
    if !case.exists() {
        return Err(Refusal::not_found());
    }
    let open = case.inquiries.iter().find(|open| open.id == inquiry).ok_or_else(|| {
        Refusal::state("INQUIRY_NOT_OPEN", "No such inquiry waits for an answer in this case.")
            .way_out("Look at what was asked in the case, and at how it was answered.")
            .field("inquiry")
    })?;
    Ok(vec![
        pb::InquiryAnswered {
            inquiry_id: open.id.to_string(),
            kind: open.kind.clone(),
            officer: officer.to_string(),
            answer: worded("answer", answer)?,
        }
        .into(),
    ])
}
