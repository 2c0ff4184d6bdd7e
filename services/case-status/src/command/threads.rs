//! Notifications' log: what the party's side writes to the office waits in its case for an answer, which the office gives there.

use async_trait::async_trait;
use docket_eventlog::{Recorded, Store};
use docket_proto::events::thread;
use docket_service::{ApplyError, Subscriber};
use sqlx::PgConnection;

use super::reactions::{named, react, stream_id};
use crate::aggregate::Cases;
use crate::domain::decide::{self, Sent};

/// Follows the conversations.
pub(crate) struct Messages {
    /// The cases.
    pub(crate) store: Store<Cases>,
}

#[async_trait]
impl Subscriber for Messages {
    fn categories(&self) -> &'static [&'static str] {
        &["thread"]
    }

    async fn apply(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), ApplyError> {
        let thread::Event::MessageSent(sent) = event.decode()? else { return Ok(()) };
        // Older messages do not say of which case they are.
        if sent.case_id.is_empty() {
            return Ok(());
        }
        let (case_id, thread) = (named(&sent.case_id, "case_id")?, stream_id(event)?);
        let account = named(&sent.account_id, "account_id")?;
        if sent.from == "office" {
            react(&self.store, tx, event, ("record_reply", 0), case_id, |case| {
                decide::record_reply(case, thread, account)
            })
            .await?;
            return Ok(());
        }
        let sent =
            Sent { thread, message: event.event_id, topic: sent.topic, account, at: event.recorded_at };
        react(&self.store, tx, event, ("record_message", 0), case_id, |case| {
            decide::record_message(case, &sent)
        })
        .await?;
        Ok(())
    }
}
