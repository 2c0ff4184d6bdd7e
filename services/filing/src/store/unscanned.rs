//! `unscanned`: files that came while the virus scanner was away, until they are scanned.

use sqlx::{PgConnection, PgPool, Result};
use uuid::Uuid;

/// A file that waits.
#[derive(Debug, Clone)]
pub(crate) struct Unscanned {
    pub(crate) evidence_id: Uuid,
    /// `filings/<uuid>` or `responses/<uuid>`.
    pub(crate) parent: String,
    pub(crate) object_key: String,
    /// How often the scanner failed over it, though it had been found able to scan just before.
    pub(crate) failed: i32,
    /// Not clean: its object is to be taken away.
    pub(crate) refused: bool,
}

/// Writes the row of a file that is attached unscanned.
pub(crate) async fn insert(
    tx: &mut PgConnection,
    (evidence, parent, object_key): (Uuid, &str, &str),
    received_at_us: i64,
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO unscanned (evidence_id, parent, object_key, received_at_us, next_at_us)
         VALUES ($1, $2, $3, $4, $4)",
        evidence,
        parent,
        object_key,
        received_at_us
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The next one whose time has come and that nobody else has in hand; it is ours to the end of the transaction.
pub(crate) async fn take(tx: &mut PgConnection, now_us: i64) -> Result<Option<Unscanned>> {
    sqlx::query_as!(
        Unscanned,
        "SELECT evidence_id, parent, object_key, failed, refused FROM unscanned
         WHERE next_at_us <= $1 ORDER BY next_at_us LIMIT 1 FOR UPDATE SKIP LOCKED",
        now_us
    )
    .fetch_optional(tx)
    .await
}

/// Looks at it again later.
pub(crate) async fn put_off(pool: &PgPool, evidence: Uuid, failed: i32, next_at_us: i64) -> Result<()> {
    sqlx::query!(
        "UPDATE unscanned SET failed = $2, next_at_us = $3 WHERE evidence_id = $1",
        evidence,
        failed,
        next_at_us
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// It is not clean: what is left to do is to take its object away.
pub(crate) async fn refuse(tx: &mut PgConnection, evidence: Uuid) -> Result<()> {
    sqlx::query!("UPDATE unscanned SET refused = true WHERE evidence_id = $1", evidence).execute(tx).await?;
    Ok(())
}

/// Forgets it.
pub(crate) async fn delete(tx: &mut PgConnection, evidence: Uuid) -> Result<()> {
    sqlx::query!("DELETE FROM unscanned WHERE evidence_id = $1", evidence).execute(tx).await?;
    Ok(())
}

/// How many wait, and since when the one that waits longest.
pub(crate) async fn standing(pool: &PgPool) -> Result<(i64, Option<i64>)> {
    let row = sqlx::query!(
        r#"SELECT count(*) AS "waiting!", min(received_at_us) AS since_us FROM unscanned WHERE NOT refused"#
    )
    .fetch_one(pool)
    .await?;
    Ok((row.waiting, row.since_us))
}
