//! Parked streams: one case waits, in order and visibly; the others go on; redrive puts it right.

use docket_eventlog::NewEvent;
use docket_messaging::{Redriven, Stop, parked};

use crate::bench::{Owner, Reader, account, run, until};

#[tokio::test(flavor = "multi_thread")]
async fn poison_stops_one_stream_and_redrive_puts_it_right() {
    let (owner, reader, nats, stop) =
        (Owner::new().await, Reader::new().await, docket_testkit::nats().await, Stop::new());
    let relay = owner.relay(&nats, &stop).await;
    reader.seen.poison(&account(1));
    let consumer = reader.consumer(&nats, owner.feed()).await;
    let redriver = consumer.redriver();
    let consumer = run(consumer, &stop);
    for number in [1, 2, 1, 3, 1, 2] {
        owner.happen(&account(number)).await;
    }
    reader.wait_for_checkpoint(6).await;
    let mut positions = reader.positions().await;
    positions.sort_unstable();
    assert_eq!(positions, [2, 4, 6]);
    let waiting = parked(&reader.database.pool).await.unwrap();
    let mut waiting: Vec<_> = waiting.into_iter().map(|event| (event.position, event.reason)).collect();
    waiting.sort();
    assert_eq!(waiting[0], (1, "poisoned for the test".to_owned()));
    assert_eq!(waiting.iter().map(|(position, _)| *position).collect::<Vec<_>>(), [1, 3, 5]);

    // Too early: it stays parked.
    assert_eq!(redriver.redrive(None).await.unwrap(), Redriven { applied: 0, still_parked: 1 });
    reader.seen.heal();
    assert_eq!(
        redriver.redrive(Some(account(1).as_str())).await.unwrap(),
        Redriven { applied: 3, still_parked: 0 }
    );
    owner.happen(&account(1)).await;
    reader.wait_for(7).await;
    reader.assert_exactly(7).await;
    assert!(parked(&reader.database.pool).await.unwrap().is_empty());
    stop.cancel();
    consumer.await.unwrap().unwrap();
    relay.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_kind_parks_its_stream_where_it_is_folded_and_is_passed_over_elsewhere() {
    let (owner, reader, nats, stop) =
        (Owner::new().await, Reader::new().await, docket_testkit::nats().await, Stop::new());
    let relay = owner.relay(&nats, &stop).await;
    let consumer = run(reader.consumer(&nats, owner.feed()).await, &stop);
    let of_later = |kind: &str| NewEvent { kind: kind.to_owned(), payload: Vec::new() };
    owner.happen_as(&account(1), of_later("account.invented_later.v1")).await;
    owner.happen_as(&account(2), of_later("person.invented_later.v1")).await;
    owner.happen(&account(1)).await;
    owner.happen(&account(2)).await;
    reader.wait_for_checkpoint(4).await;
    assert_eq!(reader.positions().await, [4]);
    let waiting = parked(&reader.database.pool).await.unwrap();
    assert_eq!(waiting.iter().map(|event| event.position).collect::<Vec<_>>(), [1, 3]);
    stop.cancel();
    consumer.await.unwrap().unwrap();
    relay.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_tries_parked_streams_again() {
    let (owner, reader, nats, stop) =
        (Owner::new().await, Reader::new().await, docket_testkit::nats().await, Stop::new());
    let relay = owner.relay(&nats, &stop).await;
    reader.seen.poison(&account(1));
    let first = Stop::new();
    let consumer = run(reader.consumer(&nats, owner.feed()).await, &first);
    owner.happen(&account(1)).await;
    until("it is parked", async || parked(&reader.database.pool).await.unwrap().len() == 1).await;
    first.cancel();
    consumer.await.unwrap().unwrap();
    reader.seen.heal();
    let consumer = run(reader.consumer(&nats, owner.feed()).await, &stop);
    reader.wait_for(1).await;
    reader.assert_exactly(1).await;
    stop.cancel();
    consumer.await.unwrap().unwrap();
    relay.await.unwrap();
}
