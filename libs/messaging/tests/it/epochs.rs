//! A log restored to an earlier point: halted before its epoch is raised, then replaced, adopted, listed, accepted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use docket_eventlog::{EventLog, Recorded};
use docket_messaging::{
    Compared, Consumer, EPOCH, Error, Feed, FeedClient, FeedHead, LANES, Relay, Stop, accept_epoch, compared,
    seen_beyond, skipped,
};
use docket_testkit::{TestDatabase, TestNats};
use jiff::Timestamp;
use sqlx::{AssertSqlSafe, PgPool};
use uuid::Uuid;

use crate::bench::{LOG, Owner, Reader, account, append_as, broker, run, something, until};
use crate::fold::{Folding, of_log, of_rows};

/// A copy of the owner's database as it is now: the backup. Nobody may be connected to it meanwhile.
async fn copy(of: &str, name: &str) {
    let all = PgPool::connect(&docket_testkit::postgres().await.url("postgres")).await.unwrap();
    let copy = format!("CREATE DATABASE {name} TEMPLATE {of}");
    // The connections of who was there before may still be closing.
    until(&copy, async || sqlx::query(AssertSqlSafe(copy.as_str())).execute(&all).await.is_ok()).await;
    all.close().await;
}

async fn open(name: &str, kek: &str) -> Owner {
    let url = docket_testkit::postgres().await.url(name);
    Owner::of(PgPool::connect(&url).await.unwrap(), kek).await
}

/// Ten events in a backup, and twenty in the log that its relay published.
struct Disaster {
    database: TestDatabase,
    backup: String,
    kek: String,
    nats: TestNats,
}

impl Disaster {
    /// `far` sees all twenty events, `near` the first ten.
    async fn strike(far: &Reader, near: &Reader) -> Self {
        let nats = docket_testkit::nats().await;
        let database = docket_testkit::database("restored").await;
        crate::bench::migrate(database.pool.clone()).await.unwrap();
        let kek = docket_vault::Kek::generate().unwrap().to_string();
        let first = Owner::of(database.pool.clone(), &kek).await;
        let stop = Stop::new();
        let relay = first.relay(&nats, &stop).await;
        for number in 0..10 {
            first.happen(&account(number)).await;
        }
        let consumers =
            [run(follow(far, &nats, &first).await, &stop), run(follow(near, &nats, &first).await, &stop)];
        far.wait_for_checkpoint(10).await;
        near.wait_for_checkpoint(10).await;
        stop.cancel();
        relay.await.unwrap();
        for consumer in consumers {
            consumer.await.unwrap().unwrap();
        }
        first.close().await;

        let backup = format!("{}_backup", database.name);
        copy(&database.name, &backup).await;
        let (first, stop) = (open(&database.name, &kek).await, Stop::new());
        let relay = first.relay(&nats, &stop).await;
        let consumer = run(follow(far, &nats, &first).await, &stop);
        for number in 0..10 {
            first.happen(&account(number)).await;
        }
        far.wait_for_checkpoint(20).await;
        stop.cancel();
        relay.await.unwrap();
        consumer.await.unwrap().unwrap();
        first.close().await;
        Self { database, backup, kek, nats }
    }

    /// The log as the backup has it.
    async fn restore(&self, name: &str) -> Owner {
        let restored = format!("{}_{name}", self.backup);
        copy(&self.backup, &restored).await;
        open(&restored, &self.kek).await
    }

    async fn relay(&self, owner: &Owner) -> Relay {
        Relay::new(owner.log.clone(), owner.broker(&self.nats).await)
    }
}

/// A consumer of a reader, named by its database.
async fn follow(reader: &Reader, nats: &TestNats, owner: &Owner) -> Consumer {
    let name = &reader.database.name;
    let broker = broker(nats, name).await;
    Consumer::new(name, LOG, reader.database.pool.clone(), broker, owner.feed())
        .with(Arc::new(Folding::default()))
}

async fn halted(consumer: Consumer) -> String {
    match consumer.run(Stop::new()).await {
        Err(Error::Halted(reason)) => reason,
        other => panic!("the consumer should have halted: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_log_is_refused_until_its_epoch_is_raised_and_then_followed_by_those_who_saw_no_more() {
    let (far, near) = (Reader::new().await, Reader::new().await);
    let disaster = Disaster::strike(&far, &near).await;
    let nats = &disaster.nats;
    let restored = disaster.restore("first").await;

    // Not raised yet: the relay refuses, whatever the log holds by then.
    for number in 0..12 {
        let refused = disaster.relay(&restored).await.run(Stop::new()).await.unwrap_err();
        assert!(matches!(refused, Error::Halted(_)), "{refused}");
        restored.happen(&account(number)).await;
    }
    drop(restored);

    let restored = disaster.restore("second").await;
    let epoch = restored.log.raise_epoch("the drill").await.unwrap();
    assert_eq!((epoch.number, epoch.from_position), (2, 11));
    let stop = Stop::new();
    let relay = restored.relay(nats, &stop).await;
    for number in 0..5 {
        restored.happen(&account(number)).await;
    }
    let following = run(follow(&near, nats, &restored).await, &stop);
    near.wait_for_checkpoint(15).await;
    assert_eq!(of_rows(&near.database.pool).await, of_log(&restored.log, &[]).await);

    // Who saw more stops, and lists it.
    let name = far.database.name.as_str();
    let reason = halted(follow(&far, nats, &restored).await).await;
    assert!(reason.contains("lane 3 positions 11 to 20"), "{reason}");
    let pool = &far.database.pool;
    let beyond = seen_beyond(pool, name, LOG, &restored.feed()).await.unwrap().unwrap();
    assert_eq!((beyond.restored_to, beyond.epoch_seen, beyond.epoch_now.number), (10, 1, 2));
    assert_eq!(beyond.lanes, (0..8).map(|lane| (lane, 11, 20)).collect::<Vec<_>>());
    assert_eq!(beyond.lanes.len(), LANES);
    assert!(
        seen_beyond(&near.database.pool, &near.database.name, LOG, &restored.feed()).await.unwrap().is_none()
    );

    stop.cancel();
    relay.await.unwrap();
    following.await.unwrap().unwrap();

    // Restored again: the same number, another epoch. Now the other has seen more, too.
    let again = disaster.restore("third").await;
    assert_eq!(again.log.raise_epoch("the drill, again").await.unwrap().number, 2);
    let stop = Stop::new();
    let relay = again.relay(nats, &stop).await;
    again.happen(&account(77)).await;
    until("the stream is of the new epoch", async || {
        let stream = broker(nats, "look").await.jetstream().get_stream(LOG).await;
        stream.is_ok_and(|stream| stream.cached_info().state.last_sequence == 11)
    })
    .await;
    let reason = halted(follow(&near, nats, &again).await).await;
    assert!(reason.contains("lane 0 positions 11 to 15"), "{reason}");
    stop.cancel();
    relay.await.unwrap();
}

/// A standby that lacked the last commits was written to before anybody raised the epoch.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_written_to_since_its_restore_begins_its_epoch_where_it_was_restored_to() {
    let (far, near) = (Reader::new().await, Reader::new().await);
    let disaster = Disaster::strike(&far, &near).await;
    let nats = &disaster.nats;
    let restored = disaster.restore("late").await;
    let others = restored.broker(nats).await;
    let found = compared(&restored.log, &others).await.unwrap();
    assert_eq!(found, Compared::OneHistory, "the stream goes on from its end");
    for number in 0..12 {
        restored.happen(&account(number)).await;
    }
    assert_eq!(compared(&restored.log, &others).await.unwrap(), Compared::PartedAfter(10));
    assert!(restored.log.raise_epoch_after(Some(23), "the drill").await.is_err(), "it does not reach so far");
    let epoch = restored.log.raise_epoch_after(Some(10), "the drill").await.unwrap();
    assert_eq!((epoch.number, epoch.from_position), (2, 11));

    let stop = Stop::new();
    let relay = restored.relay(nats, &stop).await;
    let following = run(follow(&near, nats, &restored).await, &stop);
    near.wait_for_checkpoint(22).await;
    assert_eq!(of_rows(&near.database.pool).await, of_log(&restored.log, &[]).await);
    let reason = halted(follow(&far, nats, &restored).await).await;
    assert!(reason.contains("lane 3 positions 11 to 20"), "{reason}");
    stop.cancel();
    relay.await.unwrap();
    following.await.unwrap().unwrap();
}

/// The stream is gone, and nobody raised the epoch: only what the consumer itself keeps tells the two histories apart.
#[tokio::test(flavor = "multi_thread")]
async fn another_history_is_noticed_by_who_saw_more_though_nobody_raised_the_epoch_and_the_stream_was_wiped()
{
    let (far, near) = (Reader::new().await, Reader::new().await);
    let disaster = Disaster::strike(&far, &near).await;
    let restored = disaster.restore("silent").await;
    for number in 0..15 {
        restored.happen(&account(number)).await;
    }
    let (wiped, stop) = (docket_testkit::nats().await, Stop::new());
    let relay = restored.relay(&wiped, &stop).await;
    let following = run(follow(&near, &wiped, &restored).await, &stop);
    near.wait_for_checkpoint(25).await;
    assert_eq!(of_rows(&near.database.pool).await, of_log(&restored.log, &[]).await);

    let before = of_rows(&far.database.pool).await;
    let reason = halted(follow(&far, &wiped, &restored).await).await;
    assert!(reason.contains("another event at 20 than was seen there"), "{reason}");
    assert_eq!(of_rows(&far.database.pool).await, before, "nothing of it is applied");
    // Of what was seen before links were kept nothing can be said.
    sqlx::query("UPDATE log.consumer_checkpoint SET link = NULL").execute(&far.database.pool).await.unwrap();
    let unknowing = run(follow(&far, &wiped, &restored).await, &stop);
    far.wait_for_checkpoint(25).await;
    stop.cancel();
    relay.await.unwrap();
    following.await.unwrap().unwrap();
    unknowing.await.unwrap().unwrap();
}

/// Whoever got no answer repeats the command, as they are told to: its event has the id of the one that was lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_command_repeated_after_its_commit_was_lost_is_not_taken_for_the_lost_one() {
    let (far, near) = (Reader::new().await, Reader::new().await);
    let disaster = Disaster::strike(&far, &near).await;
    let (nats, command, stream) = (&disaster.nats, Uuid::new_v4(), account(5));
    let repeat = async |owner: &Owner| {
        let append = append_as(command, &owner.log, std::slice::from_ref(&stream), &something());
        owner.log.append(append).await.unwrap().events.remove(0)
    };
    let first = open(&disaster.database.name, &disaster.kek).await;
    let stop = Stop::new();
    let relay = first.relay(nats, &stop).await;
    let lost = repeat(&first).await;
    until("it is published", async || {
        let stream = broker(nats, "look").await.jetstream().get_stream(LOG).await;
        stream.is_ok_and(|stream| stream.cached_info().state.last_sequence == 21)
    })
    .await;
    stop.cancel();
    relay.await.unwrap();
    first.close().await;

    let restored = disaster.restore("repeated").await;
    for number in 0..10 {
        restored.happen(&account(number)).await;
    }
    let again = repeat(&restored).await;
    assert_eq!((again.event_id, again.position), (lost.event_id, lost.position));
    assert_ne!(again.link, lost.link);
    let refused = disaster.relay(&restored).await.run(Stop::new()).await.unwrap_err();
    assert!(matches!(refused, Error::Halted(_)), "{refused}");
}

/// An owner that counts how often it is asked where its log ends.
struct Counting {
    owner: EventLog,
    asked: Arc<AtomicU32>,
}

#[async_trait]
impl Feed for Counting {
    async fn read(&self, _log: &str, after: u64, limit: u64) -> Result<Vec<Recorded>, Error> {
        Ok(self.owner.read(after, u32::try_from(limit).unwrap()).await?)
    }

    async fn head(&self, log: &str) -> Result<FeedHead, Error> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        FeedClient::local(self.owner.clone()).head(log).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_an_older_epoch_is_not_followed_while_its_relay_has_not_replaced_it() {
    let (far, near) = (Reader::new().await, Reader::new().await);
    let disaster = Disaster::strike(&far, &near).await;
    let restored = disaster.restore("raised").await;
    restored.log.raise_epoch("the drill").await.unwrap();
    restored.happen(&account(1)).await;

    // The stream has twenty events of the epoch before, of which the log has ten; its relay does not run yet.
    let (stop, asked) = (Stop::new(), Arc::new(AtomicU32::new(0)));
    let (name, pool) = (&near.database.name, near.database.pool.clone());
    let feed = FeedClient::of(Counting { owner: restored.log.clone(), asked: Arc::clone(&asked) });
    let consumer = Consumer::new(name, LOG, pool.clone(), broker(&disaster.nats, name).await, feed)
        .with(Arc::new(Folding::default()));
    let following = run(consumer, &stop);
    until("the owner was asked again and again", async || asked.load(Ordering::SeqCst) >= 4).await;
    let furthest = "SELECT max(position) FROM log.consumer_checkpoint";
    let furthest: i64 = sqlx::query_scalar(furthest).fetch_one(&pool).await.unwrap();
    assert_eq!(furthest, 10, "nothing of a history that was given up is applied");

    let relay = restored.relay(&disaster.nats, &stop).await;
    near.wait_for_checkpoint(11).await;
    assert_eq!(of_rows(&pool).await, of_log(&restored.log, &[]).await);
    stop.cancel();
    relay.await.unwrap();
    following.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_epoch_is_accepted_by_somebody_for_a_reason_which_is_kept() {
    let (far, near) = (Reader::new().await, Reader::new().await);
    let disaster = Disaster::strike(&far, &near).await;
    let nats = &disaster.nats;
    let restored = disaster.restore("only").await;
    let (pool, name) = (&far.database.pool, far.database.name.as_str());
    // One of the events that are gone had been parked.
    sqlx::query("INSERT INTO log.parked VALUES ($1, $2, 'account-gone', 14, 'poisoned', 5)")
        .bind(name)
        .bind(LOG)
        .execute(pool)
        .await
        .unwrap();
    restored.log.raise_epoch("the drill").await.unwrap();
    let stop = Stop::new();
    let relay = restored.relay(nats, &stop).await;
    for number in 0..5 {
        restored.happen(&account(100 + number)).await;
    }
    until("the stream is of the new epoch", async || {
        let stream = broker(nats, "look").await.jetstream().get_stream(LOG).await;
        stream.is_ok_and(|stream| stream.cached_info().state.last_sequence == 15)
    })
    .await;
    assert!(halted(follow(&far, nats, &restored).await).await.contains("parked: [14]"));

    let feed: FeedClient = restored.feed();
    let now = Timestamp::from_second(1_800_000_000).unwrap();
    let accept = async |by: &'static str, reason: &'static str| {
        accept_epoch(pool, &feed, (name, LOG), (by, reason), now).await
    };
    for nobody in [accept(" ", "reconciled").await, accept("operator", "").await] {
        assert!(matches!(nobody, Err(Error::Refused(_))), "{nobody:?}");
    }
    assert_eq!(accept("operator", "reconciled by hand").await.unwrap().unwrap().parked, [14]);
    assert!(accept("operator", "once more").await.unwrap().is_none(), "nothing is left to accept");

    let consumer = run(follow(&far, nats, &restored).await, &stop);
    far.wait_for_checkpoint(15).await;
    let new: i64 =
        sqlx::query_scalar("SELECT count(*) FROM folded WHERE events = 1").fetch_one(pool).await.unwrap();
    assert_eq!(new, 5, "the events of the new epoch, each in a stream of its own");
    let given_up = skipped(pool).await.unwrap();
    assert_eq!((given_up[0].position, given_up[0].reason.as_str()), (14, "reconciled by hand"));
    let kept: (i64, String) = sqlx::query_as("SELECT restored_to, accepted_by FROM log.epoch_accepted")
        .fetch_one(pool)
        .await
        .unwrap();
    assert_eq!(kept, (10, "operator".to_owned()));
    stop.cancel();
    relay.await.unwrap();
    consumer.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redrive_applies_nothing_that_stands_where_something_else_was_parked() {
    let (far, near) = (Reader::new().await, Reader::new().await);
    let disaster = Disaster::strike(&far, &near).await;
    let restored = disaster.restore("parked").await;
    let park = async |reader: &Reader, stream: &str, position: i64| {
        sqlx::query("INSERT INTO log.parked VALUES ($1, $2, $3, $4, 'poisoned', 5)")
            .bind(&reader.database.name)
            .bind(LOG)
            .bind(stream)
            .bind(position)
            .execute(&reader.database.pool)
            .await
            .unwrap();
    };
    let refused = async |reader: &Reader| {
        let before = of_rows(&reader.database.pool).await;
        let redriver = follow(reader, &disaster.nats, &restored).await.redriver();
        let refused = redriver.redrive(None).await;
        assert_eq!(of_rows(&reader.database.pool).await, before);
        assert_eq!(docket_messaging::parked(&reader.database.pool).await.unwrap().len(), 1);
        match refused {
            Err(Error::Halted(reason)) => reason,
            other => panic!("it should have been refused: {other:?}"),
        }
    };
    // Parked in the history that is gone, at a position that was given again; its stream as well.
    park(&far, account(3).as_str(), 14).await;
    assert!(refused(&far).await.contains("the log ends at 10"));
    restored.log.raise_epoch("the drill").await.unwrap();
    for _ in 0..10 {
        restored.happen(&account(3)).await;
    }
    assert!(refused(&far).await.contains("restored to") || refused(&far).await.contains("parked: [14]"));
    // Nothing beyond was seen, and yet another event stands there.
    park(&near, account(99).as_str(), 5).await;
    assert!(refused(&near).await.contains("position 5 was parked as an event of account-"));
    // Also where it is one of the same stream.
    let there = restored.log.read(4, 1).await.unwrap().remove(0);
    sqlx::query("UPDATE log.parked SET stream = $1, link = sha256('')")
        .bind(there.stream.as_str())
        .execute(&near.database.pool)
        .await
        .unwrap();
    assert!(refused(&near).await.contains("another event at 5 than was seen there"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_frozen_relay_publishes_of_an_older_epoch_is_passed_over_and_cleared_away() {
    let (owner, reader, nats) = (Owner::new().await, Reader::new().await, docket_testkit::nats().await);
    for number in 0..3 {
        owner.happen(&account(number)).await;
    }
    owner.log.raise_epoch("the drill").await.unwrap();
    let first = Stop::new();
    let relay = owner.relay(&nats, &first).await;
    let stop = Stop::new();
    let consumer = run(reader.consumer(&nats, owner.feed()).await, &stop);
    reader.wait_for_checkpoint(3).await;
    first.cancel();
    relay.await.unwrap();
    // An event of before, at the next position: it fits by chance.
    let mut stale = owner.log.read(2, 1).await.unwrap().remove(0);
    (stale.position, stale.event_id) = (4, uuid::Uuid::new_v4());
    let mut headers = async_nats::HeaderMap::new();
    headers.insert(EPOCH, "1");
    headers.insert("ce-id", stale.event_id.to_string().as_str());
    let hand = broker(&nats, "hand").await;
    let subject = format!("docket.{LOG}.{}", stale.kind);
    let sent =
        hand.jetstream().publish_with_headers(subject, headers, stale.to_stored().into()).await.unwrap();
    assert_eq!(sent.await.unwrap().sequence, 4);
    until("it was passed over", async || {
        let stream = hand.jetstream().get_stream(LOG).await.unwrap();
        stream.consumer_info("reader").await.is_ok_and(|info| info.ack_floor.stream_sequence == 4)
    })
    .await;
    let relay = owner.relay(&nats, &stop).await;
    owner.happen(&account(9)).await;
    reader.wait_for_checkpoint(4).await;
    reader.assert_exactly(4).await;
    let stream = hand.jetstream().get_stream(LOG).await.unwrap();
    let message = stream.direct_get(4).await.unwrap();
    assert_eq!(message.payload.as_ref(), owner.log.read(3, 1).await.unwrap()[0].to_stored());
    stop.cancel();
    relay.await.unwrap();
    consumer.await.unwrap().unwrap();
}
