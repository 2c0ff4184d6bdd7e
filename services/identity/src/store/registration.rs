//! Registrations under way: token, password and mailed code, hashed.

use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// Tries of one mailed code.
pub(crate) const TRIES: i32 = 5;

/// A registration under way.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Registration {
    /// The account; none where the address belongs to an active one and no code was mailed.
    pub(crate) account_id: Option<Uuid>,
    /// Becomes the account's password when the code is right,
    pub(crate) password_hash: String,
    /// and so does its language; none in a row from before that was kept,
    pub(crate) language: Option<String>,
    /// its zone,
    pub(crate) zone: Option<String>,
    /// and its address as typed, sealed under the account's key.
    pub(crate) email_sealed: Option<Vec<u8>>,
    /// Keyed hash of the mailed code.
    pub(crate) code_hash: Vec<u8>,
    /// Tries of the code.
    pub(crate) tries: i32,
    /// End of the registration.
    pub(crate) expires_at_us: i64,
    /// When the code was right.
    pub(crate) proven_at_us: Option<i64>,
    /// Keyed hash of the request which confirmed the app.
    pub(crate) confirmed_with: Option<Vec<u8>>,
}

const COLUMNS: &str = "account_id, password_hash, language, zone, email_sealed, code_hash, tries, expires_at_us, \
                       proven_at_us, confirmed_with";

/// Writes a registration; false when it is there already.
pub(crate) async fn insert(
    tx: &mut PgConnection,
    token_hash: &[u8],
    row: &Registration,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "INSERT INTO registration
             (token_hash, account_id, password_hash, language, zone, email_sealed, code_hash, expires_at_us)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (token_hash) DO NOTHING",
    )
    .bind(token_hash)
    .bind(row.account_id)
    .bind(&row.password_hash)
    .bind(&row.language)
    .bind(&row.zone)
    .bind(&row.email_sealed)
    .bind(&row.code_hash)
    .bind(row.expires_at_us)
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The registration of a token.
pub(crate) async fn find(pool: &PgPool, token_hash: &[u8]) -> sqlx::Result<Option<Registration>> {
    sqlx::query_as(sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM registration WHERE token_hash = $1")))
        .bind(token_hash)
        .fetch_optional(pool)
        .await
}

/// Charges a try of the mailed code; false when none is left.
pub(crate) async fn charge(pool: &PgPool, token_hash: &[u8]) -> sqlx::Result<bool> {
    let done = sqlx::query("UPDATE registration SET tries = tries + 1 WHERE token_hash = $1 AND tries < $2")
        .bind(token_hash)
        .bind(TRIES)
        .execute(pool)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Uses the mailed code up; false when somebody else just did.
pub(crate) async fn prove(tx: &mut PgConnection, token_hash: &[u8], now_us: i64) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "UPDATE registration SET proven_at_us = $2 WHERE token_hash = $1 AND proven_at_us IS NULL",
    )
    .bind(token_hash)
    .bind(now_us)
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The registration is complete: its row is only kept to know a repetition, and not the password's hash.
pub(crate) async fn confirm(
    tx: &mut PgConnection,
    token_hash: &[u8],
    confirmed_with: &[u8],
    until_us: i64,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE registration SET confirmed_with = $2, expires_at_us = $3, password_hash = ''
         WHERE token_hash = $1",
    )
    .bind(token_hash)
    .bind(confirmed_with)
    .bind(until_us)
    .execute(tx)
    .await?;
    Ok(())
}

/// Removes the other registrations of an account which is active now, and those which are over.
pub(crate) async fn clear(
    tx: &mut PgConnection,
    account: Uuid,
    complete: &[u8],
    now_us: i64,
) -> sqlx::Result<()> {
    sqlx::query(
        "DELETE FROM registration WHERE (account_id = $1 AND token_hash <> $2) OR expires_at_us < $3",
    )
    .bind(account)
    .bind(complete)
    .bind(now_us)
    .execute(tx)
    .await?;
    Ok(())
}
