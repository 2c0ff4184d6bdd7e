//! Reading the log in pages: by stream, by position, by instant.

use docket_database::answered;
use jiff::Timestamp;
use sqlx::{PgConnection, PgExecutor};

use crate::log::Core;
use crate::row::Row;
use crate::{Error, EventLog, Recorded, StreamName};

/// Which way a stream is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The oldest first.
    Forwards,
    /// The newest first.
    Backwards,
}

/// What is wanted of a log; empty lists and no stream want everything.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Of this stream only.
    pub stream: Option<StreamName>,
    /// First words of kinds: `case`.
    pub categories: Vec<String>,
    /// Whole kinds: `case.opened.v1`.
    pub kinds: Vec<String>,
}

impl Filter {
    /// Events of one category.
    pub fn category(category: &str) -> Self {
        Self { categories: vec![category.to_owned()], ..Self::default() }
    }

    /// Events of one kind.
    pub fn kind(kind: &str) -> Self {
        Self { kinds: vec![kind.to_owned()], ..Self::default() }
    }

    /// Whether the event is wanted.
    pub fn fits(&self, event: &Recorded) -> bool {
        let category = event.kind.split('.').next().unwrap_or_default();
        self.stream.as_ref().is_none_or(|stream| *stream == event.stream)
            && (self.categories.is_empty() || self.categories.iter().any(|wanted| wanted == category))
            && (self.kinds.is_empty() || self.kinds.contains(&event.kind))
    }
}

/// A part of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The wanted events, in order.
    pub events: Vec<Recorded>,
    /// Everything up to here was looked at: read on after it.
    pub up_to: u64,
}

/// Positions looked at for one page of a filtered log: however rare the wanted events are, a page ends.
const WINDOW: u64 = 10_000;

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
        r#"SELECT position, stream, version, event_id, kind, recorded_at_us, metadata, payload,
                    sealed, link, format
             FROM log.event WHERE log = $1 AND position BETWEEN $2 AND $3 ORDER BY position"#,
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
        r#"SELECT position, stream, version, event_id, kind, recorded_at_us, metadata, payload,
                    sealed, link, format
             FROM log.event WHERE log = $1 AND position > $2 ORDER BY position LIMIT $3"#,
        core.name,
        i64::try_from(after).unwrap_or(i64::MAX),
        limit
    );
    Ok(answered(rows.fetch_all(&core.pool)).await?)
}

/// At most `limit` events of a stream from a version on, up to a position.
pub(crate) async fn stream(
    executor: impl PgExecutor<'_>,
    core: &Core,
    stream: &StreamName,
    from_version: u64,
    up_to: u64,
    limit: u32,
) -> Result<Vec<Recorded>, Error> {
    recorded(core, stream_rows(executor, core, stream, from_version, up_to, limit).await?)
}

/// The same, unread: for `verify_stream`.
pub(crate) async fn stream_rows(
    executor: impl PgExecutor<'_>,
    core: &Core,
    stream: &StreamName,
    from_version: u64,
    up_to: u64,
    limit: u32,
) -> Result<Vec<Row>, Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT position, stream, version, event_id, kind, recorded_at_us, metadata, payload, sealed,
                link, format
         FROM log.event WHERE log = $1 AND stream = $2 AND version >= $3 AND position <= $4
         ORDER BY version LIMIT $5"#,
        core.name,
        stream.as_str(),
        i64::try_from(from_version).unwrap_or(i64::MAX),
        i64::try_from(up_to).unwrap_or(i64::MAX),
        i64::from(limit)
    )
    .fetch_all(executor)
    .await?;
    Ok(rows)
}

impl EventLog {
    /// The events of a stream from `from_version` on (1 is the first).
    ///
    /// # Errors
    /// [`Error::Database`]; [`Error::Malformed`] for a record which was tampered with.
    pub async fn read_stream(&self, name: &StreamName, from_version: u64) -> Result<Vec<Recorded>, Error> {
        stream(&self.core().pool, self.core(), name, from_version, u64::MAX, u32::MAX).await
    }

    /// The events of a stream as they were when the log ended at `position`.
    ///
    /// # Errors
    /// As [`EventLog::read_stream`].
    pub async fn read_stream_as_of(&self, name: &StreamName, position: u64) -> Result<Vec<Recorded>, Error> {
        stream(&self.core().pool, self.core(), name, 1, position, u32::MAX).await
    }

    /// At most `limit` events after `after`, in order. Nothing at or below what was read ever appears later.
    ///
    /// # Errors
    /// As [`EventLog::read_stream`].
    pub async fn read(&self, after: u64, limit: u32) -> Result<Vec<Recorded>, Error> {
        recorded(self.core(), rows_after(self.core(), after, limit.into()).await?)
    }

    /// At most `limit` wanted events after `after`. Short pages are no sign of the end: compare `up_to` with the head.
    ///
    /// # Errors
    /// As [`EventLog::read_stream`].
    pub async fn read_page(&self, after: u64, limit: u32, filter: &Filter) -> Result<Page, Error> {
        self.read_page_to(self.core().position().await?, after, limit, filter).await
    }

    /// The same of a log that was seen to end at `end`.
    pub(crate) async fn read_page_to(
        &self,
        end: u64,
        after: u64,
        limit: u32,
        filter: &Filter,
    ) -> Result<Page, Error> {
        let core = self.core();
        let up_to = end.min(after.saturating_add(WINDOW));
        let rows = sqlx::query_as!(
            Row,
            r#"SELECT position, stream, version, event_id, kind, recorded_at_us, metadata, payload,
                    sealed, link, format
             FROM log.event
             WHERE log = $1 AND position > $2 AND position <= $3
               AND (cardinality($4::text[]) = 0 OR split_part(kind, '.', 1) = ANY($4))
               AND (cardinality($5::text[]) = 0 OR kind = ANY($5))
               AND ($6::text IS NULL OR stream = $6)
             ORDER BY position LIMIT $7"#,
            core.name,
            i64::try_from(after).unwrap_or(i64::MAX),
            up_to.cast_signed(),
            &filter.categories,
            &filter.kinds,
            filter.stream.as_ref().map(StreamName::as_str),
            i64::from(limit)
        );
        let events = recorded(core, answered(rows.fetch_all(&core.pool)).await?)?;
        // A full page ends with its last event, and one of no events where it began.
        let full = events.len() >= limit as usize;
        let last = events.last().map_or(after, |event| event.position);
        Ok(Page { events, up_to: if full { last } else { up_to.max(after) } })
    }

    /// At most `limit` events of a stream, from `from_version` on in that direction, as they were when the log ended
    /// at `as_of` (`u64::MAX`: as they are). Backwards from `u64::MAX` begins at the end.
    ///
    /// # Errors
    /// As [`EventLog::read_stream`].
    pub async fn read_stream_page(
        &self,
        name: &StreamName,
        direction: Direction,
        from_version: u64,
        limit: u32,
        as_of: u64,
    ) -> Result<Vec<Recorded>, Error> {
        let core = self.core();
        let rows = match direction {
            Direction::Forwards => {
                return stream(&core.pool, core, name, from_version, as_of, limit).await;
            }
            Direction::Backwards => {
                sqlx::query_as!(
                    Row,
                    r#"SELECT position, stream, version, event_id, kind, recorded_at_us, metadata,
                            payload, sealed, link, format
                     FROM log.event WHERE log = $1 AND stream = $2 AND version <= $3 AND position <= $4
                     ORDER BY version DESC LIMIT $5"#,
                    core.name,
                    name.as_str(),
                    i64::try_from(from_version).unwrap_or(i64::MAX),
                    i64::try_from(as_of).unwrap_or(i64::MAX),
                    i64::from(limit)
                )
                .fetch_all(&core.pool)
                .await?
            }
        };
        recorded(core, rows)
    }

    /// The last position recorded at or before `at`; 0 when there is none. Instants never go back along the log, so
    /// it is found by halving.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn position_at(&self, at: Timestamp) -> Result<u64, Error> {
        let position = sqlx::query_scalar!(
            r#"WITH RECURSIVE search (low, high) AS (
                SELECT 0::bigint, h.position FROM log.head h WHERE h.log = $1
                UNION ALL
                SELECT CASE WHEN e.recorded_at_us <= $2 THEN middle ELSE low END,
                       CASE WHEN e.recorded_at_us <= $2 THEN high ELSE middle - 1 END
                FROM (SELECT low, high, (low + high + 1) / 2 AS middle FROM search WHERE low < high) AS half
                JOIN log.event e ON e.log = $1 AND e.position = half.middle
             )
             SELECT low AS "position!" FROM search WHERE low >= high"#,
            self.core().name,
            at.as_microsecond()
        )
        .fetch_one(&self.core().pool)
        .await?;
        Ok(position.unsigned_abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{recorded, stream};

    #[test]
    fn a_filter_wants_what_it_names_and_an_empty_one_everything() {
        // `case.opened.v1` of the stream `case-a`.
        let event = recorded();
        let of = |name: &str| Filter { stream: Some(stream(name)), ..Filter::default() };
        for wanted in
            [Filter::default(), Filter::category("case"), Filter::kind("case.opened.v1"), of("case-a")]
        {
            assert!(wanted.fits(&event), "{wanted:?}");
        }
        for other in [
            Filter::category("account"),
            Filter::category("case.opened.v1"),
            Filter::kind("case.opened.v2"),
            Filter::kind("case"),
            of("case-b"),
            // All that it names must hold.
            Filter { kinds: vec!["case.decided.v1".to_owned()], ..Filter::category("case") },
            Filter { categories: vec!["account".to_owned()], ..Filter::kind("case.opened.v1") },
            Filter { categories: vec!["account".to_owned()], ..of("case-a") },
        ] {
            assert!(!other.fits(&event), "{other:?}");
        }
        let either =
            Filter { categories: vec!["account".to_owned(), "case".to_owned()], ..Filter::default() };
        assert!(either.fits(&event));
    }
}
