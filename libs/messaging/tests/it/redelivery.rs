//! Messages out of order, repeated, late or never: the view equals the fold of the log. And no more in hand than agreed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, pull};
use async_trait::async_trait;
use docket_eventlog::{EventLog, Recorded};
use docket_messaging::{
    ApplyError, Broker, Error, Feed, FeedClient, FeedHead, Stop, StreamStart, Subscriber,
};
use docket_testkit::TestNats;
use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use sqlx::PgConnection;
use tokio::time::sleep;

use crate::bench::{LOG, Owner, Reader, account, broker, chance, long_or, run, something, until};
use crate::fold::{Folding, of_log, of_rows};

/// An order of delivery for `positions`: some late, some repeated, some never, some in a heap; the last one always, since it
/// shows that all before it exist.
fn disorder(positions: std::ops::RangeInclusive<u64>, random: &mut StdRng) -> Vec<u64> {
    let last = *positions.end();
    let mut order = Vec::new();
    let mut late = Vec::new();
    for position in positions {
        match random.random_range(0..20) {
            0 => {} // never
            1 => late.push(position),
            2 | 3 => order.extend([position, position, position]),
            _ => order.push(position),
        }
    }
    for window in order.chunks_mut(random.random_range(2..20)) {
        // Of a heap nearly all is fetched from the owner, which is not what is tried here.
        if random.random_ratio(1, 6) {
            window.shuffle(random);
        }
    }
    late.shuffle(random);
    order.extend(late);
    order.push(last);
    order
}

/// How many of them the owner has to give whatever the consumer does: those before which a later one comes.
fn only_the_owners(from: u64, order: &[u64]) -> u64 {
    let (mut next, mut owners) = (from, 0);
    for position in order {
        if *position >= next {
            owners += position - next;
            next = position + 1;
        }
    }
    owners
}

/// Publishes events by hand: the stream's sequence is then not the position.
async fn publish(owner: &Owner, nats: &TestNats, order: &[u64]) {
    let broker = broker(nats, "hand").await;
    for position in order {
        let event = owner.log.read(position - 1, 1).await.unwrap().remove(0);
        let subject = format!("docket.{LOG}.{}", event.kind);
        broker.jetstream().publish(subject, event.to_stored().into()).await.unwrap().await.unwrap();
    }
}

/// A fresh stream, whose next message is that of position `from`: after many repetitions sequences would run far ahead of
/// positions, and a consumer takes what the broker has handed out for positions, which it then fetches from the owner.
async fn fresh_stream(owner: &Owner, hand: &Broker, from: u64) {
    // There is none the first time.
    let _gone = hand.jetstream().delete_stream(LOG).await;
    let start = StreamStart::of(owner.log.pool(), LOG, 100).await.unwrap();
    let stream = hand.ensure_stream(LOG, &StreamStart { first_sequence: from, ..start }).await.unwrap();
    // What a killed consumer had in hand comes again soon.
    let impatient = pull::Config {
        durable_name: Some("reader".to_owned()),
        ack_policy: AckPolicy::Explicit,
        ack_wait: Duration::from_millis(300),
        max_ack_pending: 512,
        ..pull::Config::default()
    };
    stream.create_consumer(impatient).await.unwrap();
}

/// An owner that counts the events it gives.
struct Counted {
    log: EventLog,
    given: Arc<AtomicU64>,
}

#[async_trait]
impl Feed for Counted {
    async fn read(&self, _log: &str, after: u64, limit: u64) -> Result<Vec<Recorded>, Error> {
        let events = self.log.read(after, u32::try_from(limit).unwrap()).await?;
        self.given.fetch_add(events.len() as u64, Ordering::Relaxed);
        Ok(events)
    }

    async fn head(&self, log: &str) -> Result<FeedHead, Error> {
        FeedClient::local(self.log.clone()).head(log).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_order_of_delivery_the_view_equals_the_fold() {
    let (owner, reader, nats) = (Owner::new().await, Reader::new().await, docket_testkit::nats().await);
    let mut random = chance("redelivery");
    let hand = broker(&nats, "hand").await;
    let given = Arc::new(AtomicU64::new(0));
    let feed = || FeedClient::of(Counted { log: owner.log.clone(), given: Arc::clone(&given) });
    let (mut head, mut owners) = (0, 0);
    for _ in 0..long_or(30, 2) {
        let from = head + 1;
        // Far more than a restart fetches again from the owner, which is what the lane that is furthest behind has not seen.
        for _ in 0..random.random_range(300..600) {
            head = owner.happen(&account(random.random_range(0..12))).await;
        }
        fresh_stream(&owner, &hand, from).await;
        let order = disorder(from..=head, &mut random);
        owners += only_the_owners(from, &order);
        let cut = random.random_range(1..order.len());
        let mut furthest = 0;
        for part in [&order[..cut], &order[cut..]] {
            let folding = Arc::new(Folding::default());
            let consumer = tokio::spawn(reader.bare(&nats, feed()).await.with(folding).run(Stop::new()));
            publish(&owner, &nats, part).await;
            furthest = part.iter().fold(furthest, |furthest, position| furthest.max(*position));
            // In the middle of whatever it does; the next one gets again what was not acknowledged.
            let enough = random.random_range(furthest - (furthest + 1 - from) / 8..=furthest);
            until("most of it is applied", async || applied(&reader).await >= enough).await;
            consumer.abort();
            assert!(consumer.await.is_err_and(|ended| ended.is_cancelled()));
        }
    }
    let stop = Stop::new();
    let consumer = run(reader.bare(&nats, feed()).await.with(Arc::new(Folding::default())), &stop);
    reader.wait_for_checkpoint(head).await;
    let given = given.load(Ordering::Relaxed);
    println!(
        "redelivery: {head} events, of which the owner gave {given}, {owners} of them for want of a message"
    );
    // Of those that a message had brought in time, most are taken from it.
    let beyond = given.saturating_sub(owners);
    assert!(
        beyond * 2 < head - owners,
        "the owner was asked for {beyond} of {} events without need",
        head - owners
    );
    assert_eq!(of_rows(&reader.database.pool).await, of_log(&owner.log, &[]).await);
    stop.cancel();
    consumer.await.unwrap().unwrap();
}

/// How many events were folded.
async fn applied(reader: &Reader) -> u64 {
    let sum = sqlx::query_scalar("SELECT coalesce(sum(events), 0)::bigint FROM folded");
    let sum: i64 = sum.fetch_one(&reader.database.pool).await.unwrap();
    sum.unsigned_abs()
}

/// Takes nothing while it is closed.
#[derive(Default)]
struct Gate(AtomicBool);

#[async_trait]
impl Subscriber for Gate {
    fn categories(&self) -> &'static [&'static str] {
        &["account"]
    }

    async fn apply(&self, _tx: &mut PgConnection, _event: &Recorded) -> Result<(), ApplyError> {
        while !self.0.load(Ordering::Relaxed) {
            sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_that_does_not_move_holds_back_the_broker_and_not_the_memory() {
    let (owner, reader, nats, stop) =
        (Owner::new().await, Reader::new().await, docket_testkit::nats().await, Stop::new());
    // One stream, so one lane.
    let (streams, event) = ([account(1)], something());
    for _ in 0..1_500 / 50 {
        let appends = (0..50).map(|_| owner.happen_to(&streams, &event));
        futures::future::join_all(appends).await;
    }
    let relay = owner.relay(&nats, &stop).await;
    let gate = Arc::new(Gate::default());
    let consumer = run(reader.bare(&nats, owner.feed()).await.with(gate.clone()), &stop);
    let look = broker(&nats, "look").await;
    let state = async || {
        let stream = look.jetstream().get_stream(LOG).await.ok()?;
        let info = stream.consumer_info("reader").await.ok()?;
        Some((stream.cached_info().state.last_sequence, info.delivered.stream_sequence, info.num_ack_pending))
    };
    until("the broker may give no more", async || {
        state().await.is_some_and(|(last, _, unacknowledged)| last == 1_500 && unacknowledged == 512)
    })
    .await;
    // It stays so: a second look after the consumer has had time for another pull.
    let (mut looks, mut most) = (0, 0);
    while looks < 40 {
        let (_, delivered, unacknowledged) = state().await.unwrap();
        assert!(unacknowledged <= 512, "{unacknowledged} events in hand");
        most = most.max(delivered);
        looks += 1;
    }
    assert!(most <= 512, "{most} events were handed out while nothing was done");
    gate.0.store(true, Ordering::Relaxed);
    reader.wait_for_checkpoint(1_500).await;
    stop.cancel();
    consumer.await.unwrap().unwrap();
    relay.await.unwrap();
}
