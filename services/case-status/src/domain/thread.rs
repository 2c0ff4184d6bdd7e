//! A conversation in which somebody on the side of the party waits for an answer, without its words.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Deadline;

/// The conversation, from the first message that was not answered on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingThread {
    /// The conversation.
    pub thread: Uuid,
    /// The message that waits longest in it.
    pub message: Uuid,
    /// The one that was sent last.
    pub last_message: Uuid,
    /// Topic, for example `question_on_status`; empty where it was not said.
    pub topic: String,
    /// Who wrote: `party` or `representative`.
    pub writer: String,
    /// Until when the office means to answer.
    pub deadline: Deadline,
    /// When that message was sent, microseconds since the epoch.
    pub since_us: i64,
}
