//! Conversations of a case: the party begins one under a topic, party and office write in turn or not.

use docket_eventlog::Aggregate;
use docket_kernel::{FieldFault, Refusal};
use docket_proto::events::thread::Event;
use docket_proto::notifications::events::v1 as pb;
use uuid::Uuid;

/// What happens in a conversation.
pub(crate) type ThreadEvent = Event;

/// The topics a conversation may have; one each.
pub(crate) const TOPICS: [&str; 7] = [
    "question_on_status",
    "technical",
    "correction",
    "accommodation",
    "appointment",
    "document_not_received",
    "other",
];
/// Most characters of a message.
const MOST_CHARACTERS: usize = 2_000;

/// Messages of a conversation after which the party begins another one, so that each can be read whole in one answer; the office still
/// answers.
const MOST_MESSAGES: u32 = 200;

/// Who writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    /// The party of the case.
    Party,
    /// An officer, for the office.
    Office,
}

impl From {
    /// The word in events and on the wire.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Party => "party",
            Self::Office => "office",
        }
    }
}

/// Conversations: stream `thread-<thread id>`.
#[derive(Debug)]
pub(crate) struct Threads;

/// A conversation as far as its rules need it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ThreadState {
    /// Whether it was begun.
    pub(crate) started: bool,
    /// Its messages so far.
    pub(crate) messages: u32,
    /// The case, UUID text.
    pub(crate) case_id: String,
    /// Its topic.
    pub(crate) topic: String,
}

impl Aggregate for Threads {
    type Event = Event;
    type State = ThreadState;

    fn evolve(mut state: ThreadState, event: &Event) -> ThreadState {
        match event {
            Event::ThreadStarted(started) => {
                state.started = true;
                state.case_id.clone_from(&started.case_id);
                state.topic.clone_from(&started.topic);
            }
            Event::MessageSent(_) => state.messages += 1,
        }
        state
    }
}

/// Begins a conversation with its first message; only the party does.
///
/// # Errors
/// `TOPIC_UNKNOWN`, `TEXT_EMPTY`, `TEXT_TOO_LONG`, all that apply; `THREAD_EXISTS`.
pub(crate) fn start(
    state: &ThreadState,
    case: Uuid,
    account: Uuid,
    topic: &str,
    text: &str,
) -> Result<Vec<Event>, Refusal> {
    if state.started {
        return Err(Refusal::exists("THREAD_EXISTS", "This conversation was begun already."));
    }
    let mut faults: Vec<FieldFault> = text_fault(text).into_iter().collect();
    if !TOPICS.contains(&topic) {
        let message = format!("Choose one of the topics: {}.", TOPICS.join(", "));
        faults.push(FieldFault::new("topic", "TOPIC_UNKNOWN", message));
    }
    if !faults.is_empty() {
        return Err(faults.into());
    }
    let started = pb::ThreadStarted {
        case_id: case.to_string(),
        topic: topic.to_owned(),
        account_id: account.to_string(),
    };
    let of = (started.case_id.clone(), started.topic.clone());
    Ok(vec![started.into(), message(of, From::Party, account, text)])
}

/// Writes in a conversation.
///
/// # Errors
/// `TEXT_EMPTY`, `TEXT_TOO_LONG`; `THREAD_FULL`; not found when it was not begun.
pub(crate) fn say(state: &ThreadState, from: From, account: Uuid, text: &str) -> Result<Vec<Event>, Refusal> {
    if !state.started {
        return Err(Refusal::not_found());
    }
    if from == From::Party && state.messages >= MOST_MESSAGES {
        let message = "A conversation has at most 200 messages.";
        return Err(Refusal::state("THREAD_FULL", message).way_out("Begin another one."));
    }
    match text_fault(text) {
        Some(fault) => Err(fault.into()),
        None => Ok(vec![message((state.case_id.clone(), state.topic.clone()), from, account, text)]),
    }
}

/// A message, which says of which case and topic it is, so that who follows the log needs no more than that.
fn message((case_id, topic): (String, String), from: From, account: Uuid, text: &str) -> Event {
    let (from, account_id) = (from.as_str().to_owned(), account.to_string());
    pb::MessageSent { from, account_id, text: text.trim().to_owned(), case_id, topic }.into()
}

fn text_fault(text: &str) -> Option<FieldFault> {
    let text = text.trim();
    if text.is_empty() {
        return Some(FieldFault::new(
            "text",
            "TEXT_EMPTY",
            "Write something, such as: When is my interview?",
        ));
    }
    (text.chars().count() > MOST_CHARACTERS).then(|| {
        let message = "A message has at most 2,000 characters; write a second one for the rest.";
        FieldFault::new("text", "TEXT_TOO_LONG", message)
    })
}
