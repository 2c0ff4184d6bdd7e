//! What identity is told besides what every service is told.

use std::path::PathBuf;

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
    /// `smtps://host:port` (TLS), `smtp://…?tls=required` (STARTTLS), `smtp://…` (plain).
    pub smtp_url: String,
    /// The sender: `Docket <no-reply@docket.example>`.
    pub from: String,
    /// Who we are to the relay, where it asks.
    #[serde(default)]
    pub user: Option<String>,
    /// The password of that user.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
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
