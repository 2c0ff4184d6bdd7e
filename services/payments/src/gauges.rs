//! A gauge of the ledger: what its accounts add up to. Anything but nothing is a fault, and nobody would see it by itself.

use std::time::Duration;

use docket_service::{Rounds, Stop};
use sqlx::PgPool;

use crate::store::ledger;

/// How often they are added up: it reads the whole ledger.
const COUNT: Duration = Duration::from_mins(5);

/// Adds up until told to stop. A database that is away leaves the last number standing; readiness tells of that.
///
/// # Errors
/// None: what fails is tried again.
pub async fn run(pool: PgPool, stop: Stop) -> anyhow::Result<()> {
    let mut rounds = Rounds::every(COUNT, "the ledger could not be added up");
    while rounds.go_on(&stop).await {
        rounds.turn(count(&pool)).await;
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "a gauge that stands at zero")]
async fn count(pool: &PgPool) -> anyhow::Result<()> {
    let off = ledger::imbalance(pool).await?;
    if off != 0 {
        tracing::error!(cents = off, "the ledger does not balance");
    }
    metrics::gauge!("docket_ledger_imbalance_cents").set(off as f64);
    Ok(())
}
