//! The owner of the log of cases, asked again where a line was cut or the owner is away for a moment.

use std::time::Duration;

use docket_proto::log::v1 as pb;
use docket_proto::log::v1::event_feed_service_client::EventFeedServiceClient;
use docket_service::{ApiError, Base, outgoing};
use tokio::time::Instant;
use tonic::{Code, Status};

use crate::aggregate::LOG;

/// For so long it is asked again while nothing comes.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);
/// A pause before it is.
pub(super) const PAUSE: Duration = Duration::from_millis(200);

/// Where the log ends, and its epoch.
///
/// # Errors
/// What the owner answers; unavailable where it does not for [`PATIENCE`].
pub(super) async fn head(base: &Base) -> Result<pb::GetHeadResponse, ApiError> {
    let mut owner = EventFeedServiceClient::new(base.channel("case-status"));
    let since = Instant::now();
    loop {
        match owner.get_head(outgoing(pb::GetHeadRequest { log: LOG.to_owned() })).await {
            Ok(head) => return Ok(head.into_inner()),
            Err(status) if !passes(&status) || since.elapsed() > PATIENCE => {
                return Err(ApiError::peer("the log of cases", &status));
            }
            Err(_cut) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Whether another try may bring more: a line was cut, which is told as any fault, or the owner is away.
pub(super) fn passes(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::Unavailable
            | Code::DeadlineExceeded
            | Code::Cancelled
            | Code::Aborted
            | Code::ResourceExhausted
            | Code::Unknown
            | Code::Internal
    )
}
