//! A process that others overtake: what it remembers of streams is never older than what it decides on.

use std::time::Duration;

use docket_eventlog::{EventLog, Expected};
use sqlx::{Postgres, Transaction};

use crate::world::{World, one, summary};

/// More groups than are written under the lock after having been overtaken.
const MANY: u128 = 80;

/// Waits until so many sessions wait for somebody's lock.
async fn wait_for_waiting(world: &World, sessions: i64) {
    let waiting = "SELECT count(*) FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    world.wait_for("sessions at the lock", Duration::from_secs(10), waiting, |found| found == sessions).await;
}

/// Appends in a transaction that then holds the head.
async fn holding(world: &World, log: &EventLog, command: u128) -> Transaction<'static, Postgres> {
    let mut tx = docket_database::begin(world.pool()).await.unwrap();
    log.append_in(&mut tx, one(log, command, 3, Expected::Any)).await.unwrap();
    tx
}

/// Has `log` overtaken twice in one append, at its guess and after its look, so that it takes the lock from now on.
async fn overtake(world: &World, log: &EventLog, theirs: &EventLog, stream: u128) {
    let first = holding(world, theirs, 20).await;
    let append = async {
        let appended = log.append(one(log, 21, stream, Expected::Any)).await;
        assert!(appended.is_ok(), "{}", summary(&appended));
    };
    let others = async {
        wait_for_waiting(world, 1).await;
        let next = async { holding(world, theirs, 22).await };
        let go = async {
            wait_for_waiting(world, 2).await;
            first.commit().await.unwrap();
        };
        let (second, ()) = tokio::join!(next, go);
        wait_for_waiting(world, 1).await;
        second.commit().await.unwrap();
    };
    tokio::join!(append, others);
}

#[tokio::test]
async fn what_was_seen_under_the_lock_is_not_remembered_when_others_have_written_since() {
    let world = World::new().await;
    let (ours, theirs) = (&world.log, world.open_with(world.pool().clone()).await);
    let (shared, own) = (1, 2);
    ours.append(one(ours, 1, shared, Expected::Version(0))).await.unwrap();
    // The lock is taken, and the shared stream looked at under it, in the first of many groups.
    overtake(&world, ours, &theirs, shared).await;
    theirs.append(one(&theirs, 30, shared, Expected::Version(2))).await.unwrap();
    for n in 0..MANY {
        ours.append(one(ours, 100 + n, own, Expected::Any)).await.unwrap();
    }
    // Without the lock again. One group of two: the one that is written must not vouch for an old look at the other.
    let (written, other) = tokio::join!(
        ours.append(one(ours, 1_000, own, Expected::Any)),
        ours.append(one(ours, 1_001, shared, Expected::Version(3))),
    );
    assert!(written.is_ok(), "{}", summary(&written));
    assert!(other.is_ok(), "{}", summary(&other));
    world.sound().await;
}
