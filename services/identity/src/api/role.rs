//! The `RoleService`: who holds roles of the office or is invited to one, and taking one away by two people.

use docket_kernel::resource;
use docket_proto::identity::v1 as pb;
use docket_proto::identity::v1::role_service_server::RoleService;
use docket_service::{ApiError, Caller, Person, caller, detached, page};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{Api, all_of};
use crate::app::Asked;
use crate::store::invitation::Invitation;
use crate::store::revocation::{After, Holder};

/// The list, in its page tokens.
const HOLDERS: &str = "ListRoleHolders";

#[tonic::async_trait]
impl RoleService for Api {
    async fn list_role_holders(
        &self,
        request: Request<pb::ListRoleHoldersRequest>,
    ) -> Result<Response<pb::ListRoleHoldersResponse>, Status> {
        self.operator(&caller(&request)?, "ListRoleHolders")?;
        let message = request.into_inner();
        let size = page::size(message.page_size);
        let after = after(&message.page_token)?;
        // One more than the page, to know whether there is another.
        let limit = i64::from(size) + 1;
        let filter = [message.office.as_str(), message.role.as_str()];
        let mut found = self.identity.role_holders(filter, &after, limit).await?;
        let key = |last: &Holder| format!("{}/{}/{}", last.office, last.role, last.account);
        let next_page_token = page::cut(HOLDERS, &mut found, size, key);
        let holders = found.into_iter().map(Into::into).collect();
        Ok(Response::new(pb::ListRoleHoldersResponse { holders, next_page_token }))
    }

    async fn ask_revocation(
        &self,
        request: Request<pb::AskRevocationRequest>,
    ) -> Result<Response<pb::AskRevocationResponse>, Status> {
        let caller = caller(&request)?;
        let person = self.operator(&caller, "AskRevocation")?;
        let message = request.into_inner();
        let context = caller.context(&message.request_id, &message)?;
        let account =
            resource::parse_field("account", "accounts", &message.account).map_err(ApiError::from)?;
        let asked = Asked { account, role: message.role, office: message.office, reason: message.reason };
        let identity = self.identity.clone();
        let (id, expires_at_us) =
            detached(async move { identity.ask_revocation(&context, person.account, asked).await }).await?;
        let revocation = resource::name("revocations", id);
        Ok(Response::new(pb::AskRevocationResponse { revocation, expires_at_us }))
    }

    async fn approve_revocation(
        &self,
        request: Request<pb::ApproveRevocationRequest>,
    ) -> Result<Response<pb::ApproveRevocationResponse>, Status> {
        let caller = caller(&request)?;
        let person = self.operator(&caller, "ApproveRevocation")?;
        let message = request.into_inner();
        let context = caller.context(&message.request_id, &message)?;
        let id = resource::parse("revocations", &message.name).map_err(ApiError::from)?;
        let identity = self.identity.clone();
        detached(async move { identity.approve_revocation(&context, person.account, id).await }).await?;
        Ok(Response::new(pb::ApproveRevocationResponse {}))
    }

    async fn list_invitations(
        &self,
        request: Request<pb::ListInvitationsRequest>,
    ) -> Result<Response<pb::ListInvitationsResponse>, Status> {
        self.operator(&caller(&request)?, "ListInvitations")?;
        let invitations = self.identity.invitations().await?.into_iter().map(Into::into).collect();
        Ok(Response::new(pb::ListInvitationsResponse { invitations }))
    }

    async fn withdraw_invitation(
        &self,
        request: Request<pb::WithdrawInvitationRequest>,
    ) -> Result<Response<pb::WithdrawInvitationResponse>, Status> {
        let caller = caller(&request)?;
        let person = self.operator(&caller, "WithdrawInvitation")?;
        let message = request.into_inner();
        // Done twice it is done once, whatever its id.
        caller.context(&message.request_id, &message)?;
        let id = resource::parse("invitations", &message.name).map_err(ApiError::from)?;
        let identity = self.identity.clone();
        detached(async move { identity.withdraw_invitation(person.account, id).await }).await?;
        Ok(Response::new(pb::WithdrawInvitationResponse {}))
    }
}

impl Api {
    /// The person who calls, allowed to do that with the roles of others.
    fn operator(&self, caller: &Caller, action: &str) -> Result<Person, ApiError> {
        self.access.require(caller, action, &all_of("Role"))?;
        Ok(caller.person()?.clone())
    }
}

/// Where a page begins.
fn after(token: &str) -> Result<After, ApiError> {
    let Some(place) = page::decode(HOLDERS, token)? else {
        return Ok((String::new(), String::new(), Uuid::nil()));
    };
    let mut parts = place.split('/').map(str::to_owned);
    match (parts.next(), parts.next(), parts.next()) {
        (Some(office), Some(role), Some(account)) => {
            let account = Uuid::try_parse(&account).map_err(|_| page::malformed())?;
            Ok((office, role, account))
        }
        _ => Err(page::malformed()),
    }
}

impl From<Invitation> for pb::Invitation {
    fn from(invitation: Invitation) -> Self {
        Self {
            name: resource::name("invitations", invitation.id()),
            role: invitation.role,
            office: invitation.office,
            issued_by: invitation.issued_by,
            expires_at_us: invitation.expires_at_us,
        }
    }
}

impl From<Holder> for pb::RoleHolder {
    fn from(holder: Holder) -> Self {
        let name = |kind: &str, id: Option<Uuid>| id.map(|id| resource::name(kind, id)).unwrap_or_default();
        Self {
            account: resource::name("accounts", holder.account),
            role: holder.role,
            office: holder.office,
            revocation: name("revocations", holder.revocation),
            reason: holder.reason.unwrap_or_default(),
            asked_by: name("accounts", holder.asked_by),
            expires_at_us: holder.expires_at_us.unwrap_or_default(),
        }
    }
}
