//! Proving for an operator that a log, or one stream of it, is as it was written.

use docket_eventlog::{Broken, CheckpointKey, EventLog, SignedCheckpoint, StreamName, Verified};
use docket_proto::log::v1 as pb;
use docket_proto::log::v1::verify_log_response::Step;
use futures::stream::{self, StreamExt as _};
use tokio::sync::watch;

use super::export;
use super::runs::{Steps, Told};
use crate::ApiError;

/// The checkpoints of this log which whoever asks has kept.
///
/// # Errors
/// `KEPT_WITH_A_STREAM`, `CHECKPOINT_MALFORMED`, `CHECKPOINT_OF_ANOTHER_LOG`.
pub(super) fn kept(log: &EventLog, ask: &pb::VerifyLogRequest) -> Result<Vec<SignedCheckpoint>, ApiError> {
    if !ask.stream.is_empty() && !ask.kept.is_empty() {
        let words = "A checkpoint is about a whole log. Leave out the stream, or the checkpoints.";
        return Err(ApiError::invalid("kept", "KEPT_WITH_A_STREAM", words));
    }
    let read = |kept: &pb::KeptCheckpoint| {
        if kept.log != log.name() {
            let words = "This checkpoint is of another log. Ask the service that keeps that log.";
            return Err(ApiError::invalid("kept.log", "CHECKPOINT_OF_ANOTHER_LOG", words));
        }
        let stored = kept.checkpoint.as_ref().and_then(|stored| export::signed_checkpoint(&kept.log, stored));
        let words = "This is no checkpoint. Take it from a file that `docket log export` wrote.";
        stored.ok_or_else(|| ApiError::invalid("kept.checkpoint", "CHECKPOINT_MALFORMED", words))
    };
    ask.kept.iter().map(read).collect()
}

/// Checks the log from the last checkpoint before a position, and before all that were kept, and tells meanwhile how far it
/// is.
pub(super) async fn log(
    log: EventLog,
    key: CheckpointKey,
    from: u64,
    kept: Vec<SignedCheckpoint>,
    told: Told<pb::VerifyLogResponse>,
) -> Result<pb::VerifyLogResponse, ApiError> {
    let from = kept.iter().fold(from, |from, kept| from.min(kept.size)).max(1);
    let head = log.position().await?;
    let (progress, seen) = watch::channel(0);
    let public = key.public_key();
    let mut begun = None;
    let so_far = || {
        let at = *seen.borrow();
        let first = *begun.get_or_insert(at);
        step(Step::Progress(pb::VerifyProgress { done: at - first, total: head.saturating_sub(first) }))
    };
    let found = told.during(log.verify_watched(from, Some(&public), &kept, &progress), so_far).await?;
    Ok(step(Step::Result(result(&found))))
}

/// Before anything is known.
pub(super) fn begun() -> pb::VerifyLogResponse {
    step(Step::Progress(pb::VerifyProgress::default()))
}

fn step(step: Step) -> pb::VerifyLogResponse {
    pb::VerifyLogResponse { step: Some(step) }
}

fn result(found: &Verified) -> pb::VerifyResult {
    let first = found.broken.as_ref().map(fault).unwrap_or_default();
    pb::VerifyResult {
        from: found.from,
        to: found.to,
        checkpoints: found.checkpoints,
        protected_to: found.protected_to,
        sound: found.broken.is_none(),
        broken_position: first.position,
        broken_event_id: first.event_id,
        fault: first.fault,
        broken_stream: first.stream,
        broken_version: first.version,
        faults: found.faults,
        further: found.further.iter().map(fault).collect(),
    }
}

fn fault(broken: &Broken) -> pb::VerifyFault {
    let (stream, version) = broken.place.clone().unwrap_or_default();
    pb::VerifyFault {
        position: broken.position,
        stream,
        version,
        event_id: broken.event_id.map(|id| id.to_string()).unwrap_or_default(),
        fault: broken.fault.clone(),
    }
}

/// Checks the links and versions of one stream, and the guard beside its events.
pub(super) async fn stream(
    log: &EventLog,
    name: &StreamName,
) -> Result<Steps<pb::VerifyLogResponse>, ApiError> {
    let found = log.verify_stream(name).await?.ok_or_else(ApiError::not_found)?;
    Ok(stream::iter([Ok(step(Step::Result(result(&found))))]).boxed())
}
