//! Frozen, wiped, set back, killed: afterwards the view equals the fold of the log.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use docket_eventlog::EventLog;
use docket_messaging::{Consumer, FeedClient, Relay, Stop};
use docket_testkit::{PrivatePostgres, TestNats};
use rand::RngExt as _;
use rand::seq::SliceRandom as _;
use sqlx::postgres::PgPoolOptions;
use sqlx::{ConnectOptions as _, PgPool};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::bench::{
    LOG, Owner, Reader, account, append, broker, chance, long_or, migrate, run, something, until,
    wait_for_lanes,
};
use crate::fold::{Folding, of_log, of_rows};
use crate::process::{RelayProcess, TURN};

/// Every message of the stream is the log's event at that position.
async fn assert_stream_is_log(log: &EventLog, nats: &TestNats) {
    let head = log.head().await.unwrap().position;
    let jetstream = broker(nats, "look").await.jetstream().clone();
    until("the stream has all", async || {
        let stream = jetstream.get_stream(LOG).await;
        stream.is_ok_and(|stream| stream.cached_info().state.last_sequence == head)
    })
    .await;
    let stream = jetstream.get_stream(LOG).await.unwrap();
    let first = stream.cached_info().state.first_sequence;
    assert_eq!(stream.cached_info().state.messages, head + 1 - first);
    for event in log.read(first - 1, 100_000).await.unwrap() {
        let message = stream.direct_get(event.position).await.unwrap();
        assert_eq!(message.payload.as_ref(), event.to_stored(), "at {}", event.position);
    }
}

/// Appends to random streams until told to stop; every outcome is made certain.
fn write(log: &EventLog, written: &Arc<AtomicU64>, stop: &Stop, mut next: u128) -> JoinHandle<()> {
    let (log, written, stop) = (log.clone(), Arc::clone(written), stop.clone());
    tokio::spawn(async move {
        while !stop.is_cancelled() {
            next = next.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let append = append(&log, &[account((next >> 33) % 40)], &something());
            while log.append(append.clone()).await.is_err() {
                sleep(Duration::from_millis(20)).await;
            }
            written.fetch_add(1, Ordering::Relaxed);
            sleep(Duration::from_millis(2)).await;
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_frozen_past_its_turn_steps_back_and_nothing_is_mixed() {
    let (owner, reader, nats, stop) =
        (Owner::new().await, Reader::new().await, docket_testkit::nats().await, Stop::new());
    let mut random = chance("frozen");
    let database: String = owner.log.pool().connect_options().to_url_lossy().to_string();
    let consumer = run(reader.bare(&nats, owner.feed()).await.with(Arc::new(Folding::default())), &stop);
    let (written, writing) = (Arc::default(), Stop::new());
    let writers: Vec<_> = (0..4).map(|_| write(&owner.log, &written, &writing, random.random())).collect();
    let published = async || {
        let stream = broker(&nats, "look").await.jetstream().get_stream(LOG).await;
        stream.map_or(0, |stream| stream.cached_info().state.last_sequence)
    };
    let mut one = RelayProcess::start(&owner, &database, &nats.url);
    let mut moved = published().await;
    for _ in 0..long_or(40, 2) {
        until("one relay publishes", async || published().await > moved).await;
        let mut other = RelayProcess::start(&owner, &database, &nats.url);
        sleep(Duration::from_millis(random.random_range(300..900))).await; // chance, not a wait
        one.freeze();
        // What it had under way may still land.
        moved = published().await + 1_000;
        moved = moved.min(published().await + u64::from(random.random_range(50..200_u32)));
        until("the other takes the turn", async || published().await > moved).await;
        one.resume();
        moved = published().await;
        until("it goes on", async || published().await > moved + 50).await;
        assert!(one.runs(), "the relay that was frozen has halted");
        assert!(other.runs(), "the relay that took over has halted");
        // Now the frozen one is needed again.
        moved = published().await;
        drop(other);
    }
    until("the frozen one publishes", async || published().await > moved).await;
    writing.cancel();
    for writer in writers {
        writer.await.unwrap();
    }
    let head = owner.log.head().await.unwrap().position;
    println!("frozen: {head} events");
    reader.wait_for_checkpoint(head).await;
    assert_stream_is_log(&owner.log, &nats).await;
    assert_eq!(of_rows(&reader.database.pool).await, of_log(&owner.log, &[]).await);
    assert!(one.runs());
    stop.cancel();
    consumer.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wiped_stream_gets_the_last_positions_and_older_ones_come_from_the_owner() {
    for (refill, first) in [(5, 16), (0, 21)] {
        let (owner, reader, nats, stop) =
            (Owner::new().await, Reader::new().await, docket_testkit::nats().await, Stop::new());
        for number in 0..20 {
            owner.happen(&account(number % 6)).await;
        }
        let relay = Relay::new(owner.log.clone(), owner.broker(&nats).await).refill(refill);
        let relay = tokio::spawn(relay.run(stop.clone()));
        let consumer = run(reader.consumer(&nats, owner.feed()).await, &stop);
        // Nothing new happens: what is not in the stream is fetched all the same.
        reader.wait_for_checkpoint(20).await;
        let stream = broker(&nats, "look").await.jetstream().get_stream(LOG).await.unwrap();
        assert_eq!(stream.cached_info().state.messages, refill);
        owner.happen(&account(1)).await;
        reader.wait_for_checkpoint(21).await;
        reader.assert_exactly(21).await;
        assert_stream_is_log(&owner.log, &nats).await;
        let stream = broker(&nats, "look").await.jetstream().get_stream(LOG).await.unwrap();
        assert_eq!(stream.cached_info().state.first_sequence, first);
        stop.cancel();
        relay.await.unwrap().unwrap();
        consumer.await.unwrap().unwrap();
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A broker whose files can be set back.
struct Shaky {
    nats: TestNats,
    folder: PathBuf,
    copies: u32,
}

impl Shaky {
    async fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("docket-shaky-{name}-{}", std::process::id()));
        let at = folder.clone();
        let nats = docket_testkit::nats_with(move |options| options.folder = at).await;
        Self { nats, folder, copies: 0 }
    }

    async fn crash(&mut self) {
        self.nats.kill().await;
        self.nats.restart().await;
    }

    /// Crashes, and keeps a copy of the files as they are.
    async fn keep(&mut self) {
        self.nats.kill().await;
        self.copies += 1;
        copy(&self.folder.join("jetstream"), &self.folder.join(format!("kept-{}", self.copies)));
        self.nats.restart().await;
    }

    /// Crashes, and comes back with the files as they were when they were last kept.
    async fn set_back(&mut self) {
        self.nats.kill().await;
        fs::remove_dir_all(self.folder.join("jetstream")).unwrap();
        copy(&self.folder.join(format!("kept-{}", self.copies)), &self.folder.join("jetstream"));
        self.nats.restart().await;
    }

    async fn wipe(&self) {
        // None to wipe is as good.
        let _ = broker(&self.nats, "hand").await.jetstream().delete_stream(LOG).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_lost_its_last_writes_gets_them_again() {
    let (owner, reader, mut shaky, stop) =
        (Owner::new().await, Reader::new().await, Shaky::new("lost").await, Stop::new());
    let relay = owner.relay(&shaky.nats, &stop).await;
    let consumer = run(reader.consumer(&shaky.nats, owner.feed()).await, &stop);
    for number in 0..20 {
        owner.happen(&account(number % 6)).await;
    }
    reader.wait_for_checkpoint(20).await;
    shaky.keep().await;
    for number in 0..30 {
        owner.happen(&account(number % 6)).await;
    }
    reader.wait_for_checkpoint(50).await;
    shaky.set_back().await;
    // Also when nothing new happens.
    assert_stream_is_log(&owner.log, &shaky.nats).await;
    owner.happen(&account(1)).await;
    reader.wait_for_checkpoint(51).await;
    reader.assert_exactly(51).await;
    assert_stream_is_log(&owner.log, &shaky.nats).await;
    stop.cancel();
    relay.await.unwrap();
    consumer.await.unwrap().unwrap();
}

/// What may go wrong in the drill.
#[derive(Debug, Clone, Copy)]
enum Fault {
    BrokerKilled,
    BrokerKept,
    BrokerSetBack,
    StreamWiped,
    DatabaseKilled,
    RelayKilled,
    RelayFrozen,
}

const FAULTS: [Fault; 7] = [
    Fault::BrokerKept,
    Fault::StreamWiped,
    Fault::DatabaseKilled,
    Fault::RelayKilled,
    Fault::BrokerSetBack,
    Fault::RelayFrozen,
    Fault::BrokerKilled,
];

/// Owner and reader on one PostgreSQL that is killed, their broker, and two relay processes.
struct Drill {
    postgres: PrivatePostgres,
    shaky: Shaky,
    owner: Owner,
    reader: PgPool,
    relays: [RelayProcess; 2],
}

impl Drill {
    async fn new() -> Self {
        let (postgres, shaky) = (docket_testkit::private_postgres().await, Shaky::new("drill").await);
        let pool = async |name: &str| {
            let all = PgPool::connect(&postgres.url("postgres")).await.unwrap();
            sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&all).await.unwrap();
            let pool = PgPoolOptions::new().max_connections(20).connect(&postgres.url(name)).await.unwrap();
            migrate(pool.clone()).await.unwrap();
            pool
        };
        let (owners, reader) = (pool("owner").await, pool("reader").await);
        let owner = Owner::of(owners, &docket_vault::Kek::generate().unwrap()).await;
        let relay = || RelayProcess::start(&owner, &postgres.url("owner"), &shaky.nats.url);
        let relays = [relay(), relay()];
        Self { postgres, shaky, owner, reader, relays }
    }

    async fn consumer(&self) -> Consumer {
        let broker = broker(&self.shaky.nats, "reader").await;
        Consumer::new("reader", LOG, self.reader.clone(), broker, FeedClient::local(self.owner.log.clone()))
            .with(Arc::new(Folding::default()))
    }

    async fn strike(&mut self, fault: Fault, which: usize) {
        match fault {
            Fault::BrokerKilled => self.shaky.crash().await,
            Fault::BrokerKept => self.shaky.keep().await,
            Fault::BrokerSetBack if self.shaky.copies > 0 => self.shaky.set_back().await,
            Fault::StreamWiped | Fault::BrokerSetBack => self.shaky.wipe().await,
            Fault::DatabaseKilled => {
                self.postgres.kill();
                self.postgres.restart().await;
            }
            Fault::RelayKilled => {
                let url = self.postgres.url("owner");
                self.relays[which] = RelayProcess::start(&self.owner, &url, &self.shaky.nats.url);
            }
            Fault::RelayFrozen => {
                self.relays[which].freeze();
                sleep(TURN + TURN / 2).await; // past its turn: this is the fault, not a wait for something
                self.relays[which].resume();
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_killed_wiped_or_set_back_the_view_equals_the_fold_of_the_log() {
    let mut drill = Drill::new().await;
    let mut random = chance("drill");
    let (stop, writing, written) = (Stop::new(), Stop::new(), Arc::default());
    let consumer = run(drill.consumer().await, &stop);
    let writers: Vec<_> =
        (0..4).map(|_| write(&drill.owner.log, &written, &writing, random.random())).collect();
    let mut rounds = 0;
    for _ in 0..long_or(20, 1) {
        let mut faults = FAULTS;
        faults.shuffle(&mut random);
        for fault in faults {
            let more = written.load(Ordering::Relaxed) + random.random_range(1..120);
            until("the writers go on", async || written.load(Ordering::Relaxed) >= more).await;
            drill.strike(fault, random.random_range(0..2)).await;
            rounds += 1;
        }
    }
    writing.cancel();
    for writer in writers {
        writer.await.unwrap();
    }
    let head = drill.owner.log.head().await.unwrap().position;
    wait_for_lanes(&drill.reader, head).await;
    println!("drill: {rounds} faults, {head} events");
    assert_eq!(head, written.load(Ordering::Relaxed), "an append was lost or done twice");
    assert_eq!(of_rows(&drill.reader).await, of_log(&drill.owner.log, &[]).await);
    assert_stream_is_log(&drill.owner.log, &drill.shaky.nats).await;
    assert!(drill.relays.iter_mut().any(RelayProcess::runs), "both relays have halted");
    stop.cancel();
    consumer.await.unwrap().unwrap();
}
