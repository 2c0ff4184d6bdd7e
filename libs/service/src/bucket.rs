//! A bucket of S3, or of a store that speaks as it does, for sealed objects.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use docket_vault::AwsCredentials;
use object_store::aws::{AmazonS3Builder, AwsCredential};
use object_store::prefix::PrefixStore;
use object_store::{Certificate, ClientOptions, CredentialProvider, ObjectStore, RetryConfig};

use crate::ObjectsConfig;
use crate::config::aws_credentials;

/// Opens it. Nothing is asked of it yet.
pub(crate) fn open(config: &ObjectsConfig, production: bool) -> anyhow::Result<Arc<dyn ObjectStore>> {
    let mut options = ClientOptions::new();
    if let Some(file) = &config.ca_file {
        let pem = std::fs::read(file).with_context(|| file.display().to_string())?;
        for certificate in Certificate::from_pem_bundle(&pem)? {
            options = options.with_root_certificate(certificate);
        }
    }
    let credentials = aws_credentials(config.credentials_file.as_deref(), &config.profile);
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&config.bucket)
        .with_region(&config.region)
        .with_credentials(Arc::new(Now(credentials)))
        .with_client_options(options)
        // What is sealed proves itself whenever it is read, and TLS proves it on the way: it is not hashed once more.
        .with_unsigned_payload(true)
        .with_retry(retry());
    if let Some(endpoint) = &config.endpoint {
        let plain = endpoint.starts_with("http://");
        anyhow::ensure!(!(plain && production), "objects.endpoint: in production it begins with https://");
        builder = builder.with_endpoint(endpoint).with_allow_http(plain);
    }
    Ok(Arc::new(PrefixStore::new(builder.build()?, config.prefix.as_str())))
}

/// A store that is away for a moment is waited for; who sends a file is told soon when it stays away.
fn retry() -> RetryConfig {
    RetryConfig { max_retries: 3, retry_timeout: Duration::from_secs(10), ..RetryConfig::default() }
}

/// The credentials as they are at each call, so that whoever renews them need tell nobody.
#[derive(Debug)]
struct Now(AwsCredentials);

#[async_trait]
impl CredentialProvider for Now {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let read = self
            .0
            .read()
            .map_err(|error| object_store::Error::Generic { store: "S3", source: error.into() })?;
        Ok(Arc::new(AwsCredential {
            key_id: read.access_key_id().to_owned(),
            secret_key: read.secret_access_key().to_owned(),
            token: read.session_token().map(str::to_owned),
        }))
    }
}
