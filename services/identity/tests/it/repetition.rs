//! The same request again, after an answer which was lost: the first result, and nothing done twice.

use docket_proto::identity::v1 as pb;
use docket_service::testing::with_token;
use tonic::Code;

use crate::proofing::prove;
use crate::registration::futures_join;
use crate::roles::{invite, redeem};
use crate::sessions::claims;
use crate::world::{Member, PASSWORD, World, id, refused};

const ANA: &str = "ana@example.com";

/// A registration whose address is proven.
async fn proven(world: &World) -> String {
    let token = world.register(ANA).await.unwrap();
    world.confirm_email(&token, &world.mailed_code(ANA, 1).await).await.unwrap();
    token
}

async fn count(world: &World, token: &str, kind: &str) -> usize {
    world.history(token).await.iter().filter(|found| *found == kind).count()
}

fn session(tokens: &pb::Tokens) -> String {
    claims(&tokens.access_token)["sid"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_secret_of_the_app_is_the_same_again_until_it_is_confirmed() {
    let world = World::new().await;
    let token = proven(&world).await;
    let (first, second) = (id(), id());
    let secret = world.begin_totp_as(&token, &first).await.unwrap();
    assert_eq!(world.begin_totp_as(&token, &first).await.unwrap(), secret);
    let newer = world.begin_totp_as(&token, &second).await.unwrap();
    assert_ne!(newer, secret);
    // A late repetition changes nothing.
    assert_eq!(world.begin_totp_as(&token, &first).await.unwrap(), secret);
    world.confirm_totp(&token, world.code_of(&newer)).await.unwrap();
    assert_eq!(refused(world.begin_totp_as(&token, &second).await), "ALREADY_ACTIVE");
}

#[tokio::test]
async fn the_recovery_codes_are_given_again_to_who_lost_the_answer() {
    let world = World::new().await;
    let (registration, confirmation, set_up) = (id(), id(), id());
    let token = world.register_as(ANA, PASSWORD, &registration).await.unwrap();
    let mailed = world.mailed_code(ANA, 1).await;
    world.confirm_email_as(&token, &mailed, &confirmation).await.unwrap();
    let secret = world.begin_totp(&token).await.unwrap();
    let code = world.code_of(&secret);
    let first = world.confirm_totp_as(&token, &code, &set_up).await.unwrap();

    world.advance(600);
    let world = world.restart().await;
    assert_eq!(world.confirm_totp_as(&token, &code, &set_up).await.unwrap(), first);
    assert_eq!(refused(world.confirm_totp_as(&token, &code, &id()).await), "ALREADY_ACTIVE");
    assert_eq!(refused(world.confirm_totp_as(&token, "000000", &set_up).await), "ALREADY_ACTIVE");
    assert_eq!(refused(world.confirm_totp_as("another", &code, &set_up).await), "REGISTRATION_EXPIRED");
    // The steps before are repeated as they were.
    world.confirm_email_as(&token, &mailed, &confirmation).await.unwrap();
    let wrong = if mailed == "000000" { "000001" } else { "000000" };
    assert_eq!(refused(world.confirm_email_as(&token, wrong, &confirmation).await), "CODE_WRONG");
    assert_eq!(world.register_as(ANA, PASSWORD, &registration).await.unwrap(), token);

    let tokens = world.try_sign_in(ANA, PASSWORD, &first.recovery_codes[9]).await.unwrap();
    assert_eq!(count(&world, &tokens.access_token, "second_factor_added").await, 1);
    assert_eq!(count(&world, &tokens.access_token, "recovery_codes_issued").await, 1);
    assert_eq!(world.mails_to(ANA).await, 1);
    // Ten different codes, and a day later they are not told any more.
    let distinct: std::collections::BTreeSet<_> = first.recovery_codes.iter().collect();
    assert_eq!(distinct.len(), 10);
    world.advance(24 * 3600);
    assert_eq!(refused(world.confirm_totp_as(&token, &code, &set_up).await), "REGISTRATION_EXPIRED");
}

#[tokio::test]
async fn a_set_up_sent_many_times_at_once_is_done_once() {
    let world = World::new().await;
    let token = proven(&world).await;
    let code = world.code_of(&world.begin_totp(&token).await.unwrap());
    let request = id();
    let all = (0..4).map(|_| world.confirm_totp_as(&token, &code, &request));
    let answers: Vec<_> = futures_join(all).await.into_iter().map(Result::unwrap).collect();
    assert!(answers.iter().all(|answer| *answer == answers[0]));
}

#[tokio::test]
async fn a_sign_in_repeated_gives_the_same_session() {
    let world = World::new().await;
    let ana = world.join(ANA).await;
    let (code, request) = (world.next_code(&ana), id());
    let first = world.sign_in_as(ANA, PASSWORD, &code, &request).await.unwrap();
    world.advance(119);
    let world = world.restart().await;
    let again = world.sign_in_as(ANA, PASSWORD, &code, &request).await.unwrap();
    assert_eq!((session(&again), &again.refresh_token), (session(&first), &first.refresh_token));
    assert_eq!(count(&world, &again.access_token, "signed_in").await, 1);
    assert_eq!(count(&world, &again.access_token, "sign_in_refused").await, 0);
    world.refresh(&again.refresh_token).await.unwrap();
    // The id stands for that sign-in; the new code stays good.
    let newer = world.next_code(&ana);
    assert_eq!(refused(world.sign_in_as(ANA, PASSWORD, &newer, &request).await), "REQUEST_ID_REUSED");
    world.try_sign_in(ANA, PASSWORD, &newer).await.unwrap();
    // Too late for a repetition.
    assert_eq!(refused(world.sign_in_as(ANA, PASSWORD, &code, &request).await), "SIGN_IN_REFUSED");
}

#[tokio::test]
async fn a_sign_in_with_a_recovery_code_is_repeated_until_the_session_ends() {
    let world = World::new().await;
    let ana = world.join(ANA).await;
    let request = id();
    let sign_in = async || world.sign_in_as(ANA, PASSWORD, &ana.recovery_codes[0], &request).await;
    let first = sign_in().await.unwrap();
    let again = sign_in().await.unwrap();
    assert_eq!(session(&first), session(&again));
    let out = with_token(pb::SignOutRequest { request_id: id() }, &again.access_token);
    world.sessions().sign_out(out).await.unwrap();
    assert_eq!(refused(sign_in().await), "SIGN_IN_REFUSED");
}

#[tokio::test]
async fn a_sign_in_sent_many_times_at_once_is_one_session() {
    let world = World::new().await;
    let ana = world.join(ANA).await;
    let (code, request) = (world.next_code(&ana), id());
    let all = (0..4).map(|_| world.sign_in_as(ANA, PASSWORD, &code, &request));
    let answers: Vec<_> = futures_join(all).await.into_iter().map(Result::unwrap).collect();
    assert!(answers.iter().all(|answer| session(answer) == session(&answers[0])));
    assert_eq!(count(&world, &answers[0].access_token, "signed_in").await, 1);
}

#[tokio::test]
async fn two_accounts_with_one_request_id_have_two_sessions() {
    let world = World::new().await;
    let (ana, bea) = (world.join(ANA).await, world.join("bea@example.com").await);
    let request = id();
    let sign_in = async |member: &Member| {
        let code = world.next_code(member);
        world.sign_in_as(&member.email, PASSWORD, &code, &request).await.unwrap()
    };
    assert_ne!(session(&sign_in(&ana).await), session(&sign_in(&bea).await));
}

#[tokio::test]
async fn a_lost_refresh_gives_the_same_successor_within_half_a_minute() {
    let world = World::new().await;
    let ana = world.join(ANA).await;
    let first = world.sign_in(&ana).await;
    let second = world.refresh(&first.refresh_token).await.unwrap();
    world.advance(30);
    let again = world.refresh(&first.refresh_token).await.unwrap();
    assert_eq!(again.refresh_token, second.refresh_token);
    let third = world.refresh(&second.refresh_token).await.unwrap();
    // The successor was used: this is no lost answer.
    assert_eq!(refused(world.refresh(&first.refresh_token).await), "SESSION_ENDED");
    assert_eq!(refused(world.refresh(&third.refresh_token).await), "SESSION_ENDED");
}

#[tokio::test]
async fn a_refresh_token_used_again_after_half_a_minute_ends_the_session() {
    let world = World::new().await;
    let ana = world.join(ANA).await;
    let first = world.sign_in(&ana).await;
    let second = world.refresh(&first.refresh_token).await.unwrap();
    world.advance(31);
    assert_eq!(refused(world.refresh(&first.refresh_token).await), "SESSION_ENDED");
    assert_eq!(refused(world.refresh(&second.refresh_token).await), "SESSION_ENDED");
    let tokens = world.sign_in(&ana).await;
    assert_eq!(count(&world, &tokens.access_token, "session_ended").await, 1);
}

#[tokio::test]
async fn a_refresh_sent_many_times_at_once_makes_one_successor() {
    let world = World::new().await;
    let ana = world.join(ANA).await;
    let first = world.sign_in(&ana).await;
    let all = (0..4).map(|_| world.refresh(&first.refresh_token));
    let answers: Vec<_> = futures_join(all).await.into_iter().map(Result::unwrap).collect();
    assert!(answers.iter().all(|answer| answer.refresh_token == answers[0].refresh_token));
    world.refresh(&answers[0].refresh_token).await.unwrap();
}

#[tokio::test]
async fn a_step_up_repeated_is_the_same_and_lasts_no_longer() {
    let world = World::new().await;
    let ana = world.join(ANA).await;
    let tokens = world.sign_in(&ana).await;
    let (code, request) = (world.next_code(&ana), id());
    let token = tokens.access_token.as_str();
    let all = (0..3).map(|_| world.step_up_as(token, &code, &request));
    let answers: Vec<_> = futures_join(all).await.into_iter().map(Result::unwrap).collect();
    let first = claims(&answers[0].access_token);
    world.advance(200);
    let again = claims(&world.step_up_as(token, &code, &request).await.unwrap().access_token);
    assert_eq!((&again["acr"], &again["auth_time"]), (&"stepup".into(), &first["auth_time"]));
    assert_eq!(count(&world, token, "stepped_up").await, 1);
    // Another code, or another session, is another request.
    let newer = world.next_code(&ana);
    assert_eq!(world.step_up_as(token, &newer, &request).await.unwrap_err().code(), Code::AlreadyExists);
    let elsewhere = world.sign_in(&ana).await.access_token;
    assert_eq!(world.step_up_as(&elsewhere, &code, &request).await.unwrap_err().code(), Code::AlreadyExists);
}

#[tokio::test]
async fn a_sign_out_repeated_is_done_once_and_its_id_ends_no_other_session() {
    let world = World::new().await;
    let ana = world.join(ANA).await;
    let (first, second) = (world.sign_in(&ana).await, world.sign_in(&ana).await);
    let request = id();
    let out = async |token: &str| {
        let message = with_token(pb::SignOutRequest { request_id: request.clone() }, token);
        world.sessions().sign_out(message).await.map(drop)
    };
    for _ in 0..2 {
        out(&first.access_token).await.unwrap();
    }
    assert_eq!(refused(out(&second.access_token).await), "REQUEST_ID_REUSED");
    world.refresh(&second.refresh_token).await.unwrap();
    assert_eq!(count(&world, &second.access_token, "session_ended").await, 1);
}

#[tokio::test]
async fn a_role_and_a_proof_asked_for_many_times_at_once_are_given_once() {
    let world = World::new().await;
    world.person("Díaz", "A012345678").await;
    let ana = world.join(ANA).await;
    let token = world.sign_in(&ana).await.access_token;
    let (code, request) = (invite(&world, "adjudicator", "NBC").await, id());
    let all = (0..3).map(|_| redeem(&world, &token, &code, &request));
    for answer in futures_join(all).await {
        assert_eq!(answer.unwrap().roles.len(), 1);
    }
    let request = id();
    let all = (0..3).map(|_| prove(&world, &token, "Díaz", "A012345678", &request));
    for answer in futures_join(all).await {
        assert_eq!(answer.unwrap().identity_level, "register_matched");
    }
    assert_eq!(count(&world, &token, "role_granted").await, 1);
    assert_eq!(count(&world, &token, "identity_proven").await, 1);
}
