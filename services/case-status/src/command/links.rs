//! Which cases of a package are linked, and what the end of one does to those that rest on it.

use async_trait::async_trait;
use docket_eventlog::{Recorded, Store};
use docket_proto::events::case;
use docket_service::{ApplyError, Subscriber};
use sqlx::PgConnection;
use uuid::Uuid;

use super::reactions::{react, stream_id};
use crate::aggregate::Cases;
use crate::domain::decide::{self, Filed};
use crate::domain::{Case, Direction};

/// Notes a case of a package.
///
/// # Errors
/// The database.
pub(crate) async fn note(tx: &mut PgConnection, package: Uuid, filed: &Filed) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO package_case (package_id, case_id, form, party, derivative) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT DO NOTHING",
        package,
        filed.case,
        filed.form,
        filed.party,
        filed.derivative
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The other cases of a package, as far as they are there.
///
/// # Errors
/// The database.
pub(crate) async fn others(tx: &mut PgConnection, package: Uuid, own: Uuid) -> sqlx::Result<Vec<Filed>> {
    sqlx::query_as!(
        Filed,
        r#"SELECT case_id AS "case", form, party, derivative FROM package_case
           WHERE package_id = $1 AND case_id <> $2 ORDER BY case_id"#,
        package,
        own
    )
    .fetch_all(tx)
    .await
}

/// Our own log: a case that others rest on was decided, withdrawn, not accepted, or is open again.
pub(crate) struct LinkedCases {
    /// The cases.
    pub(crate) store: Store<Cases>,
}

/// What an event of a case means for those that are linked with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// Its end: the basis of those that rest on it is lost.
    Ended,
    /// It is under review again: theirs is regained, and its own may have ended or come back meanwhile.
    Reopened,
    /// It was approved: what it makes needless is closed.
    Approved,
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the other events mean nothing for linked cases")]
fn meaning(event: &case::Event) -> Option<Meaning> {
    match event {
        case::Event::CaseDenied(_)
        | case::Event::ApprovalRevoked(_)
        | case::Event::ApprovalRevokedByLaw(_)
        | case::Event::StatusTerminated(_)
        | case::Event::CaseAdministrativelyClosed(_)
        | case::Event::CaseWithdrawn(_)
        | case::Event::FilingRejected(_)
        | case::Event::AcceptanceVoided(_) => Some(Meaning::Ended),
        case::Event::CaseReopened(_)
        | case::Event::CaseReopenedOnOwnMotion(_)
        | case::Event::CaseReopenedOnRequest(_) => Some(Meaning::Reopened),
        case::Event::CaseApproved(_) => Some(Meaning::Approved),
        _ => None,
    }
}

#[async_trait]
impl Subscriber for LinkedCases {
    fn categories(&self) -> &'static [&'static str] {
        &["case"]
    }

    async fn apply(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), ApplyError> {
        let Some(meaning) = meaning(&event.decode()?) else { return Ok(()) };
        let case_id = stream_id(event)?;
        let case = self.store.state_in(tx, case_id).await?.state;
        for (link, nth) in case.links.iter().zip(0..) {
            match (link.direction, meaning) {
                (Direction::Carries, Meaning::Ended | Meaning::Reopened) => {
                    self.follow(tx, event, nth, link.case, (case_id, &case)).await?;
                }
                (Direction::Carries, Meaning::Approved) => {
                    // What it was for is there another way.
                    react(&self.store, tx, event, ("close_as_moot", nth), link.case, |case| {
                        decide::close_as_moot(case, case_id)
                    })
                    .await?;
                }
                (Direction::RestsOn, Meaning::Reopened) => {
                    let basis = self.store.state_in(tx, link.case).await?.state;
                    self.follow(tx, event, nth, case_id, (link.case, &basis)).await?;
                }
                (Direction::RestsOn, Meaning::Ended | Meaning::Approved) => {}
            }
        }
        Ok(())
    }
}

impl LinkedCases {
    /// Records in a case how the one stands that it rests on.
    async fn follow(
        &self,
        tx: &mut PgConnection,
        event: &Recorded,
        nth: u32,
        case_id: Uuid,
        (basis_id, basis): (Uuid, &Case),
    ) -> Result<(), ApplyError> {
        react(&self.store, tx, event, ("follow_basis", nth), case_id, |case| {
            decide::follow_basis(case, basis_id, basis)
        })
        .await?;
        Ok(())
    }
}
