//! The cases in which a representative appeared, and what its end means for all of them.

use docket_eventlog::{Recorded, Store};
use docket_service::ApplyError;
use sqlx::PgConnection;
use uuid::Uuid;

use super::reactions::{react, stream_id};
use crate::aggregate::Cases;
use crate::domain::decide;

/// Notes a case of an appearance.
///
/// # Errors
/// The database.
pub(super) async fn note(tx: &mut PgConnection, representation: Uuid, case: Uuid) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO representation_case (representation_id, case_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        representation,
        case
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The representation ended: so it did in each case.
///
/// # Errors
/// The log, the database.
pub(super) async fn end(
    store: &Store<Cases>,
    tx: &mut PgConnection,
    event: &Recorded,
    why: &str,
) -> Result<(), ApplyError> {
    let representation = stream_id(event)?;
    let cases = sqlx::query_scalar!(
        "SELECT case_id FROM representation_case WHERE representation_id = $1 ORDER BY case_id",
        representation
    )
    .fetch_all(&mut *tx)
    .await?;
    for (case_id, nth) in cases.into_iter().zip(0..) {
        react(store, tx, event, ("end_representation", nth), case_id, |case| {
            decide::end_representation(case, representation, why)
        })
        .await?;
    }
    Ok(())
}
