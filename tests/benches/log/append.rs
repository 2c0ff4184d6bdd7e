//! Appends through the library: many callers, one caller, and a log which is long already.

use std::time::{Duration, Instant};

use docket_eventlog::{EventLog, Recorded};
use futures::future::join_all;
use sqlx::PgPool;
use uuid::Uuid;

use crate::cases;
use crate::pgbench::Baseline;
use crate::place::{Place, open};
use crate::report::{Case, Reach, Report, rounds, seconds, setting};

const CALLERS: usize = 64;
const MANY: &str = "append, 64 callers";
const ONE: &str = "append, 1 caller";
const GROUP: &str = "events a commit, 64 callers";
const LONG: &str = "append to a long log";

pub(crate) async fn run(report: &mut Report) {
    if !report.wants(&[MANY, ONE, GROUP]) {
        return;
    }
    let place = Place::new().await;
    let (database, pool) = place.database().await;
    let log = open(&pool).await;
    let baseline = Baseline::new(&database, &pool, &sample(&log).await).await;
    let mut cases = UnderWay::open(&log, CALLERS).await;
    let mut alone = UnderWay::open(&log, 1).await;
    let (mut many, mut one, mut group) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds() {
        let theirs = baseline.run(&place, CALLERS, seconds(), None).await.rate;
        let commits = commits(&pool).await;
        let ours = appends(&log, &mut cases, Duration::from_secs(seconds())).await;
        let committed = self::commits(&pool).await - commits;
        many.push((ours.rate, theirs));
        group.push((ours.events as f64 / committed, 1.0));
        let theirs = baseline.run(&place, 1, seconds(), None).await.rate;
        let ours = appends(&log, &mut alone, Duration::from_secs(seconds())).await;
        one.push((ours.rate, theirs));
    }
    let (unit, against) = ("events/s", "pgbench -M prepared, 64 clients");
    report.add(Case { name: MANY, unit, baseline: against, reach: Reach::AtLeast(3.0), turns: many });
    let against = "pgbench -M prepared, 1 client";
    report.add(Case { name: ONE, unit, baseline: against, reach: Reach::AtLeast(0.8), turns: one });
    let against = "pg_stat_database.xact_commit";
    let (unit, reach) = ("events/commit", Reach::Floor(8.0));
    report.add(Case { name: GROUP, unit, baseline: against, reach, turns: group });
    log.close().await;
}

/// The rate at which a log of `BENCH_EVENTS` events grows, against that of an empty one.
pub(crate) async fn run_long(report: &mut Report) {
    if !report.wants(&[LONG]) {
        return;
    }
    let events: u64 = setting("BENCH_EVENTS", 5_000_000);
    let place = Place::new().await;
    let (_, long) = place.database().await;
    let long = open(&long).await;
    fill(&long, events).await;
    let mut cases_of_long = UnderWay::open(&long, CALLERS).await;
    let mut turns = Vec::new();
    for _ in 0..rounds() {
        let (_, empty) = place.database().await;
        let empty = open(&empty).await;
        let mut cases_of_empty = UnderWay::open(&empty, CALLERS).await;
        let time = Duration::from_secs(seconds());
        let theirs = appends(&empty, &mut cases_of_empty, time).await.rate;
        turns.push((appends(&long, &mut cases_of_long, time).await.rate, theirs));
        empty.close().await;
    }
    let (unit, baseline) = ("events/s", "the same into an empty log");
    report.add(Case { name: LONG, unit, baseline, reach: Reach::AtLeast(0.9), turns });
}

/// One event as it is stored.
pub(crate) async fn sample(log: &EventLog) -> Recorded {
    let appended = log.append(cases::one(log, Uuid::now_v7(), 0)).await.unwrap();
    let event = appended.events.into_iter().next().unwrap();
    assert_eq!(event.metadata_bytes.len(), cases::METADATA_BYTES, "bytes of metadata");
    event
}

pub(crate) struct Appended {
    pub(crate) rate: f64,
    pub(crate) events: u64,
}

/// Cases which are under way while it is measured; each has its keys already.
const CASES: usize = 4_096;

/// The cases that callers append to.
pub(crate) struct UnderWay(Vec<Caller>);

/// A caller with its cases, each with the version it has got to.
pub(crate) struct Caller {
    cases: Vec<(Uuid, u64)>,
    next: usize,
}

impl UnderWay {
    /// Opens the cases, divided among so many callers.
    pub(crate) async fn open(log: &EventLog, callers: usize) -> Self {
        let opened = (0..callers).map(|_| async {
            let mut cases = Vec::new();
            for _ in 0..CASES / CALLERS {
                let case = Uuid::now_v7();
                log.append(cases::many(log, case, 0, [cases::event(1)])).await.unwrap();
                log.append(cases::one(log, case, 1)).await.unwrap();
                cases.push((case, 2));
            }
            Caller { cases, next: 0 }
        });
        Self(join_all(opened).await)
    }

    /// Cases that are in no log, for what appends to none.
    pub(crate) fn nowhere(callers: usize) -> Self {
        let caller = || Caller { cases: vec![(Uuid::now_v7(), 2); CASES / CALLERS], next: 0 };
        Self((0..callers).map(|_| caller()).collect())
    }

    /// How many callers there are.
    pub(crate) fn callers(&self) -> usize {
        self.0.len()
    }

    /// Lets every caller work in a task of its own; gives what each came to.
    pub(crate) async fn each<T, Fut>(&mut self, mut work: impl FnMut(usize, Caller) -> Fut) -> Vec<T>
    where
        T: Send + 'static,
        Fut: Future<Output = (Caller, T)> + Send + 'static,
    {
        let callers = std::mem::take(&mut self.0).into_iter().enumerate();
        let tasks: Vec<_> = callers.map(|(n, caller)| tokio::spawn(work(n, caller))).collect();
        let mut results = Vec::with_capacity(tasks.len());
        for task in tasks {
            let (caller, result) = task.await.unwrap();
            self.0.push(caller);
            results.push(result);
        }
        results
    }
}

impl Caller {
    /// The case whose turn it is, and the version it has before the event that is now appended to it.
    pub(crate) fn next(&mut self) -> (Uuid, u64) {
        let now = self.next;
        self.next = (now + 1) % self.cases.len();
        self.cases[now].1 += 1;
        (self.cases[now].0, self.cases[now].1 - 1)
    }
}

/// Appends for some time: every caller to one of its cases after the other.
pub(crate) async fn appends(log: &EventLog, cases: &mut UnderWay, time: Duration) -> Appended {
    let log = log.clone();
    calls(cases, time, move |_, case, version| {
        let log = log.clone();
        async move { drop(log.append(cases::one(&log, case, version)).await.unwrap()) }
    })
    .await
}

/// Calls for some time, with the caller's number, a case and its version: every caller one call after the other.
pub(crate) async fn calls<Fut: Future<Output = ()> + Send + 'static>(
    cases: &mut UnderWay,
    time: Duration,
    call: impl Fn(usize, Uuid, u64) -> Fut + Clone + Send + 'static,
) -> Appended {
    let started = Instant::now();
    let done = cases
        .each(|n, mut caller| {
            let call = call.clone();
            async move {
                let mut done = 0_u64;
                while started.elapsed() < time {
                    let (case, version) = caller.next();
                    call(n, case, version).await;
                    done += 1;
                }
                (caller, done)
            }
        })
        .await;
    let events = done.into_iter().sum();
    Appended { rate: events as f64 / started.elapsed().as_secs_f64(), events }
}

/// Makes a log of so many events, whole cases at a time.
pub(crate) async fn fill(log: &EventLog, events: u64) {
    let cases = events / cases::EVENTS_OF_A_CASE;
    let tasks: Vec<_> = (0..64)
        .map(|worker| {
            let log = log.clone();
            tokio::spawn(async move {
                for number in (worker..cases).step_by(64) {
                    log.append(cases::many(&log, Uuid::now_v7(), 0, cases::life(number))).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

/// Commits of this database so far, as PostgreSQL counts them.
async fn commits(pool: &PgPool) -> f64 {
    // The counters of a session are told at its end or a second after its last statement.
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    let commits: i64 =
        sqlx::query_scalar("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")
            .fetch_one(pool)
            .await
            .unwrap();
    commits as f64
}
