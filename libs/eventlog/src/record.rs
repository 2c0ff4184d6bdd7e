//! The event as it is stored, in the database, on the broker and in an export.

use bytes::Bytes;
use docket_kernel::{DecodeError, EventEnum};
use docket_proto::log::v1 as pb;
use jiff::Timestamp;
use prost::Message;
use uuid::Uuid;

use crate::{Error, Metadata, StreamName, link};

/// The format this program writes.
pub const FORMAT: u32 = 1;

/// A place in the history of a stream: who knows it can tell whether a stream is still the one that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Version of an event.
    pub version: u64,
    /// Its link, which stands for all before it too.
    pub link: [u8; 32],
}

/// One stored event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The log.
    pub log: String,
    /// Place in the log: 1, 2, 3 … without a gap.
    pub position: u64,
    /// The stream.
    pub stream: StreamName,
    /// Place in the stream, from 1.
    pub version: u64,
    /// The event's id.
    pub event_id: Uuid,
    /// The kind, such as `case.opened.v1`.
    pub kind: String,
    /// When it was recorded (µs); never before the event before it.
    pub recorded_at: Timestamp,
    /// Who, why and by what program.
    pub metadata: Metadata,
    /// The metadata as stored.
    pub metadata_bytes: Bytes,
    /// The clear part of the message: personal fields are missing.
    pub payload: Bytes,
    /// The sealed parts, each an encoded `docket.log.v1.SealedPart`, never re-encoded.
    pub sealed: Vec<Bytes>,
    /// SHA-256 over all of this and the link before it in its stream.
    pub link: [u8; 32],
    /// The format of the record.
    pub format: u32,
    /// Number of the log's epoch in which it was recorded.
    pub epoch: u64,
}

impl Recorded {
    /// The event with its personal fields empty, as folds see it.
    ///
    /// # Errors
    /// [`DecodeError`] when the kind is not one of `E`'s, or the bytes are not a message of it.
    pub fn decode<E: EventEnum>(&self) -> Result<E, DecodeError> {
        E::decode(&self.kind, &self.payload)
    }

    /// Whether the link is right, given the link before it in its stream.
    pub fn follows(&self, previous: &[u8; 32]) -> bool {
        link(previous, self) == self.link
    }

    /// The place of this event in its stream's history.
    pub fn mark(&self) -> Mark {
        Mark { version: self.version, link: self.link }
    }

    /// The encoded `docket.log.v1.StoredEvent`: the broker's message and an export's record.
    pub fn to_stored(&self) -> Vec<u8> {
        self.to_message().encode_to_vec()
    }

    /// The `docket.log.v1.StoredEvent`.
    pub fn to_message(&self) -> pb::StoredEvent {
        pb::StoredEvent {
            log: self.log.clone(),
            position: self.position,
            stream: self.stream.to_string(),
            version: self.version,
            event_id: self.event_id.as_bytes().to_vec().into(),
            kind: self.kind.clone(),
            recorded_at_us: self.recorded_at.as_microsecond(),
            metadata: self.metadata_bytes.clone(),
            payload: self.payload.clone(),
            sealed: self
                .sealed
                .iter()
                .map(|part| pb::SealedPart::decode(part.clone()).expect("checked when it was read"))
                .collect(),
            link: self.link.to_vec().into(),
            format: self.format,
            epoch: self.epoch,
        }
    }

    /// Reads an encoded `docket.log.v1.StoredEvent`.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn from_stored(bytes: &[u8]) -> Result<Self, Error> {
        Self::from_message(pb::StoredEvent::decode(bytes).map_err(|_| Error::Malformed("the stored event"))?)
    }

    /// Takes a `docket.log.v1.StoredEvent`.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn from_message(stored: pb::StoredEvent) -> Result<Self, Error> {
        if stored.format != FORMAT {
            return Err(Error::Malformed("a format this program does not know"));
        }
        Ok(Self {
            log: stored.log,
            position: stored.position,
            stream: StreamName::new(stored.stream)?,
            version: stored.version,
            event_id: Uuid::from_slice(&stored.event_id).map_err(|_| Error::Malformed("the event id"))?,
            kind: stored.kind,
            recorded_at: instant(stored.recorded_at_us)?,
            metadata: Metadata::decode(&stored.metadata)?,
            metadata_bytes: stored.metadata,
            payload: stored.payload,
            sealed: stored.sealed.iter().map(|part| part.encode_to_vec().into()).collect(),
            link: stored.link.as_ref().try_into().map_err(|_| Error::Malformed("the link"))?,
            format: stored.format,
            epoch: stored.epoch,
        })
    }
}

/// An instant from microseconds since the epoch.
pub(crate) fn instant(micros: i64) -> Result<Timestamp, Error> {
    Timestamp::from_microsecond(micros).map_err(|_| Error::Malformed("an instant"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    /// A record as it is really stored.
    fn stored() -> Recorded {
        let part = pb::SealedPart { ciphertext: b"sealed".as_slice().into(), ..pb::SealedPart::default() };
        let metadata = samples::metadata(1);
        Recorded {
            metadata_bytes: metadata.encode().into(),
            metadata,
            sealed: vec![part.encode_to_vec().into()],
            link: [5; 32],
            epoch: 3,
            ..samples::recorded()
        }
    }

    #[test]
    fn what_is_published_reads_as_it_was_stored() {
        let event = stored();
        assert_eq!(Recorded::from_stored(&event.to_stored()).unwrap(), event);
        assert_eq!(Recorded::from_message(event.to_message()).unwrap(), event);
    }

    #[test]
    fn what_is_no_event_is_refused() {
        let message = stored().to_message();
        for spoilt in [
            pb::StoredEvent { format: 2, ..message.clone() },
            pb::StoredEvent { stream: "No Stream".to_owned(), ..message.clone() },
            pb::StoredEvent { event_id: b"short".as_slice().into(), ..message.clone() },
            pb::StoredEvent { link: b"short".as_slice().into(), ..message.clone() },
            pb::StoredEvent { recorded_at_us: i64::MAX, ..message.clone() },
            pb::StoredEvent { metadata: b"\xff".as_slice().into(), ..message.clone() },
        ] {
            assert!(Recorded::from_message(spoilt.clone()).is_err(), "{spoilt:?}");
        }
        assert!(Recorded::from_stored(b"\xff").is_err());
    }
}
