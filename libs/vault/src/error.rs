//! What can go wrong in the vault.

use jiff::Timestamp;
use uuid::Uuid;

use crate::Subject;

/// A failure of the vault. Carries no personal data and no key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The subject's key was destroyed; nothing more can be sealed for it.
    #[error("the key of {0} was destroyed")]
    Erased(Subject),
    /// A legal hold forbids destroying the subject's key.
    #[error("a legal hold on {subject} since {since} forbids erasure ({})", reasons.join(", "))]
    Held {
        /// Whose key is held.
        subject: Subject,
        /// When the oldest hold in force began.
        since: Timestamp,
        /// The codes of all holds in force, oldest first.
        reasons: Vec<String>,
    },
    /// Somebody has asked for this subject's erasure already: that request is to be approved or cancelled.
    #[error("the erasure of {subject} was asked for already: request {request}")]
    AlreadyAsked {
        /// Whose erasure.
        subject: Subject,
        /// The open request.
        request: Uuid,
    },
    /// There is no such request, or it was approved or cancelled before.
    #[error("there is no open request {0} for an erasure")]
    NoOpenRequest(Uuid),
    /// An erasure needs two: who asked cannot approve.
    #[error("who asked for an erasure cannot approve it: another person must")]
    SamePerson,
    /// An erasure is approved by a person, not by a program.
    #[error("an erasure is approved by a person's account")]
    NotAPerson,
    /// Not 1 to 64 of `a-z 0-9 . _ -`, beginning with a letter or digit: reasons are codes, never free text.
    #[error("a reason is a code: 1 to 64 of a-z, 0-9, '.', '_' and '-', the first a letter or digit")]
    NotACode,
    /// The bytes were not sealed here, for this subject and place, or were changed since.
    #[error("the sealed bytes are not what was sealed for this subject and place")]
    Altered,
    /// A stored row that this program could not have written.
    #[error("a row of the keys database is malformed: {0}")]
    Malformed(&'static str),
    /// The key-encryption key does not fit the stored keys, or cannot be used. Trying again does not help.
    #[error("the key-encryption key cannot be used: {0}")]
    Kek(String),
    /// The keeper of the key-encryption key does not answer for now. Trying again may help.
    #[error("the keeper of the key-encryption key is away: {0}")]
    KekAway(String),
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
