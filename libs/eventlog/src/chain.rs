//! The link: SHA-256 over an event's stored bytes and the link before it in its stream.
//!
//! Format 1 hashes the tag `docket.event.v1` and then ten fields and every sealed part, each with its
//! length before it (u64, big-endian); numbers are 8 bytes, big-endian. See
//! `docs/reference/event-format.md`; `tests/vectors.json` and `tests/verify_chain.py` check it from outside.

use aws_lc_rs::digest::{SHA256, digest};

use crate::Recorded;

/// Names format 1 in every hash.
const TAG: &[u8] = b"docket.event.v1";
/// What the first event of a stream links to.
pub(crate) const NO_LINK: [u8; 32] = [0; 32];

/// The link of an event whose stream's previous link is `previous` (32 zero bytes before the first).
pub fn link(previous: &[u8; 32], event: &Recorded) -> [u8; 32] {
    sha256(&link_input(previous, event))
}

/// The bytes which [`link`] hashes.
pub fn link_input(previous: &[u8; 32], event: &Recorded) -> Vec<u8> {
    let mut input = Vec::with_capacity(256 + event.metadata_bytes.len() + event.payload.len());
    input.extend_from_slice(TAG);
    push(&mut input, previous);
    push(&mut input, event.log.as_bytes());
    push(&mut input, event.stream.as_str().as_bytes());
    push(&mut input, &event.version.to_be_bytes());
    push(&mut input, event.kind.as_bytes());
    push(&mut input, event.event_id.as_bytes());
    push(&mut input, &event.recorded_at.as_microsecond().to_be_bytes());
    push(&mut input, &event.metadata_bytes);
    push(&mut input, &event.payload);
    for part in &event.sealed {
        push(&mut input, part);
    }
    input
}

/// Appends `bytes` with its length before it (u64, big-endian).
pub(crate) fn push(to: &mut Vec<u8>, bytes: &[u8]) {
    to.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
    to.extend_from_slice(bytes);
}

/// The parts of bytes written by [`push`]; none when they are not such bytes.
pub(crate) fn parts(mut bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut parts = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<8>() {
        let length = usize::try_from(u64::from_be_bytes(*length)).ok()?;
        let (part, rest) = rest.split_at_checked(length)?;
        parts.push(part.to_vec());
        bytes = rest;
    }
    bytes.is_empty().then_some(parts)
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    digest(&SHA256, bytes).as_ref().try_into().expect("SHA-256 gives 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_read_as_they_were_pushed() {
        let mut bytes = Vec::new();
        push(&mut bytes, b"abc");
        push(&mut bytes, b"");
        push(&mut bytes, &[9; 300]);
        assert_eq!(bytes[..11], *b"\0\0\0\0\0\0\0\x03abc");
        assert_eq!(parts(&bytes), Some(vec![b"abc".to_vec(), vec![], vec![9; 300]]));
        assert_eq!(parts(&[]), Some(vec![]));
    }

    #[test]
    fn cut_off_parts_are_no_parts() {
        let mut bytes = Vec::new();
        push(&mut bytes, b"abc");
        for end in 1..bytes.len() {
            assert_eq!(parts(&bytes[..end]), None, "{end} bytes");
        }
    }
}
