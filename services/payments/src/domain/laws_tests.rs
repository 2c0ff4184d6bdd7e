//! Laws over random lives of quotes and payments: what is decided folds, and what was ever written still does.
use super::payment::{self, Charge, Dispute, Fate, Payment, Payments, Standing};
use super::posting::postings;
use super::quote::{Quote, Quotes, quote};
use docket_eventlog::Aggregate;
use docket_kernel::Refusal;
use docket_proto::events::payment::Event;
use docket_proto::events::quote::Event as QuoteEvent;
use docket_proto::payments::events::v1::{FeePart, FeeQuoted, PaymentOpened, fee_settled::Settlement};
use docket_testkit::evolution::{Fold, owns};
use proptest::prelude::*;
use std::collections::BTreeMap;

const PAYMENT: Fold<Event, Payment> = Fold {
    evolve: Payments::evolve,
    seen: |payment| payment,
    life: &[
        "payment.opened.v1",
        "payment.withdrawn.v1",
        "payment.opened.v1",
        "payment.attempted.v1",
        "payment.fee_refused.v1",
        "payment.attempted.v1",
        "payment.fee_settled.v1",
        "payment.disputed.v1",
        "payment.dispute_won.v1",
        "payment.returned.v1",
        "payment.payer_invited.v1",
        "payment.made_good.v1",
        "payment.refund_started.v1",
        "payment.refund_issued.v1",
        "payment.refund_failed.v1",
        "payment.fee_cancelled.v1",
        "payment.money_unexplained.v1",
        "payment.money_explained.v1",
    ],
    changes_nothing: &[],
};

const QUOTE: Fold<QuoteEvent, Quote> = Fold {
    evolve: Quotes::evolve,
    seen: |quote| quote,
    life: &["quote.fee_quoted.v1"],
    changes_nothing: &[],
};

/// A command with whatever a caller or the processor may send.
#[derive(Debug, Clone)]
enum Command {
    Open(Vec<i64>),
    Attempt { n: u8, fees_changed: bool },
    Withdraw,
    WithdrawUnpaid,
    Refuse(u8),
    Settle(u8, Amount),
    EndFee { filing: u8, time: u8, fate: Fate },
    IssueRefund(u8),
    FailRefund(u8),
    GivenBack(u8),
    CameBack(u8),
    Dispute(u8, Standing, Amount),
    Invite,
}

/// An amount as the processor says it.
#[derive(Debug, Clone, Copy)]
enum Amount {
    /// What was asked for, or all that is left.
    Whole,
    /// Something else, in cents.
    Other(i64),
}

fn fate() -> impl Strategy<Value = Fate> {
    prop::sample::select(&[Fate::Refund, Fate::RefundBut(10_000), Fate::Keep, Fate::NotHonoured][..])
}

fn standing() -> impl Strategy<Value = Standing> {
    prop::sample::select(&[Standing::Open, Standing::Won, Standing::Lost][..])
}

fn amount() -> impl Strategy<Value = Amount> {
    prop_oneof![5 => Just(Amount::Whole), 1 => prop::sample::select(&[0, 500, 13_000][..]).prop_map(Amount::Other)]
}

/// Packages of one to four filings, some of which cost nothing.
fn command() -> impl Strategy<Value = Command> {
    let cents = prop::sample::select(&[0, 71_000, 71_000, 12_000, 500][..]);
    prop_oneof![
        2 => prop::collection::vec(cents, 1..5).prop_map(Command::Open),
        3 => (0..2_u8, prop::bool::weighted(0.1)).prop_map(|(n, fees_changed)| Command::Attempt { n, fees_changed }),
        1 => Just(Command::Withdraw),
        1 => Just(Command::WithdrawUnpaid),
        1 => (0..2_u8).prop_map(Command::Refuse),
        3 => (0..2_u8, amount()).prop_map(|(attempt, amount)| Command::Settle(attempt, amount)),
        3 => (0..4_u8, 0..2_u8, fate()).prop_map(|(filing, time, fate)| Command::EndFee { filing, time, fate }),
        3 => (0..3_u8, standing(), amount()).prop_map(|(n, standing, amount)| Command::Dispute(n, standing, amount)),
        1 => Just(Command::Invite),
        2 => (0..4_u8).prop_map(Command::IssueRefund),
        1 => (0..4_u8).prop_map(Command::FailRefund),
        1 => (0..4_u8).prop_map(Command::GivenBack),
        1 => (0..4_u8).prop_map(Command::CameBack),
    ]
}

fn opened(cents: &[i64]) -> PaymentOpened {
    let parts: Vec<FeePart> = (0..)
        .zip(cents)
        .map(|(n, amount_cents): (u8, &i64)| FeePart {
            filing_id: format!("filing {n}"),
            quote_id: format!("quote {n}"),
            amount_cents: *amount_cents,
        })
        .collect();
    PaymentOpened {
        amount_cents: cents.iter().sum(),
        filing_ids: parts.iter().map(|part| part.filing_id.clone()).collect(),
        parts,
        ..PaymentOpened::default()
    }
}

fn decide(state: &Payment, command: &Command) -> Result<Vec<Event>, Refusal> {
    let of = |amount: &Amount, whole: i64| match amount {
        Amount::Whole => whole,
        Amount::Other(cents) => *cents,
    };
    match command {
        Command::Open(cents) => payment::open(state, opened(cents), 1),
        Command::Attempt { n, fees_changed } => {
            let changed = (*fees_changed).then(|| ("quote 0".to_owned(), "I-765".to_owned()));
            payment::attempt(state, (&format!("attempt {n}"), ""), &changed.into_iter().collect())
        }
        Command::Withdraw => payment::withdraw(state),
        Command::WithdrawUnpaid => Ok(payment::withdraw_unpaid(state, "2026-11-23")),
        Command::Refuse(n) => payment::refuse(state, &format!("attempt {n}"), "expired_card"),
        Command::Settle(n, amount) => {
            let charge = Charge {
                reference: format!("pi_{}", state.charges.len()),
                processor: format!("processor {}", state.charges.len()),
                amount_cents: of(amount, state.pending.as_ref().map_or(0, |pending| pending.amount_cents)),
                card_brand: "visa".into(),
                card_last4: "4242".into(),
            };
            let attempt = format!("attempt {n}");
            let settled = payment::settle(state, &attempt, &charge, 2, |nth| format!("late {n}/{nth}"));
            settled
                .or_else(|refusal| Ok(payment::unexpected_charge(state, &attempt, &charge, refusal.reason)))
        }
        Command::EndFee { filing, time, fate } => payment::end_fee(
            state,
            |nth| format!("refund {filing}/{time}/{nth}"),
            &format!("filing {filing}"),
            *fate,
            "",
        ),
        Command::Dispute(n, standing, amount) => {
            let charge = format!("pi_{}", n % 2);
            let dispute = Dispute {
                id: format!("dp_{n}"),
                amount_cents: of(amount, state.disputable_of_cents(&charge)),
                processor: state.processor_of(&charge).to_owned(),
                charge,
                reason: String::new(),
                standing: *standing,
            };
            let recorded = payment::record_dispute(state, &dispute, &format!("rest {n}"));
            recorded.or_else(|refusal| Ok(payment::misfit(state, &dispute, refusal.reason)))
        }
        Command::Invite => payment::invite(state, "code", b"hash", 1),
        // The processor gives nothing back that it holds.
        Command::IssueRefund(_) if state.held_cents() > 0 => Ok(Vec::new()),
        Command::IssueRefund(n) => match state.refunds.get(usize::from(*n)) {
            Some(refund) => Ok(payment::issue_refund(state, &refund.refund_id, "re_1")),
            None => Ok(Vec::new()),
        },
        Command::FailRefund(n) => Ok(state.refunds.get(usize::from(*n)).map_or_else(Vec::new, |refund| {
            let reference = format!("re_{}", refund.came_back);
            payment::fail_refund(state, &refund.refund_id, (&reference, ""), None)
        })),
        Command::GivenBack(n) => Ok(payment::given_back(state, &format!("pi_{n}"))),
        Command::CameBack(n) => Ok(payment::came_back(state, &format!("pi_{n}"))),
    }
}

/// No money twice, none that was not asked for, none back that did not come.
fn holds(before: &Payment, event: &Event, after: &Payment) {
    match event {
        Event::PaymentOpened(opened) => {
            assert!(before.pending.is_none() && before.settled.is_none() && before.charged_cents == 0);
            assert_ne!(before.opened.as_ref(), Some(opened));
            assert!(after.invitations.is_empty());
        }
        Event::PaymentWithdrawn(_) => {
            assert!(before.pending.is_none() && before.settled.is_none() && before.charged_cents == 0);
            assert!(after.due_cents() == 0 && after.parts.is_empty() && after.invitations.is_empty());
            assert_eq!(after.last_opened(), before.opened.as_ref());
        }
        Event::PaymentAttempted(_) => assert!(before.pending.is_none() && before.due_cents() > 0),
        Event::FeeRefused(refused) => {
            assert_eq!(before.pending.as_ref().unwrap().attempt_id, refused.attempt_id);
        }
        Event::FeeSettled(settled) => {
            let opened = before.opened.as_ref().unwrap();
            assert!(before.settled.is_none() && after.pending.is_none());
            assert_eq!(
                (settled.amount_cents, &settled.filing_ids),
                (opened.amount_cents, &opened.filing_ids)
            );
        }
        Event::RefundStarted(started) => {
            assert_eq!(before.settled.as_ref().unwrap().settlement(), Settlement::Paid);
            let others = before.refunds.iter().filter(|known| known.filing_id == started.filing_id);
            // Only a charge that comes late is given back of a filing of which something went back; else each charge by itself.
            let (id, mut others) = (&started.refund_id, others);
            let again = id.starts_with("late") || id.starts_with("refund") && !id.ends_with("/0");
            assert!(again || others.next().is_none(), "twice: {started:?}");
            let paid = before.part(&started.filing_id).unwrap().paid.iter();
            let by_it = paid.filter(|paid| paid.charge == started.processor_charge).map(|paid| paid.cents);
            assert!(by_it.sum::<i64>() >= started.amount_cents, "from where it came: {started:?}");
            assert_eq!(started.processor, before.processor_of(&started.processor_charge));
            nothing_of_others_changes(before, after, &started.filing_id);
        }
        Event::RefundIssued(issued) => {
            assert!(
                before.refunds.iter().any(|refund| refund.refund_id == issued.refund_id && !refund.issued)
            );
            assert_eq!(before.parts, after.parts);
        }
        Event::RefundFailed(failed) => {
            let known = |refund: &&payment::Refund| refund.refund_id == failed.refund_id;
            assert_eq!(before.refunds.iter().find(known).unwrap().issued, failed.was_issued);
            assert_eq!(before.parts, after.parts);
        }
        Event::MoneyUnexplained(money) => {
            assert!(!before.charges.contains_key(&money.reference), "{money:?}");
            let known = before.unexplained.get(&money.reference);
            assert!(known.is_none_or(payment::Unexplained::was_given_back), "{money:?}");
            assert_eq!((before.due_cents(), before.kept_cents()), (after.due_cents(), after.kept_cents()));
        }
        Event::MoneyExplained(money) => {
            let known = &before.unexplained[&money.reference];
            assert!(known.is_open() && known.amount_cents == money.amount_cents, "{money:?}");
        }
        Event::PayerInvited(_) => assert!(before.due_cents() > 0),
        Event::PaymentDisputed(disputed) => {
            assert!(disputed.amount_cents <= before.disputable_cents());
        }
        Event::DisputeWon(won) => assert_eq!(before.disputes[&won.dispute_id].standing, Standing::Open),
        Event::PaymentReturned(returned) => {
            assert_eq!(before.disputes[&returned.dispute_id].standing, Standing::Open);
            assert_eq!(returned.amount_cents, before.disputes[&returned.dispute_id].amount_cents);
            adds_up(&returned.parts, &returned.filing_ids, returned.amount_cents);
        }
        Event::PaymentMadeGood(made_good) => {
            assert_eq!(made_good.amount_cents, before.pending.as_ref().unwrap().amount_cents);
            adds_up(&made_good.parts, &made_good.filing_ids, made_good.amount_cents);
        }
        Event::FeeCancelled(cancelled) => {
            let owed = |payment: &Payment| payment.part(&cancelled.filing_id).unwrap().owed_cents;
            assert_eq!((owed(before), owed(after)), (cancelled.amount_cents, 0));
            nothing_of_others_changes(before, after, &cancelled.filing_id);
        }
    }
    assert!(after.kept_cents() >= 0, "more went than came: {after:?}");
    assert!(after.owed_cents() >= 0 && after.held_cents() >= 0);
    assert!(after.refunded_cents() <= after.charged_cents);
    each_part_is_whole(after);
    the_ledger_says_the_same(before, event, after);
}

fn adds_up(parts: &[FeePart], filings: &[String], amount_cents: i64) {
    assert_eq!(parts.iter().map(|part| part.amount_cents).sum::<i64>(), amount_cents, "{parts:?}");
    assert!(parts.iter().all(|part| part.amount_cents > 0), "{parts:?}");
    assert!(parts.iter().map(|part| &part.filing_id).eq(filings), "{parts:?} of {filings:?}");
}

fn nothing_of_others_changes(before: &Payment, after: &Payment, filing_id: &str) {
    for (was, is) in before.parts.iter().zip(&after.parts) {
        assert!(was.filing_id == filing_id || was == is, "{was:?} became {is:?}");
    }
}

/// What is kept, owed, and back or on its way back of a filing is never more than it costs.
fn each_part_is_whole(payment: &Payment) {
    let mut kept_cents = 0;
    for part in &payment.parts {
        let back = payment.refunds.iter().filter(|refund| refund.filing_id == part.filing_id);
        let back: i64 = back.map(|refund| refund.amount_cents).sum();
        assert!(part.kept_cents >= 0 && part.owed_cents >= 0, "{part:?}");
        assert!(part.kept_cents + part.owed_cents + back <= part.amount_cents, "{part:?}, {back} back");
        assert_eq!(part.paid.iter().map(|paid| paid.cents).sum::<i64>(), part.kept_cents, "{part:?}");
        kept_cents += part.kept_cents;
    }
    assert_eq!(kept_cents, payment.kept_cents());
}

/// The ledger's accounts, as the fold has them: the processor's debt, what it holds, what is owed again, what was received.
fn accounts(payment: &Payment) -> BTreeMap<&'static str, i64> {
    let (here, held, owed) = (payment.disputable_cents(), payment.held_cents(), payment.owed_cents());
    let received = -(here + held + owed);
    let sum = |hows: &[Option<&str>]| -> i64 {
        let such = payment.unexplained.values().filter(|money| hows.contains(&money.how.as_deref()));
        such.map(|money| money.amount_cents).sum()
    };
    let (unexplained, lost) = (sum(&[None, Some("offset")]), sum(&[Some("lost")]));
    BTreeMap::from([
        ("processor_receivable", here + unexplained + lost),
        ("unexplained", -unexplained),
        ("losses", -lost),
        ("disputed", held),
        ("fees_owed", owed),
        ("fees_received", received),
    ])
}

fn the_ledger_says_the_same(before: &Payment, event: &Event, after: &Payment) {
    let mut booked = accounts(before);
    for (from, to, amount_cents) in postings(event, after) {
        assert!(amount_cents > 0);
        *booked.get_mut(from).unwrap() -= amount_cents;
        *booked.get_mut(to).unwrap() += amount_cents;
    }
    assert_eq!(booked.values().sum::<i64>(), 0);
    assert_eq!(booked, accounts(after), "after {event:?}");
}

#[test]
fn the_events_of_this_service_fold() {
    owns("docket.payments.events.v1", &["payment", "quote"], &[]);
    PAYMENT.every_golden_folds();
    QUOTE.every_golden_folds();
}

#[test]
fn any_events_of_a_payment_or_quote_obey_the_laws_of_a_fold() {
    PAYMENT.any_events_obey_the_laws();
    QUOTE.any_events_obey_the_laws();
}

#[test]
fn whatever_is_decided_for_a_payment_folds() {
    PAYMENT.decided_lives(&[], command(), decide, holds);
}

#[test]
fn whatever_is_decided_for_a_quote_folds() {
    let quoted = |cents: &i64| FeeQuoted { total_cents: *cents, ..FeeQuoted::default() };
    QUOTE.decided_lives(
        &[],
        any::<i64>(),
        |state, cents| quote(state, quoted(cents)),
        |before, _, after| assert!(before.quoted.is_none() && after.quoted.is_some()),
    );
}
