//! A database host that dies without a word: it answers nothing and ends no connection. The log gives it up, and goes on
//! when there is one that answers.

use std::time::{Duration, Instant};

use docket_eventlog::{Append, CheckpointKey, Error, EventLog, Expected, Filter};
use docket_kernel::Clock as _;
use sqlx::postgres::PgListener;
use tokio::time::{sleep, timeout};

use crate::proxy::{Fault, Proxy};
use crate::world::{World, one, summary};

/// Far more than the log waits for one answer, several times over; without a bound it waits for ever.
const AT_MOST: Duration = Duration::from_secs(90);

/// Repeats the command until it is answered.
async fn answered(log: &EventLog, append: impl Fn() -> Append) -> String {
    let repeating = async {
        loop {
            match log.append(append()).await {
                Err(Error::OutcomeUnknown | Error::Database(_)) => {}
                outcome => break summary(&outcome),
            }
        }
    };
    timeout(AT_MOST, repeating).await.expect("the log goes on")
}

async fn done_once_in_spite_of(fault: Fault) {
    let world = World::new().await;
    let proxy = Proxy::new(&world.database().url).await;
    let log = world.open_with(proxy.pool.clone()).await;
    log.append(one(&log, 1, 1, Expected::Version(0))).await.unwrap();
    proxy.next(fault);
    let first = log.append(one(&log, 2, 2, Expected::Version(0))).await;
    assert!(matches!(first, Err(Error::OutcomeUnknown)), "{}", summary(&first));
    assert!(proxy.happened());
    assert_eq!(answered(&log, || one(&log, 2, 2, Expected::Version(0))).await, "repeated 2..2");
    assert_eq!(world.sound().await.len(), 2);
}

#[tokio::test]
async fn a_commit_that_nobody_answers_and_that_went_nowhere_is_made_again() {
    done_once_in_spite_of(Fault::Swallow).await;
}

#[tokio::test]
async fn a_commit_that_nobody_answers_and_that_was_done_is_found() {
    done_once_in_spite_of(Fault::Silence).await;
}

#[tokio::test]
async fn a_connection_that_is_never_greeted_is_given_up_and_nothing_was_written() {
    let world = World::new().await;
    let proxy = Proxy::new(&world.database().url).await;
    let log = world.open_with(proxy.pool.clone()).await;
    // The appending task has no connection yet, and a new one is taken and never greeted.
    proxy.fall_silent();
    let append = || one(&log, 1, 1, Expected::Version(0));
    assert!(matches!(log.append(append()).await, Err(Error::OutcomeUnknown)));
    proxy.speak();
    assert_eq!(answered(&log, append).await, "1..1");
    assert_eq!(world.sound().await.len(), 1);
}

#[tokio::test]
async fn whoever_asks_what_became_of_a_commit_asks_again_elsewhere() {
    let world = World::new().await;
    let proxy = Proxy::new(&world.database().url).await;
    let log = world.open_with(proxy.pool.clone()).await;
    log.append(one(&log, 1, 1, Expected::Version(0))).await.unwrap();
    proxy.fall_silent();
    let append = || one(&log, 2, 2, Expected::Version(0));
    assert!(matches!(log.append(append()).await, Err(Error::OutcomeUnknown)));
    // The statement, and then the connection on which it is asked for.
    timeout(AT_MOST, async {
        while proxy.swallowed() < 2 {
            sleep(Duration::from_millis(50)).await;
        }
    })
    .await
    .expect("it is asked on another connection");
    proxy.speak();
    assert_eq!(answered(&log, append).await, "repeated 2..2");
    assert_eq!(world.sound().await.len(), 2);
}

/// What else of a log runs in the background.
#[tokio::test]
async fn timers_signer_and_head_are_told_that_the_database_is_away() {
    let world = World::new().await;
    world.log.append(one(&world.log, 1, 1, Expected::Version(0))).await.unwrap();
    let began = Instant::now();
    let silent_at = async |words: &'static str| {
        let proxy = Proxy::new(&world.database().url).await;
        let log = world.open_with(proxy.pool.clone()).await;
        proxy.silent_at(words);
        (proxy, log)
    };
    let (_first_way, timers) = silent_at("FROM log.timer").await;
    let (_second_way, signer) = silent_at("INSERT INTO log.checkpoint_signed").await;
    let (_third_way, reader) = silent_at("SELECT position, link FROM log.event").await;
    let now = world.clock.now();
    let key = CheckpointKey::from_seed(&[3; 32]).unwrap();
    let timers = timers.timers();
    let all =
        async { tokio::join!(timers.due(now, None, 1), signer.checkpoint(&key), reader.checkpoint(&key)) };
    let (due, stored, read) = timeout(AT_MOST, all).await.expect("none of them waits for ever");
    assert!(matches!(due, Err(Error::Database(_))), "{due:?}");
    assert!(matches!(stored, Err(Error::Database(_))), "{stored:?}");
    assert!(matches!(read, Err(Error::Database(_))), "{read:?}");
    assert!(began.elapsed() > Duration::from_secs(10), "and they had waited for an answer");
}

#[tokio::test]
async fn a_subscription_is_told_and_reads_on_when_it_asks_again() {
    let world = World::new().await;
    world.log.append(one(&world.log, 1, 1, Expected::Version(0))).await.unwrap();
    for words in ["AS parted_from", "position <= $3"] {
        let proxy = Proxy::new(&world.database().url).await;
        let log = world.open_with(proxy.pool.clone()).await;
        let mut subscription = log.subscribe(0, Filter::default());
        proxy.silent_at(words);
        let told = timeout(AT_MOST, subscription.next()).await.expect("it does not wait for ever");
        assert!(matches!(told, Err(Error::Database(_))), "{words}: {told:?}");
        let events = timeout(AT_MOST, subscription.next()).await.expect("there is an event").unwrap().events;
        assert_eq!(events, world.sound().await);
    }
}

/// Otherwise the commits of this process would wake nobody elsewhere any more.
#[tokio::test]
async fn whoever_tells_of_commits_tells_of_the_next_one_when_nobody_answered() {
    let world = World::new().await;
    let proxy = Proxy::new(&world.database().url).await;
    let log = world.open_with(proxy.pool.clone()).await;
    let mut ears = PgListener::connect(&world.database().url).await.unwrap();
    ears.listen("docket_log").await.unwrap();
    proxy.silent_at("pg_notify");
    log.append(one(&log, 1, 1, Expected::Any)).await.unwrap();
    timeout(AT_MOST, async {
        while proxy.swallowed() == 0 {
            sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .expect("it tells");
    log.append(one(&log, 2, 1, Expected::Any)).await.unwrap();
    let notice = timeout(AT_MOST, ears.recv()).await.expect("it tells of the second").unwrap();
    assert_eq!(notice.payload(), "identity 2");
}

#[tokio::test]
async fn a_listener_whose_connection_fell_silent_listens_on_another() {
    let world = World::new().await;
    let proxy = Proxy::new(&world.database().url).await;
    let replica = world.open_with(proxy.pool.clone()).await;
    let _held = replica.subscribe(0, Filter::default());
    // There is no event: whoever looked would not find it.
    let hears = async |position: u64| {
        let mut head = replica.subscribe_head();
        timeout(AT_MOST, async {
            while *head.borrow_and_update() < position {
                let notice =
                    sqlx::query("SELECT pg_notify('docket_log', $1)").bind(format!("identity {position}"));
                notice.execute(world.pool()).await.unwrap();
                let _soon = timeout(Duration::from_millis(200), head.changed()).await;
            }
        })
        .await
        .expect("a notice is heard");
    };
    hears(7).await;
    // What stands now is dead; whoever connects is let through.
    proxy.fall_silent();
    sleep(Duration::from_secs(3)).await;
    proxy.speak();
    hears(8).await;
    assert_eq!(*replica.subscribe_head().borrow(), 8);
}
