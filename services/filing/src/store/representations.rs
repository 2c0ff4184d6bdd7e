//! `representation`: who represents whom, and in which filings.

use sqlx::{PgConnection, PgExecutor, PgPool, Result};
use uuid::Uuid;

/// Writes the row of an appearance that was entered.
pub(crate) async fn insert(
    tx: &mut PgConnection,
    id: Uuid,
    representative: Uuid,
    code_hash: &[u8],
    prepared_at_us: i64,
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO representation (representation_id, representative, code_hash, standing, prepared_at_us)
         VALUES ($1, $2, $3, 'prepared', $4) ON CONFLICT (representation_id) DO NOTHING",
        id,
        representative,
        code_hash,
        prepared_at_us
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Writes the row of an appearance that a client asked for.
pub(crate) async fn insert_sought(
    tx: &mut PgConnection,
    id: Uuid,
    (client, filing): (Uuid, Uuid),
    code_hash: &[u8],
    asked_at_us: i64,
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO representation (representation_id, client, asked_for, code_hash, standing, prepared_at_us)
         VALUES ($1, $2, $3, $4, 'sought', $5) ON CONFLICT (representation_id) DO NOTHING",
        id,
        client,
        filing,
        code_hash,
        asked_at_us
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Notes who entered the appearance that a client had asked for.
pub(crate) async fn set_representative(tx: &mut PgConnection, id: Uuid, representative: Uuid) -> Result<()> {
    sqlx::query!(
        "UPDATE representation SET standing = 'prepared', representative = $2 WHERE representation_id = $1",
        id,
        representative
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Notes where it stands; the client is kept once known.
pub(crate) async fn set(tx: &mut PgConnection, id: Uuid, standing: &str, client: Option<Uuid>) -> Result<()> {
    sqlx::query!(
        "UPDATE representation SET standing = $2, client = coalesce($3, client) WHERE representation_id = $1",
        id,
        standing,
        client as Option<Uuid>
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The appearance that a code was made for.
pub(crate) async fn with_code(pool: &PgPool, code_hash: &[u8]) -> Result<Option<Uuid>> {
    sqlx::query_scalar!("SELECT representation_id FROM representation WHERE code_hash = $1", code_hash)
        .fetch_optional(pool)
        .await
}

/// The account's appearances, as representative and as client, newest first: those that follow `after`.
pub(crate) async fn of_account(
    pool: &PgPool,
    account: Uuid,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "SELECT representation_id FROM representation
         WHERE (representative = $1 OR client = $1)
           AND ($2::uuid IS NULL OR (prepared_at_us, representation_id) <
                (SELECT last.prepared_at_us, last.representation_id FROM representation last
                 WHERE last.representation_id = $2))
         ORDER BY prepared_at_us DESC, representation_id DESC LIMIT $3",
        account,
        after as Option<Uuid>,
        limit
    )
    .fetch_all(pool)
    .await
}

/// Whether the person represents the client in this filing now.
pub(crate) async fn represents(pool: &PgPool, person: Uuid, filing: Uuid) -> Result<bool> {
    let found = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM filing JOIN representation USING (representation_id)
           WHERE filing_id = $2 AND representative = $1 AND standing = 'active') AS "found!""#,
        person,
        filing
    );
    found.fetch_one(pool).await
}

/// The appearance that stands for a filing, with the account of its representative.
pub(crate) async fn standing(db: impl PgExecutor<'_>, filing: Uuid) -> Result<Option<(Uuid, Uuid)>> {
    let row = sqlx::query!(
        r#"SELECT representation_id AS "representation_id!", representative AS "representative!" FROM filing JOIN representation USING (representation_id)
         WHERE filing_id = $1 AND standing = 'active'"#,
        filing
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| (row.representation_id, row.representative)))
}

/// Whether an appearance stands for other filings than this one, that have not ended as drafts.
pub(crate) async fn has_others(db: impl PgExecutor<'_>, id: Uuid, but: Uuid) -> Result<bool> {
    let found = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM filing WHERE representation_id = $1 AND filing_id <> $2 AND NOT gone) AS "found!""#,
        id,
        but
    );
    found.fetch_one(db).await
}
