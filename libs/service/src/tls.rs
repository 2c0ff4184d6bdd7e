//! TLS: one certificate per service, for serving and for calling; callers' certificates are optional.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use tonic::transport::{Certificate, ClientTlsConfig, Identity, ServerTlsConfig};
use x509_parser::extensions::GeneralName;
use x509_parser::parse_x509_certificate;

use crate::config::{ConfigError, TlsConfig, read, secret};

/// What stands before a service's name in its certificate.
const SPIFFE: &str = "spiffe://docket.local/ns/docket/sa/";
/// The name in the certificates, whatever address is called.
const SERVER_NAME: &str = "localhost";

fn identity(tls: &TlsConfig) -> Result<Identity, ConfigError> {
    Ok(Identity::from_pem(read(&tls.cert_file)?, secret(&tls.key_file)?.as_str()))
}

/// How we serve: a client certificate is optional, but when given it must be of our authority.
pub(crate) fn server(tls: &TlsConfig) -> Result<ServerTlsConfig, ConfigError> {
    Ok(ServerTlsConfig::new()
        .identity(identity(tls)?)
        .client_ca_root(Certificate::from_pem(read(&tls.ca_file)?))
        .client_auth_optional(true))
}

/// How we call.
pub(crate) fn client(tls: &TlsConfig) -> Result<ClientTlsConfig, ConfigError> {
    Ok(ClientTlsConfig::new()
        .identity(identity(tls)?)
        .ca_certificate(Certificate::from_pem(read(&tls.ca_file)?))
        .domain_name(SERVER_NAME))
}

/// How we serve HTTP: our certificate, no client's; whoever calls there is known by a signature or not at all.
pub(crate) fn https(tls: &TlsConfig) -> anyhow::Result<Arc<rustls::ServerConfig>> {
    use rustls::pki_types::pem::PemObject;
    let chain = CertificateDer::pem_file_iter(&tls.cert_file)?.collect::<Result<Vec<_>, _>>()?;
    let key = rustls::pki_types::PrivateKeyDer::from_pem_file(&tls.key_file)?;
    let mut config = rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The service a verified certificate names: the one SPIFFE id among its alternative names.
pub(crate) fn service_of(certificate: &CertificateDer<'_>) -> Option<String> {
    let (_, certificate) = parse_x509_certificate(certificate).ok()?;
    let names = certificate.subject_alternative_name().ok()??;
    let uri = |name: &GeneralName<'_>| {
        if let GeneralName::URI(uri) = name { Some((*uri).to_owned()) } else { None }
    };
    let mut ids = names.value.general_names.iter().filter_map(uri);
    let id = ids.next()?;
    // A certificate with two ids names nobody (SPIFFE X.509-SVID §2).
    if ids.next().is_some() {
        return None;
    }
    id.strip_prefix(SPIFFE).filter(|name| !name.is_empty() && !name.contains('/')).map(str::to_owned)
}

/// rustls takes its ciphers from aws-lc, once for the process.
pub(crate) fn install_provider() {
    // Fails only when one is installed already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}
