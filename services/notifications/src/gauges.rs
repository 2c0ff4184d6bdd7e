//! A gauge of the mail that waits: a relay that takes nothing is seen by nobody else.

use std::time::Duration;

use docket_service::{Base, Rounds, Stop};

use crate::store::delivery;

/// How often the ledger is looked at.
const LOOK: Duration = Duration::from_secs(5);

/// Tells until `stop` how long the oldest mail has waited. A database that is away leaves the last number standing;
/// readiness tells of that.
///
/// # Errors
/// None: what fails is tried again.
pub(crate) async fn run(base: Base, stop: Stop) -> anyhow::Result<()> {
    let mut rounds = Rounds::every(LOOK, "the mail that waits could not be looked at");
    while rounds.go_on(&stop).await {
        rounds.turn(tell(&base)).await;
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "a gauge of a small number")]
async fn tell(base: &Base) -> anyhow::Result<()> {
    let now_us = base.clock.now().as_microsecond();
    let age_us = delivery::oldest(&base.pool).await?.map_or(0, |since_us| (now_us - since_us).max(0));
    metrics::gauge!("docket_mail_oldest_age_seconds").set(age_us as f64 / 1e6);
    Ok(())
}
