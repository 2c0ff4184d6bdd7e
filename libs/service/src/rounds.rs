//! Tasks of a service's own: the same again and again beside the calls, until the stop. A database that says nothing is given
//! up, and told of once.

use std::sync::Arc;
use std::time::Duration;

use docket_database::{WORK, within};
use docket_messaging::Stop;
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::status::describe;

/// When a task goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// There may be more to do.
    AtOnce,
    /// After the usual pause, or when it is woken.
    Later,
    /// After another pause, or when it is woken.
    After(Duration),
}

/// A round that says no more than that it is done.
impl From<()> for Again {
    fn from((): ()) -> Self {
        Self::Later
    }
}

/// How a task goes its rounds:
///
/// ```ignore
/// while rounds.go_on(&stop).await {
///     rounds.turn(look(&base)).await;
/// }
/// ```
#[derive(Debug)]
pub struct Rounds {
    pause: Duration,
    failing: &'static str,
    limit: Duration,
    wake: Option<Arc<Notify>>,
    /// The pause before the next round; none before the first.
    next: Option<Duration>,
    fails: Fails,
}

impl Rounds {
    /// A round, a pause, and so on; `failing` is what the log says when a round fails.
    pub fn every(pause: Duration, failing: &'static str) -> Self {
        Self { pause, failing, limit: WORK, wake: None, next: None, fails: Fails::default() }
    }

    /// The first round comes after a pause: at the start it was done already.
    #[must_use]
    pub fn after_a_pause(self) -> Self {
        Self { next: Some(self.pause), ..self }
    }

    /// A round may take so long, where that is not [`WORK`].
    #[must_use]
    pub fn within(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// A round takes as long as others need, or as there is to do: it bounds by itself each question to the database, by
    /// [`docket_database::answered`] or [`docket_database::within`].
    #[must_use]
    pub fn bounded_inside(self) -> Self {
        self.within(Duration::MAX)
    }

    /// Ends a pause.
    #[must_use]
    pub fn woken_by(self, wake: Arc<Notify>) -> Self {
        Self { wake: Some(wake), ..self }
    }

    /// Waits as the last round asked, and says whether there is another one: not after the `stop`.
    pub async fn go_on(&mut self, stop: &Stop) -> bool {
        if let Some(pause) = self.next.take() {
            self.idle(stop, pause).await;
        }
        !stop.is_cancelled()
    }

    /// A round. What fails is told, and tried again after the usual pause.
    pub async fn turn<A: Into<Again>>(&mut self, round: impl Future<Output = anyhow::Result<A>>) {
        let done = within(self.limit, round).await;
        match self.fails.after(done.is_err()) {
            Some(Turn::Worse) => {
                let error = done.as_ref().err().map(describe);
                tracing::warn!(error, "{}; it is tried again, and told when it is over", self.failing);
            }
            Some(Turn::Better) => tracing::info!("this is over: {}", self.failing),
            None => {
                if let Err(error) = &done {
                    tracing::debug!(error = describe(error), "{}", self.failing);
                }
            }
        }
        self.next = match done.map_or(Again::Later, Into::into) {
            Again::AtOnce => None,
            Again::Later => Some(self.pause),
            Again::After(pause) => Some(pause),
        };
    }

    async fn idle(&self, stop: &Stop, pause: Duration) {
        let woken = async {
            match &self.wake {
                Some(wake) => wake.notified().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = woken => {}
            () = sleep(pause) => {}
        }
    }
}

/// Whether the last round failed.
#[derive(Debug, Default)]
struct Fails(bool);

/// What is worth a line.
#[derive(Debug, PartialEq, Eq)]
enum Turn {
    Worse,
    Better,
}

impl Fails {
    /// A round after the other: only a turn is told, however long it stays so.
    fn after(&mut self, failed: bool) -> Option<Turn> {
        match (std::mem::replace(&mut self.0, failed), failed) {
            (false, true) => Some(Turn::Worse),
            (true, false) => Some(Turn::Better),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::time::Instant;

    use super::*;

    const PAUSE: Duration = Duration::from_secs(5);

    #[tokio::test(start_paused = true)]
    async fn a_round_that_is_never_answered_is_given_up_and_the_next_one_begins_after_the_pause() {
        let (stop, begun) = (Stop::new(), Instant::now());
        let mut rounds = Rounds::every(PAUSE, "it fails");
        let mut begun_rounds = 0;
        while rounds.go_on(&stop).await {
            begun_rounds += 1;
            if begun_rounds == 1 {
                rounds.turn(pending::<anyhow::Result<()>>()).await;
            } else {
                stop.cancel();
            }
        }
        assert_eq!((begun_rounds, begun.elapsed().as_secs()), (2, (WORK + PAUSE).as_secs()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_round_goes_on_at_once_or_when_it_is_woken() {
        let (stop, wake, begun) = (Stop::new(), Arc::new(Notify::new()), Instant::now());
        wake.notify_one();
        let mut rounds = Rounds::every(PAUSE, "it fails").woken_by(wake);
        let mut said = vec![
            Ok(Again::AtOnce),
            Ok(Again::Later),
            Ok(Again::After(Duration::from_secs(2))),
            Err(anyhow::anyhow!("nobody waits after the stop")),
        ]
        .into_iter();
        while rounds.go_on(&stop).await {
            rounds.turn(std::future::ready(said.next().unwrap())).await;
            if said.len() == 0 {
                stop.cancel();
            }
        }
        assert_eq!(begun.elapsed().as_secs(), 2);
    }

    #[test]
    fn a_silence_is_told_once_and_so_is_its_end() {
        let mut fails = Fails::default();
        let told: Vec<_> = [false, true, true, true, false, false].map(|failed| fails.after(failed)).into();
        assert_eq!(told, [None, Some(Turn::Worse), None, None, Some(Turn::Better), None]);
    }
}
