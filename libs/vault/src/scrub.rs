//! The daily rewriting of the tables of keys, after which no page holds what was destroyed or replaced.

use jiff::SignedDuration;

use crate::{Error, Vault};

/// How often it is due.
const EVERY: SignedDuration = SignedDuration::from_hours(24);

impl Vault {
    /// Writes the tables of keys anew, so that their pages no longer hold the wrapped bytes of keys that were destroyed
    /// or replaced; to be done daily. New keys wait meanwhile, keys in memory serve on.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn scrub(&self) -> Result<(), Error> {
        for table in ["VACUUM (FULL) vault.data_key", "VACUUM (FULL) vault.service_key"] {
            sqlx::raw_sql(table).execute(self.keys()).await?;
        }
        sqlx::query!("INSERT INTO vault.scrub (at_us) VALUES ($1) ON CONFLICT DO NOTHING", self.now_us())
            .execute(self.keys())
            .await?;
        Ok(())
    }

    /// [`Vault::scrub`] when the last one, by whichever replica, is a day old; whether it was.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn scrub_when_due(&self) -> Result<bool, Error> {
        let last = sqlx::query_scalar!("SELECT max(at_us) FROM vault.scrub").fetch_one(self.keys()).await?;
        let every = i64::try_from(EVERY.as_micros()).expect("a day in microseconds");
        if last.is_some_and(|last| self.now_us() < last.saturating_add(every)) {
            return Ok(false);
        }
        self.scrub().await?;
        Ok(true)
    }
}
