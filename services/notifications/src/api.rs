//! The gRPC face: `docket.notifications.v1.InboxService`, and `TextingService` beside it.

mod messages;
mod notices;
mod texting;

use std::pin::Pin;
use std::sync::Arc;

use docket_eventlog::Store;
use docket_proto::notifications::v1 as pb;
use docket_proto::notifications::v1::inbox_service_server::InboxService;
use docket_service::{Base, caller};
use futures::Stream;
use tokio::sync::Notify;
use tonic::{Request, Response, Status};

use crate::domain::{Notices, Threads};

pub(crate) use texting::TextingApi;

/// The service.
#[derive(Clone)]
pub(crate) struct InboxApi {
    base: Base,
    notices: Store<Notices>,
    threads: Store<Threads>,
    mail: Arc<Notify>,
}

impl InboxApi {
    /// The service over `base`; `mail` wakes the one who sends alerts.
    pub(crate) fn new(base: Base, mail: Arc<Notify>) -> Self {
        let (notices, threads) = (Store::new(base.log.clone()), Store::new(base.log.clone()));
        Self { base, notices, threads, mail }
    }
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl InboxService for InboxApi {
    type DownloadNoticeStream =
        Pin<Box<dyn Stream<Item = Result<pb::DownloadNoticeResponse, Status>> + Send + 'static>>;

    async fn list_notices(
        &self,
        request: Request<pb::ListNoticesRequest>,
    ) -> Answer<pb::ListNoticesResponse> {
        let caller = caller(&request)?;
        Ok(Response::new(self.list_notices(&caller, request.get_ref()).await?))
    }

    async fn download_notice(
        &self,
        request: Request<pb::DownloadNoticeRequest>,
    ) -> Answer<Self::DownloadNoticeStream> {
        let caller = caller(&request)?;
        Ok(Response::new(Box::pin(self.download_notice(&caller, &request.get_ref().name).await?)))
    }

    async fn start_thread(
        &self,
        request: Request<pb::StartThreadRequest>,
    ) -> Answer<pb::StartThreadResponse> {
        let caller = caller(&request)?;
        let thread = self.start_thread(caller, request.into_inner()).await?;
        Ok(Response::new(pb::StartThreadResponse { thread: Some(thread) }))
    }

    async fn send_message(
        &self,
        request: Request<pb::SendMessageRequest>,
    ) -> Answer<pb::SendMessageResponse> {
        let caller = caller(&request)?;
        let thread = self.send_message(caller, request.into_inner()).await?;
        Ok(Response::new(pb::SendMessageResponse { thread: Some(thread) }))
    }

    async fn list_threads(
        &self,
        request: Request<pb::ListThreadsRequest>,
    ) -> Answer<pb::ListThreadsResponse> {
        let caller = caller(&request)?;
        Ok(Response::new(self.list_threads(&caller, request.get_ref()).await?))
    }

    async fn list_deliveries(
        &self,
        request: Request<pb::ListDeliveriesRequest>,
    ) -> Answer<pb::ListDeliveriesResponse> {
        let caller = caller(&request)?;
        let deliveries = self.list_deliveries(&caller, request.get_ref().page_size).await?;
        Ok(Response::new(pb::ListDeliveriesResponse { deliveries }))
    }
}
