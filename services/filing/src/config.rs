//! What can be set, besides what every service has.

use std::path::PathBuf;

use docket_service::ServiceConfig;
use serde::Deserialize;

use crate::scanner;

/// The configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What every service has.
    pub service: ServiceConfig,
    /// The virus scanner.
    pub scanner: scanner::Config,
    /// The catalogue of forms.
    pub catalogue: CatalogueConfig,
}

/// Where the forms are.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogueConfig {
    /// Folder of the form files.
    pub dir: PathBuf,
}

impl AsRef<ServiceConfig> for Config {
    fn as_ref(&self) -> &ServiceConfig {
        &self.service
    }
}
