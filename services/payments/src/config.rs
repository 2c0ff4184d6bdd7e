//! Configuration of the payments service.
use docket_forms::CatalogueFolder;
use docket_service::ServiceConfig;
use serde::Deserialize;
use std::path::PathBuf;

/// What the service is told.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What every service is told.
    pub service: ServiceConfig,
    /// The card processor that is asked for money.
    pub processor: ProcessorConfig,
    /// Those that were asked before it: what they took is disputed and goes back there. `disputes_every_s` and `charges_every_s` are those
    /// of `processor`.
    #[serde(default)]
    pub former_processors: Vec<ProcessorConfig>,
    /// The fee table.
    pub catalogue: CatalogueFolder,
}

/// The card processor.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessorConfig {
    /// What it is called in the log: at most 32 small letters, digits and hyphens. It stays with what it took; another processor gets
    /// another name.
    #[serde(default = "first")]
    pub name: String,
    /// Its API, for example `https://api.processor.example`.
    pub url: String,
    /// File with our secret key.
    pub api_key_file: PathBuf,
    /// File with the secret that signs its webhooks.
    pub webhook_secret_file: PathBuf,
    /// Seconds between two looks at its list of disputes, in case a webhook never came.
    #[serde(default = "disputes_every_s")]
    pub disputes_every_s: u64,
    /// Seconds between two looks at its lists of charges and of refunds.
    #[serde(default = "charges_every_s")]
    pub charges_every_s: u64,
}

fn first() -> String {
    crate::processors::FIRST.to_owned()
}

fn disputes_every_s() -> u64 {
    600
}

fn charges_every_s() -> u64 {
    3_600
}

impl AsRef<ServiceConfig> for Config {
    fn as_ref(&self) -> &ServiceConfig {
        &self.service
    }
}
