//! Transactions that a caller who goes away cannot leave open, and pools that ask an idle connection for a sign of life.

use std::time::Duration;

use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection as _, PgPool, Postgres, Transaction};

/// A connection that was given back within this time was found alive then.
pub const FRESH: Duration = Duration::from_secs(1);

/// Options of a pool for a service's work: a connection is asked for a sign of life before it is given out when it has been
/// idle for [`FRESH`] or longer. The pool asks every one when it comes back, and by itself would ask again each time: a
/// round trip on the way of every transaction.
pub fn pool_options() -> PgPoolOptions {
    PgPoolOptions::new().test_before_acquire(false).before_acquire(|connection, idle| {
        Box::pin(async move {
            if idle.idle_for >= FRESH {
                connection.ping().await?;
            }
            Ok(true)
        })
    })
}

/// Begins a transaction on a connection of the pool. It is rolled back when it is dropped before its commit.
///
/// `Pool::begin`, dropped while it waits for the answer to `BEGIN`, gives the connection back inside a transaction
/// nobody knows of, and the next caller's statements are committed with it, late or never. Here a task of its own
/// waits for the answer, so it comes, and the transaction is then dropped like any other. A request whose client hangs
/// up is dropped like that, at any await.
///
/// # Errors
/// What the pool or the database says: no connection in time, a lost connection, a refusal.
///
/// # Panics
/// Outside a tokio runtime.
pub async fn begin(pool: &PgPool) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    begin_with(pool, "BEGIN").await
}

/// [`begin`], with a statement that names more, such as an isolation level.
///
/// # Errors
/// As [`begin`], and when the statement does not begin a transaction.
///
/// # Panics
/// Outside a tokio runtime.
pub async fn begin_with(
    pool: &PgPool,
    statement: &'static str,
) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    let pool = pool.clone();
    #[expect(clippy::disallowed_methods, reason = "the one place where nobody can drop it")]
    let begun = tokio::spawn(async move { pool.begin_with(statement).await });
    begun.await.unwrap_or_else(|error| match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(_shut_down) => Err(sqlx::Error::PoolClosed),
    })
}
