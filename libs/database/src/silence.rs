//! A database that dies without a word: what it does not answer in time fails as if the connection were lost.
//!
//! A host without power sends nothing more, not even the end of its connections, and the driver asks for no sign of life:
//! whoever waits for such an answer would wait until the process is started again. What is waited for no longer is
//! dropped with its connection and never cancelled: where the host lives after all, it ends there as it would have
//! (L1), and only our side does not know how.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection as _, PgConnection, Row as _};
use tokio::time::{Instant, timeout};

/// How long one answer is waited for. A second more than whoever is frozen with a log's head in hand keeps it, so that those
/// behind are not given up before the database has ended it.
pub const SILENT: Duration = Duration::from_secs(16);
/// How long a piece of work of several statements may take in all, with what it asks of others between them.
pub const WORK: Duration = Duration::from_secs(30);
/// A connection that was given back within this time was found alive then.
pub const FRESH: Duration = Duration::from_secs(1);
/// How long an idle connection is asked for a sign of life before it is replaced.
const ALIVE: Duration = Duration::from_secs(2);
/// For so long after a silence each connection is asked for a sign of life when it is given back.
const LATELY: Duration = Duration::from_mins(1);

/// When an answer was last given up.
static SILENCE: Mutex<Option<Instant>> = Mutex::new(None);

/// One answer, or a failure which passes, like that of a cut line.
///
/// # Errors
/// What was asked says, or that there was no answer.
pub fn answered<T, E: From<sqlx::Error>>(
    asked: impl Future<Output = Result<T, E>>,
) -> impl Future<Output = Result<T, E>> {
    within(SILENT, asked)
}

/// What comes of a piece of work with the database within so long; after that it failed as when the line is cut. What it
/// has committed stays: ask for such work only what may be done again.
///
/// # Errors
/// What the work says, or that it did not end.
pub fn within<T, E: From<sqlx::Error>>(
    limit: Duration,
    work: impl Future<Output = Result<T, E>>,
) -> impl Future<Output = Result<T, E>> {
    // Work may be large, and so would be whatever waits for it.
    let mut work = Box::pin(work);
    async move {
        timeout(limit, &mut work).await.unwrap_or_else(|_late| {
            // Before the work is dropped, and its connection comes back.
            *SILENCE.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
            Err(sqlx::Error::Io(io::ErrorKind::TimedOut.into()).into())
        })
    }
}

fn lately() -> bool {
    let silence = *SILENCE.lock().unwrap_or_else(PoisonError::into_inner);
    silence.is_some_and(|at| at.elapsed() < LATELY)
}

/// Options of a pool for a service's work, which gets rid of connections that say nothing.
///
/// A connection is asked for a sign of life before it is given out when it has been idle for [`FRESH`] or longer. The pool
/// asks every one when it comes back, and by itself would ask again each time: a round trip on the way of every
/// transaction. When one comes back the pool waits for it without a bound, and so long its place is taken: what comes back
/// half-way through a transaction, or soon after a silence, is asked here first.
pub fn pool_options() -> PgPoolOptions {
    PgPoolOptions::new()
        .test_before_acquire(false)
        .before_acquire(|connection, idle| {
            Box::pin(async move {
                if idle.idle_for >= FRESH {
                    within(ALIVE, connection.ping()).await?;
                }
                Ok(true)
            })
        })
        .after_release(|connection, _age| {
            Box::pin(async move {
                if lately() {
                    return answered(outside(connection)).await;
                }
                // A rollback waits to be sent: of a transaction that was dropped.
                if connection.should_flush() {
                    answered(connection.ping()).await?;
                }
                Ok(true)
            })
        })
}

/// Whether the connection is outside of any transaction: it may have been given up while one began, and then the driver
/// knows of none.
async fn outside(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let outside = sqlx::raw_sql("SELECT transaction_timestamp() = statement_timestamp()");
    outside.fetch_one(connection).await?.try_get(0)
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[tokio::test]
    async fn what_is_not_answered_failed_as_when_the_line_is_cut() {
        let late = within(Duration::from_millis(1), pending::<Result<(), sqlx::Error>>()).await;
        let Err(sqlx::Error::Io(late)) = late else { panic!("{late:?}") };
        assert_eq!(late.kind(), io::ErrorKind::TimedOut);
        assert!(lately(), "and whoever gives a connection back is careful");
    }

    #[tokio::test]
    async fn an_answer_is_given_on_as_it_is() {
        assert_eq!(answered(ready(Ok::<_, sqlx::Error>(7))).await.unwrap(), 7);
        assert!(matches!(
            answered(ready(Err::<(), _>(sqlx::Error::RowNotFound))).await,
            Err(sqlx::Error::RowNotFound)
        ));
    }
}
