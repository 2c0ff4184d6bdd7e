//! A lane: applies its events in order, in a transaction with the checkpoint: one at a time, or what has gathered.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::message::Acker;
use docket_database::{answered, within};
use docket_eventlog::Recorded;
use docket_proto::events::ALL_KINDS;
use futures::FutureExt as _;
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, sleep};
use tracing::{Instrument as _, Span};

use super::checkpoint::{At, Link, Moved, advance};
use super::dispatch::Handed;
use super::{Core, park};
use crate::{ApplyError, Error, Stop, trace};

/// After so many tries a fault the database names as ours (data, constraint, syntax) parks the stream.
const TRIES_OF_OUR_FAULT: u32 = 5;
/// After so many tries a cause that has parked several streams parks the next: it may be that it passes in a moment.
const TRIES_OF_A_KNOWN_CAUSE: u32 = 3;
const LEAST_PAUSE: Duration = Duration::from_millis(50);
const MOST_PAUSE: Duration = Duration::from_secs(5);

/// What a lane is given.
pub(crate) enum Work {
    /// An event, with the acknowledgement to give afterwards when it came from the broker.
    Event(Box<Recorded>, Option<Acker>),
    /// A repetition of an event given before: only acknowledged, once that one is done.
    Repeated(Acker),
    /// Nothing of this lane remains up to here, so the checkpoint may move without an event of the lane; the link of the event
    /// that is there.
    Passed(u64, Option<Link>),
}

pub(crate) struct Lane {
    core: Arc<Core>,
    at: At,
    handed: Arc<Handed>,
}

impl Lane {
    pub(crate) fn new(core: Arc<Core>, at: At, handed: Arc<Handed>) -> Self {
        Self { core, at, handed }
    }

    /// Works until the channel closes or `ending`; what is at hand is finished.
    pub(crate) async fn run(mut self, mut work: Receiver<Work>, ending: Stop) -> Result<(), Error> {
        let most = self.core.at_once();
        let mut at_hand = Vec::with_capacity(most);
        loop {
            tokio::select! {
                biased;
                () = ending.cancelled() => return self.leave(&work).await,
                taken = work.recv_many(&mut at_hand, most) => if taken == 0 { return Ok(()) },
            }
            self.work(at_hand.drain(..), &ending).await?;
        }
    }

    /// The events first; then nothing remains before what is only acknowledged or passed.
    async fn work(&mut self, at_hand: impl Iterator<Item = Work>, ending: &Stop) -> Result<(), Error> {
        let (mut events, mut ackers, mut passed) = (Vec::new(), Vec::new(), (0, None));
        for work in at_hand {
            match work {
                Work::Event(mut event, acker) => {
                    ackers.extend(acker);
                    if event.position > self.at.position {
                        let span = process_span(&self.core, &mut event);
                        events.push((event, span));
                    }
                }
                Work::Repeated(acker) => ackers.push(acker),
                Work::Passed(position, link) => passed = (position, link),
            }
        }
        if events.len() < 2 || !self.together(&events).await {
            for (event, span) in &events {
                self.event(event, span, ending).await?;
            }
        }
        for acker in ackers {
            acknowledge(acker).await;
        }
        answered(self.pass(passed)).await
    }

    /// A lane that has done all it was given has come as far as the session: whoever begins the next one asks the owner for nothing that is
    /// done, and needs it not to be there.
    async fn leave(&mut self, work: &Receiver<Work>) -> Result<(), Error> {
        // Looked at first: all up to there is done, or waits in the channel.
        let last = self.handed.last();
        if work.is_empty() { answered(self.pass(last)).await } else { Ok(()) }
    }

    async fn pass(&mut self, (position, link): (u64, Option<Link>)) -> Result<(), Error> {
        if position <= self.at.position {
            return Ok(());
        }
        let mut connection = self.core.pool.acquire().await?;
        match advance(&mut connection, &self.core, &self.at, (position, link.as_ref()), &[]).await? {
            Moved::Here { .. } => self.at.position = position,
            Moved::Elsewhere(other) => self.at.position = other,
        }
        Ok(())
    }

    /// Applies several events in one transaction; whether it could. If not, they go one by one.
    async fn together(&mut self, events: &[(Box<Recorded>, Span)]) -> bool {
        let (started, core) = (Instant::now(), Arc::clone(&self.core));
        let Some((last, _)) = events.last() else { return true };
        match within(core.patience.one_try, self.in_one(events, last)).await {
            Ok(true) => self.at.position = last.position,
            Ok(false) => return false,
            Err(error) => {
                // It may have been committed all the same: the checkpoint tells when it is moved the next time.
                let error = describe(&error);
                tracing::debug!(log = core.log, error, "events are tried one by one");
                return false;
            }
        }
        for (event, _) in events {
            after_commit(&core, event).await;
            record(&core, started);
        }
        wake_own(&core).await;
        true
    }

    /// The transaction; whether all of them were applied. If not, nothing was done.
    async fn in_one(&self, events: &[(Box<Recorded>, Span)], last: &Recorded) -> anyhow::Result<bool> {
        let core = &self.core;
        let streams: Vec<&str> = events.iter().map(|(event, _)| event.stream.as_str()).collect();
        let mut tx = docket_database::begin(&core.pool).await?;
        // First the checkpoint: it fences off another consumer before anything is done.
        let (free, to) = (Moved::Here { parked: false }, (last.position, Some(&last.link)));
        if advance(&mut tx, core, &self.at, to, &streams).await? != free {
            return Ok(false);
        }
        for (event, span) in events {
            if apply_all(core, &mut tx, event).instrument(span.clone()).await.is_err() {
                return Ok(false);
            }
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Applies one event, however long what it needs is away. If it fails otherwise, then for as long as patience goes: others
    /// wait behind it.
    async fn event(&mut self, event: &Recorded, span: &Span, ending: &Stop) -> Result<(), Error> {
        let (mut tries, mut pause, mut failing) = (0, LEAST_PAUSE, None);
        // An earlier try may have got through, and only not have told so in time.
        while event.position > self.at.position {
            tries += 1;
            let once = within(self.core.patience.one_try, self.once(event));
            let error = match once.instrument(span.clone()).await {
                Ok(()) => return Ok(()),
                Err(ApplyError::Park(reason)) => return answered(self.park(event, &reason)).await,
                Err(ApplyError::Away(error)) => {
                    failing = None;
                    error
                }
                Err(ApplyError::Retry(error)) => {
                    // The checkpoint was set back or taken away: whoever begins again reads what stands there.
                    let error = match error.downcast::<Error>() {
                        Ok(again @ Error::Again(_)) => return Err(again),
                        Ok(error) => error.into(),
                        Err(error) => error,
                    };
                    let since: Instant = *failing.get_or_insert_with(Instant::now);
                    if self.enough(&error, tries, since) {
                        let cause = describe(&error);
                        self.core.causes.met(&cause, event.stream.as_str(), Instant::now());
                        return answered(self.park(event, &cause)).await;
                    }
                    error
                }
            };
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
        Ok(())
    }

    /// Whether an event that fails so, and has since then, keeps the others waiting no longer.
    fn enough(&self, error: &anyhow::Error, tries: u32, since: Instant) -> bool {
        since.elapsed() >= self.core.patience.failing
            || if is_our_fault(error) {
                tries >= TRIES_OF_OUR_FAULT
            } else {
                tries >= TRIES_OF_A_KNOWN_CAUSE && self.core.causes.is_known(&describe(error), Instant::now())
            }
    }

    /// One try: checkpoint, effects, commit.
    async fn once(&mut self, event: &Recorded) -> Result<(), ApplyError> {
        let started = Instant::now();
        let core = Arc::clone(&self.core);
        let mut tx = docket_database::begin(&core.pool).await?;
        let streams = [event.stream.as_str()];
        let moved = advance(&mut tx, &core, &self.at, (event.position, Some(&event.link)), &streams).await?;
        match moved {
            Moved::Elsewhere(other) => {
                self.at.position = other;
                if event.position <= other {
                    return Ok(());
                }
                return Err(ApplyError::Retry(anyhow::anyhow!("another consumer moved the checkpoint")));
            }
            Moved::Here { parked: true } => {
                park::insert(&mut tx, &core, event, "behind an earlier event of its stream").await?;
                tx.commit().await?;
                self.at.position = event.position;
                return Ok(());
            }
            Moved::Here { parked: false } => {}
        }
        apply_all(&core, &mut tx, event).await?;
        tx.commit().await?;
        self.at.position = event.position;
        after(&core, event).await;
        record(&core, started);
        Ok(())
    }

    async fn park(&mut self, event: &Recorded, reason: &str) -> Result<(), Error> {
        let core = Arc::clone(&self.core);
        let mut tx = docket_database::begin(&core.pool).await?;
        let to = (event.position, Some(&event.link));
        while let Moved::Elsewhere(other) = advance(&mut tx, &core, &self.at, to, &[]).await? {
            self.at.position = other;
            if event.position <= other {
                // Whoever moved it has also decided about this event.
                return Ok(());
            }
            // It was moved to before this event, of which nobody has decided yet: from there on it is tried again.
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

/// All subscribers' effects of one event, in the caller's transaction, which is not to be committed after an error. A panic
/// is a fault of ours that would come again, so it parks the stream; what it says may hold values, and is not kept.
pub(crate) async fn apply_all(
    core: &Core,
    tx: &mut sqlx::PgConnection,
    event: &Recorded,
) -> Result<(), ApplyError> {
    let effects = AssertUnwindSafe(effects(core, tx, event)).catch_unwind();
    effects.await.unwrap_or_else(|_panic| Err(ApplyError::Park("panicked".to_owned())))
}

async fn effects(core: &Core, tx: &mut sqlx::PgConnection, event: &Recorded) -> Result<(), ApplyError> {
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

/// Wake-ups after the commit of one event.
pub(crate) async fn after(core: &Core, event: &Recorded) {
    after_commit(core, event).await;
    wake_own(core).await;
}

async fn after_commit(core: &Core, event: &Recorded) {
    let category = event.kind.split('.').next().unwrap_or_default();
    for subscriber in &core.subscribers {
        if subscriber.categories().contains(&category) {
            subscriber.after_commit(event).await;
        }
    }
}

/// Effects may have appended to our own log; those who follow it look for themselves.
async fn wake_own(core: &Core) {
    let Some(own) = core.own.as_ref().filter(|_| core.at_once() == 1) else { return };
    match own.position().await {
        Ok(position) => own.committed(position),
        Err(error) => tracing::debug!(%error, "the head could not be read after a commit"),
    }
}

fn record(core: &Core, started: Instant) {
    metrics::histogram!("docket_consumer_process_duration_seconds", &core.labels())
        .record(started.elapsed().as_secs_f64());
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

async fn acknowledge(acker: Acker) {
    if let Err(error) = acker.ack().await {
        // It comes again and is then known to be done.
        tracing::debug!(%error, "an acknowledgement got lost");
    }
}

/// Faults which trying again will not mend: SQLSTATE classes 22 (data), 23 (constraints), 42 (statement).
fn is_our_fault(error: &anyhow::Error) -> bool {
    sqlstate(error).is_some_and(|code| ["22", "23", "42"].iter().any(|class| code.starts_with(class)))
}

fn sqlstate(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(|cause| {
        let shared = cause.downcast_ref::<Arc<sqlx::Error>>().map(AsRef::as_ref);
        let sqlx::Error::Database(error) = cause.downcast_ref::<sqlx::Error>().or(shared)? else {
            return None;
        };
        error.code().map(std::borrow::Cow::into_owned)
    })
}

/// An error without the values a database puts into its messages.
pub(crate) fn describe(error: &anyhow::Error) -> String {
    sqlstate(error).map_or_else(|| error.to_string(), |code| format!("SQLSTATE {code}"))
}
