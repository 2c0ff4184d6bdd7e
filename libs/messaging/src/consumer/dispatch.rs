//! The dispatcher: takes messages from the broker, puts them in order, and hands them to the lanes.

use std::time::Duration;

use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::{PullConsumer, pull};
use docket_eventlog::Recorded;
use futures::StreamExt as _;
use tokio::sync::mpsc::Sender;
use tokio::time::{Instant, interval};

use super::checkpoint::{At, lane_of};
use super::lane::Work;
use super::{Core, LANES};
use crate::broker::{IN_FLIGHT, stream_epoch};
use crate::lock::Lock;
use crate::{Broker, EPOCH, Error, Stop};

/// The broker's sign of life while there is nothing to deliver.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// How long one request for messages stands.
const EXPIRES: Duration = Duration::from_secs(20);
/// How often idle lanes' checkpoints follow and the lock is proven.
const TIDY: Duration = Duration::from_secs(2);
/// Events fetched from the owner at a time.
const FETCH: u64 = 256;

/// The broker's side of a session.
pub(crate) struct Source {
    messages: pull::Stream,
    consumer: PullConsumer,
    epoch: u64,
    last: u64,
    /// What the broker handed out before this session, to somebody who may have died with it.
    handed: u64,
}

/// Where the dispatcher is.
struct Order {
    /// The next position to hand out.
    next: u64,
    lanes: Vec<Sender<Work>>,
    /// Up to where the lanes were told that nothing remains.
    passed: u64,
}

impl Source {
    /// Opens the durable consumer; none while the stream does not exist.
    pub(crate) async fn open(broker: &Broker, core: &Core) -> Result<Option<Self>, Error> {
        let Some(stream) = broker.stream(&core.log).await? else { return Ok(None) };
        let info = stream.cached_info();
        let (epoch, last) = (stream_epoch(info).unwrap_or(1), info.state.last_sequence);
        let Some(consumer) = broker.ensure_consumer(&core.log, &core.service).await? else { return Ok(None) };
        let handed = consumer.cached_info().delivered.stream_sequence;
        let messages = consumer
            .stream()
            .max_messages_per_batch(IN_FLIGHT)
            .heartbeat(HEARTBEAT)
            .expires(EXPIRES)
            .messages()
            .await
            .map_err(Error::broker)?;
        Ok(Some(Self { messages, consumer, epoch, last, handed }))
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Halts when the checkpoints are of another history than the log.
    pub(crate) async fn check_history(&self, core: &Core, lanes: &[At]) -> Result<(), Error> {
        let furthest = lanes.iter().map(|lane| lane.position).max().unwrap_or_default();
        if let Some(lane) = lanes.iter().find(|lane| lane.epoch != self.epoch) {
            return Err(Error::Halted(format!(
                "the checkpoint is of epoch {}, the stream of epoch {}",
                lane.epoch, self.epoch
            )));
        }
        if self.last >= furthest {
            return Ok(());
        }
        // A stream that was wiped and is being refilled, or a log that lost events? Its owner knows.
        let head = core.feed.head(&core.log).await?;
        if head.epoch != self.epoch || head.position < furthest {
            return Err(Error::Halted(format!(
                "the log ends at {} in epoch {}, but position {furthest} of epoch {} was applied",
                head.position, head.epoch, self.epoch
            )));
        }
        Ok(())
    }

    /// Hands out events from `first` on until something goes wrong or `ending`.
    pub(crate) async fn dispatch(
        mut self,
        core: &Core,
        first: u64,
        lanes: Vec<Sender<Work>>,
        mut lock: Lock,
        ending: &Stop,
    ) -> Result<(), Error> {
        let mut order = Order { next: first, lanes, passed: 0 };
        order.catch_up(core, self.handed).await?;
        let mut tidy = interval(TIDY);
        let mut arrived = Instant::now();
        loop {
            tokio::select! {
                biased;
                () = ending.cancelled() => {
                    lock.release().await;
                    return Ok(());
                }
                message = self.messages.next() => {
                    let message = message.ok_or_else(|| Error::Broker("the messages ended".to_owned()))?;
                    self.one(core, &mut order, message.map_err(Error::broker)?).await?;
                    arrived = Instant::now();
                }
                _ = tidy.tick() => {
                    lock.check().await?;
                    order.pass().await?;
                    if arrived.elapsed() > TIDY {
                        // What the broker gave to somebody whose end it had not noticed yet.
                        let info = self.consumer.get_info().await.map_err(Error::broker)?;
                        order.catch_up(core, info.delivered.stream_sequence).await?;
                    }
                }
            }
        }
    }

    async fn one(&mut self, core: &Core, order: &mut Order, message: Message) -> Result<(), Error> {
        let epoch = message.headers.as_ref().and_then(|headers| headers.get(EPOCH));
        if epoch.is_some_and(|epoch| epoch.as_str() != self.epoch.to_string()) {
            return Err(Error::Halted(format!("a message is of another epoch than {}", self.epoch)));
        }
        if let Ok(info) = message.info() {
            lag(core, info.pending);
        }
        let (message, acker) = message.split();
        let event = Recorded::from_stored(&message.payload)
            .map_err(|error| Error::Halted(format!("a message cannot be read: {error}")))?;
        if event.log != core.log {
            return Err(Error::Halted("a message of another log stands in the stream".to_owned()));
        }
        if event.position < order.next {
            metrics::counter!("docket_consumer_redelivered_total", "log" => core.log.clone()).increment(1);
            return order.hand(lane_of(&event.stream), Work::Repeated(acker)).await;
        }
        while order.next < event.position {
            order.fill(core, event.position).await?;
        }
        order.event(event, Some(acker)).await
    }
}

#[expect(clippy::cast_precision_loss, reason = "a gauge; positions stay far below 2^52")]
fn lag(core: &Core, pending: u64) {
    metrics::gauge!("docket_consumer_lag_events", "log" => core.log.clone()).set(pending as f64);
}

impl Order {
    /// Fetches what the broker would only send again after a while. If the owner is away, that while is waited for.
    async fn catch_up(&mut self, core: &Core, handed: u64) -> Result<(), Error> {
        while self.next <= handed {
            match self.fill(core, handed + 1).await {
                Ok(()) => {}
                Err(Error::Feed(reason)) => {
                    tracing::debug!(
                        log = core.log,
                        reason,
                        "the owner cannot be asked; the broker will send again"
                    );
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Fetches what is missing before `until` from the log's owner.
    async fn fill(&mut self, core: &Core, until: u64) -> Result<(), Error> {
        let missing = (until - self.next).min(FETCH);
        let events = core.feed.read(&core.log, self.next - 1, missing).await?;
        if events.first().is_none_or(|event| event.position != self.next) {
            return Err(Error::Feed(format!("the owner does not have position {}", self.next)));
        }
        metrics::counter!("docket_consumer_gaps_filled_total", "log" => core.log.clone())
            .increment(events.len() as u64);
        for event in events {
            if event.position != self.next || event.position >= until {
                break;
            }
            self.event(event, None).await?;
        }
        Ok(())
    }

    async fn event(
        &mut self,
        event: Recorded,
        acker: Option<async_nats::jetstream::message::Acker>,
    ) -> Result<(), Error> {
        self.next = event.position + 1;
        self.hand(lane_of(&event.stream), Work::Event(Box::new(event), acker)).await
    }

    async fn hand(&self, lane: usize, work: Work) -> Result<(), Error> {
        self.lanes[lane % LANES].send(work).await.map_err(|_closed| Error::Broker("a lane ended".to_owned()))
    }

    /// Tells every lane that all before `next` was handed out, so that idle lanes do not stay behind.
    async fn pass(&mut self) -> Result<(), Error> {
        let done = self.next - 1;
        if done > self.passed {
            for lane in 0..LANES {
                self.hand(lane, Work::Passed(done)).await?;
            }
            self.passed = done;
        }
        Ok(())
    }
}
