//! The event log: one total order of what happened, in a service's own PostgreSQL database.
//!
//! Reading order: `record` (what is stored), `chain` and `splitter` (how its bytes come about),
//! `round` (a group of appends decided in memory), `look` (what it is decided on), `commit` and `guess` (the two ways
//! to `write` it), `doubt` (a commit without an answer), `queue` and `appender` (the task which forms groups), `log` (the handle),
//! `subscribe` and `parting` (live readers, and what they are told of a log that was restored),
//! then what is built on it: `aggregate` and `store`, `timers`, `obligations`, `merkle`, `checkpoints` and `verify` with
//! `commands`, `heads` and `guards`, `verify_stream`.

mod aggregate;
mod append;
mod appender;
mod chain;
mod checkpoints;
mod commands;
mod commit;
mod context;
mod doubt;
mod epoch;
mod error;
mod failure;
mod guards;
mod guess;
mod heads;
mod log;
mod logs;
mod look;
pub mod merkle;
mod metadata;
mod meters;
mod obligations;
mod open;
mod over_logs;
mod parting;
mod prepare;
mod queue;
mod read;
mod record;
mod replay;
mod request;
mod round;
mod row;
#[cfg(test)]
mod samples;
mod schema;
mod signed;
mod slots;
mod snapshot;
pub mod splitter;
mod store;
mod stream;
mod subscribe;
mod timers;
mod verify;
mod verify_stream;
mod wake;
mod write;

pub use aggregate::{Aggregate, Folded, Loaded};
pub use append::{Append, Appended, Expected, NewEvent, StreamAppend, Subjects};
pub use chain::{link, link_input};
pub use context::Context;
pub use epoch::{Epoch, epochs};
pub use error::{Error, ExecuteError};
pub use log::{EventLog, Head, OpenLog};
pub use logs::Logs;
pub use metadata::Metadata;
pub use obligations::{Obligation, Obligations, OpenOfKind};
pub use open::Opened;
pub use over_logs::Subscriptions;
pub use queue::Queue;
pub use read::{Direction, Filter, Page};
pub use record::{FORMAT, Mark, Recorded};
pub use request::Difference;
pub use schema::{migrate, migrator};
pub use signed::{CheckpointKey, SignedCheckpoint, Statement};
pub use slots::{SLOTS, Slot};
pub use snapshot::Snapshots;
pub use store::{Executed, Store};
pub use stream::StreamName;
pub use subscribe::Subscription;
pub use timers::{Timer, Timers};
pub use verify::{Broken, Verified};
