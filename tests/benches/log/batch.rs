//! Batches: a hundred events to one stream in one append, against PostgreSQL's own way to bring many rows in.

use std::time::{Duration, Instant};

use docket_eventlog::EventLog;
use sqlx::postgres::PgPoolCopyExt as _;
use sqlx::{Executor as _, PgPool};
use uuid::Uuid;

use crate::cases;
use crate::place::{Place, open};
use crate::report::{Case, Reach, Report, rounds, seconds};

const BATCH: u64 = 100;
const NAME: &str = "batches of 100 events to one stream";

pub(crate) async fn run(report: &mut Report) {
    if !report.wants(&[NAME]) {
        return;
    }
    let place = Place::new().await;
    let (_, pool) = place.database().await;
    let log = open(&pool).await;
    let stream = Uuid::now_v7();
    append(&log, stream, 0).await;
    let mut version = BATCH;
    let mut copy = Copy::like_the_log(&pool).await;
    let time = Duration::from_secs(seconds());
    let mut turns = Vec::new();
    for _ in 0..rounds() {
        let (started, first) = (Instant::now(), copy.position);
        while started.elapsed() < time {
            copy.batch(&pool).await;
        }
        let theirs = (copy.position - first) as f64 / started.elapsed().as_secs_f64();
        let (started, first) = (Instant::now(), version);
        while started.elapsed() < time {
            append(&log, stream, version).await;
            version += BATCH;
        }
        turns.push(((version - first) as f64 / started.elapsed().as_secs_f64(), theirs));
    }
    let (unit, baseline) = ("events/s", "binary COPY, 100 rows each");
    report.add(Case { name: NAME, unit, baseline, reach: Reach::AtLeast(0.5), turns });
    log.close().await;
}

/// Appends the next events to a stream that has got to `version`.
async fn append(log: &EventLog, stream: Uuid, version: u64) {
    let events = (version + 1..=version + BATCH).map(cases::event);
    log.append(cases::many(log, stream, version, events)).await.unwrap();
}

/// The rows of one batch, copied again and again into a table with the same indexes, at new positions.
struct Copy {
    rows: Vec<Stored>,
    position: i64,
}

/// What stands in a row besides what counts up: kind, metadata, payload, sealed, link.
type Stored = (String, Vec<u8>, Vec<u8>, Vec<u8>, Vec<u8>);

impl Copy {
    /// Makes the table, and takes the rows of the first batch in the log.
    async fn like_the_log(pool: &PgPool) -> Self {
        let table = "CREATE TABLE baseline (LIKE log.event INCLUDING CONSTRAINTS INCLUDING INDEXES)";
        pool.execute(table).await.unwrap();
        let rows: Vec<Stored> =
            sqlx::query_as("SELECT kind, metadata, payload, sealed, link FROM log.event ORDER BY position")
                .fetch_all(pool)
                .await
                .unwrap();
        assert_eq!(rows.len() as u64, BATCH, "rows of a batch");
        Self { rows, position: 0 }
    }

    /// One COPY, which is one commit.
    async fn batch(&mut self, pool: &PgPool) {
        let columns = "log, position, stream, version, event_id, kind, recorded_at_us, metadata, payload, sealed, link, \
                       format";
        let statement = format!("COPY baseline ({columns}) FROM STDIN (FORMAT binary)");
        let mut copy = pool.copy_in_raw(&statement).await.unwrap();
        let stream = format!("case-{}", Uuid::nil());
        // The format of PostgreSQL's manual, "COPY, Binary Format": signature, flags, no extension.
        let mut bytes = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0".to_vec();
        for (kind, metadata, payload, sealed, link) in &self.rows {
            self.position += 1;
            let number = self.position.to_be_bytes();
            let id = Uuid::new_v4();
            bytes.extend(12_i16.to_be_bytes());
            let fields: [&[u8]; 12] = [
                b"cases-0",
                &number,
                stream.as_bytes(),
                &number,
                id.as_bytes(),
                kind.as_bytes(),
                &number,
                metadata,
                payload,
                sealed,
                link,
                &1_i16.to_be_bytes(),
            ];
            for field in fields {
                bytes.extend(i32::try_from(field.len()).unwrap().to_be_bytes());
                bytes.extend(field);
            }
        }
        bytes.extend((-1_i16).to_be_bytes());
        copy.send(bytes).await.unwrap();
        assert_eq!(copy.finish().await.unwrap(), BATCH, "rows copied");
    }
}
