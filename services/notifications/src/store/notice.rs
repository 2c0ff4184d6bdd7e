//! Issued notices by account, as the inbox lists them.

use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// A notice in somebody's inbox.
#[derive(Debug, Clone)]
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
    /// Account that has the original; none where the party alone was told, and before that was kept.
    pub(crate) original_account: Option<Uuid>,
}

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
    sqlx::query!(
        "INSERT INTO notice (notice_id, account_id, case_id, notice_kind, official_name, posted_at_us,
             served_on_date, object_key, size_bytes, original_account)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (notice_id, account_id) DO NOTHING",
        row.notice_id,
        row.account_id,
        row.case_id,
        row.notice_kind,
        row.official_name,
        row.posted_at_us,
        row.served_on_date,
        row.object_key,
        row.size_bytes,
        row.original_account as Option<Uuid>
    )
    .execute(tx)
    .await
    .map(drop)
}

/// A notice in the inbox of `account`.
pub(crate) async fn find(pool: &PgPool, notice: Uuid, account: Uuid) -> sqlx::Result<Option<Row>> {
    sqlx::query_as!(
        Row,
        "SELECT notice_id, account_id, case_id, notice_kind, official_name, posted_at_us, served_on_date,
             object_key, size_bytes, opened, original_account
         FROM notice WHERE notice_id = $1 AND account_id = $2",
        notice,
        account
    )
    .fetch_optional(pool)
    .await
}

/// The inbox of `account`, newest first, of one case or all; nothing of a case in which it acts no longer.
pub(crate) async fn list(
    pool: &PgPool,
    account: Uuid,
    case: Option<Uuid>,
    after: Option<After>,
    limit: u32,
) -> sqlx::Result<Vec<Row>> {
    sqlx::query_as!(
        Row,
        "SELECT notice_id, notice.account_id, case_id, notice_kind, official_name, posted_at_us, served_on_date,
             object_key, size_bytes, opened, original_account
         FROM notice JOIN matter USING (case_id)
         WHERE notice.account_id = $1 AND (matter.account_id = $1 OR matter.representative = $1) AND ($2::uuid IS NULL OR case_id = $2)
           AND ($3::bigint IS NULL OR (posted_at_us, notice_id) < ($3, $4))
         ORDER BY posted_at_us DESC, notice_id DESC LIMIT $5",
        account,
        case as Option<Uuid>,
        after.map(|after| after.posted_at_us) as Option<i64>,
        after.map(|after| after.notice_id) as Option<Uuid>,
        i64::from(limit)
    )
    .fetch_all(pool)
    .await
}

/// The account opened it.
pub(crate) async fn opened(tx: &mut PgConnection, notice: Uuid, account: Uuid) -> sqlx::Result<()> {
    sqlx::query!("UPDATE notice SET opened = true WHERE notice_id = $1 AND account_id = $2", notice, account)
        .execute(tx)
        .await
        .map(drop)
}
