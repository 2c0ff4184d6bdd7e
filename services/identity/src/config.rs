//! What identity is told besides what every service is told.

use docket_mail::MailConfig;
use docket_service::{Gateway, ServiceConfig};
use serde::Deserialize;

/// The configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// As for every service.
    pub service: ServiceConfig,
    /// The mail relay.
    pub mail: MailConfig,
    /// The register of persons.
    pub register: RegisterConfig,
    /// Networks of the gateways that stand before the port; whom they name in `x-forwarded-for` is who calls.
    #[serde(default)]
    pub gateways: Vec<Gateway>,
}

/// The register of persons.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisterConfig {
    /// `http://host:port`, without a path.
    pub url: String,
}

impl AsRef<ServiceConfig> for Config {
    fn as_ref(&self) -> &ServiceConfig {
        &self.service
    }
}
