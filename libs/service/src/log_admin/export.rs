//! A log, or one stream of it, as the records of a portable file: header, events as stored, and a signed end.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use bytes::Bytes;
use docket_eventlog::{
    CheckpointKey, Direction, Epoch, Error, EventLog, Recorded, SignedCheckpoint, Statement, StreamName,
};
use docket_kernel::{Clock as _, Refusal};
use docket_proto::log::v1 as pb;
use docket_proto::log::v1::export_record::Record;
use docket_vault::Vault;
use futures::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _, try_unfold};
use jiff::{SignedDuration, Timestamp};
use prost::Message as _;
use tonic::Status;

use super::view;
use crate::{ApiError, Base};

/// Format of the file.
pub(super) const FORMAT: u32 = 1;
/// Events in one message: at most 256 KiB each, usually one.
const BATCH: usize = 32;
/// Events of a stream read at a time.
const PAGE: u32 = 32;

/// How long an export may be gone on with, since it began.
const TICKET: SignedDuration = SignedDuration::from_hours(24);
/// Bytes of the seal before a ticket.
const SEAL: usize = 32;

struct Export {
    header: Option<pb::ExportHeader>,
    events: BoxStream<'static, Result<Recorded, Error>>,
    sent: u64,
    end: Option<pb::ExportEnd>,
}

/// The records; the end is signed for what the log held when the export began. With the first come what the rest is asked
/// for with by the same operator.
pub(super) async fn export(
    base: &Base,
    by: &str,
    key: &CheckpointKey,
    only: Option<StreamName>,
) -> Result<BoxStream<'static, Result<pb::ExportLogResponse, Status>>, ApiError> {
    let log = &base.log;
    let end = end(log, key, only.as_ref()).await?;
    let header = pb::ExportHeader {
        format: FORMAT,
        log: log.name().to_owned(),
        stream: only.as_ref().map(ToString::to_string).unwrap_or_default(),
        epochs: epochs(log).await?,
        public_key: key.public_key().to_vec().into(),
    };
    let mut ticket = Some(seal(
        &base.vault,
        &pb::ExportTicket {
            operator: by.to_owned(),
            log: header.log.clone(),
            stream: header.stream.clone(),
            end: Some(end.clone()),
            until_us: (base.clock.now() + TICKET).as_microsecond(),
        },
    ));
    let events = events(log, only, 0, &end);
    let records = Export { header: Some(header), events, sent: 0, end: Some(end) }.records();
    let answer = move |records| pb::ExportLogResponse { records, ticket: ticket.take().unwrap_or_default() };
    Ok(records.map_ok(answer).boxed())
}

/// The rest of an export of theirs.
///
/// # Errors
/// `EXPORT_OVER`.
pub(super) fn rest(
    base: &Base,
    by: &str,
    ask: &pb::ContinueExportRequest,
) -> Result<BoxStream<'static, Result<pb::ContinueExportResponse, Status>>, ApiError> {
    let over = || {
        let words = "This is no export of yours in this log that began within a day.";
        Refusal::state("EXPORT_OVER", words).way_out("Begin it again: docket log export")
    };
    let now_us = base.clock.now().as_microsecond();
    let ticket = open(&base.vault, &ask.ticket)
        .filter(|ticket| ticket.operator == by && ticket.log == base.log.name() && ticket.until_us > now_us);
    let pb::ExportTicket { stream, end, .. } = ticket.ok_or_else(over)?;
    let only = (!stream.is_empty()).then(|| super::read::stream_name(&stream)).transpose()?;
    let end = end.ok_or_else(over)?;
    let events = events(&base.log, only, ask.after, &end);
    // Positions of a log and versions of a stream begin with 1 and have no gap: so many events were sent before.
    let records = Export { header: None, events, sent: ask.after, end: Some(end) }.records();
    Ok(records.map_ok(|records| pb::ContinueExportResponse { records }).boxed())
}

/// The end of a file that begins now.
async fn end(
    log: &EventLog,
    key: &CheckpointKey,
    only: Option<&StreamName>,
) -> Result<pb::ExportEnd, ApiError> {
    let Some(name) = only else {
        let signed = log.checkpoint(key).await?;
        return Ok(pb::ExportEnd { checkpoint: signed.as_ref().map(checkpoint), ..Default::default() });
    };
    // An empty log has nothing to make a statement about.
    if log.head().await?.position == 0 {
        return Err(ApiError::not_found());
    }
    let signed = log.statement(key, name).await?;
    if log.read_stream_page(name, Direction::Forwards, 1, 1, signed.checkpoint.size).await?.is_empty() {
        return Err(ApiError::not_found());
    }
    Ok(pb::ExportEnd {
        events: 0,
        checkpoint: Some(checkpoint(&signed.checkpoint)),
        statement: Some(statement(&signed)),
    })
}

/// The events after a position, or a version of the stream, up to what the end is signed for.
fn events(
    log: &EventLog,
    only: Option<StreamName>,
    after: u64,
    end: &pb::ExportEnd,
) -> BoxStream<'static, Result<Recorded, Error>> {
    let up_to = end.checkpoint.as_ref().map_or(0, |signed| signed.size);
    match only {
        None => log.replay(after, up_to),
        Some(name) => pages(log.clone(), name, after, up_to),
    }
}

/// A ticket behind our seal: it is the bearer's, and ours alone to make.
fn seal(vault: &Vault, ticket: &pb::ExportTicket) -> Bytes {
    let said = ticket.encode_to_vec();
    [vault.mac("export-ticket", &said).as_slice(), &said].concat().into()
}

/// The ticket, when we have made it.
fn open(vault: &Vault, sealed: &[u8]) -> Option<pb::ExportTicket> {
    let (mac, said) = sealed.split_at_checked(SEAL)?;
    verify_slices_are_equal(mac, &vault.mac("export-ticket", said)).ok()?;
    pb::ExportTicket::decode(said).ok()
}

/// The events of a stream up to a position, of which no more than a page is held at a time.
fn pages(
    log: EventLog,
    name: StreamName,
    after: u64,
    up_to: u64,
) -> BoxStream<'static, Result<Recorded, Error>> {
    let pages = try_unfold(after.saturating_add(1), move |from| {
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
    fn records(self) -> BoxStream<'static, Result<Vec<pb::ExportRecord>, Status>> {
        let records = try_unfold(self, |mut export| async move {
            Ok(export.next().await?.map(|records| (records, export)))
        });
        records.boxed()
    }

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
