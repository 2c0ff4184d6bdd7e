//! Money in: a payment is opened, attempted, refused or settled; a fee that is owed again is made good.
use super::back::started;
use super::part::filings_of;
use super::unexplained::{explained, unexpected};
use super::{Paid, Payment, Pending, Unexplained};
use docket_kernel::Refusal;
use docket_proto::events::payment::Event;
use docket_proto::payments::events::v1::{
    FeeRefused, FeeSettled, PaymentAttempted, PaymentMadeGood, PaymentOpened, fee_settled::Settlement,
};
use std::collections::BTreeMap;

/// Quotes that hold no more because the fees changed since, each with the forms it is for.
pub type Changed = BTreeMap<String, String>;

/// Opens the payment of a package; anew, where it is open for something else: what was between the two is not in the log any more, as
/// after a restore, and what was sent last is what waits. Not while an attempt has no answer, nor once it is settled. Where nothing is due
/// it is settled at once, so that free forms go the same way: such a package counts as received at the instant at which it was sent, and
/// was held against its forms then.
pub fn open(state: &Payment, opened: PaymentOpened, now_us: i64) -> Result<Vec<Event>, Refusal> {
    let same = state.opened.as_ref() == Some(&opened);
    if state.opened.is_some() && (same || state.pending.is_some() || state.settled.is_some()) {
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

/// Begins an attempt at a processor. Only one may be open, or one fee could be charged twice; and what is paid is the fee of the
/// day, as far as it was not paid before.
///
/// # Errors
/// `PAYMENT_WITHDRAWN`, `ALREADY_PAID`, `FEE_CANCELLED`, `PAYMENT_PROCESSING`, `FEE_CHANGED`; not found without a payment.
pub fn attempt(
    state: &Payment,
    (attempt_id, processor): (&str, &str),
    changed: &Changed,
) -> Result<Vec<Event>, Refusal> {
    waiting(state)?;
    to_be_paid(state)?;
    nothing_pending(state)?;
    of_the_day(state, changed)?;
    let (attempt_id, processor) = (attempt_id.to_owned(), processor.to_owned());
    Ok(vec![Event::PaymentAttempted(PaymentAttempted { attempt_id, processor })])
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
    /// That processor's name.
    pub processor: String,
    /// Amount in cents.
    pub amount_cents: i64,
    /// Brand of the card.
    pub card_brand: String,
    /// Last four digits.
    pub card_last4: String,
}

/// Settles the fee with a charge, or makes it good. Said twice, recorded once; another amount than asked is never taken for
/// the fee, nor is a charge of an attempt that has its answer. What a charge that was under way pays for filings whose fee was cancelled meanwhile goes back, filing by filing, as
/// the refunds `refund_id` names.
///
/// # Errors
/// `AMOUNT_DIFFERS`, `CHARGE_UNEXPECTED`.
pub fn settle(
    state: &Payment,
    attempt_id: &str,
    charge: &Charge,
    authorised_at_us: i64,
    refund_id: impl Fn(u32) -> String,
) -> Result<Vec<Event>, Refusal> {
    if state.charges.contains_key(&charge.reference) {
        return Ok(Vec::new());
    }
    let noted = state.unexplained.get(&charge.reference);
    let asked = state.pending.as_ref().filter(|pending| pending.attempt_id == attempt_id);
    let asked = asked.filter(|_| noted.is_none_or(Unexplained::is_open));
    let (Some(opened), Some(pending)) = (&state.opened, asked) else { return Err(unexpected()) };
    if charge.amount_cents != pending.amount_cents {
        return Err(Refusal::state("AMOUNT_DIFFERS", "the processor charged another amount than was asked")
            .way_out("finance reconciles it by hand"));
    }
    // It fitted nothing before, and does now.
    let noted = noted.map(|noted| explained(&charge.reference, noted.amount_cents, "recorded"));
    let mut events: Vec<Event> = noted.into_iter().collect();
    if state.settled.is_some() {
        events.extend(made_good(state, pending, charge, authorised_at_us, refund_id));
        return Ok(events);
    }
    events.push(Event::FeeSettled(FeeSettled {
        settlement: Settlement::Paid.into(),
        package_id: opened.package_id.clone(),
        filing_ids: opened.filing_ids.clone(),
        authorised_at_us,
        amount_cents: charge.amount_cents,
        processor_reference: charge.reference.clone(),
        card_brand: charge.card_brand.clone(),
        card_last4: charge.card_last4.clone(),
        processor: charge.processor.clone(),
    }));
    Ok(events)
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
        processor: charge.processor.clone(),
    })];
    let too_late =
        pending.shares.iter().filter(|share| state.part(&share.filing_id).is_some_and(|part| part.cancelled));
    for (share, nth) in too_late.zip(0..) {
        let paid = Paid { charge: charge.reference.clone(), cents: share.amount_cents };
        let from = (&paid, charge.processor.as_str());
        events.push(started(&refund_id(nth), &share.filing_id, from, "fee_cancelled"));
    }
    events
}

/// Whether there is a payment that was not withdrawn.
pub(super) fn waiting(state: &Payment) -> Result<(), Refusal> {
    match (&state.opened, &state.withdrawn) {
        (Some(_), _) => Ok(()),
        (None, Some(_)) => Err(Refusal::state(
            "PAYMENT_WITHDRAWN",
            "this payment was withdrawn, and the filings it was for can be changed again",
        )
        .way_out("ask for the fee, sign and send them: then it is open again")),
        (None, None) => Err(Refusal::not_found()),
    }
}

/// Whether every attempt has its answer.
pub(super) fn nothing_pending(state: &Payment) -> Result<(), Refusal> {
    if state.pending.is_none() {
        return Ok(());
    }
    Err(Refusal::state(
        "PAYMENT_PROCESSING",
        "an earlier attempt has no answer yet, and nothing may be charged twice",
    )
    .way_out("look at the payment again in a minute"))
}

/// Whether the fee is still the one that was shown (8 CFR 103.2(a)(7)). One that is owed again was paid on its day, and stays what
/// it was.
fn of_the_day(state: &Payment, changed: &Changed) -> Result<(), Refusal> {
    let forms = state.parts.iter().filter_map(|part| changed.get(&part.quote_id));
    let forms: Vec<&str> = forms.map(String::as_str).collect();
    if state.settled.is_some() || forms.is_empty() {
        return Ok(());
    }
    Err(Refusal::state(
        "FEE_CHANGED",
        format!(
            "the fees for {} changed since this fee was shown, and what counts is the fee of the day it is paid (8 CFR 103.2(a)(7))",
            forms.join(", ")
        ),
    )
    .way_out("withdraw the payment, as its payer: the filings are drafts again; ask for the fee, sign and send them"))
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
