//! What a representative prepares and the client looks at before it is signed: asked for, given back, approved.

use docket_kernel::Refusal;
use docket_proto::events::filing::Event;
use docket_proto::filing::events::v1 as pb;
use uuid::Uuid;

use super::signing::{Checked, content_changed};
use super::{Filing, Review};
use crate::domain::representation::not_represented;

/// Asks the client to look at what is prepared.
pub fn ask_review(filing: &Filing, checked: &Checked) -> Result<Vec<Event>, Refusal> {
    filing.open()?;
    if filing.representation.is_none() {
        return Err(not_represented());
    }
    checked.still_true_of(filing)?;
    match filing.review {
        Review::Asked | Review::Approved(_) => Ok(Vec::new()),
        Review::None | Review::Returned => Ok(vec![
            pb::FilingReviewAsked {
                content_mac: checked.content_mac.clone(),
                account_id: filing.account.to_string(),
            }
            .into(),
        ]),
    }
}

/// Reminds the client, so many days after they were asked at a version, to look; nothing when they did, or were reminded of it
/// already.
pub fn remind_review(filing: &Filing, asked: u64, days: u32) -> Result<Vec<Event>, Refusal> {
    if !filing.awaits_review() || filing.asked.0 != asked || filing.asked.1 >= days {
        return Ok(Vec::new());
    }
    Ok(vec![pb::FilingReviewReminded { account_id: filing.account.to_string(), days }.into()])
}

/// Gives the filing back to the representative who stands for it.
pub fn give_back(
    filing: &Filing,
    remark: String,
    representative: Option<Uuid>,
) -> Result<Vec<Event>, Refusal> {
    reviewable(filing)?;
    let representative = representative.map(|account| account.to_string()).unwrap_or_default();
    Ok(vec![pb::FilingReturned { remark, representative }.into()])
}

/// Approves the text that was shown, as the representative who stands for it prepared it, under a version of the catalogue.
pub fn approve(
    filing: &Filing,
    checked: &Checked,
    shown_mac: &[u8],
    (representative, catalogue_version): (Option<Uuid>, &str),
) -> Result<Vec<Event>, Refusal> {
    reviewable(filing)?;
    checked.still_true_of(filing)?;
    if checked.content_mac != shown_mac {
        return Err(content_changed());
    }
    let representative = representative.map(|account| account.to_string()).unwrap_or_default();
    let (content_mac, catalogue_version) = (shown_mac.to_vec(), catalogue_version.to_owned());
    Ok(vec![pb::FilingApproved { content_mac, representative, catalogue_version }.into()])
}

fn reviewable(filing: &Filing) -> Result<(), Refusal> {
    filing.open()?;
    if matches!(filing.review, Review::Asked | Review::Approved(_)) {
        return Ok(());
    }
    Err(Refusal::state("REVIEW_NOT_ASKED", "Your representative has not asked you to look at this filing.")
        .way_out("Wait until it is ready, or ask your representative.")
        .fact("review", filing.review.as_str()))
}
