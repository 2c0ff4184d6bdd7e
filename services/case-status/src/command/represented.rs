//! The cases in which a representative appeared, what its end means for all of them, and who is appointed for one later.

use docket_eventlog::{Recorded, Store};
use docket_proto::filing::events::v1::RepresentativeAppointed;
use docket_service::ApplyError;
use sqlx::PgConnection;
use uuid::Uuid;

use super::reactions::{named, react, stream_id};
use crate::aggregate::Cases;
use crate::domain::decide;

/// Takes the row of a representation until the transaction ends, and says whether it stands: its end and what rests on it are
/// read in different lanes, and whichever comes second finds the other.
///
/// # Errors
/// The database.
pub(super) async fn stands(tx: &mut PgConnection, representation: Uuid) -> sqlx::Result<bool> {
    let ended = sqlx::query_scalar!(
        "INSERT INTO representation (representation_id) VALUES ($1)
         ON CONFLICT (representation_id) DO UPDATE SET representation_id = excluded.representation_id
         RETURNING ended",
        representation
    )
    .fetch_one(tx)
    .await?;
    Ok(!ended)
}

/// Keeps that a representation ended, for cases that are opened later; takes its row as [`stands`] does.
async fn note_end(tx: &mut PgConnection, representation: Uuid) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO representation (representation_id, ended) VALUES ($1, true)
         ON CONFLICT (representation_id) DO UPDATE SET ended = true",
        representation
    )
    .execute(tx)
    .await?;
    Ok(())
}

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

/// The client consented to a representative for a filing that was there already: they act in its case, once there is one. Which one
/// was appointed last the filing's own stream says: the appearances have streams of their own, which are read in any order.
///
/// # Errors
/// The log, the database.
pub(super) async fn appoint(
    store: &Store<Cases>,
    tx: &mut PgConnection,
    event: &Recorded,
    appointed: &RepresentativeAppointed,
) -> Result<(), ApplyError> {
    let (representation, case_id) =
        (named(&appointed.representation_id, "representation_id")?, stream_id(event)?);
    let representative = named(&appointed.representative, "representative")?;
    let stands = stands(tx, representation).await?;
    react(store, tx, event, ("appoint_representative", 0), case_id, |case| {
        if stands {
            decide::appoint_representative(case, representation, representative)
        } else {
            decide::end_former(case, representation)
        }
    })
    .await?;
    Ok(note(tx, representation, case_id).await?)
}

/// The representation ended: so it did in each case, and in each that is not there yet.
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
    note_end(tx, representation).await?;
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
