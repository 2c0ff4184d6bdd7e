//! An erasure in all services: ordered when two operators decided it here, completed when every service has answered.

use docket_proto::identity::v1 as pb;
use docket_proto::identity::v1::erasure_service_client::ErasureServiceClient;
use docket_proto::log::v1 as log;
use docket_proto::log::v1::log_admin_service_client::LogAdminServiceClient;
use docket_proto::log::v1::subject_admin_service_client::SubjectAdminServiceClient;
use docket_service::testing::with_token;
use docket_vault::{Completion, Statement};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::roles::{invite, redeem};
use crate::world::{Member, World, eventually, id, refused};

const OTHERS: [&str; 4] = ["case-status", "filing", "notifications", "payments"];

/// An operator's token with a fresh second factor.
pub(crate) async fn operator(world: &World, name: &str) -> String {
    let member = world.join(&format!("{name}@example.com")).await;
    let token = world.sign_in(&member).await.access_token;
    redeem(world, &token, &invite(world, "operator", "NBC").await, &id()).await.unwrap();
    eventually("the role in the projection", async || {
        let message = with_token(log::ListErasureRequestsRequest {}, &token);
        subjects(world).list_erasure_requests(message).await.ok()
    })
    .await;
    world.stepped_up(&member, &token).await
}

pub(crate) fn subjects(world: &World) -> SubjectAdminServiceClient<tonic::transport::Channel> {
    SubjectAdminServiceClient::new(world.running.channel())
}

async fn get(world: &World, token: &str, request: &str) -> Result<pb::GetErasureResponse, Status> {
    let message = with_token(pb::GetErasureRequest { request: request.to_owned() }, token);
    Ok(ErasureServiceClient::new(world.running.channel()).get_erasure(message).await?.into_inner())
}

/// A service answers with a certificate that says so of `subject`.
async fn answer(world: &World, caller: &str, says: &str, subject: &str, request: &str) -> Result<(), Status> {
    let statement = Statement {
        request: request.parse().unwrap(),
        service: says.to_owned(),
        subject: subject.to_owned(),
        keys: vec![Uuid::from_u128(1)],
        erased_at: "2026-06-01T15:00:01Z".parse().unwrap(),
        asked_by: "account:1".to_owned(),
        asked_at: "2026-06-01T15:00:00Z".parse().unwrap(),
        approved_by: "account:2".to_owned(),
        reason: "asked".to_owned(),
        legal_basis: "basis".to_owned(),
        irrecoverable_on: "2026-06-20".parse().unwrap(),
    };
    let certificate = pb::Certificate {
        service: says.to_owned(),
        statement: serde_json::to_string(&statement).unwrap(),
        key_id: "0011223344556677".to_owned(),
        signature: vec![7; 64],
    };
    let message = pb::AnswerErasureRequest { request: request.to_owned(), certificate: Some(certificate) };
    let channel = world.running.channel_as(&world.bench, caller);
    ErasureServiceClient::new(channel).answer_erasure(message).await.map(drop)
}

pub(crate) fn subject_of(member: &Member) -> String {
    member.account.replacen("accounts/", "account:", 1)
}

/// Two operators erase a member: their tokens, and the request.
async fn erase(world: &World, member: &Member) -> ([String; 2], String) {
    let operators = [operator(world, "ana").await, operator(world, "bea").await];
    let request = erased_by(world, &operators, &subject_of(member)).await.unwrap();
    (operators, request)
}

/// One operator asks for the erasure of a subject, the other one approves: the request, unless it was refused.
pub(crate) async fn erased_by(
    world: &World,
    [ana, bea]: &[String; 2],
    subject: &str,
) -> Result<String, Status> {
    let ask = log::RequestErasureRequest {
        subject: subject.to_owned(),
        reason: "asked".to_owned(),
        legal_basis: "gdpr.17.1.a".to_owned(),
    };
    let asked = subjects(world).request_erasure(with_token(ask, ana)).await?.into_inner();
    let request = asked.request.unwrap().id;
    assert_eq!(refused(get(world, ana, &request).await), "NOT_FOUND", "nobody approved it yet");
    let approve = log::ApproveErasureRequest { request: request.clone() };
    subjects(world).approve_erasure(with_token(approve, bea)).await.unwrap();
    Ok(request)
}

/// The obligations that are open, by kind.
async fn open(world: &World) -> Vec<String> {
    sqlx::query_scalar("SELECT kind FROM log.obligation WHERE closed_by IS NULL")
        .fetch_all(&world.database.pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn an_erasure_is_told_to_all_and_certified_when_all_have_answered() {
    let world = World::new().await;
    let cai = world.join("cai@example.com").await;
    let ([ana, _], request) = erase(&world, &cai).await;
    let told = eventually("the order", async || get(&world, &ana, &request).await.ok()).await;
    let subject = subject_of(&cai);
    assert_eq!(
        (told.subject.as_str(), told.missing.as_slice()),
        (subject.as_str(), &OTHERS.map(String::from)[..])
    );
    assert_eq!(told.certificates.iter().map(|one| one.service.as_str()).collect::<Vec<_>>(), ["identity"]);
    assert_eq!(open(&world).await, ["erasure_answers"]);

    // Whoever was not asked, or speaks for another or of another, is refused.
    let wrong = answer(&world, "filing", "payments", &subject, &request).await;
    assert_eq!(refused(wrong), "CERTIFICATE_OF_ANOTHER");
    let wrong = answer(&world, "filing", "filing", "account:1", &request).await;
    assert_eq!(refused(wrong), "CERTIFICATE_OF_ANOTHER");
    let unknown = Uuid::new_v4().to_string();
    assert_eq!(refused(answer(&world, "filing", "filing", &subject, &unknown).await), "NOT_FOUND");
    let stranger = answer(&world, "sandbox", "sandbox", &subject, &request).await.unwrap_err();
    assert!(matches!(stranger.code(), Code::PermissionDenied | Code::Unauthenticated), "{stranger}");

    for (answered, service) in OTHERS.into_iter().enumerate() {
        let before = get(&world, &ana, &request).await.unwrap();
        assert_eq!((before.missing.len(), &before.completion), (OTHERS.len() - answered, &None));
        for _repeated in 0..2 {
            answer(&world, service, service, &subject, &request).await.unwrap();
        }
    }
    let done = get(&world, &ana, &request).await.unwrap();
    assert_eq!((done.missing.len(), done.certificates.len()), (0, 5));
    let completion: Completion = serde_json::from_str(&done.completion.unwrap().statement).unwrap();
    assert_eq!((completion.subject, completion.certificates.len()), (subject, 5));
    assert_eq!(completion.irrecoverable_on.to_string(), "2026-06-20", "the last day of all");
    assert_eq!(open(&world).await, [] as [String; 0]);
    let kinds = kinds(&world, &ana, &request).await;
    let answers = ["subject.erasure_answered.v1"; 4];
    let expected = [&["subject.erased.v1"][..], &answers, &["subject.erasure_completed.v1"]].concat();
    assert_eq!(kinds, expected);
}

/// What the erasure's stream holds.
async fn kinds(world: &World, token: &str, request: &str) -> Vec<String> {
    let ask = log::ReadStreamRequest { stream: format!("subject-{request}"), ..Default::default() };
    let mut admin = LogAdminServiceClient::new(world.running.channel());
    let mut batches = admin.read_stream(with_token(ask, token)).await.unwrap().into_inner();
    let mut kinds = Vec::new();
    while let Some(batch) = batches.message().await.unwrap() {
        kinds.extend(batch.events.into_iter().map(|event| event.kind));
    }
    kinds
}

#[tokio::test]
async fn an_erasure_whose_process_died_before_it_was_told_is_told_at_the_next_start() {
    let world = World::new().await;
    let cai = world.join("cai@example.com").await;
    let ([ana, _], request) = erase(&world, &cai).await;
    eventually("the order", async || get(&world, &ana, &request).await.ok()).await;
    // Another erasure, carried out while nobody was there to tell it: by the vault alone.
    let world = world.restart_after(async |vault| {
        let (subject, code) =
            ("filing:00000000-0000-0000-0000-000000000009".parse().unwrap(), |text: &str| {
                text.parse().unwrap()
            });
        let person = |n| docket_kernel::Actor::account(Uuid::from_u128(n));
        let asked =
            vault.request_erasure(&subject, &code("asked"), &code("basis"), &person(1)).await.unwrap();
        vault.approve_erasure(asked.id, &person(2)).await.unwrap();
        asked.id.to_string()
    });
    let (world, second) = world.await;
    let told = eventually("the second order", async || get(&world, &ana, &second).await.ok()).await;
    assert_eq!(told.subject, "filing:00000000-0000-0000-0000-000000000009");
    assert_eq!(kinds(&world, &ana, &request).await, ["subject.erased.v1"], "the first is not told again");
}

#[tokio::test]
async fn only_operators_see_erasures() {
    let world = World::new().await;
    let cai = world.join("cai@example.com").await;
    let token = world.sign_in(&cai).await.access_token;
    let refused = get(&world, &token, &id()).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
}
