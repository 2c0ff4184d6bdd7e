//! One test's world: the service, identity's directory, the log of cases with its relay, a mail server, people.

use std::path::{Path, PathBuf};
use std::time::Duration;

use docket_eventlog::EventLog;
use docket_forms::CatalogueFolder;
use docket_kernel::EventEnum as _;
use docket_messaging::Stop;
use docket_notifications::{Config, MIGRATOR, MailConfig, NoticesConfig, TextsConfig};
use docket_proto::case_status::v1::case_words_service_server::CaseWordsServiceServer;
use docket_proto::events::{account, case, delivery, filing, notice, package, representation, response};
use docket_proto::filing::v1::helper_service_server::HelperServiceServer;
use docket_proto::identity::events::v1::EmailChanged;
use docket_proto::identity::v1::GetContactResponse;
use docket_proto::identity::v1::directory_service_server::DirectoryServiceServer;
use docket_proto::log::v1::event_feed_service_server::EventFeedServiceServer;
use docket_proto::notifications::v1 as pb;
use docket_proto::notifications::v1::inbox_service_client::InboxServiceClient;
use docket_proto::notifications::v1::texting_service_client::TextingServiceClient;
use docket_sandbox::Sandbox;
use docket_service::ServiceConfig;
use docket_service::testing::{Bench, Running, append, foreign_log, with_token};
use docket_testkit::{TestDatabase, TestNats, database, nats};
use serde_json::Value;
use sqlx::AssertSqlSafe;
use tonic::service::Routes;
use tonic::transport::Channel;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::events;
use crate::peers::{Directory, Feed, Invitations, Words};

/// Longer than anything here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
/// Between two looks at a condition.
pub(crate) const GLANCE: Duration = Duration::from_millis(20);

/// The world; everything in it ends with it.
pub(crate) struct World {
    pub(crate) bench: Bench,
    pub(crate) directory: Directory,
    pub(crate) invitations: Invitations,
    pub(crate) sandbox: Sandbox,
    pub(crate) own: TestDatabase,
    pub(crate) config: ServiceConfig,
    cases: EventLog,
    filings: EventLog,
    accounts: EventLog,
    relaying: Stop,
    _logs: [TestDatabase; 3],
    pub(crate) keys: TestDatabase,
    _nats: TestNats,
}

impl Drop for World {
    fn drop(&mut self) {
        self.relaying.cancel();
    }
}

/// Somebody with an account.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) account: Uuid,
    pub(crate) email: String,
    pub(crate) token: String,
    inbox: InboxServiceClient<Channel>,
    pub(crate) texting: TextingServiceClient<Channel>,
}

impl World {
    /// Everything but the service itself.
    pub(crate) async fn new() -> Self {
        let bench = Bench::new().await;
        let directory = Directory::default();
        let (own, keys, nats) =
            (database("notifications").await, database("notifications_keys").await, nats().await);
        let sandbox = Sandbox::start(docket_sandbox::Config::default()).await.unwrap();
        let relaying = Stop::new();
        let (case_database, filing_database) = (database("cases").await, database("filing").await);
        let account_database = database("identity").await;
        let accounts = foreign_log("identity", &account_database.pool, &nats.url, relaying.clone()).await;
        let feed = EventFeedServiceServer::new(Feed(accounts.clone()));
        let identity = bench.identity().add_service(DirectoryServiceServer::new(directory.clone()));
        bench.peer("identity", identity.add_service(feed)).await;
        let cases = foreign_log("cases-0", &case_database.pool, &nats.url, relaying.clone()).await;
        let filings = foreign_log("filing", &filing_database.pool, &nats.url, relaying.clone()).await;
        let invitations = Invitations::default();
        for (peer, log) in [("case-status", &cases), ("filing", &filings)] {
            let feed = Routes::new(EventFeedServiceServer::new(Feed(log.clone())));
            let words = feed.add_service(CaseWordsServiceServer::new(Words(log.clone())));
            bench.peer(peer, words.add_service(HelperServiceServer::new(invitations.clone()))).await;
        }
        let (mine, my_keys) = (app_role(&own).await, app_role(&keys).await);
        let mut config = bench.config("notifications", &mine, Some(&my_keys), &nats.url);
        config.database.owner_url = Some(own.url.clone());
        config.keys_database.as_mut().unwrap().owner_url = Some(keys.url.clone());
        docket_service::migrate(&config, &MIGRATOR).await.unwrap();
        Self {
            bench,
            directory,
            invitations,
            sandbox,
            own,
            config,
            cases,
            filings,
            accounts,
            relaying,
            _logs: [case_database, filing_database, account_database],
            keys,
            _nats: nats,
        }
    }

    pub(crate) fn mail(&self) -> MailConfig {
        MailConfig {
            smtp_url: format!("smtp://{}", self.sandbox.ports.smtp),
            from: "Docket <no-reply@docket.example>".into(),
            user: None,
            password_file: None,
        }
    }

    /// The service, in this process.
    pub(crate) async fn serve(&self) -> Running {
        self.serve_with(Some(self.texts())).await
    }

    /// The same, with another carrier or none.
    pub(crate) async fn serve_with(&self, texts: Option<TextsConfig>) -> Running {
        let mail = self.mail();
        let serve = move |service, stop| {
            let (catalogue, notices, gateways) = (catalogue(), NoticesConfig::default(), Vec::new());
            docket_notifications::serve(Config { service, mail, catalogue, notices, texts, gateways }, stop)
        };
        self.bench.serve(self.config.clone(), serve).await
    }

    /// The carrier, with which we have an account.
    pub(crate) fn texts(&self) -> TextsConfig {
        let auth_token_file = self.config.data_dir.join("carrier-token");
        std::fs::create_dir_all(&self.config.data_dir).unwrap();
        std::fs::write(&auth_token_file, "throw-away\n").unwrap();
        TextsConfig {
            url: format!("http://{}", self.sandbox.ports.http),
            account_sid: "ACdocket".into(),
            auth_token_file,
            from: "+12025550100".into(),
            countries: vec!["US".into(), "CA".into()],
            replies_every_s: 1,
        }
    }

    /// The texts that the carrier has for a number, in their order.
    pub(crate) async fn texts_to(&self, number: &str) -> Vec<Value> {
        let url = format!("http://{}/sms/messages?to=%2B{}", self.sandbox.ports.http, &number[1..]);
        let list: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
        list["messages"].as_array().unwrap().clone()
    }

    /// The same, when there are as many.
    pub(crate) async fn wait_for_texts(&self, number: &str, count: usize) -> Vec<Value> {
        until(&format!("{count} texts to {number}"), async || {
            let texts = self.texts_to(number).await;
            (texts.len() >= count).then_some(texts)
        })
        .await
    }

    /// Somebody answers a text.
    pub(crate) async fn answers(&self, number: &str, body: &str) {
        let url = format!("http://{}/sandbox/texts/reply", self.sandbox.ports.http);
        let reply = serde_json::json!({"from": number, "to": "+12025550100", "body": body});
        let answer = reqwest::Client::new().post(url).json(&reply).send().await.unwrap();
        assert!(answer.status().is_success());
    }

    /// Somebody whom identity knows.
    pub(crate) fn person(&self, channel: Channel, email: &str, language: &str) -> Person {
        let account = Uuid::now_v7();
        let contact = GetContactResponse {
            email: email.into(),
            language: language.into(),
            zone: self.zone_where_it_is(12),
            given_name: "Ana Lúcia".into(),
            family_name: "Verdemar".into(),
            identity_level: "register_matched".into(),
            postal_address: "4 Fictitious Row\nAlbany, NY 12207".into(),
            address_given_at_us: 0,
        };
        self.directory.set(&account.to_string(), contact);
        self.stranger(channel, account, email)
    }

    /// A zone in which it is that hour now.
    pub(crate) fn zone_where_it_is(&self, hour: i8) -> String {
        let utc = jiff::tz::TimeZone::UTC.to_datetime(self.bench.now()).hour();
        let ahead = (hour - utc + 36) % 24 - 12;
        // East of Greenwich they are written with a minus.
        format!("Etc/GMT{}{}", if ahead > 0 { "-" } else { "+" }, ahead.abs())
    }

    /// Somebody is elsewhere from now on.
    pub(crate) fn is_in(&self, account: Uuid, zone: String) {
        self.directory.0.lock().unwrap().get_mut(&account.to_string()).unwrap().zone = zone;
    }

    /// Somebody has another e-mail address from now on, and nothing says so.
    pub(crate) fn changes_address(&self, account: Uuid, email: &str) {
        let mut contacts = self.directory.0.lock().unwrap();
        email.clone_into(&mut contacts.get_mut(&account.to_string()).unwrap().email);
    }

    /// Somebody has another e-mail address from now on, and identity's log says so.
    pub(crate) async fn moves_to(&self, account: Uuid, email: &str) {
        self.changes_address(account, email);
        append(&self.accounts, account, account::Event::from(EmailChanged::default())).await;
    }

    /// Somebody of whom identity says nothing now.
    pub(crate) fn stranger(&self, channel: Channel, account: Uuid, email: &str) -> Person {
        Person {
            account,
            email: email.into(),
            token: self.bench.token(account),
            inbox: InboxServiceClient::new(channel.clone()),
            texting: TextingServiceClient::new(channel),
        }
    }

    /// Identity's log.
    pub(crate) fn accounts(&self) -> &EventLog {
        &self.accounts
    }

    /// Appends to the stream of a case, in its own log.
    pub(crate) async fn happens(&self, case: Uuid, event: case::Event) {
        append(&self.cases, case, event).await;
    }

    /// Appends to the stream of a filing, in its own log.
    pub(crate) async fn happens_to_draft(&self, filing: Uuid, event: filing::Event) {
        append(&self.filings, filing, event).await;
    }

    /// Appends to the stream of the answer to a request, in the log of filings.
    pub(crate) async fn happens_to_answer(&self, request: Uuid, event: response::Event) {
        append(&self.filings, request, event).await;
    }

    /// Appends to the stream of a package, in the log of filings.
    pub(crate) async fn happens_to_package(&self, package: Uuid, event: package::Event) {
        append(&self.filings, package, event).await;
    }

    /// Appends to the stream of an appearance, in the log of filings.
    pub(crate) async fn happens_to_appearance(&self, appearance: Uuid, event: representation::Event) {
        append(&self.filings, appearance, event).await;
    }

    /// A case of `party`, opened and accepted.
    pub(crate) async fn accepted_case(&self, party: &Person) -> Uuid {
        let case = Uuid::now_v7();
        self.happens(case, events::opened(party.account)).await;
        self.happens(case, events::accepted()).await;
        case
    }

    /// The mails to an address.
    pub(crate) async fn mails(&self, to: &str) -> Vec<Value> {
        let url = format!("http://{}/mail/messages?limit=500&to={to}", self.sandbox.ports.mail_http);
        let list: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
        list["messages"].as_array().unwrap().clone()
    }

    /// The mails to an address, when there are as many.
    pub(crate) async fn wait_for_mails(&self, to: &str, count: usize) -> Vec<Value> {
        until(&format!("{count} mails to {to}"), async || {
            let mails = self.mails(to).await;
            (mails.len() >= count).then_some(mails)
        })
        .await
    }

    /// One mail, whole.
    pub(crate) async fn mail_text(&self, mail: &Value) -> Value {
        let id = mail["id"].as_str().unwrap();
        let url = format!("http://{}/mail/messages/{id}", self.sandbox.ports.mail_http);
        reqwest::get(url).await.unwrap().json().await.unwrap()
    }

    /// What became of the mails, in order.
    pub(crate) async fn outcomes(&self) -> Vec<delivery::Event> {
        let sql = "SELECT kind, payload FROM log.event WHERE kind LIKE 'delivery.%' ORDER BY position";
        let rows: Vec<(String, Vec<u8>)> = sqlx::query_as(sql).fetch_all(&self.own.pool).await.unwrap();
        rows.iter().map(|(kind, payload)| delivery::Event::decode(kind, payload).unwrap()).collect()
    }

    /// How many events of a kind the service has.
    pub(crate) async fn count(&self, kind: &str) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM log.event WHERE kind = $1")
            .bind(kind)
            .fetch_one(&self.own.pool)
            .await
            .unwrap()
    }

    /// Waits until a notice was tried in vain, then puts it off for ten minutes, as many more tries would.
    pub(crate) async fn tried_in_vain(&self, case: Uuid, kind: &str) {
        let later = self.bench.now().as_microsecond() + 600_000_000;
        until("a try in vain", async || {
            let sql = "UPDATE owed_notice SET next_at_us = $3 WHERE case_id = $1 AND notice_kind = $2 AND attempts > 2";
            let put_off = sqlx::query(sql).bind(case).bind(kind).bind(later).execute(&self.own.pool).await;
            (put_off.unwrap().rows_affected() == 1).then_some(())
        })
        .await;
    }

    /// How many notices are owed, and how many obligations are open.
    pub(crate) async fn debts(&self) -> (i64, i64) {
        let count = "SELECT (SELECT count(*) FROM owed_notice),
             (SELECT count(*) FROM log.obligation WHERE closed_by IS NULL)";
        sqlx::query_as(count).fetch_one(&self.own.pool).await.unwrap()
    }

    /// The notices that will not be issued: kind, why, and whether an event of the case is named for it.
    pub(crate) async fn let_go(&self) -> Vec<(String, String, bool)> {
        let sql = "SELECT payload FROM log.event WHERE kind = 'notice.not_issued.v1' ORDER BY position";
        let payloads: Vec<Vec<u8>> = sqlx::query_scalar(sql).fetch_all(&self.own.pool).await.unwrap();
        let read = |payload: Vec<u8>| {
            let event = notice::Event::decode("notice.not_issued.v1", &payload).unwrap();
            let notice::Event::NoticeNotIssued(it) = event else { panic!("another kind of event") };
            (it.notice_kind, it.cause, !it.overtaken_by.is_empty())
        };
        payloads.into_iter().map(read).collect()
    }

    /// The sealed files.
    pub(crate) fn objects(&self) -> Vec<PathBuf> {
        files_under(&self.config.data_dir.join("objects"))
    }
}

impl Person {
    /// The notices of a case; no error is swallowed but "unknown", which a case is until its log is read.
    pub(crate) async fn notices(&mut self, case: Uuid) -> Vec<pb::Notice> {
        match self.try_notices(&format!("cases/{case}"), 100, "").await {
            Ok(answer) => answer.notices,
            Err(status) => {
                assert_eq!(status.code(), Code::NotFound, "{status:?}");
                Vec::new()
            }
        }
    }

    pub(crate) async fn try_notices(
        &mut self,
        case: &str,
        page_size: u32,
        page_token: &str,
    ) -> Result<pb::ListNoticesResponse, Status> {
        patiently(async || {
            let request =
                pb::ListNoticesRequest { case: case.into(), page_size, page_token: page_token.into() };
            self.inbox.clone().list_notices(with_token(request, &self.token)).await
        })
        .await
    }

    /// The notice of a kind, when it is there.
    pub(crate) async fn wait_for_notice(&mut self, case: Uuid, kind: &str) -> pb::Notice {
        let me = self.clone();
        until(&format!("a notice {kind}"), async || {
            me.clone().notices(case).await.into_iter().find(|notice| notice.kind == kind)
        })
        .await
    }

    /// The PDF of a notice.
    pub(crate) async fn download(&mut self, name: &str) -> Result<(pb::Notice, Vec<u8>), Status> {
        use pb::download_notice_response::Part;
        let request = pb::DownloadNoticeRequest { name: name.into() };
        let mut stream = self.inbox.download_notice(with_token(request, &self.token)).await?.into_inner();
        let (mut notice, mut pdf) = (None, Vec::new());
        while let Some(part) = stream.message().await? {
            match part.part.unwrap() {
                Part::Notice(header) => notice = Some(header),
                Part::Chunk(chunk) => pdf.extend(chunk),
            }
        }
        Ok((notice.unwrap(), pdf))
    }

    pub(crate) async fn start_thread(
        &mut self,
        request_id: Uuid,
        case: Uuid,
        topic: &str,
        text: &str,
    ) -> Result<pb::Thread, Status> {
        let request = pb::StartThreadRequest {
            request_id: request_id.to_string(),
            case: format!("cases/{case}"),
            topic: topic.into(),
            text: text.into(),
        };
        let answer = self.inbox.start_thread(with_token(request, &self.token)).await?;
        Ok(answer.into_inner().thread.unwrap())
    }

    pub(crate) async fn say(
        &mut self,
        request_id: Uuid,
        thread: &str,
        text: &str,
    ) -> Result<pb::Thread, Status> {
        let request = pb::SendMessageRequest {
            request_id: request_id.to_string(),
            name: thread.into(),
            text: text.into(),
        };
        let answer = self.inbox.send_message(with_token(request, &self.token)).await?;
        Ok(answer.into_inner().thread.unwrap())
    }

    pub(crate) async fn threads(&mut self, case: Uuid) -> Result<Vec<pb::Thread>, Status> {
        Ok(self.some_threads(case, 0, "").await?.threads)
    }

    pub(crate) async fn some_threads(
        &mut self,
        case: Uuid,
        page_size: u32,
        page_token: &str,
    ) -> Result<pb::ListThreadsResponse, Status> {
        let case = format!("cases/{case}");
        let request = pb::ListThreadsRequest { case, page_size, page_token: page_token.into() };
        Ok(self.inbox.list_threads(with_token(request, &self.token)).await?.into_inner())
    }

    pub(crate) async fn deliveries(&mut self) -> Vec<pb::Delivery> {
        let told = patiently(async || {
            let request = pb::ListDeliveriesRequest { page_size: 0 };
            self.inbox.clone().list_deliveries(with_token(request, &self.token)).await
        });
        told.await.unwrap().deliveries
    }

    /// The deliveries, when so many are in that state.
    pub(crate) async fn wait_for_deliveries(&mut self, state: &str, count: usize) -> Vec<pb::Delivery> {
        let me = self.clone();
        until(&format!("{count} deliveries {state}"), async || {
            let all = me.clone().deliveries().await;
            (all.iter().filter(|delivery| delivery.state == state).count() == count).then_some(all)
        })
        .await
    }
}

/// A call of somebody who has just been given a token: the service may not have noticed yet that the clock was advanced.
pub(crate) async fn patiently<T>(
    call: impl AsyncFn() -> Result<tonic::Response<T>, Status>,
) -> Result<T, Status> {
    until("the service has noticed what time it is", async || match call().await {
        Err(status) if status.code() == Code::Unauthenticated => None,
        answer => Some(answer.map(tonic::Response::into_inner)),
    })
    .await
}

/// What a server tells on its admin port.
pub(crate) async fn told(server: &Running, metric: &str) -> Option<f64> {
    let url = format!("http://{}/metrics", server.listening.admin);
    let text = reqwest::get(url).await.unwrap().text().await.unwrap();
    let value = text.lines().find_map(|line| line.strip_prefix(metric)?.strip_prefix(' ').map(str::to_owned));
    value.map(|value| value.parse().unwrap())
}

/// Waits for a condition.
pub(crate) async fn until<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    let waiting = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(GLANCE).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

fn files_under(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries
        .map(|entry| entry.unwrap().path())
        .flat_map(|path| if path.is_dir() { files_under(&path) } else { vec![path] })
        .collect()
}

/// The service's own role in a database, which may do less than the owner. Gives its URL.
async fn app_role(database: &TestDatabase) -> String {
    let role = format!("{}_app", database.name);
    let create = format!("CREATE ROLE {role} LOGIN PASSWORD 'throw-away'");
    sqlx::query(AssertSqlSafe(create)).execute(&database.pool).await.unwrap();
    let (_superuser, place) = database.url.rsplit_once('@').unwrap();
    format!("postgres://{role}:throw-away@{place}")
}

/// The catalogue of the checkout.
pub(crate) fn catalogue() -> CatalogueFolder {
    CatalogueFolder { dir: concat!(env!("CARGO_MANIFEST_DIR"), "/../../libs/forms/catalogue").into() }
}
