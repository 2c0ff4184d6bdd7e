//! What the office does with a decision of its own: an approval that it intends to revoke, and a case that it reopened.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Case, Outcome};

/// How a revocation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationState {
    /// Intended; the party may answer, or has.
    Intended,
    /// It is not done: the approval stands.
    Withdrawn,
    /// The approval is revoked.
    Done,
}

/// The last revocation of the approval that was intended (8 CFR 205.2), or termination of the status that it gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// The request of its notice.
    pub request: Uuid,
    /// Who intended it; somebody else revokes.
    pub officer: Uuid,
    /// How it stands.
    pub state: RevocationState,
}

/// For what the office reopened a case on its own motion (8 CFR 103.5(a)(5)); until it is decided again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnMotion {
    /// To decide for the party, which was not asked for an answer.
    Favorable,
    /// The party was told that the decision may be against it, and may answer.
    Told,
}

impl Case {
    /// The revocation or termination that is intended, and neither done nor given up.
    pub fn intended_revocation(&self) -> Option<&Revocation> {
        let intended = |it: &&Revocation| it.state == RevocationState::Intended;
        self.revocation.as_ref().filter(intended).filter(|_| self.outcome == Some(Outcome::Approved))
    }

    /// Whether what was asked of the party can still change the decision: none is made, or one is to be revoked.
    pub fn may_be_answered(&self) -> bool {
        self.stage.is_pending() || self.intended_revocation().is_some()
    }

    /// Denied, abandoned or not, its approval revoked by an officer, or its status terminated: what the party may challenge here (8 CFR 103.3, 103.5, 205.2(d)).
    pub fn is_decided_against(&self) -> bool {
        let against = [Outcome::Denied, Outcome::DeniedAbandoned, Outcome::Revoked, Outcome::Terminated];
        self.outcome.is_some_and(|outcome| against.contains(&outcome))
    }

    /// Decided against the party, and what challenges that was granted: an officer owes it the reopening.
    pub fn is_to_be_reopened(&self) -> bool {
        self.is_decided_against() && !self.granted.is_empty()
    }
}
