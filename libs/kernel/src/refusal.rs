//! Refusals: why a command was not done, in plain words, with the rule and the way out.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What sort of refusal it is; the edge maps it to a status of its protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RefusalCode {
    /// What was sent is wrong in itself.
    Invalid,
    /// It is right in itself, but not now.
    State,
    /// There is no such thing, or it is not for the caller to know.
    NotFound,
    /// The caller may see it but not do this.
    NotYours,
    /// It is already there.
    Exists,
    /// The caller looked at an older version.
    Stale,
    /// Too many, too large or too often.
    TooMuch,
}

/// One field which is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldFault {
    /// The field's name, such as `app_dob` or `trips[1].left`.
    pub field: String,
    /// A stable word for programs, `SCREAMING_SNAKE`.
    pub reason: String,
    /// Plain words: the rule, and one correct example. Never what was typed.
    pub message: String,
}

impl FieldFault {
    /// A fault of `field`.
    pub fn new(field: impl Into<String>, reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), reason: reason.into(), message: message.into() }
    }
}

impl fmt::Display for FieldFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

impl std::error::Error for FieldFault {}

/// Why a command was not done. Carries no personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The sort of refusal.
    pub code: RefusalCode,
    /// A stable word for programs, `SCREAMING_SNAKE`.
    pub reason: &'static str,
    /// The field it is about, when it is about one.
    pub field: Option<String>,
    /// Plain words: what was refused and by which rule.
    pub message: String,
    /// What the caller can do instead; empty when nothing.
    pub way_out: String,
    /// Facts for programs, such as the due date which has passed.
    pub facts: Vec<(String, String)>,
    /// All wrong fields, when several are wrong at once.
    pub faults: Vec<FieldFault>,
    /// After how long it is worth asking again, where that is known.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    fn new(code: RefusalCode, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason,
            field: None,
            message: message.into(),
            way_out: String::new(),
            facts: Vec::new(),
            faults: Vec::new(),
            retry_after: None,
        }
    }

    /// A field is wrong in itself.
    pub fn invalid(field: impl Into<String>, reason: &'static str, message: impl Into<String>) -> Self {
        let (field, message) = (field.into(), message.into());
        let fault = FieldFault::new(field.clone(), reason, message.clone());
        Self { field: Some(field), faults: vec![fault], ..Self::new(RefusalCode::Invalid, reason, message) }
    }

    /// Several fields are wrong at once.
    pub fn faults(faults: Vec<FieldFault>) -> Self {
        let message = match faults.as_slice() {
            [one] => one.message.clone(),
            many => format!("{} fields are wrong.", many.len()),
        };
        let field = faults.first().map(|fault| fault.field.clone());
        Self { field, faults, ..Self::new(RefusalCode::Invalid, "FIELDS_INVALID", message) }
    }

    /// Not possible in the present state.
    pub fn state(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(RefusalCode::State, reason, message)
    }

    /// Not there, or not for the caller to know.
    pub fn not_found() -> Self {
        Self::new(RefusalCode::NotFound, "NOT_FOUND", "There is nothing with this name that you can see.")
    }

    /// The caller may see it but not do this.
    pub fn not_yours(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(RefusalCode::NotYours, reason, message)
    }

    /// It is already there.
    pub fn exists(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(RefusalCode::Exists, reason, message)
    }

    /// The caller looked at an older version.
    pub fn stale(message: impl Into<String>) -> Self {
        Self::new(RefusalCode::Stale, "STALE", message)
    }

    /// Somebody else changed the same meanwhile.
    pub fn meanwhile(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(RefusalCode::Stale, reason, message)
    }

    /// Too many, too large or too often.
    pub fn too_much(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(RefusalCode::TooMuch, reason, message)
    }

    /// Says what the caller can do instead.
    #[must_use]
    pub fn way_out(mut self, way_out: impl Into<String>) -> Self {
        self.way_out = way_out.into();
        self
    }

    /// Adds a fact for programs.
    #[must_use]
    pub fn fact(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.facts.push((key.into(), value.into()));
        self
    }

    /// Says after how long it is worth asking again.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Names the field it is about.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }
}

impl From<FieldFault> for Refusal {
    fn from(fault: FieldFault) -> Self {
        Self::faults(vec![fault])
    }
}

impl From<Vec<FieldFault>> for Refusal {
    fn from(faults: Vec<FieldFault>) -> Self {
        Self::faults(faults)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason, self.message)
    }
}

impl std::error::Error for Refusal {}
