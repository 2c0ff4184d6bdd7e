//! Several logs as one: streams stay in the log of their birth while slots move under load.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use docket_eventlog::{Append, Error, Expected, Filter, Logs, Obligation, Slot, StreamName, Subjects, Timer};
use docket_kernel::{Actor, Clock};
use jiff::SignedDuration;
use tokio::runtime::Handle;
use tokio::task::block_in_place;

use crate::store::{Counter, count};
use crate::world::{World, context, id, one, stream, to};

const NAMES: [&str; 3] = ["cases-0", "cases-1", "cases-2"];

/// Three logs: two in one database, the third in another.
async fn three() -> (World, World, Logs) {
    let (here, there) = (World::new().await, World::new().await);
    let logs =
        vec![here.another(NAMES[0]).await, here.another(NAMES[1]).await, there.another(NAMES[2]).await];
    let logs = Logs::open(logs).await.unwrap();
    (here, there, logs)
}

/// The logs in which a stream is.
async fn homes(logs: &Logs, stream: &StreamName) -> Vec<&'static str> {
    let mut homes = Vec::new();
    for log in logs.all() {
        if !log.read_stream(stream, 1).await.unwrap().is_empty() {
            homes.push(log.name());
        }
    }
    homes
}

#[tokio::test]
async fn a_new_log_takes_new_streams_only_and_history_stays() {
    let (_here, _there, logs) = three().await;
    let first = &logs.all()[0];
    for n in 0..30 {
        logs.append(one(first, n + 1, n, Expected::Version(0))).await.unwrap();
    }
    assert_eq!(first.head().await.unwrap().position, 30, "nothing is spread before it is asked for");
    logs.spread().await.unwrap();
    logs.spread().await.unwrap();
    for n in 0..60 {
        let expected = if n < 30 { Expected::Version(1) } else { Expected::Version(0) };
        logs.append(one(first, n + 101, n, expected)).await.unwrap();
    }
    for n in 0..60 {
        let home = if n < 30 { 0 } else { Slot::of(&stream(n)).home(3) };
        assert_eq!(homes(&logs, &stream(n)).await, [NAMES[home]], "stream {n}");
        assert_eq!(logs.read_stream(&stream(n), 1).await.unwrap().len(), if n < 30 { 2 } else { 1 });
    }
    for log in logs.all() {
        assert_eq!(log.verify(1, None).await.unwrap().broken, None);
        assert!(log.head().await.unwrap().position > 0, "{} has its share", log.name());
    }
    assert_eq!(logs.command(&Actor::account(id(99)), id(1)).await.unwrap(), Some(("cases-0", 1, 1)));
    assert_eq!(logs.command(&Actor::account(id(99)), id(999)).await.unwrap(), None);
}

/// Streams that each half of the writers goes through.
const STREAMS: u128 = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_stream_is_born_once_though_slots_move_meanwhile() {
    let (here, there, logs) = three().await;
    // Another process, whose map is always a little old.
    let others =
        vec![here.another(NAMES[0]).await, here.another(NAMES[1]).await, there.another(NAMES[2]).await];
    let others = Logs::open(others).await.unwrap();
    let two = Logs::open(logs.all()[..2].to_vec()).await.unwrap();
    let writers: Vec<_> = (0..8_u128)
        .map(|writer| {
            let logs = if writer % 4 < 2 { logs.clone() } else { others.clone() };
            tokio::spawn(async move {
                for n in 0..STREAMS {
                    // Four writers, two of each process, want each stream.
                    let command = 1 + writer * STREAMS + n;
                    let stream = (writer % 2) * STREAMS + n;
                    logs.append(one(&logs.all()[0], command, stream, Expected::Any)).await.unwrap();
                }
            })
        })
        .collect();
    // First to the second log, then from both to the third.
    two.spread().await.unwrap();
    logs.spread().await.unwrap();
    for writer in writers {
        writer.await.unwrap();
    }
    for n in 0..2 * STREAMS {
        let homes = homes(&logs, &stream(n)).await;
        assert_eq!(homes.len(), 1, "stream {n} is in {homes:?}");
        assert_eq!(logs.read_stream(&stream(n), 1).await.unwrap().len(), 4);
    }
    for log in logs.all() {
        assert_eq!(log.verify(1, None).await.unwrap().broken, None);
    }
}

#[tokio::test]
async fn what_crosses_logs_is_refused_and_a_log_says_what_is_not_born_in_it() {
    let (_here, _there, logs) = three().await;
    logs.spread().await.unwrap();
    let first = &logs.all()[0];
    let slot = |n: u128| Slot::of(&stream(n)).home(3);
    let other = (1..1_000).find(|n| slot(*n) != slot(0)).unwrap();
    let both = context(1).append(first, vec![to(0, Expected::Any, 1), to(other, Expected::Any, 1)]);
    assert!(matches!(logs.append(both).await, Err(Error::AcrossLogs { .. })));
    let elsewhere = (0..1_000).find(|n| slot(*n) != 0).unwrap();
    let refused = first.append(one(first, 2, elsewhere, Expected::Version(0))).await;
    assert!(matches!(refused, Err(Error::SlotMoving { stream: which }) if which == stream(elsewhere)));
    assert_eq!(first.head().await.unwrap().position, 0);
    assert!(matches!(Logs::open(Vec::new()).await, Err(Error::Malformed(_))));
}

#[tokio::test]
async fn what_is_due_or_owed_in_any_log_is_found_and_each_log_is_followed_in_its_order() {
    let (here, _there, logs) = three().await;
    logs.spread().await.unwrap();
    let now = here.clock.now();
    for (log, minutes) in logs.all().iter().zip([2, 3, 1]) {
        let due_at = now + SignedDuration::from_mins(minutes);
        let mut tx = docket_database::begin(log.pool()).await.unwrap();
        let timer = Timer::new("response:1", log.name(), due_at, Vec::new());
        log.timers().schedule_in(&mut tx, &timer).await.unwrap();
        let (kind, key, owner) = ("notice".to_owned(), "1".to_owned(), log.name().to_owned());
        log.obligations().open_in(&mut tx, &Obligation { kind, key, owner, due_at }).await.unwrap();
        tx.commit().await.unwrap();
    }
    let by_instant = [NAMES[2], NAMES[0], NAMES[1]];
    let due = logs.timers_due(now + SignedDuration::from_mins(9), 10).await.unwrap();
    assert!(
        due.iter().map(|(log, timer)| (log.name(), &*timer.kind)).eq(by_instant.map(|name| (name, name)))
    );
    assert_eq!(logs.timers_due(now + SignedDuration::from_mins(1), 10).await.unwrap().len(), 1);
    assert_eq!(logs.timers_due(now + SignedDuration::from_mins(9), 2).await.unwrap().len(), 2);
    assert_eq!(logs.next_timer().await.unwrap(), Some(now + SignedDuration::from_mins(1)));
    let owed = logs.obligations_open(2).await.unwrap();
    assert!(
        owed.iter()
            .map(|(log, owed)| (log.name(), &*owed.owner))
            .eq([by_instant[0], by_instant[1]].map(|n| (n, n)))
    );

    for n in 0..60 {
        logs.append(one(&logs.all()[0], n + 1, n, Expected::Any)).await.unwrap();
    }
    let mut live = logs.subscribe(&[], &Filter::default());
    let mut seen = [0; 3];
    while seen.iter().sum::<u64>() < 60 {
        let (log, page) = live.next().await.unwrap();
        for event in page.events {
            assert_eq!((&*event.log, event.position), (NAMES[log], seen[log] + 1));
            seen[log] += 1;
        }
    }
    assert_eq!(live.positions(), seen);
    assert!(seen.iter().all(|position| *position > 0), "{seen:?}");
    // Gone on with from there, only what is new is given.
    logs.append(one(&logs.all()[0], 61, 60, Expected::Any)).await.unwrap();
    let (log, page) = logs.subscribe(&seen, &Filter::default()).next().await.unwrap();
    assert_eq!((page.events.len(), page.events[0].position), (1, seen[log] + 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_whose_slot_moves_while_it_is_decided_is_done_where_the_slot_went() {
    let (_here, _there, logs) = three().await;
    let n = (0..1_000).find(|n| Slot::of(&stream(*n)).home(3) != 0).unwrap();
    let asked = AtomicU32::new(0);
    let decide = |state: &u32| {
        if asked.fetch_add(1, Ordering::SeqCst) == 0 {
            block_in_place(|| Handle::current().block_on(logs.spread())).unwrap();
        }
        count(state)
    };
    let done = logs.execute::<Counter>(&context(1), id(n), Subjects::NONE, decide).await.unwrap();
    assert_eq!((done.state, done.version, done.repeated), (1, 1, false));
    assert_eq!(homes(&logs, &stream(n)).await, [NAMES[Slot::of(&stream(n)).home(3)]]);
    assert_eq!(asked.into_inner(), 2);
}

/// Commands that write nothing, each sent by four at once and again afterwards.
const LOOKS: u128 = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_command_that_writes_nothing_is_done_once_though_slots_move_meanwhile() {
    let (here, there, logs) = three().await;
    let two = Logs::open(logs.all()[..2].to_vec()).await.unwrap();
    let look =
        |logs: &Logs, n: u128| context(n + 1).append(&logs.all()[0], vec![to(n, Expected::Version(0), 0)]);
    let writers: Vec<_> = (0..4)
        .map(|_| {
            let logs = logs.clone();
            tokio::spawn(async move {
                for n in 0..LOOKS {
                    logs.append(look(&logs, n)).await.unwrap();
                }
            })
        })
        .collect();
    two.spread().await.unwrap();
    logs.spread().await.unwrap();
    for writer in writers {
        writer.await.unwrap();
    }
    let mut done = 0;
    for log in logs.all() {
        let sql = "SELECT count(*) FROM log.command WHERE log = $1";
        let count: i64 = sqlx::query_scalar(sql).bind(log.name()).fetch_one(log.pool()).await.unwrap();
        done += count;
    }
    assert_eq!(done, i64::try_from(LOOKS).unwrap(), "each in one log, once");
    for n in 0..LOOKS {
        assert!(logs.append(look(&logs, n)).await.unwrap().repeated, "command {n}");
    }
    drop((here, there));
}

/// Two streams that are born in different logs of one database.
fn apart() -> (u128, u128) {
    let at_home = |home: usize| (0..1_000).find(|n| Slot::of(&stream(*n)).home(3) == home).unwrap();
    (at_home(0), at_home(1))
}

/// Command 1 as two people may mean it: another request, which names another stream.
fn under_one_id(logs: &Logs) -> [Append; 2] {
    let (here, there) = apart();
    [(here, [8, 1]), (there, [8, 2])]
        .map(|(n, request)| Append { request: request.to_vec(), ..one(&logs.all()[0], 1, n, Expected::Any) })
}

#[tokio::test]
async fn another_request_under_an_id_that_a_different_log_knows_is_refused() {
    let (_here, _there, logs) = three().await;
    logs.spread().await.unwrap();
    let [first, second] = under_one_id(&logs);
    assert!(!logs.append(first.clone()).await.unwrap().repeated);
    assert!(matches!(logs.append(second).await, Err(Error::CommandReused { .. })));
    assert!(logs.append(first).await.unwrap().repeated);
    assert_eq!(logs.all()[1].head().await.unwrap().position, 0, "nothing was written there");
}

/// The limit of several logs (ADR 14): neither log knows what the other is about to do.
#[tokio::test]
async fn two_requests_under_one_id_at_the_same_instant_in_two_logs_are_each_done_once_and_answered_as_themselves()
 {
    let (here, _there, logs) = three().await;
    logs.spread().await.unwrap();
    let [first, second] = under_one_id(&logs);
    // Both have looked for the command before either is written.
    let heads = here.hold_the_head().await;
    let asking = tokio::spawn({
        let (logs, first, second) = (logs.clone(), first.clone(), second.clone());
        async move { tokio::join!(logs.append(first), logs.append(second)) }
    });
    let waiting = "SELECT count(*) FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    here.wait_for("both at the heads", Duration::from_secs(10), waiting, |found| found == 2).await;
    heads.rollback().await.unwrap();
    let (one, other) = asking.await.unwrap();
    let (one, other) = (one.unwrap(), other.unwrap());
    assert!(!one.repeated && !other.repeated);

    for _ in 0..2 {
        for (asked, done) in [(&first, &one), (&second, &other)] {
            let again = logs.append(asked.clone()).await.unwrap();
            assert!(again.repeated);
            assert_eq!(again.events, done.events, "never the other's");
        }
    }
    let third = Append { request: vec![8, 3], ..first };
    assert!(matches!(logs.append(third).await, Err(Error::CommandReused { .. })));
    for log in logs.all() {
        assert_eq!(log.verify(1, None).await.unwrap().broken, None);
        assert!(log.head().await.unwrap().position <= 1, "each once");
    }
}
