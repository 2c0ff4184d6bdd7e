//! The steps of a writer: one command carried to its answer, again after a fault or a conflict. In a transaction of its
//! caller's (`EventLog::append_in`), or by the appending task of a process (`appender`).

use crate::appender::{self, Statement};
use crate::rules::Rule;
use crate::state::{Event, Orphan, State};
use crate::world::World;

/// What a command is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Command {
    pub(crate) stream: u8,
    /// Whether it demands the version it saw (`Expected::Version`) or takes any.
    pub(crate) versioned: bool,
    pub(crate) events: u8,
    /// The process whose appending task carries it out; none: its caller does, in a transaction.
    pub(crate) process: Option<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Writer {
    /// The version the caller saw when it decided.
    pub(crate) expected: u8,
    pub(crate) phase: Phase,
    /// The first position that an earlier asking, of whose end the caller heard nothing, has or may have written at. What is
    /// told of a repetition says nothing about that.
    pub(crate) earlier: Option<u8>,
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
    /// Decided without the lock, and not sent yet.
    Guessed(Statement),
    /// Its commit was sent and not answered; it would have this first position.
    Doubt(u8),
    /// Answered with the first position.
    Answered(u8),
    /// Told that nothing was written since it was asked.
    Refused,
}

impl Phase {
    /// Whether a task works on it, and so on nothing else.
    pub(crate) fn is_under_way(&self) -> bool {
        match self {
            Self::Ready | Self::Answered(_) | Self::Refused => false,
            Self::Looked(_)
            | Self::Locked(_)
            | Self::Written(_)
            | Self::Unrecorded(_)
            | Self::Guessed(_)
            | Self::Doubt(_) => true,
        }
    }
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
    /// `Memory::recall`: decided on what is remembered.
    Recall,
    /// `look::look` without the lock, and the decision.
    Look,
    /// `write::write` by itself: it writes, or finds itself overtaken.
    Send,
    /// `Doubt::ask`.
    Ask,
    /// Fault: the process or its session is killed; the transaction is rolled back and the caller repeats.
    Killed,
    /// Fault: the connection is cut after COMMIT was sent; the outcome is unknown and the caller repeats, or the task asks.
    Cut,
    /// Fault: the connection is cut after a statement was sent which commits by itself.
    SendCut,
    /// Fault: the database refuses it, and its caller is told that nothing was written.
    Refused,
    /// Fault: the answer does not reach the caller, who repeats.
    Unheard,
}

impl Step {
    pub(crate) fn is_fault(self) -> bool {
        match self {
            Self::Killed | Self::Cut | Self::SendCut | Self::Refused | Self::Unheard => true,
            Self::LookEarly
            | Self::Lock
            | Self::Write
            | Self::Commit
            | Self::Record
            | Self::Recall
            | Self::Look
            | Self::Send
            | Self::Ask => false,
        }
    }
}

impl Writer {
    pub(crate) fn new() -> Self {
        Self { expected: 0, phase: Phase::Ready, earlier: None }
    }

    pub(crate) fn holds_the_head(&self) -> bool {
        matches!(self.phase, Phase::Locked(_) | Phase::Written(_))
    }
}

/// The steps a writer can take now.
pub(crate) fn steps(world: &World, state: &State, writer: usize) -> Vec<Step> {
    if let Some(process) = world.commands[writer].process {
        return appender::steps(world, state, writer, process);
    }
    let lock_is_free = !world.keeps(Rule::HeadLock) || !state.head_is_locked();
    let mut steps = match &state.writers[writer].phase {
        Phase::Ready if !world.keeps(Rule::LookUnderLock) => vec![Step::LookEarly],
        Phase::Ready | Phase::Looked(_) if lock_is_free => vec![Step::Lock],
        Phase::Ready
        | Phase::Looked(_)
        | Phase::Answered(_)
        | Phase::Guessed(_)
        | Phase::Doubt(_)
        | Phase::Refused => vec![],
        Phase::Locked(_) => vec![Step::Write],
        Phase::Written(_) => vec![Step::Commit],
        Phase::Unrecorded(_) => vec![Step::Record],
    };
    if state.faults > 0 {
        match &state.writers[writer].phase {
            Phase::Written(_) if state.orphan.is_none() => steps.extend([Step::Killed, Step::Cut]),
            Phase::Locked(_) | Phase::Unrecorded(_) | Phase::Written(_) => steps.push(Step::Killed),
            Phase::Ready
            | Phase::Looked(_)
            | Phase::Answered(_)
            | Phase::Guessed(_)
            | Phase::Doubt(_)
            | Phase::Refused => {}
        }
    }
    steps
}

/// Takes a step.
pub(crate) fn take(world: &World, state: &mut State, writer: usize, step: Step) {
    let id = u8::try_from(writer).expect("a few writers");
    let phase = std::mem::replace(&mut state.writers[writer].phase, Phase::Ready);
    let earlier = unheard(step, &phase);
    let process = world.commands[writer].process;
    let next = match (step, phase) {
        (Step::LookEarly, _) => Phase::Looked(look(world, state, id)),
        (Step::Lock, phase) => lock(world, state, process, phase),
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
            let sent = Orphan::Transaction(id, transaction);
            cut(world, state, process, sent)
        }
        (Step::SendCut, Phase::Guessed(statement)) => {
            cut(world, state, process, Orphan::Statement(id, statement))
        }
        (Step::Refused, _) => Phase::Refused,
        (step, phase) => {
            process.map_or(Phase::Ready, |process| by_task(world, state, id, process, step, phase))
        }
    };
    let writer = &mut state.writers[writer];
    // An answer speaks for every asking.
    writer.earlier = earlier.or(writer.earlier).filter(|_| !matches!(next, Phase::Answered(_)));
    writer.phase = next;
    if step.is_fault() {
        state.faults -= 1;
    }
}

/// Where an asking wrote, or may have, of which the caller hears nothing after this step: it asks again.
fn unheard(step: Step, phase: &Phase) -> Option<u8> {
    match (step, phase) {
        (Step::Unheard, Phase::Answered(first)) | (Step::Killed, Phase::Doubt(first)) => Some(*first),
        (_, _) => None,
    }
}

/// The steps that only an appending task takes.
fn by_task(world: &World, state: &mut State, id: u8, process: usize, step: Step, phase: Phase) -> Phase {
    match (step, phase) {
        (Step::Recall, _) => appender::recalled(world, state, usize::from(id), process),
        (Step::Look, _) => appender::look(world, state, id, process),
        (Step::Send, Phase::Guessed(statement)) => appender::send(world, state, id, process, &statement),
        (Step::Ask, _) => appender::ask(world, state, id),
        (Step::Killed, _) => {
            state.memories[process] = appender::Memory::default();
            Phase::Ready
        }
        (_, _) => Phase::Ready,
    }
}

fn lock(world: &World, state: &mut State, process: Option<usize>, phase: Phase) -> Phase {
    if let Some(process) = process {
        let memory = &mut state.memories[process];
        memory.locked -= 1;
        if world.keeps(Rule::ForgetUnderLock) {
            memory.forget();
        }
    }
    if let Phase::Looked(seen) = phase { Phase::Locked(Some(seen)) } else { Phase::Locked(None) }
}

/// A caller repeats the command; a task finds out what became of it.
fn cut(world: &World, state: &mut State, process: Option<usize>, sent: Orphan) -> Phase {
    if let Some(process) = process {
        return appender::cut(world, state, process, sent);
    }
    state.orphan = Some(sent);
    Phase::Ready
}

/// What was sent on a cut connection arrives, or never does.
pub(crate) fn end_orphan(world: &World, state: &mut State, arrives: bool) {
    match state.orphan.take() {
        Some(Orphan::Transaction(id, transaction)) if arrives => {
            written(world, state, id, &transaction);
        }
        Some(Orphan::Statement(id, statement)) if arrives => {
            appender::arrive(world, state, id, &statement);
        }
        Some(_) | None => {}
    }
}

fn look(world: &World, state: &State, id: u8) -> Seen {
    let done = if world.keeps(Rule::CommandLookup) { state.database.done(id) } else { None };
    Seen { done, version: state.database.version(world.command(id).stream) }
}

/// `Round::decide`: repeated, in conflict, or written. After a conflict the caller loads and decides anew.
fn decide(world: &World, state: &mut State, id: u8, seen: Seen) -> Phase {
    let command = world.command(id);
    if let Some(first) = seen.done {
        state.remember(world, id);
        return Phase::Answered(first);
    }
    let expected = state.writers[usize::from(id)].expected;
    if command.versioned && world.keeps(Rule::ExpectedVersion) && expected != seen.version {
        state.writers[usize::from(id)].expected = seen.version;
        state.remember(world, id);
        return Phase::Ready;
    }
    let before = state.database.head;
    let events = events(world, id, before, seen.version, command.versioned.then_some(expected));
    if !world.keeps(Rule::HeadLock) {
        // A sequence: taken at once, not given back, seen by everybody before the commit.
        state.database.head += command.events;
    }
    Phase::Written(Transaction { events })
}

/// The events of a command, after that position and that version.
pub(crate) fn events(world: &World, id: u8, position: u8, version: u8, expected: Option<u8>) -> Vec<Event> {
    let command = world.command(id);
    (1..=command.events)
        .map(|n| Event {
            position: position + n,
            command: id,
            stream: command.stream,
            version: version + n,
            expected: expected.filter(|_| n == 1),
        })
        .collect()
}

fn commit(world: &World, state: &mut State, id: u8, transaction: &Transaction) -> Phase {
    let phase = written(world, state, id, transaction);
    state.remember(world, id);
    phase
}

fn written(world: &World, state: &mut State, id: u8, transaction: &Transaction) -> Phase {
    let first = transaction.events.first().map_or(0, |event| event.position);
    state.database.commit(&transaction.events);
    if !world.keeps(Rule::CommandWithEvents) {
        return Phase::Unrecorded(first);
    }
    state.database.commands.push((id, first));
    Phase::Answered(first)
}
