//! `helper_code`: which draft a helper's code was made for.

use sqlx::{PgConnection, PgPool, Result};
use uuid::Uuid;

/// Writes the code asked for last, in place of one before.
pub(crate) async fn set(tx: &mut PgConnection, filing: Uuid, role: &str, code_mac: &[u8]) -> Result<()> {
    sqlx::query!(
        "INSERT INTO helper_code (filing_id, role, code_mac) VALUES ($1, $2, $3)
         ON CONFLICT (filing_id, role) DO UPDATE SET code_mac = excluded.code_mac",
        filing,
        role,
        code_mac
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The filing and the role that a code was made for.
pub(crate) async fn find(pool: &PgPool, code_mac: &[u8]) -> Result<Option<(Uuid, String)>> {
    let found = sqlx::query!("SELECT filing_id, role FROM helper_code WHERE code_mac = $1", code_mac);
    Ok(found.fetch_optional(pool).await?.map(|row| (row.filing_id, row.role)))
}
