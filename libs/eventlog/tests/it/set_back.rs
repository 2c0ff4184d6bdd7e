//! A log set back to an earlier point under a process that lives on: nobody in it asks the database without a pause.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use docket_eventlog::{CheckpointKey, Error, EventLog, Expected, Filter, Page};
use futures::FutureExt as _;
use sqlx::postgres::PgPoolOptions;

use crate::tampering::tamper;
use crate::world::{World, context, one, to};

/// So often somebody asks who does nothing else; who waits as the library does asks a few times meanwhile.
const ASKED: u64 = 500;

/// The log as a process sees it whose looks at the database are counted.
async fn watched(world: &World) -> (EventLog, Arc<AtomicU64>) {
    let looks = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&looks);
    let pool = PgPoolOptions::new().before_acquire(move |_connection, _about| {
        counted.fetch_add(1, Ordering::SeqCst);
        async { Ok(true) }.boxed()
    });
    let pool = pool.connect(&world.database().url).await.unwrap();
    (world.open_with(pool).await, looks)
}

/// How often the process looks while somebody else asks [`ASKED`] times without a pause.
async fn looks_meanwhile(world: &World, looks: &AtomicU64, working: impl Future) -> u64 {
    let before = looks.load(Ordering::SeqCst);
    let asking = async {
        for _ in 0..ASKED {
            world.count("SELECT 1::bigint").await;
        }
    };
    tokio::select! {
        _ = working => panic!("there is nothing to come"),
        () = asking => {}
    }
    looks.load(Ordering::SeqCst) - before
}

#[tokio::test]
async fn a_reader_whose_log_was_set_back_looks_now_and_then_and_sees_what_is_written_since() {
    let world = World::new().await;
    let (log, looks) = watched(&world).await;
    for command in 1..=20 {
        log.append(one(&log, command, command % 3, Expected::Any)).await.unwrap();
    }
    let mut subscription = log.subscribe(10, Filter::default());
    world.set_back(10).await;
    assert_eq!(*log.subscribe_head().borrow(), 20, "the process remembers what is gone");
    let meanwhile = looks_meanwhile(&world, &looks, subscription.next()).await;
    assert!(meanwhile < ASKED / 10, "{meanwhile} looks");

    let restarted = world.open_with(world.pool().clone()).await;
    for command in 31..=35 {
        restarted.append(one(&restarted, command, command % 3, Expected::Any)).await.unwrap();
    }
    let mut seen = Vec::new();
    while seen.len() < 5 {
        seen.extend(subscription.next().await.unwrap().events);
    }
    assert_eq!(seen, world.sound().await[10..]);
}

/// Place, end and epoch that a reader is told who is beyond the log.
fn beyond(told: Result<Page, Error>) -> (u64, u64, u64) {
    match told {
        Err(Error::Restored { log: "identity", place, end, epoch }) => (place, end, epoch),
        other => panic!("it should have been told that the log was restored: {other:?}"),
    }
}

/// Commands `from` to `to`, one event each.
async fn write(log: &EventLog, from: u128, to: u128) {
    for command in from..=to {
        log.append(one(log, command, command % 3, Expected::Any)).await.unwrap();
    }
}

#[tokio::test]
async fn a_reader_beyond_the_end_of_a_log_that_was_set_back_is_told_so_and_given_nothing_of_the_other_history()
 {
    let world = World::new().await;
    write(&world.log, 1, 20).await;
    let mut far = world.log.subscribe(0, Filter::default());
    assert_eq!(far.next().await.unwrap().up_to, 20);
    world.set_back(10).await;
    let restarted = world.open_with(world.pool().clone()).await;
    assert_eq!(beyond(far.next().await), (20, 10, 1));
    // Nobody told it an epoch: it knows its place.
    let mut told = restarted.subscribe(11, Filter::default());
    assert_eq!(beyond(told.next().await), (11, 10, 1));

    restarted.raise_epoch("the drill").await.unwrap();
    assert_eq!(beyond(far.next().await), (20, 10, 2));
    write(&restarted, 31, 45).await;
    assert_eq!(restarted.head().await.unwrap().position, 25);
    assert_eq!(
        beyond(far.next().await),
        (20, 10, 2),
        "the log is past its place, and it read other events there"
    );
    assert_eq!(far.position(), 20);
    let mut anew = restarted.subscribe(10, Filter::default());
    assert_eq!(anew.next().await.unwrap().events, restarted.read(10, 100).await.unwrap());
    world.sound().await;
}

#[tokio::test]
async fn a_reader_who_saw_no_more_than_a_restored_log_has_goes_on_with_its_new_epoch() {
    let world = World::new().await;
    write(&world.log, 1, 10).await;
    let mut near = world.log.subscribe(0, Filter::default());
    assert_eq!(near.next().await.unwrap().up_to, 10);
    write(&world.log, 11, 20).await;
    world.set_back(10).await;
    let restarted = world.open_with(world.pool().clone()).await;
    restarted.raise_epoch("the drill").await.unwrap();
    write(&restarted, 31, 32).await;
    let page = near.next().await.unwrap();
    assert_eq!((page.events.len(), page.up_to), (2, 12));

    // Restored once more, to before that epoch began: whatever it has at these positions may be other events.
    tamper(&world, "DELETE FROM log.epoch WHERE number = 2").await;
    assert_eq!(beyond(near.next().await), (12, 10, 1));
    let again = restarted.raise_epoch_after(Some(10), "the drill, again").await.unwrap();
    assert_eq!((again.number, again.from_position), (2, 11));
    assert_eq!(beyond(near.next().await), (12, 10, 2), "the same number, and another epoch");
}

#[tokio::test]
async fn a_signer_whose_log_was_set_back_waits_for_its_time() {
    for left in [10, 0] {
        let world = World::new().await;
        let (log, looks) = watched(&world).await;
        for (command, count) in [(1, 10), (2, 1_000), (3, 1_000)] {
            log.append(context(command).append(&log, vec![to(1, Expected::Any, count)])).await.unwrap();
        }
        let key = CheckpointKey::from_seed(&[3; 32]).unwrap();
        world.set_back(left).await;
        let meanwhile = looks_meanwhile(&world, &looks, log.run_checkpoints(key)).await;
        assert!(meanwhile < ASKED / 10, "{meanwhile} looks");
        let signed = world.count("SELECT count(*) FROM log.checkpoint_signed").await;
        assert_eq!(signed, i64::from(left > 0), "of what there is");
    }
}
