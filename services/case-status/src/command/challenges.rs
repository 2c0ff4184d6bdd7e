//! Our own log: what becomes of a motion or an appeal is told to the case whose decision it challenges.

use async_trait::async_trait;
use docket_eventlog::{Recorded, Store};
use docket_proto::events::case;
use docket_service::{ApplyError, Subscriber};
use sqlx::PgConnection;

use super::parties;
use super::reactions::{react, stream_id};
use crate::aggregate::Cases;
use crate::domain::decide;

/// The cases of motions and appeals.
pub(crate) struct Challenges {
    /// The cases.
    pub(crate) store: Store<Cases>,
}

/// Whether an event begins a challenge or ends it, or is that of one that was not ended after all.
fn matters(event: &case::Event) -> bool {
    matches!(
        event,
        case::Event::FilingAccepted(_)
            | case::Event::CaseApproved(_)
            | case::Event::CaseDenied(_)
            | case::Event::CaseWithdrawn(_)
            | case::Event::CaseReopened(_)
            | case::Event::AcceptanceVoided(_)
    )
}

#[async_trait]
impl Subscriber for Challenges {
    fn categories(&self) -> &'static [&'static str] {
        &["case"]
    }

    async fn apply(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), ApplyError> {
        if !matters(&event.decode()?) {
            return Ok(());
        }
        let challenge_id = stream_id(event)?;
        let challenge = self.store.state_in(tx, challenge_id).await?.state;
        let Some(party) = challenge.party.filter(|_| !challenge.challenge.is_empty()) else { return Ok(()) };
        for case_id in parties::cases(tx, party).await? {
            if decide::is_about(&challenge, &self.store.state_in(tx, case_id).await?.state) {
                react(&self.store, tx, event, ("follow_challenge", 0), case_id, |case| {
                    decide::follow_challenge(case, challenge_id, &challenge)
                })
                .await?;
                // A receipt number is one case's.
                break;
            }
        }
        Ok(())
    }
}
