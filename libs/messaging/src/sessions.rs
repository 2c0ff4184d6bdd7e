//! One session after the other, as relay and consumer hold them: whatever goes wrong is waited out, until somebody must look.

use std::time::Duration;

use metrics::Gauge;
use tokio::time::{Instant, sleep};

use crate::{Error, Stop};

/// An outage this long is worth a line in the log; a new leader of the broker takes some 6 s.
const QUIET: Duration = Duration::from_secs(10);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const MOST_PAUSE: Duration = Duration::from_secs(2);

/// Whose sessions they are, for what is said of them.
pub(crate) struct Sessions<'a> {
    pub(crate) part: &'static str,
    /// What it does while nothing goes wrong.
    pub(crate) does: &'static str,
    pub(crate) service: Option<&'a str>,
    pub(crate) log: &'a str,
    /// 1 once it has stopped for somebody to look.
    pub(crate) halted: Gauge,
}

impl Sessions<'_> {
    /// Holds sessions until `stop`.
    ///
    /// # Errors
    /// [`Error::Halted`].
    pub(crate) async fn hold<S>(self, stop: &Stop, session: impl Fn() -> S) -> Result<(), Error>
    where
        S: Future<Output = Result<(), Error>>,
    {
        let Self { part, does, service, log, halted } = self;
        let mut pause = FIRST_PAUSE;
        let mut troubled: Option<Instant> = None;
        while !stop.is_cancelled() {
            let before = Instant::now();
            match session().await {
                Ok(()) | Err(Error::Stopping) => break,
                Err(Error::Halted(reason)) => {
                    tracing::error!(service, log, reason, "the {part} stopped");
                    halted.set(1.0);
                    return Err(Error::Halted(reason));
                }
                Err(error) => {
                    if before.elapsed() > QUIET {
                        (pause, troubled) = (FIRST_PAUSE, None);
                    }
                    let since = *troubled.get_or_insert(before);
                    if since.elapsed() > QUIET {
                        tracing::warn!(service, log, %error, "the {part} cannot {does}; it keeps trying");
                        troubled = Some(Instant::now());
                    } else {
                        tracing::debug!(service, log, %error, "the {part} tries again");
                    }
                }
            }
            stop.run_until_cancelled(sleep(pause)).await;
            pause = (pause * 2).min(MOST_PAUSE);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::time::timeout;
    use tracing_subscriber::Layer;
    use tracing_subscriber::layer::{Context, SubscriberExt as _};

    use super::*;

    /// How often something was told that somebody should read.
    #[derive(Clone, Default)]
    struct Warnings(Arc<AtomicU32>);

    impl<S: tracing::Subscriber> Layer<S> for Warnings {
        fn on_event(&self, event: &tracing::Event<'_>, _context: Context<'_, S>) {
            let warns = *event.metadata().level() == tracing::Level::WARN;
            self.0.fetch_add(u32::from(warns), Ordering::Relaxed);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_outage_that_lasts_is_told_now_and_then_and_a_short_one_is_not() {
        let warnings = Warnings::default();
        let _told = tracing::subscriber::set_default(tracing_subscriber::registry().with(warnings.clone()));
        let (stop, halted) = (Stop::new(), metrics::gauge!("docket_relay_halted"));
        let sessions = Sessions { part: "relay", does: "publish", service: None, log: "identity", halted };
        let mut holding = std::pin::pin!(sessions.hold(&stop, || async { Err(Error::Again("away")) }));
        let mut told_after = async |more: Duration| {
            assert!(timeout(more, &mut holding).await.is_err(), "it is tried on");
            warnings.0.load(Ordering::Relaxed)
        };
        assert_eq!(told_after(QUIET).await, 0);
        assert_eq!(told_after(MOST_PAUSE).await, 1);
        // Not more often than that.
        assert_eq!(told_after(QUIET.saturating_sub(MOST_PAUSE)).await, 1);
        assert_eq!(told_after(2 * MOST_PAUSE).await, 2);
    }
}
