//! The card or document that an approval gives.

use serde::{Deserialize, Serialize};

use super::GoesTo;

/// How far a card is.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardState {
    /// None was ordered.
    #[default]
    None,
    /// Ordered.
    Ordered,
    /// Made.
    Produced,
    /// With the carrier.
    Mailed,
    /// Delivered.
    Delivered,
    /// Back at the office.
    Returned,
    /// Destroyed.
    Destroyed,
}

impl CardState {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Ordered => "ordered",
            Self::Produced => "produced",
            Self::Mailed => "mailed",
            Self::Delivered => "delivered",
            Self::Returned => "returned",
            Self::Destroyed => "destroyed",
        }
    }
}

/// The card or document that an approval gives.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// How far it is.
    pub state: CardState,
    /// Carrier of the last mailing.
    pub carrier: String,
    /// Its number.
    pub tracking_number: String,
    /// When it was delivered, ISO 8601.
    pub delivered_on: String,
    /// When it came back last, microseconds since the epoch.
    pub returned_at_us: i64,
    /// Until when it is kept, ISO 8601.
    pub keep_until: String,
    /// Where it was mailed last.
    #[serde(default)]
    pub mailed_to: GoesTo,
}
