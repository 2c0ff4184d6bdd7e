//! A representative for a filing that is there already: when one may be appointed, and what that changes in the filing.

use docket_kernel::Refusal;
use docket_proto::events::filing::Event;
use docket_proto::filing::events::v1 as pb;
use docket_proto::types::v1::MailingWishes;
use uuid::Uuid;

use super::{Filing, Phase, Review};

/// Whether a representative may be appointed for it now: for a draft, and for a case while it is open. `pending` says whether the
/// case of an accepted filing is.
///
/// # Errors
/// `FILING_UNDER_WAY`, `FILING_REJECTED`, `DRAFT_GONE`, `CASE_DECIDED`; not found where there is none.
pub fn may_be_represented(filing: &Filing, pending: bool) -> Result<(), Refusal> {
    filing.has_case()?;
    match filing.phase {
        Phase::Draft | Phase::Signed => Ok(()),
        Phase::Absent | Phase::Rejected | Phase::Voided | Phase::Abandoned | Phase::Expired => filing.open(),
        Phase::Sent => {
            Err(Refusal::state("FILING_UNDER_WAY", "This filing has been sent and waits for its fee.")
                .way_out("Pay the fee, or withdraw the payment; then go on with the representative.")
                .fact("state", filing.phase.as_str()))
        }
        Phase::Submitted => {
            Err(Refusal::state("FILING_UNDER_WAY", "This filing has gone in and has no receipt number yet.")
                .way_out("Go on with the representative once it has its receipt number.")
                .fact("state", filing.phase.as_str()))
        }
        Phase::Accepted if pending => Ok(()),
        Phase::Accepted => Err(Refusal::state(
            "CASE_DECIDED",
            "This case is decided or has ended: nobody is appointed for it any more.",
        )
        .way_out("For what you file next, let a representative enter an appearance.")),
    }
}

/// Lets an appearance stand for the filing.
///
/// # Errors
/// As [`may_be_represented`].
pub fn appoint(
    filing: &Filing,
    pending: bool,
    (representation, representative): (Uuid, Uuid),
    wishes: Option<MailingWishes>,
) -> Result<Vec<Event>, Refusal> {
    may_be_represented(filing, pending)?;
    Ok(vec![
        pb::RepresentativeAppointed {
            representation_id: representation.to_string(),
            representative: representative.to_string(),
            wishes,
        }
        .into(),
    ])
}

/// What was answered stays. No signature and no approval stands for what another person prepares from here on; what has gone in
/// stays as it was signed.
pub(super) fn appointed(filing: Filing, e: &pb::RepresentativeAppointed) -> Filing {
    let filing = Filing { representation: Uuid::try_parse(&e.representation_id).ok(), ..filing };
    if filing.open().is_err() {
        return filing;
    }
    Filing { phase: Phase::Draft, signature: None, review: Review::None, ..filing }
}
