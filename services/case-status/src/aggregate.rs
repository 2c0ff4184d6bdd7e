//! The case as an aggregate of the log: stream `case-<filing id>`.

use docket_eventlog::Aggregate;

use crate::domain::{Case, Event, evolve};

/// The log of cases; a split gives it sisters.
pub(crate) const LOG: &str = "cases-0";

/// The case.
#[derive(Debug)]
pub(crate) struct Cases;

impl Aggregate for Cases {
    type Event = Event;
    type State = Case;

    fn evolve(state: Case, event: &Event) -> Case {
        evolve(state, event)
    }
}
