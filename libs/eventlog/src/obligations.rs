//! Obligations: every accepted act opens one, and it must end in a state the user can see.

use jiff::Timestamp;
use sqlx::{PgConnection, PgPool};

use crate::Error;
use crate::record::instant;

/// Something that must happen by a certain instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obligation {
    /// What must happen: `receipt_notice`.
    pub kind: String,
    /// For which act.
    pub key: String,
    /// Who must see to it: a service or part.
    pub owner: String,
    /// By when.
    pub due_at: Timestamp,
}

/// How many obligations of one kind are open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenOfKind {
    /// The kind.
    pub kind: String,
    /// Open ones, at least one.
    pub open: u64,
    /// Those of them that should have ended.
    pub overdue: u64,
}

/// The obligations of one log.
#[derive(Debug, Clone)]
pub struct Obligations {
    log: &'static str,
    pool: PgPool,
}

impl Obligations {
    pub(crate) fn new(log: &'static str, pool: PgPool) -> Self {
        Self { log, pool }
    }

    /// Opens an obligation in the transaction of its event. One of that kind and key is opened once for ever.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn open_in(&self, tx: &mut PgConnection, obligation: &Obligation) -> Result<(), Error> {
        sqlx::query!(
            "INSERT INTO log.obligation (log, kind, key, owner, due_at_us) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (log, kind, key) DO NOTHING",
            self.log,
            &obligation.kind,
            &obligation.key,
            &obligation.owner,
            obligation.due_at.as_microsecond()
        )
        .execute(tx)
        .await?;
        Ok(())
    }

    /// Closes it in the transaction of the event at `position`; whether it was open.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn close_in(
        &self,
        tx: &mut PgConnection,
        kind: &str,
        key: &str,
        position: u64,
    ) -> Result<bool, Error> {
        let closed = sqlx::query!(
            "UPDATE log.obligation SET closed_by = $4
             WHERE log = $1 AND kind = $2 AND key = $3 AND closed_by IS NULL",
            self.log,
            kind,
            key,
            position.cast_signed()
        )
        .execute(tx)
        .await?;
        Ok(closed.rows_affected() == 1)
    }

    /// Closes every open one of a kind whose key begins so, in the transaction of the event at `position`; how many were open.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn close_all_in(
        &self,
        tx: &mut PgConnection,
        kind: &str,
        key_begins: &str,
        position: u64,
    ) -> Result<u64, Error> {
        let closed = sqlx::query!(
            "UPDATE log.obligation SET closed_by = $4
             WHERE log = $1 AND kind = $2 AND starts_with(key, $3) AND closed_by IS NULL",
            self.log,
            kind,
            key_begins,
            position.cast_signed()
        )
        .execute(tx)
        .await?;
        Ok(closed.rows_affected())
    }

    /// The open ones, the most urgent first, at most `limit`.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn open(&self, limit: u32) -> Result<Vec<Obligation>, Error> {
        self.open_where(None, limit).await
    }

    /// The open ones of a kind, the most urgent first, at most `limit`.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn open_of(&self, kind: &str, limit: u32) -> Result<Vec<Obligation>, Error> {
        self.open_where(Some(kind), limit).await
    }

    async fn open_where(&self, kind: Option<&str>, limit: u32) -> Result<Vec<Obligation>, Error> {
        let rows = sqlx::query!(
            "SELECT kind, key, owner, due_at_us FROM log.obligation
             WHERE log = $1 AND closed_by IS NULL AND ($2::text IS NULL OR kind = $2)
             ORDER BY due_at_us, kind, key LIMIT $3",
            self.log,
            kind,
            i64::from(limit)
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter()
            .map(|row| {
                let due_at = instant(row.due_at_us)?;
                Ok(Obligation { kind: row.kind, key: row.key, owner: row.owner, due_at })
            })
            .collect()
    }

    /// How many should have ended by `now`.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn overdue(&self, now: Timestamp) -> Result<u64, Error> {
        let count = sqlx::query_scalar!(
            r#"SELECT count(*) AS "count!" FROM log.obligation
             WHERE log = $1 AND closed_by IS NULL AND due_at_us <= $2"#,
            self.log,
            now.as_microsecond()
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(count.unsigned_abs())
    }

    /// How many are open of each kind, and how many of these should have ended by `now`. A kind of which none is open is
    /// missing: looking for it would be to look at all that were ever closed.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn open_by_kind(&self, now: Timestamp) -> Result<Vec<OpenOfKind>, Error> {
        let rows = sqlx::query!(
            r#"SELECT kind, count(*) AS "open!", count(*) FILTER (WHERE due_at_us <= $2) AS "overdue!"
             FROM log.obligation WHERE log = $1 AND closed_by IS NULL GROUP BY kind ORDER BY kind"#,
            self.log,
            now.as_microsecond()
        )
        .fetch_all(&self.pool)
        .await?;
        let counted = rows.into_iter().map(|row| OpenOfKind {
            kind: row.kind,
            open: row.open.unsigned_abs(),
            overdue: row.overdue.unsigned_abs(),
        });
        Ok(counted.collect())
    }
}
