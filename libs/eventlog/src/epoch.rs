//! Epochs: raised when a log is restored to an earlier point, so that nobody mistakes new events for old.

use docket_database::answered;
use jiff::Timestamp;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::chain::push;
use crate::commit::lock;
use crate::log::Core;
use crate::record::instant;
use crate::{Error, EventLog};

/// One epoch of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Epoch {
    /// 1, 2, 3 …
    pub number: u64,
    /// Its id.
    pub id: Uuid,
    /// The first position written in it.
    pub from_position: u64,
    /// Why it began.
    pub reason: String,
    /// When it began.
    pub started_at: Timestamp,
    mac: Vec<u8>,
}

struct Row {
    number: i64,
    id: Uuid,
    from_position: i64,
    reason: String,
    started_at_us: i64,
    mac: Vec<u8>,
}

impl Epoch {
    fn next(core: &Core, number: u64, from_position: u64, reason: &str) -> Result<Self, Error> {
        let mut epoch = Self {
            number,
            id: Uuid::new_v4(),
            from_position,
            reason: reason.to_owned(),
            started_at: instant(core.clock.now().as_microsecond())?,
            mac: Vec::new(),
        };
        epoch.mac = epoch.expected_mac(core);
        Ok(epoch)
    }

    /// The service's seal on the row, as an export carries it.
    pub fn mac(&self) -> &[u8] {
        &self.mac
    }

    /// Whether the row was written by this service.
    pub(crate) fn genuine(&self, core: &Core) -> bool {
        self.mac == self.expected_mac(core)
    }

    fn expected_mac(&self, core: &Core) -> Vec<u8> {
        let mut bytes = Vec::new();
        push(&mut bytes, core.name.as_bytes());
        push(&mut bytes, &self.number.to_be_bytes());
        push(&mut bytes, self.id.as_bytes());
        push(&mut bytes, &self.from_position.to_be_bytes());
        push(&mut bytes, self.reason.as_bytes());
        push(&mut bytes, &self.started_at.as_microsecond().to_be_bytes());
        core.vault.mac("log.epoch", &bytes).to_vec()
    }
}

impl From<Row> for Epoch {
    /// Whatever stands there can be read, so that `verify` can name it: an instant that somebody put beyond the calendar is
    /// its nearer end, over which the seal does not hold.
    fn from(row: Row) -> Self {
        let beyond = if row.started_at_us < 0 { Timestamp::MIN } else { Timestamp::MAX };
        Self {
            number: row.number.unsigned_abs(),
            id: row.id,
            from_position: row.from_position.unsigned_abs(),
            reason: row.reason,
            started_at: Timestamp::from_microsecond(row.started_at_us).unwrap_or(beyond),
            mac: row.mac,
        }
    }
}

/// Makes the head row and the first epoch of a log which is opened for the first time.
pub(crate) async fn begin_log(core: &Core) -> Result<(), Error> {
    let mut tx = docket_database::begin(&core.pool).await?;
    sqlx::query!(
        "INSERT INTO log.head (log, position, recorded_at_us, commits) VALUES ($1, 0, 0, 0)
         ON CONFLICT (log) DO NOTHING",
        core.name
    )
    .execute(&mut *tx)
    .await?;
    insert(&mut tx, core, &Epoch::next(core, 1, 1, "the log began")?).await?;
    Ok(tx.commit().await?)
}

/// All epochs of the log, in order.
pub(crate) async fn load(core: &Core) -> Result<Vec<Epoch>, Error> {
    epochs(&core.pool, core.name).await
}

/// All epochs of a log in its own database, in order; none before it was opened for the first time.
///
/// # Errors
/// [`Error::Database`].
pub async fn epochs(from: impl PgExecutor<'_>, log: &str) -> Result<Vec<Epoch>, Error> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT number, id, from_position, reason, started_at_us, mac FROM log.epoch
         WHERE log = $1 ORDER BY number",
        log
    );
    let rows = answered(rows.fetch_all(from)).await?;
    Ok(rows.into_iter().map(Epoch::from).collect())
}

async fn insert(conn: &mut PgConnection, core: &Core, epoch: &Epoch) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO log.epoch (log, number, id, from_position, reason, started_at_us, mac)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (log, number) DO NOTHING",
        core.name,
        epoch.number.cast_signed(),
        epoch.id,
        epoch.from_position.cast_signed(),
        &epoch.reason,
        epoch.started_at.as_microsecond(),
        &epoch.mac
    )
    .execute(conn)
    .await?;
    Ok(())
}

impl EventLog {
    /// Begins a new epoch after the log was restored to an earlier point, at its end: nothing was written since. Consumers
    /// which saw more stop and say so. Other processes of the service learn of it when they open the log again.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn raise_epoch(&self, reason: &str) -> Result<Epoch, Error> {
        self.raise_epoch_after(None, reason).await
    }

    /// The same for a log in which events were written since it was restored to `restored_to`: these are of the new epoch
    /// too, since others may have seen other events at their positions.
    ///
    /// # Errors
    /// [`Error::Database`]; [`Error::Malformed`] when the log does not reach so far.
    pub async fn raise_epoch_after(&self, restored_to: Option<u64>, reason: &str) -> Result<Epoch, Error> {
        let core = self.core();
        let mut tx = docket_database::begin(&core.pool).await?;
        // As everybody takes the head: who is frozen with it in hand is ended by the database.
        lock(&mut tx, core).await?;
        let position = sqlx::query_scalar!(
            "UPDATE log.head SET commits = commits + 1 WHERE log = $1 RETURNING position",
            core.name
        )
        .fetch_one(&mut *tx)
        .await?;
        let mut epochs = epochs(&mut *tx, core.name).await?;
        let last = epochs.last().ok_or(Error::Malformed("a log without an epoch"))?.number;
        let restored_to = restored_to.unwrap_or(position.unsigned_abs());
        if restored_to > position.unsigned_abs() {
            return Err(Error::Malformed(
                "the position that the log was restored to: it does not reach so far",
            ));
        }
        let epoch = Epoch::next(core, last + 1, restored_to + 1, reason)?;
        insert(&mut tx, core, &epoch).await?;
        tx.commit().await?;
        // What may fail was done before: whoever is told that it failed would raise it again.
        epochs.push(epoch.clone());
        core.set_epochs(epochs);
        Ok(epoch)
    }
}
