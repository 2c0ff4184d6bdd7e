//! What stands open when a case ends, and ends with it (lifecycle 17, 35).

use docket_proto::case_status::events::v1 as pb;

use super::correction::correction_closed;
use super::hold::holds_ended;
use super::search::searches_ended;
use crate::domain::{Biometrics, Case, Event, Inquiry, Interview};

/// The ends of the open request, of the appointments that stand, of the holds, of what the party asked, and of the search for whom a mail
/// did not reach, since the end has a notice of its own; `why` is `withdrawn`, `denied`,
/// `revoked`, `referred`, `voided` or `moot`.
pub(super) fn ending(case: &Case, why: &str) -> Vec<Event> {
    let mut events = Vec::new();
    if let Some(request) = case.open_request() {
        events
            .push(pb::RequestCancelled { request_id: request.id.to_string(), cause: why.to_owned() }.into());
    }
    events.extend(biometrics_cancelled(case, why));
    events.extend(interview_cancelled(case, why));
    events.extend(holds_ended(case, why));
    events.extend(expedite_closed(case, why));
    events.extend(correction_closed(case, why));
    events.extend(case.inquiries.iter().map(|inquiry| inquiry_closed(inquiry, why)));
    events.extend(searches_ended(case, why, |_| true));
    events
}

/// What a good end answers by itself, `why` is `approved` or `recorded`: there is nothing left to be hastened, nor a day to
/// prepare for. A notice, a card and a misprint are asked after all the same.
pub(super) fn answered_by_itself(case: &Case, why: &str) -> Vec<Event> {
    let answered = |open: &&Inquiry| {
        let kinds = ["outside_normal_time", "appointment_accommodation", "appointment_missed"];
        kinds.contains(&open.kind.as_str())
    };
    let inquiries = case.inquiries.iter().filter(answered);
    let closed = inquiries.map(|inquiry| inquiry_closed(inquiry, why));
    expedite_closed(case, why).into_iter().chain(closed).collect()
}

/// The end of the biometrics appointment, where one stands.
pub(super) fn biometrics_cancelled(case: &Case, why: &str) -> Option<Event> {
    let appointment = case.biometrics_booking.appointment.as_ref().map(Into::into);
    let cancelled = pb::BiometricsCancelled { appointment, cause: why.to_owned() };
    (case.biometrics == Biometrics::Scheduled).then(|| cancelled.into())
}

/// The end of the interview appointment, where one stands.
pub(super) fn interview_cancelled(case: &Case, why: &str) -> Option<Event> {
    let appointment = case.interview_booking.appointment.as_ref().map(Into::into);
    let cancelled = pb::InterviewCancelled { appointment, cause: why.to_owned() };
    (case.interview == Interview::Scheduled).then(|| cancelled.into())
}

fn expedite_closed(case: &Case, why: &str) -> Option<Event> {
    let expedite_id = case.open_expedite()?.id.to_string();
    Some(pb::ExpediteClosed { expedite_id, cause: why.to_owned() }.into())
}

pub(super) fn inquiry_closed(inquiry: &Inquiry, why: &str) -> Event {
    let (inquiry_id, kind) = (inquiry.id.to_string(), inquiry.kind.clone());
    pb::InquiryClosed { inquiry_id, kind, cause: why.to_owned() }.into()
}
