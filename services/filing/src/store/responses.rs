//! `response`: whose response it is, newest first.

use sqlx::{PgConnection, PgPool, Result};
use uuid::Uuid;

/// Most responses listed.
const MOST: i64 = 100;

/// Writes the row of a response that was opened.
pub(crate) async fn insert(
    tx: &mut PgConnection,
    response: Uuid,
    account: Uuid,
    opened_at_us: i64,
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO response (response_id, account_id, opened_at_us) VALUES ($1, $2, $3)
         ON CONFLICT (response_id) DO NOTHING",
        response,
        account,
        opened_at_us
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The account's responses, newest first.
pub(crate) async fn of_account(pool: &PgPool, account: Uuid) -> Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "SELECT response_id FROM response WHERE account_id = $1
         ORDER BY opened_at_us DESC, response_id LIMIT $2",
        account,
        MOST
    )
    .fetch_all(pool)
    .await
}
