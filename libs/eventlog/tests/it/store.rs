//! The store: decide, append, decide again, repeat.

use std::sync::Mutex;
use std::time::Duration;

use docket_eventlog::{Aggregate, Context, ExecuteError, Expected, Folded, Mark, Snapshots, Store, Subjects};
use docket_kernel::Refusal;
use docket_proto::events::account::Event;
use futures::future::join_all;
use sqlx::postgres::PgPoolOptions;

use crate::world::{World, context, id, one, proven, registered, to};

/// Counts; at most `LIMIT`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counter;

const LIMIT: u32 = 12;

impl Aggregate for Counter {
    type Event = Event;
    type State = u32;

    fn evolve(state: u32, event: &Event) -> u32 {
        if matches!(event, Event::EmailProven(_)) { state + 1 } else { state }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature of every decision")]
pub(crate) fn count(state: &u32) -> Result<Vec<Event>, Refusal> {
    if *state >= LIMIT { Err(Refusal::state("FULL", "It is full.")) } else { Ok(vec![proven()]) }
}

#[tokio::test]
async fn a_command_is_decided_on_the_state_and_answered_with_the_new_one() {
    let world = World::new().await;
    let store = Store::<Counter>::new(world.log.clone());
    assert_eq!(store.load(id(1)).await.unwrap().version, 0);
    let first = store.execute(&context(1), id(1), Subjects::NONE, count).await.unwrap();
    assert_eq!((first.state, first.version, first.events.len(), first.repeated), (1, 1, 1, false));
    let second = store.execute(&context(2), id(1), Subjects::NONE, count).await.unwrap();
    assert_eq!((second.state, second.version), (2, 2));
    let then = store.load_as_of(id(1), 1).await.unwrap();
    assert_eq!((then.state, then.version), (1, 1));
    assert_eq!(second.events[0].metadata.producer, "test/1");
}

#[tokio::test]
async fn a_repeated_command_is_answered_as_of_the_first_time() {
    let world = World::new().await;
    let store = Store::<Counter>::new(world.log.clone());
    let full = |_: &u32| Err(Refusal::state("FULL", "It is full."));
    for command in 1..=3 {
        store.execute(&context(command), id(1), Subjects::NONE, count).await.unwrap();
    }
    // The state today refuses it.
    let again = store.execute(&context(1), id(1), Subjects::NONE, full).await.unwrap();
    assert_eq!((again.state, again.version, again.events.len(), again.repeated), (1, 1, 1, true));
    let changed = Context { request: vec![8, 1], ..context(1) };
    let reused = store.execute(&changed, id(1), Subjects::NONE, count).await;
    assert!(matches!(reused, Err(ExecuteError::Log(docket_eventlog::Error::CommandReused { .. }))));
}

/// Nothing need be read for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_done_is_told_though_no_connection_is_left() {
    let world = World::new().await;
    let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(Duration::from_secs(1));
    let pool = pool.connect(&world.database().url).await.unwrap();
    let store = Store::<Counter>::new(world.open_with(pool.clone()).await);
    let (taken, context) = (Mutex::new(None), context(1));
    let executed = store.execute(&context, id(1), Subjects::NONE, |state| {
        while taken.lock().unwrap().is_none() {
            *taken.lock().unwrap() = pool.try_acquire();
            std::thread::sleep(Duration::from_millis(1));
        }
        count(state)
    });
    let executed = executed.await.unwrap();
    assert_eq!((executed.state, executed.version, executed.events.len()), (1, 1, 1));
}

#[tokio::test]
async fn a_repeated_command_that_wrote_nothing_is_answered_as_of_the_first_time() {
    let world = World::new().await;
    let store = Store::<Counter>::new(world.log.clone());
    let nothing = |_: &u32| Ok(Vec::new());
    store.execute(&context(1), id(1), Subjects::NONE, count).await.unwrap();
    let first = store.execute(&context(2), id(1), Subjects::NONE, nothing).await.unwrap();
    assert_eq!((first.state, first.version, first.events.len(), first.repeated), (1, 1, 0, false));
    store.execute(&context(3), id(1), Subjects::NONE, count).await.unwrap();
    let again = store.execute(&context(2), id(1), Subjects::NONE, nothing).await.unwrap();
    assert_eq!((again.state, again.version, again.events.len(), again.repeated), (1, 1, 0, true));
}

#[tokio::test]
async fn what_came_since_is_read_and_another_history_is_noticed() {
    let world = World::new().await;
    let store = Store::<Counter>::new(world.log.clone());
    for command in 1..=3 {
        store.execute(&context(command), id(1), Subjects::NONE, count).await.unwrap();
    }
    let loaded = store.load(id(1)).await.unwrap();
    let (first, last) = (loaded.events[0].mark(), loaded.events[2].mark());
    assert_eq!(store.since(id(1), &first).await.unwrap().unwrap(), loaded.events[1..]);
    assert_eq!(store.since(id(1), &last).await.unwrap().unwrap(), []);
    // What comes after a mark makes of the state there the state now.
    let known = Folded::<Counter> { state: 1, version: 1 }.after(&loaded.events[1..]).unwrap();
    assert_eq!((known.state, known.version), (loaded.state, 3));

    let elsewhere = Mark { link: last.link, ..first };
    let ahead = Mark { version: 4, ..last };
    for unknown in [elsewhere, ahead] {
        assert_eq!(store.since(id(1), &unknown).await.unwrap(), None, "{unknown:?}");
    }
    assert_eq!(store.since(id(2), &first).await.unwrap(), None, "of another stream");
}

#[tokio::test]
async fn a_command_on_a_known_state_is_decided_again_when_the_stream_has_moved_on() {
    let world = World::new().await;
    let store = Store::<Counter>::new(world.log.clone());
    let nothing = Folded::<Counter> { state: 0, version: 0 };
    let seen = std::cell::RefCell::new(Vec::new());
    let decide = |state: &u32| {
        seen.borrow_mut().push(*state);
        count(state)
    };
    let ours = (id(1), Subjects::NONE);
    let first = store.execute_from(&context(1), ours, nothing.clone(), decide).await.unwrap();
    assert_eq!((first.state, first.version), (1, 1));
    // By now what was known is old.
    let second = store.execute_from(&context(2), ours, nothing.clone(), decide).await.unwrap();
    assert_eq!((second.state, second.version, seen.take()), (2, 2, vec![0, 0, 1]));
    let again = store.execute_from(&context(1), ours, nothing, decide).await.unwrap();
    assert_eq!((again.state, again.version, again.repeated), (1, 1, true));
    assert_eq!(world.sound().await.len(), 2);
}

#[tokio::test]
async fn a_command_after_a_mark_is_carried_out_without_a_look_or_not_at_all() {
    let world = World::new().await;
    let store = Store::<Counter>::new(world.log.clone());
    let ours = (id(1), Subjects::NONE);
    let first = store.execute(&context(1), id(1), Subjects::NONE, count).await.unwrap();
    let known = (Folded::<Counter> { state: 1, version: 1 }, first.events[0].mark());
    let done = store.execute_after(&context(2), ours, known.clone(), count).await.unwrap().unwrap();
    assert_eq!((done.state, done.version, done.events.len(), done.repeated), (2, 2, 1, false));
    let again = store.execute_after(&context(2), ours, known.clone(), count).await.unwrap().unwrap();
    assert_eq!((again.state, again.version, again.events.len(), again.repeated), (2, 2, 1, true));

    // The stream has moved on; another history ends at the same version; and what is refused may be done by now.
    assert!(store.execute_after(&context(3), ours, known.clone(), count).await.unwrap().is_none());
    let (folded, mark) = (Folded { state: 2, version: 2 }, done.events[0].mark());
    let elsewhere = (folded.clone(), Mark { link: known.1.link, ..mark });
    assert!(store.execute_after(&context(3), ours, elsewhere, count).await.unwrap().is_none());
    let no = |_: &u32| Err(Refusal::state("NOT_YET", "Not yet."));
    assert!(store.execute_after(&context(3), ours, (folded.clone(), mark), no).await.unwrap().is_none());
    assert_eq!(world.sound().await.len(), 2);
    let third = store.execute_after(&context(3), ours, (folded, mark), count).await.unwrap().unwrap();
    assert_eq!((third.state, third.version), (3, 3));
}

#[tokio::test]
async fn a_refusal_stores_nothing_and_is_decided_anew() {
    let world = World::new().await;
    let store = Store::<Counter>::new(world.log.clone());
    let no = |_: &u32| Err(Refusal::state("NOT_YET", "Not yet."));
    let refused = store.execute(&context(1), id(1), Subjects::NONE, no).await;
    assert!(matches!(refused, Err(ExecuteError::Refused(refusal)) if refusal.reason == "NOT_YET"));
    assert_eq!(world.sound().await.len(), 0);
    assert!(!store.execute(&context(1), id(1), Subjects::NONE, count).await.unwrap().repeated);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_decision_that_looks_at_another_stream_is_made_again_when_that_one_moved_on() {
    let world = World::new().await;
    let store = Store::<Counter>::new(world.log.clone());
    let seen = std::sync::Mutex::new(Vec::new());
    let beside = [(id(2), Subjects::NONE)];
    let asked = context(1);
    let done = store.execute_beside(&asked, (id(1), Subjects::NONE), &beside, |states| {
        seen.lock().unwrap().push(states[1].state);
        if seen.lock().unwrap().len() == 1 {
            // Somebody is faster.
            let other = store.clone();
            tokio::task::block_in_place(|| {
                let command = async { other.execute(&context(2), id(2), Subjects::NONE, count).await };
                tokio::runtime::Handle::current().block_on(command).unwrap();
            });
        }
        Ok(vec![vec![proven()]])
    });
    assert_eq!(done.await.unwrap().state, 1);
    assert_eq!(*seen.lock().unwrap(), [0, 1], "decided again on what is true when it is written");
    assert_eq!(store.load(id(2)).await.unwrap().version, 1, "only looked at");
    let both = |_: &[Folded<Counter>]| Ok(vec![vec![proven()], vec![proven(), proven()]]);
    let first = store.execute_beside(&context(3), (id(1), Subjects::NONE), &beside, both).await.unwrap();
    assert_eq!((first.state, first.events.len()), (2, 1));
    let again = store.execute_beside(&context(3), (id(1), Subjects::NONE), &beside, both).await.unwrap();
    assert_eq!((again.state, again.repeated), (2, true));
    assert_eq!(store.load(id(2)).await.unwrap().state, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_loses_every_race_is_decided_five_times_and_then_told_so() {
    let world = World::new().await;
    let store = Store::<Counter>::new(world.log.clone());
    let decided = std::sync::atomic::AtomicU32::new(0);
    let always_late = |_: &u32| {
        let time = decided.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let other = store.clone();
        tokio::task::block_in_place(|| {
            let faster =
                async { other.execute(&context(100 + u128::from(time)), id(1), Subjects::NONE, count).await };
            tokio::runtime::Handle::current().block_on(faster).unwrap();
        });
        Ok(vec![proven()])
    };
    let lost = store.execute(&context(1), id(1), Subjects::NONE, always_late).await;
    let Err(ExecuteError::Log(docket_eventlog::Error::Conflict { expected: 4, current: 5, .. })) = lost
    else {
        panic!("{lost:?}")
    };
    assert_eq!(decided.load(std::sync::atomic::Ordering::SeqCst), 5);
}

/// The log has a connection of its own, so it answers though the pool is gone; what cannot be read then is no failure to write.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_written_and_cannot_be_read_back_is_not_told_as_failed() {
    let world = World::new().await;
    let pool = sqlx::PgPool::connect(&world.database().url).await.unwrap();
    let store = Store::<Counter>::new(world.open_with(pool.clone()).await);
    let other = Store::<Counter>::new(world.log.clone());
    let decide = |_: &u32| {
        // Another replica is quicker with the same command, whose first answer must be read.
        tokio::task::block_in_place(|| {
            let quicker = async { other.execute(&context(1), id(1), Subjects::NONE, count).await };
            tokio::runtime::Handle::current().block_on(quicker).unwrap();
        });
        // From now on, whether it is waited for or not.
        drop(pool.close());
        Ok(vec![proven()])
    };
    let unread = store.execute(&context(1), id(1), Subjects::NONE, decide).await;
    assert!(
        matches!(unread, Err(ExecuteError::Log(docket_eventlog::Error::OutcomeUnknown))),
        "{:?}",
        unread.map(|executed| executed.version)
    );
    assert_eq!(world.sound().await.len(), 1, "it is there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn racing_commands_are_decided_again_and_the_rule_holds() {
    let world = World::new().await;
    let store = Store::<Counter>::new(world.log.clone());
    let outcomes = join_all((1..=60).map(|command| {
        let store = store.clone();
        tokio::spawn(async move {
            loop {
                match store.execute(&context(command), id(1), Subjects::NONE, count).await {
                    Ok(executed) => break Some(executed.state),
                    Err(ExecuteError::Refused(_)) => break None,
                    // Lost five races in a row: the caller asks again.
                    Err(ExecuteError::Log(error)) => {
                        assert!(matches!(error, docket_eventlog::Error::Conflict { .. }), "{error}");
                    }
                }
            }
        })
    }))
    .await;
    let mut states: Vec<u32> = outcomes.into_iter().filter_map(Result::unwrap).collect();
    states.sort_unstable();
    assert_eq!(states, (1..=LIMIT).collect::<Vec<_>>());
    assert_eq!(store.load(id(1)).await.unwrap().state, LIMIT);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_command_sent_many_times_at_once_is_done_once_and_always_answered() {
    let world = World::new().await;
    let store = Store::<Counter>::new(world.log.clone());
    let once = |state: &u32| {
        if *state > 0 { Err(Refusal::state("DONE", "Done already.")) } else { Ok(vec![proven()]) }
    };
    for command in 1..=20 {
        let answers = join_all((0..8).map(|_| {
            let store = store.clone();
            tokio::spawn(
                async move { store.execute(&context(command), id(command), Subjects::NONE, once).await },
            )
        }))
        .await;
        for answer in answers {
            let answer = answer.unwrap().unwrap();
            assert_eq!((answer.state, answer.version, answer.events.len()), (1, 1, 1));
        }
    }
    assert_eq!(world.sound().await.len(), 20);
}

#[tokio::test]
async fn a_command_in_a_transaction_goes_with_it() {
    let world = World::new().await;
    let store = Store::<Counter>::new(world.log.clone());
    let mut tx = docket_database::begin(world.pool()).await.unwrap();
    assert_eq!(store.execute_in(&mut tx, &context(1), id(1), Subjects::NONE, count).await.unwrap().state, 1);
    assert_eq!(store.execute_in(&mut tx, &context(2), id(1), Subjects::NONE, count).await.unwrap().state, 2);
    let again = store.execute_in(&mut tx, &context(1), id(1), Subjects::NONE, count).await.unwrap();
    assert_eq!((again.state, again.repeated), (1, true));
    let no = |_: &u32| Err(Refusal::state("NO", "No."));
    let refused = store.execute_in(&mut tx, &context(3), id(1), Subjects::NONE, no).await;
    assert!(matches!(refused, Err(ExecuteError::Refused(_))));
    tx.commit().await.unwrap();
    assert_eq!(store.load(id(1)).await.unwrap().state, 2);
}

#[tokio::test]
async fn a_reaction_repeated_does_nothing_new() {
    let world = World::new().await;
    let log = &world.log;
    let cause = log.append(one(log, 1, 1, docket_eventlog::Expected::Any)).await.unwrap().events[0].clone();
    let store = Store::<Counter>::new(log.clone());
    let reaction = Context::reaction("count_what_happened", &cause, 0);
    for repeated in [false, true, true] {
        let done = store.execute(&reaction, id(2), Subjects::NONE, count).await.unwrap();
        assert_eq!((done.state, done.repeated), (1, repeated));
        let metadata = &done.events[0].metadata;
        assert_eq!((metadata.causation_id, metadata.correlation_id), (Some(cause.event_id), id(1)));
    }
    assert_ne!(reaction.command_id, Context::reaction("count_what_happened", &cause, 1).command_id);
    assert_ne!(reaction.command_id, Context::reaction("another", &cause, 0).command_id);
}

#[tokio::test]
async fn an_event_the_aggregate_does_not_know_is_said_and_not_skipped() {
    let world = World::new().await;
    let log = &world.log;
    let event = docket_eventlog::NewEvent { kind: "account.unheard_of.v9".to_owned(), payload: Vec::new() };
    let mut append = one(log, 1, 1, docket_eventlog::Expected::Any);
    append.streams[0].events = vec![event];
    log.append(append).await.unwrap();
    let unknown = Store::<Counter>::new(log.clone()).load(id(1)).await;
    assert!(matches!(unknown, Err(docket_eventlog::Error::Decode(_))));
    drop(registered());
}

/// As `Counter`, with its states kept.
#[derive(Debug, Clone, Copy)]
struct Kept;

impl Aggregate for Kept {
    type Event = Event;
    type State = u32;
    const SNAPSHOTS: Option<Snapshots<u32>> = Some(Snapshots {
        fold: "kept",
        version: 1,
        every: 100,
        freeze: |state| state.to_be_bytes().to_vec(),
        thaw: |bytes| bytes.try_into().ok().map(u32::from_be_bytes),
    });

    fn evolve(state: u32, event: &Event) -> u32 {
        Counter::evolve(state, event)
    }
}

#[tokio::test]
async fn a_snapshot_is_only_a_cache() {
    let world = World::new().await;
    let log = &world.log;
    let store = Store::<Kept>::new(log.clone());
    let kept = async || world.count("SELECT coalesce(max(version), 0) FROM log.snapshot").await;
    log.append(context(1).append(log, vec![to(1, Expected::Any, 99)])).await.unwrap();
    assert_eq!((store.state(id(1)).await.unwrap().state, kept().await), (99, 0));
    log.append(context(2).append(log, vec![to(1, Expected::Any, 51)])).await.unwrap();
    assert_eq!((store.state(id(1)).await.unwrap().state, kept().await), (150, 150));
    log.append(context(3).append(log, vec![to(1, Expected::Any, 60)])).await.unwrap();
    assert_eq!((store.state(id(1)).await.unwrap().state, kept().await), (210, 150));

    // What is kept is used, as long as it is of this history, and nobody needs it.
    let change = async |statement: &'static str| sqlx::query(statement).execute(world.pool()).await.unwrap();
    change("UPDATE log.snapshot SET state = '\\x00001000'").await;
    assert_eq!(store.state(id(1)).await.unwrap().state, 0x1000 + 60);
    change("UPDATE log.snapshot SET state = '\\x00'").await;
    assert_eq!(store.state(id(1)).await.unwrap().state, 210, "one that cannot be read is not used");
    change("UPDATE log.snapshot SET state = '\\x00001000', link = sha256('another history')").await;
    assert_eq!(store.state(id(1)).await.unwrap().state, 210, "nor one of another history");
    change("DELETE FROM log.snapshot").await;
    let executed = store.execute(&context(4), id(1), Subjects::NONE, |_| Ok(vec![proven()])).await.unwrap();
    assert_eq!((executed.state, executed.version, kept().await), (211, 211, 210));
}

#[tokio::test]
async fn a_stream_of_a_hundred_thousand_events_loads_page_by_page() {
    let world = World::new().await;
    let log = &world.log;
    for command in 0..100 {
        log.append(context(command).append(log, vec![to(1, Expected::Any, 1_000)])).await.unwrap();
    }
    let folded = Store::<Counter>::new(log.clone()).state(id(1)).await.unwrap();
    assert_eq!((folded.state, folded.version), (100_000, 100_000));
}
