//! The double-entry ledger: each event's postings add up to zero; nothing in it is ever changed.
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// What the processor owes us.
pub const PROCESSOR_RECEIVABLE: &str = "processor_receivable";
/// Fees received.
pub const FEES_RECEIVED: &str = "fees_received";

/// Moves an amount from one ledger account to another: credit `from`, debit `to`.
pub async fn transfer(
    tx: &mut PgConnection,
    event_id: Uuid,
    payment_id: Uuid,
    from: &str,
    to: &str,
    amount_cents: i64,
    recorded_at_us: i64,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO posting (event_id, line, payment_id, ledger_account, amount_cents, recorded_at_us)
         VALUES ($1, 1, $2, $3, $5, $6), ($1, 2, $2, $4, -$5, $6)",
    )
    .bind(event_id)
    .bind(payment_id)
    .bind(to)
    .bind(from)
    .bind(amount_cents)
    .bind(recorded_at_us)
    .execute(tx)
    .await?;
    Ok(())
}

/// Balances, debit positive. Their sum is zero, or the ledger is broken.
pub async fn balances(pool: &PgPool) -> sqlx::Result<Vec<(String, i64)>> {
    sqlx::query_as(
        "SELECT ledger_account, sum(amount_cents)::bigint FROM posting GROUP BY 1 ORDER BY 1",
    )
    .fetch_all(pool)
    .await
}
