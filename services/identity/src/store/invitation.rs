//! Invitations to a role: one-use codes, hashed.

use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// Keeps an invitation.
pub(crate) async fn insert(
    pool: &PgPool,
    code_hash: &[u8],
    role: &str,
    office: &str,
    expires_at_us: i64,
) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO invitation (code_hash, role, office, expires_at_us) VALUES ($1, $2, $3, $4)")
        .bind(code_hash)
        .bind(role)
        .bind(office)
        .bind(expires_at_us)
        .execute(pool)
        .await?;
    Ok(())
}

/// Uses an invitation up and gives its role and office; none when there is no such code any more.
pub(crate) async fn redeem(
    tx: &mut PgConnection,
    code_hash: &[u8],
    account: Uuid,
    now_us: i64,
) -> sqlx::Result<Option<(String, String)>> {
    sqlx::query_as(
        "UPDATE invitation SET redeemed_by = $2, redeemed_at_us = $3
         WHERE code_hash = $1 AND redeemed_at_us IS NULL AND expires_at_us > $3
         RETURNING role, office",
    )
    .bind(code_hash)
    .bind(account)
    .bind(now_us)
    .fetch_optional(tx)
    .await
}
