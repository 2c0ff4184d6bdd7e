//! What fails keeps nobody else waiting: parked after a while, tried again by itself; what is away is waited for.

use std::time::Duration;

use docket_messaging::{Patience, Redriven, Stop, parked};

use crate::bench::{Owner, Reader, Sick, account, run, until};

/// Everything soon.
const SOON: Patience = Patience {
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
