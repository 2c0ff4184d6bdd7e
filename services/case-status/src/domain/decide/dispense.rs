//! Appointments that nobody needs, and those that are to be set again through nobody's fault: biometrics reused, waived or not
//! captured, an absence excused, an interview waived (8 CFR 103.2(b)(9), (b)(13)(ii), 245.6, 335.6).

use docket_kernel::Refusal;
use docket_kernel::deadline::office_date;
use docket_proto::case_status::events::v1 as pb;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use uuid::Uuid;

use super::biometrics::{standing, taken};
use super::ending::{biometrics_cancelled, interview_cancelled};
use super::interview::held;
use super::{CAUSES, Decision, attended, cause_unknown, pending};
use crate::domain::{Biometrics, Booking, Case, Event, FINGERPRINT_CHECK, Interview, Oath, rules};

/// How old an earlier capture may be, in months.
const REUSE: &str = "biometrics.reuse";
/// Why biometrics are waived.
pub const BIOMETRICS_WAIVERS: [&str; 2] = ["not_able", "age"];
/// Why a capture did not succeed.
pub const CAPTURE_FAILURES: [&str; 3] = ["prints_not_legible", "equipment", "identity_not_shown"];
/// Why an interview is waived (8 CFR 245.6).
pub const INTERVIEW_WAIVERS: [&str; 3] = ["child", "clearly_ineligible", "unnecessary"];
/// Below which age a child is not interviewed, in years on the day of receipt.
const CHILD: &str = "interview.child";
/// Why an appointment falls away that nobody needs.
const NOT_NEEDED: &str = "not_needed";

/// Uses the biometrics of an earlier capture; their check begins anew. An appointment that stands falls away.
///
/// # Errors
/// `NOT_NEEDED`, `ALREADY_ATTENDED`, `CAPTURE_TOO_OLD` beyond the months of the rule or on a day to come, and what [`pending`] says.
pub fn reuse_biometrics(case: &Case, officer: Uuid, captured_on: Date, now: Timestamp) -> Decision {
    let mut events = without_appointment(case)?;
    let today = office_date(now);
    let months = rules::number(REUSE, today);
    let oldest = today.saturating_sub(months.months());
    if !(oldest..=today).contains(&captured_on) {
        return Err(Refusal::invalid(
            "captured_on_date",
            "CAPTURE_TOO_OLD",
            format!("An earlier capture is used for {months} months; its day is not before {oldest}."),
        ));
    }
    let (officer, captured_on_date) = (officer.to_string(), captured_on.to_string());
    events.push(pb::BiometricsReused { officer, captured_on_date }.into());
    events.push(pb::BackgroundCheckStarted { system: FINGERPRINT_CHECK.to_owned() }.into());
    Ok(events)
}

/// Biometrics are not needed of this person. An appointment that stands falls away.
///
/// # Errors
/// `NOT_NEEDED`, `ALREADY_ATTENDED`, `CAUSE_UNKNOWN`, and what [`pending`] says.
pub fn waive_biometrics(case: &Case, officer: Uuid, why: &str) -> Decision {
    let mut events = without_appointment(case)?;
    one_of(why, &BIOMETRICS_WAIVERS)?;
    events.push(pb::BiometricsWaived { officer: officer.to_string(), cause: why.to_owned() }.into());
    Ok(events)
}

/// The end of a biometrics appointment that stands, in a case that still needs biometrics.
fn without_appointment(case: &Case) -> Result<Vec<Event>, Refusal> {
    pending(case)?;
    match case.biometrics {
        Biometrics::Needed | Biometrics::Missed | Biometrics::Scheduled => {
            Ok(biometrics_cancelled(case, NOT_NEEDED).into_iter().collect())
        }
        Biometrics::Taken => Err(taken()),
        Biometrics::NotNeeded | Biometrics::Reused | Biometrics::Waived | Biometrics::Cancelled => {
            Err(Refusal::state("NOT_NEEDED", "No biometrics are waited for in this case.")
                .way_out("Look at how the case stands."))
        }
    }
}

/// The person came, and the capture did not succeed: another appointment is to be set, and nothing was missed.
///
/// # Errors
/// `NOT_SCHEDULED`, `ALREADY_ATTENDED`, `TOO_EARLY`, `CAUSE_UNKNOWN`, and what [`pending`] says.
pub fn fail_capture(case: &Case, why: &str, now: Timestamp, early_by_agreement: bool) -> Decision {
    let standing = standing(case)?;
    one_of(why, &CAPTURE_FAILURES)?;
    let appointment = attended(standing, now, early_by_agreement)?;
    let appointment_id = appointment.to_string();
    Ok(vec![pb::BiometricsCaptureFailed { appointment_id, cause: why.to_owned() }.into()])
}

/// Excuses who did not come to the biometrics: another appointment is to be set, and the case is not abandoned for this one.
///
/// # Errors
/// `NOT_MISSED`, `CAUSE_UNKNOWN`, and what [`pending`] says.
pub fn excuse_biometrics(case: &Case, officer: Uuid, why: &str) -> Decision {
    let missed = case.biometrics == Biometrics::Missed;
    excuse(case, missed, (officer, why), ("biometrics", &case.biometrics_booking))
}

/// Excuses who did not come to the interview; the days to say why are over then.
///
/// # Errors
/// As [`excuse_biometrics`].
pub fn excuse_interview(case: &Case, officer: Uuid, why: &str) -> Decision {
    let missed = case.interview == Interview::Missed;
    excuse(case, missed, (officer, why), ("interview", &case.interview_booking))
}

/// Excuses who did not come to the oath ceremony: that absence does not count (8 CFR 337.10).
///
/// # Errors
/// `NOT_MISSED`, `CAUSE_UNKNOWN`; not found without a case.
pub fn excuse_oath(case: &Case, officer: Uuid, why: &str) -> Decision {
    if !case.exists() {
        return Err(Refusal::not_found());
    }
    let missed = case.oath == Oath::Missed;
    excused(missed, (officer, why), ("oath", &case.oath_booking))
}

fn excuse(case: &Case, missed: bool, (officer, why): (Uuid, &str), of: (&str, &Booking)) -> Decision {
    pending(case)?;
    excused(missed, (officer, why), of)
}

fn excused(missed: bool, (officer, why): (Uuid, &str), (kind, booking): (&str, &Booking)) -> Decision {
    if !missed {
        return Err(Refusal::state("NOT_MISSED", "No such appointment was missed and is to be excused.")
            .way_out("Look at how the case stands."));
    }
    one_of(why, &CAUSES)?;
    let appointment = booking.appointment.as_ref().map(|it| it.id).unwrap_or_default();
    Ok(vec![
        pb::AbsenceExcused {
            officer: officer.to_string(),
            appointment_kind: kind.to_owned(),
            appointment_id: appointment.to_string(),
            cause: why.to_owned(),
        }
        .into(),
    ])
}

/// Decides a case for adjustment without an interview. One that stands falls away.
///
/// # Errors
/// `NOT_WAIVABLE` for another family, `NOT_NEEDED`, `ALREADY_ATTENDED`, `CRITERION_UNKNOWN`, `NO_CHILD`, and what [`pending`] says.
pub fn waive_interview(case: &Case, officer: Uuid, criterion: &str) -> Decision {
    pending(case)?;
    if case.family != "adjustment" {
        return Err(Refusal::state(
            "NOT_WAIVABLE",
            "Only the interview for an adjustment of status is waived (8 CFR 245.6).",
        )
        .way_out("Hold the interview, where the form needs one."));
    }
    let mut events: Vec<Event> = match case.interview {
        Interview::ToSchedule | Interview::Missed | Interview::Scheduled => {
            interview_cancelled(case, NOT_NEEDED).into_iter().collect()
        }
        Interview::Completed => return Err(held()),
        Interview::NotNeeded | Interview::Waived | Interview::Cancelled => {
            return Err(Refusal::state("NOT_NEEDED", "No interview is waited for in this case.")
                .way_out("Look at how the case stands."));
        }
    };
    if !INTERVIEW_WAIVERS.contains(&criterion) {
        let message = format!("Give the criterion: one of {}.", INTERVIEW_WAIVERS.join(", "));
        return Err(Refusal::invalid("criterion", "CRITERION_UNKNOWN", message));
    }
    if criterion == "child" {
        child(case)?;
    }
    events.push(pb::InterviewWaived { officer: officer.to_string(), criterion: criterion.to_owned() }.into());
    Ok(events)
}

/// The applicant was a child on the day of receipt.
fn child(case: &Case) -> Result<(), Refusal> {
    let received: Option<Date> = case.receipt_date.parse().ok();
    let years = received.map(|day| rules::number(CHILD, day)).unwrap_or_default();
    if i64::from(case.age) < years {
        return Ok(());
    }
    Err(Refusal::invalid(
        "criterion",
        "NO_CHILD",
        format!("The applicant was {years} or older on the day of receipt (8 CFR 245.6)."),
    ))
}

fn one_of(word: &str, words: &[&str]) -> Result<(), Refusal> {
    if words.contains(&word) {
        return Ok(());
    }
    Err(cause_unknown(words))
}
