//! What must be true in every state, and in every state in which nothing more can happen.

use stateright::{Model as _, Property};

use crate::state::{STREAMS, State};
use crate::world::World;
use crate::writer::Phase;

pub(crate) const DENSE: &str = "L3: positions are 1, 2, 3 … without a gap";
pub(crate) const NOTHING_LATE: &str = "L3: nothing becomes visible at or below what a reader passed";
pub(crate) const VERSIONS: &str = "L2: versions are dense, and no append wrote on a version it had not seen";
pub(crate) const ONCE: &str = "L4: each command once, and its answer names its events";
pub(crate) const EXACT: &str = "L4: of what was told as not written nothing is there, then or later, but for what an earlier asking wrote";
pub(crate) const SAME_STREAM: &str = "L6: the stream's sequence is the log's position, with the same content";
pub(crate) const EFFECTS: &str = "L7: effects exactly once, in order, none left out";
pub(crate) const CHECKPOINT: &str = "L7: everything up to a checkpoint is done";
pub(crate) const IN_THE_END: &str = "in the end every command is answered, published and applied";

/// All properties.
pub(crate) fn all() -> Vec<Property<World>> {
    vec![
        Property::always(DENSE, |_, state| dense(state)),
        Property::always(NOTHING_LATE, |_, state: &State| !state.database.late),
        Property::always(VERSIONS, |_, state| versions(state)),
        Property::always(ONCE, once),
        Property::always(EXACT, |_, state| exact(state)),
        Property::always(SAME_STREAM, |_, state| same_stream(state)),
        Property::always(EFFECTS, |_, state| lanes_are(state, |_, applied, log| log.starts_with(applied))),
        Property::always(CHECKPOINT, |_, state| lanes_are(state, up_to_the_checkpoint)),
        Property::always(IN_THE_END, in_the_end),
    ]
}

fn dense(state: &State) -> bool {
    state.database.log.iter().zip(1..).all(|(event, position)| event.position == position)
}

fn versions(state: &State) -> bool {
    (0..STREAMS).all(|stream| {
        let events = state.database.log.iter().filter(|event| usize::from(event.stream) == stream);
        events.zip(1..).all(|(event, version)| {
            event.version == version && event.expected.is_none_or(|expected| expected + 1 == version)
        })
    })
}

fn once(world: &World, state: &State) -> bool {
    state.writers.iter().zip(0..).all(|(writer, command)| {
        let mut written = state.database.log.iter().filter(|event| event.command == command);
        let count = written.clone().count();
        let first = written.next().map(|event| event.position);
        let whole = count == 0 || count == usize::from(world.command(command).events);
        whole && if let Phase::Answered(answer) = writer.phase { first == Some(answer) } else { true }
    })
}

fn exact(state: &State) -> bool {
    state.writers.iter().zip(0..).all(|(writer, command)| {
        let first = state.database.log.iter().find(|event| event.command == command);
        let done = state.database.done(command);
        writer.phase != Phase::Refused
            || done
                .or_else(|| first.map(|event| event.position))
                .is_none_or(|first| writer.earlier == Some(first))
    })
}

fn same_stream(state: &State) -> bool {
    state.broker.messages.iter().zip(&state.database.log).all(|(message, event)| message == event)
        && state.broker.messages.len() <= state.database.log.len()
        && state.broker.messages.iter().zip(1..).all(|(message, sequence)| message.position == sequence)
}

/// Whether for each lane the checkpoint, the effects and the positions of the log's events are as they must be.
fn lanes_are(state: &State, good: impl Fn(u8, &[u8], &[u8]) -> bool) -> bool {
    (0..STREAMS).all(|lane| {
        let events = state.database.log.iter().filter(|event| usize::from(event.stream) == lane);
        let positions: Vec<u8> = events.map(|event| event.position).collect();
        good(state.database.checkpoints[lane], &state.database.effects[lane], &positions)
    })
}

fn up_to_the_checkpoint(checkpoint: u8, applied: &[u8], log: &[u8]) -> bool {
    log.iter().filter(|position| **position <= checkpoint).all(|position| applied.contains(position))
}

fn in_the_end(world: &World, state: &State) -> bool {
    let mut actions = Vec::new();
    world.actions(state, &mut actions);
    // A fault never has to happen: without one there is nothing left to do either.
    if actions.iter().any(|action| !action.is_fault()) {
        return true;
    }
    state.writers.iter().all(|writer| matches!(writer.phase, Phase::Answered(_) | Phase::Refused))
        && (world.relays == 0 || state.broker.messages == state.database.log)
        && (world.consumers == 0 || lanes_are(state, |_, applied, log| applied == log))
}
