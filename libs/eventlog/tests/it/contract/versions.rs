//! The version an append expects of every stream it touches.

use docket_eventlog::{Error, Expected};
use futures::future::join_all;

use super::fixture::{Fixture, Handle};
use crate::world::summary;

pub(super) async fn version_zero_means_a_new_stream<F: Fixture>(f: &F) {
    assert_eq!(summary(&f.append(f.one(1, 1, Expected::Version(0))).await), "1..1");
}

pub(super) async fn version_zero_is_refused_on_a_stream_which_is_there<F: Fixture>(f: &F) {
    f.write(1, 1, 3).await;
    assert_eq!(summary(&f.append(f.one(2, 1, Expected::Version(0))).await), "conflict 0 is 3");
}

pub(super) async fn the_exact_version_is_taken<F: Fixture>(f: &F) {
    f.write(1, 1, 3).await;
    let appended = f.append(f.one(2, 1, Expected::Version(3))).await.unwrap();
    assert_eq!(appended.events[0].version, 4);
}

pub(super) async fn a_stale_version_is_refused_with_the_current_one<F: Fixture>(f: &F) {
    f.write(1, 1, 3).await;
    let refused = f.append(f.one(2, 1, Expected::Version(2))).await;
    assert_eq!(summary(&refused), "conflict 2 is 3");
    assert!(matches!(refused, Err(Error::Conflict { stream, .. }) if stream == f.stream(1)));
}

pub(super) async fn a_version_ahead_is_refused<F: Fixture>(f: &F) {
    assert_eq!(summary(&f.append(f.one(1, 1, Expected::Version(5))).await), "conflict 5 is 0");
}

pub(super) async fn any_takes_whatever_is_there<F: Fixture>(f: &F) {
    for n in 1..=3 {
        let appended = f.append(f.one(n, 1, Expected::Any)).await.unwrap();
        assert_eq!(u128::from(appended.events[0].version), n);
    }
}

pub(super) async fn a_conflict_writes_nothing<F: Fixture>(f: &F) {
    f.write(1, 1, 1).await;
    assert!(f.append(f.one(2, 1, Expected::Version(0))).await.is_err());
    assert_eq!(f.log().head().await.unwrap().position, 1);
}

pub(super) async fn one_stale_stream_of_several_refuses_all<F: Fixture>(f: &F) {
    f.write(1, 2, 1).await;
    let streams =
        vec![f.to(1, Expected::Version(0), 1), f.to(2, Expected::Version(0), 1), f.to(3, Expected::Any, 1)];
    assert_eq!(summary(&f.append(f.command(2, streams)).await), "conflict 0 is 1");
    assert_eq!(f.all().await.len(), 1);
}

pub(super) async fn a_version_can_be_checked_without_writing<F: Fixture>(f: &F) {
    f.write(1, 2, 2).await;
    let streams = vec![f.to(1, Expected::Version(0), 1), f.to(2, Expected::Version(2), 0)];
    let appended = f.append(f.command(2, streams)).await.unwrap();
    assert_eq!((appended.first, appended.last), (3, 3));
    assert_eq!(f.handle().read_stream(&f.stream(2), 1).await.unwrap().len(), 2);
}

pub(super) async fn a_checked_version_which_is_stale_refuses_the_rest<F: Fixture>(f: &F) {
    f.write(1, 2, 2).await;
    let streams = vec![f.to(1, Expected::Version(0), 1), f.to(2, Expected::Version(1), 0)];
    assert_eq!(summary(&f.append(f.command(2, streams)).await), "conflict 1 is 2");
    assert_eq!(f.all().await.len(), 2);
}

pub(super) async fn of_many_for_one_version_one_wins<F: Fixture>(f: &F) {
    let outcomes = join_all((1..=20).map(|n| f.append(f.one(n, 1, Expected::Version(0))))).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| summary(outcome) == "conflict 0 is 1").count(), 19);
}

pub(super) async fn a_conflict_costs_strangers_nothing<F: Fixture>(f: &F) {
    f.write(1_000, 0, 1).await;
    let outcomes = join_all((1..=20).map(|n| f.append(f.one(n, n % 2 * n, Expected::Version(0))))).await;
    let (odd, even): (Vec<_>, Vec<_>) = (1..=20).zip(outcomes).partition(|(n, _)| n % 2 == 1);
    assert!(odd.iter().all(|(_, outcome)| outcome.is_ok()));
    assert!(even.iter().all(|(_, outcome)| summary(outcome) == "conflict 0 is 1"));
}

pub(super) async fn after_a_conflict_the_current_version_is_taken<F: Fixture>(f: &F) {
    f.write(1, 1, 2).await;
    let Err(Error::Conflict { current, .. }) = f.append(f.one(2, 1, Expected::Version(1))).await else {
        panic!("a stale version")
    };
    assert_eq!(summary(&f.append(f.one(2, 1, Expected::Version(current))).await), "3..3");
}
