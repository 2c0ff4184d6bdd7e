//! A fee that is owed again: what payments has of it is heard before time is held against who may have paid in time.

use docket_eventlog::StreamName;
use docket_kernel::EventEnum as _;
use docket_proto::events::payment;
use docket_service::{ApplyError, Heard};
use jiff::Timestamp;

use super::deadlines::SETTLED;
use crate::domain::Case;

/// Why it is not certain that all that payments wrote of a case's fee before an instant is known here; none when it is.
///
/// # Errors
/// Our own database.
pub(super) async fn not_heard(
    payments: &Heard,
    case: &Case,
    before: Timestamp,
) -> Result<Option<String>, ApplyError> {
    match case.payment {
        Some(id) => payments.not_all_of(&StreamName::of(payment::Event::CATEGORY, id), before).await,
        None => Ok(None),
    }
}

/// Whether a fee whose day is over may have been paid in time, for all that is known here; so it may where nothing can be known.
pub(super) async fn may_be_paid(payments: &Heard, case: &Case, now: Timestamp) -> bool {
    let Some(owed) = case.fee_owed.as_ref().filter(|owed| owed.deadline.expires_at <= now) else {
        return false;
    };
    let settled = now >= owed.deadline.expires_at + SETTLED;
    !(settled && matches!(not_heard(payments, case, now).await, Ok(None)))
}
