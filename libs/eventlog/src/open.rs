//! Opening an event's sealed parts, at the edge of the API and nowhere else.

use docket_kernel::{DecodeError, EventEnum};
use docket_proto::log::v1 as pb;
use docket_proto::options::v1::Subject as PbSubject;
use docket_vault::Subject;
use prost::Message;
use uuid::Uuid;

use crate::prepare::aad;
use crate::{Error, EventLog, Recorded};

/// An event with its personal fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// The whole message.
    Plain(Vec<u8>),
    /// At least one subject was erased.
    Erased {
        /// The message without that subject's fields.
        rest: Vec<u8>,
    },
}

impl Opened {
    /// The message; erased fields are empty.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn decode<E: EventEnum>(&self, kind: &str) -> Result<E, DecodeError> {
        match self {
            Self::Plain(bytes) | Self::Erased { rest: bytes } => E::decode(kind, bytes),
        }
    }

    /// Whether a subject was erased.
    pub fn is_erased(&self) -> bool {
        matches!(self, Self::Erased { .. })
    }
}

impl EventLog {
    /// Opens the sealed parts and puts the message together again.
    ///
    /// # Errors
    /// [`Error::Vault`] when a part was changed or the keys cannot be reached; [`Error::Malformed`].
    pub async fn open_payload(&self, event: &Recorded) -> Result<Opened, Error> {
        let aad = aad(&event.log, &event.stream, &event.kind, event.event_id);
        let mut whole = event.payload.to_vec();
        let mut erased = false;
        for part in &event.sealed {
            let part = pb::SealedPart::decode(part.clone()).map_err(|_| Error::Malformed("a sealed part"))?;
            match self.core().vault.open(&subject(&part)?, &aad, &part.ciphertext).await? {
                docket_vault::Opened::Plain(plain) => whole.extend(plain),
                docket_vault::Opened::Erased => erased = true,
            }
        }
        Ok(if erased { Opened::Erased { rest: whole } } else { Opened::Plain(whole) })
    }

    /// Opens an event and decodes it; erased fields are empty.
    ///
    /// # Errors
    /// As [`EventLog::open_payload`], and [`Error::Decode`].
    pub async fn open_event<E: EventEnum>(&self, event: &Recorded) -> Result<E, Error> {
        Ok(self.open_payload(event).await?.decode(&event.kind)?)
    }
}

fn subject(part: &pb::SealedPart) -> Result<Subject, Error> {
    let id = Uuid::from_slice(&part.subject_id).map_err(|_| Error::Malformed("a sealed part's subject"))?;
    match part.subject() {
        PbSubject::Filing => Ok(Subject::filing(id)),
        PbSubject::Account => Ok(Subject::account(id)),
        PbSubject::Person => Ok(Subject::person(id)),
        PbSubject::Unspecified => Err(Error::Malformed("a sealed part's subject")),
    }
}
