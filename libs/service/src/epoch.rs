//! `epoch raise|seen|accept`: after a log was restored to an earlier point. For the operator at the service's own machine,
//! since a service whose log went back should not be served from before it is known what its readers saw.

use anyhow::Context as _;
use clap::Subcommand;
use docket_eventlog::{EventLog, OpenLog, Queue};
use docket_messaging::{Broker, Compared, FeedClient, accept_epoch, compared, seen_beyond};
use sqlx::PgPool;

use crate::base::{channel_to, clock, owner_of, pool};
use crate::config::{ServiceConfig, connect_options};
use crate::keys::vault;
use crate::migrate::log_of;

/// The operator's commands after a restore.
#[derive(Subcommand)]
pub enum EpochCommand {
    /// Begins a new epoch of the service's own log: its next events are of another history than those that were lost.
    Raise {
        /// Why; it is kept for ever and published, so no names.
        #[arg(long)]
        reason: String,
        /// The position that the log was restored to, where events were written since. Without it the log must end there, and
        /// the broker must have a stream that says so.
        #[arg(long)]
        restored_to: Option<u64>,
    },
    /// Lists what this service has seen of a log that the log no longer has.
    Seen {
        /// The log, such as `cases-0`.
        log: String,
    },
    /// Lets this service go on with a log that was restored, after what it saw beyond was reconciled.
    Accept {
        /// The log.
        log: String,
        /// Who decides.
        #[arg(long)]
        by: String,
        /// Why; no names.
        #[arg(long)]
        reason: String,
    },
}

/// Carries a command out for service `name`, and says what it did.
///
/// # Errors
/// What could not be done, in words for the operator.
pub async fn run_epoch(
    config: &ServiceConfig,
    name: &'static str,
    command: EpochCommand,
) -> anyhow::Result<String> {
    let own = connect_options(&config.database.url, config.database.password_file.as_deref())?;
    let own = pool(own.application_name(name), 2).await?;
    let said = match command {
        EpochCommand::Raise { reason, restored_to } => {
            anyhow::ensure!(!reason.trim().is_empty(), "--reason: say why the log begins a new epoch");
            let log = open(config, name, &own).await?;
            if restored_to.is_none() {
                nothing_written_since(config, name, &log).await?;
            }
            let epoch = log.raise_epoch_after(restored_to, &reason).await?;
            format!("{} is in epoch {} from position {} on", log_of(name), epoch.number, epoch.from_position)
        }
        EpochCommand::Seen { log } => {
            let feed = feed(config, name, &own, &log).await?;
            match seen_beyond(&own, name, &log, &feed).await? {
                Some(beyond) => beyond.to_string(),
                None => format!("{name} has seen nothing of {log} that is not in it"),
            }
        }
        EpochCommand::Accept { log, by, reason } => {
            let feed = feed(config, name, &own, &log).await?;
            let now = clock(config)?.now();
            match accept_epoch(&own, &feed, (name, &log), (&by, &reason), now).await? {
                Some(beyond) => format!("accepted; {beyond}"),
                None => format!("nothing to accept: {name} has seen nothing of {log} that is not in it"),
            }
        }
    };
    own.close().await;
    Ok(said)
}

/// Whether the log goes on where its stream has the same history: what was written after a restore would be taken for what
/// others saw at those positions.
async fn nothing_written_since(
    config: &ServiceConfig,
    name: &'static str,
    log: &EventLog,
) -> anyhow::Result<()> {
    let broker = Broker::connect(&config.broker_options(name)).await;
    let broker = broker.context("ask the broker what others saw; without it, say --restored-to")?;
    match compared(log, &broker).await? {
        Compared::OneHistory => Ok(()),
        Compared::PartedAfter(position) => anyhow::bail!(
            "events were written since the log was restored: others saw other ones after position {position}. Say --restored-to {position} if that is where it was restored to"
        ),
        Compared::Nothing => {
            let position = log.position().await?;
            anyhow::bail!(
                "the broker has nothing to compare the log with, so nobody can tell whether events were written since it was restored. Say --restored-to POSITION, as the backup or the standby tells it; {position}, where the log ends, if none were"
            )
        }
    }
}

async fn open(config: &ServiceConfig, name: &'static str, own: &PgPool) -> anyhow::Result<EventLog> {
    let clock = clock(config)?;
    EventLog::open(OpenLog {
        name: log_of(name),
        pool: own.clone(),
        vault: vault(config, own, name, clock.clone()).await?,
        clock,
        personal: docket_proto::personal_fields,
        producer: format!("{name}/{}", env!("CARGO_PKG_VERSION")),
        rules: String::new(),
        queue: Queue::default(),
    })
    .await
    .context("open the log; was `migrate` run?")
}

/// The log as its owner has it: our own, or by its port.
pub(crate) async fn feed(
    config: &ServiceConfig,
    name: &'static str,
    own: &PgPool,
    log: &str,
) -> anyhow::Result<FeedClient> {
    if log == log_of(name) {
        return Ok(FeedClient::local(open(config, name, own).await?));
    }
    Ok(FeedClient::grpc(channel_to(config, owner_of(log))?))
}
