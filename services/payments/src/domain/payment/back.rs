//! Money out: the fee of a filing that was not accepted goes back; a charge is disputed, and its payment returned.
use super::{Payment, Standing};
use docket_kernel::Refusal;
use docket_proto::events::payment::Event;
use docket_proto::payments::events::v1::{
    DisputeWon, FeeCancelled, PaymentDisputed, PaymentReturned, RefundIssued, RefundStarted,
};

/// What becomes of the fee of a filing that ended without being accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// What was paid goes back (8 CFR 103.2(a)(7)(ii)).
    Refund,
    /// It is kept.
    Keep,
    /// It was not honoured, so there is nothing to give back; unless it was made good in the meantime.
    NotHonoured,
}

/// Ends the fee of a filing that was rejected, or whose acceptance was voided, once: what is owed is owed no more.
///
/// # Errors
/// `SHARE_UNKNOWN`.
pub fn end_fee(
    state: &Payment,
    refund_id: &str,
    filing_id: &str,
    fate: Fate,
    reason: &str,
) -> Result<Vec<Event>, Refusal> {
    let Some(opened) = &state.opened else { return Ok(Vec::new()) };
    if state.cancelled || state.refunds.iter().any(|known| known.filing_id == filing_id) {
        return Ok(Vec::new());
    }
    let amount_cents = match fate {
        Fate::Refund => state.kept_cents(),
        Fate::NotHonoured if state.owed_cents == 0 => state.kept_cents(),
        Fate::NotHonoured | Fate::Keep => 0,
    };
    if amount_cents > 0 && opened.filing_ids.len() != 1 {
        return Err(Refusal::state("SHARE_UNKNOWN", "the payment covers several filings")
            .way_out("finance gives the share of this filing back by hand"));
    }
    let mut events = Vec::new();
    if state.owed_cents > 0 {
        events.push(cancelled(filing_id, state.owed_cents));
    }
    if amount_cents > 0 {
        events.push(Event::RefundStarted(RefundStarted {
            refund_id: refund_id.to_owned(),
            filing_id: filing_id.to_owned(),
            amount_cents,
            reason: reason.to_owned(),
        }));
    }
    Ok(events)
}

fn cancelled(filing_id: &str, amount_cents: i64) -> Event {
    Event::FeeCancelled(FeeCancelled { filing_id: filing_id.to_owned(), amount_cents })
}

/// Records that the processor gave the money back. Said twice, recorded once.
pub fn issue_refund(state: &Payment, refund_id: &str, reference: &str) -> Result<Vec<Event>, Refusal> {
    let open = state.refunds.iter().find(|refund| refund.refund_id == refund_id && !refund.issued);
    Ok(open.map_or_else(Vec::new, |refund| {
        vec![Event::RefundIssued(RefundIssued {
            refund_id: refund_id.to_owned(),
            filing_id: refund.filing_id.clone(),
            amount_cents: refund.amount_cents,
            processor_reference: reference.to_owned(),
        })]
    }))
}

/// A dispute as the processor reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispute {
    /// The processor's reference of the dispute.
    pub id: String,
    /// The processor's reference of the charge.
    pub charge: String,
    /// Amount in cents.
    pub amount_cents: i64,
    /// Why.
    pub reason: String,
    /// How it stands.
    pub standing: Standing,
}

/// Records how a dispute stands: in whatever order and however often it is said, each thing is recorded once, and what has
/// ended stays so. Lost, the payment was not honoured and the fee is owed again (8 CFR 106.1(c)); of a filing whose fee was
/// on its way back, nothing is owed.
///
/// # Errors
/// `CHARGE_UNKNOWN`, `AMOUNT_DIFFERS`.
pub fn record_dispute(state: &Payment, dispute: &Dispute) -> Result<Vec<Event>, Refusal> {
    let known = state.disputes.get(&dispute.id);
    if known.is_some_and(|known| known.standing != Standing::Open || dispute.standing == Standing::Open) {
        return Ok(Vec::new());
    }
    let mut events = Vec::new();
    if known.is_none() {
        fits(state, dispute)?;
        events.push(Event::PaymentDisputed(PaymentDisputed {
            dispute_id: dispute.id.clone(),
            amount_cents: dispute.amount_cents,
            reason: dispute.reason.clone(),
        }));
    }
    let amount_cents = known.map_or(dispute.amount_cents, |known| known.amount_cents);
    match dispute.standing {
        Standing::Open => {}
        Standing::Won => {
            events.push(Event::DisputeWon(DisputeWon { dispute_id: dispute.id.clone(), amount_cents }));
        }
        Standing::Lost => {
            events.push(Event::PaymentReturned(PaymentReturned {
                dispute_id: dispute.id.clone(),
                filing_ids: state.opened.as_ref().map_or_else(Vec::new, |opened| opened.filing_ids.clone()),
                amount_cents,
                reason: dispute.reason.clone(),
            }));
            let on_its_way = state.refunds.iter().find(|refund| !refund.issued);
            events.extend(on_its_way.map(|refund| cancelled(&refund.filing_id, amount_cents)));
        }
    }
    Ok(events)
}

/// A dispute is about a charge of this payment, and about no more than is still with us.
fn fits(state: &Payment, dispute: &Dispute) -> Result<(), Refusal> {
    if !state.charges.contains(&dispute.charge) {
        return Err(Refusal::state(
            "CHARGE_UNKNOWN",
            "the dispute is about a charge that is not this payment's",
        )
        .way_out("finance reconciles it by hand"));
    }
    if dispute.amount_cents <= 0 || dispute.amount_cents > state.disputable_cents() {
        return Err(Refusal::state(
            "AMOUNT_DIFFERS",
            "the dispute is about another amount than is left of the payment",
        )
        .way_out("finance reconciles it by hand"));
    }
    Ok(())
}
