//! The certificate of an erasure: what was destroyed, when, by whom and why, signed (Ed25519, RFC 8032).
//!
//! The statement is JSON text and stored as it was signed, so that verifying needs no canonical form: the signature is
//! over `docket.erasure.v1` (`docket.erasure-completed.v1` for what several services answered together), a line feed and
//! the text's bytes. It names ids and codes only.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Error, KeyBytes, Vault};

/// How long backups of the keys database are kept at most; until then a destroyed key may be in one.
pub const BACKUPS_KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A text that is signed as it stands, told apart from others by the words before it.
trait Signed: Serialize + DeserializeOwned {
    const DOMAIN: &'static [u8];
}

/// What a certificate says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// The request that was approved.
    pub request: Uuid,
    /// The service whose key it was.
    pub service: String,
    /// Whose data: `filing:<uuid>`, `account:<uuid>` or `person:<uuid>`.
    pub subject: String,
    /// The data keys destroyed.
    pub keys: Vec<Uuid>,
    /// The instant of their destruction.
    pub erased_at: Timestamp,
    /// Who asked for it.
    pub asked_by: String,
    /// When.
    pub asked_at: Timestamp,
    /// Who approved it.
    pub approved_by: String,
    /// The code of the reason.
    pub reason: String,
    /// The code of the legal basis.
    pub legal_basis: String,
    /// The civil day (UTC) from whose beginning no backup holds the keys any more.
    pub irrecoverable_on: Date,
}

impl Signed for Statement {
    const DOMAIN: &'static [u8] = b"docket.erasure.v1\n";
}

/// What the certificate of an erasure in all services says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Completion {
    /// The request that was approved.
    pub request: Uuid,
    /// Whose data.
    pub subject: String,
    /// The certificate of each service.
    pub certificates: Vec<Answered>,
    /// The civil day (UTC) from whose beginning no backup of any service holds a key any more.
    pub irrecoverable_on: Date,
}

/// One service's certificate within a [`Completion`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answered {
    /// The service.
    pub service: String,
    /// Its statement, as it signed it.
    pub statement: String,
    /// Which key signed.
    pub key_id: String,
    /// Its signature, hexadecimal.
    pub signature: String,
}

impl Signed for Completion {
    const DOMAIN: &'static [u8] = b"docket.erasure-completed.v1\n";
}

/// A signed statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// [`Statement`] or [`Completion`] as JSON: the signed bytes themselves.
    pub statement: String,
    /// Which key signed: the first 8 bytes of the SHA-256 of the public key, hexadecimal.
    pub key_id: String,
    /// The signature.
    pub signature: [u8; 64],
}

impl Certificate {
    /// The statement, when the signature is that of `public_key`.
    ///
    /// # Errors
    /// [`Error::Altered`] when it is not, or the text is no statement.
    pub fn verify(&self, public_key: &[u8; 32]) -> Result<Statement, Error> {
        self.verified(public_key)
    }

    /// The same for the certificate of an erasure in all services.
    ///
    /// # Errors
    /// [`Error::Altered`] when the signature is another's, or the text is no completion.
    pub fn verify_completion(&self, public_key: &[u8; 32]) -> Result<Completion, Error> {
        self.verified(public_key)
    }

    fn verified<T: Signed>(&self, public_key: &[u8; 32]) -> Result<T, Error> {
        let message = [T::DOMAIN, self.statement.as_bytes()].concat();
        let key = UnparsedPublicKey::new(&ED25519, public_key);
        key.verify(&message, &self.signature).map_err(|_unspecified| Error::Altered)?;
        serde_json::from_str(&self.statement).map_err(|_malformed| Error::Altered)
    }
}

impl Statement {
    /// What a certificate says, for whoever has it from its service itself over a connection it proved itself on; whoever
    /// has it from elsewhere takes [`Certificate::verify`].
    ///
    /// # Errors
    /// [`Error::Altered`] when the text is no statement.
    pub fn read(certificate: &Certificate) -> Result<Self, Error> {
        serde_json::from_str(&certificate.statement).map_err(|_malformed| Error::Altered)
    }
}

/// The key of the service's certificates.
pub(crate) struct CertificateKey {
    pair: Ed25519KeyPair,
    id: String,
}

impl CertificateKey {
    pub(crate) fn new(seed: &KeyBytes) -> Result<Self, Error> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_slice());
        let pair = pair.map_err(|why| Error::Kek(format!("the key of certificates: {why}")))?;
        let id = hex::encode(&digest(&SHA256, pair.public_key().as_ref()).as_ref()[..8]);
        Ok(Self { pair, id })
    }

    pub(crate) fn sign(&self, statement: &Statement) -> Certificate {
        self.signed(statement)
    }

    fn signed<T: Signed>(&self, statement: &T) -> Certificate {
        let statement = serde_json::to_string(statement).expect("ids, codes and instants are JSON");
        let signature = self.pair.sign(&[T::DOMAIN, statement.as_bytes()].concat());
        let signature = signature.as_ref().try_into().expect("an Ed25519 signature has 64 bytes");
        Certificate { statement, key_id: self.id.clone(), signature }
    }
}

impl fmt::Debug for CertificateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CertificateKey({})", self.id)
    }
}

impl Vault {
    /// The public key of this service's certificates and its id, to be kept where certificates are verified: apart.
    pub fn certificate_public_key(&self) -> (String, [u8; 32]) {
        let key = self.certificate_key();
        let public = key.pair.public_key().as_ref();
        (key.id.clone(), public.try_into().expect("an Ed25519 public key has 32 bytes"))
    }

    /// Signs that all services have answered. The same words give the same certificate.
    pub fn certify_completion(&self, completion: &Completion) -> Certificate {
        self.certificate_key().signed(completion)
    }
}

/// The first civil day (UTC) that begins after the last backup with the key is gone.
pub(crate) fn irrecoverable_on(erased_at: Timestamp) -> Result<Date, Error> {
    let gone = erased_at
        .checked_add(BACKUPS_KEPT)
        .and_then(|last| last.to_zoned_datetime(TimeZone::UTC).date().tomorrow());
    gone.map_err(|_range| Error::Malformed("an instant"))
}

/// An instant from its microseconds.
pub(crate) fn instant(us: i64) -> Result<Timestamp, Error> {
    Timestamp::from_microsecond(us).map_err(|_range| Error::Malformed("an instant"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn irrecoverable_is_the_first_whole_day_after_the_last_backup() {
        for (erased, day) in [
            ("2026-03-02T00:00:00Z", "2026-03-10"),
            ("2026-03-02T15:00:00Z", "2026-03-10"),
            ("2026-03-02T23:59:59.999999Z", "2026-03-10"),
            ("2026-12-25T12:00:00Z", "2027-01-02"),
        ] {
            assert_eq!(irrecoverable_on(erased.parse().unwrap()).unwrap().to_string(), day, "{erased}");
        }
    }
}
