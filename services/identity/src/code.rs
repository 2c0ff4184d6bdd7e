//! Random codes and tokens, and their hashes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// Crockford's alphabet: no I, L, O, U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Six digits for a mail.
pub(crate) fn six_digits() -> String {
    format!("{:06}", rand::random_range(0..1_000_000_u32))
}

/// An opaque token of 256 bits.
pub(crate) fn token(bits: [u8; 32]) -> String {
    URL_SAFE_NO_PAD.encode(bits)
}

/// A code to be read and typed: `groups` of four letters, 20 bits each.
pub(crate) fn readable(groups: usize) -> String {
    readable_from(&rand::random(), groups)
}

/// The readable code which follows from some bits; at most eight groups.
pub(crate) fn readable_from(bits: &[u8; 32], groups: usize) -> String {
    let letter = |byte: &u8| char::from(ALPHABET[usize::from(byte & 31)]);
    let group = |bytes: &[u8]| bytes.iter().map(letter).collect::<String>();
    bits.chunks(4).take(groups).map(group).collect::<Vec<_>>().join("-")
}

/// A readable code as it may be typed: any case, blanks or hyphens, O for 0, I and L for 1.
pub(crate) fn normalised(typed: &str) -> String {
    let letter = |c: char| match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    typed.chars().filter(|c| !c.is_whitespace() && *c != '-').take(64).map(letter).collect()
}

/// The hash under which a secret of many bits is kept.
pub(crate) fn hash(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

/// Compares in constant time.
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(a, b).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_readable_code_survives_being_typed() {
        let code = readable(4);
        assert_eq!(code.len(), 19);
        assert_eq!(normalised(&code.to_lowercase().replace('-', " ")), code.replace('-', ""));
        assert_eq!(normalised("oil-0"), "0110");
    }

    #[test]
    fn six_digits_are_six_digits() {
        for _ in 0..100 {
            assert!(crate::totp::looks_like_code(&six_digits()));
        }
    }
}
