//! Giving up a parked event: an operator's decision, which stays on record for ever.

use jiff::Timestamp;
use sqlx::{PgConnection, PgPool};

use crate::Error;

/// A parked event that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The consumer that never applied it.
    pub consumer: String,
    /// The log it stands in.
    pub log: String,
    /// Its stream.
    pub stream: String,
    /// Its position.
    pub position: i64,
    /// The epoch the consumer was in.
    pub epoch: i64,
    /// Why it had been parked; holds no personal data.
    pub parked_reason: String,
    /// Since when it had been parked, microseconds since 1970.
    pub parked_at_us: i64,
    /// Who gave it up.
    pub skipped_by: String,
    /// Why, in that person's words.
    pub reason: String,
    /// When, microseconds since 1970.
    pub skipped_at_us: i64,
}

/// Gives up the first parked event of a stream, which must be the one at `position`: it is not applied, now or later.
/// What waits behind it stays parked until it is redriven.
///
/// # Errors
/// [`Error::Refused`] without a name or a reason, or when another event, or none, is the stream's first.
pub async fn skip(
    pool: &PgPool,
    (consumer, log): (&str, &str),
    (stream, position): (&str, u64),
    (by, reason): (&str, &str),
    now: Timestamp,
) -> Result<(), Error> {
    explained(by, reason)?;
    let mut tx = docket_database::begin(pool).await?;
    // All rows of the stream, as a redrive and a new arrival lock them.
    let first = sqlx::query_scalar!(
        "SELECT position FROM log.parked WHERE consumer = $1 AND log = $2 AND stream = $3
         ORDER BY position FOR UPDATE",
        consumer,
        log,
        stream
    )
    .fetch_all(&mut *tx)
    .await?
    .first()
    .map(|first| first.unsigned_abs());
    match first {
        Some(first) if first == position => {}
        Some(first) => {
            return Err(Error::Refused(format!(
                "the first parked event of the stream is at {first}, not at {position}: events of a stream go in order"
            )));
        }
        None => return Err(Error::Refused("nothing of this stream is parked".to_owned())),
    }
    give_up(&mut tx, (consumer, log), position, (by, reason), now).await?;
    tx.commit().await?;
    tracing::warn!(consumer, log, position, by, reason, "a parked event was given up");
    metrics::counter!("docket_consumer_skipped_total", "consumer" => consumer.to_owned(), "log" => log.to_owned())
        .increment(1);
    Ok(())
}

/// All parked events of a service's database that were given up, the latest first.
///
/// # Errors
/// [`Error::Database`].
pub async fn skipped(pool: &PgPool) -> Result<Vec<Skipped>, Error> {
    Ok(sqlx::query_as!(
        Skipped,
        "SELECT consumer, log, stream, position, epoch, parked_reason, parked_at_us, skipped_by, reason,
                skipped_at_us
         FROM log.skipped ORDER BY skipped_at_us DESC, position DESC"
    )
    .fetch_all(pool)
    .await?)
}

/// Refuses a decision of nobody, or for no reason.
pub(super) fn explained(by: &str, reason: &str) -> Result<(), Error> {
    if by.trim().is_empty() {
        return Err(Error::Refused("say who decides".to_owned()));
    }
    if reason.trim().is_empty() {
        return Err(Error::Refused("give a reason".to_owned()));
    }
    Ok(())
}

/// Moves a parked event into the record of those given up, in the caller's transaction.
pub(super) async fn give_up(
    tx: &mut PgConnection,
    (consumer, log): (&str, &str),
    position: u64,
    (by, reason): (&str, &str),
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query!(
        "WITH gone AS (
             DELETE FROM log.parked WHERE consumer = $1 AND log = $2 AND position = $3
             RETURNING stream, position, reason, since_at_us
         )
         INSERT INTO log.skipped
             (consumer, log, stream, position, epoch, parked_reason, parked_at_us, skipped_by, reason, skipped_at_us)
         SELECT $1, $2, stream, position,
                (SELECT max(epoch) FROM log.consumer_checkpoint WHERE consumer = $1 AND log = $2),
                reason, since_at_us, $4, $5, $6
         FROM gone",
        consumer,
        log,
        position.cast_signed(),
        by,
        reason,
        now.as_microsecond()
    )
    .execute(tx)
    .await?;
    Ok(())
}
