//! Timers and obligations, which live beside the events.

use docket_eventlog::{Context, Obligation, Timer};
use docket_kernel::Clock;
use jiff::SignedDuration;

use super::fixture::{Fixture, Handle};

fn timer<F: Fixture>(f: &F, minutes: i64) -> Timer {
    Timer::new("response:1", "response_due", f.clock().now() + SignedDuration::from_mins(minutes), vec![1])
}

async fn set<F: Fixture>(f: &F, timer: &Timer) {
    let mut tx = docket_database::begin(f.pool()).await.unwrap();
    f.log().timers().schedule_in(&mut tx, timer).await.unwrap();
    tx.commit().await.unwrap();
}

fn owed<F: Fixture>(f: &F, key: &str, minutes: i64) -> Obligation {
    let due_at = f.clock().now() + SignedDuration::from_mins(minutes);
    Obligation {
        kind: "receipt_notice".to_owned(),
        key: key.to_owned(),
        owner: "notifications".to_owned(),
        due_at,
    }
}

async fn owe<F: Fixture>(f: &F, obligation: &Obligation) {
    let mut tx = docket_database::begin(f.pool()).await.unwrap();
    f.log().obligations().open_in(&mut tx, obligation).await.unwrap();
    tx.commit().await.unwrap();
}

pub(super) async fn a_timer_is_due_at_its_instant<F: Fixture>(f: &F) {
    let timer = timer(f, 10);
    set(f, &timer).await;
    let before = timer.due_at - SignedDuration::from_micros(1);
    assert_eq!(f.log().timers().due(before, None, 10).await.unwrap(), []);
    assert_eq!(f.handle().due(before).await.unwrap(), []);
    assert_eq!(f.handle().due(timer.due_at).await.unwrap(), std::slice::from_ref(&timer));
    assert_eq!(f.handle().next_due().await.unwrap(), Some(timer.due_at));
    assert_eq!(f.log().timers().due(timer.due_at, None, 10).await.unwrap(), std::slice::from_ref(&timer));
    assert_eq!(f.log().timers().next_due().await.unwrap(), Some(timer.due_at));
}

pub(super) async fn a_timer_set_again_is_moved<F: Fixture>(f: &F) {
    let (early, late) = (timer(f, 10), timer(f, 20));
    set(f, &early).await;
    set(f, &late).await;
    assert_eq!(f.log().timers().due(early.due_at, None, 10).await.unwrap(), []);
    assert_eq!(f.log().timers().due(late.due_at, None, 10).await.unwrap(), [late]);
}

pub(super) async fn a_timer_cancelled_is_gone<F: Fixture>(f: &F) {
    set(f, &timer(f, 10)).await;
    let mut tx = docket_database::begin(f.pool()).await.unwrap();
    assert!(f.log().timers().cancel_in(&mut tx, "response:1").await.unwrap());
    assert!(!f.log().timers().cancel_in(&mut tx, "response:1").await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(f.log().timers().next_due().await.unwrap(), None);
}

pub(super) async fn a_timer_fires_under_one_command_id<F: Fixture>(f: &F) {
    let timer = timer(f, 10);
    set(f, &timer).await;
    for repeated in [false, true] {
        let due = f.log().timers().due(timer.due_at, None, 1).await.unwrap().remove(0);
        let stream = f.to(1, docket_eventlog::Expected::Any, 1);
        let fired = f.append(Context::timer(&due).append(&f.log(), vec![stream])).await.unwrap();
        assert_eq!((fired.first, fired.repeated), (1, repeated));
    }
    let mut tx = docket_database::begin(f.pool()).await.unwrap();
    assert!(f.log().timers().fired_in(&mut tx, &timer).await.unwrap());
    assert!(!f.log().timers().fired_in(&mut tx, &timer).await.unwrap());
    tx.commit().await.unwrap();
}

pub(super) async fn a_timer_goes_with_its_transaction<F: Fixture>(f: &F) {
    let mut tx = docket_database::begin(f.pool()).await.unwrap();
    f.log().timers().schedule_in(&mut tx, &timer(f, 10)).await.unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(f.log().timers().next_due().await.unwrap(), None);
}

pub(super) async fn an_obligation_is_open_until_closed<F: Fixture>(f: &F) {
    let (first, second) = (owed(f, "a", 1), owed(f, "b", 2));
    owe(f, &second).await;
    owe(f, &first).await;
    assert_eq!(
        f.log().obligations().open(10).await.unwrap(),
        [first.clone(), second.clone()],
        "the most urgent first"
    );
    assert_eq!(f.handle().owed().await.unwrap(), [first, second.clone()]);
    let mut tx = docket_database::begin(f.pool()).await.unwrap();
    assert!(f.log().obligations().close_in(&mut tx, "receipt_notice", "a", 1).await.unwrap());
    assert!(!f.log().obligations().close_in(&mut tx, "receipt_notice", "a", 2).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(f.log().obligations().open(10).await.unwrap(), [second]);
}

pub(super) async fn an_obligation_is_overdue_after_its_instant<F: Fixture>(f: &F) {
    let owed = owed(f, "a", 10);
    owe(f, &owed).await;
    let before = owed.due_at - SignedDuration::from_micros(1);
    assert_eq!(f.log().obligations().overdue(before).await.unwrap(), 0);
    assert_eq!(f.log().obligations().overdue(owed.due_at).await.unwrap(), 1);
}

pub(super) async fn an_obligation_opened_twice_is_one<F: Fixture>(f: &F) {
    let first = owed(f, "a", 1);
    owe(f, &first).await;
    owe(f, &owed(f, "a", 9)).await;
    assert_eq!(f.log().obligations().open(10).await.unwrap(), [first]);
}
