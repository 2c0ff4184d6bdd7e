//! What can be set, besides what every service has.

use docket_forms::CatalogueFolder;
use docket_service::ServiceConfig;
use serde::Deserialize;

use crate::{inspector, scanner};

/// The configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What every service has.
    pub service: ServiceConfig,
    /// How files are read.
    #[serde(default)]
    pub inspector: inspector::Config,
    /// The virus scanner.
    pub scanner: scanner::Config,
    /// The catalogue of forms.
    pub catalogue: CatalogueFolder,
}

impl AsRef<ServiceConfig> for Config {
    fn as_ref(&self) -> &ServiceConfig {
        &self.service
    }
}
