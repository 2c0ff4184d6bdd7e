//! Wake-ups of who waits for a case: sent after the commit; a replica that did not apply the event polls besides.

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Duration, timeout};
use uuid::Uuid;

/// How long a waiter sleeps at most before it looks again.
const LOOK: Duration = Duration::from_millis(500);
/// Wake-ups kept for a slow waiter; one that lags just looks again.
const KEPT: usize = 1024;

/// Where changes are told.
#[derive(Debug, Clone)]
pub(crate) struct Changes(broadcast::Sender<Uuid>);

impl Default for Changes {
    fn default() -> Self {
        Self(broadcast::Sender::new(KEPT))
    }
}

impl Changes {
    /// Tells that a case changed.
    pub(crate) fn tell(&self, case_id: Uuid) {
        // Nobody waiting is no fault.
        let _ = self.0.send(case_id);
    }

    /// Waits from here on.
    pub(crate) fn wait_for(&self, case_id: Uuid) -> Waiter {
        Waiter { changes: self.0.subscribe(), case_id }
    }
}

/// Somebody who waits for a case.
#[derive(Debug)]
pub(crate) struct Waiter {
    changes: broadcast::Receiver<Uuid>,
    case_id: Uuid,
}

impl Waiter {
    /// Returns when it is worth looking again.
    pub(crate) async fn changed(&mut self) {
        let _ = timeout(LOOK, async {
            loop {
                match self.changes.recv().await {
                    Ok(case_id) if case_id != self.case_id => {}
                    Ok(_) | Err(RecvError::Lagged(_)) => return,
                    Err(RecvError::Closed) => std::future::pending().await,
                }
            }
        })
        .await;
    }
}
