//! Parked streams for an operator: which, why, since when; driving them again, and giving an event up.

use docket_eventlog::Recorded;
use docket_kernel::Refusal;
use docket_messaging::{Parked, Redriver, parked};
use docket_proto::log::v1 as pb;
use docket_proto::log::v1::event_feed_service_client::EventFeedServiceClient;

use super::{reason, view};
use crate::base::owner_of;
use crate::detached::outgoing;
use crate::{ApiError, Base};

/// The parked streams, oldest first.
pub(super) async fn list(base: &Base) -> Result<Vec<pb::ParkedStream>, ApiError> {
    let mut streams: Vec<pb::ParkedStream> = Vec::new();
    for event in waiting(base).await? {
        match streams.iter_mut().find(|stream| stream.log == event.log && stream.stream == event.stream) {
            Some(stream) => stream.waiting += 1,
            None => streams.push(first(&event)),
        }
    }
    streams.sort_by_key(|stream| stream.since_at_us);
    Ok(streams)
}

/// What waits here, in order of position: the first of a stream is the one that could not be applied.
async fn waiting(base: &Base) -> Result<Vec<Parked>, ApiError> {
    let all = parked(&base.pool).await.map_err(failed)?;
    let mut ours: Vec<_> = all.into_iter().filter(|event| event.consumer == base.name).collect();
    ours.sort_by_key(|event| event.position);
    Ok(ours)
}

/// What waits in one stream.
async fn waiting_in(base: &Base, log: &str, stream: &str) -> Result<Vec<Parked>, ApiError> {
    let events = waiting(base).await?;
    Ok(events.into_iter().filter(|event| event.log == log && event.stream == stream).collect())
}

fn first(event: &Parked) -> pb::ParkedStream {
    pb::ParkedStream {
        log: event.log.clone(),
        stream: event.stream.clone(),
        position: event.position.unsigned_abs(),
        waiting: 1,
        reason: event.reason.clone(),
        since_at_us: event.since_at_us,
    }
}

/// One parked stream with what waits in it.
pub(super) async fn get(base: &Base, ask: &pb::GetParkedRequest) -> Result<pb::GetParkedResponse, ApiError> {
    let events = waiting_in(base, &ask.log, &ask.stream).await?;
    let Some(oldest) = events.first() else { return Err(ApiError::not_found()) };
    let parked = pb::ParkedStream { waiting: events.len() as u64, ..first(oldest) };
    let event = stored(base, &ask.log, parked.position).await;
    let positions = events.iter().map(|event| pb::ParkedPosition {
        position: event.position.unsigned_abs(),
        reason: event.reason.clone(),
        since_at_us: event.since_at_us,
    });
    Ok(pb::GetParkedResponse { positions: positions.collect(), parked: Some(parked), event })
}

/// An event as its owner stored it; none when the owner does not answer.
async fn stored(base: &Base, log: &str, position: u64) -> Option<pb::LogEvent> {
    if log == base.log.name() {
        let event = base.log.read(position - 1, 1).await.ok()?.into_iter().next()?;
        return Some(view::event(&event));
    }
    let ask = pb::ReadEventsRequest { log: log.to_owned(), after_position: position - 1, limit: 1 };
    let mut owner =
        EventFeedServiceClient::new(base.channel(owner_of(log))).max_decoding_message_size(16 << 20);
    let mut batches = owner.read_events(outgoing(ask)).await.ok()?.into_inner();
    let event = batches.message().await.ok()??.events.into_iter().next()?;
    Recorded::from_message(event).ok().map(|event| view::event(&event))
}

/// Tries the parked events of one stream or all, of one log or all.
pub(super) async fn redrive(
    redrivers: &[(String, Redriver)],
    ask: &pb::RedriveParkedRequest,
) -> Result<pb::RedriveParkedResponse, ApiError> {
    let stream = (!ask.stream.is_empty()).then_some(ask.stream.as_str());
    let mut done = pb::RedriveParkedResponse::default();
    let mut known = false;
    for (log, redriver) in redrivers {
        if !ask.log.is_empty() && *log != ask.log {
            continue;
        }
        known = true;
        let redriven = redriver.redrive(stream).await.map_err(failed)?;
        done.applied += redriven.applied;
        done.still_parked += redriven.still_parked;
    }
    if known {
        Ok(done)
    } else {
        Err(ApiError::invalid("log", "LOG_NOT_READ", "This service does not read that log."))
    }
}

/// Gives up the first parked event of a stream; what waits behind it is left to a redrive.
pub(super) async fn skip(
    base: &Base,
    by: &str,
    ask: &pb::SkipParkedRequest,
) -> Result<pb::SkipParkedResponse, ApiError> {
    reason::check(&ask.reason)?;
    let event = (ask.stream.as_str(), ask.position);
    let now = base.clock.now();
    let reader = (base.name, ask.log.as_str());
    docket_messaging::skip(&base.pool, reader, event, (by, &ask.reason), now).await.map_err(failed)?;
    let waiting = waiting_in(base, &ask.log, &ask.stream).await?;
    Ok(pb::SkipParkedResponse { waiting: waiting.len() as u64 })
}

/// What was given up here, the latest first.
pub(super) async fn skipped(base: &Base) -> Result<Vec<pb::SkippedEvent>, ApiError> {
    let all = docket_messaging::skipped(&base.pool).await.map_err(failed)?;
    let ours = all.into_iter().filter(|event| event.consumer == base.name);
    Ok(ours
        .map(|event| pb::SkippedEvent {
            log: event.log,
            stream: event.stream,
            position: event.position.unsigned_abs(),
            epoch: event.epoch.unsigned_abs(),
            parked_reason: event.parked_reason,
            parked_at_us: event.parked_at_us,
            skipped_by: event.skipped_by,
            reason: event.reason,
            skipped_at_us: event.skipped_at_us,
        })
        .collect())
}

#[expect(clippy::wildcard_enum_match_arm, reason = "what has no answer of its own is our fault")]
fn failed(error: docket_messaging::Error) -> ApiError {
    use docket_messaging::Error;
    match error {
        Error::Database(error) => error.into(),
        Error::Log(error) => error.into(),
        Error::Feed(_) => ApiError::unavailable("the owner of the log"),
        Error::Halted(why) => Refusal::state(
            "LOG_RESTORED",
            "The log no longer holds what was parked: it was restored, and nothing of it is applied.",
        )
        .fact("why", why)
        .way_out("Accept the log's epoch first: docs/runbooks/log-restored.md")
        .into(),
        Error::Refused(why) => Refusal::state("NOT_FIRST_PARKED", why)
            .way_out("Look again: docket log park show LOG STREAM")
            .into(),
        other => ApiError::internal(other),
    }
}
