//! Notices that are owed: written with the event that owes them, gone with their issue or with what overtakes them.

use docket_eventlog::Recorded;
use jiff::Timestamp;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// A notice to be issued.
#[derive(Debug)]
pub(crate) struct Owed {
    /// Its id, derived from the event's.
    pub(crate) notice_id: Uuid,
    /// The case.
    pub(crate) case_id: Uuid,
    /// The kind of notice.
    pub(crate) notice_kind: String,
    /// The stored record of the event.
    pub(crate) event: Vec<u8>,
    /// How often it was tried in vain.
    pub(crate) attempts: i32,
}

/// Writes down that a notice is owed; once for each.
pub(crate) async fn write(
    tx: &mut PgConnection,
    notice: Uuid,
    case: Uuid,
    kind: &str,
    event: &Recorded,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO owed_notice (notice_id, case_id, notice_kind, event, next_at_us, position)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (notice_id) DO NOTHING",
        notice,
        case,
        kind,
        event.to_stored(),
        event.recorded_at.as_microsecond(),
        event.position.cast_signed()
    )
    .execute(tx)
    .await
    .map(drop)
}

/// The notice that has been due longest; of each case only the first that is owed, and the others wait behind it.
pub(crate) async fn next(pool: &PgPool, now: Timestamp) -> sqlx::Result<Option<Owed>> {
    sqlx::query_as!(
        Owed,
        "SELECT notice_id, case_id, notice_kind, event, attempts FROM owed_notice AS owed
         WHERE next_at_us <= $1 AND NOT EXISTS (SELECT FROM owed_notice AS earlier
             WHERE earlier.case_id = owed.case_id AND earlier.position < owed.position)
         ORDER BY next_at_us, notice_id LIMIT 1",
        now.as_microsecond()
    )
    .fetch_optional(pool)
    .await
}

/// What is owed in a case, in the order of its events.
pub(crate) async fn of_case(tx: &mut PgConnection, case: Uuid) -> sqlx::Result<Vec<Owed>> {
    sqlx::query_as!(
        Owed,
        "SELECT notice_id, case_id, notice_kind, event, attempts FROM owed_notice
         WHERE case_id = $1 ORDER BY position, notice_id",
        case
    )
    .fetch_all(tx)
    .await
}

/// Puts off a notice that could not be issued.
pub(crate) async fn put_off(pool: &PgPool, notice: Uuid, until: Timestamp) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE owed_notice SET attempts = attempts + 1, next_at_us = $2 WHERE notice_id = $1",
        notice,
        until.as_microsecond()
    )
    .execute(pool)
    .await
    .map(drop)
}

/// It is owed no more.
pub(crate) async fn done(tx: &mut PgConnection, notice: Uuid) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM owed_notice WHERE notice_id = $1", notice).execute(tx).await.map(drop)
}
