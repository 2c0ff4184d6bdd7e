//! Proving for an operator that a log, or one stream of it, is as it was written.

use std::time::Duration;

use docket_eventlog::{CheckpointKey, EventLog, SignedCheckpoint, StreamName, Verified};
use docket_messaging::Stop;
use docket_proto::log::v1 as pb;
use docket_proto::log::v1::verify_log_response::Step;
use futures::stream::{self, BoxStream, StreamExt as _};
use tokio::sync::{mpsc, watch};
use tokio::time::interval;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::export;
use crate::ApiError;
use crate::detached::spawn;

/// How often it is told how far it is.
const TELL: Duration = Duration::from_millis(200);

type Steps = BoxStream<'static, Result<pb::VerifyLogResponse, Status>>;

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

/// Checks the log from the last checkpoint before a position, and before all that were kept; ends with whoever asked, and
/// with the service.
pub(super) async fn log(
    log: EventLog,
    stopping: Stop,
    key: CheckpointKey,
    from: u64,
    kept: Vec<SignedCheckpoint>,
) -> Result<Steps, ApiError> {
    let from = kept.iter().fold(from, |from, kept| from.min(kept.size)).max(1);
    let head = log.head().await?.position;
    let (sender, receiver) = mpsc::channel(4);
    let (progress, mut seen) = watch::channel(0);
    spawn(async move {
        let public = key.public_key();
        let mut tick = interval(TELL);
        let mut begun = None;
        let mut verifying = std::pin::pin!(log.verify_watched(from, Some(&public), &kept, &progress));
        let outcome = loop {
            tokio::select! {
                outcome = &mut verifying => break outcome,
                () = sender.closed() => return,
                () = stopping.cancelled() => return,
                _ = tick.tick() => {
                    let at = *seen.borrow_and_update();
                    let first = *begun.get_or_insert(at);
                    let step = pb::VerifyProgress { done: at - first, total: head.saturating_sub(first) };
                    // A slow reader misses a step and no more.
                    let _ = sender.try_send(Ok(pb::VerifyLogResponse { step: Some(Step::Progress(step)) }));
                }
            }
        };
        let last = outcome.map(|found| pb::VerifyLogResponse { step: Some(Step::Result(result(&found))) });
        let _ = sender.send(last.map_err(|error| ApiError::from(error).into())).await;
    });
    Ok(ReceiverStream::new(receiver).boxed())
}

fn result(found: &Verified) -> pb::VerifyResult {
    let broken = found.broken.as_ref();
    pb::VerifyResult {
        from: found.from,
        to: found.to,
        checkpoints: found.checkpoints,
        protected_to: found.protected_to,
        sound: broken.is_none(),
        broken_position: broken.map_or(0, |broken| broken.position),
        broken_event_id: broken.and_then(|b| b.event_id).map(|id| id.to_string()).unwrap_or_default(),
        fault: broken.map(|broken| broken.fault.clone()).unwrap_or_default(),
    }
}

/// Checks the links and versions of one stream, and the guard beside its events.
pub(super) async fn stream(log: &EventLog, name: &StreamName) -> Result<Steps, ApiError> {
    let guard = sqlx::query!(
        "SELECT version, link FROM log.stream WHERE log = $1 AND name = $2",
        log.name(),
        name.as_str()
    )
    .fetch_optional(log.pool())
    .await?;
    let guard = guard.ok_or_else(ApiError::not_found)?;
    let events = log.read_stream(name, 1).await?;
    let (mut link, mut version) = ([0; 32], 0);
    let mut found = pb::VerifyResult { from: 1, sound: true, ..pb::VerifyResult::default() };
    for event in &events {
        let fault = if event.version != version + 1 {
            format!("version {} follows version {version}", event.version)
        } else if event.follows(&link) {
            (link, version) = (event.link, event.version);
            continue;
        } else {
            "its bytes, or the link to the event before it, were changed".to_owned()
        };
        found = broken(found, event.position, &event.event_id.to_string(), fault);
        break;
    }
    // The guard may have moved on since it was read, but never back.
    if found.sound
        && (version < guard.version.unsigned_abs()
            || (version == guard.version.unsigned_abs() && link[..] != guard.link[..]))
    {
        let position = events.last().map_or(0, |event| event.position);
        found = broken(found, position, "", format!("the head of {name} differs from its events"));
    }
    found.to = version;
    let step = pb::VerifyLogResponse { step: Some(Step::Result(found)) };
    Ok(stream::iter([Ok(step)]).boxed())
}

fn broken(found: pb::VerifyResult, position: u64, event_id: &str, fault: String) -> pb::VerifyResult {
    pb::VerifyResult {
        sound: false,
        broken_position: position,
        broken_event_id: event_id.to_owned(),
        fault,
        ..found
    }
}
