//! The link: SHA-256 over an event's stored bytes and the link before it in its stream.
//!
//! Format 1 hashes the tag `docket.event.v1` and then ten fields and every sealed part, each with its
//! length before it (u64, big-endian); numbers are 8 bytes, big-endian. See
//! `docs/reference/event-format.md`; `tests/vectors.json` and `tests/verify_chain.py` check it from outside.

use aws_lc_rs::digest::{Context, SHA256, digest};
use bytes::Bytes;

use crate::Recorded;

/// Names format 1 in every hash.
const TAG: &[u8] = b"docket.event.v1";
/// What the first event of a stream links to.
pub(crate) const NO_LINK: [u8; 32] = [0; 32];

/// The fields which a link covers, in the order in which it hashes them.
pub(crate) struct Linked<'a> {
    pub(crate) previous: &'a [u8; 32],
    pub(crate) log: &'a str,
    pub(crate) stream: &'a str,
    pub(crate) version: u64,
    pub(crate) kind: &'a str,
    pub(crate) event_id: &'a [u8; 16],
    pub(crate) recorded_at_us: i64,
    pub(crate) metadata: &'a [u8],
    pub(crate) payload: &'a [u8],
    pub(crate) sealed: &'a [Bytes],
}

impl<'a> Linked<'a> {
    fn of(previous: &'a [u8; 32], event: &'a Recorded) -> Self {
        Self {
            previous,
            log: &event.log,
            stream: event.stream.as_str(),
            version: event.version,
            kind: &event.kind,
            event_id: event.event_id.as_bytes(),
            recorded_at_us: event.recorded_at.as_microsecond(),
            metadata: &event.metadata_bytes,
            payload: &event.payload,
            sealed: &event.sealed,
        }
    }

    /// Gives the hashed bytes, piece by piece.
    fn each(&self, mut take: impl FnMut(&[u8])) {
        let mut part = |bytes: &[u8]| {
            take(&(bytes.len() as u64).to_be_bytes());
            take(bytes);
        };
        part(self.previous);
        part(self.log.as_bytes());
        part(self.stream.as_bytes());
        part(&self.version.to_be_bytes());
        part(self.kind.as_bytes());
        part(self.event_id);
        part(&self.recorded_at_us.to_be_bytes());
        part(self.metadata);
        part(self.payload);
        for sealed in self.sealed {
            part(sealed);
        }
    }
}

/// The link over these fields.
pub(crate) fn link_of(linked: &Linked<'_>) -> [u8; 32] {
    let mut hash = Context::new(&SHA256);
    hash.update(TAG);
    linked.each(|bytes| hash.update(bytes));
    hash.finish().as_ref().try_into().expect("SHA-256 gives 32 bytes")
}

/// The link of an event whose stream's previous link is `previous` (32 zero bytes before the first).
pub fn link(previous: &[u8; 32], event: &Recorded) -> [u8; 32] {
    link_of(&Linked::of(previous, event))
}

/// The bytes which [`link`] hashes.
pub fn link_input(previous: &[u8; 32], event: &Recorded) -> Vec<u8> {
    let mut input = TAG.to_vec();
    Linked::of(previous, event).each(|bytes| input.extend_from_slice(bytes));
    input
}

/// Appends `bytes` with its length before it (u64, big-endian).
pub(crate) fn push(to: &mut Vec<u8>, bytes: &[u8]) {
    to.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
    to.extend_from_slice(bytes);
}

/// The parts of bytes written by [`push`], sharing them; none when they are not such bytes.
pub(crate) fn parts(mut bytes: Bytes) -> Option<Vec<Bytes>> {
    let mut parts = Vec::new();
    while let Some((length, _)) = bytes.split_first_chunk::<8>() {
        let length = usize::try_from(u64::from_be_bytes(*length)).ok()?;
        let _length = bytes.split_to(8);
        if bytes.len() < length {
            return None;
        }
        parts.push(bytes.split_to(length));
    }
    bytes.is_empty().then_some(parts)
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    digest(&SHA256, bytes).as_ref().try_into().expect("SHA-256 gives 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    /// SHA-256 over these fields, computed by another program.
    const KNOWN: &str = "54d7cbc487e5784397cd6c3a90d9994e94e978e7057974b8206432378d84345e";

    #[test]
    fn a_link_is_the_hash_of_every_field_in_its_order() {
        let previous = std::array::from_fn(|place| u8::try_from(place).unwrap());
        let mut event = samples::recorded();
        let input = link_input(&previous, &event);
        assert_eq!((input.len(), &input[..15]), (208, TAG));
        assert_eq!(hex::encode(sha256(&input)), KNOWN);
        assert_eq!(hex::encode(link(&previous, &event)), KNOWN);
        assert!(!event.follows(&previous));
        event.link = link(&previous, &event);
        assert!(event.follows(&previous) && !event.follows(&NO_LINK));
    }

    #[test]
    fn parts_are_read_as_they_were_pushed() {
        let mut bytes = Vec::new();
        push(&mut bytes, b"abc");
        push(&mut bytes, b"");
        push(&mut bytes, &[9; 300]);
        assert_eq!(bytes[..11], *b"\0\0\0\0\0\0\0\x03abc");
        let three = vec![Bytes::from_static(b"abc"), Bytes::new(), vec![9; 300].into()];
        assert_eq!(parts(bytes.clone().into()), Some(three));
        assert_eq!(parts(Bytes::new()), Some(vec![]));
    }

    #[test]
    fn cut_off_parts_are_no_parts() {
        let mut bytes = Vec::new();
        push(&mut bytes, b"abc");
        for end in 1..bytes.len() {
            assert_eq!(parts(bytes[..end].to_vec().into()), None, "{end} bytes");
        }
    }
}
