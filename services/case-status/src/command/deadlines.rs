//! The timer of a request's deadline: set when it is served, taken away by the answer, else it records that it passed.

use docket_eventlog::Timer;
use uuid::Uuid;

use crate::domain::Request;

/// Kind of the timer.
pub(crate) const KIND: &str = "request_deadline";

/// The key of a request's timer.
pub(crate) fn key(request_id: Uuid) -> String {
    format!("request-deadline:{request_id}")
}

/// The timer of a request; its payload is the case and the request, 16 bytes each.
pub(crate) fn timer(case_id: Uuid, request: &Request) -> Timer {
    let payload = [case_id.as_bytes().as_slice(), request.id.as_bytes()].concat();
    Timer::new(key(request.id), KIND, request.deadline.expires_at, payload)
}

/// Reads the payload: the case and the request.
pub(crate) fn read(payload: &[u8]) -> Option<(Uuid, Uuid)> {
    let (case_id, request_id) = payload.split_at_checked(16)?;
    Some((Uuid::from_slice(case_id).ok()?, Uuid::from_slice(request_id).ok()?))
}
