//! What a party asked in its case and what it was answered, with the words of both sides: opened here and nowhere else.

use docket_eventlog::{EventLog, Recorded};
use docket_kernel::resource;
use docket_proto::case_status::v1 as pb;
use docket_service::ApiError;

use crate::domain::Event;

/// The requests to expedite and the inquiries in the events of a case.
///
/// # Errors
/// The keys cannot be reached; an event that cannot be read.
pub(super) async fn of(log: &EventLog, events: &[Recorded]) -> Result<pb::ListInquiriesResponse, ApiError> {
    let mut found = pb::ListInquiriesResponse::default();
    for recorded in events.iter().filter(|recorded| tells_of_one(&recorded.kind)) {
        let event: Event = log.open_event(recorded).await?;
        add(&mut found, event, recorded.recorded_at.as_microsecond());
    }
    Ok(found)
}

fn tells_of_one(kind: &str) -> bool {
    let subjects = ["case.expedite_", "case.inquiry_", "case.correction_"];
    let made = ["case.name_corrected.v1", "case.birth_date_corrected.v1"];
    made.contains(&kind) || subjects.iter().any(|subject| kind.starts_with(subject))
}

/// What an event adds to what is known.
#[expect(clippy::wildcard_enum_match_arm, reason = "the other events tell of no inquiry")]
fn add(found: &mut pb::ListInquiriesResponse, event: Event, at_us: i64) {
    match event {
        Event::ExpediteRequested(asked) => found.expedite_requests.push(pb::ExpediteRequest {
            criterion: asked.criterion,
            reasons: asked.reasons,
            requested_at_us: asked.requested_at_us,
            deadline: asked.deadline,
            state: "requested".to_owned(),
            ..pb::ExpediteRequest::default()
        }),
        Event::ExpediteDecided(decided) => {
            let state = if decided.granted { "granted" } else { "denied" };
            end_expedite(found, state, decided.answer, at_us);
        }
        Event::ExpediteClosed(_) => end_expedite(found, "closed", String::new(), at_us),
        Event::InquirySent(sent) => found.inquiries.push(pb::Inquiry {
            name: name(&sent.inquiry_id),
            kind: sent.kind,
            text: sent.text,
            sent_at_us: sent.sent_at_us,
            deadline: sent.deadline,
            state: "open".to_owned(),
            ..pb::Inquiry::default()
        }),
        Event::InquiryAnswered(answered) => {
            end_inquiry(found, &answered.inquiry_id, "answered", answered.answer, at_us);
        }
        Event::InquiryClosed(closed) => {
            end_inquiry(found, &closed.inquiry_id, "closed", String::new(), at_us);
        }
        Event::CorrectionAsked(asked) => found.corrections.push(pb::Correction {
            field: asked.corrected_field,
            error_of: asked.error_of,
            proof: asked.proof,
            asked_value: asked.asked_value,
            explanation: asked.explanation,
            asked_at_us: asked.asked_at_us,
            deadline: asked.deadline,
            state: "asked".to_owned(),
            ..pb::Correction::default()
        }),
        Event::NameCorrected(made) => {
            end_correction(found, "made", (made.corrected_name, String::new()), at_us);
        }
        Event::BirthDateCorrected(made) => {
            end_correction(found, "made", (made.corrected_birth_date, String::new()), at_us);
        }
        Event::CorrectionRefused(refused) => {
            end_correction(found, "refused", (String::new(), refused.reasons), at_us);
        }
        Event::CorrectionClosed(_) => end_correction(found, "closed", <(String, String)>::default(), at_us),
        _ => {}
    }
}

fn name(inquiry_id: &str) -> String {
    resource::name("inquiries", inquiry_id.parse().unwrap_or_default())
}

/// One is open at a time, so it is the last one that ends.
fn end_expedite(found: &mut pb::ListInquiriesResponse, state: &str, answer: String, at_us: i64) {
    if let Some(last) = found.expedite_requests.last_mut() {
        state.clone_into(&mut last.state);
        (last.answer, last.ended_at_us) = (answer, at_us);
    }
}

/// One is open at a time, so it is the last one that ends.
fn end_correction(
    found: &mut pb::ListInquiriesResponse,
    state: &str,
    (corrected_value, reasons): (String, String),
    at_us: i64,
) {
    if let Some(last) = found.corrections.last_mut() {
        state.clone_into(&mut last.state);
        (last.corrected_value, last.reasons, last.ended_at_us) = (corrected_value, reasons, at_us);
    }
}

fn end_inquiry(found: &mut pb::ListInquiriesResponse, id: &str, state: &str, answer: String, at_us: i64) {
    let name = name(id);
    if let Some(inquiry) = found.inquiries.iter_mut().find(|inquiry| inquiry.name == name) {
        state.clone_into(&mut inquiry.state);
        (inquiry.answer, inquiry.ended_at_us) = (answer, at_us);
    }
}

#[cfg(test)]
mod unit {
    use docket_proto::case_status::events::v1 as events;

    use super::*;

    const INQUIRY: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

    fn found(events: Vec<Event>) -> pb::ListInquiriesResponse {
        let mut found = pb::ListInquiriesResponse::default();
        for (event, at_us) in events.into_iter().zip(1..) {
            add(&mut found, event, at_us);
        }
        found
    }

    #[test]
    fn an_answer_stands_with_what_it_answers() {
        let asked =
            |reasons: &str| events::ExpediteRequested { reasons: reasons.into(), ..Default::default() };
        let told = |granted, answer: &str| events::ExpediteDecided {
            granted,
            answer: answer.into(),
            ..Default::default()
        };
        let sent = events::InquirySent {
            inquiry_id: INQUIRY.into(),
            text: "Where is it?".into(),
            ..Default::default()
        };
        let answered = events::InquiryAnswered {
            inquiry_id: INQUIRY.into(),
            answer: "With the carrier.".into(),
            ..Default::default()
        };
        let found = found(vec![
            asked("first").into(),
            sent.into(),
            told(false, "no").into(),
            asked("again").into(),
            answered.into(),
            told(true, "yes").into(),
        ]);
        let expedite = |nth: usize| {
            let asked = &found.expedite_requests[nth];
            (asked.reasons.as_str(), asked.state.as_str(), asked.answer.as_str(), asked.ended_at_us)
        };
        assert_eq!(
            [expedite(0), expedite(1)],
            [("first", "denied", "no", 3), ("again", "granted", "yes", 6)]
        );
        let inquiry = &found.inquiries[0];
        assert_eq!(inquiry.name, format!("inquiries/{INQUIRY}"));
        assert_eq!((inquiry.state.as_str(), inquiry.answer.as_str()), ("answered", "With the carrier."));
    }

    #[test]
    fn a_correction_stands_with_what_was_asked_and_what_is_printed_since() {
        let asked = |value: &str| events::CorrectionAsked { asked_value: value.into(), ..Default::default() };
        let refused = events::CorrectionRefused { reasons: "Nothing shows it.".into(), ..Default::default() };
        let made = events::NameCorrected { corrected_name: "Ana Verdemar".into(), ..Default::default() };
        let found = found(vec![asked("Anna").into(), refused.into(), asked("Ana").into(), made.into()]);
        let correction = |nth: usize| {
            let asked = &found.corrections[nth];
            let said = (asked.corrected_value.as_str(), asked.reasons.as_str());
            (asked.asked_value.as_str(), asked.state.as_str(), said, asked.ended_at_us)
        };
        assert_eq!(correction(0), ("Anna", "refused", ("", "Nothing shows it."), 2));
        assert_eq!(correction(1), ("Ana", "made", ("Ana Verdemar", ""), 4));
        for kind in ["case.correction_asked.v1", "case.name_corrected.v1", "case.birth_date_corrected.v1"] {
            assert!(tells_of_one(kind), "{kind}");
        }
    }

    #[test]
    fn what_ended_with_its_case_has_no_answer() {
        let sent = events::InquirySent { inquiry_id: INQUIRY.into(), ..Default::default() };
        let closed = events::InquiryClosed { inquiry_id: INQUIRY.into(), ..Default::default() };
        let found = found(vec![
            events::ExpediteRequested::default().into(),
            sent.into(),
            events::ExpediteClosed::default().into(),
            closed.into(),
        ]);
        assert_eq!(
            (found.expedite_requests[0].state.as_str(), found.inquiries[0].state.as_str()),
            ("closed", "closed")
        );
        assert!(found.expedite_requests[0].answer.is_empty() && found.inquiries[0].answer.is_empty());
    }
}
