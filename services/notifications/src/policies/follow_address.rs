//! When an account has another e-mail address, then what did not arrive at the one before goes there: what still waits at once, and once more
//! what failed and tells of a notice that nobody opened. With it the search for its addressee can end (case-status).

use std::sync::Arc;

use async_trait::async_trait;
use docket_eventlog::Recorded;
use docket_proto::events::account::Event;
use docket_service::{ApplyError, Base, Subscriber};
use sqlx::PgConnection;
use tokio::sync::Notify;

use crate::store::delivery;

/// The subscriber of identity's log.
pub(crate) struct FollowAddress {
    pub(crate) base: Base,
    pub(crate) mail: Arc<Notify>,
}

#[async_trait]
impl Subscriber for FollowAddress {
    fn categories(&self) -> &'static [&'static str] {
        &["account"]
    }

    fn rows_only(&self) -> bool {
        true
    }

    async fn apply(&self, tx: &mut PgConnection, recorded: &Recorded) -> Result<(), ApplyError> {
        if !gives_another(&recorded.decode()?) {
            return Ok(());
        }
        let id = recorded.stream.id().ok_or_else(|| ApplyError::Park("the stream names no id".into()))?;
        Ok(delivery::follow_address(tx, id, self.base.clock.now()).await?)
    }

    async fn after_commit(&self, event: &Recorded) {
        if event.decode::<Event>().is_ok_and(|event| gives_another(&event)) {
            self.mail.notify_one();
        }
    }
}

/// Whether the account has another address by it; most events say nothing of that.
fn gives_another(event: &Event) -> bool {
    matches!(event, Event::EmailChanged(_) | Event::EmailRestored(_))
}
