//! The projection built again from the log, beside the rows in use; compared with them, and switched to when asked (L8).
//!
//! The service goes on meanwhile. The switch is one transaction that waits for the event at hand; an event that the
//! rebuilt rows already hold changes nothing when it comes again.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use docket_eventlog::Recorded;
use docket_proto::log::v1::ReadEventsRequest;
use docket_proto::log::v1::event_feed_service_client::EventFeedServiceClient;
use docket_service::{ApplyError, Base};
use sqlx::PgConnection;

use super::projector::apply;
use super::tables::Tables;
use super::{Config, options};
use crate::aggregate::LOG;

/// Events applied in one transaction.
const BATCH: u64 = 500;

/// What a rebuild found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Events of the log.
    pub events: u64,
    /// Cases.
    pub cases: u64,
    /// Rows of cases and lines that differ from those in use at the same version.
    pub differing: u64,
    /// Whether the rebuilt rows are in use now.
    pub switched: bool,
}

/// `rebuild` compares and fails when rows differ; `rebuild --switch` takes the rebuilt rows into use.
pub fn main(arguments: &[String]) -> ExitCode {
    let switch = match arguments {
        [] => false,
        [one] if one == "--switch" => true,
        _ => {
            eprintln!("error: write `rebuild` or `rebuild --switch`; DOCKET_CONFIG names the configuration");
            return ExitCode::FAILURE;
        }
    };
    match run(switch) {
        Ok(report) => {
            println!(
                "{} events, {} cases, {} rows differ{}",
                report.events,
                report.cases,
                report.differing,
                if report.switched { "; the rebuilt rows are in use" } else { "" }
            );
            if report.differing == 0 || report.switched { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(switch: bool) -> anyhow::Result<Report> {
    let file = std::env::var_os("DOCKET_CONFIG");
    let config: Config = docket_service::load(file.as_deref().map(Path::new))?;
    tokio::runtime::Runtime::new().context("start the runtime")?.block_on(async {
        let base = Base::connect(&config.service, options()).await?;
        rebuild(&base, switch).await
    })
}

/// Builds the rows again, compares, and switches when asked.
///
/// # Errors
/// The owner of the log or the database is away; an event cannot be applied.
pub async fn rebuild(base: &Base, switch: bool) -> anyhow::Result<Report> {
    let mut tx = base.pool.begin().await?;
    clear_rebuilt(&mut tx).await?;
    tx.commit().await?;
    let mut position = read_on(base, 0).await?;
    loop {
        let mut tx = base.pool.begin().await?;
        // Readers go on; the projector waits until this transaction ends.
        sqlx::query!("LOCK TABLE case_row, timeline IN EXCLUSIVE MODE").execute(&mut *tx).await?;
        if behind(&mut tx).await? > 0 {
            tx.rollback().await?;
            position = read_on(base, position).await?;
            continue;
        }
        let differing = different_cases(&mut tx).await? + different_lines(&mut tx).await?;
        let (cases, differing) = (rebuilt_cases(&mut tx).await?.unsigned_abs(), differing.unsigned_abs());
        if switch {
            take_over(&mut tx).await?;
        }
        tx.commit().await?;
        return Ok(Report { events: position, cases, differing, switched: switch });
    }
}

/// Cases of which the rows in use know more than the rebuilt ones.
async fn behind(tx: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM case_row AS live LEFT JOIN case_row_rebuilt AS built USING (case_id)
           WHERE live.version > coalesce(built.version, 0)"#
    )
    .fetch_one(tx)
    .await
}

/// Rows of cases that differ at the same version.
async fn different_cases(tx: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM case_row AS live JOIN case_row_rebuilt AS built USING (case_id)
           WHERE live.version = built.version AND to_jsonb(live) <> to_jsonb(built)"#
    )
    .fetch_one(tx)
    .await
}

/// Lines that differ or are missing.
async fn different_lines(tx: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM timeline AS live
           LEFT JOIN timeline_rebuilt AS built USING (case_id, version)
           WHERE built.case_id IS NULL OR to_jsonb(live) <> to_jsonb(built)"#
    )
    .fetch_one(tx)
    .await
}

async fn rebuilt_cases(tx: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM case_row_rebuilt"#).fetch_one(tx).await
}

async fn clear_rebuilt(tx: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM case_row_rebuilt").execute(&mut *tx).await?;
    sqlx::query!("DELETE FROM timeline_rebuilt").execute(tx).await?;
    Ok(())
}

/// Puts the rebuilt rows in the place of those in use.
async fn take_over(tx: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM case_row").execute(&mut *tx).await?;
    sqlx::query!("DELETE FROM timeline").execute(&mut *tx).await?;
    sqlx::query!("INSERT INTO case_row SELECT * FROM case_row_rebuilt").execute(&mut *tx).await?;
    sqlx::query!("INSERT INTO timeline SELECT * FROM timeline_rebuilt").execute(tx).await?;
    Ok(())
}

/// Applies the log's events after a position, up to its end; gives the last position.
async fn read_on(base: &Base, after: u64) -> anyhow::Result<u64> {
    let mut feed =
        EventFeedServiceClient::new(base.channel("case-status")).max_decoding_message_size(16 << 20);
    let mut position = after;
    loop {
        let ask = ReadEventsRequest { log: LOG.to_owned(), after_position: position, limit: BATCH };
        let mut batches = feed.read_events(ask).await.context("the log of cases")?.into_inner();
        let before = position;
        let mut tx = base.pool.begin().await?;
        while let Some(batch) = batches.message().await.context("the log of cases")? {
            for stored in batch.events {
                let event = Recorded::from_message(stored)?;
                position = event.position;
                if event.stream.category() == "case" {
                    apply(&mut tx, Tables::Rebuilt, &event).await.map_err(|error| refused(&event, error))?;
                }
            }
        }
        tx.commit().await?;
        if position == before {
            return Ok(position);
        }
    }
}

fn refused(event: &Recorded, error: ApplyError) -> anyhow::Error {
    let why = match error {
        ApplyError::Park(reason) => anyhow::anyhow!(reason),
        ApplyError::Retry(error) => error,
    };
    why.context(format!("event {} of {} cannot be applied", event.position, event.log))
}
