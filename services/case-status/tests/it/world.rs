//! The world of a test: both services, and the logs of the four they read, each relayed by its own server.

use std::fmt::Debug;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use docket_case_status::{command, status};
use docket_eventlog::{EventLog, Expected, StreamAppend, StreamName, Subjects};
use docket_kernel::{Clock as _, EventEnum as _, ManualClock, SharedClock};
use docket_proto::case_status::v1::case_command_service_client::CaseCommandServiceClient;
use docket_proto::case_status::v1::case_office_service_client::CaseOfficeServiceClient;
use docket_proto::case_status::v1::case_words_service_client::CaseWordsServiceClient;
use docket_proto::case_status::v1::status_service_client::StatusServiceClient;
use docket_proto::case_status::v1::{GetWordsRequest, GetWordsResponse};
use docket_proto::events::{account, delivery, filing, notice, payment, representation, response, thread};
use docket_proto::filing::events::v1 as filings;
use docket_proto::log::v1::log_admin_service_client::LogAdminServiceClient;
use docket_proto::notifications::events::v1 as notifications;
use docket_proto::payments::events::v1 as payments;
use docket_proto::types::v1::MailingWishes;
use docket_service::testing::{Bench, Running, append, grant_role, machine};
use docket_service::{Base, BaseOptions, Projection as _, Server, migrate};
use docket_testkit::{TestDatabase, TestNats, Way, database, nats};
use sqlx::migrate::Migrator;
use sqlx::{PgPool, Postgres, Transaction};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tonic::Status;
use tonic::transport::Channel;
use uuid::Uuid;

use crate::people::Someone;

/// How long anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// A service that only has a log.
const SCHEMA: &str =
    "entity Person; entity Resource; action Nothing appliesTo { principal: Person, resource: Resource };";
static NO_TABLES: Migrator = Migrator::DEFAULT;

/// What a test plays in.
pub(crate) struct World {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) cases: TestDatabase,
    status: TestDatabase,
    filing: EventLog,
    payments: EventLog,
    notifications: EventLog,
    identity: EventLog,
    commands: Running,
    projection: Running,
    bench: Bench,
    broker: String,
    #[expect(dead_code, reason = "kept alive as long as the world")]
    others: (TestNats, Vec<(TestDatabase, Running)>),
}

/// A replica of the service of commands.
async fn serve_commands(bench: &Bench, url: &str, broker: &str, clock: &Arc<ManualClock>) -> Running {
    serve(bench, "case-status", url, broker, &command::MIGRATOR, {
        let clock = clock.clone();
        move |config| async move {
            Ok(command::server(Base::connect(&config, command::options().clock(clock)).await?))
        }
    })
    .await
}

impl World {
    /// The log of cases, for what no command writes.
    pub(crate) async fn log_of_cases(&self) -> EventLog {
        let config = self.bench.config("case-status", &self.cases.url, None, &self.broker);
        Base::connect(&config, command::options().clock(self.clock.clone())).await.unwrap().log
    }

    /// Another replica of the service of commands, on the same database.
    pub(crate) async fn another_command(&self) -> Running {
        serve_commands(&self.bench, &self.cases.url, &self.broker, &self.clock).await
    }

    /// The replica of commands from before ends, and this one takes its place.
    pub(crate) async fn takes_over(&mut self, replica: Running) {
        std::mem::replace(&mut self.commands, replica).stop().await.unwrap();
    }

    /// The log was not gone through for what was served before there were reminders, and is not before this is committed.
    pub(crate) async fn nothing_set_before(&self) -> Transaction<'static, Postgres> {
        let mut held = docket_database::begin(&self.cases.pool).await.unwrap();
        let sql = "UPDATE reminders_set SET position = 0, until = NULL";
        sqlx::query(sql).execute(&mut *held).await.unwrap();
        held
    }

    /// Nobody goes on through the log for that, until this is ended.
    pub(crate) async fn keep_from_setting(&self) -> Transaction<'static, Postgres> {
        let mut held = docket_database::begin(&self.cases.pool).await.unwrap();
        sqlx::query("SELECT FROM reminders_set FOR UPDATE").execute(&mut *held).await.unwrap();
        held
    }

    /// No timer was set for the reminders of a request in a case.
    pub(crate) async fn forget_reminders(&self, case: Uuid) {
        let sql = "DELETE FROM log.timer WHERE kind = 'request_reminder' AND substring(payload FOR 16) = $1";
        let gone = sqlx::query(sql).bind(case.as_bytes().as_slice()).execute(&self.cases.pool).await.unwrap();
        assert_eq!(gone.rows_affected(), 1);
    }

    /// Up to where the log is gone through for what was served before there were reminders.
    pub(crate) async fn reminders_set_up_to(&self) -> Result<Option<i64>, Status> {
        let sql = "SELECT until FROM reminders_set";
        let up_to = sqlx::query_scalar(sql).fetch_one(&self.cases.pool).await;
        up_to.map_err(|error| Status::internal(error.to_string()))
    }

    /// How much of the log was not gone through for what was served before there were reminders.
    pub(crate) async fn not_gone_through(&self) -> Result<i64, Status> {
        let sql = "SELECT head.position - reminders_set.position FROM reminders_set, log.head AS head
                   WHERE head.log = 'cases-0'";
        let left = sqlx::query_scalar(sql).fetch_one(&self.cases.pool).await;
        left.map_err(|error| Status::internal(error.to_string()))
    }

    /// Another replica of the projection, on the same database.
    pub(crate) async fn another_projection(&self) -> Running {
        let (url, broker) = (&self.status.url, &self.broker);
        serve(&self.bench, "status-projection", url, broker, &status::MIGRATOR, {
            let clock = self.clock.clone();
            move |config| async move {
                Ok(status::server(Base::connect(&config, status::options().clock(clock)).await?, &[]))
            }
        })
        .await
    }

    /// The same, with a way to the log of cases that can be cut.
    pub(crate) async fn projection_over_a_way(&self) -> (Way, Running) {
        let log = self.commands.listening.grpc;
        let way = Way::to(log).await;
        self.bench.set_peer("case-status", way.address());
        let projection = self.another_projection().await;
        self.bench.set_peer("case-status", log);
        (way, projection)
    }

    /// Until a statement waits for a table that another one has.
    pub(crate) async fn until_somebody_waits_for_a_table(&self) {
        let waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND locktype = 'relation'
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))";
        let there = async {
            while !sqlx::query_scalar::<_, bool>(waits).fetch_one(&self.status.pool).await.unwrap() {
                sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, there).await.expect("nobody waits");
    }

    /// Noon of Tuesday, 24 November 2026, in New York.
    /// The whole of it is large, and so on the heap.
    pub(crate) fn start() -> Pin<Box<impl Future<Output = Self>>> {
        Box::pin(Self::start_all())
    }

    async fn start_all() -> Self {
        let clock = ManualClock::shared("2026-11-24T17:00:00Z".parse().unwrap());
        let (bench, broker) = (Bench::new().await, nats().await);
        let (cases, status) = tokio::join!(database("cases"), database("status"));
        let mut logs = Vec::new();
        let mut running = Vec::new();
        for name in ["filing", "payments", "notifications", "identity"] {
            let own = database(name).await;
            let (log, server) = serve_log(&bench, name, &own.url, &broker.url, clock.clone()).await;
            // Of identity there is the log alone: who asks it for its keys would find none.
            if name != "identity" {
                bench.set_peer(name, server.listening.grpc);
            }
            logs.push(log);
            running.push((own, server));
        }
        let commands = serve_commands(&bench, &cases.url, &broker.url, &clock).await;
        bench.set_peer("case-status", commands.listening.grpc);
        let projection = serve(&bench, "status-projection", &status.url, &broker.url, &status::MIGRATOR, {
            let clock = clock.clone();
            move |config| async move {
                Ok(status::server(Base::connect(&config, status::options().clock(clock)).await?, &[]))
            }
        })
        .await;
        let [filing, payments, notifications, identity] = logs.try_into().unwrap();
        let (url, others) = (broker.url.clone(), (broker, running));
        Self {
            clock,
            cases,
            status,
            filing,
            payments,
            notifications,
            identity,
            commands,
            projection,
            bench,
            broker: url,
            others,
        }
    }

    pub(crate) fn clock_now(&self) -> jiff::Timestamp {
        self.clock.now()
    }

    /// Somebody with these roles.
    pub(crate) async fn person(&self, roles: &[(&str, &str)]) -> Someone {
        let account = Uuid::new_v4();
        for (role, office) in roles {
            grant_role(&self.cases.pool, account, role, office).await;
            grant_role(&self.status.pool, account, role, office).await;
        }
        self.with_token(account, self.token(account, "aal2"))
    }

    /// An address of somebody is on record, as identity's log says.
    pub(crate) async fn address_on_record(&self, person: &Someone) {
        let sql = "INSERT INTO party_address (account_id, event_id, given_at_us) VALUES ($1, $2, 1)";
        let (account, event) = (person.account, Uuid::new_v4());
        sqlx::query(sql).bind(account).bind(event).execute(&self.cases.pool).await.unwrap();
    }

    /// Something happens to somebody's account.
    pub(crate) async fn happens_to(&self, person: &Someone, event: account::Event) {
        append(&self.identity, person.account, event).await;
    }

    /// Nobody we know.
    pub(crate) fn anonymous(&self) -> Someone {
        self.with_token(Uuid::nil(), String::new())
    }

    /// The same person with a second factor given just now.
    pub(crate) fn stepped_up(&self, person: &Someone) -> Someone {
        self.with_token(person.account, self.token(person.account, "stepup"))
    }

    fn with_token(&self, account: Uuid, token: String) -> Someone {
        let cases = CaseCommandServiceClient::new(self.commands.channel());
        let office = CaseOfficeServiceClient::new(self.commands.channel());
        let status = StatusServiceClient::new(self.projection.channel());
        Someone { account, token, cases, office, status }
    }

    fn token(&self, account: Uuid, acr: &str) -> String {
        let now = self.clock.now().as_second();
        let year = 366 * 24 * 3600;
        self.bench.key.sign(&serde_json::json!({
            "iss": "docket", "aud": "docket", "sub": account, "sid": Uuid::new_v4(),
            "acr": acr, "auth_time": now, "iat": now, "exp": now + year,
        }))
    }

    /// A naturalization was submitted; gives the filing's id.
    pub(crate) async fn submit(&self, applicant: &Someone, age: u32) -> Uuid {
        self.submit_represented(applicant, age, None).await
    }

    /// The party of a case consented to a representative for it.
    pub(crate) async fn appoint(&self, case: Uuid, representation: Uuid, representative: &Someone) {
        let appointed = filings::RepresentativeAppointed {
            representation_id: representation.to_string(),
            representative: representative.account.to_string(),
            wishes: None,
        };
        append(&self.filing, case, filing::Event::from(appointed)).await;
    }

    /// The consent itself, in the stream of the appearance.
    pub(crate) async fn consent(&self, case: Uuid, representation: Uuid, representative: &Someone) {
        let accepted = filings::RepresentationAccepted {
            filing_id: case.to_string(),
            representative: representative.account.to_string(),
            ..Default::default()
        };
        append(&self.filing, representation, representation::Event::from(accepted)).await;
    }

    /// The client says, with the consent or later, where papers go.
    pub(crate) async fn wish(&self, representation: Uuid, wishes: MailingWishes, later: bool) {
        let wishes = Some(wishes);
        let event = if later {
            let changed = filings::RepresentationWishesChanged { wishes, ..Default::default() };
            representation::Event::from(changed)
        } else {
            representation::Event::from(filings::RepresentationAccepted { wishes, ..Default::default() })
        };
        append(&self.filing, representation, event).await;
    }

    /// The representative withdrew.
    pub(crate) async fn end_representation(&self, representation: Uuid) {
        let withdrawn = filings::RepresentationWithdrawn::default();
        append(&self.filing, representation, representation::Event::from(withdrawn)).await;
    }

    /// A form of a family was submitted by somebody who signed it as said; gives the filing's id.
    pub(crate) async fn submit_signed(
        &self,
        who: &Someone,
        (form, family): (&str, &str),
        signed_as: &str,
    ) -> Uuid {
        let id = Uuid::new_v4();
        let submitted = filings::FilingSubmitted {
            form: form.into(),
            family: family.into(),
            account_id: who.account.to_string(),
            submitted_at_us: self.clock.now().as_microsecond(),
            zone: "America/New_York".into(),
            package_id: Uuid::new_v4().to_string(),
            facts: Some(filings::DerivedFacts { age: 9, signed_as: signed_as.into(), ..Default::default() }),
            ..Default::default()
        };
        append(&self.filing, id, filing::Event::from(submitted)).await;
        id
    }

    /// A naturalization was submitted, with an appearance of somebody; gives the filing's id.
    pub(crate) async fn submit_represented(
        &self,
        applicant: &Someone,
        age: u32,
        appearance: Option<(Uuid, &Someone)>,
    ) -> Uuid {
        let id = Uuid::new_v4();
        let submitted = filings::FilingSubmitted {
            form: "N-400".into(),
            edition: "2025-01-20".into(),
            family: "naturalization".into(),
            account_id: applicant.account.to_string(),
            submitted_at_us: self.clock.now().as_microsecond(),
            zone: "America/New_York".into(),
            package_id: Uuid::new_v4().to_string(),
            facts: Some(filings::DerivedFacts { age, civics_test: "2025".into(), ..Default::default() }),
            representation_id: appearance.map(|(id, _)| id.to_string()).unwrap_or_default(),
            representative: appearance.map(|(_, who)| who.account.to_string()).unwrap_or_default(),
            ..Default::default()
        };
        append(&self.filing, id, filing::Event::from(submitted)).await;
        id
    }

    /// A naturalization was submitted whose fee a payment settled; gives the filing's id.
    pub(crate) async fn submit_paid(&self, applicant: &Someone, payment: Uuid) -> Uuid {
        let id = Uuid::new_v4();
        let submitted = filings::FilingSubmitted {
            form: "N-400".into(),
            family: "naturalization".into(),
            account_id: applicant.account.to_string(),
            submitted_at_us: self.clock.now().as_microsecond(),
            zone: "America/New_York".into(),
            package_id: Uuid::new_v4().to_string(),
            payment_id: payment.to_string(),
            facts: Some(filings::DerivedFacts { age: 40, ..Default::default() }),
            ..Default::default()
        };
        append(&self.filing, id, filing::Event::from(submitted)).await;
        id
    }

    /// Filings of one package went in, in one append: each a form, its family and the account of its party. Gives the ids.
    pub(crate) async fn submit_package(&self, filings: &[(&str, &str, Uuid)]) -> Vec<Uuid> {
        self.submit_with(filings, |_| filings::DerivedFacts { age: 40, ..Default::default() }).await
    }

    /// The same, of forms that rest on a case: one that they name by its receipt number, or without one that is known here.
    pub(crate) async fn submit_resting(&self, filings: &[(&str, &str, Uuid)], receipt: &str) -> Vec<Uuid> {
        let facts = filings::DerivedFacts {
            age: 40,
            rests_on_receipt: receipt.into(),
            rests_on_unnamed: receipt.is_empty(),
            ..Default::default()
        };
        self.submit_with(filings, |_| facts.clone()).await
    }

    /// The same, each with the facts that follow from its answers, by its place.
    pub(crate) async fn submit_with(
        &self,
        filings: &[(&str, &str, Uuid)],
        facts: impl Fn(usize) -> filings::DerivedFacts,
    ) -> Vec<Uuid> {
        let package_id = Uuid::new_v4().to_string();
        let mut streams = Vec::new();
        let mut ids = Vec::new();
        for (nth, (form, family, account)) in filings.iter().enumerate() {
            let id = Uuid::new_v4();
            let submitted = filings::FilingSubmitted {
                form: (*form).into(),
                family: (*family).into(),
                account_id: account.to_string(),
                submitted_at_us: self.clock.now().as_microsecond(),
                zone: "America/New_York".into(),
                package_id: package_id.clone(),
                facts: Some(facts(nth)),
                ..Default::default()
            };
            let stream = StreamName::of(filing::Event::CATEGORY, id);
            let events = [filing::Event::from(submitted)];
            streams.push(StreamAppend::of(stream, Expected::Version(0), Subjects::filing(id), &events));
            ids.push(id);
        }
        self.filing.append(machine().append(&self.filing, streams)).await.unwrap();
        ids
    }

    /// A filing was submitted of which nobody can say whose it is; gives its id.
    pub(crate) async fn submit_unreadable(&self) -> Uuid {
        let id = Uuid::new_v4();
        let submitted = filings::FilingSubmitted { form: "N-400".into(), ..Default::default() };
        append(&self.filing, id, filing::Event::from(submitted)).await;
        id
    }

    /// What is parked of a log, stream and reason.
    pub(crate) async fn parked(&self, log: &str) -> Result<Vec<(String, String)>, Status> {
        sqlx::query_as("SELECT stream, reason FROM log.parked WHERE log = $1 ORDER BY position")
            .bind(log)
            .fetch_all(&self.cases.pool)
            .await
            .map_err(|error| Status::internal(error.to_string()))
    }

    /// The one answer to a request went in, whole.
    pub(crate) async fn respond(&self, filing: Uuid, request: Uuid) {
        self.respond_unscanned(filing, request, &[]).await;
    }

    /// What the scan of a file of the answer came to, before the answer went in or after.
    pub(crate) async fn scanned(
        &self,
        filing: Uuid,
        request: Uuid,
        (file, verdict): (Uuid, &str),
        answered: bool,
    ) {
        let scanned = filings::ResponseEvidenceScanned {
            evidence_id: file.to_string(),
            verdict: verdict.into(),
            case_id: filing.to_string(),
            answered,
            ..Default::default()
        };
        append(&self.filing, request, response::Event::from(scanned)).await;
    }

    /// The same, with files that were not scanned yet.
    pub(crate) async fn respond_unscanned(&self, filing: Uuid, request: Uuid, files: &[Uuid]) {
        let submitted = filings::ResponseSubmitted {
            case_id: filing.to_string(),
            received_at_us: self.clock.now().as_microsecond(),
            complete: true,
            being_checked: files.iter().map(Uuid::to_string).collect(),
            ..Default::default()
        };
        append(&self.filing, request, response::Event::from(submitted)).await;
    }

    /// The party added evidence unasked.
    pub(crate) async fn add_evidence(&self, filing: Uuid) {
        let added = filings::UnsolicitedEvidenceAdded {
            evidence: Some(docket_proto::types::v1::EvidenceRef {
                evidence_id: Uuid::new_v4().to_string(),
                kind: "other".into(),
                commitment: vec![7; 32],
            }),
            received_at_us: self.clock.now().as_microsecond(),
            ..Default::default()
        };
        append(&self.filing, filing, filing::Event::from(added)).await;
    }

    /// The payment of a package was not honoured, of each filing so many cents.
    pub(crate) async fn return_payment(&self, parts: &[(Uuid, i64)]) {
        let part = |(filing, amount_cents): &(Uuid, i64)| payments::FeePart {
            filing_id: filing.to_string(),
            amount_cents: *amount_cents,
            ..Default::default()
        };
        let returned = payments::PaymentReturned {
            filing_ids: parts.iter().map(|(filing, _)| filing.to_string()).collect(),
            amount_cents: parts.iter().map(|(_, cents)| cents).sum(),
            reason: "insufficient_funds".into(),
            parts: parts.iter().map(part).collect(),
            ..Default::default()
        };
        append(&self.payments, Uuid::new_v4(), payment::Event::from(returned)).await;
    }

    /// Something happened to a payment, which settled the fee of a filing.
    pub(crate) async fn happens_to_payment(&self, payment: Uuid, event: impl Into<payment::Event>) {
        append::<payment::Event>(&self.payments, payment, event.into()).await;
    }

    /// It was made good.
    pub(crate) async fn make_good(&self, parts: &[(Uuid, i64)]) {
        let part = |(filing, amount_cents): &(Uuid, i64)| payments::FeePart {
            filing_id: filing.to_string(),
            amount_cents: *amount_cents,
            ..Default::default()
        };
        let made_good = payments::PaymentMadeGood {
            filing_ids: parts.iter().map(|(filing, _)| filing.to_string()).collect(),
            amount_cents: parts.iter().map(|(_, cents)| cents).sum(),
            parts: parts.iter().map(part).collect(),
            ..Default::default()
        };
        append(&self.payments, Uuid::new_v4(), payment::Event::from(made_good)).await;
    }

    /// Money went back.
    pub(crate) async fn refund(&self, filing: Uuid, amount_cents: i64) {
        let filing_id = filing.to_string();
        let issued = payments::RefundIssued { filing_id, amount_cents, ..Default::default() };
        append(&self.payments, Uuid::new_v4(), payment::Event::from(issued)).await;
    }

    /// A refund went back, and its money came back from the bank; then it went back once more, as the same refund.
    pub(crate) async fn refund_twice(&self, filing: Uuid, amount_cents: i64) {
        let (refund_id, filing_id) = (Uuid::new_v4().to_string(), filing.to_string());
        let failed = payments::RefundFailed {
            refund_id: refund_id.clone(),
            filing_id: filing_id.clone(),
            amount_cents,
            was_issued: true,
            ..Default::default()
        };
        let issued = payments::RefundIssued { refund_id, filing_id, amount_cents, ..Default::default() };
        // In the stream of one payment, since only there one comes after the other.
        let payment = Uuid::new_v4();
        append(&self.payments, payment, payment::Event::from(issued.clone())).await;
        append(&self.payments, payment, payment::Event::from(failed)).await;
        append(&self.payments, payment, payment::Event::from(issued)).await;
    }

    /// A notice was posted today, and serves a request when it carries one; gives its id.
    pub(crate) async fn notice(&self, filing: Uuid, kind: &str, request: Option<Uuid>) -> Uuid {
        let id = Uuid::new_v4();
        let now = self.clock.now();
        let issued = notifications::NoticeIssued {
            case_id: filing.to_string(),
            notice_kind: kind.into(),
            posted_at_us: now.as_microsecond(),
            served_on_date: docket_kernel::deadline::office_date(now).to_string(),
            request_id: request.map(|id| id.to_string()).unwrap_or_default(),
            salt: b"salt".to_vec(),
            ..Default::default()
        };
        append(&self.notifications, id, notice::Event::from(issued)).await;
        id
    }

    /// Somebody opened a notice of a case.
    pub(crate) async fn open_notice(&self, filing: Uuid, notice: Uuid, who: &Someone) {
        let (account_id, case_id) = (who.account.to_string(), filing.to_string());
        let opened = notifications::NoticeOpened { account_id, case_id };
        append(&self.notifications, notice, notice::Event::from(opened)).await;
    }

    /// Something became of a mail.
    pub(crate) async fn happens_to_mail(&self, event: impl Into<delivery::Event>) {
        append::<delivery::Event>(&self.notifications, Uuid::new_v4(), event.into()).await;
    }

    /// Somebody wrote in a conversation.
    pub(crate) async fn is_written(&self, thread: Uuid, message: notifications::MessageSent) {
        append(&self.notifications, thread, thread::Event::from(message)).await;
    }

    /// What the officer wrote in the last event of a kind, as another service asks for it.
    pub(crate) async fn words(
        &self,
        service: &str,
        case: &str,
        kind: &str,
    ) -> Result<GetWordsResponse, Status> {
        let event: Uuid = sqlx::query_scalar(
            "SELECT event_id FROM log.event WHERE kind = $1 ORDER BY position DESC LIMIT 1",
        )
        .bind(kind)
        .fetch_one(&self.cases.pool)
        .await
        .unwrap();
        let request = GetWordsRequest { case: case.into(), event_id: event.to_string() };
        let mut words = CaseWordsServiceClient::new(self.commands.channel_as(&self.bench, service));
        Ok(words.get_words(request).await?.into_inner())
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
        let deadline = Instant::now() + PATIENCE;
        async move {
            loop {
                let answer = ask().await;
                match answer {
                    Ok(answer) if expected(&answer) => return answer,
                    answer => assert!(Instant::now() < deadline, "{asked_at}: at last {answer:?}"),
                }
                sleep(Duration::from_millis(20)).await;
            }
        }
    }

    /// Builds the projection again, as its program does.
    pub(crate) async fn rebuild(&self, switch: bool) -> status::rebuild::Report {
        let config = self.bench.config("status-projection", &self.status.url, None, &self.broker);
        let base = Base::connect(&config, status::options().clock(self.clock.clone())).await.unwrap();
        status::rebuild::rebuild(&base, switch).await.unwrap()
    }

    /// Builds the projection again within these limits, and compares: equal and differing cases.
    pub(crate) async fn rebuild_within(&self, limits: status::rebuild::Limits) -> (u64, u64) {
        let config = self.bench.config("status-projection", &self.status.url, None, &self.broker);
        let base = Base::connect(&config, status::options().clock(self.clock.clone())).await.unwrap();
        let projection = status::rebuild::StatusProjection(base);
        projection.rebuild_within(limits, "machine:test", &watch::Sender::default()).await.unwrap();
        let found = projection.compare().await.unwrap();
        (found.equal, found.differing)
    }

    /// The operator's face of the projection.
    pub(crate) fn projection_admin(&self) -> LogAdminServiceClient<Channel> {
        LogAdminServiceClient::new(self.projection.channel())
    }

    /// The projection's database, as its owner.
    pub(crate) fn status_pool(&self) -> PgPool {
        self.status.pool.clone()
    }

    /// A statement of the owner of the projection's database.
    pub(crate) async fn try_sql(&self, sql: &str) -> sqlx::Result<()> {
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&self.status.pool).await.map(drop)
    }

    /// Every switch there was: from and to which generation, and why.
    pub(crate) async fn switches(&self) -> Vec<(i64, i64, String)> {
        let sql = "SELECT from_generation, to_generation, reason FROM projection_switch ORDER BY number";
        sqlx::query_as(sql).fetch_all(&self.status.pool).await.unwrap()
    }

    /// Changes the projection's rows behind its back.
    pub(crate) async fn spoil(&self, sql: &'static str) {
        sqlx::query(sql).execute(&self.status.pool).await.unwrap();
    }

    /// Keeps the service of commands from applying anything of a log, until this is ended.
    pub(crate) async fn keep_from_reading(&self, log: &str) -> Transaction<'static, Postgres> {
        let mut held = docket_database::begin(&self.cases.pool).await.unwrap();
        let sql = "SELECT lane FROM log.consumer_checkpoint WHERE log = $1 FOR UPDATE";
        let lanes = sqlx::query(sql).bind(log).fetch_all(&mut *held).await.unwrap();
        assert!(!lanes.is_empty(), "{log} is not read");
        held
    }

    /// The log of cases is in another epoch, as after a restore.
    pub(crate) async fn raise_epoch(&self) {
        let sql = "INSERT INTO log.epoch (log, number, id, from_position, reason, started_at_us, mac)
            SELECT log, 2, gen_random_uuid(), position + 1, 'restored', 0, ''::bytea FROM log.head";
        sqlx::query(sql).execute(&self.cases.pool).await.unwrap();
    }

    /// Waits until the log of cases has taken in that many events of filing's log, in some lane.
    pub(crate) async fn read_of_filing(&self, position: i64) {
        let read = "SELECT coalesce(max(position), 0) FROM log.consumer_checkpoint WHERE log = 'filing'";
        let read = || async {
            let read = sqlx::query_scalar::<_, i64>(read).fetch_one(&self.cases.pool).await;
            read.map_err(|error| Status::internal(error.to_string()))
        };
        self.until(read, |read| *read >= position).await;
    }

    /// Waits until the log of cases has taken in every event that there is of notifications' log.
    pub(crate) async fn read_notifications(&self) {
        let head = i64::try_from(self.notifications.head().await.unwrap().position).unwrap();
        let read =
            "SELECT coalesce(min(position), 0) FROM log.consumer_checkpoint WHERE log = 'notifications'";
        let read = || async {
            let read = sqlx::query_scalar::<_, i64>(read).fetch_one(&self.cases.pool).await;
            read.map_err(|error| Status::internal(error.to_string()))
        };
        self.until(read, |read| *read >= head).await;
    }

    /// Waits until a session of the database of cases waits for a lock.
    pub(crate) async fn somebody_waits(&self) {
        let waiting = "SELECT count(*) FROM pg_stat_activity
                       WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let waiting = || async {
            let waiting = sqlx::query_scalar::<_, i64>(waiting).fetch_one(&self.cases.pool).await;
            waiting.map_err(|error| Status::internal(error.to_string()))
        };
        self.until(waiting, |waiting| *waiting > 0).await;
    }

    /// Waits until no timer is left.
    pub(crate) async fn no_timers_left(&self) {
        let count = || async {
            let count = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM log.timer");
            count.fetch_one(&self.cases.pool).await.map_err(|error| Status::internal(error.to_string()))
        };
        self.until(count, |count| *count == 0).await;
    }
}

async fn serve<F, Fut>(
    bench: &Bench,
    name: &str,
    url: &str,
    broker: &str,
    tables: &Migrator,
    make: F,
) -> Running
where
    F: FnOnce(docket_service::ServiceConfig) -> Fut + Send + 'static,
    Fut: Future<Output = anyhow::Result<Server>> + Send + 'static,
{
    let config = bench.config(name, url, None, broker);
    migrate(&config, tables).await.unwrap();
    // A replica has the folder of the one before it, and would be taken to listen where that one does.
    let _none_before = std::fs::remove_file(config.data_dir.join("listening.json"));
    bench.serve(config, |config, stop| async move { make(config).await?.run(stop).await }).await
}

/// A service that has a log, its relay and its feed, and nothing else.
async fn serve_log(
    bench: &Bench,
    name: &'static str,
    url: &str,
    broker: &str,
    clock: SharedClock,
) -> (EventLog, Running) {
    let opened = Arc::new(Mutex::new(None));
    let log = Arc::clone(&opened);
    let running = serve(bench, name, url, broker, &NO_TABLES, move |config| async move {
        let base = Base::connect(&config, BaseOptions::new(name, name, "", SCHEMA).clock(clock)).await?;
        *log.lock().unwrap() = Some(base.log.clone());
        Ok(Server::new(base))
    })
    .await;
    let log = opened.lock().unwrap().take().unwrap();
    (log, running)
}
