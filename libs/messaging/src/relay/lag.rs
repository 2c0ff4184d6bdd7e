//! How far the stream is behind the log, measured also while nothing can be published.

use std::convert::Infallible;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::Relay;
use crate::Error;

/// How often it is measured.
const MEASURE: Duration = Duration::from_secs(2);
/// A broker that takes longer is away: what the stream was last known to hold counts.
const ANSWER: Duration = Duration::from_secs(1);

impl Relay {
    /// Measures for ever, in every replica: from the positions of log and stream, whoever publishes.
    pub(super) async fn watch_lag(&self) -> Infallible {
        // Each replica knows it by itself: one without the turn publishes nothing.
        let mut known = None;
        loop {
            if let Err(error) = self.measure_lag(&mut known).await {
                tracing::debug!(log = self.log.name(), %error, "the relay's lag could not be measured");
            }
            sleep(MEASURE).await;
        }
    }

    /// Tells nothing before the broker was first met: that the stream holds nothing would be a guess.
    #[expect(clippy::cast_precision_loss, reason = "gauges; positions stay far below 2^52")]
    async fn measure_lag(&self, known: &mut Option<u64>) -> Result<(), Error> {
        let log = self.log.name();
        let answer = timeout(ANSWER, self.broker.stream(log)).await.ok().and_then(Result::ok);
        *known = match answer {
            Some(stream) => Some(stream.map_or(0, |stream| stream.cached_info().state.last_sequence)),
            // What was acknowledged since the last measurement, where it was this replica that published.
            None => (*known).map(|known| known.max(self.published.load(Ordering::Relaxed))),
        };
        let Some(stands) = *known else { return Ok(()) };
        let head = self.log.head().await?.position;
        let waiting = if stands < head { self.log.read(stands, 1).await? } else { Vec::new() };
        let seconds = waiting.first().map_or(0.0, |event| {
            self.log.clock().now().duration_since(event.recorded_at).as_secs_f64().max(0.0)
        });
        metrics::gauge!("docket_relay_position", "log" => log).set(stands as f64);
        metrics::gauge!("docket_relay_lag_events", "log" => log).set(head.saturating_sub(stands) as f64);
        metrics::gauge!("docket_relay_lag_seconds", "log" => log).set(seconds);
        Ok(())
    }
}
