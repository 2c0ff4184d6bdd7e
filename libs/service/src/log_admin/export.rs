//! A log, or one stream of it, as the records of a portable file: header, events as stored, and a signed end.

use std::collections::VecDeque;

use docket_eventlog::{CheckpointKey, EventLog, Recorded, SignedCheckpoint, Statement, StreamName};
use docket_proto::log::v1 as pb;
use docket_proto::log::v1::export_record::Record;
use futures::stream::{BoxStream, StreamExt as _, try_unfold};
use tonic::Status;

use crate::ApiError;

/// Format of the file.
pub(super) const FORMAT: u32 = 1;
/// Events in one message: at most 256 KiB each, usually one.
const BATCH: u32 = 32;

/// What is left to send.
enum Left {
    /// Positions after this one, up to the checkpoint's size.
    Log { after: u64, to: u64 },
    /// These events.
    Stream(VecDeque<Recorded>),
}

struct Export {
    log: EventLog,
    header: Option<pb::ExportHeader>,
    left: Left,
    sent: u64,
    end: Option<pb::ExportEnd>,
}

/// The records; the end is signed for what the log held when the export began.
pub(super) async fn export(
    log: EventLog,
    key: &CheckpointKey,
    stream: Option<StreamName>,
) -> Result<BoxStream<'static, Result<pb::ExportLogResponse, Status>>, ApiError> {
    let mut end = pb::ExportEnd::default();
    let left = match &stream {
        None => {
            let signed = log.checkpoint(key).await?;
            let to = signed.as_ref().map_or(0, |signed| signed.size);
            end.checkpoint = signed.as_ref().map(checkpoint);
            Left::Log { after: 0, to }
        }
        Some(name) => {
            // An empty log has nothing to make a statement about.
            if log.head().await?.position == 0 {
                return Err(ApiError::not_found());
            }
            let signed = log.statement(key, name).await?;
            let events = log.read_stream_as_of(name, signed.checkpoint.size).await?;
            if events.is_empty() {
                return Err(ApiError::not_found());
            }
            end.checkpoint = Some(checkpoint(&signed.checkpoint));
            end.statement = Some(statement(&signed));
            Left::Stream(events.into())
        }
    };
    let header = pb::ExportHeader {
        format: FORMAT,
        log: log.name().to_owned(),
        stream: stream.map(|name| name.to_string()).unwrap_or_default(),
        epochs: epochs(&log).await?,
        public_key: key.public_key().to_vec().into(),
    };
    let export = Export { log, header: Some(header), left, sent: 0, end: Some(end) };
    let records = try_unfold(export, |mut export| async move {
        Ok(export.next().await?.map(|records| (pb::ExportLogResponse { records }, export)))
    });
    Ok(records.boxed())
}

impl Export {
    async fn next(&mut self) -> Result<Option<Vec<pb::ExportRecord>>, ApiError> {
        if let Some(header) = self.header.take() {
            return Ok(Some(vec![record(Record::Header(header))]));
        }
        let events = self.events().await?;
        if !events.is_empty() {
            self.sent += events.len() as u64;
            return Ok(Some(events.iter().map(|event| record(Record::Event(event.to_message()))).collect()));
        }
        let Some(end) = self.end.take() else { return Ok(None) };
        Ok(Some(vec![record(Record::End(pb::ExportEnd { events: self.sent, ..end }))]))
    }

    async fn events(&mut self) -> Result<Vec<Recorded>, ApiError> {
        match &mut self.left {
            Left::Log { after, to } => {
                let limit = u32::try_from(*to - *after).unwrap_or(BATCH).min(BATCH);
                let events = self.log.read(*after, limit).await?;
                *after = events.last().map_or(*to, |event| event.position);
                Ok(events)
            }
            Left::Stream(events) => Ok(events.drain(..events.len().min(BATCH as usize)).collect()),
        }
    }
}

fn record(record: Record) -> pb::ExportRecord {
    pb::ExportRecord { record: Some(record) }
}

fn checkpoint(signed: &SignedCheckpoint) -> pb::ExportCheckpoint {
    pb::ExportCheckpoint {
        size: signed.size,
        root: signed.root.to_vec().into(),
        epoch: signed.epoch,
        signed_at_us: signed.signed_at.as_microsecond(),
        key_id: signed.key_id.clone(),
        signature: signed.signature.to_vec().into(),
    }
}

fn statement(signed: &Statement) -> pb::ExportStatement {
    pb::ExportStatement {
        version: signed.version,
        link: signed.link.to_vec().into(),
        signature: signed.signature.to_vec().into(),
    }
}

/// The epochs as stored, with the service's seal on each.
async fn epochs(log: &EventLog) -> Result<Vec<pb::ExportEpoch>, ApiError> {
    let rows = sqlx::query!(
        "SELECT number, id, from_position, reason, started_at_us, mac FROM log.epoch WHERE log = $1 ORDER BY number",
        log.name()
    )
    .fetch_all(log.pool())
    .await?;
    let epoch = |number: i64, id: uuid::Uuid, from: i64, reason, started_at_us| pb::EpochEntry {
        number: number.unsigned_abs(),
        id: id.to_string(),
        from_position: from.unsigned_abs(),
        reason,
        started_at_us,
    };
    Ok(rows
        .into_iter()
        .map(|row| pb::ExportEpoch {
            epoch: Some(epoch(row.number, row.id, row.from_position, row.reason, row.started_at_us)),
            mac: row.mac.into(),
        })
        .collect())
}
