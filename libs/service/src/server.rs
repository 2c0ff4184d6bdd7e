//! The server: a service's faces and workers, started together and stopped in order.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use docket_messaging::{Consumer, Redriver, Relay, Stop, Subscriber};
use docket_proto::log::v1::event_feed_service_server::EventFeedServiceServer;
use docket_proto::log::v1::log_admin_service_server::LogAdminServiceServer;
use docket_proto::log::v1::subject_admin_service_server::SubjectAdminServiceServer;
use futures::TryStreamExt as _;
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::{Routes, RoutesBuilder};
use tonic::transport::ServerTlsConfig;
use tonic::transport::server::TcpIncoming;
use tower::{Layer as _, Service};

use crate::admin::{Health, STOPPING};
use crate::auth::Auth;
use crate::erasures::{self, Erasures};
use crate::event_feed::EventFeed;
use crate::https::Https;
use crate::lasting::Lasting;
use crate::local::Local;
use crate::log_admin::{self, LogAdmin, Projection, SubjectAdmin};
use crate::roles::Roles;
use crate::timers::{self, TimerHandler};
use crate::token::{KeySource, RemoteKeys, Tokens};
use crate::workers::{Workers, drain, named, stay_halted, until_stop_or_fault};
use crate::{Base, gauges, keys, telemetry, tls};

/// Calls in flight may take this long to end after the stop.
const FINISH_CALLS: Duration = Duration::from_secs(20);
/// Workers may take this long for the transaction at hand. With five seconds each for what comes before and after, an end
/// in order takes 43 s at most: less than the 45 s after which Kubernetes ends it.
const FINISH_WORK: Duration = Duration::from_secs(10);
/// The database's connections may take this long to close.
const CLOSE: Duration = Duration::from_secs(3);
const KEEP_ALIVE: Duration = Duration::from_secs(20);
const HEADER_BYTES: u32 = 16 * 1024;
const STREAMS: u32 = 256;

type Task = Box<dyn FnOnce(Stop) -> BoxFuture<'static, anyhow::Result<()>> + Send>;
type Face = Box<dyn FnOnce(Local) -> axum::Router + Send>;

/// Where a running server listens; also written to `<data_dir>/listening.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listening {
    /// gRPC with TLS.
    pub grpc: SocketAddr,
    /// Health and metrics.
    pub admin: SocketAddr,
    /// The HTTP face, where there is one.
    pub http: Option<SocketAddr>,
}

impl Listening {
    /// What a server with that data folder has written; none before it listens.
    pub fn read(data_dir: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(data_dir.join("listening.json")).ok()?).ok()
    }

    fn write(&self, data_dir: &Path) -> anyhow::Result<()> {
        // By another name first: nobody reads half of it.
        let (file, new) = (data_dir.join("listening.json"), data_dir.join("listening.json.new"));
        std::fs::write(&new, serde_json::to_vec(self)?)?;
        Ok(std::fs::rename(&new, &file)?)
    }
}

/// A service's faces and workers.
pub struct Server {
    base: Base,
    routes: RoutesBuilder,
    http: Vec<Face>,
    subscribers: BTreeMap<String, Vec<Arc<dyn Subscriber>>>,
    timers: Option<Arc<dyn TimerHandler>>,
    projections: Vec<Arc<dyn Projection>>,
    tasks: Vec<(String, Task)>,
    tokens: Option<Tokens>,
}

impl Server {
    /// A server with what all have: health, reflection in development, the feed of its log, the relay, the roles.
    pub fn new(base: Base) -> Self {
        let mut routes = RoutesBuilder::default();
        routes.add_service(EventFeedServiceServer::new(EventFeed(base.log.clone())));
        let roles: Arc<dyn Subscriber> = Arc::new(Roles);
        let mut of_identity = vec![roles];
        if erasures::answered_by(&base) {
            of_identity.push(Arc::new(Erasures { come: Arc::clone(&base.erased) }));
        }
        let subscribers = BTreeMap::from([("identity".to_owned(), of_identity)]);
        Self {
            base,
            routes,
            http: Vec::new(),
            subscribers,
            timers: None,
            projections: Vec::new(),
            tasks: Vec::new(),
            tokens: None,
        }
    }

    /// Adds a gRPC service.
    #[must_use]
    pub fn grpc<S>(mut self, service: S) -> Self
    where
        S: Service<http::Request<Body>, Error = Infallible> + NamedService + Clone + Send + Sync + 'static,
        S::Response: axum::response::IntoResponse,
        S::Future: Send + 'static,
    {
        self.routes.add_service(service);
        self
    }

    /// Adds routes to the HTTP face at `http_listen`.
    #[must_use]
    pub fn http(self, router: axum::Router) -> Self {
        self.http_over(|_grpc| router)
    }

    /// Adds routes to the HTTP face that say in HTTP what the gRPC services of this server do: they call them.
    #[must_use]
    pub fn http_over(mut self, face: impl FnOnce(Local) -> axum::Router + Send + 'static) -> Self {
        self.http.push(Box::new(face));
        self
    }

    /// Subscribes to a log: `payments`, `cases-0` … Several subscribers of one log act in one transaction, in the
    /// order they were added.
    #[must_use]
    pub fn subscriber(mut self, log: &str, subscriber: Arc<dyn Subscriber>) -> Self {
        self.subscribers.entry(log.to_owned()).or_default().push(subscriber);
        self
    }

    /// Fires the log's timers with `handler`.
    #[must_use]
    pub fn timers(mut self, handler: Arc<dyn TimerHandler>) -> Self {
        self.timers = Some(handler);
        self
    }

    /// Lets operators build this projection again.
    #[must_use]
    pub fn projection(mut self, projection: Arc<dyn Projection>) -> Self {
        self.projections.push(projection);
        self
    }

    /// Runs `task` beside the server; it ends when its `stop` is cancelled. An error or a panic stops the server.
    #[must_use]
    pub fn task<F, Fut>(mut self, name: &str, task: F) -> Self
    where
        F: FnOnce(Stop) -> Fut + Send + 'static,
        Fut: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        self.tasks.push((name.to_owned(), Box::new(move |stop| Box::pin(task(stop)))));
        self
    }

    /// Takes the keys of access tokens from `source` instead of identity: for identity itself.
    #[must_use]
    pub fn keys(mut self, source: impl KeySource) -> Self {
        self.tokens = Some(Tokens::new(source, self.base.clock.clone()));
        self
    }

    /// Serves until `stop`, then ends in order: not ready, no new calls, calls in flight, workers, connections.
    ///
    /// # Errors
    /// An address that cannot be bound, certificates that cannot be used, a worker that died.
    pub async fn run(mut self, stop: Stop) -> anyhow::Result<()> {
        let config = Arc::clone(&self.base.config);
        let grpc = TcpListener::bind(config.grpc_listen).await.context("service.grpc_listen")?;
        let admin = TcpListener::bind(config.admin_listen).await.context("service.admin_listen")?;
        let http = match config.http_listen.filter(|_| !self.http.is_empty()) {
            Some(address) => Some(TcpListener::bind(address).await.context("service.http_listen")?),
            None if self.http.is_empty() => None,
            None => anyhow::bail!("service.http_listen is missing: this service has an HTTP face"),
        };
        let listening = Listening {
            grpc: grpc.local_addr()?,
            admin: admin.local_addr()?,
            http: http.as_ref().map(TcpListener::local_addr).transpose()?,
        };

        let (health, admin_routes) = Health::new().await;
        // Workers and the admin port outlive the calls, which need them.
        let (working, calls) = (Stop::new(), self.base.stopping.clone());
        let mut faces: JoinSet<anyhow::Result<()>> = JoinSet::new();
        let mut workers = Workers::new();
        let base = self.base.clone();
        let redrivers = self.spawn_workers(&mut workers, &working);
        let (auth, routes) = self.guarded(redrivers)?;
        if let Some(listener) = http {
            let local = Local::new(auth.layer(routes.clone()));
            let all = std::mem::take(&mut self.http).into_iter();
            let app = all.fold(axum::Router::new(), |app, face| app.merge(face(local.clone())));
            let calls = calls.clone().cancelled_owned();
            let listener = Https::new(listener, tls::https(&config.tls).context("service.tls")?)?;
            faces.spawn(async move { Ok(axum::serve(listener, app).with_graceful_shutdown(calls).await?) });
        }
        let lasting = Lasting::new(config.connection_age_s);
        faces.spawn(serve_grpc(grpc, tls::server(&config.tls)?, (auth, routes), lasting, calls.clone())?);
        let ending = working.clone().cancelled_owned();
        workers.spawn(named("admin", async move {
            Ok(axum::serve(admin, admin_routes).with_graceful_shutdown(ending).await?)
        }));
        let (watching, watched) = (health.clone(), calls.clone());
        let pool = base.pool.clone();
        workers.spawn(named("health", async move {
            watching.watch(pool, watched).await;
            Ok(())
        }));
        listening.write(&config.data_dir).context("write listening.json")?;
        tracing::info!(grpc = %listening.grpc, admin = %listening.admin, "listening");

        let fault = until_stop_or_fault(&stop, &mut faces, &mut workers, &working).await;
        if let Err(error) = &fault {
            tracing::error!(error = format!("{error:#}"), "stopping because a part of the service died");
            health.set_dead(&error.to_string()).await;
        }
        health.set_ready(Some(STOPPING.to_owned())).await;
        if fault.is_ok() {
            sleep(Duration::from_millis(config.drain_delay_ms)).await;
        }
        calls.cancel();
        drain("calls", &mut faces, FINISH_CALLS).await;
        working.cancel();
        drain("workers", &mut workers, FINISH_WORK).await;
        let _ = std::fs::remove_file(config.data_dir.join("listening.json"));
        if timeout(CLOSE, base.pool.close()).await.is_err() {
            tracing::warn!("the database's connections did not close in time");
        }
        tracing::info!("stopped");
        fault
    }

    /// The gRPC services, and the layer that stands before them.
    fn guarded(&mut self, redrivers: Vec<(String, Redriver)>) -> anyhow::Result<(Auth, Routes)> {
        let base = &self.base;
        let tokens = self.tokens.take();
        let tokens =
            tokens.unwrap_or_else(|| Tokens::new(RemoteKeys(base.channel("identity")), base.clock.clone()));
        let reflection = !base.config.is_production();
        let log_access = log_admin::access().context("the operators' policy")?;
        let access = [base.access.clone(), log_access.clone()];
        let auth = Auth::new(base.name, tokens, access, base.pool.clone(), reflection);
        let mut routes = std::mem::take(&mut self.routes);
        let projections = std::mem::take(&mut self.projections);
        let subject_admin = SubjectAdmin::new(base.clone(), log_access.clone());
        routes.add_service(SubjectAdminServiceServer::new(subject_admin));
        let log_admin = LogAdmin::new(base.clone(), log_access, redrivers, projections);
        routes.add_service(LogAdminServiceServer::new(log_admin));
        if reflection {
            let reflection = tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(docket_proto::DESCRIPTORS)
                .build_v1()?;
            routes.add_service(reflection);
        }
        Ok((auth, routes.routes()))
    }

    fn spawn_workers(&mut self, workers: &mut Workers, working: &Stop) -> Vec<(String, Redriver)> {
        let base = &self.base;
        let mut redrivers = Vec::new();
        if base.published {
            let relay = Relay::new(base.log.clone(), base.broker.clone());
            let relay = relay.refill(base.config.broker.refill_events);
            let (stop, halted) = (working.clone(), working.clone());
            workers.spawn(named("relay", async move { stay_halted(relay.run(stop).await, halted).await }));
            workers.spawn(named("checkpoints", sign_checkpoints(base.clone(), working.clone())));
        }
        for (log, subscribers) in std::mem::take(&mut self.subscribers) {
            let consumer =
                Consumer::new(base.name, &log, base.pool.clone(), base.broker.clone(), base.feed(&log))
                    .clock(base.clock.clone())
                    .waking(base.log.clone());
            let consumer = subscribers.into_iter().fold(consumer, Consumer::with);
            redrivers.push((log.clone(), consumer.redriver()));
            let (stop, halted) = (working.clone(), working.clone());
            let name = format!("consumer of {log}");
            workers.spawn(named(&name, async move { stay_halted(consumer.run(stop).await, halted).await }));
        }
        workers.spawn(named("measurements", telemetry::add_up(working.clone())));
        workers.spawn(named("gauges", gauges::run(base.clone(), working.clone())));
        if base.config.keys_database.is_some() {
            workers.spawn(named("scrub", keys::scrub_daily(base.vault.clone(), working.clone())));
        }
        if erasures::answered_by(base) {
            workers.spawn(named("erasures", erasures::run(base.clone(), working.clone())));
        }
        if let Some(handler) = self.timers.take() {
            workers.spawn(named("timers", timers::run(base.clone(), handler, working.clone())));
        }
        for (name, task) in self.tasks.drain(..) {
            workers.spawn(named(&name, task(working.clone())));
        }
        redrivers
    }
}

fn serve_grpc(
    listener: TcpListener,
    tls: ServerTlsConfig,
    (auth, routes): (Auth, Routes),
    lasting: Lasting,
    calls: Stop,
) -> anyhow::Result<impl Future<Output = anyhow::Result<()>> + Send + 'static> {
    let server = tonic::transport::Server::builder()
        .tls_config(tls)
        .context("service.tls")?
        .max_concurrent_streams(STREAMS)
        .http2_max_header_list_size(HEADER_BYTES)
        .http2_keepalive_interval(Some(KEEP_ALIVE))
        .max_connection_age(lasting.age)
        .layer(auth)
        .add_routes(routes);
    let incoming =
        TcpIncoming::from(listener).with_nodelay(Some(true)).map_ok(move |line| lasting.begin(line));
    Ok(async move { Ok(server.serve_with_incoming_shutdown(incoming, calls.cancelled_owned()).await?) })
}

/// Signs the log's tree every ten seconds or thousand events. A log of which something is missing is signed no more, and
/// served all the same: whoever finds out what is missing needs the server.
async fn sign_checkpoints(base: Base, stop: Stop) -> anyhow::Result<()> {
    let key = log_admin::checkpoint_key(&base)?;
    let log = base.log.name();
    if let Some(Err(error)) = stop.run_until_cancelled(base.log.run_checkpoints(key)).await {
        tracing::error!(log, %error, "checkpoints are signed no more: the log is not as it was written");
        metrics::gauge!("docket_checkpoints_halted", "log" => log).set(1.0);
        stop.cancelled().await;
    }
    Ok(())
}
