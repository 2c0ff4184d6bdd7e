//! Conversations of a case; their texts are sealed in the log.

use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// A conversation.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Row {
    /// Its id.
    pub(crate) thread_id: Uuid,
    /// The case.
    pub(crate) case_id: Uuid,
    /// The party.
    pub(crate) account_id: Uuid,
    /// The topic.
    pub(crate) topic: String,
    /// When it was begun, µs since the epoch.
    pub(crate) started_at_us: i64,
}

/// Writes a conversation down; once for each.
pub(crate) async fn insert(tx: &mut PgConnection, row: &Row) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO thread (thread_id, case_id, account_id, topic, started_at_us)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (thread_id) DO NOTHING",
        row.thread_id,
        row.case_id,
        row.account_id,
        row.topic,
        row.started_at_us
    )
    .execute(tx)
    .await
    .map(drop)
}

/// A conversation; none when there is none of this id.
pub(crate) async fn find(pool: &PgPool, thread: Uuid) -> sqlx::Result<Option<Row>> {
    sqlx::query_as!(
        Row,
        "SELECT thread_id, case_id, account_id, topic, started_at_us FROM thread WHERE thread_id = $1",
        thread
    )
    .fetch_optional(pool)
    .await
}

/// The conversations of a case, newest first: those after one, by when it was begun, µs since the epoch, and its id.
pub(crate) async fn of_case(
    pool: &PgPool,
    case: Uuid,
    after: Option<(i64, Uuid)>,
    limit: u32,
) -> sqlx::Result<Vec<Row>> {
    let (begun, id) = after.unzip();
    sqlx::query_as(
        "SELECT thread_id, case_id, account_id, topic, started_at_us FROM thread
         WHERE case_id = $1 AND ($2::bigint IS NULL OR (started_at_us, thread_id) < ($2, $3))
         ORDER BY started_at_us DESC, thread_id DESC LIMIT $4",
    )
    .bind(case)
    .bind(begun)
    .bind(id)
    .bind(i64::from(limit))
    .fetch_all(pool)
    .await
}

/// How many others `account` has begun since an instant, µs since the epoch.
pub(crate) async fn count_since(
    pool: &PgPool,
    account: Uuid,
    since_us: i64,
    other_than: Uuid,
) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM thread WHERE account_id = $1 AND started_at_us > $2 AND thread_id <> $3"#,
        account,
        since_us,
        other_than
    )
    .fetch_one(pool)
    .await
}
