//! Keyed hashes for blind indexes, stream names and fingerprints of requests (HMAC-SHA-256, RFC 2104).

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};

use crate::{KeyBytes, Vault};

/// The service's root of all keyed hashes.
pub(crate) struct MacRoot {
    key: Key,
    version: u32,
}

impl MacRoot {
    pub(crate) fn new(key: &KeyBytes, version: u32) -> Self {
        Self { key: Key::new(HMAC_SHA256, key.as_slice()), version }
    }
}

/// The keyed hash of `bytes` for one purpose under a root of 32 bytes: what [`Vault::mac`] gives under the service's own.
pub fn keyed_hash(root: &[u8], purpose: &str, bytes: &[u8]) -> [u8; 32] {
    tag(&Key::new(HMAC_SHA256, root), purpose, bytes)
}

fn tag(root: &Key, purpose: &str, bytes: &[u8]) -> [u8; 32] {
    let derived = sign(root, purpose.as_bytes());
    let tag = sign(&Key::new(HMAC_SHA256, derived.as_ref()), bytes);
    tag.as_ref().try_into().expect("HMAC-SHA-256 gives 32 bytes")
}

impl Vault {
    /// The keyed hash of `bytes` for one purpose, such as `command` or `blind-index.name`.
    pub fn mac(&self, purpose: &str, bytes: &[u8]) -> [u8; 32] {
        tag(&self.mac_root().key, purpose, bytes)
    }

    /// The version of the key behind [`Vault::mac`].
    pub fn mac_version(&self) -> u32 {
        self.mac_root().version
    }

    /// A stream's name for something that must be unique but not readable: `email-k1-<64 hex digits>`.
    pub fn keyed_name(&self, category: &str, bytes: &[u8]) -> String {
        let mac = self.mac(&format!("name.{category}"), bytes);
        format!("{category}-k{}-{}", self.mac_version(), hex::encode(mac))
    }
}
