//! Cases of one package that need each other, and how one ended that another rests on.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What ties two cases of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkKind {
    /// A petition, and the application that needs it to be approved (INA 245(a)).
    Basis,
    /// An application for adjustment, and one that needs it to be pending (8 CFR 274a.12(c)(9), 223.2).
    Ancillary,
    /// The application of a principal, and that of the spouse or child who follows (INA 203(d)).
    Principal,
}

impl LinkKind {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Basis => "basis",
            Self::Ancillary => "ancillary",
            Self::Principal => "principal",
        }
    }
}

/// Which of two linked cases needs the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// This case needs the other one.
    RestsOn,
    /// The other one needs this case.
    Carries,
}

impl Direction {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RestsOn => "rests_on",
            Self::Carries => "carries",
        }
    }
}

/// A link with another case, of the same package or filed apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The other case.
    pub case: Uuid,
    /// Its form.
    pub form: String,
    /// What ties them.
    pub kind: LinkKind,
    /// Which needs the other.
    pub direction: Direction,
    /// Whether they were filed apart.
    #[serde(default)]
    pub apart: bool,
}

impl Link {
    /// Whether it is a petition that the case needs.
    pub fn is_basis(&self) -> bool {
        self.kind == LinkKind::Basis && self.direction == Direction::RestsOn
    }
}

/// How a case ended that another one rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BasisEnd {
    /// Denied, abandoned or not.
    Denied,
    /// Its approval was revoked.
    Revoked,
    /// Closed without a decision.
    Closed,
    /// Withdrawn.
    Withdrawn,
    /// Rejected at intake.
    Rejected,
    /// Its acceptance was taken back.
    Voided,
}

impl BasisEnd {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Revoked => "revoked",
            Self::Closed => "closed",
            Self::Withdrawn => "withdrawn",
            Self::Rejected => "rejected",
            Self::Voided => "voided",
        }
    }
}
