//! The program around a service: `serve`, `migrate`, `config check`, `streams setup`, `import`, `prove`,
//! `keys …`, `epoch …`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use docket_messaging::Stop;
use futures::future::BoxFuture;
use serde::de::DeserializeOwned;
use sqlx::migrate::Migrator;
use tokio::signal::unix::{SignalKind, signal};

use crate::config::{self, ServiceConfig};
use crate::epoch::{EpochCommand, run_epoch};
use crate::keys::{KeysCommand, run_keys};
use crate::{Import, Prove, migrate, schema, telemetry};

/// Ended by a second signal.
const IMPATIENT: i32 = 130;

/// A service's program. The whole of a `main.rs`:
///
/// ```ignore
/// fn main() -> ExitCode {
///     docket_service::main::<filing::Config>(Program {
///         name: "filing",
///         migrations: &filing::MIGRATOR, // pub static MIGRATOR: Migrator = sqlx::migrate!();
///         serve: |config, stop| Box::pin(filing::serve(config, stop)),
///     })
/// }
/// ```
pub struct Program<C> {
    /// The service's name.
    pub name: &'static str,
    /// The migrations of its own tables.
    pub migrations: &'static Migrator,
    /// Serves until the stop.
    pub serve: fn(C, Stop) -> BoxFuture<'static, anyhow::Result<()>>,
}

#[derive(Parser)]
#[command(version, about = "A service of Docket. Configured by DOCKET_CONFIG and DOCKET__SECTION__KEY.")]
struct Arguments {
    /// The configuration file (TOML).
    #[arg(long, env = "DOCKET_CONFIG", global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves until SIGTERM or SIGINT.
    Serve,
    /// Brings the databases up to date, as their owner.
    Migrate,
    /// Looks at the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Makes what the broker needs.
    #[command(subcommand)]
    Streams(StreamsCommand),
    /// Checks a portable file of a log, and puts it into the empty log of a throw-away database.
    Import(Import),
    /// Makes a proof out of such a file that one event stands in the log that was signed.
    Prove(Prove),
    /// Looks at the service's keys and replaces them.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// After a log was restored to an earlier point.
    #[command(subcommand)]
    Epoch(EpochCommand),
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Prints the effective configuration, secrets struck out; fails when it is wrong.
    Check,
}

#[derive(Subcommand)]
enum StreamsCommand {
    /// Makes the stream of the service's log, and its durables on the logs it reads.
    Setup {
        /// Logs the service reads, such as `identity,payments`.
        #[arg(long, value_delimiter = ',')]
        reads: Vec<String>,
    },
}

/// Runs a service's program to its end.
pub fn main<C>(program: Program<C>) -> ExitCode
where
    C: DeserializeOwned + AsRef<ServiceConfig> + Send + 'static,
{
    // The program's own name, not this library's.
    let name: &'static str = format!("docket-{}", program.name).leak();
    let arguments = Arguments::command().name(name).get_matches();
    let arguments = Arguments::from_arg_matches(&arguments).unwrap_or_else(|error| error.exit());
    match run(program, arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Before telemetry runs, and for whoever typed the command, stderr is the place.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run<C>(program: Program<C>, arguments: Arguments) -> anyhow::Result<()>
where
    C: DeserializeOwned + AsRef<ServiceConfig> + Send + 'static,
{
    crate::tls::install_provider();
    let runtime = tokio::runtime::Runtime::new().context("start the runtime")?;
    // A file needs no service, and so no configuration.
    if let Command::Import(import) = &arguments.command {
        println!("{}", runtime.block_on(import.run())?);
        return Ok(());
    }
    if let Command::Prove(prove) = &arguments.command {
        println!("{}", prove.run()?);
        return Ok(());
    }
    let file = arguments.config.as_deref();
    let config: C = config::load(file)?;
    match arguments.command {
        Command::Import(_) | Command::Prove(_) => unreachable!("done before the configuration is read"),
        Command::Config(ConfigCommand::Check) => {
            println!("{}", config::shown(file)?);
            Ok(())
        }
        Command::Migrate => runtime.block_on(migrate::migrate(config.as_ref(), program.migrations)),
        Command::Streams(StreamsCommand::Setup { reads }) => {
            runtime.block_on(migrate::set_up_streams(config.as_ref(), program.name, &reads))
        }
        Command::Keys(command) => runtime.block_on(run_keys(config.as_ref(), program.name, command)),
        Command::Epoch(command) => {
            println!("{}", runtime.block_on(run_epoch(config.as_ref(), program.name, command))?);
            Ok(())
        }
        Command::Serve => runtime.block_on(async {
            // Dropped last, so that the end is told as well.
            let _telemetry = telemetry::init(program.name, config.as_ref())?;
            let stop = Stop::new();
            stop_on_signal(stop.clone())?;
            let (service, serving) = (config.as_ref().clone(), (program.serve)(config, stop.clone()));
            let served = schema::when_migrated(&service, program.migrations, &stop, serving).await;
            if let Err(error) = &served {
                tracing::error!(error = format!("{error:#}"), "the service failed");
            }
            served
        }),
    }
}

/// The first SIGTERM or SIGINT stops in order, the second at once.
fn stop_on_signal(stop: Stop) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listen for SIGINT")?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if stop.is_cancelled() {
                std::process::exit(IMPATIENT);
            }
            tracing::info!("asked to stop");
            stop.cancel();
        }
    });
    Ok(())
}
