//! Proving who somebody is, and what other services may know.

use docket_proto::identity::v1 as pb;
use docket_service::testing::with_token;
use sqlx::AssertSqlSafe;
use tonic::{Code, Status};

use crate::registration::futures_join;
use crate::world::{World, eventually, id, refused};

pub(crate) async fn prove(
    world: &World,
    token: &str,
    family_name: &str,
    a_number: &str,
    request_id: &str,
) -> Result<pb::Account, Status> {
    let message = pb::ProveIdentityRequest {
        request_id: request_id.to_owned(),
        family_name: family_name.to_owned(),
        given_name: "Ana".to_owned(),
        birth_date: "1990-05-17".to_owned(),
        a_number: a_number.to_owned(),
    };
    Ok(world.accounts().prove_identity(with_token(message, token)).await?.into_inner().account.unwrap())
}

async fn contact(world: &World, caller: &str, account: &str) -> Result<pb::GetContactResponse, Status> {
    let account_id = account.strip_prefix("accounts/").unwrap_or(account).to_owned();
    Ok(world
        .directory(caller)
        .get_contact(pb::GetContactRequest { account_id, ..Default::default() })
        .await?
        .into_inner())
}

#[tokio::test]
async fn who_is_in_the_register_is_proven_and_the_directory_knows_the_name() {
    let world = World::new().await;
    world.person("Díaz", "A012345678").await;
    let ana = world.join("ana@example.com").await;
    assert_eq!(contact(&world, "filing", &ana.account).await.unwrap().identity_level, "none");
    let token = world.sign_in(&ana).await.access_token;
    let request = id();
    let account = prove(&world, &token, "Díaz", "12345678", &request).await.unwrap();
    assert_eq!(
        (account.state.as_str(), account.identity_level.as_str()),
        ("identity_proven", "register_matched")
    );
    assert_eq!((account.family_name.as_str(), account.given_name.as_str()), ("Díaz", "Ana"));
    let repeated = prove(&world, &token, "Díaz", "12345678", &request).await.unwrap();
    assert_eq!(repeated, account);
    let other = prove(&world, &token, "Diez", "12345678", &request).await;
    assert_eq!(other.unwrap_err().code(), Code::AlreadyExists);
    assert_eq!(refused(prove(&world, &token, "Díaz", "12345678", &id()).await), "IDENTITY_ALREADY_PROVEN");
    let contact = contact(&world, "notifications", &ana.account).await.unwrap();
    assert_eq!(contact.email, "ana@example.com");
    assert_eq!((contact.family_name.as_str(), contact.identity_level.as_str()), ("Díaz", "register_matched"));
}

#[tokio::test]
async fn three_tries_without_a_match_and_then_another_way() {
    let world = World::new().await;
    world.person("Díaz", "A012345678").await;
    let ana = world.join("ana@example.com").await;
    let token = world.sign_in(&ana).await.access_token;
    let request = id();
    for request in [&request, &request, &id(), &id()] {
        assert_eq!(refused(prove(&world, &token, "Diez", "A012345678", request).await), "NO_MATCH");
    }
    assert_eq!(refused(prove(&world, &token, "Díaz", "A012345678", &id()).await), "TOO_MANY_TRIES");
    assert_eq!(world.account(&token).await.unwrap().state, "active");
    let history = world.history(&token).await;
    assert_eq!(history.iter().filter(|kind| *kind == "identity_proofing_failed").count(), 3, "{history:?}");
}

#[tokio::test]
async fn a_person_is_linked_to_one_account() {
    let world = World::new().await;
    world.person("Díaz", "A012345678").await;
    let first = world.join("ana@example.com").await;
    let second = world.join("bea@example.com").await;
    let token = world.sign_in(&first).await.access_token;
    prove(&world, &token, "Díaz", "A012345678", &id()).await.unwrap();
    let token = world.sign_in(&second).await.access_token;
    let request = id();
    for _ in 0..2 {
        assert_eq!(
            refused(prove(&world, &token, "Díaz", "A012345678", &request).await),
            "PERSON_LINKED_ELSEWHERE"
        );
    }
    assert_eq!(world.account(&token).await.unwrap().identity_level, "none");
}

#[tokio::test]
async fn an_outage_of_the_register_means_later_and_spends_no_try() {
    let world = World::new().await;
    world.person("Díaz", "A012345678").await;
    let ana = world.join("ana@example.com").await;
    let token = world.sign_in(&ana).await.access_token;
    world.party("register", "error").await;
    let request = id();
    for _ in 0..4 {
        let answer = prove(&world, &token, "Díaz", "A012345678", &request).await;
        assert_eq!(answer.unwrap_err().code(), Code::Unavailable);
    }
    world.party("register", "works").await;
    prove(&world, &token, "Díaz", "A012345678", &request).await.unwrap();
}

#[tokio::test]
async fn one_attempt_costs_one_try_however_often_it_is_sent_at_once() {
    let world = World::new().await;
    let ana = world.join("ana@example.com").await;
    let token = world.sign_in(&ana).await.access_token;
    let request = id();
    let all = (0..2).map(|_| prove(&world, &token, "Diez", "A012345678", &request));
    // Nothing can be written until both have taken a try.
    let mut held = docket_database::begin(&world.database.pool).await.unwrap();
    sqlx::query("LOCK TABLE log.event IN SHARE MODE").execute(&mut *held).await.unwrap();
    let let_go = async {
        eventually("both tries", async || (world.tries("proofing:").await == 2).then_some(())).await;
        held.rollback().await.unwrap();
    };
    let (answers, ()) = tokio::join!(futures_join(all), let_go);
    for answer in answers {
        assert_eq!(refused(answer), "NO_MATCH");
    }
    assert_eq!(world.tries("proofing:").await, 1);
}

#[tokio::test]
async fn an_answer_of_the_register_that_could_not_be_kept_spends_no_try() {
    let world = World::new().await;
    world.person("Díaz", "A012345678").await;
    let ana = world.join("ana@example.com").await;
    let token = world.sign_in(&ana).await.access_token;
    let may_write = async |granted: &str| {
        let statement = format!("{granted} {}_app", world.database.name);
        sqlx::query(AssertSqlSafe(statement)).execute(&world.database.pool).await.unwrap();
    };
    may_write("REVOKE INSERT ON log.event FROM").await;
    for name in ["Diez", "Díaz", "Diez", "Díaz"] {
        let answer = prove(&world, &token, name, "A012345678", &id()).await;
        assert_eq!(answer.unwrap_err().code(), Code::Internal);
    }
    may_write("GRANT INSERT ON log.event TO").await;
    assert_eq!(world.tries("proofing:").await, 0);
    prove(&world, &token, "Díaz", "A012345678", &id()).await.unwrap();
}

#[tokio::test]
async fn wrong_particulars_are_named_at_once_and_never_repeated() {
    let world = World::new().await;
    let ana = world.join("ana@example.com").await;
    let token = world.sign_in(&ana).await.access_token;
    let message = pb::ProveIdentityRequest {
        request_id: id(),
        family_name: "N/A".into(),
        given_name: String::new(),
        birth_date: "2090-01-01".into(),
        a_number: "12".into(),
    };
    let status = world.accounts().prove_identity(with_token(message, &token)).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let text = format!("{status:?}");
    for field in ["family_name", "birth_date", "a_number"] {
        assert!(text.contains(field), "{field} in {text}");
    }
    assert!(!text.contains("2090"), "{text}");
}

#[tokio::test]
async fn the_directory_answers_only_those_who_need_it() {
    let world = World::new().await;
    let ana = world.join("ana@example.com").await;
    let denied = contact(&world, "payments", &ana.account).await;
    assert_eq!(denied.unwrap_err().code(), Code::PermissionDenied);
    let unknown = contact(&world, "filing", &id()).await;
    assert_eq!(unknown.unwrap_err().code(), Code::NotFound);
    let token = world.sign_in(&ana).await.access_token;
    let mut person = docket_proto::identity::v1::directory_service_client::DirectoryServiceClient::new(
        world.running.channel(),
    );
    let message = with_token(pb::GetContactRequest { account_id: id(), ..Default::default() }, &token);
    assert_eq!(person.get_contact(message).await.unwrap_err().code(), Code::Unauthenticated);
}

#[tokio::test]
async fn a_contact_whose_address_is_not_proven_is_none() {
    let world = World::new().await;
    world.register("ana@example.com").await.unwrap();
    let stream: String =
        sqlx::query_scalar("SELECT stream FROM log.event WHERE kind = 'account.registered.v1'")
            .fetch_one(&world.database.pool)
            .await
            .unwrap();
    let account = stream.strip_prefix("account-").unwrap();
    assert_eq!(contact(&world, "filing", account).await.unwrap_err().code(), Code::NotFound);
}
