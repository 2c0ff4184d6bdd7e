//! Who pays which payment, and which payment a filing belongs to.
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// Keeps both in the transaction that opens the payment, or opens it anew for who pays then.
pub async fn keep(
    tx: &mut PgConnection,
    payment: Uuid,
    account: Uuid,
    filings: &[Uuid],
    opened_at_us: i64,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO payer (payment_id, account_id, opened_at_us) VALUES ($1, $2, $3)
         ON CONFLICT (payment_id) DO UPDATE SET account_id = $2, opened_at_us = $3",
        payment,
        account,
        opened_at_us
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "INSERT INTO filing (filing_id, payment_id) SELECT f, $2 FROM unnest($1::uuid[]) AS f ON CONFLICT DO NOTHING",
        filings,
        payment
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The payment that a filing belongs to.
pub async fn payment_of(tx: &mut PgConnection, filing: Uuid) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar!("SELECT payment_id FROM filing WHERE filing_id = $1", filing).fetch_optional(tx).await
}

/// Payments of an account, newest first, from `offset` on.
pub async fn of_account(pool: &PgPool, account: Uuid, limit: i64, offset: i64) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "SELECT payment_id FROM payer WHERE account_id = $1
         ORDER BY opened_at_us DESC, payment_id LIMIT $2 OFFSET $3",
        account,
        limit,
        offset
    )
    .fetch_all(pool)
    .await
}
