//! Timers: what falls due is done once, in the transaction which takes the timer away. Several at once, those of one thing one
//! after the other, and what fails steps back.

use std::collections::{HashMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use docket_database::{WORK, within};
use docket_eventlog::Timer;
use docket_messaging::{ApplyError, Stop};
use futures::FutureExt as _;
use sqlx::PgConnection;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::Base;

/// How often due timers are looked for.
const LOOK: Duration = Duration::from_millis(500);
const BATCH: u32 = 64;
/// So many are fired at once; each takes a connection.
const AT_ONCE: usize = 4;
/// A timer that fails is tried again after this, then after twice that, and so on.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const MOST_PAUSE: Duration = Duration::from_mins(1);
/// How often it is told that timers wait.
const TELL: Duration = Duration::from_secs(10);

/// What a service does when one of its timers falls due.
#[async_trait]
pub trait TimerHandler: Send + Sync + 'static {
    /// Does it in `tx`, with `Context::timer(timer)`; the timer is gone with the commit. A timer of an unknown kind
    /// is an error of ours: answer with [`ApplyError::Park`].
    async fn fire(&self, tx: &mut PgConnection, timer: &Timer) -> Result<(), ApplyError>;

    /// What it must wait for, if for anything: asked before the transaction begins, again and again until nothing is in its way.
    /// While it waits, those after it go on.
    async fn waits_for(&self, _timer: &Timer) -> Result<Option<String>, ApplyError> {
        Ok(None)
    }

    /// The thing that it is about. The timers of one thing are fired in the order in which they fell due, each when the one
    /// before it is done, or waits; by itself that is what stands after the first colon of the key.
    fn about(&self, timer: &Timer) -> String {
        let (_, about) = timer.key.split_once(':').unwrap_or(("", &timer.key));
        about.to_owned()
    }
}

/// What came of one timer.
enum Fired {
    Done,
    /// Something is in its way.
    Waits(String),
    Failed(ApplyError),
}

/// When a thing goes on whose timer failed.
struct Back {
    at: Instant,
    pause: Duration,
}

/// A timer that waits, what for, and when it is asked again.
struct Waiting {
    timer: Timer,
    waits_for: String,
    at: Instant,
}

/// The timers at hand.
struct Firing {
    base: Base,
    handler: Arc<dyn TimerHandler>,
    running: JoinSet<(Timer, Fired)>,
    /// The things whose timers are being fired.
    busy: HashSet<String>,
    /// By thing.
    back: HashMap<String, Back>,
    /// By key.
    waiting: HashMap<String, Waiting>,
    told: Option<Instant>,
}

/// Fires timers until `stop`; what is at hand is finished. What cannot be done now is tried again, and keeps nothing waiting
/// but what comes after it of the same thing.
pub(crate) async fn run(base: Base, handler: Arc<dyn TimerHandler>, stop: Stop) -> anyhow::Result<()> {
    let (running, busy) = (JoinSet::new(), HashSet::new());
    let (back, waiting) = (HashMap::new(), HashMap::new());
    let mut firing = Firing { base, handler, running, busy, back, waiting, told: None };
    while !stop.is_cancelled() {
        if let Err(error) = firing.look().await {
            tracing::warn!(%error, "timers cannot be read");
        }
        firing.tell();
        tokio::select! {
            () = stop.cancelled() => {}
            Some(ended) = firing.running.join_next() => firing.ended(ended?),
            () = sleep(LOOK) => {}
        }
    }
    while let Some(ended) = firing.running.join_next().await {
        firing.ended(ended?);
    }
    Ok(())
}

impl Firing {
    /// Begins those that are due, as many as may be at once: the first of each thing, in the order in which they fell due, and
    /// before what was tried already and may be tried again.
    async fn look(&mut self) -> Result<(), docket_eventlog::Error> {
        let (timers, clock, now) = (self.base.log.timers(), self.base.clock.now(), Instant::now());
        let (mut met, mut keys, mut again) = (HashSet::new(), HashSet::new(), Vec::new());
        let mut last: Option<Timer> = None;
        while self.running.len() < AT_ONCE {
            let due = timers.due(clock, last.as_ref(), BATCH).await?;
            let whole = due.len() < BATCH as usize;
            last = due.last().cloned();
            for timer in due {
                let about = self.handler.about(&timer);
                keys.insert(timer.key.clone());
                if self.busy.contains(&about) || met.contains(&about) {
                    continue;
                }
                // What waits lets those after it pass, and what failed does not.
                let tried = if let Some(waiting) = self.waiting.get(&timer.key) {
                    Some(waiting.at)
                } else {
                    met.insert(about.clone());
                    self.back.get(&about).map(|back| back.at)
                };
                match tried {
                    Some(at) if at > now => {}
                    Some(at) => again.push((at, about, timer)),
                    None if self.running.len() < AT_ONCE => self.begin(about, timer),
                    None => {}
                }
            }
            if whole {
                self.back.retain(|about, _| met.contains(about) || self.busy.contains(about));
                self.waiting.retain(|key, _| keys.contains(key));
                break;
            }
        }
        again.sort_by_key(|(at, ..)| *at);
        for (_, about, timer) in again {
            if self.running.len() < AT_ONCE && !self.busy.contains(&about) {
                self.begin(about, timer);
            }
        }
        Ok(())
    }

    fn begin(&mut self, about: String, timer: Timer) {
        let (base, handler) = (self.base.clone(), Arc::clone(&self.handler));
        self.busy.insert(about);
        self.running.spawn(async move {
            let fired = AssertUnwindSafe(within(WORK, fire(&base, handler.as_ref(), &timer))).catch_unwind();
            // What a panic says may hold values, and is not kept.
            let fired = fired.await.unwrap_or_else(|_panic| Err(ApplyError::Park("panicked".to_owned())));
            (timer, fired.unwrap_or_else(Fired::Failed))
        });
    }

    /// What failed steps back, further each time.
    fn ended(&mut self, (timer, fired): (Timer, Fired)) {
        let about = self.handler.about(&timer);
        self.busy.remove(&about);
        self.waiting.remove(&timer.key);
        let Timer { key, kind, .. } = &timer;
        match fired {
            Fired::Done => {
                self.back.remove(&about);
                return;
            }
            Fired::Waits(waits_for) => {
                let at = Instant::now() + LOOK;
                self.waiting.insert(timer.key.clone(), Waiting { timer, waits_for, at });
                return;
            }
            Fired::Failed(ApplyError::Park(reason)) => {
                tracing::error!(timer.key = key, timer.kind = kind, reason, "a timer cannot be done");
            }
            Fired::Failed(ApplyError::Retry(error) | ApplyError::Away(error)) => {
                tracing::warn!(timer.key = key, timer.kind = kind, %error, "a timer waits");
            }
        }
        let longer = |back: Back| (back.pause * 2).min(MOST_PAUSE);
        let pause = self.back.remove(&about).map_or(FIRST_PAUSE, longer);
        self.back.insert(about, Back { at: Instant::now() + pause, pause });
    }

    /// Tells now and then that timers wait: how many, and the first with what it waits for.
    fn tell(&mut self) {
        let first = self.waiting.values().min_by_key(|waiting| waiting.timer.due_at);
        if let Some(Waiting { timer: Timer { key, kind, .. }, waits_for, .. }) = first
            && self.told.is_none_or(|at| at.elapsed() >= TELL)
        {
            let timers = self.waiting.len();
            tracing::warn!(timers, timer.key = key, timer.kind = kind, waits_for, "a timer waits");
            self.told = Some(Instant::now());
        }
    }
}

/// Fires one, unless it waits: then what for.
async fn fire(base: &Base, handler: &dyn TimerHandler, timer: &Timer) -> Result<Fired, ApplyError> {
    if let Some(waits_for) = handler.waits_for(timer).await? {
        return Ok(Fired::Waits(waits_for));
    }
    let mut tx = docket_database::begin(&base.pool).await?;
    // Taking it away first locks its row: a second replica waits here and then finds it gone.
    if !base.log.timers().fired_in(&mut tx, timer).await? {
        return Ok(Fired::Done);
    }
    handler.fire(&mut tx, timer).await?;
    tx.commit().await?;
    match base.log.position().await {
        Ok(position) => base.log.committed(position),
        // It is done all the same; who follows the log looks for themselves.
        Err(error) => tracing::debug!(%error, "the head could not be read after a timer"),
    }
    Ok(Fired::Done)
}
