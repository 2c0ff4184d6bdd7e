//! The interview and the parts of the test taken in it (8 CFR 335.2, 312.1–312.5).

use docket_kernel::Refusal;
use docket_kernel::deadline::{Deadline, OFFICE_ZONE, Rule, ServiceChannel, office_date};
use docket_proto::case_status::events::v1 as pb;
use docket_proto::types::v1 as types;
use jiff::Timestamp;
use jiff::civil::Date;
use uuid::Uuid;

use super::{Decision, MovedBy, absent, attended, movable, not_scheduled, office_has_until, pending, stated};
use crate::domain::appointment::civil_date;
use crate::domain::{APPOINTMENT_MISSED, Absence, Appointment, Case, Event, Interview, TEST_PARTS, needs};

/// The days in which an applicant for naturalization may say why nobody came to the examination.
const ABSENCE: &str = "n400.noshow";
/// The days that the office has to decide after the first examination for naturalization.
const DECISION: &str = "n400.decision";

/// A part of the test as it was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestResult {
    /// `reading`, `writing`, `speaking`, `civics`.
    pub part: String,
    /// Whether it was passed.
    pub passed: bool,
}

/// Sets the interview, or another one when a part of the test was failed and an attempt is left.
///
/// # Errors
/// `NOT_NEEDED`, `BIOMETRICS_MISSING`, `CHECKS_MISSING`, `TOO_SOON` before day 60 of a re-examination, and what
/// [`pending`] says.
pub fn schedule_interview(case: &Case, appointment: &Appointment) -> Decision {
    pending(case)?;
    match case.interview {
        Interview::ToSchedule | Interview::Missed => {}
        Interview::Completed if is_reexamination_due(case) => {}
        Interview::NotNeeded
        | Interview::Scheduled
        | Interview::Completed
        | Interview::Waived
        | Interview::Cancelled => {
            return Err(Refusal::state("NOT_NEEDED", "No interview is to be set in this case now.")
                .way_out("Move the appointment that stands."));
        }
    }
    ready_to_be_heard(case)?;
    // Also where one that was set fell away with a transfer, or was missed.
    if is_reexamination_due(case) {
        not_before_day_60(case, civil_date(appointment.starts_at, &appointment.zone))?;
    }
    // Who is naturalized has a card; who asks for the status or for asylum does not.
    let card = needs(&case.family).oath.then_some("permanent_resident_card");
    let bring = ["appointment_notice", "identity_document"].into_iter().chain(card).chain(["passports"]);
    Ok(vec![
        pb::InterviewScheduled {
            appointment: Some(appointment.into()),
            bring: bring.map(str::to_owned).collect(),
        }
        .into(),
    ])
}

/// Biometrics first, then the answers of the checks (8 CFR 335.2(b)).
fn ready_to_be_heard(case: &Case) -> Result<(), Refusal> {
    if !case.biometrics.are_done() {
        return Err(Refusal::state("BIOMETRICS_MISSING", "The biometrics were not taken yet.")
            .way_out("Take the biometrics first."));
    }
    if !case.checks_answered() {
        return Err(Refusal::state(
            "CHECKS_MISSING",
            "An interview is set after the background checks are answered (8 CFR 335.2(b)).",
        )
        .way_out("Record the answer of each check."));
    }
    Ok(())
}

fn is_reexamination_due(case: &Case) -> bool {
    case.tests.values().any(|attempts| attempts.count > 0 && attempts.one_is_left())
}

fn not_before_day_60(case: &Case, date: Date) -> Result<(), Refusal> {
    let examined: Date = case.examined_on.parse().unwrap_or(Date::MIN);
    let rule = Rule::of("n400.reexam.earliest");
    let earliest = Deadline::compute(rule, examined, ServiceChannel::HandedOver, OFFICE_ZONE)?;
    if date < earliest.due {
        return Err(Refusal::state(
            "TOO_SOON",
            format!("A second examination is not before {} (8 CFR 335.3(b)).", earliest.due),
        )
        .way_out("Choose a later day.")
        .field("date")
        .fact("earliest_date", earliest.due.to_string()));
    }
    Ok(())
}

/// Moves the interview. A second examination is before day 60 only when the applicant asks for it (8 CFR 335.3(b)).
///
/// # Errors
/// `NOT_SCHEDULED`, `CAUSE_UNKNOWN`, `MOVED_TWICE`, `TOO_LATE_TO_MOVE`, `TOO_SOON`, and what [`pending`] says.
pub fn move_interview(case: &Case, to: &Appointment, by: MovedBy, why: &str, now: Timestamp) -> Decision {
    pending(case)?;
    if case.interview != Interview::Scheduled {
        return Err(not_scheduled());
    }
    let booking = &case.interview_booking;
    let from = movable(booking.appointment.as_ref(), booking.moved_by_party, by, why, now)?;
    if by == MovedBy::Office && is_reexamination_due(case) {
        not_before_day_60(case, civil_date(to.starts_at, &to.zone))?;
    }
    Ok(vec![
        pb::InterviewRescheduled {
            from: Some((&from).into()),
            to: Some(to.into()),
            moved_by: by.as_str().to_owned(),
            cause: why.to_owned(),
        }
        .into(),
    ])
}

/// Records that the interview was held, and each part of the test taken in it.
///
/// # Errors
/// `NOT_SCHEDULED`, `ALREADY_ATTENDED`, `TOO_EARLY`, `TEST_NOT_DUE`, `TEST_PART_UNKNOWN`, `TESTED_TWICE`, and what
/// [`pending`] says; a year beyond the tables.
pub fn complete_interview(
    case: &Case,
    officer: Uuid,
    tests: &[TestResult],
    now: Timestamp,
    early_by_agreement: bool,
) -> Decision {
    let appointment_id = attended(standing(case)?, now, early_by_agreement)?;
    let held_on = office_date(now);
    let mut events: Vec<Event> = vec![
        pb::InterviewCompleted {
            appointment_id: appointment_id.to_string(),
            officer: officer.to_string(),
            early_by_agreement,
            held_on_date: held_on.to_string(),
            decision_deadline: decided_by(case, held_on)?,
        }
        .into(),
    ];
    for (index, test) in tests.iter().enumerate() {
        let twice = tests.iter().skip(index + 1).any(|other| other.part == test.part);
        events.push(attempt(case, test, twice)?.into());
    }
    Ok(events)
}

/// Until when the office has to decide after the first examination for naturalization (INA 336(b)); a second one begins no days of its own.
fn decided_by(case: &Case, held_on: Date) -> Result<Option<types::Deadline>, Refusal> {
    if !needs(&case.family).oath || !case.examined_on.is_empty() {
        return Ok(None);
    }
    Ok(Some(office_has_until(DECISION, held_on)?))
}

/// Records that nobody came, and until when an applicant for naturalization may say why. An officer decides what follows: another
/// day, or what the rules of the form say.
///
/// # Errors
/// `NOT_SCHEDULED`, `ALREADY_ATTENDED`, `TOO_EARLY` until the day is over, and what [`pending`] says; a year beyond the tables.
pub fn miss_interview(case: &Case, now: Timestamp) -> Decision {
    let missed = standing(case)?;
    let appointment_id = absent(missed, now)?.to_string();
    let deadline = missed.filter(|_| needs(&case.family).oath).map(|missed| explained_by(case, missed, now));
    Ok(vec![pb::InterviewMissed { appointment_id, deadline: deadline.transpose()? }.into()])
}

/// Thirty days after the day of the examination (8 CFR 335.6). Where the office records the absence only when they are over, as many
/// from then on: nobody is told of a day that is past.
fn explained_by(case: &Case, missed: &Appointment, now: Timestamp) -> Result<types::Deadline, Refusal> {
    let from = |day0| {
        let rule = Rule::of(ABSENCE).abroad(case.abroad);
        Deadline::compute(rule, day0, ServiceChannel::Posted, &case.zone)
    };
    let mut deadline = from(civil_date(missed.starts_at, &missed.zone))?;
    if !deadline.is_timely(now) {
        deadline = from(office_date(now))?;
    }
    Ok(stated(&deadline))
}

/// The days passed and nothing was said: recorded once, and nothing is decided by it. What was asked about an earlier appointment and
/// is not answered keeps the party from asking again, and so from being told that nothing came.
///
/// # Errors
/// None.
pub fn pass_absence(case: &Case, appointment_id: Uuid, now: Timestamp) -> Decision {
    let silent =
        |absence: &&Absence| absence.appointment == appointment_id && now >= absence.deadline.expires_at;
    let passed = unexplained(case).filter(silent);
    let event = |_| pb::AbsenceDeadlinePassed { appointment_id: appointment_id.to_string() }.into();
    Ok(passed.map(event).into_iter().collect())
}

/// The examination to which nobody came and of which nothing was said yet; none while an inquiry about an earlier one keeps the party
/// from saying it.
pub fn unexplained(case: &Case) -> Option<&Absence> {
    let asked = case.inquiries.iter().any(|inquiry| inquiry.kind == APPOINTMENT_MISSED);
    let open = case.stage.is_pending() && case.interview == Interview::Missed && !asked;
    case.absence.as_ref().filter(|absence| open && !absence.explained && !absence.passed)
}

/// The appointment that stands, of which it is to be said what came of it.
fn standing(case: &Case) -> Result<Option<&Appointment>, Refusal> {
    pending(case)?;
    match case.interview {
        Interview::Scheduled => Ok(case.interview_booking.appointment.as_ref()),
        Interview::Completed => Err(held()),
        Interview::NotNeeded
        | Interview::ToSchedule
        | Interview::Waived
        | Interview::Missed
        | Interview::Cancelled => Err(not_scheduled()),
    }
}

pub(super) fn held() -> Refusal {
    Refusal::state("ALREADY_ATTENDED", "The interview was held already.")
}

fn attempt(case: &Case, test: &TestResult, twice: bool) -> Result<pb::TestTaken, Refusal> {
    if !needs(&case.family).test {
        return Err(Refusal::invalid("tests", "TEST_NOT_DUE", "This form has no test."));
    }
    if !TEST_PARTS.contains(&test.part.as_str()) {
        let parts = TEST_PARTS.join(", ");
        return Err(Refusal::invalid("tests", "TEST_PART_UNKNOWN", format!("The parts are {parts}.")));
    }
    let before = case.tests.get(&test.part).copied().unwrap_or_default();
    if !before.one_is_left() || twice {
        return Err(Refusal::state(
            "TESTED_TWICE",
            "A part is taken once in an examination, while an attempt is left, and not again when passed (8 CFR 312.5(a)).",
        )
        .field("tests")
        .fact("part", test.part.as_str()));
    }
    Ok(pb::TestTaken {
        part: test.part.clone(),
        version: case.civics_test.clone(),
        passed: test.passed,
        attempt: before.count + 1,
    })
}
