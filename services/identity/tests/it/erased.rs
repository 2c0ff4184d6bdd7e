//! An account that was erased: nobody comes in to it any more, and its address and its person are free.

use docket_proto::identity::v1 as pb;
use docket_proto::log::v1 as log;
use docket_service::testing::with_token;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::erasure::{erased_by, operator, subject_of, subjects};
use crate::proofing::prove;
use crate::world::{Member, PASSWORD, World, eventually, id, refused, unauthenticated};

async fn operators(world: &World) -> [String; 2] {
    [operator(world, "ana").await, operator(world, "bea").await]
}

/// All that is told of a refusal.
fn told(status: Status) -> (Code, String, Vec<u8>) {
    (status.code(), status.message().to_owned(), status.details().to_vec())
}

async fn count(world: &World, query: &'static str, account: Uuid) -> i64 {
    sqlx::query_scalar(query).bind(account).fetch_one(&world.database.pool).await.unwrap()
}

#[tokio::test]
async fn an_account_that_was_erased_is_refused_as_an_unknown_one_however_one_comes() {
    let world = World::new().await;
    let operators = operators(&world).await;
    let cai = world.join("cai@example.com").await;
    let first = world.sign_in(&cai).await;
    let (code, repeated) = (world.next_code(&cai), id());
    let second = world.sign_in_as(&cai.email, PASSWORD, &code, &repeated).await.unwrap();
    erased_by(&world, &operators, &subject_of(&cai)).await.unwrap();

    let next = world.next_code(&cai);
    let nobody = world.try_sign_in("nobody@example.com", PASSWORD, &next).await.unwrap_err();
    let nobody = told(nobody);
    // A recovery code, a code of the app, and the sign-in of just now once more.
    for (typed, request) in [(&cai.recovery_codes[0], &id()), (&next, &id()), (&code, &repeated)] {
        let erased = world.sign_in_as(&cai.email, PASSWORD, typed, request).await.unwrap_err();
        assert_eq!(told(erased), nobody, "{typed}");
    }
    for tokens in [&first, &second] {
        assert_eq!(refused(world.refresh(&tokens.refresh_token).await), "SESSION_ENDED");
    }
    let token = &second.access_token;
    assert!(unauthenticated(world.account(token).await));
    assert!(unauthenticated(world.step_up(token, &next).await));
    let begin = pb::BeginTotpReplacementRequest { request_id: id(), code: cai.recovery_codes[1].clone() };
    assert!(unauthenticated(world.accounts().begin_totp_replacement(with_token(begin, token)).await));
}

#[tokio::test]
async fn the_secrets_of_an_account_that_was_erased_go_and_its_sessions_end_in_its_history() {
    let world = World::new().await;
    let operators = operators(&world).await;
    let cai = world.join("cai@example.com").await;
    world.sign_in(&cai).await;
    erased_by(&world, &operators, &subject_of(&cai)).await.unwrap();
    let account: Uuid = cai.account.replace("accounts/", "").parse().unwrap();
    eventually("the end of the session", async || {
        let ended = "SELECT count(*) FROM log.event WHERE kind = 'account.session_ended.v1' AND stream = 'account-' || $1::text";
        (count(&world, ended, account).await == 1).then_some(())
    })
    .await;
    for query in [
        "SELECT count(*) FROM credential WHERE account_id = $1",
        "SELECT count(*) FROM totp WHERE account_id = $1",
        "SELECT count(*) FROM recovery_code WHERE account_id = $1",
        "SELECT count(*) FROM registration WHERE account_id = $1",
        "SELECT count(*) FROM session WHERE account_id = $1 AND ended_at_us IS NULL",
    ] {
        assert_eq!(count(&world, query, account).await, 0, "{query}");
    }
}

#[tokio::test]
async fn the_address_and_the_person_of_an_account_that_was_erased_are_free_for_another() {
    let world = World::new().await;
    world.person("Díaz", "A012345678").await;
    let operators = operators(&world).await;
    let cai = world.join("cai@example.com").await;
    let token = world.sign_in(&cai).await.access_token;
    prove(&world, &token, "Díaz", "A012345678", &id()).await.unwrap();
    erased_by(&world, &operators, &subject_of(&cai)).await.unwrap();

    let before = world.mails_to(&cai.email).await;
    let token = world.register(&cai.email).await.unwrap();
    let code = world.mailed_code(&cai.email, before + 1).await;
    world.confirm_email(&token, &code).await.unwrap();
    let anew = world.finish(&cai.email, &token).await;
    assert_ne!(anew.account, cai.account);
    let token = world.sign_in(&anew).await.access_token;
    let account = prove(&world, &token, "Díaz", "A012345678", &id()).await.unwrap();
    assert_eq!((account.name, account.state.as_str()), (anew.account, "identity_proven"));
}

#[tokio::test]
async fn a_registration_whose_account_was_erased_is_over_and_another_one_begins() {
    let world = World::new().await;
    let operators = operators(&world).await;
    let token = world.register("dee@example.com").await.unwrap();
    let code = world.mailed_code("dee@example.com", 1).await;
    let newest =
        "SELECT stream FROM log.event WHERE kind = 'account.registered.v1' ORDER BY position DESC LIMIT 1";
    let stream: String = sqlx::query_scalar(newest).fetch_one(&world.database.pool).await.unwrap();
    erased_by(&world, &operators, &stream.replacen("account-", "account:", 1)).await.unwrap();
    assert_eq!(refused(world.confirm_email(&token, &code).await), "CODE_EXPIRED");
    let token = world.register("dee@example.com").await.unwrap();
    world.confirm_email(&token, &world.mailed_code("dee@example.com", 2).await).await.unwrap();
    let dee: Member = world.finish("dee@example.com", &token).await;
    world.sign_in(&dee).await;
}

#[tokio::test]
async fn a_legal_hold_keeps_the_account_as_it_is() {
    let world = World::new().await;
    let operators = operators(&world).await;
    let cai = world.join("cai@example.com").await;
    let hold = log::HoldSubjectRequest { subject: subject_of(&cai), reason: "litigation".to_owned() };
    subjects(&world).hold_subject(with_token(hold, &operators[0])).await.unwrap();
    refused(erased_by(&world, &operators, &subject_of(&cai)).await);
    let tokens = world.sign_in(&cai).await;
    world.refresh(&tokens.refresh_token).await.unwrap();
}
