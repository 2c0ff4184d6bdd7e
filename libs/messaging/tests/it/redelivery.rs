//! Messages out of order, repeated, late or never: the view equals the fold of the log. And no more in hand than agreed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, pull};
use async_trait::async_trait;
use docket_eventlog::Recorded;
use docket_messaging::{ApplyError, Stop, StreamStart, Subscriber};
use docket_testkit::TestNats;
use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use sqlx::PgConnection;
use tokio::time::sleep;

use crate::bench::{LOG, Owner, Reader, account, broker, chance, long_or, run, something, until};
use crate::fold::{Folding, of_log, of_rows};

/// An order of delivery for `positions`: some late, some repeated, some never; the last one always, since it shows
/// that all before it exist.
fn disorder(positions: std::ops::RangeInclusive<u64>, random: &mut StdRng) -> Vec<u64> {
    let last = *positions.end();
    let mut order = Vec::new();
    let mut late = Vec::new();
    for position in positions {
        match random.random_range(0..10) {
            0 => {} // never
            1 | 2 => late.push(position),
            3 => order.extend([position, position, position]),
            _ => order.push(position),
        }
    }
    for window in order.chunks_mut(random.random_range(2..20)) {
        window.shuffle(random);
    }
    late.shuffle(random);
    order.extend(late);
    order.push(last);
    order
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

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_order_of_delivery_the_view_equals_the_fold() {
    let (owner, reader, nats) = (Owner::new().await, Reader::new().await, docket_testkit::nats().await);
    let mut random = chance("redelivery");
    let hand = broker(&nats, "hand").await;
    let start = StreamStart::of(owner.log.pool(), LOG, 100).await.unwrap();
    let stream = hand.ensure_stream(LOG, &start).await.unwrap();
    // What a killed consumer had in hand comes again soon.
    let impatient = pull::Config {
        durable_name: Some("reader".to_owned()),
        ack_policy: AckPolicy::Explicit,
        ack_wait: Duration::from_millis(300),
        max_ack_pending: 512,
        ..pull::Config::default()
    };
    stream.create_consumer(impatient).await.unwrap();
    let mut head = 0;
    for _ in 0..long_or(60, 4) {
        let from = head + 1;
        for _ in 0..random.random_range(20..80) {
            head = owner.happen(&account(random.random_range(0..12))).await;
        }
        let stop = Stop::new();
        let consumer = tokio::spawn(
            reader.bare(&nats, owner.feed()).await.with(Arc::new(Folding::default())).run(stop.clone()),
        );
        publish(&owner, &nats, &disorder(from..=head, &mut random)).await;
        // In the middle of whatever it does; the next one gets again what was not acknowledged.
        consumer.abort();
        assert!(consumer.await.is_err_and(|ended| ended.is_cancelled()));
    }
    let stop = Stop::new();
    let consumer = run(reader.bare(&nats, owner.feed()).await.with(Arc::new(Folding::default())), &stop);
    reader.wait_for_checkpoint(head).await;
    println!("redelivery: {head} events");
    assert_eq!(of_rows(&reader.database.pool).await, of_log(&owner.log, &[]).await);
    stop.cancel();
    consumer.await.unwrap().unwrap();
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
