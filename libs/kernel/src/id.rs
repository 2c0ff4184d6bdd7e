//! Ids of what follows from something else: version 8. What people make gets a new one where there is chance.

use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The id of what a policy makes out of `source`: the same inputs give the same id, so a reaction
/// which runs twice makes one thing.
///
/// `UUIDv8(SHA-256(len(name) ‖ name ‖ source ‖ n))`; lengths and numbers big-endian (RFC 9562 §5.8).
pub fn derived_id(name: &str, source: Uuid, n: u32) -> Uuid {
    let mut hash = Sha256::new();
    hash.update((name.len() as u64).to_be_bytes());
    hash.update(name.as_bytes());
    hash.update(source.as_bytes());
    hash.update(n.to_be_bytes());
    let digest = hash.finalize();
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&digest[..16]);
    Uuid::new_v8(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_derived_id_depends_on_every_input_and_nothing_else() {
        let source = Uuid::from_u128(7);
        let id = derived_id("receipt", source, 1);
        assert_eq!(id, derived_id("receipt", source, 1));
        assert_ne!(id, derived_id("receipt", source, 2));
        assert_ne!(id, derived_id("receipts", source, 1));
        assert_ne!(id, derived_id("receipt", Uuid::from_u128(8), 1));
        assert_eq!(id.get_version_num(), 8);
        assert_eq!(id.get_variant(), uuid::Variant::RFC4122);
    }
}
