//! Requests to release a person from an account, until they are approved or lapse.

use sqlx::{FromRow, PgConnection, PgPool};
use uuid::Uuid;

/// A request.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub(crate) struct Release {
    /// Its id.
    pub(crate) id: Uuid,
    /// The person.
    pub(crate) person_id: Uuid,
    /// The account that they are linked to.
    pub(crate) linked_to: Uuid,
    /// The account that they are to be kept for.
    pub(crate) account_id: Uuid,
    /// Reason class.
    pub(crate) reason: String,
    /// The officer who asked.
    pub(crate) asked_by: Uuid,
    /// When it lapses, microseconds since the epoch.
    pub(crate) expires_at_us: i64,
    /// When it was approved.
    pub(crate) approved_at_us: Option<i64>,
}

/// Keeps a request; one with its id stays as it is.
pub(crate) async fn insert(tx: &mut PgConnection, asked: &Release) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO release (id, person_id, linked_to, account_id, reason, asked_by, expires_at_us)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING",
    )
    .bind(asked.id)
    .bind(asked.person_id)
    .bind(asked.linked_to)
    .bind(asked.account_id)
    .bind(&asked.reason)
    .bind(asked.asked_by)
    .bind(asked.expires_at_us)
    .execute(tx)
    .await?;
    Ok(())
}

/// The request of this id.
pub(crate) async fn find(pool: &PgPool, id: Uuid) -> sqlx::Result<Option<Release>> {
    sqlx::query_as("SELECT * FROM release WHERE id = $1").bind(id).fetch_optional(pool).await
}

/// The request of this id, locked.
pub(crate) async fn lock(tx: &mut PgConnection, id: Uuid) -> sqlx::Result<Option<Release>> {
    sqlx::query_as("SELECT * FROM release WHERE id = $1 FOR UPDATE").bind(id).fetch_optional(tx).await
}

/// The request about a person that is open at `now_us`.
pub(crate) async fn open(tx: &mut PgConnection, person: Uuid, now_us: i64) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar(
        "SELECT id FROM release WHERE person_id = $1 AND approved_at_us IS NULL AND expires_at_us > $2",
    )
    .bind(person)
    .bind(now_us)
    .fetch_optional(tx)
    .await
}

/// Marks a request as approved.
pub(crate) async fn approve(tx: &mut PgConnection, id: Uuid, now_us: i64) -> sqlx::Result<()> {
    sqlx::query("UPDATE release SET approved_at_us = $2 WHERE id = $1")
        .bind(id)
        .bind(now_us)
        .execute(tx)
        .await?;
    Ok(())
}

/// The requests that are open at `now_us`, those that lapse first at the front.
pub(crate) async fn all_open(pool: &PgPool, now_us: i64, limit: i64) -> sqlx::Result<Vec<Release>> {
    sqlx::query_as(
        "SELECT * FROM release WHERE approved_at_us IS NULL AND expires_at_us > $1
         ORDER BY expires_at_us, id LIMIT $2",
    )
    .bind(now_us)
    .bind(limit)
    .fetch_all(pool)
    .await
}
