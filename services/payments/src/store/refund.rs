//! Refunds on their way to the processor.
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// A refund that the processor has not done yet.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Refund {
    /// Refund id, and the processor's idempotency key.
    pub refund_id: Uuid,
    /// Payment.
    pub payment_id: Uuid,
    /// Filing.
    pub filing_id: Uuid,
    /// Amount in cents.
    pub amount_cents: i64,
    /// The processor's reference of the payment.
    pub processor_reference: String,
}

/// Writes a refund in the transaction of its event.
pub async fn begin(tx: &mut PgConnection, refund: &Refund, next_try_at_us: i64) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO refund (refund_id, payment_id, filing_id, amount_cents, processor_reference, next_try_at_us)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (refund_id) DO NOTHING",
    )
    .bind(refund.refund_id)
    .bind(refund.payment_id)
    .bind(refund.filing_id)
    .bind(refund.amount_cents)
    .bind(&refund.processor_reference)
    .bind(next_try_at_us)
    .execute(tx)
    .await?;
    Ok(())
}

/// Closes a refund.
pub async fn close(tx: &mut PgConnection, refund_id: Uuid) -> sqlx::Result<()> {
    sqlx::query("UPDATE refund SET issued = true WHERE refund_id = $1")
        .bind(refund_id)
        .execute(tx)
        .await?;
    Ok(())
}

/// Takes refunds that are due and puts their next try off.
pub async fn take_due(pool: &PgPool, now_us: i64, again_at_us: i64) -> sqlx::Result<Vec<Refund>> {
    sqlx::query_as(
        "UPDATE refund SET next_try_at_us = $2
         WHERE refund_id IN (SELECT refund_id FROM refund WHERE NOT issued AND next_try_at_us <= $1
                             ORDER BY next_try_at_us LIMIT 20 FOR UPDATE SKIP LOCKED)
         RETURNING refund_id, payment_id, filing_id, amount_cents, processor_reference",
    )
    .bind(now_us)
    .bind(again_at_us)
    .fetch_all(pool)
    .await
}
