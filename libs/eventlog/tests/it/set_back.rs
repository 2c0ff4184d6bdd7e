//! A log set back to an earlier point under a process that lives on: nobody in it asks the database without a pause.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use docket_eventlog::{CheckpointKey, EventLog, Expected, Filter};
use futures::FutureExt as _;
use sqlx::postgres::PgPoolOptions;

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
