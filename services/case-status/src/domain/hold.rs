//! What keeps a case from being decided for a time, each with the day until which somebody looks at it again.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Case;

/// No visa number is available to who asks for adjustment (INA 245(a)(3)).
pub const VISA_UNAVAILABLE: &str = "visa_unavailable";

/// A check that is not finished: nobody outside the office is told of it (lifecycle 6, 62).
pub const BACKGROUND_CHECK: &str = "background_check";

/// A hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// The hold's id.
    pub id: Uuid,
    /// Why, for example `litigation`; of each there is one at a time.
    pub reason: String,
    /// Civil date at the office until which an officer looks at it again, ISO 8601.
    pub review_by: String,
}

impl Hold {
    /// Whether the party is told why.
    pub fn is_told(&self) -> bool {
        self.reason != BACKGROUND_CHECK
    }
}

impl Case {
    /// The hold for a reason.
    pub fn held_for(&self, reason: &str) -> Option<&Hold> {
        self.holds.iter().find(|hold| hold.reason == reason)
    }

    /// The hold that a party reads of: the visa number first, which has words of its own.
    pub fn told_hold(&self) -> Option<&Hold> {
        let told = || self.holds.iter().filter(|hold| hold.is_told());
        self.held_for(VISA_UNAVAILABLE).or_else(|| told().next())
    }
}
