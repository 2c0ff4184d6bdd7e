//! A consumer: one service reading one log, every effect exactly once, one poisoned stream never in the way of others.
//!
//! One task takes messages in order and closes gaps from the log's owner; eight lanes (by hash of the
//! stream) apply them. A lane's checkpoint moves in the transaction of the effect. What fails is parked with its stream
//! and tried again with growing pauses; what is away is waited for. Reading order: this
//! file (the session), `history` (may it go on?), `dispatch`, `lane`, `checkpoint`, `causes`, `park`, `skip`, `lag`, `behind`.

mod behind;
mod causes;
mod checkpoint;
mod dispatch;
mod history;
mod lag;
mod lane;
mod park;
mod skip;

use std::sync::Arc;
use std::time::Duration;

use docket_database::{WORK, answered, within};
use docket_eventlog::EventLog;
use docket_kernel::SharedClock;
use sqlx::PgPool;
use tokio::task::JoinSet;

use crate::lock::{Lock, TURN};
use crate::sessions::Sessions;
use crate::{Broker, Error, FeedClient, Stop, Subscriber};
pub use behind::{Behind, behind};
use causes::Causes;
pub use history::{SeenBeyond, accept_epoch, seen_beyond};
pub use park::{Parked, Redriven, parked, parked_of};
pub use skip::{Skipped, skip, skipped};

/// Lanes of a consumer: streams in different lanes are worked on at once.
pub const LANES: usize = 8;
/// Events that may wait for one lane; when they do, nothing more is taken from the broker.
const WAITING: usize = 64;

/// How long a consumer tries what fails, and when it tries again what it has parked.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// One try may take so long, with all that it asks of others; then the database is taken to be away.
    pub one_try: Duration,
    /// What fails, and not because something is away, is tried for so long before its stream is parked; a moment only, where
    /// the same has parked several others lately.
    pub failing: Duration,
    /// A parked stream is tried again after so long; then after twice that, and so on.
    pub first_pause: Duration,
    /// The longest of these pauses.
    pub most_pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let pause = Duration::from_secs(15);
        Self { one_try: WORK, failing: pause, first_pause: pause, most_pause: Duration::from_mins(10) }
    }
}

/// Reads one log for one service. See the module's head.
pub struct Consumer {
    core: Arc<Core>,
    broker: Broker,
}

/// What all parts of a consumer share.
pub(crate) struct Core {
    pub(crate) service: String,
    pub(crate) log: String,
    pub(crate) pool: PgPool,
    pub(crate) feed: FeedClient,
    pub(crate) clock: SharedClock,
    pub(crate) subscribers: Vec<Arc<dyn Subscriber>>,
    /// Our own log, told after each commit, since effects may have appended to it.
    pub(crate) own: Option<EventLog>,
    pub(crate) patience: Patience,
    pub(crate) causes: Causes,
}

impl Consumer {
    /// Service `service` (also the durable's name) reading the log `source_log`.
    pub fn new(service: &str, source_log: &str, pool: PgPool, broker: Broker, feed: FeedClient) -> Self {
        let core = Core {
            service: service.to_owned(),
            log: source_log.to_owned(),
            pool,
            feed,
            clock: Arc::new(docket_kernel::SystemClock),
            subscribers: Vec::new(),
            own: None,
            patience: Patience::default(),
            causes: Causes::default(),
        };
        Self { core: Arc::new(core), broker }
    }

    /// Adds a subscriber; all act in one transaction, in the order they were added.
    #[must_use]
    pub fn with(self, subscriber: Arc<dyn Subscriber>) -> Self {
        self.change(|core| core.subscribers.push(subscriber))
    }

    /// Takes the time from `clock` instead of the system.
    #[must_use]
    pub fn clock(self, clock: SharedClock) -> Self {
        self.change(|core| core.clock = clock)
    }

    /// Wakes those who follow our own log after each commit.
    #[must_use]
    pub fn waking(self, own: EventLog) -> Self {
        self.change(|core| core.own = Some(own))
    }

    /// Tries with this patience instead of the usual one.
    #[must_use]
    pub fn patience(self, patience: Patience) -> Self {
        self.change(|core| core.patience = patience)
    }

    fn change(mut self, change: impl FnOnce(&mut Core)) -> Self {
        change(Arc::get_mut(&mut self.core).expect("shared only once it runs"));
        self
    }

    /// A handle to redrive while the consumer runs.
    pub fn redriver(&self) -> Redriver {
        Redriver(Arc::clone(&self.core))
    }

    /// Consumes until `stop`; of several replicas one at a time. Broker, owner and database are waited for.
    ///
    /// # Errors
    /// [`Error::Halted`] when the log's epoch changed or its head went back: nothing is skipped silently.
    pub async fn run(self, stop: Stop) -> Result<(), Error> {
        let Core { service, log, .. } = &*self.core;
        let halted = metrics::gauge!("docket_consumer_halted", &self.core.labels());
        let sessions = Sessions { part: "consumer", does: "go on", service: Some(service), log, halted };
        tokio::select! {
            outcome = sessions.hold(&stop, || self.session(&stop)) => outcome,
            never = lag::watch(&self.core) => match never {},
        }
    }

    /// Consumes while nothing goes wrong. What is left of it ends with it: lanes finish the event at hand.
    async fn session(&self, stop: &Stop) -> Result<(), Error> {
        let core = &self.core;
        let name = format!("docket.consumer.{}.{}", core.service, core.log);
        let lock = Lock::wait(&core.pool, &name, TURN, stop).await?;
        let outcome = tokio::select! {
            outcome = self.consume(stop) => outcome,
            error = lock.lost() => Err(error),
        };
        lock.release().await;
        outcome
    }

    /// Consumes while the turn is ours.
    async fn consume(&self, stop: &Stop) -> Result<(), Error> {
        let core = &self.core;
        let missing = || Error::Again("the log has no stream yet");
        let seen = dispatch::Seen::look(&self.broker, core).await?.ok_or_else(missing)?;
        let lanes = answered(checkpoint::load(core, &seen.epoch)).await?;
        let lanes = within(WORK, history::agree(core, &seen.epoch, seen.last, lanes)).await?;
        let done = lanes.iter().map(|lane| lane.position).min().unwrap_or_default();
        let source = dispatch::Source::open(&self.broker, core, &seen, done).await?.ok_or_else(missing)?;
        let parked = answered(park::streams(core, None)).await?;

        let (ending, handed) = (stop.child_token(), Arc::new(dispatch::Handed::default()));
        let mut tasks = JoinSet::new();
        let mut senders = Vec::with_capacity(LANES);
        for at in &lanes {
            let (sender, receiver) = tokio::sync::mpsc::channel(WAITING);
            senders.push(sender);
            let lane = lane::Lane::new(Arc::clone(core), at.clone(), Arc::clone(&handed));
            tasks.spawn(lane.run(receiver, ending.clone()));
        }
        // Beside the lanes, which do not wait until each parked stream was tried.
        tasks.spawn(park::again(Arc::clone(core), parked, ending.clone()));
        let outcome = tokio::select! {
            outcome = source.dispatch(core, done + 1, (senders, handed), &ending) => outcome,
            // What a panic says may hold values, and is not kept.
            Some(lane) = tasks.join_next() => lane.unwrap_or(Err(Error::Again("a lane panicked"))),
        };
        ending.cancel();
        let mut outcome = outcome;
        while let Some(lane) = tasks.join_next().await {
            // A halt matters more than the end it caused elsewhere.
            if let Ok(Err(error @ Error::Halted(_))) = lane {
                outcome = Err(error);
            }
        }
        outcome
    }
}

impl Core {
    /// How many events may share a transaction: more than one only where all effects are rows.
    pub(crate) fn at_once(&self) -> usize {
        if self.subscribers.iter().all(|subscriber| subscriber.rows_only()) { WAITING } else { 1 }
    }

    /// Whose metrics these are.
    pub(crate) fn labels(&self) -> [(&'static str, String); 2] {
        [("consumer", self.service.clone()), ("log", self.log.clone())]
    }
}

/// Applies parked events again, when what stood in their way is gone.
#[derive(Clone)]
pub struct Redriver(Arc<Core>);

impl Redriver {
    /// Tries the parked events of `stream`, or of all streams, in order; what fails again stays parked. Of all streams one
    /// that cannot be tried keeps none of the others waiting, and counts as still parked.
    ///
    /// # Errors
    /// [`Error::Database`], [`Error::Feed`], [`Error::Log`] for a log of our own; [`Error::Halted`] when the log does not hold
    /// what was parked any more.
    pub async fn redrive(&self, stream: Option<&str>) -> Result<Redriven, Error> {
        park::redrive(&self.0, stream).await
    }
}

impl std::fmt::Debug for Consumer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Consumer({} of {})", self.core.service, self.core.log)
    }
}
