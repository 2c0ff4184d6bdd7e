//! Somebody else pays: the payer hands out a code that opens one payment.
use super::charge::{to_be_paid, waiting};
use super::{Invitation, Payment};
use docket_kernel::Refusal;
use docket_proto::events::payment::Event;
use docket_proto::payments::events::v1::PayerInvited;

/// How long a code is good, in microseconds: 14 days.
const INVITED_FOR_US: i64 = 14 * 86_400 * 1_000_000;

/// Lets somebody else pay who has the code.
///
/// # Errors
/// `PAYMENT_WITHDRAWN`, `ALREADY_PAID`, `FEE_CANCELLED`; not found without a payment.
pub fn invite(state: &Payment, code: &str, code_hash: &[u8], now_us: i64) -> Result<Vec<Event>, Refusal> {
    waiting(state)?;
    to_be_paid(state)?;
    Ok(vec![Event::PayerInvited(PayerInvited {
        code: code.to_owned(),
        code_hash: code_hash.to_vec(),
        valid_until_us: now_us + INVITED_FOR_US,
    })])
}

/// Whether a code opens this payment now.
pub fn opens(state: &Payment, code_hash: &[u8], now_us: i64) -> bool {
    let good = |invited: &Invitation| invited.code_hash == code_hash && now_us < invited.valid_until_us;
    state.invitations.iter().any(good)
}
