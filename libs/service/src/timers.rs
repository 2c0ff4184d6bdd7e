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
    async fn waits_for(&self, _timer: &Timer) -> Result<Option<String>, ApplyError> {
        Ok(None)
    }

    /// The thing that it is about. The timers of one thing are fired in the order in which they fell due, each when the one
    /// before it is done; by itself that is what stands after the first colon of the key.
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

/// When the next timer of a thing is tried, whose first one could not be done.
struct Back {
    at: Instant,
    pause: Duration,
    waits_for: Option<(Timer, String)>,
}

/// The timers at hand.
struct Firing {
    base: Base,
    handler: Arc<dyn TimerHandler>,
    running: JoinSet<(Timer, Fired)>,
    /// The things whose timers are being fired.
    busy: HashSet<String>,
    back: HashMap<String, Back>,
    told: Option<Instant>,
}

/// Fires timers until `stop`; what is at hand is finished. What cannot be done now is tried again, and keeps nothing waiting
/// but what comes after it of the same thing.
pub(crate) async fn run(base: Base, handler: Arc<dyn TimerHandler>, stop: Stop) -> anyhow::Result<()> {
    let (running, busy, back) = (JoinSet::new(), HashSet::new(), HashMap::new());
    let mut firing = Firing { base, handler, running, busy, back, told: None };
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
    /// before what has stepped back and may be tried again.
    async fn look(&mut self) -> Result<(), docket_eventlog::Error> {
        let (timers, clock, now) = (self.base.log.timers(), self.base.clock.now(), Instant::now());
        let (mut met, mut again) = (HashSet::new(), Vec::new());
        let mut last: Option<Timer> = None;
        while self.running.len() < AT_ONCE {
            let due = timers.due(clock, last.as_ref(), BATCH).await?;
            let whole = due.len() < BATCH as usize;
            last = due.last().cloned();
            for timer in due {
                let about = self.handler.about(&timer);
                if self.busy.contains(&about) || !met.insert(about.clone()) {
                    continue;
                }
                match self.back.get(&about) {
                    Some(back) if back.at > now => {}
                    Some(back) => again.push((back.at, about, timer)),
                    None if self.running.len() < AT_ONCE => self.begin(about, timer),
                    None => {}
                }
            }
            if whole {
                self.back.retain(|about, _| met.contains(about));
                break;
            }
        }
        again.sort_by_key(|(at, ..)| *at);
        let left = AT_ONCE - self.running.len().min(AT_ONCE);
        for (_, about, timer) in again.into_iter().take(left) {
            self.begin(about, timer);
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
        let before = self.back.remove(&about);
        let Timer { key, kind, .. } = &timer;
        let waits_for = match fired {
            Fired::Done => return,
            Fired::Waits(waits_for) => Some((timer, waits_for)),
            Fired::Failed(ApplyError::Park(reason)) => {
                tracing::error!(timer.key = key, timer.kind = kind, reason, "a timer cannot be done");
                None
            }
            Fired::Failed(ApplyError::Retry(error) | ApplyError::Away(error)) => {
                tracing::warn!(timer.key = key, timer.kind = kind, %error, "a timer waits");
                None
            }
        };
        // Whoever waits is asked at each look, and after those that are asked for the first time.
        let pause = match (&waits_for, before) {
            (Some(_), _) => LOOK,
            (None, Some(before)) => (before.pause * 2).clamp(FIRST_PAUSE, MOST_PAUSE),
            (None, None) => FIRST_PAUSE,
        };
        self.back.insert(about, Back { at: Instant::now() + pause, pause, waits_for });
    }

    /// Tells now and then that timers wait: how many, and the first with what it waits for.
    fn tell(&mut self) {
        let waiting = self.back.values().filter_map(|back| back.waits_for.as_ref());
        let (timers, first) = (waiting.clone().count(), waiting.min_by_key(|(timer, _)| timer.due_at));
        if let Some((Timer { key, kind, .. }, waits_for)) = first
            && self.told.is_none_or(|at| at.elapsed() >= TELL)
        {
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
