//! The timers of deadlines: a request's, set when it is served, a fee's that is owed again, and that of an examination to which nobody
//! came; each records that it passed.

use docket_eventlog::Timer;
use jiff::SignedDuration;
use uuid::Uuid;

use crate::domain::{Absence, Deadline, Request};

/// Kind of the timer of a request.
pub(crate) const REQUEST: &str = "request_deadline";
/// Kind of the timer of a fee that is owed again.
pub(crate) const FEE: &str = "fee_deadline";
/// Kind of the timer of an examination to which nobody came.
pub(crate) const ABSENCE: &str = "absence_deadline";

/// What another service received before the deadline's end stands in its log so long after it: commands at hand then have ended,
/// and the clocks of two machines do not differ by more.
pub(crate) const SETTLED: SignedDuration = SignedDuration::from_secs(30);

/// The key of a request's timer.
pub(crate) fn key(request_id: Uuid) -> String {
    format!("request-deadline:{request_id}")
}

/// The key of the timer of a fee.
pub(crate) fn fee_key(return_id: Uuid) -> String {
    format!("fee-deadline:{return_id}")
}

/// The timer of a request, due when filing's log tells whether it was answered in time; its payload is the case and the
/// request, 16 bytes each.
pub(crate) fn timer(case_id: Uuid, request: &Request) -> Timer {
    of(key(request.id), REQUEST, &request.deadline, case_id, request.id)
}

/// The timer of a fee that is owed again, due when payments' log tells whether it was made good in time; its payload is the case and
/// the return, 16 bytes each.
pub(crate) fn fee_timer(case_id: Uuid, return_id: Uuid, deadline: &Deadline) -> Timer {
    of(fee_key(return_id), FEE, deadline, case_id, return_id)
}

/// The timer of an examination to which nobody came, due when what was said in time is written; its payload is the case and the
/// appointment, 16 bytes each.
pub(crate) fn absence_timer(case_id: Uuid, appointment_id: Uuid, deadline: &Deadline) -> Timer {
    of(format!("absence-deadline:{appointment_id}"), ABSENCE, deadline, case_id, appointment_id)
}

/// The same once more, after an inquiry that was open when the first one rang; a timer of its own, since each does its work once.
pub(crate) fn absence_timer_after(case_id: Uuid, absence: &Absence, inquiry: Uuid) -> Timer {
    let key = format!("absence-deadline:{}:{inquiry}", absence.appointment);
    of(key, ABSENCE, &absence.deadline, case_id, absence.appointment)
}

/// Due so long after the deadline's end as it takes for what came in time to be written.
fn of(key: String, kind: &str, deadline: &Deadline, case_id: Uuid, id: Uuid) -> Timer {
    let ends = deadline.expires_at;
    let due_at = ends.checked_add(SETTLED).unwrap_or(ends);
    Timer::new(key, kind, due_at, payload(case_id, id))
}

/// The payload of a timer: the case, and the request, the return or the appointment, 16 bytes each.
pub(crate) fn payload(case_id: Uuid, id: Uuid) -> Vec<u8> {
    [case_id.as_bytes().as_slice(), id.as_bytes()].concat()
}

/// Reads the payload.
pub(crate) fn read(payload: &[u8]) -> Option<(Uuid, Uuid)> {
    let (case_id, id) = payload.split_at_checked(16)?;
    Some((Uuid::from_slice(case_id).ok()?, Uuid::from_slice(id).ok()?))
}
