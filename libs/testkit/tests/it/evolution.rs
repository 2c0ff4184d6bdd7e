//! The laws of folds catch folds that break them.

use std::cell::Cell;

use docket_proto::events::payment::Event as Payment;
use docket_proto::events::thread::Event;
use docket_proto::payments::events::v1::{
    FeeCancelled, FeeSettled, PaymentDisputed, PaymentOpened, RefundIssued, RefundStarted,
};
use docket_testkit::evolution::{Fold, check, owns};
use proptest::prelude::*;

/// Whether a conversation was begun, and its messages.
type Thread = (bool, u64);

fn thread((begun, messages): Thread, event: &Event) -> Thread {
    match event {
        Event::ThreadStarted(_) => (true, messages),
        Event::MessageSent(_) => (begun, messages + 1),
    }
}

const SOUND: Fold<Event, Thread> = Fold {
    evolve: thread,
    seen: |thread| thread,
    life: &["thread.started.v1", "thread.message_sent.v1"],
    changes_nothing: &[],
};

#[test]
fn a_sound_fold_keeps_the_laws() {
    SOUND.every_golden_folds();
    SOUND.any_events_obey_the_laws();
}

#[test]
#[should_panic(expected = "thread.message_sent.v1: does it change the state?")]
fn a_fold_that_forgets_an_event_is_caught() {
    let forgets = |(begun, messages): Thread, event: &Event| match event {
        Event::ThreadStarted(_) => (true, messages),
        Event::MessageSent(_) => (begun, messages),
    };
    Fold { evolve: forgets, ..SOUND }.every_golden_folds();
}

#[test]
#[should_panic(expected = "thread.started.v1: does it change the state?")]
fn an_event_said_to_change_nothing_that_does_is_caught() {
    Fold { changes_nothing: &["thread.started.v1"], ..SOUND }.every_golden_folds();
}

thread_local!(static FOLDED: Cell<u64> = const { Cell::new(0) });

#[test]
#[should_panic(expected = "differs")]
fn a_fold_with_a_memory_beside_its_state_is_caught() {
    let remembers = |(begun, _): Thread, _: &Event| {
        FOLDED.set(FOLDED.get() + 1);
        (begun, FOLDED.get())
    };
    Fold { evolve: remembers, ..SOUND }.any_events_obey_the_laws();
}

#[test]
#[should_panic(expected = "overflow")]
#[expect(clippy::wildcard_enum_match_arm, reason = "a few events are enough to go wrong")]
fn a_fold_that_panics_at_the_edge_of_a_number_is_caught() {
    // Several kinds, so that no seed misses the edges in all of them.
    let adds = |sum: i64, event: &Payment| match event {
        Payment::PaymentOpened(PaymentOpened { amount_cents, .. })
        | Payment::FeeSettled(FeeSettled { amount_cents, .. })
        | Payment::RefundStarted(RefundStarted { amount_cents, .. })
        | Payment::RefundIssued(RefundIssued { amount_cents, .. })
        | Payment::PaymentDisputed(PaymentDisputed { amount_cents, .. })
        | Payment::FeeCancelled(FeeCancelled { amount_cents, .. }) => sum + amount_cents.abs(),
        _ => sum,
    };
    let fold = Fold { evolve: adds, seen: |sum| sum, life: &[], changes_nothing: &[] };
    fold.any_events_obey_the_laws();
}

#[test]
#[should_panic(expected = "DOCKET_SEED=")]
fn a_failure_names_the_seed() {
    check(&any::<u8>(), |number| assert!(number < 3));
}

#[test]
#[should_panic(expected = "not those with a fold or a reason")]
fn a_category_that_nobody_folds_is_caught() {
    owns("docket.payments.events.v1", &["payment"], &[]);
}
