//! What stands open when a case ends without a benefit, and ends with it (lifecycle 17, 35).

use docket_proto::case_status::events::v1 as pb;

use crate::domain::{Biometrics, Case, Event, Interview};

/// The ends of the open request and of the appointments that stand; `why` is `withdrawn`, `denied`, `voided` or `moot`.
pub(super) fn ending(case: &Case, why: &str) -> Vec<Event> {
    let mut events = Vec::new();
    if let Some(request) = case.open_request() {
        events
            .push(pb::RequestCancelled { request_id: request.id.to_string(), cause: why.to_owned() }.into());
    }
    if case.biometrics == Biometrics::Scheduled {
        let appointment = case.biometrics_booking.appointment.as_ref().map(Into::into);
        events.push(pb::BiometricsCancelled { appointment, cause: why.to_owned() }.into());
    }
    if case.interview == Interview::Scheduled {
        let appointment = case.interview_booking.appointment.as_ref().map(Into::into);
        events.push(pb::InterviewCancelled { appointment, cause: why.to_owned() }.into());
    }
    events
}
