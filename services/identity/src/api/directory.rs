//! The `DirectoryService`: what other services may know of an account, at the moment they need it.

use docket_proto::identity::v1 as pb;
use docket_proto::identity::v1::directory_service_server::DirectoryService;
use docket_service::{ApiError, caller};
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
        let account = Uuid::try_parse(&request.into_inner().account_id).map_err(|_malformed| {
            ApiError::invalid("account_id", "ACCOUNT_ID_MALFORMED", "Write the account's UUID.")
        })?;
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
        }))
    }
}
