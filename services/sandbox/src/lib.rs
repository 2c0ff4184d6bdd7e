//! The parties that are not ours, for development and tests: card processor, mail relay, SMS carrier,
//! virus scanner and register of persons, each speaking its real protocol and misbehaving on demand.

pub mod config;
mod cut;
mod ids;
mod journal;
mod mail;
mod parties;
mod processor;
mod register;
mod scanner;
mod sms;
mod store;

use std::{net::SocketAddr, sync::Arc};

use anyhow::Context;
use axum::{Router, routing::get};
use docket_kernel::{SharedClock, SystemClock};
use serde::Serialize;
use tokio::{net::TcpListener, task::JoinSet};

pub use config::Config;
use cut::{Cut, CuttableListener};
use store::Store;

/// Where each party listens.
#[derive(Debug, Clone, Serialize)]
pub struct Ports {
    /// Card processor, SMS carrier, register, controls, and the mail pages once more.
    pub http: SocketAddr,
    /// The caught mail: JSON and pages.
    pub mail_http: SocketAddr,
    pub smtp: SocketAddr,
    pub clamd: SocketAddr,
}

/// The running sandbox; dropping it stops every party.
pub struct Sandbox {
    pub ports: Ports,
    _tasks: JoinSet<()>,
}

/// What every party shares.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) store: Arc<Store>,
    pub(crate) config: Arc<Config>,
    pub(crate) clock: SharedClock,
    pub(crate) webhooks: processor::webhook::Sender,
}

impl Sandbox {
    /// Reads back the state, binds every port, writes the ports file and serves.
    ///
    /// # Errors
    /// An unusable configuration or certificate, a taken port, a damaged or used state folder.
    pub async fn start(config: Config) -> anyhow::Result<Self> {
        config.check()?;
        let tls = mail::tls::acceptor(&config.mail)?;
        let webhooks = processor::webhook::Sender::new(&config.processor)?;
        let store = Arc::new(Store::open(config.state_dir.as_deref())?);
        let shared = Shared { store, config: Arc::new(config), clock: Arc::new(SystemClock), webhooks };
        let config = &shared.config;
        let http = bind(config.listen_http).await?;
        let mail_http = bind(config.listen_mail_http).await?;
        let smtp = bind(config.listen_smtp).await?;
        let clamd = bind(config.listen_clamd).await?;
        let ports = Ports {
            http: http.local_addr()?,
            mail_http: mail_http.local_addr()?,
            smtp: smtp.local_addr()?,
            clamd: clamd.local_addr()?,
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(serve_http(http, everything(&shared)));
        tasks.spawn(serve_http(mail_http, mail::router().merge(health()).with_state(shared.clone())));
        tasks.spawn(mail::smtp::serve(smtp, shared.clone(), tls));
        tasks.spawn(scanner::serve(clamd, shared.clone()));
        tasks.spawn(processor::webhook::deliver_all(shared.clone()));
        tasks.spawn(processor::bank::settle_when_due(shared.clone()));
        if let Some(path) = &config.ports_file {
            write_ports(path, &ports).with_context(|| format!("writing {}", path.display()))?;
        }
        Ok(Self { ports, _tasks: tasks })
    }
}

fn everything(shared: &Shared) -> Router {
    processor::router(shared)
        .merge(sms::router(shared))
        .merge(register::router(shared))
        .merge(mail::router())
        .merge(parties::router())
        .merge(health())
        .with_state(shared.clone())
}

fn health() -> Router<Shared> {
    Router::new().route("/healthz", get(async || "ok"))
}

async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("listening on {address}"))
}

async fn serve_http(listener: TcpListener, router: Router) {
    let service = router.into_make_service_with_connect_info::<Cut>();
    if let Err(error) = axum::serve(CuttableListener(listener), service).await {
        tracing::error!(%error, "the HTTP listener ended");
    }
}

/// Writes the ports so that a reader never sees half a file.
fn write_ports(path: &std::path::Path, ports: &Ports) -> std::io::Result<()> {
    let draft = path.with_extension("tmp");
    std::fs::write(&draft, serde_json::to_vec(ports)?)?;
    std::fs::rename(draft, path)
}
