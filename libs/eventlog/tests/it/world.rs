//! What every test starts from: a database, a keys database, a clock and a log of accounts.

use std::sync::Arc;
use std::time::Duration;

use docket_eventlog::{
    Append, Appended, Context, Error, EventLog, Expected, OpenLog, Queue, Recorded, StreamAppend, StreamName,
    Subjects,
};
use docket_kernel::{Actor, ManualClock};
use docket_proto::events::account::Event;
use docket_proto::identity::events::v1::{AccountRegistered, EmailProven};
use docket_testkit::TestDatabase;
use docket_vault::{Kek, Subject, Vault};
use sqlx::{AssertSqlSafe, PgPool, Postgres, Transaction};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

pub(crate) struct World {
    database: Option<TestDatabase>,
    pool: PgPool,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) log: EventLog,
}

impl World {
    pub(crate) async fn new() -> Self {
        // The keys live beside the log here, to save a database for each test.
        let migrate = async |pool: PgPool| {
            docket_vault::migrate(&pool, None).await.unwrap();
            docket_eventlog::migrate(&pool, None).await
        };
        let database = docket_testkit::migrated_database("eventlog", migrate).await;
        let world = Self::migrated(database.pool.clone()).await;
        Self { database: Some(database), ..world }
    }

    /// A copy of a log which `write` has written, once for each `name` in this process.
    pub(crate) async fn copy(name: &str, write: impl AsyncFnOnce(&Self)) -> Self {
        let prepare = async |pool: PgPool| {
            let world = Self::on(pool).await;
            write(&world).await;
            world.log.close().await;
            Ok::<_, Error>(())
        };
        let database = docket_testkit::migrated_database(name, prepare).await;
        let world = Self::migrated(database.pool.clone()).await;
        Self { database: Some(database), ..world }
    }

    /// The world of a database which was restored, with what is in it.
    pub(crate) async fn restored(pool: PgPool) -> Self {
        Self::migrated(pool).await
    }

    /// A log in an empty database on a server of the test's own.
    pub(crate) async fn on(pool: PgPool) -> Self {
        docket_vault::migrate(&pool, None).await.unwrap();
        docket_eventlog::migrate(&pool, None).await.unwrap();
        Self::migrated(pool).await
    }

    async fn migrated(pool: PgPool) -> Self {
        let clock = ManualClock::shared("2026-03-02T15:00:00Z".parse().unwrap());
        let log = open("identity", pool.clone(), &pool, &clock).await;
        Self { database: None, pool, clock, log }
    }

    pub(crate) fn database(&self) -> &TestDatabase {
        self.database.as_ref().expect("made by `new`")
    }

    /// The same log as another replica of the service sees it, or the same replica through another pool.
    pub(crate) async fn open_with(&self, pool: PgPool) -> EventLog {
        open("identity", pool, &self.pool, &self.clock).await
    }

    /// The same log as another replica with a queue of that size.
    pub(crate) async fn open_queued(&self, queue: Queue) -> EventLog {
        open_queued("identity", self.pool.clone(), &self.pool, &self.clock, queue).await
    }

    /// Takes the log back to its first `events`, guards and checkpoints too, as an old backup would: as a superuser who
    /// switches the triggers off.
    pub(crate) async fn set_back(&self, events: u32) {
        let mut connection = self.pool.acquire().await.unwrap();
        let back = format!(
            "SET session_replication_role = replica;
             DELETE FROM log.event WHERE position > {events};
             DELETE FROM log.command WHERE first_position > {events};
             DELETE FROM log.checkpoint_signed WHERE size > {events};
             DELETE FROM log.stream;
             UPDATE log.head SET position = {events}, commits = (SELECT count(*) FROM log.command);
             INSERT INTO log.stream SELECT DISTINCT ON (stream) log, stream, version, link, 1, position
             FROM log.event ORDER BY stream, version DESC;
             SET session_replication_role = origin"
        );
        sqlx::raw_sql(AssertSqlSafe(back)).execute(&mut *connection).await.unwrap();
    }

    /// Until the appender, or somebody else, waits for the head.
    pub(crate) async fn somebody_waits(&self) {
        let waiting = "SELECT count(*) FROM pg_stat_activity
                       WHERE datname = current_database() AND wait_event_type = 'Lock'";
        self.wait_for("somebody at the lock", Duration::from_secs(10), waiting, |found| found > 0).await;
    }

    /// A transaction which holds the head and writes nothing.
    pub(crate) async fn hold_the_head(&self) -> Transaction<'static, Postgres> {
        let mut tx = docket_database::begin(&self.pool).await.unwrap();
        sqlx::query("UPDATE log.head SET commits = commits").execute(&mut *tx).await.unwrap();
        tx
    }

    /// Another log in the same database.
    pub(crate) async fn another(&self, name: &'static str) -> EventLog {
        open(name, self.pool.clone(), &self.pool, &self.clock).await
    }

    /// The same log as a process of its own opens it.
    pub(crate) async fn elsewhere(pool: PgPool) -> EventLog {
        let clock = ManualClock::shared("2026-03-02T15:00:00Z".parse().unwrap());
        open("identity", pool.clone(), &pool, &clock).await
    }

    pub(crate) fn pool(&self) -> &PgPool {
        &self.pool
    }

    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(self.pool()).await.unwrap()
    }

    /// Waits, at most so long, until the count is as wanted.
    pub(crate) async fn wait_for(
        &self,
        what: &str,
        at_most: Duration,
        sql: &'static str,
        wanted: impl Fn(i64) -> bool,
    ) {
        let waiting = async {
            while !wanted(self.count(sql).await) {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(at_most, waiting).await.unwrap_or_else(|_late| panic!("waited too long for {what}"));
    }

    /// Erases the account `n`: asked by one person, approved by another.
    pub(crate) async fn erase(&self, n: u128) {
        erase(self.log.vault(), n).await;
    }

    /// Every event, and that the log is as it must be.
    pub(crate) async fn sound(&self) -> Vec<Recorded> {
        let verified = self.log.verify(1, None).await.unwrap();
        assert_eq!(verified.broken, None);
        let all = self.log.read(0, 1_000_000).await.unwrap();
        assert!(all.iter().map(|event| event.position).eq(1..=self.log.head().await.unwrap().position));
        all
    }
}

/// Erases the account `n`: asked by one person, approved by another.
pub(crate) async fn erase(vault: &Vault, n: u128) {
    let [reason, basis] = ["asked".parse().unwrap(), "gdpr.17.1.a".parse().unwrap()];
    let [asker, approver] = [Actor::account(id(97)), Actor::account(id(98))];
    let request = vault.request_erasure(&Subject::account(id(n)), &reason, &basis, &asker).await.unwrap();
    vault.approve_erasure(request.id, &approver).await.unwrap();
}

async fn open(name: &'static str, pool: PgPool, keys: &PgPool, clock: &Arc<ManualClock>) -> EventLog {
    open_queued(name, pool, keys, clock, Queue::default()).await
}

async fn open_queued(
    name: &'static str,
    pool: PgPool,
    keys: &PgPool,
    clock: &Arc<ManualClock>,
    queue: Queue,
) -> EventLog {
    let kek = Kek::from_hex(&"07".repeat(32)).unwrap();
    let vault = Vault::connect(keys.clone(), kek, clock.clone()).await.unwrap();
    EventLog::open(OpenLog {
        name,
        pool,
        vault,
        clock: clock.clone(),
        personal: docket_proto::personal_fields,
        producer: "test/1".to_owned(),
        rules: String::new(),
        queue,
    })
    .await
    .unwrap()
}

pub(crate) fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

pub(crate) fn stream(n: u128) -> StreamName {
    StreamName::of("account", id(n))
}

pub(crate) fn context(command: u128) -> Context {
    Context {
        command_id: id(command),
        correlation_id: id(command),
        causation_id: None,
        actor: Actor::account(id(99)),
        on_behalf_of: None,
        auth_level: 2,
        traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned(),
        request: Vec::new(),
    }
}

pub(crate) fn registered() -> Event {
    AccountRegistered {
        email: "ana@example.org".to_owned(),
        language: "en".to_owned(),
        zone: "America/New_York".to_owned(),
        email_stream: "email-k1-00".to_owned(),
    }
    .into()
}

pub(crate) fn proven() -> Event {
    EmailProven::default().into()
}

/// `count` events without personal fields.
pub(crate) fn to(n: u128, expected: Expected, count: usize) -> StreamAppend {
    StreamAppend::of(stream(n), expected, Subjects::NONE, &vec![proven(); count])
}

/// A command with one event for one stream.
pub(crate) fn one(log: &EventLog, command: u128, n: u128, expected: Expected) -> Append {
    context(command).append(log, vec![to(n, expected, 1)])
}

/// What one append came to, in one word or two.
pub(crate) fn summary(outcome: &Result<Appended, Error>) -> String {
    match outcome {
        Ok(appended) if appended.repeated => format!("repeated {}..{}", appended.first, appended.last),
        Ok(appended) => format!("{}..{}", appended.first, appended.last),
        Err(Error::Conflict { expected, current, .. }) => format!("conflict {expected} is {current}"),
        Err(error) => error.to_string(),
    }
}
