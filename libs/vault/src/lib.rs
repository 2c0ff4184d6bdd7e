//! The vault: personal data sealed under the key of the subject it concerns.
//!
//! Key-encryption key (file or AWS KMS) → the service's root keys → one data key per subject. Destroying a
//! subject's data key is erasure; a legal hold forbids it. AES-256-GCM throughout (NIST SP 800-38D).
//!
//! Reading order: `vault` (seal and open), `frames` (large objects), `provider` with `kek` and `kms` (who keeps the
//! key above all), `roots` and `rotation`, `hold`, `erasure` with `order` and `retention`, `certificate` and `scrub`.

mod aws_credentials;
mod certificate;
mod cipher;
mod code;
mod erasure;
mod error;
mod frames;
mod hold;
mod kek;
mod kms;
mod mac;
mod order;
mod provider;
mod retention;
mod roots;
mod rotation;
mod schema;
mod scrub;
mod subject;
mod vault;

pub use aws_credentials::AwsCredentials;
pub use certificate::{Answered, BACKUPS_KEPT, Certificate, Completion, Statement};
pub use code::Code;
pub use erasure::{ErasureRequest, RequestState};
pub use error::Error;
pub use frames::{FRAME_BYTES, SealedReader, SealedWriter};
pub use hold::Hold;
pub use kek::Kek;
pub use kms::{AwsKms, AwsKmsOptions};
pub use mac::keyed_hash;
pub use order::ErasureOrder;
pub use provider::{KeyBytes, KeyProvider, Keyring, Root, RootKey};
pub use retention::Expiry;
pub use rotation::{KeyStatus, Rewrapped};
pub use schema::{migrate, migrator};
pub use subject::{Subject, SubjectKind};
pub use vault::{OpenVault, Opened, REMEMBERED, Vault};
