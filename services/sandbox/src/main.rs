//! Starts the sandbox, says where it listens, and stops on SIGTERM or Ctrl-C.

use std::io::Write;

use anyhow::Context;
use clap::Parser;
use docket_sandbox::{Config, Sandbox, config::Flags};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .json()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into()),
        )
        .with_writer(std::io::stderr)
        .init();
    let config = Config::load(Flags::parse())?;
    let sandbox = Sandbox::start(config).await?;
    let ports = serde_json::to_string(&sandbox.ports)?;
    writeln!(std::io::stdout(), "{ports}").context("telling the ports on stdout")?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(())
}
