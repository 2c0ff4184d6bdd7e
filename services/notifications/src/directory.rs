//! Names and addresses, asked from identity at the moment they are needed and never kept.

use docket_proto::identity::v1::directory_service_client::DirectoryServiceClient;
use docket_proto::identity::v1::{GetContactRequest, GetContactResponse};
use docket_service::{Base, outgoing};
use tonic::Status;
use uuid::Uuid;

use crate::domain::Matter;

/// The contact of an account.
///
/// # Errors
/// What identity answered.
pub(crate) async fn contact(base: &Base, account: Uuid) -> Result<GetContactResponse, Status> {
    ask(base, GetContactRequest { account_id: account.to_string(), ..GetContactRequest::default() }).await
}

/// The contact of whose case it is, with the address to which mail about that case goes.
///
/// # Errors
/// What identity answered.
pub(crate) async fn contact_about(base: &Base, matter: &Matter) -> Result<GetContactResponse, Status> {
    let (account_id, case_id) = (matter.account.to_string(), matter.case.to_string());
    ask(base, GetContactRequest { account_id, case_id, receipt_number: matter.receipt_number.clone() }).await
}

async fn ask(base: &Base, request: GetContactRequest) -> Result<GetContactResponse, Status> {
    let mut directory = DirectoryServiceClient::new(base.channel("identity"));
    Ok(directory.get_contact(outgoing(request)).await?.into_inner())
}

/// Given name and family name.
pub(crate) fn full_name(contact: &GetContactResponse) -> String {
    [contact.given_name.trim(), contact.family_name.trim()]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}
