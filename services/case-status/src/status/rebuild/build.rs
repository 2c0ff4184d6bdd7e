//! Builds rows from the log: one task reads, one folds, one writes, each a few batches ahead of the next at most.

use docket_eventlog::Recorded;
use docket_proto::log::v1 as pb;
use docket_proto::log::v1::event_feed_service_client::EventFeedServiceClient;
use docket_service::{ApiError, Base};
use sqlx::PgPool;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tonic::transport::Channel;
use tonic::{Status, Streaming};

use super::super::row::{CaseRow, TimelineRow};
use super::super::tables::{self, Tables};
use super::copy;
use super::fold::Fold;
use super::owner::{PATIENCE, PAUSE, passes};
use crate::aggregate::LOG;

/// How much is held in memory.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Events folded in one go.
    pub page: usize,
    /// Lines, or cases, written in one statement.
    pub rows: usize,
    /// Cases held, some 2 KiB each; beyond that they are written, and read again when they go on.
    pub cases: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { page: 2_000, rows: 10_000, cases: 100_000 }
    }
}

/// A round that brings fewer events than this was the last: the rest comes when the rows are compared or switched.
const FEW: u64 = 100;

/// How far a build is.
pub(super) type Progress = watch::Sender<pb::RebuildProjectionResponse>;

/// Applies the log's events after a position to the rows of `tables`, up to the head; gives the last position. `fresh`:
/// the rows are empty.
pub(super) async fn build(
    base: &Base,
    tables: Tables,
    after: u64,
    fresh: bool,
    limits: Limits,
    progress: &Progress,
) -> Result<u64, ApiError> {
    let (pages, read) = mpsc::channel(4);
    let (rows, written) = mpsc::channel(2);
    let progress = progress.clone();
    // Dropped with us, and then nothing of it goes on.
    let mut tasks = JoinSet::new();
    tasks.spawn(read_log(base.clone(), after, limits.page, pages, progress.clone()));
    tasks.spawn(write(base.pool.clone(), tables, fresh, written));
    let folder = Folder {
        limits,
        pool: base.pool.clone(),
        tables,
        complete: fresh,
        fold: Fold::default(),
        lines: Vec::new(),
        rows,
    };
    tasks.spawn(folder.run(read, after, progress));
    let mut position = after;
    let mut failed = None;
    while let Some(ended) = tasks.join_next().await {
        match ended.map_err(ApiError::internal)? {
            Ok(at) => position = position.max(at),
            // What one task does makes the next ones fail: the first cause counts, but for a closed channel.
            Err(Stop::Failed(error)) => failed = Some(error),
            Err(Stop::Elsewhere) => {}
        }
    }
    failed.map_or(Ok(position), Err)
}

/// Why a task ended early.
enum Stop {
    Failed(ApiError),
    /// Its neighbour is gone and says why.
    Elsewhere,
}

impl<E: Into<ApiError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Reads the owner's log, which streams it in batches of its own. A connection lasts some minutes, and the owner may be replaced: what
/// came over one is kept, and the rest asked for over the next, as long as something comes within [`PATIENCE`].
async fn read_log(
    base: Base,
    after: u64,
    size: usize,
    pages: mpsc::Sender<Vec<Recorded>>,
    progress: Progress,
) -> Result<u64, Stop> {
    let mut feed =
        EventFeedServiceClient::new(base.channel("case-status")).max_decoding_message_size(16 << 20);
    let mut reader = Reader { position: after, size, pages, progress };
    let mut moved_at = Instant::now();
    loop {
        let before = reader.position;
        let ended = reader.read_round(&mut feed).await?;
        let brought = reader.position - before;
        if brought > 0 {
            moved_at = Instant::now();
        }
        match ended {
            Ok(()) if brought < FEW => return Ok(reader.position),
            Ok(()) => {}
            Err(_cut) if brought > 0 => {}
            Err(status) if !passes(&status) || moved_at.elapsed() > PATIENCE => {
                return Err(ApiError::peer("the log of cases", &status).into());
            }
            Err(_cut) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Where the reading is.
struct Reader {
    /// Everything up to here was read.
    position: u64,
    /// Events in a page.
    size: usize,
    pages: mpsc::Sender<Vec<Recorded>>,
    progress: Progress,
}

impl Reader {
    /// Reads what there is to the head of now, and hands on what comes; how the answer ended.
    async fn read_round(
        &mut self,
        feed: &mut EventFeedServiceClient<Channel>,
    ) -> Result<Result<(), Status>, Stop> {
        let head = match feed.get_head(pb::GetHeadRequest { log: LOG.to_owned() }).await {
            Ok(head) => head.into_inner().position,
            Err(status) => return Ok(Err(status)),
        };
        self.progress.send_modify(|step| step.head = head);
        let ask = pb::ReadEventsRequest { log: LOG.to_owned(), after_position: self.position, limit: 0 };
        let mut batches = match feed.read_events(ask).await {
            Ok(batches) => batches.into_inner(),
            Err(status) => return Ok(Err(status)),
        };
        let mut page = Vec::with_capacity(self.size);
        let ended = loop {
            let batch = match batches.message().await {
                Ok(Some(batch)) => batch,
                Ok(None) => break owners_end(&mut batches).await,
                Err(status) => break Err(status),
            };
            for stored in batch.events {
                self.position = stored.position;
                page.push(Recorded::from_message(stored)?);
                if page.len() >= self.size {
                    let full = std::mem::replace(&mut page, Vec::with_capacity(self.size));
                    self.hand_on(full).await?;
                }
            }
        };
        if !page.is_empty() {
            self.hand_on(page).await?;
        }
        Ok(ended)
    }

    async fn hand_on(&self, page: Vec<Recorded>) -> Result<(), Stop> {
        self.pages.send(page).await.map_err(|_closed| Stop::Elsewhere)
    }
}

/// Whether the owner ended its answer: what cuts a connection on its way may end it in order too, and says nothing.
async fn owners_end(batches: &mut Streaming<pb::ReadEventsResponse>) -> Result<(), Status> {
    let said = batches.trailers().await?;
    said.map(drop).ok_or_else(|| Status::unavailable("the owner did not end its answer"))
}

/// What is to be written.
enum Rows {
    Lines(Vec<TimelineRow>),
    /// Rows of cases that are not there yet.
    New(Vec<CaseRow>),
    Cases(Vec<CaseRow>),
    /// Answered when everything before it is written.
    Written(oneshot::Sender<()>),
}

/// `fresh`: no line is there already.
async fn write(
    pool: PgPool,
    tables: Tables,
    fresh: bool,
    mut rows: mpsc::Receiver<Rows>,
) -> Result<u64, Stop> {
    let mut connection = pool.acquire().await?;
    while let Some(rows) = rows.recv().await {
        match rows {
            Rows::Lines(lines) if fresh => copy::lines(&mut connection, tables, &lines).await?,
            Rows::Lines(lines) => tables::write_lines(&mut connection, tables, &lines).await?,
            Rows::New(cases) => copy::cases(&mut connection, tables, &cases).await?,
            Rows::Cases(cases) => tables::write_cases(&mut connection, tables, &cases).await?,
            Rows::Written(asked) => drop(asked.send(())),
        }
    }
    Ok(0)
}

struct Folder {
    limits: Limits,
    pool: PgPool,
    tables: Tables,
    /// Whether every case there is is in memory, so that a new one is new.
    complete: bool,
    fold: Fold,
    lines: Vec<TimelineRow>,
    rows: mpsc::Sender<Rows>,
}

impl Folder {
    async fn run(
        mut self,
        mut pages: mpsc::Receiver<Vec<Recorded>>,
        after: u64,
        progress: Progress,
    ) -> Result<u64, Stop> {
        let mut position = after;
        while let Some(page) = pages.recv().await {
            self.load(&page).await?;
            self.lines.extend(page.iter().filter_map(|event| self.fold.apply(event)));
            position = page.last().map_or(position, |event| event.position);
            if self.lines.len() >= self.limits.rows {
                let lines = std::mem::take(&mut self.lines);
                self.send(Rows::Lines(lines)).await?;
            }
            if self.fold.len() > self.limits.cases {
                self.flush().await?;
            }
            progress.send_modify(|step| {
                step.position = position;
                step.cases = step.cases.max(self.fold.len() as u64);
                step.stopped = self.fold.stopped();
            });
        }
        self.flush().await?;
        Ok(position)
    }

    /// The rows of the cases in these events that were written before.
    async fn load(&mut self, page: &[Recorded]) -> Result<(), Stop> {
        if self.complete {
            return Ok(());
        }
        let unknown = self.fold.unknown(page);
        if !unknown.is_empty() {
            let mut connection = self.pool.acquire().await?;
            self.fold.hold(tables::load(&mut connection, self.tables, &unknown).await?);
        }
        Ok(())
    }

    /// Writes what is held, and holds nothing any more.
    async fn flush(&mut self) -> Result<(), Stop> {
        let lines = std::mem::take(&mut self.lines);
        if !lines.is_empty() {
            self.send(Rows::Lines(lines)).await?;
        }
        let mut cases = self.fold.take();
        while !cases.is_empty() {
            let rest = cases.split_off(cases.len().min(self.limits.rows));
            let these = std::mem::replace(&mut cases, rest);
            self.send(if self.complete { Rows::New(these) } else { Rows::Cases(these) }).await?;
        }
        self.complete = false;
        let (asked, written) = oneshot::channel();
        self.send(Rows::Written(asked)).await?;
        written.await.map_err(|_closed| Stop::Elsewhere)
    }

    async fn send(&self, rows: Rows) -> Result<(), Stop> {
        self.rows.send(rows).await.map_err(|_closed| Stop::Elsewhere)
    }
}
