//! What filing asks of other services at the moment it needs it: a contact of identity, a quote of payments; and what it
//! lets identity keep.

use docket_proto::identity::v1::directory_service_client::DirectoryServiceClient;
use docket_proto::identity::v1::{GetContactRequest, GetContactResponse, RecordAddressRequest};
use docket_proto::payments::v1::payment_service_client::PaymentServiceClient;
use docket_proto::payments::v1::{CreateQuoteRequest, Quote};
use docket_service::{ApiError, outgoing};
use tonic::Status;
use uuid::Uuid;

use crate::desk::Desk;

impl Desk {
    /// The contact, zone and proven name of an account.
    pub(crate) async fn contact(&self, account: Uuid) -> Result<GetContactResponse, ApiError> {
        let mut directory = DirectoryServiceClient::new(self.base.channel("identity"));
        let request = GetContactRequest { account_id: account.to_string(), ..GetContactRequest::default() };
        let answer = directory.get_contact(outgoing(request)).await;
        answer.map(tonic::Response::into_inner).map_err(|status| failed("identity", &status))
    }

    /// Lets identity keep an address of record.
    pub(crate) async fn record_address(&self, request: RecordAddressRequest) -> Result<(), ApiError> {
        let mut directory = DirectoryServiceClient::new(self.base.channel("identity"));
        let answer = directory.record_address(outgoing(request)).await;
        answer.map(drop).map_err(|status| failed("identity", &status))
    }

    /// A quote for fee rows.
    pub(crate) async fn quote(&self, request: CreateQuoteRequest) -> Result<Quote, ApiError> {
        let mut payments = PaymentServiceClient::new(self.base.channel("payments"));
        let answer = payments.create_quote(outgoing(request)).await;
        let answer = answer.map_err(|status| failed("payments", &status))?;
        answer.into_inner().quote.ok_or_else(|| ApiError::unavailable("payments"))
    }
}

/// A peer's refusal is passed on as what it means for the caller here.
fn failed(peer: &'static str, status: &Status) -> ApiError {
    tracing::warn!(peer, code = ?status.code(), "a peer did not answer as it should");
    ApiError::peer(peer, status)
}
