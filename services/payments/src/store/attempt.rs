//! Attempts at the processor: written before it is asked, settled after its answer.
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// First pause before the processor is asked again, in microseconds; doubled each time.
const FIRST_PAUSE_US: i64 = 3_000_000;
/// Longest pause, in microseconds.
const LONGEST_PAUSE_US: i64 = 300_000_000;

/// An attempt.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Attempt id, and the processor's idempotency key.
    pub attempt_id: Uuid,
    /// Payment.
    pub payment_id: Uuid,
    /// Amount in cents.
    pub amount_cents: i64,
    /// The processor's token of the card; empty once there is an outcome.
    pub method_token: String,
    /// When it was begun, microseconds since the epoch.
    pub started_at_us: i64,
    /// `settled`, `refused`; none while it is open.
    pub outcome: Option<String>,
    /// The processor that is asked, by its name; empty in those from before it was kept.
    pub processor: String,
    /// The processor's reference of what was asked for, or what settled it; empty while it is not known.
    pub intent: String,
}

/// Writes an attempt in the transaction of its event; whether there was none. It is asked for again unless it is closed within the
/// first pause.
pub async fn begin(tx: &mut PgConnection, attempt: &Attempt) -> sqlx::Result<bool> {
    let written = sqlx::query!(
        "INSERT INTO attempt (attempt_id, payment_id, amount_cents, method_token, started_at_us, next_try_at_us, processor)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (attempt_id) DO NOTHING",
        attempt.attempt_id,
        attempt.payment_id,
        attempt.amount_cents,
        attempt.method_token,
        attempt.started_at_us,
        attempt.started_at_us + FIRST_PAUSE_US,
        &attempt.processor
    )
    .execute(tx)
    .await?;
    Ok(written.rows_affected() == 1)
}

/// An attempt, whatever came of it.
pub async fn find(pool: &PgPool, attempt_id: Uuid) -> sqlx::Result<Option<Attempt>> {
    sqlx::query_as!(
        Attempt,
        "SELECT attempt_id, payment_id, amount_cents, method_token, started_at_us, outcome, intent, processor
         FROM attempt WHERE attempt_id = $1",
        attempt_id
    )
    .fetch_optional(pool)
    .await
}

/// Notes that the processor is about to be asked for money; gives how often it was, this time among them.
pub async fn asks(pool: &PgPool, attempt_id: Uuid) -> sqlx::Result<i32> {
    sqlx::query_scalar!(
        "UPDATE attempt SET asked = asked + 1 WHERE attempt_id = $1 RETURNING asked",
        attempt_id
    )
    .fetch_one(pool)
    .await
}

/// Keeps the processor's reference of what was asked for, so that from here on it is only looked at; the first one stays.
pub async fn keep_intent(pool: &PgPool, attempt_id: Uuid, intent: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE attempt SET intent = $2 WHERE attempt_id = $1 AND intent = '' AND outcome IS NULL",
        attempt_id,
        intent
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Closes an attempt that a charge settled; the card's token is of no use any more and goes.
pub async fn settled(tx: &mut PgConnection, attempt_id: Uuid, intent: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE attempt SET outcome = 'settled', intent = $2, method_token = ''
         WHERE attempt_id = $1 AND outcome IS NULL",
        attempt_id,
        intent
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Closes an attempt that was refused; so with the card's token.
pub async fn refused(tx: &mut PgConnection, attempt_id: Uuid) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE attempt SET outcome = 'refused', method_token = '' WHERE attempt_id = $1 AND outcome IS NULL",
        attempt_id
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The names of the processors that were asked for money since an instant, microseconds since the epoch.
pub async fn asked_since(pool: &PgPool, since_us: i64) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!("SELECT DISTINCT processor FROM attempt WHERE started_at_us >= $1", since_us)
        .fetch_all(pool)
        .await
}

/// Which of these references settled an attempt.
pub async fn settled_by(pool: &PgPool, intents: &[String]) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!("SELECT intent FROM attempt WHERE outcome = 'settled' AND intent = ANY($1)", intents)
        .fetch_all(pool)
        .await
}

/// Takes open attempts that are due and puts their next try off, so that two replicas do not ask at once.
pub async fn take_due(pool: &PgPool, now_us: i64) -> sqlx::Result<Vec<Attempt>> {
    sqlx::query_as!(
        Attempt,
        "UPDATE attempt
         SET tries = tries + 1, next_try_at_us = $1::bigint + LEAST($2::bigint << LEAST(tries, 10), $3::bigint)
         WHERE attempt_id IN (SELECT attempt_id FROM attempt WHERE outcome IS NULL AND next_try_at_us <= $1
                              ORDER BY next_try_at_us LIMIT 20 FOR UPDATE SKIP LOCKED)
         RETURNING attempt_id, payment_id, amount_cents, method_token, started_at_us, outcome, intent, processor",
        now_us,
        FIRST_PAUSE_US,
        LONGEST_PAUSE_US
    )
    .fetch_all(pool)
    .await
}
