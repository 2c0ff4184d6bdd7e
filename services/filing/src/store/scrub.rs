//! `file_scrub` and `damaged_file`: how far the reading of all files is, and what it found.

use sqlx::{PgPool, Result};
use uuid::Uuid;

/// A batch that nobody else works on meanwhile.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim {
    /// Filings up to here are read.
    pub(crate) up_to: Uuid,
    /// Until when it is ours, microseconds since the epoch; names the claim.
    pub(crate) until_us: i64,
}

/// Takes the next batch at `now_us`: of the pass that runs, or of a new one when the last began `every_us` ago. None while
/// another has it, or when it is not time yet.
pub(crate) async fn claim(pool: &PgPool, now_us: i64, every_us: i64, until_us: i64) -> Result<Option<Claim>> {
    sqlx::query_as!(
        Claim,
        r#"INSERT INTO file_scrub AS s (began_at_us, up_to, claimed_until_us)
           VALUES ($1, '00000000-0000-0000-0000-000000000000', $3)
           ON CONFLICT (single) DO UPDATE SET
               began_at_us = CASE WHEN s.ended_at_us IS NULL THEN s.began_at_us ELSE $1 END,
               up_to = CASE WHEN s.ended_at_us IS NULL THEN s.up_to ELSE excluded.up_to END,
               ended_at_us = NULL,
               claimed_until_us = $3
           WHERE s.claimed_until_us <= $1 AND (s.ended_at_us IS NULL OR s.began_at_us <= $1 - $2)
           RETURNING up_to, claimed_until_us AS until_us"#,
        now_us,
        every_us,
        until_us
    )
    .fetch_optional(pool)
    .await
}

/// Gives a claim back: filings up to `up_to` are read, and with `ended_at_us` all are.
pub(crate) async fn settle(pool: &PgPool, claim: Claim, up_to: Uuid, ended_at_us: Option<i64>) -> Result<()> {
    sqlx::query!(
        "UPDATE file_scrub SET up_to = $2, ended_at_us = $3, claimed_until_us = 0 WHERE claimed_until_us = $1",
        claim.until_us,
        up_to,
        ended_at_us as Option<i64>
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// The next filings after one, in the order of their ids.
pub(crate) async fn filings_after(pool: &PgPool, after: Uuid, limit: i64) -> Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "SELECT filing_id FROM filing WHERE filing_id > $1 ORDER BY filing_id LIMIT $2",
        after,
        limit
    )
    .fetch_all(pool)
    .await
}

/// The responses in a case.
pub(crate) async fn responses_of(pool: &PgPool, case: Uuid) -> Result<Vec<Uuid>> {
    sqlx::query_scalar!("SELECT response_id FROM response WHERE case_id = $1", case).fetch_all(pool).await
}

/// A file that is not what was taken.
#[derive(Debug, Clone)]
pub(crate) struct Damaged {
    pub(crate) object_key: String,
    /// The evidence whose file it is; none of what was signed.
    pub(crate) evidence: Option<Uuid>,
    /// `missing`, `altered` or `another`.
    pub(crate) fault: &'static str,
    pub(crate) found_at_us: i64,
}

/// Notes a damaged file; since when it is one stays.
pub(crate) async fn damaged(pool: &PgPool, filing: Uuid, file: &Damaged) -> Result<()> {
    sqlx::query!(
        "INSERT INTO damaged_file (object_key, filing_id, evidence_id, fault, found_at_us)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (object_key) DO UPDATE SET fault = excluded.fault",
        file.object_key,
        filing,
        file.evidence as Option<Uuid>,
        file.fault,
        file.found_at_us
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Forgets the damage of these objects of a filing: they are whole, or nobody's any more.
pub(crate) async fn only_damaged(pool: &PgPool, filing: Uuid, still: &[String]) -> Result<()> {
    sqlx::query!("DELETE FROM damaged_file WHERE filing_id = $1 AND NOT object_key = ANY($2)", filing, still)
        .execute(pool)
        .await?;
    Ok(())
}

/// The filings with damaged files, and the objects of these.
pub(crate) async fn with_damage(pool: &PgPool) -> Result<Vec<(Uuid, Vec<String>)>> {
    let rows = sqlx::query!(
        r#"SELECT filing_id, array_agg(object_key) AS "object_keys!" FROM damaged_file
           GROUP BY filing_id ORDER BY filing_id LIMIT 1000"#
    );
    let rows = rows.fetch_all(pool).await?;
    Ok(rows.into_iter().map(|row| (row.filing_id, row.object_keys)).collect())
}

/// How it stands: damaged files, and when the last pass that ended began.
pub(crate) async fn standing(pool: &PgPool) -> Result<(i64, Option<i64>)> {
    let row = sqlx::query!(
        r#"SELECT (SELECT count(*) FROM damaged_file) AS "damaged!",
                  (SELECT began_at_us FROM file_scrub) AS "began_at_us""#
    )
    .fetch_one(pool)
    .await?;
    Ok((row.damaged, row.began_at_us))
}
