//! A commit without an answer: who was written is told so, who was not is told that, and only the rest is unknown.

use std::time::Duration;

use docket_eventlog::{Appended, Error, EventLog, Expected};
use futures::future::join_all;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor, PgPool};

use crate::proxy::{Fault, Proxy};
use crate::world::{World, context, one, stream, summary, to};

/// A log behind a faulty way, in which command 1 is done.
async fn scene() -> (World, Proxy, EventLog) {
    let world = World::new().await;
    let proxy = Proxy::new(&world.database().url).await;
    let log = world.open_with(proxy.pool.clone()).await;
    log.append(one(&log, 1, 1, Expected::Version(0))).await.unwrap();
    (world, proxy, log)
}

/// Appends these commands, each to a stream that must be new, in one group; what each was told.
async fn group(log: &EventLog, commands: &[(u128, u128)]) -> Vec<Result<Appended, Error>> {
    join_all(commands.iter().map(|(n, stream)| log.append(one(log, *n, *stream, Expected::Version(0))))).await
}

fn told(answers: &[Result<Appended, Error>]) -> Vec<String> {
    answers.iter().map(summary).collect()
}

/// From now on the database refuses events of this stream.
async fn refuse(world: &World, n: u128) {
    fail(world, n, "23514").await;
}

/// The same for this reason.
async fn fail(world: &World, n: u128, code: &str) {
    let trigger = format!(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF NEW.stream = '{}' THEN RAISE EXCEPTION 'refused' USING ERRCODE = '{code}'; END IF;
            RETURN NEW; END $$;
         CREATE TRIGGER refuse BEFORE INSERT ON log.event FOR EACH ROW EXECUTE FUNCTION refuse()",
        stream(n)
    );
    sqlx::raw_sql(AssertSqlSafe(trigger)).execute(world.pool()).await.unwrap();
}

async fn repetitions_are_told_from_what_was_written(fault: Fault) {
    let (world, proxy, log) = scene().await;
    proxy.next(fault);
    // Done before; new; the same once more; new; in conflict with it.
    let answers = group(&log, &[(1, 1), (2, 2), (2, 2), (3, 3), (4, 3)]).await;
    assert!(proxy.happened());
    let expected = ["repeated 1..1", "2..2", "repeated 2..2", "3..3", "conflict 0 is 1"];
    assert_eq!(told(&answers), expected);
    let all = world.sound().await;
    assert_eq!(all.len(), 3);
    for answer in answers.into_iter().flatten() {
        let first = usize::try_from(answer.first - 1).unwrap();
        assert_eq!(answer.events, all[first..=first]);
    }
}

#[tokio::test]
async fn a_lost_answer_makes_no_repetition_new_and_nothing_new_a_repetition() {
    repetitions_are_told_from_what_was_written(Fault::LoseAnswer).await;
}

#[tokio::test]
async fn a_lost_commit_makes_no_repetition_new_and_nothing_new_a_repetition() {
    repetitions_are_told_from_what_was_written(Fault::LoseCommit).await;
}

/// The same where the commit is one of a transaction, since other processes write too.
#[tokio::test]
async fn a_lost_commit_under_the_lock_is_told_as_exactly() {
    for fault in [Fault::LoseAnswer, Fault::LoseCommit] {
        let (world, proxy, log) = scene().await;
        // Overtaken once, it takes the lock from now on.
        let blocker = world.hold_the_head().await;
        let append = log.append(one(&log, 20, 20, Expected::Any));
        let others = async {
            world.somebody_waits().await;
            let mut blocker = blocker;
            blocker.execute("UPDATE log.head SET commits = commits + 1").await.unwrap();
            blocker.commit().await.unwrap();
        };
        let (appended, ()) = tokio::join!(append, others);
        appended.unwrap();
        proxy.next_of_transactions(fault);
        let answers = group(&log, &[(1, 1), (2, 2), (3, 3), (4, 3)]).await;
        assert!(proxy.happened());
        assert_eq!(told(&answers), ["repeated 1..1", "3..3", "4..4", "conflict 0 is 1"]);
        assert_eq!(world.sound().await.len(), 4);
    }
}

#[tokio::test]
async fn a_line_that_was_lost_before_anything_was_sent_leaves_nothing_in_doubt() {
    let world = World::new().await;
    let victim: PgConnectOptions = world.database().url.parse().unwrap();
    let victim = victim.application_name("victim");
    let log = world.open_with(PgPoolOptions::new().connect_lazy_with(victim)).await;
    log.append(one(&log, 1, 1, Expected::Version(0))).await.unwrap();
    let kill = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                WHERE datname = current_database() AND application_name = 'victim'";
    world.wait_for("all victims gone", Duration::from_secs(10), kill, |left| left == 0).await;
    assert_eq!(summary(&log.append(one(&log, 1, 1, Expected::Version(0))).await), "repeated 1..1");
    assert_eq!(world.count("SELECT commits FROM log.head").await, 1, "there was no door to close");
}

#[tokio::test]
async fn an_append_the_database_refuses_after_a_lost_commit_holds_up_nobody() {
    let (world, proxy, log) = scene().await;
    refuse(&world, 5).await;
    proxy.next(Fault::LoseCommit);
    let answers = group(&log, &[(4, 4), (5, 5), (6, 6)]).await;
    assert!(proxy.happened());
    assert!(matches!(answers[1], Err(Error::Database(_))), "{}", summary(&answers[1]));
    assert!(answers[0].is_ok() && answers[2].is_ok(), "{:?}", told(&answers));
    log.append(one(&log, 7, 7, Expected::Version(0))).await.unwrap();
    assert_eq!(world.sound().await.len(), 4);
}

/// The statement of one event, and that of several.
#[tokio::test]
async fn what_arrives_after_it_was_told_not_done_writes_nothing() {
    for events in [1, 2] {
        let (world, proxy, log) = scene().await;
        // So that the statement is prepared.
        log.append(context(9).append(&log, vec![to(9, Expected::Version(0), events)])).await.unwrap();
        let before = world.sound().await;
        proxy.next(Fault::Delay);
        refuse(&world, 5).await;
        let told = log.append(context(5).append(&log, vec![to(5, Expected::Version(0), events)])).await;
        assert!(matches!(told, Err(Error::Database(_))), "{}", summary(&told));
        world.pool().execute("DROP TRIGGER refuse ON log.event").await.unwrap();
        proxy.deliver().await;
        assert_eq!(world.sound().await, before, "who was told that nothing was written was told the truth");
        log.append(one(&log, 5, 5, Expected::Version(0))).await.unwrap();
        world.sound().await;
    }
}

#[tokio::test]
async fn what_cannot_be_looked_up_is_unknown_and_only_that() {
    let (world, proxy, log) = scene().await;
    let everywhere = PgPool::connect(&docket_testkit::postgres().await.url("postgres")).await.unwrap();
    let allow = async |allowed: bool| {
        let name = &world.database().name;
        let statement = format!("ALTER DATABASE {name} ALLOW_CONNECTIONS {allowed}");
        everywhere.execute(AssertSqlSafe(statement)).await.unwrap();
    };
    allow(false).await;
    proxy.next(Fault::LoseCommit);
    // Of the second nothing was sent: its stream is there already.
    let answers = group(&log, &[(2, 2), (3, 1)]).await;
    allow(true).await;
    assert!(proxy.happened());
    assert!(matches!(answers[0], Err(Error::OutcomeUnknown)), "{}", summary(&answers[0]));
    assert!(matches!(answers[1], Err(Error::Database(_))), "{}", summary(&answers[1]));
    assert_eq!(told(&group(&log, &[(2, 2), (3, 1)]).await), ["2..2", "conflict 0 is 1"]);
    assert_eq!(world.sound().await.len(), 2);
}

#[tokio::test]
async fn a_repetition_whose_events_cannot_be_read_at_once_is_read_again_and_the_others_are_told() {
    let (world, proxy, log) = scene().await;
    proxy.cut_at("position BETWEEN", 1);
    assert_eq!(told(&group(&log, &[(1, 1), (2, 2)]).await), ["repeated 1..1", "2..2"]);
    assert_eq!(proxy.cuts(), 1);
    assert_eq!(world.sound().await.len(), 2);
}

/// Another replica does the same command while nobody knows whether ours was done: the answer is the other's.
#[tokio::test]
async fn what_another_replica_did_meanwhile_is_told_as_a_repetition() {
    let (world, proxy, log) = scene().await;
    let blocker = world.hold_the_head().await;
    proxy.next(Fault::LoseCommit);
    let ours = log.append(one(&log, 2, 2, Expected::Version(0)));
    let theirs = async {
        // Our commit is lost, and the question after it waits for the head: the other was there before.
        world.somebody_waits().await;
        let mut blocker = blocker;
        world.clock.advance(jiff::SignedDuration::from_secs(1));
        let same = one(&world.log, 2, 2, Expected::Version(0));
        let done = world.log.append_in(&mut blocker, same).await;
        assert_eq!(summary(&done), "2..2");
        blocker.commit().await.unwrap();
    };
    let (ours, ()) = tokio::join!(ours, theirs);
    assert_eq!(summary(&ours), "repeated 2..2");
    assert_eq!(world.sound().await.len(), 2);
}

/// A database which is not up in time, as far as the log can tell.
#[tokio::test]
async fn what_may_pass_and_does_not_is_given_up_before_its_caller_stops_waiting() {
    let (world, _proxy, log) = scene().await;
    fail(&world, 5, "40001").await;
    let failed = log.append(one(&log, 5, 5, Expected::Any)).await;
    assert!(matches!(failed, Err(Error::Database(_))), "{}", summary(&failed));
    let before = world.log.head().await.unwrap().position;
    sqlx::raw_sql("DROP TRIGGER refuse ON log.event").execute(world.pool()).await.unwrap();
    assert!(log.append(one(&log, 6, 6, Expected::Any)).await.is_ok());
    assert_eq!(world.sound().await.len() as u64, before + 1, "and does not come later");
}
