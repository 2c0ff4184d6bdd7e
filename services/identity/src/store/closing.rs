//! The rows of an account that was erased: its secrets go.

use sqlx::PgConnection;
use uuid::Uuid;

/// Removes everything with which somebody could come in.
pub(crate) async fn remove_secrets(tx: &mut PgConnection, account: Uuid) -> sqlx::Result<()> {
    for statement in [
        "DELETE FROM credential WHERE account_id = $1",
        "DELETE FROM totp WHERE account_id = $1",
        "DELETE FROM totp_replacement WHERE account_id = $1",
        "DELETE FROM recovery_code WHERE account_id = $1",
        "DELETE FROM registration WHERE account_id = $1",
        "DELETE FROM email_change WHERE account_id = $1",
    ] {
        sqlx::query(statement).bind(account).execute(&mut *tx).await?;
    }
    Ok(())
}
