//! Laws over random lives of quotes and payments: what is decided folds, and what was ever written still does.
use super::payment::{self, Charge, Dispute, Fate, Payment, Payments, Standing};
use super::quote::{Quote, Quotes, quote};
use docket_eventlog::Aggregate;
use docket_kernel::Refusal;
use docket_proto::events::payment::Event;
use docket_proto::events::quote::Event as QuoteEvent;
use docket_proto::payments::events::v1::{FeeQuoted, PaymentOpened, fee_settled::Settlement};
use docket_testkit::evolution::{Fold, owns};
use proptest::prelude::*;

const PAYMENT: Fold<Event, Payment> = Fold {
    evolve: Payments::evolve,
    seen: |payment| payment,
    life: &[
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
        "payment.fee_cancelled.v1",
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
    Open { cents: i64, filings: u8 },
    Attempt(u8),
    Refuse(u8),
    Settle(u8, i64),
    EndFee(u8, Fate),
    IssueRefund(u8),
    Dispute(u8, Standing, i64),
    Invite,
}

fn fate() -> impl Strategy<Value = Fate> {
    prop::sample::select(&[Fate::Refund, Fate::Keep, Fate::NotHonoured][..])
}

fn standing() -> impl Strategy<Value = Standing> {
    prop::sample::select(&[Standing::Open, Standing::Won, Standing::Lost][..])
}

fn command() -> impl Strategy<Value = Command> {
    let cents = || prop::sample::select(&[0, 71_000, 71_000, 71_000, 500][..]);
    prop_oneof![
        1 => (cents(), 1..3_u8).prop_map(|(cents, filings)| Command::Open { cents, filings }),
        2 => (0..2_u8).prop_map(Command::Attempt),
        1 => (0..2_u8).prop_map(Command::Refuse),
        2 => (0..2_u8, cents()).prop_map(|(attempt, cents)| Command::Settle(attempt, cents)),
        1 => (0..3_u8, fate()).prop_map(|(refund, fate)| Command::EndFee(refund, fate)),
        2 => (0..3_u8, standing(), cents()).prop_map(|(n, standing, cents)| Command::Dispute(n, standing, cents)),
        1 => Just(Command::Invite),
        2 => (0..3_u8).prop_map(Command::IssueRefund),
    ]
}

fn decide(state: &Payment, command: &Command) -> Result<Vec<Event>, Refusal> {
    match command {
        Command::Open { cents, filings } => {
            let filing_ids = (0..*filings).map(|n| format!("filing {n}")).collect();
            let opened = PaymentOpened { amount_cents: *cents, filing_ids, ..PaymentOpened::default() };
            payment::open(state, opened, 1)
        }
        Command::Attempt(n) => payment::attempt(state, &format!("attempt {n}")),
        Command::Refuse(n) => payment::refuse(state, &format!("attempt {n}"), "expired_card"),
        Command::Settle(n, amount_cents) => {
            let charge = Charge {
                reference: format!("pi_{n}"),
                amount_cents: *amount_cents,
                card_brand: "visa".into(),
                card_last4: "4242".into(),
            };
            payment::settle(state, &format!("attempt {n}"), &charge, 2, &format!("late {n}"))
        }
        Command::EndFee(n, fate) => payment::end_fee(state, &format!("refund {n}"), "filing 0", *fate, ""),
        Command::Dispute(n, standing, amount_cents) => {
            let dispute = Dispute {
                id: format!("dp_{n}"),
                charge: format!("pi_{}", n % 2),
                amount_cents: *amount_cents,
                reason: String::new(),
                standing: *standing,
            };
            payment::record_dispute(state, &dispute)
        }
        Command::Invite => payment::invite(state, "code", b"hash", 1),
        // The processor gives nothing back that it holds.
        Command::IssueRefund(_) if state.held_cents() > 0 => Ok(Vec::new()),
        Command::IssueRefund(n) => payment::issue_refund(state, &format!("refund {n}"), "re_1"),
    }
}

/// No money twice, none that was not asked for, none back that did not come.
fn holds(before: &Payment, event: &Event, after: &Payment) {
    match event {
        Event::PaymentOpened(_) => assert!(before.opened.is_none()),
        Event::PaymentAttempted(_) => assert!(before.pending.is_none() && before.due_cents() > 0),
        Event::FeeRefused(refused) => {
            assert_eq!(before.pending.as_ref().unwrap().attempt_id, refused.attempt_id);
        }
        Event::FeeSettled(settled) => {
            assert!(before.settled.is_none() && after.pending.is_none());
            assert_eq!(settled.amount_cents, before.opened.as_ref().unwrap().amount_cents);
        }
        Event::RefundStarted(_) => {
            assert_eq!(before.settled.as_ref().unwrap().settlement(), Settlement::Paid);
        }
        Event::RefundIssued(issued) => {
            assert!(
                before.refunds.iter().any(|refund| refund.refund_id == issued.refund_id && !refund.issued)
            );
        }
        Event::PayerInvited(_) => assert!(before.due_cents() > 0),
        Event::PaymentDisputed(disputed) => {
            assert!(disputed.amount_cents <= before.disputable_cents());
        }
        Event::DisputeWon(won) => assert_eq!(before.disputes[&won.dispute_id].standing, Standing::Open),
        Event::PaymentReturned(returned) => {
            assert_eq!(before.disputes[&returned.dispute_id].standing, Standing::Open);
            assert_eq!(returned.amount_cents, before.disputes[&returned.dispute_id].amount_cents);
        }
        Event::PaymentMadeGood(made_good) => {
            assert_eq!(made_good.amount_cents, before.pending.as_ref().unwrap().amount_cents);
        }
        Event::FeeCancelled(_) => assert!(before.owed_cents > 0 && after.due_cents() == 0),
    }
    assert!(after.kept_cents() >= 0, "more went than came: {after:?}");
    assert!(after.owed_cents >= 0 && after.held_cents() >= 0);
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
    let decided = PAYMENT.decided_lives(command(), decide, holds);
    assert_eq!(decided.len(), 12, "{decided:?}");
}

#[test]
fn whatever_is_decided_for_a_quote_folds() {
    let quoted = |cents: &i64| FeeQuoted { total_cents: *cents, ..FeeQuoted::default() };
    let decided = QUOTE.decided_lives(
        any::<i64>(),
        |state, cents| quote(state, quoted(cents)),
        |before, _, after| assert!(before.quoted.is_none() && after.quoted.is_some()),
    );
    assert_eq!(decided.len(), 1, "{decided:?}");
}
