//! The schema: a program serves when its release's migrations are there, and minds none of a newer one.

use std::time::Duration;

use docket_service::{Stop, lacking, migrate, when_migrated};
use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};

use crate::bench::{MIGRATOR, Place, serve_payments, until};
use crate::life::http_get;

/// The service's own migrations, and one more.
fn next_release() -> Migrator {
    let statement = "ALTER TABLE note ADD COLUMN colour text".into_sql_str();
    let more = Migration::new(2, "colour".into(), MigrationType::Simple, statement, false);
    Migrator::with_migrations(MIGRATOR.iter().cloned().chain([more]).collect())
}

async fn on(pool: &sqlx::PgPool, statement: &'static str) {
    sqlx::query(statement).execute(pool).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_serves_when_all_migrations_of_its_release_are_there() {
    let place = Place::new("payments").await;
    let config = place.config("payments").await;
    let (next, service) = (next_release(), config.clone());
    let data_dir = config.data_dir.clone();
    let migrations = next_release();
    let serving = place.bench.serve(config.clone(), |config, stop| async move {
        let serving = Box::pin(serve_payments(service, stop.clone()));
        when_migrated(&config, &migrations, &stop, serving).await
    });
    tokio::pin!(serving);
    let early = tokio::time::timeout(Duration::from_secs(2), &mut serving).await;
    assert!(early.is_err() && !data_dir.join("listening.json").exists(), "it serves on the older schema");

    migrate(&config, &next).await.unwrap();
    let server = serving.await;
    until("readiness", async || http_get(server.listening.admin, "/readyz").await.contains("200 OK")).await;
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_for_a_schema_can_be_stopped() {
    let place = Place::new("payments").await;
    let config = place.bench.config("payments", &place.own.url, Some(&place.keys.url), &place.nats.url);
    let stop = Stop::new();
    let waiting = when_migrated(&config, &MIGRATOR, &stop, async { anyhow::bail!("it must not begin") });
    let stopping = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        stop.cancel();
    };
    let (outcome, ()) = tokio::join!(waiting, stopping);
    outcome.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_lacking_is_named_in_each_of_the_schemas() {
    let place = Place::new("payments").await;
    let config = place.bench.config("payments", &place.own.url, Some(&place.keys.url), &place.nats.url);
    let said = lacking(&config, &MIGRATOR).await.unwrap().unwrap();
    assert!(said.starts_with("migration 1 of the schema log"), "{said}");
    migrate(&config, &MIGRATOR).await.unwrap();
    assert_eq!(lacking(&config, &MIGRATOR).await.unwrap(), None);

    let (own, keys) = (&place.own.pool, &place.keys.pool);
    for (schema, pool, taken, back) in [
        (
            "log",
            own,
            "CREATE TABLE kept AS SELECT * FROM log._migrations; DELETE FROM log._migrations WHERE version = 3",
            "INSERT INTO log._migrations SELECT * FROM kept WHERE version = 3",
        ),
        (
            "access",
            own,
            "UPDATE access._migrations SET success = false WHERE version = 2",
            "UPDATE access._migrations SET success = true",
        ),
        (
            "public",
            own,
            "UPDATE _sqlx_migrations SET success = false",
            "UPDATE _sqlx_migrations SET success = true",
        ),
        (
            "vault",
            keys,
            "UPDATE vault._migrations SET success = false WHERE version = 4",
            "UPDATE vault._migrations SET success = true",
        ),
    ] {
        sqlx::raw_sql(taken).execute(pool).await.unwrap();
        let said = lacking(&config, &MIGRATOR).await.unwrap().unwrap_or_default();
        assert!(said.contains(&format!("of the schema {schema} (")), "{schema}: {said}");
        on(pool, back).await;
    }

    on(own, "UPDATE log._migrations SET checksum = '\\x00' WHERE version = 1").await;
    let fault = lacking(&config, &MIGRATOR).await.unwrap_err().to_string();
    assert!(fault.contains("migration 1 of the schema log"), "{fault}");
}

/// One release back: its `migrate` ends well on the newer schema and changes nothing, and its programs serve.
#[tokio::test(flavor = "multi_thread")]
async fn the_release_before_takes_the_schema_of_the_one_after() {
    let place = Place::new("payments").await;
    let config = place.bench.config("payments", &place.own.url, Some(&place.keys.url), &place.nats.url);
    migrate(&config, &next_release()).await.unwrap();
    let (own, keys) = (&place.own.pool, &place.keys.pool);
    for (pool, newer) in [
        (own, "INSERT INTO log._migrations SELECT 900, 'newer', now(), true, '\\x01', 1"),
        (own, "INSERT INTO access._migrations SELECT 900, 'newer', now(), true, '\\x01', 1"),
        (keys, "INSERT INTO vault._migrations SELECT 900, 'newer', now(), true, '\\x01', 1"),
    ] {
        on(pool, newer).await;
    }

    migrate(&config, &MIGRATOR).await.unwrap();
    assert_eq!(lacking(&config, &MIGRATOR).await.unwrap(), None);
    on(own, "INSERT INTO note (id, text, colour) VALUES (gen_random_uuid(), 'x', 'blue')").await;
    let applied: Vec<i64> = sqlx::query_scalar("SELECT version FROM _sqlx_migrations ORDER BY version")
        .fetch_all(own)
        .await
        .unwrap();
    assert_eq!(applied, [1, 2]);
    place.payments().await.stop().await.unwrap();
}
