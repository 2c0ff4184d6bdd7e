//! What fails keeps nobody else waiting: parked after a while, tried again by itself; what is away is waited for.

use std::time::Duration;

use async_trait::async_trait;
use docket_eventlog::Recorded;
use docket_messaging::{Error, Feed, FeedClient, FeedHead, Patience, Redriven, Stop, parked};
use docket_testkit::Line;
use tokio::time::timeout;

use crate::bench::{LOG, Owner, Reader, Sick, account, run, until};

/// Everything soon.
const SOON: Patience = Patience {
    one_try: Duration::from_secs(1),
    failing: Duration::from_millis(300),
    first_pause: Duration::from_millis(200),
    most_pause: Duration::from_secs(1),
};

/// More events of others than may wait for all lanes together.
const MANY: u64 = 700;

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_for_a_while_is_parked_the_others_go_on_and_it_heals_without_an_operator() {
    let (owner, reader, nats, stop) =
        (Owner::new().await, Reader::new().await, docket_testkit::nats().await, Stop::new());
    let relay = owner.relay(&nats, &stop).await;
    reader.seen.sicken(&account(1), Sick::Failing);
    owner.happen(&account(1)).await;
    let others: Vec<_> = (2..=21).map(account).collect();
    let mut last = 1;
    while last <= MANY {
        last = owner.happen_to(&others, &crate::bench::something()).await;
    }
    last = owner.happen(&account(1)).await;
    let consumer = run(reader.consumer(&nats, owner.feed()).await.patience(SOON), &stop);
    // All others, though it fails all the time.
    reader.wait_for_checkpoint(last).await;
    let others = usize::try_from(last).unwrap() - 2;
    assert_eq!(reader.positions().await.len(), others);
    let mut waiting = parked(&reader.database.pool).await.unwrap();
    waiting.sort_by_key(|event| event.position);
    let waiting: Vec<_> = waiting.iter().map(|event| (event.position, event.reason.as_str())).collect();
    let behind = "behind an earlier event of its stream";
    assert_eq!(waiting, [(1, "the peer answered Internal"), (last.cast_signed(), behind)]);
    let tries = reader.seen.failed();
    until("it is tried again by itself", async || reader.seen.failed() > tries + 1).await;

    reader.seen.heal();
    until("it heals by itself", async || parked(&reader.database.pool).await.unwrap().is_empty()).await;
    reader.assert_exactly(last.cast_signed()).await;
    stop.cancel();
    consumer.await.unwrap().unwrap();
    relay.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_away_is_waited_for_and_nothing_is_parked() {
    let (owner, reader, nats, stop) =
        (Owner::new().await, Reader::new().await, docket_testkit::nats().await, Stop::new());
    let relay = owner.relay(&nats, &stop).await;
    reader.seen.sicken(&account(1), Sick::Away);
    let consumer = run(reader.consumer(&nats, owner.feed()).await.patience(SOON), &stop);
    owner.happen(&account(1)).await;
    // The pauses between eight tries are many times what a failure is given.
    until("it is tried again and again", async || reader.seen.failed() >= 8).await;
    assert!(parked(&reader.database.pool).await.unwrap().is_empty());
    reader.seen.heal();
    reader.wait_for(1).await;
    reader.assert_exactly(1).await;
    stop.cancel();
    consumer.await.unwrap().unwrap();
    relay.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_parks_its_stream_and_ends_nothing() {
    for reader in [Reader::new().await, Reader::together().await] {
        let (owner, nats, stop) = (Owner::new().await, docket_testkit::nats().await, Stop::new());
        let relay = owner.relay(&nats, &stop).await;
        reader.seen.sicken(&account(1), Sick::Panicking);
        let consumer = reader.consumer(&nats, owner.feed()).await.patience(SOON);
        let redriver = consumer.redriver();
        let consumer = run(consumer, &stop);
        for number in [1, 2, 1, 3] {
            owner.happen(&account(number)).await;
        }
        reader.wait_for_checkpoint(4).await;
        let mut waiting = parked(&reader.database.pool).await.unwrap();
        waiting.sort_by_key(|event| event.position);
        assert_eq!((waiting[0].position, waiting[0].reason.as_str()), (1, "panicked"));
        assert_eq!(waiting.len(), 2);
        // Whoever tries it again outlives it.
        let tried = redriver.redrive(None).await.unwrap();
        assert_eq!(tried, Redriven { applied: 0, still_parked: 1 });
        owner.happen(&account(4)).await;
        reader.wait_for_checkpoint(5).await;
        reader.seen.heal();
        until("it heals by itself", async || parked(&reader.database.pool).await.unwrap().is_empty()).await;
        reader.assert_exactly(5).await;
        stop.cancel();
        consumer.await.unwrap().unwrap();
        relay.await.unwrap();
    }
}

/// Streams that fail for one cause: eight to a lane, more or less.
const ILL: u128 = 64;

#[tokio::test(flavor = "multi_thread")]
async fn a_cause_that_fails_for_several_streams_is_not_waited_for_with_each_of_them() {
    let (owner, reader, nats, stop) =
        (Owner::new().await, Reader::new().await, docket_testkit::nats().await, Stop::new());
    let relay = owner.relay(&nats, &stop).await;
    let ill: Vec<_> = (1..=ILL).map(account).collect();
    for stream in &ill {
        reader.seen.sicken(stream, Sick::Failing);
    }
    for _ in 0..2 {
        owner.happen_to(&ill, &crate::bench::something()).await;
    }
    let last = owner.happen(&account(ILL + 1)).await;
    // With each of them it would be half a minute and more.
    let patience = Patience { failing: Duration::from_secs(4), ..SOON };
    let consumer = run(reader.consumer(&nats, owner.feed()).await.patience(patience), &stop);
    let all_others = timeout(Duration::from_secs(20), reader.wait_for_checkpoint(last));
    all_others.await.expect("who is behind them is reached soon");
    let waiting = parked(&reader.database.pool).await.unwrap();
    assert_eq!(waiting.len(), 2 * usize::try_from(ILL).unwrap());

    reader.seen.heal();
    until("they heal by themselves", async || parked(&reader.database.pool).await.unwrap().is_empty()).await;
    reader.assert_exactly(last.cast_signed()).await;
    // It has passed: what fails for it is waited for again.
    reader.seen.sicken(&account(1), Sick::Failing);
    owner.happen(&account(1)).await;
    let tries = reader.seen.failed();
    until("it is tried again and again", async || reader.seen.failed() > tries + 4).await;
    assert!(parked(&reader.database.pool).await.unwrap().is_empty());
    stop.cancel();
    consumer.await.unwrap().unwrap();
    relay.await.unwrap();
}

/// Far longer than a consumer waits for any one answer.
const AT_MOST: Duration = Duration::from_secs(90);

#[tokio::test(flavor = "multi_thread")]
async fn an_effect_that_the_database_does_not_answer_is_tried_on_another_connection() {
    let (owner, reader, nats, stop) =
        (Owner::new().await, Reader::new().await, docket_testkit::nats().await, Stop::new());
    let relay = owner.relay(&nats, &stop).await;
    let line = Line::to(&reader.database.url).await;
    let over = reader.over(&line).await;
    let consumer = run(over.consumer(&nats, owner.feed()).await.patience(SOON), &stop);
    for (number, words) in ["INSERT INTO seen", "COMMIT"].into_iter().enumerate() {
        line.silent_at(words);
        let position = owner.happen(&account(1)).await;
        until(&format!("{words} goes unanswered"), async || line.fell_silent()).await;
        timeout(AT_MOST, reader.wait_for(number + 1)).await.expect("it is tried again");
        timeout(AT_MOST, reader.wait_for_checkpoint(position)).await.expect("the lane goes on");
    }
    reader.assert_exactly(2).await;
    stop.cancel();
    consumer.await.unwrap().unwrap();
    relay.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_goes_on_when_a_database_that_fell_silent_is_back() {
    let (owner, reader, nats, stop) =
        (Owner::new().await, Reader::new().await, docket_testkit::nats().await, Stop::new());
    let relay = owner.relay(&nats, &stop).await;
    let line = Line::to(&reader.database.url).await;
    let consumer = run(reader.over(&line).await.consumer(&nats, owner.feed()).await.patience(SOON), &stop);
    owner.happen(&account(1)).await;
    reader.wait_for(1).await;
    line.fall_silent();
    owner.happen(&account(1)).await;
    // The turn is lost, and the next one is asked for on a line that answers nothing.
    tokio::time::sleep(Duration::from_secs(12)).await;
    line.speak();
    timeout(AT_MOST, async {
        while reader.positions().await.len() < 2 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await
    .expect("it goes on");
    reader.assert_exactly(2).await;
    stop.cancel();
    consumer.await.unwrap().unwrap();
    relay.await.unwrap();
}

/// An owner that takes what it is asked, and never answers.
struct Mute;

#[async_trait]
impl Feed for Mute {
    async fn read(&self, _log: &str, _after: u64, _limit: u64) -> Result<Vec<Recorded>, Error> {
        std::future::pending().await
    }

    async fn head(&self, _log: &str) -> Result<FeedHead, Error> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn an_owner_that_does_not_answer_is_away() {
    let head = timeout(AT_MOST, FeedClient::of(Mute).head(LOG)).await.expect("it is not waited for for ever");
    assert!(matches!(head, Err(Error::Feed(_))), "{head:?}");
}
