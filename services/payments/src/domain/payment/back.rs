//! Money out: the fee of a filing that was not accepted goes back; a charge is disputed, and its payment returned.
use super::part::filings_of;
use super::unexplained::{ALREADY_REFUNDED, explained, left};
use super::{Paid, Payment, Standing};
use docket_kernel::Refusal;
use docket_proto::events::payment::Event;
use docket_proto::payments::events::v1::{
    DisputeWon, FeeCancelled, PaymentDisputed, PaymentReturned, RefundFailed, RefundIssued, RefundStarted,
};
use uuid::Uuid;

/// What becomes of the fee of a filing that ended without being accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// What was paid goes back (8 CFR 103.2(a)(7)(ii)).
    Refund,
    /// What was paid goes back but for so many cents, which are kept as the fee table has it.
    RefundBut(i64),
    /// It is kept.
    Keep,
    /// It was not honoured, so there is nothing to give back; unless it was made good in the meantime.
    NotHonoured,
}

/// Ends the fee of a filing that was rejected, or whose acceptance was voided, once: what is owed is owed no more, nor is what is kept
/// should it not be honoured later. It is that filing's part; what others of the package paid or owe stays as it is. What several charges
/// paid goes back as one refund of each, which `refund_id` names.
///
/// # Errors
/// `SHARE_UNKNOWN`.
pub fn end_fee(
    state: &Payment,
    refund_id: impl Fn(u32) -> String,
    filing_id: &str,
    fate: Fate,
    reason: &str,
) -> Result<Vec<Event>, Refusal> {
    if state.opened.is_none() {
        return Ok(Vec::new());
    }
    let Some(part) = state.part(filing_id) else {
        return Err(Refusal::state(
            "SHARE_UNKNOWN",
            "the payment does not say what part of it is this filing's",
        )
        .way_out("finance gives the share of this filing back by hand"));
    };
    if part.cancelled || state.refunds.iter().any(|known| known.filing_id == filing_id) {
        return Ok(Vec::new());
    }
    let kept_cents = match fate {
        Fate::Refund => 0,
        Fate::RefundBut(cents) => cents,
        Fate::NotHonoured if part.owed_cents == 0 => 0,
        Fate::NotHonoured | Fate::Keep => i64::MAX,
    };
    let back = but(&part.paid, kept_cents);
    let stays_cents = part.kept_cents - back.iter().map(|paid| paid.cents).sum::<i64>();
    let mut events = Vec::new();
    // Also where nothing is owed: what stays may not be honoured later, and is then owed by nobody.
    if part.owed_cents > 0 || stays_cents > 0 {
        events.push(cancelled(filing_id, part.owed_cents));
    }
    for (paid, nth) in back.iter().zip(0..) {
        let from = (paid, state.processor_of(&paid.charge));
        events.push(started(&refund_id(nth), filing_id, from, reason));
    }
    Ok(events)
}

/// What charges paid but for so many cents, of which the first charges bear what they can.
fn but(paid: &[Paid], mut kept_cents: i64) -> Vec<Paid> {
    let rest = |paid: &Paid| {
        let kept = kept_cents.clamp(0, paid.cents.max(0));
        kept_cents -= kept;
        Paid { charge: paid.charge.clone(), cents: paid.cents - kept }
    };
    paid.iter().map(rest).filter(|paid| paid.cents > 0).collect()
}

/// A refund that begins, of what a charge paid at a processor.
pub(super) fn started(
    refund_id: &str,
    filing_id: &str,
    (paid, processor): (&Paid, &str),
    reason: &str,
) -> Event {
    Event::RefundStarted(RefundStarted {
        refund_id: refund_id.to_owned(),
        filing_id: filing_id.to_owned(),
        amount_cents: paid.cents,
        reason: reason.to_owned(),
        processor_charge: paid.charge.clone(),
        processor: processor.to_owned(),
    })
}

fn cancelled(filing_id: &str, amount_cents: i64) -> Event {
    Event::FeeCancelled(FeeCancelled { filing_id: filing_id.to_owned(), amount_cents })
}

/// Records that the processor gave the money back. Said twice, recorded once.
pub fn issue_refund(state: &Payment, refund_id: &str, reference: &str) -> Vec<Event> {
    let open = state.refunds.iter().find(|refund| refund.refund_id == refund_id && !refund.issued);
    open.map_or_else(Vec::new, |refund| {
        vec![Event::RefundIssued(RefundIssued {
            refund_id: refund_id.to_owned(),
            filing_id: refund.filing_id.clone(),
            amount_cents: refund.amount_cents,
            processor_reference: reference.to_owned(),
        })]
    })
}

/// Records that the processor did not give the money back after all: it never went, or it came back from the bank, and it is owed
/// still to whoever paid. Said twice of the same try, recorded once.
pub fn fail_refund(
    state: &Payment,
    refund_id: &str,
    (reference, reason): (&str, &str),
    paid_by: Option<Uuid>,
) -> Vec<Event> {
    let known = state.refunds.iter().find(|refund| refund.refund_id == refund_id);
    let Some(refund) = known.filter(|refund| refund.failed.as_deref() != Some(reference)) else {
        return Vec::new();
    };
    vec![Event::RefundFailed(RefundFailed {
        refund_id: refund_id.to_owned(),
        filing_id: refund.filing_id.clone(),
        amount_cents: refund.amount_cents,
        reason: reason.to_owned(),
        processor_reference: reference.to_owned(),
        was_issued: refund.issued,
        account_id: paid_by.map(|account| account.to_string()).unwrap_or_default(),
    })]
}

/// A dispute as the processor reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispute {
    /// The processor's reference of the dispute.
    pub id: String,
    /// The processor's reference of the charge.
    pub charge: String,
    /// That processor's name.
    pub processor: String,
    /// Amount in cents.
    pub amount_cents: i64,
    /// Why.
    pub reason: String,
    /// How it stands.
    pub standing: Standing,
}

/// Records how a dispute stands: in whatever order and however often it is said, each thing is recorded once, and what has
/// ended stays so. Lost, the payment was not honoured and the fee is owed again (8 CFR 106.1(c)), each filing's part of what is
/// still with us; of a filing whose fee was on its way back, nothing is owed, and what is left of it goes back as the refund
/// `rest_id`. What went back before, and the bank takes as well, is owed by nobody: it is unexplained while the dispute is open, and
/// a loss once it is lost.
///
/// # Errors
/// `CHARGE_UNKNOWN`, `AMOUNT_DIFFERS`.
pub fn record_dispute(state: &Payment, dispute: &Dispute, rest_id: &str) -> Result<Vec<Event>, Refusal> {
    let known = state.disputes.get(&dispute.id);
    let noted = state.unexplained.get(&dispute.id);
    let twice = noted.filter(|noted| noted.cause == ALREADY_REFUNDED);
    let seen = known.is_some() || twice.is_some();
    let ended = known.is_some_and(|known| known.standing != Standing::Open)
        || twice.is_some_and(|twice| !twice.is_open());
    if seen && (ended || dispute.standing == Standing::Open) {
        return Ok(Vec::new());
    }
    let mut events = Vec::new();
    let held_cents = known.map_or(0, |known| known.amount_cents);
    let (here_cents, twice_cents) =
        if seen { (held_cents, twice.map_or(0, |twice| -twice.amount_cents)) } else { fits(state, dispute)? };
    if !seen {
        // It fitted nothing before, and does now.
        let noted = noted.filter(|noted| noted.is_open());
        events.extend(noted.map(|noted| explained(&dispute.id, noted.amount_cents, "recorded")));
    }
    if !seen && here_cents > 0 {
        events.push(Event::PaymentDisputed(PaymentDisputed {
            dispute_id: dispute.id.clone(),
            amount_cents: here_cents,
            reason: dispute.reason.clone(),
            processor_charge: dispute.charge.clone(),
            processor: dispute.processor.clone(),
        }));
    }
    if !seen && twice_cents > 0 {
        events.push(left(dispute, twice_cents, ALREADY_REFUNDED));
    }
    events.extend(ends(state, dispute, (here_cents, twice_cents), rest_id));
    Ok(events)
}

/// What a dispute comes to that has ended: of what is here, and of what went back before.
fn ends(
    state: &Payment,
    dispute: &Dispute,
    (here_cents, twice_cents): (i64, i64),
    rest_id: &str,
) -> Vec<Event> {
    let mut events = Vec::new();
    let how = match dispute.standing {
        Standing::Open => return events,
        Standing::Won => "won",
        Standing::Lost => "lost",
    };
    if here_cents > 0 && dispute.standing == Standing::Won {
        let won = DisputeWon { dispute_id: dispute.id.clone(), amount_cents: here_cents };
        events.push(Event::DisputeWon(won));
    }
    if here_cents > 0 && dispute.standing == Standing::Lost {
        events.extend(lost(state, dispute, here_cents, rest_id));
    }
    if twice_cents > 0 {
        events.push(explained(&dispute.id, -twice_cents, how));
    }
    events
}

fn lost(state: &Payment, dispute: &Dispute, amount_cents: i64, rest_id: &str) -> Vec<Event> {
    // What is known of it decides here as in the fold.
    let charge = state.disputes.get(&dispute.id).map_or(&dispute.charge, |known| &known.charge);
    let shares = state.lost_shares(charge, amount_cents);
    let mut events = vec![Event::PaymentReturned(PaymentReturned {
        dispute_id: dispute.id.clone(),
        filing_ids: filings_of(&shares),
        amount_cents,
        reason: dispute.reason.clone(),
        parts: shares.clone(),
    })];
    for share in &shares {
        let Some(part) = state.part(&share.filing_id) else { continue };
        if state.on_its_way_cents(&share.filing_id, "") > 0 || part.cancelled {
            events.push(cancelled(&share.filing_id, share.amount_cents));
        }
        // A loss reaches at most one refund in part.
        let on_its_way = state.on_its_way_cents(&share.filing_id, charge);
        // What was kept of it stays kept.
        let cents = on_its_way.min(part.paid_by_cents(charge) + on_its_way - share.amount_cents);
        if on_its_way > 0 && cents > 0 {
            let rest = Paid { charge: dispute.charge.clone(), cents };
            let from = (&rest, state.processor_of(&dispute.charge));
            events.push(started(rest_id, &share.filing_id, from, "fee_cancelled"));
        }
    }
    events
}

/// A dispute is about a charge of this payment, and about no more than it paid that is not lost: what of it is still with us, and
/// what went back before.
fn fits(state: &Payment, dispute: &Dispute) -> Result<(i64, i64), Refusal> {
    if !state.charges.contains_key(&dispute.charge) {
        return Err(Refusal::state(
            "CHARGE_UNKNOWN",
            "the dispute is about a charge that is not this payment's",
        )
        .way_out("finance reconciles it by hand"));
    }
    let here_cents = dispute.amount_cents.min(state.disputable_of_cents(&dispute.charge).max(0));
    let twice_cents = dispute.amount_cents - here_cents;
    if dispute.amount_cents <= 0 || twice_cents > state.given_back_of_cents(&dispute.charge) {
        return Err(Refusal::state(
            "AMOUNT_DIFFERS",
            "the dispute is about another amount than is left of the payment",
        )
        .way_out("finance reconciles it by hand"));
    }
    Ok((here_cents, twice_cents))
}
