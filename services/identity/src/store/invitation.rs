//! Invitations to a role: one-use codes, hashed.

use sqlx::{FromRow, PgConnection, PgPool};
use uuid::Uuid;

/// An invitation that can be taken up.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub(crate) struct Invitation {
    /// SHA-256 of its code.
    pub(crate) code_hash: Vec<u8>,
    /// The role.
    pub(crate) role: String,
    /// Its office.
    pub(crate) office: String,
    /// Who issued it; empty where that was not kept.
    pub(crate) issued_by: String,
    /// When it lapses, microseconds since the epoch.
    pub(crate) expires_at_us: i64,
}

impl Invitation {
    /// What it is called: the first half of the hash, from which nobody finds the 100 bits of the code.
    pub(crate) fn id(&self) -> Uuid {
        self.code_hash.first_chunk().map_or_else(Uuid::nil, |first| Uuid::from_bytes(*first))
    }
}

/// Keeps an invitation.
pub(crate) async fn insert(pool: &PgPool, invitation: &Invitation) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO invitation (code_hash, role, office, issued_by, expires_at_us) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(&invitation.code_hash)
    .bind(&invitation.role)
    .bind(&invitation.office)
    .bind(&invitation.issued_by)
    .bind(invitation.expires_at_us)
    .execute(pool)
    .await?;
    Ok(())
}

/// Uses an invitation up; none when there is no such code any more.
pub(crate) async fn redeem(
    tx: &mut PgConnection,
    code_hash: &[u8],
    account: Uuid,
    now_us: i64,
) -> sqlx::Result<Option<Invitation>> {
    sqlx::query_as(
        "UPDATE invitation SET redeemed_by = $2, redeemed_at_us = $3
         WHERE code_hash = $1 AND redeemed_at_us IS NULL AND withdrawn_at_us IS NULL AND expires_at_us > $3
         RETURNING code_hash, role, office, coalesce(issued_by, '') AS issued_by, expires_at_us",
    )
    .bind(code_hash)
    .bind(account)
    .bind(now_us)
    .fetch_optional(tx)
    .await
}

/// The invitations that can be taken up at `now_us`, those that lapse first at the front.
pub(crate) async fn open(pool: &PgPool, now_us: i64, limit: i64) -> sqlx::Result<Vec<Invitation>> {
    sqlx::query_as(
        "SELECT code_hash, role, office, coalesce(issued_by, '') AS issued_by, expires_at_us FROM invitation
         WHERE redeemed_at_us IS NULL AND withdrawn_at_us IS NULL AND expires_at_us > $1
         ORDER BY expires_at_us, code_hash LIMIT $2",
    )
    .bind(now_us)
    .bind(limit)
    .fetch_all(pool)
    .await
}

/// Withdraws an invitation; false when there is none of that id that could be taken up, or was withdrawn.
pub(crate) async fn withdraw(pool: &PgPool, id: Uuid, by: Uuid, now_us: i64) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "UPDATE invitation SET withdrawn_by = coalesce(withdrawn_by, $2), withdrawn_at_us = coalesce(withdrawn_at_us, $3)
         WHERE substring(code_hash FROM 1 FOR 16) = $1 AND redeemed_at_us IS NULL AND expires_at_us > $3",
    )
    .bind(id.as_bytes().as_slice())
    .bind(by)
    .bind(now_us)
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}
