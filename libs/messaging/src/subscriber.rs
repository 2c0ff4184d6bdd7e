//! What a consumer calls for each event, and what may come of it.

use async_trait::async_trait;
use docket_eventlog::{ExecuteError, Recorded};
use docket_kernel::DecodeError;
use sqlx::PgConnection;

/// Somebody who reacts to the events of a log.
#[async_trait]
pub trait Subscriber: Send + Sync + 'static {
    /// The categories (first words of kinds) it folds. An unknown kind among these parks its stream;
    /// events of other categories are passed over without a call.
    fn categories(&self) -> &'static [&'static str];

    /// Does what follows from the event, in the transaction of the checkpoint: exactly once.
    ///
    /// Called for one event of a stream after the other, for different streams at once. A try that takes longer than
    /// [`crate::Patience::one_try`] is dropped, as when the database is away, and made again.
    async fn apply(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), ApplyError>;

    /// Whether its effects are rows of its own and nothing else: no call to anybody, no append. Events that wait for one lane
    /// then share a transaction, which is as exact and many times faster; if one cannot be applied, they go one by one.
    fn rows_only(&self) -> bool {
        false
    }

    /// After the commit: wake-ups only, since it may not happen after a crash.
    async fn after_commit(&self, _event: &Recorded) {}
}

/// Why an event could not be applied.
#[derive(Debug)]
pub enum ApplyError {
    /// It cannot be, as things are: its stream is parked, the others go on. The reason holds no personal data.
    Park(String),
    /// It failed, and may not the next time: tried again for a while, then its stream is parked with what was said last.
    /// So that holds no personal data either.
    Retry(anyhow::Error),
    /// What it needs is away, the database or a peer: waited for, however long, since then nothing else can be done.
    Away(anyhow::Error),
}

impl From<docket_eventlog::Error> for ApplyError {
    #[expect(clippy::wildcard_enum_match_arm, reason = "what is not known to be hopeless is tried again")]
    fn from(error: docket_eventlog::Error) -> Self {
        use docket_eventlog::Error;
        match error {
            Error::Decode(error) => error.into(),
            Error::CommandReused { .. }
            | Error::TooLarge { .. }
            | Error::TooManyEvents { .. }
            | Error::StreamName
            | Error::Malformed(_)
            | Error::SubjectMissing { .. }
            | Error::Vault(docket_vault::Error::Altered | docket_vault::Error::Kek(_))
            | Error::Erased => Self::Park(error.to_string()),
            away if away.is_away() => Self::Away(away.into()),
            other => Self::Retry(other.into()),
        }
    }
}

impl From<crate::Error> for ApplyError {
    fn from(error: crate::Error) -> Self {
        use crate::Error;
        match error {
            Error::Database(error) => error.into(),
            Error::Log(error) => error.into(),
            Error::Broker(_)
            | Error::Again(_)
            | Error::Feed(_)
            | Error::Halted(_)
            | Error::Refused(_)
            | Error::Stopping => Self::Retry(error.into()),
        }
    }
}

impl From<sqlx::Error> for ApplyError {
    fn from(error: sqlx::Error) -> Self {
        docket_eventlog::Error::from(error).into()
    }
}

impl From<DecodeError> for ApplyError {
    fn from(error: DecodeError) -> Self {
        Self::Park(error.to_string())
    }
}

impl From<ExecuteError> for ApplyError {
    fn from(error: ExecuteError) -> Self {
        match error {
            // The message may quote what somebody typed; the reason never does.
            ExecuteError::Refused(refusal) => Self::Park(format!("refused: {}", refusal.reason)),
            ExecuteError::Log(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use docket_eventlog::Error;

    use super::*;

    #[test]
    fn what_cannot_be_applied_is_parked_what_is_away_waited_for_and_the_rest_tried_again() {
        let parks = |error: Error| matches!(ApplyError::from(error), ApplyError::Park(_));
        let many = Error::TooManyEvents { events: 1_001, most: 1_000 };
        let altered = Error::Vault(docket_vault::Error::Altered);
        for hopeless in [
            Error::TooLarge { bytes: 1 },
            many,
            Error::StreamName,
            Error::Malformed("x"),
            Error::Erased,
            altered,
        ] {
            let words = hopeless.to_string();
            assert!(parks(hopeless), "{words}");
        }
        for away in
            [Error::Overloaded, Error::OutcomeUnknown, Error::Closed, sqlx::Error::PoolTimedOut.into()]
        {
            let words = away.to_string();
            assert!(matches!(ApplyError::from(away), ApplyError::Away(_)), "{words}");
        }
        let odd = Error::from(sqlx::Error::RowNotFound);
        assert!(matches!(ApplyError::from(odd), ApplyError::Retry(_)));
    }
}
