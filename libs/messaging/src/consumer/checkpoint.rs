//! Checkpoints: how far each lane has got, advanced by compare-and-set in the effect's transaction.

use docket_eventlog::StreamName;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::{Core, LANES};
use crate::{Error, LogEpoch};

/// Where a lane is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct At {
    pub(crate) lane: i32,
    /// Everything of this lane up to here is done.
    pub(crate) position: u64,
    /// The log's epoch; its `from_position` is not kept.
    pub(crate) epoch: LogEpoch,
    /// The link of the event at the position, as it was seen; none where that is not known.
    pub(crate) link: Option<Link>,
}

/// The SHA-256 link of an event, which says what was in its stream up to it.
pub(crate) type Link = [u8; 32];

/// What came of a compare-and-set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moved {
    /// The lane is there; whether one of the streams that were asked for is parked.
    Here {
        /// So it is.
        parked: bool,
    },
    /// Another consumer has been here; the checkpoint is now at this position.
    Elsewhere(u64),
}

/// The lane of a stream: FNV-1a over its name, which must never change, modulo the lanes.
pub(crate) fn lane_of(stream: &StreamName) -> usize {
    let hash = stream.as_str().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    usize::try_from(hash % LANES as u64).expect("below LANES")
}

/// The lanes' checkpoints, made at 0 in the stream's epoch when they are missing.
pub(crate) async fn load(core: &Core, epoch: &LogEpoch) -> Result<Vec<At>, Error> {
    sqlx::query!(
        "INSERT INTO log.consumer_checkpoint (consumer, log, lane, position, epoch, epoch_id)
         SELECT $1, $2, lane, 0, $4, $5 FROM generate_series(0, $3 - 1) AS lane
         ON CONFLICT (consumer, log, lane) DO NOTHING",
        &core.service,
        &core.log,
        i32::try_from(LANES).expect("a small number"),
        epoch.number.cast_signed(),
        known(epoch)
    )
    .execute(&core.pool)
    .await?;
    if let Some(id) = known(epoch) {
        // Made before ids were kept, or before the stream told one.
        sqlx::query!(
            "UPDATE log.consumer_checkpoint SET epoch_id = $4
             WHERE consumer = $1 AND log = $2 AND epoch = $3 AND epoch_id IS NULL",
            &core.service,
            &core.log,
            epoch.number.cast_signed(),
            id
        )
        .execute(&core.pool)
        .await?;
    }
    let lanes = read(&core.pool, &core.service, &core.log).await?;
    if lanes.len() != LANES {
        return Err(Error::Halted(format!("{} lanes have checkpoints, {LANES} are needed", lanes.len())));
    }
    Ok(lanes)
}

/// The lanes' checkpoints as they stand, in the order of the lanes.
pub(crate) async fn read(pool: &PgPool, consumer: &str, log: &str) -> Result<Vec<At>, Error> {
    let rows = sqlx::query!(
        "SELECT lane, position, epoch, epoch_id, link, link_position FROM log.consumer_checkpoint
         WHERE consumer = $1 AND log = $2 ORDER BY lane",
        consumer,
        log
    )
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| At {
            lane: row.lane,
            position: row.position.unsigned_abs(),
            epoch: LogEpoch::known_as(row.epoch.unsigned_abs(), row.epoch_id),
            // Of another position where it was set back, or moved by a program that keeps none.
            link: row
                .link
                .filter(|_| row.link_position == Some(row.position))
                .and_then(|link| link.try_into().ok()),
        })
        .collect())
}

/// Takes all lanes into another epoch, where they are.
pub(crate) async fn adopt(core: &Core, epoch: &LogEpoch) -> Result<(), Error> {
    sqlx::query!(
        "UPDATE log.consumer_checkpoint SET epoch = $3, epoch_id = $4 WHERE consumer = $1 AND log = $2",
        &core.service,
        &core.log,
        epoch.number.cast_signed(),
        known(epoch)
    )
    .execute(&core.pool)
    .await?;
    Ok(())
}

fn known(epoch: &LogEpoch) -> Option<Uuid> {
    Some(epoch.id).filter(|id| !id.is_nil())
}

/// Moves the lane from where it was to a position, with the link of the event there, in the caller's transaction, and looks
/// whether any of the `streams` is parked. The rows of parked streams stay locked, so that a redrive and a new arrival queue
/// up.
pub(crate) async fn advance(
    tx: &mut PgConnection,
    core: &Core,
    at: &At,
    (to, link): (u64, Option<&Link>),
    streams: &[&str],
) -> Result<Moved, Error> {
    let step = sqlx::query!(
        r#"WITH moved AS (
            UPDATE log.consumer_checkpoint SET position = $5, link = $9, link_position = $5
            WHERE consumer = $1 AND log = $2 AND lane = $3 AND position = $4 AND epoch = $6
              AND epoch_id IS NOT DISTINCT FROM $7
            RETURNING lane
         ), parked AS (
            SELECT position FROM log.parked WHERE consumer = $1 AND log = $2 AND stream = ANY($8) FOR UPDATE
         )
         SELECT EXISTS (SELECT FROM moved) AS "moved!", (SELECT count(*) FROM parked) > 0 AS "parked!""#,
        &core.service,
        &core.log,
        at.lane,
        at.position.cast_signed(),
        to.cast_signed(),
        at.epoch.number.cast_signed(),
        known(&at.epoch),
        streams as _,
        link.map(Link::as_slice)
    )
    .fetch_one(&mut *tx)
    .await?;
    if step.moved {
        return Ok(Moved::Here { parked: step.parked });
    }
    let row = sqlx::query!(
        "SELECT position, epoch FROM log.consumer_checkpoint WHERE consumer = $1 AND log = $2 AND lane = $3",
        &core.service,
        &core.log,
        at.lane
    )
    .fetch_optional(&mut *tx)
    .await?;
    match row {
        Some(row)
            if row.epoch.unsigned_abs() == at.epoch.number && row.position.unsigned_abs() > at.position =>
        {
            Ok(Moved::Elsewhere(row.position.unsigned_abs()))
        }
        // Set back or taken away by hand: begin again from what stands there.
        _ => Err(Error::Again("the checkpoint was changed")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lane_of_a_stream_never_changes() {
        let lane = |name: &str| lane_of(&StreamName::new(name).unwrap());
        assert_eq!(lane("case-01890a5d-ac96-774b-bcce-b302099a8057"), 2);
        assert_eq!([lane("a"), lane("b"), lane("c")], [4, 5, 2]);
    }
}
