//! The double-entry ledger: each event's postings add up to zero; nothing in it is ever changed.
use docket_eventlog::Recorded;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// What the processor owes us.
pub const PROCESSOR_RECEIVABLE: &str = "processor_receivable";
/// Fees received.
pub const FEES_RECEIVED: &str = "fees_received";

/// Moves an amount because of an event, in its transaction: credit `from`, debit `to`.
pub async fn transfer(
    tx: &mut PgConnection,
    event: &Recorded,
    payment_id: Uuid,
    from: &str,
    to: &str,
    amount_cents: i64,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO posting (event_id, line, payment_id, ledger_account, amount_cents, recorded_at_us)
         VALUES ($1::uuid, 1, $2::uuid, $3::text, $5::bigint, $6::bigint), ($1, 2, $2, $4::text, -($5), $6)",
        event.event_id,
        payment_id,
        to,
        from,
        amount_cents,
        event.recorded_at.as_microsecond()
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
