//! Attempts at the processor: written before it is asked, settled after its answer.
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// An attempt whose outcome is open.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Attempt {
    /// Attempt id, and the processor's idempotency key.
    pub attempt_id: Uuid,
    /// Payment.
    pub payment_id: Uuid,
    /// Amount in cents.
    pub amount_cents: i64,
    /// The processor's token of the card.
    pub method_token: String,
    /// When it was begun, microseconds since the epoch.
    pub started_at_us: i64,
    /// How often the processor was asked.
    pub tries: i32,
}

/// Writes an attempt in the transaction of its event.
pub async fn begin(tx: &mut PgConnection, attempt: &Attempt, next_try_at_us: i64) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO attempt (attempt_id, payment_id, amount_cents, method_token, started_at_us, next_try_at_us)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (attempt_id) DO NOTHING",
    )
    .bind(attempt.attempt_id)
    .bind(attempt.payment_id)
    .bind(attempt.amount_cents)
    .bind(&attempt.method_token)
    .bind(attempt.started_at_us)
    .bind(next_try_at_us)
    .execute(tx)
    .await?;
    Ok(())
}

/// An attempt, whatever came of it.
pub async fn find(pool: &PgPool, attempt_id: Uuid) -> sqlx::Result<Option<Attempt>> {
    sqlx::query_as("SELECT attempt_id, payment_id, amount_cents, method_token, started_at_us, tries FROM attempt WHERE attempt_id = $1")
        .bind(attempt_id)
        .fetch_optional(pool)
        .await
}

/// Closes an attempt; the card's token is of no use any more and goes.
pub async fn close(tx: &mut PgConnection, attempt_id: Uuid, outcome: &str) -> sqlx::Result<()> {
    sqlx::query("UPDATE attempt SET outcome = $2, method_token = '' WHERE attempt_id = $1 AND outcome IS NULL")
        .bind(attempt_id)
        .bind(outcome)
        .execute(tx)
        .await?;
    Ok(())
}

/// Takes open attempts that are due and puts their next try off, so that two replicas do not ask at once.
pub async fn take_due(pool: &PgPool, now_us: i64, again_at_us: i64) -> sqlx::Result<Vec<Attempt>> {
    sqlx::query_as(
        "UPDATE attempt SET tries = tries + 1, next_try_at_us = $2
         WHERE attempt_id IN (SELECT attempt_id FROM attempt WHERE outcome IS NULL AND next_try_at_us <= $1
                              ORDER BY next_try_at_us LIMIT 20 FOR UPDATE SKIP LOCKED)
         RETURNING attempt_id, payment_id, amount_cents, method_token, started_at_us, tries",
    )
    .bind(now_us)
    .bind(again_at_us)
    .fetch_all(pool)
    .await
}

/// Puts the next question off.
pub async fn put_off(pool: &PgPool, attempt_id: Uuid, next_try_at_us: i64) -> sqlx::Result<()> {
    sqlx::query("UPDATE attempt SET next_try_at_us = $2 WHERE attempt_id = $1")
        .bind(attempt_id)
        .bind(next_try_at_us)
        .execute(pool)
        .await?;
    Ok(())
}
