//! What a party asked of the office in its case, without its words: to expedite it, and inquiries.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Deadline;

/// The kind of inquiry in which a party says why it did not come to an appointment.
pub const APPOINTMENT_MISSED: &str = "appointment_missed";

/// The kind of inquiry in which a party asks to have a case reopened that was closed without a decision (8 CFR 335.6(b)).
pub const REOPENING: &str = "reopening";

/// How a request to expedite stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpediteState {
    /// Waits for an answer.
    Requested,
    /// The case is expedited.
    Granted,
    /// It is not.
    Denied,
    /// The case ended first.
    Closed,
}

impl ExpediteState {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Granted => "granted",
            Self::Denied => "denied",
            Self::Closed => "closed",
        }
    }
}

/// A request to expedite, without its words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expedite {
    /// The request's id.
    pub id: Uuid,
    /// How it stands.
    pub state: ExpediteState,
    /// Until when the office means to answer.
    pub deadline: Deadline,
    /// When it was asked, microseconds since the epoch.
    pub requested_at_us: i64,
}

/// An inquiry that waits for an answer, without its words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inquiry {
    /// The inquiry's id.
    pub id: Uuid,
    /// Its kind, for example `outside_normal_time`.
    pub kind: String,
    /// Until when the office means to answer.
    pub deadline: Deadline,
    /// When it was sent, microseconds since the epoch.
    pub sent_at_us: i64,
}
