//! The vault: personal data sealed under the key of the subject it concerns.
//!
//! Key-encryption key (file) → the service's root keys → one data key per subject. Destroying a
//! subject's data key is erasure; a legal hold forbids it. AES-256-GCM throughout (NIST SP 800-38D).

mod cipher;
mod error;
mod frames;
mod kek;
mod mac;
mod schema;
mod subject;
mod vault;

pub use error::Error;
pub use frames::{FRAME_BYTES, ObjectKey, SealedReader, SealedWriter};
pub use kek::Kek;
pub use schema::migrate;
pub use subject::{Subject, SubjectKind};
pub use vault::{Opened, Vault};
