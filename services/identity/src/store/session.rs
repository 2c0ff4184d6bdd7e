//! Sessions and their refresh tokens; the session is the family of its tokens.

use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// A session.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Session {
    /// Its id.
    pub(crate) id: Uuid,
    /// Whose it is.
    pub(crate) account_id: Uuid,
    /// When it began.
    pub(crate) started_at_us: i64,
    /// When it was last used: begun, refreshed or stepped up.
    pub(crate) used_at_us: i64,
    /// When it ends whatever happens.
    pub(crate) ends_at_us: i64,
    /// When the second factor was last given again.
    pub(crate) stepped_up_at_us: Option<i64>,
    /// When it ended.
    pub(crate) ended_at_us: Option<i64>,
    /// The log's epoch in which it began.
    pub(crate) epoch: i64,
}

/// Begins a session; false when there is one of that id.
pub(crate) async fn start(tx: &mut PgConnection, session: &Session, begun_with: &[u8]) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "INSERT INTO session (id, account_id, started_at_us, used_at_us, ends_at_us, begun_with, epoch)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING",
    )
    .bind(session.id)
    .bind(session.account_id)
    .bind(session.started_at_us)
    .bind(session.used_at_us)
    .bind(session.ends_at_us)
    .bind(begun_with)
    .bind(session.epoch)
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Whether the session began so, not before that instant, and goes on.
pub(crate) async fn began(pool: &PgPool, id: Uuid, with: &[u8], since_us: i64) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM session
         WHERE id = $1 AND begun_with = $2 AND started_at_us >= $3 AND ended_at_us IS NULL)",
    )
    .bind(id)
    .bind(with)
    .bind(since_us)
    .fetch_one(pool)
    .await
}

/// The session, locked until the transaction ends.
pub(crate) async fn lock(tx: &mut PgConnection, id: Uuid) -> sqlx::Result<Option<Session>> {
    sqlx::query_as(
        "SELECT id, account_id, started_at_us, used_at_us, ends_at_us, stepped_up_at_us, ended_at_us,
                coalesce(epoch, 1) AS epoch
         FROM session WHERE id = $1 FOR UPDATE",
    )
    .bind(id)
    .fetch_optional(tx)
    .await
}

/// The session of a refresh token. A token's session never changes.
pub(crate) async fn of_token(tx: &mut PgConnection, token_hash: &[u8]) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar("SELECT session_id FROM refresh_token WHERE token_hash = $1")
        .bind(token_hash)
        .fetch_optional(tx)
        .await
}

/// Gives out a refresh token.
pub(crate) async fn add_token(
    tx: &mut PgConnection,
    session: Uuid,
    token_hash: &[u8],
    now_us: i64,
) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO refresh_token (token_hash, session_id, issued_at_us) VALUES ($1, $2, $3)")
        .bind(token_hash)
        .bind(session)
        .bind(now_us)
        .execute(tx)
        .await?;
    Ok(())
}

/// Uses a refresh token up; false when it was used.
pub(crate) async fn use_token(tx: &mut PgConnection, token_hash: &[u8], now_us: i64) -> sqlx::Result<bool> {
    let done =
        sqlx::query("UPDATE refresh_token SET used_at_us = $2 WHERE token_hash = $1 AND used_at_us IS NULL")
            .bind(token_hash)
            .bind(now_us)
            .execute(tx)
            .await?;
    Ok(done.rows_affected() == 1)
}

/// Whether a token was used not before that instant and its successor never.
pub(crate) async fn was_just_replaced(
    tx: &mut PgConnection,
    token_hash: &[u8],
    successor_hash: &[u8],
    since_us: i64,
) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM refresh_token used JOIN refresh_token next USING (session_id)
         WHERE used.token_hash = $1 AND used.used_at_us >= $3
         AND next.token_hash = $2 AND next.used_at_us IS NULL)",
    )
    .bind(token_hash)
    .bind(successor_hash)
    .bind(since_us)
    .fetch_one(tx)
    .await
}

/// The session was used.
pub(crate) async fn touch(
    tx: &mut PgConnection,
    id: Uuid,
    now_us: i64,
    stepped_up: bool,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE session
         SET used_at_us = $2, stepped_up_at_us = CASE WHEN $3 THEN $2 ELSE stepped_up_at_us END WHERE id = $1",
    )
    .bind(id)
    .bind(now_us)
    .bind(stepped_up)
    .execute(tx)
    .await?;
    Ok(())
}

/// The session ends.
pub(crate) async fn end(tx: &mut PgConnection, id: Uuid, now_us: i64) -> sqlx::Result<()> {
    sqlx::query("UPDATE session SET ended_at_us = $2 WHERE id = $1 AND ended_at_us IS NULL")
        .bind(id)
        .bind(now_us)
        .execute(tx)
        .await?;
    Ok(())
}

/// Ends the account's sessions that go on, but for one; which they were.
pub(crate) async fn end_all(
    tx: &mut PgConnection,
    account: Uuid,
    but: Option<Uuid>,
    now_us: i64,
) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar(
        "UPDATE session SET ended_at_us = $3
         WHERE account_id = $1 AND id IS DISTINCT FROM $2 AND ended_at_us IS NULL AND ends_at_us > $3 RETURNING id",
    )
    .bind(account)
    .bind(but)
    .bind(now_us)
    .fetch_all(tx)
    .await
}
