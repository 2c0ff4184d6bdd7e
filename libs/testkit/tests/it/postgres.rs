//! Databases of one's own, copies of a migrated one, and a server that crashes.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use docket_testkit::{TestDatabase, database, migrated_database, postgres, private_postgres};
use sqlx::{Connection, Executor, PgConnection, PgPool};

#[tokio::test]
async fn two_databases_of_one_name_do_not_see_each_other() {
    let (one, other) = (database("same").await, database("same").await);
    one.pool.execute("CREATE TABLE thing ()").await.unwrap();
    other.pool.execute("CREATE TABLE thing ()").await.unwrap();
    assert_ne!(one.name, other.name);
}

/// How often the schema of the test below was made.
static MIGRATIONS: AtomicU32 = AtomicU32::new(0);

async fn with_schema() -> TestDatabase {
    let migrate = async |pool: PgPool| {
        MIGRATIONS.fetch_add(1, Ordering::Relaxed);
        pool.execute("CREATE TABLE thing (id int PRIMARY KEY)").await.map(drop)
    };
    migrated_database("with schema", migrate).await
}

#[tokio::test]
async fn a_schema_is_made_once_and_copied() {
    let copies = tokio::join!(with_schema(), with_schema(), with_schema());
    for copy in [&copies.0, &copies.1, &copies.2] {
        copy.pool.execute("INSERT INTO thing VALUES (1)").await.unwrap();
    }
    assert_eq!(MIGRATIONS.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_database_goes_with_its_value() {
    let database = database("going").await;
    let name = database.name.clone();
    drop(database);
    let mut connection = PgConnection::connect(&postgres().await.url("postgres")).await.unwrap();
    let begun = Instant::now();
    let count = "SELECT count(*) FROM pg_database WHERE datname = $1";
    while sqlx::query_scalar::<_, i64>(count).bind(&name).fetch_one(&mut connection).await.unwrap() > 0 {
        assert!(begun.elapsed() < Duration::from_secs(20), "the database is still there");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_was_committed_survives_a_crash() {
    let mut server = private_postgres().await;
    let url = server.url("postgres");
    let mut connection = PgConnection::connect(&url).await.unwrap();
    connection.execute("CREATE TABLE thing AS SELECT 42 AS answer").await.unwrap();
    server.kill();
    assert!(PgConnection::connect(&url).await.is_err());
    server.restart().await;
    let mut connection = PgConnection::connect(&url).await.unwrap();
    assert_eq!(
        sqlx::query_scalar::<_, i32>("SELECT answer FROM thing").fetch_one(&mut connection).await.unwrap(),
        42
    );
}
