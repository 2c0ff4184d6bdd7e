//! Timers: rows which fall due, fire a command once each, and survive restarts.

use docket_database::answered;
use docket_kernel::derived_id;
use jiff::Timestamp;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::Error;
use crate::record::instant;

/// One timer. Scheduling the same key again moves it; setting it once more for the instant at which it fired does
/// nothing new, so a repeated command may schedule again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timer {
    /// Its key in the log, such as `response-due:<case>`.
    pub key: String,
    /// What it is for; says who handles it.
    pub kind: String,
    /// When it falls due.
    pub due_at: Timestamp,
    /// What the handler needs. No personal data.
    pub payload: Vec<u8>,
}

impl Timer {
    /// A timer to be scheduled.
    pub fn new(key: impl Into<String>, kind: impl Into<String>, due_at: Timestamp, payload: Vec<u8>) -> Self {
        Self { key: key.into(), kind: kind.into(), due_at, payload }
    }

    /// The id of the command it fires: the same however often and by whomever it is set and fired, for one kind,
    /// key and instant.
    pub fn command_id(&self) -> Uuid {
        let due = self.due_at.as_microsecond().cast_unsigned();
        derived_id(&format!("timer:{}:{}", self.kind, self.key), Uuid::from_u64_pair(0, due), 0)
    }
}

/// The timers of one log.
#[derive(Debug, Clone)]
pub struct Timers {
    log: &'static str,
    pool: PgPool,
}

struct Row {
    key: String,
    kind: String,
    due_at_us: i64,
    payload: Vec<u8>,
}

impl TryFrom<Row> for Timer {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let due_at = instant(row.due_at_us)?;
        Ok(Self { key: row.key, kind: row.kind, due_at, payload: row.payload })
    }
}

impl Timers {
    pub(crate) fn new(log: &'static str, pool: PgPool) -> Self {
        Self { log, pool }
    }

    /// Sets the timer, or moves the one with its key, in the caller's transaction.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn schedule_in(&self, tx: &mut PgConnection, timer: &Timer) -> Result<(), Error> {
        sqlx::query!(
            "INSERT INTO log.timer (log, key, kind, due_at_us, payload) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (log, key) DO UPDATE
             SET kind = excluded.kind, due_at_us = excluded.due_at_us, payload = excluded.payload",
            self.log,
            &timer.key,
            &timer.kind,
            timer.due_at.as_microsecond(),
            &timer.payload
        )
        .execute(tx)
        .await?;
        Ok(())
    }

    /// Sets the timer, unless there is one with its key, in the caller's transaction; that one stays as it is.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn schedule_new_in(&self, tx: &mut PgConnection, timer: &Timer) -> Result<(), Error> {
        sqlx::query!(
            "INSERT INTO log.timer (log, key, kind, due_at_us, payload) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (log, key) DO NOTHING",
            self.log,
            &timer.key,
            &timer.kind,
            timer.due_at.as_microsecond(),
            &timer.payload
        )
        .execute(tx)
        .await?;
        Ok(())
    }

    /// Takes the timer away; whether there was one.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn cancel_in(&self, tx: &mut PgConnection, key: &str) -> Result<bool, Error> {
        let gone = sqlx::query!("DELETE FROM log.timer WHERE log = $1 AND key = $2", self.log, key)
            .execute(tx)
            .await?;
        Ok(gone.rows_affected() == 1)
    }

    /// The timers due at `now`, the oldest first, at most `limit`; of those after `after`, when one is given.
    ///
    /// Fire each with [`crate::Context::timer`], then call [`Timers::fired_in`], in one transaction or after it:
    /// firing twice does nothing new.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn due(&self, now: Timestamp, after: Option<&Timer>, limit: u32) -> Result<Vec<Timer>, Error> {
        let due = sqlx::query_as!(
            Row,
            "SELECT key, kind, due_at_us, payload FROM log.timer
             WHERE log = $1 AND due_at_us <= $2 AND (due_at_us, key) > ($3, $4)
             ORDER BY due_at_us, key LIMIT $5",
            self.log,
            now.as_microsecond(),
            after.map_or(i64::MIN, |timer| timer.due_at.as_microsecond()),
            after.map_or("", |timer| &timer.key),
            i64::from(limit)
        );
        let rows = answered(due.fetch_all(&self.pool)).await?;
        rows.into_iter().map(Timer::try_from).collect()
    }

    /// Takes away a timer which fired, unless it was scheduled anew meanwhile; whether it was still there.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn fired_in(&self, tx: &mut PgConnection, timer: &Timer) -> Result<bool, Error> {
        let gone = sqlx::query!(
            "DELETE FROM log.timer WHERE log = $1 AND key = $2 AND due_at_us = $3",
            self.log,
            &timer.key,
            timer.due_at.as_microsecond()
        )
        .execute(tx)
        .await?;
        Ok(gone.rows_affected() == 1)
    }

    /// When the next timer falls due.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn next_due(&self) -> Result<Option<Timestamp>, Error> {
        let due = sqlx::query_scalar!("SELECT min(due_at_us) FROM log.timer WHERE log = $1", self.log);
        let due = answered(due.fetch_one(&self.pool)).await?;
        due.map(instant).transpose()
    }
}
