//! Rotation: the key-encryption key and the wrapping key are replaced without touching anything that was sealed.
//!
//! Both may be stopped at any moment and begun again, and run while others seal, open and erase.

use jiff::Timestamp;
use sqlx::PgConnection;

use crate::certificate::instant;
use crate::cipher::{random_key, unwrap, wrap};
use crate::roots::{StoredRoot, insert};
use crate::vault::wrap_aad;
use crate::{Error, Root, RootKey, Vault};

/// What one batch of a rotation came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rewrapped {
    /// Data keys wrapped anew in this batch.
    pub done: u64,
    /// Data keys still under an older version.
    pub left: u64,
}

/// A version of a root key, for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyStatus {
    /// Which.
    pub key: RootKey,
    /// The key-encryption key that wraps it.
    pub kek_id: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when nothing new is wrapped under it.
    pub retired_at: Option<Timestamp>,
    /// When it was destroyed, once nothing was left under it.
    pub destroyed_at: Option<Timestamp>,
    /// Data keys under it; 0 for keys that wrap none.
    pub data_keys: u64,
}

impl Vault {
    /// Wraps every root key that is not under the current key-encryption key under it, one in each transaction; gives
    /// those that were changed. Every process must know the new key before (ADR 0008).
    ///
    /// # Errors
    /// [`Error::Kek`], [`Error::KekAway`], [`Error::Database`]: what was done stays done, and can be gone on with.
    pub async fn rotate_kek(&self) -> Result<Vec<RootKey>, Error> {
        let mut changed = Vec::new();
        while let Some(key) = self.rewrap_root().await? {
            changed.push(key);
        }
        Ok(changed)
    }

    /// Makes a new version of the wrapping key and retires the one before: nothing new is wrapped under that from then
    /// on, by any process. While data keys are still under an older version nothing is made, so that a rotation that
    /// was stopped goes on. Then call [`Vault::rewrap`] until nothing is left.
    ///
    /// # Errors
    /// [`Error::Kek`], [`Error::KekAway`], [`Error::Database`].
    pub async fn begin_rotation(&self) -> Result<i32, Error> {
        let mut tx = docket_database::begin(self.keys()).await?;
        // The lock waits for keys being made under this version, and lets one rotation begin at a time.
        let live = sqlx::query_scalar!(
            "SELECT version FROM vault.service_key WHERE name = 'wrap' AND retired_at_us IS NULL FOR UPDATE"
        )
        .fetch_optional(&mut *tx)
        .await?;
        // Another rotation has just begun: its version is the new one.
        let Some(live) = live else { return self.catch_up(&mut tx).await };
        if count_older(&mut tx, live).await? > 0 {
            return self.catch_up(&mut tx).await;
        }
        let now = self.now_us();
        sqlx::query!(
            "UPDATE vault.service_key SET retired_at_us = $2 WHERE name = 'wrap' AND version = $1",
            live,
            now
        )
        .execute(&mut *tx)
        .await?;
        let next = RootKey { root: Root::Wrap, version: live + 1 };
        insert(&mut tx, self.wrapping().keyring(), next, &random_key()?, now).await?;
        tx.commit().await?;
        let mut keys = self.keys().acquire().await?;
        self.catch_up(&mut keys).await
    }

    /// Wraps up to `most` data keys that are under an older version anew, in one transaction; when nothing is left,
    /// destroys the older versions.
    ///
    /// # Errors
    /// [`Error::Kek`], which names the subject when its stored key was changed; [`Error::KekAway`]; [`Error::Database`].
    pub async fn rewrap(&self, most: u32) -> Result<Rewrapped, Error> {
        let mut tx = docket_database::begin(self.keys()).await?;
        let newest = self.catch_up(&mut tx).await?;
        let (_, wrapping) = self.wrapping().newest();
        let rows = sqlx::query!(
            r#"SELECT d.subject, d.key_id, d.wrapped AS "wrapped!", d.wrap_version,
                      s.wrapped AS "root_wrapped!", s.kek_id
               FROM vault.data_key d JOIN vault.service_key s ON s.name = 'wrap' AND s.version = d.wrap_version
               WHERE d.wrapped IS NOT NULL AND d.wrap_version < $1
               ORDER BY d.wrap_version, d.subject LIMIT $2 FOR UPDATE OF d"#,
            newest,
            i64::from(most)
        )
        .fetch_all(&mut *tx)
        .await?;
        let (mut subjects, mut wrapped_anew) = (Vec::new(), Vec::new());
        for row in rows {
            let root = StoredRoot { kek_id: row.kek_id, wrapped: row.root_wrapped };
            let under = self.wrapping().version(row.wrap_version, Some(root)).await?;
            let aad = wrap_aad(&row.subject, row.key_id);
            let key = unwrap(&under, &aad, &row.wrapped).map_err(|_altered| changed(&row.subject))?;
            wrapped_anew.push(wrap(&wrapping, &aad, &key)?);
            subjects.push(row.subject);
        }
        sqlx::query!(
            "UPDATE vault.data_key d SET wrapped = n.wrapped, wrap_version = $3
             FROM unnest($1::text[], $2::bytea[]) AS n (subject, wrapped) WHERE d.subject = n.subject",
            &subjects,
            &wrapped_anew,
            newest
        )
        .execute(&mut *tx)
        .await?;
        let left = count_older(&mut tx, newest).await?;
        if left == 0 {
            destroy_older(&mut tx, newest, self.now_us()).await?;
        }
        tx.commit().await?;
        Ok(Rewrapped { done: subjects.len() as u64, left })
    }

    /// Every version of every root key.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn key_status(&self) -> Result<Vec<KeyStatus>, Error> {
        let rows = sqlx::query!(
            r#"SELECT s.name, s.version, s.kek_id, s.created_at_us, s.retired_at_us, s.destroyed_at_us,
                      (SELECT count(*) FROM vault.data_key d WHERE s.name = 'wrap'
                       AND d.wrap_version = s.version AND d.wrapped IS NOT NULL) AS "data_keys!"
               FROM vault.service_key s ORDER BY s.name, s.version"#
        )
        .fetch_all(self.keys())
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(KeyStatus {
                    key: RootKey { root: root(&row.name)?, version: row.version },
                    kek_id: row.kek_id,
                    created_at: instant(row.created_at_us)?,
                    retired_at: row.retired_at_us.map(instant).transpose()?,
                    destroyed_at: row.destroyed_at_us.map(instant).transpose()?,
                    data_keys: row.data_keys.unsigned_abs(),
                })
            })
            .collect()
    }

    /// Opens the newest wrapping key of the database, and gives its version.
    async fn catch_up(&self, keys: &mut PgConnection) -> Result<i32, Error> {
        self.wrapping().catch_up(keys).await?;
        Ok(self.wrapping().newest().0)
    }

    /// One root key under an earlier key-encryption key, wrapped under the current one.
    async fn rewrap_root(&self) -> Result<Option<RootKey>, Error> {
        let keyring = self.wrapping().keyring();
        let mut tx = docket_database::begin(self.keys()).await?;
        let row = sqlx::query!(
            r#"SELECT name, version, kek_id, wrapped AS "wrapped!" FROM vault.service_key
               WHERE kek_id <> $1 AND wrapped IS NOT NULL ORDER BY name, version LIMIT 1 FOR UPDATE"#,
            keyring.current().id()
        )
        .fetch_optional(&mut *tx)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let of = RootKey { root: root(&row.name)?, version: row.version };
        let key = keyring.unwrap(of, &row.kek_id, &row.wrapped).await?;
        sqlx::query!(
            "UPDATE vault.service_key SET wrapped = $3, kek_id = $4 WHERE name = $1 AND version = $2",
            row.name,
            row.version,
            keyring.current().wrap(of, &key).await?,
            keyring.current().id()
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(Some(of))
    }
}

async fn count_older(keys: &mut PgConnection, version: i32) -> Result<u64, Error> {
    let older = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM vault.data_key WHERE wrapped IS NOT NULL AND wrap_version < $1"#,
        version
    );
    Ok(older.fetch_one(keys).await?.unsigned_abs())
}

/// Destroys the versions of the wrapping key under which nothing is left, and nothing can come.
async fn destroy_older(keys: &mut PgConnection, newest: i32, now_us: i64) -> Result<(), Error> {
    sqlx::query!(
        "UPDATE vault.service_key SET wrapped = NULL, destroyed_at_us = $2
         WHERE name = 'wrap' AND version < $1 AND retired_at_us IS NOT NULL AND wrapped IS NOT NULL",
        newest,
        now_us
    )
    .execute(keys)
    .await?;
    Ok(())
}

fn changed(subject: &str) -> Error {
    Error::Kek(format!(
        "the stored key of {subject} was changed: restore it from a backup, or erase the subject"
    ))
}

fn root(name: &str) -> Result<Root, Error> {
    Root::ALL.into_iter().find(|root| root.as_str() == name).ok_or(Error::Malformed("a root key's name"))
}
