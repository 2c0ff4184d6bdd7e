//! `filing`: whose filing it is, newest first.

use sqlx::{PgConnection, PgExecutor, PgPool, Result};
use uuid::Uuid;

use crate::domain::filing::Start;
use crate::domain::package::Added;

/// Writes the row of a filing that was begun.
pub(crate) async fn insert(
    tx: &mut PgConnection,
    filing: Uuid,
    start: &Start,
    started_at_us: i64,
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO filing (filing_id, account_id, form, started_at_us, representation_id, package_id)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (filing_id) DO NOTHING",
        filing,
        start.account,
        start.form,
        started_at_us,
        start.representation as Option<Uuid>,
        start.package
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The filings of the account and of those whom it represents, before `before` (none: from the newest), newest first. Each side is found
/// by its own index: under an `OR` the whole table would be read for whoever has few.
pub(crate) async fn of_account(
    pool: &PgPool,
    account: Uuid,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        r#"SELECT filing_id AS "filing_id!" FROM (
             SELECT filing_id FROM filing WHERE account_id = $1
             UNION
             SELECT filing_id FROM filing JOIN representation USING (representation_id)
             WHERE representative = $1 AND standing = 'active'
         ) AS listed
         WHERE $2::uuid IS NULL OR filing_id < $2
         ORDER BY filing_id DESC LIMIT $3"#,
        account,
        before as Option<Uuid>,
        limit
    )
    .fetch_all(pool)
    .await
}

/// The account's own filings that have not ended as drafts, before `before` (none: from the newest), newest first.
pub(crate) async fn own(pool: &PgPool, account: Uuid, before: Option<Uuid>, limit: i64) -> Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "SELECT filing_id FROM filing
         WHERE account_id = $1 AND NOT gone AND ($2::uuid IS NULL OR filing_id < $2)
         ORDER BY filing_id DESC LIMIT $3",
        account,
        before as Option<Uuid>,
        limit
    )
    .fetch_all(pool)
    .await
}

/// The filings of a package, as they were begun.
pub(crate) async fn of_package(pool: &PgPool, package: Uuid) -> Result<Vec<Added>> {
    sqlx::query_as!(
        Added,
        r#"SELECT filing_id AS "filing", account_id AS "account", form FROM filing
           WHERE package_id = $1 ORDER BY filing_id"#,
        package
    )
    .fetch_all(pool)
    .await
}

/// The filings of a package that have not ended as drafts.
pub(crate) async fn standing_in(db: impl PgExecutor<'_>, package: Uuid) -> Result<Vec<Added>> {
    sqlx::query_as!(
        Added,
        r#"SELECT filing_id AS "filing", account_id AS "account", form FROM filing
           WHERE package_id = $1 AND NOT gone ORDER BY filing_id"#,
        package
    )
    .fetch_all(db)
    .await
}

/// How a person stands to what is in a package. Who was asked to file one form in it has nothing to do with the rest.
pub(crate) async fn relations_to_package(
    pool: &PgPool,
    package: Uuid,
    person: Uuid,
) -> Result<Vec<&'static str>> {
    let row = sqlx::query!(
        r#"SELECT coalesce(bool_or(account_id = $2), false) AS "own!",
                  coalesce(bool_or(representative = $2 AND standing = 'active'), false) AS "represented!"
           FROM filing LEFT JOIN representation USING (representation_id)
           WHERE package_id = $1
             AND NOT EXISTS (SELECT FROM package_invitation WHERE package_invitation.filing_id = filing.filing_id)"#,
        package,
        person
    )
    .fetch_one(pool)
    .await?;
    let standing = [(row.own, "applicant"), (row.represented, "representative")];
    Ok(standing.into_iter().filter(|(stands, _)| *stands).map(|(_, relation)| relation).collect())
}

/// Forms of the other filings with a pending case of an account, where one is given, and of the others in the package.
pub(crate) async fn linked_forms(
    db: impl PgExecutor<'_>,
    (account, package): (Option<Uuid>, Uuid),
    but: Uuid,
) -> Result<Vec<String>> {
    sqlx::query_scalar!(
        "SELECT DISTINCT form FROM filing
         WHERE filing_id <> $2 AND NOT gone AND (account_id = $1 AND pending OR package_id = $3)",
        account as Option<Uuid>,
        but,
        package
    )
    .fetch_all(db)
    .await
}

/// Notes whether the filing's case is pending.
pub(crate) async fn set_pending(tx: &mut PgConnection, filing: Uuid, pending: bool) -> Result<()> {
    sqlx::query!("UPDATE filing SET pending = $2 WHERE filing_id = $1", filing, pending).execute(tx).await?;
    Ok(())
}

/// Notes that a draft has ended before it was sent.
pub(crate) async fn set_gone(tx: &mut PgConnection, filing: Uuid) -> Result<()> {
    sqlx::query!("UPDATE filing SET gone = true WHERE filing_id = $1", filing).execute(tx).await?;
    Ok(())
}

/// Whether the filing's case is pending.
pub(crate) async fn is_pending(pool: &PgPool, filing: Uuid) -> Result<bool> {
    let pending = sqlx::query_scalar!("SELECT pending FROM filing WHERE filing_id = $1", filing);
    Ok(pending.fetch_optional(pool).await?.unwrap_or(false))
}

/// Notes the appearance that stands for the filing from here on.
pub(crate) async fn set_representation(
    tx: &mut PgConnection,
    filing: Uuid,
    representation: Uuid,
) -> Result<()> {
    let row =
        sqlx::query!("UPDATE filing SET representation_id = $2 WHERE filing_id = $1", filing, representation);
    row.execute(tx).await?;
    Ok(())
}
