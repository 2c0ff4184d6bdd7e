//! What can be set: by flag, by environment (`DOCKET_SANDBOX__…`), by TOML file, in this order.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use anyhow::{Context, ensure};
use figment::{
    Figment,
    providers::{Env, Format, Serialized, Toml},
};
use serde::{Deserialize, Serialize};

/// The command line; each flag overrides the key of the same name.
#[derive(Debug, Default, clap::Parser, Serialize)]
#[command(
    name = "docket-sandbox",
    version,
    about = "The parties that are not ours, for development and tests"
)]
pub struct Flags {
    /// TOML file with the keys below
    #[arg(long, env = "DOCKET_CONFIG")]
    #[serde(skip)]
    pub config: Option<PathBuf>,
    /// Card processor, SMS carrier, register and controls (port 0: any free one)
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen_http: Option<SocketAddr>,
    /// The caught mail: JSON and pages
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen_mail_http: Option<SocketAddr>,
    /// SMTP
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen_smtp: Option<SocketAddr>,
    /// Virus scanner, clamd's protocol
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen_clamd: Option<SocketAddr>,
    /// Folder of the journal; without it everything is forgotten at the end
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_dir: Option<PathBuf>,
    /// File to write the chosen addresses to, as JSON
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ports_file: Option<PathBuf>,
}

/// Everything the sandbox can be told.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `development`; any other word is refused: nothing here may stand in for the real party.
    pub environment: String,
    pub listen_http: SocketAddr,
    pub listen_mail_http: SocketAddr,
    pub listen_smtp: SocketAddr,
    pub listen_clamd: SocketAddr,
    pub state_dir: Option<PathBuf>,
    pub ports_file: Option<PathBuf>,
    pub processor: Processor,
    pub mail: Mail,
    pub scanner: Scanner,
}

/// The card processor.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Processor {
    /// The one key accepted; without it, any that begins with `sk_test_`.
    pub api_key: Option<String>,
    pub webhook_url: Option<String>,
    pub webhook_secret: Option<String>,
    /// Certificates to trust for an `https` webhook, besides the system's.
    pub webhook_ca_file: Option<PathBuf>,
    /// First pause between two tries of a delivery; doubled each time.
    pub retry_base_ms: u64,
    pub retry_max_ms: u64,
    /// How long a bank payment stays `processing`; 0: until told to settle.
    pub bank_settle_seconds: u64,
    /// How long `pm_sandbox_slow` waits with its answer.
    pub slow_seconds: u64,
    /// How long the answer under an idempotency key is kept; after that the same key is a new request.
    pub idempotency_keys_s: u64,
}

/// The mail relay.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mail {
    /// PEM; with the key, STARTTLS is offered.
    pub tls_cert_file: Option<PathBuf>,
    pub tls_key_file: Option<PathBuf>,
    pub max_bytes: usize,
}

/// The virus scanner.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scanner {
    /// The longest stream scanned; clamd calls it `StreamMaxLength`.
    pub max_bytes: u64,
}

impl Default for Config {
    fn default() -> Self {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            environment: "development".to_owned(),
            listen_http: any,
            listen_mail_http: any,
            listen_smtp: any,
            listen_clamd: any,
            state_dir: None,
            ports_file: None,
            processor: Processor::default(),
            mail: Mail::default(),
            scanner: Scanner::default(),
        }
    }
}

impl Default for Processor {
    fn default() -> Self {
        Self {
            api_key: None,
            webhook_url: None,
            webhook_secret: None,
            webhook_ca_file: None,
            retry_base_ms: 500,
            retry_max_ms: 60_000,
            bank_settle_seconds: 0,
            slow_seconds: 90,
            idempotency_keys_s: 86_400,
        }
    }
}

impl Default for Mail {
    fn default() -> Self {
        Self { tls_cert_file: None, tls_key_file: None, max_bytes: 10 * 1024 * 1024 }
    }
}

impl Default for Scanner {
    fn default() -> Self {
        Self { max_bytes: 30 * 1024 * 1024 }
    }
}

impl Config {
    /// Defaults, then the file, then the environment, then the flags.
    ///
    /// # Errors
    /// An unreadable file, an unknown key, a value of the wrong type.
    pub fn load(flags: Flags) -> anyhow::Result<Self> {
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        if let Some(path) = &flags.config {
            figment = figment.merge(Toml::file_exact(path));
        }
        figment
            .merge(Env::prefixed("DOCKET_SANDBOX__").split("__"))
            .merge(Serialized::defaults(&flags))
            .extract()
            .context("reading the configuration")
    }

    pub(crate) fn check(&self) -> anyhow::Result<()> {
        // Whatever else somebody calls production.
        ensure!(
            self.environment == "development",
            "environment: the sandbox runs in `development` only, and does not run in production"
        );
        let processor = &self.processor;
        ensure!(
            processor.webhook_url.is_some() == processor.webhook_secret.is_some(),
            "processor.webhook_url and processor.webhook_secret are set together or not at all"
        );
        let mail = &self.mail;
        ensure!(
            mail.tls_cert_file.is_some() == mail.tls_key_file.is_some(),
            "mail.tls_cert_file and mail.tls_key_file are set together or not at all"
        );
        Ok(())
    }
}
