//! Two sessions of one consumer at once, without the lock between them, as after its owner was frozen: nothing may depend
//! on it. Everything happens once, and what cannot be applied is parked once, by whoever is first.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use docket_eventlog::{Recorded, StreamName};
use docket_messaging::{ApplyError, Consumer, LANES, Redriven, Stop, Subscriber, parked};
use docket_testkit::{TestDatabase, TestNats};
use futures::future::join_all;
use sqlx::postgres::PgPoolOptions;
use sqlx::{PgConnection, PgPool};
use tokio::time::{sleep, timeout};

use crate::bench::{LOG, Owner, Reader, account, broker, run, something, until};

/// More than the lanes of a session need.
const CONNECTIONS: u32 = 12;

/// A pool of the reader's database whose next connection, that of the lock, would go `elsewhere`: so the lock is one of
/// another database, and excludes nobody.
async fn without_the_lock(reader: &Reader, elsewhere: &TestDatabase) -> PgPool {
    let pool = PgPoolOptions::new()
        .min_connections(CONNECTIONS)
        .max_connections(CONNECTIONS)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect(&reader.database.url)
        .await
        .unwrap();
    let all = join_all((0..CONNECTIONS).map(|_| pool.acquire())).await;
    assert!(all.iter().all(Result::is_ok));
    drop(all);
    pool.set_connect_options(elsewhere.url.parse().unwrap());
    pool
}

/// Counts what it is asked for, and then does as the reader's own.
struct Counting {
    inner: Arc<crate::bench::Seen>,
    applied: AtomicU32,
}

#[async_trait]
impl Subscriber for Counting {
    fn categories(&self) -> &'static [&'static str] {
        self.inner.categories()
    }

    fn rows_only(&self) -> bool {
        self.inner.rows_only()
    }

    async fn apply(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), ApplyError> {
        self.applied.fetch_add(1, Ordering::SeqCst);
        self.inner.apply(tx, event).await
    }
}

/// Waits until so many sessions have asked the broker for messages.
async fn sessions_wait(nats: &TestNats, sessions: usize) {
    let look = broker(nats, "look").await;
    until("all sessions to ask for messages", async || {
        let Ok(stream) = look.jetstream().get_stream(LOG).await else { return false };
        stream.consumer_info("reader").await.is_ok_and(|info| info.num_waiting >= sessions)
    })
    .await;
}

async fn two_sessions_do_everything_once(reader: Reader) {
    let (owner, nats, stop) = (Owner::new().await, docket_testkit::nats().await, Stop::new());
    let elsewhere = docket_testkit::database("elsewhere").await;
    let relay = owner.relay(&nats, &stop).await;
    reader.seen.poison(&account(3));
    let second_pool = without_the_lock(&reader, &elsewhere).await;
    let mut running = Vec::new();
    let mut both = Vec::new();
    for pool in [reader.database.pool.clone(), second_pool] {
        let counting = Arc::new(Counting { inner: reader.seen.clone(), applied: AtomicU32::new(0) });
        both.push(Arc::clone(&counting));
        let broker = broker(&nats, "reader").await;
        let consumer = Consumer::new("reader", LOG, pool, broker, owner.feed()).with(counting);
        let redriver = consumer.redriver();
        running.push((run(consumer, &stop), redriver));
    }
    sessions_wait(&nats, 2).await;
    for number in 0..90 {
        owner.happen(&account(number % 9)).await;
    }
    reader.wait_for_checkpoint(90).await;
    let applied: Vec<u32> = both.iter().map(|counting| counting.applied.load(Ordering::SeqCst)).collect();
    assert!(applied.iter().all(|applied| *applied > 0), "both were at work: {applied:?}");

    // Stream 3 has every ninth event, from the fourth on.
    let (pool, sick) = (&reader.database.pool, |position: &i64| position % 9 == 4);
    let mut positions = reader.positions().await;
    positions.sort_unstable();
    assert_eq!(positions, (1..=90).filter(|position| !sick(position)).collect::<Vec<_>>());
    let mut waiting: Vec<i64> = parked(pool).await.unwrap().iter().map(|event| event.position).collect();
    waiting.sort_unstable();
    assert_eq!(waiting, (1..=90).filter(sick).collect::<Vec<_>>());

    // Redriven in both at once, each of them once.
    reader.seen.heal();
    let (one, other) = tokio::join!(running[0].1.redrive(None), running[1].1.redrive(None));
    assert_eq!(one.unwrap().applied + other.unwrap().applied, 10);
    assert_eq!(running[0].1.redrive(None).await.unwrap(), Redriven::default());
    reader.assert_exactly(90).await;
    stop.cancel();
    for (consumer, _) in running {
        consumer.await.unwrap().unwrap();
    }
    relay.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sessions_without_the_lock_do_everything_once() {
    two_sessions_do_everything_once(Reader::new().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sessions_whose_events_share_transactions_do_everything_once() {
    two_sessions_do_everything_once(Reader::together().await).await;
}

/// The lane of a stream, which never changes: FNV-1a over its name.
fn lane_of(stream: &StreamName) -> i32 {
    let hash = stream.as_str().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    i32::try_from(hash % LANES as u64).unwrap()
}

/// Cannot apply the events of one stream; at the first of them another session moves the lane's checkpoint `to` there. It
/// waits for our transaction to end, and so is most likely there before we come to park the event.
struct Contested {
    pool: PgPool,
    sick: StreamName,
    to: i64,
    begun: AtomicBool,
    /// How many rows it moved, once it was there.
    moved: Arc<OnceLock<u64>>,
}

impl Contested {
    async fn another_session_waits(&self) {
        let (pool, to, lane, moved) =
            (self.pool.clone(), self.to, lane_of(&self.sick), Arc::clone(&self.moved));
        let moving = tokio::spawn(async move {
            let there = "UPDATE log.consumer_checkpoint SET position = $1 WHERE lane = $2 AND position < $1";
            let there = sqlx::query(there).bind(to).bind(lane).execute(&pool).await.unwrap();
            moved.set(there.rows_affected()).unwrap();
        });
        let waiting = "SELECT count(*) FROM pg_stat_activity
                       WHERE datname = current_database() AND wait_event_type = 'Lock'
                         AND query LIKE 'UPDATE log.consumer_checkpoint SET position = $1 WHERE lane%'";
        let waits = async {
            while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&self.pool).await.unwrap() == 0 {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(Duration::from_secs(30), waits).await.expect("the other session waits");
        assert!(!moving.is_finished(), "the lane's row is held while an effect is made");
    }
}

#[async_trait]
impl Subscriber for Contested {
    fn categories(&self) -> &'static [&'static str] {
        &["account"]
    }

    async fn apply(&self, _tx: &mut PgConnection, event: &Recorded) -> Result<(), ApplyError> {
        if event.stream != self.sick {
            return Ok(());
        }
        if !self.begun.swap(true, Ordering::SeqCst) {
            self.another_session_waits().await;
        }
        Err(ApplyError::Park("poisoned for the test".to_owned()))
    }
}

/// The positions that are parked where the other session was there first. A session that is waiting may be overtaken by one that
/// comes just as the row is set free: that was another course of things, and shows nothing.
async fn parked_while_another_moves(to: i64) -> Vec<i64> {
    for _ in 0..20 {
        if let (1, parked) = parked_and_moved(to).await {
            return parked;
        }
    }
    panic!("the other session was overtaken twenty times");
}

/// Eight events of other lanes, then two of a stream which cannot be applied, at 9 and 10: the rows that the other session moved,
/// and the positions that are parked.
async fn parked_and_moved(to: i64) -> (u64, Vec<i64>) {
    let (owner, reader, nats, stop) =
        (Owner::new().await, Reader::new().await, docket_testkit::nats().await, Stop::new());
    let sick = account(1);
    let others = (2..).map(account).filter(|other| lane_of(other) != lane_of(&sick));
    let streams: Vec<_> = others.take(8).chain([sick.clone()]).collect();
    owner.happen_to(&streams, &something()).await;
    assert_eq!(owner.happen(&sick).await, 10);
    let relay = owner.relay(&nats, &stop).await;
    let (pool, moved) = (reader.database.pool.clone(), Arc::new(OnceLock::new()));
    let contested =
        Contested { pool: pool.clone(), sick, to, begun: AtomicBool::new(false), moved: Arc::clone(&moved) };
    let consumer = run(reader.bare(&nats, owner.feed()).await.with(Arc::new(contested)), &stop);
    reader.wait_for_checkpoint(10).await;
    until("the other session to have been there", async || moved.get().is_some()).await;
    stop.cancel();
    consumer.await.unwrap().unwrap();
    relay.await.unwrap();
    let mut waiting: Vec<i64> = parked(&pool).await.unwrap().iter().map(|event| event.position).collect();
    waiting.sort_unstable();
    (*moved.get().unwrap(), waiting)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_another_session_decided_about_is_not_parked_a_second_time() {
    assert_eq!(parked_while_another_moves(9).await, [10]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_another_session_has_not_come_to_is_parked_from_where_it_got() {
    assert_eq!(parked_while_another_moves(5).await, [9, 10]);
    assert_eq!(parked_while_another_moves(8).await, [9, 10]);
}
