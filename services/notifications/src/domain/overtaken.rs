//! Which notice that is still owed is overtaken: what it asks for was called off, or done, before it could be issued. Pure.

use docket_proto::events::case::Event;

/// What an event of a case takes back of what was asked for before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CalledOff<'a> {
    /// The answer to this request: it is never served, since its day would run from a notice that nobody may answer.
    Request(&'a str),
    /// Coming to give biometrics: the notice that the appointment fell away says all there is to say.
    Biometrics,
    /// Coming to the interview; so too.
    Interview,
    /// Paying the fee again of these returns, which is done. What is owed of another return is still asked for.
    Fee(&'a [String]),
}

impl<'a> CalledOff<'a> {
    /// What the event takes back. A date that was only moved is told, and then the move: the first notice says what to bring.
    #[expect(clippy::wildcard_enum_match_arm, reason = "nothing else takes away what a notice asks for")]
    pub(crate) fn by(event: &'a Event) -> Option<Self> {
        match event {
            Event::RequestCancelled(event) => Some(Self::Request(&event.request_id)),
            Event::BiometricsCancelled(_) => Some(Self::Biometrics),
            Event::InterviewCancelled(_) => Some(Self::Interview),
            Event::FeeMadeGoodRecorded(event) => Some(Self::Fee(&event.return_ids)),
            _ => None,
        }
    }

    /// Whether the notice of an earlier event asks for it.
    pub(crate) fn is_asked_for_by(self, owing: &Event) -> bool {
        match self {
            Self::Request(request) => request_of(owing) == Some(request),
            Self::Biometrics => {
                matches!(owing, Event::BiometricsScheduled(_) | Event::BiometricsRescheduled(_))
            }
            Self::Interview => {
                matches!(owing, Event::InterviewScheduled(_) | Event::InterviewRescheduled(_))
            }
            Self::Fee(paid) => {
                matches!(owing, Event::PaymentReturnRecorded(event) if paid.contains(&event.return_id))
            }
        }
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "no other event asks for evidence")]
fn request_of(event: &Event) -> Option<&str> {
    match event {
        Event::EvidenceRequested(event) => Some(&event.request_id),
        Event::ExaminationContinued(event) => Some(&event.request_id),
        Event::DenialIntended(event) => Some(&event.request_id),
        Event::RevocationIntended(event) => Some(&event.request_id),
        Event::TerminationIntended(event) => Some(&event.request_id),
        Event::CaseReopenedOnOwnMotion(event) => Some(&event.request_id),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use docket_proto::case_status::events::v1 as pb;
    use uuid::Uuid;

    use super::*;
    use crate::domain::{NoticeKind, samples};

    /// The kinds of notices that an event overtakes.
    fn overtaken_by(later: impl Into<Event>) -> Vec<&'static str> {
        let later = later.into();
        let called_off = CalledOff::by(&later);
        let asks =
            |kind: &NoticeKind| called_off.is_some_and(|it| it.is_asked_for_by(&samples::event(*kind)));
        NoticeKind::ALL.into_iter().filter(asks).map(NoticeKind::id).collect()
    }

    fn cancelled(request: Uuid) -> pb::RequestCancelled {
        pb::RequestCancelled { request_id: request.to_string(), cause: "withdrawn".into() }
    }

    #[test]
    fn a_request_that_was_called_off_is_posted_no_more_and_another_one_is() {
        assert_eq!(
            overtaken_by(cancelled(samples::REQUEST)),
            ["rfe", "continuation", "noid", "noir", "noit", "own_motion"]
        );
        assert!(overtaken_by(cancelled(Uuid::nil())).is_empty());
    }

    #[test]
    fn of_an_appointment_that_fell_away_only_that_is_told() {
        let biometrics = overtaken_by(pb::BiometricsCancelled::default());
        assert_eq!(biometrics, ["biometrics_appointment", "appointment_moved"]);
        assert_eq!(overtaken_by(pb::InterviewCancelled::default()), ["interview_appointment"]);
        assert!(
            overtaken_by(pb::BiometricsRescheduled::default()).is_empty(),
            "a move is told after the date"
        );
    }

    #[test]
    fn a_fee_that_was_made_good_is_asked_for_no_more_and_another_one_still_is() {
        let paid = |returns: &[Uuid]| pb::FeeMadeGoodRecorded {
            return_ids: returns.iter().map(Uuid::to_string).collect(),
            ..pb::FeeMadeGoodRecorded::default()
        };
        assert_eq!(overtaken_by(paid(&[samples::RETURN])), ["payment_returned"]);
        assert_eq!(overtaken_by(paid(&[Uuid::nil(), samples::RETURN])), ["payment_returned"]);
        assert!(overtaken_by(paid(&[Uuid::nil()])).is_empty(), "another debt was paid");
        assert!(overtaken_by(paid(&[])).is_empty(), "a part of it was paid, or nobody can say of which");
    }

    #[test]
    fn the_end_of_a_case_takes_nothing_away() {
        assert!(overtaken_by(pb::CaseWithdrawn {}).is_empty());
        assert!(overtaken_by(pb::CaseDenied::default()).is_empty());
    }
}
