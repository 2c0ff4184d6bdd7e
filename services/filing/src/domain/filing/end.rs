//! How a draft ends that is not sent: given up, or no longer kept, of which is told before.

use docket_kernel::Refusal;
use docket_proto::events::filing::Event;
use docket_proto::filing::events::v1 as pb;
use jiff::civil::Date;
use uuid::Uuid;

use super::Filing;

/// Whom the end of a draft concerns.
#[derive(Debug, Clone, Copy)]
pub struct Ending {
    /// Version of the filing that was looked at: nothing ends that moved on since.
    pub version: u64,
    /// Account of the representative who prepares it.
    pub representative: Option<Uuid>,
    /// The last day on which it is kept.
    pub kept_until: Date,
}

impl Ending {
    fn still_true_of(&self, filing: &Filing) -> bool {
        filing.version == self.version && filing.open().is_ok()
    }

    fn representative(&self) -> String {
        self.representative.map(|account| account.to_string()).unwrap_or_default()
    }
}

/// Tells, so many days before, that a draft will be deleted; nothing when it moved on meanwhile.
pub fn announce_expiry(filing: &Filing, ending: Ending, days: u32) -> Result<Vec<Event>, Refusal> {
    if !ending.still_true_of(filing) {
        return Ok(Vec::new());
    }
    Ok(vec![
        pb::DraftExpiryAnnounced {
            account_id: filing.account.to_string(),
            representative: ending.representative(),
            kept_until_date: ending.kept_until.to_string(),
            days,
        }
        .into(),
    ])
}

/// Ends a draft whose time is over, of which was told a day before; nothing when it moved on meanwhile.
pub fn expire(filing: &Filing, ending: Ending) -> Result<Vec<Event>, Refusal> {
    if !ending.still_true_of(filing) || filing.told.is_none_or(|(_, days)| days != 1) {
        return Ok(Vec::new());
    }
    Ok(vec![
        pb::DraftExpired {
            account_id: filing.account.to_string(),
            representative: ending.representative(),
            kept_until_date: ending.kept_until.to_string(),
        }
        .into(),
    ])
}

/// Gives a draft up.
pub fn abandon(filing: &Filing) -> Result<Vec<Event>, Refusal> {
    filing.open()?;
    Ok(vec![pb::DraftAbandoned { account_id: filing.account.to_string() }.into()])
}
