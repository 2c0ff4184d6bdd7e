//! The relay: publishes a log to its JetStream stream, in order, each event at the sequence of its position.
//!
//! Every publication names the sequence before it, so two relays cannot interleave and nothing is
//! published twice; what the stream holds is the relay's only memory. `resume` says where to go on,
//! `window` awaits the acknowledgements, `lag` measures.

mod lag;
mod resume;
mod window;

pub use resume::{Compared, compared};

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::jetstream::message::PublishMessage;
use docket_eventlog::{EventLog, Recorded};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tracing::Instrument as _;

use crate::lock::{Lock, TURN};
use crate::sessions::Sessions;
use crate::{Broker, EPOCH, Error, Stop, trace};
use window::Window;

/// Events read from the log at a time.
const BATCH: u32 = 256;
/// Commits of other processes are not announced: the head is looked at this often.
const GLANCE: Duration = Duration::from_millis(100);
/// How often a relay proves that the stream still holds everything.
const INSPECT: Duration = Duration::from_secs(2);
/// So many of the last positions a stream gets that was wiped; consumers ask the owner for older ones.
pub const REFILL: u64 = 100_000;

/// Publishes one log.
#[derive(Debug)]
pub struct Relay {
    log: EventLog,
    broker: Broker,
    refill: u64,
    turn: Duration,
    /// The last position known to stand in the stream.
    published: AtomicU64,
}

impl Relay {
    /// The relay of `log`.
    pub fn new(log: EventLog, broker: Broker) -> Self {
        Self { log, broker, refill: REFILL, turn: TURN, published: AtomicU64::new(0) }
    }

    /// Refills a wiped stream with the last `positions` instead of [`REFILL`].
    #[must_use]
    pub fn refill(self, positions: u64) -> Self {
        Self { refill: positions, ..self }
    }

    /// Lets another relay take over after `turn` without a sign of life, instead of 10 s.
    #[must_use]
    pub fn turn(self, turn: Duration) -> Self {
        Self { turn, ..self }
    }

    /// Publishes until `stop`; of several replicas one at a time. A broker or database that is away is waited for.
    ///
    /// # Errors
    /// [`Error::Halted`] when the stream holds what the log does not: going on would mix two histories.
    pub async fn run(self, stop: Stop) -> Result<(), Error> {
        let log = self.log.name();
        let halted = metrics::gauge!("docket_relay_halted", "log" => log);
        let sessions = Sessions { part: "relay", does: "publish", service: None, log, halted };
        tokio::select! {
            outcome = sessions.hold(&stop, || self.session(&stop)) => outcome,
            never = self.watch_lag() => match never {},
        }
    }

    /// Publishes while nothing goes wrong and the turn is ours.
    async fn session(&self, stop: &Stop) -> Result<(), Error> {
        let name = format!("docket.relay.{}", self.log.name());
        let lock = Lock::wait(self.log.pool(), &name, self.turn, stop).await?;
        let outcome = tokio::select! {
            outcome = self.publish_all(&lock, stop) => outcome,
            error = lock.lost() => Err(error),
        };
        lock.release().await;
        outcome
    }

    async fn publish_all(&self, lock: &Lock, stop: &Stop) -> Result<(), Error> {
        let mut head = self.log.subscribe_head();
        let (mut sent, epoch) = self.resume(lock).await?;
        let mut window = Window::new(&self.published);
        let mut inspected = Instant::now();
        while !stop.is_cancelled() {
            // Also while there is always something to publish, or nobody would ever look.
            if inspected.elapsed() > INSPECT {
                window.drain().await?;
                // Lower than before when the broker lost its last writes; the epoch may have been raised.
                if self.resume(lock).await? != (sent, epoch) {
                    return Err(Error::Again("the stream was changed"));
                }
                inspected = Instant::now();
            }
            let events = self.log.read(sent, BATCH).await?;
            match events.last() {
                Some(last) => {
                    self.publish(&events, epoch, &mut window).await?;
                    sent = last.position;
                }
                None => wait(&mut window, &mut head, stop).await?,
            }
        }
        window.drain().await
    }

    /// Publishes a run of events; what is still unacknowledged afterwards stands in `window`.
    async fn publish(&self, events: &[Recorded], epoch: u64, window: &mut Window<'_>) -> Result<(), Error> {
        let span = tracing::info_span!(
            "publish", otel.kind = "producer", messaging.system = "nats", messaging.operation.type = "send",
            messaging.destination.name = self.log.name(), messaging.batch.message_count = events.len(),
        );
        // A batch belongs to no one trace.
        for event in events {
            trace::link(&span, &event.metadata.traceparent);
        }
        async {
            for event in events {
                window.room().await?;
                let subject = format!("docket.{}.{}", event.log, event.kind);
                let sent = self.broker.jetstream().send_publish(subject, message(event, epoch)).await;
                window.sent(event.position, sent.map_err(Error::broker)?);
            }
            Ok(())
        }
        .instrument(span)
        .await
    }

    /// Notes what is known to stand in the stream.
    fn holds(&self, position: u64) {
        let before = self.published.swap(position, Ordering::Relaxed);
        if position < before {
            tracing::warn!(
                log = self.log.name(),
                before,
                position,
                "the stream lost its last messages; they are published again"
            );
            metrics::counter!("docket_relay_rewinds_total", "log" => self.log.name()).increment(1);
        }
    }
}

/// Takes acknowledgements until the log grew, or may have.
async fn wait(window: &mut Window<'_>, head: &mut watch::Receiver<u64>, stop: &Stop) -> Result<(), Error> {
    let glance = sleep(GLANCE);
    tokio::pin!(glance);
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            Some(acknowledged) = window.next() => acknowledged?,
            _ = head.changed() => return Ok(()),
            () = &mut glance => return Ok(()),
        }
    }
}

/// The message of an event: the stored record, with copies of its marks as `CloudEvents` 1.0 headers.
fn message(event: &Recorded, epoch: u64) -> PublishMessage {
    let mut headers = HeaderMap::new();
    headers.insert("ce-specversion", "1.0");
    headers.insert("ce-id", event.event_id.to_string().as_str());
    headers.insert("ce-source", format!("docket/{}", event.log).as_str());
    headers.insert("ce-type", event.kind.as_str());
    headers.insert("ce-time", event.recorded_at.to_string().as_str());
    headers.insert("ce-subject", event.stream.as_str());
    headers.insert(EPOCH, epoch.to_string().as_str());
    if !event.metadata.traceparent.is_empty() {
        headers.insert("traceparent", event.metadata.traceparent.as_str());
    }
    // In this order: `headers` replaces what was set before.
    PublishMessage::build()
        .payload(event.to_stored().into())
        .headers(headers)
        .expected_last_sequence(event.position - 1)
        .expected_stream(&event.log)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn with_nothing_to_publish_a_relay_rests_until_the_log_grows_or_it_is_time_to_look() {
        let (published, stop) = (AtomicU64::new(0), Stop::new());
        let (grew, mut head) = watch::channel(7);
        let mut rests = async || {
            let begun = Instant::now();
            wait(&mut Window::new(&published), &mut head, &stop).await.unwrap();
            begun.elapsed()
        };
        assert!(rests().await >= GLANCE, "nobody told of a commit");
        grew.send(8).unwrap();
        assert!(rests().await < GLANCE);
        assert!(rests().await >= GLANCE, "that one was seen");
        stop.cancel();
        assert!(rests().await < GLANCE);
    }
}
