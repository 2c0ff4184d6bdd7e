//! Reading a whole log, or a long part of it, as fast as PostgreSQL gives it: one binary `COPY`, in bounded memory.
//!
//! The format is that of PostgreSQL's manual, "COPY, Binary Format"; a message of the protocol is one row.

use bytes::{Buf, Bytes};
use docket_database::{SILENT, answered};
use futures::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, PgConnection};
use tokio::sync::mpsc;
use tokio::time::error::Elapsed;
use tokio::time::timeout;
use uuid::Uuid;

use crate::row::Row;
use crate::{Error, EventLog, Recorded};

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
/// Signature, flags and the length of an extension that has never been used.
const HEADER_BYTES: usize = SIGNATURE.len() + 8;
const COLUMNS: i16 = 11;

/// Rows handed over at a time, by number and by bytes: what is in memory is a few times this, however long the log is.
const BATCH_ROWS: usize = 256;
const BATCH_BYTES: usize = 256 * 1024;
const BATCHES: usize = 4;

impl EventLog {
    /// All events after `after`, up to and with `up_to`, in order, over a connection of its own.
    ///
    /// # Errors
    /// As [`EventLog::read_stream`]; the stream ends with the first one.
    pub fn replay(&self, after: u64, up_to: u64) -> BoxStream<'static, Result<Recorded, Error>> {
        let core = self.core().clone();
        self.rows(after, up_to).map(move |row| row?.into_recorded(&core)).boxed()
    }

    /// The rows themselves, unread: for `verify`, which must not stumble over a spoilt one.
    pub(crate) fn rows(&self, after: u64, up_to: u64) -> BoxStream<'static, Result<Row, Error>> {
        // COPY takes no parameters. Numbers, and a name which the table's own check has admitted.
        let query = format!(
            "COPY (SELECT position, stream, version, event_id, kind, recorded_at_us, metadata, payload, sealed, link, \
             format FROM log.event WHERE log = '{}' AND position > {} AND position <= {} ORDER BY position) \
             TO STDOUT (FORMAT binary)",
            self.name(),
            i64::try_from(after).unwrap_or(i64::MAX),
            i64::try_from(up_to).unwrap_or(i64::MAX)
        );
        let (sender, receiver) = mpsc::channel(BATCHES);
        // A connection of its own in a task of its own: a copy that is given up half-way must not come back into a pool.
        let options = self.pool().connect_options();
        tokio::spawn(async move {
            if let Err(error) = copy(&options, &query, &sender).await {
                let _nobody_reads = sender.send(Err(error)).await;
            }
        });
        let batches =
            stream::unfold(receiver, |mut receiver| async { Some((receiver.recv().await?, receiver)) });
        batches.map_ok(|rows| stream::iter(rows).map(Ok)).try_flatten().fuse().boxed()
    }
}

/// Sends the rows in batches until there are no more, or nobody takes them.
async fn copy(
    options: &PgConnectOptions,
    query: &str,
    sender: &mpsc::Sender<Result<Vec<Row>, Error>>,
) -> Result<(), Error> {
    let mut connection = answered(PgConnection::connect_with(options)).await?;
    {
        let mut messages = answered(connection.copy_out_raw(query)).await?;
        let (mut batch, mut bytes) = (Vec::with_capacity(BATCH_ROWS), 0);
        while let Some(message) = timeout(SILENT, messages.try_next()).await.map_err(silent)?? {
            bytes += message.len();
            batch.extend(row(message)?);
            if batch.len() >= BATCH_ROWS || bytes >= BATCH_BYTES {
                let full = std::mem::replace(&mut batch, Vec::with_capacity(BATCH_ROWS));
                bytes = 0;
                if sender.send(Ok(full)).await.is_err() {
                    return Ok(());
                }
            }
        }
        let _nobody_reads = sender.send(Ok(batch)).await;
    }
    Ok(answered(connection.close()).await?)
}

/// Not [`answered`], which costs too much for each row. The connection is in no pool.
fn silent(_late: Elapsed) -> sqlx::Error {
    sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())
}

/// The row of a message; none for the trailer.
fn row(mut message: Bytes) -> Result<Option<Row>, Error> {
    // The header comes with the first row, or alone.
    if message.starts_with(SIGNATURE) {
        if message.len() < HEADER_BYTES {
            return Err(MALFORMED);
        }
        message.advance(HEADER_BYTES);
        if message.is_empty() {
            return Ok(None);
        }
    }
    match message.try_get_i16().map_err(|_short| MALFORMED)? {
        // The trailer.
        -1 => Ok(None),
        COLUMNS => fields(message).map(Some),
        _ => Err(MALFORMED),
    }
}

const MALFORMED: Error = Error::Malformed("a row of a binary copy");

fn fields(mut message: Bytes) -> Result<Row, Error> {
    let message = &mut message;
    Ok(Row {
        position: number(message)?,
        stream: text(message)?,
        version: number(message)?,
        event_id: Uuid::from_slice(&field(message)?).map_err(|_length| MALFORMED)?,
        kind: text(message)?,
        recorded_at_us: number(message)?,
        metadata: field(message)?,
        payload: field(message)?,
        sealed: field(message)?,
        link: field(message)?,
        format: field(message)?.try_get_i16().map_err(|_short| MALFORMED)?,
    })
}

fn field(message: &mut Bytes) -> Result<Bytes, Error> {
    let length = message.try_get_i32().map_err(|_short| MALFORMED)?;
    let length = usize::try_from(length).map_err(|_null| MALFORMED)?;
    if message.len() < length {
        return Err(MALFORMED);
    }
    Ok(message.split_to(length))
}

fn number(message: &mut Bytes) -> Result<i64, Error> {
    field(message)?.try_get_i64().map_err(|_short| MALFORMED)
}

fn text(message: &mut Bytes) -> Result<String, Error> {
    let bytes = field(message)?;
    std::str::from_utf8(&bytes).map(ToOwned::to_owned).map_err(|_other| MALFORMED)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(fields: &[&[u8]]) -> Vec<u8> {
        let mut bytes = i16::try_from(fields.len()).unwrap().to_be_bytes().to_vec();
        for field in fields {
            bytes.extend(i32::try_from(field.len()).unwrap().to_be_bytes());
            bytes.extend_from_slice(field);
        }
        bytes
    }

    fn event() -> Vec<u8> {
        let number = |n: i64| n.to_be_bytes();
        message(&[
            &number(7),
            b"case-1",
            &number(2),
            &[5; 16],
            b"case.opened.v1",
            &number(99),
            b"meta",
            b"pay",
            b"",
            &[8; 32],
            &1_i16.to_be_bytes(),
        ])
    }

    #[test]
    fn a_row_is_read_with_and_without_the_header_and_the_trailer_is_none() {
        let header = [SIGNATURE, &[0; 8]].concat();
        for bytes in [event(), [header.clone(), event()].concat()] {
            let row = row(bytes.into()).unwrap().unwrap();
            assert_eq!((row.position, row.stream.as_str(), row.version, row.format), (7, "case-1", 2, 1));
            assert_eq!((row.event_id, row.kind.as_str()), (Uuid::from_bytes([5; 16]), "case.opened.v1"));
            assert_eq!(
                (row.recorded_at_us, &row.metadata[..], &row.payload[..]),
                (99, &b"meta"[..], &b"pay"[..])
            );
            assert_eq!((row.sealed.len(), &row.link[..]), (0, &[8; 32][..]));
        }
        assert!(row(header.into()).unwrap().is_none());
        assert!(row(Bytes::from_static(&[0xff, 0xff])).unwrap().is_none());
    }

    #[test]
    fn a_row_cut_off_anywhere_is_refused() {
        let whole = event();
        for end in 0..whole.len() {
            assert!(row(whole[..end].to_vec().into()).is_err(), "{end} bytes");
        }
        assert!(row(message(&[b"one"]).into()).is_err());
    }
}
