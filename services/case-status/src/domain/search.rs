//! The search for somebody whom a mail about a notice did not reach.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Case, Deadline};

/// How a search stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SearchState {
    /// They are looked for.
    Open,
    /// An officer tried to reach them another way.
    Sought,
    /// They were reached, or the case ended.
    Ended,
}

impl SearchState {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Sought => "sought",
            Self::Ended => "ended",
        }
    }
}

/// A search; there is one for each notice and addressee, ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Search {
    /// The notice of which the mail told.
    pub notice: Uuid,
    /// Its kind, for example `rfe`.
    pub notice_kind: String,
    /// Account of the addressee.
    pub account: Uuid,
    /// Who that is: `party` or `representative`.
    pub addressee: String,
    /// Why the mail did not arrive, for example `bounced`.
    pub reason: String,
    /// How it stands.
    pub state: SearchState,
    /// Until when the office means to have looked for them.
    pub deadline: Deadline,
    /// When it was known, microseconds since the epoch.
    pub known_at_us: i64,
    /// What an officer tried.
    pub tried: Vec<String>,
}

impl Search {
    /// Whether they are still looked for.
    pub fn is_open(&self) -> bool {
        self.state == SearchState::Open
    }
}

impl Case {
    /// The searches that are open, oldest first.
    pub fn open_searches(&self) -> impl Iterator<Item = &Search> {
        self.searches.iter().filter(|search| search.is_open())
    }
}
