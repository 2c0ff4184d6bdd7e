//! The calls of identity, as a client makes them.

use docket_kernel::Clock as _;
use docket_proto::identity::v1 as pb;
use docket_service::testing::with_token;
use tonic::Status;
use totp_rs::{Builder, Secret};

use crate::world::{Member, PASSWORD, World, id};

impl World {
    /// Registers and gives the token.
    pub(crate) async fn register(&self, email: &str) -> Result<String, Status> {
        self.register_as(email, PASSWORD, &id()).await
    }

    pub(crate) async fn register_as(
        &self,
        email: &str,
        password: &str,
        request_id: &str,
    ) -> Result<String, Status> {
        let message = pb::RegisterRequest {
            request_id: request_id.to_owned(),
            email: email.to_owned(),
            password: password.to_owned(),
            language: "en".to_owned(),
            zone: "America/New_York".to_owned(),
        };
        Ok(self.accounts().register(message).await?.into_inner().registration_token)
    }

    pub(crate) async fn confirm_email(&self, token: &str, code: &str) -> Result<(), Status> {
        self.confirm_email_as(token, code, &id()).await
    }

    pub(crate) async fn confirm_email_as(
        &self,
        token: &str,
        code: &str,
        request_id: &str,
    ) -> Result<(), Status> {
        let (registration_token, code) = (token.to_owned(), code.to_owned());
        let message = pb::ConfirmEmailRequest { request_id: request_id.to_owned(), registration_token, code };
        self.accounts().confirm_email(message).await.map(drop)
    }

    pub(crate) async fn begin_totp(&self, token: &str) -> Result<String, Status> {
        self.begin_totp_as(token, &id()).await
    }

    pub(crate) async fn begin_totp_as(&self, token: &str, request_id: &str) -> Result<String, Status> {
        let (request_id, registration_token) = (request_id.to_owned(), token.to_owned());
        let message = pb::BeginTotpRequest { request_id, registration_token };
        let answer = self.accounts().begin_totp(message).await?.into_inner();
        assert!(answer.otpauth_uri.contains(&answer.secret), "the address for the QR code holds the secret");
        Ok(answer.secret)
    }

    pub(crate) async fn confirm_totp(
        &self,
        token: &str,
        code: String,
    ) -> Result<pb::ConfirmTotpResponse, Status> {
        self.confirm_totp_as(token, &code, &id()).await
    }

    pub(crate) async fn confirm_totp_as(
        &self,
        token: &str,
        code: &str,
        request_id: &str,
    ) -> Result<pb::ConfirmTotpResponse, Status> {
        let (request_id, registration_token) = (request_id.to_owned(), token.to_owned());
        let message = pb::ConfirmTotpRequest { request_id, registration_token, code: code.to_owned() };
        Ok(self.accounts().confirm_totp(message).await?.into_inner())
    }

    /// From nothing to an active account.
    pub(crate) async fn join(&self, email: &str) -> Member {
        self.join_again(email, 1).await
    }

    /// The same with an address that was mailed before: the `nth` mail brings the code.
    pub(crate) async fn join_again(&self, email: &str, nth: usize) -> Member {
        let token = self.register(email).await.unwrap();
        self.confirm_email(&token, &self.mailed_code(email, nth).await).await.unwrap();
        self.finish(email, &token).await
    }

    /// From a proven address to an active account.
    pub(crate) async fn finish(&self, email: &str, token: &str) -> Member {
        let secret = self.begin_totp(token).await.unwrap();
        let done = self.confirm_totp(token, self.code_of(&secret)).await.unwrap();
        assert_eq!(done.recovery_codes.len(), 10);
        Member { email: email.to_owned(), account: done.account, secret, recovery_codes: done.recovery_codes }
    }

    /// The app's code now.
    pub(crate) fn code_of(&self, secret: &str) -> String {
        let secret = Secret::try_from_base32(secret).unwrap();
        let totp = Builder::new().with_secret(secret).build().unwrap();
        totp.generate(self.clock.now().as_second().unsigned_abs()).to_string()
    }

    /// The app's next code: half a minute later.
    pub(crate) fn next_code(&self, member: &Member) -> String {
        self.advance(30);
        self.code_of(&member.secret)
    }

    pub(crate) async fn try_sign_in(
        &self,
        email: &str,
        password: &str,
        code: &str,
    ) -> Result<pb::Tokens, Status> {
        self.sign_in_as(email, password, code, &id()).await
    }

    pub(crate) async fn sign_in_as(
        &self,
        email: &str,
        password: &str,
        code: &str,
        request_id: &str,
    ) -> Result<pb::Tokens, Status> {
        let (email, password, code) = (email.to_owned(), password.to_owned(), code.to_owned());
        let message = pb::SignInRequest { request_id: request_id.to_owned(), email, password, code };
        Ok(self.sessions().sign_in(message).await?.into_inner().tokens.unwrap())
    }

    pub(crate) async fn sign_in(&self, member: &Member) -> pb::Tokens {
        let code = self.next_code(member);
        self.try_sign_in(&member.email, PASSWORD, &code).await.unwrap()
    }

    pub(crate) async fn refresh(&self, refresh_token: &str) -> Result<pb::Tokens, Status> {
        let message = pb::RefreshTokenRequest { refresh_token: refresh_token.to_owned() };
        Ok(self.sessions().refresh_token(message).await?.into_inner().tokens.unwrap())
    }

    pub(crate) async fn step_up(&self, access_token: &str, code: &str) -> Result<pb::Tokens, Status> {
        self.step_up_as(access_token, code, &id()).await
    }

    /// A new token with a fresh second factor.
    pub(crate) async fn guarded(&self, member: &Member) -> String {
        let token = self.sign_in(member).await.access_token;
        self.stepped_up(member, &token).await
    }

    /// The token with which a session goes on once its second factor was given again.
    pub(crate) async fn stepped_up(&self, member: &Member, access_token: &str) -> String {
        let code = self.next_code(member);
        self.step_up(access_token, &code).await.unwrap().access_token
    }

    pub(crate) async fn step_up_as(
        &self,
        access_token: &str,
        code: &str,
        request_id: &str,
    ) -> Result<pb::Tokens, Status> {
        let message = pb::StepUpRequest { request_id: request_id.to_owned(), code: code.to_owned() };
        Ok(self.sessions().step_up(with_token(message, access_token)).await?.into_inner().tokens.unwrap())
    }

    pub(crate) async fn account(&self, access_token: &str) -> Result<pb::Account, Status> {
        let message = with_token(pb::GetAccountRequest {}, access_token);
        Ok(self.accounts().get_account(message).await?.into_inner().account.unwrap())
    }

    /// Kinds of the account's events, oldest first, without `account.` and `.v1`.
    pub(crate) async fn history(&self, access_token: &str) -> Vec<String> {
        let message =
            with_token(pb::ListSecurityEventsRequest { page_size: 100, ..Default::default() }, access_token);
        let events = self.accounts().list_security_events(message).await.unwrap().into_inner().events;
        let short = |kind: &str| kind.split('.').nth(1).unwrap().to_owned();
        events.iter().rev().map(|event| short(&event.kind)).collect()
    }
}
