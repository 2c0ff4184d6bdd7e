//! A transaction dropped while it begins, at every await: no session stays inside one. A dead connection is not given out.

#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

use docket_testkit::polled;
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
