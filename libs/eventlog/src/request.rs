//! Telling a repeated request from another one under the same command id, without keeping either.
//!
//! Kept is a keyed hash of the whole request and of each top-level field: `whole (32)` and then, for each
//! field number in ascending order, `number (u32, big-endian) ‖ hash (8)`.

use std::collections::BTreeMap;
use std::fmt;

use docket_vault::Vault;

use crate::splitter;

const PURPOSE: &str = "log.command";
const WHOLE_BYTES: usize = 32;
const FIELD_BYTES: usize = 12;

/// What differs between two requests with one command id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Numbers of the top-level fields which differ; none when the requests are no messages.
    pub fields: Vec<u32>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.fields.is_empty() {
            return f.write_str("the request differs");
        }
        let numbers: Vec<_> = self.fields.iter().map(ToString::to_string).collect();
        write!(f, "field {} differs", numbers.join(", "))
    }
}

/// What is kept of a request.
pub(crate) fn fingerprint(vault: &Vault, request: &[u8]) -> Vec<u8> {
    let mut kept = vault.mac(PURPOSE, request).to_vec();
    let mut by_number: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
    for field in splitter::fields(request) {
        let Ok((number, bytes)) = field else { return kept[..WHOLE_BYTES].to_vec() };
        by_number.entry(number).or_default().extend_from_slice(bytes);
    }
    for (number, bytes) in by_number {
        let mac = vault.mac(&format!("{PURPOSE}.{number}"), &bytes);
        kept.extend_from_slice(&number.to_be_bytes());
        kept.extend_from_slice(&mac[..FIELD_BYTES - 4]);
    }
    kept
}

/// What differs between two fingerprints; none when they are of the same request.
pub(crate) fn difference(first: &[u8], second: &[u8]) -> Option<Difference> {
    if first.get(..WHOLE_BYTES) == second.get(..WHOLE_BYTES) {
        return None;
    }
    let (first, second) = (by_number(first), by_number(second));
    let mut fields: Vec<u32> = first.keys().chain(second.keys()).copied().collect();
    fields.sort_unstable();
    fields.dedup();
    fields.retain(|number| first.get(number) != second.get(number));
    Some(Difference { fields })
}

fn by_number(kept: &[u8]) -> BTreeMap<u32, &[u8]> {
    let fields = kept.get(WHOLE_BYTES..).unwrap_or_default();
    let (fields, _) = fields.as_chunks::<FIELD_BYTES>();
    fields
        .iter()
        .map(|[a, b, c, d, mac @ ..]| (u32::from_be_bytes([*a, *b, *c, *d]), mac.as_slice()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A fingerprint with the whole's hash and fields as given.
    fn kept(whole: u8, fields: &[(u32, u8)]) -> Vec<u8> {
        let mut kept = vec![whole; WHOLE_BYTES];
        for (number, mac) in fields {
            kept.extend_from_slice(&number.to_be_bytes());
            kept.extend_from_slice(&[*mac; FIELD_BYTES - 4]);
        }
        kept
    }

    #[test]
    fn the_same_request_does_not_differ() {
        assert_eq!(difference(&kept(1, &[(1, 5)]), &kept(1, &[(1, 5)])), None);
    }

    #[test]
    fn changed_missing_and_added_fields_are_named_once_and_in_order() {
        let first = kept(1, &[(1, 5), (2, 6), (300, 7)]);
        let second = kept(2, &[(1, 5), (2, 9), (70_000, 8)]);
        let difference = difference(&first, &second).unwrap();
        assert_eq!(difference.fields, [2, 300, 70_000]);
        assert_eq!(difference.to_string(), "field 2, 300, 70000 differs");
    }

    #[test]
    fn requests_that_are_no_messages_just_differ() {
        let difference = difference(&kept(1, &[]), &kept(2, &[])).unwrap();
        assert_eq!(difference.fields, [0; 0]);
        assert_eq!(difference.to_string(), "the request differs");
    }
}
