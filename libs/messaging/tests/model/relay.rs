//! The steps of a relay: ask where the stream ends, read the log, publish one by one.

use crate::rules::Rule;
use crate::state::State;
use crate::world::World;

/// Events read at a time (the real relay reads 256).
const BATCH: usize = 2;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Relay {
    /// Just started.
    Fresh,
    /// A publication was refused, or not answered.
    Refused,
    /// Believes the stream to end here.
    Knows(u8),
    /// Has read these positions, and may be frozen here for as long as it likes.
    Holds(Vec<u8>),
}

/// A step of one relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    /// `Relay::resume`, at the start, after a refusal, and when idle.
    Resume,
    /// `log.read` in `Relay::publish_all`.
    Read,
    /// `send_publish` in `Relay::publish`, and the broker's answer.
    Publish,
    /// Fault: the connection is cut after a publication was sent, which may arrive later or never.
    PublishCut,
    /// Fault: the process ends.
    Killed,
}

/// The steps a relay can take now.
pub(crate) fn steps(world: &World, state: &State, relay: usize) -> Vec<Step> {
    let head = state.database.log.last().map_or(0, |event| event.position);
    let last = state.broker.last();
    let asks_again = world.keeps(Rule::ResumeFromStream);
    let mut steps = match &state.relays[relay] {
        // Asking while there is nothing to publish changes nothing.
        Relay::Fresh if head > last => vec![Step::Resume],
        Relay::Refused if asks_again && head > last => vec![Step::Resume],
        Relay::Knows(known) if head > *known => vec![Step::Read],
        Relay::Knows(known) if asks_again && last < *known => vec![Step::Resume],
        Relay::Holds(_) => vec![Step::Publish],
        Relay::Fresh | Relay::Refused | Relay::Knows(_) => vec![],
    };
    if state.faults > 0 && !matches!(state.relays[relay], Relay::Fresh | Relay::Refused) {
        steps.push(Step::Killed);
        if matches!(state.relays[relay], Relay::Holds(_)) && state.broker.on_its_way.is_none() {
            steps.push(Step::PublishCut);
        }
    }
    steps
}

/// Takes a step.
pub(crate) fn take(world: &World, state: &mut State, relay: usize, step: Step) {
    let now = std::mem::replace(&mut state.relays[relay], Relay::Fresh);
    state.relays[relay] = match (step, now) {
        (Step::Resume, _) => Relay::Knows(state.broker.last()),
        (Step::Read, Relay::Knows(known)) => {
            let log = state.database.log.iter().map(|event| event.position);
            let positions: Vec<u8> = log.filter(|position| *position > known).take(BATCH).collect();
            let passed = positions.last().copied().unwrap_or(known);
            state.database.passed = state.database.passed.max(passed);
            Relay::Holds(positions)
        }
        (Step::Publish, Relay::Holds(positions)) => publish(world, state, &positions),
        (Step::PublishCut, Relay::Holds(positions)) => {
            state.faults -= 1;
            state.broker.on_its_way = positions.first().and_then(|position| state.database.at(*position));
            Relay::Refused
        }
        (_, _) => {
            state.faults -= 1;
            Relay::Fresh
        }
    };
}

/// What was sent on a cut connection arrives at the broker, which takes or refuses it, or never does.
pub(crate) fn end_publication(world: &World, state: &mut State, arrives: bool) {
    let Some(event) = state.broker.on_its_way.take() else { return };
    let fits = !world.keeps(Rule::ExpectedLastSequence) || state.broker.last() == event.position - 1;
    if arrives && fits {
        state.broker.messages.push(event);
    }
}

/// Publishes the first of the positions; the broker refuses it unless its last sequence is the one named.
fn publish(world: &World, state: &mut State, positions: &[u8]) -> Relay {
    let Some((&position, rest)) = positions.split_first() else { return Relay::Fresh };
    if world.keeps(Rule::ExpectedLastSequence) && state.broker.last() != position - 1 {
        return Relay::Refused;
    }
    state.broker.messages.extend(state.database.at(position));
    if rest.is_empty() { Relay::Knows(position) } else { Relay::Holds(rest.to_vec()) }
}
