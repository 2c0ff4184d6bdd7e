//! One of several replicas at a time: an advisory lock on a connection of its own, for as long as its holder moves.
//!
//! The connection says every quarter of a turn that it lives. A holder that is frozen (or cut off) for a whole turn
//! is ended by the database, so that another replica takes over; when it moves again it finds the lock lost.

use std::sync::Arc;
use std::time::Duration;

use docket_database::{answered, within};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, PgPool};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::{Error, Stop};

/// How often a replica in waiting asks.
const ASK: Duration = Duration::from_millis(500);
/// How long a holder may be silent before another takes its turn.
pub(crate) const TURN: Duration = Duration::from_secs(10);
/// The database may take this long to say that the connection lives.
const ANSWER: Duration = Duration::from_secs(5);

/// The lock; given back when dropped, because its connection ends.
pub(crate) struct Lock {
    connection: Arc<Mutex<PgConnection>>,
    lost: Stop,
    keeper: JoinHandle<()>,
}

impl Lock {
    /// Waits until the lock is ours; `turn` is how long we may then be silent.
    ///
    /// # Errors
    /// [`Error::Stopping`], [`Error::Database`].
    pub(crate) async fn wait(pool: &PgPool, name: &str, turn: Duration, stop: &Stop) -> Result<Self, Error> {
        stop.run_until_cancelled(Self::take(pool, name, turn)).await.unwrap_or(Err(Error::Stopping))
    }

    async fn take(pool: &PgPool, name: &str, turn: Duration) -> Result<Self, Error> {
        // Not from the pool: a session lock must not go back into it.
        let mut connection = answered(PgConnection::connect_with(&pool.connect_options())).await?;
        // A setting takes no bind; this one is a number.
        let setting = format!("SET idle_session_timeout = {}", turn.as_millis());
        answered(connection.execute(AssertSqlSafe(setting))).await?;
        loop {
            let ours = sqlx::query_scalar!(
                r#"SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS "ours!""#,
                name
            );
            if answered(ours.fetch_one(&mut connection)).await? {
                return Ok(Self::keep(connection, turn / 4));
            }
            sleep(ASK.min(turn / 4)).await;
        }
    }

    fn keep(connection: PgConnection, beat: Duration) -> Self {
        let (connection, lost) = (Arc::new(Mutex::new(connection)), Stop::new());
        let (kept, losing) = (Arc::clone(&connection), lost.clone());
        // A task of its own: the work may wait long for a slow lane or broker, and is alive all the same.
        let keeper = tokio::spawn(async move {
            while ping(&kept).await.is_ok() {
                sleep(beat).await;
            }
            losing.cancel();
        });
        Self { connection, lost, keeper }
    }

    /// Ends with the reason when the lock is no longer ours.
    pub(crate) fn lost(&self) -> impl Future<Output = Error> + use<> {
        let lost = self.lost.clone();
        async move {
            lost.cancelled().await;
            Error::Again("the turn was lost")
        }
    }

    /// Proves that the connection, and so the lock, is still there.
    ///
    /// # Errors
    /// [`Error::Database`] when it is not.
    pub(crate) async fn check(&self) -> Result<(), Error> {
        ping(&self.connection).await
    }

    /// Gives the lock back at once.
    pub(crate) async fn release(self) {
        self.keeper.abort();
        let unlocked = async {
            let mut connection = self.connection.lock().await;
            connection.execute("SELECT pg_advisory_unlock_all()").await.map(drop)
        };
        match timeout(ANSWER, unlocked).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "the lock's connection was gone already"),
            Err(_late) => tracing::debug!("the lock's connection does not answer"),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

async fn ping(connection: &Mutex<PgConnection>) -> Result<(), Error> {
    Ok(within(ANSWER, async { connection.lock().await.ping().await }).await?)
}
