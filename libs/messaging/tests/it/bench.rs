//! What the tests share: a log that publishes, a service that counts what it is told.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use docket_eventlog::{Context, EventLog, OpenLog, Recorded, StreamAppend, StreamName, Subjects};
use docket_kernel::{Actor, SystemClock};
use docket_messaging::{ApplyError, Broker, BrokerOptions, Consumer, FeedClient, Relay, Stop, Subscriber};
use docket_proto::events::account::Event;
use docket_proto::identity::events::v1::EmailProven;
use docket_testkit::{TestDatabase, TestNats};
use docket_vault::{Kek, Vault};
use sqlx::{PgConnection, PgPool};
use tokio::task::JoinHandle;
use uuid::Uuid;

pub(crate) const LOG: &str = "identity";

/// The log's owner: its database, log and relay.
pub(crate) struct Owner {
    _database: TestDatabase,
    pub(crate) log: EventLog,
}

/// A database with the schemas of log and vault.
async fn database(name: &str) -> TestDatabase {
    docket_testkit::migrated_database(name, async |pool: PgPool| {
        docket_eventlog::migrate(&pool, None).await?;
        docket_vault::migrate(&pool, None).await?;
        sqlx::query("CREATE TABLE seen (position bigint, stream text, event_id uuid)").execute(&pool).await?;
        anyhow::Ok(())
    })
    .await
}

impl Owner {
    pub(crate) async fn new() -> Self {
        let database = database("owner").await;
        let clock = Arc::new(SystemClock);
        let kek = Kek::from_hex(&Kek::generate().unwrap()).unwrap();
        let vault = Vault::connect(database.pool.clone(), kek, clock.clone()).await.unwrap();
        let log = EventLog::open(OpenLog {
            name: LOG,
            pool: database.pool.clone(),
            vault,
            clock,
            personal: docket_proto::personal_fields,
            producer: "test/0".to_owned(),
            rules: String::new(),
        })
        .await
        .unwrap();
        Self { _database: database, log }
    }

    /// Appends one event to `stream` and gives its position.
    pub(crate) async fn happen(&self, stream: &StreamName) -> u64 {
        self.happen_as(stream, docket_eventlog::NewEvent::of(&Event::from(EmailProven {}))).await
    }

    pub(crate) async fn happen_as(&self, stream: &StreamName, event: docket_eventlog::NewEvent) -> u64 {
        let context = Context {
            command_id: Uuid::new_v4(),
            correlation_id: Uuid::new_v4(),
            causation_id: None,
            actor: Actor::machine("test"),
            on_behalf_of: None,
            auth_level: 0,
            traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned(),
            request: Vec::new(),
        };
        let append = StreamAppend {
            stream: stream.clone(),
            expected: docket_eventlog::Expected::Any,
            subjects: Subjects::NONE,
            events: vec![event],
        };
        self.log.append(context.append(&self.log, vec![append])).await.unwrap().last
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

/// Writes down what it sees; streams can be made to fail.
#[derive(Default)]
pub(crate) struct Seen {
    poisoned: Mutex<HashSet<String>>,
}

impl Seen {
    pub(crate) fn poison(&self, stream: &StreamName) {
        self.poisoned.lock().unwrap().insert(stream.to_string());
    }

    pub(crate) fn heal(&self) {
        self.poisoned.lock().unwrap().clear();
    }
}

#[async_trait]
impl Subscriber for Seen {
    fn categories(&self) -> &'static [&'static str] {
        &["account"]
    }

    async fn apply(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), ApplyError> {
        sqlx::query("INSERT INTO seen (position, stream, event_id) VALUES ($1, $2, $3)")
            .bind(event.position.cast_signed())
            .bind(event.stream.as_str())
            .bind(event.event_id)
            .execute(tx)
            .await?;
        if self.poisoned.lock().unwrap().contains(event.stream.as_str()) {
            // After the effect, so that the test sees it taken back.
            return Err(ApplyError::Park("poisoned for the test".to_owned()));
        }
        Ok(())
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

    pub(crate) async fn consumer(&self, nats: &TestNats, feed: FeedClient) -> Consumer {
        Consumer::new("reader", LOG, self.database.pool.clone(), broker(nats, "reader").await, feed)
            .with(self.seen.clone())
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
        until("the checkpoints", async || {
            let least: Option<i64> = sqlx::query_scalar("SELECT min(position) FROM log.consumer_checkpoint")
                .fetch_one(&self.database.pool)
                .await
                .unwrap();
            least.is_some_and(|least| least.unsigned_abs() >= position)
        })
        .await;
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

pub(crate) fn run(consumer: Consumer, stop: &Stop) -> JoinHandle<Result<(), docket_messaging::Error>> {
    let stop = stop.clone();
    tokio::spawn(consumer.run(stop))
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
