//! The development authority: one CA, one ECDSA P-256 certificate a service with its SPIFFE name (RFC 8705 style mTLS).
use super::place::{PARTS, Place, write_private};
use anyhow::{Context, Result};
use docket_servers::TlsFiles;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use std::path::PathBuf;

/// Trust domain of development certificates.
pub const TRUST_DOMAIN: &str = "docket.local";

/// Path of the authority's certificate.
pub fn ca_file(place: &Place) -> PathBuf {
    place.tls().join("ca.pem")
}

/// Certificate, key and authority of one service.
pub fn files(place: &Place, name: &str) -> TlsFiles {
    let tls = place.tls();
    TlsFiles {
        cert: tls.join(format!("{name}.pem")),
        key: tls.join(format!("{name}.key")),
        ca: ca_file(place),
    }
}

/// Makes the authority and every certificate that is missing. A new authority replaces all of them.
pub fn ensure(place: &Place) -> Result<()> {
    let names: Vec<&str> =
        PARTS.iter().map(|part| part.name).chain(["nats", "postgres", "operator", "sandbox"]).collect();
    let complete = ca_file(place).exists() && names.iter().all(|name| files(place, name).cert.exists());
    if complete {
        return Ok(());
    }
    let (pem, issuer) = authority()?;
    std::fs::write(ca_file(place), pem)?;
    for name in names {
        issue(&issuer, name, &files(place, name)).with_context(|| format!("certificate of {name}"))?;
    }
    Ok(())
}

fn authority() -> Result<(String, Issuer<'static, KeyPair>)> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Docket development authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate()?;
    let pem = params.self_signed(&key)?.pem();
    Ok((pem, Issuer::new(params, key)))
}

fn issue(issuer: &Issuer<'static, KeyPair>, name: &str, files: &TlsFiles) -> Result<()> {
    let mut params = CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()])?;
    params.distinguished_name.push(DnType::CommonName, name);
    let spiffe = format!("spiffe://{TRUST_DOMAIN}/ns/docket/sa/{name}");
    params.subject_alt_names.push(SanType::URI(spiffe.as_str().try_into()?));
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, issuer)?;
    std::fs::write(&files.cert, certificate.pem())?;
    write_private(&files.key, &key.serialize_pem())
}
