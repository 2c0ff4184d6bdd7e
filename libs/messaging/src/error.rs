//! What can go wrong between a log and those who read it.

/// A failure of messaging. Carries no personal data.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The broker did not answer, or refused. Trying again may help.
    #[error("the broker failed: {0}")]
    Broker(String),
    /// What a session went by does not hold any more, or not yet: the next one looks anew.
    #[error("beginning again: {0}")]
    Again(&'static str),
    /// The log's owner did not answer. Trying again may help.
    #[error("the feed of the log failed: {0}")]
    Feed(String),
    /// The log.
    #[error("the log failed")]
    Log(#[from] docket_eventlog::Error),
    /// The database.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    /// Going on would skip or repeat events: somebody must look.
    #[error("stopped: {0}")]
    Halted(String),
    /// What was asked for cannot be done as things are; the message says why.
    #[error("refused: {0}")]
    Refused(String),
    /// The process is stopping.
    #[error("stopping")]
    Stopping,
}

impl Error {
    /// A failure of the broker, whatever its type.
    pub(crate) fn broker(error: impl std::fmt::Display) -> Self {
        Self::Broker(error.to_string())
    }
}
