//! The `SessionService`.

use docket_kernel::{identifier, resource};
use docket_proto::identity::v1 as pb;
use docket_proto::identity::v1::session_service_server::SessionService;
use docket_service::{ApiError, caller, detached};
use tonic::{Request, Response, Status};

use super::Api;
use crate::app::{Credentials, Tokens};
use crate::domain::Password;
use crate::token;

#[tonic::async_trait]
impl SessionService for Api {
    async fn sign_in(
        &self,
        request: Request<pb::SignInRequest>,
    ) -> Result<Response<pb::SignInResponse>, Status> {
        let caller = caller(&request)?;
        let message = request.into_inner();
        let context = caller.context(&message.request_id, &pb::SignInRequest::default())?;
        let typed = Credentials {
            email: identifier::email(&message.email).map_err(ApiError::from)?,
            password: Password::typed(&message.password),
            code: message.code,
        };
        let identity = self.identity.clone();
        let tokens = detached(async move { identity.sign_in(context, typed).await }).await?;
        Ok(Response::new(pb::SignInResponse { tokens: Some(tokens.into()) }))
    }

    async fn refresh_token(
        &self,
        request: Request<pb::RefreshTokenRequest>,
    ) -> Result<Response<pb::RefreshTokenResponse>, Status> {
        let message = request.into_inner();
        let identity = self.identity.clone();
        let tokens = detached(async move { identity.refresh(&message.refresh_token).await }).await?;
        Ok(Response::new(pb::RefreshTokenResponse { tokens: Some(tokens.into()) }))
    }

    async fn step_up(
        &self,
        request: Request<pb::StepUpRequest>,
    ) -> Result<Response<pb::StepUpResponse>, Status> {
        let caller = caller(&request)?;
        let person = self.owner(&caller, "StepUp").await?;
        let message = request.into_inner();
        let code = self.identity.trace_of_code(&person, &message.code);
        let kept = pb::StepUpRequest { request_id: message.request_id.clone(), code };
        let context = caller.context(&message.request_id, &kept)?;
        let identity = self.identity.clone();
        let tokens = detached(async move { identity.step_up(context, &person, &message.code).await }).await?;
        Ok(Response::new(pb::StepUpResponse { tokens: Some(tokens.into()) }))
    }

    async fn sign_out(
        &self,
        request: Request<pb::SignOutRequest>,
    ) -> Result<Response<pb::SignOutResponse>, Status> {
        let caller = caller(&request)?;
        let person = self.owner(&caller, "SignOut").await?;
        let message = request.into_inner();
        let context = caller.context(&message.request_id, &message)?;
        let identity = self.identity.clone();
        detached(async move { identity.sign_out(context, &person).await }).await?;
        Ok(Response::new(pb::SignOutResponse {}))
    }

    async fn get_key_set(
        &self,
        _request: Request<pb::GetKeySetRequest>,
    ) -> Result<Response<pb::GetKeySetResponse>, Status> {
        let jwks_json = self.identity.keys().jwks().to_string();
        Ok(Response::new(pb::GetKeySetResponse { jwks_json }))
    }
}

impl From<Tokens> for pb::Tokens {
    fn from(tokens: Tokens) -> Self {
        Self {
            access_token: tokens.access_token,
            refresh_token: tokens.refresh_token,
            expires_in_s: u32::try_from(token::LIFE_S).unwrap_or_default(),
            account: resource::name("accounts", tokens.account),
        }
    }
}
