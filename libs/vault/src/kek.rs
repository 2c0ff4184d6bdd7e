//! The key-encryption key as 32 bytes in a file, apart from every database.

use std::fmt;
use std::path::Path;

use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};
use zeroize::Zeroizing;

use crate::cipher::{Cipher, KEY_BYTES, push, random_key, unwrap, wrap};
use crate::{Error, KeyBytes, KeyProvider, RootKey};

/// The key under which a service's root keys are wrapped, in a file: for development, and where a file that only the
/// service can read is protection enough.
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
}

#[async_trait]
impl KeyProvider for Kek {
    fn id(&self) -> &str {
        &self.id
    }

    async fn wrap(&self, of: RootKey, key: &KeyBytes) -> Result<Vec<u8>, Error> {
        wrap(&self.cipher, &root_aad(of), key)
    }

    async fn unwrap(&self, of: RootKey, wrapped: &[u8]) -> Result<KeyBytes, Error> {
        unwrap(&self.cipher, &root_aad(of), wrapped).map_err(|error| {
            let altered = matches!(error, Error::Altered);
            if altered { Error::Kek(format!("the stored root key {of} was changed")) } else { error }
        })
    }
}

fn root_aad(of: RootKey) -> Vec<u8> {
    let mut aad = b"docket.root-key.v1".to_vec();
    push(&mut aad, of.root.as_str().as_bytes());
    push(&mut aad, &of.version.to_be_bytes());
    aad
}

impl fmt::Debug for Kek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kek({})", self.id)
    }
}
