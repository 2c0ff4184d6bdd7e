//! A new authenticator app that was begun, in the place of one that is lost.

use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// An app that was begun.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Replacement {
    /// Sealed under the account's key.
    pub(crate) secret_sealed: Vec<u8>,
    /// The request that began it.
    pub(crate) begun_with: Vec<u8>,
    /// The request that confirmed it.
    pub(crate) confirmed_with: Option<Vec<u8>>,
}

/// Begins with an app; one that was begun before is forgotten.
pub(crate) async fn begin(
    tx: &mut PgConnection,
    account: Uuid,
    (sealed, begun_with): (&[u8], &[u8]),
    expires_at_us: i64,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO totp_replacement (account_id, secret_sealed, begun_with, expires_at_us) VALUES ($1, $2, $3, $4)
         ON CONFLICT (account_id) DO UPDATE SET secret_sealed = excluded.secret_sealed,
             begun_with = excluded.begun_with, confirmed_with = NULL, expires_at_us = excluded.expires_at_us",
    )
    .bind(account)
    .bind(sealed)
    .bind(begun_with)
    .bind(expires_at_us)
    .execute(tx)
    .await?;
    Ok(())
}

/// What was begun and is not over.
pub(crate) async fn find(pool: &PgPool, account: Uuid, now_us: i64) -> sqlx::Result<Option<Replacement>> {
    sqlx::query_as(
        "SELECT secret_sealed, begun_with, confirmed_with FROM totp_replacement
         WHERE account_id = $1 AND expires_at_us > $2",
    )
    .bind(account)
    .bind(now_us)
    .fetch_optional(pool)
    .await
}

/// It is the account's app from now on, with that step used up; false when it was confirmed, or another was begun.
pub(crate) async fn confirm(
    tx: &mut PgConnection,
    account: Uuid,
    (begun_with, confirmed_with): (&[u8], &[u8]),
    step: i64,
    (now_us, until_us): (i64, i64),
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "UPDATE totp_replacement SET confirmed_with = $3, expires_at_us = $4
         WHERE account_id = $1 AND begun_with = $2 AND confirmed_with IS NULL",
    )
    .bind(account)
    .bind(begun_with)
    .bind(confirmed_with)
    .bind(until_us)
    .execute(&mut *tx)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query(
        "UPDATE totp SET secret_sealed = new.secret_sealed, last_step = $2, confirmed_at_us = $3
         FROM totp_replacement new WHERE totp.account_id = $1 AND new.account_id = $1",
    )
    .bind(account)
    .bind(step)
    .bind(now_us)
    .execute(tx)
    .await?;
    Ok(true)
}
