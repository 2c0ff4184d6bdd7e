//! Whoever gets past the triggers is found by `verify`, at the first event they touched.

use docket_eventlog::{CheckpointKey, Expected};
use sqlx::{AssertSqlSafe, Executor};

use crate::world::{World, context, one, to};

/// A log of 20 events in 4 streams, of which the first 12 are under a signed checkpoint.
async fn world() -> (World, CheckpointKey) {
    let world = World::new().await;
    let key = CheckpointKey::from_seed(&[3; 32]).unwrap();
    for n in 0..20 {
        world.log.append(one(&world.log, n + 1, n % 4, Expected::Any)).await.unwrap();
        if n == 11 {
            world.log.checkpoint(&key).await.unwrap();
        }
    }
    (world, key)
}

/// As a superuser who switches the triggers off.
async fn tamper(world: &World, statements: &str) {
    let mut connection = world.pool().acquire().await.unwrap();
    connection.execute("SET session_replication_role = replica").await.unwrap();
    connection.execute(AssertSqlSafe(statements.to_owned())).await.unwrap();
    connection.execute("SET session_replication_role = origin").await.unwrap();
}

async fn found(statements: &str, position: u64, fault: &str) {
    let (world, key) = world().await;
    tamper(&world, statements).await;
    let verified = world.log.verify(1, Some(&key.public_key())).await.unwrap();
    let broken = verified.broken.unwrap_or_else(|| panic!("not found: {statements}"));
    assert_eq!(broken.position, position, "{statements}: {broken}");
    assert!(broken.fault.contains(fault), "{statements}: {broken}");
}

#[tokio::test]
async fn an_untouched_log_is_sound_from_anywhere() {
    let (world, key) = world().await;
    for (from, start) in [(1, 1), (12, 1), (13, 13), (20, 13)] {
        let verified = world.log.verify(from, Some(&key.public_key())).await.unwrap();
        assert_eq!((verified.from, verified.to, verified.broken), (start, 20, None));
        assert_eq!(verified.protected_to, 12);
    }
}

#[tokio::test]
async fn a_changed_column_is_found() {
    for change in [
        "payload = '\\x0801'",
        "metadata = metadata || '\\x5001'::bytea",
        "kind = 'account.registered.v1'",
        "event_id = gen_random_uuid()",
        "stream = 'account-other'",
        "recorded_at_us = recorded_at_us + 1",
        "link = sha256('')",
        "sealed = '\\x0000000000000000'",
    ] {
        found(&format!("UPDATE log.event SET {change} WHERE position = 7"), 7, "").await;
    }
}

#[tokio::test]
async fn spoilt_bytes_are_named_and_do_not_stop_the_walk_with_an_error() {
    found("UPDATE log.event SET metadata = '\\xff' WHERE position = 7", 7, "metadata").await;
    found("UPDATE log.event SET sealed = '\\xff' WHERE position = 7", 7, "sealed").await;
    found("UPDATE log.event SET format = 2 WHERE position = 7", 7, "format").await;
}

#[tokio::test]
async fn a_removed_event_is_found() {
    found("DELETE FROM log.event WHERE position = 7", 7, "missing").await;
    found("DELETE FROM log.event WHERE position = 20", 20, "missing").await;
    found("DELETE FROM log.event", 1, "missing").await;
}

#[tokio::test]
async fn swapped_events_are_found() {
    let swap = "UPDATE log.event SET position = 100 WHERE position = 6;
                UPDATE log.event SET position = 6 WHERE position = 7;
                UPDATE log.event SET position = 7 WHERE position = 100";
    // No link is broken, for they are of different streams: the signed tree knows the order.
    found(swap, 12, "not what was signed").await;
}

#[tokio::test]
async fn events_cut_off_behind_a_checkpoint_are_found() {
    let cut = "DELETE FROM log.event WHERE position > 10;
               UPDATE log.head SET position = 10;
               DELETE FROM log.command WHERE first_position > 10";
    found(cut, 11, "no epoch says why").await;
}

#[tokio::test]
async fn a_forged_checkpoint_is_found() {
    found("UPDATE log.checkpoint_signed SET root = sha256('')", 12, "not signed").await;
    found("UPDATE log.checkpoint_signed SET signed_at_us = 0", 12, "not signed").await;
}

#[tokio::test]
async fn a_wrong_stream_head_is_found() {
    found("UPDATE log.stream SET version = 9 WHERE last_position = 20", 20, "differs").await;
}

#[tokio::test]
async fn a_restored_log_is_sound_only_with_its_epoch() {
    let (world, key) = world().await;
    let restore =
        "DELETE FROM log.event WHERE position > 10; DELETE FROM log.command WHERE first_position > 10;
                   DELETE FROM log.stream; UPDATE log.head SET position = 10;
                   INSERT INTO log.stream SELECT DISTINCT ON (stream) log, stream, version, link, 1, position
                   FROM log.event ORDER BY stream, version DESC";
    tamper(&world, restore).await;
    assert!(world.log.verify(1, None).await.unwrap().broken.is_some());
    let epoch = world.log.raise_epoch("restored from the backup of 1 March").await.unwrap();
    assert_eq!((epoch.number, epoch.from_position), (2, 11));
    assert_eq!(world.log.verify(1, Some(&key.public_key())).await.unwrap().broken, None);
    for n in 50..55 {
        let append = context(n).append(&world.log, vec![to(n, Expected::Any, 1)]);
        let appended = world.log.append(append).await.unwrap();
        assert_eq!(appended.events[0].epoch, 2);
    }
    world.log.checkpoint(&key).await.unwrap();
    let verified = world.log.verify(1, Some(&key.public_key())).await.unwrap();
    assert_eq!((verified.broken, verified.to, verified.protected_to), (None, 15, 15));
    assert_eq!(world.log.head().await.unwrap().epoch.number, 2);
    tamper(&world, "UPDATE log.epoch SET from_position = 13 WHERE number = 2").await;
    let reopened = world.open_with(world.pool().clone()).await;
    assert!(reopened.verify(1, None).await.unwrap().broken.is_some());
}
