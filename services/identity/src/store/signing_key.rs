//! Signing keys of access tokens.

use sqlx::{PgConnection, PgPool};

/// A key.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct SigningKey {
    /// Its id.
    pub(crate) kid: String,
    /// 32 bytes.
    pub(crate) public_key: Vec<u8>,
    /// PKCS #8, sealed.
    pub(crate) private_sealed: Vec<u8>,
    /// When it was made.
    pub(crate) created_at_us: i64,
}

/// All keys made after that instant, oldest first.
pub(crate) async fn since(pool: &PgPool, after_us: i64) -> sqlx::Result<Vec<SigningKey>> {
    sqlx::query_as(
        "SELECT kid, public_key, private_sealed, created_at_us FROM signing_key
         WHERE created_at_us > $1 ORDER BY created_at_us, kid",
    )
    .bind(after_us)
    .fetch_all(pool)
    .await
}

/// Lets one process at a time make a key, until its transaction ends.
pub(crate) async fn lock(tx: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query("SELECT pg_advisory_xact_lock(hashtext('identity.signing_key'))").execute(tx).await?;
    Ok(())
}

/// The instant at which the newest key was made.
pub(crate) async fn newest(tx: &mut PgConnection) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar("SELECT max(created_at_us) FROM signing_key").fetch_one(tx).await
}

/// Keeps a key.
pub(crate) async fn insert(tx: &mut PgConnection, key: &SigningKey) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO signing_key (kid, public_key, private_sealed, created_at_us) VALUES ($1, $2, $3, $4)",
    )
    .bind(&key.kid)
    .bind(&key.public_key)
    .bind(&key.private_sealed)
    .bind(key.created_at_us)
    .execute(tx)
    .await?;
    Ok(())
}
