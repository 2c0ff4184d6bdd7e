//! Identity: accounts, second factors, sessions and tokens, roles, and the proof of who somebody is.
//!
//! Reading order: `domain` (the rules), `app` (what each call does), `store` (rows which are not events),
//! then the parts: `password`, `totp`, `code`, `keys`, `token`, `mail`, `register`; `api` and `face` on top.

mod api;
mod app;
mod code;
mod config;
mod domain;
mod face;
pub mod invite;
mod keys;
mod mail;
mod password;
mod register;
mod store;
mod token;
mod totp;

use docket_kernel::SharedClock;
use docket_proto::identity::v1::account_service_server::AccountServiceServer;
use docket_proto::identity::v1::directory_service_server::DirectoryServiceServer;
use docket_proto::identity::v1::erasure_service_server::ErasureServiceServer;
use docket_proto::identity::v1::person_service_server::PersonServiceServer;
use docket_proto::identity::v1::role_service_server::RoleServiceServer;
use docket_proto::identity::v1::session_service_server::SessionServiceServer;
use docket_service::{Base, BaseOptions, Server, Stop};
use sqlx::migrate::Migrator;

pub use config::{Config, RegisterConfig};
pub use docket_mail::MailConfig;

/// The migrations of identity's own tables.
pub static MIGRATOR: Migrator = sqlx::migrate!();

/// Serves until the stop.
///
/// # Errors
/// What is missing or wrong at the start; a part that died.
pub async fn serve(config: Config, stop: Stop) -> anyhow::Result<()> {
    serve_with(config, None, stop).await
}

/// [`serve`] with another clock, for tests.
///
/// # Errors
/// As [`serve`].
pub async fn serve_with(config: Config, clock: Option<SharedClock>, stop: Stop) -> anyhow::Result<()> {
    let (policies, schema) = (include_str!("access.cedar"), include_str!("access.cedarschema"));
    let mut options = BaseOptions::new("identity", "identity", policies, schema);
    if let Some(clock) = clock {
        options = options.clock(clock);
    }
    let base = Base::connect(&config.service, options).await?;
    let keys = keys::KeyRing::open(base.pool.clone(), base.vault.clone(), base.clock.clone()).await?;
    let outbox = mail::Outbox::new(base.pool.clone(), base.vault.clone(), base.clock.clone());
    let sender = mail::Sender::new(outbox.clone(), &config.mail, config.service.is_production())?;
    let waiting = outbox.clone();
    let register = register::Register::new(&config.register.url)?;
    let app = app::Identity::new(&base, keys.clone(), outbox, register).await?;
    let (pool, clock) = (base.pool.clone(), base.clock.clone());
    let api = api::Api::new(app.clone(), &base, &config.gateways);
    let erasures = app.clone();
    Server::new(base)
        .keys(keys.clone())
        .grpc(AccountServiceServer::new(api.clone()))
        .grpc(SessionServiceServer::new(api.clone()))
        .grpc(DirectoryServiceServer::new(api.clone()))
        .grpc(ErasureServiceServer::new(api.clone()))
        .grpc(PersonServiceServer::new(api.clone()))
        .grpc(RoleServiceServer::new(api))
        .http(face::router(keys.clone()))
        .task("mail", |stop| sender.run(stop))
        .task("the mail that waits", |stop| waiting.tell(stop))
        .task("signing keys", |stop| keys.keep_fresh(stop))
        .task("housekeeping", |stop| store::housekeeping::run(pool, clock, stop))
        .task("erasures", |stop| erasures.tell_erasures(stop))
        .task("security events", |stop| app.finish(stop))
        .run(stop)
        .await
}
