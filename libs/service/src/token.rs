//! Access tokens: Ed25519 signatures of identity's keys, times checked against our own clock.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};
use docket_kernel::SharedClock;
use docket_proto::identity::v1::GetKeySetRequest;
use docket_proto::identity::v1::session_service_client::SessionServiceClient;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use moka::sync::Cache;
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
/// So many tokens are remembered, each for as long as identity's keys are the same.
const MOST_SIGNED: u64 = 20_000;

type TokenHash = [u8; 32];

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
    keys: RwLock<Arc<Keys>>,
    /// How the last question to identity ended; held while one is under way, so that there is one at a time.
    asked: Mutex<Option<Asked>>,
}

/// Identity's keys, and what was found to be signed with them: other keys may not have signed it, so it goes with them.
struct Keys {
    by_id: HashMap<String, DecodingKey>,
    /// By the hashes of the tokens; whether their time is over is asked each time.
    signed: Cache<TokenHash, Signed>,
}

impl Keys {
    fn of(by_id: HashMap<String, DecodingKey>) -> Arc<Self> {
        Arc::new(Self { by_id, signed: Cache::new(MOST_SIGNED) })
    }
}

/// What a token of identity says.
#[derive(Clone, Copy)]
struct Signed {
    account: Uuid,
    session: Uuid,
    /// Whether it was given for a second factor.
    stepped_up: bool,
    /// Seconds since 1970 of the last second factor.
    auth_time: i64,
    /// Seconds since 1970 of its end.
    exp: i64,
}

impl Signed {
    /// None of what is not for us.
    fn read(claims: &Claims) -> Option<Self> {
        let stepped_up = match claims.acr.as_str() {
            "aal2" => false,
            "stepup" => true,
            _ => return None,
        };
        let ours = claims.iss == ISSUER && claims.aud == ISSUER;
        let Claims { sub: account, sid: session, auth_time, exp, .. } = *claims;
        ours.then_some(Self { account, session, stepped_up, auth_time, exp })
    }
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
        let (keys, asked) = (RwLock::new(Keys::of(HashMap::new())), Mutex::default());
        Self(Arc::new(Inner { source: Box::new(source), clock, keys, asked }))
    }

    /// The person a token speaks for.
    ///
    /// # Errors
    /// [`TokenError`].
    pub async fn verify(&self, token: &str) -> Result<Person, TokenError> {
        let hash = hash_of(token);
        if let Some(signed) = self.keys().signed.get(&hash) {
            return self.check(signed);
        }
        let header = decode_header(token).map_err(|_malformed| TokenError::NotAccepted)?;
        if header.alg != Algorithm::EdDSA {
            return Err(TokenError::NotAccepted);
        }
        let kid = header.kid.ok_or(TokenError::NotAccepted)?;
        let keys = self.keys_with(&kid).await?;
        let key = keys.by_id.get(&kid).ok_or(TokenError::NotAccepted)?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        // Times and names are checked below: the library knows only the system's clock.
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        let claims =
            decode::<Claims>(token, key, &validation).map_err(|_refused| TokenError::NotAccepted)?.claims;
        let signed = Signed::read(&claims).ok_or(TokenError::NotAccepted)?;
        let person = self.check(signed)?;
        keys.signed.insert(hash, signed);
        Ok(person)
    }

    fn check(&self, signed: Signed) -> Result<Person, TokenError> {
        let now = self.0.clock.now().as_second();
        if signed.exp.saturating_add(LEEWAY_S) <= now || signed.auth_time > now.saturating_add(LEEWAY_S) {
            return Err(TokenError::NotAccepted);
        }
        let step_up = signed.stepped_up && now.saturating_sub(signed.auth_time) <= STEP_UP_S;
        Ok(Person {
            account: signed.account,
            session: signed.session,
            step_up,
            auth_level: if step_up { 3 } else { 2 },
        })
    }

    /// Keys of which this is one.
    async fn keys_with(&self, kid: &str) -> Result<Arc<Keys>, TokenError> {
        if let Some(keys) = self.known_with(kid) {
            return Ok(keys);
        }
        let mut asked = self.0.asked.lock().await;
        // Whoever asked while we waited may have heard of it.
        if let Some(keys) = self.known_with(kid) {
            return Ok(keys);
        }
        if asked.is_none_or(Asked::is_over) {
            // Whoever hangs up while identity is asked has asked it too.
            *asked = Some(Asked { at: Instant::now(), answered: false });
            let answer = self.fetch().await;
            *asked = Some(Asked { at: Instant::now(), answered: answer.is_ok() });
            match answer {
                Ok(keys) => *self.0.keys.write().unwrap_or_else(PoisonError::into_inner) = Keys::of(keys),
                Err(error) => tracing::warn!(error = format!("{error:#}"), "identity's keys cannot be had"),
            }
        }
        let answered = asked.is_some_and(|asked| asked.answered);
        let without = if answered { TokenError::NotAccepted } else { TokenError::NoKeys };
        self.known_with(kid).ok_or(without)
    }

    fn known_with(&self, kid: &str) -> Option<Arc<Keys>> {
        Some(self.keys()).filter(|keys| keys.by_id.contains_key(kid))
    }

    fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.0.keys.read().unwrap_or_else(PoisonError::into_inner))
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

/// Tokens are kept nowhere: of one that was seen its SHA-256 is known.
fn hash_of(token: &str) -> TokenHash {
    let mut hash = TokenHash::default();
    hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    hash
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens")
    }
}
