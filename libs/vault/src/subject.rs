//! The subject: whose key seals a piece of data.

use std::fmt;
use std::str::FromStr;

pub use docket_kernel::SubjectKind;
use uuid::Uuid;

use crate::Error;

/// Whose data it is; written `filing:<uuid>`, `account:<uuid>` or `person:<uuid>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subject {
    /// The sort of subject.
    pub kind: SubjectKind,
    /// Its id.
    pub id: Uuid,
}

impl Subject {
    /// The matter `id`.
    pub const fn filing(id: Uuid) -> Self {
        Self { kind: SubjectKind::Filing, id }
    }

    /// The account `id`.
    pub const fn account(id: Uuid) -> Self {
        Self { kind: SubjectKind::Account, id }
    }

    /// The person `id`.
    pub const fn person(id: Uuid) -> Self {
        Self { kind: SubjectKind::Person, id }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.as_str(), self.id)
    }
}

impl FromStr for Subject {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parts = text.split_once(':').and_then(|(kind, id)| Some((kind, id.parse().ok()?)));
        let (kind, id) =
            parts.ok_or(Error::Malformed("a subject is filing:, account: or person: and a UUID"))?;
        match kind {
            "filing" => Ok(Self::filing(id)),
            "account" => Ok(Self::account(id)),
            "person" => Ok(Self::person(id)),
            _ => Err(Error::Malformed("a subject is filing:, account: or person: and a UUID")),
        }
    }
}
