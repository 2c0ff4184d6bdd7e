//! Makes an append ready before the lock is taken: ids, sealing, sizes.

use bytes::Bytes;
use docket_kernel::{SubjectKind, derived_id};
use docket_proto::log::v1 as pb;
use docket_proto::options::v1::Subject as PbSubject;
use prost::Message;
use uuid::Uuid;

use crate::chain::push;
use crate::log::Core;
use crate::{Append, Error, Expected, Metadata, NewEvent, StreamName, Subjects, request, splitter};

/// Most bytes of one event: clear and sealed parts and metadata.
const MAX_EVENT_BYTES: usize = 256 * 1024;
/// Most bytes of one append.
const MAX_APPEND_BYTES: usize = 4 * 1024 * 1024;
/// Most events of one append.
const MAX_APPEND_EVENTS: usize = 1_000;

/// An append whose bytes are all there.
#[derive(Debug, Clone)]
pub(crate) struct Prepared {
    pub(crate) log: &'static str,
    pub(crate) actor: String,
    pub(crate) command_id: Uuid,
    pub(crate) metadata: Metadata,
    pub(crate) metadata_bytes: Bytes,
    pub(crate) fingerprint: Vec<u8>,
    pub(crate) streams: Vec<PreparedStream>,
    pub(crate) bytes: usize,
}

#[derive(Debug, Clone)]
pub(crate) struct PreparedStream {
    pub(crate) stream: StreamName,
    pub(crate) expected: Expected,
    pub(crate) events: Vec<PreparedEvent>,
}

#[derive(Debug, Clone)]
pub(crate) struct PreparedEvent {
    pub(crate) event_id: Uuid,
    pub(crate) kind: String,
    pub(crate) payload: Bytes,
    pub(crate) sealed: Vec<Bytes>,
}

/// Seals the personal fields and gives every event its id.
pub(crate) async fn prepare(core: &Core, append: Append) -> Result<Prepared, Error> {
    let Append { metadata, request, streams } = append;
    let actor = metadata.actor.to_string();
    check(&actor, &streams)?;
    let metadata_bytes = Bytes::from(metadata.encode());
    let mut prepared = Prepared {
        log: core.name,
        fingerprint: request::fingerprint(&core.vault, &request),
        command_id: metadata.command_id,
        bytes: 0,
        streams: Vec::with_capacity(streams.len()),
        actor,
        metadata,
        metadata_bytes,
    };
    let id_space = format!("event:{}:{}", core.name, prepared.actor);
    let mut number = 0;
    for stream in streams {
        let mut events = Vec::with_capacity(stream.events.len());
        for event in stream.events {
            let event_id = derived_id(&id_space, prepared.command_id, number);
            number += 1;
            let event = seal(core, &stream.stream, stream.subjects, event_id, event).await?;
            let bytes = prepared.metadata_bytes.len() + event.bytes();
            if bytes > MAX_EVENT_BYTES {
                return Err(Error::TooLarge { bytes });
            }
            prepared.bytes += bytes;
            events.push(event);
        }
        prepared.streams.push(PreparedStream { stream: stream.stream, expected: stream.expected, events });
    }
    if prepared.bytes > MAX_APPEND_BYTES {
        return Err(Error::TooLarge { bytes: prepared.bytes });
    }
    Ok(prepared)
}

/// Nothing may reach the database which it would refuse: a stranger's append may be in the same commit.
pub(crate) fn check(actor: &str, streams: &[crate::StreamAppend]) -> Result<(), Error> {
    let plain =
        |text: &str| !text.is_empty() && text.len() <= 200 && !text.bytes().any(|b| b.is_ascii_control());
    if !plain(actor) {
        return Err(Error::Malformed("the actor"));
    }
    let mut names: Vec<&StreamName> = streams.iter().map(|stream| &stream.stream).collect();
    names.sort_unstable();
    if names.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(Error::Malformed("a stream named twice in one append"));
    }
    if !streams.iter().flat_map(|stream| &stream.events).all(|event| plain(&event.kind)) {
        return Err(Error::Malformed("the kind of an event"));
    }
    let events: usize = streams.iter().map(|stream| stream.events.len()).sum();
    if events > MAX_APPEND_EVENTS {
        return Err(Error::TooManyEvents { events, most: MAX_APPEND_EVENTS });
    }
    Ok(())
}

async fn seal(
    core: &Core,
    stream: &StreamName,
    subjects: Subjects,
    event_id: Uuid,
    event: NewEvent,
) -> Result<PreparedEvent, Error> {
    let NewEvent { kind, payload } = event;
    let personal = (core.personal)(&kind);
    let parts =
        splitter::split(&payload, personal).map_err(|_| Error::Malformed("an event which is no message"))?;
    let aad = aad(core.name, stream, &kind, event_id);
    let mut sealed = Vec::with_capacity(parts.personal.len());
    for (subject, plain) in parts.personal {
        let subject =
            subjects.get(subject).ok_or_else(|| Error::SubjectMissing { kind: kind.clone(), subject })?;
        let part = pb::SealedPart {
            subject: subject_number(subject.kind).into(),
            subject_id: subject.id.as_bytes().to_vec().into(),
            ciphertext: core.vault.seal(&subject, &aad, &plain).await?.into(),
        };
        sealed.push(Bytes::from(part.encode_to_vec()));
    }
    Ok(PreparedEvent { event_id, kind, payload: parts.clear.into(), sealed })
}

fn subject_number(kind: SubjectKind) -> PbSubject {
    match kind {
        SubjectKind::Filing => PbSubject::Filing,
        SubjectKind::Account => PbSubject::Account,
        SubjectKind::Person => PbSubject::Person,
    }
}

/// Ties sealed bytes to their place: no part can be moved to another event.
pub(crate) fn aad(log: &str, stream: &StreamName, kind: &str, event_id: Uuid) -> Vec<u8> {
    let mut aad = b"docket.event.v1".to_vec();
    push(&mut aad, log.as_bytes());
    push(&mut aad, stream.as_str().as_bytes());
    push(&mut aad, kind.as_bytes());
    push(&mut aad, event_id.as_bytes());
    aad
}

impl Prepared {
    /// How many events it has.
    pub(crate) fn events(&self) -> usize {
        self.streams.iter().map(|stream| stream.events.len()).sum()
    }
}

impl PreparedEvent {
    fn bytes(&self) -> usize {
        self.payload.len() + self.sealed.iter().map(Bytes::len).sum::<usize>()
    }
}
