//! Biometrics: set, moved, taken or missed; the fingerprint check begins with them and is answered later.

use docket_kernel::Refusal;
use docket_proto::case_status::events::v1 as pb;
use jiff::Timestamp;

use super::{Decision, MovedBy, absent, attended, movable, not_scheduled, pending};
use crate::domain::{Appointment, Biometrics, Case, Check, FINGERPRINT_CHECK};

/// Ten prints, index print, photograph and signature.
const CAPTURE_ALL: u32 = 3;

/// Sets the appointment. One at a time (lifecycle 36).
///
/// # Errors
/// `NOT_NEEDED`, `ALREADY_ATTENDED`, and what [`pending`] says.
pub fn schedule_biometrics(case: &Case, appointment: &Appointment) -> Decision {
    pending(case)?;
    match case.biometrics {
        Biometrics::Needed | Biometrics::Missed => {}
        Biometrics::Taken => return Err(taken()),
        Biometrics::NotNeeded
        | Biometrics::Scheduled
        | Biometrics::Reused
        | Biometrics::Waived
        | Biometrics::Cancelled => {
            return Err(Refusal::state(
                "NOT_NEEDED",
                "No biometrics appointment is to be set in this case now.",
            )
            .way_out("Move the appointment that stands."));
        }
    }
    Ok(vec![
        pb::BiometricsScheduled { appointment: Some(appointment.into()), capture_code: CAPTURE_ALL }.into(),
    ])
}

/// Moves the appointment.
///
/// # Errors
/// `NOT_SCHEDULED`, `CAUSE_UNKNOWN`, `MOVED_TWICE`, `TOO_LATE_TO_MOVE`, and what [`pending`] says.
pub fn move_biometrics(case: &Case, to: &Appointment, by: MovedBy, why: &str, now: Timestamp) -> Decision {
    pending(case)?;
    if case.biometrics != Biometrics::Scheduled {
        return Err(not_scheduled());
    }
    let booking = &case.biometrics_booking;
    let from = movable(booking.appointment.as_ref(), booking.moved_by_party, by, why, now)?;
    Ok(vec![
        pb::BiometricsRescheduled {
            from: Some((&from).into()),
            to: Some(to.into()),
            moved_by: by.as_str().to_owned(),
            cause: why.to_owned(),
        }
        .into(),
    ])
}

/// Records the capture, and that the fingerprints were sent to be checked.
///
/// # Errors
/// `NOT_SCHEDULED` (lifecycle 39), `ALREADY_ATTENDED`, `TOO_EARLY`, and what [`pending`] says.
pub fn take_biometrics(case: &Case, now: Timestamp, early_by_agreement: bool) -> Decision {
    let appointment_id = attended(standing(case)?, now, early_by_agreement)?;
    Ok(vec![
        pb::BiometricsTaken { appointment_id: appointment_id.to_string(), early_by_agreement }.into(),
        pb::BackgroundCheckStarted { system: FINGERPRINT_CHECK.to_owned() }.into(),
    ])
}

/// Records that nobody came. An officer decides what follows: another day, or a denial as abandoned (8 CFR 103.2(b)(13)(ii)).
///
/// # Errors
/// `NOT_SCHEDULED`, `ALREADY_ATTENDED`, `TOO_EARLY` until the day is over, and what [`pending`] says.
pub fn miss_biometrics(case: &Case, now: Timestamp) -> Decision {
    let appointment_id = absent(standing(case)?, now)?;
    Ok(vec![pb::BiometricsMissed { appointment_id: appointment_id.to_string() }.into()])
}

/// The appointment that stands, of which it is to be said what came of it.
///
/// # Errors
/// `NOT_SCHEDULED`, `ALREADY_ATTENDED`, and what [`pending`] says.
pub(super) fn standing(case: &Case) -> Result<Option<&Appointment>, Refusal> {
    pending(case)?;
    match case.biometrics {
        Biometrics::Scheduled => Ok(case.biometrics_booking.appointment.as_ref()),
        Biometrics::Taken => Err(taken()),
        Biometrics::NotNeeded
        | Biometrics::Needed
        | Biometrics::Reused
        | Biometrics::Waived
        | Biometrics::Missed
        | Biometrics::Cancelled => Err(not_scheduled()),
    }
}

pub(super) fn taken() -> Refusal {
    Refusal::state("ALREADY_ATTENDED", "The biometrics were taken already.")
}

/// Records the answer of a check. Only the class of the result is kept, and only the office sees it.
///
/// # Errors
/// `CHECK_NOT_STARTED`, `RESULT_UNKNOWN`, and what [`pending`] says.
pub fn record_background_check(case: &Case, system: &str, result_class: &str) -> Decision {
    pending(case)?;
    if !["no_record", "record"].contains(&result_class) {
        return Err(Refusal::invalid("result_class", "RESULT_UNKNOWN", "The result is no_record or record."));
    }
    if case.checks.get(system) != Some(&Check::Started) {
        return Err(Refusal::state("CHECK_NOT_STARTED", "No such check waits for an answer.")
            .way_out("A check begins when the biometrics are taken.")
            .field("system"));
    }
    Ok(vec![
        pb::BackgroundCheckReturned { system: system.to_owned(), result_class: result_class.to_owned() }
            .into(),
    ])
}
