//! Money in: a payment is opened, attempted, refused or settled; a fee that is owed again is made good.
use super::back::started;
use super::part::filings_of;
use super::{Payment, Pending};
use docket_kernel::Refusal;
use docket_proto::events::payment::Event;
use docket_proto::payments::events::v1::{
    FeeRefused, FeeSettled, PaymentAttempted, PaymentMadeGood, PaymentOpened, fee_settled::Settlement,
};

/// Opens the payment of a package. Where nothing is due it is settled at once, so that free forms go the same way.
pub fn open(state: &Payment, opened: PaymentOpened, now_us: i64) -> Result<Vec<Event>, Refusal> {
    if state.opened.is_some() {
        return Ok(Vec::new());
    }
    let mut events = vec![Event::PaymentOpened(opened.clone())];
    if opened.amount_cents == 0 {
        events.push(Event::FeeSettled(FeeSettled {
            settlement: Settlement::NothingDue.into(),
            package_id: opened.package_id,
            filing_ids: opened.filing_ids,
            authorised_at_us: now_us,
            ..FeeSettled::default()
        }));
    }
    Ok(events)
}

/// Begins an attempt at the processor. Only one may be open, or one fee could be charged twice.
pub fn attempt(state: &Payment, attempt_id: &str) -> Result<Vec<Event>, Refusal> {
    if state.opened.is_none() {
        return Err(Refusal::not_found());
    }
    to_be_paid(state)?;
    if state.pending.is_some() {
        return Err(Refusal::state(
            "PAYMENT_PROCESSING",
            "an earlier attempt has no answer yet, and nothing may be charged twice",
        )
        .way_out("look at the payment again in a minute"));
    }
    Ok(vec![Event::PaymentAttempted(PaymentAttempted { attempt_id: attempt_id.to_owned() })])
}

/// Records that an attempt was refused. Said twice, recorded once.
pub fn refuse(state: &Payment, attempt_id: &str, decline_code: &str) -> Result<Vec<Event>, Refusal> {
    if state.pending.as_ref().is_none_or(|pending| pending.attempt_id != attempt_id) {
        return Ok(Vec::new());
    }
    Ok(vec![Event::FeeRefused(FeeRefused {
        attempt_id: attempt_id.to_owned(),
        decline_code: decline_code.to_owned(),
    })])
}

/// A charge as the processor reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The processor's reference.
    pub reference: String,
    /// Amount in cents.
    pub amount_cents: i64,
    /// Brand of the card.
    pub card_brand: String,
    /// Last four digits.
    pub card_last4: String,
}

/// Settles the fee with a charge, or makes it good. Said twice, recorded once; another amount than asked is never taken for
/// the fee. What a charge that was under way pays for filings whose fee was cancelled meanwhile goes back, filing by filing, as
/// the refunds `refund_id` names.
///
/// # Errors
/// `AMOUNT_DIFFERS`; not found without a payment.
pub fn settle(
    state: &Payment,
    attempt_id: &str,
    charge: &Charge,
    authorised_at_us: i64,
    refund_id: impl Fn(u32) -> String,
) -> Result<Vec<Event>, Refusal> {
    let Some(opened) = &state.opened else { return Err(Refusal::not_found()) };
    let Some(pending) = state.pending.as_ref().filter(|pending| pending.attempt_id == attempt_id) else {
        return Ok(Vec::new());
    };
    if charge.amount_cents != pending.amount_cents {
        return Err(Refusal::state("AMOUNT_DIFFERS", "the processor charged another amount than was asked")
            .way_out("finance reconciles it by hand"));
    }
    if state.settled.is_some() {
        return Ok(made_good(state, pending, charge, authorised_at_us, refund_id));
    }
    Ok(vec![Event::FeeSettled(FeeSettled {
        settlement: Settlement::Paid.into(),
        package_id: opened.package_id.clone(),
        filing_ids: opened.filing_ids.clone(),
        authorised_at_us,
        amount_cents: charge.amount_cents,
        processor_reference: charge.reference.clone(),
        card_brand: charge.card_brand.clone(),
        card_last4: charge.card_last4.clone(),
    })])
}

fn made_good(
    state: &Payment,
    pending: &Pending,
    charge: &Charge,
    authorised_at_us: i64,
    refund_id: impl Fn(u32) -> String,
) -> Vec<Event> {
    let mut events = vec![Event::PaymentMadeGood(PaymentMadeGood {
        filing_ids: filings_of(&pending.shares),
        authorised_at_us,
        amount_cents: charge.amount_cents,
        processor_reference: charge.reference.clone(),
        card_brand: charge.card_brand.clone(),
        card_last4: charge.card_last4.clone(),
        parts: pending.shares.clone(),
    })];
    let too_late =
        pending.shares.iter().filter(|share| state.part(&share.filing_id).is_some_and(|part| part.cancelled));
    for (share, nth) in too_late.zip(0..) {
        events.push(started(&refund_id(nth), &share.filing_id, share.amount_cents, "fee_cancelled"));
    }
    events
}

/// Whether money is to come in.
pub(super) fn to_be_paid(state: &Payment) -> Result<(), Refusal> {
    if state.cancelled() {
        return Err(Refusal::state(
            "FEE_CANCELLED",
            "this fee is owed no more: the filing it was for has ended",
        )
        .way_out("begin the filing again"));
    }
    if state.due_cents() == 0 {
        return Err(Refusal::state("ALREADY_PAID", "this fee is paid")
            .way_out("nothing more to do: the receipt number comes by itself"));
    }
    Ok(())
}
