//! Work which a caller that goes away must not cancel half-way, and calls that carry our trace along.

use std::panic::resume_unwind;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::timeout;
use tonic::metadata::MetadataValue;
use tracing::Instrument as _;

use crate::error::{SERVICE, service_name};

/// How long a call to another service may take.
const CALL: Duration = Duration::from_secs(10);
/// How long work may take for which nobody need wait: a database that says nothing does not keep it, and a connection, for ever.
const LONGEST: Duration = Duration::from_mins(10);

/// Runs a command in a task of its own, in the current span: it ends even when nobody waits any more.
pub async fn detached<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    match spawn(timeout(LONGEST, work)).await {
        Ok(Ok(done)) => done,
        // Whoever still waits was told to ask again long ago.
        Ok(Err(_elapsed)) => std::future::pending().await,
        Err(ended) => match ended.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // Only when the runtime goes down, and then nobody waits here either.
            Err(_cancelled) => std::future::pending().await,
        },
    }
}

/// Runs work beside the caller, in the current span and on behalf of the same service.
pub(crate) fn spawn<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    tokio::spawn(SERVICE.scope(service_name(), work.in_current_span()))
}

/// A request to another service, with our trace context and a deadline of 10 s.
pub fn outgoing<M>(message: M) -> tonic::Request<M> {
    let mut request = tonic::Request::new(message);
    request.set_timeout(CALL);
    let traceparent = docket_messaging::current_traceparent();
    if let Ok(value) = MetadataValue::try_from(traceparent.as_str())
        && !traceparent.is_empty()
    {
        request.metadata_mut().insert("traceparent", value);
    }
    request
}
