//! The steps of an appending task (`Task::flush`): it guesses from what it remembers, is overtaken, and asks after a commit
//! that was not answered. Tasks of several processes write to one log, beside transactions of callers (`writer`).

use crate::rules::Rule;
use crate::state::{Event, Orphan, STREAMS, State};
use crate::world::World;
use crate::writer::{Phase, Step, events};

/// Groups which take the lock after their process was overtaken (the real one: 64).
const LOCKED_GROUPS: u8 = 2;

/// What a process remembers (`guess::Memory`), lost with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Memory {
    /// The count of commits and the last position, as it last wrote or looked.
    end: Option<(u8, u8)>,
    /// The versions of streams.
    versions: [Option<u8>; STREAMS],
    /// How many more groups take the lock.
    pub(crate) locked: u8,
}

/// The statement which writes by itself (`write::write`), with what it insists on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Statement {
    commits: u8,
    /// Its stream is taken to be new.
    absent: bool,
    from_memory: bool,
    pub(crate) events: Vec<Event>,
}

impl Memory {
    pub(crate) fn forget(&mut self) {
        self.end = None;
        self.versions = [None; STREAMS];
    }

    pub(crate) fn keep(&mut self, commits: u8, position: u8, (stream, version): (u8, u8)) {
        self.end = Some((commits, position));
        self.versions[usize::from(stream)] = Some(version).filter(|version| *version > 0);
    }
}

impl State {
    /// Keeps what a round of this command has seen or written.
    pub(crate) fn remember(&mut self, world: &World, id: u8) {
        let command = world.command(id);
        let Some(process) = command.process else { return };
        let seen = (command.stream, self.database.version(command.stream));
        let (commits, position) = (self.database.commits, self.database.head);
        self.memories[process].keep(commits, position, seen);
    }
}

/// The steps that this command can take while its task does nothing else for it.
pub(crate) fn steps(world: &World, state: &State, writer: usize, process: usize) -> Vec<Step> {
    let lock_is_free = !state.head_is_locked();
    let busy = world.commands.iter().zip(&state.writers).enumerate().any(|(other, (command, of))| {
        other != writer && command.process == Some(process) && of.phase.is_under_way()
    });
    let can_be_cut = state.faults > 0 && state.orphan.is_none();
    let mut steps = Vec::new();
    match &state.writers[writer].phase {
        Phase::Ready if busy => {}
        Phase::Ready if state.memories[process].locked > 0 => {
            steps.extend(lock_is_free.then_some(Step::Lock));
        }
        Phase::Ready => {
            let recalled = recall(world, state, writer, process).is_some();
            steps.push(if recalled { Step::Recall } else { Step::Look });
        }
        Phase::Guessed(_) => {
            steps.extend(lock_is_free.then_some(Step::Send));
            steps.extend(can_be_cut.then_some(Step::SendCut));
        }
        Phase::Doubt(_) => steps.extend(lock_is_free.then_some(Step::Ask)),
        Phase::Locked(_) => steps.push(Step::Write),
        Phase::Written(_) => {
            steps.push(Step::Commit);
            steps.extend(can_be_cut.then_some(Step::Cut));
        }
        Phase::Looked(_) | Phase::Unrecorded(_) | Phase::Answered(_) | Phase::Refused => {}
    }
    if state.faults > 0 {
        match &state.writers[writer].phase {
            Phase::Ready if !busy => steps.push(Step::Refused),
            Phase::Answered(_) => steps.push(Step::Unheard),
            Phase::Guessed(_) | Phase::Doubt(_) | Phase::Locked(_) | Phase::Written(_) => {
                steps.push(Step::Killed);
            }
            Phase::Ready | Phase::Looked(_) | Phase::Unrecorded(_) | Phase::Refused => {}
        }
    }
    steps
}

/// `Memory::recall` and `Round::decide`: what is to be written, unless that takes a look.
fn recall(world: &World, state: &State, writer: usize, process: usize) -> Option<Statement> {
    let id = u8::try_from(writer).expect("a few writers");
    let (command, memory) = (world.command(id), &state.memories[process]);
    let (commits, position) = memory.end?;
    let expected = state.writers[writer].expected;
    let known = memory.versions[usize::from(command.stream)];
    let absent = known.is_none();
    if absent && !(command.versioned && expected == 0) {
        return None;
    }
    let version = known.unwrap_or(0);
    // A refusal counts only against what the database says now.
    if command.versioned && expected != version {
        return None;
    }
    let events = events(world, id, position, version, command.versioned.then_some(expected));
    Some(Statement { commits, absent, from_memory: true, events })
}

/// `Memory::recall`: from here on it stands on what is remembered.
pub(crate) fn recalled(world: &World, state: &State, writer: usize, process: usize) -> Phase {
    recall(world, state, writer, process).map_or(Phase::Ready, Phase::Guessed)
}

/// `look::look`, without the lock: answered, in conflict, or to be written.
pub(crate) fn look(world: &World, state: &mut State, id: u8, process: usize) -> Phase {
    state.memories[process].forget();
    state.remember(world, id);
    if let Some(first) = state.database.done(id) {
        return Phase::Answered(first);
    }
    let command = world.command(id);
    let version = state.database.version(command.stream);
    let writer = &mut state.writers[usize::from(id)];
    if command.versioned && writer.expected != version {
        writer.expected = version;
        return Phase::Ready;
    }
    let events = events(world, id, state.database.head, version, command.versioned.then_some(version));
    Phase::Guessed(Statement { commits: state.database.commits, absent: false, from_memory: false, events })
}

/// The statement arrives: it writes all or nothing.
pub(crate) fn arrive(world: &World, state: &mut State, id: u8, statement: &Statement) -> bool {
    let stream = world.command(id).stream;
    let moved = world.keeps(Rule::StatementNamesCommits) && state.database.commits != statement.commits;
    let done = world.keeps(Rule::StatementNamesCommand) && state.database.done(id).is_some();
    let there =
        world.keeps(Rule::StatementNamesNewStream) && statement.absent && state.database.version(stream) > 0;
    if moved || done || there {
        return false;
    }
    state.database.commit(&statement.events);
    state.database.commands.push((id, first(&statement.events)));
    true
}

/// The statement is sent and answered.
pub(crate) fn send(world: &World, state: &mut State, id: u8, process: usize, statement: &Statement) -> Phase {
    if arrive(world, state, id, statement) {
        state.remember(world, id);
        return Phase::Answered(first(&statement.events));
    }
    state.memories[process].forget();
    if !statement.from_memory {
        state.memories[process].locked = LOCKED_GROUPS;
    }
    Phase::Ready
}

/// The connection is cut after the statement was sent, or a transaction's COMMIT: it may arrive at any time, or never.
pub(crate) fn cut(world: &World, state: &mut State, process: usize, sent: Orphan) -> Phase {
    let written = sent.events().to_vec();
    state.orphan = Some(sent);
    let memory = &mut state.memories[process];
    if world.keeps(Rule::ForgetInDoubt) {
        memory.forget();
    } else if let (Some((commits, _)), Some(last)) = (memory.end, written.last()) {
        memory.keep(commits + 1, last.position, (last.stream, last.version));
    }
    if world.keeps(Rule::AskInDoubt) { Phase::Doubt(first(&written)) } else { Phase::Ready }
}

/// `Doubt::ask`, under the lock: closes the door on what was sent and looks what is there.
pub(crate) fn ask(world: &World, state: &mut State, id: u8) -> Phase {
    if world.keeps(Rule::CloseTheDoor) {
        state.database.commits += 1;
    }
    state.database.done(id).map_or(Phase::Ready, Phase::Answered)
}

fn first(events: &[Event]) -> u8 {
    events.first().map_or(0, |event| event.position)
}
