//! When something happens to a draft that somebody must know who is not looking, then they are sent a mail: it will be
//! deleted, it was deleted, it waits to be looked at.

use std::sync::Arc;

use async_trait::async_trait;
use docket_eventlog::Recorded;
use docket_proto::events::filing::Event;
use docket_service::{ApplyError, Base, Subscriber};
use sqlx::PgConnection;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::store::delivery;

/// The subscriber of the log of filings.
pub(crate) struct TellPreparers {
    pub(crate) base: Base,
    pub(crate) mail: Arc<Notify>,
}

#[async_trait]
impl Subscriber for TellPreparers {
    fn categories(&self) -> &'static [&'static str] {
        &["filing"]
    }

    fn rows_only(&self) -> bool {
        true
    }

    async fn apply(&self, tx: &mut PgConnection, recorded: &Recorded) -> Result<(), ApplyError> {
        let event: Event = recorded.decode()?;
        let Some((alert, occasion, accounts)) = told(&event) else { return Ok(()) };
        // Where nothing else is said of it, the event is an occasion of its own.
        let occasion = if occasion.is_empty() { recorded.event_id.to_string() } else { occasion.to_owned() };
        for account in accounts.iter().filter_map(|account| Uuid::try_parse(account).ok()) {
            let told = (alert, occasion.as_str());
            delivery::queue_about_draft(tx, recorded, account, told, self.base.clock.now()).await?;
        }
        Ok(())
    }

    async fn after_commit(&self, _event: &Recorded) {
        self.mail.notify_one();
    }
}

/// Which mail an event is told by, the occasion that is told of once, and to whom; an empty account is nobody.
#[expect(clippy::wildcard_enum_match_arm, reason = "whoever did anything else knows of it")]
fn told(event: &Event) -> Option<(&'static str, &str, Vec<&String>)> {
    match event {
        Event::DraftExpiryAnnounced(e) => {
            let alert = match e.days {
                14 => "draft_kept_two_weeks",
                7 => "draft_kept_a_week",
                _ => "draft_kept_a_day",
            };
            Some((alert, &e.kept_until_date, vec![&e.account_id, &e.representative]))
        }
        Event::DraftExpired(e) => {
            Some(("draft_expired", &e.kept_until_date, vec![&e.account_id, &e.representative]))
        }
        Event::FilingReviewAsked(e) => Some(("review_asked", "", vec![&e.account_id])),
        _ => None,
    }
}
