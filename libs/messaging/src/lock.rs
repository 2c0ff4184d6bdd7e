//! One of several replicas at a time: an advisory lock on a connection of its own.

use std::time::Duration;

use sqlx::{Connection, PgConnection, PgPool};

use crate::{Error, Stop};

/// How often a replica in waiting asks.
const ASK: Duration = Duration::from_millis(500);

/// The lock; given back when dropped, because its connection ends.
pub(crate) struct Lock(PgConnection);

impl Lock {
    /// Waits until the lock is ours.
    ///
    /// # Errors
    /// [`Error::Stopping`], [`Error::Database`].
    pub(crate) async fn wait(pool: &PgPool, name: &str, stop: &Stop) -> Result<Self, Error> {
        // Not from the pool: a session lock must not go back into it.
        let mut connection = PgConnection::connect_with(&pool.connect_options()).await?;
        loop {
            let ours = sqlx::query_scalar!(
                r#"SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS "ours!""#,
                name
            )
            .fetch_one(&mut connection)
            .await?;
            if ours {
                return Ok(Self(connection));
            }
            tokio::select! {
                () = stop.cancelled() => return Err(Error::Stopping),
                () = tokio::time::sleep(ASK) => {}
            }
        }
    }

    /// Proves that the connection, and so the lock, is still there.
    ///
    /// # Errors
    /// [`Error::Database`] when it is not.
    pub(crate) async fn check(&mut self) -> Result<(), Error> {
        Ok(self.0.ping().await?)
    }

    /// Gives the lock back at once.
    pub(crate) async fn release(self) {
        if let Err(error) = self.0.close().await {
            tracing::debug!(%error, "the lock's connection was gone already");
        }
    }
}
