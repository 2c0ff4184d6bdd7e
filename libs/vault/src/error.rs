//! What can go wrong in the vault.

use crate::Subject;

/// A failure of the vault. Carries no personal data and no key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The subject's key was destroyed; nothing more can be sealed for it.
    #[error("the key of {0} was destroyed")]
    Erased(Subject),
    /// A legal hold forbids destroying the subject's key.
    #[error("a legal hold on {0} forbids erasure")]
    Held(Subject),
    /// The bytes were not sealed here, for this subject and place, or were changed since.
    #[error("the sealed bytes are not what was sealed for this subject and place")]
    Altered,
    /// The key-encryption key does not fit the stored keys, or its file cannot be used.
    #[error("the key-encryption key cannot be used: {0}")]
    Kek(String),
    /// The keys database.
    #[error("the keys database failed")]
    Database(#[from] sqlx::Error),
    /// The schema of the keys database.
    #[error("the schema of the keys database could not be brought up to date")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The system's source of randomness.
    #[error("no randomness to be had")]
    Randomness,
}
