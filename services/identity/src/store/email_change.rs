//! Changes of an account's e-mail address: the hashes of their two codes.

use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// Tries of the code that was mailed to the new address.
pub(crate) const TRIES: i32 = 5;

/// A change.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct EmailChange {
    /// Its id.
    pub(crate) id: Uuid,
    /// Whose address it is.
    pub(crate) account_id: Uuid,
    /// Keyed hash of the code that was mailed to the new address.
    pub(crate) code_hash: Vec<u8>,
    /// Tries of that code.
    pub(crate) tries: i32,
    /// Hash of the code that was mailed to the address before.
    pub(crate) back_hash: Vec<u8>,
    /// When it is over: the request, or what can be taken back; microseconds since the epoch.
    pub(crate) expires_at_us: i64,
}

/// Begins a change; one of the account that was not confirmed is forgotten.
pub(crate) async fn begin(tx: &mut PgConnection, change: &EmailChange) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM email_change WHERE account_id = $1 AND confirmed_at_us IS NULL")
        .bind(change.account_id)
        .execute(&mut *tx)
        .await?;
    sqlx::query(
        "INSERT INTO email_change (id, account_id, code_hash, tries, back_hash, expires_at_us)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
    )
    .bind(change.id)
    .bind(change.account_id)
    .bind(&change.code_hash)
    .bind(change.tries)
    .bind(&change.back_hash)
    .bind(change.expires_at_us)
    .execute(tx)
    .await?;
    Ok(())
}

/// The change of this id.
pub(crate) async fn find(pool: &PgPool, id: Uuid) -> sqlx::Result<Option<EmailChange>> {
    sqlx::query_as(
        "SELECT id, account_id, code_hash, tries, back_hash, expires_at_us FROM email_change WHERE id = $1",
    )
    .bind(id)
    .fetch_optional(pool)
    .await
}

/// The change whose code was mailed to the address before.
pub(crate) async fn of_back_code(pool: &PgPool, back_hash: &[u8]) -> sqlx::Result<Option<EmailChange>> {
    sqlx::query_as(
        "SELECT id, account_id, code_hash, tries, back_hash, expires_at_us FROM email_change WHERE back_hash = $1",
    )
    .bind(back_hash)
    .fetch_optional(pool)
    .await
}

/// Charges a try of the code; false when none is left.
pub(crate) async fn charge(pool: &PgPool, id: Uuid) -> sqlx::Result<bool> {
    let done = sqlx::query("UPDATE email_change SET tries = tries + 1 WHERE id = $1 AND tries < $2")
        .bind(id)
        .bind(TRIES)
        .execute(pool)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Uses the code up; from then on until `back_until_us` the change can be taken back. False when somebody else just did, or it was
/// given up.
pub(crate) async fn confirm(
    tx: &mut PgConnection,
    id: Uuid,
    now_us: i64,
    back_until_us: i64,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "UPDATE email_change SET confirmed_at_us = $2, expires_at_us = $3 WHERE id = $1 AND confirmed_at_us IS NULL",
    )
    .bind(id)
    .bind(now_us)
    .bind(back_until_us)
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}
