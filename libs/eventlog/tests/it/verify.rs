//! What `verify` holds in memory, and that it goes on after the first fault.

use docket_eventlog::{Broken, CheckpointKey, Expected, StreamName, Verified};
use tokio::sync::watch;

use crate::tampering::{self, tamper};
use crate::world::{World, context, one, stream, to};

const STREAMS: u128 = 2_000;
/// Two of each.
const EVENTS: u64 = 4_000;

/// Every stream is met twice, and far apart.
async fn wide() -> World {
    let write = async |world: &World| {
        for round in 0..2 {
            for first in (0..STREAMS).step_by(500) {
                let streams = (first..first + 500).map(|n| to(n, Expected::Any, 1)).collect();
                let append = context(1 + round * STREAMS + first).append(&world.log, streams);
                world.log.append(append).await.unwrap();
            }
        }
    };
    World::copy("wide", write).await
}

#[tokio::test]
async fn what_is_held_does_not_grow_with_the_streams_and_finds_the_same() {
    let world = wide().await;
    let verified = async |most| {
        let progress = watch::Sender::new(0);
        let verified = world.log.verify_within(most, 1, None, &[], &progress).await.unwrap();
        assert_eq!(*progress.borrow(), verified.to, "{most}");
        verified
    };
    for most in [2, 64, 1_000] {
        let sound = verified(most).await;
        assert_eq!((sound.broken, sound.to), (None, EVENTS), "{most}");
        assert!(sound.most_held <= most, "{} are held, and {most} may be", sound.most_held);
    }
    let streams = usize::try_from(STREAMS).unwrap();
    assert_eq!(world.log.verify(1, None).await.unwrap().most_held, streams, "all of them, where they fit");

    // The first event of one of the streams, which is out of mind long before its second.
    tamper(&world, "UPDATE log.event SET link = sha256('') WHERE position = 3").await;
    let broken = |verified: Verified| (verified.broken.unwrap().position, verified.faults);
    for most in [2, 64, 10_000] {
        assert_eq!(broken(verified(most).await), (3, 2), "and its second does not follow it");
    }
}

#[tokio::test]
async fn checkpoints_are_met_a_page_at_a_time_and_a_walk_begins_at_any() {
    let (world, key) = (World::new().await, CheckpointKey::from_seed(&[3; 32]).unwrap());
    let log = &world.log;
    for n in 1..=300 {
        log.append(one(log, n, n % 7, Expected::Any)).await.unwrap();
        log.checkpoint(&key).await.unwrap();
    }
    let verified = async |from| log.verify(from, Some(&key.public_key())).await.unwrap();
    for (from, start, met) in [(1, 1, 300), (2, 2, 299), (150, 150, 151), (300, 300, 1), (u64::MAX, 301, 0)] {
        let sound = verified(from).await;
        assert_eq!((sound.from, sound.checkpoints, sound.protected_to), (start, met, 300), "from {from}");
        assert_eq!((sound.broken, sound.to), (None, 300));
    }
    // From where no checkpoint can be gone on from, it begins at one that can.
    tamper(&world, "UPDATE log.checkpoint_signed SET frontier = '' WHERE size > 20").await;
    assert_eq!(verified(300).await.from, 21);
    tamper(&world, "UPDATE log.checkpoint_signed SET root = sha256('') WHERE size = 290").await;
    let broken = verified(1).await.broken.unwrap();
    assert_eq!((broken.position, broken.place.unwrap().1), (290, 42));
}

/// Whoever owns the database can put a checkpoint there, and let a walk begin after what he changed.
#[tokio::test]
async fn a_walk_begins_only_at_a_checkpoint_that_the_key_has_signed() {
    let [key, stranger] = [3, 4].map(|seed| CheckpointKey::from_seed(&[seed; 32]).unwrap());
    let world = World::new().await;
    let signed_after = async |events: std::ops::RangeInclusive<u128>, key: &CheckpointKey| {
        for n in events {
            world.log.append(one(&world.log, n, n % 7, Expected::Any)).await.unwrap();
        }
        world.log.checkpoint(key).await.unwrap();
    };
    signed_after(1..=10, &key).await;
    signed_after(11..=20, &stranger).await;
    signed_after(21..=25, &stranger).await;
    let found = world.log.verify(25, Some(&key.public_key())).await.unwrap();
    assert_eq!((found.from, found.protected_to, found.faults), (11, 10, 1));
    let broken = found.broken.unwrap();
    assert_eq!((broken.position, &*broken.fault), (20, "the checkpoint here is not signed by this key"));
    // Nothing is said to be signed by whoever does not ask by whom.
    for from in [1, 25] {
        let unknown = world.log.verify(from, None).await.unwrap();
        assert_eq!((unknown.broken, unknown.to, unknown.protected_to), (None, 25, 0), "from {from}");
    }
    // One whose signature was changed is as good as none.
    tamper(&world, "UPDATE log.checkpoint_signed SET signature = sha512('') WHERE size = 10").await;
    assert_eq!(world.log.verify(12, Some(&key.public_key())).await.unwrap().from, 1);
}

fn said(broken: &Broken) -> (u64, Option<u64>, &str) {
    (broken.position, broken.place.as_ref().map(|(_, version)| *version), &broken.fault)
}

#[tokio::test]
async fn bytes_that_cannot_be_read_are_named_by_their_place_and_the_rest_is_told_too() {
    let world = tampering::world().await;
    let name = stream(3);
    let of_stream = async |name: &StreamName| world.log.verify_stream(name).await.unwrap();
    let sound = of_stream(&name).await.unwrap();
    assert_eq!((sound.broken, sound.from, sound.to, sound.faults), (None, 1, 5, 0));
    assert_eq!(of_stream(&stream(9)).await, None);

    // The second of its stream cannot be read, the fourth was changed, the fifth of another stream too.
    tamper(&world, "UPDATE log.event SET metadata = '\\xff' WHERE position = 7").await;
    tamper(&world, "UPDATE log.event SET payload = '\\x0801' WHERE position IN (15, 20)").await;
    let changed = "its bytes, or the link to the event before it, were changed";
    let found = of_stream(&name).await.unwrap();
    let first = found.broken.unwrap();
    assert_eq!((first.position, first.place), (7, Some((name.to_string(), 2))));
    assert!(first.event_id.is_some() && first.fault.contains("metadata"), "{}", first.fault);
    assert_eq!(found.further.iter().map(said).collect::<Vec<_>>(), [(15, Some(4), changed)]);
    assert_eq!((found.to, found.faults), (5, 2));

    let found = world.log.verify(1, None).await.unwrap();
    let first = found.broken.unwrap();
    assert_eq!((first.position, first.place), (7, Some((name.to_string(), 2))));
    let further: Vec<_> = found.further.iter().map(said).collect();
    assert_eq!(further, [(15, Some(4), changed), (20, Some(5), changed)]);
    assert_eq!((found.to, found.faults, found.protected_to), (20, 3, 0), "nothing signed is met any more");
}

#[tokio::test]
async fn a_stream_is_compared_with_its_head_and_with_the_order_of_the_log() {
    for (statements, position, version, word) in [
        ("DELETE FROM log.stream WHERE name LIKE '%3'", 19, 5, "missing"),
        ("UPDATE log.stream SET version = 6 WHERE name LIKE '%3'", 19, 6, "differs"),
        ("UPDATE log.stream SET link = sha256('') WHERE name LIKE '%3'", 19, 5, "differs"),
        ("UPDATE log.stream SET last_position = 20 WHERE name LIKE '%3'", 19, 5, "differs"),
        ("DELETE FROM log.event WHERE position = 19", 19, 5, "differs"),
        ("DELETE FROM log.event WHERE position = 11", 15, 4, "version 4 follows version 2"),
        ("UPDATE log.event SET position = 100 WHERE position = 7", 11, 3, "stands before version 2"),
        ("UPDATE log.event SET format = 2 WHERE position = 7", 7, 2, "format"),
        ("UPDATE log.event SET sealed = '\\xff' WHERE position = 7", 7, 2, "sealed"),
    ] {
        let world = tampering::world().await;
        tamper(&world, statements).await;
        let broken = world.log.verify_stream(&stream(3)).await.unwrap().unwrap().broken.unwrap();
        assert_eq!((broken.position, broken.place.unwrap().1), (position, version), "{statements}");
        assert!(broken.fault.contains(word), "{statements}: {}", broken.fault);
    }
    // Nothing left of it but its head.
    let world = tampering::world().await;
    tamper(&world, "DELETE FROM log.event WHERE stream LIKE '%3'").await;
    let broken = world.log.verify_stream(&stream(3)).await.unwrap().unwrap().broken.unwrap();
    assert_eq!((broken.position, broken.event_id), (19, None));
}

#[tokio::test]
async fn no_more_faults_are_named_than_can_be_read() {
    let world = wide().await;
    tamper(&world, "UPDATE log.event SET payload = '\\x0801' WHERE position <= 500").await;
    let found = world.log.verify(1, None).await.unwrap();
    assert_eq!((found.broken.unwrap().position, found.further.len(), found.faults), (1, 100, 500));
    assert_eq!(found.to, EVENTS);
}
