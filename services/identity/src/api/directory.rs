//! The `DirectoryService`: what other services may know of an account, at the moment they need it.

use docket_proto::identity::events::v1 as events;
use docket_proto::identity::v1 as pb;
use docket_proto::identity::v1::directory_service_server::DirectoryService;
use docket_service::{ApiError, caller, detached};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::Api;
use crate::domain::Stage;

#[tonic::async_trait]
impl DirectoryService for Api {
    async fn get_contact(
        &self,
        request: Request<pb::GetContactRequest>,
    ) -> Result<Response<pb::GetContactResponse>, Status> {
        // The auth layer lets only the services named by the method come this far.
        caller(&request)?.service().ok_or(ApiError::Unauthenticated)?;
        let account = account_id(&request.into_inner().account_id)?;
        let view = self.identity.view(account).await?;
        if view.erased {
            return Err(ApiError::Erased.into());
        }
        if view.account.stage < Stage::EmailProven {
            return Err(ApiError::not_found().into());
        }
        Ok(Response::new(pb::GetContactResponse {
            identity_level: view.account.identity_level().to_owned(),
            language: view.account.language,
            zone: view.account.zone,
            email: view.email,
            family_name: view.family_name,
            given_name: view.given_name,
            postal_address: if view.mailing_address.is_empty() {
                view.postal_address
            } else {
                view.mailing_address
            },
        }))
    }

    async fn record_address(
        &self,
        request: Request<pb::RecordAddressRequest>,
    ) -> Result<Response<pb::RecordAddressResponse>, Status> {
        let caller = caller(&request)?;
        let message = request.into_inner();
        let account = account_id(&message.account_id)?;
        let context = caller.context(&message.request_id, &message)?;
        let changed = events::AddressChanged {
            address: message.address,
            mailing: message.mailing,
            zone: message.zone,
            abroad: message.abroad,
            moved_on_date: message.moved_on_date,
            filing_id: message.filing_id,
            receipt_numbers: message.receipt_numbers,
        };
        let identity = self.identity.clone();
        detached(async move { identity.record_address(context, account, changed).await }).await?;
        Ok(Response::new(pb::RecordAddressResponse {}))
    }
}

fn account_id(text: &str) -> Result<Uuid, ApiError> {
    Uuid::try_parse(text).map_err(|_malformed| {
        ApiError::invalid("account_id", "ACCOUNT_ID_MALFORMED", "Write the account's UUID.")
    })
}
