//! The `DirectoryService`: what other services may know of an account, at the moment they need it.

use docket_proto::identity::events::v1 as events;
use docket_proto::identity::v1 as pb;
use docket_proto::identity::v1::directory_service_server::DirectoryService;
use docket_service::{ApiError, caller, detached};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::Api;
use crate::app::GivenAddress;
use crate::domain::Stage;

#[tonic::async_trait]
impl DirectoryService for Api {
    async fn get_contact(
        &self,
        request: Request<pb::GetContactRequest>,
    ) -> Result<Response<pb::GetContactResponse>, Status> {
        // The auth layer lets only the services named by the method come this far.
        caller(&request)?.service().ok_or(ApiError::Unauthenticated)?;
        let pb::GetContactRequest { account_id, case_id, receipt_number } = request.into_inner();
        let account = read_account(&account_id)?;
        let view = self.identity.view(account).await?;
        if view.erased {
            return Err(ApiError::Erased.into());
        }
        if view.account.stage < Stage::EmailProven {
            return Err(ApiError::not_found().into());
        }
        let (postal_address, address_given_at_us) = view.mail_about(&case_id, &receipt_number);
        Ok(Response::new(pb::GetContactResponse {
            identity_level: view.account.identity_level().to_owned(),
            postal_address: postal_address.to_owned(),
            address_given_at_us,
            language: view.account.language,
            zone: view.account.zone,
            email: view.email,
            family_name: view.family_name,
            given_name: view.given_name,
        }))
    }

    async fn record_address(
        &self,
        request: Request<pb::RecordAddressRequest>,
    ) -> Result<Response<pb::RecordAddressResponse>, Status> {
        let caller = caller(&request)?;
        let message = request.into_inner();
        let account = read_account(&message.account_id)?;
        let context = caller.context(&message.request_id, &message)?;
        let given = given(message);
        let identity = self.identity.clone();
        detached(async move { identity.record_address(context, account, given).await }).await?;
        Ok(Response::new(pb::RecordAddressResponse {}))
    }
}

/// What is recorded: a move that was reported, or the address that another form gives.
fn given(message: pb::RecordAddressRequest) -> GivenAddress {
    let pb::RecordAddressRequest { address, mailing, filing_id, given_at_us, .. } = message;
    if message.for_case && message.no_move {
        return GivenAddress::ForCase(events::CaseAddressGiven { address, mailing, filing_id, given_at_us });
    }
    if message.no_move {
        return GivenAddress::Stated(events::AddressRecorded { address, mailing, filing_id, given_at_us });
    }
    GivenAddress::Moved(events::AddressChanged {
        address,
        mailing,
        zone: message.zone,
        abroad: message.abroad,
        moved_on_date: message.moved_on_date,
        filing_id,
        receipt_numbers: message.receipt_numbers,
        given_at_us,
        for_another: message.for_case,
        case_ids: message.case_ids,
    })
}

fn read_account(text: &str) -> Result<Uuid, ApiError> {
    Uuid::try_parse(text).map_err(|_malformed| {
        ApiError::invalid("account_id", "ACCOUNT_ID_MALFORMED", "Write the account's UUID.")
    })
}
