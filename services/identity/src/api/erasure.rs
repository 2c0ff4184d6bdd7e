//! The `ErasureService`: answers of the other services, and how far an erasure has come.

use docket_proto::identity::events::v1 as events;
use docket_proto::identity::v1 as pb;
use docket_proto::identity::v1::erasure_service_server::ErasureService;
use docket_service::{ApiError, caller, detached};
use docket_vault::Certificate;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{Api, all_of};

fn request_id(text: &str) -> Result<Uuid, ApiError> {
    let words = "Write the UUID of the request that was approved.";
    Uuid::try_parse(text).map_err(|_malformed| ApiError::invalid("request", "REQUEST_MALFORMED", words))
}

#[tonic::async_trait]
impl ErasureService for Api {
    async fn answer_erasure(
        &self,
        request: Request<pb::AnswerErasureRequest>,
    ) -> Result<Response<pb::AnswerErasureResponse>, Status> {
        // The auth layer lets only the services named by the method come this far.
        let service = caller(&request)?.service().ok_or(ApiError::Unauthenticated)?.to_owned();
        let answer = request.into_inner();
        let id = request_id(&answer.request)?;
        let pb::Certificate { statement, key_id, signature, .. } = answer.certificate.unwrap_or_default();
        let signature = signature.as_slice().try_into().map_err(|_length| {
            ApiError::invalid(
                "certificate.signature",
                "SIGNATURE_MALFORMED",
                "An Ed25519 signature has 64 bytes.",
            )
        })?;
        let certificate = Certificate { statement, key_id, signature };
        let identity = self.identity.clone();
        detached(async move { identity.answer_erasure(id, &service, &certificate).await }).await?;
        Ok(Response::new(pb::AnswerErasureResponse {}))
    }

    async fn get_erasure(
        &self,
        request: Request<pb::GetErasureRequest>,
    ) -> Result<Response<pb::GetErasureResponse>, Status> {
        self.access.require(&caller(&request)?, "GetErasure", &all_of("Erasure"))?;
        let erasure = self.identity.erasure(request_id(&request.into_inner().request)?).await?;
        Ok(Response::new(pb::GetErasureResponse {
            certificates: erasure.certificates().map(|(service, text)| shown(service, text)).collect(),
            missing: erasure.missing().map(str::to_owned).collect(),
            completion: erasure.completed.as_ref().map(|text| shown("identity", text)),
            subject: erasure.subject,
        }))
    }
}

fn shown(service: &str, text: &events::SignedText) -> pb::Certificate {
    pb::Certificate {
        service: service.to_owned(),
        statement: text.statement.clone(),
        key_id: text.key_id.clone(),
        signature: text.signature.clone(),
    }
}
