//! Where it is measured: a durable PostgreSQL of its own, with logs that use it as a service would.

use std::path::PathBuf;
use std::sync::Arc;

use docket_eventlog::{EventLog, OpenLog, Queue};
use docket_kernel::SystemClock;
use docket_servers::{Nats, NatsOptions, Postgres, PostgresOptions};
use docket_vault::{Kek, Vault};
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor};

/// A server of the run's own.
pub(crate) struct Place {
    pub(crate) postgres: Postgres,
    pub(crate) admin: PgPool,
    names: std::sync::atomic::AtomicU32,
}

impl Place {
    pub(crate) async fn new() -> Self {
        let mut options = PostgresOptions { scratch: true, ..PostgresOptions::new(folder("postgres")) };
        // As an office would set it on two cores; the same for case and baseline.
        for (name, value) in [
            ("shared_buffers", "1GB"),
            ("max_wal_size", "8GB"),
            ("checkpoint_timeout", "15min"),
            ("max_connections", "300"),
        ] {
            options.settings.push((name.to_owned(), value.to_owned()));
        }
        let postgres = tokio::task::spawn_blocking(|| Postgres::start(options)).await.unwrap().unwrap();
        let admin = PgPoolOptions::new().max_connections(4).connect(&postgres.url("postgres")).await.unwrap();
        Self { postgres, admin, names: std::sync::atomic::AtomicU32::new(0) }
    }

    /// A fresh database with the schemas of log and vault: its name and a pool.
    pub(crate) async fn database(&self) -> (String, PgPool) {
        let number = self.names.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let name = format!("bench_{number}");
        let create = format!("CREATE DATABASE {name}");
        self.admin.execute(AssertSqlSafe(create)).await.unwrap();
        let pool = docket_database::pool_options().max_connections(16);
        let pool = pool.connect(&self.postgres.url(&name)).await.unwrap();
        docket_vault::migrate(&pool, None).await.unwrap();
        docket_eventlog::migrate(&pool, None).await.unwrap();
        (name, pool)
    }
}

/// The key-encryption key of all these databases, as a file has it.
pub(crate) fn kek() -> String {
    "07".repeat(32)
}

/// Opens the log of cases in a database.
pub(crate) async fn open(pool: &PgPool) -> EventLog {
    let clock = Arc::new(SystemClock);
    let kek = Kek::from_hex(&kek()).unwrap();
    let vault = Vault::connect(pool.clone(), kek, clock.clone()).await.unwrap();
    EventLog::open(OpenLog {
        name: "cases-0",
        pool: pool.clone(),
        vault,
        clock,
        personal: docket_proto::personal_fields,
        producer: "case-status/0.1.0".to_owned(),
        rules: "26.10".to_owned(),
        queue: Queue::default(),
    })
    .await
    .unwrap()
}

/// A durable broker.
pub(crate) async fn broker() -> Nats {
    let options = NatsOptions { scratch: true, ..NatsOptions::new(folder("nats")) };
    tokio::task::spawn_blocking(|| Nats::start(options)).await.unwrap().unwrap()
}

fn folder(what: &str) -> PathBuf {
    std::env::temp_dir().join(format!("docket-bench-{what}-{}", std::process::id()))
}
