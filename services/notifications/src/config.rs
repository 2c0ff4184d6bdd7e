//! What can be set, besides what every service has.

use std::path::PathBuf;

use docket_forms::CatalogueFolder;
use docket_mail::MailConfig;
use docket_service::ServiceConfig;
use serde::Deserialize;

/// The configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What every service has.
    pub service: ServiceConfig,
    /// The mail server.
    pub mail: MailConfig,
    /// The titles of forms and papers, and what refusals say.
    pub catalogue: CatalogueFolder,
    /// The notices.
    #[serde(default)]
    pub notices: NoticesConfig,
}

/// How notices are printed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticesConfig {
    /// Folder of fonts (TTF, OTF, TTC) for names in scripts which the embedded fonts lack, such as Noto Sans CJK.
    #[serde(default)]
    pub font_dir: Option<PathBuf>,
}

impl AsRef<ServiceConfig> for Config {
    fn as_ref(&self) -> &ServiceConfig {
        &self.service
    }
}
