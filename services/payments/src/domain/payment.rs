//! A payment: opened for a package, attempted, refused or settled, given back.
use docket_eventlog::Aggregate;
use docket_kernel::Refusal;
use docket_proto::events::payment::Event;
use docket_proto::payments::events::v1::{
    FeeRefused, FeeSettled, PaymentAttempted, PaymentOpened, RefundIssued, RefundStarted,
    fee_settled::Settlement,
};

/// The fold of `payment-…`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Payment {
    /// How it was opened; nothing before.
    pub opened: Option<PaymentOpened>,
    /// The attempt whose outcome is not known yet.
    pub pending: Option<String>,
    /// Class of the last refusal.
    pub last_refusal: Option<String>,
    /// How it was settled.
    pub settled: Option<FeeSettled>,
    /// Money that went or goes back.
    pub refunds: Vec<Refund>,
}

/// Money on its way back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// Refund id.
    pub refund_id: String,
    /// Filing.
    pub filing_id: String,
    /// Amount in cents.
    pub amount_cents: i64,
    /// Whether the processor has done it.
    pub issued: bool,
}

/// The aggregate.
#[derive(Clone, Copy, Debug)]
pub struct Payments;

impl Aggregate for Payments {
    type Event = Event;
    type State = Payment;

    fn evolve(mut state: Payment, event: &Event) -> Payment {
        match event {
            Event::PaymentOpened(opened) => state.opened = Some(opened.clone()),
            Event::PaymentAttempted(attempted) => state.pending = Some(attempted.attempt_id.clone()),
            Event::FeeRefused(refused) => {
                state.pending = None;
                state.last_refusal = Some(refused.decline_code.clone());
            }
            Event::FeeSettled(settled) => {
                state.pending = None;
                state.last_refusal = None;
                state.settled = Some(settled.clone());
            }
            Event::RefundStarted(started) => state.refunds.push(Refund {
                refund_id: started.refund_id.clone(),
                filing_id: started.filing_id.clone(),
                amount_cents: started.amount_cents,
                issued: false,
            }),
            Event::RefundIssued(issued) => {
                for refund in state.refunds.iter_mut().filter(|refund| refund.refund_id == issued.refund_id) {
                    refund.issued = true;
                }
            }
        }
        state
    }
}

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
    if state.settled.is_some() {
        return Err(Refusal::state("ALREADY_PAID", "this fee is paid")
            .way_out("nothing more to do: the receipt number comes by itself"));
    }
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
    if state.pending.as_deref() != Some(attempt_id) {
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

/// Settles the fee with a charge. Said twice, recorded once; another amount than asked is never taken for the fee.
pub fn settle(
    state: &Payment,
    attempt_id: &str,
    charge: &Charge,
    authorised_at_us: i64,
) -> Result<Vec<Event>, Refusal> {
    let Some(opened) = &state.opened else { return Err(Refusal::not_found()) };
    if state.settled.is_some() || state.pending.as_deref() != Some(attempt_id) {
        return Ok(Vec::new());
    }
    if charge.amount_cents != opened.amount_cents {
        return Err(Refusal::state("AMOUNT_DIFFERS", "the processor charged another amount than was asked")
            .way_out("finance reconciles it by hand"));
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

/// Starts giving back the fee of a rejected filing, once (8 CFR 103.2(a)(7)(ii)).
pub fn start_refund(state: &Payment, refund_id: &str, filing_id: &str) -> Result<Vec<Event>, Refusal> {
    let (Some(opened), Some(settled)) = (&state.opened, &state.settled) else { return Ok(Vec::new()) };
    let paid = settled.settlement() == Settlement::Paid && settled.amount_cents > 0;
    if !paid || state.refunds.iter().any(|refund| refund.filing_id == filing_id) {
        return Ok(Vec::new());
    }
    if opened.filing_ids.len() != 1 {
        return Err(Refusal::state("SHARE_UNKNOWN", "the payment covers several filings")
            .way_out("finance gives the share of this filing back by hand"));
    }
    Ok(vec![Event::RefundStarted(RefundStarted {
        refund_id: refund_id.to_owned(),
        filing_id: filing_id.to_owned(),
        amount_cents: settled.amount_cents,
        reason: "filing_rejected".to_owned(),
    })])
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

#[cfg(test)]
mod tests {
    use super::*;

    fn given(events: &[Event]) -> Payment {
        events.iter().fold(Payment::default(), Payments::evolve)
    }
    fn opened(amount_cents: i64) -> PaymentOpened {
        PaymentOpened {
            package_id: "p".into(),
            amount_cents,
            filing_ids: vec!["f".into()],
            ..PaymentOpened::default()
        }
    }
    fn charge(amount_cents: i64) -> Charge {
        Charge {
            reference: "pi_1".into(),
            amount_cents,
            card_brand: "visa".into(),
            card_last4: "4242".into(),
        }
    }
    fn kinds(events: Result<Vec<Event>, Refusal>) -> Vec<&'static str> {
        events.unwrap().iter().map(docket_kernel::EventEnum::kind).collect()
    }
    fn paid() -> Vec<Event> {
        let mut events = vec![Event::PaymentOpened(opened(71_000))];
        events.extend(attempt(&given(&events), "a").unwrap());
        events.extend(settle(&given(&events), "a", &charge(71_000), 5).unwrap());
        events
    }

    #[test]
    fn a_free_package_is_settled_when_it_is_opened() {
        assert_eq!(kinds(open(&given(&[]), opened(0), 1)), ["payment.opened.v1", "payment.fee_settled.v1"]);
        assert_eq!(kinds(open(&given(&[]), opened(1), 1)), ["payment.opened.v1"]);
        assert!(open(&given(&[Event::PaymentOpened(opened(1))]), opened(1), 1).unwrap().is_empty());
    }

    #[test]
    fn a_second_attempt_waits_for_the_answer_to_the_first() {
        let mut events = vec![Event::PaymentOpened(opened(71_000))];
        events.extend(attempt(&given(&events), "a").unwrap());
        assert_eq!(attempt(&given(&events), "b").unwrap_err().reason, "PAYMENT_PROCESSING");
        events.extend(refuse(&given(&events), "a", "expired_card").unwrap());
        assert_eq!(kinds(attempt(&given(&events), "b")), ["payment.attempted.v1"]);
    }

    #[test]
    fn a_charge_that_is_reported_twice_settles_once() {
        let events = paid();
        assert!(settle(&given(&events), "a", &charge(71_000), 6).unwrap().is_empty());
        assert_eq!(attempt(&given(&events), "b").unwrap_err().reason, "ALREADY_PAID");
    }

    #[test]
    fn a_charge_of_another_amount_is_not_taken_for_the_fee() {
        let mut events = vec![Event::PaymentOpened(opened(71_000))];
        events.extend(attempt(&given(&events), "a").unwrap());
        assert_eq!(settle(&given(&events), "a", &charge(71_001), 5).unwrap_err().reason, "AMOUNT_DIFFERS");
    }

    #[test]
    fn the_fee_of_a_rejected_filing_goes_back_once() {
        let mut events = paid();
        events.extend(start_refund(&given(&events), "r", "f").unwrap());
        assert!(start_refund(&given(&events), "r2", "f").unwrap().is_empty());
        events.extend(issue_refund(&given(&events), "r", "re_1").unwrap());
        assert!(issue_refund(&given(&events), "r", "re_1").unwrap().is_empty());
        assert!(given(&events).refunds[0].issued);
    }

    #[test]
    fn nothing_goes_back_where_nothing_was_paid() {
        let free = open(&Payment::default(), opened(0), 1).unwrap();
        assert!(start_refund(&given(&free), "r", "f").unwrap().is_empty());
    }
}
