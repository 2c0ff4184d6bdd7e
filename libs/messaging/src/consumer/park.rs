//! Parked streams: events that could not be applied, in order, and what drives them again.

use std::time::Duration;

use docket_eventlog::Recorded;
use jiff::Timestamp;
use sqlx::{PgConnection, PgPool};
use tracing::Instrument as _;

use super::Core;
use super::lane::{after, apply_all, process_span};
use crate::{ApplyError, Error};

/// One parked event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parked {
    /// The consumer that could not apply it.
    pub consumer: String,
    /// The log it stands in.
    pub log: String,
    /// Its stream.
    pub stream: String,
    /// Its position.
    pub position: i64,
    /// Why; holds no personal data.
    pub reason: String,
    /// Since when, microseconds since 1970.
    pub since_at_us: i64,
}

/// What a redrive has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Redriven {
    /// Events applied.
    pub applied: u64,
    /// Streams which are still parked.
    pub still_parked: u64,
}

/// All parked events of a service's database, oldest first.
///
/// # Errors
/// [`Error::Database`].
pub async fn parked(pool: &PgPool) -> Result<Vec<Parked>, Error> {
    Ok(sqlx::query_as!(
        Parked,
        "SELECT consumer, log, stream, position, reason, since_at_us FROM log.parked
         ORDER BY since_at_us, position"
    )
    .fetch_all(pool)
    .await?)
}

/// The parked events of one stream of a log, in order, for every consumer that has any.
///
/// # Errors
/// [`Error::Database`].
pub async fn parked_of(pool: &PgPool, log: &str, stream: &str) -> Result<Vec<Parked>, Error> {
    Ok(sqlx::query_as!(
        Parked,
        "SELECT consumer, log, stream, position, reason, since_at_us FROM log.parked
         WHERE log = $1 AND stream = $2 ORDER BY consumer, position",
        log,
        stream
    )
    .fetch_all(pool)
    .await?)
}

impl Parked {
    /// How long it has been parked.
    pub fn age(&self, now: Timestamp) -> Duration {
        let microseconds = now.as_microsecond().saturating_sub(self.since_at_us).max(0);
        Duration::from_micros(microseconds.unsigned_abs())
    }
}

pub(crate) async fn insert(
    tx: &mut PgConnection,
    core: &Core,
    event: &Recorded,
    reason: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO log.parked (consumer, log, stream, position, reason, since_at_us)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
        &core.service,
        &core.log,
        event.stream.as_str(),
        event.position.cast_signed(),
        reason,
        core.clock.now().as_microsecond()
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Applies the parked events of one stream or all, in order; what fails again stays parked.
pub(crate) async fn redrive(core: &Core, stream: Option<&str>) -> Result<Redriven, Error> {
    let streams = sqlx::query_scalar!(
        "SELECT stream FROM log.parked WHERE consumer = $1 AND log = $2 AND ($3::text IS NULL OR stream = $3)
         GROUP BY stream ORDER BY min(position)",
        &core.service,
        &core.log,
        stream
    )
    .fetch_all(&core.pool)
    .await?;
    let mut done = Redriven::default();
    for stream in streams {
        loop {
            match first(core, &stream).await? {
                First::Applied => done.applied += 1,
                First::None => break,
                First::StillParked => {
                    done.still_parked += 1;
                    break;
                }
            }
        }
    }
    if done != Redriven::default() {
        tracing::info!(
            log = core.log,
            applied = done.applied,
            still_parked = done.still_parked,
            "parked streams were redriven"
        );
    }
    Ok(done)
}

enum First {
    Applied,
    StillParked,
    None,
}

/// Tries the first parked event of a stream; its row goes in the transaction of its effect.
async fn first(core: &Core, stream: &str) -> Result<First, Error> {
    let mut tx = docket_database::begin(&core.pool).await?;
    let positions = sqlx::query_scalar!(
        "SELECT position FROM log.parked WHERE consumer = $1 AND log = $2 AND stream = $3
         ORDER BY position FOR UPDATE",
        &core.service,
        &core.log,
        stream
    )
    .fetch_all(&mut *tx)
    .await?;
    let Some(&position) = positions.first() else { return Ok(First::None) };
    let event = core.feed.read(&core.log, position.unsigned_abs() - 1, 1).await?;
    let event = event.into_iter().next().filter(|event| event.position == position.unsigned_abs());
    let mut event = event.ok_or_else(|| Error::Feed(format!("the owner has no event at {position}")))?;
    let span = process_span(core, &mut event);
    match apply_all(core, &mut tx, &event).instrument(span).await {
        Ok(()) => {}
        Err(ApplyError::Park(reason)) => {
            drop(tx);
            note(core, stream, position, &reason).await?;
            return Ok(First::StillParked);
        }
        Err(ApplyError::Retry(error)) => {
            tracing::warn!(log = core.log, position, %error, "a parked event cannot be tried now");
            return Ok(First::StillParked);
        }
    }
    sqlx::query!(
        "DELETE FROM log.parked WHERE consumer = $1 AND log = $2 AND stream = $3 AND position = $4",
        &core.service,
        &core.log,
        stream,
        position
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    after(core, &event).await;
    Ok(First::Applied)
}

async fn note(core: &Core, stream: &str, position: i64, reason: &str) -> Result<(), Error> {
    sqlx::query!(
        "UPDATE log.parked SET reason = $5
         WHERE consumer = $1 AND log = $2 AND stream = $3 AND position = $4",
        &core.service,
        &core.log,
        stream,
        position,
        reason
    )
    .execute(&core.pool)
    .await?;
    Ok(())
}
