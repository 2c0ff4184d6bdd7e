//! The feed: a log read from its owner, where the broker does not have it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use docket_eventlog::{EventLog, Recorded};
use docket_proto::log::v1::event_feed_service_client::EventFeedServiceClient;
use docket_proto::log::v1::{self as pb, GetHeadRequest, ReadEventsRequest};
use tokio::time::timeout;
use tonic::Streaming;
use tonic::transport::Channel;
use uuid::Uuid;

use crate::{Error, LogEpoch, log_epochs};

/// How long the owner may take for one answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where a log ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedHead {
    /// The last position; 0 when the log is empty.
    pub position: u64,
    /// Its epochs in order, at least one; the last is in force.
    pub epochs: Vec<LogEpoch>,
}

impl FeedHead {
    /// The epoch in force.
    ///
    /// # Errors
    /// [`Error::Feed`] when the owner told none.
    pub fn epoch(&self) -> Result<&LogEpoch, Error> {
        self.epochs.last().ok_or_else(|| Error::Feed("the owner told no epoch".to_owned()))
    }
}

/// Gives a log's events by position.
#[async_trait]
pub trait Feed: Send + Sync + 'static {
    /// At most `limit` events after `after`, in order.
    async fn read(&self, log: &str, after: u64, limit: u64) -> Result<Vec<Recorded>, Error>;
    /// Where the log ends.
    async fn head(&self, log: &str) -> Result<FeedHead, Error>;
}

/// A feed, whichever. Cheap to clone.
#[derive(Clone)]
pub struct FeedClient(Arc<dyn Feed>);

impl FeedClient {
    /// The owner's `EventFeedService`.
    pub fn grpc(channel: Channel) -> Self {
        Self(Arc::new(Remote(EventFeedServiceClient::new(channel).max_decoding_message_size(16 << 20))))
    }

    /// A log of our own.
    pub fn local(log: EventLog) -> Self {
        Self(Arc::new(Local(log)))
    }

    /// Any other.
    pub fn of(feed: impl Feed) -> Self {
        Self(Arc::new(feed))
    }

    /// At most `limit` events after `after`, in order; none at the end of the log.
    ///
    /// # Errors
    /// [`Error::Feed`], or [`Error::Log`] for a log of our own.
    pub async fn read(&self, log: &str, after: u64, limit: u64) -> Result<Vec<Recorded>, Error> {
        in_time(self.0.read(log, after, limit)).await
    }

    /// Where the log ends, and its epochs.
    ///
    /// # Errors
    /// [`Error::Feed`], or [`Error::Log`] for a log of our own.
    pub async fn head(&self, log: &str) -> Result<FeedHead, Error> {
        in_time(self.0.head(log)).await
    }
}

/// The whole answer: its last part may fail to come as well as its first.
async fn in_time<T>(asked: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let late = |_elapsed| Err(Error::Feed("no answer in time".to_owned()));
    timeout(PATIENCE, asked).await.unwrap_or_else(late)
}

impl fmt::Debug for FeedClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FeedClient")
    }
}

struct Local(EventLog);

#[async_trait]
impl Feed for Local {
    async fn read(&self, _log: &str, after: u64, limit: u64) -> Result<Vec<Recorded>, Error> {
        Ok(self.0.read(after, u32::try_from(limit).unwrap_or(u32::MAX)).await?)
    }

    async fn head(&self, _log: &str) -> Result<FeedHead, Error> {
        // The position first: an epoch raised in between begins after it.
        let position = self.0.head().await?.position;
        Ok(FeedHead { position, epochs: log_epochs(self.0.pool(), self.0.name()).await? })
    }
}

struct Remote(EventFeedServiceClient<Channel>);

#[async_trait]
impl Feed for Remote {
    async fn read(&self, log: &str, after: u64, limit: u64) -> Result<Vec<Recorded>, Error> {
        let mut request =
            tonic::Request::new(ReadEventsRequest { log: log.to_owned(), after_position: after, limit });
        request.set_timeout(PATIENCE);
        whole(self.0.clone().read_events(request).await.map_err(feed)?.into_inner()).await
    }

    async fn head(&self, log: &str) -> Result<FeedHead, Error> {
        let mut request = tonic::Request::new(GetHeadRequest { log: log.to_owned() });
        request.set_timeout(PATIENCE);
        let head = self.0.clone().get_head(request).await.map_err(feed)?.into_inner();
        let mut epochs: Vec<LogEpoch> = head.epochs.iter().map(LogEpoch::from).collect();
        if epochs.is_empty() {
            // An owner of a version before this field.
            epochs.push(LogEpoch::known_as(head.epoch, None));
        }
        Ok(FeedHead { position: head.position, epochs })
    }
}

/// The events of an answer that its owner ended: what cuts a connection on its way may end the answer in order too, and says nothing.
async fn whole(mut batches: Streaming<pb::ReadEventsResponse>) -> Result<Vec<Recorded>, Error> {
    let mut events = Vec::new();
    while let Some(batch) = batches.message().await.map_err(feed)? {
        for stored in batch.events {
            events.push(Recorded::from_message(stored)?);
        }
    }
    match batches.trailers().await.map_err(feed)? {
        Some(_said) => Ok(events),
        None => Err(Error::Feed("the answer ended before its owner had ended it".to_owned())),
    }
}

impl From<&pb::LogEpoch> for LogEpoch {
    fn from(epoch: &pb::LogEpoch) -> Self {
        let id = Uuid::from_slice(&epoch.id).unwrap_or_default();
        Self { number: epoch.number, from_position: epoch.from_position, id }
    }
}

impl From<LogEpoch> for pb::LogEpoch {
    fn from(epoch: LogEpoch) -> Self {
        let id = epoch.id.as_bytes().to_vec().into();
        Self { number: epoch.number, from_position: epoch.from_position, id }
    }
}

fn feed(status: tonic::Status) -> Error {
    Error::Feed(format!("{:?}: {}", status.code(), status.message()))
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt as _, Full};
    use prost::Message as _;
    use prost::bytes::{BufMut as _, BytesMut};
    use tonic::Status;
    use tonic::body::Body;
    use tonic::codec::{DecodeBuf, Decoder};
    use tonic::codegen::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

    use super::*;

    struct Batches;

    impl Decoder for Batches {
        type Item = pb::ReadEventsResponse;
        type Error = Status;

        fn decode(&mut self, bytes: &mut DecodeBuf<'_>) -> Result<Option<Self::Item>, Status> {
            Ok(pb::ReadEventsResponse::decode(bytes).ok())
        }
    }

    /// An answer without events that ends in order; whether its owner says that it is whole.
    fn answer(said: bool) -> Streaming<pb::ReadEventsResponse> {
        let batch = pb::ReadEventsResponse::default().encode_to_vec();
        let mut bytes = BytesMut::new();
        bytes.put_u8(0);
        bytes.put_u32(batch.len().try_into().unwrap());
        bytes.put_slice(&batch);
        let answer = Full::new(bytes.freeze());
        let status = (HeaderName::from_static("grpc-status"), HeaderValue::from_static("0"));
        let status: HeaderMap = std::iter::once(status).collect();
        let body = if said {
            Body::new(answer.with_trailers(async { Some(Ok(status)) }))
        } else {
            Body::new(answer)
        };
        Streaming::new_response(Batches, body, StatusCode::OK, None, None)
    }

    #[tokio::test]
    async fn an_answer_that_its_owner_did_not_end_is_not_the_whole_of_it() {
        assert!(whole(answer(true)).await.unwrap().is_empty());
        let cut = whole(answer(false)).await.unwrap_err();
        assert!(matches!(cut, Error::Feed(_)), "{cut:?}");
    }
}
