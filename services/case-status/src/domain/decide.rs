//! What may happen: one function for each command, from the state and the facts of the command to events or a refusal.
//!
//! Ids, time and facts of other services come in with the command, so a decision can be repeated.

mod address;
mod assign;
mod biometrics;
mod by_law;
mod card;
mod challenge;
mod closing;
mod correction;
mod decision;
mod dispense;
mod ending;
mod expedite;
mod fee;
mod hold;
mod inquiry;
mod intake;
mod interview;
mod link;
mod message;
mod oath;
mod own_motion;
mod referral;
mod reminder;
mod reopen;
mod representation;
mod request;
mod response;
mod revocation;
mod search;
mod termination;
mod transfer;
mod unsolicited;

use docket_kernel::Refusal;
use docket_kernel::deadline::{self, OFFICE_ZONE, Rule, ServiceChannel, office_date};
use docket_proto::types::v1 as types;
use jiff::Timestamp;
use jiff::civil::Date;
use uuid::Uuid;

use super::{Appointment, Case, Event, Outcome, Stage};

pub use address::{change_address, record_move};
pub use assign::{assign, start_review, unassign, withdraw};
pub use biometrics::{
    miss_biometrics, move_biometrics, record_background_check, schedule_biometrics, take_biometrics,
};
pub use by_law::{Happened, revoke_by_law};
pub use card::{CardStep, confirm_address, order_card, record_card};
pub use challenge::{Challenged, decides_challenge, follow_challenge, hears, is_about};
pub use closing::{CLOSINGS, close_administratively, reopen_closed};
pub use correction::{ERRORS_OF, PROOFS, Wrong, ask_correction, make_correction, refuse_correction};
pub use decision::{NewFacts, Verdict, decide_case, recommend, recommend_referral};
pub use dispense::{
    BIOMETRICS_WAIVERS, CAPTURE_FAILURES, INTERVIEW_WAIVERS, excuse_biometrics, excuse_interview,
    excuse_oath, fail_capture, reuse_biometrics, waive_biometrics, waive_interview,
};
pub use expedite::{CRITERIA, answer_expedite, request_expedite};
pub use fee::{Returned, pass_fee_deadline, record_made_good, record_payment_return, void_acceptance};
pub use hold::{HOLDS, hold_case, lift_hold};
pub use inquiry::{INQUIRIES, answer_inquiry, send_inquiry};
pub use intake::{
    accept, decide_fee_waiver, intake_reasons, open, record_notice, record_refund, record_refund_failure,
    reject,
};
pub use interview::{
    TestResult, complete_interview, miss_interview, move_interview, pass_absence, schedule_interview,
    unexplained,
};
pub use link::{
    Filed, Others, Said, basis_end, close_as_moot, follow_basis, link, removes_conditions, say_basis,
    waits_for_conditions,
};
pub use message::{ASIDE, Sent, record_message, record_reply, set_message_aside};
pub use oath::{issue_certificate, miss_oath, move_oath, reverify, schedule_oath, take_oath};
pub use own_motion::{Motion, reopen_on_own_motion};
pub use referral::Status;
pub use reminder::{remind_of_appointment, remind_of_request};
pub use reopen::reopen;
pub use representation::{appoint_representative, change_wishes, end_former, end_representation};
pub use request::{Asked, Intent, continue_examination, intend_denial, plan_deadline, request_evidence};
pub use response::{Response, pass_deadline, record_response, record_scan, serve_request};
pub use revocation::{intend_revocation, revoke_approval, withdraw_revocation_intent};
pub use search::{Undelivered, WAYS, record_reached, record_sought, record_undelivered};
pub use termination::{intend_termination, terminate_status, withdraw_termination_intent};
pub use transfer::{TRANSFERS, transfer};
pub use unsolicited::record_unsolicited;

/// What every decision gives.
pub type Decision = Result<Vec<Event>, Refusal>;

/// Who moves an appointment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MovedBy {
    /// The party, online.
    Party,
    /// The office.
    Office,
}

impl MovedBy {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Party => "party",
            Self::Office => "office",
        }
    }
}

/// Good causes to move an appointment (Policy Manual, good cause to reschedule biometrics).
pub const CAUSES: [&str; 6] =
    ["illness", "travel", "family_event", "no_transport", "work_or_care", "late_notice"];

/// Every reason a decision may give, for the reference and for the test that each is raised.
pub const REASONS: &[&str] = &[
    "ADDRESSEE_NOT_SOUGHT",
    "ADDRESS_NOT_CONFIRMED",
    "ADDRESS_NOT_ON_RECORD",
    "ALREADY_ACCEPTED",
    "ALREADY_ADJUSTED",
    "ALREADY_ATTENDED",
    "ALREADY_DECIDED",
    "ALREADY_ISSUED",
    "ALREADY_LINKED",
    "ALREADY_REJECTED",
    "ALREADY_RESPONDED",
    "ALREADY_THERE",
    "ALREADY_VOIDED",
    "ASKED_TOO_LATE",
    "BASIS_NOT_APPROVED",
    "BASIS_NOT_VERIFIED",
    "BIOMETRICS_MISSING",
    "CAPTURE_TOO_OLD",
    "CARD_MADE",
    "CARD_NOT_MAILED",
    "CARD_ORDERED",
    "CARD_STEP_OUT_OF_ORDER",
    "CARD_STILL_KEPT",
    "CASE_EXISTS",
    "CASE_HELD",
    "CAUSE_UNKNOWN",
    "CHECKS_MISSING",
    "CHECK_NOT_STARTED",
    "CODES_MISSING",
    "CONDITIONS_PENDING",
    "CONFLICT_OF_INTEREST",
    "CONTINUED_ALREADY",
    "CORRECTION_OPEN",
    "CRITERION_UNKNOWN",
    "DECISION_PENDING",
    "DENIED_NOT_REFERRED",
    "EXPEDITE_GRANTED",
    "EXPEDITE_OPEN",
    "FEE_NOT_OWED",
    "FEE_OWED",
    "FEE_STILL_IN_TIME",
    "FEE_WAIVER_UNDECIDED",
    "FIELD_UNKNOWN",
    "GRADE_TOO_LOW",
    "GROUNDS_MISSING",
    "HOLD_REASON_UNKNOWN",
    "INQUIRY_NOT_OPEN",
    "INQUIRY_OPEN",
    "INTERVIEW_MISSING",
    "ITEMS_MISSING",
    "KIND_UNKNOWN",
    "MESSAGE_NEWER",
    "MESSAGE_NOT_WAITING",
    "MOTION_NOT_GRANTED",
    "MOTION_UNKNOWN",
    "MOTION_USED",
    "MOVED_TWICE",
    "NEW_FACTS_NOT_STATED",
    "NEW_FACTS_NOT_TOLD",
    "NOT_ABANDONED",
    "NOT_ACCEPTED",
    "NOT_APPROVED",
    "NOT_ASKED",
    "NOT_ASYLUM",
    "NOT_AS_RECOMMENDED",
    "NOT_AUTOMATIC",
    "NOT_A_PETITION",
    "NOT_A_PRINCIPAL",
    "NOT_CLOSABLE",
    "NOT_CLOSED",
    "NOT_DENIED",
    "NOT_HELD",
    "NOT_HOLDABLE",
    "NOT_MISSED",
    "NOT_NEEDED",
    "NOT_RECOMMENDED",
    "NOT_REOPENABLE",
    "NOT_REVOCABLE",
    "NOT_SCHEDULED",
    "NOT_TERMINABLE",
    "NOT_WAIVABLE",
    "NO_BASIS_NEEDED",
    "NO_CARD",
    "NO_CHILD",
    "NO_CORRECTION_OPEN",
    "NO_EXPEDITE_OPEN",
    "NO_PRINCIPAL_NEEDED",
    "NO_REQUEST_OPEN",
    "NO_WAIVER_ASKED",
    "NUMBER_MALFORMED",
    "OATH_MISSED_TWICE",
    "OATH_NOT_MOVABLE",
    "OATH_NOT_SCHEDULED",
    "OATH_NOT_TAKEN",
    "OFFICE_CLOSED",
    "OFFICE_UNKNOWN",
    "OUTSIDE_HOURS",
    "PARTY_NOT_TOLD",
    "PERIOD_TOO_LONG",
    "PERIOD_TOO_SHORT",
    "PETITION_ENDED",
    "PREMIUM_AVAILABLE",
    "PRINCIPAL_NOT_APPROVED",
    "PRINCIPAL_NOT_KNOWN",
    "PROOF_UNKNOWN",
    "REFERRED_NOT_DENIED",
    "RELATION_UNKNOWN",
    "REPRESENTATIVE_NOT_ASKED",
    "REQUEST_OPEN",
    "RESULT_UNKNOWN",
    "REVERIFICATION_MISSING",
    "REVIEW_DAY_OUT_OF_BOUNDS",
    "REVIEW_NOT_STARTED",
    "REVOCATION_INTENDED",
    "REVOCATION_NOT_INTENDED",
    "SAME_OFFICER",
    "SEARCH_NOT_OPEN",
    "SIGNATURE_ACCEPTED",
    "STATUS_MISSING",
    "TERMINATION_INTENDED",
    "TERMINATION_NOT_INTENDED",
    "TESTED_TWICE",
    "TESTS_MISSING",
    "TEST_FAILED",
    "TEST_NOT_DUE",
    "TEST_PART_UNKNOWN",
    "TOO_EARLY",
    "TOO_LATE_TO_MOVE",
    "TOO_SOON",
    "TRACKING_MISSING",
    "VALUE_MALFORMED",
    "WAY_UNKNOWN",
    "WORDS_OUT_OF_BOUNDS",
];

/// How many characters the words have that a party and the office write to each other here.
const WORDS: std::ops::RangeInclusive<usize> = 20..=2_000;

/// Words that say something, without the blanks around them.
fn worded(field: &str, text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    if WORDS.contains(&text.chars().count()) {
        return Ok(text.to_owned());
    }
    Err(Refusal::invalid(field, "WORDS_OUT_OF_BOUNDS", "Say it in 20 to 2,000 characters."))
}

/// Until when the office means to answer what is asked now.
fn answer_by(case: &Case, rule: &str, now: Timestamp) -> Result<types::Deadline, Refusal> {
    let rule = Rule::of(rule).abroad(case.abroad);
    Ok(stated(&deadline::Deadline::compute(rule, office_date(now), ServiceChannel::Posted, &case.zone)?))
}

/// Until when the office has to do what a rule gives it days for, from a day on.
fn office_has_until(rule: &str, from: Date) -> Result<types::Deadline, Refusal> {
    let channel = ServiceChannel::HandedOver;
    Ok(stated(&deadline::Deadline::compute(Rule::of(rule), from, channel, OFFICE_ZONE)?))
}

/// A deadline as events have it.
fn stated(deadline: &deadline::Deadline) -> types::Deadline {
    (&super::Deadline::from(deadline)).into()
}

/// The case was accepted and is not decided.
fn pending(case: &Case) -> Result<(), Refusal> {
    match case.stage {
        Stage::Accepted | Stage::InReview | Stage::DecisionPending => Ok(()),
        Stage::Unknown => Err(Refusal::not_found()),
        Stage::Submitted => Err(Refusal::state("NOT_ACCEPTED", "Intake has not accepted this filing yet.")
            .way_out("Wait until it has a receipt number.")),
        Stage::Rejected => {
            Err(Refusal::state("ALREADY_REJECTED", "This filing was rejected; there is no case.")
                .way_out("The filer may correct it and send it again."))
        }
        Stage::Voided => {
            Err(Refusal::state("ALREADY_VOIDED", "The acceptance of this filing was taken back.")
                .way_out("The filer may file again."))
        }
        Stage::Decided | Stage::Closed => Err(decided(case)),
    }
}

fn decided(case: &Case) -> Refusal {
    let how = match case.outcome {
        Some(Outcome::Approved) => "approved",
        Some(Outcome::Denied) => "denied",
        Some(Outcome::DeniedAbandoned) => "denied as abandoned",
        Some(Outcome::Referred) => "referred to the immigration court",
        Some(Outcome::Revoked) => "approved, and the approval was revoked",
        Some(Outcome::RevokedByLaw) => "approved, and the approval ended by the law",
        Some(Outcome::Terminated) => "approved, and the status was terminated",
        Some(Outcome::AdministrativelyClosed) => "closed without a decision",
        Some(Outcome::Withdrawn) => "withdrawn",
        Some(Outcome::ClosedAsMoot) => "closed, since the person has what it asked for",
        None => "closed",
    };
    Refusal::state("ALREADY_DECIDED", format!("This case was {how}."))
        .way_out("A decision changes only when the case is reopened.")
        .fact("outcome", how)
}

/// An officer reviews it and nobody recommended a decision yet.
fn in_review(case: &Case) -> Result<(), Refusal> {
    pending(case)?;
    match case.stage {
        Stage::InReview => Ok(()),
        Stage::DecisionPending => Err(Refusal::state(
            "DECISION_PENDING",
            "A decision was recommended and waits for the second officer.",
        )
        .way_out("The second officer can return it to you.")),
        Stage::Unknown
        | Stage::Submitted
        | Stage::Accepted
        | Stage::Rejected
        | Stage::Voided
        | Stage::Decided
        | Stage::Closed => {
            Err(Refusal::state("REVIEW_NOT_STARTED", "The review of this case has not begun.")
                .way_out("Start the review first."))
        }
    }
}

fn no_open_request(case: &Case) -> Result<(), Refusal> {
    case.open_request().map_or(Ok(()), |request| {
        let due = &request.deadline.due_date;
        Err(Refusal::state(
            "REQUEST_OPEN",
            format!("A request is open until {due}; a case has at most one at a time."),
        )
        .way_out("Wait for the answer or the end of the deadline.")
        .fact("request", format!("requests/{}", request.id))
        .fact("due_date", due.as_str()))
    })
}

/// The appointment somebody comes to: today or later is fine, before its day only by agreement.
fn attended(
    appointment: Option<&Appointment>,
    now: Timestamp,
    early_by_agreement: bool,
) -> Result<Uuid, Refusal> {
    let appointment = appointment.ok_or_else(not_scheduled)?;
    if super::appointment::is_before_its_day(appointment, now) && !early_by_agreement {
        let day = super::appointment::civil_date(appointment.starts_at, &appointment.zone);
        return Err(Refusal::state("TOO_EARLY", format!("The appointment is on {day}."))
            .way_out("If the person came earlier by agreement, say so with early_by_agreement.")
            .field("early_by_agreement")
            .fact("appointment_date", day.to_string()));
    }
    Ok(appointment.id)
}

/// The appointment nobody came to. Its day must be over at the office: who comes late that day is still seen.
fn absent(appointment: Option<&Appointment>, now: Timestamp) -> Result<Uuid, Refusal> {
    let appointment = appointment.ok_or_else(not_scheduled)?;
    if super::appointment::is_its_day_over(appointment, now) {
        return Ok(appointment.id);
    }
    let day = super::appointment::civil_date(appointment.starts_at, &appointment.zone);
    Err(Refusal::state("TOO_EARLY", format!("The day of the appointment is not over; it is on {day}."))
        .way_out("Record it on a later day, if nobody came until then.")
        .fact("appointment_date", day.to_string()))
}

/// A cause that is none of these.
fn cause_unknown(causes: &[&str]) -> Refusal {
    Refusal::invalid("cause", "CAUSE_UNKNOWN", format!("Give the cause: one of {}.", causes.join(", ")))
}

fn not_scheduled() -> Refusal {
    Refusal::state("NOT_SCHEDULED", "There is no appointment that stands.").way_out("Schedule one first.")
}

/// What moving costs the party: a good cause, not too late, not too often.
fn movable(
    appointment: Option<&Appointment>,
    moved_by_party: u32,
    by: MovedBy,
    cause: &str,
    now: Timestamp,
) -> Result<Appointment, Refusal> {
    let appointment = appointment.ok_or_else(not_scheduled)?;
    if by == MovedBy::Office {
        return Ok(appointment.clone());
    }
    if !CAUSES.contains(&cause) {
        return Err(Refusal::invalid(
            "cause",
            "CAUSE_UNKNOWN",
            format!("Give a good cause: one of {}.", CAUSES.join(", ")),
        ));
    }
    let most = super::appointment::moves(now).filter(|most| i64::from(moved_by_party) >= *most);
    if let Some(most) = most {
        return Err(Refusal::state(
            "MOVED_TWICE",
            format!("An appointment can be moved online {most} times; this one was."),
        )
        .way_out("Write to the office if you cannot come."));
    }
    if !super::appointment::is_movable(appointment, now) {
        let hours = super::appointment::move_hours(now);
        return Err(Refusal::state(
            "TOO_LATE_TO_MOVE",
            format!("An appointment can be moved online until {hours} hours before it."),
        )
        .way_out("Write to the office and say why you cannot come."));
    }
    Ok(appointment.clone())
}
