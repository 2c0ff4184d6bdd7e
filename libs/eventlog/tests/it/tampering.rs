//! Whoever gets past the triggers is found by `verify`, at the first event they touched; and what nobody can find.

use docket_eventlog::{
    Append, CheckpointKey, Expected, Recorded, SignedCheckpoint, StreamAppend, Subjects, Verified, link,
};
use sqlx::{AssertSqlSafe, Executor};
use tokio::sync::watch;

use crate::world::{World, context, id, one, registered, stream, to};

/// The event which most cases touch: the second of its stream, with a sealed part.
const TOUCHED: u128 = 7;

fn key() -> CheckpointKey {
    CheckpointKey::from_seed(&[3; 32]).unwrap()
}

fn append(world: &World, position: u128) -> Append {
    if position == TOUCHED {
        let events = [registered()];
        let sealed = StreamAppend::of(stream(position % 4), Expected::Any, Subjects::account(id(1)), &events);
        return context(position).append(&world.log, vec![sealed]);
    }
    one(&world.log, position, position % 4, Expected::Any)
}

/// A log of 20 events in 4 streams by turns, of which the first 12 are under a signed checkpoint.
pub(crate) async fn world() -> World {
    let write = async |world: &World| {
        for position in 1..=20 {
            world.log.append(append(world, position)).await.unwrap();
            if position == 12 {
                world.log.checkpoint(&key()).await.unwrap();
            }
        }
    };
    World::copy("tampering", write).await
}

/// As a superuser who switches the triggers off.
pub(crate) async fn tamper(world: &World, statements: &str) {
    let mut connection = world.pool().acquire().await.unwrap();
    connection.execute("SET session_replication_role = replica").await.unwrap();
    connection.execute(AssertSqlSafe(statements.to_owned())).await.unwrap();
    connection.execute("SET session_replication_role = origin").await.unwrap();
}

/// What `verify` says: position and fault; the same with the ends of next to no streams in mind.
async fn verdict(world: &World, kept: &[SignedCheckpoint]) -> Option<(u64, String)> {
    let public = key().public_key();
    let verified = world.log.verify_against(1, Some(&public), kept).await.unwrap();
    let progress = watch::Sender::new(0);
    let forgetful = world.log.verify_within(2, 1, Some(&public), kept, &progress).await.unwrap();
    assert!(forgetful.most_held <= 2);
    // What follows from a first fault in its stream may be told in other words by who forgot where that stream ended.
    let found = |verified: &Verified| {
        let Verified { from, to, checkpoints, protected_to, broken, .. } = verified;
        (*from, *to, *checkpoints, *protected_to, broken.clone())
    };
    assert_eq!(found(&forgetful), found(&verified));
    verified.broken.map(|broken| (broken.position, broken.fault))
}

/// What was done to the log, the first bad position, and a word of the fault.
type Case<'a> = (&'a str, u64, &'a str);

async fn all_found(cases: &[Case<'_>]) {
    for (statements, position, word) in cases {
        let world = world().await;
        tamper(&world, statements).await;
        let (found, fault) = verdict(&world, &[]).await.unwrap_or_else(|| panic!("not found: {statements}"));
        assert_eq!(found, *position, "{statements}: {fault}");
        assert!(fault.contains(word), "{statements}: {fault}");
    }
}

#[tokio::test]
async fn an_untouched_log_is_sound_from_anywhere() {
    let world = world().await;
    for (from, start) in [(1, 1), (12, 1), (13, 13), (20, 13)] {
        let verified = world.log.verify(from, Some(&key().public_key())).await.unwrap();
        assert_eq!((verified.from, verified.to, verified.broken), (start, 20, None));
        assert_eq!(verified.protected_to, 12);
    }
}

#[tokio::test]
async fn a_change_of_any_column_is_found() {
    all_found(&[
        ("UPDATE log.event SET log = 'other' WHERE position = 7", 7, "missing"),
        ("UPDATE log.event SET position = 70 WHERE position = 7", 7, "missing"),
        ("UPDATE log.event SET stream = 'account-other' WHERE position = 7", 7, "follows version 0"),
        ("UPDATE log.event SET version = 99 WHERE position = 7", 7, "version 99"),
        ("UPDATE log.event SET event_id = gen_random_uuid() WHERE position = 7", 7, "changed"),
        ("UPDATE log.event SET kind = 'account.closed.v1' WHERE position = 7", 7, "changed"),
        ("UPDATE log.event SET recorded_at_us = recorded_at_us + 1 WHERE position = 7", 7, "changed"),
        ("UPDATE log.event SET recorded_at_us = recorded_at_us - 1 WHERE position = 7", 7, "recorded"),
        ("UPDATE log.event SET metadata = metadata || '\\x5001'::bytea WHERE position = 7", 7, "changed"),
        ("UPDATE log.event SET metadata = '\\xff' WHERE position = 7", 7, "metadata"),
        ("UPDATE log.event SET payload = payload || '\\x0801'::bytea WHERE position = 7", 7, "changed"),
        (
            "UPDATE log.event SET sealed = set_byte(sealed, octet_length(sealed) - 1,
                get_byte(sealed, octet_length(sealed) - 1) # 1) WHERE position = 7",
            7,
            "changed",
        ),
        ("UPDATE log.event SET sealed = '' WHERE position = 7", 7, "changed"),
        ("UPDATE log.event SET sealed = '\\xff' WHERE position = 7", 7, "sealed"),
        ("UPDATE log.event SET link = sha256('') WHERE position = 7", 7, "changed"),
        ("UPDATE log.event SET format = 2 WHERE position = 7", 7, "format"),
    ])
    .await;
}

#[tokio::test]
async fn what_was_removed_is_found() {
    all_found(&[
        ("DELETE FROM log.event WHERE position = 1", 1, "missing"),
        ("DELETE FROM log.event WHERE position = 7", 7, "missing"),
        ("DELETE FROM log.event WHERE position = 20", 20, "missing"),
        ("DELETE FROM log.event", 1, "missing"),
        // The place closed up again.
        (
            "DELETE FROM log.event WHERE position = 7;
             UPDATE log.event SET position = position + 100 WHERE position > 7;
             UPDATE log.event SET position = position - 101 WHERE position > 100;
             UPDATE log.head SET position = 19",
            7,
            "a command says",
        ),
        // The commands moved with them.
        (
            "DELETE FROM log.event WHERE position = 7; DELETE FROM log.command WHERE first_position = 7;
             UPDATE log.event SET position = position + 100 WHERE position > 7;
             UPDATE log.event SET position = position - 101 WHERE position > 100;
             UPDATE log.command SET first_position = first_position - 1, last_position = last_position - 1
             WHERE first_position > 7;
             UPDATE log.head SET position = 19",
            10,
            "follows version 1",
        ),
        // The tail with the head, to below a checkpoint.
        (
            "DELETE FROM log.event WHERE position > 10; DELETE FROM log.command WHERE first_position > 10;
             UPDATE log.head SET position = 10",
            11,
            "no epoch says why",
        ),
        // The unsigned tail with the head, but not the heads of the streams.
        ("DELETE FROM log.event WHERE position > 18; UPDATE log.head SET position = 18", 19, "ends before"),
    ])
    .await;
}

#[tokio::test]
async fn what_was_put_in_is_found() {
    all_found(&[
        // A copy in the middle; the later ones moved along.
        (
            "UPDATE log.event SET position = position + 100 WHERE position > 7;
             UPDATE log.event SET position = position - 99 WHERE position > 100;
             INSERT INTO log.event SELECT log, 8, 'account-new', 1, gen_random_uuid(), kind, recorded_at_us, metadata,
                payload, sealed, link, format FROM log.event WHERE position = 7;
             UPDATE log.head SET position = 21",
            8,
            "changed",
        ),
        // At the end, and the head was forgotten.
        (
            "INSERT INTO log.event SELECT log, 21, stream, 99, gen_random_uuid(), kind, recorded_at_us, metadata,
                payload, sealed, link, format FROM log.event WHERE position = 20",
            21,
            "ends before",
        ),
    ])
    .await;
}

#[tokio::test]
async fn another_order_is_found() {
    all_found(&[
        // Two of one stream.
        (
            "UPDATE log.event SET position = 100 WHERE position = 3; UPDATE log.event SET position = 3 WHERE position = 7;
             UPDATE log.event SET position = 7 WHERE position = 100",
            3,
            "version 2",
        ),
        // And their versions with them.
        (
            "UPDATE log.event SET position = 100, version = 100 WHERE position = 3;
             UPDATE log.event SET position = 3, version = 1 WHERE position = 7;
             UPDATE log.event SET position = 7, version = 2 WHERE position = 100",
            3,
            "changed",
        ),
        // Two of different streams: no link is broken, but the commands say otherwise.
        (
            "UPDATE log.event SET position = 100 WHERE position = 6; UPDATE log.event SET position = 6 WHERE position = 7;
             UPDATE log.event SET position = 7 WHERE position = 100",
            6,
            "a command says",
        ),
        // And their commands with them, but the signed tree knows the order.
        (
            "UPDATE log.event SET position = 100 WHERE position = 6; UPDATE log.event SET position = 6 WHERE position = 7;
             UPDATE log.event SET position = 7 WHERE position = 100;
             UPDATE log.command SET first_position = 13 - first_position, last_position = 13 - last_position
             WHERE first_position IN (6, 7)",
            12,
            "from 1 to here is not what was signed",
        ),
        // Two exchanged between their streams.
        (
            "UPDATE log.event SET stream = 'account-x' WHERE position = 7;
             UPDATE log.event SET stream = (SELECT stream FROM log.event WHERE position = 3) WHERE position = 8;
             UPDATE log.event SET stream = (SELECT stream FROM log.event WHERE position = 4) WHERE position = 7",
            7,
            "changed",
        ),
    ])
    .await;
}

/// A command whose row is gone would be done twice; one whose row was put in would never be done, and be told another's answer.
#[tokio::test]
async fn commands_which_differ_from_their_events_are_found() {
    let put_in = |positions: &str| {
        format!(
            "INSERT INTO log.command SELECT log, actor, gen_random_uuid(), request_mac, {positions}
             FROM log.command WHERE first_position = 7"
        )
    };
    let (middle, end, beyond) = (put_in("7, 7"), put_in("20, 20"), put_in("21, 21"));
    all_found(&[
        ("DELETE FROM log.command WHERE first_position = 7", 7, "no command says"),
        ("DELETE FROM log.command WHERE first_position = 20", 20, "no command says"),
        ("UPDATE log.command SET command_id = gen_random_uuid() WHERE first_position = 7", 7, "and did not"),
        ("UPDATE log.command SET actor = 'system:other' WHERE first_position = 7", 7, "and did not"),
        ("UPDATE log.command SET last_position = 8 WHERE first_position = 7", 7, "and did not"),
        (
            "UPDATE log.command SET first_position = 8, last_position = 8 WHERE first_position = 7",
            7,
            "no command says",
        ),
        (&middle, 7, "command"),
        (&end, 20, "command"),
        (&beyond, 21, "ends before"),
    ])
    .await;
}

#[tokio::test]
async fn guards_checkpoints_and_epochs_which_were_changed_are_found() {
    all_found(&[
        ("UPDATE log.stream SET version = 9 WHERE last_position = 20", 20, "differs"),
        ("UPDATE log.stream SET link = sha256('') WHERE last_position = 19", 19, "differs"),
        ("UPDATE log.stream SET last_position = 16 WHERE last_position = 20", 16, "differs"),
        // One that lies about its end alone, which by itself says that it was before all events.
        ("UPDATE log.stream SET last_position = 0 WHERE last_position = 17", 17, "differs"),
        ("UPDATE log.stream SET first_position = 30 WHERE last_position = 20", 20, "began elsewhere"),
        // The first by position, whatever they are called.
        ("UPDATE log.stream SET version = 9 WHERE last_position >= 18", 18, "differs"),
        ("DELETE FROM log.stream WHERE last_position = 18", 20, "is missing"),
        ("INSERT INTO log.stream VALUES ('identity', 'account-none', 1, sha256(''), 5, 5)", 5, "differs"),
        ("UPDATE log.head SET position = 18", 19, "ends before"),
        ("UPDATE log.head SET position = 25", 21, "missing"),
        ("UPDATE log.checkpoint_signed SET root = sha256('')", 12, "not signed"),
        ("UPDATE log.checkpoint_signed SET signed_at_us = 0", 12, "not signed"),
        ("UPDATE log.checkpoint_signed SET signed_at_us = 9223372036854775807", 12, "cannot be read"),
        ("UPDATE log.checkpoint_signed SET signature = signature || '' , epoch = 2", 12, "not signed"),
        ("UPDATE log.epoch SET reason = 'another'", 1, "not ours"),
        ("UPDATE log.epoch SET started_at_us = started_at_us + 1", 1, "not ours"),
        ("DELETE FROM log.epoch", 1, "epoch 1 is missing"),
    ])
    .await;
}

/// Gives the event at a position the payload of another one and makes every later link of its stream right again, and
/// the stream's head: all that can be done without the signing key.
async fn rewrite(world: &World, position: u64) {
    let all = world.log.read(0, 100).await.unwrap();
    let at = |position: u64| &all[usize::try_from(position - 1).unwrap()];
    let touched = at(position);
    let other = all.iter().find(|event| event.payload != touched.payload).unwrap();
    let events = all.iter().filter(|event| event.stream == touched.stream);
    let mut previous = [0; 32];
    for event in events {
        let mut forged = event.clone();
        if event.position == position {
            forged.payload = other.payload.clone();
        }
        forged.link = link(&previous, &forged);
        previous = forged.link;
        store(world, &forged).await;
    }
    let head = format!(
        "UPDATE log.stream SET link = '\\x{}' WHERE name = '{}'",
        hex::encode(previous),
        touched.stream
    );
    tamper(world, &head).await;
}

async fn store(world: &World, forged: &Recorded) {
    let (payload, link) = (hex::encode(&forged.payload), hex::encode(forged.link));
    let position = forged.position;
    let update = format!(
        "UPDATE log.event SET payload = '\\x{payload}', link = '\\x{link}' WHERE position = {position}"
    );
    tamper(world, &update).await;
}

#[tokio::test]
async fn a_rewrite_with_right_links_is_found_by_the_checkpoint() {
    let world = world().await;
    rewrite(&world, 5).await;
    let found = verdict(&world, &[]).await;
    assert_eq!(found, Some((12, "the log from 1 to here is not what was signed".to_owned())));
    // From the checkpoint on nothing is wrong.
    assert_eq!(world.log.verify(13, Some(&key().public_key())).await.unwrap().broken, None);
}

#[tokio::test]
async fn whoever_takes_the_checkpoints_along_is_found_by_those_kept_apart() {
    let world = world().await;
    let kept = [world.log.checkpoint(&key()).await.unwrap().unwrap()];
    rewrite(&world, 5).await;
    tamper(&world, "DELETE FROM log.checkpoint_signed").await;
    assert_eq!(verdict(&world, &[]).await, None, "the database alone does not know");
    let found = verdict(&world, &kept).await;
    assert_eq!(found, Some((20, "the log from 1 to here is not what was signed".to_owned())));
    // One of another's key says nothing of the log, and is said to be so.
    let stranger = CheckpointKey::from_seed(&[9; 32]).unwrap();
    let forged = world.log.checkpoint(&stranger).await.unwrap().unwrap();
    tamper(&world, "DELETE FROM log.checkpoint_signed").await;
    assert!(verdict(&world, &[forged]).await.unwrap().1.contains("not signed by this key"));
}

/// Takes the log back to ten events, guards and checkpoints too, as an old backup would.
async fn restore(world: &World) {
    let restore =
        "DELETE FROM log.event WHERE position > 10; DELETE FROM log.command WHERE first_position > 10;
         DELETE FROM log.checkpoint_signed WHERE size > 10; DELETE FROM log.stream; UPDATE log.head SET position = 10;
         INSERT INTO log.stream SELECT DISTINCT ON (stream) log, stream, version, link, 1, position
         FROM log.event ORDER BY stream, version DESC";
    tamper(world, restore).await;
}

async fn go_on(world: &World, events: u128) -> SignedCheckpoint {
    // As a process of the service which starts after the restore.
    let log = world.open_with(world.pool().clone()).await;
    for n in 0..events {
        log.append(context(100 + n).append(&log, vec![to(n, Expected::Any, 1)])).await.unwrap();
    }
    log.checkpoint(&key()).await.unwrap().unwrap()
}

#[tokio::test]
async fn an_old_backup_under_the_same_epoch_is_found_by_the_checkpoints_kept_apart() {
    let world = world().await;
    let at_20 = world.log.checkpoint(&key()).await.unwrap().unwrap();

    restore(&world).await;
    let gone = "events which were signed are gone, and no epoch says why".to_owned();
    assert_eq!(verdict(&world, std::slice::from_ref(&at_20)).await, Some((11, gone)));
    // Gone on with, it has other events where the signed ones were.
    go_on(&world, 15).await;
    assert_eq!(verdict(&world, &[]).await, None, "the database alone does not know");
    let other = "the log from 1 to here is not what was signed".to_owned();
    assert_eq!(verdict(&world, &[at_20]).await, Some((20, other)));
}

#[tokio::test]
async fn a_restored_log_is_sound_only_with_its_epoch() {
    let world = world().await;
    let kept = [world.log.checkpoint(&key()).await.unwrap().unwrap()];
    restore(&world).await;
    assert!(verdict(&world, &kept).await.is_some());
    let epoch = world.log.raise_epoch("restored from the backup of 1 March").await.unwrap();
    assert_eq!((epoch.number, epoch.from_position), (2, 11));
    assert_eq!(verdict(&world, &kept).await, None);
    let signed = go_on(&world, 5).await;
    assert_eq!((signed.size, signed.epoch), (15, 2));
    let log = world.open_with(world.pool().clone()).await;
    let verified = log.verify_against(1, Some(&key().public_key()), &kept).await.unwrap();
    assert_eq!((verified.broken, verified.to, verified.protected_to), (None, 15, 15));
    assert_eq!(log.read(10, 1).await.unwrap()[0].epoch, 2);
    tamper(&world, "UPDATE log.epoch SET from_position = 13 WHERE number = 2").await;
    let reopened = world.open_with(world.pool().clone()).await;
    assert!(reopened.verify(1, None).await.unwrap().broken.is_some());
}

/// No instant that a row of an epoch may name ends the check, or stops the service that would be asked for it.
#[tokio::test]
async fn an_epoch_whose_row_cannot_be_read_is_named_and_the_events_are_looked_at_too() {
    for instant in [i64::MAX, i64::MIN] {
        let world = world().await;
        world.log.raise_epoch("the drill").await.unwrap();
        tamper(&world, &format!("UPDATE log.epoch SET started_at_us = {instant} WHERE number = 2")).await;
        tamper(&world, "UPDATE log.event SET payload = '\\x0801' WHERE position = 15").await;
        let reopened = world.open_with(world.pool().clone()).await;
        assert_eq!(reopened.head().await.unwrap().epoch.number, 2);
        let verified = reopened.verify(1, Some(&key().public_key())).await.unwrap();
        let first = verified.broken.unwrap();
        assert_eq!((first.position, &*first.fault), (21, "the row of epoch 2 is not ours"));
        let further: Vec<_> = verified.further.iter().map(|broken| broken.position).collect();
        assert_eq!((further, verified.faults, verified.to), (vec![15], 2, 20));
    }
}

/// The limit of all this, so that nobody believes more: of what came after the last checkpoint nothing signed speaks.
#[tokio::test]
async fn the_tail_after_the_last_checkpoint_is_not_protected() {
    let rewritten = world().await;
    rewrite(&rewritten, 15).await;
    assert_eq!(verdict(&rewritten, &[]).await, None, "a rewrite with right links");

    let reordered = world().await;
    let swap = "UPDATE log.event SET position = 100 WHERE position = 15;
                UPDATE log.event SET position = 15 WHERE position = 16;
                UPDATE log.event SET position = 16 WHERE position = 100;
                UPDATE log.command SET first_position = 31 - first_position, last_position = 31 - last_position
                WHERE first_position IN (15, 16)";
    tamper(&reordered, swap).await;
    assert_eq!(verdict(&reordered, &[]).await, None, "another order of different streams");

    let shortened = world().await;
    let cut = "DELETE FROM log.event WHERE position > 16; DELETE FROM log.command WHERE first_position > 16; UPDATE log.head SET position = 16; DELETE FROM log.stream;
               INSERT INTO log.stream SELECT DISTINCT ON (stream) log, stream, version, link, 1, position
               FROM log.event ORDER BY stream, version DESC";
    tamper(&shortened, cut).await;
    assert_eq!(verdict(&shortened, &[]).await, None, "a tail cut off with all heads set back");
    // The first checkpoint which covers it ends that.
    let whole = world().await;
    whole.log.checkpoint(&key()).await.unwrap();
    tamper(&whole, cut).await;
    assert_eq!(verdict(&whole, &[]).await.map(|(position, _)| position), Some(17));
}
