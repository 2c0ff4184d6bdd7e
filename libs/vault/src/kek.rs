//! The key-encryption key: 32 bytes in a file, apart from every database.

use std::fmt;
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use zeroize::Zeroizing;

use crate::Error;
use crate::cipher::{Cipher, KEY_BYTES, KeyBytes, random_key};

/// The key under which a service's root keys are wrapped.
pub struct Kek {
    id: String,
    cipher: Cipher,
}

impl Kek {
    /// Reads the key from a file which holds 64 hexadecimal digits.
    ///
    /// # Errors
    /// [`Error::Kek`] when the file cannot be read or holds something else.
    pub fn from_file(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map(Zeroizing::new);
        let text = text.map_err(|error| Error::Kek(format!("{}: {error}", path.display())))?;
        Self::from_hex(text.trim())
    }

    /// Reads the key from 64 hexadecimal digits.
    ///
    /// # Errors
    /// [`Error::Kek`] when they are something else.
    pub fn from_hex(digits: &str) -> Result<Self, Error> {
        let mut key: KeyBytes = Zeroizing::new([0_u8; KEY_BYTES]);
        hex::decode_to_slice(digits, key.as_mut_slice())
            .map_err(|_malformed| Error::Kek("it is not 64 hexadecimal digits".to_owned()))?;
        let id = digest(&SHA256, &[b"docket.kek.v1".as_slice(), key.as_slice()].concat());
        Ok(Self { id: hex::encode(&id.as_ref()[..8]), cipher: Cipher::new(&key) })
    }

    /// A new random key as 64 hexadecimal digits, for the file.
    ///
    /// # Errors
    /// [`Error::Randomness`].
    pub fn generate() -> Result<Zeroizing<String>, Error> {
        Ok(Zeroizing::new(hex::encode(random_key()?.as_slice())))
    }

    /// A name for the key which gives nothing of it away.
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn cipher(&self) -> &Cipher {
        &self.cipher
    }
}

impl fmt::Debug for Kek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kek({})", self.id)
    }
}
