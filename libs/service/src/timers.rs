//! Timers: what falls due is done once, in the transaction which takes the timer away.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use docket_eventlog::Timer;
use docket_messaging::{ApplyError, Stop};
use sqlx::PgConnection;
use tokio::time::{Instant, sleep};

use crate::Base;

/// How often due timers are looked for.
const LOOK: Duration = Duration::from_millis(500);
const BATCH: u32 = 64;
/// How often it is told that timers wait.
const TELL: Duration = Duration::from_secs(10);

/// What a service does when one of its timers falls due.
#[async_trait]
pub trait TimerHandler: Send + Sync + 'static {
    /// Does it in `tx`, with `Context::timer(timer)`; the timer is gone with the commit. A timer of an unknown kind
    /// is an error of ours: answer with [`ApplyError::Park`].
    async fn fire(&self, tx: &mut PgConnection, timer: &Timer) -> Result<(), ApplyError>;

    /// What it must wait for, if for anything: asked before the transaction begins, at each look until nothing is in its way.
    async fn waits_for(&self, _timer: &Timer) -> Result<Option<String>, ApplyError> {
        Ok(None)
    }
}

/// Timers of one look that wait: how many, and the first with what it waits for.
#[derive(Default)]
struct Waiting {
    timers: u64,
    first: Option<(Timer, String)>,
}

/// Fires timers until `stop`. What cannot be done now is tried again at the next look, and keeps nothing behind it waiting.
pub(crate) async fn run(base: Base, handler: Arc<dyn TimerHandler>, stop: Stop) -> anyhow::Result<()> {
    let mut told: Option<Instant> = None;
    while !stop.is_cancelled() {
        match look(&base, handler.as_ref(), &stop).await {
            Ok(Waiting { timers, first: Some((timer, waits_for)) }) => {
                if told.is_none_or(|at| at.elapsed() >= TELL) {
                    told = Some(Instant::now());
                    let Timer { key, kind, .. } = timer;
                    tracing::warn!(timers, timer.key = key, timer.kind = kind, waits_for, "a timer waits");
                }
            }
            Ok(Waiting { first: None, .. }) => {}
            Err(error) => tracing::warn!(%error, "timers cannot be read"),
        }
        stop.run_until_cancelled(sleep(LOOK)).await;
    }
    Ok(())
}

/// Fires all that are due, in the order in which they fell due; gives those that wait.
async fn look(
    base: &Base,
    handler: &dyn TimerHandler,
    stop: &Stop,
) -> Result<Waiting, docket_eventlog::Error> {
    let (timers, now) = (base.log.timers(), base.clock.now());
    let mut waiting = Waiting::default();
    let mut last: Option<Timer> = None;
    while !stop.is_cancelled() {
        let due = timers.due(now, last.as_ref(), BATCH).await?;
        for timer in &due {
            match fire(base, handler, timer).await {
                Ok(None) => {}
                Ok(Some(waits_for)) => {
                    waiting.timers += 1;
                    waiting.first.get_or_insert_with(|| (timer.clone(), waits_for));
                }
                Err(ApplyError::Park(reason)) => {
                    tracing::error!(
                        timer.key = timer.key,
                        timer.kind = timer.kind,
                        reason,
                        "a timer cannot be done"
                    );
                }
                Err(ApplyError::Retry(error) | ApplyError::Away(error)) => {
                    tracing::warn!(timer.key = timer.key, timer.kind = timer.kind, %error, "a timer waits");
                }
            }
        }
        if due.len() < BATCH as usize {
            break;
        }
        last = due.into_iter().next_back();
    }
    Ok(waiting)
}

/// Fires one, unless it waits: then what for.
async fn fire(base: &Base, handler: &dyn TimerHandler, timer: &Timer) -> Result<Option<String>, ApplyError> {
    if let Some(waits_for) = handler.waits_for(timer).await? {
        return Ok(Some(waits_for));
    }
    let mut tx = docket_database::begin(&base.pool).await?;
    // Taking it away first locks its row: a second replica waits here and then finds it gone.
    if !base.log.timers().fired_in(&mut tx, timer).await? {
        return Ok(None);
    }
    handler.fire(&mut tx, timer).await?;
    tx.commit().await?;
    base.log.committed(base.log.head().await?.position);
    Ok(None)
}
