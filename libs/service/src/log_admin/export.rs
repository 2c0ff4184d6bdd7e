//! A log, or one stream of it, as the records of a portable file: header, events as stored, and a signed end.

use docket_eventlog::{
    CheckpointKey, Direction, Epoch, Error, EventLog, Recorded, SignedCheckpoint, Statement, StreamName,
};
use docket_proto::log::v1 as pb;
use docket_proto::log::v1::export_record::Record;
use futures::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _, try_unfold};
use jiff::Timestamp;
use tonic::Status;

use super::view;
use crate::ApiError;

/// Format of the file.
pub(super) const FORMAT: u32 = 1;
/// Events in one message: at most 256 KiB each, usually one.
const BATCH: usize = 32;
/// Events of a stream read at a time.
const PAGE: u32 = 32;

struct Export {
    header: Option<pb::ExportHeader>,
    events: BoxStream<'static, Result<Recorded, Error>>,
    sent: u64,
    end: Option<pb::ExportEnd>,
}

/// The records; the end is signed for what the log held when the export began.
pub(super) async fn export(
    log: EventLog,
    key: &CheckpointKey,
    only: Option<StreamName>,
) -> Result<BoxStream<'static, Result<pb::ExportLogResponse, Status>>, ApiError> {
    let mut end = pb::ExportEnd::default();
    let events = match &only {
        None => {
            let signed = log.checkpoint(key).await?;
            let to = signed.as_ref().map_or(0, |signed| signed.size);
            end.checkpoint = signed.as_ref().map(checkpoint);
            log.replay(0, to)
        }
        Some(name) => {
            // An empty log has nothing to make a statement about.
            if log.head().await?.position == 0 {
                return Err(ApiError::not_found());
            }
            let signed = log.statement(key, name).await?;
            let up_to = signed.checkpoint.size;
            if log.read_stream_page(name, Direction::Forwards, 1, 1, up_to).await?.is_empty() {
                return Err(ApiError::not_found());
            }
            end.checkpoint = Some(checkpoint(&signed.checkpoint));
            end.statement = Some(statement(&signed));
            pages(log.clone(), name.clone(), up_to)
        }
    };
    let header = pb::ExportHeader {
        format: FORMAT,
        log: log.name().to_owned(),
        stream: only.map(|name| name.to_string()).unwrap_or_default(),
        epochs: epochs(&log).await?,
        public_key: key.public_key().to_vec().into(),
    };
    let export = Export { header: Some(header), events, sent: 0, end: Some(end) };
    let records = try_unfold(export, |mut export| async move {
        Ok(export.next().await?.map(|records| (pb::ExportLogResponse { records }, export)))
    });
    Ok(records.boxed())
}

/// The events of a stream up to a position, of which no more than a page is held at a time.
fn pages(log: EventLog, name: StreamName, up_to: u64) -> BoxStream<'static, Result<Recorded, Error>> {
    let pages = try_unfold(1, move |from| {
        let (log, name) = (log.clone(), name.clone());
        async move {
            let events = log.read_stream_page(&name, Direction::Forwards, from, PAGE, up_to).await?;
            let next = events.last().map(|last| last.version + 1);
            Ok::<_, Error>(next.map(|next| (stream::iter(events.into_iter().map(Ok)), next)))
        }
    });
    pages.try_flatten().boxed()
}

impl Export {
    async fn next(&mut self) -> Result<Option<Vec<pb::ExportRecord>>, ApiError> {
        if let Some(header) = self.header.take() {
            return Ok(Some(vec![record(Record::Header(header))]));
        }
        let events = self.batch().await?;
        if !events.is_empty() {
            self.sent += events.len() as u64;
            return Ok(Some(events.iter().map(|event| record(Record::Event(event.to_message()))).collect()));
        }
        let Some(end) = self.end.take() else { return Ok(None) };
        Ok(Some(vec![record(Record::End(pb::ExportEnd { events: self.sent, ..end }))]))
    }

    async fn batch(&mut self) -> Result<Vec<Recorded>, ApiError> {
        let mut batch = Vec::with_capacity(BATCH);
        while batch.len() < BATCH
            && let Some(event) = self.events.try_next().await?
        {
            batch.push(event);
        }
        Ok(batch)
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

/// What [`checkpoint`] was made from; none when it is not whole.
pub(crate) fn signed_checkpoint(log: &str, stored: &pb::ExportCheckpoint) -> Option<SignedCheckpoint> {
    Some(SignedCheckpoint {
        log: log.to_owned(),
        size: stored.size,
        root: stored.root.as_ref().try_into().ok()?,
        epoch: stored.epoch,
        signed_at: Timestamp::from_microsecond(stored.signed_at_us).ok()?,
        key_id: stored.key_id.clone(),
        signature: stored.signature.as_ref().try_into().ok()?,
    })
}

fn statement(signed: &Statement) -> pb::ExportStatement {
    pb::ExportStatement {
        version: signed.version,
        link: signed.link.to_vec().into(),
        signature: signed.signature.to_vec().into(),
    }
}

/// The epochs, with the service's seal on each.
async fn epochs(log: &EventLog) -> Result<Vec<pb::ExportEpoch>, ApiError> {
    let epochs = docket_eventlog::epochs(log.pool(), log.name()).await?;
    let exported =
        |epoch: Epoch| pb::ExportEpoch { mac: epoch.mac().to_vec().into(), epoch: Some(view::epoch(epoch)) };
    Ok(epochs.into_iter().map(exported).collect())
}
