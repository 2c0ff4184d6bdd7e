//! What an operator began goes on when the connection ends, as each does after some minutes, and is found again by its id.
//!
//! A run belongs to whoever began it, and to this process: whoever comes back to another one is told so, and connects anew.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use docket_kernel::Refusal;
use docket_messaging::Stop;
use futures::stream::{self, BoxStream, StreamExt as _};
use tokio::sync::watch;
use tokio::time::{Instant, interval, sleep};
use tonic::Status;
use uuid::Uuid;

use crate::ApiError;
use crate::detached::spawn;

/// How often it is told how far a run is.
const TELL: Duration = Duration::from_millis(200);
/// A run to which nobody listens is given up after this, where it ends with its listeners: as long as the command line tries.
const ALONE: Duration = Duration::from_mins(1);
/// How long it is kept what came of a run, for whoever lost the connection just then.
const KEPT: Duration = Duration::from_mins(10);

/// How a run stands, step by step, and at last what came of it.
pub(super) type Steps<T> = BoxStream<'static, Result<T, Status>>;

/// Where a run tells how far it is.
pub(super) struct Told<T>(Arc<watch::Sender<Seen<T>>>);

impl<T> Told<T> {
    /// It is so far.
    pub(super) fn tell(&self, step: T) {
        self.0.send_replace(Seen::Going(step));
    }

    /// Does the work, and tells meanwhile how far it is.
    pub(super) async fn during<R>(&self, work: impl Future<Output = R>, mut step: impl FnMut() -> T) -> R {
        let (mut tick, mut work) = (interval(TELL), std::pin::pin!(work));
        loop {
            tokio::select! {
                done = &mut work => return done,
                _ = tick.tick() => self.tell(step()),
            }
        }
    }
}

/// What is seen of a run.
#[derive(Clone)]
enum Seen<T> {
    Going(T),
    Ended(Result<T, Status>, Instant),
}

struct Run<T> {
    by: String,
    seen: Arc<watch::Sender<Seen<T>>>,
}

/// Who began a run, under which id.
pub(super) struct Ask {
    by: String,
    run: Uuid,
}

impl Ask {
    /// As the request says; what has no id is not asked for again.
    ///
    /// # Errors
    /// `RUN_MALFORMED`.
    pub(super) fn new(by: String, run: &str) -> Result<Self, ApiError> {
        if run.is_empty() {
            return Ok(Self { by, run: Uuid::new_v4() });
        }
        let words = "The id of a run is a UUID that you make.";
        let run = run.parse().map_err(|_| ApiError::invalid("run", "RUN_MALFORMED", words))?;
        Ok(Self { by, run })
    }
}

/// The runs of one sort in this process.
pub(super) struct Runs<T> {
    stopping: Stop,
    held: Mutex<HashMap<Uuid, Run<T>>>,
}

impl<T: Clone + Send + Sync + 'static> Runs<T> {
    /// None yet; all end with the service.
    pub(super) fn new(stopping: Stop) -> Self {
        Self { stopping, held: Mutex::default() }
    }

    /// Listens to a run that goes on, or that ended a short time ago.
    ///
    /// # Errors
    /// `RUN_NOT_HERE`.
    pub(super) fn listen(&self, ask: &Ask) -> Result<Steps<T>, ApiError> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let run = held.get(&ask.run).filter(|run| run.by == ask.by);
        run.map(|run| steps(run.seen.subscribe())).ok_or_else(|| {
            let words = "This process has no run of yours with that id.";
            let way_out = "Connect anew, since another process may have it; or begin it again.";
            Refusal::state("RUN_NOT_HERE", words).way_out(way_out).into()
        })
    }

    /// Begins work that is given up when nobody has listened for a minute.
    pub(super) fn begin<W>(&self, ask: Ask, first: T, work: impl FnOnce(Told<T>) -> W) -> Steps<T>
    where
        W: Future<Output = Result<T, ApiError>> + Send + 'static,
    {
        let seen = Arc::new(watch::Sender::new(Seen::Going(first)));
        let work = work(Told(Arc::clone(&seen)));
        let listened = Arc::clone(&seen);
        self.hold(ask, seen, async move {
            tokio::select! {
                done = work => done,
                () = left(&listened) => Err(ApiError::unavailable("whoever asked for it")),
            }
        })
    }

    /// Begins work that goes on to its end, whoever listens.
    pub(super) fn begin_for_good<W>(&self, ask: Ask, first: T, work: impl FnOnce(Told<T>) -> W) -> Steps<T>
    where
        W: Future<Output = Result<T, ApiError>> + Send + 'static,
    {
        let seen = Arc::new(watch::Sender::new(Seen::Going(first)));
        let work = work(Told(Arc::clone(&seen)));
        self.hold(ask, seen, work)
    }

    fn hold<W>(&self, ask: Ask, seen: Arc<watch::Sender<Seen<T>>>, work: W) -> Steps<T>
    where
        W: Future<Output = Result<T, ApiError>> + Send + 'static,
    {
        let heard = steps(seen.subscribe());
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        // Asked twice, done once.
        if let Some(run) = held.get(&ask.run).filter(|run| run.by == ask.by) {
            return steps(run.seen.subscribe());
        }
        held.retain(|_, run| match &*run.seen.borrow() {
            Seen::Going(_) => true,
            Seen::Ended(_, at) => at.elapsed() < KEPT,
        });
        held.insert(ask.run, Run { by: ask.by, seen: Arc::clone(&seen) });
        drop(held);
        let stopping = self.stopping.clone();
        spawn(async move {
            let ended = tokio::select! {
                done = work => done,
                () = stopping.cancelled() => Err(ApiError::unavailable("the service")),
            };
            seen.send_replace(Seen::Ended(ended.map_err(Status::from), Instant::now()));
        });
        heard
    }
}

/// Waits until nobody has listened for a while.
async fn left<T>(seen: &watch::Sender<Seen<T>>) {
    loop {
        seen.closed().await;
        sleep(ALONE).await;
        if seen.is_closed() {
            return;
        }
    }
}

/// What is seen of a run from now on; a slow listener misses a step and no more.
fn steps<T: Clone + Send + Sync + 'static>(mut seen: watch::Receiver<Seen<T>>) -> Steps<T> {
    seen.mark_changed();
    let next = |listening: Option<watch::Receiver<Seen<T>>>| async move {
        let mut seen = listening?;
        seen.changed().await.ok()?;
        let now = seen.borrow_and_update().clone();
        Some(match now {
            Seen::Going(step) => (Ok(step), Some(seen)),
            Seen::Ended(last, _) => (last, None),
        })
    };
    stream::unfold(Some(seen), next).boxed()
}

/// What comes of a run, for whoever is not told how far it is.
///
/// # Errors
/// What it ended with.
pub(super) async fn outcome<T>(mut steps: Steps<Option<T>>) -> Result<T, Status> {
    while let Some(step) = steps.next().await {
        if let Some(done) = step? {
            return Ok(done);
        }
    }
    Err(ApiError::unavailable("the service").into())
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    fn ask(by: &str) -> Ask {
        Ask::new(by.to_owned(), "0190f3f0-0000-7000-8000-000000000001").unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_goes_on_without_a_listener_and_tells_who_began_it_what_came_of_it() {
        let runs = Runs::new(Stop::new());
        let (go, wait) = tokio::sync::oneshot::channel::<()>();
        let begun = runs.begin(ask("ana"), 0, |told| async move {
            told.tell(1);
            wait.await.unwrap();
            Ok(2)
        });
        drop(begun);
        sleep(ALONE / 2).await;
        let twice = runs.begin(ask("ana"), 7, |_| async { Ok(8) });
        drop(twice);
        let mut again = runs.listen(&ask("ana")).unwrap();
        assert_eq!(again.next().await.unwrap().unwrap(), 1);
        sleep(ALONE * 2).await;
        go.send(()).unwrap();
        assert_eq!(again.next().await.unwrap().unwrap(), 2);
        assert!(again.next().await.is_none());
        let mut once_more = runs.listen(&ask("ana")).unwrap();
        assert_eq!(once_more.next().await.unwrap().unwrap(), 2);
        assert!(runs.listen(&ask("ben")).is_err(), "it is nobody else's");
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_listens_to_is_given_up_and_what_goes_on_for_good_is_not() {
        let (stop, runs) = (Stop::new(), Runs::<u8>::new(Stop::new()));
        drop(runs.begin(ask("ana"), 0, |_| pending()));
        sleep(ALONE * 2).await;
        assert!(runs.listen(&ask("ana")).unwrap().next().await.unwrap().is_err());
        let runs = Runs::new(stop.clone());
        drop(runs.begin_for_good(ask("ana"), 0_u8, |_| pending()));
        sleep(ALONE * 2).await;
        let mut on = runs.listen(&ask("ana")).unwrap();
        assert_eq!(on.next().await.unwrap().unwrap(), 0);
        stop.cancel();
        assert!(on.next().await.unwrap().is_err(), "it ends with the service");
    }

    #[tokio::test(start_paused = true)]
    async fn what_came_of_a_run_is_not_kept_for_ever() {
        let runs = Runs::new(Stop::new());
        let mut done = runs.begin(ask("ana"), 0, |_| async { Ok(1) });
        while done.next().await.is_some() {}
        sleep(KEPT).await;
        drop(runs.begin(Ask::new("ana".into(), "").unwrap(), 0, |_| pending()));
        assert!(runs.listen(&ask("ana")).is_err());
    }
}
