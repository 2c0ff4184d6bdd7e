//! Refunds on their way to the processor.
use crate::domain::payment::Payment;
use jiff::Timestamp;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// Pause before a refund is asked for again, in microseconds.
const PAUSE_US: i64 = 5_000_000;

/// A refund that the processor has not done yet.
#[derive(Clone, Debug)]
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

/// Writes a refund that the payment's fold holds, in the transaction of its event; it is due at once. Nothing where the fold
/// holds none of that id.
pub async fn begin(
    tx: &mut PgConnection,
    payment: &Payment,
    payment_id: Uuid,
    refund_id: Uuid,
    due_at: Timestamp,
) -> sqlx::Result<()> {
    let text = refund_id.to_string();
    let held = payment.refunds.iter().find(|refund| refund.refund_id == text);
    let (Some(held), Some(settled)) = (held, &payment.settled) else { return Ok(()) };
    sqlx::query!(
        "INSERT INTO refund (refund_id, payment_id, filing_id, amount_cents, processor_reference, next_try_at_us)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (refund_id) DO NOTHING",
        refund_id,
        payment_id,
        Uuid::try_parse(&held.filing_id).unwrap_or_default(),
        held.amount_cents,
        settled.processor_reference,
        due_at.as_microsecond()
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Drops the refunds of a payment that the processor has not done: the money is gone another way.
pub async fn drop_open(tx: &mut PgConnection, payment_id: Uuid) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM refund WHERE payment_id = $1 AND NOT issued", payment_id).execute(tx).await?;
    Ok(())
}

/// Closes a refund.
pub async fn close(tx: &mut PgConnection, refund_id: Uuid) -> sqlx::Result<()> {
    sqlx::query!("UPDATE refund SET issued = true WHERE refund_id = $1", refund_id).execute(tx).await?;
    Ok(())
}

/// Takes refunds that are due and puts their next try off.
pub async fn take_due(pool: &PgPool, now_us: i64) -> sqlx::Result<Vec<Refund>> {
    sqlx::query_as!(
        Refund,
        "UPDATE refund SET next_try_at_us = $1::bigint + $2::bigint
         WHERE refund_id IN (SELECT refund_id FROM refund WHERE NOT issued AND next_try_at_us <= $1
                             ORDER BY next_try_at_us LIMIT 20 FOR UPDATE SKIP LOCKED)
         RETURNING refund_id, payment_id, filing_id, amount_cents, processor_reference",
        now_us,
        PAUSE_US
    )
    .fetch_all(pool)
    .await
}
