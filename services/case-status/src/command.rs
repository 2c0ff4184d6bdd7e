//! The service `case-status`: the log of cases, commands on them, and what other services' events do to them.

mod absences;
mod answers;
mod api;
mod booking;
mod challenges;
mod deadlines;
mod fees;
mod inquiries;
mod links;
mod office;
mod parties;
mod reactions;
mod reminders;
mod represented;
mod searches;
mod serials;
mod threads;
mod timer;
mod wire;
mod words;

use std::sync::Arc;

use docket_eventlog::Store;
use docket_proto::case_status::v1::case_command_service_server::CaseCommandServiceServer;
use docket_proto::case_status::v1::case_office_service_server::CaseOfficeServiceServer;
use docket_proto::case_status::v1::case_words_service_server::CaseWordsServiceServer;
use docket_service::{Base, BaseOptions, Heard, Server, ServiceConfig, Stop};
use sqlx::migrate::Migrator;

use crate::aggregate::{Cases, LOG};
use absences::Absences;
use answers::OwedAnswers;
use api::CaseCommands;
use challenges::Challenges;
use links::LinkedCases;
use parties::Moves;
use reactions::{Filings, Notices, Payments};
use reminders::Reminding;
use serials::Serials;
use threads::Messages;
use timer::Deadlines;
use words::CaseWords;

/// Tables of this service.
pub static MIGRATOR: Migrator = sqlx::migrate!("migrations/cases");

/// Configuration.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What every service has.
    pub service: ServiceConfig,
}

impl AsRef<ServiceConfig> for Config {
    fn as_ref(&self) -> &ServiceConfig {
        &self.service
    }
}

/// What the base needs to know of this service.
pub fn options() -> BaseOptions {
    let policies = include_str!("command/access.cedar");
    BaseOptions::new("case-status", LOG, policies, include_str!("command/access.cedarschema"))
}

/// Serves until the stop.
///
/// # Errors
/// What is missing or wrong, in words for the operator.
pub async fn serve(config: Config, stop: Stop) -> anyhow::Result<()> {
    let base = Base::connect(&config.service, options()).await?;
    prepare(&base).await?;
    server(base).run(stop).await
}

/// Does once what the rows need of events from before there were such rows.
///
/// # Errors
/// The database; an event that cannot be read.
pub async fn prepare(base: &Base) -> anyhow::Result<()> {
    parties::note_older(&base.log, &base.pool).await
}

/// The server on a base.
pub fn server(base: Base) -> Server {
    let store = Store::<Cases>::new(base.log.clone());
    let serials = Arc::new(Serials::new(base.pool.clone(), &base.vault));
    let payments = Arc::new(Heard::of(&base, "payments"));
    let commands =
        CaseCommands::new(base.clone(), store.clone(), Arc::clone(&serials), Arc::clone(&payments));
    let words = CaseWords { store: store.clone() };
    let answers = OwedAnswers { obligations: base.log.obligations(), owner: base.name, store: store.clone() };
    let absences = Absences { timers: base.log.timers(), store: store.clone() };
    let (reminding, older) = (Reminding::new(&base.log), base.clone());
    let filing = Heard::of(&base, "filing");
    let deadlines = Deadlines { store: store.clone(), clock: base.clock.clone(), filing, payments };
    Server::new(base)
        .grpc(CaseCommandServiceServer::new(commands.clone()))
        .grpc(CaseOfficeServiceServer::new(commands))
        .grpc(CaseWordsServiceServer::new(words))
        .subscriber("filing", Arc::new(Filings { store: store.clone(), serials }))
        .subscriber("identity", Arc::new(Moves { store: store.clone() }))
        .subscriber("payments", Arc::new(Payments { store: store.clone() }))
        .subscriber("notifications", Arc::new(Notices { store: store.clone() }))
        .subscriber("notifications", Arc::new(Messages { store: store.clone() }))
        .subscriber(LOG, Arc::new(LinkedCases { store: store.clone() }))
        .subscriber(LOG, Arc::new(Challenges { store }))
        .subscriber(LOG, Arc::new(answers))
        .subscriber(LOG, Arc::new(absences))
        .subscriber(LOG, Arc::new(reminding))
        .task("the reminders of what was served before", |stop| reminders::set_older(older, stop))
        .timers(Arc::new(deadlines))
}
