//! Laws over random lives of quotes and payments: what is decided folds, and what was ever written still does.
use super::payment::{self, Charge, Payment, Payments};
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
        "payment.refund_started.v1",
        "payment.refund_issued.v1",
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
    StartRefund(u8),
    IssueRefund(u8),
}

fn command() -> impl Strategy<Value = Command> {
    let cents = || prop::sample::select(&[0, 71_000, 71_000, 71_000, 500][..]);
    prop_oneof![
        1 => (cents(), 1..3_u8).prop_map(|(cents, filings)| Command::Open { cents, filings }),
        2 => (0..2_u8).prop_map(Command::Attempt),
        1 => (0..2_u8).prop_map(Command::Refuse),
        2 => (0..2_u8, cents()).prop_map(|(attempt, cents)| Command::Settle(attempt, cents)),
        2 => (0..3_u8).prop_map(Command::StartRefund),
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
                reference: "pi_1".into(),
                amount_cents: *amount_cents,
                card_brand: "visa".into(),
                card_last4: "4242".into(),
            };
            payment::settle(state, &format!("attempt {n}"), &charge, 2)
        }
        Command::StartRefund(n) => payment::start_refund(state, &format!("refund {n}"), "filing 0"),
        Command::IssueRefund(n) => payment::issue_refund(state, &format!("refund {n}"), "re_1"),
    }
}

/// No money twice, none that was not asked for, none back that did not come.
fn holds(before: &Payment, event: &Event, after: &Payment) {
    match event {
        Event::PaymentOpened(_) => assert!(before.opened.is_none()),
        Event::PaymentAttempted(_) => assert!(before.pending.is_none() && before.settled.is_none()),
        Event::FeeRefused(refused) => assert_eq!(before.pending.as_ref(), Some(&refused.attempt_id)),
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
    }
    let back: i64 = after.refunds.iter().map(|refund| refund.amount_cents).sum();
    assert!(back <= after.settled.as_ref().map_or(0, |settled| settled.amount_cents));
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
    assert_eq!(decided.len(), 6, "{decided:?}");
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
