//! One test's world: the payments service as its own database role, the logs it reads, the processor, people.

use std::fmt::Debug;
use std::path::Path;
use std::time::Duration;

use docket_forms::{Catalogue, CatalogueFolder};
use docket_kernel::deadline::office_date;
use docket_payments::config::ProcessorConfig;
use docket_payments::{Config, MIGRATIONS};
use docket_proto::case_status::events::v1::{AcceptanceVoided, FilingRejected};
use docket_proto::events::{case, package};
use docket_proto::filing::events::v1::{PackageReadyForPayment, PackagedFiling};
use docket_proto::filing::v1::package_service_server::PackageServiceServer;
use docket_proto::log::v1::subject_admin_service_client::SubjectAdminServiceClient;
use docket_proto::payments::v1 as pb;
use docket_proto::payments::v1::payment_service_client::PaymentServiceClient;
use docket_proto::types::v1::{FeeRow, KeptFee};
use docket_service::testing::{Bench, Running, grant_role};
use docket_service::{Server, ServiceConfig};
use docket_testkit::{Line, TestDatabase, TestNats, database, nats};
use sqlx::{AssertSqlSafe, Executor as _};
use tonic::Status;
use tonic::transport::Channel;
use uuid::Uuid;

use crate::client::{Client, State, id};
use crate::far_side::{API_KEY, Count, FarSide, OTHER_SECRET, SECRET};
use crate::logs::ForeignLog;
use crate::office::Office;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(40);
/// Between two looks at a condition.
const GLANCE: Duration = Duration::from_millis(20);

/// The world; everything in it ends with it.
pub(crate) struct World {
    pub(crate) bench: Bench,
    pub(crate) far: FarSide,
    pub(crate) office: Office,
    pub(crate) own: TestDatabase,
    pub(crate) filing: ForeignLog,
    pub(crate) cases: ForeignLog,
    config: Config,
    server: Option<Running>,
    webhooks: bool,
    _keys: TestDatabase,
    _nats: TestNats,
}

/// A package that waits for its fee.
pub(crate) struct Package {
    /// `payments/<uuid>`.
    pub(crate) payment: String,
    pub(crate) filing: Uuid,
    pub(crate) cents: i64,
}

impl World {
    /// Starts everything.
    pub(crate) async fn start() -> Self {
        let (bench, far, nats) = (Bench::new().await, FarSide::start().await, nats().await);
        let (own, keys) = (database("payments").await, database("payments_keys").await);
        let office = Office::default();
        let packages = PackageServiceServer::new(office.clone());
        let asked = |server: Server| server.grpc(packages);
        let filing = ForeignLog::start(&bench, "filing", "filing", &nats.url, asked).await;
        let cases = ForeignLog::start(&bench, "case-status", "cases-0", &nats.url, |server| server).await;
        let mut service = bench.config("payments", &app_url(&own).await, Some(&keys.url), &nats.url);
        service.database.owner_url = Some(own.url.clone());
        docket_service::migrate(&service, &MIGRATIONS).await.unwrap();
        let config = configure(service, far.url());
        let mut world = Self {
            bench,
            far,
            office,
            own,
            filing,
            cases,
            config,
            server: None,
            webhooks: true,
            _keys: keys,
            _nats: nats,
        };
        world.serve().await;
        world
    }

    /// Starts the service and tells the processor where its webhooks go.
    pub(crate) async fn serve(&mut self) {
        // What an earlier run listened on.
        let _ = std::fs::remove_file(self.config.service.data_dir.join("listening.json"));
        let rest = self.config.clone();
        let serve =
            |service, stop| async move { docket_payments::serve(Config { service, ..rest }, stop).await };
        self.server = Some(self.bench.serve(self.config.service.clone(), serve).await);
        if self.webhooks {
            self.far.tell(&self.webhook(), &self.ca_pem()).await;
        }
    }

    /// From the next start on another processor is asked for money, and none but it is configured; gives how the one before was.
    pub(crate) fn ask_another(&mut self, other: &FarSide) -> ProcessorConfig {
        let webhook_secret_file = self.config.service.data_dir.join("webhook-secret-of-another");
        std::fs::write(&webhook_secret_file, OTHER_SECRET).unwrap();
        let before = self.config.processor.clone();
        let (name, url) = ("another".to_owned(), other.url());
        self.config.processor = ProcessorConfig { name, url, webhook_secret_file, ..before.clone() };
        before
    }

    /// From the next start on the processor is asked at another place.
    pub(crate) fn ask_at(&mut self, url: String) {
        self.config.processor.url = url;
    }

    /// From the next start on a processor that was asked before is configured too.
    pub(crate) fn know_former(&mut self, processor: ProcessorConfig) {
        self.config.former_processors.push(processor);
    }

    /// From the next start on the last one of those is not; gives how it was.
    pub(crate) fn forget_former(&mut self) -> ProcessorConfig {
        self.config.former_processors.pop().unwrap()
    }

    /// From here on no webhook arrives.
    pub(crate) async fn no_webhooks(&mut self) {
        self.webhooks = false;
        self.far.tell(&self.webhook().replace("/processor", "/nobody"), &self.ca_pem()).await;
    }

    /// The last refund fails after it was done, which a webhook tells; or none comes, and whoever reads the list finds it.
    pub(crate) async fn refund_fails(&mut self, told: bool) {
        if told {
            self.far.end_refund("failed").await;
            return;
        }
        self.no_webhooks().await;
        self.stop().await;
        self.far.end_refund("failed").await;
        self.serve().await;
    }

    /// Stops the service.
    pub(crate) async fn stop(&mut self) {
        self.server.take().unwrap().stop().await.unwrap();
    }

    /// Starts the service anew, over a line to its database that falls silent where these words are said first.
    pub(crate) async fn over_a_line(&mut self, words: &'static str) -> Line {
        self.stop().await;
        let line = Line::to(self.app_url()).await;
        line.silent_at(words);
        line.url().clone_into(&mut self.config.service.database.url);
        self.serve().await;
        line
    }

    fn server(&self) -> &Running {
        self.server.as_ref().unwrap()
    }

    /// Where the service takes webhooks.
    pub(crate) fn webhook(&self) -> String {
        format!("https://{}/webhooks/processor", self.server().listening.http.unwrap())
    }

    /// The authority of the service's certificate.
    pub(crate) fn ca_pem(&self) -> String {
        std::fs::read_to_string(&self.config.service.tls.ca_file).unwrap()
    }

    /// The service's own role's URL.
    pub(crate) fn app_url(&self) -> &str {
        &self.config.service.database.url
    }

    /// Somebody with an account, whose second factor was given just now.
    pub(crate) fn person(&self) -> Client {
        let account = Uuid::now_v7();
        self.client(account, self.bench.step_up_token(account), self.server().channel())
    }

    /// The same person without a second factor given just now.
    pub(crate) fn not_stepped_up(&self, person: &Client) -> Client {
        self.client(person.account, self.bench.token(person.account), self.server().channel())
    }

    /// The same person after a restart of the service, or when time has passed.
    pub(crate) fn again(&self, person: &Client) -> Client {
        self.client(person.account, self.bench.step_up_token(person.account), self.server().channel())
    }

    /// Somebody with a role.
    pub(crate) async fn officer(&self, role: &str) -> Client {
        let officer = self.person();
        grant_role(&self.own.pool, officer.account, role, "NBC").await;
        self.not_stepped_up(&officer)
    }

    /// Nobody we know.
    pub(crate) fn anonymous(&self) -> Client {
        self.client(Uuid::nil(), String::new(), self.server().channel())
    }

    /// What operators do about whose data are kept.
    pub(crate) fn subjects(&self) -> SubjectAdminServiceClient<Channel> {
        SubjectAdminServiceClient::new(self.server().channel())
    }

    /// Another service.
    pub(crate) fn service(&self, name: &str) -> Client {
        self.client(Uuid::nil(), String::new(), self.server().channel_as(&self.bench, name))
    }

    #[expect(clippy::unused_self, reason = "reads as a sentence")]
    fn client(&self, account: Uuid, token: String, channel: Channel) -> Client {
        Client { account, token, payments: PaymentServiceClient::new(channel) }
    }

    /// A quote of the form's dearest row, as filing asks for it.
    pub(crate) fn quote_request(&self, account: Uuid, form: &str) -> pb::CreateQuoteRequest {
        let catalogue = Catalogue::embedded();
        let today = office_date(self.bench.now());
        let found = catalogue.form(form).unwrap();
        let in_force = found.fees.iter().filter(|row| row.from <= today && row.until.is_none());
        let row = in_force.max_by_key(|row| row.cents).unwrap();
        pb::CreateQuoteRequest {
            request_id: id(),
            package_id: id(),
            account_id: account.to_string(),
            rows: vec![FeeRow {
                row: row.id.clone(),
                form: found.id.clone(),
                cents: row.cents,
                cite: row.cite.clone(),
                because: String::new(),
                waiver_asked: false,
                kept_on_rejection: row.kept_on_rejection,
            }],
            table_version: catalogue.version().to_owned(),
            filing_date: today.to_string(),
        }
    }

    /// A package with one filing, quoted and ready, whose payment is there.
    pub(crate) async fn package(&self, payer: &Client, form: &str) -> Package {
        let request = self.quote_request(payer.account, form);
        let (package, filing) = (Uuid::parse_str(&request.package_id).unwrap(), Uuid::now_v7());
        let quote = self.service("filing").quote(request).await.unwrap();
        let cents = quote.total.unwrap().cents;
        self.filing.append(package, ready(payer.account, &quote.name, filing, cents)).await;
        let payment = format!("payments/{package}");
        self.until(|| payer.get(&payment), |_| true).await;
        Package { payment, filing, cents }
    }

    /// A package with a filing of each of these accounts, quoted, whose one payment is `payer`'s. A form with a waiver asked for
    /// costs nothing. Gives the payment's name and the filings with what each costs.
    pub(crate) async fn basket(
        &self,
        payer: &Client,
        wanted: &[(&Client, &str, bool)],
    ) -> (String, Vec<PackagedFiling>) {
        let (package, mut filings) = (Uuid::now_v7(), Vec::new());
        for (filer, form, waived) in wanted {
            let mut request = self.quote_request(filer.account, form);
            request.package_id = package.to_string();
            if *waived {
                request.rows[0].waiver_asked = true;
                request.rows[0].cents = 0;
            }
            let quote = self.service("filing").quote(request).await.unwrap();
            filings.push(PackagedFiling {
                filing_id: id(),
                quote_id: quote.name.replace("quotes/", ""),
                total_cents: quote.total.unwrap().cents,
                account_id: filer.account.to_string(),
            });
        }
        self.filing.append(package, all_ready(payer.account, &filings)).await;
        let payment = format!("payments/{package}");
        self.until(|| payer.get(&payment), |_| true).await;
        (payment, filings)
    }

    /// Intake rejects a filing.
    pub(crate) async fn reject(&self, filing: Uuid, refund: bool) {
        let codes = vec!["signature_missing".into()];
        let rejected = FilingRejected { codes, refund, ..FilingRejected::default() };
        self.cases.append(filing, case::Event::from(rejected)).await;
    }

    /// Intake rejects a filing, and so many cents of its fee are kept, as the law has it.
    pub(crate) async fn reject_keeping(&self, filing: Uuid, cents: i64) {
        let kept = Some(KeptFee { cents, is_all: false, cite: "made up".into() });
        let rejected = FilingRejected { codes: vec!["signature_missing".into()], refund: true, kept };
        self.cases.append(filing, case::Event::from(rejected)).await;
    }

    /// The office takes its acceptance of a filing back.
    pub(crate) async fn void(&self, filing: Uuid, cause: &str) {
        let voided = AcceptanceVoided {
            officer: String::new(),
            cause: cause.to_owned(),
            refund: cause == "signature",
        };
        self.cases.append(filing, case::Event::from(voided)).await;
    }

    /// Waits until the payment is in a state.
    pub(crate) async fn until_state(&self, payer: &Client, payment: &str, state: State) -> pb::Payment {
        self.until(|| payer.get(payment), |payment| payment.state() == state).await
    }

    /// Waits until the service has worked through all of another service's log.
    pub(crate) async fn until_caught_up(&self, log: &ForeignLog) {
        let head = i64::try_from(log.log.head().await.unwrap().position).unwrap();
        let sql = "SELECT coalesce(min(position), 0) FROM log.consumer_checkpoint WHERE log = $1";
        let name = log.log.name();
        self.until(
            || async {
                Ok(sqlx::query_scalar::<_, i64>(sql).bind(name).fetch_one(&self.own.pool).await.unwrap())
            },
            |reached| *reached >= head,
        )
        .await;
    }

    /// Asks until the answer is as expected, and gives it.
    #[track_caller]
    #[expect(clippy::unused_self, reason = "reads as a sentence")]
    pub(crate) fn until<T: Debug, F: Future<Output = Result<T, Status>>>(
        &self,
        ask: impl Fn() -> F,
        expected: impl Fn(&T) -> bool,
    ) -> impl Future<Output = T> {
        let asked_at = std::panic::Location::caller();
        let deadline = tokio::time::Instant::now() + PATIENCE;
        async move {
            loop {
                match ask().await {
                    Ok(answer) if expected(&answer) => return answer,
                    answer => {
                        assert!(tokio::time::Instant::now() < deadline, "{asked_at}: at last {answer:?}");
                    }
                }
                tokio::time::sleep(GLANCE).await;
            }
        }
    }

    /// Waits until every webhook has arrived, then counts at the processor.
    pub(crate) async fn count(&self, payment: &str) -> Count {
        self.until(|| async { Ok(self.far.all_told().await) }, |told| *told).await;
        self.far.count(payment).await
    }

    /// Kinds of a payment's events, in order, without `payment.` and version.
    pub(crate) async fn events(&self, payment: &str) -> Vec<String> {
        let stream = payment.replace("payments/", "payment-");
        let kinds: Vec<String> =
            sqlx::query_scalar("SELECT kind FROM log.event WHERE stream = $1 ORDER BY version")
                .bind(stream)
                .fetch_all(&self.own.pool)
                .await
                .unwrap();
        kinds.iter().map(|kind| kind.split('.').nth(1).unwrap().to_owned()).collect()
    }

    /// How many calls to the processor were answered so far, `yes` or `no`, as the service tells on its admin port.
    pub(crate) async fn processor_calls(&self, answered: &str) -> f64 {
        let url = format!("http://{}/metrics", self.server().listening.admin);
        let text = reqwest::get(url).await.unwrap().text().await.unwrap();
        let name = format!("docket_processor_calls{{answered=\"{answered}\"}} ");
        // Whoever asks first in this process begins the count.
        text.lines().find_map(|line| line.strip_prefix(&name)).map_or(0.0, |value| value.parse().unwrap())
    }

    /// Any count from the database.
    pub(crate) async fn rows(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.own.pool).await.unwrap()
    }
}

/// The event with which filing asked for the fee before packages held several filings.
pub(crate) fn ready(account: Uuid, quote: &str, filing: Uuid, total_cents: i64) -> package::Event {
    PackageReadyForPayment {
        filing_ids: vec![filing.to_string()],
        account_id: account.to_string(),
        quote_id: quote.replace("quotes/", ""),
        total_cents,
        filings: Vec::new(),
    }
    .into()
}

/// The same for a package of several filings.
pub(crate) fn all_ready(payer: Uuid, filings: &[PackagedFiling]) -> package::Event {
    PackageReadyForPayment {
        filing_ids: filings.iter().map(|filing| filing.filing_id.clone()).collect(),
        account_id: payer.to_string(),
        quote_id: String::new(),
        total_cents: filings.iter().map(|filing| filing.total_cents).sum(),
        filings: filings.to_vec(),
    }
    .into()
}

fn configure(service: ServiceConfig, url: String) -> Config {
    let folder = &service.data_dir;
    std::fs::create_dir_all(folder).unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let processor = ProcessorConfig {
        name: docket_payments::processors::FIRST.to_owned(),
        url,
        api_key_file: file("api-key", API_KEY),
        webhook_secret_file: file("webhook-secret", SECRET),
        disputes_every_s: 1,
        // Once, at the start.
        charges_every_s: 86_400,
    };
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../libs/forms/catalogue");
    Config { service, processor, former_processors: Vec::new(), catalogue: CatalogueFolder { dir } }
}

/// Makes the role as which the service runs: it owns nothing.
async fn app_url(own: &TestDatabase) -> String {
    let role = format!("{}_app", own.name);
    let sql = format!("CREATE ROLE {role} LOGIN PASSWORD 'app'");
    own.pool.execute(AssertSqlSafe(sql.as_str())).await.unwrap();
    let (_, place) = own.url.split_once('@').unwrap();
    format!("postgres://{role}:app@{place}")
}
