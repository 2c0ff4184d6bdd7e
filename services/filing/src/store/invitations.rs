//! `package_invitation`: in which package a code is answered, and which filing was begun with it.

use sqlx::{PgConnection, PgPool, Result};
use uuid::Uuid;

/// Writes the row of an invitation, with what its code is known by.
pub(crate) async fn insert(
    tx: &mut PgConnection,
    (package, number): (Uuid, u32),
    code_mac: &[u8],
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO package_invitation (package_id, number, code_mac) VALUES ($1, $2, $3)",
        package,
        i64::from(number),
        code_mac
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The package and the number of the invitation that a code was made for.
pub(crate) async fn find(pool: &PgPool, code_mac: &[u8]) -> Result<Option<(Uuid, u32)>> {
    let found =
        sqlx::query!("SELECT package_id, number FROM package_invitation WHERE code_mac = $1", code_mac);
    let found = found.fetch_optional(pool).await?;
    Ok(found.and_then(|row| Some((row.package_id, u32::try_from(row.number).ok()?))))
}

/// Notes the filing that was begun for an invitation.
pub(crate) async fn set_filing(
    tx: &mut PgConnection,
    (package, number): (Uuid, u32),
    filing: Uuid,
) -> Result<()> {
    sqlx::query!(
        "UPDATE package_invitation SET filing_id = $3 WHERE package_id = $1 AND number = $2",
        package,
        i64::from(number),
        filing
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Whether a filing was begun for an invitation.
pub(crate) async fn is_of(pool: &PgPool, filing: Uuid) -> Result<bool> {
    let found = sqlx::query_scalar!("SELECT number FROM package_invitation WHERE filing_id = $1", filing);
    Ok(found.fetch_optional(pool).await?.is_some())
}
