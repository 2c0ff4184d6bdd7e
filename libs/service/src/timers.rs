//! Timers: what falls due is done once, in the transaction which takes the timer away.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use docket_eventlog::Timer;
use docket_messaging::{ApplyError, Stop};
use sqlx::PgConnection;
use tokio::time::sleep;

use crate::Base;

/// How often due timers are looked for.
const LOOK: Duration = Duration::from_millis(500);
const BATCH: u32 = 64;

/// What a service does when one of its timers falls due.
#[async_trait]
pub trait TimerHandler: Send + Sync + 'static {
    /// Does it in `tx`, with `Context::timer(timer)`; the timer is gone with the commit. A timer of an unknown kind
    /// is an error of ours: answer with [`ApplyError::Park`].
    async fn fire(&self, tx: &mut PgConnection, timer: &Timer) -> Result<(), ApplyError>;
}

/// Fires timers until `stop`. What cannot be done now is tried again at the next look, and keeps nothing behind it waiting.
pub(crate) async fn run(base: Base, handler: Arc<dyn TimerHandler>, stop: Stop) -> anyhow::Result<()> {
    while !stop.is_cancelled() {
        if let Err(error) = look(&base, handler.as_ref(), &stop).await {
            tracing::warn!(%error, "timers cannot be read");
        }
        stop.run_until_cancelled(sleep(LOOK)).await;
    }
    Ok(())
}

/// Fires all that are due, in the order in which they fell due.
async fn look(base: &Base, handler: &dyn TimerHandler, stop: &Stop) -> Result<(), docket_eventlog::Error> {
    let (timers, now) = (base.log.timers(), base.clock.now());
    let mut last: Option<Timer> = None;
    while !stop.is_cancelled() {
        let due = timers.due(now, last.as_ref(), BATCH).await?;
        for timer in &due {
            match fire(base, handler, timer).await {
                Ok(()) => {}
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
            return Ok(());
        }
        last = due.into_iter().next_back();
    }
    Ok(())
}

async fn fire(base: &Base, handler: &dyn TimerHandler, timer: &Timer) -> Result<(), ApplyError> {
    let mut tx = docket_database::begin(&base.pool).await?;
    // Taking it away first locks its row: a second replica waits here and then finds it gone.
    if !base.log.timers().fired_in(&mut tx, timer).await? {
        return Ok(());
    }
    handler.fire(&mut tx, timer).await?;
    tx.commit().await?;
    base.log.committed(base.log.head().await?.position);
    Ok(())
}
