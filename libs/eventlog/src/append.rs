//! What is asked of the log, and what it answers.

use docket_kernel::{EventEnum, SubjectKind};
use docket_vault::Subject;
use uuid::Uuid;

use crate::{Mark, Metadata, Recorded, StreamName};

/// What about goes with the message of an event: metadata, and what seals add.
const WITH_EACH: usize = 256;

/// One event to be written: its kind and the whole plain message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// The kind, such as `case.opened.v1`.
    pub kind: String,
    /// The encoded message, personal fields included; the log seals them.
    pub payload: Vec<u8>,
}

impl NewEvent {
    /// The event as the domain made it.
    pub fn of(event: &impl EventEnum) -> Self {
        Self { kind: event.kind().to_owned(), payload: event.encode() }
    }
}

/// The version a stream must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Exactly this; 0 means that the stream must not exist.
    Version(u64),
    /// That of this event, which ends the stream: for who read the stream some time ago.
    After(Mark),
    /// Whatever it is.
    Any,
}

/// Whose keys seal the personal fields of the events.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Subjects {
    /// The matter.
    pub filing: Option<Uuid>,
    /// The account.
    pub account: Option<Uuid>,
    /// The person.
    pub person: Option<Uuid>,
}

impl Subjects {
    /// No personal fields.
    pub const NONE: Self = Self { filing: None, account: None, person: None };

    /// The fields of a matter.
    pub fn filing(id: Uuid) -> Self {
        Self { filing: Some(id), ..Self::NONE }
    }

    /// The fields of an account.
    pub fn account(id: Uuid) -> Self {
        Self { account: Some(id), ..Self::NONE }
    }

    /// The fields of a person.
    pub fn person(id: Uuid) -> Self {
        Self { person: Some(id), ..Self::NONE }
    }

    /// The subject of that sort, when named.
    pub fn get(&self, kind: SubjectKind) -> Option<Subject> {
        let id = match kind {
            SubjectKind::Filing => self.filing,
            SubjectKind::Account => self.account,
            SubjectKind::Person => self.person,
        };
        id.map(|id| Subject { kind, id })
    }
}

/// Events for one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamAppend {
    /// The stream.
    pub stream: StreamName,
    /// The version it must have.
    pub expected: Expected,
    /// Whose keys seal the personal fields.
    pub subjects: Subjects,
    /// The events, in order. None is allowed: then only the version is checked.
    pub events: Vec<NewEvent>,
}

impl StreamAppend {
    /// The domain's events for a stream.
    pub fn of<E: EventEnum>(
        stream: StreamName,
        expected: Expected,
        subjects: Subjects,
        events: &[E],
    ) -> Self {
        Self { stream, expected, subjects, events: events.iter().map(NewEvent::of).collect() }
    }
}

/// One command's events: all of them or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Append {
    /// Who, why and in what name.
    pub metadata: Metadata,
    /// The encoded request, without secrets such as passwords. Only keyed hashes of its top-level fields are
    /// kept, to tell a repetition from another request under the same id.
    pub request: Vec<u8>,
    /// The streams; each at most once.
    pub streams: Vec<StreamAppend>,
}

impl Append {
    /// About how many bytes it will take while it waits, before anything of it is sealed.
    pub(crate) fn about_bytes(&self) -> usize {
        let events = self.streams.iter().flat_map(|stream| &stream.events);
        events.map(|event| WITH_EACH + event.payload.len()).sum()
    }
}

/// What was written.
#[derive(Debug, Clone)]
pub struct Appended {
    /// Position of the first event; for a command without events one more than `last`.
    pub first: u64,
    /// Position of the last event.
    pub last: u64,
    /// The events as stored.
    pub events: Vec<Recorded>,
    /// Whether the command had been done before; then this is the first answer.
    pub repeated: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_found_under_its_own_sort_only() {
        let id = Uuid::from_u128(7);
        for (subjects, kind) in [
            (Subjects::filing(id), SubjectKind::Filing),
            (Subjects::account(id), SubjectKind::Account),
            (Subjects::person(id), SubjectKind::Person),
        ] {
            for other in [SubjectKind::Filing, SubjectKind::Account, SubjectKind::Person] {
                let expected = (other == kind).then_some(Subject { kind, id });
                assert_eq!(subjects.get(other), expected, "{subjects:?} {other:?}");
            }
            assert_eq!(Subjects::NONE.get(kind), None);
        }
    }
}
