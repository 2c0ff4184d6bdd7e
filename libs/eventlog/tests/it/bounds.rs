//! What is just allowed is taken, and one byte more is refused.

use docket_eventlog::{Append, Error, EventLog, Expected, NewEvent, StreamAppend, Subjects};
use docket_kernel::Actor;

use crate::world::{World, context, stream, summary};

const EVENT: usize = 256 * 1024;
const APPEND: usize = 4 * 1024 * 1024;

fn event(bytes: usize) -> NewEvent {
    let mut payload = Vec::new();
    prost::encoding::bytes::encode(9, &vec![7_u8; bytes], &mut payload);
    NewEvent { kind: "account.large.v1".to_owned(), payload }
}

fn command(log: &EventLog, command: u128, events: Vec<NewEvent>) -> Append {
    let expected = Expected::Any;
    context(command)
        .append(log, vec![StreamAppend { stream: stream(1), expected, subjects: Subjects::NONE, events }])
}

/// Tries an append that is too large, and learns by how much.
async fn too_much(log: &EventLog, append: Append, bound: usize) -> usize {
    match log.append(append).await {
        Err(Error::TooLarge { bytes }) => bytes - bound,
        other => panic!("{}", summary(&other)),
    }
}

#[tokio::test]
async fn an_event_of_just_256_kib_is_taken_and_one_byte_more_is_not() {
    let world = World::new().await;
    let log = &world.log;
    let fits = EVENT - too_much(log, command(log, 1, vec![event(EVENT)]), EVENT).await;
    assert_eq!(too_much(log, command(log, 1, vec![event(fits + 1)]), EVENT).await, 1);
    log.append(command(log, 1, vec![event(fits)])).await.unwrap();
    assert_eq!(world.sound().await.len(), 1);
}

#[tokio::test]
async fn an_append_of_just_4_mib_is_taken_and_one_byte_more_is_not() {
    let world = World::new().await;
    let log = &world.log;
    let of = |last: usize| {
        let mut events = vec![event(240 * 1024); 16];
        events.push(event(last));
        events
    };
    let last = 261_000 - too_much(log, command(log, 1, of(261_000)), APPEND).await;
    assert_eq!(too_much(log, command(log, 1, of(last + 1)), APPEND).await, 1);
    log.append(command(log, 1, of(last))).await.unwrap();
    assert_eq!(world.sound().await.len(), 17);
}

#[tokio::test]
async fn a_name_of_just_200_bytes_is_taken_and_one_byte_more_is_not() {
    let world = World::new().await;
    let log = &world.log;
    let kind = |bytes: usize| vec![NewEvent { kind: "k".repeat(bytes), payload: Vec::new() }];
    log.append(command(log, 1, kind(200))).await.unwrap();
    assert!(matches!(
        log.append(command(log, 2, kind(201))).await,
        Err(Error::Malformed("the kind of an event"))
    ));
    let rest = 200 - Actor::service("").to_string().len();
    let actor = |bytes: usize| {
        let mut append = command(log, 3, kind(1));
        append.metadata.actor = Actor::service("a".repeat(bytes));
        append
    };
    log.append(actor(rest)).await.unwrap();
    assert!(matches!(log.append(actor(rest + 1)).await, Err(Error::Malformed("the actor"))));
    assert_eq!(world.sound().await.len(), 2);
}
