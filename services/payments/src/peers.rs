//! What payments asks of filing before money is taken: whether what was sent can still go in.
use crate::domain::payment::Overtaken;
use docket_proto::filing::v1::CheckPackageRequest;
use docket_proto::filing::v1::package_service_client::PackageServiceClient;
use docket_service::{ApiError, outgoing};
use tonic::transport::Channel;

/// Filing, as payments asks it.
#[derive(Clone, Debug)]
pub struct Filing(PackageServiceClient<Channel>);

impl Filing {
    /// Filing behind a channel.
    pub fn new(channel: Channel) -> Self {
        Self(PackageServiceClient::new(channel))
    }

    /// Which filings of a package can go in no more as they were sent, as of an instant.
    ///
    /// # Errors
    /// Unavailable, whatever filing says but an answer: without one nothing is charged.
    pub async fn overtaken(&self, filing_ids: &[String], at_us: i64) -> Result<Vec<Overtaken>, ApiError> {
        let filings = filing_ids.iter().map(|id| format!("filings/{id}")).collect();
        let asked = self.0.clone().check_package(outgoing(CheckPackageRequest { filings, at_us })).await;
        let answer = asked.map_err(|status| {
            tracing::warn!(code = ?status.code(), "filing does not say whether a package can still go in");
            ApiError::unavailable("the office where filings are kept until they are paid for")
        })?;
        let overtaken = answer.into_inner().overtaken.into_iter().map(|one| Overtaken {
            filing_id: one.filing.strip_prefix("filings/").unwrap_or_default().to_owned(),
            account_id: one.account_id,
            form: one.form,
            words: one.changes.into_iter().map(|change| change.message).collect(),
        });
        Ok(overtaken.collect())
    }
}
