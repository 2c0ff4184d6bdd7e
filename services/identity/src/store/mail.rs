//! Mail to be sent: written before, settled after.

use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// A mail whose turn it is.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Due {
    /// Its id, also in its Message-ID, so that a repetition can be recognised.
    pub(crate) id: Uuid,
    /// Whose key seals it.
    pub(crate) account_id: Uuid,
    /// Address, template and code.
    pub(crate) sealed: Vec<u8>,
    /// Attempts, this one included.
    pub(crate) attempts: i32,
}

/// Writes a mail to be sent at once.
pub(crate) async fn insert(
    tx: &mut PgConnection,
    id: Uuid,
    account: Uuid,
    sealed: &[u8],
    now_us: i64,
) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO mail (id, account_id, sealed, next_at_us) VALUES ($1, $2, $3, $4)")
        .bind(id)
        .bind(account)
        .bind(sealed)
        .bind(now_us)
        .execute(tx)
        .await?;
    Ok(())
}

/// Takes the next mail; no other process takes it for `lease_us`.
pub(crate) async fn take(pool: &PgPool, now_us: i64, lease_us: i64) -> sqlx::Result<Option<Due>> {
    sqlx::query_as(
        "UPDATE mail SET attempts = attempts + 1, next_at_us = $1 + $2
         WHERE id = (SELECT id FROM mail WHERE settled_at_us IS NULL AND next_at_us <= $1
                     ORDER BY next_at_us LIMIT 1 FOR UPDATE SKIP LOCKED)
         RETURNING id, account_id, sealed, attempts",
    )
    .bind(now_us)
    .bind(lease_us)
    .fetch_optional(pool)
    .await
}

/// Tries again at that instant.
pub(crate) async fn again(pool: &PgPool, id: Uuid, next_at_us: i64) -> sqlx::Result<()> {
    sqlx::query("UPDATE mail SET next_at_us = $2 WHERE id = $1")
        .bind(id)
        .bind(next_at_us)
        .execute(pool)
        .await?;
    Ok(())
}

/// The mail that has waited longest: its id says since when.
pub(crate) async fn oldest(pool: &PgPool) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar("SELECT id FROM mail WHERE settled_at_us IS NULL ORDER BY id LIMIT 1")
        .fetch_optional(pool)
        .await
}

/// Settles a mail: `sent`, `refused` or `expired`. Its content goes.
pub(crate) async fn settle(pool: &PgPool, id: Uuid, outcome: &str, now_us: i64) -> sqlx::Result<()> {
    sqlx::query("UPDATE mail SET settled_at_us = $3, outcome = $2, sealed = NULL WHERE id = $1")
        .bind(id)
        .bind(outcome)
        .bind(now_us)
        .execute(pool)
        .await?;
    Ok(())
}
