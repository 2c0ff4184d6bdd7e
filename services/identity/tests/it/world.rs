//! One running identity service for one test, and the people who use it.

use std::sync::Arc;
use std::time::Duration;

use docket_identity::{Config, MIGRATOR, MailConfig, RegisterConfig};
use docket_kernel::Clock as _;
use docket_kernel::clock::ManualClock;
use docket_proto::identity::v1::account_service_client::AccountServiceClient;
use docket_proto::identity::v1::directory_service_client::DirectoryServiceClient;
use docket_proto::identity::v1::session_service_client::SessionServiceClient;
use docket_sandbox::Sandbox;
use docket_service::migrate;
use docket_service::testing::{Bench, Running};
use docket_testkit::{TestDatabase, TestNats};
use docket_vault::{Kek, OpenVault, REMEMBERED, Vault};
use jiff::SignedDuration;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
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
#[derive(Clone)]
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

/// The way out that a refusal names.
pub(crate) fn way_out(status: &Status) -> String {
    status.get_details_help().map(|help| help.links[0].description.clone()).unwrap_or_default()
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
        let (mine, my_keys) = (app_role(&database).await, app_role(&keys).await);
        let mut service = bench.config("identity", &mine, Some(&my_keys), &nats.url);
        service.database.owner_url = Some(database.url.clone());
        service.keys_database.as_mut().unwrap().owner_url = Some(keys.url.clone());
        migrate(&service, &MIGRATOR).await.unwrap();
        let mail = MailConfig {
            smtp_url: format!("smtp://{}", sandbox.ports.smtp),
            from: "Docket <no-reply@docket.example>".to_owned(),
            user: None,
            password_file: None,
        };
        let register = RegisterConfig { url: format!("http://{}", sandbox.ports.http) };
        let config = Config { service, mail, register, gateways: Vec::new() };
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

    /// What the service tells on its admin port.
    pub(crate) async fn told(&self, metric: &str) -> Option<f64> {
        let url = format!("http://{}/metrics", self.running.listening.admin);
        let text = self.http.get(url).send().await.unwrap().text().await.unwrap();
        let value =
            text.lines().find_map(|line| line.strip_prefix(metric)?.strip_prefix(' ').map(str::to_owned));
        value.map(|value| value.parse().unwrap())
    }

    /// How many tries are charged in rows whose key begins so.
    pub(crate) async fn tries(&self, of: &str) -> i64 {
        let charged = "SELECT coalesce(sum(failures), 0)::bigint FROM tries WHERE starts_with(key, $1)";
        sqlx::query_scalar(charged).bind(of).fetch_one(&self.database.pool).await.unwrap()
    }

    /// Twenty tries of these rows went wrong just now.
    pub(crate) async fn lock(&self, of: &str) {
        let locked = "UPDATE tries SET failures = 20, last_at_us = $2 WHERE starts_with(key, $1)";
        let now_us = self.clock.now().as_microsecond();
        let done = sqlx::query(locked).bind(of).bind(now_us).execute(&self.database.pool).await.unwrap();
        assert!(done.rows_affected() > 0, "there were no tries of {of}");
    }

    /// Does something while the service has no table of that name.
    pub(crate) async fn without<T>(&self, table: &str, act: impl Future<Output = T>) -> T {
        let rename = async |from: &str, to: &str| {
            let statement = AssertSqlSafe(format!("ALTER TABLE {from} RENAME TO {to}"));
            sqlx::query(statement).execute(&self.database.pool).await.unwrap();
        };
        rename(table, "elsewhere").await;
        let done = act.await;
        rename("elsewhere", table).await;
        done
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
        self.restart_after(async |_vault| ()).await.0
    }

    /// The same; in between, something is done with the service's vault.
    pub(crate) async fn restart_after<T>(self, between: impl AsyncFnOnce(Vault) -> T) -> (Self, T) {
        let Self { bench, clock, config, database, running, sandbox, http, keys, nats } = self;
        running.stop().await.unwrap();
        let kek = config.service.keys_database.as_ref().unwrap().kek_file.as_ref().unwrap();
        let options = OpenVault {
            service: "identity".to_owned(),
            keys: keys.pool.clone(),
            keyring: Kek::from_file(kek).unwrap().into(),
            clock: clock.clone(),
            remember: REMEMBERED,
        };
        let done = between(Vault::start(options).await.unwrap()).await;
        let running = start(&bench, &config, &clock).await;
        (Self { bench, clock, config, database, running, sandbox, http, keys, nats }, done)
    }
}

/// The service's own role in a database, which may do less than the owner. Gives its URL.
async fn app_role(database: &TestDatabase) -> String {
    let role = format!("{}_app", database.name);
    let create = format!("CREATE ROLE {role} LOGIN PASSWORD 'throw-away'");
    sqlx::query(AssertSqlSafe(create)).execute(&database.pool).await.unwrap();
    let (_superuser, place) = database.url.rsplit_once('@').unwrap();
    format!("postgres://{role}:throw-away@{place}")
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
