//! Appointments as they are asked for: which office, which day, and the command they become.

use docket_kernel::Refusal;
use jiff::Timestamp;
use uuid::Uuid;

use super::wire::Kind;
use crate::domain::appointment::{Notice, Wish, arrange, free};
use crate::domain::decide::{self, Decision, MovedBy};
use crate::domain::office::{self, Office};
use crate::domain::{Appointment, Booking, Case};

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    /// Id of the new appointment.
    pub(crate) id: Uuid,
    /// What for.
    pub(crate) kind: Kind,
    /// Day and time.
    pub(crate) wish: Wish,
    /// Now.
    pub(crate) now: Timestamp,
}

/// Sets an appointment.
///
/// # Errors
/// Those of the day (`OFFICE_CLOSED`, `TOO_SOON`, `OUTSIDE_HOURS`) and of the kind.
pub(crate) fn schedule(case: &Case, asked: Asked) -> Decision {
    let appointment = arrange(asked.id, site(case, asked.kind)?, asked.wish, Notice::Full, asked.now)?;
    match asked.kind {
        Kind::Biometrics => decide::schedule_biometrics(case, &appointment),
        Kind::Interview => decide::schedule_interview(case, &appointment),
        Kind::Oath => decide::schedule_oath(case, &appointment, asked.now),
    }
}

/// Moves an appointment; a day that the party chose needs no notice.
///
/// # Errors
/// Those of [`schedule`], and those of moving.
pub(crate) fn reschedule(case: &Case, asked: Asked, by: MovedBy, why: &str) -> Decision {
    let to = arrange(asked.id, site(case, asked.kind)?, asked.wish, notice(by), asked.now)?;
    match asked.kind {
        Kind::Biometrics => decide::move_biometrics(case, &to, by, why, asked.now),
        Kind::Interview => decide::move_interview(case, &to, by, why, asked.now),
        Kind::Oath => decide::move_oath(case, &to, by),
    }
}

/// Records that nobody came to an appointment.
///
/// # Errors
/// Those of the kind.
pub(crate) fn missed(case: &Case, kind: Kind, now: Timestamp) -> Decision {
    match kind {
        Kind::Biometrics => decide::miss_biometrics(case, now),
        Kind::Interview => decide::miss_interview(case, now),
        Kind::Oath => decide::miss_oath(case, now),
    }
}

/// Free times for moving an appointment.
///
/// # Errors
/// Not found without a case.
pub(crate) fn slots(
    case: &Case,
    kind: Kind,
    by: MovedBy,
    now: Timestamp,
) -> Result<Vec<Appointment>, Refusal> {
    free(site(case, kind)?, notice(by), now)
}

/// The appointment of a kind after a command.
pub(crate) fn standing(case: &Case, kind: Kind) -> Option<&Appointment> {
    let booking: &Booking = match kind {
        Kind::Biometrics => &case.biometrics_booking,
        Kind::Interview => &case.interview_booking,
        Kind::Oath => &case.oath_booking,
    };
    booking.appointment.as_ref()
}

fn notice(by: MovedBy) -> Notice {
    match by {
        MovedBy::Party => Notice::Agreed,
        MovedBy::Office => Notice::Full,
    }
}

fn site(case: &Case, kind: Kind) -> Result<&'static Office, Refusal> {
    let office = if case.office.is_empty() { office::INTAKE_OFFICE } else { &case.office };
    office::site(office, kind.hosted())
        .ok_or_else(|| Refusal::state("NO_SITE", "No office holds such appointments for this case's office."))
}
