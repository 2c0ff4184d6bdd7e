//! What the tests share: a log that publishes, a service that counts what it is told.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use docket_eventlog::{
    Append, Context, EventLog, Expected, NewEvent, OpenLog, Queue, Recorded, StreamAppend, StreamName,
    Subjects,
};
use docket_kernel::{Actor, SystemClock};
use docket_messaging::{
    ApplyError, Broker, BrokerOptions, Consumer, FeedClient, Patience, Relay, Stop, Subscriber,
};
use docket_proto::events::account::Event;
use docket_proto::identity::events::v1::EmailProven;
use docket_testkit::{Line, TestDatabase, TestNats};
use docket_vault::{Kek, Vault};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use sqlx::{PgConnection, PgPool};
use tokio::task::JoinHandle;
use uuid::Uuid;

pub(crate) const LOG: &str = "identity";

/// The log's owner: its log and relay, in a database of its own or another's.
pub(crate) struct Owner {
    _database: Option<TestDatabase>,
    /// The key-encryption key, for who opens the same log.
    pub(crate) kek: String,
    pub(crate) log: EventLog,
}

/// Makes the schemas of log and vault, and what the readers write.
pub(crate) async fn migrate(pool: PgPool) -> anyhow::Result<()> {
    docket_eventlog::migrate(&pool, None).await?;
    docket_vault::migrate(&pool, None).await?;
    sqlx::query("CREATE TABLE seen (position bigint, stream text, event_id uuid)").execute(&pool).await?;
    sqlx::query(
        "CREATE TABLE folded (stream text PRIMARY KEY, events bigint NOT NULL, chain bytea NOT NULL)",
    )
    .execute(&pool)
    .await?;
    Ok(())
}

pub(crate) async fn database(name: &str) -> TestDatabase {
    docket_testkit::migrated_database(name, migrate).await
}

/// Opens the log whose database is `pool`.
pub(crate) async fn open_log(pool: PgPool, kek: &str) -> anyhow::Result<EventLog> {
    let clock = Arc::new(SystemClock);
    let vault = Vault::connect(pool.clone(), Kek::from_hex(kek)?, clock.clone()).await?;
    let open = OpenLog {
        name: LOG,
        pool,
        vault,
        clock,
        personal: docket_proto::personal_fields,
        producer: "test/0".to_owned(),
        rules: String::new(),
        queue: Queue::default(),
    };
    Ok(EventLog::open(open).await?)
}

/// One append of one event to each of `streams`, under one command id.
pub(crate) fn append(log: &EventLog, streams: &[StreamName], event: &NewEvent) -> Append {
    append_as(Uuid::new_v4(), log, streams, event)
}

/// The same by a command of that id, which may be repeated.
pub(crate) fn append_as(
    command_id: Uuid,
    log: &EventLog,
    streams: &[StreamName],
    event: &NewEvent,
) -> Append {
    let context = Context {
        command_id,
        correlation_id: Uuid::new_v4(),
        causation_id: None,
        actor: Actor::machine("test"),
        on_behalf_of: None,
        auth_level: 0,
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned(),
        request: Vec::new(),
    };
    let to = |stream: &StreamName| StreamAppend {
        stream: stream.clone(),
        expected: Expected::Any,
        subjects: Subjects::NONE,
        events: vec![event.clone()],
    };
    context.append(log, streams.iter().map(to).collect())
}

/// What mostly happens.
pub(crate) fn something() -> NewEvent {
    NewEvent::of(&Event::from(EmailProven::default()))
}

impl Owner {
    pub(crate) async fn new() -> Self {
        let database = database("owner").await;
        let owner = Self::of(database.pool.clone(), &Kek::generate().unwrap()).await;
        Self { _database: Some(database), ..owner }
    }

    /// The owner of the log in a database that others look after.
    pub(crate) async fn of(pool: PgPool, kek: &str) -> Self {
        Self { _database: None, kek: kek.to_owned(), log: open_log(pool, kek).await.unwrap() }
    }

    /// Leaves the database, with all connections to it.
    pub(crate) async fn close(self) {
        let pool = self.log.pool().clone();
        drop(self.log);
        pool.close().await;
    }

    /// Appends one event to `stream` and gives its position.
    pub(crate) async fn happen(&self, stream: &StreamName) -> u64 {
        self.happen_as(stream, something()).await
    }

    pub(crate) async fn happen_as(&self, stream: &StreamName, event: NewEvent) -> u64 {
        self.happen_to(std::slice::from_ref(stream), &event).await
    }

    /// One event to each of `streams`, in one append.
    pub(crate) async fn happen_to(&self, streams: &[StreamName], event: &NewEvent) -> u64 {
        self.log.append(append(&self.log, streams, event)).await.unwrap().last
    }

    pub(crate) async fn broker(&self, nats: &TestNats) -> Broker {
        broker(nats, "owner").await
    }

    pub(crate) async fn relay(&self, nats: &TestNats, stop: &Stop) -> JoinHandle<()> {
        let relay = Relay::new(self.log.clone(), self.broker(nats).await);
        let stop = stop.clone();
        tokio::spawn(async move { relay.run(stop).await.unwrap() })
    }

    pub(crate) fn feed(&self) -> FeedClient {
        FeedClient::local(self.log.clone())
    }
}

pub(crate) async fn broker(nats: &TestNats, name: &str) -> Broker {
    let options = BrokerOptions {
        url: nats.url.clone(),
        name: name.to_owned(),
        replicas: 1,
        ..BrokerOptions::default()
    };
    Broker::connect(&options).await.unwrap()
}

pub(crate) fn account(number: u128) -> StreamName {
    StreamName::of("account", Uuid::from_u128(number))
}

/// How a stream fails.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Sick {
    /// It cannot be applied.
    Poisoned,
    /// A peer answers with a fault of its own.
    Failing,
    /// A peer is away.
    Away,
    /// Our own fault, and nobody caught it.
    Panicking,
}

/// Writes down what it sees; streams can be made to fail.
#[derive(Default)]
pub(crate) struct Seen {
    sick: Mutex<HashMap<String, Sick>>,
    failed: AtomicUsize,
    together: bool,
}

impl Seen {
    pub(crate) fn poison(&self, stream: &StreamName) {
        self.sicken(stream, Sick::Poisoned);
    }

    pub(crate) fn sicken(&self, stream: &StreamName, sick: Sick) {
        self.sick.lock().unwrap().insert(stream.to_string(), sick);
    }

    pub(crate) fn heal(&self) {
        self.sick.lock().unwrap().clear();
    }

    /// How often something failed.
    pub(crate) fn failed(&self) -> usize {
        self.failed.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Subscriber for Seen {
    fn categories(&self) -> &'static [&'static str] {
        &["account"]
    }

    fn rows_only(&self) -> bool {
        self.together
    }

    async fn apply(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), ApplyError> {
        sqlx::query("INSERT INTO seen (position, stream, event_id) VALUES ($1, $2, $3)")
            .bind(event.position.cast_signed())
            .bind(event.stream.as_str())
            .bind(event.event_id)
            .execute(tx)
            .await?;
        let sick = self.sick.lock().unwrap().get(event.stream.as_str()).copied();
        // After the effect, so that the test sees it taken back.
        let Some(sick) = sick else { return Ok(()) };
        self.failed.fetch_add(1, Ordering::Relaxed);
        match sick {
            Sick::Poisoned => Err(ApplyError::Park("poisoned for the test".to_owned())),
            Sick::Failing => Err(ApplyError::Retry(anyhow::anyhow!("the peer answered Internal"))),
            Sick::Away => Err(ApplyError::Away(anyhow::anyhow!("the peer is away"))),
            Sick::Panicking => panic!("what was at hand when it happened"),
        }
    }
}

/// The reading service.
pub(crate) struct Reader {
    pub(crate) database: TestDatabase,
    pub(crate) seen: Arc<Seen>,
}

impl Reader {
    pub(crate) async fn new() -> Self {
        Self { database: database("reader").await, seen: Arc::default() }
    }

    /// One whose events may share a transaction.
    pub(crate) async fn together() -> Self {
        Self { seen: Arc::new(Seen { together: true, ..Seen::default() }), ..Self::new().await }
    }

    /// The same over a line.
    pub(crate) async fn over(&self, line: &Line) -> Over<'_> {
        let pool = docket_database::pool_options().acquire_timeout(Duration::from_secs(5));
        Over { reader: self, pool: pool.max_connections(12).connect(line.url()).await.unwrap() }
    }

    /// How many transactions the effects took.
    pub(crate) async fn transactions(&self) -> i64 {
        let count = sqlx::query_scalar("SELECT count(DISTINCT xmin::text) FROM seen");
        count.fetch_one(&self.database.pool).await.unwrap()
    }

    pub(crate) async fn consumer(&self, nats: &TestNats, feed: FeedClient) -> Consumer {
        self.bare(nats, feed).await.with(self.seen.clone())
    }

    /// The consumer without a subscriber. It tries nothing that is parked by itself, so that the test does.
    pub(crate) async fn bare(&self, nats: &TestNats, feed: FeedClient) -> Consumer {
        bare(self.database.pool.clone(), nats, feed).await
    }

    /// Positions in the order of their commits, as far as one table can tell.
    pub(crate) async fn positions(&self) -> Vec<i64> {
        sqlx::query_scalar("SELECT position FROM seen").fetch_all(&self.database.pool).await.unwrap()
    }

    /// Waits until `count` effects are there.
    pub(crate) async fn wait_for(&self, count: usize) {
        until(&format!("{count} effects"), async || self.positions().await.len() >= count).await;
    }

    /// Waits until all lanes have got to `position`.
    pub(crate) async fn wait_for_checkpoint(&self, position: u64) {
        wait_for_lanes(&self.database.pool, position).await;
    }

    /// Every position once, and each stream's in order.
    pub(crate) async fn assert_exactly(&self, last: i64) {
        let mut positions = self.positions().await;
        positions.sort_unstable();
        assert_eq!(positions, (1..=last).collect::<Vec<_>>());
        let disorder: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM seen earlier JOIN seen later
             ON earlier.stream = later.stream AND earlier.position < later.position
             WHERE earlier.xmin::text::bigint > later.xmin::text::bigint",
        )
        .fetch_one(&self.database.pool)
        .await
        .unwrap();
        assert_eq!(disorder, 0, "events of one stream were applied out of order");
    }
}

async fn bare(pool: PgPool, nats: &TestNats, feed: FeedClient) -> Consumer {
    let hour = Duration::from_hours(1);
    Consumer::new("reader", LOG, pool, broker(nats, "reader").await, feed).patience(Patience {
        first_pause: hour,
        most_pause: hour,
        ..Patience::default()
    })
}

/// The reading service, whose database is at the other end of a line.
pub(crate) struct Over<'a> {
    reader: &'a Reader,
    pool: PgPool,
}

impl Over<'_> {
    pub(crate) async fn consumer(&self, nats: &TestNats, feed: FeedClient) -> Consumer {
        bare(self.pool.clone(), nats, feed).await.with(self.reader.seen.clone())
    }
}

pub(crate) fn run(consumer: Consumer, stop: &Stop) -> JoinHandle<Result<(), docket_messaging::Error>> {
    let stop = stop.clone();
    tokio::spawn(consumer.run(stop))
}

/// Waits until all lanes of a reader have got to `position`, however long that takes while they move.
pub(crate) async fn wait_for_lanes(pool: &PgPool, position: u64) {
    let mut least = None;
    while least.is_none_or(|least: i64| least.unsigned_abs() < position) {
        let before = least;
        let moved = Mutex::new(None);
        until(&format!("the checkpoints, which are at {least:?}, to move towards {position}"), async || {
            // A database that was killed and is coming back is asked again.
            let now: Result<Option<i64>, _> =
                sqlx::query_scalar("SELECT min(position) FROM log.consumer_checkpoint").fetch_one(pool).await;
            *moved.lock().unwrap() = now.ok().flatten();
            let now = *moved.lock().unwrap();
            now.is_some() && now != before
        })
        .await;
        least = moved.into_inner().unwrap();
    }
}

/// Waits for a condition, at most half a minute.
pub(crate) async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    tokio::time::timeout(Duration::from_secs(30), async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .unwrap_or_else(|_late| panic!("waited too long for {what}"));
}

/// A long form runs under `DOCKET_PROOF`, the short one else.
pub(crate) fn long_or<T>(long: T, short: T) -> T {
    if std::env::var_os("DOCKET_PROOF").is_some() { long } else { short }
}

/// Chance that can be repeated: `DOCKET_SEED` gives the seed, which is printed.
pub(crate) fn chance(test: &str) -> StdRng {
    let seed = std::env::var("DOCKET_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or_else(|| rand::rng().random());
    println!("{test}: DOCKET_SEED={seed}");
    StdRng::seed_from_u64(seed)
}
