//! The double-entry ledger: each event's postings add up to zero; nothing in it is ever changed.
use crate::domain::payment::Payment;
use crate::domain::posting::{Moved, postings};
use docket_eventlog::Recorded;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// Writes the postings of a payment's events, in their transaction, with the payment as it stands after them.
///
/// # Errors
/// The database; an event that cannot be read.
pub async fn post(
    tx: &mut PgConnection,
    payment_id: Uuid,
    events: &[Recorded],
    payment: &Payment,
) -> Result<(), docket_eventlog::Error> {
    for recorded in events {
        for (nth, moved) in (0..).zip(postings(&recorded.decode()?, payment)) {
            transfer(tx, recorded, nth, payment_id, moved).await?;
        }
    }
    Ok(())
}

/// Writes the two lines of the event's `nth` amount.
async fn transfer(
    tx: &mut PgConnection,
    event: &Recorded,
    nth: i16,
    payment_id: Uuid,
    (from, to, amount_cents): Moved,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO posting (event_id, line, payment_id, ledger_account, amount_cents, recorded_at_us)
         VALUES ($1::uuid, $7::smallint, $2::uuid, $3::text, $5::bigint, $6::bigint),
                ($1, $7 + 1::smallint, $2, $4::text, -($5), $6)",
        event.event_id,
        payment_id,
        to,
        from,
        amount_cents,
        event.recorded_at.as_microsecond(),
        nth * 2 + 1
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Balances, debit positive. Their sum is zero, or the ledger is broken.
pub async fn balances(pool: &PgPool) -> sqlx::Result<Vec<(String, i64)>> {
    let rows = sqlx::query!(
        r#"SELECT ledger_account, sum(amount_cents)::bigint AS "balance_cents!" FROM posting GROUP BY 1 ORDER BY 1"#
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|row| (row.ledger_account, row.balance_cents)).collect())
}

/// What the balances add up to, in cents: zero, or the ledger is broken.
pub async fn imbalance(pool: &PgPool) -> sqlx::Result<i64> {
    Ok(balances(pool).await?.iter().map(|(_, cents)| cents).sum())
}
