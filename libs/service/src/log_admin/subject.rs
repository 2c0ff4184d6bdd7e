//! The operator's face to a service's keys: erasure by two people, legal hold.

use std::str::FromStr;

use docket_kernel::Actor;
use docket_proto::log::v1 as pb;
use docket_proto::log::v1::subject_admin_service_server::SubjectAdminService;
use docket_vault::{Certificate, Code, ErasureRequest, Hold, RequestState, Subject};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::admit;
use crate::{Access, ApiError, Base, detached};

/// The face.
pub(crate) struct SubjectAdmin {
    base: Base,
    access: Access,
}

impl SubjectAdmin {
    pub(crate) fn new(base: Base, access: Access) -> Self {
        Self { base, access }
    }

    /// Lets operators in; gives the actor for the record. Subjects and requests are ids, and stand in the line.
    fn admit<T>(&self, request: &Request<T>, action: &str, what: &str) -> Result<Actor, ApiError> {
        let caller = admit(&self.base, &self.access, request, action, what)?;
        Ok(caller.actor())
    }
}

fn subject(text: &str) -> Result<Subject, ApiError> {
    Subject::from_str(text).map_err(|_malformed| {
        let words = "Write it as filing:<id>, account:<id> or person:<id>.";
        ApiError::invalid("subject", "SUBJECT_MALFORMED", words)
    })
}

fn request_id(text: &str) -> Result<Uuid, ApiError> {
    let words = "Give the id that the request was answered with.";
    Uuid::try_parse(text).map_err(|_malformed| ApiError::invalid("request", "REQUEST_MALFORMED", words))
}

fn code(field: &'static str, text: &str) -> Result<Code, ApiError> {
    Code::from_str(text).map_err(|error| ApiError::invalid(field, "REASON_IS_NO_CODE", error.to_string()))
}

/// Ids for the line in the log: text that is none is left out.
fn shown(text: &str) -> String {
    Subject::from_str(text).map(|subject| subject.to_string()).unwrap_or_default()
}

#[tonic::async_trait]
impl SubjectAdminService for SubjectAdmin {
    async fn request_erasure(
        &self,
        request: Request<pb::RequestErasureRequest>,
    ) -> Result<Response<pb::RequestErasureResponse>, Status> {
        let by = self.admit(&request, "RequestErasure", &shown(&request.get_ref().subject))?;
        let ask = request.into_inner();
        let of = subject(&ask.subject)?;
        let (reason, basis) = (code("reason", &ask.reason)?, code("legal_basis", &ask.legal_basis)?);
        let vault = self.base.vault.clone();
        let asked = detached(async move { vault.request_erasure(&of, &reason, &basis, &by).await }).await;
        let asked = erasure(asked.map_err(ApiError::from)?);
        Ok(Response::new(pb::RequestErasureResponse { request: Some(asked) }))
    }

    async fn approve_erasure(
        &self,
        request: Request<pb::ApproveErasureRequest>,
    ) -> Result<Response<pb::ApproveErasureResponse>, Status> {
        let id = request_id(&request.get_ref().request);
        let what = id.as_ref().map(Uuid::to_string).unwrap_or_default();
        let by = self.admit(&request, "ApproveErasure", &what)?;
        let (id, vault) = (id?, self.base.vault.clone());
        let done = detached(async move { vault.approve_erasure(id, &by).await }).await;
        let certificate = certificate(done.map_err(ApiError::from)?);
        self.base.erased.notify_one();
        Ok(Response::new(pb::ApproveErasureResponse { certificate: Some(certificate) }))
    }

    async fn cancel_erasure(
        &self,
        request: Request<pb::CancelErasureRequest>,
    ) -> Result<Response<pb::CancelErasureResponse>, Status> {
        let id = request_id(&request.get_ref().request);
        let what = id.as_ref().map(Uuid::to_string).unwrap_or_default();
        let by = self.admit(&request, "CancelErasure", &what)?;
        self.base.vault.cancel_erasure(id?, &by).await.map_err(ApiError::from)?;
        Ok(Response::new(pb::CancelErasureResponse {}))
    }

    async fn get_subject(
        &self,
        request: Request<pb::GetSubjectRequest>,
    ) -> Result<Response<pb::GetSubjectResponse>, Status> {
        self.admit(&request, "GetSubject", &shown(&request.get_ref().subject))?;
        let of = subject(&request.get_ref().subject)?;
        let vault = &self.base.vault;
        let requests = vault.erasure_requests(&of).await.map_err(ApiError::from)?;
        let holds = vault.holds(&of).await.map_err(ApiError::from)?;
        let signed = vault.certificate(&of).await.map_err(ApiError::from)?;
        Ok(Response::new(pb::GetSubjectResponse {
            requests: requests.into_iter().map(erasure).collect(),
            holds: holds.into_iter().map(hold).collect(),
            certificate: signed.map(certificate),
        }))
    }

    async fn list_erasure_requests(
        &self,
        request: Request<pb::ListErasureRequestsRequest>,
    ) -> Result<Response<pb::ListErasureRequestsResponse>, Status> {
        self.admit(&request, "ListErasureRequests", "")?;
        let open = self.base.vault.open_erasure_requests().await.map_err(ApiError::from)?;
        Ok(Response::new(pb::ListErasureRequestsResponse {
            requests: open.into_iter().map(erasure).collect(),
        }))
    }

    async fn hold_subject(
        &self,
        request: Request<pb::HoldSubjectRequest>,
    ) -> Result<Response<pb::HoldSubjectResponse>, Status> {
        let by = self.admit(&request, "HoldSubject", &shown(&request.get_ref().subject))?;
        let ask = request.into_inner();
        let (of, reason) = (subject(&ask.subject)?, code("reason", &ask.reason)?);
        let vault = self.base.vault.clone();
        let held = detached(async move { vault.hold(&of, &reason, &by).await }).await;
        Ok(Response::new(pb::HoldSubjectResponse { hold: Some(hold(held.map_err(ApiError::from)?)) }))
    }

    async fn release_subject(
        &self,
        request: Request<pb::ReleaseSubjectRequest>,
    ) -> Result<Response<pb::ReleaseSubjectResponse>, Status> {
        let by = self.admit(&request, "ReleaseSubject", &shown(&request.get_ref().subject))?;
        let ask = request.into_inner();
        let (of, reason, why) =
            (subject(&ask.subject)?, code("reason", &ask.reason)?, code("why", &ask.why)?);
        let vault = self.base.vault.clone();
        let released = detached(async move { vault.release(&of, &reason, &by, &why).await }).await;
        let released = released.map_err(ApiError::from)?;
        // What waited for this may go on.
        self.base.erased.notify_one();
        Ok(Response::new(pb::ReleaseSubjectResponse { released }))
    }
}

fn erasure(request: ErasureRequest) -> pb::ErasureRequest {
    let (state, closed) = match request.state {
        RequestState::Open => ("open", None),
        RequestState::Executed { by, at } => ("executed", Some((by, at))),
        RequestState::Cancelled { by, at } => ("cancelled", Some((by, at))),
    };
    let (closed_by, closed_at_us) = closed.map(|(by, at)| (by, at.as_microsecond())).unwrap_or_default();
    pb::ErasureRequest {
        id: request.id.to_string(),
        subject: request.subject.to_string(),
        reason: request.reason,
        legal_basis: request.legal_basis,
        asked_by: request.asked_by,
        asked_at_us: request.asked_at.as_microsecond(),
        state: state.to_owned(),
        closed_by,
        closed_at_us,
    }
}

fn certificate(signed: Certificate) -> pb::ErasureCertificate {
    pb::ErasureCertificate {
        statement: signed.statement,
        key_id: signed.key_id,
        signature: signed.signature.to_vec().into(),
    }
}

fn hold(hold: Hold) -> pb::LegalHold {
    let released = hold.released.map(|(at, by, why)| (at.as_microsecond(), by, why));
    let (released_at_us, released_by, released_why) = released.unwrap_or_default();
    pb::LegalHold {
        id: hold.id.to_string(),
        reason: hold.reason,
        held_by: hold.held_by,
        held_at_us: hold.held_at.as_microsecond(),
        released_by,
        released_at_us,
        released_why,
    }
}
