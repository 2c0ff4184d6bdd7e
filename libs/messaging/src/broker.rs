//! The broker: a connection to NATS that comes back by itself, and how our streams and consumers look.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, PullConsumer, pull};
use async_nats::jetstream::context::{CreateStreamErrorKind, GetStreamErrorKind};
use async_nats::jetstream::stream::{self, DiscardPolicy, RetentionPolicy, StorageType};
use async_nats::jetstream::{self, ErrorCode};
use sqlx::PgPool;

use crate::{Error, LogEpoch, log_epochs};

/// Name of the header and of the stream's metadata which carry the number of the log's epoch.
pub const EPOCH: &str = "docket-epoch";
/// Name of the stream's metadata which carries the id of the log's epoch.
const EPOCH_ID: &str = "docket-epoch-id";
/// How long a request to the broker may take.
const REQUEST: Duration = Duration::from_secs(5);
/// How long an event may be worked on before the broker sends it again; repetitions do no harm.
const ACK_WAIT: Duration = Duration::from_secs(30);
/// How many events a consumer may have unacknowledged.
pub(crate) const IN_FLIGHT: usize = 512;

/// Where the broker is and who we are.
#[derive(Debug, Clone, Default)]
pub struct BrokerOptions {
    /// `tls://host:port`, or `nats://host:port` without TLS.
    pub url: String,
    /// The name under which we connect; also of the inbox prefix `_INBOX_<name>`.
    pub name: String,
    /// Our certificate and its key, when TLS is spoken.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// The authority that signed the broker's certificate.
    pub ca: Option<PathBuf>,
    /// Replicas of each stream: 1 on one machine, 3 in a cluster.
    pub replicas: usize,
}

/// How the stream of a log begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamStart {
    /// The log's epoch.
    pub epoch: LogEpoch,
    /// The position of the first message it will hold; older ones are read from the log's owner.
    pub first_sequence: u64,
}

impl StreamStart {
    /// For a log of these epochs that ends at `head`: its last `refill` positions.
    pub(crate) fn new(epochs: &[LogEpoch], head: u64, refill: u64) -> Self {
        // A log that was never opened begins with its first epoch.
        let epoch = epochs.last().cloned().unwrap_or_else(|| LogEpoch::known_as(1, None));
        Self { epoch, first_sequence: head.saturating_sub(refill) + 1 }
    }

    /// For the log in its own database.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn of(pool: &PgPool, log: &str, refill: u64) -> Result<Self, Error> {
        let head = sqlx::query_scalar!("SELECT position FROM log.head WHERE log = $1", log)
            .fetch_optional(pool)
            .await?;
        Ok(Self::new(&log_epochs(pool, log).await?, head.unwrap_or_default().unsigned_abs(), refill))
    }
}

/// The broker. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Broker {
    client: async_nats::Client,
    context: jetstream::Context,
    replicas: usize,
}

impl Broker {
    /// Makes the connection, which is kept trying for in the background: a broker that is down is no error here.
    ///
    /// # Errors
    /// [`Error::Broker`] when the address or the certificates cannot be used.
    pub async fn connect(options: &BrokerOptions) -> Result<Self, Error> {
        let mut connect = async_nats::ConnectOptions::new()
            .name(&options.name)
            .custom_inbox_prefix(format!("_INBOX_{}", options.name))
            .retry_on_initial_connect()
            .request_timeout(Some(REQUEST))
            .reconnect_delay_callback(|attempt| {
                Duration::from_millis(u64::try_from(attempt).unwrap_or(20).min(20) * 100)
            })
            .event_callback(|event| async move {
                tracing::debug!(event = %event, "broker connection");
            });
        if let Some(ca) = &options.ca {
            connect = connect.add_root_certificates(ca.clone());
        }
        if let Some((cert, key)) = &options.identity {
            connect = connect.add_client_certificate(cert.clone(), key.clone());
        }
        let client = connect.connect(&options.url).await.map_err(Error::broker)?;
        let context = jetstream::ContextBuilder::new()
            .timeout(REQUEST)
            .ack_timeout(REQUEST)
            .max_ack_inflight(4096)
            .build(client.clone());
        Ok(Self { client, context, replicas: options.replicas.max(1) })
    }

    /// The connection itself, for core NATS such as wake-ups.
    pub fn client(&self) -> &async_nats::Client {
        &self.client
    }

    /// `JetStream`.
    pub fn jetstream(&self) -> &jetstream::Context {
        &self.context
    }

    /// Whether the connection stands now.
    pub fn is_connected(&self) -> bool {
        self.client.connection_state() == async_nats::connection::State::Connected
    }

    /// The stream of a log; none when there is none.
    pub(crate) async fn stream(&self, log: &str) -> Result<Option<stream::Stream>, Error> {
        match self.context.get_stream(log).await {
            Ok(stream) => Ok(Some(stream)),
            Err(error) => {
                let kind = error.kind();
                let code = if let GetStreamErrorKind::JetStream(inner) = &kind {
                    Some(inner.error_code())
                } else {
                    None
                };
                if code == Some(ErrorCode::STREAM_NOT_FOUND) { Ok(None) } else { Err(Error::broker(error)) }
            }
        }
    }

    /// The stream of a log, made when there is none. It holds everything from its first sequence on for
    /// ever: limits would make gaps.
    ///
    /// # Errors
    /// [`Error::Broker`].
    pub async fn ensure_stream(&self, log: &str, start: &StreamStart) -> Result<stream::Stream, Error> {
        if let Some(stream) = self.stream(log).await? {
            return Ok(stream);
        }
        let StreamStart { epoch, first_sequence } = start;
        let mut metadata = HashMap::from([(EPOCH.to_owned(), epoch.number.to_string())]);
        if !epoch.id.is_nil() {
            metadata.insert(EPOCH_ID.to_owned(), epoch.id.to_string());
        }
        let config = stream::Config {
            name: log.to_owned(),
            subjects: vec![format!("docket.{log}.>")],
            retention: RetentionPolicy::Limits,
            discard: DiscardPolicy::New,
            storage: StorageType::File,
            num_replicas: self.replicas,
            deny_delete: true,
            deny_purge: true,
            allow_direct: true,
            first_sequence: Some(*first_sequence).filter(|first| *first > 1),
            metadata,
            ..stream::Config::default()
        };
        match self.context.create_stream(config).await {
            Ok(stream) => {
                tracing::info!(log, epoch = epoch.number, first_sequence, "made the stream");
                Ok(stream)
            }
            // Another relay was quicker.
            Err(error) if matches!(error.kind(), CreateStreamErrorKind::JetStream(_)) => {
                self.stream(log).await?.ok_or_else(|| Error::broker(error))
            }
            Err(error) => Err(Error::broker(error)),
        }
    }

    /// Takes the stream of a log away with all it holds. Only its relay does so, which can refill it.
    pub(crate) async fn delete_stream(&self, log: &str) -> Result<(), Error> {
        self.context.delete_stream(log).await.map(drop).map_err(Error::broker)
    }

    /// The durable consumer of a service on a log's stream, made when there is none, to begin after position
    /// `after`; none without the stream.
    ///
    /// # Errors
    /// [`Error::Broker`].
    pub async fn ensure_consumer(
        &self,
        log: &str,
        service: &str,
        after: u64,
    ) -> Result<Option<PullConsumer>, Error> {
        let Some(stream) = self.stream(log).await? else { return Ok(None) };
        let config = pull::Config {
            durable_name: Some(service.to_owned()),
            deliver_policy: match after {
                0 => DeliverPolicy::All,
                after => DeliverPolicy::ByStartSequence { start_sequence: after + 1 },
            },
            ack_policy: AckPolicy::Explicit,
            ack_wait: ACK_WAIT,
            max_ack_pending: i64::try_from(IN_FLIGHT).expect("a small number"),
            max_deliver: -1,
            ..pull::Config::default()
        };
        stream.get_or_create_consumer(service, config).await.map(Some).map_err(Error::broker)
    }
}

/// The epoch a stream says it carries; none when its metadata has none.
pub(crate) fn stream_epoch(info: &stream::Info) -> Option<LogEpoch> {
    let metadata = &info.config.metadata;
    let number = metadata.get(EPOCH)?.parse().ok()?;
    Some(LogEpoch::known_as(number, metadata.get(EPOCH_ID).and_then(|id| id.parse().ok())))
}
