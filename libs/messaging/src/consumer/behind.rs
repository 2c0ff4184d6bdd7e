//! Whether everything of one stream up to the head of its log has had its effect, for whoever must not act before.

use std::fmt;

use docket_eventlog::StreamName;
use sqlx::PgPool;

use super::checkpoint::{self, lane_of};
use super::park;
use crate::{Error, FeedHead};

/// What keeps a consumer from having applied a stream up to the head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Behind {
    /// The stream's lane is at this position of the log, its head at another.
    At(u64, u64),
    /// The checkpoint is of another epoch than the head: the log was restored, and not gone over yet.
    Epoch(u64),
    /// An event of the stream is parked.
    Parked(u64),
}

impl fmt::Display for Behind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(position, head) => write!(f, "applied up to position {position} of {head}"),
            Self::Epoch(epoch) => write!(f, "the checkpoint is of epoch {epoch}, the log of another"),
            Self::Parked(position) => write!(f, "position {position} is parked"),
        }
    }
}

/// What of `stream` the consumer has not applied yet of what `log` held when `head` was read; none when all of it is.
///
/// # Errors
/// [`Error::Database`]; [`Error::Feed`] for a head without an epoch.
pub async fn behind(
    pool: &PgPool,
    (consumer, log): (&str, &str),
    stream: &StreamName,
    head: &FeedHead,
) -> Result<Option<Behind>, Error> {
    let number = i32::try_from(lane_of(stream)).expect("a small number");
    let lanes = checkpoint::read(pool, consumer, log).await?;
    let lane = lanes.into_iter().find(|lane| lane.lane == number);
    let position = lane.as_ref().map_or(0, |lane| lane.position);
    if let Some(lane) = lane
        && !lane.epoch.is(head.epoch()?)
    {
        return Ok(Some(Behind::Epoch(lane.epoch.number)));
    }
    if position < head.position {
        return Ok(Some(Behind::At(position, head.position)));
    }
    // After the checkpoint: an event is parked in the transaction that moves it.
    let parked = park::parked_of(pool, log, stream.as_str()).await?;
    let ours = parked.into_iter().find(|event| event.consumer == consumer);
    Ok(ours.map(|event| Behind::Parked(event.position.unsigned_abs())))
}
