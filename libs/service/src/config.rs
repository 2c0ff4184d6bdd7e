//! Configuration: defaults, then the file named by `DOCKET_CONFIG`, then `DOCKET__SECTION__KEY`; an unknown key is a fault.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use docket_messaging::BrokerOptions;
use docket_vault::AwsCredentials;
use figment::Figment;
use figment::providers::{Env, Format, Toml};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sqlx::postgres::PgConnectOptions;
use zeroize::Zeroizing;

/// What every service is told. Secrets are only ever named by their files.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceConfig {
    /// `development` or `production`; no other word is taken.
    #[serde(default)]
    pub environment: Environment,
    /// Where gRPC is served, with TLS. Port 0 takes a free one, told in `<data_dir>/listening.json`.
    pub grpc_listen: SocketAddr,
    /// Where health and metrics are served, in plain text, for the machine's own agents.
    pub admin_listen: SocketAddr,
    /// Where HTTP is served, in services that have such a face.
    #[serde(default)]
    pub http_listen: Option<SocketAddr>,
    /// Folder for sealed objects and small files of the service.
    pub data_dir: PathBuf,
    /// File with the seconds by which the clock is ahead; development only.
    #[serde(default)]
    pub clock_offset_file: Option<PathBuf>,
    /// Milliseconds between "not ready" and the end of listening; a load balancer needs some 5 s, nobody else any.
    #[serde(default)]
    pub drain_delay_ms: u64,
    /// Seconds after which a gRPC connection is ended in order, so that callers spread over new processes; what is still
    /// under way on it then has a tenth of it left, two seconds at least.
    #[serde(default = "five_minutes")]
    pub connection_age_s: u64,
    /// Our certificate and the authority of all.
    pub tls: TlsConfig,
    /// The service's database.
    pub database: DatabaseConfig,
    /// The database of its keys. Without one, the keys stand in `database` under a key made in `data_dir`.
    #[serde(default)]
    pub keys_database: Option<KeysDatabaseConfig>,
    /// Where sealed objects lie, unless in `<data_dir>/objects`: needed as soon as a service has two nodes.
    #[serde(default)]
    pub objects: Option<ObjectsConfig>,
    /// The broker.
    pub broker: BrokerConfig,
    /// The other services: name → `https://host:port`.
    #[serde(default)]
    pub peers: BTreeMap<String, String>,
    /// What is told about itself.
    #[serde(default)]
    pub telemetry: TelemetryConfig,
}

fn five_minutes() -> u64 {
    300
}

/// Where a service runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// With its shortcuts: reflection, a clock that can be turned, parties in clear, stand-ins.
    #[default]
    Development,
    /// Without any of them.
    Production,
}

impl Environment {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Production => "production",
        }
    }
}

/// PEM files.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// Our certificate chain: server and client in one.
    pub cert_file: PathBuf,
    /// Its private key.
    pub key_file: PathBuf,
    /// The authority which signed the certificates of all services.
    pub ca_file: PathBuf,
}

/// A database.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseConfig {
    /// `postgres://<app role>@host:port/database`.
    pub url: String,
    /// The password of that role.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// The owner's URL, for `migrate` only.
    #[serde(default)]
    pub owner_url: Option<String>,
    /// The owner's password.
    #[serde(default)]
    pub owner_password_file: Option<PathBuf>,
    /// Most connections at a time. Eight lanes, the appender and handlers: 20 are enough on one machine.
    #[serde(default = "connections")]
    pub max_connections: u32,
}

/// The database of keys, with the key-encryption key.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeysDatabaseConfig {
    /// `postgres://<app role>@host:port/database`.
    pub url: String,
    /// The password of that role.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// The owner's URL, for `migrate` only.
    #[serde(default)]
    pub owner_url: Option<String>,
    /// The owner's password.
    #[serde(default)]
    pub owner_password_file: Option<PathBuf>,
    /// The key-encryption key as a file of 64 hexadecimal digits: this or `aws_kms`.
    #[serde(default)]
    pub kek_file: Option<PathBuf>,
    /// The key-encryption key at AWS KMS.
    #[serde(default)]
    pub aws_kms: Option<AwsKmsConfig>,
    /// During a rotation: the files of keys that may still wrap a root key.
    #[serde(default)]
    pub previous_kek_files: Vec<PathBuf>,
    /// The same for keys at AWS KMS.
    #[serde(default)]
    pub previous_aws_kms: Vec<AwsKmsConfig>,
    /// Most connections at a time; plain keys are cached, so few are used.
    #[serde(default = "few_connections")]
    pub max_connections: u32,
}

/// A symmetric key at AWS KMS.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AwsKmsConfig {
    /// `arn:aws:kms:<region>:<account>:key/<id>`; no alias.
    pub key_arn: String,
    /// Another endpoint than the region's own; `https://` in production.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// A shared credentials file, read anew for each call. Without one: `AWS_ACCESS_KEY_ID` and its like.
    #[serde(default)]
    pub credentials_file: Option<PathBuf>,
    /// The section of that file.
    #[serde(default = "default_profile")]
    pub profile: String,
}

/// A bucket of S3, or of a store that speaks as it does.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectsConfig {
    /// The bucket; it is there, versioned, and nobody else writes to it.
    pub bucket: String,
    /// Before each object's name; a service keeps to its own.
    #[serde(default)]
    pub prefix: String,
    /// The region, such as `us-east-1`.
    pub region: String,
    /// Another endpoint than the region's own; `https://` in production. The bucket stands in the path then.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// The authority of that endpoint's certificate, PEM, where no public one signed it.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// A shared credentials file, read anew for each call. Without one: `AWS_ACCESS_KEY_ID` and its like.
    #[serde(default)]
    pub credentials_file: Option<PathBuf>,
    /// The section of that file.
    #[serde(default = "default_profile")]
    pub profile: String,
}

/// The broker.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BrokerConfig {
    /// `tls://host:port`; `nats://host:port` without TLS.
    pub url: String,
    /// Replicas of our streams: 3 in a cluster.
    #[serde(default = "one")]
    pub replicas: usize,
    /// So many of the last events our stream gets again when it was wiped; consumers ask us for older ones.
    #[serde(default = "refill")]
    pub refill_events: u64,
}

/// What is told about itself.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TelemetryConfig {
    /// Where spans go by OTLP over gRPC; empty for nowhere.
    pub otlp_endpoint: String,
    /// Which lines are logged, as `tracing-subscriber` reads it.
    pub filter: String,
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        Self {
            otlp_endpoint: String::new(),
            filter: "info,sqlx=warn,async_nats=warn,h2=warn,hyper=warn".to_owned(),
        }
    }
}

/// Where credentials for AWS come from: a section of a shared file, or the environment without one.
pub(crate) fn aws_credentials(file: Option<&Path>, profile: &str) -> AwsCredentials {
    file.map_or(AwsCredentials::Environment, |path| AwsCredentials::File {
        path: path.to_owned(),
        profile: profile.to_owned(),
    })
}

fn connections() -> u32 {
    20
}

fn few_connections() -> u32 {
    5
}

fn default_profile() -> String {
    "default".to_owned()
}

fn one() -> usize {
    1
}

fn refill() -> u64 {
    docket_messaging::REFILL
}

/// Spans hold ids and codes, and may go to a collector beside us in plain text.
const SPANS: &str = "service.telemetry.otlp_endpoint";

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Missing, unknown or ill-typed keys: all that were found.
    #[error("the configuration is wrong:\n{0}")]
    Wrong(String),
    /// A file named in it.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is the matter.
        reason: String,
    },
}

/// Reads the configuration of a service.
///
/// # Errors
/// [`ConfigError::Wrong`] names every fault that was found; in production, what would go in clear is one.
pub fn load<C: DeserializeOwned>(file: Option<&Path>) -> Result<C, ConfigError> {
    let figment = figment(file);
    let config = figment.extract().map_err(|errors| ConfigError::Wrong(faults(errors)))?;
    let values: serde_json::Value = figment.extract().map_err(|errors| ConfigError::Wrong(faults(errors)))?;
    let mut clear = Vec::new();
    if values["service"]["environment"] == Environment::Production.as_str() {
        in_clear("", &values, &mut clear);
    }
    if clear.is_empty() { Ok(config) } else { Err(ConfigError::Wrong(clear.join("\n"))) }
}

/// Every key whose URL would let anybody on the way read what is sent there, or take the other side's place.
fn in_clear(key: &str, value: &serde_json::Value, faults: &mut Vec<String>) {
    use serde_json::Value;
    match value {
        Value::String(url) => {
            if let Some(way_out) = way_out_of_clear(url)
                && key != SPANS
            {
                faults.push(format!("  {key}: in clear, which production refuses; {way_out}"));
            }
        }
        Value::Array(items) => items.iter().for_each(|item| in_clear(key, item, faults)),
        Value::Object(fields) => {
            for (name, value) in fields {
                let key = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
                in_clear(&key, value, faults);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What such a URL must be instead; nothing where it is well, or no URL.
fn way_out_of_clear(url: &str) -> Option<&'static str> {
    let (scheme, rest) = url.split_once("://")?;
    match scheme.to_ascii_lowercase().as_str() {
        "http" => Some("write https://"),
        "nats" => Some("write tls://"),
        "smtp" if !rest.contains("tls=required") => Some("write smtps:// or ?tls=required"),
        "postgres" | "postgresql" if !rest.contains("sslmode=verify-full") => {
            Some("add ?sslmode=verify-full&sslrootcert=<file>")
        }
        _ => None,
    }
}

fn faults(errors: figment::Error) -> String {
    errors.into_iter().map(|error| format!("  {error}")).collect::<Vec<_>>().join("\n")
}

fn figment(file: Option<&Path>) -> Figment {
    let figment = Figment::new();
    let figment = match file {
        Some(file) => figment.merge(Toml::file_exact(file)),
        None => figment,
    };
    figment.merge(Env::prefixed("DOCKET__").split("__"))
}

/// The effective configuration for people's eyes, passwords in URLs struck out.
///
/// # Errors
/// [`ConfigError::Wrong`].
pub(crate) fn shown(file: Option<&Path>) -> Result<String, ConfigError> {
    let values: serde_json::Value =
        figment(file).extract().map_err(|errors| ConfigError::Wrong(faults(errors)))?;
    Ok(format!("{:#}", redacted(values)))
}

fn redacted(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::String(text) => Value::String(without_password(&text)),
        Value::Array(items) => items.into_iter().map(redacted).collect(),
        Value::Object(fields) => fields.into_iter().map(|(key, value)| (key, redacted(value))).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}

/// `scheme://user:password@host` without the password.
fn without_password(url: &str) -> String {
    let parts = url.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?)));
    match parts {
        Some((scheme, (user, place))) if user.contains(':') => {
            format!("{scheme}://{}:***@{place}", user.split(':').next().unwrap_or_default())
        }
        _ => url.to_owned(),
    }
}

impl ServiceConfig {
    /// Whether this is production, where development's shortcuts are refused.
    pub fn is_production(&self) -> bool {
        self.environment == Environment::Production
    }

    pub(crate) fn broker_options(&self, name: &str) -> BrokerOptions {
        let tls = self.broker.url.starts_with("tls://");
        BrokerOptions {
            url: self.broker.url.clone(),
            name: name.to_owned(),
            identity: tls.then(|| (self.tls.cert_file.clone(), self.tls.key_file.clone())),
            ca: tls.then(|| self.tls.ca_file.clone()),
            replicas: self.broker.replicas,
        }
    }
}

/// Connection options from a URL and the file of its password.
pub(crate) fn connect_options(
    url: &str,
    password_file: Option<&Path>,
) -> Result<PgConnectOptions, ConfigError> {
    let options: PgConnectOptions = url
        .parse()
        .map_err(|_unusable| ConfigError::Wrong(format!("  {} is no database URL", without_password(url))))?;
    match password_file {
        Some(path) => Ok(options.password(&secret(path)?)),
        None => Ok(options),
    }
}

/// The secret in a file, without the line's end.
pub(crate) fn secret(path: &Path) -> Result<Zeroizing<String>, ConfigError> {
    let text = Zeroizing::new(read(path)?);
    Ok(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}

pub(crate) fn read(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path)
        .map_err(|error| ConfigError::File { path: path.to_owned(), reason: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_a_url_is_never_shown() {
        assert_eq!(without_password("postgres://me:secret@host:1/db"), "postgres://me:***@host:1/db");
        assert_eq!(without_password("postgres://me@host:1/db"), "postgres://me@host:1/db");
        assert_eq!(without_password("plain"), "plain");
    }
}
