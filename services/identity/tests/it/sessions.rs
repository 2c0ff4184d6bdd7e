//! Sessions, tokens and keys.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use docket_eventlog::{EventLog, OpenLog, Queue};
use docket_kernel::Clock as _;
use docket_proto::identity::v1 as pb;
use docket_service::testing::with_token;
use serde_json::Value;
use uuid::Uuid;

use crate::world::{PASSWORD, World, eventually, id, refused, unauthenticated};

/// What a token says.
pub(crate) fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

#[tokio::test]
async fn a_token_says_who_how_and_until_when() {
    let world = World::new().await;
    let ana = world.join("ana@example.com").await;
    let claims = claims(&world.sign_in(&ana).await.access_token);
    let now = world.clock.now().as_second();
    assert_eq!(format!("accounts/{}", claims["sub"].as_str().unwrap()), ana.account);
    claims["sid"].as_str().unwrap().parse::<Uuid>().unwrap();
    assert_eq!(
        (&claims["acr"], &claims["iss"], &claims["aud"]),
        (&"aal2".into(), &"docket".into(), &"docket".into())
    );
    assert_eq!(
        (&claims["iat"], &claims["exp"], &claims["auth_time"]),
        (&now.into(), &(now + 300).into(), &now.into())
    );
}

#[tokio::test]
async fn a_refresh_token_is_good_once_and_its_reuse_ends_the_session() {
    let world = World::new().await;
    let ana = world.join("ana@example.com").await;
    let first = world.sign_in(&ana).await;
    let second = world.refresh(&first.refresh_token).await.unwrap();
    assert_ne!(first.refresh_token, second.refresh_token);
    let third = world.refresh(&second.refresh_token).await.unwrap();
    assert_eq!(refused(world.refresh(&first.refresh_token).await), "SESSION_ENDED");
    assert_eq!(refused(world.refresh(&third.refresh_token).await), "SESSION_ENDED");
    assert_eq!(refused(world.step_up(&third.access_token, &world.next_code(&ana)).await), "SESSION_ENDED");
    assert_eq!(refused(world.refresh("unknown").await), "SESSION_ENDED");
    let again = world.sign_in(&ana).await;
    let history = world.history(&again.access_token).await;
    assert_eq!(history.iter().filter(|kind| *kind == "session_ended").count(), 1, "{history:?}");
}

#[tokio::test]
async fn a_session_from_before_the_log_was_restored_goes_on_no_more() {
    let world = World::new().await;
    let ana = world.join("ana@example.com").await;
    let before = world.sign_in(&ana).await;
    let (pool, clock) = (world.database.pool.clone(), world.clock.clone());
    // As `docket-identity epoch raise` does, which is a part of every restore.
    let (world, ()) = world
        .restart_after(async |vault| {
            let log = OpenLog {
                name: "identity",
                pool,
                vault,
                clock,
                personal: docket_proto::personal_fields,
                producer: "identity/test".to_owned(),
                rules: String::new(),
                queue: Queue::default(),
            };
            EventLog::open(log).await.unwrap().raise_epoch("restored").await.unwrap();
        })
        .await;
    assert_eq!(refused(world.refresh(&before.refresh_token).await), "SESSION_ENDED");
    let anew = world.sign_in(&ana).await;
    let anew = world.refresh(&anew.refresh_token).await.unwrap();
    eventually("the end of the session", async || {
        let history = world.history(&anew.access_token).await;
        history.contains(&"session_ended".to_owned()).then_some(())
    })
    .await;
}

/// A laptop wakes with many tabs, or somebody means harm: more at once than the service has connections.
#[tokio::test(flavor = "multi_thread")]
async fn many_uses_at_once_of_a_session_that_ran_out_hold_up_nobody() {
    let world = World::new().await;
    let (ana, bea) = (world.join("ana@example.com").await, world.join("bea@example.com").await);
    let expired = world.sign_in(&ana).await;
    world.advance(30 * 60);
    let at_once = 2 * world.config.service.database.max_connections;
    let mut uses = tokio::task::JoinSet::new();
    for _ in 0..at_once {
        let mut sessions = world.sessions();
        let message = pb::RefreshTokenRequest { refresh_token: expired.refresh_token.clone() };
        uses.spawn(async move { sessions.refresh_token(message).await });
    }
    while let Some(answer) = uses.join_next().await {
        assert_eq!(refused(answer.unwrap()), "SESSION_ENDED");
    }
    world.sign_in(&bea).await;
    let again = world.sign_in(&ana).await;
    let ended = eventually("its end in the history", async || {
        let history = world.history(&again.access_token).await;
        Some(history.iter().filter(|kind| *kind == "session_ended").count()).filter(|ends| *ends > 0)
    })
    .await;
    assert_eq!(ended, 1);
}

#[tokio::test]
async fn a_session_ends_after_half_an_hour_unused_and_after_twelve_hours_anyway() {
    let world = World::new().await;
    let ana = world.join("ana@example.com").await;
    let idle = world.sign_in(&ana).await;
    world.advance(30 * 60);
    assert_eq!(refused(world.refresh(&idle.refresh_token).await), "SESSION_ENDED");
    let mut busy = world.sign_in(&ana).await;
    for _ in 0..24 {
        world.advance(29 * 60);
        busy = world.refresh(&busy.refresh_token).await.unwrap();
    }
    world.advance(25 * 60);
    assert_eq!(refused(world.refresh(&busy.refresh_token).await), "SESSION_ENDED");
    let again = world.sign_in(&ana).await;
    eventually("both ends in the history", async || {
        let history = world.history(&again.access_token).await;
        (history.iter().filter(|kind| *kind == "session_ended").count() == 2).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_second_factor_again_serves_guarded_acts_for_ten_minutes() {
    let world = World::new().await;
    let ana = world.join("ana@example.com").await;
    let tokens = world.sign_in(&ana).await;
    assert_eq!(refused(world.step_up(&tokens.access_token, "12345").await), "CODE_WRONG");
    assert_eq!(refused(world.step_up(&tokens.access_token, &ana.recovery_codes[0]).await), "CODE_WRONG");
    let code = world.next_code(&ana);
    let stepped = world.step_up(&tokens.access_token, &code).await.unwrap();
    let at = world.clock.now().as_second();
    assert_eq!(stepped.refresh_token, "");
    assert_eq!(claims(&stepped.access_token)["acr"], "stepup");
    assert_eq!(claims(&stepped.access_token)["auth_time"], at);
    assert_eq!(refused(world.step_up(&tokens.access_token, &code).await), "CODE_WRONG");
    world.advance(9 * 60);
    let refreshed = world.refresh(&tokens.refresh_token).await.unwrap();
    assert_eq!(
        (&claims(&refreshed.access_token)["acr"], &claims(&refreshed.access_token)["auth_time"]),
        (&"stepup".into(), &at.into())
    );
    world.advance(60);
    let later = world.refresh(&refreshed.refresh_token).await.unwrap();
    assert_eq!(claims(&later.access_token)["acr"], "aal2");
}

#[tokio::test]
async fn sessions_of_last_month_are_removed_by_index_and_no_start_waits_for_it() {
    let world = World::new().await;
    let ana = world.join("ana@example.com").await;
    world.sign_in(&ana).await;
    let pool = world.database.pool.clone();
    let found = async |sql: &'static str| {
        let count: i64 = sqlx::query_scalar(sql).fetch_one(&pool).await.unwrap();
        count
    };
    let unaided = "SELECT count(*) FROM pg_constraint AS tie WHERE contype = 'f' AND connamespace = 'public'::regnamespace
         AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = tie.conrelid AND indkey[0] = tie.conkey[1])";
    assert_eq!(found(unaided).await, 0, "a foreign key has no index to look by");
    let by_end =
        "SELECT count(*) FROM pg_indexes WHERE tablename = 'session' AND indexdef LIKE '%(ends_at_us)'";
    assert_eq!(found(by_end).await, 1);

    world.advance(31 * 24 * 3600);
    let mut held = docket_database::begin(&pool).await.unwrap();
    sqlx::query("SELECT FROM session FOR UPDATE").execute(&mut *held).await.unwrap();
    let world = world.restart().await;
    world.sign_in(&ana).await;
    assert_eq!(found("SELECT count(*) FROM session").await, 2);
    held.rollback().await.unwrap();
    let left = async || (found("SELECT count(*) FROM session").await == 1).then_some(());
    eventually("the end of the old one's row", left).await;
}

#[tokio::test]
async fn who_signs_out_is_out() {
    let world = World::new().await;
    let ana = world.join("ana@example.com").await;
    let tokens = world.sign_in(&ana).await;
    for _ in 0..2 {
        let message = with_token(pb::SignOutRequest { request_id: id() }, &tokens.access_token);
        world.sessions().sign_out(message).await.unwrap();
    }
    assert_eq!(refused(world.refresh(&tokens.refresh_token).await), "SESSION_ENDED");
    let history = world.history(&world.sign_in(&ana).await.access_token).await;
    assert_eq!(history.iter().filter(|kind| *kind == "session_ended").count(), 1, "{history:?}");
}

#[tokio::test]
async fn a_wrong_token_opens_nothing() {
    let world = World::new().await;
    let ana = world.join("ana@example.com").await;
    let token = world.sign_in(&ana).await.access_token;
    let account: Uuid = ana.account.strip_prefix("accounts/").unwrap().parse().unwrap();
    let (head, signature) = token.rsplit_once('.').unwrap();
    let altered = format!("{head}.{}", signature.chars().rev().collect::<String>());
    // Signed by a key which is not ours; altered; no token at all.
    for wrong in [world.bench.token(account), altered, "nothing".to_owned()] {
        assert!(unauthenticated(world.account(&wrong).await), "{wrong}");
    }
    assert!(unauthenticated(world.accounts().get_account(pb::GetAccountRequest {}).await));
    world.account(&token).await.unwrap();
    world.advance(306);
    assert!(unauthenticated(world.account(&token).await));
}

#[tokio::test]
async fn the_keys_are_public_and_survive_a_restart() {
    let world = World::new().await;
    let ana = world.join("ana@example.com").await;
    let tokens = world.sign_in(&ana).await;
    let http = world.running.listening.http.unwrap();
    let keys = world.get(&format!("https://{http}/.well-known/jwks.json")).await;
    let key = &keys["keys"][0];
    assert_eq!((&key["kty"], &key["crv"], &key["alg"]), (&"OKP".into(), &"Ed25519".into(), &"EdDSA".into()));
    assert!(key.get("d").is_none());
    let header = tokens.access_token.split('.').next().unwrap();
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
    assert_eq!((&header["alg"], &header["kid"]), (&"EdDSA".into(), &key["kid"]));
    let told = world.get(&format!("https://{http}/.well-known/openid-configuration")).await;
    assert_eq!(told["issuer"], "docket");
    assert_eq!(world.get(told["jwks_uri"].as_str().unwrap()).await, keys);

    let world = world.restart().await;
    let answer = world.sessions().get_key_set(pb::GetKeySetRequest {}).await.unwrap().into_inner();
    assert_eq!(serde_json::from_str::<Value>(&answer.jwks_json).unwrap(), keys);
    world.account(&tokens.access_token).await.unwrap();
    world.refresh(&tokens.refresh_token).await.unwrap();
}

#[tokio::test]
async fn a_key_of_ninety_days_gets_a_successor_which_is_published_before_it_signs() {
    let world = World::new().await;
    let ana = world.join("ana@example.com").await;
    let kid = |token: &str| token.split('.').next().unwrap().to_owned();
    let old = kid(&world.sign_in(&ana).await.access_token);
    world.advance(91 * 24 * 3600);
    let world = world.restart().await;
    let answer = world.sessions().get_key_set(pb::GetKeySetRequest {}).await.unwrap().into_inner();
    let keys: Value = serde_json::from_str(&answer.jwks_json).unwrap();
    assert_eq!(keys["keys"].as_array().unwrap().len(), 2);
    assert_eq!(kid(&world.sign_in(&ana).await.access_token), old);
    world.advance(600);
    assert_ne!(kid(&world.sign_in(&ana).await.access_token), old);
}

/// Puts a new app in the place of the old one; the new secret and codes.
async fn replace(world: &World, token: &str, with: &str) -> (String, Vec<String>) {
    let asked = pb::BeginTotpReplacementRequest { request_id: id(), code: with.to_owned() };
    let mut accounts = world.accounts();
    let begun = accounts.begin_totp_replacement(with_token(asked.clone(), token)).await.unwrap().into_inner();
    let again = accounts.begin_totp_replacement(with_token(asked, token)).await.unwrap().into_inner();
    assert_eq!(again, begun, "whoever lost the answer asks again");
    let code = world.code_of(&begun.secret);
    let confirm = pb::ConfirmTotpReplacementRequest { request_id: id(), code };
    let codes =
        accounts.confirm_totp_replacement(with_token(confirm.clone(), token)).await.unwrap().into_inner();
    let again = accounts.confirm_totp_replacement(with_token(confirm, token)).await.unwrap().into_inner();
    assert_eq!(again, codes);
    (begun.secret, codes.recovery_codes)
}

#[tokio::test]
async fn who_lost_the_phone_puts_a_new_app_in_its_place() {
    let world = World::new().await;
    let mut ana = world.join("ana@example.com").await;
    let (elsewhere, old_code) = (world.sign_in(&ana).await, world.next_code(&ana));
    let here = world.try_sign_in(&ana.email, PASSWORD, &ana.recovery_codes[0]).await.unwrap();
    let mut accounts = world.accounts();
    let mut begin = async |code: &str| {
        let message = pb::BeginTotpReplacementRequest { request_id: id(), code: code.to_owned() };
        accounts.begin_totp_replacement(with_token(message, &here.access_token)).await
    };
    assert_eq!(refused(begin("000000").await), "CODE_WRONG");
    assert_eq!(refused(begin(&ana.recovery_codes[0]).await), "CODE_WRONG", "it began the session");
    let early = pb::ConfirmTotpReplacementRequest { request_id: id(), code: "000000".into() };
    let early = world.accounts().confirm_totp_replacement(with_token(early, &here.access_token)).await;
    assert_eq!(refused(early), "NO_APP_BEGUN");
    assert_eq!(world.tries("second-factor:").await, 2, "those of the two wrong codes");

    let old = std::mem::take(&mut ana.recovery_codes);
    (ana.secret, ana.recovery_codes) = replace(&world, &here.access_token, &old[1]).await;
    assert_eq!(refused(world.refresh(&elsewhere.refresh_token).await), "SESSION_ENDED");
    assert_eq!(refused(world.step_up(&here.access_token, &old_code).await), "CODE_WRONG");
    assert_eq!(refused(world.try_sign_in(&ana.email, PASSWORD, &old[2]).await), "SIGN_IN_REFUSED");
    world.advance(30);
    let token = world.step_up(&here.access_token, &world.next_code(&ana)).await.unwrap().access_token;
    assert_eq!(claims(&token)["acr"], "stepup");
    world.try_sign_in(&ana.email, PASSWORD, &ana.recovery_codes[9]).await.unwrap();
    let history = world.history(&here.access_token).await;
    assert_eq!(history.iter().filter(|kind| *kind == "second_factor_added").count(), 2, "{history:?}");
    let told = world.mail(&ana.email, 2).await;
    assert!(told.contains("authenticator app was replaced"), "{told}");
}

#[tokio::test]
async fn a_new_app_is_confirmed_within_the_hour_and_by_a_code_of_the_old_one_too() {
    let world = World::new().await;
    let mut ana = world.join("ana@example.com").await;
    let tokens = world.sign_in(&ana).await;
    let asked = pb::BeginTotpReplacementRequest { request_id: id(), code: ana.recovery_codes[0].clone() };
    let begun =
        world.accounts().begin_totp_replacement(with_token(asked, &tokens.access_token)).await.unwrap();
    world.advance(29 * 60);
    let tokens = world.refresh(&tokens.refresh_token).await.unwrap();
    world.advance(29 * 60);
    let tokens = world.refresh(&tokens.refresh_token).await.unwrap();
    world.advance(2 * 60);
    let code = world.code_of(&begun.into_inner().secret);
    let late = pb::ConfirmTotpReplacementRequest { request_id: id(), code };
    let tokens = world.refresh(&tokens.refresh_token).await.unwrap();
    let late = world.accounts().confirm_totp_replacement(with_token(late, &tokens.access_token)).await;
    assert_eq!(refused(late), "NO_APP_BEGUN");
    world.advance(60);
    let with = world.next_code(&ana);
    (ana.secret, _) = replace(&world, &tokens.access_token, &with).await;
    world.advance(30);
    world.sign_in(&ana).await;
}
