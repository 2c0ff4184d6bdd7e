//! What can go wrong with the log.

use std::sync::Arc;

use docket_kernel::{DecodeError, Refusal, SubjectKind};

use crate::{Difference, StreamName, failure};

/// A failure of the log. Carries no personal data.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The stream is not at the version the append was decided on.
    #[error("stream {stream} is at version {current}, not {expected}")]
    Conflict {
        /// The stream.
        stream: StreamName,
        /// The version the append named.
        expected: u64,
        /// The version it has.
        current: u64,
    },
    /// The actor used this command id before, for another request.
    #[error("the command id was used before with another content: {difference}")]
    CommandReused {
        /// What differs.
        difference: Difference,
    },
    /// The stream would be born here, but its slot is open in another of the service's logs, or on its way there.
    #[error("new streams like {stream} belong in another log now")]
    SlotMoving {
        /// The stream.
        stream: StreamName,
    },
    /// Streams of two logs in one append: what crosses logs is a saga.
    #[error("{first} and {other} are in different logs")]
    AcrossLogs {
        /// A stream.
        first: StreamName,
        /// Another one.
        other: StreamName,
    },
    /// An event is larger than 256 KiB, or the append larger than one commit may be.
    #[error("an event of {bytes} bytes is too large")]
    TooLarge {
        /// Bytes of the event or append.
        bytes: usize,
    },
    /// More events in one append than one commit may have.
    #[error("an append of {events} events is too large; it may have {most}")]
    TooManyEvents {
        /// Events of the append.
        events: usize,
        /// As many as there may be.
        most: usize,
    },
    /// Too many appends are waiting. Nothing was done; try again later.
    #[error("too many appends are waiting")]
    Overloaded,
    /// It is not known whether the append was done. Repeat it with the same command id.
    #[error("it is not known whether the append was done; repeat it with the same command id")]
    OutcomeUnknown,
    /// The key of a subject was destroyed, so nothing more can be written about it.
    #[error("the subject's key was destroyed")]
    Erased,
    /// An event holds personal data of a subject the append did not name.
    #[error("{kind} holds data of a {} but the append names none", subject.as_str())]
    SubjectMissing {
        /// The event's kind.
        kind: String,
        /// The sort of subject.
        subject: SubjectKind,
    },
    /// Not a stream's name.
    #[error("a stream's name has 1 to 120 bytes of a-z, 0-9, '-', '_', '.'")]
    StreamName,
    /// The log was restored to an earlier point, and a reader is beyond what it has in common with what it was.
    #[error(
        "{log} was restored: in epoch {epoch} it goes with a reader at position {place} no further than {end}; settle what was read beyond, then read on after what is common"
    )]
    Restored {
        /// The log.
        log: &'static str,
        /// The position up to which the reader has read.
        place: u64,
        /// The last position that both can have in common.
        end: u64,
        /// The epoch of the log now.
        epoch: u64,
    },
    /// The log was closed; the process is stopping.
    #[error("the log is closed")]
    Closed,
    /// Stored or received bytes which cannot be a record of this log.
    #[error("the record cannot be read: {0}")]
    Malformed(&'static str),
    /// A signing key which cannot be used.
    #[error("the signing key cannot be used: {0}")]
    Key(String),
    /// The database.
    #[error("the log's database failed")]
    Database(#[source] Arc<sqlx::Error>),
    /// The schema.
    #[error("the log's schema could not be brought up to date")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The vault.
    #[error("the vault failed")]
    Vault(#[source] docket_vault::Error),
    /// An event which the fold does not know or cannot read.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(Arc::new(error))
    }
}

impl From<docket_vault::Error> for Error {
    fn from(error: docket_vault::Error) -> Self {
        if matches!(error, docket_vault::Error::Erased(_)) { Self::Erased } else { Self::Vault(error) }
    }
}

impl Error {
    /// Whether something is away, the database or who keeps the keys, or busy: the same goes well when it is back.
    pub fn is_away(&self) -> bool {
        match self {
            Self::Overloaded
            | Self::OutcomeUnknown
            | Self::Closed
            | Self::Vault(docket_vault::Error::KekAway(_)) => true,
            Self::Vault(docket_vault::Error::Database(error)) => failure::away(error),
            Self::Database(error) => failure::away(error),
            Self::Conflict { .. }
            | Self::CommandReused { .. }
            | Self::SlotMoving { .. }
            | Self::AcrossLogs { .. }
            | Self::TooLarge { .. }
            | Self::TooManyEvents { .. }
            | Self::Erased
            | Self::SubjectMissing { .. }
            | Self::StreamName
            | Self::Restored { .. }
            | Self::Malformed(_)
            | Self::Key(_)
            | Self::Migrate(_)
            | Self::Vault(_)
            | Self::Decode(_) => false,
        }
    }
}

/// Why a command was not done.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// The domain said no; nothing was stored.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The log failed.
    #[error(transparent)]
    Log(#[from] Error),
}

impl From<sqlx::Error> for ExecuteError {
    fn from(error: sqlx::Error) -> Self {
        Self::Log(error.into())
    }
}
