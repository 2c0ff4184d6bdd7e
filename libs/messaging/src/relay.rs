//! The relay: publishes a log to its JetStream stream, in order, each event at the sequence of its position.
//!
//! Every publication names the sequence before it, so two relays cannot interleave and nothing is
//! published twice; what the stream holds is the relay's only memory.

use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::jetstream::context::PublishAckFuture;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::Stream;
use docket_eventlog::{EventLog, Recorded};
use tokio::time::{Instant, sleep, timeout};
use tracing::Instrument as _;

use crate::broker::stream_epoch;
use crate::lock::Lock;
use crate::{Broker, EPOCH, Error, Stop, trace};

/// Events published before their acknowledgements are awaited.
const BATCH: u32 = 256;
/// Commits of other processes are not announced: the head is looked at this often.
const GLANCE: Duration = Duration::from_millis(100);
/// How often an idle relay proves its lock and that the stream still holds everything.
const INSPECT: Duration = Duration::from_secs(2);
/// A broker that is away this long is worth a line in the log; a new leader takes some 6 s.
const QUIET: Duration = Duration::from_secs(10);
const MOST_PAUSE: Duration = Duration::from_secs(2);

/// Publishes one log.
#[derive(Debug)]
pub struct Relay {
    log: EventLog,
    broker: Broker,
}

impl Relay {
    /// The relay of `log`.
    pub fn new(log: EventLog, broker: Broker) -> Self {
        Self { log, broker }
    }

    /// Publishes until `stop`; of several replicas one at a time. A broker or database that is away is waited for.
    ///
    /// # Errors
    /// [`Error::Halted`] when the stream holds what the log does not: going on would mix two histories.
    pub async fn run(self, stop: Stop) -> Result<(), Error> {
        let mut pause = Duration::from_millis(100);
        let mut troubled: Option<Instant> = None;
        while !stop.is_cancelled() {
            let before = Instant::now();
            match self.session(&stop).await {
                Ok(()) | Err(Error::Stopping) => break,
                Err(Error::Halted(reason)) => {
                    tracing::error!(log = self.log.name(), reason, "the relay stopped");
                    metrics::gauge!("docket_relay_halted", "log" => self.log.name()).set(1.0);
                    return Err(Error::Halted(reason));
                }
                Err(error) => {
                    if before.elapsed() > QUIET {
                        (pause, troubled) = (Duration::from_millis(100), None);
                    }
                    let since = *troubled.get_or_insert(before);
                    if since.elapsed() > QUIET {
                        tracing::warn!(log = self.log.name(), %error, "the relay cannot publish; it keeps trying");
                        troubled = Some(Instant::now());
                    } else {
                        tracing::debug!(log = self.log.name(), %error, "the relay tries again");
                    }
                }
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = sleep(pause) => pause = (pause * 2).min(MOST_PAUSE),
            }
        }
        Ok(())
    }

    /// Publishes while nothing goes wrong.
    async fn session(&self, stop: &Stop) -> Result<(), Error> {
        let name = format!("docket.relay.{}", self.log.name());
        let mut lock = Lock::wait(self.log.pool(), &name, stop).await?;
        let outcome = self.publish_all(&mut lock, stop).await;
        lock.release().await;
        outcome
    }

    async fn publish_all(&self, lock: &mut Lock, stop: &Stop) -> Result<(), Error> {
        let mut head = self.log.subscribe_head();
        let (mut last, epoch) = self.resume().await?;
        let mut inspected = Instant::now();
        while !stop.is_cancelled() {
            let events = self.log.read(last, BATCH).await?;
            if !events.is_empty() {
                last = self.publish(&events, epoch).await?;
                gauge(self.log.name(), last, *head.borrow());
                continue;
            }
            if inspected.elapsed() > INSPECT {
                lock.check().await?;
                last = self.resume().await?.0;
                inspected = Instant::now();
                continue;
            }
            tokio::select! {
                () = stop.cancelled() => break,
                _ = timeout(GLANCE, head.changed()) => {}
            }
        }
        Ok(())
    }

    /// The last position the stream holds, and the log's epoch; proves that both tell the same history.
    async fn resume(&self) -> Result<(u64, u64), Error> {
        let head = self.log.head().await?;
        let epoch = head.epoch.number;
        let stream = self.broker.ensure_stream(self.log.name(), epoch).await?;
        let info = stream.cached_info();
        let last = info.state.last_sequence;
        if stream_epoch(info).is_some_and(|of_stream| of_stream != epoch) {
            return Err(Error::Halted("the stream is of another epoch than the log: wipe it".to_owned()));
        }
        if last > head.position {
            return Err(Error::Halted(format!(
                "the stream ends at {last}, the log at {}: the log was restored without a new epoch",
                head.position
            )));
        }
        if last > 0 {
            self.same_event(&stream, last).await?;
        }
        Ok((last, epoch))
    }

    /// The stream's last message must be the log's event at that position.
    async fn same_event(&self, stream: &Stream, position: u64) -> Result<(), Error> {
        let message = stream.direct_get(position).await.map_err(Error::broker)?;
        let ours = self.log.read(position - 1, 1).await?;
        let ours = ours.first().map(|event| event.event_id.to_string());
        let theirs = message.headers.get("ce-id").map(|id| id.as_str().to_owned());
        if ours != theirs {
            return Err(Error::Halted(format!("the stream holds another event than the log at {position}")));
        }
        Ok(())
    }

    /// Publishes a run of events and waits until the broker has them all; gives the last position.
    async fn publish(&self, events: &[Recorded], epoch: u64) -> Result<u64, Error> {
        let span = tracing::info_span!(
            "publish", otel.kind = "producer", messaging.system = "nats", messaging.operation.type = "send",
            messaging.destination.name = self.log.name(), messaging.batch.message_count = events.len(),
        );
        // A batch belongs to no one trace.
        for event in events {
            trace::link(&span, &event.metadata.traceparent);
        }
        async {
            let mut acks: Vec<(u64, PublishAckFuture)> = Vec::with_capacity(events.len());
            for event in events {
                let subject = format!("docket.{}.{}", event.log, event.kind);
                let sent = self.broker.jetstream().send_publish(subject, message(event, epoch)).await;
                acks.push((event.position, sent.map_err(Error::broker)?));
            }
            let mut last = 0;
            for (position, ack) in acks {
                let ack = ack.await.map_err(Error::broker)?;
                if ack.sequence != position {
                    return Err(Error::Halted(format!(
                        "position {position} became sequence {}",
                        ack.sequence
                    )));
                }
                last = position;
            }
            Ok(last)
        }
        .instrument(span)
        .await
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

#[expect(clippy::cast_precision_loss, reason = "a gauge; positions stay far below 2^52")]
fn gauge(log: &'static str, position: u64, head: u64) {
    metrics::gauge!("docket_relay_position", "log" => log).set(position as f64);
    metrics::gauge!("docket_relay_lag_events", "log" => log).set(head.saturating_sub(position) as f64);
}
