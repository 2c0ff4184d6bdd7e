//! When an account is erased, then no row leads to its numbers any more. Those in the log are erased with its key.

use async_trait::async_trait;
use docket_eventlog::Recorded;
use docket_proto::events::subject::Event;
use docket_service::{ApplyError, Subscriber};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::store::text;

/// The subscriber of identity's log.
pub(crate) struct ForgetNumber;

#[async_trait]
impl Subscriber for ForgetNumber {
    fn categories(&self) -> &'static [&'static str] {
        &["subject"]
    }

    fn rows_only(&self) -> bool {
        true
    }

    async fn apply(&self, tx: &mut PgConnection, recorded: &Recorded) -> Result<(), ApplyError> {
        let Event::SubjectErased(order) = recorded.decode()? else { return Ok(()) };
        let account = order.subject.strip_prefix("account:").and_then(|id| Uuid::try_parse(id).ok());
        let Some(account) = account else { return Ok(()) };
        Ok(text::forget(tx, account).await?)
    }
}
