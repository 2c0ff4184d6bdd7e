//! Refunds on their way to the processor.
use super::owed;
use crate::domain::payment::{self, Payment};
use docket_eventlog::{Error, EventLog, Recorded};
use jiff::Timestamp;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// First pause before a refund is asked for again, in microseconds; doubled each time.
const FIRST_PAUSE_US: i64 = 5_000_000;
/// Longest pause, in microseconds.
const LONGEST_PAUSE_US: i64 = 3_600_000_000;

/// Money that goes back by the processor.
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
    /// The processor's reference of the charge that it goes back from.
    pub processor_reference: String,
    /// That processor's name; empty in those from before it was kept.
    pub processor: String,
}

/// Brings the rows in step with the payment's fold, in the transaction of its events: refunds that are under way are due at
/// once, and those that are no more, because the money is gone another way, are dropped. Gives the dropped ones, each with how often
/// its money had come back.
async fn keep_in_step(
    tx: &mut PgConnection,
    payment: &Payment,
    payment_id: Uuid,
    due_at: Timestamp,
) -> sqlx::Result<Vec<(Uuid, u32)>> {
    let open = payment.refunds.iter().filter(|refund| !refund.issued);
    let open: Vec<(Uuid, &payment::Refund)> = open.map(|refund| (id(&refund.refund_id), refund)).collect();
    let ids: Vec<Uuid> = open.iter().map(|(refund_id, _)| *refund_id).collect();
    let dropped = sqlx::query!(
        "DELETE FROM refund WHERE payment_id = $1 AND NOT issued AND refund_id <> ALL($2::uuid[])
         RETURNING refund_id, came_back",
        payment_id,
        &ids
    )
    .fetch_all(&mut *tx)
    .await?;
    for (refund_id, refund) in open {
        sqlx::query!(
            "INSERT INTO refund (refund_id, payment_id, filing_id, amount_cents, processor_reference, next_try_at_us, processor)
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (refund_id) DO NOTHING",
            refund_id,
            payment_id,
            id(&refund.filing_id),
            refund.amount_cents,
            &refund.charge,
            due_at.as_microsecond(),
            &refund.processor
        )
        .execute(&mut *tx)
        .await?;
    }
    let dropped = dropped.into_iter();
    Ok(dropped.map(|row| (row.refund_id, u32::try_from(row.came_back).unwrap_or_default())).collect())
}

/// The same, with the obligations that the events open and close.
pub async fn follow(
    log: &EventLog,
    tx: &mut PgConnection,
    payment_id: Uuid,
    (events, payment): (&[Recorded], &Payment),
    due_at: Timestamp,
) -> Result<(), Error> {
    let dropped = keep_in_step(tx, payment, payment_id, due_at).await?;
    owed::dropped(log, tx, &dropped, events).await?;
    owed::follow(log, tx, events, payment).await
}

/// Our id of a row, as events write it.
pub fn id(text: &str) -> Uuid {
    Uuid::try_parse(text).unwrap_or_default()
}

/// Closes a refund.
pub async fn close(tx: &mut PgConnection, refund_id: Uuid) -> sqlx::Result<()> {
    sqlx::query!("UPDATE refund SET issued = true WHERE refund_id = $1", refund_id).execute(tx).await?;
    Ok(())
}

/// Opens one again whose money came back; it is looked at again in a while.
pub async fn reopen(tx: &mut PgConnection, refund_id: Uuid, now_us: i64) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE refund SET issued = false, came_back = came_back + 1, next_try_at_us = $2 + $3::bigint
         WHERE refund_id = $1 AND issued",
        refund_id,
        now_us,
        LONGEST_PAUSE_US
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// A refund, whatever came of it.
pub async fn find(pool: &PgPool, refund_id: Uuid) -> sqlx::Result<Option<Refund>> {
    sqlx::query_as!(
        Refund,
        "SELECT refund_id, payment_id, filing_id, amount_cents, processor_reference, processor
         FROM refund WHERE refund_id = $1",
        refund_id
    )
    .fetch_optional(pool)
    .await
}

/// Takes refunds that are due and puts their next try off.
pub async fn take_due(pool: &PgPool, now_us: i64) -> sqlx::Result<Vec<Refund>> {
    sqlx::query_as!(
        Refund,
        "UPDATE refund
         SET tries = tries + 1, next_try_at_us = $1::bigint + LEAST($2::bigint << LEAST(tries, 10), $3::bigint)
         WHERE refund_id IN (SELECT refund_id FROM refund WHERE NOT issued AND next_try_at_us <= $1
                             ORDER BY next_try_at_us LIMIT 20 FOR UPDATE SKIP LOCKED)
         RETURNING refund_id, payment_id, filing_id, amount_cents, processor_reference, processor",
        now_us,
        FIRST_PAUSE_US,
        LONGEST_PAUSE_US
    )
    .fetch_all(pool)
    .await
}
