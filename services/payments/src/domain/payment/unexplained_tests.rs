//! What fits nothing of a payment, command by command; and money whose way back failed.
use super::tests::{
    charge, dispute, given, kinds, late, opened, package_paid, paid, shares, then, whole_dispute,
};
use super::*;
use uuid::Uuid;

/// An attempt that was refused, though its charge came.
fn refused() -> Vec<Event> {
    let mut events = vec![Event::PaymentOpened(opened(71_000))];
    events.extend(super::tests::attempt(&given(&events), "a").unwrap());
    events.extend(refuse(&given(&events), "a", "expired_card").unwrap());
    events
}

#[test]
fn a_charge_of_an_attempt_that_has_its_answer_is_not_swallowed() {
    let mut events = refused();
    let state = given(&events);
    assert_eq!(settle(&state, "a", &charge(71_000), 5, late).unwrap_err().reason, "CHARGE_UNEXPECTED");
    let noted = unexpected_charge(&state, "a", &charge(71_000), "charge_unexpected");
    assert_eq!(then(&mut events, Ok(noted)), ["payment.money_unexplained.v1"]);
    let state = given(&events);
    assert!(unexpected_charge(&state, "a", &charge(71_000), "charge_unexpected").is_empty(), "once");
    assert_eq!((state.due_cents(), state.charged_cents), (71_000, 0), "it is not taken for the fee");

    // A second charge of an attempt that another one settled; and one of a payment that nobody opened.
    let second = Charge { reference: "pi_2".into(), ..charge(71_000) };
    assert_eq!(settle(&given(&paid()), "a", &second, 6, late).unwrap_err().reason, "CHARGE_UNEXPECTED");
    assert_eq!(settle(&given(&[]), "a", &second, 6, late).unwrap_err().reason, "CHARGE_UNEXPECTED");
    assert!(unexpected_charge(&given(&paid()), "a", &charge(71_000), "").is_empty(), "the fee is known");

    // All of it went back: once.
    let back = given_back(&given(&events), "pi_1");
    assert_eq!(then(&mut events, Ok(back)), ["payment.money_explained.v1"]);
    assert!(given_back(&given(&events), "pi_1").is_empty());
    assert_eq!(
        settle(&given(&events), "a", &charge(71_000), 5, late).unwrap_err().reason,
        "CHARGE_UNEXPECTED"
    );
}

#[test]
fn what_was_given_back_and_comes_back_to_the_processor_is_unexplained_anew_each_time_once() {
    let mut events = refused();
    events.extend(unexpected_charge(&given(&events), "a", &charge(71_000), "charge_unexpected"));
    assert!(came_back(&given(&events), "pi_1").is_empty(), "it never went");
    for times in 1..3 {
        events.extend(given_back(&given(&events), "pi_1"));
        let again = came_back(&given(&events), "pi_1");
        assert_eq!(then(&mut events, Ok(again)), ["payment.money_unexplained.v1"]);
        let state = given(&events);
        let money = &state.unexplained["pi_1"];
        assert!(money.is_open() && money.amount_cents == 71_000 && money.attempt_id == "a", "{money:?}");
        assert_eq!((money.came_back, money.cause.as_str()), (times, "refund_failed"));
        assert!(came_back(&state, "pi_1").is_empty(), "once");
        assert_eq!((state.due_cents(), state.charged_cents), (71_000, 0));
    }
    assert!(came_back(&given(&paid()), "pi_1").is_empty(), "the fee is no such charge");
}

#[test]
fn an_attempt_that_was_charged_another_amount_is_over_once_that_went_back() {
    let mut events = vec![Event::PaymentOpened(opened(71_000))];
    events.extend(super::tests::attempt(&given(&events), "a").unwrap());
    events.extend(unexpected_charge(&given(&events), "a", &charge(71_001), "amount_differs"));
    let state = given(&events);
    assert_eq!(super::tests::attempt(&state, "b").unwrap_err().reason, "PAYMENT_PROCESSING");
    let back = given_back(&state, "pi_1");
    let expected = ["payment.money_explained.v1", "payment.fee_refused.v1"];
    assert_eq!(then(&mut events, Ok(back)), expected);
    assert!(super::tests::attempt(&given(&events), "b").is_ok());

    // Where it fits after all, it is the fee, and unexplained no more.
    let mut events = vec![Event::PaymentOpened(opened(71_000))];
    events.extend(super::tests::attempt(&given(&events), "a").unwrap());
    events.extend(unexpected_charge(&given(&events), "a", &charge(71_000), "attempt_unknown"));
    let settled = settle(&given(&events), "a", &charge(71_000), 5, late);
    let expected = ["payment.money_explained.v1", "payment.fee_settled.v1"];
    assert_eq!(then(&mut events, settled), expected);
    assert_eq!(given(&events).kept_cents(), 71_000);
}

#[test]
fn what_a_bank_takes_that_went_back_before_is_a_loss_and_owed_by_nobody() {
    let given_back = || {
        let mut events = package_paid();
        let state = given(&events);
        then(&mut events, super::tests::end_fee(&state, "f3", "f3", Fate::Refund, "filing_rejected"));
        let state = given(&events);
        then(&mut events, Ok(issue_refund(&state, "f3", "re_1")));
        events
    };
    let mut events = given_back();
    let taken = super::tests::record_dispute(&given(&events), &whole_dispute(83_000));
    let expected = [
        "payment.disputed.v1",
        "payment.money_unexplained.v1",
        "payment.returned.v1",
        "payment.money_explained.v1",
    ];
    assert_eq!(then(&mut events, taken), expected);
    let [.., Event::PaymentReturned(returned), Event::MoneyExplained(loss)] = events.as_slice() else {
        panic!("not returned: {events:?}")
    };
    assert_eq!(shares(&returned.parts), [("f1", 71_000)]);
    assert_eq!((loss.amount_cents, loss.how.as_str()), (-12_000, "lost"));
    let state = given(&events);
    assert_eq!((state.due_cents(), state.kept_cents()), (71_000, 0));
    for standing in [Standing::Open, Standing::Won, Standing::Lost] {
        let again = Dispute { standing, ..whole_dispute(83_000) };
        assert!(super::tests::record_dispute(&state, &again).unwrap().is_empty(), "it has ended");
    }

    // While it is open, finance sees it; won, all of it is back.
    let mut events = given_back();
    let open = Dispute { standing: Standing::Open, ..whole_dispute(83_000) };
    let opened = super::tests::record_dispute(&given(&events), &open);
    assert_eq!(then(&mut events, opened), ["payment.disputed.v1", "payment.money_unexplained.v1"]);
    assert!(super::tests::record_dispute(&given(&events), &open).unwrap().is_empty());
    let won = Dispute { standing: Standing::Won, ..open };
    let won = super::tests::record_dispute(&given(&events), &won);
    assert_eq!(then(&mut events, won), ["payment.dispute_won.v1", "payment.money_explained.v1"]);
    assert_eq!(given(&events).kept_cents(), 71_000);
}

#[test]
fn a_dispute_of_a_charge_that_nobody_expected_takes_it_away_again() {
    let mut events = refused();
    events.extend(unexpected_charge(&given(&events), "a", &charge(71_000), "charge_unexpected"));
    let state = given(&events);
    let refusal = super::tests::record_dispute(&state, &dispute(Standing::Lost)).unwrap_err();
    assert_eq!(refusal.reason, "CHARGE_UNKNOWN");
    let noted = misfit(&state, &dispute(Standing::Lost), "charge_unknown");
    let explained = "payment.money_explained.v1";
    assert_eq!(then(&mut events, Ok(noted)), ["payment.money_unexplained.v1", explained, explained]);
    assert!(given(&events).unexplained.values().all(|money| !money.is_open()));
    assert!(misfit(&given(&events), &dispute(Standing::Lost), "charge_unknown").is_empty(), "once");

    // About a charge that may be under way it waits; and what fits later is recorded as what it is.
    let mut events = vec![Event::PaymentOpened(opened(71_000))];
    let state = given(&events);
    events.extend(misfit(&state, &dispute(Standing::Open), "charge_unknown"));
    assert_eq!(given(&events).unexplained.len(), 1);
    events.extend(super::tests::attempt(&given(&events), "a").unwrap());
    let other = Dispute { id: "dp_2".into(), ..dispute(Standing::Open) };
    assert!(misfit(&given(&events), &other, "charge_unknown").is_empty(), "it may be the attempt's");
    events.extend(settle(&given(&events), "a", &charge(71_000), 5, late).unwrap());
    let fits = super::tests::record_dispute(&given(&events), &dispute(Standing::Open));
    assert_eq!(then(&mut events, fits), [explained, "payment.disputed.v1"]);
    let nothing = Dispute { amount_cents: 0, ..dispute(Standing::Open) };
    assert!(misfit(&given(&[]), &nothing, "amount_differs").is_empty(), "no money at all");
}

#[test]
fn a_refund_that_failed_is_owed_again_until_it_is_done() {
    let mut events = paid();
    events.extend(super::tests::end_fee(&given(&events), "r", "f", Fate::Refund, "filing_rejected").unwrap());
    let state = given(&events);
    let never = fail_refund(&state, "r", ("re_1", "expired_or_canceled_card"), Some(Uuid::nil()));
    assert_eq!(then(&mut events, Ok(never)), ["payment.refund_failed.v1"]);
    let state = given(&events);
    assert!(fail_refund(&state, "r", ("re_1", ""), None).is_empty(), "once for each try");
    assert_eq!((state.refunded_cents(), state.refunds[0].came_back), (0, 0));

    events.extend(issue_refund(&state, "r", "re_2"));
    assert_eq!(given(&events).refunded_cents(), 71_000);
    let back = fail_refund(&given(&events), "r", ("re_2", "unknown"), Some(Uuid::from_u128(7)));
    let [Event::RefundFailed(failed)] = back.as_slice() else { panic!("{back:?}") };
    assert!(failed.was_issued);
    assert_eq!(failed.account_id, Uuid::from_u128(7).to_string(), "it is owed to whoever paid");
    events.extend(back);
    let state = given(&events);
    assert_eq!((state.refunded_cents(), state.refunds[0].came_back, state.kept_cents()), (0, 1, 0));
    assert_eq!(kinds(Ok(issue_refund(&state, "r", "re_3"))), ["payment.refund_issued.v1"]);
    assert!(fail_refund(&state, "other", ("re_9", ""), None).is_empty());
}
