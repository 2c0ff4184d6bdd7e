//! The log of another service: what happens in it is the test's to say.

use std::sync::Arc;

use docket_eventlog::{Context, EventLog, Expected, OpenLog, Queue, StreamAppend, StreamName, Subjects};
use docket_kernel::{Actor, EventEnum, SystemClock};
use docket_messaging::{Broker, BrokerOptions, Relay, Stop};
use docket_vault::{Kek, Vault};
use sqlx::PgPool;
use uuid::Uuid;

/// Opens the log `name` in an empty database and publishes it until `stop`.
///
/// # Panics
/// When the database or the broker cannot be used.
pub async fn foreign_log(name: &'static str, pool: &PgPool, broker: &str, stop: Stop) -> EventLog {
    docket_eventlog::migrate(pool, None).await.expect("the log's schema");
    docket_vault::migrate(pool, None).await.expect("the keys' schema");
    let clock = Arc::new(SystemClock);
    let kek = Kek::from_hex(&Kek::generate().expect("randomness")).expect("a key");
    let vault = Vault::connect(pool.clone(), kek, clock.clone()).await.expect("a vault");
    let log = EventLog::open(OpenLog {
        name,
        pool: pool.clone(),
        vault,
        clock,
        personal: docket_proto::personal_fields,
        producer: "test/1".into(),
        rules: String::new(),
        queue: Queue::default(),
    })
    .await
    .expect("a log");
    let options =
        BrokerOptions { url: broker.into(), name: name.into(), identity: None, ca: None, replicas: 1 };
    let broker = Broker::connect(&options).await.expect("the broker");
    tokio::spawn(Relay::new(log.clone(), broker).run(stop));
    log
}

/// A command of a test's machine.
pub fn machine() -> Context {
    let id = Uuid::new_v4();
    Context {
        command_id: id,
        correlation_id: id,
        causation_id: None,
        actor: Actor::machine("test"),
        on_behalf_of: None,
        auth_level: 0,
        traceparent: String::new(),
        request: Vec::new(),
    }
}

/// Appends an event to the stream of `id`, which is also the filing and the account whose data it holds.
///
/// # Panics
/// When it cannot be appended.
pub async fn append<E: EventEnum>(log: &EventLog, id: Uuid, event: E) {
    let subjects = Subjects { filing: Some(id), account: Some(id), person: None };
    let append = StreamAppend::of(StreamName::of(E::CATEGORY, id), Expected::Any, subjects, &[event]);
    log.append(machine().append(log, vec![append])).await.expect("it is appended");
}
