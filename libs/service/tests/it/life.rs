//! A server's life: health, events between servers, timers, roles of the database, the end.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use docket_eventlog::{Context, Expected, Obligation, Recorded, StreamAppend, StreamName, Subjects, Timer};
use docket_kernel::{Actor, EventEnum};
use docket_proto::events::account::Event;
use docket_proto::identity::events::v1::RoleGranted;
use docket_proto::log::v1::GetHeadRequest;
use docket_proto::log::v1::event_feed_service_client::EventFeedServiceClient;
use docket_service::testing::{Bench, Running};
use docket_service::{
    ApplyError, Base, BaseOptions, Rounds, Server, ServiceConfig, Subscriber, TimerHandler, lacking, migrate,
};
use docket_testkit::Line;
use jiff::SignedDuration;
use sqlx::PgConnection;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::oneshot;
use tonic::Code;
use uuid::Uuid;

use crate::bench::{MIGRATOR, POLICIES, Place, SCHEMA, options, serve_payments, until};

pub(crate) async fn http_get(address: SocketAddr, path: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_metrics_are_told_on_the_admin_port() {
    let place = Place::new("payments").await;
    let server = place.payments().await;
    let admin = server.listening.admin;
    until("readiness", async || http_get(admin, "/readyz").await.contains("200 OK")).await;
    assert!(http_get(admin, "/healthz").await.contains("200 OK"));
    let channel = tonic::transport::Endpoint::from_shared(format!("http://{admin}")).unwrap();
    let mut health = tonic_health::pb::health_client::HealthClient::new(channel.connect().await.unwrap());
    for service in ["", "readiness", "liveness", "startup"] {
        let request = tonic_health::pb::HealthCheckRequest { service: service.to_owned() };
        let answer = health.check(request).await.unwrap().into_inner();
        assert_eq!(answer.status, 1, "{service}");
    }
    assert!(http_get(admin, "/metrics").await.contains("200 OK"));
    drop(health);
    server.stop().await.unwrap();
    assert!(tokio::net::TcpStream::connect(admin).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_is_not_ready_again_while_it_still_answers() {
    let place = Place::new("payments").await;
    let mut config = place.config("payments").await;
    config.drain_delay_ms = 4_000;
    let server = place.bench.serve(config, serve_payments).await;
    let admin = server.listening.admin;
    until("readiness", async || http_get(admin, "/readyz").await.contains("200 OK")).await;
    let stopped = tokio::spawn(server.stop());
    until("the stop", async || http_get(admin, "/readyz").await.contains("stopping")).await;
    // The database is asked every second; it answers as before.
    let since = Instant::now();
    until("some looks at the database", async || {
        let ready = http_get(admin, "/readyz").await;
        assert!(ready.contains("503") && ready.contains("stopping"), "{ready}");
        since.elapsed() > Duration::from_millis(2_500)
    })
    .await;
    stopped.await.unwrap().unwrap();
}

/// Passes on the accounts it hears of.
struct Heard(Mutex<Vec<Uuid>>);

#[async_trait]
impl Subscriber for Heard {
    fn categories(&self) -> &'static [&'static str] {
        &["account"]
    }

    async fn apply(&self, _tx: &mut PgConnection, _event: &Recorded) -> Result<(), ApplyError> {
        Ok(())
    }

    async fn after_commit(&self, event: &Recorded) {
        self.0.lock().unwrap().extend(event.stream.id());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_in_one_service_reaches_another() {
    what_happens_in_identity_reaches(&Place::new("payments").await).await;
}

async fn what_happens_in_identity_reaches(place: &Place) {
    // Identity: only a log with an event.
    let (own, keys) = (docket_testkit::database("identity").await, docket_testkit::database("keys").await);
    let config = place.bench.config("identity", &own.url, Some(&keys.url), &place.nats.url);
    migrate(&config, &MIGRATOR).await.unwrap();
    let (sender, base) = oneshot::channel();
    let identity = place
        .bench
        .serve(config, |config, stop| async move {
            let options = BaseOptions::new("identity", "identity", POLICIES, SCHEMA);
            let base = Base::connect(&config, options).await?;
            sender.send(base.clone()).map_err(|_| anyhow::anyhow!("nobody waits"))?;
            Server::new(base).run(stop).await
        })
        .await;
    let base = base.await.unwrap();

    let accounts = Arc::new(Heard(Mutex::default()));
    let listening = Arc::clone(&accounts);
    let config = place.config("payments").await;
    let payments = place
        .bench
        .serve(config, |config, stop| async move {
            let base = Base::connect(&config, options()).await?;
            Server::new(base).subscriber("identity", listening).run(stop).await
        })
        .await;

    let account = Uuid::from_u128(5);
    append(&base, account).await;
    until("the account is heard of", async || accounts.0.lock().unwrap().contains(&account)).await;
    let role: String = sqlx::query_scalar("SELECT role FROM access.role WHERE account = $1")
        .bind(account)
        .fetch_one(&place.own.pool)
        .await
        .unwrap();
    assert_eq!(role, "finance");

    // The feed is for services only.
    let mut feed = EventFeedServiceClient::new(identity.channel_as(&place.bench, "payments"));
    let head = feed.get_head(GetHeadRequest { log: "identity".to_owned() }).await.unwrap().into_inner();
    assert_eq!((head.position, head.epoch), (1, 1));
    let other = feed.get_head(GetHeadRequest { log: "payments".to_owned() }).await.unwrap_err();
    assert_eq!(other.code(), Code::NotFound);
    let mut nobody = EventFeedServiceClient::new(identity.channel());
    let refused = nobody.get_head(GetHeadRequest { log: "identity".to_owned() }).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    drop((feed, nobody));
    payments.stop().await.unwrap();
    identity.stop().await.unwrap();
}

/// The broker's users as in production: named by certificate, allowed what they need and nothing else.
fn broker_users() -> String {
    let user = |name: &str, allowed: &[&str]| {
        let allowed: Vec<_> = allowed.iter().map(|subject| format!("{subject:?}")).collect();
        format!(
            "{{ user: \"spiffe://docket.local/ns/docket/sa/{name}\", permissions {{ publish: [{}], \
             subscribe: [\"_INBOX_{name}.>\"] }} }}",
            allowed.join(", ")
        )
    };
    let identity = user(
        "identity",
        &[
            "docket.identity.>",
            "$JS.API.STREAM.INFO.identity",
            "$JS.API.STREAM.CREATE.identity",
            "$JS.API.DIRECT.GET.identity",
            "$JS.API.CONSUMER.INFO.identity.identity",
            "$JS.API.CONSUMER.CREATE.identity.identity",
            "$JS.API.CONSUMER.MSG.NEXT.identity.identity",
            "$JS.ACK.identity.identity.>",
        ],
    );
    let payments = user(
        "payments",
        &[
            "docket.payments.>",
            "$JS.API.STREAM.INFO.payments",
            "$JS.API.STREAM.CREATE.payments",
            "$JS.API.DIRECT.GET.payments",
            "$JS.API.STREAM.INFO.identity",
            "$JS.API.CONSUMER.INFO.identity.payments",
            "$JS.API.CONSUMER.CREATE.identity.payments",
            "$JS.API.CONSUMER.MSG.NEXT.identity.payments",
            "$JS.ACK.identity.payments.>",
        ],
    );
    format!("accounts {{ DOCKET {{ jetstream: enabled, users: [ {identity}, {payments} ] }} }}")
}

#[tokio::test(flavor = "multi_thread")]
async fn events_pass_a_broker_that_asks_for_certificates_and_permits_only_what_is_needed() {
    let mut place = Place::new("payments").await;
    let folder = tempfile::tempdir().unwrap();
    let tls = place.bench.authority.issue("nats", folder.path());
    place.nats = docket_testkit::nats_with(|options| {
        options.config = broker_users();
        options.tls =
            Some(docket_servers::TlsFiles { cert: tls.cert_file, key: tls.key_file, ca: tls.ca_file });
    })
    .await;
    place.nats.url = place.nats.url.replace("nats://", "tls://");
    what_happens_in_identity_reaches(&place).await;
}

async fn append(base: &Base, account: Uuid) {
    let granted = RoleGranted { role: "finance".into(), office: "NBC".into(), ..Default::default() };
    let context = Context {
        command_id: Uuid::new_v4(),
        correlation_id: Uuid::new_v4(),
        causation_id: None,
        actor: Actor::machine("test"),
        on_behalf_of: None,
        auth_level: 0,
        traceparent: String::new(),
        request: Vec::new(),
    };
    let events = [Event::from(granted)];
    let stream = StreamName::of(Event::CATEGORY, account);
    let append = StreamAppend::of(stream, Expected::Any, Subjects::account(account), &events);
    base.log.append(context.append(&base.log, vec![append])).await.unwrap();
}

struct Note;

#[async_trait]
impl TimerHandler for Note {
    async fn fire(&self, tx: &mut PgConnection, timer: &Timer) -> Result<(), ApplyError> {
        if timer.kind == "stuck" {
            return Err(ApplyError::Park("it is of no use".to_owned()));
        }
        sqlx::query("INSERT INTO note (id, text) VALUES ($1, $2)")
            .bind(timer.command_id())
            .bind(&timer.kind)
            .execute(tx)
            .await?;
        Ok(())
    }
}

/// A server with timers, and what it is connected to.
async fn with_timers(
    place: &Place,
    config: ServiceConfig,
    handler: Arc<dyn TimerHandler>,
) -> (Running, Base) {
    let (sender, base) = oneshot::channel();
    let server = place
        .bench
        .serve(config, |config, stop| async move {
            let base = Base::connect(&config, options()).await?;
            sender.send(base.clone()).map_err(|_| anyhow::anyhow!("nobody waits"))?;
            Server::new(base).timers(handler).run(stop).await
        })
        .await;
    (server, base.await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_fires_once_when_the_clock_gets_there() {
    let place = Place::new("payments").await;
    let config = place.config("payments").await;
    let (server, base) = with_timers(&place, config, Arc::new(Note)).await;
    let due = base.clock.now() + SignedDuration::from_hours(24);
    let mut tx = docket_database::begin(&base.pool).await.unwrap();
    let timer = Timer::new("due:one", "window", due, Vec::new());
    base.log.timers().schedule_in(&mut tx, &timer).await.unwrap();
    // More than are looked at together, and none of them can be done: they keep nothing behind them waiting.
    for number in 0..70 {
        let stuck =
            Timer::new(format!("stuck:{number}"), "stuck", due - SignedDuration::from_hours(1), Vec::new());
        base.log.timers().schedule_in(&mut tx, &stuck).await.unwrap();
    }
    tx.commit().await.unwrap();
    assert_eq!(notes(&place.bench, &base).await, 0);
    place.bench.advance(86_400);
    until("the timer fires", async || notes(&place.bench, &base).await == 1).await;
    until("it is gone", async || {
        let due = base.log.timers().due(base.clock.now(), None, 100).await.unwrap();
        due.len() == 70 && due.iter().all(|timer| timer.kind == "stuck")
    })
    .await;
    assert_eq!(notes(&place.bench, &base).await, 1);
    server.stop().await.unwrap();
}

async fn notes(_bench: &Bench, base: &Base) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM note").fetch_one(&base.pool).await.unwrap()
}

/// The admin port's line of that metric; none while it is not told.
async fn told(admin: SocketAddr, metric: &str) -> Option<String> {
    let metrics = http_get(admin, "/metrics").await;
    let line = metrics.lines().find_map(|line| line.strip_prefix(metric));
    line.map(|figure| figure.trim().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_owed_is_told_by_kind_and_that_it_is_owed_no_more() {
    let place = Place::new("payments").await;
    let config = place.config("payments").await;
    let (server, base) = with_timers(&place, config, Arc::new(Note)).await;
    let (admin, obligations) = (server.listening.admin, base.log.obligations());
    // No other test owes it: the metrics are the process's.
    let owed = Obligation {
        kind: "a_note".to_owned(),
        key: "one".to_owned(),
        owner: "payments".to_owned(),
        due_at: base.clock.now() - SignedDuration::from_hours(1),
    };
    let mut tx = docket_database::begin(&base.pool).await.unwrap();
    obligations.open_in(&mut tx, &owed).await.unwrap();
    tx.commit().await.unwrap();
    let figures = ["docket_obligations_open{kind=\"a_note\"}", "docket_obligations_overdue{kind=\"a_note\"}"];
    for figure in figures {
        until(figure, async || told(admin, figure).await.as_deref() == Some("1")).await;
    }
    let mut tx = docket_database::begin(&base.pool).await.unwrap();
    assert!(obligations.close_in(&mut tx, "a_note", "one", 1).await.unwrap());
    tx.commit().await.unwrap();
    for figure in figures {
        until(figure, async || told(admin, figure).await.as_deref() == Some("0")).await;
    }
    server.stop().await.unwrap();
}

/// Notes what it is told to do, in that order; kinds can be made slow or to fail.
#[derive(Default)]
struct Moody {
    tried: Mutex<Vec<String>>,
    slow: AtomicBool,
    failing: AtomicBool,
}

impl Moody {
    fn tried(&self, key: &str) -> usize {
        self.tried.lock().unwrap().iter().filter(|tried| *tried == key).count()
    }
}

#[async_trait]
impl TimerHandler for Moody {
    async fn fire(&self, tx: &mut PgConnection, timer: &Timer) -> Result<(), ApplyError> {
        self.tried.lock().unwrap().push(timer.key.clone());
        while timer.kind == "slow" && self.slow.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_ne!(timer.kind, "panicking", "what was at hand");
        if timer.kind == "failing" && self.failing.load(Ordering::SeqCst) {
            return Err(ApplyError::Retry(anyhow::anyhow!("a peer is ill")));
        }
        Note.fire(tx, timer).await
    }

    async fn waits_for(&self, timer: &Timer) -> Result<Option<String>, ApplyError> {
        let waits = timer.kind == "waiting" && self.slow.load(Ordering::SeqCst);
        Ok(waits.then(|| "somebody else".to_owned()))
    }
}

/// Sets timers that are due now, one after the other.
async fn set(base: &Base, timers: &[(&str, &'static str)]) {
    let mut tx = docket_database::begin(&base.pool).await.unwrap();
    for ((key, kind), second) in timers.iter().zip(1..) {
        let due = base.clock.now() - SignedDuration::from_secs(100 - second);
        base.log.timers().schedule_in(&mut tx, &Timer::new(*key, *kind, due, Vec::new())).await.unwrap();
    }
    tx.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_timer_and_one_that_fails_hold_up_nothing_but_their_own_thing() {
    let place = Place::new("payments").await;
    let config = place.config("payments").await;
    let moody = Arc::new(Moody { slow: true.into(), failing: true.into(), ..Moody::default() });
    let (server, base) = with_timers(&place, config, moody.clone()).await;
    set(
        &base,
        &[
            ("first:a", "slow"),
            ("first:b", "failing"),
            ("first:c", "panicking"),
            ("first:d", "waiting"),
            ("then:a", "x"),
            ("then:b", "x"),
            ("then:d", "x"),
        ],
    )
    .await;
    until("they are tried", async || {
        ["first:a", "first:b", "first:c"].iter().all(|key| moody.tried(key) > 0)
    })
    .await;
    // Far more than are fired at once, and due later than all of those.
    let others: Vec<String> = (0..100).map(|number| format!("other:{number}")).collect();
    set(&base, &others.iter().map(|key| (key.as_str(), "x")).collect::<Vec<_>>()).await;
    let began = Instant::now();
    until("all others are done", async || notes(&place.bench, &base).await == 101).await;
    assert_eq!((moody.tried("first:d"), moody.tried("then:d")), (0, 1), "what waits lets others pass");
    // It steps back: at each look it would be twice a second.
    until("some seconds pass", async || began.elapsed() > Duration::from_secs(5)).await;
    assert!((2..=5).contains(&moody.tried("first:b")), "{} tries", moody.tried("first:b"));
    assert_eq!((moody.tried("first:a"), moody.tried("then:a"), moody.tried("then:b")), (1, 0, 0));

    moody.slow.store(false, Ordering::SeqCst);
    moody.failing.store(false, Ordering::SeqCst);
    until("all things go on", async || notes(&place.bench, &base).await == 106).await;
    let tried = moody.tried.lock().unwrap().clone();
    let last = |key: &str| tried.iter().rposition(|tried| tried == key).unwrap();
    assert!(last("first:a") < last("then:a") && last("first:b") < last("then:b"), "each thing in its order");
    assert_eq!(
        base.log.timers().due(base.clock.now(), None, 10).await.unwrap().len(),
        1,
        "all but the panic"
    );
    server.stop().await.unwrap();
}

/// A database that takes what is said and answers nothing: the timer is given up and fired on another connection.
#[tokio::test(flavor = "multi_thread")]
async fn a_timer_that_the_database_does_not_answer_is_fired_on_another_connection() {
    let place = Place::new("payments").await;
    let mut config = place.config("payments").await;
    let line = Line::to(&place.own.url).await;
    line.url().clone_into(&mut config.database.url);
    let (server, base) = with_timers(&place, config, Arc::new(Note)).await;
    line.silent_at("INSERT INTO note");
    set(&base, &[("one:a", "x")]).await;
    until("it goes unanswered", async || line.fell_silent()).await;
    let fired = async {
        let count = "SELECT count(*) FROM note";
        while sqlx::query_scalar::<_, i64>(count).fetch_one(&place.own.pool).await.unwrap() == 0 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(4 * docket_database::WORK, fired).await.expect("it is fired all the same");
    server.stop().await.unwrap();
}

/// The same for a task of a service's own, one of whose rounds is never answered.
#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_the_database_does_not_answer_goes_on_on_another_connection() {
    let place = Place::new("payments").await;
    let mut config = place.config("payments").await;
    let line = Line::to(&place.own.url).await;
    line.url().clone_into(&mut config.database.url);
    line.silent_at("INSERT INTO note");
    let serve = |config, stop| async move {
        let base = Base::connect(&config, options()).await?;
        let pool = base.pool.clone();
        let notes = move |stop| async move {
            let mut rounds = Rounds::every(Duration::from_millis(50), "no note can be taken");
            while rounds.go_on(&stop).await {
                rounds
                    .turn(async {
                        let note = "INSERT INTO note (id, text) VALUES (gen_random_uuid(), 'a round')";
                        sqlx::query(note).execute(&pool).await?;
                        Ok(())
                    })
                    .await;
            }
            Ok(())
        };
        Server::new(base).task("notes", notes).run(stop).await
    };
    let server = place.bench.serve(config, serve).await;
    until("it goes unanswered", async || line.fell_silent()).await;
    let goes_on = async {
        let count = "SELECT count(*) FROM note WHERE text = 'a round'";
        while sqlx::query_scalar::<_, i64>(count).fetch_one(&place.own.pool).await.unwrap() < 2 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(2 * docket_database::WORK, goes_on).await.expect("the next rounds are answered");
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_services_own_role_cannot_change_what_happened() {
    let place = Place::new("payments").await;
    let role = format!("app_{}", std::process::id());
    let statement = format!("CREATE ROLE {role} LOGIN PASSWORD 'of-the-test'");
    sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&place.own.pool).await.unwrap();
    let mut config = place.bench.config("payments", &place.own.url, Some(&place.keys.url), &place.nats.url);
    let password = config.data_dir.with_extension("password");
    std::fs::write(&password, "of-the-test\n").unwrap();
    let (_, server) = place.own.url.rsplit_once('@').unwrap();
    let (_, keys) = place.keys.url.rsplit_once('@').unwrap();
    config.database.url = format!("postgres://{role}@{server}");
    config.database.password_file = Some(password.clone());
    config.database.owner_url = Some(place.own.url.clone());
    let keys_config = config.keys_database.as_mut().unwrap();
    keys_config.url = format!("postgres://{role}@{keys}");
    keys_config.password_file = Some(password);
    keys_config.owner_url = Some(place.keys.url.clone());
    migrate(&config, &MIGRATOR).await.unwrap();
    migrate(&config, &MIGRATOR).await.unwrap();
    assert_eq!(lacking(&config, &MIGRATOR).await.unwrap(), None);

    let base = Base::connect(&config, options()).await.unwrap();
    append(&base, Uuid::from_u128(1)).await;
    sqlx::query("INSERT INTO note (id, text) VALUES ($1, 'x')")
        .bind(Uuid::nil())
        .execute(&base.pool)
        .await
        .unwrap();
    for forbidden in
        ["UPDATE log.event SET kind = 'x'", "DELETE FROM log.event", "TRUNCATE log.event", "DROP TABLE note"]
    {
        let refused = sqlx::query(sqlx::AssertSqlSafe(forbidden)).execute(&base.pool).await.unwrap_err();
        let code =
            refused.as_database_error().and_then(|error| error.code().map(std::borrow::Cow::into_owned));
        assert_eq!(code.as_deref(), Some("42501"), "{forbidden}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_without_a_database_of_keys_makes_its_own() {
    let place = Place::new("status").await;
    let config = place.bench.config("status-projection", &place.own.url, None, &place.nats.url);
    migrate(&config, &MIGRATOR).await.unwrap();
    let options = || BaseOptions::new("status-projection", "status", POLICIES, SCHEMA).unpublished();
    let first = Base::connect(&config, options()).await.unwrap();
    let second = Base::connect(&config, options()).await.unwrap();
    assert_eq!(first.vault.mac("test", b"x"), second.vault.mac("test", b"x"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_fails_ends_the_server_with_its_reason() {
    let place = Place::new("payments").await;
    let config = place.config("payments").await;
    let base = Base::connect(&config, options()).await.unwrap();
    let server = Server::new(base).task("doomed", |_stop| async { anyhow::bail!("as planned") });
    let outcome = server.run(docket_service::Stop::new()).await.unwrap_err();
    assert_eq!(format!("{outcome:#}"), "doomed: as planned");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_owner_of_a_log_does_not_say_is_not_known() {
    let place = Place::new("payments").await;
    let base = Base::connect(&place.config("payments").await, options()).await.unwrap();
    let heard = docket_service::Heard::of(&base, "filing");
    let stream = StreamName::of("response", Uuid::from_u128(1));
    let waits_for = heard.not_all_of(&stream, base.clock.now()).await.unwrap().unwrap();
    assert!(waits_for.starts_with("where the log filing ends is not known"), "{waits_for}");
}
