//! What is due at the processor: attempts without an answer, refunds under way.
use crate::cashier::Cashier;
use crate::store::{attempt, refund};
use docket_service::Stop;
use std::time::Duration;

/// How often the rows are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Longest pause between two questions about one attempt, in microseconds.
const LONGEST_PAUSE_US: i64 = 300_000_000;
/// Pause before a refund is asked for again, in microseconds.
const REFUND_PAUSE_US: i64 = 5_000_000;

/// Asks for what is due until told to stop.
///
/// # Errors
/// None: what fails is tried again.
pub async fn run(cashier: Cashier, stop: Stop) -> anyhow::Result<()> {
    while !stop.is_cancelled() {
        if let Err(error) = once(&cashier).await {
            tracing::warn!(
                error = format!("{error:#}"),
                "what is due at the processor could not be asked; tried again"
            );
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
    Ok(())
}

async fn once(cashier: &Cashier) -> anyhow::Result<()> {
    let now_us = cashier.clock.now().as_microsecond();
    for open in attempt::take_due(&cashier.pool, now_us, now_us + pause_us(0)).await? {
        let again = now_us + pause_us(open.tries);
        attempt::put_off(&cashier.pool, open.attempt_id, again).await?;
        cashier.ask(&open).await?;
    }
    for due in refund::take_due(&cashier.pool, now_us, now_us + REFUND_PAUSE_US).await? {
        cashier.give_back(&due).await?;
    }
    Ok(())
}

/// Doubling pauses from three seconds on.
fn pause_us(tries: i32) -> i64 {
    let factor = 1_i64 << tries.clamp(0, 10);
    (3_000_000 * factor).min(LONGEST_PAUSE_US)
}
