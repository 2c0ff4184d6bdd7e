//! The dispatcher: takes messages from the broker, puts them in order, and hands them to the lanes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::{PullConsumer, pull};
use docket_eventlog::Recorded;
use futures::StreamExt as _;
use tokio::sync::mpsc::Sender;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::checkpoint::{Link, lane_of};
use super::lane::Work;
use super::{Core, LANES};
use crate::broker::{IN_FLIGHT, stream_epoch};
use crate::{Broker, EPOCH, Error, LogEpoch, Stop};

/// The broker's sign of life while there is nothing to deliver.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// How long one request for messages stands.
const EXPIRES: Duration = Duration::from_secs(20);
/// How often idle lanes' checkpoints follow.
const TIDY: Duration = Duration::from_secs(2);
/// Events fetched from the owner at a time.
const FETCH: u64 = 256;

/// What a log's stream says of itself.
pub(crate) struct Seen {
    pub(crate) epoch: LogEpoch,
    pub(crate) last: u64,
    /// All before is not in the stream, and never will be.
    first: u64,
}

/// Up to where all events of a session were handed to the lanes, and the link of the last; nothing before the first was.
#[derive(Default)]
pub(crate) struct Handed(Mutex<(u64, Option<Link>)>);

impl Handed {
    pub(crate) fn last(&self) -> (u64, Option<Link>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, last: (u64, Option<Link>)) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = last;
    }
}

/// The broker's side of a session.
pub(crate) struct Source {
    messages: pull::Stream,
    consumer: PullConsumer,
    epoch: u64,
    /// What the broker will not hand out by itself: given before this session to somebody who may have died with
    /// it, or older than the stream.
    missed: u64,
}

/// Where the dispatcher is.
struct Order {
    /// The next position to hand out.
    next: u64,
    /// The link of the event before it, when that was handed out here.
    link: Option<Link>,
    lanes: Vec<Sender<Work>>,
    /// Up to where the lanes were told that nothing remains.
    passed: u64,
    handed: Arc<Handed>,
}

impl Seen {
    /// Looks at the stream; none while it does not exist.
    pub(crate) async fn look(broker: &Broker, core: &Core) -> Result<Option<Self>, Error> {
        let Some(stream) = broker.stream(&core.log).await? else { return Ok(None) };
        let info = stream.cached_info();
        let epoch = stream_epoch(info).unwrap_or_else(|| LogEpoch::known_as(1, None));
        Ok(Some(Self { epoch, last: info.state.last_sequence, first: info.state.first_sequence }))
    }
}

impl Source {
    /// Opens the durable consumer on the stream that was `seen`, after what is `done`; none when the stream has gone.
    pub(crate) async fn open(
        broker: &Broker,
        core: &Core,
        seen: &Seen,
        done: u64,
    ) -> Result<Option<Self>, Error> {
        let consumer = broker.ensure_consumer(&core.log, &core.service, done).await?;
        let Some(consumer) = consumer else { return Ok(None) };
        let handed = consumer.cached_info().delivered.stream_sequence;
        let missed = handed.max(seen.first.saturating_sub(1));
        let messages = consumer
            .stream()
            .max_messages_per_batch(IN_FLIGHT)
            .heartbeat(HEARTBEAT)
            .expires(EXPIRES)
            .messages()
            .await
            .map_err(Error::broker)?;
        Ok(Some(Self { messages, consumer, epoch: seen.epoch.number, missed }))
    }

    /// Hands out events from `first` on until something goes wrong or `ending`.
    pub(crate) async fn dispatch(
        mut self,
        core: &Core,
        first: u64,
        (lanes, handed): (Vec<Sender<Work>>, Arc<Handed>),
        ending: &Stop,
    ) -> Result<(), Error> {
        let mut order = Order { next: first, link: None, lanes, passed: 0, handed };
        order.catch_up(core, self.missed).await?;
        let mut tidy = interval(TIDY);
        tidy.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut arrived = Instant::now();
        loop {
            tokio::select! {
                biased;
                () = ending.cancelled() => return Ok(()),
                _ = tidy.tick() => {
                    order.pass().await?;
                    if arrived.elapsed() > TIDY {
                        // What the broker gave to somebody whose end it had not noticed yet, or never had.
                        let info = self.consumer.get_info().await.map_err(Error::broker)?;
                        order.catch_up(core, info.delivered.stream_sequence.max(self.missed)).await?;
                    }
                }
                message = self.messages.next() => {
                    let message = message.ok_or_else(|| Error::Broker("the messages ended".to_owned()))?;
                    self.one(core, &mut order, message.map_err(Error::broker)?).await?;
                    arrived = Instant::now();
                }
            }
        }
    }

    async fn one(&mut self, core: &Core, order: &mut Order, message: Message) -> Result<(), Error> {
        let epoch = message.headers.as_ref().and_then(|headers| headers.get(EPOCH));
        let epoch = epoch.and_then(|epoch| epoch.as_str().parse().ok()).unwrap_or(self.epoch);
        if epoch > self.epoch {
            return Err(self.met(core, epoch).await);
        }
        if epoch < self.epoch {
            // Of a relay that was frozen while the log was restored. What stands at its position now, the owner gives.
            tracing::warn!(log = core.log, epoch, "a message of an older epoch is passed over");
            return message.ack().await.map_err(Error::broker);
        }
        let (message, acker) = message.split();
        let event = Recorded::from_stored(&message.payload)
            .map_err(|error| Error::Halted(format!("a message cannot be read: {error}")))?;
        if event.log != core.log {
            return Err(Error::Halted("a message of another log stands in the stream".to_owned()));
        }
        if event.position < order.next {
            metrics::counter!("docket_consumer_redelivered_total", &core.labels()).increment(1);
            return order.hand(lane_of(&event.stream), Work::Repeated(acker)).await;
        }
        while order.next < event.position {
            order.fill(core, event.position).await?;
        }
        order.event(event, Some(acker)).await
    }

    /// A message of a later epoch than the session's: the log's, which then begins anew in it, or nobody's.
    async fn met(&self, core: &Core, epoch: u64) -> Error {
        let head = core.feed.head(&core.log).await;
        match head.and_then(|head| Ok(head.epoch()?.number)) {
            Ok(now) if now >= epoch => Error::Again("the log began another epoch"),
            Ok(now) => Error::Halted(format!("a message is of epoch {epoch}, the log of {now}")),
            Err(error) => error,
        }
    }
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
        metrics::counter!("docket_consumer_gaps_filled_total", &core.labels()).increment(events.len() as u64);
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
        (self.next, self.link) = (event.position + 1, Some(event.link));
        self.hand(lane_of(&event.stream), Work::Event(Box::new(event), acker)).await?;
        self.handed.set((self.next - 1, self.link));
        Ok(())
    }

    async fn hand(&self, lane: usize, work: Work) -> Result<(), Error> {
        self.lanes[lane % LANES].send(work).await.map_err(|_closed| Error::Again("a lane ended"))
    }

    /// Tells every lane that all before `next` was handed out, so that idle lanes do not stay behind.
    async fn pass(&mut self) -> Result<(), Error> {
        let done = self.next - 1;
        if done > self.passed {
            for lane in 0..LANES {
                self.hand(lane, Work::Passed(done, self.link)).await?;
            }
            self.passed = done;
        }
        Ok(())
    }
}
