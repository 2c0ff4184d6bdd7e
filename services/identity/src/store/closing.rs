//! The rows of an account that was erased: its secrets go, its sessions end.

use sqlx::PgConnection;
use uuid::Uuid;

/// Ends the sessions that go on; which they were.
pub(crate) async fn end_sessions(
    tx: &mut PgConnection,
    account: Uuid,
    now_us: i64,
) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar(
        "UPDATE session SET ended_at_us = $2 WHERE account_id = $1 AND ended_at_us IS NULL RETURNING id",
    )
    .bind(account)
    .bind(now_us)
    .fetch_all(tx)
    .await
}

/// Removes everything with which somebody could come in.
pub(crate) async fn remove_secrets(tx: &mut PgConnection, account: Uuid) -> sqlx::Result<()> {
    for statement in [
        "DELETE FROM credential WHERE account_id = $1",
        "DELETE FROM totp WHERE account_id = $1",
        "DELETE FROM totp_replacement WHERE account_id = $1",
        "DELETE FROM recovery_code WHERE account_id = $1",
        "DELETE FROM registration WHERE account_id = $1",
    ] {
        sqlx::query(statement).bind(account).execute(&mut *tx).await?;
    }
    Ok(())
}
