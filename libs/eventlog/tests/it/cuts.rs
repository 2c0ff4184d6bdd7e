//! Hundreds of connections cut at their commit: repeated under the same command id nothing is lost, nothing doubled.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use docket_eventlog::{Append, Appended, Error, EventLog, Expected};
use futures::future::join_all;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::proxy::Proxy;
use crate::world::{World, context, to};
use docket_testkit::chance::{seed, short_or_long};

const CALLERS: u128 = 16;
/// One commit in so many is cut off.
const ONE_IN: u32 = 3;

/// A replica of the service behind a faulty way, and what its callers were left without an answer to.
struct Replica {
    log: EventLog,
    proxy: Proxy,
    unanswered: AtomicU32,
}

impl Replica {
    async fn new(world: &World, seed: u64) -> Self {
        let proxy = Proxy::new(&world.database().url).await;
        let log = world.open_with(proxy.pool.clone()).await;
        proxy.by_chance(seed, ONE_IN);
        Self { log, proxy, unanswered: AtomicU32::new(0) }
    }

    /// One try; a failure says nothing of whether it was done.
    async fn try_once(&self, append: Append, own_transaction: bool) -> Option<Appended> {
        let outcome =
            if own_transaction { self.in_transaction(append).await } else { self.log.append(append).await };
        match outcome {
            Ok(appended) => Some(appended),
            Err(Error::OutcomeUnknown | Error::Database(_)) => {
                self.unanswered.fetch_add(1, Ordering::SeqCst);
                None
            }
            Err(error) => panic!("{error}"),
        }
    }

    async fn in_transaction(&self, append: Append) -> Result<Appended, Error> {
        let mut tx = docket_database::begin(&self.proxy.pool).await?;
        let appended = self.log.append_in(&mut tx, append).await?;
        tx.commit().await?;
        Ok(appended)
    }
}

/// A caller of either replica, who repeats each command until it is answered, and some of them again afterwards.
async fn call(replicas: Arc<[Replica; 2]>, caller: u128, commands: u128, mut random: StdRng) {
    for n in 0..commands {
        let command = 1 + caller * commands + n;
        let answered = loop {
            let replica = &replicas[random.random_range(0..2)];
            let append = context(command).append(&replica.log, vec![to(command % 7, Expected::Any, 2)]);
            if let Some(appended) = replica.try_once(append, random.random_bool(0.4)).await {
                break appended;
            }
        };
        assert_eq!((answered.events.len(), answered.last), (2, answered.first + 1));
        assert!(answered.events.iter().all(|event| event.metadata.command_id.as_u128() == command));
        if random.random_ratio(1, 8) {
            let replica = &replicas[0];
            let append = context(command).append(&replica.log, vec![to(command % 7, Expected::Any, 2)]);
            let again = replica.log.append(append).await.unwrap();
            assert_eq!(
                (again.first, again.last, again.events),
                (answered.first, answered.last, answered.events)
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_repeated_after_a_cut_is_done_once() {
    let (seed, began) = (seed(), Instant::now());
    let commands = short_or_long(20, 1_500);
    let world = World::new().await;
    let replicas =
        Arc::new([Replica::new(&world, seed).await, Replica::new(&world, seed.wrapping_add(1)).await]);
    let callers = (0..CALLERS).map(|caller| {
        let random = StdRng::seed_from_u64(seed.wrapping_add(100 + u64::try_from(caller).unwrap()));
        tokio::spawn(call(Arc::clone(&replicas), caller, commands, random))
    });
    for caller in join_all(callers).await {
        caller.unwrap();
    }
    let all = world.sound().await;
    let (mut answers_lost, mut commits_lost, mut unanswered) = (0, 0, 0);
    for replica in replicas.iter() {
        let (answers, commits) = replica.proxy.lost();
        answers_lost += answers;
        commits_lost += commits;
        unanswered += replica.unanswered.load(Ordering::SeqCst);
    }
    println!(
        "{} commands, {answers_lost} answers and {commits_lost} commits lost, {unanswered} repeated by the \
         caller, {:.1} s",
        CALLERS * commands,
        began.elapsed().as_secs_f64()
    );
    assert!(answers_lost > 10 && commits_lost > 10 && unanswered > 0, "there was something to survive");
    assert_eq!(all.len() as u128, CALLERS * commands * 2, "each command once");
    let mut done: Vec<u128> = all.iter().map(|event| event.metadata.command_id.as_u128()).collect();
    done.sort_unstable();
    done.dedup();
    assert!(done.into_iter().eq(1..=CALLERS * commands), "and all of them");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_way_that_was_healed_serves_as_if_nothing_had_been() {
    let world = World::new().await;
    let replica = Replica::new(&world, seed()).await;
    let append = |command| context(command).append(&replica.log, vec![to(1, Expected::Any, 1)]);
    for command in 1.. {
        replica.try_once(append(command), false).await;
        let (answers, commits) = replica.proxy.lost();
        if answers >= 3 && commits >= 3 {
            break;
        }
    }
    replica.proxy.heal();
    let (before, lost) = (world.log.head().await.unwrap().position, replica.proxy.lost());
    for command in 100_000..100_100 {
        assert!(!replica.log.append(append(command)).await.unwrap().repeated);
    }
    assert_eq!(world.sound().await.len() as u64, before + 100);
    assert_eq!(replica.proxy.lost(), lost);
}
