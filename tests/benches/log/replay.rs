//! The whole log read again: decoded and folded, as a rebuild does it, and verified, as an auditor does.

use std::collections::HashMap;
use std::time::Instant;

use docket_case_status::domain::{Case as Fold, Event, evolve};
use docket_eventlog::{EventLog, StreamName};
use futures::TryStreamExt as _;
use sqlx::PgPool;
use sqlx::postgres::PgPoolCopyExt as _;

use crate::append::fill;
use crate::cases::EVENTS_OF_A_CASE;
use crate::place::{Place, open};
use crate::report::{Case, Reach, Report, rounds, setting};

const REPLAY: &str = "replay with decode and fold";
const VERIFY: &str = "verify of the chain";

pub(crate) async fn run(report: &mut Report) {
    if !report.wants(&[REPLAY, VERIFY]) {
        return;
    }
    let place = Place::new().await;
    let (_, pool) = place.database().await;
    let log = filled(&pool).await;
    let (mut replays, mut verifies) = (Vec::new(), Vec::new());
    for _ in 0..rounds() {
        let theirs = copied(&pool).await;
        let ours = replayed(&log).await;
        replays.push((ours, theirs));
        verifies.push((verified(&log).await, ours));
    }
    let (unit, baseline) = ("events/s", "COPY ... TO STDOUT (FORMAT binary)");
    report.add(Case { name: REPLAY, unit, baseline, reach: Reach::AtLeast(0.5), turns: replays });
    let baseline = "the replay";
    report.add(Case { name: VERIFY, unit, baseline, reach: Reach::AtLeast(0.7), turns: verifies });
    log.close().await;
}

/// How many events are read.
fn events() -> u64 {
    setting::<u64>("BENCH_REPLAY", 1_000_000).next_multiple_of(EVENTS_OF_A_CASE)
}

/// A log of so many events, as PostgreSQL leaves it some time after they were written.
pub(crate) async fn filled(pool: &PgPool) -> EventLog {
    let log = open(pool).await;
    fill(&log, events()).await;
    for statement in ["VACUUM (ANALYZE) log.event", "CHECKPOINT"] {
        sqlx::query(statement).execute(pool).await.unwrap();
    }
    log
}

/// Reads all events, decodes and folds them; gives events a second.
pub(crate) async fn replayed(log: &EventLog) -> f64 {
    let started = Instant::now();
    let mut folds: HashMap<StreamName, Fold> = HashMap::new();
    let mut events = log.replay(0, u64::MAX);
    let mut count = 0;
    while let Some(recorded) = events.try_next().await.unwrap() {
        let event: Event = recorded.decode().unwrap();
        let fold = folds.entry(recorded.stream).or_default();
        *fold = evolve(std::mem::take(fold), &event);
        count += 1;
    }
    assert_eq!(
        (count, folds.len() as u64),
        (self::events(), self::events() / EVENTS_OF_A_CASE),
        "events, cases"
    );
    count as f64 / started.elapsed().as_secs_f64()
}

/// The same rows in PostgreSQL's own format, thrown away as they come; gives rows a second.
async fn copied(pool: &PgPool) -> f64 {
    let started = Instant::now();
    let statement = "COPY (SELECT position, stream, version, event_id, kind, recorded_at_us, metadata, payload, sealed, \
                     link, format FROM log.event WHERE log = 'cases-0' ORDER BY position) TO STDOUT (FORMAT binary)";
    let mut chunks = pool.copy_out_raw(statement).await.unwrap();
    let mut bytes = 0;
    while let Some(chunk) = chunks.try_next().await.unwrap() {
        bytes += chunk.len();
    }
    assert!(bytes as u64 > events() * 500, "{bytes} bytes are not all rows");
    events() as f64 / started.elapsed().as_secs_f64()
}

/// Verifies the whole log; gives events a second.
async fn verified(log: &EventLog) -> f64 {
    let started = Instant::now();
    let found = log.verify(1, None).await.unwrap();
    assert_eq!((found.broken, found.to), (None, events()), "what was verified");
    events() as f64 / started.elapsed().as_secs_f64()
}
