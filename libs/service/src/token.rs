//! Access tokens: Ed25519 signatures of identity's keys, times checked against our own clock.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use docket_kernel::SharedClock;
use docket_proto::identity::v1::GetKeySetRequest;
use docket_proto::identity::v1::session_service_client::SessionServiceClient;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tonic::transport::Channel;
use uuid::Uuid;

use crate::Person;

/// An unknown key id makes us ask identity, but not more often than this,
const REFETCH: Duration = Duration::from_secs(5);
/// nor, when it could not be had, before this: whoever calls meanwhile is told at once.
const AFTER_FAILURE: Duration = Duration::from_secs(1);
/// Clocks of two processes may differ by this many seconds.
const LEEWAY_S: i64 = 5;
/// How long a second factor serves guarded acts, in seconds.
const STEP_UP_S: i64 = 600;
const ISSUER: &str = "docket";

/// Where the public keys come from.
#[async_trait]
pub trait KeySource: Send + Sync + 'static {
    /// The keys as a JWK set (RFC 7517) in JSON.
    async fn key_set(&self) -> anyhow::Result<String>;
}

/// Identity's key set over gRPC.
pub(crate) struct RemoteKeys(pub(crate) Channel);

#[async_trait]
impl KeySource for RemoteKeys {
    async fn key_set(&self) -> anyhow::Result<String> {
        let mut request = tonic::Request::new(GetKeySetRequest {});
        request.set_timeout(Duration::from_secs(2));
        Ok(SessionServiceClient::new(self.0.clone()).get_key_set(request).await?.into_inner().jwks_json)
    }
}

/// Why a token is not accepted. Callers learn no more than that it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not a token, not ours, altered, or out of its time.
    #[error("the token is not accepted")]
    NotAccepted,
    /// The keys cannot be had, so nothing can be said.
    #[error("identity's keys cannot be had")]
    NoKeys,
}

#[derive(Deserialize)]
struct Claims {
    sub: Uuid,
    sid: Uuid,
    acr: String,
    /// Seconds since 1970 of the last second factor.
    auth_time: i64,
    exp: i64,
    iss: String,
    aud: String,
}

/// Verifies tokens. Cheap to clone.
#[derive(Clone)]
pub struct Tokens(Arc<Inner>);

struct Inner {
    source: Box<dyn KeySource>,
    clock: SharedClock,
    /// The keys we know. Whoever has a token of one of them waits for nobody.
    keys: RwLock<HashMap<String, DecodingKey>>,
    /// How the last question to identity ended; held while one is under way, so that there is one at a time.
    asked: Mutex<Option<Asked>>,
}

#[derive(Clone, Copy)]
struct Asked {
    at: Instant,
    answered: bool,
}

impl Asked {
    /// Whether identity may be asked again.
    fn is_over(self) -> bool {
        self.at.elapsed() >= if self.answered { REFETCH } else { AFTER_FAILURE }
    }
}

impl Tokens {
    /// A verifier which takes keys from `source` and the time from `clock`.
    pub fn new(source: impl KeySource, clock: SharedClock) -> Self {
        let (keys, asked) = (RwLock::default(), Mutex::default());
        Self(Arc::new(Inner { source: Box::new(source), clock, keys, asked }))
    }

    /// The person a token speaks for.
    ///
    /// # Errors
    /// [`TokenError`].
    pub async fn verify(&self, token: &str) -> Result<Person, TokenError> {
        let header = decode_header(token).map_err(|_malformed| TokenError::NotAccepted)?;
        if header.alg != Algorithm::EdDSA {
            return Err(TokenError::NotAccepted);
        }
        let key = self.key(&header.kid.ok_or(TokenError::NotAccepted)?).await?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        // Times and names are checked below: the library knows only the system's clock.
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        let claims =
            decode::<Claims>(token, &key, &validation).map_err(|_refused| TokenError::NotAccepted)?.claims;
        self.check(&claims)
    }

    fn check(&self, claims: &Claims) -> Result<Person, TokenError> {
        let now = self.0.clock.now().as_second();
        let ours =
            claims.iss == ISSUER && claims.aud == ISSUER && matches!(claims.acr.as_str(), "aal2" | "stepup");
        if !ours
            || claims.exp.saturating_add(LEEWAY_S) <= now
            || claims.auth_time > now.saturating_add(LEEWAY_S)
        {
            return Err(TokenError::NotAccepted);
        }
        let step_up = claims.acr == "stepup" && now.saturating_sub(claims.auth_time) <= STEP_UP_S;
        Ok(Person {
            account: claims.sub,
            session: claims.sid,
            step_up,
            auth_level: if step_up { 3 } else { 2 },
        })
    }

    async fn key(&self, kid: &str) -> Result<DecodingKey, TokenError> {
        if let Some(key) = self.known(kid) {
            return Ok(key);
        }
        let mut asked = self.0.asked.lock().await;
        // Whoever asked while we waited may have heard of it.
        if let Some(key) = self.known(kid) {
            return Ok(key);
        }
        if asked.is_none_or(Asked::is_over) {
            // Whoever hangs up while identity is asked has asked it too.
            *asked = Some(Asked { at: Instant::now(), answered: false });
            let answer = self.fetch().await;
            *asked = Some(Asked { at: Instant::now(), answered: answer.is_ok() });
            match answer {
                Ok(keys) => *self.0.keys.write().unwrap_or_else(PoisonError::into_inner) = keys,
                Err(error) => tracing::warn!(error = format!("{error:#}"), "identity's keys cannot be had"),
            }
        }
        let answered = asked.is_some_and(|asked| asked.answered);
        let without = if answered { TokenError::NotAccepted } else { TokenError::NoKeys };
        self.known(kid).ok_or(without)
    }

    fn known(&self, kid: &str) -> Option<DecodingKey> {
        self.0.keys.read().unwrap_or_else(PoisonError::into_inner).get(kid).cloned()
    }

    async fn fetch(&self) -> anyhow::Result<HashMap<String, DecodingKey>> {
        let set: JwkSet = serde_json::from_str(&self.0.source.key_set().await?)?;
        let mut keys = HashMap::new();
        for jwk in &set.keys {
            if let Some(kid) = &jwk.common.key_id {
                keys.insert(kid.clone(), DecodingKey::from_jwk(jwk)?);
            }
        }
        Ok(keys)
    }
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens")
    }
}
