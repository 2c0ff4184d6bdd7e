//! Reading for an operator: the log from a position, also live; a stream, forwards and backwards, as it was.

use std::time::Duration;

use docket_eventlog::{EventLog, Recorded, StreamName};
use docket_messaging::Stop;
use docket_proto::log::v1 as pb;
use futures::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _, try_unfold};
use tokio::sync::watch;
use tokio::time::timeout;
use tonic::Status;

use super::view;
use crate::ApiError;

/// Events looked at in one go.
const PAGE: u32 = 500;
/// Events in one message.
const BATCH: usize = 100;
/// Other processes append without waking us: somebody who follows looks this often.
const GLANCE: Duration = Duration::from_millis(500);

/// What an operator wants to see.
struct Filter {
    stream: Option<StreamName>,
    category: String,
    kind: String,
}

impl Filter {
    fn of(ask: &pb::ReadLogRequest) -> Result<Self, ApiError> {
        let stream = (!ask.stream.is_empty()).then(|| stream_name(&ask.stream)).transpose()?;
        Ok(Self { stream, category: ask.category.clone(), kind: ask.kind.clone() })
    }

    fn fits(&self, event: &Recorded) -> bool {
        self.stream.as_ref().is_none_or(|stream| *stream == event.stream)
            && (self.category.is_empty() || event.stream.category() == self.category)
            && (self.kind.is_empty() || event.kind == self.kind)
    }
}

/// The name of a stream as somebody typed it.
pub(super) fn stream_name(name: &str) -> Result<StreamName, ApiError> {
    StreamName::new(name).map_err(|_malformed| {
        let words = "Write the stream as it is stored, such as case-01890a5d-ac96-774b-bcce-b302099a8057.";
        ApiError::invalid("stream", "STREAM_NAME_MALFORMED", words)
    })
}

/// Where a reader is.
struct Reader {
    log: EventLog,
    filter: Filter,
    head: watch::Receiver<u64>,
    stopping: Stop,
    follow: bool,
    /// Events found that were not given yet.
    found: Vec<Recorded>,
    /// Everything up to here was looked at.
    after: u64,
    /// Events that may still be given.
    left: u64,
    /// The first batch is given also when it is empty.
    begun: bool,
}

/// The log as asked for, in batches.
pub(super) async fn log(
    log: EventLog,
    stopping: Stop,
    ask: pb::ReadLogRequest,
) -> Result<BoxStream<'static, Result<pb::ReadLogResponse, Status>>, ApiError> {
    let filter = Filter::of(&ask)?;
    let limit = if ask.limit == 0 { u64::MAX } else { ask.limit };
    let head = log.subscribe_head();
    let mut reader = Reader {
        log,
        filter,
        head,
        stopping,
        follow: ask.follow,
        found: Vec::new(),
        after: 0,
        left: limit,
        begun: false,
    };
    match ask.start {
        Some(pb::read_log_request::Start::Last(count)) => reader.begin_with_last(count).await?,
        Some(pb::read_log_request::Start::AfterPosition(after)) => reader.begin_after(after).await?,
        None => reader.begin_after(0).await?,
    }
    Ok(try_unfold(reader, |mut reader| async move { Ok(reader.next().await?.map(|batch| (batch, reader))) })
        .boxed())
}

impl Reader {
    /// A stream is read by its name as far as it goes; the log page by page as it is asked for.
    async fn begin_after(&mut self, after: u64) -> Result<(), ApiError> {
        self.after = after;
        if let Some(stream) = &self.filter.stream {
            let head = self.log.head().await?.position;
            let events = self.log.read_stream_as_of(stream, head).await?;
            self.found = events.into_iter().filter(|e| e.position > after && self.filter.fits(e)).collect();
            self.after = after.max(head);
        }
        Ok(())
    }

    /// Looks from the end back, until there are enough.
    async fn begin_with_last(&mut self, count: u64) -> Result<(), ApiError> {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let head = self.log.head().await?.position;
        self.begin_after(if self.filter.stream.is_some() { 0 } else { head }).await?;
        let mut from = self.after;
        let mut pages = Vec::new();
        let mut have = self.found.len();
        while self.filter.stream.is_none() && have < count && from > 0 {
            let after = from.saturating_sub(PAGE.into());
            let page = self.log.read(after, u32::try_from(from - after).unwrap_or(PAGE)).await?;
            let page: Vec<_> = page.into_iter().filter(|event| self.filter.fits(event)).collect();
            have += page.len();
            pages.push(page);
            from = after;
        }
        self.found.extend(pages.into_iter().rev().flatten());
        self.found.drain(..self.found.len().saturating_sub(count));
        Ok(())
    }

    /// The next batch; none at the end.
    async fn next(&mut self) -> Result<Option<pb::ReadLogResponse>, ApiError> {
        loop {
            if self.left == 0 {
                return Ok(None);
            }
            if !self.found.is_empty() {
                return Ok(Some(self.batch()));
            }
            let page = self.log.read(self.after, PAGE).await?;
            if let Some(last) = page.last() {
                self.after = last.position;
                self.found = page.into_iter().filter(|event| self.filter.fits(event)).collect();
            } else if !self.begun {
                return Ok(Some(self.batch()));
            } else if !self.follow || self.wait().await {
                return Ok(None);
            }
        }
    }

    fn batch(&mut self) -> pb::ReadLogResponse {
        let most = usize::try_from(self.left).unwrap_or(BATCH).min(BATCH);
        let rest = self.found.split_off(self.found.len().min(most));
        let events: Vec<_> = std::mem::replace(&mut self.found, rest).iter().map(view::event).collect();
        self.left -= events.len() as u64;
        self.begun = true;
        let position = match events.last() {
            Some(event) if !self.found.is_empty() => event.position,
            _ => self.after,
        };
        let head = (*self.head.borrow()).max(self.after);
        pb::ReadLogResponse { events, position, head }
    }

    /// Waits for the log to grow; whether the service stops instead.
    async fn wait(&mut self) -> bool {
        tokio::select! {
            () = self.stopping.cancelled() => true,
            _ = timeout(GLANCE, self.head.changed()) => false,
        }
    }
}

/// A stream as asked for, in batches.
pub(super) async fn stream(
    log: &EventLog,
    ask: pb::ReadStreamRequest,
) -> Result<BoxStream<'static, Result<pb::ReadStreamResponse, Status>>, ApiError> {
    let name = stream_name(&ask.stream)?;
    let up_to = match ask.as_of {
        Some(pb::read_stream_request::AsOf::AsOfPosition(position)) => position,
        Some(pb::read_stream_request::AsOf::AsOfUs(at)) => log.position_at(instant(at)?).await?,
        None => i64::MAX.unsigned_abs(),
    };
    let mut events = log.read_stream_as_of(&name, up_to).await?;
    if events.is_empty() {
        return Err(ApiError::not_found());
    }
    if ask.backwards {
        events.retain(|event| ask.from_version == 0 || event.version <= ask.from_version);
        events.reverse();
    } else {
        events.retain(|event| event.version >= ask.from_version);
    }
    if ask.limit > 0 {
        events.truncate(usize::try_from(ask.limit).unwrap_or(usize::MAX));
    }
    let batches: Vec<_> = events
        .chunks(BATCH)
        .map(|chunk| pb::ReadStreamResponse { events: chunk.iter().map(view::event).collect() })
        .collect();
    Ok(stream::iter(batches).map(Ok).into_stream().boxed())
}

fn instant(at_us: i64) -> Result<jiff::Timestamp, ApiError> {
    jiff::Timestamp::from_microsecond(at_us).map_err(|_beyond| {
        ApiError::invalid(
            "as_of_us",
            "INSTANT_OUT_OF_RANGE",
            "Give microseconds since 1970 within the calendar.",
        )
    })
}
