//! Reading: both ways, filtered, from a version, as of a time, live, and whole logs in bounded memory.

use std::time::Duration;

use docket_eventlog::{Direction, Expected, Filter, Page, Recorded};
use futures::TryStreamExt as _;
use jiff::SignedDuration;

use crate::world::{World, context, one, registered, stream, to};

/// `count` events of one stream, in appends of at most 1,000.
async fn grow(world: &World, n: u128, count: usize) {
    for (command, part) in (0..count).step_by(1_000).zip(1_000_u128..) {
        let events = (count - command).min(1_000);
        world.log.append(context(part).append(&world.log, vec![to(n, Expected::Any, events)])).await.unwrap();
    }
}

fn versions(events: &[Recorded]) -> Vec<u64> {
    events.iter().map(|event| event.version).collect()
}

#[tokio::test]
async fn a_stream_is_read_both_ways_from_a_version_in_pages_and_as_of_a_position() {
    let world = World::new().await;
    let log = &world.log;
    for command in 1..=6 {
        log.append(one(log, command, command % 2, Expected::Any)).await.unwrap();
    }
    // Stream 0 stands at positions 2, 4 and 6.
    let page = async |direction, from, limit, as_of| {
        versions(&log.read_stream_page(&stream(0), direction, from, limit, as_of).await.unwrap())
    };
    assert_eq!(page(Direction::Forwards, 1, 10, u64::MAX).await, [1, 2, 3]);
    assert_eq!(page(Direction::Forwards, 2, 1, u64::MAX).await, [2]);
    assert_eq!(page(Direction::Backwards, u64::MAX, 10, u64::MAX).await, [3, 2, 1]);
    assert_eq!(page(Direction::Backwards, 2, 1, u64::MAX).await, [2]);
    assert_eq!(page(Direction::Backwards, u64::MAX, 10, 5).await, [2, 1]);
    assert_eq!(page(Direction::Forwards, 1, 10, 1).await, [0; 0]);
}

#[tokio::test]
async fn a_log_is_read_by_category_and_kind_and_says_how_far_it_looked() {
    let world = World::new().await;
    let log = &world.log;
    let subjects = docket_eventlog::Subjects::account(crate::world::id(1));
    let other = docket_eventlog::StreamAppend::of(stream(1), Expected::Any, subjects, &[registered()]);
    log.append(context(1).append(log, vec![to(1, Expected::Any, 2)])).await.unwrap();
    log.append(context(2).append(log, vec![other])).await.unwrap();
    log.append(context(3).append(log, vec![to(1, Expected::Any, 2)])).await.unwrap();
    let positions = |page: Page| (page.events.iter().map(|e| e.position).collect::<Vec<_>>(), page.up_to);
    let read =
        async |after, limit, filter: Filter| positions(log.read_page(after, limit, &filter).await.unwrap());
    assert_eq!(read(0, 10, Filter::default()).await, (vec![1, 2, 3, 4, 5], 5));
    assert_eq!(read(0, 10, Filter::category("account")).await, (vec![1, 2, 3, 4, 5], 5));
    assert_eq!(read(0, 10, Filter::category("case")).await, (vec![], 5));
    assert_eq!(read(0, 10, Filter::kind("account.registered.v1")).await, (vec![3], 5));
    assert_eq!(read(0, 1, Filter::kind("account.registered.v1")).await, (vec![3], 3));
    assert_eq!(read(3, 1, Filter::kind("account.email_proven.v1")).await, (vec![4], 4));
    assert_eq!(read(9, 1, Filter::default()).await, (vec![], 9));
}

#[tokio::test]
async fn as_of_an_instant_is_found_by_halving() {
    let world = World::new().await;
    let log = &world.log;
    let start = docket_kernel::Clock::now(&*world.clock);
    for command in 1..=33_u128 {
        log.append(one(log, command, command, Expected::Any)).await.unwrap();
        world.clock.advance(SignedDuration::from_secs(i64::from(command % 3 != 0)));
    }
    let all = world.sound().await;
    for second in -1..40 {
        let at = start + SignedDuration::from_secs(second);
        let expected =
            all.iter().rev().find(|event| event.recorded_at <= at).map_or(0, |event| event.position);
        assert_eq!(log.position_at(at).await.unwrap(), expected, "{second} s");
    }
}

#[tokio::test]
async fn a_replay_gives_what_pages_give() {
    let world = World::new().await;
    grow(&world, 1, 2_500).await;
    let subjects = docket_eventlog::Subjects::account(crate::world::id(1));
    let sealed = docket_eventlog::StreamAppend::of(stream(2), Expected::Any, subjects, &[registered()]);
    world.log.append(context(1).append(&world.log, vec![sealed])).await.unwrap();
    let pages = world.log.read(0, 10_000).await.unwrap();
    let replayed: Vec<_> = world.log.replay(0, u64::MAX).try_collect().await.unwrap();
    assert_eq!(replayed, pages);
    let part: Vec<_> = world.log.replay(2_499, 2_501).try_collect().await.unwrap();
    assert_eq!(part, pages[2_499..2_501]);
    assert_eq!(world.log.replay(9_999, u64::MAX).try_collect::<Vec<_>>().await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_subscription_misses_nothing_whoever_writes() {
    let world = World::new().await;
    let replica = world.open_with(world.pool().clone()).await;
    let mut subscription = replica.subscribe(0, Filter::default());
    let log = world.log.clone();
    let pool = world.pool().clone();
    let writing = tokio::spawn(async move {
        for command in 1..=200_u128 {
            let append = one(&log, command, command % 7, Expected::Any);
            if command % 3 == 0 {
                // Nobody is told of these but by the database itself.
                let mut tx = docket_database::begin(&pool).await.unwrap();
                log.append_in(&mut tx, append).await.unwrap();
                tx.commit().await.unwrap();
            } else {
                log.append(append).await.unwrap();
            }
        }
    });
    let mut seen = Vec::new();
    while seen.len() < 200 {
        let next = tokio::time::timeout(Duration::from_secs(20), subscription.next()).await;
        seen.extend(next.expect("the next events come").unwrap().events);
    }
    writing.await.unwrap();
    assert_eq!(seen, world.sound().await);
    assert_eq!(subscription.position(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_idle_subscription_is_woken_by_another_process_and_looks_only_now_and_then() {
    let world = World::new().await;
    let replica = world.open_with(world.pool().clone()).await;
    let mut head = replica.subscribe_head();
    let subscription = replica.subscribe(0, Filter::default());
    // The hint itself, without which a reader would look only once a second.
    world.log.append(one(&world.log, 1, 1, Expected::Any)).await.unwrap();
    tokio::time::timeout(Duration::from_secs(20), head.wait_for(|head| *head == 1)).await.unwrap().unwrap();
    drop(subscription);
}
