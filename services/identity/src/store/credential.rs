//! Password hash, secret of the authenticator app and recovery codes of an account.

use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// The app's secret.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Totp {
    /// Sealed under the account's key.
    pub(crate) secret_sealed: Vec<u8>,
    /// Last step whose code was taken.
    pub(crate) last_step: i64,
    /// When the app was confirmed.
    pub(crate) confirmed_at_us: Option<i64>,
}

/// The hash of an account's password.
pub(crate) async fn password(pool: &PgPool, account: Uuid) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar("SELECT password_hash FROM credential WHERE account_id = $1")
        .bind(account)
        .fetch_optional(pool)
        .await
}

/// Sets an account's password.
pub(crate) async fn set_password(
    tx: &mut PgConnection,
    account: Uuid,
    hash: &str,
    now_us: i64,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO credential (account_id, password_hash, changed_at_us) VALUES ($1, $2, $3)
         ON CONFLICT (account_id) DO UPDATE
         SET password_hash = excluded.password_hash, changed_at_us = excluded.changed_at_us",
    )
    .bind(account)
    .bind(hash)
    .bind(now_us)
    .execute(tx)
    .await?;
    Ok(())
}

/// The secret of an account's app.
pub(crate) async fn totp(pool: &PgPool, account: Uuid) -> sqlx::Result<Option<Totp>> {
    sqlx::query_as("SELECT secret_sealed, last_step, confirmed_at_us FROM totp WHERE account_id = $1")
        .bind(account)
        .fetch_optional(pool)
        .await
}

/// Sets a secret which is still to be confirmed; false when a confirmed one is there.
pub(crate) async fn begin_totp(tx: &mut PgConnection, account: Uuid, sealed: &[u8]) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "INSERT INTO totp (account_id, secret_sealed) VALUES ($1, $2)
         ON CONFLICT (account_id) DO UPDATE SET secret_sealed = excluded.secret_sealed, last_step = 0
         WHERE totp.confirmed_at_us IS NULL",
    )
    .bind(account)
    .bind(sealed)
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Confirms the app and uses that step up; false when it is confirmed already.
pub(crate) async fn confirm_totp(
    tx: &mut PgConnection,
    account: Uuid,
    step: i64,
    now_us: i64,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "UPDATE totp SET confirmed_at_us = $3, last_step = $2
         WHERE account_id = $1 AND confirmed_at_us IS NULL AND last_step < $2",
    )
    .bind(account)
    .bind(step)
    .bind(now_us)
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Uses a step up; false when it, or a later one, was used.
pub(crate) async fn use_step(tx: &mut PgConnection, account: Uuid, step: i64) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "UPDATE totp SET last_step = $2
         WHERE account_id = $1 AND confirmed_at_us IS NOT NULL AND last_step < $2",
    )
    .bind(account)
    .bind(step)
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Replaces the recovery codes of an account.
pub(crate) async fn set_recovery_codes(
    tx: &mut PgConnection,
    account: Uuid,
    hashes: &[Vec<u8>],
) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM recovery_code WHERE account_id = $1").bind(account).execute(&mut *tx).await?;
    sqlx::query("INSERT INTO recovery_code (account_id, code_hash) SELECT $1, unnest($2::bytea[])")
        .bind(account)
        .bind(hashes)
        .execute(tx)
        .await?;
    Ok(())
}

/// Whether an unused recovery code has that hash.
pub(crate) async fn recovery_code_is_good(pool: &PgPool, account: Uuid, hash: &[u8]) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM recovery_code
         WHERE account_id = $1 AND code_hash = $2 AND used_at_us IS NULL)",
    )
    .bind(account)
    .bind(hash)
    .fetch_one(pool)
    .await
}

/// Uses a recovery code up; false when it was used.
pub(crate) async fn use_recovery_code(
    tx: &mut PgConnection,
    account: Uuid,
    hash: &[u8],
    now_us: i64,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "UPDATE recovery_code SET used_at_us = $3
         WHERE account_id = $1 AND code_hash = $2 AND used_at_us IS NULL",
    )
    .bind(account)
    .bind(hash)
    .bind(now_us)
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}
