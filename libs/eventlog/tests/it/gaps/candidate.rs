//! What is tortured: our log, and one numbered by a sequence as most are, which must be caught.

use std::time::Duration;

use docket_eventlog::{Append, Error, EventLog, Expected, Filter, Recorded};
use futures::future::BoxFuture;
use sqlx::{Executor, PgConnection, PgPool};
use tokio::sync::watch;
use tokio::time::timeout;
use uuid::Uuid;

use crate::world::{World, context, stream, to};

/// One event as a subscriber sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) position: u64,
    pub(super) command: Uuid,
}

/// The number of events of a command; it is part of its id, so that everybody knows it.
pub(super) fn events_of(command: Uuid) -> usize {
    usize::from(command.as_bytes()[15])
}

/// The stream of a command, of sixteen; part of its id as well.
pub(super) fn stream_of(command: Uuid) -> u128 {
    command.as_u128() >> 8 & 15
}

/// A log under torture.
pub(super) trait Candidate: Clone + Send + Sync + 'static {
    /// Which one a process of writers is to open.
    const NAME: &'static str;

    /// Opens it, making its tables when there are none.
    fn open(pool: PgPool) -> BoxFuture<'static, Self>;

    /// Appends the events of a command in an open transaction.
    fn append_in<'a>(&'a self, tx: &'a mut PgConnection, command: Uuid) -> BoxFuture<'a, Result<(), Error>>;

    /// Appends the events of a command in a transaction of the log's own.
    fn append(&self, command: Uuid) -> BoxFuture<'_, Result<(), Error>>;

    /// The last position.
    fn head(&self) -> BoxFuture<'_, u64>;

    /// At most `limit` events after a position, in order.
    fn read_after(&self, after: u64, limit: u32) -> BoxFuture<'_, Vec<Seen>>;

    /// What a subscription of the log's own gives up to `end`, of one stream or of all; none where it has no such thing.
    fn subscribed(
        &self,
        _only: Option<u128>,
        _end: watch::Receiver<Option<u64>>,
    ) -> Option<BoxFuture<'static, Vec<Seen>>> {
        None
    }
}

/// Our log.
#[derive(Clone)]
pub(super) struct Ours(pub(super) EventLog);

impl Ours {
    fn command(&self, command: Uuid) -> Append {
        let stream = to(stream_of(command), Expected::Any, events_of(command));
        context(command.as_u128()).append(&self.0, vec![stream])
    }
}

impl Candidate for Ours {
    const NAME: &'static str = "ours";

    fn open(pool: PgPool) -> BoxFuture<'static, Self> {
        Box::pin(async { Self(World::elsewhere(pool).await) })
    }

    fn append_in<'a>(&'a self, tx: &'a mut PgConnection, command: Uuid) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move { self.0.append_in(tx, self.command(command)).await.map(drop) })
    }

    fn append(&self, command: Uuid) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move { self.0.append(self.command(command)).await.map(drop) })
    }

    fn head(&self) -> BoxFuture<'_, u64> {
        Box::pin(async { self.0.head().await.unwrap().position })
    }

    fn read_after(&self, after: u64, limit: u32) -> BoxFuture<'_, Vec<Seen>> {
        Box::pin(async move {
            let events = self.0.read(after, limit).await.unwrap();
            events.iter().map(Seen::of).collect()
        })
    }

    fn subscribed(
        &self,
        only: Option<u128>,
        end: watch::Receiver<Option<u64>>,
    ) -> Option<BoxFuture<'static, Vec<Seen>>> {
        let filter = Filter { stream: only.map(stream), ..Filter::default() };
        let mut subscription = self.0.subscribe(0, filter);
        Some(Box::pin(async move {
            let mut seen = Vec::new();
            while end.borrow().is_none_or(|end| subscription.position() < end) {
                // Dropped now and then, which loses nothing.
                if let Ok(page) = timeout(Duration::from_millis(20), subscription.next()).await {
                    seen.extend(page.unwrap().events.iter().map(Seen::of));
                }
            }
            seen
        }))
    }
}

impl Seen {
    fn of(event: &Recorded) -> Self {
        Self { position: event.position, command: event.metadata.command_id }
    }
}

/// A log whose positions come from a sequence: they are given before the commit, and commits come in any order.
#[derive(Clone)]
pub(super) struct Naive(PgPool);

impl Candidate for Naive {
    const NAME: &'static str = "naive";

    fn open(pool: PgPool) -> BoxFuture<'static, Self> {
        Box::pin(async move {
            // Two at once may both find no table; the lock goes with the transaction.
            let mut tx = docket_database::begin(&pool).await.unwrap();
            tx.execute("SELECT pg_advisory_xact_lock(1)").await.unwrap();
            tx.execute(
                "CREATE TABLE IF NOT EXISTS naive (position bigserial PRIMARY KEY, command uuid NOT NULL)",
            )
            .await
            .unwrap();
            tx.commit().await.unwrap();
            Self(pool)
        })
    }

    fn append_in<'a>(&'a self, tx: &'a mut PgConnection, command: Uuid) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let commands = vec![command; events_of(command)];
            let insert = sqlx::query("INSERT INTO naive (command) SELECT unnest($1::uuid[])");
            insert.bind(commands).execute(tx).await?;
            Ok(())
        })
    }

    fn append(&self, command: Uuid) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            let mut tx = docket_database::begin(&self.0).await?;
            self.append_in(&mut tx, command).await?;
            Ok(tx.commit().await?)
        })
    }

    fn head(&self) -> BoxFuture<'_, u64> {
        Box::pin(async {
            let head = sqlx::query_scalar::<_, i64>("SELECT coalesce(max(position), 0) FROM naive");
            head.fetch_one(&self.0).await.unwrap().unsigned_abs()
        })
    }

    fn read_after(&self, after: u64, limit: u32) -> BoxFuture<'_, Vec<Seen>> {
        Box::pin(async move {
            let read = sqlx::query_as::<_, (i64, Uuid)>(
                "SELECT position, command FROM naive WHERE position > $1 ORDER BY position LIMIT $2",
            );
            let read =
                read.bind(after.cast_signed()).bind(i64::from(limit)).fetch_all(&self.0).await.unwrap();
            read.into_iter()
                .map(|(position, command)| Seen { position: position.unsigned_abs(), command })
                .collect()
        })
    }
}
