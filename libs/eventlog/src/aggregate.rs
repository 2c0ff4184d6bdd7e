//! Aggregates: a state which is the fold of one stream.

use docket_kernel::EventEnum;

use crate::{Error, Recorded, Snapshots};

/// A pure fold. Never fails: what happened, happened.
pub trait Aggregate: 'static {
    /// The events of its category.
    type Event: EventEnum;
    /// What they add up to.
    type State: Default + Clone + Send + Sync;

    /// How states are kept between loads; not at all unless said otherwise. Worth it for streams of many hundred events.
    const SNAPSHOTS: Option<Snapshots<Self::State>> = None;

    /// The state after one more event. Personal fields are empty here.
    fn evolve(state: Self::State, event: &Self::Event) -> Self::State;
}

/// A state, and the version it is of.
#[derive(Debug, Clone)]
pub struct Folded<A: Aggregate> {
    /// The state; the default one when nothing happened yet.
    pub state: A::State,
    /// Version of the stream; 0 when nothing happened yet.
    pub version: u64,
}

/// A state as it was loaded, with all its events.
#[derive(Debug, Clone)]
pub struct Loaded<A: Aggregate> {
    /// The state; the default one when nothing happened yet.
    pub state: A::State,
    /// Version of the stream; 0 when nothing happened yet.
    pub version: u64,
    /// The events.
    pub events: Vec<Recorded>,
}

impl<A: Aggregate> Folded<A> {
    /// The state after more events of its stream, in their order.
    ///
    /// # Errors
    /// [`Error::Decode`] for an event which the aggregate does not know.
    pub fn after(self, events: &[Recorded]) -> Result<Self, Error> {
        let version = events.last().map_or(self.version, |event| event.version);
        Ok(Self { state: fold::<A>(self.state, events)?, version })
    }
}

impl<A: Aggregate> Loaded<A> {
    /// Folds a whole stream.
    ///
    /// # Errors
    /// [`Error::Decode`] for an event which the aggregate does not know.
    pub fn fold(events: Vec<Recorded>) -> Result<Self, Error> {
        let state = fold::<A>(A::State::default(), &events)?;
        let version = events.last().map_or(0, |event| event.version);
        Ok(Self { state, version, events })
    }
}

/// Folds more events onto a state.
pub(crate) fn fold<A: Aggregate>(state: A::State, events: &[Recorded]) -> Result<A::State, Error> {
    events.iter().try_fold(state, |state, event| Ok(A::evolve(state, &event.decode()?)))
}

#[cfg(test)]
mod tests {
    use docket_proto::events::account::Event;
    use docket_proto::identity::events::v1 as pb;

    use super::*;
    use crate::samples;

    /// The names of the events that happened.
    struct Names;

    impl Aggregate for Names {
        type Event = Event;
        type State = Vec<&'static str>;

        fn evolve(mut state: Self::State, event: &Event) -> Self::State {
            state.push(event.kind());
            state
        }
    }

    fn recorded(version: u64, event: &Event) -> Recorded {
        let (kind, payload) = (event.kind().to_owned(), event.encode().into());
        Recorded { version, kind, payload, ..samples::recorded() }
    }

    #[test]
    fn a_state_is_the_fold_of_its_events_in_their_order() {
        let events = vec![
            recorded(1, &pb::EmailProven::default().into()),
            recorded(2, &pb::RecoveryCodesIssued { count: 10 }.into()),
        ];
        let both = ["account.email_proven.v1", "account.recovery_codes_issued.v1"];
        let loaded = Loaded::<Names>::fold(events.clone()).unwrap();
        assert_eq!((loaded.state.as_slice(), loaded.version), (&both[..], 2));
        assert_eq!(loaded.events, events);
        assert_eq!(fold::<Names>(vec!["before"], &events[1..]).unwrap(), ["before", both[1]]);
        let nothing = Loaded::<Names>::fold(Vec::new()).unwrap();
        assert_eq!((nothing.state.len(), nothing.version), (0, 0));
    }

    #[test]
    fn an_unknown_event_is_no_state() {
        let event = Recorded { kind: "account.invented_later.v1".to_owned(), ..samples::recorded() };
        assert!(matches!(Loaded::<Names>::fold(vec![event]), Err(Error::Decode(_))));
    }
}
