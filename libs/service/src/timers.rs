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

/// Fires timers until `stop`. What cannot be done now is tried again at the next look.
pub(crate) async fn run(base: Base, handler: Arc<dyn TimerHandler>, stop: Stop) -> anyhow::Result<()> {
    let timers = base.log.timers();
    while !stop.is_cancelled() {
        let due = match timers.due(base.clock.now(), BATCH).await {
            Ok(due) => due,
            Err(error) => {
                tracing::warn!(%error, "timers cannot be read");
                Vec::new()
            }
        };
        let mut fired = 0;
        for timer in &due {
            match fire(&base, handler.as_ref(), timer).await {
                Ok(()) => fired += 1,
                Err(ApplyError::Park(reason)) => {
                    tracing::error!(
                        timer.key = timer.key,
                        timer.kind = timer.kind,
                        reason,
                        "a timer cannot be done"
                    );
                }
                Err(ApplyError::Retry(error)) => {
                    tracing::warn!(timer.key = timer.key, timer.kind = timer.kind, %error, "a timer waits");
                }
            }
        }
        if fired == 0 {
            tokio::select! {
                () = stop.cancelled() => {}
                () = sleep(LOOK) => {}
            }
        }
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
