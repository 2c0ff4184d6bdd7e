//! `upload` and `upload_part`: uploads that are under way, and where their bytes lie.
//!
//! One whose time is set to 0 is over: nobody finds it or goes on with it, and what it leaves is taken away. Whoever ends it
//! does so by that one update, so that a file that becomes evidence is not taken away, nor one taken away made evidence.

use docket_database as database;
use sqlx::{PgConnection, PgExecutor, PgPool, Result};
use uuid::Uuid;

/// An upload.
#[derive(Debug, Clone)]
#[expect(clippy::struct_field_names, reason = "named as the columns are")]
pub(crate) struct Upload {
    /// Its id.
    pub(crate) upload_id: Uuid,
    /// `filings/<uuid>` or `responses/<uuid>`.
    pub(crate) parent: String,
    /// What was announced, sealed.
    pub(crate) announced: Vec<u8>,
    /// Bytes announced.
    pub(crate) size: i64,
    /// Bytes that are here.
    pub(crate) received: i64,
    /// The latest turn.
    pub(crate) turn: i64,
    /// When it was begun, microseconds since the epoch.
    pub(crate) begun_at_us: i64,
    /// When it is taken away, microseconds since the epoch.
    pub(crate) expires_at_us: i64,
}

/// A part that goes in: where, by which turn.
#[derive(Debug, Clone)]
pub(crate) struct Part<'a> {
    pub(crate) upload: Uuid,
    pub(crate) turn: i64,
    pub(crate) at: i64,
    pub(crate) bytes: i64,
    pub(crate) object_key: &'a str,
}

/// Writes the row of an upload that is begun; false when it is there already.
pub(crate) async fn insert(pool: &PgPool, new: &Upload) -> Result<bool> {
    let done = sqlx::query!(
        "INSERT INTO upload (upload_id, parent, announced, size, begun_at_us, expires_at_us)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (upload_id) DO NOTHING",
        new.upload_id,
        new.parent,
        new.announced,
        new.size,
        new.begun_at_us,
        new.expires_at_us
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The upload with that id.
pub(crate) async fn find(pool: &PgPool, upload: Uuid) -> Result<Option<Upload>> {
    sqlx::query_as!(
        Upload,
        "SELECT upload_id, parent, announced, size, received, turn, begun_at_us, expires_at_us
         FROM upload WHERE upload_id = $1 AND expires_at_us > 0",
        upload
    )
    .fetch_optional(pool)
    .await
}

/// The uploads of a filing or response, oldest first.
pub(crate) async fn of_parent(pool: &PgPool, parent: &str) -> Result<Vec<Upload>> {
    sqlx::query_as!(
        Upload,
        "SELECT upload_id, parent, announced, size, received, turn, begun_at_us, expires_at_us
         FROM upload WHERE parent = $1 AND expires_at_us > 0 ORDER BY begun_at_us, upload_id",
        parent
    )
    .fetch_all(pool)
    .await
}

/// Gives the next turn: whoever has an earlier one is fenced off.
pub(crate) async fn take_turn(pool: &PgPool, upload: Uuid, expires_at_us: i64) -> Result<Option<Upload>> {
    sqlx::query_as!(
        Upload,
        "UPDATE upload SET turn = turn + 1, expires_at_us = greatest(expires_at_us, $2)
         WHERE upload_id = $1 AND expires_at_us > 0
         RETURNING upload_id, parent, announced, size, received, turn, begun_at_us, expires_at_us",
        upload,
        expires_at_us
    )
    .fetch_optional(pool)
    .await
}

/// Adds a part behind what is there; false when the turn is another's by now, or the place not the next one.
pub(crate) async fn add_part(pool: &PgPool, part: Part<'_>, expires_at_us: i64) -> Result<bool> {
    let mut tx = database::begin(pool).await?;
    let moved = sqlx::query!(
        "UPDATE upload SET received = received + $4, expires_at_us = greatest(expires_at_us, $5)
         WHERE upload_id = $1 AND turn = $2 AND received = $3",
        part.upload,
        part.turn,
        part.at,
        part.bytes,
        expires_at_us
    )
    .execute(&mut *tx)
    .await?;
    if moved.rows_affected() == 0 {
        tx.rollback().await?;
        return Ok(false);
    }
    sqlx::query!(
        "INSERT INTO upload_part (upload_id, at, object_key) VALUES ($1, $2, $3)",
        part.upload,
        part.at,
        part.object_key
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(true)
}

/// Where its bytes lie, in order.
pub(crate) async fn parts(pool: &PgPool, upload: Uuid) -> Result<Vec<String>> {
    sqlx::query_scalar!("SELECT object_key FROM upload_part WHERE upload_id = $1 ORDER BY at", upload)
        .fetch_all(pool)
        .await
}

/// Takes an upload away; its objects are taken away before.
pub(crate) async fn delete(pool: &PgPool, upload: Uuid) -> Result<()> {
    sqlx::query!("DELETE FROM upload WHERE upload_id = $1", upload).execute(pool).await?;
    Ok(())
}

/// Ends an upload: whoever sends is fenced off, and what it leaves is to be taken away. False when it is over already.
pub(crate) async fn end(executor: impl PgExecutor<'_>, upload: Uuid) -> Result<bool> {
    let ended = sqlx::query!(
        "UPDATE upload SET turn = turn + 1, expires_at_us = 0 WHERE upload_id = $1 AND expires_at_us > 0",
        upload
    )
    .execute(executor)
    .await?;
    Ok(ended.rows_affected() == 1)
}

/// Ends an upload whose time is over; false when somebody went on with it meanwhile.
pub(crate) async fn expire(pool: &PgPool, upload: Uuid, now_us: i64) -> Result<bool> {
    let ended = sqlx::query!(
        "UPDATE upload SET turn = turn + 1, expires_at_us = 0 WHERE upload_id = $1 AND expires_at_us <= $2",
        upload,
        now_us
    )
    .execute(pool)
    .await?;
    Ok(ended.rows_affected() == 1)
}

/// A sealed object that has become evidence is no part of the upload any more, and stays when that is taken away.
pub(crate) async fn hand_over(tx: &mut PgConnection, upload: Uuid, object_key: &str) -> Result<()> {
    sqlx::query!("DELETE FROM upload_part WHERE upload_id = $1 AND object_key = $2", upload, object_key)
        .execute(tx)
        .await?;
    Ok(())
}

/// Uploads whose time is over, at most `limit`.
pub(crate) async fn expired(pool: &PgPool, now_us: i64, limit: i64) -> Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "SELECT upload_id FROM upload WHERE expires_at_us <= $1 ORDER BY expires_at_us LIMIT $2",
        now_us,
        limit
    )
    .fetch_all(pool)
    .await
}
