//! The state of the model: the database, the broker, and what each process remembers.

use crate::appender::{Memory, Statement};
use crate::consumer::Session;
use crate::relay::Relay;
use crate::writer::{Transaction, Writer};

/// Streams of the log. Each is worked on in a lane of its own.
pub(crate) const STREAMS: usize = 2;

/// An event as it is stored and published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Event {
    pub(crate) position: u8,
    /// The command which wrote it.
    pub(crate) command: u8,
    pub(crate) stream: u8,
    pub(crate) version: u8,
    /// The version its command demanded, of the first event of an append.
    pub(crate) expected: Option<u8>,
}

/// What PostgreSQL has committed: the owner's log and the consumer's tables.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Database {
    /// `log.event`, by position.
    pub(crate) log: Vec<Event>,
    /// `log.head`: the last position, and how many commits there were.
    pub(crate) head: u8,
    pub(crate) commits: u8,
    /// `log.command`: command and first position.
    pub(crate) commands: Vec<(u8, u8)>,
    /// `log.consumer_checkpoint`, one a lane.
    pub(crate) checkpoints: [u8; STREAMS],
    /// The positions applied, in the order of their commits: what the effects would show.
    pub(crate) effects: [Vec<u8>; STREAMS],
    /// The furthest position a reader has passed, and whether something became visible below it later.
    pub(crate) passed: u8,
    pub(crate) late: bool,
}

impl Database {
    /// The current version of a stream.
    pub(crate) fn version(&self, stream: u8) -> u8 {
        self.log.iter().filter(|event| event.stream == stream).map(|event| event.version).max().unwrap_or(0)
    }

    /// The first position of a command done before.
    pub(crate) fn done(&self, command: u8) -> Option<u8> {
        self.commands.iter().find(|(known, _)| *known == command).map(|(_, first)| *first)
    }

    /// The event at a position, or none.
    pub(crate) fn at(&self, position: u8) -> Option<Event> {
        self.log.iter().find(|event| event.position == position).copied()
    }

    /// Makes a transaction's events visible.
    pub(crate) fn commit(&mut self, events: &[Event]) {
        self.late |= events.iter().any(|event| event.position <= self.passed);
        self.commits += 1;
        self.log.extend_from_slice(events);
        self.log.sort_unstable_by_key(|event| event.position);
        self.head = self.head.max(events.iter().map(|event| event.position).max().unwrap_or(0));
    }
}

/// What the broker holds: the stream, and the state of the one durable consumer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Broker {
    /// The messages; the first has sequence 1.
    pub(crate) messages: Vec<Event>,
    /// The last sequence handed out (`delivered.stream_sequence`).
    pub(crate) delivered: u8,
    /// Handed out and not acknowledged, one bit a sequence.
    pub(crate) pending: u8,
    /// A publication whose relay was cut off: it arrives later, or never.
    pub(crate) on_its_way: Option<Event>,
}

impl Broker {
    /// The last sequence.
    pub(crate) fn last(&self) -> u8 {
        u8::try_from(self.messages.len()).expect("a few messages")
    }

    pub(crate) fn acknowledge(&mut self, sequence: u8) {
        self.pending &= !(1 << sequence);
    }

    /// Forgets all messages after `keep`. The consumer's state is a file of its own: it may be behind as well,
    /// or still say that more was handed out.
    pub(crate) fn lose_tail(&mut self, keep: u8, consumer_too: bool) {
        self.messages.truncate(usize::from(keep));
        self.pending &= (1 << (keep + 1)) - 1;
        if consumer_too {
            self.delivered = self.delivered.min(keep);
        }
    }
}

/// What was sent to the database on a connection that was then cut, with its command.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Orphan {
    /// The COMMIT of a transaction, which holds the head until it ends.
    Transaction(u8, Transaction),
    /// A statement that commits by itself, which holds nothing before it runs.
    Statement(u8, Statement),
}

impl Orphan {
    pub(crate) fn events(&self) -> &[Event] {
        match self {
            Self::Transaction(_, transaction) => &transaction.events,
            Self::Statement(_, statement) => &statement.events,
        }
    }
}

/// Everything.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) database: Database,
    pub(crate) broker: Broker,
    pub(crate) writers: Vec<Writer>,
    pub(crate) orphan: Option<Orphan>,
    /// One for each process that has an appending task.
    pub(crate) memories: Vec<Memory>,
    pub(crate) relays: Vec<Relay>,
    pub(crate) consumers: Vec<Option<Session>>,
    /// Faults which may still happen.
    pub(crate) faults: u8,
}

impl State {
    /// Whether a transaction holds the row of the head.
    pub(crate) fn head_is_locked(&self) -> bool {
        matches!(self.orphan, Some(Orphan::Transaction(..)))
            || self.writers.iter().any(Writer::holds_the_head)
    }
}
