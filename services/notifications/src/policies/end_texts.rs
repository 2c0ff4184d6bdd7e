//! When texts do not arrive, several in a row, or somebody says that they want none, then they end, and a mail says so.

use std::sync::Arc;

use docket_eventlog::{Context, Executed, Store, Subjects};
use docket_kernel::{Actor, derived_id};
use docket_messaging::current_traceparent;
use docket_service::{ApiError, Base};
use sqlx::PgConnection;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::domain::{EndedBy, Texting, end};
use crate::store::delivery::{self, Delivery};
use crate::store::text;

/// So many texts in a row that do not arrive end them: the number may be somebody else's by now.
const MOST_IN_A_ROW: i32 = 3;

/// What a text that was not sent, or did not arrive, says of its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Texts end, so.
    At(EndedBy),
    /// It was one more that does not arrive.
    NotArrived,
}

/// What our own parts could not do, without what it was about.
pub(super) fn failed(error: impl Into<ApiError>) -> anyhow::Error {
    anyhow::anyhow!(error.into().cause())
}

/// Ends texts. Cheap to clone.
#[derive(Clone)]
pub(crate) struct EndTexts {
    pub(crate) base: Base,
    pub(crate) texting: Store<Texting>,
    pub(crate) mail: Arc<Notify>,
}

impl EndTexts {
    /// Over `base`; `mail` wakes the one who sends mail.
    pub(crate) fn new(base: &Base, mail: &Arc<Notify>) -> Self {
        Self { base: base.clone(), texting: Store::new(base.log.clone()), mail: Arc::clone(mail) }
    }

    /// What follows from a text to its account: the last position where something was written. The text with a code says nothing of the
    /// number to which the others go.
    ///
    /// # Errors
    /// Those of the log.
    pub(super) async fn after(
        &self,
        tx: &mut PgConnection,
        text: &Delivery,
        ended: End,
    ) -> Result<Option<u64>, ApiError> {
        if text.alert == text::CODE {
            return Ok(None);
        }
        let by = match ended {
            End::At(by) => by,
            End::NotArrived => match text::did_not_arrive(&mut *tx, text.account_id).await? {
                Some(in_a_row) if in_a_row >= MOST_IN_A_ROW => EndedBy::Unreachable,
                Some(_) | None => return Ok(None),
            },
        };
        let context = Context {
            command_id: derived_id("end_texts", text.delivery_id, 0),
            correlation_id: text.correlation_id,
            causation_id: Some(text.about_event),
            actor: Actor::machine("end_texts"),
            on_behalf_of: None,
            auth_level: 0,
            traceparent: current_traceparent(),
            request: Vec::new(),
        };
        let done = self.end(tx, &context, text.account_id, by).await?;
        Ok(done.events.last().map(|event| event.position))
    }

    /// Ends texts of an account, in the caller's transaction: events of it only where they went somewhere.
    ///
    /// # Errors
    /// Those of the log.
    pub(crate) async fn end(
        &self,
        tx: &mut PgConnection,
        context: &Context,
        account: Uuid,
        by: EndedBy,
    ) -> Result<Executed<Texting>, ApiError> {
        let subjects = Subjects::account(account);
        let done =
            self.texting.execute_in(&mut *tx, context, account, subjects, |state| Ok(end(state, by))).await?;
        // Asked once more, it says nothing of a number that was given since.
        if done.repeated {
            return Ok(done);
        }
        match by {
            EndedBy::Owner | EndedBy::Unreachable => text::turn_off(&mut *tx, account).await?,
            EndedBy::Reply => text::set_state(&mut *tx, account, "stopped").await?,
        }
        let now = self.base.clock.now();
        for event in &done.events {
            let occasion = event.event_id.to_string();
            delivery::queue_about_draft(&mut *tx, event, account, (by.alert(), &occasion), now).await?;
        }
        Ok(done)
    }

    /// What was written up to a position is; mail may wait.
    pub(crate) fn committed(&self, last: u64) {
        self.base.log.committed(last);
        self.mail.notify_one();
    }
}
