//! One append: versions, conflicts, repetition, limits.

use docket_eventlog::{Append, Error, EventLog, Expected, NewEvent, StreamAppend, StreamName, Subjects};
use docket_kernel::{Actor, Clock};
use futures::future::join_all;
use jiff::SignedDuration;

use crate::world::{World, context, id, one, stream, summary, to};

#[tokio::test]
async fn positions_and_versions_are_dense_and_instants_never_go_back() {
    let world = World::new().await;
    let log = &world.log;
    let start = world.clock.now();
    let first = log.append(one(log, 1, 1, Expected::Version(0))).await.unwrap();
    world.clock.advance(SignedDuration::from_secs(-3_600));
    let second = context(2).append(log, vec![to(1, Expected::Version(1), 2), to(2, Expected::Version(0), 1)]);
    let second = log.append(second).await.unwrap();
    world.clock.advance(SignedDuration::from_secs(7_200));
    log.append(one(log, 3, 2, Expected::Any)).await.unwrap();

    assert_eq!((first.first, first.last, second.first, second.last), (1, 1, 2, 4));
    let all = world.sound().await;
    let at = |event: &docket_eventlog::Recorded| (event.stream.id().unwrap().as_u128(), event.version);
    assert_eq!(all.iter().map(at).collect::<Vec<_>>(), [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2)]);
    assert_eq!(all[..4], [first.events, second.events].concat());
    assert!(all[..4].iter().all(|event| event.recorded_at == start), "the clock went back, the log did not");
    assert_eq!(all[4].recorded_at, world.clock.now());
    assert_eq!(log.position_at(start).await.unwrap(), 4);
    assert_eq!(log.position_at(start - SignedDuration::from_secs(1)).await.unwrap(), 0);
    assert_eq!(*log.subscribe_head().borrow(), 5);
}

#[tokio::test]
async fn a_stale_version_is_refused_with_the_current_one_and_all_or_nothing_holds() {
    let world = World::new().await;
    let log = &world.log;
    log.append(one(log, 1, 1, Expected::Version(0))).await.unwrap();
    for (command, expected) in [(2, 0), (3, 2), (4, 7)] {
        let both = context(command)
            .append(log, vec![to(2, Expected::Version(0), 1), to(1, Expected::Version(expected), 1)]);
        let lost = log.append(both).await;
        assert_eq!(summary(&lost), format!("conflict {expected} is 1"));
        assert!(matches!(lost, Err(Error::Conflict { stream: which, .. }) if which == stream(1)));
    }
    assert_eq!(world.sound().await.len(), 1);
    assert_eq!(world.count("SELECT count(*) FROM log.command").await, 1, "a refusal is not remembered");
}

#[tokio::test]
async fn a_conflict_in_a_group_costs_the_others_nothing() {
    let world = World::new().await;
    let log = &world.log;
    // Held by another transaction, the head makes all of them wait and then go together.
    let mut blocker = docket_database::begin(world.pool()).await.unwrap();
    sqlx::query("UPDATE log.head SET commits = commits").execute(&mut *blocker).await.unwrap();
    let appends: Vec<Append> =
        (0..40).map(|command| one(log, command + 1, command / 4, Expected::Version(0))).collect();
    let first = log.append(one(log, 1_000, 1_000, Expected::Any));
    let rest = join_all(appends.into_iter().map(|append| log.append(append)));
    let release = async {
        world_waits(&world).await;
        blocker.commit().await.unwrap();
    };
    let (first, rest, ()) = tokio::join!(first, rest, release);
    assert_eq!(summary(&first), "1..1");
    let won = rest.iter().filter(|outcome| outcome.is_ok()).count();
    let lost = rest.iter().filter(|outcome| summary(outcome) == "conflict 0 is 1").count();
    assert_eq!((won, lost), (10, 30), "one winner for each stream");
    assert!(world.count("SELECT commits FROM log.head").await <= 3, "they went to disk together");
    assert_eq!(world.sound().await.len(), 11);
}

/// Until the appender waits for the head.
async fn world_waits(world: &World) {
    let waiting = "SELECT count(*) FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while world.count(waiting).await == 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_repeated_command_gives_the_first_answer() {
    let world = World::new().await;
    let log = &world.log;
    let append = context(1).append(log, vec![to(1, Expected::Version(0), 2), to(2, Expected::Version(0), 1)]);
    let first = log.append(append.clone()).await.unwrap();
    log.append(one(log, 2, 1, Expected::Any)).await.unwrap();
    let again = log.append(append.clone()).await.unwrap();
    assert!(again.repeated && !first.repeated);
    assert_eq!((again.first, again.last, &again.events), (first.first, first.last, &first.events));
    assert_eq!(log.command(&Actor::account(id(99)), id(1)).await.unwrap(), Some((1, 3)));
    assert_eq!(log.command(&Actor::account(id(98)), id(1)).await.unwrap(), None);

    let many = join_all((0..20).map(|_| log.append(one(log, 5, 5, Expected::Version(0))))).await;
    assert!(many.iter().flatten().all(|answer| (answer.first, answer.last) == (5, 5)));
    assert_eq!(many.iter().flatten().filter(|answer| !answer.repeated).count(), 1);
    assert_eq!(many.iter().flatten().count(), 20);
    // Another actor's command of that id is another command.
    let mut other = one(log, 1, 9, Expected::Version(0));
    other.metadata.actor = Actor::service("filing");
    assert!(!log.append(other).await.unwrap().repeated);
    world.sound().await;
}

#[tokio::test]
async fn a_repeated_command_gives_the_first_answer_whoever_is_written_beside_it() {
    let world = World::new().await;
    let log = &world.log;
    log.append(one(log, 1, 1, Expected::Version(0))).await.unwrap();
    // One group. From memory alone the first of it would be a conflict.
    let group = [one(log, 1, 1, Expected::Version(0)), one(log, 2, 2, Expected::Version(0))];
    let answers = join_all(group.map(|append| log.append(append))).await;
    assert_eq!(answers.iter().map(summary).collect::<Vec<_>>(), ["repeated 1..1", "2..2"]);
    assert_eq!(world.count("SELECT commits FROM log.head").await, 2, "it was one group");
    world.sound().await;
}

#[tokio::test]
async fn a_command_without_events_is_remembered_too() {
    let world = World::new().await;
    let log = &world.log;
    log.append(one(log, 1, 1, Expected::Any)).await.unwrap();
    let nothing = context(2).append(log, vec![to(1, Expected::Version(1), 0)]);
    let first = log.append(nothing.clone()).await.unwrap();
    assert_eq!((first.first, first.last, first.events.len(), first.repeated), (2, 1, 0, false));
    log.append(one(log, 3, 1, Expected::Any)).await.unwrap();
    let again = log.append(nothing).await.unwrap();
    assert_eq!((again.first, again.last, again.events.len(), again.repeated), (2, 1, 0, true));
    world.sound().await;
}

fn request(fields: &[(u32, &str)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (number, text) in fields {
        prost::encoding::string::encode(*number, &(*text).to_owned(), &mut bytes);
    }
    bytes
}

async fn ask(log: &EventLog, request: Vec<u8>) -> String {
    let mut append = one(log, 1, 1, Expected::Any);
    append.request = request;
    summary(&log.append(append).await)
}

#[tokio::test]
async fn the_same_id_with_another_body_is_refused_and_the_difference_named() {
    let world = World::new().await;
    let log = &world.log;
    let reused = |what: &str| format!("the command id was used before with another content: {what}");
    assert_eq!(ask(log, request(&[(1, "a"), (2, "b"), (3, "c")])).await, "1..1");
    assert_eq!(ask(log, request(&[(1, "a"), (2, "b"), (3, "c")])).await, "repeated 1..1");
    assert_eq!(ask(log, request(&[(1, "a"), (2, "x"), (3, "c")])).await, reused("field 2 differs"));
    assert_eq!(ask(log, request(&[(1, "a"), (3, "d"), (7, "e")])).await, reused("field 2, 3, 7 differs"));
    assert_eq!(ask(log, request(&[])).await, reused("field 1, 2, 3 differs"));
    assert_eq!(world.sound().await.len(), 1);
}

#[tokio::test]
async fn what_does_not_belong_into_a_log_is_refused_before_the_lock() {
    let world = World::new().await;
    let log = &world.log;
    let with = |kind: &str, payload: Vec<u8>| {
        let event = NewEvent { kind: kind.to_owned(), payload };
        let stream = StreamAppend {
            stream: stream(1),
            expected: Expected::Any,
            subjects: Subjects::NONE,
            events: vec![event],
        };
        log.append(context(1).append(log, vec![stream]))
    };
    let large = request(&[(9, &"x".repeat(256 * 1024))]);
    assert!(matches!(with("account.big.v1", large).await, Err(Error::TooLarge { bytes }) if bytes > 262_144));
    assert!(matches!(with("account.odd.v1", vec![0xff]).await, Err(Error::Malformed(_))));
    assert!(matches!(with("account.\0.v1", vec![]).await, Err(Error::Malformed(_))));
    let twice = context(1).append(log, vec![to(1, Expected::Any, 1), to(1, Expected::Any, 1)]);
    assert!(matches!(log.append(twice).await, Err(Error::Malformed(_))));
    let mut odd = one(log, 1, 1, Expected::Any);
    odd.metadata.actor = Actor::service("\0");
    assert!(matches!(log.append(odd).await, Err(Error::Malformed(_))));
    for bad in ["", "Case-1", "case 1", &"x".repeat(121), "case-\0"] {
        assert!(matches!(StreamName::new(bad), Err(Error::StreamName)), "{bad}");
    }
    assert_eq!(world.sound().await.len(), 0);
}

#[tokio::test]
async fn an_append_goes_with_the_transaction_it_was_made_in() {
    let world = World::new().await;
    let log = &world.log;
    let mut tx = docket_database::begin(world.pool()).await.unwrap();
    let first = log.append_in(&mut tx, one(log, 1, 1, Expected::Version(0))).await.unwrap();
    let lost = log.append_in(&mut tx, one(log, 2, 1, Expected::Version(0))).await;
    assert_eq!(summary(&lost), "conflict 0 is 1", "and the transaction goes on");
    let second = log.append_in(&mut tx, one(log, 3, 1, Expected::Version(1))).await.unwrap();
    assert_eq!((first.last, second.last), (1, 2));
    assert_eq!(log.read(0, 10).await.unwrap().len(), 0, "nobody sees it yet");
    tx.rollback().await.unwrap();
    assert_eq!(world.sound().await.len(), 0);

    let mut tx = docket_database::begin(world.pool()).await.unwrap();
    log.append_in(&mut tx, one(log, 1, 1, Expected::Version(0))).await.unwrap();
    tx.commit().await.unwrap();
    log.committed(1);
    assert_eq!(*log.subscribe_head().borrow(), 1);
    assert_eq!(summary(&log.append(one(log, 1, 1, Expected::Version(0))).await), "repeated 1..1");
    assert_eq!(world.sound().await.len(), 1);
}

#[tokio::test]
async fn two_logs_in_one_database_know_nothing_of_each_other() {
    let world = World::new().await;
    let (log, access) = (&world.log, world.another("access").await);
    log.append(one(log, 1, 1, Expected::Version(0))).await.unwrap();
    for n in 1..=3 {
        let appended =
            access.append(one(&access, n, 1, Expected::Version(u64::try_from(n).unwrap() - 1))).await;
        assert_eq!(summary(&appended), format!("{n}..{n}"));
    }
    assert_eq!((log.head().await.unwrap().position, access.head().await.unwrap().position), (1, 3));
    assert_ne!(log.head().await.unwrap().epoch.id, access.head().await.unwrap().epoch.id);
    assert_eq!(access.read_stream(&stream(1), 2).await.unwrap().len(), 2);
    assert_eq!(access.verify(1, None).await.unwrap().broken, None);
    assert_eq!(world.sound().await.len(), 1);
}

#[tokio::test]
async fn an_append_whose_caller_went_away_is_carried_out() {
    let world = World::new().await;
    let log = &world.log;
    let mut blocker = docket_database::begin(world.pool()).await.unwrap();
    sqlx::query("UPDATE log.head SET commits = commits").execute(&mut *blocker).await.unwrap();
    let mut head = log.subscribe_head();
    {
        let append = log.append(one(log, 1, 1, Expected::Version(0)));
        tokio::select! {
            biased;
            _ = append => panic!("the head is locked"),
            () = world_waits(&world) => {}
        }
    }
    blocker.commit().await.unwrap();
    head.wait_for(|position| *position == 1).await.unwrap();
    assert_eq!(world.sound().await.len(), 1);
}

#[tokio::test]
async fn closing_carries_out_what_waits_and_refuses_the_rest() {
    let world = World::new().await;
    let log = &world.log;
    let appends = join_all((1..=20).map(|n| log.append(one(log, n, n, Expected::Version(0)))));
    let (appends, ()) = tokio::join!(appends, log.close());
    assert!(appends.iter().all(|outcome| matches!(outcome, Ok(_) | Err(Error::Closed))));
    let done = appends.iter().flatten().count();
    assert_eq!(world.sound().await.len(), done);
    assert!(matches!(log.append(one(log, 99, 1, Expected::Any)).await, Err(Error::Closed)));
}
