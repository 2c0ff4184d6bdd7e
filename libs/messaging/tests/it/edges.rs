//! The edges of what relay and consumer take for one history, and of what they try again.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_nats::HeaderMap;
use async_trait::async_trait;
use docket_eventlog::{EventLog, Recorded};
use docket_messaging::{
    ApplyError, Compared, EPOCH, Error, Feed, FeedClient, FeedHead, Relay, Stop, StreamStart, Subscriber,
    compared, parked,
};
use docket_testkit::TestNats;
use sqlx::PgConnection;

use crate::bench::{LOG, Owner, Reader, account, broker, run, until};

/// A stream without messages, the next of which will be that of `position`.
async fn empty_stream_before(owner: &Owner, nats: &TestNats, position: u64) {
    let start = StreamStart::of(owner.log.pool(), LOG, 100).await.unwrap();
    let start = StreamStart { first_sequence: position, ..start };
    broker(nats, "hand").await.ensure_stream(LOG, &start).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_stream_is_gone_on_with_up_to_the_end_of_the_log_and_not_beyond() {
    let owner = Owner::new().await;
    for number in 0..5 {
        owner.happen(&account(number)).await;
    }
    // Just where the log ends: what comes next is published there.
    let (nats, stop) = (docket_testkit::nats().await, Stop::new());
    empty_stream_before(&owner, &nats, 6).await;
    let relay = owner.relay(&nats, &stop).await;
    owner.happen(&account(5)).await;
    let look = broker(&nats, "look").await;
    until("the sixth is published", async || {
        let stream = look.jetstream().get_stream(LOG).await.unwrap();
        let state = &stream.cached_info().state;
        (state.first_sequence, state.last_sequence, state.messages) == (6, 6, 1)
    })
    .await;
    stop.cancel();
    relay.await.unwrap();
    // One further: somebody has seen what this log does not have.
    let nats = docket_testkit::nats().await;
    empty_stream_before(&owner, &nats, 8).await;
    let halted = Relay::new(owner.log.clone(), owner.broker(&nats).await).run(Stop::new()).await.unwrap_err();
    let says = "the stream ends at 7, the log at 6";
    assert!(matches!(&halted, Error::Halted(reason) if reason.contains(says)), "{halted}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_and_a_stream_are_compared_where_both_hold_something() {
    let (owner, other) = (Owner::new().await, Owner::new().await);
    owner.happen(&account(1)).await;
    other.happen(&account(1)).await;
    // Without a stream, and with one that holds nothing.
    let wiped = docket_testkit::nats().await;
    assert_eq!(compared(&owner.log, &broker(&wiped, "look").await).await.unwrap(), Compared::Nothing);
    empty_stream_before(&other, &wiped, 1).await;
    assert_eq!(compared(&owner.log, &broker(&wiped, "look").await).await.unwrap(), Compared::Nothing);
    // What one and the other begin with: the whole of it, and what comes after the end of the log.
    for (first, expected) in [(1, Compared::PartedAfter(0)), (2, Compared::Nothing)] {
        let (nats, stop) = (docket_testkit::nats().await, Stop::new());
        empty_stream_before(&other, &nats, first).await;
        let relay = other.relay(&nats, &stop).await;
        if first > 1 {
            other.happen(&account(1)).await;
        }
        let look = broker(&nats, "look").await;
        until("what is missing is published", async || {
            let stream = look.jetstream().get_stream(LOG).await.unwrap();
            let state = &stream.cached_info().state;
            (state.first_sequence, state.last_sequence, state.messages) == (first, first, 1)
        })
        .await;
        assert_eq!(compared(&owner.log, &look).await.unwrap(), expected, "from {first}");
        stop.cancel();
        relay.await.unwrap();
    }
}

/// Publishes these bytes where the next event would stand, and gives what stops the consumer.
async fn halted_by(bytes: impl FnOnce(Recorded) -> Vec<u8>) -> String {
    let (owner, reader, nats) = (Owner::new().await, Reader::new().await, docket_testkit::nats().await);
    owner.happen(&account(1)).await;
    let event = owner.log.read(0, 1).await.unwrap().remove(0);
    empty_stream_before(&owner, &nats, 1).await;
    let mut headers = HeaderMap::new();
    headers.insert(EPOCH, "1");
    let subject = format!("docket.{LOG}.{}", event.kind);
    let hand = broker(&nats, "hand").await;
    let sent = hand.jetstream().publish_with_headers(subject, headers, bytes(event).into()).await.unwrap();
    sent.await.unwrap();
    let halted = reader.consumer(&nats, owner.feed()).await.run(Stop::new()).await.unwrap_err();
    assert_eq!(reader.positions().await, [0; 0], "nothing of it was applied");
    let Error::Halted(reason) = halted else { panic!("{halted}") };
    reason
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_no_event_of_this_log_halts_the_consumer() {
    let of_another = halted_by(|event| Recorded { log: "filing".to_owned(), ..event }.to_stored()).await;
    assert_eq!(of_another, "a message of another log stands in the stream");
    let unread = halted_by(|_event| vec![0xff; 7]).await;
    assert!(unread.starts_with("a message cannot be read"), "{unread}");
}

/// Makes the database fail with an SQLSTATE, so many times.
struct Failing {
    code: &'static str,
    times: u32,
    tried: AtomicU32,
}

#[async_trait]
impl Subscriber for Failing {
    fn categories(&self) -> &'static [&'static str] {
        &["account"]
    }

    async fn apply(&self, tx: &mut PgConnection, _event: &Recorded) -> Result<(), ApplyError> {
        if self.tried.fetch_add(1, Ordering::SeqCst) < self.times {
            let raise =
                format!("DO $$ BEGIN RAISE EXCEPTION 'a name' USING ERRCODE = '{}'; END $$", self.code);
            sqlx::raw_sql(sqlx::AssertSqlSafe(raise)).execute(&mut *tx).await?;
        }
        Ok(())
    }
}

/// Has one event applied by who fails so; how often it was tried, and why it is parked.
async fn tried(code: &'static str, times: u32) -> (u32, Option<String>) {
    let (owner, reader, nats, stop) =
        (Owner::new().await, Reader::new().await, docket_testkit::nats().await, Stop::new());
    let relay = owner.relay(&nats, &stop).await;
    let failing = Arc::new(Failing { code, times, tried: AtomicU32::new(0) });
    let consumer = run(reader.bare(&nats, owner.feed()).await.with(failing.clone()), &stop);
    owner.happen(&account(1)).await;
    reader.wait_for_checkpoint(1).await;
    stop.cancel();
    consumer.await.unwrap().unwrap();
    relay.await.unwrap();
    let parked = parked(&reader.database.pool).await.unwrap().pop();
    (failing.tried.load(Ordering::SeqCst), parked.map(|parked| parked.reason))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_of_ours_is_tried_five_times_and_parked_and_others_are_tried_until_they_pass() {
    for ours in ["22012", "23505", "42P01"] {
        assert_eq!(tried(ours, u32::MAX).await, (5, Some(format!("SQLSTATE {ours}"))));
    }
    assert_eq!(tried("23505", 4).await, (5, None), "the fifth time it went well");
    assert_eq!(tried("40001", 6).await, (7, None), "that is nobody's fault");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_that_was_set_back_by_hand_is_gone_on_from() {
    let (owner, reader, nats, stop) =
        (Owner::new().await, Reader::new().await, docket_testkit::nats().await, Stop::new());
    let relay = owner.relay(&nats, &stop).await;
    let consumer = run(reader.consumer(&nats, owner.feed()).await, &stop);
    for number in 0..10 {
        owner.happen(&account(number)).await;
    }
    reader.wait_for_checkpoint(10).await;
    // A view that is built anew: its rows are gone, and how far it got.
    let mut tx = docket_database::begin(&reader.database.pool).await.unwrap();
    sqlx::query("UPDATE log.consumer_checkpoint SET position = 0").execute(&mut *tx).await.unwrap();
    sqlx::query("DELETE FROM seen").execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    owner.happen(&account(1)).await;
    reader.wait_for(11).await;
    reader.wait_for_checkpoint(11).await;
    reader.assert_exactly(11).await;
    stop.cancel();
    consumer.await.unwrap().unwrap();
    relay.await.unwrap();
}

/// An owner that can be away, and counts how often it is asked where its log ends.
struct Door {
    owner: EventLog,
    shut: AtomicBool,
    asked: AtomicU32,
}

impl Door {
    fn open(&self) -> Result<FeedClient, Error> {
        if self.shut.load(Ordering::SeqCst) {
            return Err(Error::Feed("away".to_owned()));
        }
        Ok(FeedClient::local(self.owner.clone()))
    }
}

struct Behind(Arc<Door>);

#[async_trait]
impl Feed for Behind {
    async fn read(&self, _log: &str, after: u64, limit: u64) -> Result<Vec<Recorded>, Error> {
        self.0.open()?;
        Ok(self.0.owner.read(after, u32::try_from(limit).unwrap()).await?)
    }

    async fn head(&self, log: &str) -> Result<FeedHead, Error> {
        self.0.asked.fetch_add(1, Ordering::SeqCst);
        self.0.open()?.head(log).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_whose_owner_is_away_follows_a_stream_that_goes_on_and_waits_before_one_that_does_not() {
    let (owner, reader, nats, stop) =
        (Owner::new().await, Reader::new().await, docket_testkit::nats().await, Stop::new());
    let door =
        Arc::new(Door { owner: owner.log.clone(), shut: AtomicBool::new(false), asked: AtomicU32::new(0) });
    let feed = || FeedClient::of(Behind(Arc::clone(&door)));
    let relay = owner.relay(&nats, &stop).await;
    let first = Stop::new();
    let consumer = run(reader.consumer(&nats, feed()).await, &first);
    for number in 0..10 {
        owner.happen(&account(number)).await;
    }
    reader.wait_for(10).await;
    first.cancel();
    consumer.await.unwrap().unwrap();
    // Whoever stops leaves no lane behind that had nothing to do.
    reader.wait_for_checkpoint(10).await;

    // The stream ends just where the consumer has got.
    door.shut.store(true, Ordering::SeqCst);
    let second = Stop::new();
    let consumer = run(reader.consumer(&nats, feed()).await, &second);
    let look = broker(&nats, "look").await;
    until("it asks for messages", async || {
        let stream = look.jetstream().get_stream(LOG).await.unwrap();
        stream.consumer_info("reader").await.is_ok_and(|info| info.num_waiting >= 1)
    })
    .await;
    owner.happen(&account(1)).await;
    reader.wait_for(11).await;
    reader.wait_for_checkpoint(11).await;
    second.cancel();
    consumer.await.unwrap().unwrap();
    stop.cancel();
    relay.await.unwrap();

    // Another stream, which ends before: wiped and being refilled, or of a log that lost something? Only the owner knows.
    let (fresh, stop) = (docket_testkit::nats().await, Stop::new());
    door.asked.store(0, Ordering::SeqCst);
    empty_stream_before(&owner, &fresh, 11).await;
    let consumer = run(reader.consumer(&fresh, feed()).await, &stop);
    // Once for its lag, and again and again before it begins.
    until("it has asked", async || door.asked.load(Ordering::SeqCst) >= 4).await;
    let stream = broker(&fresh, "look").await.jetstream().get_stream(LOG).await.unwrap();
    assert!(stream.consumer_info("reader").await.is_err(), "it does not begin");
    door.shut.store(false, Ordering::SeqCst);
    let relay = owner.relay(&fresh, &stop).await;
    owner.happen(&account(2)).await;
    reader.wait_for(12).await;
    reader.assert_exactly(12).await;
    stop.cancel();
    consumer.await.unwrap().unwrap();
    relay.await.unwrap();
}

/// Nothing comes by message of what is older than the stream, and nothing else happens.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_stream_never_held_is_fetched_when_the_owner_is_back() {
    let (owner, reader, nats, stop) =
        (Owner::new().await, Reader::new().await, docket_testkit::nats().await, Stop::new());
    for number in 0..5 {
        owner.happen(&account(number)).await;
    }
    empty_stream_before(&owner, &nats, 6).await;
    let (shut, asked) = (AtomicBool::new(true), AtomicU32::new(0));
    let door = Arc::new(Door { owner: owner.log.clone(), shut, asked });
    let consumer = run(reader.consumer(&nats, FeedClient::of(Behind(Arc::clone(&door)))).await, &stop);
    let look = broker(&nats, "look").await;
    until("it asks for messages", async || {
        let stream = look.jetstream().get_stream(LOG).await.unwrap();
        stream.consumer_info("reader").await.is_ok_and(|info| info.num_waiting >= 1)
    })
    .await;
    door.shut.store(false, Ordering::SeqCst);
    reader.wait_for_checkpoint(5).await;
    reader.assert_exactly(5).await;
    stop.cancel();
    consumer.await.unwrap().unwrap();
}

/// Keeps the trace of what it is told.
#[derive(Default)]
struct Traced(Mutex<Vec<String>>);

#[async_trait]
impl Subscriber for Traced {
    fn categories(&self) -> &'static [&'static str] {
        &["account"]
    }

    async fn apply(&self, _tx: &mut PgConnection, event: &Recorded) -> Result<(), ApplyError> {
        self.0.lock().unwrap().push(event.metadata.traceparent.clone());
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_applied_in_the_trace_it_was_recorded_in() {
    let (owner, reader, nats, stop) =
        (Owner::new().await, Reader::new().await, docket_testkit::nats().await, Stop::new());
    let relay = owner.relay(&nats, &stop).await;
    let traced = Arc::new(Traced::default());
    let consumer = run(reader.bare(&nats, owner.feed()).await.with(traced.clone()), &stop);
    owner.happen(&account(1)).await;
    reader.wait_for_checkpoint(1).await;
    stop.cancel();
    consumer.await.unwrap().unwrap();
    relay.await.unwrap();
    let recorded = owner.log.read(0, 1).await.unwrap().remove(0).metadata.traceparent;
    // The trace is the same, whether or not the step of it is one of ours.
    let trace = |traceparent: &str| traceparent.split('-').nth(1).map(str::to_owned);
    let applied = traced.0.lock().unwrap().iter().map(|applied| trace(applied)).collect::<Vec<_>>();
    assert_eq!(applied, [trace(&recorded)]);
}
