//! An erasure in all services, as the fold of its stream: who must answer, who has.

use std::collections::BTreeMap;

use docket_eventlog::Aggregate;
use docket_kernel::Refusal;
use docket_proto::events::subject::Event;
use docket_proto::identity::events::v1 as pb;

/// The services that hold keys besides identity, and so must answer. The status projection opens nothing and has none.
pub(crate) const HOLDERS: &[&str] = &["case-status", "filing", "notifications", "payments"];

/// An erasure.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Erasure {
    /// Whose data; empty while nothing was ordered.
    pub(crate) subject: String,
    /// Identity's own certificate.
    pub(crate) own: pb::SignedText,
    /// Each service that must answer, with its certificate once it has.
    pub(crate) answers: BTreeMap<String, Option<pb::SignedText>>,
    /// The certificate over all.
    pub(crate) completed: Option<pb::SignedText>,
}

impl Erasure {
    /// The services that have not answered.
    pub(crate) fn missing(&self) -> impl Iterator<Item = &str> {
        self.answers.iter().filter(|(_, answer)| answer.is_none()).map(|(service, _)| service.as_str())
    }

    /// The certificates so far, each with its service, identity's first.
    pub(crate) fn certificates(&self) -> impl Iterator<Item = (&str, &pb::SignedText)> {
        let answered =
            self.answers.iter().filter_map(|(service, answer)| Some((service.as_str(), answer.as_ref()?)));
        std::iter::once(("identity", &self.own)).chain(answered)
    }
}

/// The aggregate of the category `subject`; its id is that of the request.
#[derive(Debug)]
pub(crate) struct ErasureAggregate;

impl Aggregate for ErasureAggregate {
    type Event = Event;
    type State = Erasure;

    fn evolve(mut erasure: Erasure, event: &Event) -> Erasure {
        match event {
            Event::SubjectErased(erased) => {
                erasure.subject.clone_from(&erased.subject);
                erasure.own = erased.certificate.clone().unwrap_or_default();
                erasure.answers = erased.services.iter().map(|service| (service.clone(), None)).collect();
            }
            Event::ErasureAnswered(answered) => {
                let certificate = answered.certificate.clone().unwrap_or_default();
                erasure.answers.insert(answered.service.clone(), Some(certificate));
            }
            Event::ErasureCompleted(completed) => {
                erasure.completed = Some(completed.certificate.clone().unwrap_or_default());
            }
        }
        erasure
    }
}

/// Tells all services of an erasure, once.
pub(crate) fn order(erasure: &Erasure, event: &pb::SubjectErased) -> Vec<Event> {
    if erasure.subject.is_empty() { vec![event.clone().into()] } else { Vec::new() }
}

/// A service answers; a repeated answer changes nothing.
pub(crate) fn answer(
    erasure: &Erasure,
    service: &str,
    certificate: &pb::SignedText,
) -> Result<Vec<Event>, Refusal> {
    if erasure.subject.is_empty() {
        return Err(Refusal::not_found());
    }
    match erasure.answers.get(service) {
        None => Err(Refusal::state("NOT_ASKED", "This service was not asked to erase.")
            .way_out("Nothing is to be done.")),
        Some(Some(_answered)) => Ok(Vec::new()),
        Some(None) => {
            let certificate = Some(certificate.clone());
            Ok(vec![pb::ErasureAnswered { service: service.to_owned(), certificate }.into()])
        }
    }
}

/// Completes an erasure that all have answered, once.
pub(crate) fn complete(erasure: &Erasure, certificate: &pb::SignedText) -> Vec<Event> {
    if erasure.subject.is_empty() || erasure.completed.is_some() || erasure.missing().next().is_some() {
        return Vec::new();
    }
    vec![pb::ErasureCompleted { certificate: Some(certificate.clone()) }.into()]
}

#[cfg(test)]
mod tests {
    use docket_testkit::evolution::Fold;
    use proptest::prelude::*;

    use super::*;

    const FOLD: Fold<Event, Erasure> = Fold {
        evolve: ErasureAggregate::evolve,
        seen: |erasure| erasure,
        life: &["subject.erased.v1", "subject.erasure_answered.v1", "subject.erasure_completed.v1"],
        changes_nothing: &[],
    };

    #[derive(Debug, Clone)]
    enum Command {
        Order,
        Answer(&'static str),
        Complete,
    }

    fn text(of: &str) -> pb::SignedText {
        pb::SignedText { statement: of.to_owned(), ..Default::default() }
    }

    fn decide(erasure: &Erasure, command: &Command) -> Result<Vec<Event>, Refusal> {
        match command {
            Command::Order => {
                let services = HOLDERS.iter().map(ToString::to_string).collect();
                let certificate = Some(text("identity"));
                let subject = "filing:1".to_owned();
                let event = pb::SubjectErased { subject, services, certificate, ..Default::default() };
                Ok(order(erasure, &event))
            }
            Command::Answer(service) => answer(erasure, service, &text(service)),
            Command::Complete => Ok(complete(erasure, &text("all"))),
        }
    }

    fn holds(before: &Erasure, event: &Event, after: &Erasure) {
        match event {
            Event::SubjectErased(_) => assert!(before.subject.is_empty()),
            Event::ErasureAnswered(answered) => {
                assert!(before.missing().any(|service| service == answered.service));
            }
            Event::ErasureCompleted(_) => {
                assert_eq!((before.missing().count(), &before.completed), (0, &None));
                assert_eq!(before.certificates().count(), 1 + HOLDERS.len());
            }
        }
        assert!(after.certificates().count() >= before.certificates().count());
    }

    #[test]
    fn every_golden_event_of_an_erasure_folds() {
        FOLD.every_golden_folds();
    }

    #[test]
    fn any_events_of_an_erasure_obey_the_laws_of_a_fold() {
        FOLD.any_events_obey_the_laws();
    }

    #[test]
    fn whatever_is_decided_for_an_erasure_folds() {
        let services = prop::sample::select(HOLDERS).prop_map(Command::Answer);
        let command = prop_oneof![
            2 => Just(Command::Order),
            8 => services,
            1 => Just(Command::Answer("sandbox")),
            2 => Just(Command::Complete),
        ];
        FOLD.decided_lives(&[], command, decide, holds);
    }

    #[test]
    fn who_was_not_asked_cannot_answer() {
        let ordered = decide(&Erasure::default(), &Command::Order).unwrap();
        let erasure = ordered.iter().fold(Erasure::default(), ErasureAggregate::evolve);
        let refused = answer(&erasure, "sandbox", &text("")).unwrap_err();
        assert_eq!(refused.reason, "NOT_ASKED");
        let refused = answer(&Erasure::default(), "filing", &text("")).unwrap_err();
        assert_eq!(refused, Refusal::not_found());
    }
}
