//! Motions, appeals and requests for a hearing: what becomes of one is told to the case whose decision it challenges, and who decided
//! that is known when an officer is to look at it again.

use async_trait::async_trait;
use docket_eventlog::{Recorded, Store};
use docket_proto::events::case;
use docket_service::{ApiError, ApplyError, Subscriber};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::parties;
use super::reactions::{react, stream_id};
use crate::aggregate::Cases;
use crate::domain::Case;
use crate::domain::decide::{self, Challenged};

/// The cases of motions and appeals.
pub(crate) struct Challenges {
    /// The cases.
    pub(crate) store: Store<Cases>,
}

/// The denied case that a case is about; none where it challenges nothing, or a case that is not here.
///
/// # Errors
/// The log, the database.
pub(super) async fn challenged(
    pool: &PgPool,
    store: &Store<Cases>,
    case: &Case,
) -> Result<Option<Challenged>, ApiError> {
    let Some(party) = case.party.filter(|_| !case.challenge.is_empty()) else { return Ok(None) };
    let of_party = parties::cases(&mut *pool.acquire().await?, party).await?;
    for case_id in of_party {
        let other = store.load(case_id).await?.state;
        if decide::is_about(case, &other) {
            let examiner = other.interviewer.or(other.decided_by);
            let by_supervisor = match examiner {
                Some(officer) => is_supervisor(pool, officer).await?,
                None => false,
            };
            return Ok(Some(Challenged { case: other, by_supervisor }));
        }
    }
    Ok(None)
}

/// Whether an officer is a supervisor: of the two grades that this office has, the higher.
///
/// # Errors
/// The database.
pub(super) async fn is_supervisor(pool: &PgPool, officer: Uuid) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM access.role WHERE account = $1 AND role = 'supervisor') AS "known!""#,
        officer
    )
    .fetch_one(pool)
    .await
}

/// Whether an event begins a challenge or ends it, or is that of one that was not ended after all.
fn matters(event: &case::Event) -> bool {
    matches!(
        event,
        case::Event::FilingAccepted(_)
            | case::Event::CaseApproved(_)
            | case::Event::CaseDenied(_)
            | case::Event::CaseWithdrawn(_)
            | case::Event::CaseAdministrativelyClosed(_)
            | case::Event::CaseReopened(_)
            | case::Event::CaseReopenedOnOwnMotion(_)
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
