//! Requests to take a role away, until they are approved or lapse.

use sqlx::{FromRow, PgConnection, PgPool};
use uuid::Uuid;

/// A request.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub(crate) struct Revocation {
    /// Its id.
    pub(crate) id: Uuid,
    /// Whose role.
    pub(crate) account_id: Uuid,
    /// The role.
    pub(crate) role: String,
    /// Its office.
    pub(crate) office: String,
    /// Reason class.
    pub(crate) reason: String,
    /// The operator who asked.
    pub(crate) asked_by: Uuid,
    /// When it lapses, microseconds since the epoch.
    pub(crate) expires_at_us: i64,
    /// When it was approved.
    pub(crate) approved_at_us: Option<i64>,
}

/// A role that is held, with the open request to take it away.
#[derive(Debug, FromRow)]
pub(crate) struct Holder {
    /// Whose role.
    pub(crate) account: Uuid,
    /// The role.
    pub(crate) role: String,
    /// Its office.
    pub(crate) office: String,
    /// The open request.
    pub(crate) revocation: Option<Uuid>,
    /// Its reason class.
    pub(crate) reason: Option<String>,
    /// Who asked.
    pub(crate) asked_by: Option<Uuid>,
    /// When it lapses.
    pub(crate) expires_at_us: Option<i64>,
}

/// Where a page of holders begins: after this office, role and account.
pub(crate) type After = (String, String, Uuid);

/// Keeps a request; one with its id stays as it is.
pub(crate) async fn insert(tx: &mut PgConnection, asked: &Revocation) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO revocation (id, account_id, role, office, reason, asked_by, expires_at_us)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING",
    )
    .bind(asked.id)
    .bind(asked.account_id)
    .bind(&asked.role)
    .bind(&asked.office)
    .bind(&asked.reason)
    .bind(asked.asked_by)
    .bind(asked.expires_at_us)
    .execute(tx)
    .await?;
    Ok(())
}

/// The request of this id, locked.
pub(crate) async fn lock(tx: &mut PgConnection, id: Uuid) -> sqlx::Result<Option<Revocation>> {
    sqlx::query_as("SELECT * FROM revocation WHERE id = $1 FOR UPDATE").bind(id).fetch_optional(tx).await
}

/// The request about a role that is open at `now_us`.
pub(crate) async fn open(
    tx: &mut PgConnection,
    account: Uuid,
    role: &str,
    office: &str,
    now_us: i64,
) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar(
        "SELECT id FROM revocation WHERE account_id = $1 AND role = $2 AND office = $3
         AND approved_at_us IS NULL AND expires_at_us > $4",
    )
    .bind(account)
    .bind(role)
    .bind(office)
    .bind(now_us)
    .fetch_optional(tx)
    .await
}

/// Marks a request as approved.
pub(crate) async fn approve(tx: &mut PgConnection, id: Uuid, now_us: i64) -> sqlx::Result<()> {
    sqlx::query("UPDATE revocation SET approved_at_us = $2 WHERE id = $1")
        .bind(id)
        .bind(now_us)
        .execute(tx)
        .await?;
    Ok(())
}

/// Who holds roles, by office, role and account; an empty filter lets all through.
pub(crate) async fn holders(
    pool: &PgPool,
    office: &str,
    role: &str,
    after: &After,
    limit: i64,
    now_us: i64,
) -> sqlx::Result<Vec<Holder>> {
    sqlx::query_as(
        "SELECT held.account, held.role, held.office,
                asked.id AS revocation, asked.reason, asked.asked_by, asked.expires_at_us
         FROM access.role held
         LEFT JOIN revocation asked ON asked.account_id = held.account AND asked.role = held.role
              AND asked.office = held.office AND asked.approved_at_us IS NULL AND asked.expires_at_us > $7
         WHERE ($1 = '' OR held.office = $1) AND ($2 = '' OR held.role = $2)
           AND (held.office, held.role, held.account) > ($3, $4, $5)
         ORDER BY held.office, held.role, held.account LIMIT $6",
    )
    .bind(office)
    .bind(role)
    .bind(&after.0)
    .bind(&after.1)
    .bind(after.2)
    .bind(limit)
    .bind(now_us)
    .fetch_all(pool)
    .await
}
