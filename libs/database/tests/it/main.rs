//! A transaction dropped while it begins, at every await: no session stays inside one. A dead connection is not given out,
//! and one on which nothing is said any more does not keep its place.

#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

use std::future::pending;
use std::time::Duration;

use docket_database::{SILENT, pool_options, within};
use docket_testkit::{Line, polled};
use futures::future::BoxFuture;
use sqlx::postgres::PgPoolOptions;
use sqlx::{PgPool, Postgres, Row as _, Transaction};

type Begin = BoxFuture<'static, Result<Transaction<'static, Postgres>, sqlx::Error>>;

/// One session, so that whatever is left in it is met again at once.
async fn one_session() -> (docket_testkit::TestDatabase, PgPool) {
    let database = docket_testkit::database("begin").await;
    let pool = PgPoolOptions::new().max_connections(1).connect(&database.url).await.unwrap();
    (database, pool)
}

/// Whether the next one to use the session, without a transaction of its own, is inside somebody else's: its
/// transaction then began before its statement. (A prepared statement's own may, too: not so a simple one.)
async fn inside_a_transaction(pool: &PgPool) -> bool {
    let query = sqlx::raw_sql("SELECT transaction_timestamp() <> statement_timestamp()");
    query.fetch_one(pool).await.unwrap().get(0)
}

/// Whether a session was left inside a transaction, dropping after 1, 2, 3 … polls until one gets through, so many
/// times or until it was.
async fn left_inside(pool: &PgPool, rounds: usize, begin: impl Fn(PgPool) -> Begin) -> bool {
    for _ in 0..rounds {
        for polls in 0.. {
            let through = polled(polls, begin(pool.clone())).await.map(Result::unwrap).is_some();
            if inside_a_transaction(pool).await {
                return true;
            }
            if through {
                break;
            }
        }
    }
    false
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_dropped_while_it_begins_leaves_its_session_outside() {
    let (_database, pool) = one_session().await;
    let ours = |pool| -> Begin { Box::pin(async move { docket_database::begin(&pool).await }) };
    assert!(!left_inside(&pool, 200, ours).await);
}

/// Why the above is needed. Once this fails, the pool does it by itself, and this crate may go.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pool_alone_leaves_it_inside() {
    let (_database, pool) = one_session().await;
    #[expect(clippy::disallowed_methods, reason = "it is what is tried")]
    let alone = |pool: PgPool| -> Begin { Box::pin(async move { pool.begin().await }) };
    assert!(left_inside(&pool, 10_000, alone).await);
}

#[tokio::test]
async fn a_connection_that_died_while_it_was_idle_is_not_given_out() {
    let database = docket_testkit::database("idle").await;
    let pool = docket_database::pool_options().max_connections(1).connect(&database.url).await.unwrap();
    let own = async || sqlx::query_scalar::<_, i32>("SELECT pg_backend_pid()").fetch_one(&pool).await;
    let first = own().await.unwrap();
    let end = sqlx::query("SELECT pg_terminate_backend($1, 5000)").bind(first);
    end.execute(&database.pool).await.unwrap();
    tokio::time::sleep(docket_database::FRESH).await;
    assert_ne!(own().await.unwrap(), first);
}

/// A pool with one place, over a line that can fall silent.
async fn one_place() -> (docket_testkit::TestDatabase, Line, PgPool) {
    let database = docket_testkit::database("silence").await;
    let line = Line::to(&database.url).await;
    let pool = pool_options().max_connections(1).acquire_timeout(SILENT).connect(line.url()).await.unwrap();
    (database, line, pool)
}

/// Far longer than anybody waits.
async fn in_time<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(4 * SILENT, what).await.expect("nobody waits for ever")
}

#[tokio::test]
async fn a_transaction_dropped_on_a_silent_line_gives_its_place_back() {
    let (_database, line, pool) = one_place().await;
    let tx = docket_database::begin(&pool).await.unwrap();
    line.fall_silent();
    drop(tx);
    line.speak();
    in_time(async { while docket_database::begin(&pool).await.is_err() {} }).await;
}

async fn given_up_at(words: &'static str) {
    let (_database, line, pool) = one_place().await;
    line.silent_at(words);
    let work = async {
        let mut tx = docket_database::begin(&pool).await?;
        sqlx::raw_sql("SELECT 7").execute(&mut *tx).await?;
        tx.commit().await
    };
    let given_up = in_time(within(Duration::from_secs(1), work)).await;
    assert!(matches!(given_up, Err(sqlx::Error::Io(_))), "{words}: {given_up:?}");
    assert!(line.fell_silent(), "{words}");
    in_time(async { while sqlx::raw_sql("SELECT 8").execute(&pool).await.is_err() {} }).await;
}

#[tokio::test]
async fn what_is_not_answered_is_given_up_and_its_place_comes_back() {
    futures::future::join_all(["BEGIN", "SELECT 7", "COMMIT"].map(given_up_at)).await;
}

#[tokio::test]
async fn a_connection_that_fell_silent_while_it_was_idle_is_replaced_at_once() {
    let database = docket_testkit::database("silence").await;
    let line = Line::to(&database.url).await;
    let (few, soon) = (4, Duration::from_secs(5));
    let pool = pool_options().max_connections(few).acquire_timeout(soon).connect(line.url()).await.unwrap();
    let all: Vec<_> = futures::future::join_all((0..few).map(|_| pool.acquire())).await;
    drop(all);
    tokio::time::sleep(2 * docket_database::FRESH).await;
    line.fall_silent();
    line.speak();
    // Each within the time that whoever wants a connection has.
    for _ in 0..few {
        sqlx::raw_sql("SELECT 7").execute(&pool).await.unwrap();
    }
}

/// The driver knows of no transaction where it gave up waiting for it to begin.
#[tokio::test]
async fn what_comes_back_inside_a_transaction_after_a_silence_is_not_given_out() {
    let database = docket_testkit::database("silence").await;
    let pool = pool_options().max_connections(1).connect(&database.url).await.unwrap();
    let late = within(Duration::from_millis(1), pending::<Result<(), sqlx::Error>>()).await;
    assert!(late.is_err());
    let mut connection = pool.acquire().await.unwrap();
    sqlx::raw_sql("BEGIN").execute(&mut *connection).await.unwrap();
    drop(connection);
    assert!(!inside_a_transaction(&pool).await);
}
