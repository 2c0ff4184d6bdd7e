//! The notifications service: notices as PDF, alerts by mail, and messages between a party and the office.
//!
//! Reading order: `domain` (what is decided and what notices say), `render` with `templates/` (how they look),
//! `policies` (owed, issued, alerted), `gauges`, `store` (the rows that are not events), `mail`, `directory`, `access`, `api`.

mod access;
mod api;
mod case_words;
mod config;
mod directory;
mod domain;
mod gauges;
mod invitation;
mod mail;
mod offices;
mod policies;
mod render;
mod store;
mod texts;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use docket_proto::notifications::v1::inbox_service_server::InboxServiceServer;
use docket_service::{Base, BaseOptions, Server, Stop};
use tokio::sync::Notify;

pub use config::{Config, NoticesConfig};
pub use docket_mail::MailConfig;

use api::InboxApi;
use mail::Mailer;
use policies::{EndSight, FollowAddress, IssueNotices, OweNotice, SendAlerts, TellParties, TellPreparers};
use render::Renderer;

/// The migrations of the service's own tables.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();

/// How often it is looked for something to do: what falls due by the clock and what another process wrote wakes nobody.
const LOOK: Duration = Duration::from_secs(1);

/// Serves until `stop`.
///
/// # Errors
/// A catalogue or fonts that cannot be read, a mail server that cannot be named, a database that cannot be reached, an address that
/// cannot be bound.
pub async fn serve(config: Config, stop: Stop) -> anyhow::Result<()> {
    let catalogue = config.catalogue.open()?;
    let renderer = Renderer::new(config.notices.font_dir.as_deref()).context("notices.font_dir")?;
    let options = BaseOptions::new("notifications", "notifications", access::POLICIES, access::SCHEMA);
    let base = Base::connect(&config.service, options).await?;
    let (owed, mail) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let issuing = IssueNotices {
        base: base.clone(),
        renderer,
        catalogue,
        wake: Arc::clone(&owed),
        mail: Arc::clone(&mail),
    };
    let sending =
        SendAlerts { base: base.clone(), mailer: Mailer::new(&config.mail, &base)?, wake: Arc::clone(&mail) };
    let waiting = base.clone();
    let owing = OweNotice { base: base.clone(), wake: owed };
    let following = FollowAddress { base: base.clone(), mail: Arc::clone(&mail) };
    let reminding = TellParties { base: base.clone(), mail: Arc::clone(&mail) };
    let telling = TellPreparers { base: base.clone(), mail: Arc::clone(&mail) };
    Server::new(base.clone())
        .grpc(InboxServiceServer::new(InboxApi::new(base, mail)))
        .subscriber("cases-0", Arc::new(owing))
        .subscriber("cases-0", Arc::new(reminding))
        .subscriber("filing", Arc::new(telling))
        .subscriber("filing", Arc::new(EndSight))
        .subscriber("identity", Arc::new(following))
        .task("notices", |stop| issuing.run(stop))
        .task("alerts", |stop| sending.run(stop))
        .task("the mail that waits", |stop| gauges::run(waiting, stop))
        .run(stop)
        .await
}
