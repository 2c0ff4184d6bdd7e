//! The steps of a writer: one command carried to its answer, again after a fault or a conflict.

use crate::rules::Rule;
use crate::state::{Event, State};
use crate::world::World;

/// What a command is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Command {
    pub(crate) stream: u8,
    /// Whether it demands the version it saw (`Expected::Version`) or takes any.
    pub(crate) versioned: bool,
    pub(crate) events: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Writer {
    /// The version the caller saw when it decided.
    pub(crate) expected: u8,
    pub(crate) phase: Phase,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Phase {
    /// About to try (`Task::attempt`).
    Ready,
    /// Looked before locking; only with [`Rule::LookUnderLock`] broken.
    Looked(Seen),
    /// Holds the head.
    Locked(Option<Seen>),
    /// Has written, not committed.
    Written(Transaction),
    /// Committed and not yet remembered; only with [`Rule::CommandWithEvents`] broken.
    Unrecorded(u8),
    /// Answered with the first position.
    Answered(u8),
}

/// What `look` found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Seen {
    done: Option<u8>,
    version: u8,
}

/// What becomes visible at the commit.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Transaction {
    pub(crate) events: Vec<Event>,
}

/// A step of one writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    /// `commit::look`, too early; only with [`Rule::LookUnderLock`] broken.
    LookEarly,
    /// `commit::lock`: waits while another transaction holds the head.
    Lock,
    /// `commit::look`, `Round::decide`, `write::write`: all under the lock.
    Write,
    /// `tx.commit()` in `Task::attempt`, and the answer.
    Commit,
    /// The second transaction; only with [`Rule::CommandWithEvents`] broken.
    Record,
    /// Fault: the process or its session is killed; the transaction is rolled back and the caller repeats.
    Killed,
    /// Fault: the connection is cut after COMMIT was sent; the outcome is unknown and the caller repeats.
    Cut,
}

impl Writer {
    pub(crate) fn new() -> Self {
        Self { expected: 0, phase: Phase::Ready }
    }

    pub(crate) fn holds_the_head(&self) -> bool {
        matches!(self.phase, Phase::Locked(_) | Phase::Written(_))
    }
}

/// The steps a writer can take now.
pub(crate) fn steps(world: &World, state: &State, writer: usize) -> Vec<Step> {
    let lock_is_free = !world.keeps(Rule::HeadLock) || !state.head_is_locked();
    let mut steps = match &state.writers[writer].phase {
        Phase::Ready if !world.keeps(Rule::LookUnderLock) => vec![Step::LookEarly],
        Phase::Ready | Phase::Looked(_) if lock_is_free => vec![Step::Lock],
        Phase::Ready | Phase::Looked(_) | Phase::Answered(_) => vec![],
        Phase::Locked(_) => vec![Step::Write],
        Phase::Written(_) => vec![Step::Commit],
        Phase::Unrecorded(_) => vec![Step::Record],
    };
    if state.faults > 0 {
        match &state.writers[writer].phase {
            Phase::Written(_) if state.orphan.is_none() => steps.extend([Step::Killed, Step::Cut]),
            Phase::Locked(_) | Phase::Unrecorded(_) | Phase::Written(_) => steps.push(Step::Killed),
            Phase::Ready | Phase::Looked(_) | Phase::Answered(_) => {}
        }
    }
    steps
}

/// Takes a step.
pub(crate) fn take(world: &World, state: &mut State, writer: usize, step: Step) {
    let id = u8::try_from(writer).expect("a few writers");
    let phase = std::mem::replace(&mut state.writers[writer].phase, Phase::Ready);
    let next = match (step, phase) {
        (Step::LookEarly, _) => Phase::Looked(look(world, state, id)),
        (Step::Lock, Phase::Looked(seen)) => Phase::Locked(Some(seen)),
        (Step::Lock, _) => Phase::Locked(None),
        (Step::Write, Phase::Locked(seen)) => {
            let seen = seen.unwrap_or_else(|| look(world, state, id));
            decide(world, state, id, seen)
        }
        (Step::Commit, Phase::Written(transaction)) => commit(world, state, id, &transaction),
        (Step::Record, Phase::Unrecorded(first)) => {
            state.database.commands.push((id, first));
            Phase::Answered(first)
        }
        (Step::Cut, Phase::Written(transaction)) => {
            state.orphan = Some((id, transaction));
            Phase::Ready
        }
        (_, _) => Phase::Ready,
    };
    state.writers[writer].phase = next;
    if matches!(step, Step::Killed | Step::Cut) {
        state.faults -= 1;
    }
}

/// The server ends the transaction of a cut connection: it had received COMMIT, or it had not.
pub(crate) fn end_orphan(world: &World, state: &mut State, committed: bool) {
    let Some((id, transaction)) = state.orphan.take() else { return };
    if committed {
        commit(world, state, id, &transaction);
    }
}

fn look(world: &World, state: &State, id: u8) -> Seen {
    let done = if world.keeps(Rule::CommandLookup) { state.database.done(id) } else { None };
    Seen { done, version: state.database.version(world.command(id).stream) }
}

/// `Round::decide`: repeated, in conflict, or written. After a conflict the caller loads and decides anew.
fn decide(world: &World, state: &mut State, id: u8, seen: Seen) -> Phase {
    let command = world.command(id);
    let writer = &mut state.writers[usize::from(id)];
    if let Some(first) = seen.done {
        return Phase::Answered(first);
    }
    if command.versioned && world.keeps(Rule::ExpectedVersion) && writer.expected != seen.version {
        writer.expected = seen.version;
        return Phase::Ready;
    }
    let expected = command.versioned.then_some(writer.expected);
    let before = state.database.head;
    let events = (1..=command.events)
        .map(|n| Event {
            position: before + n,
            command: id,
            stream: command.stream,
            version: seen.version + n,
            expected: expected.filter(|_| n == 1),
        })
        .collect();
    if !world.keeps(Rule::HeadLock) {
        // A sequence: taken at once, not given back, seen by everybody before the commit.
        state.database.head += command.events;
    }
    Phase::Written(Transaction { events })
}

fn commit(world: &World, state: &mut State, id: u8, transaction: &Transaction) -> Phase {
    let first = transaction.events.first().map_or(0, |event| event.position);
    state.database.commit(&transaction.events);
    if !world.keeps(Rule::CommandWithEvents) {
        return Phase::Unrecorded(first);
    }
    state.database.commands.push((id, first));
    Phase::Answered(first)
}
