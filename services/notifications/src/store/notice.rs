//! Issued notices by account, as the inbox lists them.

use sqlx::{FromRow, PgConnection, PgPool};
use uuid::Uuid;

/// A notice in somebody's inbox.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct Row {
    /// Its id.
    pub(crate) notice_id: Uuid,
    /// Whose inbox.
    pub(crate) account_id: Uuid,
    /// The case.
    pub(crate) case_id: Uuid,
    /// The kind.
    pub(crate) notice_kind: String,
    /// The official name.
    pub(crate) official_name: String,
    /// When it was posted, µs since the epoch.
    pub(crate) posted_at_us: i64,
    /// Civil date of service, ISO 8601.
    pub(crate) served_on_date: String,
    /// Name of the sealed PDF.
    pub(crate) object_key: String,
    /// Bytes of the PDF.
    pub(crate) size_bytes: i64,
    /// Whether the account opened it.
    pub(crate) opened: bool,
}

const COLUMNS: &str = "notice_id, account_id, case_id, notice_kind, official_name, posted_at_us, served_on_date, \
                       object_key, size_bytes, opened";

/// Where a page of the list begins: after this.
#[derive(Debug, Clone, Copy)]
pub(crate) struct After {
    /// When the last one was posted, µs.
    pub(crate) posted_at_us: i64,
    /// Its id.
    pub(crate) notice_id: Uuid,
}

/// Puts an issued notice into an inbox.
pub(crate) async fn insert(tx: &mut PgConnection, row: &Row) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO notice (notice_id, account_id, case_id, notice_kind, official_name, posted_at_us,
             served_on_date, object_key, size_bytes)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (notice_id, account_id) DO NOTHING",
    )
    .bind(row.notice_id)
    .bind(row.account_id)
    .bind(row.case_id)
    .bind(&row.notice_kind)
    .bind(&row.official_name)
    .bind(row.posted_at_us)
    .bind(&row.served_on_date)
    .bind(&row.object_key)
    .bind(row.size_bytes)
    .execute(tx)
    .await
    .map(drop)
}

/// A notice in the inbox of `account`.
pub(crate) async fn find(pool: &PgPool, notice: Uuid, account: Uuid) -> sqlx::Result<Option<Row>> {
    let sql = format!("SELECT {COLUMNS} FROM notice WHERE notice_id = $1 AND account_id = $2");
    sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(notice).bind(account).fetch_optional(pool).await
}

/// The inbox of `account`, newest first, of one case or all.
pub(crate) async fn list(
    pool: &PgPool,
    account: Uuid,
    case: Option<Uuid>,
    after: Option<After>,
    limit: u32,
) -> sqlx::Result<Vec<Row>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM notice
         WHERE account_id = $1 AND ($2::uuid IS NULL OR case_id = $2)
           AND ($3::bigint IS NULL OR (posted_at_us, notice_id) < ($3, $4))
         ORDER BY posted_at_us DESC, notice_id DESC LIMIT $5"
    );
    sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(account)
        .bind(case)
        .bind(after.map(|after| after.posted_at_us))
        .bind(after.map(|after| after.notice_id))
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await
}

/// The account opened it.
pub(crate) async fn opened(tx: &mut PgConnection, notice: Uuid, account: Uuid) -> sqlx::Result<()> {
    sqlx::query("UPDATE notice SET opened = true WHERE notice_id = $1 AND account_id = $2")
        .bind(notice)
        .bind(account)
        .execute(tx)
        .await
        .map(drop)
}
