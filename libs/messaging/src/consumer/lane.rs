//! A lane: applies its events one after the other, each in one transaction with the checkpoint.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::message::Acker;
use docket_eventlog::Recorded;
use docket_proto::events::ALL_KINDS;
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, sleep};
use tracing::Instrument as _;

use super::checkpoint::{At, Moved, advance};
use super::{Core, park};
use crate::{ApplyError, Error, Stop, trace};

/// After so many tries a fault the database names as ours (data, constraint, syntax) parks the stream.
const TRIES_OF_OUR_FAULT: u32 = 5;
const LEAST_PAUSE: Duration = Duration::from_millis(50);
const MOST_PAUSE: Duration = Duration::from_secs(5);

/// What a lane is given.
pub(crate) enum Work {
    /// An event, with the acknowledgement to give afterwards when it came from the broker.
    Event(Box<Recorded>, Option<Acker>),
    /// A repetition of an event given before: only acknowledged, once that one is done.
    Repeated(Acker),
    /// Nothing of this lane remains up to here, so the checkpoint may move without an event.
    Passed(u64),
}

pub(crate) struct Lane {
    core: Arc<Core>,
    at: At,
}

impl Lane {
    pub(crate) fn new(core: Arc<Core>, at: At) -> Self {
        Self { core, at }
    }

    /// Works until the channel closes or `ending`; the event at hand is finished.
    pub(crate) async fn run(mut self, mut work: Receiver<Work>, ending: Stop) -> Result<(), Error> {
        loop {
            let next = tokio::select! {
                biased;
                () = ending.cancelled() => return Ok(()),
                next = work.recv() => next,
            };
            match next {
                None => return Ok(()),
                Some(Work::Event(mut event, acker)) => {
                    self.event(&mut event, &ending).await?;
                    acknowledge(acker).await;
                }
                Some(Work::Repeated(acker)) => acknowledge(Some(acker)).await,
                Some(Work::Passed(position)) => self.pass(position).await?,
            }
        }
    }

    async fn pass(&mut self, position: u64) -> Result<(), Error> {
        if position <= self.at.position {
            return Ok(());
        }
        let mut connection = self.core.pool.acquire().await?;
        match advance(&mut connection, &self.core, &self.at, position).await? {
            Moved::Yes => self.at.position = position,
            Moved::Elsewhere(other) => self.at.position = other,
        }
        Ok(())
    }

    /// Applies one event, however long what it needs is away.
    async fn event(&mut self, event: &mut Recorded, ending: &Stop) -> Result<(), Error> {
        if event.position <= self.at.position {
            return Ok(());
        }
        let span = process_span(&self.core, event);
        let event = &*event;
        let (mut tries, mut pause) = (0, LEAST_PAUSE);
        loop {
            tries += 1;
            let outcome = self.once(event).instrument(span.clone()).await;
            let error = match outcome {
                Ok(()) => return Ok(()),
                Err(ApplyError::Park(reason)) => return self.park(event, &reason).await,
                Err(ApplyError::Retry(error)) => error,
            };
            if let Some(reason) = our_fault(&error).filter(|_| tries >= TRIES_OF_OUR_FAULT) {
                return self.park(event, &reason).await;
            }
            if tries.is_power_of_two() && tries > 2 {
                tracing::warn!(
                    log = self.core.log, position = event.position, kind = event.kind, tries,
                    error = %describe(&error), "an event waits to be applied"
                );
            }
            metrics::counter!("docket_consumer_retries_total", &self.core.labels()).increment(1);
            tokio::select! {
                () = ending.cancelled() => return Err(Error::Stopping),
                () = sleep(pause) => pause = (pause * 2).min(MOST_PAUSE),
            }
        }
    }

    /// One try: checkpoint, effects, commit.
    async fn once(&mut self, event: &Recorded) -> Result<(), ApplyError> {
        let started = Instant::now();
        let core = Arc::clone(&self.core);
        let mut tx = docket_database::begin(&core.pool).await?;
        // First the checkpoint: it fences off another consumer before anything is done.
        if let Moved::Elsewhere(other) =
            advance(&mut tx, &core, &self.at, event.position).await.map_err(retry)?
        {
            self.at.position = other;
            if event.position <= other {
                return Ok(());
            }
            return Err(ApplyError::Retry(anyhow::anyhow!("another consumer moved the checkpoint")));
        }
        if park::is_parked(&mut tx, &core, &event.stream).await? {
            park::insert(&mut tx, &core, event, "behind an earlier event of its stream").await?;
            tx.commit().await?;
            self.at.position = event.position;
            return Ok(());
        }
        apply_all(&core, &mut tx, event).await?;
        tx.commit().await?;
        self.at.position = event.position;
        after(&core, event).await;
        metrics::histogram!("docket_consumer_process_duration_seconds", &core.labels())
            .record(started.elapsed().as_secs_f64());
        Ok(())
    }

    async fn park(&mut self, event: &Recorded, reason: &str) -> Result<(), Error> {
        let core = Arc::clone(&self.core);
        let mut tx = docket_database::begin(&core.pool).await?;
        if let Moved::Elsewhere(other) = advance(&mut tx, &core, &self.at, event.position).await? {
            // Whoever moved it has also decided about this event, or the next try will.
            self.at.position = other;
            return Ok(());
        }
        park::insert(&mut tx, &core, event, reason).await?;
        tx.commit().await?;
        self.at.position = event.position;
        tracing::error!(
            log = core.log, stream = %event.stream, position = event.position, kind = event.kind, reason,
            "an event could not be applied; its stream is parked"
        );
        metrics::counter!("docket_consumer_parked_total", &core.labels()).increment(1);
        Ok(())
    }
}

/// All subscribers' effects of one event, in the caller's transaction.
pub(crate) async fn apply_all(
    core: &Core,
    tx: &mut sqlx::PgConnection,
    event: &Recorded,
) -> Result<(), ApplyError> {
    let category = event.kind.split('.').next().unwrap_or_default();
    for subscriber in &core.subscribers {
        if !subscriber.categories().contains(&category) {
            continue;
        }
        if !ALL_KINDS.contains(&event.kind.as_str()) {
            return Err(ApplyError::Park(format!("the kind {} is not known here", event.kind)));
        }
        subscriber.apply(tx, event).await?;
    }
    Ok(())
}

/// Wake-ups after the commit.
pub(crate) async fn after(core: &Core, event: &Recorded) {
    let category = event.kind.split('.').next().unwrap_or_default();
    for subscriber in &core.subscribers {
        if subscriber.categories().contains(&category) {
            subscriber.after_commit(event).await;
        }
    }
    if let Some(own) = &core.own {
        // Effects may have appended; those who follow the log look for themselves.
        match own.head().await {
            Ok(head) => own.committed(head.position),
            Err(error) => tracing::debug!(%error, "the head could not be read after a commit"),
        }
    }
}

/// The span in which an event is processed: part of the trace that caused it. What answers the event continues from
/// this span; the stored record keeps what stands in the log.
pub(crate) fn process_span(core: &Core, event: &mut Recorded) -> tracing::Span {
    let span = tracing::info_span!(
        "process", otel.name = format!("process {}", core.log), otel.kind = "consumer",
        messaging.system = "nats", messaging.operation.type = "process",
        messaging.destination.name = core.log, messaging.consumer.group.name = core.service,
        docket.kind = event.kind, docket.position = event.position,
    );
    trace::link_or_continue(&span, &event.metadata.traceparent, event.recorded_at, core.clock.now());
    let ours = trace::traceparent_of(&span);
    if !ours.is_empty() {
        event.metadata.traceparent = ours;
    }
    span
}

async fn acknowledge(acker: Option<Acker>) {
    if let Some(acker) = acker
        && let Err(error) = acker.ack().await
    {
        // It comes again and is then known to be done.
        tracing::debug!(%error, "an acknowledgement got lost");
    }
}

fn retry(error: Error) -> ApplyError {
    ApplyError::Retry(error.into())
}

/// Faults which trying again will not mend: SQLSTATE classes 22 (data), 23 (constraints), 42 (statement).
fn our_fault(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(|cause| {
        let shared = cause.downcast_ref::<Arc<sqlx::Error>>().map(AsRef::as_ref);
        let sqlx::Error::Database(error) = cause.downcast_ref::<sqlx::Error>().or(shared)? else {
            return None;
        };
        let code = error.code()?;
        ["22", "23", "42"].iter().any(|class| code.starts_with(class)).then(|| format!("SQLSTATE {code}"))
    })
}

/// An error without the values a database puts into its messages.
fn describe(error: &anyhow::Error) -> String {
    our_fault(error).unwrap_or_else(|| error.to_string())
}
