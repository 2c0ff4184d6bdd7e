//! Reading: a stream, the log, and both as they were.

use docket_eventlog::Recorded;
use docket_kernel::Clock;
use jiff::SignedDuration;

use super::fixture::{Fixture, Handle};

fn positions(events: &[Recorded]) -> Vec<u64> {
    events.iter().map(|event| event.position).collect()
}

/// Three streams by turns, a minute apart: positions 1 … 9.
async fn nine<F: Fixture>(f: &F) {
    for n in 1..=9 {
        f.write(n, n % 3, 1).await;
        f.clock().advance(SignedDuration::from_mins(1));
    }
}

pub(super) async fn a_stream_is_read_from_any_version<F: Fixture>(f: &F) {
    nine(f).await;
    for (from, expected) in
        [(0, vec![1, 4, 7]), (1, vec![1, 4, 7]), (2, vec![4, 7]), (3, vec![7]), (4, vec![])]
    {
        assert_eq!(positions(&f.handle().read_stream(&f.stream(1), from).await.unwrap()), expected);
    }
}

pub(super) async fn a_stream_nobody_wrote_is_empty<F: Fixture>(f: &F) {
    nine(f).await;
    assert_eq!(f.handle().read_stream(&f.stream(77), 1).await.unwrap(), []);
}

pub(super) async fn a_stream_holds_its_own_events_only<F: Fixture>(f: &F) {
    nine(f).await;
    for n in 0..3 {
        let events = f.handle().read_stream(&f.stream(n), 1).await.unwrap();
        assert!(events.iter().all(|event| event.stream == f.stream(n)));
        assert!(events.iter().map(|event| event.version).eq(1..=3));
    }
}

pub(super) async fn a_stream_is_read_as_of_a_position<F: Fixture>(f: &F) {
    nine(f).await;
    for (position, expected) in
        [(0, vec![]), (1, vec![1]), (6, vec![1, 4]), (7, vec![1, 4, 7]), (99, vec![1, 4, 7])]
    {
        let events = f.log().read_stream_as_of(&f.stream(1), position).await.unwrap();
        assert_eq!(positions(&events), expected);
    }
}

pub(super) async fn the_log_is_read_in_pages_without_a_gap<F: Fixture>(f: &F) {
    nine(f).await;
    let mut read = Vec::new();
    loop {
        let page = f.log().read(read.last().copied().unwrap_or(0), 4).await.unwrap();
        if page.is_empty() {
            break;
        }
        read.extend(positions(&page));
    }
    assert!(read.into_iter().eq(1..=9));
}

pub(super) async fn reading_after_the_head_gives_nothing<F: Fixture>(f: &F) {
    nine(f).await;
    assert_eq!(f.log().read(9, 10).await.unwrap(), []);
    assert_eq!(f.log().read(1_000, 10).await.unwrap(), []);
}

pub(super) async fn a_limit_of_none_gives_nothing<F: Fixture>(f: &F) {
    nine(f).await;
    assert_eq!(f.log().read(0, 0).await.unwrap(), []);
}

pub(super) async fn an_instant_names_a_prefix<F: Fixture>(f: &F) {
    let start = f.clock().now();
    nine(f).await;
    for (minutes, position) in [(0, 1), (1, 2), (4, 5), (8, 9), (100, 9)] {
        let at = start + SignedDuration::from_mins(minutes);
        assert_eq!(f.log().position_at(at).await.unwrap(), position);
    }
}

pub(super) async fn before_the_first_instant_is_nothing<F: Fixture>(f: &F) {
    let start = f.clock().now();
    nine(f).await;
    assert_eq!(f.log().position_at(start - SignedDuration::from_micros(1)).await.unwrap(), 0);
}

pub(super) async fn another_replica_reads_the_same<F: Fixture>(f: &F) {
    nine(f).await;
    let (_, replica) = f.replica().await;
    assert_eq!(replica.read(0, 100).await.unwrap(), f.all().await);
}
