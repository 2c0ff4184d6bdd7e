//! Parked streams: one case waits, in order and visibly; the others go on; redrive puts it right.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use docket_eventlog::{EventLog, NewEvent, Recorded};
use docket_messaging::{
    Behind, Error, Feed, FeedClient, FeedHead, LogEpoch, Redriven, Stop, behind, parked, parked_of, skip,
    skipped,
};
use jiff::Timestamp;
use rand::RngExt as _;
use tokio::time::sleep;

use crate::bench::{LOG, Owner, Reader, account, chance, long_or, run, something, until};
use crate::fold::{Folding, of_log, of_rows};

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

    // Whoever must not act before all of a stream was applied knows of it.
    let head = owner.feed().head(LOG).await.unwrap();
    let further = FeedHead { position: 7, ..head.clone() };
    let raised = FeedHead {
        epochs: vec![LogEpoch { number: 2, from_position: 7, id: uuid::Uuid::from_u128(2) }],
        ..head.clone()
    };
    for (stream, head, expected) in [
        (1, &head, Some(Behind::Parked(1))),
        (2, &head, None),
        (2, &further, Some(Behind::At(6, 7))),
        (2, &raised, Some(Behind::Epoch(1))),
    ] {
        let found = behind(&reader.database.pool, ("reader", LOG), &account(stream), head).await.unwrap();
        assert_eq!(found, expected, "stream {stream}");
    }

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

#[tokio::test(flavor = "multi_thread")]
async fn one_poisoned_case_among_a_thousand_leaves_the_others_alone_and_comes_right_in_order() {
    let (owner, reader, nats, stop) =
        (Owner::new().await, Reader::new().await, docket_testkit::nats().await, Stop::new());
    let mut random = chance("poison");
    let (cases, rounds): (u128, u32) = (1_000, long_or(20, 2));
    let streams: Vec<_> = (0..cases).map(account).collect();
    let sick = account(random.random_range(0..cases));
    let view = Arc::new(Folding::default());
    view.poison(&sick);
    let relay = owner.relay(&nats, &stop).await;
    let consumer = reader.bare(&nats, owner.feed()).await.with(view.clone());
    let redriver = consumer.redriver();
    let consumer = run(consumer, &stop);
    let mut head = 0;
    for _ in 0..rounds {
        head = owner.happen_to(&streams, &something()).await;
    }
    reader.wait_for_checkpoint(head).await;
    let pool = &reader.database.pool;
    assert_eq!(of_rows(pool).await, of_log(&owner.log, std::slice::from_ref(&sick)).await);
    let waiting = parked_of(pool, LOG, sick.as_str()).await.unwrap();
    assert_eq!(waiting.len(), rounds as usize);
    assert_eq!(parked(pool).await.unwrap().len(), waiting.len(), "no other case is parked");
    view.heal();
    let event = something();
    // What comes while it is redriven queues up behind it.
    let (outcome, _) = tokio::join!(redriver.redrive(None), owner.happen_to(&streams, &event));
    outcome.unwrap();
    reader.wait_for_checkpoint(head + 1_000).await;
    redriver.redrive(None).await.unwrap();
    assert!(parked(pool).await.unwrap().is_empty());
    assert_eq!(of_rows(pool).await, of_log(&owner.log, &[]).await);
    stop.cancel();
    consumer.await.unwrap().unwrap();
    relay.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_given_up_in_order_by_somebody_for_a_reason_which_is_kept() {
    let (owner, reader, nats, stop) =
        (Owner::new().await, Reader::new().await, docket_testkit::nats().await, Stop::new());
    let relay = owner.relay(&nats, &stop).await;
    reader.seen.poison(&account(1));
    let consumer = reader.consumer(&nats, owner.feed()).await;
    let redriver = consumer.redriver();
    let consumer = run(consumer, &stop);
    for number in [1, 2, 1] {
        owner.happen(&account(number)).await;
    }
    reader.wait_for_checkpoint(3).await;
    let (pool, stream) = (&reader.database.pool, account(1));
    let now = Timestamp::from_second(1_900_000_000).unwrap();
    let first = parked_of(pool, LOG, stream.as_str()).await.unwrap().remove(0);
    assert!(first.age(now) > Duration::from_secs(1) && first.age(Timestamp::UNIX_EPOCH).is_zero());

    let give_up = async |position: u64, by: &'static str, why: &'static str| {
        skip(pool, ("reader", LOG), (stream.as_str(), position), (by, why), now).await
    };
    for (refused, says) in [
        (give_up(3, "operator", "wrong").await, "the first parked event of the stream is at 1"),
        (give_up(1, "operator", " ").await, "give a reason"),
        (give_up(1, "", "wrong").await, "say who decides"),
    ] {
        assert!(matches!(&refused, Err(Error::Refused(reason)) if reason.contains(says)), "{refused:?}");
    }
    give_up(1, "operator", "superseded by hand").await.unwrap();
    assert_eq!(parked(pool).await.unwrap().len(), 1, "what came after it waits for a redrive");
    reader.seen.heal();
    assert_eq!(redriver.redrive(None).await.unwrap(), Redriven { applied: 1, still_parked: 0 });
    assert!(matches!(give_up(3, "operator", "again").await, Err(Error::Refused(_))));
    let mut positions = reader.positions().await;
    positions.sort_unstable();
    assert_eq!(positions, [2, 3]);

    let kept = skipped(pool).await.unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!((kept[0].position, kept[0].epoch, kept[0].skipped_at_us), (1, 1, now.as_microsecond()));
    assert_eq!((kept[0].skipped_by.as_str(), kept[0].reason.as_str()), ("operator", "superseded by hand"));
    assert_eq!(kept[0].parked_reason, "poisoned for the test");
    for forbidden in
        ["UPDATE log.skipped SET reason = 'x'", "DELETE FROM log.skipped", "TRUNCATE log.epoch_accepted"]
    {
        let refused = sqlx::query(forbidden).execute(pool).await.unwrap_err().to_string();
        assert!(refused.contains("append-only"), "{refused}");
    }
    stop.cancel();
    consumer.await.unwrap().unwrap();
    relay.await.unwrap();
}

/// An owner that does not give the event of one position, or takes its time over it; 0 for none.
struct Owning {
    log: EventLog,
    withheld: AtomicU64,
    busy_with: AtomicU64,
    /// Whether it was asked for what it is busy with.
    asked: AtomicBool,
}

impl Owning {
    fn new(owner: &Owner) -> Arc<Self> {
        let (withheld, busy_with, asked) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
        Arc::new(Self { log: owner.log.clone(), withheld, busy_with, asked })
    }
}

struct Asking(Arc<Owning>);

#[async_trait]
impl Feed for Asking {
    async fn read(&self, _log: &str, after: u64, limit: u64) -> Result<Vec<Recorded>, Error> {
        while after + 1 == self.0.busy_with.load(Ordering::SeqCst) {
            self.0.asked.store(true, Ordering::SeqCst);
            sleep(Duration::from_millis(5)).await;
        }
        if after + 1 == self.0.withheld.load(Ordering::SeqCst) {
            return Err(Error::Feed("away".to_owned()));
        }
        Ok(self.0.log.read(after, u32::try_from(limit).unwrap()).await?)
    }

    async fn head(&self, log: &str) -> Result<FeedHead, Error> {
        FeedClient::local(self.0.log.clone()).head(log).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_cannot_be_tried_keeps_none_of_the_others_from_being_redriven() {
    let (owner, reader, nats, stop) =
        (Owner::new().await, Reader::new().await, docket_testkit::nats().await, Stop::new());
    let relay = owner.relay(&nats, &stop).await;
    let owning = Owning::new(&owner);
    for number in [1, 2] {
        reader.seen.poison(&account(number));
    }
    let consumer = reader.consumer(&nats, FeedClient::of(Asking(Arc::clone(&owning)))).await;
    let redriver = consumer.redriver();
    let consumer = run(consumer, &stop);
    for number in [1, 2, 2] {
        owner.happen(&account(number)).await;
    }
    reader.wait_for_checkpoint(3).await;
    reader.seen.heal();
    owning.withheld.store(1, Ordering::SeqCst);
    assert_eq!(redriver.redrive(None).await.unwrap(), Redriven { applied: 2, still_parked: 1 });
    // Whoever asks for the one is told why.
    let refused = redriver.redrive(Some(account(1).as_str())).await;
    assert!(matches!(refused, Err(Error::Feed(_))), "{refused:?}");
    owning.withheld.store(0, Ordering::SeqCst);
    assert_eq!(redriver.redrive(None).await.unwrap(), Redriven { applied: 1, still_parked: 0 });
    reader.assert_exactly(3).await;
    stop.cancel();
    consumer.await.unwrap().unwrap();
    relay.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redrive_that_waits_for_the_owner_does_not_hold_up_the_lane_of_its_stream() {
    let (owner, reader, nats, stop) =
        (Owner::new().await, Reader::new().await, docket_testkit::nats().await, Stop::new());
    let relay = owner.relay(&nats, &stop).await;
    let owning = Owning::new(&owner);
    reader.seen.poison(&account(1));
    let consumer = reader.consumer(&nats, FeedClient::of(Asking(Arc::clone(&owning)))).await;
    let redriver = consumer.redriver();
    let consumer = run(consumer, &stop);
    for number in [1, 2] {
        owner.happen(&account(number)).await;
    }
    reader.wait_for_checkpoint(2).await;
    reader.seen.heal();
    owning.busy_with.store(1, Ordering::SeqCst);
    let redriving = tokio::spawn(async move { redriver.redrive(None).await });
    until("the owner is asked", async || owning.asked.load(Ordering::SeqCst)).await;
    // What comes now queues up behind what is parked, and its lane goes on.
    owner.happen(&account(1)).await;
    reader.wait_for_checkpoint(3).await;
    assert_eq!(parked(&reader.database.pool).await.unwrap().len(), 2);
    assert!(!redriving.is_finished());
    owning.busy_with.store(0, Ordering::SeqCst);
    assert_eq!(redriving.await.unwrap().unwrap(), Redriven { applied: 2, still_parked: 0 });
    reader.assert_exactly(3).await;
    stop.cancel();
    consumer.await.unwrap().unwrap();
    relay.await.unwrap();
}
