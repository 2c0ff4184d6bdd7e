//! Callers who go away at any await: nothing half-done, no session left in a transaction, and the next commands clean.

use std::time::{Duration, Instant};

use docket_eventlog::{Append, Appended, Error, EventLog, Expected, StreamAppend, Subjects};
use docket_testkit::polled;
use futures::future::join_all;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use crate::world::{World, context, id, one, registered, stream, summary};
use docket_testkit::chance::short_or_long;

/// Shorter than the database's own patience with an idle transaction, so that it is not that which cleans up.
const SOON: Duration = Duration::from_secs(5);

async fn own_transaction(log: EventLog, pool: PgPool, append: Append) -> Result<Appended, Error> {
    let mut tx = docket_database::begin(&pool).await?;
    let appended = log.append_in(&mut tx, append).await?;
    tx.commit().await?;
    Ok(appended)
}

/// As the services do it: a task which its caller cannot take along.
async fn detached(log: EventLog, pool: PgPool, append: Append) -> Result<Appended, Error> {
    tokio::spawn(own_transaction(log, pool, append)).await.unwrap()
}

/// A small pool, so that a session which is not given back clean is met again at once.
async fn scene() -> (World, EventLog, PgPool) {
    let world = World::new().await;
    let url = &world.database().url;
    let pool = PgPoolOptions::new().max_connections(2).connect(url).await.unwrap();
    let log = world.open_with(pool.clone()).await;
    (world, log, pool)
}

/// Drops the calls `make` gives after 0, 1, 2 … polls until one gets through; again and again, and on a busy machine, where
/// answers are there before they are waited for, until one took more polls than `awaits`. Gives the commands which were polled
/// at all, and the most polls one took.
async fn cancel_at_every_await<F>(
    pool: &PgPool,
    awaits: usize,
    make: impl Fn(u128) -> F,
) -> (Vec<u128>, usize)
where
    F: Future<Output = Result<Appended, Error>>,
{
    let (mut polled_at_all, mut most, mut command) = (Vec::new(), 0, 0);
    let rounds = short_or_long(10, 500);
    for round in 0..20 * rounds {
        if round >= rounds && most > awaits {
            break;
        }
        for polls in 0.. {
            command += 1;
            // The pool polls again and again while it takes back what was dropped; those polls are not meant.
            drop(pool.acquire().await.unwrap());
            let outcome = polled(polls, make(command)).await;
            if polls > 0 {
                polled_at_all.push(command);
            }
            if let Some(outcome) = outcome {
                assert!(outcome.is_ok(), "{}", summary(&outcome));
                most = most.max(polls);
                break;
            }
        }
    }
    (polled_at_all, most)
}

/// People whose first keys one command makes.
const PEOPLE: usize = 3;

/// A command about people nobody has heard of: each has a stream, and a key that must be made first.
fn of_strangers(log: &EventLog, command: u128) -> Append {
    let streams = (0_u128..).take(PEOPLE).map(|person| {
        let n = 10_000 + command * 10 + person;
        StreamAppend::of(stream(n), Expected::Version(0), Subjects::account(id(n)), &[registered()])
    });
    context(command).append(log, streams.collect())
}

/// Every event of these commands is there and can be read, and nothing else is.
async fn all_of_strangers_are_done(world: &World, commands: &[u128]) {
    let (done, begun) = ("SELECT count(*) FROM log.command", commands.len() as u64);
    world.wait_for("all that was begun carried out", SOON, done, |done| done.unsigned_abs() >= begun).await;
    let all = world.sound().await;
    let mut done: Vec<u128> = all.iter().map(|event| event.metadata.command_id.as_u128()).collect();
    done.sort_unstable();
    let whole = commands.iter().flat_map(|command| [*command; PEOPLE]);
    assert!(done.into_iter().eq(whole), "each wholly, and once");
    for event in all.iter().step_by(all.len() / 20 + 1) {
        let opened = world.log.open_event::<docket_proto::events::account::Event>(event).await;
        assert_eq!(opened.unwrap(), registered());
    }
}

async fn nobody_stays_in_a_transaction(world: &World) {
    let open = "SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
    world.wait_for("no session left in a transaction", SOON, open, |sessions| sessions == 0).await;
}

/// 1,000 commands on the same log and pool, half of them in transactions of their own.
async fn the_next_thousand_are_clean(world: &World, log: &EventLog, pool: &PgPool) {
    let before = world.log.head().await.unwrap().position;
    for round in 0..20 {
        let commands =
            (0..50).map(|n| {
                let append = one(log, 1_000_000 + round * 50 + n, n, Expected::Any);
                let (log, pool) = (log.clone(), pool.clone());
                async move {
                    if n % 2 == 0 { log.append(append).await } else { detached(log, pool, append).await }
                }
            });
        for outcome in join_all(commands).await {
            assert!(outcome.as_ref().is_ok_and(|appended| !appended.repeated), "{}", summary(&outcome));
        }
    }
    assert_eq!(world.sound().await.len() as u64, before + 1_000);
    nobody_stays_in_a_transaction(world).await;
}

/// Every one of the commands is done, if need be in a moment, and done once.
async fn all_are_done(world: &World, commands: &[u128]) {
    let (done, begun) = ("SELECT count(*) FROM log.command", commands.len() as u64);
    world.wait_for("all that was begun carried out", SOON, done, |done| done.unsigned_abs() >= begun).await;
    let mut done: Vec<u128> =
        world.sound().await.iter().map(|event| event.metadata.command_id.as_u128()).collect();
    done.sort_unstable();
    assert_eq!(done, commands);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_dropped_after_any_poll_is_carried_out_once() {
    let (world, log, pool) = scene().await;
    let start = Instant::now();
    let (begun, most) =
        cancel_at_every_await(&pool, 0, |n| log.append(one(&log, n, n % 5, Expected::Any))).await;
    all_are_done(&world, &begun).await;
    nobody_stays_in_a_transaction(&world).await;
    println!("{} appends, up to {most} polls, {:.1} s", begun.len(), start.elapsed().as_secs_f64());
    the_next_thousand_are_clean(&world, &log, &pool).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_in_a_task_of_its_own_outlives_its_caller() {
    let (world, log, pool) = scene().await;
    let (begun, _) = cancel_at_every_await(&pool, 0, |n| {
        detached(log.clone(), pool.clone(), one(&log, n, n % 5, Expected::Any))
    })
    .await;
    all_are_done(&world, &begun).await;
    nobody_stays_in_a_transaction(&world).await;
    the_next_thousand_are_clean(&world, &log, &pool).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_dropped_at_any_await_is_there_wholly_or_not_at_all_and_leaves_nothing_open() {
    let (world, log, pool) = scene().await;
    let start = Instant::now();
    let (begun, most) = cancel_at_every_await(&pool, 4, |n| {
        own_transaction(log.clone(), pool.clone(), one(&log, n, n % 5, Expected::Any))
    })
    .await;
    nobody_stays_in_a_transaction(&world).await;
    assert!(most > 4, "begin, lock, look, write and commit are awaited");
    let done = world.sound().await.len();
    println!(
        "{} transactions, {done} of them done, up to {most} polls, {:.1} s",
        begun.len(),
        start.elapsed().as_secs_f64()
    );
    assert!(done < begun.len(), "some were dropped before their commit");
    // Asked again, each is done once.
    for command in &begun {
        let append = one(&log, *command, command % 5, Expected::Any);
        assert!(log.append(append).await.is_ok());
    }
    all_are_done(&world, &begun).await;
    the_next_thousand_are_clean(&world, &log, &pool).await;
}

/// A person's first key is made with several round trips, and so is the next one's: the caller goes away at each.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_dropped_while_keys_are_made_is_carried_out_once() {
    let (world, log, pool) = scene().await;
    let (begun, _) = cancel_at_every_await(&pool, 1, |n| log.append(of_strangers(&log, n))).await;
    assert!(begun.len() > short_or_long(10, 500), "some were dropped on the way");
    all_of_strangers_are_done(&world, &begun).await;
    nobody_stays_in_a_transaction(&world).await;
    the_next_thousand_are_clean(&world, &log, &pool).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_dropped_while_keys_are_made_is_there_wholly_or_not_at_all() {
    let (world, log, pool) = scene().await;
    // Without keys it takes five; each key takes one more at least.
    let awaits = 4 + PEOPLE;
    let (begun, most) = cancel_at_every_await(&pool, awaits, |n| {
        own_transaction(log.clone(), pool.clone(), of_strangers(&log, n))
    })
    .await;
    nobody_stays_in_a_transaction(&world).await;
    assert!(most > awaits, "{most} polls: begin, three keys, lock, look, write and commit are awaited");
    let done = world.sound().await.len() / PEOPLE;
    println!("{} transactions, {done} of them done, up to {most} polls", begun.len());
    assert!(done < begun.len(), "some were dropped before their commit");
    // Asked again, each is done once: also where some of the keys were made at the first time.
    for command in &begun {
        let again = log.append(of_strangers(&log, *command)).await;
        assert!(again.is_ok(), "{}", summary(&again));
    }
    all_of_strangers_are_done(&world, &begun).await;
    the_next_thousand_are_clean(&world, &log, &pool).await;
}
