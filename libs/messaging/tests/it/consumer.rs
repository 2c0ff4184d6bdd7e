//! The consumer: effects exactly once, whatever the broker does.

use async_nats::HeaderMap;
use docket_messaging::{Error, Stop, StreamStart};

use crate::bench::{LOG, Owner, Reader, account, broker, run, until};

#[tokio::test(flavor = "multi_thread")]
async fn effects_happen_once_though_the_consumer_is_killed_again_and_again() {
    killed_again_and_again(Reader::new().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn effects_that_share_transactions_happen_once_though_the_consumer_is_killed_again_and_again() {
    killed_again_and_again(Reader::together().await).await;
}

async fn killed_again_and_again(reader: Reader) {
    let (owner, nats, stop) = (Owner::new().await, docket_testkit::nats().await, Stop::new());
    let relay = owner.relay(&nats, &stop).await;
    for round in 0..4 {
        for number in 0..25 {
            owner.happen(&account(number % 7)).await;
        }
        let consumer = tokio::spawn(reader.consumer(&nats, owner.feed()).await.run(Stop::new()));
        reader.wait_for(round * 25 + 5).await;
        // In the middle of whatever it does, as kill -9 would.
        consumer.abort();
        assert!(consumer.await.unwrap_err().is_cancelled());
    }
    let consumer = run(reader.consumer(&nats, owner.feed()).await, &stop);
    reader.wait_for_checkpoint(100).await;
    reader.assert_exactly(100).await;
    stop.cancel();
    consumer.await.unwrap().unwrap();
    relay.await.unwrap();
}

/// 120 events of 16 streams wait for the consumer when it starts.
async fn many_wait(reader: &Reader, owner: &Owner, nats: &docket_testkit::TestNats, stop: &Stop) {
    for number in 0..120 {
        owner.happen(&account(number % 16)).await;
    }
    let relay = owner.relay(nats, stop).await;
    let broker = broker(nats, "look").await;
    until("the stream holds all", async || {
        let stream = broker.jetstream().get_stream(LOG).await;
        stream.is_ok_and(|stream| stream.cached_info().state.last_sequence == 120)
    })
    .await;
    drop(relay);
    let consumer = run(reader.consumer(nats, owner.feed()).await, stop);
    reader.wait_for_checkpoint(120).await;
    stop.cancel();
    consumer.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_wait_share_transactions_where_effects_are_rows_only() {
    let (reader, alone, nats) = (Reader::together().await, Reader::new().await, docket_testkit::nats().await);
    let owner = Owner::new().await;
    many_wait(&reader, &owner, &nats, &Stop::new()).await;
    reader.assert_exactly(120).await;
    let shared = reader.transactions().await;
    assert!(shared < 120, "{shared} transactions for 120 events");
    let (owner, nats) = (Owner::new().await, docket_testkit::nats().await);
    many_wait(&alone, &owner, &nats, &Stop::new()).await;
    assert_eq!(alone.transactions().await, 120, "one each where effects may be more than rows");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_poisoned_among_events_that_wait_together_parks_alone() {
    let (reader, nats, owner) = (Reader::together().await, docket_testkit::nats().await, Owner::new().await);
    reader.seen.poison(&account(3));
    many_wait(&reader, &owner, &nats, &Stop::new()).await;
    let mut positions = reader.positions().await;
    positions.sort_unstable();
    // Stream 3 has every sixteenth event, from the fourth on.
    let others: Vec<i64> = (1..=120).filter(|position| position % 16 != 4).collect();
    assert_eq!(positions, others);
    let parked = docket_messaging::parked(&reader.database.pool).await.unwrap();
    let mut parked: Vec<i64> = parked.iter().map(|event| event.position).collect();
    parked.sort_unstable();
    assert_eq!(parked, (1..=120).filter(|position| position % 16 == 4).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_consumers_at_once_do_everything_once() {
    let (owner, reader, nats, stop) =
        (Owner::new().await, Reader::together().await, docket_testkit::nats().await, Stop::new());
    let relay = owner.relay(&nats, &stop).await;
    let first = run(reader.consumer(&nats, owner.feed()).await, &stop);
    let second = run(reader.consumer(&nats, owner.feed()).await, &stop);
    for number in 0..60 {
        owner.happen(&account(number % 9)).await;
    }
    reader.wait_for_checkpoint(60).await;
    reader.assert_exactly(60).await;
    stop.cancel();
    for task in [first, second] {
        task.await.unwrap().unwrap();
    }
    relay.await.unwrap();
}

/// Publishes events by hand in any order and number: the stream's sequence is then not the position.
async fn publish(owner: &Owner, nats: &docket_testkit::TestNats, positions: &[u64]) {
    let broker = broker(nats, "hand").await;
    let start = StreamStart::of(owner.log.pool(), LOG, 100).await.unwrap();
    broker.ensure_stream(LOG, &StreamStart { first_sequence: 1, ..start }).await.unwrap();
    for position in positions {
        let event = owner.log.read(position - 1, 1).await.unwrap().remove(0);
        let subject = format!("docket.{LOG}.{}", event.kind);
        let sent = broker.jetstream().publish(subject, event.to_stored().into()).await.unwrap();
        sent.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn repeated_reordered_and_missing_messages_change_nothing() {
    let (owner, reader, nats, stop) =
        (Owner::new().await, Reader::new().await, docket_testkit::nats().await, Stop::new());
    for number in 0..12 {
        owner.happen(&account(number % 4)).await;
    }
    // 1 and 4 come late, 2 and 7 twice, 5, 9 and 10 never; 12 proves that all before it was fetched.
    publish(&owner, &nats, &[2, 2, 3, 1, 6, 4, 7, 8, 7, 11, 3, 12]).await;
    let consumer = run(reader.consumer(&nats, owner.feed()).await, &stop);
    reader.wait_for_checkpoint(12).await;
    until("all acknowledged", async || {
        let stream = broker(&nats, "look").await.jetstream().get_stream(LOG).await.unwrap();
        let info = stream.consumer_info("reader").await.unwrap();
        info.num_ack_pending == 0 && info.num_pending == 0
    })
    .await;
    reader.assert_exactly(12).await;
    stop.cancel();
    consumer.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wiped_stream_is_refilled_and_nothing_happens_twice() {
    let (owner, reader, nats, stop) =
        (Owner::new().await, Reader::new().await, docket_testkit::nats().await, Stop::new());
    let relay = owner.relay(&nats, &stop).await;
    let consumer = run(reader.consumer(&nats, owner.feed()).await, &stop);
    for number in 0..10 {
        owner.happen(&account(number)).await;
    }
    reader.wait_for_checkpoint(10).await;
    broker(&nats, "hand").await.jetstream().delete_stream(LOG).await.unwrap();
    for number in 0..10 {
        owner.happen(&account(number)).await;
    }
    reader.wait_for_checkpoint(20).await;
    reader.assert_exactly(20).await;
    until("the stream is whole again", async || {
        let stream = broker(&nats, "look").await.jetstream().get_stream(LOG).await;
        stream.is_ok_and(|stream| stream.cached_info().state.messages == 20)
    })
    .await;
    stop.cancel();
    consumer.await.unwrap().unwrap();
    relay.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_goes_away_only_delays() {
    let (owner, reader, mut nats, stop) =
        (Owner::new().await, Reader::new().await, docket_testkit::nats().await, Stop::new());
    let relay = owner.relay(&nats, &stop).await;
    let consumer = run(reader.consumer(&nats, owner.feed()).await, &stop);
    owner.happen(&account(1)).await;
    reader.wait_for(1).await;
    nats.kill().await;
    owner.happen(&account(1)).await;
    owner.happen(&account(2)).await;
    nats.restart().await;
    reader.wait_for_checkpoint(3).await;
    reader.assert_exactly(3).await;
    stop.cancel();
    consumer.await.unwrap().unwrap();
    relay.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn another_epoch_halts_the_consumer() {
    let (owner, reader, nats, stop) =
        (Owner::new().await, Reader::new().await, docket_testkit::nats().await, Stop::new());
    owner.happen(&account(1)).await;
    let relay = owner.relay(&nats, &stop).await;
    let consumer = run(reader.consumer(&nats, owner.feed()).await, &stop);
    reader.wait_for(1).await;
    stop.cancel();
    relay.await.unwrap();
    consumer.await.unwrap().unwrap();

    let hand = broker(&nats, "hand").await;
    let event = owner.log.read(0, 1).await.unwrap().remove(0);
    let mut headers = HeaderMap::new();
    headers.insert(docket_messaging::EPOCH, "2");
    let subject = format!("docket.{LOG}.{}", event.kind);
    let sent =
        hand.jetstream().publish_with_headers(subject, headers, event.to_stored().into()).await.unwrap();
    sent.await.unwrap();
    let halted = reader.consumer(&nats, owner.feed()).await.run(Stop::new()).await.unwrap_err();
    assert!(matches!(&halted, Error::Halted(reason) if reason.contains("epoch")), "{halted}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_behind_the_checkpoint_halts_the_consumer() {
    let (owner, reader, nats, stop) =
        (Owner::new().await, Reader::new().await, docket_testkit::nats().await, Stop::new());
    for number in 0..5 {
        owner.happen(&account(number)).await;
    }
    let relay = owner.relay(&nats, &stop).await;
    let consumer = run(reader.consumer(&nats, owner.feed()).await, &stop);
    reader.wait_for_checkpoint(5).await;
    stop.cancel();
    relay.await.unwrap();
    consumer.await.unwrap().unwrap();

    // The owner comes back with a log that ends earlier, and a broker that has nothing.
    let (restored, fresh, stop) = (Owner::new().await, docket_testkit::nats().await, Stop::new());
    restored.happen(&account(1)).await;
    let relay = restored.relay(&fresh, &stop).await;
    let halted = reader.consumer(&fresh, restored.feed()).await.run(Stop::new()).await.unwrap_err();
    assert!(matches!(&halted, Error::Halted(reason) if reason.contains("was applied")), "{halted}");
    stop.cancel();
    relay.await.unwrap();
    drop(owner);
}
