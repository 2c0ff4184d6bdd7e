//! A name or a birth date that was written wrong: how the request to correct it stands, without its words.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Case, Deadline};

/// What is corrected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Corrected {
    /// The name of the party.
    Name,
    /// The birth date of the party.
    BirthDate,
}

impl Corrected {
    /// What is called so.
    pub fn of(word: &str) -> Option<Self> {
        [Self::Name, Self::BirthDate].into_iter().find(|field| field.as_str() == word)
    }

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::BirthDate => "birth_date",
        }
    }
}

/// How a request for a correction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CorrectionState {
    /// Waits for an answer.
    Asked,
    /// It was corrected.
    Made,
    /// It stays as it is.
    Refused,
    /// The case ended first.
    Closed,
}

impl CorrectionState {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Made => "made",
            Self::Refused => "refused",
            Self::Closed => "closed",
        }
    }
}

/// A request for a correction, without its words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    /// The request's id.
    pub id: Uuid,
    /// What is to be corrected.
    pub field: Corrected,
    /// How it stands.
    pub state: CorrectionState,
    /// Until when the office means to answer.
    pub deadline: Deadline,
    /// When it was asked, microseconds since the epoch.
    pub asked_at_us: i64,
}

impl Case {
    /// The request for a correction that waits for an answer.
    pub fn open_correction(&self) -> Option<&Correction> {
        self.correction.as_ref().filter(|correction| correction.state == CorrectionState::Asked)
    }
}
