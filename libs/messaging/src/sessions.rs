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
