//! The fee after it was paid: its waiver, and what is owed again of a payment that was not honoured.

use docket_proto::types::v1 as types;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Deadline;

/// How a waiver of the fee stands (8 CFR 106.3).
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeeWaiver {
    /// Not asked for.
    #[default]
    NotAsked,
    /// Asked for.
    Asked,
    /// Granted.
    Granted,
    /// Refused: the filing is rejected.
    Refused,
}

/// What of a fee does not go back where its filing is rejected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptFee {
    /// Amount in cents.
    pub cents: i64,
    /// Whether it is all of the fee.
    pub is_all: bool,
    /// Legal source.
    pub cite: String,
}

impl From<&types::KeptFee> for KeptFee {
    fn from(kept: &types::KeptFee) -> Self {
        Self { cents: kept.cents, is_all: kept.is_all, cite: kept.cite.clone() }
    }
}

impl From<&KeptFee> for types::KeptFee {
    fn from(kept: &KeptFee) -> Self {
        Self { cents: kept.cents, is_all: kept.is_all, cite: kept.cite.clone() }
    }
}

/// A fee that was not honoured and is owed again (8 CFR 106.1(c)).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeeOwed {
    /// Amount in cents.
    pub amount_cents: i64,
    /// Until when it may be made good.
    pub deadline: Deadline,
    /// The event of the payment that says so.
    pub return_id: Uuid,
    /// Whether it was not made good in time.
    pub overdue: bool,
    /// What is owed of each return, oldest first; none in rows from before it was kept.
    #[serde(default)]
    pub returns: Vec<Unpaid>,
}

impl FeeOwed {
    /// What is owed of each return once so many cents more are paid: what was owed first is paid first, since a payment is of what
    /// was owed when it was begun.
    pub fn left_after(&self, paid_cents: i64) -> Vec<Unpaid> {
        let mut paid_cents = paid_cents;
        let mut left = Vec::new();
        for owed in &self.returns {
            let paid = owed.amount_cents.clamp(0, paid_cents.max(0));
            paid_cents = paid_cents.saturating_sub(paid);
            if paid < owed.amount_cents {
                left.push(Unpaid { amount_cents: owed.amount_cents - paid, ..*owed });
            }
        }
        left
    }
}

/// A return that is not made good, or not all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unpaid {
    /// The event of the payment that says so.
    pub id: Uuid,
    /// What is owed of it, in cents.
    pub amount_cents: i64,
}
