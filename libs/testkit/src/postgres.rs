//! One PostgreSQL for the test process, a fresh database for each test, and private servers for tests of crashes.

use std::collections::HashMap;
use std::env;
use std::fmt::Display;
use std::sync::{Arc, OnceLock, mpsc};
use std::thread;

use docket_servers::{Postgres, PostgresOptions};
use sqlx::postgres::{PgConnection, PgPool};
use sqlx::{AssertSqlSafe, Connection, Executor};
use tokio::sync::{Mutex, OnceCell};

use crate::source::{Source, source};
use crate::{blocking, next_number, scratch_folder};

/// Connections of one test's pool; the server takes 200.
const POOL_SIZE: u32 = 8;

/// The PostgreSQL of this test process.
#[derive(Debug)]
pub struct TestPostgres {
    /// The superuser's URL up to and without the database: `postgres://user:password@127.0.0.1:port`.
    base_url: String,
    /// Ends with the process.
    _server: Running,
    templates: Mutex<HashMap<String, Arc<OnceCell<String>>>>,
}

impl TestPostgres {
    /// The superuser's URL of a database.
    pub fn url(&self, database: &str) -> String {
        format!("{}/{database}", self.base_url)
    }

    async fn execute(&self, statement: String) {
        let mut connection =
            PgConnection::connect(&self.url("postgres")).await.expect("PostgreSQL takes connections");
        connection
            .execute(AssertSqlSafe(statement.as_str()))
            .await
            .unwrap_or_else(|error| panic!("{statement}: {error}"));
        connection.close().await.expect("the connection closes");
    }
}

/// A database for one test; it is dropped with this value.
#[derive(Debug)]
pub struct TestDatabase {
    /// A pool of 8 connections, as superuser.
    pub pool: PgPool,
    /// The superuser's URL.
    pub url: String,
    /// The database's name.
    pub name: String,
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        sweep(&self.name);
    }
}

/// The PostgreSQL shared by the tests of this process, started at the first call.
pub async fn postgres() -> &'static TestPostgres {
    static SHARED: OnceCell<TestPostgres> = OnceCell::const_new();
    SHARED.get_or_init(start_shared).await
}

/// What keeps the shared server running.
#[derive(Debug)]
enum Running {
    Elsewhere,
    Local {
        _server: Box<Postgres>,
    },
    #[cfg(feature = "containers")]
    Container {
        _server: Box<crate::containers::PostgresContainer>,
    },
}

async fn start_shared() -> TestPostgres {
    let (url, running) = match env::var("DOCKET_TEST_POSTGRES") {
        Ok(url) => (url, Running::Elsewhere),
        Err(_) => start_from(source().await).await,
    };
    let base_url = url.rsplit_once('/').map_or(url.clone(), |(base, _)| base.to_owned());
    TestPostgres { base_url, _server: running, templates: Mutex::default() }
}

async fn start_from(source: Source) -> (String, Running) {
    match source {
        Source::Local => {
            let folder = scratch_folder("postgres");
            let server = start_local(PostgresOptions {
                durable: false,
                scratch: true,
                ..PostgresOptions::new(folder)
            })
            .await;
            (server.url(""), Running::Local { _server: Box::new(server) })
        }
        #[cfg(feature = "containers")]
        Source::Containers => {
            let server = crate::containers::PostgresContainer::start().await;
            (server.url.clone(), Running::Container { _server: Box::new(server) })
        }
    }
}

async fn start_local(options: PostgresOptions) -> Postgres {
    blocking(move || Postgres::start(options)).await.unwrap_or_else(|error| panic!("PostgreSQL: {error}"))
}

/// A fresh, empty database; `name` only makes it recognisable.
pub async fn database(name: &str) -> TestDatabase {
    create(name, "template0").await
}

/// A fresh database with a schema: `migrate` runs once for each `name` in this process, every test gets a copy of that.
///
/// ```no_run
/// # async fn example() {
/// # use sqlx::Executor;
/// let migrate = async |pool: sqlx::PgPool| pool.execute("CREATE TABLE thing ()").await.map(drop);
/// let database = docket_testkit::migrated_database("filing", migrate).await;
/// # }
/// ```
pub async fn migrated_database<E: Display>(
    name: &str,
    migrate: impl AsyncFnOnce(PgPool) -> Result<(), E>,
) -> TestDatabase {
    let template = postgres().await.templates.lock().await.entry(name.to_owned()).or_default().clone();
    let template = template
        .get_or_init(async || {
            let template = create(name, "template0").await;
            migrate(template.pool.clone()).await.unwrap_or_else(|error| panic!("migrate {name}: {error}"));
            template.pool.close().await; // a template must have no connections
            let name = template.name.clone();
            std::mem::forget(template);
            name
        })
        .await;
    create(name, template).await
}

async fn create(name: &str, template: &str) -> TestDatabase {
    let postgres = postgres().await;
    let plain: String = name
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '_' })
        .collect();
    let name = format!("{plain:.30}_{}_{}", std::process::id(), next_number());
    postgres.execute(format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
    let url = postgres.url(&name);
    let pool = docket_database::pool_options()
        .max_connections(POOL_SIZE)
        .connect(&url)
        .await
        .expect("the new database takes connections");
    TestDatabase { pool, url, name }
}

/// Drops a database from a thread of its own: a test that ends cannot wait, and its runtime is about to go.
fn sweep(database: &str) {
    static SWEEPER: OnceLock<mpsc::Sender<String>> = OnceLock::new();
    let sweeper = SWEEPER.get_or_init(|| {
        let (names, inbox) = mpsc::channel::<String>();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime can be made");
            for name in inbox {
                runtime.block_on(async {
                    postgres().await.execute(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
                });
            }
        });
        names
    });
    let _ = sweeper.send(database.to_owned()); // the server's end removes what is left
}

/// A PostgreSQL of one test's own, durable, to be killed and started again.
#[derive(Debug)]
pub struct PrivatePostgres {
    server: Option<Postgres>,
}

impl PrivatePostgres {
    pub(crate) fn of(server: Postgres) -> Self {
        Self { server: Some(server) }
    }

    /// The superuser's URL of a database; the same after a restart.
    pub fn url(&self, database: &str) -> String {
        self.server.as_ref().expect("the server is only away during a restart").url(database)
    }

    /// Kills the server (SIGKILL of the postmaster), as a crash would.
    pub fn kill(&mut self) {
        self.server().process().kill().expect("the server can be killed");
    }

    /// Starts the server again on the same port and data.
    pub async fn restart(&mut self) {
        let mut server = self.server.take().expect("the server is only away during a restart");
        self.server = Some(
            blocking(move || {
                server.restart().expect("PostgreSQL starts again");
                server
            })
            .await,
        );
    }

    /// The server itself, to send signals to or to ask for its programs.
    pub fn server(&mut self) -> &mut Postgres {
        self.server.as_mut().expect("the server is only away during a restart")
    }
}

/// Starts a durable PostgreSQL for one test alone.
pub async fn private_postgres() -> PrivatePostgres {
    private_postgres_with(|_| {}).await
}

/// Starts a durable PostgreSQL for one test alone after `change` has seen its options.
pub async fn private_postgres_with(change: impl FnOnce(&mut PostgresOptions)) -> PrivatePostgres {
    let mut options = PostgresOptions { scratch: true, ..PostgresOptions::new(scratch_folder("private")) };
    change(&mut options);
    PrivatePostgres::of(start_local(options).await)
}
