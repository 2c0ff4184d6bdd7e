//! Commits whose outcome is not known at first: they are looked up, never done twice, never lost.

use docket_eventlog::Expected;
use futures::future::join_all;
use sqlx::Executor;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::proxy::{Fault, Proxy};
use crate::world::{World, one, summary};

async fn appended_once_in_spite_of(fault: Fault) {
    let world = World::new().await;
    let proxy = Proxy::new(&world.database().url).await;
    let log = world.open_with(proxy.pool.clone()).await;
    log.append(one(&log, 1, 1, Expected::Version(0))).await.unwrap();
    proxy.next(fault);
    let answers = join_all((2..=9).map(|n| log.append(one(&log, n, n, Expected::Version(0))))).await;
    assert!(proxy.happened());
    for (answer, n) in answers.iter().zip(2..) {
        let answer = answer.as_ref().unwrap();
        assert!(!answer.repeated);
        assert_eq!(answer.events.len(), 1);
        assert_eq!(answer.events[0].stream, crate::world::stream(n));
    }
    let all = world.sound().await;
    assert_eq!(all.len(), 9);
    for answer in answers.into_iter().flatten() {
        assert_eq!(answer.events, all[usize::try_from(answer.first - 1).unwrap()..][..1]);
    }
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_found_done() {
    appended_once_in_spite_of(Fault::LoseAnswer).await;
}

#[tokio::test]
async fn a_commit_which_never_arrived_is_made_again() {
    appended_once_in_spite_of(Fault::LoseCommit).await;
}

#[tokio::test]
async fn a_backend_killed_inside_its_commit_leaves_nothing_half_done() {
    let world = World::new().await;
    // Fires inside COMMIT, kills its own backend at the first time only: a sequence is not rolled back.
    for statement in [
        "CREATE SEQUENCE strikes",
        "CREATE FUNCTION strike() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF nextval('strikes') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
            RETURN NULL; END $$",
        "CREATE CONSTRAINT TRIGGER strike AFTER INSERT ON log.event DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION strike()",
    ] {
        world.pool().execute(statement).await.unwrap();
    }
    let outcome = world.log.append(one(&world.log, 1, 1, Expected::Version(0))).await;
    assert_eq!(summary(&outcome), "1..1");
    assert!(world.count("SELECT last_value FROM strikes").await > 1, "the first commit was killed");
    assert_eq!(world.sound().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn backends_killed_at_any_moment_lose_and_double_nothing() {
    let world = World::new().await;
    let victim: PgConnectOptions = world.database().url.parse().unwrap();
    let victim = victim.application_name("victim");
    let log = world.open_with(PgPoolOptions::new().connect_lazy_with(victim)).await;
    let pool = world.pool().clone();
    let mut head = log.subscribe_head();
    let killing = tokio::spawn(async move {
        let mut killed = 0_i64;
        while killed < 40 {
            killed += sqlx::query_scalar::<_, i64>(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                 WHERE datname = current_database() AND application_name = 'victim' AND state <> 'idle'",
            )
            .fetch_one(&pool)
            .await
            .unwrap();
            // The next one when something got through, or nothing ever would.
            let seen = *head.borrow();
            head.wait_for(|position| *position > seen).await.unwrap();
        }
    });
    let mut command = 0;
    while !killing.is_finished() {
        let round = join_all((1..=8).map(|n| log.append(one(&log, command + n, n, Expected::Any)))).await;
        for outcome in round {
            assert!(outcome.is_ok(), "{}", summary(&outcome));
        }
        command += 8;
    }
    killing.await.unwrap();
    let all = world.sound().await;
    assert_eq!(all.len() as u128, command, "each command once");
}

#[tokio::test]
async fn an_owner_frozen_with_the_head_in_hand_is_ended_by_the_database() {
    let world = World::new().await;
    let log = &world.log;
    let mut frozen = docket_database::begin(world.pool()).await.unwrap();
    log.append_in(&mut frozen, one(log, 1, 1, Expected::Version(0))).await.unwrap();
    let limit: String = sqlx::query_scalar("SELECT current_setting('idle_in_transaction_session_timeout')")
        .fetch_one(&mut *frozen)
        .await
        .unwrap();
    assert_eq!(limit, "15s");
    // Shortened, so that the test need not wait as long.
    frozen.execute("SET LOCAL idle_in_transaction_session_timeout = '50ms'").await.unwrap();
    assert_eq!(summary(&log.append(one(log, 2, 1, Expected::Version(0))).await), "1..1");
    assert!(frozen.commit().await.is_err());
    assert_eq!(world.sound().await.len(), 1);
}

/// The transaction that begins an epoch holds the head as well.
#[tokio::test]
async fn whoever_is_frozen_while_raising_an_epoch_is_ended_by_the_database() {
    let world = World::new().await;
    let log = &world.log;
    // Shortened, so that the test need not wait as long. An append moves the position, an epoch does not.
    let shorten = "CREATE FUNCTION shorten() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF current_setting('idle_in_transaction_session_timeout') <> '15s' THEN RAISE EXCEPTION 'no limit'; END IF;
            PERFORM set_config('idle_in_transaction_session_timeout', '50ms', true);
            RETURN NEW; END $$;
         CREATE TRIGGER shorten BEFORE UPDATE ON log.head FOR EACH ROW
            WHEN (NEW.position = OLD.position) EXECUTE FUNCTION shorten()";
    sqlx::raw_sql(shorten).execute(world.pool()).await.unwrap();
    let mut epochs = docket_database::begin(world.pool()).await.unwrap();
    epochs.execute("LOCK TABLE log.epoch").await.unwrap();
    let mut frozen = Box::pin(log.raise_epoch("the drill"));
    tokio::select! {
        ended = &mut frozen => panic!("it cannot have looked at the epochs: {ended:?}"),
        () = world.somebody_waits() => {}
    }
    // It has the head, and does nothing from here on: nobody polls it.
    epochs.rollback().await.unwrap();
    assert_eq!(summary(&log.append(one(log, 1, 1, Expected::Version(0))).await), "1..1");
    assert!(frozen.await.is_err());
    assert_eq!(log.head().await.unwrap().epoch.number, 1);
    assert_eq!(world.sound().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_answered_survives_a_killed_server_and_what_was_not_is_settled() {
    let mut server = docket_testkit::private_postgres().await;
    let pool = PgPoolOptions::new().max_connections(4).connect(&server.url("postgres")).await.unwrap();
    let world = World::on(pool).await;
    let log = world.log.clone();
    let mut head = log.subscribe_head();
    let writing = tokio::spawn(async move {
        let rounds = (0..30).map(|round| {
            let log = log.clone();
            async move {
                let appends = (1..=8).map(|n| log.append(one(&log, round * 8 + n, n, Expected::Any)));
                join_all(appends).await
            }
        });
        let mut answers = Vec::new();
        for round in rounds {
            answers.extend(round.await);
        }
        answers
    });
    for position in [20, 100] {
        head.wait_for(|head| *head >= position).await.unwrap();
        server.kill();
        server.restart().await;
    }
    for (answer, command) in writing.await.unwrap().into_iter().zip(1_u128..) {
        let answer = answer.unwrap_or_else(|error| panic!("{command}: {error:?}"));
        assert_eq!(answer.events[0].metadata.command_id.as_u128(), command);
    }
    assert_eq!(world.sound().await.len(), 240, "each command once");
}
