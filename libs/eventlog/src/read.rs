//! Reading the log: by stream, by position, by instant.

use docket_proto::log::v1 as pb;
use jiff::Timestamp;
use prost::Message;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::chain::parts;
use crate::log::Core;
use crate::record::instant;
use crate::{Error, EventLog, FORMAT, Metadata, Recorded, StreamName};

/// A row of `log.event`.
pub(crate) struct Row {
    pub(crate) position: i64,
    stream: String,
    version: i64,
    pub(crate) event_id: Uuid,
    kind: String,
    recorded_at_us: i64,
    metadata: Vec<u8>,
    payload: Vec<u8>,
    sealed: Vec<u8>,
    link: Vec<u8>,
    format: i16,
}

impl Row {
    pub(crate) fn into_recorded(self, core: &Core) -> Result<Recorded, Error> {
        let format = u32::try_from(self.format).unwrap_or_default();
        if format != FORMAT {
            return Err(Error::Malformed("a format this program does not know"));
        }
        let sealed = parts(self.sealed.into()).ok_or(Error::Malformed("the sealed parts"))?;
        if sealed.iter().any(|part| pb::SealedPart::decode(part.clone()).is_err()) {
            return Err(Error::Malformed("a sealed part"));
        }
        let position = self.position.unsigned_abs();
        Ok(Recorded {
            log: core.name.to_owned(),
            position,
            stream: StreamName::stored(self.stream),
            version: self.version.unsigned_abs(),
            event_id: self.event_id,
            kind: self.kind,
            recorded_at: instant(self.recorded_at_us)?,
            metadata: Metadata::decode(&self.metadata)?,
            metadata_bytes: self.metadata.into(),
            payload: self.payload.into(),
            sealed,
            link: self.link.try_into().map_err(|_| Error::Malformed("the link"))?,
            format,
            epoch: core.epoch_of(position),
        })
    }
}

fn recorded(core: &Core, rows: Vec<Row>) -> Result<Vec<Recorded>, Error> {
    rows.into_iter().map(|row| row.into_recorded(core)).collect()
}

/// Events `first` to `last`, both included.
pub(crate) async fn range(
    conn: &mut PgConnection,
    core: &Core,
    first: u64,
    last: u64,
) -> Result<Vec<Recorded>, Error> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT position, stream, version, event_id, kind, recorded_at_us, metadata, payload, sealed,
                link, format
         FROM log.event WHERE log = $1 AND position BETWEEN $2 AND $3 ORDER BY position",
        core.name,
        first.cast_signed(),
        last.cast_signed()
    )
    .fetch_all(conn)
    .await?;
    recorded(core, rows)
}

/// Rows after a position, unread: for `verify`, which must not stumble over a spoilt one.
pub(crate) async fn rows_after(core: &Core, after: u64, limit: i64) -> Result<Vec<Row>, Error> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT position, stream, version, event_id, kind, recorded_at_us, metadata, payload, sealed,
                link, format
         FROM log.event WHERE log = $1 AND position > $2 ORDER BY position LIMIT $3",
        core.name,
        after.cast_signed(),
        limit
    )
    .fetch_all(&core.pool)
    .await?;
    Ok(rows)
}

/// A stream's events from a version on, up to a position.
pub(crate) async fn stream(
    executor: impl PgExecutor<'_>,
    core: &Core,
    stream: &StreamName,
    from_version: u64,
    up_to: u64,
) -> Result<Vec<Recorded>, Error> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT position, stream, version, event_id, kind, recorded_at_us, metadata, payload, sealed,
                link, format
         FROM log.event WHERE log = $1 AND stream = $2 AND version >= $3 AND position <= $4 ORDER BY version",
        core.name,
        stream.as_str(),
        from_version.cast_signed(),
        i64::try_from(up_to).unwrap_or(i64::MAX)
    )
    .fetch_all(executor)
    .await?;
    recorded(core, rows)
}

impl EventLog {
    /// The events of a stream from `from_version` on (1 is the first).
    ///
    /// # Errors
    /// [`Error::Database`]; [`Error::Malformed`] for a record which was tampered with.
    pub async fn read_stream(&self, name: &StreamName, from_version: u64) -> Result<Vec<Recorded>, Error> {
        stream(&self.core().pool, self.core(), name, from_version, u64::MAX).await
    }

    /// The events of a stream as they were when the log ended at `position`.
    ///
    /// # Errors
    /// As [`EventLog::read_stream`].
    pub async fn read_stream_as_of(&self, name: &StreamName, position: u64) -> Result<Vec<Recorded>, Error> {
        stream(&self.core().pool, self.core(), name, 1, position).await
    }

    /// At most `limit` events after `after`, in order. Nothing at or below what was read ever appears later.
    ///
    /// # Errors
    /// As [`EventLog::read_stream`].
    pub async fn read(&self, after: u64, limit: u32) -> Result<Vec<Recorded>, Error> {
        recorded(self.core(), rows_after(self.core(), after, limit.into()).await?)
    }

    /// The last position recorded at or before `at`; 0 when there is none.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn position_at(&self, at: Timestamp) -> Result<u64, Error> {
        let position = sqlx::query_scalar!(
            "SELECT position FROM log.event WHERE log = $1 AND recorded_at_us <= $2
             ORDER BY recorded_at_us DESC, position DESC LIMIT 1",
            self.core().name,
            at.as_microsecond()
        )
        .fetch_optional(&self.core().pool)
        .await?;
        Ok(position.unwrap_or_default().unsigned_abs())
    }
}
