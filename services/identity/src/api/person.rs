//! The `PersonService`: releasing a person from an account by two records officers.

use docket_kernel::resource;
use docket_proto::identity::v1 as pb;
use docket_proto::identity::v1::person_service_server::PersonService;
use docket_service::{ApiError, Caller, Person, caller, detached};
use tonic::{Request, Response, Status};

use super::{Api, all_of};
use crate::store::release::Release;

#[tonic::async_trait]
impl PersonService for Api {
    async fn list_releases(
        &self,
        request: Request<pb::ListReleasesRequest>,
    ) -> Result<Response<pb::ListReleasesResponse>, Status> {
        self.records_officer(&caller(&request)?, "ListReleases")?;
        let releases = self.identity.releases().await?.into_iter().map(Into::into).collect();
        Ok(Response::new(pb::ListReleasesResponse { releases }))
    }

    async fn ask_release(
        &self,
        request: Request<pb::AskReleaseRequest>,
    ) -> Result<Response<pb::AskReleaseResponse>, Status> {
        let caller = caller(&request)?;
        let person = self.records_officer(&caller, "AskRelease")?;
        let message = request.into_inner();
        let context = caller.context(&message.request_id, &message)?;
        let account =
            resource::parse_field("account", "accounts", &message.account).map_err(ApiError::from)?;
        let identity = self.identity.clone();
        let asked =
            detached(
                async move { identity.ask_release(&context, person.account, account, message.reason).await },
            )
            .await?;
        Ok(Response::new(pb::AskReleaseResponse { release: Some(asked.into()) }))
    }

    async fn approve_release(
        &self,
        request: Request<pb::ApproveReleaseRequest>,
    ) -> Result<Response<pb::ApproveReleaseResponse>, Status> {
        let caller = caller(&request)?;
        let person = self.records_officer(&caller, "ApproveRelease")?;
        let message = request.into_inner();
        let context = caller.context(&message.request_id, &message)?;
        let id = resource::parse("releases", &message.name).map_err(ApiError::from)?;
        let identity = self.identity.clone();
        detached(async move { identity.approve_release(&context, person.account, id).await }).await?;
        Ok(Response::new(pb::ApproveReleaseResponse {}))
    }
}

impl Api {
    /// The officer who calls, allowed to do that with the links of people.
    fn records_officer(&self, caller: &Caller, action: &str) -> Result<Person, ApiError> {
        self.access.require(caller, action, &all_of("Person"))?;
        Ok(caller.person()?.clone())
    }
}

impl From<Release> for pb::Release {
    fn from(asked: Release) -> Self {
        Self {
            name: resource::name("releases", asked.id),
            account: resource::name("accounts", asked.account_id),
            linked_to: resource::name("accounts", asked.linked_to),
            reason: asked.reason,
            asked_by: resource::name("accounts", asked.asked_by),
            expires_at_us: asked.expires_at_us,
        }
    }
}
