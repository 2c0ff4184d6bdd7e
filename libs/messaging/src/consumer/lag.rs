//! How far a consumer is behind the log, by positions: right also while the broker is empty or away.

use std::convert::Infallible;
use std::time::Duration;

use docket_database::{WORK, within};
use tokio::time::sleep;

use super::Core;
use crate::Error;

/// How often it is measured.
const MEASURE: Duration = Duration::from_secs(5);

/// Measures for ever.
pub(crate) async fn watch(core: &Core) -> Infallible {
    loop {
        if let Err(error) = within(WORK, measure(core)).await {
            tracing::debug!(log = core.log, %error, "the consumer's lag could not be measured");
        }
        sleep(MEASURE).await;
    }
}

#[expect(clippy::cast_precision_loss, reason = "gauges; positions stay far below 2^52")]
async fn measure(core: &Core) -> Result<(), Error> {
    let done = sqlx::query_scalar!(
        "SELECT min(position) FROM log.consumer_checkpoint WHERE consumer = $1 AND log = $2",
        &core.service,
        &core.log
    )
    .fetch_one(&core.pool)
    .await?
    .unwrap_or_default()
    .unsigned_abs();
    let head = core.feed.head(&core.log).await?.position;
    let waiting = if done < head { core.feed.read(&core.log, done, 1).await? } else { Vec::new() };
    let seconds = waiting
        .first()
        .map_or(0.0, |event| core.clock.now().duration_since(event.recorded_at).as_secs_f64().max(0.0));
    let labels = core.labels();
    metrics::gauge!("docket_consumer_lag_events", &labels).set(head.saturating_sub(done) as f64);
    metrics::gauge!("docket_consumer_lag_seconds", &labels).set(seconds);
    Ok(())
}
