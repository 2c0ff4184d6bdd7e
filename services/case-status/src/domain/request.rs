//! What the office asked of the party: the kinds of requests, how each stands, and its deadline as it was fixed.

use std::collections::BTreeSet;

use docket_proto::types::v1 as pb;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::state::instant;

/// What a request asks by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestKind {
    /// Request for evidence (8 CFR 103.2(b)(8)).
    Rfe,
    /// Continued examination, Form N-14 (8 CFR 335.7).
    N14,
    /// Notice of intent to deny (8 CFR 103.2(b)(8), (b)(16)(i)).
    Noid,
    /// Notice of intent to revoke (8 CFR 205.2(b)).
    Noir,
    /// Notice of intent to terminate a status (8 CFR 236.23(d), 244.14).
    Noit,
    /// The office's own motion, which may end against the party (8 CFR 103.5(a)(5)(ii), 335.5).
    OwnMotion,
}

impl RequestKind {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rfe => "rfe",
            Self::N14 => "n14",
            Self::Noid => "noid",
            Self::Noir => "noir",
            Self::Noit => "noit",
            Self::OwnMotion => "own_motion",
        }
    }
}

impl RequestKind {
    /// Whether a case is abandoned when no answer comes (8 CFR 103.2(b)(13)(i)); to what precedes the end of an approval, and to the
    /// office's own motion, the party may answer or not.
    pub fn is_needed(self) -> bool {
        matches!(self, Self::Rfe | Self::N14 | Self::Noid)
    }
}

/// How a request stands; it ends in exactly one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestState {
    /// Waiting for the answer.
    Open,
    /// Every item was answered.
    RespondedComplete,
    /// Some items were answered: decide on the record (8 CFR 103.2(b)(11)).
    RespondedPartial,
    /// The deadline passed without an answer.
    Expired,
    /// It ended with the case.
    Cancelled,
}

/// The last request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The request's id; the response has the same.
    pub id: Uuid,
    /// What it is.
    pub kind: RequestKind,
    /// How it stands.
    pub state: RequestState,
    /// The deadline, planned until served.
    pub deadline: Deadline,
    /// Whether the notice was posted; then the deadline never becomes earlier.
    pub served: bool,
    /// When the one response was received.
    pub received_at: Option<Timestamp>,
    /// Whether the response was in time.
    pub timely: bool,
    /// The notice that served it; none before, and in rows from before it was kept.
    #[serde(default)]
    pub notice: Option<Uuid>,
    /// Files of the response that nobody opens yet: they were received before they could be scanned for viruses.
    #[serde(default)]
    pub being_checked: BTreeSet<Uuid>,
}

impl Request {
    /// Whether it told the party of what speaks against it, and the time to answer that is over (8 CFR 103.2(b)(16)(i)).
    pub fn has_told(&self) -> bool {
        let over = !matches!(self.state, RequestState::Open | RequestState::Cancelled);
        self.served
            && over
            && matches!(self.kind, RequestKind::Noid | RequestKind::Noir | RequestKind::OwnMotion)
    }
}

/// A deadline as its event fixed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadline {
    /// The rule.
    pub rule: String,
    /// Civil date of service.
    pub day0_date: String,
    /// The period.
    pub base_days: u32,
    /// Added because it was mailed.
    pub mail_days: u32,
    /// Last day before rolling.
    pub raw_last_date: String,
    /// Last day.
    pub due_date: String,
    /// Zone of the party.
    pub zone: String,
    /// The first instant which is too late.
    pub expires_at: Timestamp,
    /// Source.
    pub cite: String,
    /// The derivation in one line.
    pub derivation: String,
}

impl From<&pb::Deadline> for Deadline {
    fn from(deadline: &pb::Deadline) -> Self {
        Self {
            rule: deadline.rule.clone(),
            day0_date: deadline.day0_date.clone(),
            base_days: deadline.base_days,
            mail_days: deadline.mail_days,
            raw_last_date: deadline.raw_last_date.clone(),
            due_date: deadline.due_date.clone(),
            zone: deadline.zone.clone(),
            expires_at: instant(deadline.expires_at_us),
            cite: deadline.cite.clone(),
            derivation: deadline.derivation.clone(),
        }
    }
}

impl From<&Deadline> for pb::Deadline {
    fn from(deadline: &Deadline) -> Self {
        Self {
            rule: deadline.rule.clone(),
            day0_date: deadline.day0_date.clone(),
            base_days: deadline.base_days,
            mail_days: deadline.mail_days,
            raw_last_date: deadline.raw_last_date.clone(),
            due_date: deadline.due_date.clone(),
            zone: deadline.zone.clone(),
            expires_at_us: deadline.expires_at.as_microsecond(),
            cite: deadline.cite.clone(),
            derivation: deadline.derivation.clone(),
        }
    }
}

impl From<&docket_kernel::deadline::Deadline> for Deadline {
    fn from(deadline: &docket_kernel::deadline::Deadline) -> Self {
        Self {
            rule: deadline.rule_id.clone(),
            day0_date: deadline.day0.to_string(),
            base_days: deadline.base_days,
            mail_days: deadline.mail_days,
            raw_last_date: deadline.raw_last.to_string(),
            due_date: deadline.due.to_string(),
            zone: deadline.zone.clone(),
            expires_at: deadline.expires_at,
            cite: deadline.cite.clone(),
            derivation: deadline.derivation(),
        }
    }
}
