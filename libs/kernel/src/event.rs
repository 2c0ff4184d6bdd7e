//! Events as the domain sees them: an enum of messages which know their kind and their bytes.

use std::error::Error;

use serde::{Deserialize, Serialize};

/// Whose personal data a field holds; the key which seals it follows from this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SubjectKind {
    /// A matter: answers, evidence and messages of one filing.
    Filing,
    /// An account.
    Account,
    /// A person of the register.
    Person,
}

impl SubjectKind {
    /// The word in the written form, as in `filing:<id>`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Filing => "filing",
            Self::Account => "account",
            Self::Person => "person",
        }
    }
}

/// Bytes which are not an event of this category.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The kind is not one of this category.
    #[error("the kind {0} is not known here")]
    UnknownKind(String),
    /// The bytes are not a message of that kind.
    #[error("the bytes are not a {kind}")]
    Malformed {
        /// The kind they should have been.
        kind: String,
        /// What the decoder said.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl DecodeError {
    /// The bytes are not a message of `kind`.
    pub fn malformed(kind: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Malformed { kind: kind.into(), source: source.into() }
    }
}

/// All events of one category, such as `case`.
pub trait EventEnum: Sized + Clone + Send + Sync + 'static {
    /// The category: the first word of every kind and of the stream's name.
    const CATEGORY: &'static str;
    /// Every kind of the category, such as `case.opened.v1`.
    const KINDS: &'static [&'static str];

    /// The kind of this event.
    fn kind(&self) -> &'static str;

    /// The whole message's bytes.
    fn encode(&self) -> Vec<u8>;

    /// Reads a message back.
    fn decode(kind: &str, bytes: &[u8]) -> Result<Self, DecodeError>;
}
