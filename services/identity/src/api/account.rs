//! The `AccountService`.

use docket_kernel::{FieldFault, Refusal, identifier, resource};
use docket_proto::identity::v1 as pb;
use docket_proto::identity::v1::account_service_server::AccountService;
use docket_service::{ApiError, caller, detached, page, whence_of};
use tonic::{Request, Response, Status};

use super::Api;
use crate::app::Newcomer;
use crate::domain;
use crate::register::Particulars;

/// The list, in its page tokens.
const EVENTS: &str = "ListSecurityEvents";

const LANGUAGES: [&str; 2] = ["en", "es"];

#[tonic::async_trait]
impl AccountService for Api {
    async fn register(
        &self,
        request: Request<pb::RegisterRequest>,
    ) -> Result<Response<pb::RegisterResponse>, Status> {
        let (caller, from) = (caller(&request)?, whence_of(&request, &self.gateways));
        let mut message = request.into_inner();
        let password = std::mem::take(&mut message.password);
        let newcomer = newcomer(&message, &password).map_err(ApiError::from)?;
        // The address is a secret of the request too: what is kept must not tell who registered.
        let context = caller.context(&message.request_id, &pb::RegisterRequest::default())?;
        if let Some(registration_token) = self.identity.registered(&context, &newcomer).await? {
            return Ok(Response::new(pb::RegisterResponse { registration_token }));
        }
        self.turn(from).await?;
        let identity = self.identity.clone();
        let registration_token = detached(async move { identity.register(context, newcomer).await }).await?;
        Ok(Response::new(pb::RegisterResponse { registration_token }))
    }

    async fn confirm_email(
        &self,
        request: Request<pb::ConfirmEmailRequest>,
    ) -> Result<Response<pb::ConfirmEmailResponse>, Status> {
        let caller = caller(&request)?;
        let message = request.into_inner();
        let context = caller.context(&message.request_id, &pb::ConfirmEmailRequest::default())?;
        let identity = self.identity.clone();
        detached(
            async move { identity.confirm_email(context, &message.registration_token, &message.code).await },
        )
        .await?;
        Ok(Response::new(pb::ConfirmEmailResponse {}))
    }

    async fn begin_totp(
        &self,
        request: Request<pb::BeginTotpRequest>,
    ) -> Result<Response<pb::BeginTotpResponse>, Status> {
        let caller = caller(&request)?;
        let message = request.into_inner();
        let context = caller.context(&message.request_id, &message)?;
        let identity = self.identity.clone();
        let (secret, otpauth_uri) =
            detached(async move { identity.begin_totp(context, &message.registration_token).await }).await?;
        Ok(Response::new(pb::BeginTotpResponse { secret, otpauth_uri }))
    }

    async fn confirm_totp(
        &self,
        request: Request<pb::ConfirmTotpRequest>,
    ) -> Result<Response<pb::ConfirmTotpResponse>, Status> {
        let caller = caller(&request)?;
        let message = request.into_inner();
        let context = caller.context(&message.request_id, &pb::ConfirmTotpRequest::default())?;
        let identity = self.identity.clone();
        let (account, recovery_codes) = detached(async move {
            identity.confirm_totp(context, &message.registration_token, &message.code).await
        })
        .await?;
        let account = resource::name("accounts", account);
        Ok(Response::new(pb::ConfirmTotpResponse { recovery_codes, account }))
    }

    async fn begin_totp_replacement(
        &self,
        request: Request<pb::BeginTotpReplacementRequest>,
    ) -> Result<Response<pb::BeginTotpReplacementResponse>, Status> {
        let caller = caller(&request)?;
        let person = self.owner(&caller, "BeginTotpReplacement").await?;
        let message = request.into_inner();
        let context = caller.context(&message.request_id, &pb::BeginTotpReplacementRequest::default())?;
        let identity = self.identity.clone();
        let (secret, otpauth_uri) =
            detached(async move { identity.begin_replacement(&context, &person, &message.code).await })
                .await?;
        Ok(Response::new(pb::BeginTotpReplacementResponse { secret, otpauth_uri }))
    }

    async fn confirm_totp_replacement(
        &self,
        request: Request<pb::ConfirmTotpReplacementRequest>,
    ) -> Result<Response<pb::ConfirmTotpReplacementResponse>, Status> {
        let caller = caller(&request)?;
        let person = self.owner(&caller, "ConfirmTotpReplacement").await?;
        let message = request.into_inner();
        let context = caller.context(&message.request_id, &pb::ConfirmTotpReplacementRequest::default())?;
        let identity = self.identity.clone();
        let recovery_codes =
            detached(async move { identity.confirm_replacement(&context, &person, &message.code).await })
                .await?;
        Ok(Response::new(pb::ConfirmTotpReplacementResponse { recovery_codes }))
    }

    async fn request_email_change(
        &self,
        request: Request<pb::RequestEmailChangeRequest>,
    ) -> Result<Response<pb::RequestEmailChangeResponse>, Status> {
        let caller = caller(&request)?;
        let person = self.owner(&caller, "RequestEmailChange").await?;
        let message = request.into_inner();
        let context = caller.context(&message.request_id, &message)?;
        let email = identifier::email(&message.email).map_err(ApiError::from)?;
        let identity = self.identity.clone();
        let expires_at_us =
            detached(async move { identity.request_email_change(&context, &person, email).await }).await?;
        Ok(Response::new(pb::RequestEmailChangeResponse { expires_at_us }))
    }

    async fn confirm_email_change(
        &self,
        request: Request<pb::ConfirmEmailChangeRequest>,
    ) -> Result<Response<pb::ConfirmEmailChangeResponse>, Status> {
        let caller = caller(&request)?;
        let person = self.owner(&caller, "ConfirmEmailChange").await?;
        let message = request.into_inner();
        let code = self.identity.trace_of_code(&person, &message.code);
        let kept = pb::ConfirmEmailChangeRequest { request_id: message.request_id.clone(), code };
        let context = caller.context(&message.request_id, &kept)?;
        let identity = self.identity.clone();
        let back_until_us =
            detached(async move { identity.confirm_email_change(&context, &person, &message.code).await })
                .await?;
        Ok(Response::new(pb::ConfirmEmailChangeResponse { back_until_us }))
    }

    async fn withdraw_email_change(
        &self,
        request: Request<pb::WithdrawEmailChangeRequest>,
    ) -> Result<Response<pb::WithdrawEmailChangeResponse>, Status> {
        let caller = caller(&request)?;
        let person = self.owner(&caller, "WithdrawEmailChange").await?;
        let message = request.into_inner();
        let context = caller.context(&message.request_id, &message)?;
        let identity = self.identity.clone();
        detached(async move { identity.withdraw_email_change(&context, &person).await }).await?;
        Ok(Response::new(pb::WithdrawEmailChangeResponse {}))
    }

    async fn take_back_email_change(
        &self,
        request: Request<pb::TakeBackEmailChangeRequest>,
    ) -> Result<Response<pb::TakeBackEmailChangeResponse>, Status> {
        let caller = caller(&request)?;
        let message = request.into_inner();
        let context = caller.context(&message.request_id, &pb::TakeBackEmailChangeRequest::default())?;
        let identity = self.identity.clone();
        detached(async move { identity.take_back_email_change(context, &message.code).await }).await?;
        Ok(Response::new(pb::TakeBackEmailChangeResponse {}))
    }

    async fn get_account(
        &self,
        request: Request<pb::GetAccountRequest>,
    ) -> Result<Response<pb::GetAccountResponse>, Status> {
        let person = self.owner(&caller(&request)?, "GetAccount").await?;
        let account = Some(self.identity.view(person.account).await?.into());
        Ok(Response::new(pb::GetAccountResponse { account }))
    }

    async fn prove_identity(
        &self,
        request: Request<pb::ProveIdentityRequest>,
    ) -> Result<Response<pb::ProveIdentityResponse>, Status> {
        let caller = caller(&request)?;
        let person = self.owner(&caller, "ProveIdentity").await?;
        let message = request.into_inner();
        let context = caller.context(&message.request_id, &message)?;
        let zone = self.identity.view(person.account).await?.account.zone;
        let particulars = particulars(&message, self.identity.today(&zone)).map_err(ApiError::from)?;
        let identity = self.identity.clone();
        let account = detached(async move {
            identity.prove_identity(context, &person, particulars).await?;
            identity.view(person.account).await
        })
        .await?;
        Ok(Response::new(pb::ProveIdentityResponse { account: Some(account.into()) }))
    }

    async fn redeem_invitation(
        &self,
        request: Request<pb::RedeemInvitationRequest>,
    ) -> Result<Response<pb::RedeemInvitationResponse>, Status> {
        let caller = caller(&request)?;
        let person = self.owner(&caller, "RedeemInvitation").await?;
        let message = request.into_inner();
        let context = caller.context(&message.request_id, &message)?;
        let identity = self.identity.clone();
        let account = detached(async move {
            identity.redeem_invitation(context, &person, &message.code).await?;
            identity.view(person.account).await
        })
        .await?;
        Ok(Response::new(pb::RedeemInvitationResponse { account: Some(account.into()) }))
    }

    async fn list_security_events(
        &self,
        request: Request<pb::ListSecurityEventsRequest>,
    ) -> Result<Response<pb::ListSecurityEventsResponse>, Status> {
        let person = self.owner(&caller(&request)?, "ListSecurityEvents").await?;
        let message = request.into_inner();
        let size = page::size(message.page_size) as usize;
        let malformed = |_not_ours| page::malformed();
        let before: u64 = match page::decode(EVENTS, &message.page_token)? {
            Some(version) => version.parse().map_err(malformed)?,
            None => u64::MAX,
        };
        let events = self.identity.view(person.account).await?.events;
        let mut older = events.iter().rev().filter(|event| event.version < before);
        let page: Vec<_> = older.by_ref().take(size).collect();
        let next_page_token = match (page.last(), older.next()) {
            (Some(last), Some(_)) => page::encode(EVENTS, &last.version.to_string()),
            _ => String::new(),
        };
        let shown = |event: &&docket_eventlog::Recorded| pb::SecurityEvent {
            kind: event.kind.clone(),
            recorded_at_us: event.recorded_at.as_microsecond(),
        };
        let events = page.iter().map(shown).collect();
        Ok(Response::new(pb::ListSecurityEventsResponse { events, next_page_token }))
    }
}

/// Every faulty field at once.
fn newcomer(message: &pb::RegisterRequest, password: &str) -> Result<Newcomer, Refusal> {
    let mut faults = Vec::new();
    let email = keep(identifier::email(&message.email), &mut faults);
    let password = keep(domain::acceptable(password, &message.email), &mut faults);
    if !LANGUAGES.contains(&message.language.as_str()) {
        faults.push(FieldFault::new("language", "LANGUAGE_UNKNOWN", "Choose en or es."));
    }
    if message.zone.len() > 64 || jiff::tz::TimeZone::get(&message.zone).is_err() {
        faults.push(FieldFault::new("zone", "ZONE_UNKNOWN", "Write a zone such as America/New_York."));
    }
    match (email, password) {
        (Some(email), Some(password)) if faults.is_empty() => {
            Ok(Newcomer { email, password, language: message.language.clone(), zone: message.zone.clone() })
        }
        _ => Err(faults.into()),
    }
}

/// Every faulty field at once, named as in the request.
fn particulars(message: &pb::ProveIdentityRequest, today: jiff::civil::Date) -> Result<Particulars, Refusal> {
    let mut faults = Vec::new();
    let named = |field: &str, result: Result<String, FieldFault>| {
        result.map_err(|fault| FieldFault { field: field.to_owned(), ..fault })
    };
    let family_name = keep(named("family_name", identifier::name_part(&message.family_name)), &mut faults);
    let given_name = if identifier::is_blank(&message.given_name) {
        Some(String::new())
    } else {
        keep(named("given_name", identifier::name_part(&message.given_name)), &mut faults)
    };
    let birth_date = identifier::birth_date(&message.birth_date, today).map(|date| date.to_string());
    let birth_date = keep(named("birth_date", birth_date), &mut faults);
    let a_number = keep(named("a_number", identifier::a_number(&message.a_number)), &mut faults);
    match (family_name, given_name, birth_date, a_number) {
        (Some(family_name), Some(given_name), Some(birth_date), Some(a_number)) => {
            Ok(Particulars { family_name, given_name, birth_date, a_number })
        }
        _ => Err(faults.into()),
    }
}

fn keep<T>(result: Result<T, FieldFault>, faults: &mut Vec<FieldFault>) -> Option<T> {
    result.map_err(|fault| faults.push(fault)).ok()
}
