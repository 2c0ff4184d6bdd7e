//! `filing`: whose filing it is, newest first.

use sqlx::{PgConnection, PgExecutor, PgPool, Result};
use uuid::Uuid;

/// Writes the row of a filing that was begun.
pub(crate) async fn insert(
    tx: &mut PgConnection,
    filing: Uuid,
    account: Uuid,
    form: &str,
    started_at_us: i64,
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO filing (filing_id, account_id, form, started_at_us) VALUES ($1, $2, $3, $4)
         ON CONFLICT (filing_id) DO NOTHING",
        filing,
        account,
        form,
        started_at_us
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The account's filings before `before` (none: from the newest), newest first.
pub(crate) async fn of_account(
    pool: &PgPool,
    account: Uuid,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "SELECT filing_id FROM filing
         WHERE account_id = $1 AND ($2::uuid IS NULL OR filing_id < $2)
         ORDER BY filing_id DESC LIMIT $3",
        account,
        before as Option<Uuid>,
        limit
    )
    .fetch_all(pool)
    .await
}

/// Forms of the account's other filings with a pending case.
pub(crate) async fn pending_forms(db: impl PgExecutor<'_>, account: Uuid, but: Uuid) -> Result<Vec<String>> {
    sqlx::query_scalar!(
        "SELECT DISTINCT form FROM filing WHERE account_id = $1 AND filing_id <> $2 AND pending",
        account,
        but
    )
    .fetch_all(db)
    .await
}

/// Notes whether the filing's case is pending.
pub(crate) async fn set_pending(tx: &mut PgConnection, filing: Uuid, pending: bool) -> Result<()> {
    sqlx::query!("UPDATE filing SET pending = $2 WHERE filing_id = $1", filing, pending).execute(tx).await?;
    Ok(())
}
