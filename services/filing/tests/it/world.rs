//! One test's world: the filing service with its peers, the logs of payments and cases, and people who use it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use docket_eventlog::EventLog;
use docket_filing::{Config, CopiesConfig, InspectorConfig, MIGRATOR, ScannerConfig, UploadsConfig};
use docket_forms::CatalogueFolder;
use docket_kernel::EventEnum as _;
use docket_messaging::Stop;
use docket_proto::case_status::events::v1 as cases;
use docket_proto::events::{case, filing, package, payment};
use docket_proto::filing::v1 as pb;
use docket_proto::filing::v1::catalogue_service_client::CatalogueServiceClient;
use docket_proto::filing::v1::draft_service_client::DraftServiceClient;
use docket_proto::filing::v1::evidence_service_client::EvidenceServiceClient;
use docket_proto::filing::v1::helper_service_client::HelperServiceClient;
use docket_proto::filing::v1::invitation_service_client::InvitationServiceClient;
use docket_proto::filing::v1::package_service_client::PackageServiceClient;
use docket_proto::filing::v1::representation_service_client::RepresentationServiceClient;
use docket_proto::identity::v1::GetContactResponse;
use docket_proto::identity::v1::directory_service_server::DirectoryServiceServer;
use docket_proto::log::v1::subject_admin_service_client::SubjectAdminServiceClient;
use docket_proto::log::v1::{ApproveErasureRequest, RequestErasureRequest};
use docket_proto::payments::events::v1::{FeeSettled, PaymentWithdrawn, fee_settled::Settlement};
use docket_proto::payments::v1::payment_service_server::PaymentServiceServer;
use docket_proto::types::v1::Deadline;
use docket_sandbox::Sandbox;
use docket_service::ServiceConfig;
use docket_service::testing::{Bench, Running, append, foreign_log, grant_role, with_token};
use docket_testkit::{TestDatabase, TestNats, database, nats};
use futures::future::BoxFuture;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};
use tonic::Status;
use tonic::service::Routes;
use tonic::transport::Channel;
use tonic_types::StatusExt as _;
use uuid::Uuid;

use crate::client::Client;
use crate::peers::{Addresses, Directory, Quotes};
use crate::process;
use crate::shelf::{Bucket, Shelf};

/// Longer than anything here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// A page that may upload.
pub(crate) const PORTAL: &str = "https://portal.example";
/// Where everybody of a world lives before they say otherwise: not in the office's zone, so that for an hour of each night
/// another day is there.
pub(crate) const HOME_ZONE: &str = "America/Chicago";
/// Between two looks at a condition.
pub(crate) const GLANCE: Duration = Duration::from_millis(20);

/// The program of the service, which reads files too.
const OWN_PROGRAM: &str = env!("CARGO_BIN_EXE_docket-filing");

/// The world; everything in it ends with it.
pub(crate) struct World {
    bench: Bench,
    server: Running,
    directory: Directory,
    sandbox: Sandbox,
    own: TestDatabase,
    /// Its sealed objects.
    pub(crate) shelf: Shelf,
    data_dir: PathBuf,
    ca_file: PathBuf,
    payments: ForeignLog,
    cases: ForeignLog,
    keys: TestDatabase,
    nats: TestNats,
}

/// The log of another service, as far as filing reads it.
struct ForeignLog {
    log: EventLog,
    stop: Stop,
    _database: TestDatabase,
}

impl ForeignLog {
    async fn open(name: &'static str, broker: &str) -> Self {
        let (database, stop) = (database(name).await, Stop::new());
        let log = foreign_log(name, &database.pool, broker, stop.clone()).await;
        Self { log, stop, _database: database }
    }
}

impl Drop for ForeignLog {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl World {
    /// Starts everything.
    pub(crate) async fn start() -> Self {
        Self::start_with(None, None).await
    }

    /// Starts everything, with the sealed objects in a bucket.
    pub(crate) async fn start_in(bucket: &Bucket) -> Self {
        Self::start_with(None, Some(Shelf::of(bucket))).await
    }

    /// Starts everything, with another scanner than the sandbox's.
    pub(crate) async fn start_with_scanner(scanner: SocketAddr) -> Self {
        Self::start_with(Some(scanner), None).await
    }

    async fn start_with(scanner: Option<SocketAddr>, shelf: Option<Shelf>) -> Self {
        let bench = Bench::new().await;
        let directory = Directory::default();
        let directory_service = DirectoryServiceServer::new(directory.clone());
        bench.peer("identity", bench.identity().add_service(directory_service)).await;
        bench.peer("payments", Routes::new(PaymentServiceServer::new(Quotes))).await;
        let (own, keys, nats) = (database("filing").await, database("filing_keys").await, nats().await);
        let (payments, cases) =
            (ForeignLog::open("payments", &nats.url).await, ForeignLog::open("cases-0", &nats.url).await);
        let sandbox = Sandbox::start(docket_sandbox::Config::default()).await.expect("the sandbox starts");
        let mut service = bench.config("filing", &own.url, Some(&keys.url), &nats.url);
        docket_service::migrate(&service, &MIGRATOR).await.expect("the databases are made");
        let (data_dir, ca_file) = (service.data_dir.clone(), service.tls.ca_file.clone());
        let shelf = shelf.unwrap_or_else(|| Shelf::Folder(data_dir.join("objects")));
        shelf.tell(&mut service);
        let scanner = scanner.unwrap_or(sandbox.ports.clamd);
        let server = bench.serve(service, node(scanner, catalogue(), OWN_PROGRAM.into())).await;
        Self { bench, server, directory, sandbox, own, shelf, data_dir, ca_file, payments, cases, keys, nats }
    }

    /// A node of the service that is a process of its own, as an operator starts it; also gives its id.
    pub(crate) async fn node_apart(&self) -> (Running, u32) {
        let keys = Some(self.keys.url.as_str());
        let mut service = self.bench.config("filing", &self.own.url, keys, &self.nats.url);
        service.data_dir = self.data_dir.join("apart");
        self.shelf.tell(&mut service);
        let (scanner, (told, started)) = (self.sandbox.ports.clamd, oneshot::channel());
        let program = move |service, stop| process::run(service, scanner, told, stop);
        let running = self.bench.serve(service, program).await;
        (running, started.await.expect("it was started"))
    }

    /// A second node of the service, on the same databases and objects.
    pub(crate) async fn second_node(&self) -> Running {
        self.node_with(catalogue()).await
    }

    /// A node with a catalogue of its own, on the same databases and objects.
    pub(crate) async fn node_with(&self, catalogue: PathBuf) -> Running {
        self.other_node(catalogue, OWN_PROGRAM.into()).await
    }

    /// Ends the node that runs and starts one with another catalogue in its place, as a release does.
    pub(crate) async fn replace(&mut self, catalogue: PathBuf) {
        let next = self.node_with(catalogue).await;
        std::mem::replace(&mut self.server, next).stop().await.expect("the earlier node ends");
    }

    /// The node that runs.
    pub(crate) fn node(&self) -> &Running {
        &self.server
    }

    /// A node that has another program read files and draw pages, on the same databases and objects.
    pub(crate) async fn node_reading_with(&self, program: PathBuf) -> Running {
        self.other_node(catalogue(), program).await
    }

    async fn other_node(&self, catalogue: PathBuf, program: PathBuf) -> Running {
        let keys = Some(self.keys.url.as_str());
        let mut service = self.bench.config("filing", &self.own.url, keys, &self.nats.url);
        service.data_dir = self.data_dir.join(format!("node-{}", Uuid::now_v7()));
        self.shelf.tell(&mut service);
        self.bench.serve(service, node(self.sandbox.ports.clamd, catalogue, program)).await
    }

    /// A channel to the first node.
    pub(crate) fn channel(&self) -> Channel {
        self.server.channel()
    }

    /// The HTTP face of a node, the first where none is named, and a client that believes its certificate.
    pub(crate) fn http(&self, node: Option<&Running>) -> (String, reqwest::Client) {
        let address = node.unwrap_or(&self.server).listening.http.expect("it has an HTTP face");
        let ca = std::fs::read(&self.ca_file).expect("the authority's certificate");
        let ca = reqwest::Certificate::from_pem(&ca).expect("a certificate");
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([ca]).build();
        (format!("https://{address}"), client.expect("a client"))
    }

    /// Moves the clock forward.
    pub(crate) fn advance(&self, seconds: i64) {
        self.bench.advance(seconds);
    }

    /// A fresh token of a person.
    pub(crate) fn token(&self, account: Uuid) -> String {
        self.bench.step_up_token(account)
    }

    /// The guided choice of a form, as anybody may ask it.
    pub(crate) async fn guide(
        &self,
        answers_json: &str,
        language: &str,
    ) -> Result<pb::GuideFormsResponse, Status> {
        let request = pb::GuideFormsRequest { answers_json: answers_json.into(), language: language.into() };
        let answer = CatalogueServiceClient::new(self.server.channel()).guide_forms(request).await?;
        Ok(answer.into_inner())
    }

    /// The forms as a node lists them.
    pub(crate) async fn forms_at(&self, node: &Running) -> Vec<pb::FormSummary> {
        let answer =
            CatalogueServiceClient::new(node.channel()).list_forms(pb::ListFormsRequest::default()).await;
        answer.expect("the list").into_inner().forms
    }

    /// The forms as they are listed in a language.
    pub(crate) async fn forms(&self, language: &str) -> Vec<pb::FormSummary> {
        let request = pb::ListFormsRequest { language: language.into() };
        let answer = CatalogueServiceClient::new(self.server.channel()).list_forms(request).await;
        answer.expect("the list").into_inner().forms
    }

    /// The definition of a form in a language.
    pub(crate) async fn form(&self, form: &str, language: &str) -> serde_json::Value {
        let request = pb::GetFormRequest { form: form.into(), language: language.into() };
        let answer = CatalogueServiceClient::new(self.server.channel()).get_form(request).await;
        serde_json::from_str(&answer.expect("the form").into_inner().definition_json).expect("JSON")
    }

    /// A person whose identity is proven under a name.
    pub(crate) fn person(&self, given: &str, family: &str) -> Client {
        self.known(given, family, "register_matched")
    }

    /// A person whose identity is not proven.
    pub(crate) fn unproven_person(&self) -> Client {
        self.known("", "", "none")
    }

    /// An officer with a role.
    pub(crate) async fn officer(&self, role: &str, office: &str) -> Client {
        let officer = self.known("Omar", "Officer", "none");
        grant_role(&self.own.pool, officer.account, role, office).await;
        officer
    }

    fn known(&self, given: &str, family: &str, level: &str) -> Client {
        let account = Uuid::now_v7();
        let contact = GetContactResponse {
            zone: HOME_ZONE.into(),
            given_name: given.into(),
            family_name: family.into(),
            identity_level: level.into(),
            ..GetContactResponse::default()
        };
        self.directory
            .contacts
            .lock()
            .expect("no test panics while holding it")
            .insert(account.to_string(), contact);
        let channel = self.server.channel();
        Client {
            account,
            token: self.bench.step_up_token(account),
            plain_token: self.bench.token(account),
            drafts: DraftServiceClient::new(channel.clone()),
            evidence: EvidenceServiceClient::new(channel.clone()),
            helpers: HelperServiceClient::new(channel.clone()),
            invitations: InvitationServiceClient::new(channel.clone()),
            representations: RepresentationServiceClient::new(channel),
        }
    }

    /// Somebody's account says another zone from here on.
    pub(crate) fn set_zone(&self, person: &Client, zone: &str) {
        let mut contacts = self.directory.contacts.lock().expect("no test panics while holding it");
        contacts.get_mut(&person.account.to_string()).expect("it is known").zone = zone.into();
    }

    /// The address of record that identity keeps for somebody.
    pub(crate) fn postal_address(&self, person: &Client) -> String {
        let contacts = self.directory.contacts.lock().expect("no test panics while holding it");
        contacts[&person.account.to_string()].postal_address.clone()
    }

    /// The address that identity keeps for a case alone, by its filing or receipt number; none where none was given.
    pub(crate) fn case_address(&self, filing: &str) -> Option<String> {
        let contacts = self.directory.contacts.lock().expect("no test panics while holding it");
        contacts.get(&filing.replace("filings/", "")).map(|kept| kept.postal_address.clone())
    }

    /// What identity does with addresses of record from now on.
    pub(crate) fn addresses(&self, addresses: Addresses) {
        self.directory.addresses.send_replace(addresses);
    }

    /// What filing still owes.
    pub(crate) async fn owed(&self) -> Vec<String> {
        sqlx::query_scalar("SELECT kind FROM log.obligation WHERE closed_by IS NULL")
            .fetch_all(&self.own.pool)
            .await
            .expect("the obligations are read")
    }

    /// Now, microseconds since the epoch.
    pub(crate) fn now_us(&self) -> i64 {
        self.bench.now().as_microsecond()
    }

    /// What of a package can go in no more as it was sent, as payments asks it now.
    pub(crate) async fn overtaken(&self, filings: &[&str]) -> Result<Vec<pb::OvertakenFiling>, Status> {
        self.overtaken_at(filings, self.now_us()).await
    }

    /// The same as of an instant.
    pub(crate) async fn overtaken_at(
        &self,
        filings: &[&str],
        at_us: i64,
    ) -> Result<Vec<pb::OvertakenFiling>, Status> {
        let answer = self.package_service("payments").check_package(self.check(filings, at_us)).await?;
        Ok(answer.into_inner().overtaken)
    }

    #[expect(clippy::unused_self, reason = "reads as a sentence")]
    pub(crate) fn check(&self, filings: &[&str], at_us: i64) -> pb::CheckPackageRequest {
        pb::CheckPackageRequest { filings: filings.iter().map(ToString::to_string).collect(), at_us }
    }

    /// What another service asks of packages.
    pub(crate) fn package_service(&self, caller: &str) -> PackageServiceClient<Channel> {
        PackageServiceClient::new(self.server.channel_as(&self.bench, caller))
    }

    /// The same without the certificate of a service.
    pub(crate) fn package_service_of_persons(&self) -> PackageServiceClient<Channel> {
        PackageServiceClient::new(self.server.channel())
    }

    /// Appends to the log of payments.
    pub(crate) async fn payment(&self, payment: &str, event: payment::Event) {
        let id = payment.strip_prefix("payments/").expect("a payment's name");
        append(&self.payments.log, id.parse().expect("a UUID"), event).await;
    }

    /// Appends to the log of cases.
    pub(crate) async fn case(&self, filing: &str, event: case::Event) {
        let id = filing.strip_prefix("filings/").expect("a filing's name");
        append(&self.cases.log, id.parse().expect("a UUID"), event).await;
    }

    /// The fee of what was sent is settled, and the office accepts it.
    pub(crate) async fn accept(&self, party: &Client, filing: &str, payment: &str) {
        self.payment(payment, fee_settled(payment, filing, self.now_us())).await;
        party.until(filing, "submitted").await;
        self.case(filing, case_accepted("DKT1234567897")).await;
        party.until(filing, "accepted").await;
    }

    /// The office asks for items, and the request is served with its deadline.
    pub(crate) async fn ask(&self, filing: &str, request: Uuid, items: &[&str], expires_at_us: i64) {
        self.case(filing, examination_continued(request, items)).await;
        self.case(filing, request_served(request, expires_at_us)).await;
    }

    /// Makes the scanner work, err or hang up.
    pub(crate) async fn break_scanner(&self, mode: &str) {
        let url = format!("http://{}/sandbox/parties/scanner", self.sandbox.ports.http);
        let body = serde_json::json!({ "mode": mode });
        let answer = reqwest::Client::new().put(url).json(&body).send().await.expect("the sandbox answers");
        assert!(answer.status().is_success(), "{}", answer.status());
    }

    /// How many sealed objects there are.
    pub(crate) fn objects(&self) -> usize {
        self.shelf.names().len()
    }

    /// Waits until there are so many.
    pub(crate) async fn until_objects(&self, count: usize) {
        let reached = async {
            while self.objects() != count {
                sleep(GLANCE).await;
            }
        };
        let told = |_late| panic!("there are {} objects, not {count}", self.objects());
        timeout(PATIENCE, reached).await.unwrap_or_else(told);
    }

    /// The service's database.
    pub(crate) fn pool(&self) -> &sqlx::PgPool {
        &self.own.pool
    }

    /// Puts a legal hold on a filing.
    pub(crate) async fn hold(&self, filing: &str) {
        let hold = "INSERT INTO vault.hold (id, subject, reason, held_by, held_at_us) VALUES ($1, $2, 'suit-1', 'account:1', 1)";
        let subject = filing.replace("filings/", "filing:");
        sqlx::query(hold).bind(Uuid::now_v7()).bind(subject).execute(&self.keys.pool).await.expect("a hold");
    }

    /// Takes it back.
    pub(crate) async fn release(&self, filing: &str) {
        let release = "INSERT INTO vault.hold_release (hold, reason, released_by, released_at_us)
             SELECT id, 'settled', 'account:1', 2 FROM vault.hold WHERE subject = $1";
        let subject = filing.replace("filings/", "filing:");
        sqlx::query(release).bind(subject).execute(&self.keys.pool).await.expect("it is released");
    }

    /// Two operators erase what is in a filing.
    pub(crate) async fn erase(&self, filing: &str) {
        let [asks, approves] = [self.officer("operator", "NBC").await, self.officer("operator", "NBC").await];
        let mut subjects = SubjectAdminServiceClient::new(self.server.channel());
        let request = RequestErasureRequest {
            subject: filing.replace("filings/", "filing:"),
            reason: "asked".into(),
            legal_basis: "gdpr.17.1.a".into(),
        };
        let asked =
            subjects.request_erasure(with_token(request, &asks.token)).await.expect("it is asked for");
        let request = asked.into_inner().request.expect("a request").id;
        let approve = with_token(ApproveErasureRequest { request }, &approves.token);
        subjects.approve_erasure(approve).await.expect("it is erased");
    }

    /// The last event of a filing, without its personal fields.
    pub(crate) async fn last_event(&self, filing: &str) -> filing::Event {
        let stream = filing.replace("filings/", "filing-");
        let (kind, payload): (String, Vec<u8>) = sqlx::query_as(
            "SELECT kind, payload FROM log.event WHERE stream = $1 ORDER BY version DESC LIMIT 1",
        )
        .bind(stream)
        .fetch_one(&self.own.pool)
        .await
        .expect("the filing has events");
        filing::Event::decode(&kind, &payload).expect("a known event")
    }

    /// The last event of a filing with its id.
    pub(crate) async fn last_event_with_id(&self, filing: &str) -> (Uuid, filing::Event) {
        let stream = filing.replace("filings/", "filing-");
        let newest = "SELECT event_id FROM log.event WHERE stream = $1 ORDER BY version DESC LIMIT 1";
        let id = sqlx::query_scalar(newest).bind(stream).fetch_one(&self.own.pool).await;
        (id.expect("the filing has events"), self.last_event(filing).await)
    }

    /// What a service is told to send for an event that asked somebody to sign.
    pub(crate) async fn invitation(
        &self,
        caller: &str,
        filing: &str,
        event: &Uuid,
    ) -> Result<pb::OpenInvitationResponse, Status> {
        let (filing, event_id) = (filing.into(), event.to_string());
        self.opened(caller, pb::OpenInvitationRequest { filing, event_id, ..Default::default() }).await
    }

    /// The same for an event that asked somebody to file a form in a package, `packages/<id>`.
    pub(crate) async fn invitation_to_file(
        &self,
        caller: &str,
        package: &str,
        event: &Uuid,
    ) -> Result<pb::OpenInvitationResponse, Status> {
        let (package, event_id) = (package.into(), event.to_string());
        self.opened(caller, pb::OpenInvitationRequest { package, event_id, ..Default::default() }).await
    }

    async fn opened(
        &self,
        caller: &str,
        request: pb::OpenInvitationRequest,
    ) -> Result<pb::OpenInvitationResponse, Status> {
        let mut helpers = HelperServiceClient::new(self.server.channel_as(&self.bench, caller));
        Ok(helpers.open_invitation(request).await?.into_inner())
    }

    /// The package of somebody's filing, `packages/<id>`, and its last event with its id.
    pub(crate) async fn package_of(&self, filing: &str, filer: &Client) -> (String, Uuid, package::Event) {
        let package = filer.get(filing).await.expect("the filing").package_id;
        let stream = format!("package-{package}");
        let newest = "SELECT event_id FROM log.event WHERE stream = $1 ORDER BY version DESC LIMIT 1";
        let id = sqlx::query_scalar(newest).bind(&stream).fetch_one(&self.own.pool).await;
        (
            format!("packages/{package}"),
            id.expect("the package has events"),
            self.last_of_package(&stream).await,
        )
    }

    /// The last event of a stream `package-<id>`.
    pub(crate) async fn last_of_package(&self, stream: &str) -> package::Event {
        let (kind, payload): (String, Vec<u8>) = sqlx::query_as(
            "SELECT kind, payload FROM log.event WHERE stream = $1 ORDER BY version DESC LIMIT 1",
        )
        .bind(stream)
        .fetch_one(&self.own.pool)
        .await
        .expect("the package has events");
        package::Event::decode(&kind, &payload).expect("a known event")
    }

    /// Waits until a query counts nothing any more.
    pub(crate) async fn until_none(&self, count: &'static str) {
        let none = async {
            while sqlx::query_scalar::<_, i64>(count).fetch_one(self.pool()).await.expect("a count") > 0 {
                tokio::time::sleep(GLANCE).await;
            }
        };
        tokio::time::timeout(PATIENCE, none).await.unwrap_or_else(|_late| panic!("some are left: {count}"));
    }

    /// Looks for words in everything that is stored: every table of the database and every object.
    pub(crate) async fn expect_nothing_personal_in_the_clear(&self, words: &[&str]) {
        let tables: Vec<(String, String)> = sqlx::query_as(
            "SELECT table_schema, table_name FROM information_schema.tables
             WHERE table_schema IN ('public', 'log', 'access') AND table_type = 'BASE TABLE'",
        )
        .fetch_all(&self.own.pool)
        .await
        .expect("the tables are listed");
        assert!(tables.len() > 8, "{tables:?}");
        let mut stored = Vec::new();
        for (schema, table) in tables {
            let query = format!("SELECT convert_to(t::text, 'UTF8') FROM {schema}.{table} t");
            let rows: Vec<Vec<u8>> = sqlx::query_scalar(sqlx::AssertSqlSafe(query))
                .fetch_all(&self.own.pool)
                .await
                .expect("the table is read");
            stored.extend(rows);
        }
        let events: Vec<(Vec<u8>, Vec<u8>, Vec<u8>)> =
            sqlx::query_as("SELECT metadata, payload, sealed FROM log.event")
                .fetch_all(&self.own.pool)
                .await
                .expect("the events are read");
        stored.extend(events.into_iter().flat_map(|(a, b, c)| [a, b, c]));
        stored.extend(self.shelf.names().iter().map(|name| self.shelf.read(name)));
        for word in words {
            let there = |bytes: &Vec<u8>| bytes.windows(word.len()).any(|window| window == word.as_bytes());
            assert!(!stored.iter().any(there), "{word} is stored in the clear");
        }
    }
}

/// The folder of forms.
pub(crate) fn catalogue() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../libs/forms/catalogue")
}

/// What serves as a node with a scanner, a catalogue and a program that reads files.
fn node(
    scanner: SocketAddr,
    dir: PathBuf,
    program: PathBuf,
) -> impl FnOnce(ServiceConfig, Stop) -> BoxFuture<'static, anyhow::Result<()>> + use<> {
    let scanner = ScannerConfig { address: scanner.to_string(), timeout_seconds: 20 };
    let (catalogue, copies) = (CatalogueFolder { dir }, CopiesConfig::default());
    let uploads = UploadsConfig { origins: vec![PORTAL.to_owned()] };
    let inspector = InspectorConfig { program: Some(program) };
    |service, stop| {
        let config = Config { service, inspector, scanner, catalogue, copies, uploads };
        Box::pin(docket_filing::serve(config, stop))
    }
}

/// The fee of a package was paid.
pub(crate) fn fee_settled(payment: &str, filing: &str, authorised_at_us: i64) -> payment::Event {
    FeeSettled {
        settlement: Settlement::Paid.into(),
        package_id: payment.replace("payments/", ""),
        filing_ids: vec![filing.replace("filings/", "")],
        authorised_at_us,
        amount_cents: 71_000,
        ..FeeSettled::default()
    }
    .into()
}

/// The payer took the payment of a package back.
pub(crate) fn payment_withdrawn(payment: &str, filings: &[&str]) -> payment::Event {
    PaymentWithdrawn {
        package_id: payment.replace("payments/", ""),
        filing_ids: filings.iter().map(|filing| filing.replace("filings/", "")).collect(),
        ..PaymentWithdrawn::default()
    }
    .into()
}

/// The payment of a package was withdrawn because some of its filings can go in no more as they were sent.
pub(crate) fn payment_overtaken(payment: &str, filings: &[&str], overtaken: &[&str]) -> payment::Event {
    let ids = |names: &[&str]| names.iter().map(|name| name.replace("filings/", "")).collect();
    PaymentWithdrawn {
        package_id: payment.replace("payments/", ""),
        filing_ids: ids(filings),
        overtaken_filing_ids: ids(overtaken),
        ..PaymentWithdrawn::default()
    }
    .into()
}

/// The office has the filing, and decides whether it takes it.
pub(crate) fn case_opened() -> case::Event {
    cases::CaseOpened { form: "N-400".into(), ..cases::CaseOpened::default() }.into()
}

/// The case was accepted.
pub(crate) fn case_accepted(receipt_number: &str) -> case::Event {
    cases::FilingAccepted { receipt_number: receipt_number.into(), office: "NBC".into() }.into()
}

/// Intake rejected the filing.
pub(crate) fn case_rejected(code: &str) -> case::Event {
    cases::FilingRejected { codes: vec![code.into()], refund: true, kept: None }.into()
}

/// The case was given to an officer.
pub(crate) fn case_assigned(officer: Uuid) -> case::Event {
    cases::CaseAssigned { officer: officer.to_string() }.into()
}

/// The case went to another office.
pub(crate) fn case_transferred(office: &str) -> case::Event {
    cases::CaseTransferred { from_office: "NBC".into(), to_office: office.into(), ..Default::default() }
        .into()
}

/// The office asked for items.
pub(crate) fn examination_continued(request: Uuid, items: &[&str]) -> case::Event {
    let item = |code: &&str| cases::RequestedItem { code: (*code).into(), reason: "missing".into() };
    cases::ExaminationContinued {
        request_id: request.to_string(),
        items: items.iter().map(item).collect(),
        ..cases::ExaminationContinued::default()
    }
    .into()
}

/// The office intends to deny, and asks for items beside the answer to its grounds.
pub(crate) fn denial_intended(request: Uuid, items: &[&str]) -> case::Event {
    let item = |code: &&str| cases::RequestedItem { code: (*code).into(), reason: "missing".into() };
    cases::DenialIntended {
        request_id: request.to_string(),
        items: items.iter().map(item).collect(),
        grounds: "The record does not show it.".into(),
        ..cases::DenialIntended::default()
    }
    .into()
}

/// The office intends to revoke an approval.
pub(crate) fn revocation_intended(request: Uuid) -> case::Event {
    cases::RevocationIntended { request_id: request.to_string(), ..cases::RevocationIntended::default() }
        .into()
}

/// The office intends to terminate a status.
pub(crate) fn termination_intended(request: Uuid) -> case::Event {
    cases::TerminationIntended { request_id: request.to_string(), ..cases::TerminationIntended::default() }
        .into()
}

/// The office asks for evidence.
pub(crate) fn evidence_requested(request: Uuid, items: &[&str]) -> case::Event {
    let item = |code: &&str| cases::RequestedItem { code: (*code).into(), reason: "missing".into() };
    cases::EvidenceRequested {
        request_id: request.to_string(),
        items: items.iter().map(item).collect(),
        ..cases::EvidenceRequested::default()
    }
    .into()
}

/// The office reopened the case on its own motion, and the party may answer.
pub(crate) fn reopened_on_own_motion(request: Uuid) -> case::Event {
    let request_id = request.to_string();
    cases::CaseReopenedOnOwnMotion { request_id, ..cases::CaseReopenedOnOwnMotion::default() }.into()
}

/// The request was served, with its deadline.
pub(crate) fn request_served(request: Uuid, expires_at_us: i64) -> case::Event {
    cases::RequestServed {
        request_id: request.to_string(),
        notice_id: Uuid::now_v7().to_string(),
        deadline: Some(Deadline { rule: "n14".into(), expires_at_us, ..Deadline::default() }),
    }
    .into()
}

/// The request ended with the case.
pub(crate) fn request_cancelled(request: Uuid) -> case::Event {
    cases::RequestCancelled { request_id: request.to_string(), cause: "withdrawn".into() }.into()
}

/// The reason in a refusal.
pub(crate) fn reason(status: &Status) -> String {
    let details = status.get_error_details();
    // A faulty field says its own reason before its words.
    let field = details.bad_request().and_then(|bad| bad.field_violations.first());
    match (details.error_info(), field) {
        (Some(info), _) if info.reason != "FIELDS_INVALID" => info.reason.clone(),
        (_, Some(field)) => field.description.split(':').next().unwrap_or_default().to_owned(),
        _ => format!("{:?}: {}", status.code(), status.message()),
    }
}

/// The faulty fields in a refusal, in order.
pub(crate) fn bad_fields(status: &Status) -> Vec<String> {
    let details = status.get_error_details();
    let violations = details.bad_request().map(|bad| bad.field_violations.clone()).unwrap_or_default();
    let mut fields: Vec<_> = violations.into_iter().map(|violation| violation.field).collect();
    fields.sort();
    fields
}

/// What a story answers to a form, with these values in their places.
pub(crate) fn story_answers(
    form: &str,
    values: impl IntoIterator<Item = (impl AsRef<str>, String)>,
) -> serde_json::Value {
    let file = format!("{}/../../tests/stories/answers/{form}.toml", env!("CARGO_MANIFEST_DIR"));
    let mut said = std::fs::read_to_string(file).unwrap();
    for (of, value) in values {
        said = said.replace(&format!("{{{{{}}}}}", of.as_ref()), &value);
    }
    toml::from_str(&said).unwrap()
}
