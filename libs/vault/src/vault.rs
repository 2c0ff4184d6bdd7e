//! Keys by subject: made, cached, used to seal and to open.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use docket_kernel::SharedClock;
use moka::future::Cache;
use sqlx::{PgExecutor, PgPool, Postgres, Transaction};
use uuid::Uuid;

use crate::certificate::CertificateKey;
use crate::cipher::{Cipher, OVERHEAD, push, random_key, unwrap, wrap};
use crate::mac::MacRoot;
use crate::provider::Keyring;
use crate::roots::{StoredRoot, Wrapping, root_key};
use crate::{Error, Root, Subject};

/// How long a plain key is kept in memory. An erasure in another process is felt after this at the latest.
pub const REMEMBERED: Duration = Duration::from_mins(5);
/// How many plain keys are kept in memory.
const CACHED_KEYS: u64 = 10_000;
/// How often making a key is tried while other processes rotate the wrapping key.
const TRIES: u32 = 5;
const SEALED_VERSION: u8 = 1;
const KEY_ID_BYTES: usize = 16;

/// What a vault is opened with.
pub struct OpenVault {
    /// The service's name, for its certificates.
    pub service: String,
    /// The keys database.
    pub keys: PgPool,
    /// The key-encryption key.
    pub keyring: Keyring,
    /// The time.
    pub clock: SharedClock,
    /// How long a plain key is kept in memory: [`REMEMBERED`], or less.
    pub remember: Duration,
}

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

/// A subject's data key, locked to the end of the transaction.
pub(crate) struct LockedKey {
    pub(crate) tx: Transaction<'static, Postgres>,
    pub(crate) id: Uuid,
    pub(crate) live: bool,
}

pub(crate) struct LiveKey {
    pub(crate) id: Uuid,
    pub(crate) cipher: Cipher,
}

/// The vault of one service. Cheap to clone.
#[derive(Clone)]
pub struct Vault(Arc<Inner>);

struct Inner {
    service: String,
    keys: PgPool,
    clock: SharedClock,
    wrapping: Wrapping,
    mac_root: MacRoot,
    certificate_key: CertificateKey,
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
    /// Opens the vault of a service called `docket`; everything else as [`Vault::start`].
    ///
    /// # Errors
    /// As [`Vault::start`].
    pub async fn connect(
        keys: PgPool,
        keyring: impl Into<Keyring>,
        clock: SharedClock,
    ) -> Result<Self, Error> {
        let (service, keyring) = ("docket".to_owned(), keyring.into());
        Self::start(OpenVault { service, keys, keyring, clock, remember: REMEMBERED }).await
    }

    /// Opens the vault in the service's keys database, making its root keys at the first time.
    ///
    /// # Errors
    /// [`Error::Kek`] when the stored keys were wrapped under another key; [`Error::KekAway`]; [`Error::Database`].
    pub async fn start(options: OpenVault) -> Result<Self, Error> {
        let OpenVault { service, keys, keyring, clock, remember } = options;
        let mut connection = keys.acquire().await?;
        let now = clock.now().as_microsecond();
        let (mac, mac_version) = root_key(&mut connection, &keyring, Root::Mac, now).await?;
        let (seed, _) = root_key(&mut connection, &keyring, Root::Certificate, now).await?;
        let wrapping = Wrapping::open(&mut connection, keyring, now).await?;
        drop(connection);
        Ok(Self(Arc::new(Inner {
            service,
            keys,
            clock,
            wrapping,
            mac_root: MacRoot::new(&mac, mac_version.unsigned_abs()),
            certificate_key: CertificateKey::new(&seed)?,
            cache: Cache::builder().max_capacity(CACHED_KEYS).time_to_live(remember).build(),
            erased: RwLock::default(),
        })))
    }

    /// Seals `plain` for `subject`; `aad` names the place and must be given again to open.
    ///
    /// # Errors
    /// [`Error::Erased`] when the subject's key was destroyed; [`Error::Database`].
    pub async fn seal(&self, subject: &Subject, aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, Error> {
        let key = self.sealing_key(subject).await?;
        let mut sealed = Vec::with_capacity(1 + KEY_ID_BYTES + plain.len() + OVERHEAD);
        sealed.push(SEALED_VERSION);
        sealed.extend_from_slice(key.id.as_bytes());
        key.cipher.seal_onto(&mut sealed, &whole_aad("docket.sealed.v1", subject, aad), plain)?;
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

    /// Whether the subject's key was destroyed, as soon as opening would say so: whoever keeps what was opened asks this
    /// before each use.
    ///
    /// # Errors
    /// [`Error::Database`]; as [`Vault::start`].
    pub async fn is_erased(&self, subject: &Subject) -> Result<bool, Error> {
        Ok(matches!(self.key(subject).await?, Some(DataKey::Destroyed)))
    }

    /// Drops the subject's plain key from memory for good: the answer to another service's `SubjectErased`.
    pub async fn forget(&self, subject: &Subject) {
        self.0.erased.write().unwrap_or_else(PoisonError::into_inner).insert(*subject);
        self.0.cache.invalidate(subject).await;
    }

    pub(crate) fn mac_root(&self) -> &MacRoot {
        &self.0.mac_root
    }

    pub(crate) fn certificate_key(&self) -> &CertificateKey {
        &self.0.certificate_key
    }

    pub(crate) fn service(&self) -> &str {
        &self.0.service
    }

    pub(crate) fn keys(&self) -> &PgPool {
        &self.0.keys
    }

    pub(crate) fn wrapping(&self) -> &Wrapping {
        &self.0.wrapping
    }

    /// The key for sealing, made when the subject has none yet.
    pub(crate) async fn sealing_key(&self, subject: &Subject) -> Result<Arc<LiveKey>, Error> {
        if let Some(key) = self.key(subject).await? {
            return live(key, subject);
        }
        // Boxed, as `load` is: they are large and rare, and every append would carry them.
        Box::pin(self.make_key(subject)).await?;
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
            None => Box::pin(self.load(subject)).await?,
        };
        let erased = self.0.erased.read().unwrap_or_else(PoisonError::into_inner).contains(subject);
        if erased && key.is_some() {
            return Ok(Some(DataKey::Destroyed));
        }
        Ok(key)
    }

    async fn load(&self, subject: &Subject) -> Result<Option<DataKey>, Error> {
        let name = subject.to_string();
        // One statement, so that a rotation is seen as a whole: the key and the version it is wrapped under.
        let row = sqlx::query!(
            r#"SELECT d.key_id, d.wrapped, d.wrap_version,
                      s.wrapped AS "root_wrapped?", s.kek_id AS "root_kek_id?"
               FROM vault.data_key d
               LEFT JOIN vault.service_key s ON s.name = 'wrap' AND s.version = d.wrap_version
               WHERE d.subject = $1"#,
            &name
        )
        .fetch_optional(&self.0.keys)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let key = match row.wrapped {
            None => DataKey::Destroyed,
            Some(wrapped) => {
                let id = row.key_id;
                let root = row.root_wrapped.zip(row.root_kek_id);
                let root = root.map(|(wrapped, kek_id)| StoredRoot { kek_id, wrapped });
                let wrapping = self.0.wrapping.version(row.wrap_version, root).await?;
                let bytes = unwrap(&wrapping, &wrap_aad(&name, id), &wrapped)?;
                DataKey::Live(Arc::new(LiveKey { id, cipher: Cipher::new(&bytes) }))
            }
        };
        self.0.cache.insert(*subject, key.clone()).await;
        Ok(Some(key))
    }

    /// Begins a transaction in which the subject's key is locked, made before if there never was one.
    pub(crate) async fn lock_key(&self, subject: &Subject) -> Result<LockedKey, Error> {
        if !self.has_key(&self.0.keys, &subject.to_string()).await? {
            self.make_key(subject).await?;
        }
        let mut tx = docket_database::begin(&self.0.keys).await?;
        let row = sqlx::query!(
            r#"SELECT key_id, wrapped IS NOT NULL AS "live!" FROM vault.data_key WHERE subject = $1 FOR UPDATE"#,
            subject.to_string()
        )
        .fetch_one(&mut *tx)
        .await?;
        Ok(LockedKey { tx, id: row.key_id, live: row.live })
    }

    /// Makes the subject's key unless it has, or had, one. Each statement is a transaction of its own: the lock on a
    /// version's row, kept while waiting for a data key's, would meet a rotation that takes them the other way round.
    async fn make_key(&self, subject: &Subject) -> Result<(), Error> {
        let keys = &mut *self.0.keys.acquire().await?;
        let name = subject.to_string();
        for _ in 0..TRIES {
            let (version, wrapping) = self.0.wrapping.newest();
            let id = Uuid::new_v4();
            let wrapped = wrap(&wrapping, &wrap_aad(&name, id), &random_key()?)?;
            // The lock on the version's row keeps a rotation out until this key is seen by its scan; a version
            // that was retired meanwhile gives no row, and nothing new is ever wrapped under it.
            let made = sqlx::query!(
                "WITH live AS (
                    SELECT version FROM vault.service_key
                    WHERE name = 'wrap' AND version = $4 AND retired_at_us IS NULL FOR SHARE)
                 INSERT INTO vault.data_key (subject, key_id, wrapped, wrap_version, created_at_us)
                 SELECT $1, $2, $3, version, $5 FROM live ON CONFLICT (subject) DO NOTHING",
                &name,
                id,
                wrapped,
                version,
                self.now_us()
            )
            .execute(&mut *keys)
            .await?;
            if made.rows_affected() == 1 || self.has_key(&mut *keys, &name).await? {
                return Ok(());
            }
            self.0.wrapping.catch_up(keys).await?;
        }
        Err(Error::KekAway("the wrapping key is rotated again and again".to_owned()))
    }

    async fn has_key(&self, keys: impl PgExecutor<'_>, name: &str) -> Result<bool, Error> {
        let found = sqlx::query_scalar!(
            r#"SELECT EXISTS (SELECT FROM vault.data_key WHERE subject = $1) AS "found!""#,
            name
        );
        Ok(found.fetch_one(keys).await?)
    }

    pub(crate) fn now_us(&self) -> i64 {
        self.0.clock.now().as_microsecond()
    }
}

fn live(key: DataKey, subject: &Subject) -> Result<Arc<LiveKey>, Error> {
    match key {
        DataKey::Live(key) => Ok(key),
        DataKey::Destroyed => Err(Error::Erased(*subject)),
    }
}

pub(crate) fn wrap_aad(subject: &str, key_id: Uuid) -> Vec<u8> {
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
