//! The status projection built again, as an operator has it done: the service reads the log from its owner's port, folds
//! and writes the rows beside those in use.

use std::time::{Duration, Instant};

use docket_case_status::status::rebuild::StatusProjection;
use docket_case_status::{command, status};
use docket_proto::log::v1::RebuildProjectionResponse;
use docket_service::testing::{Bench, Running};
use docket_service::{Base, Projection as _, migrate};
use sqlx::{Executor as _, FromRow, PgPool};
use tokio::sync::watch;
use uuid::Uuid;

use crate::place::{Place, kek};
use crate::replay::{filled, replayed};
use crate::report::{Case, Reach, Report, rounds};

const NAME: &str = "rebuild of the status projection";
/// Rows of one statement in the baseline.
const BATCH: i64 = 1_000;

pub(crate) async fn run(report: &mut Report) {
    if !report.wants(&[NAME]) {
        return;
    }
    let place = Place::new().await;
    let (cases, pool) = place.database().await;
    let log = filled(&pool).await;
    let events = log.head().await.unwrap().position as f64;
    let services = Services::start(&place, &cases).await;
    let mut turns = Vec::new();
    for _ in 0..rounds() {
        let ours = events / services.rebuild().await.as_secs_f64();
        let inserts = events / inserted(&services.projection.0.pool).await.as_secs_f64();
        let replay = replayed(&log).await;
        eprintln!("# replay {replay:.0} events/s, insert of the rows {inserts:.0} events/s");
        turns.push((ours, replay.min(inserts)));
    }
    let (unit, baseline) = ("events/s", "the slower of the replay and of a multi-row insert");
    report.add(Case { name: NAME, unit, baseline, reach: Reach::AtLeast(0.7), turns });
    services.owner.stop().await.unwrap();
    log.close().await;
}

/// The owner of the log behind its port, and the projection with its database.
struct Services {
    owner: Running,
    projection: StatusProjection,
    _bench: Bench,
}

impl Services {
    async fn start(place: &Place, cases: &str) -> Self {
        // Nobody listens there: this is about the log alone.
        let broker = "nats://127.0.0.1:1";
        let bench = Bench::new().await;
        let config = bench.config("case-status", &place.postgres.url(cases), None, broker);
        // The log is there already, under this key.
        std::fs::create_dir_all(&config.data_dir).unwrap();
        std::fs::write(config.data_dir.join("kek"), kek()).unwrap();
        migrate(&config, &command::MIGRATOR).await.unwrap();
        let owner = bench
            .serve(config, |config, stop| async move {
                let base = Base::connect(&config, command::options().unpublished()).await?;
                command::server(base).run(stop).await
            })
            .await;
        bench.set_peer("case-status", owner.listening.grpc);
        let (own, _) = place.database().await;
        let config = bench.config("status-projection", &place.postgres.url(&own), None, broker);
        migrate(&config, &status::MIGRATOR).await.unwrap();
        let base = Base::connect(&config, status::options()).await.unwrap();
        Self { owner, projection: StatusProjection(base), _bench: bench }
    }

    async fn rebuild(&self) -> Duration {
        let progress = watch::Sender::new(RebuildProjectionResponse::default());
        let started = Instant::now();
        self.projection.rebuild("machine:bench", &progress).await.map_err(tonic::Status::from).unwrap();
        let took = started.elapsed();
        let last = *progress.borrow();
        assert_eq!((last.position, last.stopped), (last.head, 0), "events built in, cases that stopped");
        took
    }
}

/// Inserts the rows that were built into tables of the same shape, a thousand a statement, each a commit; gives what that
/// takes without the reading of them.
async fn inserted(pool: &PgPool) -> Duration {
    for statement in [
        "DROP TABLE IF EXISTS case_row_copy, timeline_copy",
        "CREATE TABLE case_row_copy (LIKE case_row_b INCLUDING ALL)",
        "CREATE TABLE timeline_copy (LIKE timeline_b INCLUDING ALL)",
    ] {
        pool.execute(statement).await.unwrap();
    }
    inserted_lines(pool).await + inserted_cases(pool).await
}

/// Columns of a batch of lines: as many values each as there are rows.
type Lines = (Vec<Uuid>, Vec<i64>, Vec<String>, Vec<String>, Vec<String>, Vec<bool>, Vec<i64>);

async fn inserted_lines(pool: &PgPool) -> Duration {
    let (mut took, mut after) = (Duration::ZERO, (Uuid::nil(), 0));
    loop {
        let lines: Option<Lines> = sqlx::query_as(
            "SELECT array_agg(case_id), array_agg(version), array_agg(kind), array_agg(text_id),
                 array_agg(facts::text), array_agg(office_only), array_agg(recorded_at_us)
             FROM (SELECT * FROM timeline_b WHERE (case_id, version) > ($1, $2) ORDER BY case_id, version LIMIT $3)
             HAVING count(*) > 0",
        )
        .bind(after.0)
        .bind(after.1)
        .bind(BATCH)
        .fetch_optional(pool)
        .await
        .unwrap();
        let Some((cases, versions, kinds, texts, facts, office_only, recorded)) = lines else { return took };
        after = (*cases.last().expect("a row"), *versions.last().expect("a row"));
        let insert = sqlx::query(
            "INSERT INTO timeline_copy
             SELECT case_id, version, kind, text_id, facts::jsonb, office_only, recorded_at_us
             FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::bigint[])
                 AS new (case_id, version, kind, text_id, facts, office_only, recorded_at_us)",
        );
        let insert = insert.bind(cases).bind(versions).bind(kinds).bind(texts).bind(facts);
        let (insert, started) = (insert.bind(office_only).bind(recorded), Instant::now());
        insert.execute(pool).await.unwrap();
        took += started.elapsed();
    }
}

/// A case as the projection has it; the fold as text, as the service sends it.
#[derive(FromRow)]
struct CaseRow {
    case_id: Uuid,
    receipt_number: String,
    party: Option<Uuid>,
    officer: Option<Uuid>,
    office: String,
    site: String,
    stage: String,
    task: String,
    waiting_since_us: i64,
    submitted_at_us: i64,
    version: i64,
    changed_at_us: i64,
    party_version: i64,
    party_changed_at_us: i64,
    state: String,
}

async fn inserted_cases(pool: &PgPool) -> Duration {
    let (mut took, mut after) = (Duration::ZERO, Uuid::nil());
    loop {
        let rows: Vec<CaseRow> = sqlx::query_as(
            "SELECT case_id, receipt_number, party, officer, office, site, stage, task, waiting_since_us, submitted_at_us,
                 version, changed_at_us, party_version, party_changed_at_us, state::text AS state
             FROM case_row_b WHERE case_id > $1 ORDER BY case_id LIMIT $2",
        )
        .bind(after)
        .bind(BATCH)
        .fetch_all(pool)
        .await
        .unwrap();
        let Some(last) = rows.last() else { return took };
        after = last.case_id;
        let started = Instant::now();
        insert_cases(pool, &rows).await;
        took += started.elapsed();
    }
}

async fn insert_cases(pool: &PgPool, rows: &[CaseRow]) {
    sqlx::query(
        "INSERT INTO case_row_copy
         SELECT case_id, receipt_number, party, officer, office, site, stage, task, waiting_since_us, submitted_at_us,
             version, changed_at_us, party_version, party_changed_at_us, state::jsonb
         FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[],
             $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::text[])
             AS new (case_id, receipt_number, party, officer, office, site, stage, task, waiting_since_us,
                 submitted_at_us, version, changed_at_us, party_version, party_changed_at_us, state)",
    )
    .bind(column(rows, |row| row.case_id))
    .bind(column(rows, |row| row.receipt_number.as_str()))
    .bind(column(rows, |row| row.party))
    .bind(column(rows, |row| row.officer))
    .bind(column(rows, |row| row.office.as_str()))
    .bind(column(rows, |row| row.site.as_str()))
    .bind(column(rows, |row| row.stage.as_str()))
    .bind(column(rows, |row| row.task.as_str()))
    .bind(column(rows, |row| row.waiting_since_us))
    .bind(column(rows, |row| row.submitted_at_us))
    .bind(column(rows, |row| row.version))
    .bind(column(rows, |row| row.changed_at_us))
    .bind(column(rows, |row| row.party_version))
    .bind(column(rows, |row| row.party_changed_at_us))
    .bind(column(rows, |row| row.state.as_str()))
    .execute(pool)
    .await
    .unwrap();
}

fn column<'a, T: 'a>(rows: &'a [CaseRow], of: impl Fn(&'a CaseRow) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}
