//! A payment, command by command.
use super::*;
use docket_kernel::Refusal;

pub(super) fn given(events: &[Event]) -> Payment {
    events.iter().fold(Payment::default(), Payments::evolve)
}
pub(super) fn opened(amount_cents: i64) -> PaymentOpened {
    PaymentOpened {
        package_id: "p".into(),
        amount_cents,
        filing_ids: vec!["f".into()],
        ..PaymentOpened::default()
    }
}
pub(super) fn charge(amount_cents: i64) -> Charge {
    Charge {
        reference: "pi_1".into(),
        processor: "card".into(),
        amount_cents,
        card_brand: "visa".into(),
        card_last4: "4242".into(),
    }
}
pub(super) fn late(nth: u32) -> String {
    format!("late {nth}")
}
pub(super) fn attempt(state: &Payment, attempt_id: &str) -> Result<Vec<Event>, Refusal> {
    super::attempt(state, (attempt_id, "card"), &Changed::new())
}
pub(super) fn end_fee(
    state: &Payment,
    refund_id: &str,
    filing_id: &str,
    fate: Fate,
    reason: &str,
) -> Result<Vec<Event>, Refusal> {
    let refund_id = |nth| if nth == 0 { refund_id.to_owned() } else { format!("{refund_id} {nth}") };
    super::end_fee(state, refund_id, filing_id, fate, reason)
}
pub(super) fn record_dispute(state: &Payment, dispute: &Dispute) -> Result<Vec<Event>, Refusal> {
    super::record_dispute(state, dispute, "rest")
}
pub(super) fn kinds(events: Result<Vec<Event>, Refusal>) -> Vec<&'static str> {
    events.unwrap().iter().map(docket_kernel::EventEnum::kind).collect()
}
pub(super) fn paid() -> Vec<Event> {
    let mut events = vec![Event::PaymentOpened(opened(71_000))];
    events.extend(attempt(&given(&events), "a").unwrap());
    events.extend(settle(&given(&events), "a", &charge(71_000), 5, late).unwrap());
    events
}

#[test]
fn what_is_open_for_something_else_is_opened_anew_until_it_is_paid() {
    let mut events = vec![Event::PaymentOpened(opened(71_000))];
    events.extend(invite(&given(&events), "code", b"hash", 1).unwrap());
    let other = PaymentOpened { filing_ids: vec!["f".into(), "g".into()], ..opened(83_000) };
    let anew = open(&given(&events), other.clone(), 2);
    assert_eq!(then(&mut events, anew), ["payment.opened.v1"]);
    let state = given(&events);
    assert_eq!((state.due_cents(), state.opened.as_ref()), (83_000, Some(&other)));
    assert!(!opens(&state, b"hash", 2), "a code was for what it was then");
    assert!(open(&state, other, 3).unwrap().is_empty(), "said once more");

    // What is being paid, or was, stays what it is.
    events.extend(attempt(&state, "a").unwrap());
    assert!(open(&given(&events), opened(71_000), 4).unwrap().is_empty());
    events.extend(settle(&given(&events), "a", &charge(83_000), 5, late).unwrap());
    assert!(open(&given(&events), opened(71_000), 6).unwrap().is_empty());
}

#[test]
fn a_free_package_is_settled_when_it_is_opened() {
    assert_eq!(kinds(open(&given(&[]), opened(0), 1)), ["payment.opened.v1", "payment.fee_settled.v1"]);
    assert_eq!(kinds(open(&given(&[]), opened(1), 1)), ["payment.opened.v1"]);
    assert!(open(&given(&[Event::PaymentOpened(opened(1))]), opened(1), 1).unwrap().is_empty());
}

#[test]
fn what_was_withdrawn_is_not_paid_until_it_is_opened_anew() {
    let mut events = vec![Event::PaymentOpened(package())];
    assert_eq!(withdraw(&given(&[])).unwrap_err().reason, "NOT_FOUND");
    let state = given(&events);
    then(&mut events, invite(&state, "code", b"hash", 1));
    let decided = withdraw(&given(&events)).unwrap();
    let [Event::PaymentWithdrawn(withdrawn)] = decided.as_slice() else { panic!("{decided:?}") };
    assert_eq!((withdrawn.package_id.as_str(), withdrawn.filing_ids.len()), ("p", 3));
    let state = given(&events);
    assert_eq!(then(&mut events, withdraw(&state)), ["payment.withdrawn.v1"]);
    let state = given(&events);
    assert_eq!((state.due_cents(), state.last_opened()), (0, Some(&package())));
    assert!(!opens(&state, b"hash", 2), "a code opens it no more");
    assert!(withdraw(&state).unwrap().is_empty(), "once");
    assert_eq!(attempt(&state, "a").unwrap_err().reason, "PAYMENT_WITHDRAWN");
    assert_eq!(invite(&state, "code", b"hash", 1).unwrap_err().reason, "PAYMENT_WITHDRAWN");
    assert!(end_fee(&state, "r", "f1", Fate::Refund, "filing_rejected").unwrap().is_empty());

    // Sent again for another sum: that is what is due, and all that is charged.
    assert_eq!(then(&mut events, open(&state, opened(71_000), 2)), ["payment.opened.v1"]);
    let state = given(&events);
    assert_eq!((state.due_cents(), state.parts.len(), &state.withdrawn), (71_000, 1, &None));
    then(&mut events, attempt(&state, "a"));
    let state = given(&events);
    assert_eq!(then(&mut events, settle(&state, "a", &charge(71_000), 5, late)), ["payment.fee_settled.v1"]);
    assert_eq!(given(&events).kept_cents(), 71_000);
}

#[test]
fn what_was_overtaken_is_withdrawn_as_it_was_looked_at_and_says_to_each_what_is_theirs() {
    let one = |filing: &str, account: &str, words: &[&str]| Overtaken {
        filing_id: filing.into(),
        account_id: account.into(),
        form: "I-485".into(),
        words: words.iter().map(ToString::to_string).collect(),
    };
    let found = [one("f1", "ana", &["This.", "That.", "Else."]), one("f3", "ben", &["Of Ben."])];
    let mut events = vec![Event::PaymentOpened(package())];
    let state = given(&events);
    let decided = withdraw_overtaken(&state, &package(), &found).unwrap();
    let [Event::PaymentWithdrawn(withdrawn)] = decided.as_slice() else { panic!("{decided:?}") };
    assert_eq!(withdrawn.overtaken_filing_ids, ["f1", "f3"]);
    assert_eq!(withdrawn.filing_ids, ["f1", "f2", "f3"]);
    // Sent anew meanwhile, or withdrawn, it is another one.
    assert!(withdraw_overtaken(&state, &opened(1), &found).unwrap().is_empty());
    then(&mut events, Ok(decided));
    assert!(withdraw_overtaken(&given(&events), &package(), &found).unwrap().is_empty());

    let said = |reader| overtaken(&found, reader).message;
    assert!(
        said(Some("ana"))
            .ends_with("I-485, I-485 can go in no more as it was. This. Also: That. Also: Else.")
    );
    assert!(said(Some("ben")).ends_with(" Of Ben."));
    for reader in [None, Some("eve")] {
        assert!(said(reader).ends_with("Whoever files it sees what changed."));
    }
}

#[test]
fn what_is_under_way_or_was_paid_is_not_withdrawn() {
    let mut events = vec![Event::PaymentOpened(opened(71_000))];
    let state = given(&events);
    then(&mut events, attempt(&state, "a"));
    // So a charge that comes finds the payment that it is for.
    assert_eq!(withdraw(&given(&events)).unwrap_err().reason, "PAYMENT_PROCESSING");
    let state = given(&events);
    then(&mut events, refuse(&state, "a", "expired_card"));
    assert_eq!(kinds(withdraw(&given(&events))), ["payment.withdrawn.v1"]);

    assert_eq!(withdraw(&given(&paid())).unwrap_err().reason, "ALREADY_PAID");
    let free = open(&Payment::default(), opened(0), 1).unwrap();
    assert_eq!(withdraw(&given(&free)).unwrap_err().reason, "ALREADY_PAID");
    assert_eq!(withdraw(&given(&returned())).unwrap_err().reason, "FEE_OWED");
}

#[test]
fn a_fee_that_changed_is_not_charged_and_one_that_is_owed_again_stays_what_it_was() {
    let quoted = PaymentOpened { quote_id: "q".into(), ..opened(55_000) };
    let changed = Changed::from([("q".to_owned(), "I-765".to_owned())]);
    let mut events = vec![Event::PaymentOpened(quoted)];
    let refusal = super::attempt(&given(&events), ("a", "card"), &changed).unwrap_err();
    assert_eq!(refusal.reason, "FEE_CHANGED");
    assert!(refusal.message.contains("I-765") && refusal.way_out.contains("withdraw"), "{refusal}");
    let of_another = Changed::from([("other".to_owned(), "N-400".to_owned())]);
    assert_eq!(kinds(super::attempt(&given(&events), ("a", "card"), &of_another)), ["payment.attempted.v1"]);

    let state = given(&events);
    then(&mut events, attempt(&state, "a"));
    let state = given(&events);
    then(&mut events, settle(&state, "a", &charge(55_000), 5, late));
    let lost = Dispute { amount_cents: 55_000, ..dispute(Standing::Lost) };
    let state = given(&events);
    then(&mut events, record_dispute(&state, &lost));
    let state = given(&events);
    assert_eq!(state.due_cents(), 55_000);
    assert_eq!(kinds(super::attempt(&state, ("b", "card"), &changed)), ["payment.attempted.v1"]);
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
    assert!(settle(&given(&events), "a", &charge(71_000), 6, late).unwrap().is_empty());
    assert_eq!(attempt(&given(&events), "b").unwrap_err().reason, "ALREADY_PAID");
}

#[test]
fn a_charge_of_another_amount_is_not_taken_for_the_fee() {
    let mut events = vec![Event::PaymentOpened(opened(71_000))];
    events.extend(attempt(&given(&events), "a").unwrap());
    assert_eq!(settle(&given(&events), "a", &charge(71_001), 5, late).unwrap_err().reason, "AMOUNT_DIFFERS");
}

#[test]
fn the_fee_of_a_rejected_filing_goes_back_once() {
    let mut events = paid();
    events.extend(end_fee(&given(&events), "r", "f", Fate::Refund, "filing_rejected").unwrap());
    assert!(end_fee(&given(&events), "r2", "f", Fate::Refund, "filing_rejected").unwrap().is_empty());
    events.extend(issue_refund(&given(&events), "r", "re_1"));
    assert!(issue_refund(&given(&events), "r", "re_1").is_empty());
    assert!(given(&events).refunds[0].issued);
}

#[test]
fn what_goes_back_names_the_processor_that_took_it() {
    let mut events = paid();
    let back = end_fee(&given(&events), "r", "f", Fate::Refund, "filing_rejected").unwrap();
    let [Event::RefundStarted(started)] = back.as_slice() else { panic!("{back:?}") };
    assert_eq!(started.processor, "card");
    // As it was before the refund named it, and before the charge did.
    let unnamed = RefundStarted { processor: String::new(), ..started.clone() };
    events.push(Event::RefundStarted(unnamed));
    assert_eq!(given(&events).refunds[0].processor, "card");
    for event in &mut events {
        if let Event::FeeSettled(settled) = event {
            settled.processor.clear();
        }
    }
    assert_eq!(given(&events).refunds[0].processor, "", "the first one's");
}

#[test]
fn nothing_goes_back_where_nothing_was_paid() {
    let free = open(&Payment::default(), opened(0), 1).unwrap();
    assert!(end_fee(&given(&free), "r", "f", Fate::Refund, "filing_rejected").unwrap().is_empty());
}

pub(super) fn dispute(standing: Standing) -> Dispute {
    Dispute {
        id: "dp_1".into(),
        charge: "pi_1".into(),
        processor: "card".into(),
        amount_cents: 71_000,
        reason: "insufficient_funds".into(),
        standing,
    }
}

pub(super) fn then(events: &mut Vec<Event>, decided: Result<Vec<Event>, Refusal>) -> Vec<&'static str> {
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
        assert_eq!((state.owed_cents(), state.due_cents(), state.kept_cents()), (71_000, 71_000, 0));
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
    assert_eq!(then(&mut events, settle(&state, "b", &good, 9, late)), ["payment.made_good.v1"]);
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
    assert!(state.refunds.is_empty() && state.cancelled() && state.due_cents() == 0);
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
    then(&mut events, settle(&state, "b", &Charge { reference: "pi_2".into(), ..charge(71_000) }, 9, late));
    let ended = end_fee(&given(&events), "r", "f", Fate::NotHonoured, "acceptance_voided");
    assert_eq!(kinds(ended), ["payment.refund_started.v1"]);
}

#[test]
fn what_is_left_of_a_fee_of_which_a_part_was_lost_goes_back_with_a_signature_that_is_not_valid() {
    let mut events = paid();
    let state = given(&events);
    let partly = Dispute { amount_cents: 21_000, ..dispute(Standing::Lost) };
    then(&mut events, record_dispute(&state, &partly));
    let state = given(&events);
    assert_eq!((state.owed_cents(), state.kept_cents()), (21_000, 50_000));
    let ended = end_fee(&state, "r", "f", Fate::Refund, "acceptance_voided");
    assert_eq!(then(&mut events, ended), ["payment.fee_cancelled.v1", "payment.refund_started.v1"]);
    let state = given(&events);
    assert_eq!((state.owed_cents(), state.kept_cents(), state.refunds[0].amount_cents), (0, 0, 50_000));
    // Not made good, it is kept: what was asked for was done.
    let mut events = paid();
    let state = given(&events);
    then(&mut events, record_dispute(&state, &partly));
    let kept = end_fee(&given(&events), "r", "f", Fate::NotHonoured, "acceptance_voided");
    assert_eq!(kinds(kept), ["payment.fee_cancelled.v1"]);
}

const PARTS: [(&str, i64); 3] = [("f1", 71_000), ("f2", 0), ("f3", 12_000)];

/// A package of three filings, of which one costs nothing.
fn package() -> PaymentOpened {
    PaymentOpened {
        package_id: "p".into(),
        amount_cents: 83_000,
        filing_ids: PARTS.map(|(filing, _)| filing.into()).to_vec(),
        parts: PARTS
            .map(|(filing, cents)| FeePart {
                filing_id: filing.into(),
                amount_cents: cents,
                ..FeePart::default()
            })
            .to_vec(),
        ..PaymentOpened::default()
    }
}
pub(super) fn package_paid() -> Vec<Event> {
    let mut events = vec![Event::PaymentOpened(package())];
    events.extend(attempt(&given(&events), "a").unwrap());
    events.extend(settle(&given(&events), "a", &charge(83_000), 5, late).unwrap());
    events
}
pub(super) fn whole_dispute(amount_cents: i64) -> Dispute {
    Dispute { amount_cents, ..dispute(Standing::Lost) }
}
pub(super) fn shares(parts: &[FeePart]) -> Vec<(&str, i64)> {
    parts.iter().map(|part| (part.filing_id.as_str(), part.amount_cents)).collect()
}

#[test]
fn each_filing_of_a_package_gets_its_own_part_back_once() {
    let mut events = package_paid();
    let Event::FeeSettled(settled) = &events[2] else { panic!("not settled: {events:?}") };
    assert_eq!(
        (settled.filing_ids.as_slice(), settled.amount_cents),
        (&["f1", "f2", "f3"].map(String::from)[..], 83_000)
    );
    for (filing, kinds) in [("f3", &["payment.refund_started.v1"][..]), ("f3", &[]), ("f2", &[])] {
        let state = given(&events);
        let ended = end_fee(&state, filing, filing, Fate::Refund, "filing_rejected");
        assert_eq!(then(&mut events, ended), kinds, "{filing}");
    }
    let state = given(&events);
    assert_eq!((state.refunds.len(), state.refunds[0].amount_cents, state.kept_cents()), (1, 12_000, 71_000));
    then(&mut events, end_fee(&state, "f1", "f1", Fate::Refund, "filing_rejected"));
    let state = given(&events);
    assert_eq!((state.refunds[1].amount_cents, state.kept_cents(), state.cancelled()), (71_000, 0, false));
    assert_eq!(end_fee(&state, "x", "f4", Fate::Refund, "").unwrap_err().reason, "SHARE_UNKNOWN");
}

#[test]
fn what_several_charges_paid_goes_back_to_each_what_it_paid() {
    let mut events = package_paid();
    let state = given(&events);
    then(&mut events, record_dispute(&state, &whole_dispute(13_000)));
    let state = given(&events);
    assert_eq!((state.due_cents(), state.part("f1").unwrap().kept_cents), (13_000, 58_000));
    then(&mut events, attempt(&state, "b"));
    let good = Charge { reference: "pi_2".into(), ..charge(13_000) };
    let state = given(&events);
    then(&mut events, settle(&state, "b", &good, 9, late));

    // The second charge paid nothing of the other filing.
    let refunds = |events: &[Event]| -> Vec<(String, String, i64)> {
        let refunds = given(events).refunds;
        refunds.into_iter().map(|refund| (refund.refund_id, refund.charge, refund.amount_cents)).collect()
    };
    let state = given(&events);
    then(&mut events, end_fee(&state, "r3", "f3", Fate::Refund, "acceptance_voided"));
    assert_eq!(refunds(&events), [("r3".into(), "pi_1".into(), 12_000)]);
    let state = given(&events);
    then(&mut events, end_fee(&state, "r1", "f1", Fate::Refund, "acceptance_voided"));
    let both = [("r1".into(), "pi_1".into(), 58_000), ("r1 1".into(), "pi_2".into(), 13_000)];
    assert_eq!(refunds(&events)[1..], both);
    assert_eq!(given(&events).kept_cents(), 0);

    // More than the second charge was cannot be disputed of it, and what is lost of it is lost of what it paid.
    let of_second =
        |amount_cents| Dispute { id: "dp_2".into(), charge: "pi_2".into(), ..whole_dispute(amount_cents) };
    let state = given(&events);
    assert_eq!(record_dispute(&state, &of_second(13_001)).unwrap_err().reason, "AMOUNT_DIFFERS");
    then(&mut events, record_dispute(&state, &of_second(13_000)));
    assert_eq!(refunds(&events).len(), 2, "those of the first charge go on");
    // An event from before it was kept goes back from the charge that paid the part.
    let mut before = package_paid();
    let mut ended = end_fee(&given(&before), "r3", "f3", Fate::Refund, "acceptance_voided").unwrap();
    let [Event::RefundStarted(started)] = ended.as_mut_slice() else { panic!("{ended:?}") };
    started.processor_charge.clear();
    before.extend(ended);
    assert_eq!(refunds(&before), [("r3".into(), "pi_1".into(), 12_000)]);
}

#[test]
fn what_is_returned_is_owed_by_part_and_of_a_voided_filing_no_more() {
    let mut events = package_paid();
    let state = given(&events);
    then(&mut events, end_fee(&state, "f3", "f3", Fate::Refund, "filing_rejected"));
    let state = given(&events);
    then(&mut events, Ok(issue_refund(&state, "f3", "re_1")));
    let state = given(&events);
    assert_eq!(record_dispute(&state, &whole_dispute(83_001)).unwrap_err().reason, "AMOUNT_DIFFERS");
    then(&mut events, record_dispute(&state, &whole_dispute(71_000)));
    let Some(Event::PaymentReturned(returned)) = events.last() else { panic!("not returned: {events:?}") };
    assert_eq!(shares(&returned.parts), [("f1", 71_000)], "neither what went back nor what cost nothing");
    assert_eq!(returned.filing_ids, ["f1"]);

    let mut events = package_paid();
    let state = given(&events);
    then(&mut events, record_dispute(&state, &whole_dispute(83_000)));
    let state = given(&events);
    assert_eq!(state.due_cents(), 83_000);
    then(&mut events, end_fee(&state, "r", "f1", Fate::NotHonoured, "acceptance_voided"));
    let state = given(&events);
    assert_eq!((state.due_cents(), state.cancelled()), (12_000, false));
    then(&mut events, attempt(&state, "b"));
    let state = given(&events);
    let good = Charge { reference: "pi_2".into(), ..charge(12_000) };
    then(&mut events, settle(&state, "b", &good, 9, late));
    let Some(Event::PaymentMadeGood(made_good)) = events.last() else { panic!("owed still: {events:?}") };
    assert_eq!((shares(&made_good.parts), given(&events).kept_cents()), (vec![("f3", 12_000)], 12_000));
    assert_eq!(attempt(&given(&events), "c").unwrap_err().reason, "ALREADY_PAID");
}

#[test]
fn of_a_charge_that_comes_late_only_what_is_owed_no_more_goes_back() {
    let mut events = package_paid();
    let state = given(&events);
    then(&mut events, record_dispute(&state, &whole_dispute(83_000)));
    let state = given(&events);
    then(&mut events, attempt(&state, "b"));
    let state = given(&events);
    then(&mut events, end_fee(&state, "r", "f3", Fate::NotHonoured, "acceptance_voided"));
    let state = given(&events);
    let good = Charge { reference: "pi_2".into(), ..charge(83_000) };
    let settled = settle(&state, "b", &good, 9, late);
    assert_eq!(then(&mut events, settled), ["payment.made_good.v1", "payment.refund_started.v1"]);
    let state = given(&events);
    let refund = &state.refunds[0];
    assert_eq!(
        (refund.refund_id.as_str(), refund.filing_id.as_str(), refund.amount_cents),
        ("late 0", "f3", 12_000)
    );
    assert_eq!((state.kept_cents(), state.due_cents()), (71_000, 0));
}

#[test]
fn a_loss_leaves_a_refund_under_way_alone_as_long_as_it_can() {
    let mut events = package_paid();
    let state = given(&events);
    then(&mut events, end_fee(&state, "r", "f1", Fate::Refund, "filing_rejected"));
    let state = given(&events);
    let small = record_dispute(&state, &whole_dispute(12_000)).unwrap();
    assert_eq!(kinds(Ok(small)), ["payment.disputed.v1", "payment.returned.v1"]);
    then(&mut events, record_dispute(&state, &whole_dispute(13_000)));
    let state = given(&events);
    let refund = &state.refunds[0];
    assert_eq!((state.refunds.len(), refund.refund_id.as_str(), refund.amount_cents), (1, "rest", 70_000));
    assert_eq!((state.due_cents(), state.kept_cents()), (12_000, 0));
}

#[test]
fn a_payment_from_before_packages_held_several_filings_has_one_part() {
    let mut events = paid();
    let mut lost = record_dispute(&given(&events), &dispute(Standing::Lost)).unwrap();
    if let Some(Event::PaymentReturned(returned)) = lost.last_mut() {
        returned.parts.clear();
    }
    events.extend(lost);
    let state = given(&events);
    assert_eq!((state.parts.len(), state.due_cents(), state.kept_cents()), (1, 71_000, 0));
    let good =
        PaymentMadeGood { filing_ids: vec!["f".into()], amount_cents: 71_000, ..PaymentMadeGood::default() };
    events.push(Event::PaymentMadeGood(good));
    assert_eq!((given(&events).due_cents(), given(&events).kept_cents()), (0, 71_000));
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

#[test]
fn what_is_kept_of_a_fee_is_borne_by_the_first_charges_and_stays_kept() {
    let end = |state: &Payment, cents| end_fee(state, "r", "f", Fate::RefundBut(cents), "filing_rejected");
    let going = |events: Vec<Event>| -> Vec<(String, i64)> {
        let started = |event| {
            let Event::RefundStarted(started) = event else { return None };
            Some((started.processor_charge, started.amount_cents))
        };
        events.into_iter().filter_map(started).collect()
    };
    assert_eq!(going(end(&given(&paid()), 10_000).unwrap()), [("pi_1".to_owned(), 61_000)]);
    assert_eq!(going(end(&given(&paid()), 0).unwrap()), [("pi_1".to_owned(), 71_000)]);
    for all in [71_000, 99_000] {
        assert_eq!(kinds(end(&given(&paid()), all)), ["payment.fee_cancelled.v1"], "nothing goes back");
    }

    // The bank takes a part of it while the rest is on its way: no more goes back than was to.
    let mut events = paid();
    events.extend(end(&given(&events), 10_000).unwrap());
    let dispute = |standing| Dispute {
        id: "dp".into(),
        charge: "pi_1".into(),
        processor: "card".into(),
        amount_cents: 4_000,
        reason: "insufficient_funds".into(),
        standing,
    };
    for standing in [Standing::Open, Standing::Lost] {
        events.extend(record_dispute(&given(&events), &dispute(standing)).unwrap());
    }
    let state = given(&events);
    assert_eq!((state.kept_cents(), state.owed_cents()), (6_000, 0));
    assert_eq!(state.refunds.iter().map(|refund| refund.amount_cents).collect::<Vec<_>>(), [61_000]);
}

#[test]
fn what_was_kept_of_a_rejected_filing_and_is_not_honoured_later_is_owed_by_nobody() {
    for fate in [Fate::Keep, Fate::RefundBut(12_000), Fate::RefundBut(5_000)] {
        let mut events = package_paid();
        let ended = end_fee(&given(&events), "r", "f3", fate, "filing_rejected").unwrap();
        let [Event::FeeCancelled(kept), ..] = ended.as_slice() else { panic!("{ended:?}") };
        assert_eq!((kept.filing_id.as_str(), kept.amount_cents), ("f3", 0));
        events.extend(ended);
        let state = given(&events);
        assert!(end_fee(&state, "r2", "f3", fate, "filing_rejected").unwrap().is_empty(), "once");
        assert_eq!((state.due_cents(), state.cancelled()), (0, false), "what is kept is kept");

        // The bank takes all of it back: only the other filing's is to be paid.
        let returned = record_dispute(&state, &whole_dispute(83_000)).unwrap();
        events.extend(returned);
        let state = given(&events);
        assert_eq!((state.due_cents(), state.part("f3").unwrap().owed_cents), (71_000, 0), "{fate:?}");
        assert_eq!(shares(&state.due_shares()), [("f1", 71_000)]);
    }
    // Of what was rejected alone nothing is left.
    let mut events = paid();
    events.extend(end_fee(&given(&events), "r", "f", Fate::Keep, "filing_rejected").unwrap());
    events.extend(record_dispute(&given(&events), &dispute(Standing::Lost)).unwrap());
    let state = given(&events);
    assert!(state.cancelled() && state.due_cents() == 0);
}
