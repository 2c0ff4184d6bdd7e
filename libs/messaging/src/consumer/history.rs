//! One history: a consumer goes on only where its checkpoints, the stream and the log tell the same one.

use std::fmt;

use docket_eventlog::Recorded;
use jiff::Timestamp;
use sqlx::PgPool;

use super::checkpoint::{self, At, Link};
use super::{Core, skip};
use crate::epochs::{Relation, relation};
use crate::{Error, FeedClient, FeedHead, LogEpoch};

/// What a consumer has seen of a log that is no longer in it, since the log was restored to an earlier point.
/// What came of it stands in the consumer's rows, and may be out in the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenBeyond {
    /// The consumer.
    pub consumer: String,
    /// The log.
    pub log: String,
    /// The last epoch it followed.
    pub epoch_seen: u64,
    /// The epoch in force.
    pub epoch_now: LogEpoch,
    /// The last position that both histories have in common.
    pub restored_to: u64,
    /// The lanes that went further: each has seen all events of its streams from the first of these positions
    /// to the second.
    pub lanes: Vec<(i32, u64, u64)>,
    /// Positions after `restored_to` that are parked: seen, but never applied.
    pub parked: Vec<u64>,
    /// How far every lane has got, in their order.
    seen: Vec<u64>,
}

impl fmt::Display for SeenBeyond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} has the log {} up to {} in common with its epoch {}, but of epoch {} also was applied:",
            self.consumer, self.log, self.restored_to, self.epoch_now.number, self.epoch_seen
        )?;
        for (lane, from, to) in &self.lanes {
            write!(f, " lane {lane} positions {from} to {to},")?;
        }
        write!(f, " of these parked: {:?}; reconcile, then accept the epoch with a reason", self.parked)
    }
}

/// What the consumer `consumer` has seen of `log` beyond what the log now holds; none when all of it is there.
///
/// # Errors
/// [`Error::Database`]; [`Error::Feed`] when the log's owner cannot be asked; [`Error::Halted`] when the log was
/// restored but its epoch not raised yet.
pub async fn seen_beyond(
    pool: &PgPool,
    consumer: &str,
    log: &str,
    feed: &FeedClient,
) -> Result<Option<SeenBeyond>, Error> {
    let head = feed.head(log).await?;
    let lanes = checkpoint::read(pool, consumer, log).await?;
    beyond(pool, (consumer, log), &lanes, &head).await
}

/// What these checkpoints have seen beyond the log as its owner now has it.
async fn beyond(
    pool: &PgPool,
    (consumer, log): (&str, &str),
    lanes: &[At],
    head: &FeedHead,
) -> Result<Option<SeenBeyond>, Error> {
    let Some(restored_to) = common(lanes, &head.epochs)? else { return Ok(None) };
    let beyond = |lane: &&At| lane.position > restored_to;
    let Some(furthest) = lanes.iter().filter(beyond).max_by_key(|lane| lane.position) else {
        return Ok(None);
    };
    let parked = sqlx::query_scalar!(
        "SELECT position FROM log.parked WHERE consumer = $1 AND log = $2 AND position > $3 ORDER BY position",
        consumer,
        log,
        restored_to.cast_signed()
    )
    .fetch_all(pool)
    .await?;
    Ok(Some(SeenBeyond {
        consumer: consumer.to_owned(),
        log: log.to_owned(),
        epoch_seen: furthest.epoch.number,
        epoch_now: head.epoch()?.clone(),
        restored_to,
        lanes: lanes.iter().filter(beyond).map(|lane| (lane.lane, restored_to + 1, lane.position)).collect(),
        parked: parked.into_iter().map(i64::unsigned_abs).collect(),
        seen: lanes.iter().map(|lane| lane.position).collect(),
    }))
}

/// Lets a consumer go on in the log's present epoch though it saw more than the log now holds: its lanes are set back
/// to the last common position, parked events beyond it are given up, and who decided so, when and why is kept.
/// What was applied beyond stays in the consumer's rows: reconcile or rebuild them first. Gives what was accepted; none
/// when there was nothing to accept.
///
/// # Errors
/// Those of [`seen_beyond`]; [`Error::Refused`] without a name or a reason, or when the consumer moved meanwhile.
pub async fn accept_epoch(
    pool: &PgPool,
    feed: &FeedClient,
    (consumer, log): (&str, &str),
    (by, reason): (&str, &str),
    now: Timestamp,
) -> Result<Option<SeenBeyond>, Error> {
    skip::explained(by, reason)?;
    let Some(beyond) = seen_beyond(pool, consumer, log, feed).await? else { return Ok(None) };
    let mut tx = docket_database::begin(pool).await?;
    let seen: Vec<i64> = beyond.seen.iter().map(|position| position.cast_signed()).collect();
    let rows = sqlx::query_scalar!(
        "SELECT position FROM log.consumer_checkpoint WHERE consumer = $1 AND log = $2 ORDER BY lane FOR UPDATE",
        consumer,
        log
    )
    .fetch_all(&mut *tx)
    .await?;
    if rows != seen {
        return Err(Error::Refused("the consumer moved while the epoch was accepted: look again".to_owned()));
    }
    sqlx::query!(
        "INSERT INTO log.epoch_accepted
             (consumer, log, epoch, epoch_id, restored_to, seen, accepted_by, reason, accepted_at_us)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        consumer,
        log,
        beyond.epoch_now.number.cast_signed(),
        beyond.epoch_now.id,
        beyond.restored_to.cast_signed(),
        &seen,
        by,
        reason,
        now.as_microsecond()
    )
    .execute(&mut *tx)
    .await?;
    for position in &beyond.parked {
        skip::give_up(&mut tx, (consumer, log), *position, (by, reason), now).await?;
    }
    sqlx::query!(
        "UPDATE log.consumer_checkpoint SET position = least(position, $3), epoch = $4, epoch_id = $5, link = NULL
         WHERE consumer = $1 AND log = $2",
        consumer,
        log,
        beyond.restored_to.cast_signed(),
        beyond.epoch_now.number.cast_signed(),
        beyond.epoch_now.id
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    tracing::warn!(consumer, log, by, reason, beyond = %beyond, "a restored log was accepted");
    Ok(Some(beyond))
}

/// The last position that the checkpoints' histories and the log's have in common; none when they are the same.
fn common(lanes: &[At], epochs: &[LogEpoch]) -> Result<Option<u64>, Error> {
    let mut common = None;
    for lane in lanes {
        match relation(&lane.epoch, epochs) {
            Relation::Same => {}
            Relation::Parted { common: here } => {
                common = Some(common.map_or(here, |least: u64| least.min(here)));
            }
            Relation::Unknown => {
                return Err(Error::Halted(format!(
                    "the checkpoint is of epoch {}, which the log does not know: raise the log's epoch if it was restored",
                    lane.epoch.number
                )));
            }
        }
    }
    Ok(common)
}

/// Proves that the log still holds all that was seen of it.
pub(crate) async fn holds(core: &Core) -> Result<(), Error> {
    // First how far we are: the log only grows meanwhile.
    let lanes = checkpoint::read(&core.pool, &core.service, &core.log).await?;
    let head = core.feed.head(&core.log).await?;
    holds_all(core, &lanes, &head).await
}

/// No later epoch takes anything of it away, the log reaches as far, and it has the same event where the furthest lane got:
/// a log that was restored and written to since, with its epoch not raised, has another one there.
async fn holds_all(core: &Core, lanes: &[At], head: &FeedHead) -> Result<(), Error> {
    if let Some(beyond) = beyond(&core.pool, (&core.service, &core.log), lanes, head).await? {
        return Err(Error::Halted(beyond.to_string()));
    }
    let furthest = lanes.iter().map(|lane| lane.position).max().unwrap_or_default();
    if head.position < furthest {
        return Err(Error::Halted(format!(
            "the log ends at {} in epoch {}, but position {furthest} was applied: raise the log's epoch if it was restored",
            head.position,
            head.epoch()?.number
        )));
    }
    let linked = lanes.iter().filter_map(|lane| Some((lane.position, lane.link?)));
    match linked.max_by_key(|(position, _)| *position) {
        Some((position, link)) if position > 0 => is_there(core, position, &link).await.map(drop),
        Some(_) | None => Ok(()),
    }
}

/// The log's event at a position, when it is the one that was seen there: it has that link.
pub(crate) async fn is_there(core: &Core, position: u64, link: &Link) -> Result<Recorded, Error> {
    let event = event_at(core, position).await?;
    if event.link != *link {
        return Err(Error::Halted(format!(
            "the log holds another event at {position} than was seen there: raise the log's epoch if it was restored"
        )));
    }
    Ok(event)
}

/// The log's event at a position.
pub(crate) async fn event_at(core: &Core, position: u64) -> Result<Recorded, Error> {
    let event = core.feed.read(&core.log, position - 1, 1).await?.into_iter().next();
    let event = event.filter(|event| event.position == position);
    event.ok_or_else(|| Error::Feed(format!("the owner has no event at {position}")))
}

/// Proves that the checkpoints, the stream (its epoch and last sequence) and the log tell one history; gives the
/// checkpoints, which follow the log into a raised epoch when they had seen nothing beyond it.
pub(crate) async fn agree(
    core: &Core,
    stream: &LogEpoch,
    last: u64,
    lanes: Vec<At>,
) -> Result<Vec<At>, Error> {
    let furthest = lanes.iter().map(|lane| lane.position).max().unwrap_or_default();
    // A stream that was wiped and is being refilled, one that is about to be replaced since the log was restored, or a log
    // that lost events? Its owner knows. While it is away, a stream that goes on from the checkpoints is followed.
    let goes_on = lanes.iter().all(|lane| lane.epoch.is(stream)) && last >= furthest;
    let head = match core.feed.head(&core.log).await {
        Err(Error::Feed(_)) if goes_on => return Ok(lanes),
        head => head?,
    };
    let now = head.epoch()?;
    holds_all(core, &lanes, &head).await?;
    match relation(stream, &head.epochs) {
        Relation::Same => {}
        Relation::Parted { .. } => {
            return Err(Error::Again(
                "the stream is still of an older epoch than the log: its relay replaces it",
            ));
        }
        Relation::Unknown => {
            return Err(Error::Halted(format!(
                "the stream is of epoch {}, the log of epoch {}: raise the log's epoch if it was restored",
                stream.number, now.number
            )));
        }
    }
    if lanes.iter().all(|lane| lane.epoch.is(now)) {
        return Ok(lanes);
    }
    checkpoint::adopt(core, now).await?;
    tracing::warn!(
        service = core.service,
        log = core.log,
        epoch = now.number,
        "the log was restored; nothing beyond it was seen, so the consumer goes on in its new epoch"
    );
    checkpoint::read(&core.pool, &core.service, &core.log).await
}
