//! Keys by subject: made, cached, used, destroyed, held.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use docket_kernel::SharedClock;
use moka::future::Cache;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::cipher::{Cipher, KeyBytes, push, random_key, unwrap, wrap};
use crate::mac::MacRoot;
use crate::{Error, Kek, Subject};

/// How long a plain key is kept in memory. An erasure in another process is felt after this at the latest.
const CACHED: Duration = Duration::from_mins(5);
/// How many plain keys are kept in memory.
const CACHED_KEYS: u64 = 10_000;
const SEALED_VERSION: u8 = 1;
const KEY_ID_BYTES: usize = 16;

/// What opening gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// The plain bytes.
    Plain(Vec<u8>),
    /// The subject's key was destroyed: nobody can open these bytes any more.
    Erased,
}

/// A subject's data key, ready for use.
#[derive(Clone)]
pub(crate) enum DataKey {
    Live(Arc<LiveKey>),
    Destroyed,
}

pub(crate) struct LiveKey {
    pub(crate) id: Uuid,
    pub(crate) cipher: Cipher,
}

/// The vault of one service. Cheap to clone.
#[derive(Clone)]
pub struct Vault(Arc<Inner>);

struct Inner {
    keys: PgPool,
    clock: SharedClock,
    wrapping: Cipher,
    wrap_version: i32,
    mac_root: MacRoot,
    cache: Cache<Subject, DataKey>,
    /// Subjects this process knows to be erased: they never come back, whatever a slow reader still holds.
    erased: RwLock<HashSet<Subject>>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault")
    }
}

impl Vault {
    /// Opens the vault in the service's keys database, making its root keys at the first time.
    ///
    /// # Errors
    /// [`Error::Kek`] when the stored keys were wrapped under another key; [`Error::Database`].
    pub async fn connect(keys: PgPool, kek: Kek, clock: SharedClock) -> Result<Self, Error> {
        let (wrapping, wrap_version) = root_key(&keys, &kek, &clock, "wrap").await?;
        let (mac, mac_version) = root_key(&keys, &kek, &clock, "mac").await?;
        let cache = Cache::builder().max_capacity(CACHED_KEYS).time_to_live(CACHED).build();
        Ok(Self(Arc::new(Inner {
            keys,
            clock,
            wrapping: Cipher::new(&wrapping),
            wrap_version,
            mac_root: MacRoot::new(&mac, mac_version.unsigned_abs()),
            cache,
            erased: RwLock::default(),
        })))
    }

    /// Seals `plain` for `subject`; `aad` names the place and must be given again to open.
    ///
    /// # Errors
    /// [`Error::Erased`] when the subject's key was destroyed; [`Error::Database`].
    pub async fn seal(&self, subject: &Subject, aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, Error> {
        let key = self.sealing_key(subject).await?;
        let mut sealed = vec![SEALED_VERSION];
        sealed.extend_from_slice(key.id.as_bytes());
        sealed.extend(key.cipher.seal(&whole_aad("docket.sealed.v1", subject, aad), plain)?);
        Ok(sealed)
    }

    /// Opens what [`Vault::seal`] made.
    ///
    /// # Errors
    /// [`Error::Altered`] when the bytes, the subject or the place are not those of sealing; [`Error::Database`].
    pub async fn open(&self, subject: &Subject, aad: &[u8], sealed: &[u8]) -> Result<Opened, Error> {
        let (&version, rest) = sealed.split_first().ok_or(Error::Altered)?;
        let (key_id, body) = rest.split_at_checked(KEY_ID_BYTES).ok_or(Error::Altered)?;
        if version != SEALED_VERSION {
            return Err(Error::Altered);
        }
        let key_id = Uuid::from_slice(key_id).map_err(|_length| Error::Altered)?;
        let Some(key) = self.opening_key(subject, key_id).await? else { return Ok(Opened::Erased) };
        key.cipher.open(&whole_aad("docket.sealed.v1", subject, aad), body).map(Opened::Plain)
    }

    /// Destroys the subject's key: what was sealed for it can never be opened again. Repeating it is no fault.
    ///
    /// # Errors
    /// [`Error::Held`] under a legal hold; [`Error::Database`].
    pub async fn erase(&self, subject: &Subject) -> Result<(), Error> {
        let name = subject.to_string();
        let now = self.now_us();
        let mut tx = self.0.keys.begin().await?;
        // The row must exist before it is locked, so that a hold, an erasure and a first sealing queue up.
        self.make_key(&mut tx, subject).await?;
        let key_id =
            sqlx::query_scalar!("SELECT key_id FROM vault.data_key WHERE subject = $1 FOR UPDATE", &name)
                .fetch_one(&mut *tx)
                .await?;
        let held = sqlx::query_scalar!(
            r#"SELECT EXISTS (
                SELECT FROM vault.legal_hold WHERE subject = $1 AND released_at_us IS NULL) AS "held!""#,
            &name
        )
        .fetch_one(&mut *tx)
        .await?;
        if held {
            return Err(Error::Held(*subject));
        }
        sqlx::query!(
            "UPDATE vault.data_key SET wrapped = NULL, destroyed_at_us = $2
             WHERE subject = $1 AND wrapped IS NOT NULL",
            &name,
            now
        )
        .execute(&mut *tx)
        .await?;
        sqlx::query!(
            "INSERT INTO vault.erasure (subject, key_id, erased_at_us) VALUES ($1, $2, $3)
             ON CONFLICT (subject) DO NOTHING",
            &name,
            key_id,
            now
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        self.forget(subject).await;
        Ok(())
    }

    /// Drops the subject's plain key from memory for good: the answer to another service's `SubjectErased`.
    pub async fn forget(&self, subject: &Subject) {
        self.0.erased.write().unwrap_or_else(PoisonError::into_inner).insert(*subject);
        self.0.cache.invalidate(subject).await;
    }

    /// Forbids erasure of the subject until [`Vault::release`] with the same reason.
    ///
    /// # Errors
    /// [`Error::Erased`] when it is too late; [`Error::Database`].
    pub async fn hold(&self, subject: &Subject, reason: &str) -> Result<(), Error> {
        let name = subject.to_string();
        let mut tx = self.0.keys.begin().await?;
        self.make_key(&mut tx, subject).await?;
        let live = sqlx::query_scalar!(
            r#"SELECT wrapped IS NOT NULL AS "live!" FROM vault.data_key WHERE subject = $1 FOR UPDATE"#,
            &name
        )
        .fetch_one(&mut *tx)
        .await?;
        if !live {
            return Err(Error::Erased(*subject));
        }
        sqlx::query!(
            "INSERT INTO vault.legal_hold (subject, reason, held_at_us) VALUES ($1, $2, $3)
             ON CONFLICT (subject, reason) DO UPDATE
             SET held_at_us = excluded.held_at_us, released_at_us = NULL",
            &name,
            reason,
            self.now_us()
        )
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }

    /// Ends the legal hold of that reason.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn release(&self, subject: &Subject, reason: &str) -> Result<(), Error> {
        sqlx::query!(
            "UPDATE vault.legal_hold SET released_at_us = $3
             WHERE subject = $1 AND reason = $2 AND released_at_us IS NULL",
            subject.to_string(),
            reason,
            self.now_us()
        )
        .execute(&self.0.keys)
        .await?;
        Ok(())
    }

    pub(crate) fn mac_root(&self) -> &MacRoot {
        &self.0.mac_root
    }

    /// The key for sealing, made when the subject has none yet.
    pub(crate) async fn sealing_key(&self, subject: &Subject) -> Result<Arc<LiveKey>, Error> {
        if let Some(key) = self.key(subject).await? {
            return live(key, subject);
        }
        let mut keys = self.0.keys.acquire().await?;
        self.make_key(&mut keys, subject).await?;
        drop(keys);
        let key = self.key(subject).await?.ok_or(Error::Database(sqlx::Error::RowNotFound))?;
        live(key, subject)
    }

    /// The key for opening; none when it was destroyed.
    pub(crate) async fn opening_key(
        &self,
        subject: &Subject,
        key_id: Uuid,
    ) -> Result<Option<Arc<LiveKey>>, Error> {
        match self.key(subject).await? {
            Some(DataKey::Live(key)) if key.id == key_id => Ok(Some(key)),
            Some(DataKey::Destroyed) => Ok(None),
            Some(DataKey::Live(_)) | None => Err(Error::Altered),
        }
    }

    async fn key(&self, subject: &Subject) -> Result<Option<DataKey>, Error> {
        let known = self.0.cache.get(subject).await;
        let key = match known {
            Some(key) => Some(key),
            None => self.load(subject).await?,
        };
        let erased = self.0.erased.read().unwrap_or_else(PoisonError::into_inner).contains(subject);
        if erased && key.is_some() {
            return Ok(Some(DataKey::Destroyed));
        }
        Ok(key)
    }

    async fn load(&self, subject: &Subject) -> Result<Option<DataKey>, Error> {
        let name = subject.to_string();
        let row = sqlx::query!("SELECT key_id, wrapped FROM vault.data_key WHERE subject = $1", &name)
            .fetch_optional(&self.0.keys)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let key = match row.wrapped {
            None => DataKey::Destroyed,
            Some(wrapped) => {
                let id = row.key_id;
                let bytes = unwrap(&self.0.wrapping, &wrap_aad(&name, id), &wrapped)?;
                DataKey::Live(Arc::new(LiveKey { id, cipher: Cipher::new(&bytes) }))
            }
        };
        self.0.cache.insert(*subject, key.clone()).await;
        Ok(Some(key))
    }

    /// Makes the subject's key unless it has, or had, one.
    async fn make_key(&self, keys: &mut PgConnection, subject: &Subject) -> Result<(), Error> {
        let name = subject.to_string();
        let id = Uuid::new_v4();
        let wrapped = wrap(&self.0.wrapping, &wrap_aad(&name, id), &random_key()?)?;
        sqlx::query!(
            "INSERT INTO vault.data_key (subject, key_id, wrapped, wrap_version, created_at_us)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (subject) DO NOTHING",
            &name,
            id,
            wrapped,
            self.0.wrap_version,
            self.now_us()
        )
        .execute(keys)
        .await?;
        Ok(())
    }

    fn now_us(&self) -> i64 {
        self.0.clock.now().as_microsecond()
    }
}

fn live(key: DataKey, subject: &Subject) -> Result<Arc<LiveKey>, Error> {
    match key {
        DataKey::Live(key) => Ok(key),
        DataKey::Destroyed => Err(Error::Erased(*subject)),
    }
}

/// The newest root key of that name, made when there is none.
async fn root_key(
    keys: &PgPool,
    kek: &Kek,
    clock: &SharedClock,
    name: &str,
) -> Result<(KeyBytes, i32), Error> {
    let aad = whole_root_aad(name, 1);
    let fresh = wrap(kek.cipher(), &aad, &random_key()?)?;
    sqlx::query!(
        "INSERT INTO vault.service_key (name, version, wrapped, kek_id, created_at_us)
         VALUES ($1, 1, $2, $3, $4) ON CONFLICT (name, version) DO NOTHING",
        name,
        fresh,
        kek.id(),
        clock.now().as_microsecond()
    )
    .execute(keys)
    .await?;
    let stored = sqlx::query!(
        "SELECT version, wrapped, kek_id FROM vault.service_key
         WHERE name = $1 ORDER BY version DESC LIMIT 1",
        name
    )
    .fetch_one(keys)
    .await?;
    if stored.kek_id != kek.id() {
        let (under, this) = (stored.kek_id, kek.id());
        return Err(Error::Kek(format!("the keys are wrapped under {under}, this one is {this}")));
    }
    let aad = whole_root_aad(name, stored.version);
    Ok((unwrap(kek.cipher(), &aad, &stored.wrapped)?, stored.version))
}

fn whole_root_aad(name: &str, version: i32) -> Vec<u8> {
    let mut aad = b"docket.root-key.v1".to_vec();
    push(&mut aad, name.as_bytes());
    push(&mut aad, &version.to_be_bytes());
    aad
}

fn wrap_aad(subject: &str, key_id: Uuid) -> Vec<u8> {
    let mut aad = b"docket.data-key.v1".to_vec();
    push(&mut aad, subject.as_bytes());
    push(&mut aad, key_id.as_bytes());
    aad
}

pub(crate) fn whole_aad(tag: &str, subject: &Subject, aad: &[u8]) -> Vec<u8> {
    let mut whole = tag.as_bytes().to_vec();
    push(&mut whole, subject.to_string().as_bytes());
    push(&mut whole, aad);
    whole
}
