//! The key-encryption key at AWS KMS: Encrypt and Decrypt of its API (JSON 1.1, Signature Version 4).
//!
//! The key never leaves KMS; what comes and goes are the service's root keys, at its start and at a rotation. Each is
//! bound to its place by the encryption context, which KMS also writes into its audit trail.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

use async_trait::async_trait;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use docket_kernel::{Clock as _, SystemClock};
use http::StatusCode;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{AwsCredentials, Error, KeyBytes, KeyProvider, RootKey};

const PATIENCE: Duration = Duration::from_secs(5);
/// Answers of KMS after which the same call may succeed.
const PASSING: [&str; 6] = [
    "DependencyTimeoutException",
    "ExpiredTokenException",
    "KMSInternalException",
    "KeyUnavailableException",
    "LimitExceededException",
    "ThrottlingException",
];

/// Where the key is and how it is asked.
#[derive(Debug, Clone)]
pub struct AwsKmsOptions {
    /// `arn:aws:kms:<region>:<account>:key/<id>`. No alias: that could be moved to another key.
    pub key_arn: String,
    /// Another endpoint than the region's own: a private one, or a FIPS one.
    pub endpoint: Option<String>,
    /// Whether `endpoint` may be `http://`; development only.
    pub plain_http: bool,
    /// The service whose root keys these are; part of the encryption context.
    pub service: String,
    /// Who we are to AWS.
    pub credentials: AwsCredentials,
}

/// A symmetric key at AWS KMS.
pub struct AwsKms {
    id: String,
    key_arn: String,
    region: String,
    endpoint: String,
    service: String,
    credentials: AwsCredentials,
    http: reqwest::Client,
}

impl AwsKms {
    /// Takes the options apart; nothing is called yet.
    ///
    /// # Errors
    /// [`Error::Kek`] when the ARN is not that of a key or the endpoint is not `https://`.
    pub fn new(options: AwsKmsOptions) -> Result<Self, Error> {
        let AwsKmsOptions { key_arn, endpoint, plain_http, service, credentials } = options;
        let (partition, region) = place_of(&key_arn).ok_or_else(|| {
            Error::Kek(format!(
                "{key_arn} is not arn:aws:kms:<region>:<account>:key/<id> (an alias is not taken)"
            ))
        })?;
        let domain = if partition == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
        let endpoint = endpoint.unwrap_or_else(|| format!("https://kms.{region}.{domain}"));
        let endpoint = format!("{}/", endpoint.trim_end_matches('/'));
        if !(endpoint.starts_with("https://") || plain_http && endpoint.starts_with("http://")) {
            return Err(Error::Kek(format!("the endpoint {endpoint} of KMS is not https")));
        }
        let http = reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none());
        let http = http.https_only(!plain_http).build().map_err(|error| Error::Kek(reasons(&error)))?;
        let (id, region) = (format!("aws-kms:{key_arn}"), region.to_owned());
        Ok(Self { id, key_arn, region, endpoint, service, credentials, http })
    }

    fn context(&self, of: RootKey) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            ("docket:service", self.service.clone()),
            ("docket:root-key", of.root.as_str().to_owned()),
            ("docket:version", of.version.to_string()),
        ])
    }

    /// Calls one action of the API.
    async fn call<A: DeserializeOwned>(&self, action: &str, question: &impl Serialize) -> Result<A, Error> {
        let body = Zeroizing::new(serde_json::to_vec(question).expect("texts are JSON"));
        let request = self.signed(action, &body)?;
        let away = |error: reqwest::Error| Error::KekAway(reasons(&error));
        let request = reqwest::Request::try_from(request).map_err(|error| Error::Kek(reasons(&error)))?;
        let answer = self.http.execute(request).await.map_err(away)?;
        let status = answer.status();
        let body = Zeroizing::new(answer.bytes().await.map_err(away)?.to_vec());
        if status == StatusCode::OK {
            return serde_json::from_slice(&body)
                .map_err(|_malformed| Error::KekAway(format!("{action}: the answer is not that of KMS")));
        }
        Err(refused(action, status, &body))
    }

    fn signed(&self, action: &str, body: &[u8]) -> Result<http::Request<Vec<u8>>, Error> {
        let identity = self.credentials.read()?.into();
        let failed =
            |error: &dyn fmt::Display| Error::Kek(format!("the call to KMS cannot be signed: {error}"));
        // AWS wants the real time, whatever clock the service lives by.
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("kms")
            .time(UNIX_EPOCH + Duration::from_micros(SystemClock.now().as_microsecond().unsigned_abs()))
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| failed(&error))?;
        let mut request = http::Request::post(&self.endpoint)
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", format!("TrentService.{action}"))
            .body(body.to_vec())
            .map_err(|error| failed(&error))?;
        let headers: Vec<_> = request.headers().iter().collect();
        let headers =
            headers.into_iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap_or_default()));
        let signable = SignableRequest::new("POST", &self.endpoint, headers, SignableBody::Bytes(body));
        let signable = signable.map_err(|error| failed(&error))?;
        let (instructions, _) = sign(signable, &params.into()).map_err(|error| failed(&error))?.into_parts();
        instructions.apply_to_request_http1x(&mut request);
        Ok(request)
    }

    /// KMS names the key it used: an answer of another key is none.
    fn same_key(&self, action: &str, used: &str) -> Result<(), Error> {
        if used == self.key_arn {
            return Ok(());
        }
        Err(Error::Kek(format!("{action}: KMS used {used} instead of {}", self.key_arn)))
    }
}

#[async_trait]
impl KeyProvider for AwsKms {
    fn id(&self) -> &str {
        &self.id
    }

    async fn wrap(&self, of: RootKey, key: &KeyBytes) -> Result<Vec<u8>, Error> {
        let plaintext = Zeroizing::new(STANDARD.encode(key.as_slice()));
        let question =
            Encrypt { key_id: &self.key_arn, plaintext: &plaintext, encryption_context: self.context(of) };
        let answer: Encrypted = self.call("Encrypt", &question).await?;
        self.same_key("Encrypt", &answer.key_id)?;
        STANDARD.decode(answer.ciphertext_blob).map_err(|_malformed| odd("Encrypt"))
    }

    async fn unwrap(&self, of: RootKey, wrapped: &[u8]) -> Result<KeyBytes, Error> {
        let ciphertext_blob = STANDARD.encode(wrapped);
        let question =
            Decrypt { key_id: &self.key_arn, ciphertext_blob, encryption_context: self.context(of) };
        let answer: Decrypted = self.call("Decrypt", &question).await?;
        self.same_key("Decrypt", &answer.key_id)?;
        let plaintext = Zeroizing::new(answer.plaintext);
        let mut key = Zeroizing::new([0_u8; 32]);
        match STANDARD.decode_slice(plaintext.as_bytes(), key.as_mut_slice()) {
            Ok(32) => Ok(key),
            Ok(_) | Err(_) => Err(odd("Decrypt")),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Encrypt<'a> {
    key_id: &'a str,
    plaintext: &'a str,
    encryption_context: BTreeMap<&'static str, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Encrypted {
    key_id: String,
    ciphertext_blob: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Decrypt<'a> {
    key_id: &'a str,
    ciphertext_blob: String,
    encryption_context: BTreeMap<&'static str, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Decrypted {
    key_id: String,
    plaintext: String,
}

#[derive(Deserialize)]
struct Fault {
    #[serde(rename = "__type")]
    kind: String,
}

/// Sorts a refusal: what may pass by itself, and what needs a person. Only the kind is told, never KMS's text.
fn refused(action: &str, status: StatusCode, body: &[u8]) -> Error {
    let kind = serde_json::from_slice::<Fault>(body).map_or_else(|_| status.to_string(), |fault| fault.kind);
    let kind = kind.rsplit('#').next().unwrap_or_default();
    let told = format!("{action}: {kind}");
    let passing =
        status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS || PASSING.contains(&kind);
    if passing { Error::KekAway(told) } else { Error::Kek(told) }
}

fn odd(action: &str) -> Error {
    Error::Kek(format!("{action}: what KMS gave is no root key"))
}

/// An error with its causes; the endpoint may stand in it, the credentials never do.
fn reasons(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}

/// Partition and region of a key's ARN.
fn place_of(arn: &str) -> Option<(&str, &str)> {
    let parts: Vec<_> = arn.split(':').collect();
    let ["arn", partition, "kms", region, account, key] = parts[..] else { return None };
    let plain = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    let sound = plain(partition)
        && plain(region)
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && key.strip_prefix("key/").is_some_and(plain);
    sound.then_some((partition, region))
}

impl fmt::Debug for AwsKms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AwsKms({})", self.key_arn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";

    fn open(key_arn: &str, endpoint: Option<&str>, plain_http: bool) -> Result<AwsKms, Error> {
        let (endpoint, credentials) = (endpoint.map(str::to_owned), AwsCredentials::Environment);
        let (key_arn, service) = (key_arn.to_owned(), "filing".to_owned());
        AwsKms::new(AwsKmsOptions { key_arn, endpoint, plain_http, service, credentials })
    }

    #[test]
    fn a_key_is_named_by_its_arn_and_reached_by_https() {
        assert_eq!(open(ARN, None, false).unwrap().endpoint, "https://kms.us-east-1.amazonaws.com/");
        let china = ARN.replace("aws:", "aws-cn:").replace("us-east-1", "cn-north-1");
        assert_eq!(open(&china, None, false).unwrap().endpoint, "https://kms.cn-north-1.amazonaws.com.cn/");
        assert_eq!(open(ARN, Some("http://127.0.0.1:5/"), true).unwrap().endpoint, "http://127.0.0.1:5/");
        for (arn, endpoint, plain) in [
            ("alias/docket", None, false),
            (&ARN.replace("key/", "alias/"), None, false),
            (&ARN.replace(":123456789012:", "::"), None, false),
            (&ARN.replace("us-east-1", "evil.example/"), None, false),
            (ARN, Some("http://127.0.0.1:5"), false),
            (ARN, Some("ftp://127.0.0.1:5"), true),
        ] {
            assert!(matches!(open(arn, endpoint, plain), Err(Error::Kek(_))), "{arn} {endpoint:?}");
        }
    }

    #[test]
    fn a_refusal_that_passes_is_told_from_one_that_does_not() {
        let of = |status: u16, kind: &str| {
            refused(
                "Decrypt",
                StatusCode::from_u16(status).unwrap(),
                format!("{{\"__type\":\"{kind}\"}}").as_bytes(),
            )
        };
        for (status, kind) in
            [(400, "ThrottlingException"), (500, "x"), (400, "com.amazonaws.kms#KMSInternalException")]
        {
            assert!(matches!(of(status, kind), Error::KekAway(_)), "{kind}");
        }
        for kind in [
            "AccessDeniedException",
            "InvalidCiphertextException",
            "IncorrectKeyException",
            "DisabledException",
        ] {
            assert!(matches!(of(400, kind), Error::Kek(why) if why.contains(kind)), "{kind}");
        }
        assert!(matches!(refused("Decrypt", StatusCode::BAD_GATEWAY, b"<html>"), Error::KekAway(_)));
        assert!(matches!(refused("Decrypt", StatusCode::FORBIDDEN, b"<html>"), Error::Kek(_)));
    }
}
