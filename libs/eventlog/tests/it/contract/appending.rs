//! What an append writes.

use std::collections::HashSet;

use docket_eventlog::Expected;
use docket_kernel::Clock;
use futures::future::join_all;
use jiff::SignedDuration;

use super::fixture::Fixture;
use crate::world::id;

pub(super) async fn a_new_log_is_empty<F: Fixture>(f: &F) {
    let head = f.log().head().await.unwrap();
    assert_eq!((head.position, head.epoch.number), (0, 1));
    assert_eq!(f.all().await, []);
}

pub(super) async fn the_first_event_has_position_one<F: Fixture>(f: &F) {
    let first = f.write(1, 1, 1).await;
    assert_eq!((first.first, first.last, first.repeated), (1, 1, false));
}

pub(super) async fn positions_are_dense_over_streams<F: Fixture>(f: &F) {
    for n in 1..=9 {
        f.write(n, n % 3, 2).await;
    }
    assert!(f.all().await.iter().map(|event| event.position).eq(1..=18));
}

pub(super) async fn versions_are_dense_in_each_stream<F: Fixture>(f: &F) {
    for n in 1..=9 {
        f.write(n, n % 3, 2).await;
    }
    for n in 0..3 {
        let events = f.all().await;
        let versions = events.iter().filter(|e| e.stream == f.stream(n)).map(|event| event.version);
        assert!(versions.eq(1..=6));
    }
}

pub(super) async fn the_events_of_an_append_stay_together<F: Fixture>(f: &F) {
    let appends = (1..=20).map(|n| f.append(f.command(n, vec![f.to(n, Expected::Any, 5)])));
    for appended in join_all(appends).await {
        let appended = appended.unwrap();
        assert_eq!(appended.last, appended.first + 4);
        assert!(appended.events.iter().map(|event| event.position).eq(appended.first..=appended.last));
    }
}

pub(super) async fn several_streams_are_written_in_the_order_given<F: Fixture>(f: &F) {
    let streams = vec![f.to(3, Expected::Any, 1), f.to(1, Expected::Any, 2), f.to(2, Expected::Any, 1)];
    let appended = f.append(f.command(1, streams)).await.unwrap();
    let names: Vec<_> = appended.events.iter().map(|event| event.stream.clone()).collect();
    assert_eq!(names, [f.stream(3), f.stream(1), f.stream(1), f.stream(2)]);
}

pub(super) async fn the_answer_is_what_is_stored<F: Fixture>(f: &F) {
    let appended = f.write(1, 1, 3).await;
    assert_eq!(appended.events, f.all().await);
}

pub(super) async fn event_ids_are_distinct<F: Fixture>(f: &F) {
    for n in 1..=5 {
        f.write(n, 1, 4).await;
    }
    let ids: HashSet<_> = f.all().await.iter().map(|event| event.event_id).collect();
    assert_eq!(ids.len(), 20);
}

/// So a command which is tried again after a crash writes the same events.
pub(super) async fn event_ids_depend_on_the_command_alone<F: Fixture>(f: &F) {
    let mut tx = docket_database::begin(f.pool()).await.unwrap();
    let tried = f.log().append_in(&mut tx, f.one(1, 1, Expected::Any)).await.unwrap();
    tx.rollback().await.unwrap();
    f.write(2, 2, 1).await;
    let done = f.write(1, 1, 1).await;
    assert_eq!(done.events[0].event_id, tried.events[0].event_id);
    assert_ne!(done.events[0].position, tried.events[0].position);
}

pub(super) async fn instants_never_go_back<F: Fixture>(f: &F) {
    let first = f.write(1, 1, 1).await;
    f.clock().advance(SignedDuration::from_secs(-60));
    let second = f.write(2, 2, 1).await;
    assert_eq!(second.events[0].recorded_at, first.events[0].recorded_at);
}

pub(super) async fn instants_follow_the_clock<F: Fixture>(f: &F) {
    f.write(1, 1, 1).await;
    f.clock().advance(SignedDuration::from_secs(60));
    assert_eq!(f.write(2, 1, 1).await.events[0].recorded_at, f.clock().now());
}

pub(super) async fn metadata_is_kept_whole<F: Fixture>(f: &F) {
    let append = f.one(1, 1, Expected::Any);
    let metadata = append.metadata.clone();
    f.append(append).await.unwrap();
    let stored = &f.all().await[0];
    assert_eq!(stored.metadata, metadata);
    assert_eq!(stored.metadata.command_id, id(1));
}

pub(super) async fn concurrent_appends_all_get_places<F: Fixture>(f: &F) {
    let appends = join_all((1..=50).map(|n| f.append(f.one(n, n, Expected::Version(0))))).await;
    let places: HashSet<u64> = appends.iter().map(|appended| appended.as_ref().unwrap().first).collect();
    assert_eq!(places, (1..=50).collect());
}

pub(super) async fn a_thousand_events_fit_one_append<F: Fixture>(f: &F) {
    let appended = f.write(1, 1, 1_000).await;
    assert_eq!((appended.first, appended.last), (1, 1_000));
    assert_eq!(f.all().await.len(), 1_000);
}

pub(super) async fn the_head_is_told_to_this_process<F: Fixture>(f: &F) {
    let mut head = f.log().subscribe_head();
    f.write(1, 1, 3).await;
    assert_eq!(*head.wait_for(|head| *head >= 3).await.unwrap(), 3);
}

pub(super) async fn the_clear_payload_is_kept<F: Fixture>(f: &F) {
    let append = f.one(1, 1, Expected::Any);
    let plain = append.streams[0].events[0].clone();
    let appended = f.append(append).await.unwrap();
    assert_eq!(
        (&appended.events[0].kind, &appended.events[0].payload[..]),
        (&plain.kind, &plain.payload[..])
    );
}
