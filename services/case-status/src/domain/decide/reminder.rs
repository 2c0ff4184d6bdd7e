//! The party is reminded, each time once; nothing is decided by it, and of what is over nobody is reminded.

use docket_proto::case_status::events::v1 as pb;
use jiff::Timestamp;
use uuid::Uuid;

use super::Decision;
use crate::domain::Case;

/// Reminds of the day of a request, on a day on which that is done, while it is open.
///
/// # Errors
/// None; what no longer applies gives no events.
pub fn remind_of_request(case: &Case, request_id: Uuid, now: Timestamp) -> Decision {
    let days_left = case.reminders_of_request(request_id).and_then(|reminders| reminders.now(now));
    let Some(days_left) = days_left.filter(|days| case.is_news(request_id, *days)) else {
        return Ok(Vec::new());
    };
    Ok(vec![pb::RequestReminded { request_id: request_id.to_string(), days_left }.into()])
}

/// Reminds of an appointment, on a day on which that is done, while it stands.
///
/// # Errors
/// None; what no longer applies gives no events.
pub fn remind_of_appointment(case: &Case, appointment_id: Uuid, now: Timestamp) -> Decision {
    let Some((kind, reminders)) = case.reminders_of_appointment(appointment_id) else {
        return Ok(Vec::new());
    };
    let Some(days_left) = reminders.now(now).filter(|days| case.is_news(appointment_id, *days)) else {
        return Ok(Vec::new());
    };
    let appointment_id = appointment_id.to_string();
    Ok(vec![pb::AppointmentReminded { appointment_id, appointment_kind: kind.to_owned(), days_left }.into()])
}
