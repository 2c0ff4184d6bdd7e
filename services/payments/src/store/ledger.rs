//! The double-entry ledger: each event's postings add up to zero; nothing in it is ever changed.
use docket_eventlog::Recorded;
use docket_proto::events::payment::Event;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// What the processor owes us.
const PROCESSOR_RECEIVABLE: &str = "processor_receivable";
/// Fees received.
const FEES_RECEIVED: &str = "fees_received";

/// What the processor holds because of disputes.
const DISPUTED: &str = "disputed";
/// Fees that were not honoured and are owed again.
const FEES_OWED: &str = "fees_owed";

/// Writes the postings of a payment's events, in their transaction. `cancelled`: the fee is owed no more, so that a late
/// charge is no payment of what is owed.
///
/// # Errors
/// The database; an event that cannot be read.
pub async fn post(
    tx: &mut PgConnection,
    payment_id: Uuid,
    events: &[Recorded],
    cancelled: bool,
) -> Result<(), docket_eventlog::Error> {
    for recorded in events {
        if let Some((from, to, amount_cents)) = posting(&recorded.decode()?, cancelled) {
            transfer(tx, recorded, payment_id, from, to, amount_cents).await?;
        }
    }
    Ok(())
}

/// What an event moves: credit the first account, debit the second.
fn posting(event: &Event, cancelled: bool) -> Option<(&'static str, &'static str, i64)> {
    let moved = match event {
        Event::PaymentOpened(_)
        | Event::PaymentAttempted(_)
        | Event::FeeRefused(_)
        | Event::RefundStarted(_)
        | Event::PayerInvited(_) => return None,
        Event::FeeSettled(settled) => (FEES_RECEIVED, PROCESSOR_RECEIVABLE, settled.amount_cents),
        Event::RefundIssued(issued) => (PROCESSOR_RECEIVABLE, FEES_RECEIVED, issued.amount_cents),
        Event::PaymentDisputed(disputed) => (PROCESSOR_RECEIVABLE, DISPUTED, disputed.amount_cents),
        Event::DisputeWon(won) => (DISPUTED, PROCESSOR_RECEIVABLE, won.amount_cents),
        Event::PaymentReturned(returned) => (DISPUTED, FEES_OWED, returned.amount_cents),
        Event::PaymentMadeGood(made_good) => {
            (if cancelled { FEES_RECEIVED } else { FEES_OWED }, PROCESSOR_RECEIVABLE, made_good.amount_cents)
        }
        Event::FeeCancelled(cancelled) => (FEES_OWED, FEES_RECEIVED, cancelled.amount_cents),
    };
    (moved.2 > 0).then_some(moved)
}

async fn transfer(
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
