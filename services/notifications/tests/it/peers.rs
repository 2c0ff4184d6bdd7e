//! The others as notifications meets them: identity's directory, the owner of the log of cases.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use docket_eventlog::{EventLog, Recorded};
use docket_proto::identity::v1 as identity;
use docket_proto::identity::v1::directory_service_server::DirectoryService;
use docket_proto::log::v1 as feed;
use docket_proto::log::v1::event_feed_service_server::EventFeedService;
use futures::Stream;
use tonic::{Request, Response, Status};

/// Contacts by account; an account that is not there is answered as "away".
#[derive(Clone, Default)]
pub(crate) struct Directory(pub(crate) Arc<Mutex<HashMap<String, identity::GetContactResponse>>>);

impl Directory {
    pub(crate) fn set(&self, account: &str, contact: identity::GetContactResponse) {
        self.0.lock().unwrap().insert(account.to_owned(), contact);
    }
}

#[tonic::async_trait]
impl DirectoryService for Directory {
    async fn get_contact(
        &self,
        request: Request<identity::GetContactRequest>,
    ) -> Result<Response<identity::GetContactResponse>, Status> {
        let contact = self.0.lock().unwrap().get(&request.get_ref().account_id).cloned();
        contact.map(Response::new).ok_or_else(|| Status::unavailable("not now"))
    }

    async fn record_address(
        &self,
        _: Request<identity::RecordAddressRequest>,
    ) -> Result<Response<identity::RecordAddressResponse>, Status> {
        Err(Status::permission_denied("only filing records addresses"))
    }
}

/// The log of cases as its owner gives it, for what the broker does not send again.
pub(crate) struct Feed(pub(crate) EventLog);

#[tonic::async_trait]
impl EventFeedService for Feed {
    type ReadEventsStream =
        Pin<Box<dyn Stream<Item = Result<feed::ReadEventsResponse, Status>> + Send + 'static>>;

    async fn read_events(
        &self,
        request: Request<feed::ReadEventsRequest>,
    ) -> Result<Response<Self::ReadEventsStream>, Status> {
        let asked = request.into_inner();
        let limit = if asked.limit == 0 { 1_000 } else { asked.limit };
        let limit = limit.try_into().unwrap();
        let events = self.0.read(asked.after_position, limit).await.unwrap();
        let batch = feed::ReadEventsResponse { events: events.iter().map(Recorded::to_message).collect() };
        Ok(Response::new(Box::pin(futures::stream::once(async { Ok(batch) }))))
    }

    async fn get_head(
        &self,
        _: Request<feed::GetHeadRequest>,
    ) -> Result<Response<feed::GetHeadResponse>, Status> {
        let head = self.0.head().await.unwrap();
        let epochs = Vec::new();
        Ok(Response::new(feed::GetHeadResponse { position: head.position, epoch: head.epoch.number, epochs }))
    }
}
