//! `PackageService`: whether what was sent and waits for its fee can still go in, for payments.

use docket_kernel::resource;
use docket_proto::filing::v1 as pb;
use docket_proto::filing::v1::package_service_server::PackageService;
use docket_service::{ApiError, caller};
use jiff::Timestamp;
use tonic::{Request, Response, Status};

use crate::desk::{Desk, id_in};
use crate::sent::Sent;

/// Answers about packages that wait for their fee.
pub(crate) struct PackageApi(pub(crate) Desk);

#[tonic::async_trait]
impl PackageService for PackageApi {
    async fn check_package(
        &self,
        request: Request<pb::CheckPackageRequest>,
    ) -> Result<Response<pb::CheckPackageResponse>, Status> {
        // The auth layer lets only the services named by the method come this far.
        caller(&request)?.service().ok_or(ApiError::Unauthenticated)?;
        Ok(Response::new(check(&self.0, request.into_inner()).await?))
    }
}

async fn check(desk: &Desk, request: pb::CheckPackageRequest) -> Result<pb::CheckPackageResponse, ApiError> {
    let desk = &desk.at(Timestamp::from_microsecond(request.at_us).map_err(ApiError::internal)?);
    let (mut sent, mut overtaken) = (Sent::new(desk), Vec::new());
    for filing in request.filings {
        let id = id_in("filings", "filings", &filing)?;
        let (dossier, changes) = sent.overtaken(id).await?;
        if changes.is_empty() {
            continue;
        }
        let reasons: Vec<&str> = changes.iter().map(|change| change.reason).collect();
        tracing::info!(filing = %id, ?reasons, "what was sent can go in no more as it is");
        overtaken.push(pb::OvertakenFiling {
            filing: resource::name("filings", id),
            account_id: dossier.filing.account.to_string(),
            form: dossier.filing.form.clone(),
            changes: changes
                .into_iter()
                .map(|change| pb::OvertakenBy { reason: change.reason.to_owned(), message: change.message })
                .collect(),
        });
    }
    Ok(pb::CheckPackageResponse { overtaken })
}
