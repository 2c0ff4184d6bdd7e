//! A payment is taken back before anything was paid, so that what it was for can be corrected or given up.
use super::Payment;
use super::charge::{nothing_pending, to_be_paid};
use docket_kernel::Refusal;
use docket_proto::events::payment::Event;
use docket_proto::payments::events::v1::PaymentWithdrawn;

/// Withdraws a payment of which nothing was paid; withdrawn already, it stays so. Not while an attempt has no answer: so no charge
/// ever comes for a payment that was withdrawn.
///
/// # Errors
/// `ALREADY_PAID`, `FEE_CANCELLED`, `FEE_OWED`, `PAYMENT_PROCESSING`; not found without a payment.
pub fn withdraw(state: &Payment) -> Result<Vec<Event>, Refusal> {
    let Some(opened) = &state.opened else {
        return if state.withdrawn.is_some() { Ok(Vec::new()) } else { Err(Refusal::not_found()) };
    };
    to_be_paid(state)?;
    if state.settled.is_some() {
        return Err(Refusal::state(
            "FEE_OWED",
            "this fee is owed: the filings it is for went in when it was first paid",
        )
        .way_out("pay it, or withdraw the case"));
    }
    nothing_pending(state)?;
    Ok(vec![Event::PaymentWithdrawn(PaymentWithdrawn {
        package_id: opened.package_id.clone(),
        filing_ids: opened.filing_ids.clone(),
    })])
}
