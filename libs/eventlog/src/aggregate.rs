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
