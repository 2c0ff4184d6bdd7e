//! Gap torture: 32 writers in several processes which pause, roll back, freeze and are killed, and 8 subscribers
//! who must never pass an event that comes late. The same torture catches a log numbered by a sequence.

mod candidate;
mod readers;
mod writers;

use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::world::World;
use candidate::{Candidate, Naive, Ours, Seen};
use docket_testkit::chance::{seed, short_or_long};
use readers::{Faults, Followed, follow, judge};
use writers::{Fate, Ledger, Writers};

const PROCESSES: usize = 4;
const WRITERS_EACH: u64 = 8;
const SUBSCRIBERS: u64 = 8;
/// Within this the log must move on after whatever was done to a writer.
const PATIENCE: Duration = Duration::from_mins(1);

/// How much of everything.
#[derive(Clone)]
struct Ordeal {
    events: u64,
    kills: usize,
    /// Freezing a process inside its transaction: how long the database bears with it.
    frozen_until_ended: Vec<Duration>,
    /// Freezing a process inside its transaction and then killing it.
    frozen_then_killed: usize,
}

enum Act {
    Kill,
    FreezeUntilEnded(Duration),
    FreezeThenKill,
}

impl Ordeal {
    fn acts(&self, random: &mut StdRng) -> Vec<Act> {
        let mut acts: Vec<Act> = (0..self.kills).map(|_| Act::Kill).collect();
        acts.extend(self.frozen_until_ended.iter().copied().map(Act::FreezeUntilEnded));
        acts.extend((0..self.frozen_then_killed).map(|_| Act::FreezeThenKill));
        acts.shuffle(random);
        acts
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_who_read_on_ever_passed_an_event_of_ours() {
    // In the long form as long as the log itself says; in the short one nobody waits for that.
    let frozen = short_or_long(vec![Duration::from_millis(400)], vec![Duration::from_secs(15); 3]);
    let ordeal = Ordeal {
        events: short_or_long(1_000, 100_000),
        kills: short_or_long(2, 80),
        frozen_until_ended: frozen,
        frozen_then_killed: short_or_long(1, 20),
    };
    let world = World::new().await;
    let faults = torture::<Ours>(&world, ordeal).await;
    assert_eq!(faults, Faults::default());
    world.sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_numbered_by_a_sequence_is_caught() {
    let ordeal = Ordeal {
        events: short_or_long(500, 10_000),
        kills: 1,
        frozen_until_ended: vec![Duration::from_millis(200)],
        frozen_then_killed: 1,
    };
    let world = World::new().await;
    let faults = torture::<Naive>(&world, ordeal).await;
    assert!(faults.skipped > 0, "events were passed: {faults:?}");
    assert!(faults.holes > 0, "what was rolled back left holes: {faults:?}");
    let told = Faults { skipped: faults.skipped, holes: faults.holes, ..Faults::default() };
    assert_eq!(faults, told, "PostgreSQL itself keeps what it says");
}

async fn torture<C: Candidate>(world: &World, ordeal: Ordeal) -> Faults {
    let seed = seed();
    let mut random = StdRng::seed_from_u64(seed);
    let began = Instant::now();
    let log = C::open(world.pool().clone()).await;
    let (end, ended) = watch::channel(None);
    // Half of them by the log's own subscriptions, where it has them, one of these to a stream.
    let subscribe = |n: u64| {
        let (only, own) = ((n == 1).then_some(3), n % 2 == 1);
        if let Some(subscribed) = own.then(|| log.subscribed(only, ended.clone())).flatten() {
            return tokio::spawn(async move { Followed { seen: subscribed.await, only } });
        }
        let followed = follow(log.clone(), seed.wrapping_add(n), ended.clone());
        tokio::spawn(async move { Followed { seen: followed.await, only: None } })
    };
    let subscribers: Vec<_> = (0..SUBSCRIBERS).map(subscribe).collect();
    let mut fleet = Fleet::<C>::new(log.clone(), world.database().url.clone(), seed);
    for act in ordeal.acts(&mut random) {
        fleet.wait_for_more(random.random_range(20..150)).await;
        fleet.suffer(act, &mut random).await;
    }
    while log.head().await < ordeal.events {
        fleet.wait_for_more(50).await;
    }
    let ledger = fleet.finish().await;
    let all = everything(&log).await;
    end.send_replace(Some(all.last().map_or(0, |event| event.position)));
    let mut followed = Vec::new();
    for subscriber in subscribers {
        followed.push(subscriber.await.unwrap());
    }
    let fates = ledger.lock().unwrap();
    let faults = judge(&all, &followed, &fates);
    let count = |fate| fates.values().filter(|said| **said == fate).count();
    println!(
        "{}: {} events, {} commands done, {} rolled back, {} unknown, {} kills, {} frozen, {:.1} s: {faults:?}",
        C::NAME,
        all.len(),
        count(Fate::Done),
        count(Fate::Undone),
        count(Fate::Unknown),
        ordeal.kills,
        ordeal.frozen_until_ended.len() + ordeal.frozen_then_killed,
        began.elapsed().as_secs_f64(),
    );
    assert!(count(Fate::Done) > 100 && count(Fate::Undone) > 10, "there was something to judge");
    faults
}

async fn everything<C: Candidate>(log: &C) -> Vec<Seen> {
    let mut all: Vec<Seen> = Vec::new();
    loop {
        let next = log.read_after(all.last().map_or(0, |event| event.position), 1_000).await;
        if next.is_empty() {
            return all;
        }
        all.extend(next);
    }
}

/// The processes of writers, and a way to see how far the log has got.
struct Fleet<C> {
    log: C,
    url: String,
    seed: u64,
    started: u64,
    processes: Vec<Writers>,
    ledger: Ledger,
}

impl<C: Candidate> Fleet<C> {
    fn new(log: C, url: String, seed: u64) -> Self {
        let mut fleet = Self { log, url, seed, started: 0, processes: Vec::new(), ledger: Ledger::default() };
        for _ in 0..PROCESSES {
            let process = fleet.start(None);
            fleet.processes.push(process);
        }
        fleet
    }

    fn start(&mut self, bear: Option<Duration>) -> Writers {
        self.started += 1;
        let writers = if bear.is_some() { 1 } else { WRITERS_EACH };
        Writers::start::<C>(&self.url, self.started, writers, self.seed, bear, &self.ledger)
    }

    async fn wait_for_more(&self, events: u64) {
        let wanted = self.log.head().await + events;
        let moving = async {
            while self.log.head().await < wanted {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, moving).await.expect("the log moves on");
    }

    async fn suffer(&mut self, act: Act, random: &mut StdRng) {
        match act {
            Act::Kill => {
                let victim = self.processes.swap_remove(random.random_range(0..PROCESSES));
                victim.kill().await;
                let next = self.start(None);
                self.processes.push(next);
            }
            Act::FreezeUntilEnded(bear) => {
                let mut frozen = self.start(Some(bear));
                frozen.freeze().await;
                self.wait_for_more(10).await;
                frozen.kill().await;
            }
            Act::FreezeThenKill => {
                let mut frozen = self.start(Some(PATIENCE * 2));
                frozen.freeze().await;
                frozen.kill().await;
                self.wait_for_more(10).await;
            }
        }
    }

    async fn finish(self) -> Ledger {
        for process in self.processes {
            process.finish().await;
        }
        self.ledger
    }
}
