//! Reading: both ways, filtered, from a version, as of a time, live, and whole logs in bounded memory.

use std::time::Duration;

use docket_eventlog::{Direction, Expected, Filter, Page, Recorded};
use futures::TryStreamExt as _;
use jiff::SignedDuration;
use sqlx::postgres::PgListener;

use crate::proxy::Proxy;
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

/// Without a single notice, and without the look that the listener takes now and then.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_subscription_sees_everything_though_no_notice_ever_comes() {
    let world = World::new().await;
    let proxy = Proxy::new(&world.database().url).await;
    proxy.cut_at("LISTEN", u32::MAX);
    let replica = world.open_with(proxy.pool.clone()).await;
    let mut subscription = replica.subscribe(0, Filter::default());
    let next = async {
        let next = tokio::time::timeout(Duration::from_secs(20), subscription.next()).await;
        next.expect("the next events come").unwrap().events
    };
    // Written when it has looked already, and waits.
    let write = async {
        let looked = "SELECT count(*) FROM pg_stat_activity
                      WHERE datname = current_database() AND state = 'idle' AND query LIKE '%position <= $3%'";
        world.wait_for("a first look", Duration::from_secs(10), looked, |found| found > 0).await;
        world.log.append(one(&world.log, 1, 1, Expected::Any)).await.unwrap();
    };
    let (found, ()) = tokio::join!(next, write);
    assert_eq!(found, world.sound().await);
    assert_eq!(*replica.subscribe_head().borrow(), 0, "nobody told it of anything");
    assert!(proxy.cuts() > 0, "it tried to listen");
}

/// What commits in a transaction of its own tells nobody: the listener looks for itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_listener_finds_what_it_got_no_notice_of() {
    let world = World::new().await;
    let replica = world.open_with(world.pool().clone()).await;
    let mut head = replica.subscribe_head();
    let subscription = replica.subscribe(0, Filter::default());
    // It listens, and has taken its first look: only then it takes notices.
    listens(&world).await;
    notify(&world, "identity 1").await;
    wait_for_head(&mut head, 1).await;
    for command in 1..=3 {
        let mut tx = docket_database::begin(world.pool()).await.unwrap();
        world.log.append_in(&mut tx, one(&world.log, command, 1, Expected::Any)).await.unwrap();
        tx.commit().await.unwrap();
    }
    wait_for_head(&mut head, 3).await;
    drop(subscription);
}

/// Until the listener is there.
async fn listens(world: &World) {
    let listening = "SELECT count(*) FROM pg_stat_activity
                     WHERE datname = current_database() AND query LIKE 'LISTEN%'";
    world.wait_for("a listener", Duration::from_secs(10), listening, |found| found > 0).await;
}

async fn notify(world: &World, payload: &str) {
    sqlx::query("SELECT pg_notify('docket_log', $1)").bind(payload).execute(world.pool()).await.unwrap();
}

async fn wait_for_head(head: &mut tokio::sync::watch::Receiver<u64>, position: u64) {
    let moved = tokio::time::timeout(Duration::from_secs(20), head.wait_for(|head| *head >= position)).await;
    assert_eq!(*moved.expect("the hint comes").unwrap(), position);
}

/// The hint itself, without which a reader would look only once a second: a notice alone moves it, and a commit sends one.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_idle_subscription_is_woken_by_the_notice_of_another_process() {
    let world = World::new().await;
    let replica = world.open_with(world.pool().clone()).await;
    let mut head = replica.subscribe_head();
    let subscription = replica.subscribe(0, Filter::default());
    listens(&world).await;
    // Of this log; then of another, and of nothing. There is no event: whoever looked would not find it.
    notify(&world, "identity 7").await;
    wait_for_head(&mut head, 7).await;
    for other in ["filing 9", "identity", "identity x", "identity-2 9"] {
        notify(&world, other).await;
    }
    notify(&world, "identity 8").await;
    wait_for_head(&mut head, 8).await;
    drop(subscription);

    let mut ears = PgListener::connect(&world.database().url).await.unwrap();
    ears.listen("docket_log").await.unwrap();
    world.log.append(one(&world.log, 1, 1, Expected::Any)).await.unwrap();
    let notice = tokio::time::timeout(Duration::from_secs(20), ears.recv()).await;
    assert_eq!(notice.expect("a commit is told").unwrap().payload(), "identity 1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_commit_is_told_once_however_many_hear_of_it() {
    let world = World::new().await;
    let mut ears = PgListener::connect(&world.database().url).await.unwrap();
    ears.listen("docket_log").await.unwrap();
    let mut replicas = Vec::new();
    for _ in 0..2 {
        let replica = world.open_with(world.pool().clone()).await;
        replicas.push((replica.subscribe_head(), replica.subscribe(0, Filter::default())));
    }
    for position in 1..=10_u64 {
        world.log.append(one(&world.log, position.into(), 1, Expected::Any)).await.unwrap();
        for (head, _subscription) in &mut replicas {
            wait_for_head(head, position).await;
        }
    }
    let mut told = Vec::new();
    while told.last().is_none_or(|last| last != "identity 10") {
        let notice = tokio::time::timeout(Duration::from_secs(20), ears.recv()).await;
        told.push(notice.expect("the last commit is told").unwrap().payload().to_owned());
    }
    let all = told.len();
    told.dedup();
    let once: std::collections::BTreeSet<&String> = told.iter().collect();
    assert_eq!(once.len(), all, "nobody tells what was heard: {told:?}");
}

#[tokio::test]
async fn a_page_of_nothing_passes_nothing_over_and_beyond_all_positions_there_is_nothing() {
    let world = World::new().await;
    grow(&world, 1, 3).await;
    let page = world.log.read_page(1, 0, &Filter::default()).await.unwrap();
    assert_eq!((page.events.len(), page.up_to), (0, 1));
    for beyond in [4, i64::MAX.unsigned_abs() + 1, u64::MAX] {
        assert_eq!(world.log.read(beyond, 10).await.unwrap(), []);
        let page = world.log.read_page(beyond, 10, &Filter::default()).await.unwrap();
        assert_eq!((page.events.len(), page.up_to), (0, beyond));
    }
}

#[tokio::test]
async fn a_page_of_rare_events_ends_after_ten_thousand_others() {
    let world = World::new().await;
    grow(&world, 1, 10_500).await;
    let rare = Filter::kind("account.registered.v1");
    for (after, up_to) in [(0, 10_000), (1, 10_001), (499, 10_499), (500, 10_500), (10_000, 10_500)] {
        let page = world.log.read_page(after, 100, &rare).await.unwrap();
        assert_eq!((page.events.len(), page.up_to), (0, up_to));
    }
    // What reads on does not stop there.
    let subjects = docket_eventlog::Subjects::account(crate::world::id(1));
    let sealed = docket_eventlog::StreamAppend::of(stream(2), Expected::Any, subjects, &[registered()]);
    world.log.append(context(1).append(&world.log, vec![sealed])).await.unwrap();
    let mut subscription = world.log.subscribe(0, rare);
    assert_eq!(subscription.next().await.unwrap().events[0].position, 10_501);
}
