//! The feed of our own log, for services which the broker left with a gap.

use docket_eventlog::{EventLog, Recorded};
use docket_messaging::log_epochs;
use docket_proto::log::v1::event_feed_service_server::EventFeedService;
use docket_proto::log::v1::{GetHeadRequest, GetHeadResponse, ReadEventsRequest, ReadEventsResponse};
use futures::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _, try_unfold};
use prost::Message as _;
use tonic::{Request, Response, Status};

use crate::ApiError;

/// Events read in one go: at most 256 KiB each, usually one.
const PAGE: u32 = 256;
/// A message is full with so many bytes.
const FULL: usize = 512 * 1024;

pub(crate) struct EventFeed(pub(crate) EventLog);

impl EventFeed {
    fn check(&self, log: &str) -> Result<(), ApiError> {
        if log == self.0.name() { Ok(()) } else { Err(ApiError::not_found()) }
    }
}

#[tonic::async_trait]
impl EventFeedService for EventFeed {
    type ReadEventsStream = BoxStream<'static, Result<ReadEventsResponse, Status>>;

    async fn read_events(
        &self,
        request: Request<ReadEventsRequest>,
    ) -> Result<Response<Self::ReadEventsStream>, Status> {
        let request = request.into_inner();
        self.check(&request.log)?;
        let log = self.0.clone();
        let head = log.head().await.map_err(ApiError::from)?.position;
        let last = match request.limit {
            0 => head,
            limit => head.min(request.after_position.saturating_add(limit)),
        };
        let pages = try_unfold(request.after_position, move |after| {
            let log = log.clone();
            async move {
                if after >= last {
                    return Ok(None);
                }
                let limit = u32::try_from(last - after).unwrap_or(PAGE).min(PAGE);
                let events = log.read(after, limit).await.map_err(ApiError::from)?;
                let Some(end) = events.last().map(|event| event.position) else { return Ok(None) };
                Ok::<_, Status>(Some((stream::iter(messages(&events).into_iter().map(Ok)), end)))
            }
        });
        Ok(Response::new(pages.try_flatten().boxed()))
    }

    async fn get_head(&self, request: Request<GetHeadRequest>) -> Result<Response<GetHeadResponse>, Status> {
        self.check(&request.into_inner().log)?;
        // The position first: an epoch raised in between begins after it.
        let position = self.0.head().await.map_err(ApiError::from)?.position;
        let epochs = log_epochs(self.0.pool(), self.0.name()).await.map_err(ApiError::from)?;
        let epoch = epochs.last().map_or(1, |epoch| epoch.number);
        let epochs = epochs.into_iter().map(Into::into).collect();
        Ok(Response::new(GetHeadResponse { position, epoch, epochs }))
    }
}

/// The events in as few messages as hold them.
fn messages(events: &[Recorded]) -> Vec<ReadEventsResponse> {
    let mut messages = vec![ReadEventsResponse::default()];
    let mut bytes = 0;
    for event in events {
        let event = event.to_message();
        bytes += event.encoded_len();
        if bytes > FULL {
            messages.push(ReadEventsResponse::default());
            bytes = event.encoded_len();
        }
        messages.last_mut().expect("there is one from the beginning").events.push(event);
    }
    messages
}
