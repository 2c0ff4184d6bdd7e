//! Reading for an operator: the log from a position, also live; a stream, forwards and backwards, as it was.

use std::time::Duration;

use docket_eventlog::{Direction, EventLog, Filter, Page, Recorded, StreamName, Subscription};
use docket_messaging::Stop;
use docket_proto::log::v1 as pb;
use futures::stream::{BoxStream, StreamExt as _, try_unfold};
use tokio::sync::watch;
use tokio::time::sleep;
use tonic::Status;

use super::view;
use crate::ApiError;

/// Events looked at in one go.
const PAGE: u32 = 500;
/// Events in one message.
const BATCH: u32 = 100;
/// So long nothing that fits may come before it is told how far it was looked; longer than one answer of the database may take, or a
/// slow one would be asked again and again.
const QUIET: Duration = Duration::from_secs(20);

fn filter(ask: &pb::ReadLogRequest) -> Result<Filter, ApiError> {
    let some = |text: &String| if text.is_empty() { Vec::new() } else { vec![text.clone()] };
    let stream = (!ask.stream.is_empty()).then(|| stream_name(&ask.stream)).transpose()?;
    Ok(Filter { stream, categories: some(&ask.category), kinds: some(&ask.kind) })
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
    /// From the end of the log on, when it is followed.
    live: Option<Subscription>,
    /// While a stream is read by its name: the next version.
    by_name: Option<u64>,
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
    let filter = filter(&ask)?;
    let limit = if ask.limit == 0 { u64::MAX } else { ask.limit };
    let head = log.subscribe_head();
    let mut reader = Reader {
        log,
        filter,
        head,
        stopping,
        follow: ask.follow,
        live: None,
        by_name: None,
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
    /// A stream is read by its name as far as it goes, the log as it comes; both page by page as they are asked for.
    async fn begin_after(&mut self, after: u64) -> Result<(), ApiError> {
        self.after = after;
        if let Some(stream) = &self.filter.stream {
            // Behind what is known already, which is not read again.
            let known = self.log.read_stream_page(stream, Direction::Backwards, u64::MAX, 1, after).await?;
            self.by_name = Some(known.last().map_or(1, |last| last.version + 1));
        }
        Ok(())
    }

    /// Looks from the end back, until there are enough; what was seen is not kept, however many are wanted.
    async fn begin_with_last(&mut self, count: u64) -> Result<(), ApiError> {
        let (head, mut left) = (self.log.head().await?.position, count);
        let (mut after, mut version) = (head, u64::MAX);
        while left > 0 && after > 0 && version > 0 {
            let page = if let Some(stream) = &self.filter.stream {
                let page =
                    self.log.read_stream_page(stream, Direction::Backwards, version, PAGE, head).await?;
                version = page.last().map_or(0, |first| first.version - 1);
                after = if version == 0 { 0 } else { after };
                page
            } else {
                let from = after.saturating_sub(PAGE.into());
                let mut page = self.log.read(from, u32::try_from(after - from).unwrap_or(PAGE)).await?;
                page.reverse();
                after = from;
                page
            };
            for event in page.iter().filter(|event| self.filter.fits(event)) {
                left -= 1;
                if left == 0 {
                    after = event.position - 1;
                    break;
                }
            }
        }
        self.begin_after(after).await
    }

    /// The next page of a stream that is read by its name.
    async fn read_by_name(&mut self, stream: &StreamName, version: u64) -> Result<(), ApiError> {
        let head = self.log.head().await?.position;
        let page = self.log.read_stream_page(stream, Direction::Forwards, version, PAGE, head).await?;
        let last = page.last().map(|last| (last.version, last.position));
        self.by_name = last.filter(|_| page.len() == PAGE as usize).map(|(version, _)| version + 1);
        let up_to = if self.by_name.is_some() { last.map_or(0, |(_, position)| position) } else { head };
        self.found = page.into_iter().filter(|event| self.filter.fits(event)).collect();
        self.after = self.after.max(up_to);
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
            if let Some((version, stream)) = self.by_name.take().zip(self.filter.stream.clone()) {
                self.read_by_name(&stream, version).await?;
                continue;
            }
            let Some(page) = self.page().await? else { return Ok(None) };
            if page.up_to > self.after || !self.begun {
                (self.after, self.found) = (page.up_to, page.events);
                // Also where nothing fits: whoever is cut off goes on from there.
                return Ok(Some(self.batch()));
            }
            if self.follow && self.live.is_none() {
                self.live = Some(self.log.subscribe(self.after, self.filter.clone()));
            } else if !self.follow {
                return Ok(None);
            }
        }
    }

    /// What comes next; waits for it once the end was reached, and says now and then how far it was looked. None when the service
    /// stops instead.
    async fn page(&mut self) -> Result<Option<Page>, ApiError> {
        let Some(live) = &mut self.live else {
            return Ok(Some(self.log.read_page(self.after, PAGE, &self.filter).await?));
        };
        tokio::select! {
            () = self.stopping.cancelled() => Ok(None),
            page = live.next() => Ok(Some(page?)),
            () = sleep(QUIET) => Ok(Some(Page { events: Vec::new(), up_to: live.position() })),
        }
    }

    fn batch(&mut self) -> pb::ReadLogResponse {
        let most = u32::try_from(self.left).unwrap_or(BATCH).min(BATCH) as usize;
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
        None => u64::MAX,
    };
    if log.read_stream_page(&name, Direction::Forwards, 1, 1, up_to).await?.is_empty() {
        return Err(ApiError::not_found());
    }
    let direction = if ask.backwards { Direction::Backwards } else { Direction::Forwards };
    let from = if ask.backwards && ask.from_version == 0 { u64::MAX } else { ask.from_version };
    let left = if ask.limit == 0 { u64::MAX } else { ask.limit };
    let log = log.clone();
    let batches = try_unfold((from, left), move |(from, left)| {
        let (log, name) = (log.clone(), name.clone());
        async move {
            let most = u32::try_from(left).unwrap_or(BATCH).min(BATCH);
            let events =
                log.read_stream_page(&name, direction, from, most, up_to).await.map_err(ApiError::from)?;
            let Some(last) = events.last() else { return Ok(None) };
            let from = match direction {
                Direction::Forwards => last.version + 1,
                Direction::Backwards => last.version - 1,
            };
            let left = left - events.len() as u64;
            let events = events.iter().map(view::event).collect();
            Ok::<_, Status>(Some((pb::ReadStreamResponse { events }, (from, left))))
        }
    });
    Ok(batches.boxed())
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
