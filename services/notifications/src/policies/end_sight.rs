//! When a representation ends, then whoever acted under it finds nothing more of its cases, whatever became of them: of one that was
//! rejected the log of cases says nothing any more (lifecycle 5, 41).

use async_trait::async_trait;
use docket_eventlog::Recorded;
use docket_proto::events::representation::Event;
use docket_service::{ApplyError, Subscriber};
use sqlx::PgConnection;

use crate::store::representation;

/// The subscriber of the log of filings.
pub(crate) struct EndSight;

#[async_trait]
impl Subscriber for EndSight {
    fn categories(&self) -> &'static [&'static str] {
        &["representation"]
    }

    fn rows_only(&self) -> bool {
        true
    }

    async fn apply(&self, tx: &mut PgConnection, recorded: &Recorded) -> Result<(), ApplyError> {
        if !ends(&recorded.decode()?) {
            return Ok(());
        }
        let id = recorded.stream.id().ok_or_else(|| ApplyError::Park("the stream names no id".into()))?;
        Ok(representation::ended(tx, id).await?)
    }
}

/// Whether nobody acts under the appearance from here on.
fn ends(event: &Event) -> bool {
    match event {
        Event::RepresentationWithdrawn(_)
        | Event::RepresentationEnded(_)
        | Event::RepresentationEndedByOffice(_) => true,
        Event::RepresentationReplaced(replaced) => replaced.ended,
        Event::RepresentationSought(_)
        | Event::RepresentationPrepared(_)
        | Event::RepresentationAccepted(_)
        | Event::RepresentationWishesChanged(_)
        | Event::RepresentationRefused(_) => false,
    }
}
