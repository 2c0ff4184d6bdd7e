//! The base: what a service is connected to, made once at the start and cloned freely.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use docket_eventlog::{EventLog, OpenLog, Queue};
use docket_kernel::{SharedClock, SystemClock};
use docket_messaging::{Broker, FeedClient, Stop};
use docket_vault::Vault;
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::Notify;
use tonic::transport::{Channel, Endpoint};

use crate::access::Access;
use crate::clock::OffsetClock;
use crate::config::{ServiceConfig, connect_options};
use crate::objects::Objects;
use crate::{keys, tls};

/// How long the databases and the keeper of the keys are waited for at the start.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// What a service says about itself.
pub struct BaseOptions {
    name: &'static str,
    log: &'static str,
    policies: &'static str,
    schema: &'static str,
    rules: String,
    clock: Option<SharedClock>,
    published: bool,
}

impl BaseOptions {
    /// Service `name` (also its name in certificates) with its log, and its `access.cedar` and `access.cedarschema`.
    pub fn new(name: &'static str, log: &'static str, policies: &'static str, schema: &'static str) -> Self {
        Self { name, log, policies, schema, rules: String::new(), clock: None, published: true }
    }

    /// Version of the catalogue or rule set, for the events' metadata.
    #[must_use]
    pub fn rules(mut self, rules: impl Into<String>) -> Self {
        self.rules = rules.into();
        self
    }

    /// Nobody reads this log: it is not published, and the broker has no stream of it.
    #[must_use]
    pub fn unpublished(mut self) -> Self {
        self.published = false;
        self
    }

    /// Takes the time from `clock` instead of the system and the offset file.
    #[must_use]
    pub fn clock(mut self, clock: SharedClock) -> Self {
        self.clock = Some(clock);
        self
    }
}

/// What a service is connected to.
#[derive(Clone)]
pub struct Base {
    /// The service's name.
    pub name: &'static str,
    /// Its configuration.
    pub config: Arc<ServiceConfig>,
    /// Its database.
    pub pool: PgPool,
    /// Its keys.
    pub vault: Vault,
    /// Its log.
    pub log: EventLog,
    /// The time.
    pub clock: SharedClock,
    /// The broker.
    pub broker: Broker,
    /// Who may do what.
    pub access: Access,
    /// Sealed files.
    pub objects: Objects,
    /// Cancelled when the server stops taking calls: streams to callers end then.
    pub stopping: Stop,
    /// Woken when an operator's approval has erased somebody here, or an order of identity has come.
    pub erased: Arc<Notify>,
    pub(crate) published: bool,
    channels: Arc<Mutex<BTreeMap<String, Channel>>>,
}

impl Base {
    /// Connects to databases and broker, opens the log, reads the policies. The broker may be away, the database
    /// is waited for up to a minute.
    ///
    /// # Errors
    /// What is missing or wrong, in words for the operator.
    pub async fn connect(config: &ServiceConfig, options: BaseOptions) -> anyhow::Result<Self> {
        tls::install_provider();
        let access = Access::new(options.policies, options.schema).context("access.cedar")?;
        let clock = options.clock.map_or_else(|| clock(config), Ok)?;
        std::fs::create_dir_all(&config.data_dir)
            .with_context(|| format!("make {}", config.data_dir.display()))?;
        let database = connect_options(&config.database.url, config.database.password_file.as_deref())?;
        let pool = pool(database.application_name(options.name), config.database.max_connections).await?;
        let vault = keys::vault(config, &pool, options.name, clock.clone()).await?;
        let log = EventLog::open(OpenLog {
            name: options.log,
            pool: pool.clone(),
            vault: vault.clone(),
            clock: clock.clone(),
            personal: docket_proto::personal_fields,
            producer: format!("{}/{}", options.name, env!("CARGO_PKG_VERSION")),
            rules: options.rules,
            queue: Queue::default(),
        })
        .await
        .context("open the log; was `migrate` run?")?;
        let broker = Broker::connect(&config.broker_options(options.name)).await.context("the broker")?;
        let objects = Objects::open(config, vault.clone()).context("the objects")?;
        Ok(Self {
            name: options.name,
            config: Arc::new(config.clone()),
            pool,
            vault,
            log,
            clock,
            broker,
            access,
            objects,
            stopping: Stop::new(),
            erased: Arc::default(),
            published: options.published,
            channels: Arc::default(),
        })
    }

    /// A channel to another service, with our certificate; connects when first used, and again after a loss.
    ///
    /// A peer that is not configured gives a channel whose calls fail as UNAVAILABLE.
    pub fn channel(&self, peer: &str) -> Channel {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(channel) = channels.get(peer) {
            return channel.clone();
        }
        let channel = channel_to(&self.config, peer).unwrap_or_else(|error| {
            tracing::error!(peer, error = format!("{error:#}"), "a peer cannot be called");
            Endpoint::from_static("http://127.0.0.1:1").connect_lazy()
        });
        channels.insert(peer.to_owned(), channel.clone());
        channel
    }

    /// The feed of a log: our own, or its owner's.
    pub fn feed(&self, log: &str) -> FeedClient {
        if log == self.log.name() {
            return FeedClient::local(self.log.clone());
        }
        FeedClient::grpc(self.channel(owner_of(log)))
    }
}

/// The service that owns a log: `case-status` has several, all others one of their own name.
pub(crate) fn owner_of(log: &str) -> &str {
    if log.starts_with("cases-") { "case-status" } else { log }
}

pub(crate) fn channel_to(config: &ServiceConfig, peer: &str) -> anyhow::Result<Channel> {
    let url = config.peers.get(peer).with_context(|| format!("service.peers has no {peer}"))?;
    Ok(Endpoint::from_shared(url.clone())?
        .tls_config(tls::client(&config.tls)?)?
        .connect_timeout(Duration::from_secs(2))
        .http2_keep_alive_interval(Duration::from_secs(20))
        .keep_alive_while_idle(true)
        .connect_lazy())
}

pub(crate) fn clock(config: &ServiceConfig) -> anyhow::Result<SharedClock> {
    match &config.clock_offset_file {
        None => Ok(Arc::new(SystemClock)),
        Some(_) if config.is_production() => anyhow::bail!("clock_offset_file is refused in production"),
        Some(file) => Ok(Arc::new(OffsetClock::new(file.clone()))),
    }
}

/// A pool that has connected at least once.
pub(crate) async fn pool(options: PgConnectOptions, most: u32) -> anyhow::Result<PgPool> {
    let pool = docket_database::pool_options()
        .max_connections(most)
        .acquire_timeout(Duration::from_secs(5))
        .connect_lazy_with(options);
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        match sqlx::query_scalar!("SELECT 1").fetch_one(&pool).await {
            Ok(_) => return Ok(pool),
            Err(error) if tokio::time::Instant::now() > deadline => {
                return Err(error).context("the database cannot be reached");
            }
            Err(sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut) => {
                tracing::info!("waiting for the database");
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            // 57P03: the server is starting up.
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("57P03") => {
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            Err(error) => return Err(error).context("the database refuses us"),
        }
    }
}
