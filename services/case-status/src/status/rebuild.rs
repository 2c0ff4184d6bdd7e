//! The projection built again from the log, beside the rows in use; compared with them, taken into use when asked, and
//! the way back (L8).
//!
//! The service goes on meanwhile, and nothing but the rows beside changes. Reading order: this file (what can be asked),
//! `sets`, `build` with `fold` and `copy`, `compare`, `switch`.

mod build;
mod compare;
mod copy;
mod fold;
mod owner;
mod sets;
mod switch;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use docket_kernel::Refusal;
use docket_proto::log::v1 as pb;
use docket_proto::log::v1::event_feed_service_client::EventFeedServiceClient;
use docket_service::{ApiError, Base, Projection, detached, outgoing};
use sqlx::AssertSqlSafe;
use tokio::sync::watch;

pub use self::build::Limits;
use self::build::{Progress, build};
use self::sets::{Alone, Epoch, Set};
use self::switch::{Note, switch};
use super::tables::Tables;
use super::{Config, options};
use crate::aggregate::LOG;

/// Name of the projection.
const NAME: &str = "status";

/// The projection, for operators.
pub struct StatusProjection(pub Base);

impl StatusProjection {
    /// As [`Projection::rebuild`], holding no more in memory than this.
    ///
    /// # Errors
    /// As [`Projection::rebuild`].
    pub async fn rebuild_within(
        &self,
        limits: Limits,
        by: &str,
        progress: &watch::Sender<pb::RebuildProjectionResponse>,
    ) -> Result<(), ApiError> {
        let base = &self.0;
        let _alone = Alone::take(base).await?;
        let tables = sets::begin(base, by).await?;
        let position = build(base, tables, 0, true, limits, progress).await?;
        // Cases that were put aside meanwhile are not held any more.
        let cases = count(base, tables).await?;
        progress.send_modify(|step| step.cases = cases);
        sets::built(base, tables, position, by).await
    }
}

#[async_trait]
impl Projection for StatusProjection {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn describe(&self) -> Result<pb::Projection, ApiError> {
        let base = &self.0;
        let (live, beside) = sets::both(base).await?;
        let ask = outgoing(pb::GetHeadRequest { log: LOG.to_owned() });
        let head = EventFeedServiceClient::new(base.channel("case-status")).get_head(ask).await;
        Ok(pb::Projection {
            name: NAME.to_owned(),
            log: LOG.to_owned(),
            head: head.ok().map(|head| head.into_inner().position),
            live: Some(described(base, live).await?),
            beside: Some(described(base, beside).await?),
        })
    }

    async fn rebuild(&self, by: &str, progress: &Progress) -> Result<(), ApiError> {
        self.rebuild_within(Limits::default(), by, progress).await
    }

    async fn compare(&self) -> Result<pb::CompareProjectionResponse, ApiError> {
        let base = &self.0;
        let _alone = Alone::take(base).await?;
        let (_, beside) = sets::both(base).await?;
        require(base, &beside, &["built", "kept"], "NOT_BUILT").await?;
        let found = compare::compare(base, &beside).await?;
        Ok(pb::CompareProjectionResponse {
            equal: found.equal,
            differing: found.differing,
            examples: found.examples.iter().map(ToString::to_string).collect(),
            position: found.position,
        })
    }

    async fn switch(
        &self,
        by: &str,
        ask: &pb::SwitchProjectionRequest,
    ) -> Result<pb::SwitchProjectionResponse, ApiError> {
        let base = &self.0;
        let alone = Alone::take(base).await?;
        let (live, beside) = sets::both(base).await?;
        require(base, &beside, &["built"], "NOT_BUILT").await?;
        let found = compare::compare(base, &beside).await?;
        if found.differing > 0 && !ask.accept_differences {
            let words = format!("{} cases differ from the rows in use.", found.differing);
            let way_out =
                "Look at them (compare); when the rows in use are the wrong ones, accept the differences.";
            return Err(Refusal::state("DIFFERENCES", words).way_out(way_out).into());
        }
        let (differing, beside) = (found.differing, Set { position: found.position, ..beside });
        let (at, by, reason) = (base.clone(), by.to_owned(), ask.reason.clone());
        // Nobody else works on the rows until it is done, also when nobody waits for it any more.
        let took = detached(async move {
            let took = switch(&at, &live, &beside, &Note { by: &by, reason: &reason, differing }).await;
            drop(alone);
            took
        })
        .await?;
        Ok(pb::SwitchProjectionResponse {
            projection: Some(self.describe().await?),
            differing,
            took_us: micros(took),
        })
    }

    async fn roll_back(&self, by: &str, reason: &str) -> Result<pb::RollBackProjectionResponse, ApiError> {
        let base = &self.0;
        let alone = Alone::take(base).await?;
        let (live, beside) = sets::both(base).await?;
        require(base, &beside, &["kept"], "NOTHING_KEPT").await?;
        let took = switch(base, &live, &beside, &Note { by, reason, differing: 0 }).await?;
        drop(alone);
        Ok(pb::RollBackProjectionResponse { projection: Some(self.describe().await?), took_us: micros(took) })
    }
}

/// The set beside must be one of these, and of the log as it is: rows from before a restore tell what is lost.
async fn require(base: &Base, beside: &Set, states: &[&str], reason: &'static str) -> Result<(), ApiError> {
    let mut state = beside.state.clone();
    if states.contains(&state.as_str()) {
        if beside.epoch.is(Epoch::now(base).await?) {
            return Ok(());
        }
        state.push_str(" from before the log was restored");
    }
    let words = format!("The rows beside those in use are {state}.");
    Err(Refusal::state(reason, words).way_out("Build them first: docket log projection rebuild").into())
}

fn micros(took: Duration) -> i64 {
    i64::try_from(took.as_micros()).unwrap_or(i64::MAX)
}

async fn described(base: &Base, set: Set) -> Result<pb::ProjectionSet, ApiError> {
    Ok(pb::ProjectionSet {
        generation: set.generation,
        state: set.state,
        position: set.position,
        cases: count(base, set.tables).await?,
        changed_at_us: set.changed_at_us,
        changed_by: set.changed_by,
    })
}

async fn count(base: &Base, tables: Tables) -> Result<u64, ApiError> {
    let sql = format!("SELECT count(*) FROM {}", tables.cases());
    let cases: i64 = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&base.pool).await?;
    Ok(cases.unsigned_abs())
}

/// What a rebuild from the command line found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Events of the log.
    pub events: u64,
    /// Cases.
    pub cases: u64,
    /// Cases that differ from those in use.
    pub differing: u64,
    /// Whether the rebuilt rows are in use now.
    pub switched: bool,
}

/// `rebuild` compares and fails when cases differ; `rebuild --switch` takes the rebuilt rows into use.
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
                "{} events, {} cases, {} differ{}",
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

/// Builds the rows again, compares, and switches when asked, whatever differs.
///
/// # Errors
/// The owner of the log or the database is away; somebody else rebuilds.
pub async fn rebuild(base: &Base, switch: bool) -> anyhow::Result<Report> {
    let (projection, by) = (StatusProjection(base.clone()), "machine:rebuild");
    let told = |error: ApiError| anyhow::anyhow!("{}", tonic::Status::from(error).message());
    let progress = Progress::default();
    projection.rebuild(by, &progress).await.map_err(told)?;
    let step = *progress.borrow();
    let mut report = Report { events: step.position, cases: step.cases, differing: 0, switched: switch };
    if switch {
        let reason = "rebuild --switch".to_owned();
        let ask = pb::SwitchProjectionRequest {
            name: NAME.to_owned(),
            accept_differences: true,
            reason,
            ..Default::default()
        };
        report.differing = projection.switch(by, &ask).await.map_err(told)?.differing;
    } else {
        report.differing = projection.compare().await.map_err(told)?.differing;
    }
    Ok(report)
}
