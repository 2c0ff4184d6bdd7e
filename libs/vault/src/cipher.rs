//! AES-256-GCM with a random nonce: `nonce (12) ‖ ciphertext ‖ tag (16)`.

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use zeroize::Zeroizing;

use crate::{Error, KeyBytes};

/// Bytes of a key.
pub(crate) const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;
/// What sealing adds to the plain bytes.
pub(crate) const OVERHEAD: usize = NONCE_BYTES + TAG_BYTES;

/// A key ready for use. The library wipes it when dropped.
pub(crate) struct Cipher(RandomizedNonceKey);

impl Cipher {
    pub(crate) fn new(key: &KeyBytes) -> Self {
        Self(RandomizedNonceKey::new(&AES_256_GCM, key.as_slice()).expect("32 bytes are a key of AES-256"))
    }

    pub(crate) fn seal(&self, aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, Error> {
        let mut sealed = Vec::with_capacity(plain.len() + OVERHEAD);
        self.seal_onto(&mut sealed, aad, plain)?;
        Ok(sealed)
    }

    /// [`Cipher::seal`], behind what is in `sealed` already.
    pub(crate) fn seal_onto(&self, sealed: &mut Vec<u8>, aad: &[u8], plain: &[u8]) -> Result<(), Error> {
        let start = sealed.len();
        sealed.extend_from_slice(&[0; NONCE_BYTES]);
        sealed.extend_from_slice(plain);
        let (nonce, tag) = self
            .0
            .seal_in_place_separate_tag(Aad::from(aad), &mut sealed[start + NONCE_BYTES..])
            .map_err(|_unspecified| Error::Randomness)?;
        sealed[start..start + NONCE_BYTES].copy_from_slice(nonce.as_ref());
        sealed.extend_from_slice(tag.as_ref());
        Ok(())
    }

    pub(crate) fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Error> {
        let (nonce, body) = sealed.split_at_checked(NONCE_BYTES).ok_or(Error::Altered)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_unspecified| Error::Altered)?;
        let mut plain = body.to_vec();
        let length = self
            .0
            .open_in_place(nonce, Aad::from(aad), &mut plain)
            .map_err(|_unspecified| Error::Altered)?
            .len();
        plain.truncate(length);
        Ok(plain)
    }
}

/// A new random key.
pub(crate) fn random_key() -> Result<KeyBytes, Error> {
    let mut key = Zeroizing::new([0_u8; KEY_BYTES]);
    aws_lc_rs::rand::fill(key.as_mut_slice()).map_err(|_unspecified| Error::Randomness)?;
    Ok(key)
}

/// Seals a key under another one.
pub(crate) fn wrap(under: &Cipher, aad: &[u8], key: &KeyBytes) -> Result<Vec<u8>, Error> {
    under.seal(aad, key.as_slice())
}

/// Opens a key sealed by [`wrap`].
pub(crate) fn unwrap(under: &Cipher, aad: &[u8], wrapped: &[u8]) -> Result<KeyBytes, Error> {
    let plain = Zeroizing::new(under.open(aad, wrapped)?);
    let mut key = Zeroizing::new([0_u8; KEY_BYTES]);
    if plain.len() != KEY_BYTES {
        return Err(Error::Altered);
    }
    key.copy_from_slice(&plain);
    Ok(key)
}

/// Appends `bytes` with its length before it (u64, big-endian), so that no two lists of parts look alike.
pub(crate) fn push(to: &mut Vec<u8>, bytes: &[u8]) {
    to.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
    to.extend_from_slice(bytes);
}
