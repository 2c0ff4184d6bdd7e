//! The cases in which a representative appeared, what its end means for all of them, and who is appointed for one later.

use docket_eventlog::{Recorded, Store};
use docket_proto::filing::events::v1::RepresentativeAppointed;
use docket_proto::types::v1::MailingWishes;
use docket_service::ApplyError;
use sqlx::PgConnection;
use uuid::Uuid;

use super::reactions::{named, react, stream_id};
use crate::aggregate::Cases;
use crate::domain::{Wishes, decide};

/// What is known of an appearance.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    /// Whether it stands.
    pub(super) stands: bool,
    /// What its client wishes of papers; none where nothing was said of it, or not read yet.
    pub(super) wishes: Option<Wishes>,
}

/// Takes the row of a representation until the transaction ends, and says whether it stands: its end, what is wished under it and
/// what rests on it are read in different lanes, and whichever comes second finds the other.
///
/// # Errors
/// The database.
pub(super) async fn known(tx: &mut PgConnection, representation: Uuid) -> sqlx::Result<Known> {
    let row = sqlx::query!(
        "INSERT INTO representation (representation_id) VALUES ($1)
         ON CONFLICT (representation_id) DO UPDATE SET representation_id = excluded.representation_id
         RETURNING ended, notices_to_representative, documents_to_representative, i94_to_client",
        representation
    )
    .fetch_one(tx)
    .await?;
    let wishes = row.documents_to_representative.map(|documents_to_representative| Wishes {
        notices_to_representative: row.notices_to_representative.unwrap_or_default(),
        documents_to_representative,
        i94_to_client: row.i94_to_client.unwrap_or_default(),
    });
    Ok(Known { stands: !row.ended, wishes })
}

/// Keeps what the client wishes, for cases that are opened later; takes the row as [`known`] does.
async fn note_wishes(tx: &mut PgConnection, representation: Uuid, wishes: Wishes) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO representation (representation_id, notices_to_representative, documents_to_representative, i94_to_client)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (representation_id) DO UPDATE SET notices_to_representative = excluded.notices_to_representative,
             documents_to_representative = excluded.documents_to_representative, i94_to_client = excluded.i94_to_client",
        representation,
        wishes.notices_to_representative,
        wishes.documents_to_representative,
        wishes.i94_to_client
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The client says where originals and documents go: so it is in each case of the appearance, and in each that is not there yet.
///
/// # Errors
/// The log, the database.
pub(super) async fn wish(
    store: &Store<Cases>,
    tx: &mut PgConnection,
    event: &Recorded,
    wishes: Option<&MailingWishes>,
) -> Result<(), ApplyError> {
    // Older events do not say: everything goes to the client, as before.
    let Some(wishes) = wishes.map(Wishes::from) else { return Ok(()) };
    let representation = stream_id(event)?;
    note_wishes(tx, representation, wishes).await?;
    for (case_id, nth) in cases_of(tx, representation).await?.into_iter().zip(0..) {
        react(store, tx, event, ("change_wishes", nth), case_id, |case| {
            decide::change_wishes(case, representation, wishes)
        })
        .await?;
    }
    Ok(())
}

/// The cases of an appearance.
async fn cases_of(tx: &mut PgConnection, representation: Uuid) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "SELECT case_id FROM representation_case WHERE representation_id = $1 ORDER BY case_id",
        representation
    )
    .fetch_all(tx)
    .await
}

/// Keeps that a representation ended, for cases that are opened later; takes its row as [`known`] does.
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
    let known = known(tx, representation).await?;
    // What the appearance's own stream said is the later word.
    let wishes = known.wishes.or_else(|| appointed.wishes.as_ref().map(Wishes::from));
    react(store, tx, event, ("appoint_representative", 0), case_id, |case| {
        if known.stands {
            decide::appoint_representative(case, (representation, representative), wishes)
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
    for (case_id, nth) in cases_of(tx, representation).await?.into_iter().zip(0..) {
        react(store, tx, event, ("end_representation", nth), case_id, |case| {
            decide::end_representation(case, representation, why)
        })
        .await?;
    }
    Ok(())
}
