//! The service's root keys: made at the first start, opened once, the wrapping key in all versions still in use.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use sqlx::PgConnection;

use crate::cipher::{Cipher, random_key};
use crate::provider::Keyring;
use crate::{Error, KeyBytes, Root, RootKey};

/// A root key as it is stored.
pub(crate) struct StoredRoot {
    pub(crate) kek_id: String,
    pub(crate) wrapped: Vec<u8>,
}

/// The wrapping key's versions which this process has opened so far.
pub(crate) struct Wrapping {
    keyring: Keyring,
    opened: RwLock<BTreeMap<i32, Arc<Cipher>>>,
}

impl Wrapping {
    pub(crate) async fn open(keys: &mut PgConnection, keyring: Keyring, now_us: i64) -> Result<Self, Error> {
        let (key, version) = root_key(keys, &keyring, Root::Wrap, now_us).await?;
        let opened = BTreeMap::from([(version, Arc::new(Cipher::new(&key)))]);
        Ok(Self { keyring, opened: RwLock::new(opened) })
    }

    pub(crate) fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// The newest version this process knows. The database may be ahead: see [`Wrapping::catch_up`].
    pub(crate) fn newest(&self) -> (i32, Arc<Cipher>) {
        let opened = self.opened.read().unwrap_or_else(PoisonError::into_inner);
        let (version, cipher) = opened.last_key_value().expect("opened with one");
        (*version, Arc::clone(cipher))
    }

    /// The version that wrapped a data key, opened from what is stored when this process meets it first.
    pub(crate) async fn version(
        &self,
        version: i32,
        stored: Option<StoredRoot>,
    ) -> Result<Arc<Cipher>, Error> {
        let known = self.opened.read().unwrap_or_else(PoisonError::into_inner).get(&version).cloned();
        if let Some(cipher) = known {
            return Ok(cipher);
        }
        let of = RootKey { root: Root::Wrap, version };
        let stored = stored.ok_or_else(|| Error::Kek(format!("the root key {of} is gone")))?;
        let key = self.keyring.unwrap(of, &stored.kek_id, &stored.wrapped).await?;
        let cipher = Arc::new(Cipher::new(&key));
        let mut opened = self.opened.write().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(opened.entry(version).or_insert(cipher)))
    }

    /// Opens the newest version in the database: another process has rotated.
    pub(crate) async fn catch_up(&self, keys: &mut PgConnection) -> Result<(), Error> {
        if let Some((version, stored)) = newest(keys, Root::Wrap).await? {
            self.version(version, Some(stored)).await?;
        }
        Ok(())
    }
}

/// The newest root key for that use, made when there is none.
pub(crate) async fn root_key(
    keys: &mut PgConnection,
    keyring: &Keyring,
    root: Root,
    now_us: i64,
) -> Result<(KeyBytes, i32), Error> {
    if newest(keys, root).await?.is_none() {
        insert(keys, keyring, RootKey { root, version: 1 }, &random_key()?, now_us).await?;
    }
    let (version, stored) = newest(keys, root).await?.ok_or(sqlx::Error::RowNotFound)?;
    let key = keyring.unwrap(RootKey { root, version }, &stored.kek_id, &stored.wrapped).await?;
    Ok((key, version))
}

/// Stores a root key unless another process was first.
pub(crate) async fn insert(
    keys: &mut PgConnection,
    keyring: &Keyring,
    of: RootKey,
    key: &KeyBytes,
    now_us: i64,
) -> Result<bool, Error> {
    let kek = keyring.current();
    let made = sqlx::query!(
        "INSERT INTO vault.service_key (name, version, wrapped, kek_id, created_at_us)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (name, version) DO NOTHING",
        of.root.as_str(),
        of.version,
        kek.wrap(of, key).await?,
        kek.id(),
        now_us
    )
    .execute(keys)
    .await?;
    Ok(made.rows_affected() == 1)
}

async fn newest(keys: &mut PgConnection, root: Root) -> Result<Option<(i32, StoredRoot)>, Error> {
    let row = sqlx::query!(
        r#"SELECT version, kek_id, wrapped AS "wrapped!" FROM vault.service_key
           WHERE name = $1 AND wrapped IS NOT NULL ORDER BY version DESC LIMIT 1"#,
        root.as_str()
    )
    .fetch_optional(keys)
    .await?;
    Ok(row.map(|row| (row.version, StoredRoot { kek_id: row.kek_id, wrapped: row.wrapped })))
}
