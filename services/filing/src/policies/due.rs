//! What falls due for a filing or a package, by the kind of its timer.

use async_trait::async_trait;
use docket_eventlog::Timer;
use docket_service::{ApplyError, TimerHandler};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{clear_removed, hold_signature, keep_draft, park, remind_payer, remind_review};
use crate::desk::Desk;

/// Does what is due.
pub(crate) struct Due(pub(crate) Desk);

#[async_trait]
impl TimerHandler for Due {
    async fn fire(&self, tx: &mut PgConnection, timer: &Timer) -> Result<(), ApplyError> {
        if timer.kind == clear_removed::KIND {
            return clear_removed::fire(&self.0, tx, timer).await;
        }
        let id = Uuid::from_slice(&timer.payload).map_err(|_| park("the timer's payload is no id"))?;
        match timer.kind.as_str() {
            remind_review::KIND => remind_review::fire(&self.0, tx, timer, id).await,
            remind_payer::KIND => remind_payer::fire(&self.0, tx, timer, id).await,
            hold_signature::KIND => hold_signature::fire(&self.0, tx, id).await,
            keep_draft::KEEP => keep_draft::keep(&self.0, tx, timer, id).await,
            keep_draft::ERASE => keep_draft::erase(&self.0, tx, timer, id).await,
            kind => Err(ApplyError::Park(format!("no timer of the kind {kind} is known"))),
        }
    }
}
