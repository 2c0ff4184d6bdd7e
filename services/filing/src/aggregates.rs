//! The domain's folds as aggregates of the log.

use docket_eventlog::{Aggregate, Loaded};
use docket_proto::events;
use jiff::Timestamp;

use crate::domain::{filing, package, practitioner, representation, response};

/// Streams `filing-<id>`.
pub(crate) struct Filings;
/// Streams `package-<id>`.
pub(crate) struct Packages;
/// Streams `practitioner-<id>`; the id is the account's.
pub(crate) struct Practitioners;
/// Streams `representation-<id>`.
pub(crate) struct Representations;
/// Streams `response-<id>`; the id is the request's.
pub(crate) struct Responses;

impl Aggregate for Filings {
    type Event = events::filing::Event;
    type State = filing::Filing;

    fn evolve(state: Self::State, event: &Self::Event) -> Self::State {
        filing::evolve(state, event)
    }
}

/// When a filing came to a version.
pub(crate) fn recorded_at(loaded: &Loaded<Filings>, version: u64) -> Option<Timestamp> {
    loaded.events.iter().find(|event| event.version == version).map(|event| event.recorded_at)
}

impl Aggregate for Packages {
    type Event = events::package::Event;
    type State = package::Package;

    fn evolve(state: Self::State, event: &Self::Event) -> Self::State {
        package::evolve(state, event)
    }
}

impl Aggregate for Responses {
    type Event = events::response::Event;
    type State = response::Response;

    fn evolve(state: Self::State, event: &Self::Event) -> Self::State {
        response::evolve(state, event)
    }
}

impl Aggregate for Representations {
    type Event = events::representation::Event;
    type State = representation::Representation;

    fn evolve(state: Self::State, event: &Self::Event) -> Self::State {
        representation::evolve(state, event)
    }
}

impl Aggregate for Practitioners {
    type Event = events::practitioner::Event;
    type State = practitioner::Practitioner;

    fn evolve(state: Self::State, event: &Self::Event) -> Self::State {
        practitioner::evolve(state, event)
    }
}
