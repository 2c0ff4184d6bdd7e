//! The two sets of rows: which is in use, how each stands, and who may work on the one beside.

use docket_kernel::Refusal;
use docket_service::{ApiError, Base};
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

use super::super::tables::Tables;
use super::{NAME, owner};
use crate::aggregate::LOG;

/// How one set stands.
#[derive(Debug, Clone)]
pub(super) struct Set {
    pub(super) tables: Tables,
    pub(super) generation: u64,
    pub(super) state: String,
    /// Everything of the log up to here is in it.
    pub(super) position: u64,
    pub(super) changed_at_us: i64,
    pub(super) changed_by: String,
    /// The log's epoch when its rows were begun.
    pub(super) epoch: Epoch,
}

/// An epoch of the log: raised when the log was restored, and what was read before may not be in it any more.
#[derive(Debug, Clone, Copy)]
pub(super) struct Epoch {
    number: u64,
    /// None where it was not kept yet.
    id: Option<Uuid>,
}

impl Epoch {
    /// The one in force, as the owner of the log tells it.
    pub(super) async fn now(base: &Base) -> Result<Self, ApiError> {
        let head = owner::head(base).await?;
        let id = head.epochs.last().and_then(|epoch| Uuid::from_slice(&epoch.id).ok());
        Ok(Self { number: head.epoch, id })
    }

    /// Whether both are the same, as far as can be told.
    pub(super) fn is(self, other: Self) -> bool {
        let differs = |(one, other)| one != other;
        self.number == other.number && !self.id.zip(other.id).is_some_and(differs)
    }
}

/// The set in use, and the one beside it.
pub(super) async fn both(base: &Base) -> Result<(Set, Set), ApiError> {
    let rows = sqlx::query!(
        r#"SELECT s.slot, s.generation, s.state, s.position, s.changed_at_us, s.changed_by, s.epoch, s.epoch_id,
                p.live = s.slot AS "live!"
         FROM projection_set AS s JOIN projection AS p ON p.name = s.projection WHERE p.name = $1"#,
        NAME
    )
    .fetch_all(&base.pool)
    .await?;
    let (mut live, mut beside) = (None, None);
    for row in rows {
        let set = Set {
            tables: Tables::named(&row.slot)?,
            generation: row.generation.unsigned_abs(),
            state: row.state,
            position: row.position.unsigned_abs(),
            changed_at_us: row.changed_at_us,
            changed_by: row.changed_by,
            epoch: Epoch { number: row.epoch.unsigned_abs(), id: row.epoch_id },
        };
        if row.live { live = Some(set) } else { beside = Some(set) }
    }
    let (Some(mut live), Some(beside)) = (live, beside) else {
        return Err(ApiError::internal(anyhow::anyhow!("the rows of the two sets are not there")));
    };
    live.position = consumed(base).await?;
    Ok((live, beside))
}

/// Up to where the projector has applied everything.
pub(super) async fn consumed(base: &Base) -> Result<u64, ApiError> {
    let position = sqlx::query_scalar!(
        r#"SELECT coalesce(min(position), 0) AS "position!" FROM log.consumer_checkpoint
         WHERE consumer = $1 AND log = $2"#,
        base.name,
        LOG
    )
    .fetch_one(&base.pool)
    .await?;
    Ok(position.unsigned_abs())
}

/// Empties the set beside and begins a new generation in it.
pub(super) async fn begin(base: &Base, by: &str) -> Result<Tables, ApiError> {
    // Before anything is read: what is read of a later epoch is never taken for this one's.
    let epoch = Epoch::now(base).await?;
    let mut tx = docket_database::begin(&base.pool).await?;
    let slot = sqlx::query_scalar!(r#"SELECT clear_status_beside() AS "slot!""#).fetch_one(&mut *tx).await?;
    sqlx::query!(
        "UPDATE projection_set SET state = 'building', position = 0, changed_at_us = $3, changed_by = $4,
            epoch = $5, epoch_id = $6,
            generation = (SELECT max(generation) + 1 FROM projection_set WHERE projection = $1)
         WHERE projection = $1 AND slot = $2",
        NAME,
        &slot,
        base.clock.now().as_microsecond(),
        by,
        epoch.number.cast_signed(),
        epoch.id
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(Tables::named(&slot)?)
}

/// The set is built, up to a position.
pub(super) async fn built(base: &Base, tables: Tables, position: u64, by: &str) -> Result<(), ApiError> {
    sqlx::query!(
        "UPDATE projection_set SET state = 'built', position = $3, changed_at_us = $4, changed_by = $5
         WHERE projection = $1 AND slot = $2",
        NAME,
        tables.slot(),
        position.cast_signed(),
        base.clock.now().as_microsecond(),
        by
    )
    .execute(&base.pool)
    .await?;
    Ok(())
}

/// The set beside has come up to a position; its state is the same.
pub(super) async fn caught_up(base: &Base, tables: Tables, position: u64) -> Result<(), ApiError> {
    sqlx::query!(
        "UPDATE projection_set SET position = $3 WHERE projection = $1 AND slot = $2",
        NAME,
        tables.slot(),
        position.cast_signed()
    )
    .execute(&base.pool)
    .await?;
    Ok(())
}

/// What the database says when a lock was not to be had in time.
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// One at a time works on the set beside; given back when dropped, because its connection ends.
pub(super) struct Alone(#[expect(dead_code, reason = "kept open: the lock is the session's")] PgConnection);

impl Alone {
    /// Takes the lock. Whoever ended a moment ago is waited for, until the database has noticed that.
    ///
    /// # Errors
    /// `REBUILD_RUNNING` while somebody else has it.
    pub(super) async fn take(base: &Base) -> Result<Self, ApiError> {
        // Not from the pool: a session's lock must not go back into it.
        let mut connection = PgConnection::connect_with(&base.pool.connect_options()).await?;
        sqlx::query("SET lock_timeout = '2s'").execute(&mut connection).await?;
        let taken =
            sqlx::query("SELECT pg_advisory_lock(hashtextextended('docket.rebuild.' || $1::text, 0))")
                .bind(NAME)
                .execute(&mut connection)
                .await;
        match taken {
            Ok(_locked) => return Ok(Self(connection)),
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(LOCK_NOT_AVAILABLE) => {}
            Err(error) => return Err(error.into()),
        }
        let words = "Somebody else works on the rows beside those in use.";
        Err(Refusal::state("REBUILD_RUNNING", words)
            .way_out("Wait until that has ended, then repeat this.")
            .into())
    }
}
