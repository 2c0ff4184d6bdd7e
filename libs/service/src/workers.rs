//! The tasks of a server: named, watched, and given time to end.

use std::time::Duration;

use anyhow::Context as _;
use docket_messaging::Stop;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Tasks beside the calls, each with its name.
pub(crate) type Workers = JoinSet<(String, anyhow::Result<()>)>;

/// A halt has been reported and stands as it is: the rest of the service goes on.
pub(crate) async fn stay_halted(
    outcome: Result<(), docket_messaging::Error>,
    stop: Stop,
) -> anyhow::Result<()> {
    if let Err(error) = outcome {
        tracing::error!(%error, "halted until somebody looks");
        stop.cancelled().await;
    }
    Ok(())
}

/// The work with its name, for what is said when it ends.
pub(crate) fn named(
    name: &str,
    work: impl Future<Output = anyhow::Result<()>> + Send + 'static,
) -> impl Future<Output = (String, anyhow::Result<()>)> + Send + 'static {
    let name = name.to_owned();
    async move { (name, work.await) }
}

/// Waits for the stop, or for a part that ends by itself, which none should.
pub(crate) async fn until_stop_or_fault(
    stop: &Stop,
    faces: &mut JoinSet<anyhow::Result<()>>,
    workers: &mut Workers,
    working: &Stop,
) -> anyhow::Result<()> {
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            Some(face) = faces.join_next() => {
                face.context("serving panicked")?.context("serving")?;
                anyhow::bail!("serving ended by itself");
            }
            Some(worker) = workers.join_next() => {
                let (name, outcome) = worker.context("a worker panicked")?;
                outcome.with_context(|| name.clone())?;
                // A task that has done what it was there for is no fault.
                if !working.is_cancelled() {
                    tracing::debug!(name, "a task has ended");
                }
            }
        }
    }
}

/// Waits for the tasks to end, and ends them when they take too long.
pub(crate) async fn drain<T: 'static>(what: &str, tasks: &mut JoinSet<T>, patience: Duration) {
    let all = async { while tasks.join_next().await.is_some() {} };
    if timeout(patience, all).await.is_err() {
        tracing::warn!(what, left = tasks.len(), "not all ended in time");
        tasks.shutdown().await;
    }
}
