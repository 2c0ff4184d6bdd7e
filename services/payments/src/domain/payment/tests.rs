//! A payment, command by command.
use super::*;
use docket_kernel::Refusal;

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
    Charge { reference: "pi_1".into(), amount_cents, card_brand: "visa".into(), card_last4: "4242".into() }
}
fn kinds(events: Result<Vec<Event>, Refusal>) -> Vec<&'static str> {
    events.unwrap().iter().map(docket_kernel::EventEnum::kind).collect()
}
fn paid() -> Vec<Event> {
    let mut events = vec![Event::PaymentOpened(opened(71_000))];
    events.extend(attempt(&given(&events), "a").unwrap());
    events.extend(settle(&given(&events), "a", &charge(71_000), 5, "late").unwrap());
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
    assert!(settle(&given(&events), "a", &charge(71_000), 6, "late").unwrap().is_empty());
    assert_eq!(attempt(&given(&events), "b").unwrap_err().reason, "ALREADY_PAID");
}

#[test]
fn a_charge_of_another_amount_is_not_taken_for_the_fee() {
    let mut events = vec![Event::PaymentOpened(opened(71_000))];
    events.extend(attempt(&given(&events), "a").unwrap());
    assert_eq!(
        settle(&given(&events), "a", &charge(71_001), 5, "late").unwrap_err().reason,
        "AMOUNT_DIFFERS"
    );
}

#[test]
fn the_fee_of_a_rejected_filing_goes_back_once() {
    let mut events = paid();
    events.extend(end_fee(&given(&events), "r", "f", Fate::Refund, "filing_rejected").unwrap());
    assert!(end_fee(&given(&events), "r2", "f", Fate::Refund, "filing_rejected").unwrap().is_empty());
    events.extend(issue_refund(&given(&events), "r", "re_1").unwrap());
    assert!(issue_refund(&given(&events), "r", "re_1").unwrap().is_empty());
    assert!(given(&events).refunds[0].issued);
}

#[test]
fn nothing_goes_back_where_nothing_was_paid() {
    let free = open(&Payment::default(), opened(0), 1).unwrap();
    assert!(end_fee(&given(&free), "r", "f", Fate::Refund, "filing_rejected").unwrap().is_empty());
}

fn dispute(standing: Standing) -> Dispute {
    Dispute {
        id: "dp_1".into(),
        charge: "pi_1".into(),
        amount_cents: 71_000,
        reason: "insufficient_funds".into(),
        standing,
    }
}

fn then(events: &mut Vec<Event>, decided: Result<Vec<Event>, Refusal>) -> Vec<&'static str> {
    let decided = decided.unwrap();
    events.extend(decided.clone());
    kinds(Ok(decided))
}

fn returned() -> Vec<Event> {
    let mut events = paid();
    then(&mut events, record_dispute(&given(&paid()), &dispute(Standing::Lost)));
    events
}

#[test]
fn a_dispute_is_recorded_once_in_any_order() {
    for first in [Standing::Open, Standing::Lost] {
        let mut events = paid();
        for standing in [first, Standing::Lost, Standing::Open, Standing::Won, Standing::Lost] {
            let state = given(&events);
            then(&mut events, record_dispute(&state, &dispute(standing)));
        }
        let state = given(&events);
        assert_eq!((state.owed_cents, state.due_cents(), state.kept_cents()), (71_000, 71_000, 0));
        assert_eq!(kinds(Ok(events[3..].to_vec())), ["payment.disputed.v1", "payment.returned.v1"]);
    }
}

#[test]
fn a_dispute_about_another_charge_or_more_than_is_left_is_for_finance() {
    let state = given(&paid());
    let foreign = Dispute { charge: "pi_2".into(), ..dispute(Standing::Lost) };
    assert_eq!(record_dispute(&state, &foreign).unwrap_err().reason, "CHARGE_UNKNOWN");
    for amount_cents in [0, -1, 71_001] {
        let wrong = Dispute { amount_cents, ..dispute(Standing::Open) };
        assert_eq!(record_dispute(&state, &wrong).unwrap_err().reason, "AMOUNT_DIFFERS");
    }
    let mut events = paid();
    then(&mut events, record_dispute(&state, &dispute(Standing::Open)));
    let second = Dispute { id: "dp_2".into(), ..dispute(Standing::Open) };
    assert_eq!(record_dispute(&given(&events), &second).unwrap_err().reason, "AMOUNT_DIFFERS");
}

#[test]
fn what_is_owed_again_is_asked_for_and_made_good() {
    let mut events = returned();
    let state = given(&events);
    then(&mut events, attempt(&state, "b"));
    let good = Charge { reference: "pi_2".into(), ..charge(71_000) };
    let state = given(&events);
    assert_eq!(then(&mut events, settle(&state, "b", &good, 9, "late")), ["payment.made_good.v1"]);
    let state = given(&events);
    assert_eq!((state.due_cents(), state.kept_cents()), (0, 71_000));
    assert_eq!(state.settled.as_ref().unwrap().processor_reference, "pi_2");
    assert_eq!(attempt(&state, "c").unwrap_err().reason, "ALREADY_PAID");
}

#[test]
fn a_refund_under_way_ends_when_the_money_is_lost_another_way() {
    let mut events = paid();
    let state = given(&events);
    then(&mut events, end_fee(&state, "r", "f", Fate::Refund, "filing_rejected"));
    let state = given(&events);
    let decided = then(&mut events, record_dispute(&state, &dispute(Standing::Lost)));
    assert_eq!(decided, ["payment.disputed.v1", "payment.returned.v1", "payment.fee_cancelled.v1"]);
    let state = given(&events);
    assert!(state.refunds.is_empty() && state.cancelled && state.due_cents() == 0);
    assert_eq!(attempt(&state, "b").unwrap_err().reason, "FEE_CANCELLED");
}

#[test]
fn a_fee_that_was_not_honoured_is_cancelled_with_its_filing_unless_it_was_made_good() {
    let mut events = returned();
    let state = given(&events);
    let ended = end_fee(&state, "r", "f", Fate::NotHonoured, "acceptance_voided");
    assert_eq!(then(&mut events, ended), ["payment.fee_cancelled.v1"]);
    let state = given(&events);
    assert!(end_fee(&state, "r2", "f", Fate::NotHonoured, "acceptance_voided").unwrap().is_empty());

    let mut events = returned();
    let state = given(&events);
    then(&mut events, attempt(&state, "b"));
    let state = given(&events);
    then(&mut events, settle(&state, "b", &Charge { reference: "pi_2".into(), ..charge(71_000) }, 9, "late"));
    let ended = end_fee(&given(&events), "r", "f", Fate::NotHonoured, "acceptance_voided");
    assert_eq!(kinds(ended), ["payment.refund_started.v1"]);
}

#[test]
fn a_code_is_good_for_14_days_while_something_is_due() {
    let mut events = vec![Event::PaymentOpened(opened(71_000))];
    let state = given(&events);
    then(&mut events, invite(&state, "code", b"hash", 1_000));
    let state = given(&events);
    assert!(opens(&state, b"hash", 1_000) && !opens(&state, b"other", 1_000));
    assert!(!opens(&state, b"hash", 1_000 + 14 * 86_400_000_000));
    assert_eq!(invite(&given(&paid()), "code", b"hash", 1).unwrap_err().reason, "ALREADY_PAID");
    assert!(invite(&given(&returned()), "code", b"hash", 1).is_ok());
}
