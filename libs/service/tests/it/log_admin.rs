//! The operator's face over the real port: who gets in, what is seen, what is found, and a file that proves itself.

use std::net::SocketAddr;
use std::time::Duration;

use docket_eventlog::{Context, Expected, StreamAppend, StreamName, Subjects};
use docket_kernel::{Actor, EventEnum};
use docket_proto::events::account::Event;
use docket_proto::events::subject;
use docket_proto::identity::events::v1::{AccountRegistered, RoleGranted, SubjectErased};
use docket_proto::log::v1 as pb;
use docket_proto::log::v1::log_admin_service_client::LogAdminServiceClient;
use docket_proto::log::v1::read_log_request::Start;
use docket_proto::log::v1::read_stream_request::AsOf;
use docket_proto::log::v1::subject_admin_service_client::SubjectAdminServiceClient;
use docket_proto::log::v1::verify_log_response::Step;
use docket_service::testing::{Running, grant_role, with_token};
use docket_service::{Base, BaseOptions, Import, Server, ServiceConfig};
use sqlx::{AssertSqlSafe, Executor as _, PgPool};
use tokio::sync::oneshot;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use crate::bench::{POLICIES, Place, SCHEMA, until};
use crate::life::http_get;

const ADDRESS: &str = "ana.personal@example.test";

type Client = LogAdminServiceClient<Channel>;

/// Identity with a log, and an operator.
pub(crate) struct World {
    pub(crate) place: Place,
    base: Base,
    server: Running,
    operator: Uuid,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::with(|_as_it_is| {}).await
    }

    /// With another configuration.
    pub(crate) async fn with(change: impl FnOnce(&mut ServiceConfig)) -> Self {
        let place = Place::new("identity").await;
        let mut config = place.config("identity").await;
        change(&mut config);
        let (sender, base) = oneshot::channel();
        let serve = |config, stop| async move {
            let base =
                Base::connect(&config, BaseOptions::new("identity", "identity", POLICIES, SCHEMA)).await?;
            sender.send(base.clone()).map_err(|_| anyhow::anyhow!("nobody waits"))?;
            Server::new(base).run(stop).await
        };
        let server = place.bench.serve(config, serve).await;
        let base = base.await.unwrap();
        let operator = Uuid::from_u128(77);
        grant_role(&base.pool, operator, "operator", "NBC").await;
        Self { place, base, server, operator }
    }

    pub(crate) fn pool(&self) -> &PgPool {
        &self.base.pool
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.listening.grpc
    }

    /// The token of another operator.
    pub(crate) async fn another_operator(&self) -> String {
        let operator = Uuid::from_u128(78);
        grant_role(&self.base.pool, operator, "operator", "NBC").await;
        self.place.bench.token(operator)
    }

    pub(crate) fn client(&self) -> Client {
        LogAdminServiceClient::new(self.server.channel())
    }

    pub(crate) fn ask<M>(&self, message: M) -> Request<M> {
        with_token(message, &self.place.bench.token(self.operator))
    }

    pub(crate) fn stepped_up<M>(&self, message: M) -> Request<M> {
        with_token(message, &self.place.bench.step_up_token(self.operator))
    }

    /// Waits until the consumer of the log has got so far.
    async fn is_read_up_to(&self, position: i64) {
        let read = "SELECT coalesce(min(position), 0) FROM log.consumer_checkpoint WHERE log = 'identity'";
        until("it is read", async || {
            sqlx::query_scalar::<_, i64>(read).fetch_one(&self.base.pool).await.unwrap() >= position
        })
        .await;
    }

    /// Takes the event at a position out of the log; whether no checkpoint has it.
    async fn take_away(&self, position: i64) -> bool {
        let mut connection = self.base.pool.acquire().await.unwrap();
        connection.execute("SET session_replication_role = replica").await.unwrap();
        let taken = sqlx::query("DELETE FROM log.event WHERE position = $1").bind(position);
        assert_eq!(taken.execute(&mut *connection).await.unwrap().rows_affected(), 1);
        connection.execute("SET session_replication_role = origin").await.unwrap();
        let signed = "SELECT coalesce(max(size), 0) FROM log.checkpoint_signed WHERE log = 'identity'";
        sqlx::query_scalar::<_, i64>(signed).fetch_one(&mut *connection).await.unwrap() < position
    }

    /// Somebody is given roles, so many in one append.
    async fn grant_often(&self, account: Uuid, times: usize) {
        let granted = RoleGranted { role: "finance".into(), office: "NBC".into(), ..Default::default() };
        let events = vec![Event::from(granted); times];
        let stream = StreamName::of(Event::CATEGORY, account);
        let append = StreamAppend::of(stream, Expected::Any, Subjects::NONE, &events);
        self.base.log.append(context(account).append(&self.base.log, vec![append])).await.unwrap();
    }

    /// Somebody registers, and is given a role: two events of one stream, the first with a sealed address.
    pub(crate) async fn register(&self, account: Uuid) {
        let registered =
            AccountRegistered { email: ADDRESS.into(), language: "es".into(), ..Default::default() };
        let granted = RoleGranted { role: "finance".into(), office: "NBC".into(), ..Default::default() };
        let stream = StreamName::of(Event::CATEGORY, account);
        let events = [Event::from(registered), Event::from(granted)];
        let append = StreamAppend::of(stream, Expected::Version(0), Subjects::account(account), &events);
        let context = context(account);
        self.base.log.append(context.append(&self.base.log, vec![append])).await.unwrap();
    }

    /// Identity has destroyed its own key of a subject, and orders the same of every other service.
    pub(crate) async fn order_erasure(&self, request: Uuid, subject: &str) {
        let ordered = SubjectErased {
            subject: subject.to_owned(),
            reason: "asked".into(),
            legal_basis: "gdpr.17".into(),
            asked_by: Actor::account(account(97)).to_string(),
            approved_by: Actor::account(account(98)).to_string(),
            ..Default::default()
        };
        let stream = StreamName::of(subject::Event::CATEGORY, request);
        let events = [subject::Event::from(ordered)];
        let append = StreamAppend::of(stream, Expected::Any, Subjects::NONE, &events);
        self.base.log.append(context(account(98)).append(&self.base.log, vec![append])).await.unwrap();
    }

    async fn read(&self, ask: pb::ReadLogRequest) -> Vec<pb::LogEvent> {
        let mut batches = self.client().read_log(self.ask(ask)).await.unwrap().into_inner();
        let mut events = Vec::new();
        while let Some(batch) = batches.message().await.unwrap() {
            events.extend(batch.events);
        }
        events
    }

    pub(crate) async fn verify(&self, ask: pb::VerifyLogRequest) -> pb::VerifyResult {
        let mut steps = self.client().verify_log(self.ask(ask)).await.unwrap().into_inner();
        let mut last = None;
        while let Some(step) = steps.message().await.unwrap() {
            last = step.step;
        }
        let Some(Step::Result(result)) = last else { panic!("no result at the end") };
        result
    }

    pub(crate) async fn export(&self, stream: &str) -> Result<Vec<pb::ExportRecord>, Status> {
        let ask = self.stepped_up(pb::ExportLogRequest { stream: stream.to_owned() });
        let mut batches = self.client().export_log(ask).await?.into_inner();
        let mut records = Vec::new();
        while let Some(batch) = batches.message().await? {
            records.extend(batch.records);
        }
        Ok(records)
    }
}

/// A command of theirs.
fn context(account: Uuid) -> Context {
    Context {
        command_id: Uuid::new_v4(),
        correlation_id: Uuid::new_v4(),
        causation_id: None,
        actor: Actor::account(account),
        on_behalf_of: None,
        auth_level: 2,
        traceparent: String::new(),
        request: Vec::new(),
    }
}

fn positions(events: &[pb::LogEvent]) -> Vec<u64> {
    events.iter().map(|event| event.position).collect()
}

pub(crate) fn account(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

#[tokio::test(flavor = "multi_thread")]
async fn only_operators_get_in_and_what_changes_something_asks_for_a_fresh_second_factor() {
    let world = World::start().await;
    let mut client = world.client();
    let nobody = client.get_log_stats(pb::GetLogStatsRequest {}).await.unwrap_err();
    assert_eq!(nobody.code(), Code::Unauthenticated);
    let officer = account(5);
    grant_role(&world.base.pool, officer, "adjudicator", "NBC").await;
    for person in [account(6), officer] {
        let ask = with_token(pb::GetLogStatsRequest {}, &world.place.bench.step_up_token(person));
        assert_eq!(client.get_log_stats(ask).await.unwrap_err().code(), Code::PermissionDenied);
    }
    let mut service = LogAdminServiceClient::new(world.server.channel_as(&world.place.bench, "filing"));
    let refused = service.get_log_stats(pb::GetLogStatsRequest {}).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated, "this face is for persons");
    client.get_log_stats(world.ask(pb::GetLogStatsRequest {})).await.unwrap();
    let reason = |status: &Status| status.get_details_error_info().unwrap().reason;
    let refused = client.redrive_parked(world.ask(pb::RedriveParkedRequest::default())).await.unwrap_err();
    assert_eq!(reason(&refused), "STEP_UP_REQUIRED");
    let refused = client.export_log(world.ask(pb::ExportLogRequest::default())).await.unwrap_err();
    assert_eq!(reason(&refused), "STEP_UP_REQUIRED");
    let done = client.redrive_parked(world.stepped_up(pb::RedriveParkedRequest::default())).await.unwrap();
    assert_eq!((done.get_ref().applied, done.get_ref().still_parked), (0, 0));
    let unread = pb::RedriveParkedRequest { log: "payments".into(), stream: String::new() };
    let refused = client.redrive_parked(world.stepped_up(unread)).await.unwrap_err();
    assert_eq!(reason(&refused), "LOG_NOT_READ");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_shown_decoded_and_its_sealed_fields_as_sealed() {
    let world = World::start().await;
    world.register(account(1)).await;
    let ask = world.ask(pb::GetEventRequest { position: 1 });
    let event = world.client().get_event(ask).await.unwrap().into_inner().event.unwrap();
    let payload: serde_json::Value = serde_json::from_str(&event.payload_json).unwrap();
    let whose = format!("account:{}", account(1));
    assert_eq!(payload["email"], format!("sealed:{whose}"));
    assert_eq!(payload["language"], "es");
    assert_eq!(event.sealed_for, [whose]);
    assert_eq!((event.kind.as_str(), event.version), ("account.registered.v1", 1));
    let metadata = event.metadata.clone().unwrap();
    assert_eq!((metadata.actor, metadata.auth_level), (format!("account:{}", account(1)), 2));
    assert!(!format!("{event:?}").contains(ADDRESS));
    // The second event has nothing sealed.
    let ask = world.ask(pb::GetEventRequest { position: 2 });
    let event = world.client().get_event(ask).await.unwrap().into_inner().event.unwrap();
    let payload: serde_json::Value = serde_json::from_str(&event.payload_json).unwrap();
    assert_eq!((payload["role"].as_str(), event.sealed_for.len()), (Some("finance"), 0));
    for (position, code) in [(0, Code::InvalidArgument), (3, Code::NotFound)] {
        let ask = world.ask(pb::GetEventRequest { position });
        assert_eq!(world.client().get_event(ask).await.unwrap_err().code(), code);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_read_from_anywhere_filtered_and_live() {
    let world = World::start().await;
    for n in 1..=4 {
        world.register(account(n)).await;
    }
    let all = world.read(pb::ReadLogRequest::default()).await;
    assert_eq!(positions(&all), [1, 2, 3, 4, 5, 6, 7, 8]);
    let last = |count| Some(Start::Last(count));
    let some = world.read(pb::ReadLogRequest { start: last(3), ..Default::default() }).await;
    assert_eq!(positions(&some), [6, 7, 8]);
    let kind = "account.registered.v1".to_owned();
    let some =
        world.read(pb::ReadLogRequest { start: last(2), kind: kind.clone(), ..Default::default() }).await;
    assert_eq!(positions(&some), [5, 7]);
    let after = Some(Start::AfterPosition(1));
    let some = world
        .read(pb::ReadLogRequest { start: after, kind: kind.clone(), limit: 2, ..Default::default() })
        .await;
    assert_eq!(positions(&some), [3, 5]);
    let stream = StreamName::of("account", account(3)).to_string();
    for start in [last(1), Some(Start::AfterPosition(5))] {
        let some =
            world.read(pb::ReadLogRequest { start, stream: stream.clone(), ..Default::default() }).await;
        assert_eq!(positions(&some), [6]);
    }
    let none = world.read(pb::ReadLogRequest { category: "email".into(), ..Default::default() }).await;
    assert!(none.is_empty());

    // Live: what comes later is told, filtered, until the server stops.
    let follow = pb::ReadLogRequest { start: last(1), follow: true, kind, ..Default::default() };
    let mut live = world.client().read_log(world.ask(follow)).await.unwrap().into_inner();
    assert_eq!(positions(&live.message().await.unwrap().unwrap().events), [7]);
    world.register(account(5)).await;
    let next = tokio::time::timeout(Duration::from_secs(10), live.message()).await.unwrap();
    assert_eq!(positions(&next.unwrap().unwrap().events), [9]);

    // Whoever has seen more than the log has is told so, and does not wait for it to get there.
    let beyond = |follow| {
        let start = Some(Start::AfterPosition(1_000));
        world.ask(pb::ReadLogRequest { start, follow, ..Default::default() })
    };
    let mut read = world.client().read_log(beyond(false)).await.unwrap().into_inner();
    assert!(read.message().await.unwrap().unwrap().events.is_empty());
    assert!(read.message().await.unwrap().is_none());
    let mut followed = world.client().read_log(beyond(true)).await.unwrap().into_inner();
    assert!(followed.message().await.unwrap().unwrap().events.is_empty());
    let refused = followed.message().await.unwrap_err().get_details_error_info().unwrap();
    assert_eq!((refused.reason.as_str(), refused.metadata["end"].as_str()), ("LOG_RESTORED", "10"));
    world.server.stop().await.unwrap();
    assert!(live.message().await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_read_both_ways_and_as_it_was() {
    let world = World::start().await;
    world.register(account(1)).await;
    world.register(account(2)).await;
    let name = StreamName::of("account", account(2)).to_string();
    let ask = |ask: pb::ReadStreamRequest| {
        let (request, mut client) = (world.ask(ask), world.client());
        async move {
            let mut batches = client.read_stream(request).await?.into_inner();
            let mut versions = Vec::new();
            while let Some(batch) = batches.message().await? {
                versions.extend(batch.events.iter().map(|event| event.version));
            }
            Ok::<_, Status>(versions)
        }
    };
    let of = |stream: &str| pb::ReadStreamRequest { stream: stream.to_owned(), ..Default::default() };
    assert_eq!(ask(of(&name)).await.unwrap(), [1, 2]);
    assert_eq!(ask(pb::ReadStreamRequest { backwards: true, ..of(&name) }).await.unwrap(), [2, 1]);
    assert_eq!(ask(pb::ReadStreamRequest { backwards: true, limit: 1, ..of(&name) }).await.unwrap(), [2]);
    assert_eq!(ask(pb::ReadStreamRequest { from_version: 2, ..of(&name) }).await.unwrap(), [2]);
    let as_of = |as_of| pb::ReadStreamRequest { as_of: Some(as_of), ..of(&name) };
    assert_eq!(ask(as_of(AsOf::AsOfPosition(3))).await.unwrap(), [1]);
    assert_eq!(ask(as_of(AsOf::AsOfPosition(2))).await.unwrap_err().code(), Code::NotFound);
    let all = world.read(pb::ReadLogRequest::default()).await;
    assert_eq!(ask(as_of(AsOf::AsOfUs(all[3].recorded_at_us))).await.unwrap(), [1, 2]);
    assert_eq!(ask(as_of(AsOf::AsOfUs(all[0].recorded_at_us - 1))).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(ask(of("No Stream")).await.unwrap_err().code(), Code::InvalidArgument);
    assert_eq!(ask(of("account-nobody")).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_changed_is_named_by_the_check() {
    let world = World::start().await;
    for n in 1..=3 {
        world.register(account(n)).await;
    }
    let sound = world.verify(pb::VerifyLogRequest::default()).await;
    assert_eq!((sound.sound, sound.from, sound.to), (true, 1, 6));
    let stream = StreamName::of("account", account(2)).to_string();
    let of_stream = || pb::VerifyLogRequest { stream: stream.clone(), ..Default::default() };
    let sound = world.verify(of_stream()).await;
    assert_eq!((sound.sound, sound.to), (true, 2));
    let missing = pb::VerifyLogRequest { stream: "account-nobody".into(), ..Default::default() };
    assert_eq!(world.client().verify_log(world.ask(missing)).await.unwrap_err().code(), Code::NotFound);

    let owner = &world.place.own.pool;
    let mut connection = owner.acquire().await.unwrap();
    connection.execute("SET session_replication_role = replica").await.unwrap();
    connection
        .execute("UPDATE log.event SET recorded_at_us = recorded_at_us + 1 WHERE position = 4")
        .await
        .unwrap();
    for ask in [pb::VerifyLogRequest::default(), of_stream()] {
        let found = world.verify(ask).await;
        assert_eq!((found.sound, found.broken_position), (false, 4), "{found:?}");
        assert!(found.fault.contains("changed"), "{found:?}");
    }
    // Bytes that cannot be read are a fault like any other, with a place; and the rest is told.
    connection.execute("UPDATE log.event SET metadata = '\\xff' WHERE position = 3").await.unwrap();
    for ask in [pb::VerifyLogRequest::default(), of_stream()] {
        let found = world.verify(ask).await;
        assert_eq!((found.broken_position, found.broken_version, found.faults), (3, 1, 2), "{found:?}");
        assert_eq!(found.broken_stream, stream);
        assert!(found.fault.contains("metadata") && !found.broken_event_id.is_empty(), "{found:?}");
        let further = &found.further[0];
        assert_eq!((further.position, further.version, &further.stream), (4, 2, &stream), "{found:?}");
        assert!(further.fault.contains("changed") && found.to >= 2, "{found:?}");
    }
    connection
        .execute("UPDATE log.event SET metadata = (SELECT metadata FROM log.event WHERE position = 4) WHERE position = 3")
        .await
        .unwrap();
    // A tail that was cut off shows in the stream's own guard.
    connection
        .execute("UPDATE log.event SET recorded_at_us = recorded_at_us - 1 WHERE position = 4")
        .await
        .unwrap();
    connection.execute("DELETE FROM log.event WHERE position = 4").await.unwrap();
    let found = world.verify(of_stream()).await;
    assert!(!found.sound && found.fault.contains("head"), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_figures_and_the_relay_are_told() {
    let world = World::start().await;
    world.register(account(1)).await;
    world.register(account(2)).await;
    let relay = async || {
        world.client().get_relay_status(world.ask(pb::GetRelayStatusRequest {})).await.unwrap().into_inner()
    };
    until("the relay has published", async || relay().await.last_sequence == 4).await;
    let published = relay().await;
    assert_eq!((published.head, published.first_sequence, published.messages), (4, 1, 4));
    assert_eq!((published.stream_epoch, published.epoch), (1, 1));
    assert_eq!(published.holder.unwrap().application, "identity");
    let figures = async || {
        world.client().get_log_stats(world.ask(pb::GetLogStatsRequest {})).await.unwrap().into_inner()
    };
    // It reads its own log, for the roles.
    until("the consumer has come up", async || {
        figures().await.consumers.first().is_some_and(|consumer| consumer.position > 0)
    })
    .await;
    let stats = figures().await;
    assert_eq!((stats.log.as_str(), stats.head, stats.streams, stats.commands), ("identity", 4, 2, 2));
    let kinds: Vec<_> = stats.kinds.iter().map(|kind| (kind.kind.as_str(), kind.events)).collect();
    assert_eq!(kinds, [("account.registered.v1", 2), ("account.role_granted.v1", 2)]);
    assert_eq!(stats.epoch.unwrap().number, 1);
    assert!(stats.tables.iter().any(|table| table.table == "event" && table.bytes > 0));
    assert_eq!((stats.consumers[0].log.as_str(), stats.consumers[0].head), ("identity", Some(4)));
    assert_eq!((stats.timers, stats.parked_streams), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_of_which_an_event_was_taken_is_served_and_signed_no_more() {
    let world = World::start().await;
    let admin = world.server.listening.admin;
    assert!(!http_get(admin, "/metrics").await.contains("docket_checkpoints_halted"));
    // As a superuser who switches the triggers off. Where a checkpoint was signed just before, the next last event goes too.
    for last in (2..).step_by(2) {
        world.register(account(last)).await;
        let last = i64::try_from(last).unwrap();
        world.is_read_up_to(last).await;
        if world.take_away(last).await {
            break;
        }
    }
    // As many events as are signed without waiting.
    world.grant_often(account(2_000), 1_000).await;
    until("it is told", async || http_get(admin, "/metrics").await.contains("docket_checkpoints_halted"))
        .await;
    assert_eq!(world.verify(pb::VerifyLogRequest::default()).await.broken_position, 2);
    world.register(account(3_000)).await;
    world.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_many_pages_is_read_and_exported_whole() {
    let world = World::start().await;
    let stream = StreamName::of("account", account(1)).to_string();
    // Two pages and a little; others between.
    world.grant_often(account(1), 600).await;
    world.register(account(2)).await;
    world.grant_often(account(1), 500).await;
    let by_name: Vec<u64> = (1..=600).chain(603..=1_102).collect();
    let read = async |start| {
        let ask = pb::ReadLogRequest { start, stream: stream.clone(), ..Default::default() };
        positions(&world.read(ask).await)
    };
    assert_eq!(read(None).await, by_name);
    assert_eq!(read(Some(Start::AfterPosition(601))).await, by_name[600..]);
    assert_eq!(read(Some(Start::Last(1_050))).await, by_name[50..]);
    for as_many in [1_100, 1_101, u64::MAX] {
        assert_eq!(read(Some(Start::Last(as_many))).await, by_name);
    }
    assert!(read(Some(Start::Last(0))).await.is_empty());
    let all =
        world.read(pb::ReadLogRequest { start: Some(Start::Last(u64::MAX)), ..Default::default() }).await;
    assert_eq!(positions(&all), (1..=1_102).collect::<Vec<_>>());
    let all = world.read(pb::ReadLogRequest { start: Some(Start::Last(700)), ..Default::default() }).await;
    assert_eq!(positions(&all), (403..=1_102).collect::<Vec<_>>());
    // With header and end.
    assert_eq!(world.export(&stream).await.unwrap().len(), 1_100 + 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_stream_is_shown_with_the_event_that_stopped_it() {
    let world = World::start().await;
    world.register(account(1)).await;
    let stream = StreamName::of("account", account(1)).to_string();
    // A consumer drives parked streams again when it begins: only then can one be planted.
    world.is_read_up_to(1).await;
    // As the consumer would park it.
    let park = async || {
        for (position, reason) in
            [(1_i64, "it cannot be folded"), (2, "behind an earlier event of its stream")]
        {
            sqlx::query("INSERT INTO log.parked VALUES ('identity', 'identity', $1, $2, $3, $2)")
                .bind(&stream)
                .bind(position)
                .bind(reason)
                .execute(&world.base.pool)
                .await
                .unwrap();
        }
    };
    park().await;
    let list = async || {
        let answer = world.client().list_parked(world.ask(pb::ListParkedRequest {})).await.unwrap();
        answer.into_inner().streams
    };
    let parked = list().await;
    assert_eq!(parked.len(), 1);
    assert_eq!(
        (parked[0].position, parked[0].waiting, parked[0].reason.as_str()),
        (1, 2, "it cannot be folded")
    );
    let ask =
        |stream: &str| world.ask(pb::GetParkedRequest { log: "identity".into(), stream: stream.into() });
    let shown = world.client().get_parked(ask(&stream)).await.unwrap().into_inner();
    assert_eq!(shown.positions.len(), 2);
    assert_eq!(shown.event.unwrap().kind, "account.registered.v1");
    assert_eq!(world.client().get_parked(ask("account-other")).await.unwrap_err().code(), Code::NotFound);
    // What stood in the way is gone: both are applied, in order, and the role is there.
    let redrive = async || {
        let ask = pb::RedriveParkedRequest { log: "identity".into(), stream: stream.clone() };
        let done = world.client().redrive_parked(world.stepped_up(ask)).await.unwrap().into_inner();
        (done.applied, done.still_parked)
    };
    assert_eq!(redrive().await, (2, 0));
    assert!(list().await.is_empty());
    // Parked again. The first of them can be given up, with a fresh second factor and a reason; no other can.
    park().await;
    let skip = |position: u64, reason: &str| {
        let (log, stream, reason) = ("identity".to_owned(), stream.clone(), reason.to_owned());
        pb::SkipParkedRequest { log, stream, position, reason }
    };
    let reason = |status: Status| status.get_details_error_info().unwrap().reason;
    for (ask, wrong) in [
        (world.ask(skip(1, "a drill")), "STEP_UP_REQUIRED"),
        (world.stepped_up(skip(2, "a drill")), "NOT_FIRST_PARKED"),
        (world.stepped_up(skip(1, " ")), "REASON_MISSING"),
    ] {
        assert_eq!(reason(world.client().skip_parked(ask).await.unwrap_err()), wrong);
    }
    assert_eq!(list().await[0].waiting, 2, "a refusal changes nothing");
    let done = world.client().skip_parked(world.stepped_up(skip(1, "a drill"))).await.unwrap().into_inner();
    assert_eq!(done.waiting, 1);
    let skipped = world.client().list_skipped(world.ask(pb::ListSkippedRequest {})).await.unwrap();
    let skipped = &skipped.get_ref().events[0];
    assert_eq!((skipped.position, skipped.parked_reason.as_str()), (1, "it cannot be folded"));
    assert_eq!((skipped.reason.as_str(), skipped.skipped_by.is_empty()), ("a drill", false));
    // What waits behind it is applied by the next redrive.
    assert_eq!(redrive().await, (1, 0));
    assert!(list().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exported_log_proves_itself_and_is_put_into_an_empty_one() {
    let world = World::start().await;
    for n in 1..=40 {
        world.register(account(n)).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, records: &[pb::ExportRecord]| {
        let path = folder.path().join(name);
        let bytes: Vec<u8> =
            records.iter().flat_map(prost::Message::encode_length_delimited_to_vec).collect();
        std::fs::write(&path, bytes).unwrap();
        path.display().to_string()
    };
    let whole = world.export("").await.unwrap();
    assert_eq!(whole.len(), 82);
    let (log, stream) = (write("log", &whole), StreamName::of("account", account(7)).to_string());
    let one = write("stream", &world.export(&stream).await.unwrap());
    assert_eq!(world.export("account-nobody").await.unwrap_err().code(), Code::NotFound);
    assert!(import(&log, None, None).await.contains("80 events of the log identity, as they were written"));
    assert!(import(&one, None, None).await.contains(&format!("2 events of {stream}")));

    // Whatever is changed, left out, or added is found.
    let mut changed = whole.clone();
    if let Some(pb::export_record::Record::Event(event)) = &mut changed[5].record {
        event.kind = "account.closed.v1".into();
    }
    assert!(import(&write("changed", &changed), None, None).await.contains("position 5"));
    let without = |at: usize| [&whole[..at], &whole[at + 1..]].concat();
    assert!(
        import(&write("without", &without(5)), None, None).await.contains("position 5: the event is missing")
    );
    let mut cut = without(80);
    assert!(import(&write("tail", &cut), None, None).await.contains("79 events, and the end says 80"));
    if let Some(pb::export_record::Record::End(end)) = &mut cut[80].record {
        end.events = 79;
    }
    assert!(import(&write("tail", &cut), None, None).await.contains("not those that were signed"));
    assert!(import(&write("half", &whole[..40]), None, None).await.contains("cut off"));
    let other = "00".repeat(32);
    assert!(import(&log, None, Some(&other)).await.contains("another key"));

    // Into the empty log of a database; the service can then verify what stands there.
    let empty = docket_testkit::database("empty").await;
    assert!(import(&one, Some(&empty.url), None).await.contains("only a whole log"));
    assert!(
        import(&write("tail", &cut), Some(&empty.url), None).await.contains("not those that were signed")
    );
    let count = "SELECT count(*) FROM log.event";
    assert_eq!(
        sqlx::query_scalar::<_, i64>(count).fetch_one(&empty.pool).await.unwrap(),
        0,
        "all or nothing"
    );
    // Nor where a service has opened the log, though nothing is in it yet.
    let opened = World::start().await;
    let refused = import(&log, Some(&opened.place.own.url), None).await;
    assert!(refused.contains("was opened before") && refused.contains("name a database"), "{refused}");
    assert!(import(&log, Some(&empty.url), None).await.contains("80 events"));
    let same =
        "SELECT encode(sha256(string_agg(e::text, '' ORDER BY position)::bytea), 'hex') FROM log.event e";
    let hash =
        async |pool| sqlx::query_scalar::<_, String>(AssertSqlSafe(same)).fetch_one(pool).await.unwrap();
    assert_eq!(hash(&empty.pool).await, hash(&world.place.own.pool).await);
    let guards =
        "SELECT encode(sha256(string_agg(s::text, '' ORDER BY name)::bytea), 'hex') FROM log.stream s";
    let guards =
        async |pool| sqlx::query_scalar::<_, String>(AssertSqlSafe(guards)).fetch_one(pool).await.unwrap();
    assert_eq!(guards(&empty.pool).await, guards(&world.place.own.pool).await);
    let commands = "SELECT string_agg(concat_ws(' ', actor, command_id, first_position, last_position), ','
                           ORDER BY first_position) FROM log.command";
    let commands = async |pool| sqlx::query_scalar::<_, String>(commands).fetch_one(pool).await.unwrap();
    assert_eq!(commands(&empty.pool).await, commands(&world.place.own.pool).await);
    assert!(import(&log, Some(&empty.url), None).await.contains("not empty"));
}

/// Who can take the log back can take its checkpoints back too, but not those that were kept elsewhere.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_signed_once_must_still_be_there() {
    let world = World::start().await;
    for n in 1..=3 {
        world.register(account(n)).await;
    }
    let Some(pb::export_record::Record::End(end)) = world.export("").await.unwrap().pop().unwrap().record
    else {
        panic!("an export ends with its end")
    };
    let kept = pb::KeptCheckpoint { log: "identity".into(), checkpoint: end.checkpoint };
    let against = |kept: &pb::KeptCheckpoint| pb::VerifyLogRequest {
        from_position: u64::MAX,
        kept: vec![kept.clone()],
        ..Default::default()
    };
    let sound = world.verify(against(&kept)).await;
    assert_eq!((sound.sound, sound.to, sound.protected_to), (true, 6, 6));

    // What is no checkpoint of this log is said to be none; nothing is found wrong with the log.
    let mut cut = kept.clone();
    cut.checkpoint.as_mut().unwrap().root = vec![1; 31].into();
    let of_stream =
        pb::VerifyLogRequest { stream: StreamName::of("account", account(1)).to_string(), ..against(&kept) };
    for (ask, wrong) in [
        (against(&pb::KeptCheckpoint { log: "cases-0".into(), ..kept.clone() }), "CHECKPOINT_OF_ANOTHER_LOG"),
        (against(&cut), "CHECKPOINT_MALFORMED"),
        (of_stream, "KEPT_WITH_A_STREAM"),
    ] {
        let refused = world.client().verify_log(world.ask(ask)).await.unwrap_err();
        assert_eq!(refused.get_details_error_info().unwrap().reason, wrong);
    }

    let back = "SET session_replication_role = replica;
        DELETE FROM log.event WHERE position > 4; DELETE FROM log.command WHERE last_position > 4;
        DELETE FROM log.stream WHERE last_position > 4; DELETE FROM log.checkpoint_signed;
        UPDATE log.head SET position = 4; SET session_replication_role = origin";
    world.place.own.pool.acquire().await.unwrap().execute(back).await.unwrap();
    assert!(world.verify(pb::VerifyLogRequest::default()).await.sound, "the database alone does not know");
    let found = world.verify(against(&kept)).await;
    assert_eq!((found.sound, found.broken_position), (false, 5), "{found:?}");
    assert!(found.fault.contains("signed are gone"), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_operators_erase_what_no_hold_protects_and_the_log_stays_sound() {
    let world = World::start().await;
    world.register(account(1)).await;
    let second = account(78);
    grant_role(&world.base.pool, second, "operator", "NBC").await;
    let by_second = |message| with_token(message, &world.place.bench.step_up_token(second));
    let mut client = SubjectAdminServiceClient::new(world.server.channel());
    let subject = format!("account:{}", account(1));
    let reason = |status: &Status| status.get_details_error_info().unwrap().reason;
    let (why, basis) = ("asked".to_owned(), "gdpr.17".to_owned());
    let ask = || pb::RequestErasureRequest {
        subject: subject.clone(),
        reason: why.clone(),
        legal_basis: basis.clone(),
    };

    let refused = client.request_erasure(world.ask(ask())).await.unwrap_err();
    assert_eq!(reason(&refused), "STEP_UP_REQUIRED");
    let hold = pb::HoldSubjectRequest { subject: subject.clone(), reason: "court-order".into() };
    client.hold_subject(world.stepped_up(hold)).await.unwrap();
    assert_eq!(reason(&client.request_erasure(world.stepped_up(ask())).await.unwrap_err()), "LEGAL_HOLD");
    let release = pb::ReleaseSubjectRequest {
        subject: subject.clone(),
        reason: "court-order".into(),
        why: "lifted".into(),
    };
    assert!(client.release_subject(world.stepped_up(release)).await.unwrap().into_inner().released);
    let words = pb::RequestErasureRequest { reason: "Because she asked".into(), ..ask() };
    assert_eq!(
        client.request_erasure(world.stepped_up(words)).await.unwrap_err().code(),
        Code::InvalidArgument
    );

    let request =
        client.request_erasure(world.stepped_up(ask())).await.unwrap().into_inner().request.unwrap();
    let approve = || pb::ApproveErasureRequest { request: request.id.clone() };
    assert_eq!(reason(&client.approve_erasure(world.stepped_up(approve())).await.unwrap_err()), "FOUR_EYES");
    // However many were closed since: each draft that ends is erased by a rule.
    let closed = "INSERT INTO vault.erasure_request
                      (id, subject, reason, legal_basis, asked_by, asked_at_us, cancelled_by, cancelled_at_us)
                  SELECT gen_random_uuid(), 'filing:' || gen_random_uuid(), 'expired', 'rule', 'machine:retention',
                         asked_at_us + n, 'machine:retention', asked_at_us + n
                  FROM vault.erasure_request, generate_series(1, 1000) AS n";
    world.place.keys.pool.execute(closed).await.unwrap();
    let open = client.list_erasure_requests(world.ask(pb::ListErasureRequestsRequest {})).await.unwrap();
    assert_eq!(open.into_inner().requests, std::slice::from_ref(&request));
    let signed =
        client.approve_erasure(by_second(approve())).await.unwrap().into_inner().certificate.unwrap();
    assert!(signed.statement.contains(&subject) && signed.signature.len() == 64);
    let get = world.ask(pb::GetSubjectRequest { subject: subject.clone() });
    let stands = client.get_subject(get).await.unwrap().into_inner();
    assert_eq!((stands.requests[0].state.as_str(), stands.certificate), ("executed", Some(signed)));
    assert_eq!(stands.holds[0].released_why, "lifted");

    // The event is shown as before, what was sealed for her cannot be opened, and the chain is whole.
    let event = world.read(pb::ReadLogRequest { limit: 1, ..Default::default() }).await.remove(0);
    assert_eq!(event.sealed_for, [subject]);
    assert!(world.verify(pb::VerifyLogRequest::default()).await.sound);
}

/// What the import of a file says, or what it found wrong; the same with the ends of next to no streams in mind.
async fn import(file: &str, database: Option<&str>, public_key: Option<&str>) -> String {
    let import = Import {
        file: file.into(),
        database: database.map(str::to_owned),
        public_key: public_key.map(str::to_owned),
    };
    let words = |said: anyhow::Result<String>| said.unwrap_or_else(|error| format!("{error:#}"));
    let forgetful = words(import.run_within(3).await);
    if database.is_none() {
        assert_eq!(forgetful, words(import.run().await));
    }
    forgetful
}
