//! One running identity service for one test, and the people who use it.

use std::sync::Arc;
use std::time::Duration;

use docket_identity::{Config, MIGRATOR, MailConfig, RegisterConfig};
use docket_kernel::{Clock as _, clock::ManualClock};
use docket_proto::identity::v1 as pb;
use docket_proto::identity::v1::account_service_client::AccountServiceClient;
use docket_proto::identity::v1::directory_service_client::DirectoryServiceClient;
use docket_proto::identity::v1::session_service_client::SessionServiceClient;
use docket_sandbox::Sandbox;
use docket_service::migrate;
use docket_service::testing::{Bench, Running, with_token};
use docket_testkit::{TestDatabase, TestNats};
use jiff::SignedDuration;
use serde_json::{Value, json};
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use totp_rs::{Builder, Secret};
use uuid::Uuid;

pub(crate) const PASSWORD: &str = "correct horse battery staple";
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct World {
    pub(crate) bench: Bench,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) config: Config,
    pub(crate) database: TestDatabase,
    pub(crate) running: Running,
    sandbox: Sandbox,
    http: reqwest::Client,
    keys: TestDatabase,
    nats: TestNats,
}

/// Somebody with an active account.
pub(crate) struct Member {
    pub(crate) email: String,
    pub(crate) account: String,
    pub(crate) secret: String,
    pub(crate) recovery_codes: Vec<String>,
}

/// A new command id.
pub(crate) fn id() -> String {
    Uuid::new_v4().to_string()
}

/// The reason of a refusal, or its code where it gives none.
pub(crate) fn reason(status: &Status) -> String {
    status.get_details_error_info().map_or_else(|| format!("{:?}", status.code()), |info| info.reason)
}

/// The reason why it was refused.
pub(crate) fn refused<T>(answer: Result<T, Status>) -> String {
    match answer {
        Ok(_) => panic!("this was not refused"),
        Err(status) => reason(&status),
    }
}

/// Waits until `look` gives something.
pub(crate) async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(tokio::time::Instant::now() < deadline, "{what} did not happen in time");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        let bench = Bench::new().await;
        let (database, keys) =
            (docket_testkit::database("identity").await, docket_testkit::database("identity_keys").await);
        let nats = docket_testkit::nats().await;
        let sandbox = Sandbox::start(docket_sandbox::Config::default()).await.unwrap();
        let service = bench.config("identity", &database.url, Some(&keys.url), &nats.url);
        migrate(&service, &MIGRATOR).await.unwrap();
        let mail = MailConfig {
            smtp_url: format!("smtp://{}", sandbox.ports.smtp),
            from: "Docket <no-reply@docket.example>".to_owned(),
            user: None,
            password_file: None,
        };
        let register = RegisterConfig { url: format!("http://{}", sandbox.ports.http) };
        let config = Config { service, mail, register };
        let clock = ManualClock::shared("2026-06-01T15:00:00Z".parse().unwrap());
        let running = start(&bench, &config, &clock).await;
        let authority = std::fs::read(&config.service.tls.ca_file).unwrap();
        let authority = reqwest::Certificate::from_pem(&authority).unwrap();
        let http = reqwest::Client::builder().add_root_certificate(authority).build().unwrap();
        Self { bench, clock, config, database, running, sandbox, http, keys, nats }
    }

    pub(crate) fn accounts(&self) -> AccountServiceClient<Channel> {
        AccountServiceClient::new(self.running.channel())
    }

    pub(crate) fn sessions(&self) -> SessionServiceClient<Channel> {
        SessionServiceClient::new(self.running.channel())
    }

    pub(crate) fn directory(&self, caller: &str) -> DirectoryServiceClient<Channel> {
        DirectoryServiceClient::new(self.running.channel_as(&self.bench, caller))
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

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
        let message = pb::BeginTotpRequest { request_id: id(), registration_token: token.to_owned() };
        let answer = self.accounts().begin_totp(message).await?.into_inner();
        assert!(answer.otpauth_uri.contains(&answer.secret), "the address for the QR code holds the secret");
        Ok(answer.secret)
    }

    pub(crate) async fn confirm_totp(
        &self,
        token: &str,
        code: String,
    ) -> Result<pb::ConfirmTotpResponse, Status> {
        let message = pb::ConfirmTotpRequest { request_id: id(), registration_token: token.to_owned(), code };
        Ok(self.accounts().confirm_totp(message).await?.into_inner())
    }

    /// From nothing to an active account.
    pub(crate) async fn join(&self, email: &str) -> Member {
        let token = self.register(email).await.unwrap();
        self.confirm_email(&token, &self.mailed_code(email, 1).await).await.unwrap();
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
        let (email, password, code) = (email.to_owned(), password.to_owned(), code.to_owned());
        let message = pb::SignInRequest { request_id: id(), email, password, code };
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
        let message = pb::StepUpRequest { request_id: id(), code: code.to_owned() };
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

    /// The text of the `nth` mail to somebody, subject first.
    pub(crate) async fn mail(&self, to: &str, nth: usize) -> String {
        let base = format!("http://{}/mail/messages", self.sandbox.ports.mail_http);
        let message = eventually("the mail", async || {
            let found = self.get(&format!("{base}?to={to}")).await;
            found["messages"].as_array().and_then(|all| all.get(nth - 1).cloned())
        })
        .await;
        let id = message["id"].as_str().unwrap();
        let whole = self.get(&format!("{base}/{id}")).await;
        format!("{}\n{}", whole["subject"].as_str().unwrap(), whole["text"].as_str().unwrap())
    }

    pub(crate) async fn mails_to(&self, to: &str) -> usize {
        let url = format!("http://{}/mail/messages?to={to}", self.sandbox.ports.mail_http);
        self.get(&url).await["messages"].as_array().unwrap().len()
    }

    /// The six digits in the `nth` mail to somebody.
    pub(crate) async fn mailed_code(&self, to: &str, nth: usize) -> String {
        let text = self.mail(to, nth).await;
        let codes: Vec<_> =
            text.split(|c: char| !c.is_ascii_digit()).filter(|digits| digits.len() == 6).collect();
        assert_eq!(codes.len(), 1, "one code in {text}");
        codes[0].to_owned()
    }

    pub(crate) async fn get(&self, url: &str) -> Value {
        self.http.get(url).send().await.unwrap().error_for_status().unwrap().json().await.unwrap()
    }

    /// Adds an invented person to the sandbox's register.
    pub(crate) async fn person(&self, family_name: &str, a_number: &str) {
        let particulars = json!({
            "family_name": family_name, "given_name": "Ana", "date_of_birth": "1990-05-17", "a_number": a_number,
        });
        let url = format!("http://{}/register/persons", self.sandbox.ports.http);
        self.http.post(url).json(&particulars).send().await.unwrap().error_for_status().unwrap();
    }

    /// Breaks or mends a party of the sandbox.
    pub(crate) async fn party(&self, party: &str, mode: &str) {
        let url = format!("http://{}/sandbox/parties/{party}", self.sandbox.ports.http);
        self.http.put(url).json(&json!({ "mode": mode })).send().await.unwrap().error_for_status().unwrap();
    }

    /// Stops the service and starts it again on the same data.
    pub(crate) async fn restart(self) -> Self {
        let Self { bench, clock, config, database, running, sandbox, http, keys, nats } = self;
        running.stop().await.unwrap();
        let running = start(&bench, &config, &clock).await;
        Self { bench, clock, config, database, running, sandbox, http, keys, nats }
    }
}

async fn start(bench: &Bench, config: &Config, clock: &Arc<ManualClock>) -> Running {
    let (mine, clock) = (config.clone(), Arc::clone(clock));
    bench
        .serve(config.service.clone(), move |service, stop| {
            docket_identity::serve_with(Config { service, ..mine }, Some(clock), stop)
        })
        .await
}

/// Whether it is an UNAUTHENTICATED.
pub(crate) fn unauthenticated<T>(answer: Result<T, Status>) -> bool {
    answer.is_err_and(|status| status.code() == Code::Unauthenticated)
}
