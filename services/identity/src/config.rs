//! What identity is told besides what every service is told.

use docket_service::ServiceConfig;
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
}

/// The mail relay.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailConfig {
    /// `smtps://user:password@host:port` (TLS), `smtp://…?tls=required` (STARTTLS), `smtp://…` (plain).
    pub smtp_url: String,
    /// The sender: `Docket <no-reply@docket.example>`.
    pub from: String,
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
