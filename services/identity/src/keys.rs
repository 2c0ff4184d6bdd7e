//! The keys which sign access tokens: Ed25519, made here, replaced every 90 days with an overlap.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use docket_kernel::{SharedClock, derived_id};
use docket_service::{KeySource, Rounds, Stop};
use docket_vault::{Opened, Subject, Vault};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;
use sqlx::PgPool;
use uuid::Uuid;

use crate::store::signing_key::{self, SigningKey};

/// A key older than this gets a successor.
const LIFE: SignedDuration = SignedDuration::from_hours(90 * 24);
/// A new key is published for so long before it signs, twice what others may cache.
const PUBLISHED_BEFORE: SignedDuration = SignedDuration::from_mins(10);
/// A key is published for so long after its successor was made.
const PUBLISHED_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// How often the keys are read again.
const LOOK: Duration = Duration::from_mins(1);

/// The keys. Cheap to clone.
#[derive(Clone)]
pub(crate) struct KeyRing(Arc<Inner>);

struct Inner {
    pool: PgPool,
    vault: Vault,
    clock: SharedClock,
    keys: RwLock<Vec<Key>>,
}

#[derive(Clone)]
struct Key {
    kid: String,
    public: Vec<u8>,
    created_at: Timestamp,
    private: EncodingKey,
}

impl KeyRing {
    /// The stored keys, with a first one where there is none.
    ///
    /// # Errors
    /// The database or the vault.
    pub(crate) async fn open(pool: PgPool, vault: Vault, clock: SharedClock) -> anyhow::Result<Self> {
        let ring = Self(Arc::new(Inner { pool, vault, clock, keys: RwLock::default() }));
        ring.renew().await?;
        Ok(ring)
    }

    /// Reads the keys again from time to time and makes a new one in time.
    ///
    /// # Errors
    /// None: the known keys go on.
    pub(crate) async fn keep_fresh(self, stop: Stop) -> anyhow::Result<()> {
        let rounds = Rounds::every(LOOK, "the signing keys cannot be read; the known ones go on");
        let mut rounds = rounds.after_a_pause();
        while rounds.go_on(&stop).await {
            rounds.turn(self.renew()).await;
        }
        Ok(())
    }

    /// Signs claims.
    ///
    /// # Errors
    /// No key, or a failure of the library.
    pub(crate) fn sign(&self, claims: &impl Serialize) -> anyhow::Result<String> {
        let now = self.0.clock.now();
        let keys = self.0.keys.read().unwrap_or_else(PoisonError::into_inner);
        let key = signing(&keys, now).ok_or_else(|| anyhow::anyhow!("there is no signing key"))?;
        let header = Header { kid: Some(key.kid.clone()), ..Header::new(Algorithm::EdDSA) };
        Ok(jsonwebtoken::encode(&header, claims, &key.private)?)
    }

    /// The public keys as a JWK set (RFC 7517, RFC 8037).
    pub(crate) fn jwks(&self) -> serde_json::Value {
        let keys = self.0.keys.read().unwrap_or_else(PoisonError::into_inner);
        let jwk = |key: &Key| {
            serde_json::json!({
                "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA",
                "kid": key.kid, "x": URL_SAFE_NO_PAD.encode(&key.public),
            })
        };
        serde_json::json!({ "keys": keys.iter().map(jwk).collect::<Vec<_>>() })
    }

    async fn renew(&self) -> anyhow::Result<()> {
        self.make_when_due().await?;
        let now = self.0.clock.now();
        let rows = signing_key::since(&self.0.pool, i64::MIN).await?;
        let mut keys = Vec::with_capacity(rows.len());
        for (place, row) in rows.iter().enumerate() {
            let replaced_at = rows.get(place + 1).map(|next| next.created_at_us);
            let over = |at: i64| Timestamp::from_microsecond(at).is_ok_and(|at| at + PUBLISHED_AFTER < now);
            if !replaced_at.is_some_and(over) {
                keys.push(self.read(row).await?);
            }
        }
        *self.0.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }

    async fn read(&self, row: &SigningKey) -> anyhow::Result<Key> {
        let opened = self.0.vault.open(&subject(), row.kid.as_bytes(), &row.private_sealed).await?;
        let Opened::Plain(private) = opened else {
            anyhow::bail!("the key of the signing keys was destroyed")
        };
        Ok(Key {
            kid: row.kid.clone(),
            public: row.public_key.clone(),
            created_at: Timestamp::from_microsecond(row.created_at_us)?,
            private: EncodingKey::from_ed_der(&private),
        })
    }

    async fn make_when_due(&self) -> anyhow::Result<()> {
        let now = self.0.clock.now();
        let mut tx = docket_database::begin(&self.0.pool).await?;
        signing_key::lock(&mut tx).await?;
        let newest = signing_key::newest(&mut tx).await?;
        if newest.is_some_and(|at| at > (now - LIFE).as_microsecond()) {
            return Ok(());
        }
        let pair =
            Ed25519KeyPair::generate().map_err(|_unspecified| anyhow::anyhow!("no key can be made"))?;
        let private = pair.to_pkcs8().map_err(|_unspecified| anyhow::anyhow!("the key cannot be written"))?;
        let kid = Uuid::new_v4().to_string();
        let private_sealed = self.0.vault.seal(&subject(), kid.as_bytes(), private.as_ref()).await?;
        let public_key = pair.public_key().as_ref().to_vec();
        let key = SigningKey { kid, public_key, private_sealed, created_at_us: now.as_microsecond() };
        signing_key::insert(&mut tx, &key).await?;
        Ok(tx.commit().await?)
    }
}

#[async_trait]
impl KeySource for KeyRing {
    async fn key_set(&self) -> anyhow::Result<String> {
        Ok(self.jwks().to_string())
    }
}

/// The newest key which everybody has seen by now, or else the oldest.
fn signing(keys: &[Key], now: Timestamp) -> Option<&Key> {
    keys.iter().rev().find(|key| key.created_at + PUBLISHED_BEFORE <= now).or_else(|| keys.first())
}

/// The vault seals for subjects; the keys' subject is an account which nobody has.
fn subject() -> Subject {
    Subject::account(derived_id("identity.signing-keys", Uuid::nil(), 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(kid: &str, created: i64) -> Key {
        let created_at = Timestamp::from_second(created).unwrap();
        Key { kid: kid.into(), public: vec![], created_at, private: EncodingKey::from_ed_der(&[]) }
    }

    #[test]
    fn a_new_key_is_published_before_it_signs() {
        let keys = [key("old", 0), key("new", 10_000)];
        let kid = |second| signing(&keys, Timestamp::from_second(second).unwrap()).unwrap().kid.clone();
        assert_eq!(kid(10_100), "old");
        assert_eq!(kid(10_600), "new");
        assert_eq!(signing(&keys[1..], Timestamp::from_second(10_000).unwrap()).unwrap().kid, "new");
    }
}
