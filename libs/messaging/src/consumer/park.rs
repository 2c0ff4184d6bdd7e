//! Parked streams: events that could not be applied, in order, and what drives them again.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use docket_database::{WORK, answered, within};
use docket_eventlog::Recorded;
use jiff::Timestamp;
use sqlx::{PgConnection, PgExecutor, PgPool};
use tokio::time::{Instant, sleep};
use tracing::Instrument as _;

use super::lane::{after, apply_all, describe, process_span};
use super::{Core, history};
use crate::{ApplyError, Error, Stop};

/// How often it is looked for streams whose time has come.
const LOOK: Duration = Duration::from_secs(1);
/// So many that failed for one cause are no chance.
pub(super) const SEVERAL: usize = 2;

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
pub async fn parked_of(from: impl PgExecutor<'_>, log: &str, stream: &str) -> Result<Vec<Parked>, Error> {
    Ok(sqlx::query_as!(
        Parked,
        "SELECT consumer, log, stream, position, reason, since_at_us FROM log.parked
         WHERE log = $1 AND stream = $2 ORDER BY consumer, position",
        log,
        stream
    )
    .fetch_all(from)
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
        "INSERT INTO log.parked (consumer, log, stream, position, reason, since_at_us, link)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
        &core.service,
        &core.log,
        event.stream.as_str(),
        event.position.cast_signed(),
        reason,
        core.clock.now().as_microsecond(),
        event.link.as_slice()
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The parked streams of a consumer, or one of them, those first that have waited behind the earliest event.
pub(crate) async fn streams(core: &Core, only: Option<&str>) -> Result<Vec<String>, Error> {
    let streams = sqlx::query_scalar!(
        "SELECT stream FROM log.parked WHERE consumer = $1 AND log = $2 AND ($3::text IS NULL OR stream = $3)
         GROUP BY stream ORDER BY min(position)",
        &core.service,
        &core.log,
        only
    );
    Ok(streams.fetch_all(&core.pool).await?)
}

/// Applies the parked events of one stream or all, in order; what fails again stays parked. Where one of all cannot be tried
/// the others still are.
pub(crate) async fn redrive(core: &Core, stream: Option<&str>) -> Result<Redriven, Error> {
    let found = streams(core, stream).await?;
    if !found.is_empty() {
        within(WORK, history::holds(core)).await?;
    }
    let mut done = Redriven::default();
    for name in found {
        let left = match one(core, &name, &mut done.applied).await {
            Err(error) if stream.is_none() && !matches!(error, Error::Halted(_)) => {
                tracing::warn!(log = core.log, stream = name, %error, "a parked stream could not be redriven");
                Left::Away(error.to_string())
            }
            left => left?,
        };
        done.still_parked += u64::from(left != Left::Nothing);
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

/// When a stream is tried again, and for what it failed the last time.
struct Next {
    at: Instant,
    pause: Duration,
    cause: Option<String>,
}

/// Tries parked streams again until `ending`, so that what passes by itself heals by itself: those of `before` at once, others
/// after a pause; it grows while they stay parked.
pub(crate) async fn again(core: Arc<Core>, before: Vec<String>, ending: Stop) -> Result<(), Error> {
    let patience = &core.patience;
    let next = |stream| (stream, Next { at: Instant::now(), pause: patience.first_pause, cause: None });
    let mut known: HashMap<String, Next> = before.into_iter().map(next).collect();
    while !ending.is_cancelled() {
        match round(&core, &mut known, &ending).await {
            Err(halted @ Error::Halted(_)) => return Err(halted),
            Err(error) => tracing::debug!(log = core.log, %error, "parked streams cannot be tried again"),
            Ok(()) => {}
        }
        ending.run_until_cancelled(sleep(LOOK.min(patience.first_pause))).await;
    }
    Ok(())
}

/// Tries those whose time has come. What two of them failed for now, the others that failed for it before are spared until the
/// next round: one try may take long, and streams that have nothing to do with it wait their turn.
async fn round(core: &Core, known: &mut HashMap<String, Next>, ending: &Stop) -> Result<(), Error> {
    let (patience, parked) = (&core.patience, answered(streams(core, None)).await?);
    let still: HashSet<&str> = parked.iter().map(String::as_str).collect();
    known.retain(|stream, _| still.contains(stream.as_str()));
    let (now, pause) = (Instant::now(), patience.first_pause);
    let mut is_due = |stream: &String| {
        let fresh = || Next { at: now + pause, pause, cause: None };
        known.entry(stream.clone()).or_insert_with(fresh).at <= now
    };
    let due: Vec<String> = parked.into_iter().filter(|stream| is_due(stream)).collect();
    if !due.is_empty() {
        within(WORK, history::holds(core)).await?;
    }
    let mut failed: HashMap<String, usize> = HashMap::new();
    for stream in due {
        if ending.is_cancelled() {
            break;
        }
        let Some(next) = known.get_mut(&stream) else { continue };
        let times = next.cause.as_ref().and_then(|cause| failed.get(cause));
        if times.is_some_and(|times| *times >= SEVERAL) {
            continue;
        }
        let cause = match try_again(core, &stream).await? {
            Left::Nothing => {
                // Should it be parked anew, that is another beginning.
                known.remove(&stream);
                continue;
            }
            Left::Parked(cause) => {
                next.pause = (next.pause * 2).min(patience.most_pause);
                cause
            }
            Left::Away(cause) => cause,
        };
        next.at = Instant::now() + next.pause;
        *failed.entry(cause.clone()).or_default() += 1;
        next.cause = Some(cause);
    }
    Ok(())
}

/// What is left of a stream after a try.
async fn try_again(core: &Core, stream: &str) -> Result<Left, Error> {
    let mut applied = 0;
    let left = one(core, stream, &mut applied).await;
    if applied > 0 {
        tracing::info!(log = core.log, stream, applied, "a parked stream was tried again");
    }
    match left {
        Ok(left) => Ok(left),
        Err(halted @ Error::Halted(_)) => Err(halted),
        Err(error) => {
            tracing::debug!(log = core.log, %error, "a parked stream cannot be tried again");
            Ok(Left::Away(error.to_string()))
        }
    }
}

/// Why not all of a stream was applied.
#[derive(Debug, PartialEq, Eq)]
enum Left {
    Nothing,
    Parked(String),
    /// What it needs is away.
    Away(String),
}

/// Applies the parked events of a stream, in order, as far as they can be, and counts them.
async fn one(core: &Core, stream: &str, applied: &mut u64) -> Result<Left, Error> {
    loop {
        match within(core.patience.one_try, first(core, stream)).await? {
            None => *applied += 1,
            Some(left) => return Ok(left),
        }
    }
}

/// Tries the first parked event of a stream, whose row goes in the transaction of its effect; what is left where it was not
/// applied.
async fn first(core: &Core, stream: &str) -> Result<Option<Left>, Error> {
    // The owner is asked before anything is locked: the stream's lane waits for the lock.
    let (position, mut event, mut tx) = loop {
        let Some(first) = first_parked(core, stream).await? else { return Ok(Some(Left::Nothing)) };
        let (position, event) = (first.position, parked_event(core, stream, first).await?);
        let mut tx = docket_database::begin(&core.pool).await?;
        if lock(&mut tx, core, stream).await? == Some(position) {
            break (position, event, tx);
        }
        // Somebody else has applied it meanwhile, or given it up.
    };
    let span = process_span(core, &mut event);
    let reason = match apply_all(core, &mut tx, &event).instrument(span).await {
        Ok(()) => None,
        Err(ApplyError::Park(reason)) => Some(reason),
        Err(ApplyError::Retry(error)) => Some(describe(&error)),
        Err(ApplyError::Away(error)) => {
            let error = describe(&error);
            tracing::warn!(log = core.log, position, error, "a parked event cannot be tried now");
            return Ok(Some(Left::Away(error)));
        }
    };
    if let Some(reason) = reason {
        drop(tx);
        note(core, stream, position, &reason).await?;
        return Ok(Some(Left::Parked(reason)));
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
    core.causes.pass();
    after(core, &event).await;
    Ok(None)
}

/// The first parked event of a stream.
struct First {
    position: i64,
    link: Option<Vec<u8>>,
}

async fn first_parked(core: &Core, stream: &str) -> Result<Option<First>, Error> {
    let first = sqlx::query_as!(
        First,
        "SELECT position, link FROM log.parked WHERE consumer = $1 AND log = $2 AND stream = $3
         ORDER BY position LIMIT 1",
        &core.service,
        &core.log,
        stream
    );
    Ok(first.fetch_optional(&core.pool).await?)
}

/// Locks what is parked of a stream, so that what arrives queues up behind it; gives the first position.
async fn lock(tx: &mut PgConnection, core: &Core, stream: &str) -> Result<Option<i64>, Error> {
    let positions = sqlx::query_scalar!(
        "SELECT position FROM log.parked WHERE consumer = $1 AND log = $2 AND stream = $3
         ORDER BY position FOR UPDATE",
        &core.service,
        &core.log,
        stream
    );
    Ok(positions.fetch_all(tx).await?.first().copied())
}

/// The event that is parked there, as the log's owner has it.
async fn parked_event(core: &Core, stream: &str, first: First) -> Result<Recorded, Error> {
    let First { position, link } = first;
    let event = match link.and_then(|link| link.try_into().ok()) {
        Some(link) => history::is_there(core, position.unsigned_abs(), &link).await?,
        None => history::event_at(core, position.unsigned_abs()).await?,
    };
    if event.stream.as_str() != stream {
        return Err(Error::Halted(format!(
            "position {position} was parked as an event of {stream}, and is one of {}: raise the log's epoch if it was restored",
            event.stream
        )));
    }
    Ok(event)
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
