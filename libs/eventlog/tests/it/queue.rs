//! The queue before the log is bounded by number and by bytes; what was accepted is kept, once, what was not is not.

use std::time::Duration;

use docket_eventlog::{Append, Appended, Error, EventLog, Expected, NewEvent, Queue, StreamAppend, Subjects};
use tokio::task::JoinHandle;

use crate::world::{World, context, id, one, registered, stream, summary};

const KIB: usize = 1024;

/// A command with one event of so many KiB, to a stream of its own.
fn large(log: &EventLog, command: u128, kib: usize) -> Append {
    let mut payload = Vec::new();
    // A little less, for the rest of the event.
    prost::encoding::bytes::encode(9, &vec![7_u8; kib * KIB - KIB / 2], &mut payload);
    let event = NewEvent { kind: "account.large.v1".to_owned(), payload };
    let append = StreamAppend {
        stream: stream(command),
        expected: Expected::Version(0),
        subjects: Subjects::NONE,
        events: vec![event],
    };
    context(command).append(log, vec![append])
}

/// Appends until one is refused, while no flush ends; gives those that were accepted. Each is queued, or refused, before the
/// next one comes.
async fn fill(log: &EventLog, make: impl Fn(u128) -> Append) -> Vec<JoinHandle<Result<Appended, Error>>> {
    let mut accepted = Vec::new();
    for command in 1.. {
        let append = make(command);
        let log = log.clone();
        let mut append = Box::pin(async move { log.append(append).await });
        match futures::poll!(&mut append) {
            std::task::Poll::Pending => accepted.push(tokio::spawn(append)),
            std::task::Poll::Ready(refused) => {
                assert!(matches!(refused, Err(Error::Overloaded)), "{}", summary(&refused));
                return accepted;
            }
        }
    }
    unreachable!("there is an end to it")
}

/// Fills the queue with the head held, lets it drain, and finds what was accepted, and nothing else.
async fn fills_and_drains(queue: Queue, accepts: usize, make: impl Fn(&EventLog, u128) -> Append) {
    let world = World::new().await;
    let log = world.open_queued(queue).await;
    let blocker = world.hold_the_head().await;
    let accepted = fill(&log, |command| make(&log, command)).await;
    assert_eq!(accepted.len(), accepts);
    world.somebody_waits().await;
    let refused = log.append(make(&log, 1_000)).await;
    assert!(matches!(refused, Err(Error::Overloaded)), "{}", summary(&refused));
    assert_eq!(world.count("SELECT count(*) FROM log.event").await, 0, "no flush has ended");

    blocker.rollback().await.unwrap();
    for appended in accepted {
        let appended = appended.await.unwrap();
        assert!(appended.is_ok(), "{}", summary(&appended));
    }
    let mut done: Vec<u128> =
        world.sound().await.iter().map(|event| event.metadata.command_id.as_u128()).collect();
    done.sort_unstable();
    assert!(
        done.into_iter().eq(1..=accepts as u128),
        "what was accepted, once, and nothing that was refused"
    );
    // Empty again, it takes as much as before.
    let blocker = world.hold_the_head().await;
    let again = fill(&log, |command| make(&log, 2_000 + command)).await;
    assert_eq!(again.len(), accepts);
    blocker.rollback().await.unwrap();
    for appended in again {
        assert!(appended.await.unwrap().is_ok());
    }
    assert_eq!(world.sound().await.len(), 2 * accepts);
}

#[tokio::test]
async fn a_queue_full_by_number_refuses_at_once_and_drains_whole() {
    let queue = Queue { appends: 40, ..Queue::default() };
    fills_and_drains(queue, 40, |log, command| one(log, command, command, Expected::Any)).await;
}

#[tokio::test]
async fn a_queue_full_by_bytes_refuses_at_once_and_drains_whole() {
    let queue = Queue { bytes: 2_000 * KIB, ..Queue::default() };
    fills_and_drains(queue, 20, |log, command| large(log, command, 100)).await;
}

#[tokio::test]
async fn a_small_append_still_fits_where_a_large_one_does_not_and_one_larger_than_all_goes_alone() {
    let world = World::new().await;
    let log = world.open_queued(Queue { bytes: 150 * KIB, ..Queue::default() }).await;
    let blocker = world.hold_the_head().await;
    let (first, large_one) = (log.append(large(&log, 1, 100)), log.append(large(&log, 2, 100)));
    let small = log.append(one(&log, 3, 3, Expected::Any));
    let release = async {
        world.somebody_waits().await;
        blocker.rollback().await.unwrap();
    };
    let (first, large_one, small, ()) = tokio::join!(first, large_one, small, release);
    assert!(first.is_ok() && small.is_ok());
    assert!(matches!(large_one, Err(Error::Overloaded)), "{}", summary(&large_one));
    assert!(log.append(large(&log, 4, 200)).await.is_ok(), "nothing else waits");
    assert_eq!(world.sound().await.len(), 3);
}

#[tokio::test]
async fn what_waits_for_keys_is_bounded_too_and_its_callers_are_told_in_time() {
    let world = World::new().await;
    let log = world.open_queued(Queue { appends: 40, ..Queue::default() }).await;
    // Nobody can be given a key.
    let mut slow = docket_database::begin(world.pool()).await.unwrap();
    sqlx::query("LOCK TABLE vault.data_key IN ACCESS EXCLUSIVE MODE").execute(&mut *slow).await.unwrap();
    let sealed = |command| {
        let subjects = Subjects::account(id(command));
        let sealed = StreamAppend::of(stream(command), Expected::Any, subjects, &[registered()]);
        context(command).append(&log, vec![sealed])
    };
    let accepted = fill(&log, sealed).await;
    assert_eq!(accepted.len(), 40);
    for answer in accepted {
        let answer = tokio::time::timeout(Duration::from_secs(20), answer).await.unwrap().unwrap();
        assert!(matches!(answer, Err(Error::OutcomeUnknown)), "{}", summary(&answer));
    }
    // It is carried out all the same, once.
    slow.rollback().await.unwrap();
    let written = "SELECT count(*) FROM log.event";
    world.wait_for("all forty", Duration::from_secs(20), written, |found| found == 40).await;
    assert!(log.append(one(&log, 100, 100, Expected::Any)).await.is_ok(), "their places are free");
    assert_eq!(world.sound().await.len(), 41);
}

#[tokio::test]
async fn closing_carries_out_a_full_queue() {
    let world = World::new().await;
    let log = world.open_queued(Queue { appends: 10, ..Queue::default() }).await;
    let blocker = world.hold_the_head().await;
    let accepted = fill(&log, |command| one(&log, command, command, Expected::Any)).await;
    let release = async {
        world.somebody_waits().await;
        blocker.rollback().await.unwrap();
    };
    tokio::join!(log.close(), release);
    for appended in accepted {
        assert!(appended.await.unwrap().is_ok());
    }
    assert_eq!(world.sound().await.len(), 10);
}
