//! The feed of our own log, for services which the broker left with a gap.

use docket_eventlog::EventLog;
use docket_messaging::log_epochs;
use docket_proto::log::v1::event_feed_service_server::EventFeedService;
use docket_proto::log::v1::{GetHeadRequest, GetHeadResponse, ReadEventsRequest, ReadEventsResponse};
use futures::stream::{BoxStream, StreamExt as _, try_unfold};
use tonic::{Request, Response, Status};

use crate::ApiError;

/// Events in one message: at most 256 KiB each, usually one.
const BATCH: u32 = 32;

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
        let batches = try_unfold(request.after_position, move |after| {
            let log = log.clone();
            async move {
                if after >= last {
                    return Ok(None);
                }
                let limit = u32::try_from(last - after).unwrap_or(BATCH).min(BATCH);
                let events = log.read(after, limit).await.map_err(ApiError::from)?;
                let Some(end) = events.last().map(|event| event.position) else { return Ok(None) };
                let events = events.iter().map(docket_eventlog::Recorded::to_message).collect();
                Ok::<_, Status>(Some((ReadEventsResponse { events }, end)))
            }
        });
        Ok(Response::new(batches.boxed()))
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
