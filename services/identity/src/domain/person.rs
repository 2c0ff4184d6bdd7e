//! The account that a person of the register belongs to, as the fold of the person's stream.

use docket_eventlog::Aggregate;
use docket_kernel::Refusal;
use docket_proto::events::{account, person::Event};
use docket_proto::identity::events::v1 as pb;
use uuid::Uuid;

use super::Account;

/// Why a link is released: its account is lost to the person, somebody else made it, it was linked in error.
const RELEASED_BECAUSE: &[&str] = &["account_lost", "made_by_another", "linked_in_error"];

/// A person of the register.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PersonLink {
    /// The account that they are linked to, or kept for since a link was released.
    pub(crate) holder: Option<Uuid>,
}

/// The aggregate of the category `person`.
#[derive(Debug)]
pub(crate) struct PersonAggregate;

impl Aggregate for PersonAggregate {
    type Event = Event;
    type State = PersonLink;

    fn evolve(_before: PersonLink, event: &Event) -> PersonLink {
        let holder = match event {
            Event::PersonLinked(linked) => &linked.account_id,
            Event::PersonReleased(released) => &released.kept_for,
        };
        PersonLink { holder: Uuid::try_parse(holder).ok() }
    }
}

/// Keeps a person for another account than the one that has them. Who asked and who approves are two people; that is seen to before.
pub(crate) fn release_person(person: &PersonLink, event: &pb::PersonReleased) -> Result<Vec<Event>, Refusal> {
    if !RELEASED_BECAUSE.contains(&event.reason.as_str()) {
        let message = format!("Choose one of {}.", RELEASED_BECAUSE.join(", "));
        return Err(Refusal::invalid("reason", "RELEASE_REASON_UNKNOWN", message));
    }
    let from = Uuid::try_parse(&event.account_id).ok();
    if from.is_none() || person.holder != from || event.account_id == event.kept_for {
        return Err(not_linked_elsewhere());
    }
    Ok(vec![event.clone().into()])
}

/// The account is that person's no more; one that was only waited for had never been.
pub(crate) fn release_identity(account: &Account, event: &pb::IdentityReleased) -> Vec<account::Event> {
    let person = Uuid::try_parse(&event.person_id).ok();
    let linked = account.identity.as_ref().map(|(_, person)| *person);
    if person.is_some() && linked == person { vec![event.clone().into()] } else { Vec::new() }
}

/// There is nothing to release for the account.
pub(crate) fn not_linked_elsewhere() -> Refusal {
    Refusal::state("NOT_LINKED_ELSEWHERE", "No person whom this account proved to be is linked to another account.")
        .way_out("Let the owner of the account prove who they are first; only who is refused for another account needs a release.")
}

#[cfg(test)]
mod tests {
    use docket_testkit::evolution::Fold;
    use proptest::prelude::*;

    use super::*;

    const FOLD: Fold<Event, PersonLink> = Fold {
        evolve: PersonAggregate::evolve,
        seen: |person| person,
        life: &["person.linked.v1", "person.released.v1"],
        changes_nothing: &[],
    };

    fn released(from: u128, to: u128, reason: &str) -> pb::PersonReleased {
        pb::PersonReleased {
            account_id: Uuid::from_u128(from).to_string(),
            kept_for: Uuid::from_u128(to).to_string(),
            reason: reason.to_owned(),
            ..Default::default()
        }
    }

    fn decide(person: &PersonLink, command: &(u128, u128, bool)) -> Result<Vec<Event>, Refusal> {
        let &(from, to, link) = command;
        if link {
            let account_id = Uuid::from_u128(to).to_string();
            return Ok(vec![pb::PersonLinked { account_id }.into()]);
        }
        release_person(person, &released(from, to, "account_lost"))
    }

    fn holds(before: &PersonLink, event: &Event, after: &PersonLink) {
        assert!(after.holder.is_some());
        if matches!(event, Event::PersonReleased(_)) {
            assert_ne!(before.holder, after.holder);
        }
    }

    #[test]
    fn every_golden_event_of_a_person_folds() {
        FOLD.every_golden_folds();
    }

    #[test]
    fn any_events_of_a_person_obey_the_laws_of_a_fold() {
        FOLD.any_events_obey_the_laws();
    }

    #[test]
    fn whatever_is_decided_for_a_person_folds() {
        FOLD.decided_lives(&[], (1..4_u128, 1..4_u128, any::<bool>()), decide, holds);
    }

    #[test]
    fn only_the_account_that_has_a_person_gives_them_up_and_for_a_known_reason() {
        let linked = PersonLink { holder: Some(Uuid::from_u128(1)) };
        let reason = |refusal: Result<Vec<Event>, Refusal>| refusal.unwrap_err().reason;
        assert_eq!(reason(release_person(&linked, &released(1, 2, "tired"))), "RELEASE_REASON_UNKNOWN");
        assert_eq!(reason(release_person(&linked, &released(3, 2, "account_lost"))), "NOT_LINKED_ELSEWHERE");
        assert_eq!(reason(release_person(&linked, &released(1, 1, "account_lost"))), "NOT_LINKED_ELSEWHERE");
        let nobody = PersonLink::default();
        assert_eq!(reason(release_person(&nobody, &released(1, 2, "account_lost"))), "NOT_LINKED_ELSEWHERE");
        assert_eq!(release_person(&linked, &released(1, 2, "made_by_another")).unwrap().len(), 1);
    }
}
