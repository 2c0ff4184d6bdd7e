//! Transactions that a caller who goes away cannot leave open, bounds for a database that says nothing (`silence`), and pools
//! that get rid of such connections.

mod silence;

pub use silence::{FRESH, SILENT, WORK, answered, pool_options, within};
use sqlx::{PgPool, Postgres, Transaction};

/// Begins a transaction on a connection of the pool. It is rolled back when it is dropped before its commit.
///
/// `Pool::begin`, dropped while it waits for the answer to `BEGIN`, gives the connection back inside a transaction
/// nobody knows of, and the next caller's statements are committed with it, late or never. Here a task of its own
/// waits for the answer, so it comes, and the transaction is then dropped like any other. A request whose client hangs
/// up is dropped like that, at any await.
///
/// # Errors
/// What the pool or the database says: no connection in time, a lost connection, a refusal; or that it says nothing.
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
    let limit = pool.options().get_acquire_timeout() + SILENT;
    #[expect(clippy::disallowed_methods, reason = "the one place where nobody can drop it")]
    let begun = tokio::spawn(within(limit, async move { pool.begin_with(statement).await }));
    begun.await.unwrap_or_else(|error| match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(_shut_down) => Err(sqlx::Error::PoolClosed),
    })
}
