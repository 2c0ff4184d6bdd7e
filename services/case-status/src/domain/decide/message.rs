//! Messages of the party's side to the office: until when one is to be answered, and that it was, or needs no answer. The words stand
//! in notifications' log.

use docket_kernel::Refusal;
use docket_proto::case_status::events::v1 as pb;
use jiff::Timestamp;
use uuid::Uuid;

use super::{Decision, answer_by, cause_unknown};
use crate::domain::{Case, WaitingThread};

/// Docket's own limit for the answer.
const RULE: &str = "message.answer";
/// Why a message needs no answer.
pub const ASIDE: [&str; 4] = ["nothing_asked", "answered_elsewhere", "asked_twice", "other_case"];

/// A message that somebody on the side of the party sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The conversation.
    pub thread: Uuid,
    /// The message.
    pub message: Uuid,
    /// Topic of the conversation.
    pub topic: String,
    /// Account of the writer.
    pub account: Uuid,
    /// When it was sent.
    pub at: Timestamp,
}

/// Somebody wrote, in a case of whatever stage: the office owes an answer. What is written in a conversation that waits already
/// waits with it, and the day stays.
///
/// # Errors
/// Not found without a case.
pub fn record_message(case: &Case, sent: &Sent) -> Decision {
    if !case.exists() {
        return Err(Refusal::not_found());
    }
    let waits_with = waiting(case, sent.thread);
    if waits_with.is_some_and(|waiting| waiting.last_message == sent.message) {
        return Ok(Vec::new());
    }
    let deadline = match waits_with {
        Some(waiting) => (&waiting.deadline).into(),
        None => answer_by(case, RULE, sent.at)?,
    };
    // Who acted for the party may act no more when this is read.
    let writer = if case.party == Some(sent.account) { "party" } else { "representative" };
    Ok(vec![
        pb::MessageReceived {
            thread_id: sent.thread.to_string(),
            message_id: sent.message.to_string(),
            topic: sent.topic.clone(),
            writer: writer.to_owned(),
            deadline: Some(deadline),
            sent_at_us: sent.at.as_microsecond(),
            waits_with: waits_with.map(|waiting| waiting.message.to_string()).unwrap_or_default(),
        }
        .into(),
    ])
}

/// The office wrote in a conversation.
///
/// # Errors
/// None; where nobody waits, no events.
pub fn record_reply(case: &Case, thread: Uuid, officer: Uuid) -> Decision {
    let answered = waiting(case, thread).map(|waiting| pb::MessageAnswered {
        thread_id: waiting.thread.to_string(),
        message_id: waiting.message.to_string(),
        officer: officer.to_string(),
    });
    Ok(answered.map(Into::into).into_iter().collect())
}

/// An officer read what was written, up to the message `last`, and says why it needs no answer.
///
/// # Errors
/// `MESSAGE_NOT_WAITING`, `MESSAGE_NEWER`, `CAUSE_UNKNOWN`; not found without a case.
pub fn set_message_aside(case: &Case, (thread, last): (Uuid, Uuid), officer: Uuid, why: &str) -> Decision {
    if !case.exists() {
        return Err(Refusal::not_found());
    }
    let Some(waiting) = waiting(case, thread) else {
        return Err(Refusal::state(
            "MESSAGE_NOT_WAITING",
            "Nobody waits for an answer in that conversation.",
        )
        .way_out("Look at the conversations in which the case says that somebody waits.")
        .field("thread"));
    };
    if waiting.last_message != last {
        return Err(Refusal::state(
            "MESSAGE_NEWER",
            "The last message that was read is not the last that waits.",
        )
        .way_out("Read the conversation again, to its end.")
        .field("last_message"));
    }
    if !ASIDE.contains(&why) {
        return Err(cause_unknown(&ASIDE));
    }
    Ok(vec![
        pb::MessageSetAside {
            thread_id: waiting.thread.to_string(),
            message_id: waiting.message.to_string(),
            officer: officer.to_string(),
            cause: why.to_owned(),
        }
        .into(),
    ])
}

fn waiting(case: &Case, thread: Uuid) -> Option<&WaitingThread> {
    case.waiting_threads.iter().find(|waiting| waiting.thread == thread)
}
