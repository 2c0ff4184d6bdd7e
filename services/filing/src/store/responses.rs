//! `response`: whose response it is, newest first.

use sqlx::{PgConnection, PgPool, Result};
use uuid::Uuid;

/// Writes the row of a response that was opened.
pub(crate) async fn insert(
    tx: &mut PgConnection,
    response: Uuid,
    case: Uuid,
    account: Uuid,
    opened_at_us: i64,
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO response (response_id, account_id, opened_at_us, case_id) VALUES ($1, $2, $3, $4)
         ON CONFLICT (response_id) DO NOTHING",
        response,
        account,
        opened_at_us,
        case
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The responses of the account and of those whom it represents, newest first: those that follow `after`. Each
/// side is found by its own index, as in `filings`.
pub(crate) async fn of_account(
    pool: &PgPool,
    account: Uuid,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        r#"SELECT response_id AS "response_id!" FROM (
             SELECT opened_at_us, response_id FROM response WHERE account_id = $1
             UNION
             SELECT opened_at_us, response_id FROM response
             JOIN filing ON filing_id = case_id JOIN representation USING (representation_id)
             WHERE representative = $1 AND standing = 'active'
         ) AS listed
         WHERE $2::uuid IS NULL OR (opened_at_us, response_id) <
               (SELECT last.opened_at_us, last.response_id FROM response last WHERE last.response_id = $2)
         ORDER BY opened_at_us DESC, response_id DESC LIMIT $3"#,
        account,
        after as Option<Uuid>,
        limit
    )
    .fetch_all(pool)
    .await
}

/// The responses of a case of the account that were opened since an instant, and those of which the case was not kept.
pub(crate) async fn opened_since(
    pool: &PgPool,
    (case, account): (Uuid, Uuid),
    since_us: i64,
) -> Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "SELECT response_id FROM response
         WHERE account_id = $1 AND opened_at_us >= $2 AND (case_id = $3 OR case_id IS NULL)",
        account,
        since_us,
        case
    )
    .fetch_all(pool)
    .await
}
