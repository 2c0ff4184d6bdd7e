//! The notifications service: notices as PDF, alerts by mail and text, and messages between a party and the office.
//!
//! Reading order: `domain` (what is decided and what notices say), `render` with `templates/` (how they look),
//! `policies` (owed, issued, alerted), `gauges`, `store` (the rows that are not events), `mail`, `carrier` and `numbers` (texts), `directory`,
//! `access`, `api`.

mod access;
mod api;
mod carrier;
mod case_words;
mod config;
mod directory;
mod domain;
mod gauges;
mod invitation;
mod mail;
mod numbers;
mod offices;
mod policies;
mod render;
mod store;
mod texts;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use docket_proto::notifications::v1::inbox_service_server::InboxServiceServer;
use docket_proto::notifications::v1::texting_service_server::TextingServiceServer;
use docket_service::{Base, BaseOptions, Server, Stop};
use tokio::sync::Notify;

pub use config::{Config, NoticesConfig, TextsConfig};
pub use docket_mail::MailConfig;

use api::{InboxApi, TextingApi};
use carrier::Carrier;
use mail::Mailer;
use policies::{
    EndSight, EndTexts, FollowAddress, FollowTexts, ForgetNumber, HearReplies, IssueNotices, OweNotice,
    SendAlerts, SendTexts, TellParties, TellPreparers, read_openings,
};
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
    let plan = config.texts.as_ref().map(TextsConfig::plan).transpose()?;
    let (owed, mail, texts) = (Arc::new(Notify::new()), Arc::new(Notify::new()), Arc::new(Notify::new()));
    let ending = EndTexts::new(&base, &mail);
    let texting = TextingApi::new(&base, plan, &config.gateways, ending.clone(), Arc::clone(&texts));
    let issuing = IssueNotices {
        base: base.clone(),
        renderer,
        catalogue,
        wake: Arc::clone(&owed),
        mail: Arc::clone(&mail),
        texts: Arc::clone(&texts),
    };
    let sending =
        SendAlerts { base: base.clone(), mailer: Mailer::new(&config.mail, &base)?, wake: Arc::clone(&mail) };
    let (waiting, reading) = (base.clone(), base.clone());
    let owing = OweNotice { base: base.clone(), wake: owed };
    let following = FollowAddress { base: base.clone(), mail: Arc::clone(&mail) };
    let reminding = TellParties { base: base.clone(), mail: Arc::clone(&mail) };
    let telling = TellPreparers { base: base.clone(), mail: Arc::clone(&mail) };
    let server = match &config.texts {
        Some(carrier) => send_texts(Server::new(base.clone()), carrier, ending, texts)?,
        None => Server::new(base.clone()),
    };
    server
        .grpc(InboxServiceServer::new(InboxApi::new(base, mail)))
        .grpc(TextingServiceServer::new(texting))
        .subscriber("cases-0", Arc::new(owing))
        .subscriber("cases-0", Arc::new(reminding))
        .subscriber("filing", Arc::new(telling))
        .subscriber("filing", Arc::new(EndSight))
        .subscriber("identity", Arc::new(following))
        .subscriber("identity", Arc::new(ForgetNumber))
        .task("notices", |stop| issuing.run(stop))
        .task("alerts", |stop| sending.run(stop))
        .task("the mail that waits", |stop| gauges::run(waiting, stop))
        .task("the openings of older cases", |stop| read_openings(reading, stop))
        .run(stop)
        .await
}

/// With the tasks that send texts, ask what became of them, and hear what is answered.
fn send_texts(
    server: Server,
    config: &TextsConfig,
    ending: EndTexts,
    wake: Arc<Notify>,
) -> anyhow::Result<Server> {
    let (base, carrier) = (ending.base.clone(), Carrier::new(config)?);
    let sending = SendTexts {
        base: base.clone(),
        carrier: carrier.clone(),
        ending: ending.clone(),
        wake: Arc::clone(&wake),
    };
    let following = FollowTexts { base: base.clone(), carrier: carrier.clone(), ending: ending.clone() };
    let every = Duration::from_secs(config.replies_every_s);
    let hearing = HearReplies { base, carrier, ending, texts: wake, every };
    Ok(server
        .task("texts", |stop| sending.run(stop))
        .task("what became of texts", |stop| following.run(stop))
        .task("replies to texts", |stop| hearing.run(stop)))
}
