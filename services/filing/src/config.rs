//! What can be set, besides what every service has.

use std::path::PathBuf;

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
    /// The copies.
    #[serde(default)]
    pub copies: CopiesConfig,
    /// Uploads over HTTP.
    #[serde(default)]
    pub uploads: UploadsConfig,
}

/// Who uploads from a page in a browser.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UploadsConfig {
    /// Origins of pages that may, such as `https://portal.example`; none by default. Programs need not be named.
    #[serde(default)]
    pub origins: Vec<String>,
}

/// How copies are printed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CopiesConfig {
    /// Folder of fonts (TTF, OTF, TTC) for scripts which the embedded fonts lack, such as Noto Sans CJK.
    #[serde(default)]
    pub font_dir: Option<PathBuf>,
}

impl AsRef<ServiceConfig> for Config {
    fn as_ref(&self) -> &ServiceConfig {
        &self.service
    }
}
