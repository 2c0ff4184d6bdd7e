//! Opening an account.

use docket_proto::identity::v1 as pb;
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::world::{PASSWORD, World, eventually, id, reason, refused, way_out};

#[tokio::test]
async fn an_account_is_opened_by_mail_and_app_and_then_signed_in_to() {
    let world = World::new().await;
    let ana = world.join("Ana.Diaz@Example.com").await;
    let tokens = world.sign_in(&ana).await;
    assert_eq!((tokens.account.as_str(), tokens.expires_in_s), (ana.account.as_str(), 300));
    let account = world.account(&tokens.access_token).await.unwrap();
    assert_eq!(account.name, ana.account);
    assert_eq!(account.email, "Ana.Diaz@example.com");
    assert_eq!((account.state.as_str(), account.identity_level.as_str()), ("active", "none"));
    assert_eq!((account.language.as_str(), account.zone.as_str()), ("en", "America/New_York"));
    assert_eq!(
        world.history(&tokens.access_token).await,
        ["registered", "email_proven", "second_factor_added", "recovery_codes_issued", "signed_in"]
    );
}

#[tokio::test]
async fn every_faulty_field_is_named_at_once() {
    let world = World::new().await;
    let message = pb::RegisterRequest {
        request_id: id(),
        email: "nobody".into(),
        password: "short".into(),
        language: "fr".into(),
        zone: "Mars/Base".into(),
    };
    let status = world.accounts().register(message).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let faults = status.get_details_bad_request().unwrap().field_violations;
    let fields: Vec<_> = faults.iter().map(|fault| fault.field.as_str()).collect();
    assert_eq!(fields, ["email", "password", "language", "zone"]);
    let malformed = world.register_as("ana@example.com", PASSWORD, "not a uuid").await;
    assert_eq!(malformed.unwrap_err().code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_mailed_code_is_tried_five_times() {
    let world = World::new().await;
    let token = world.register("ana@example.com").await.unwrap();
    let code = world.mailed_code("ana@example.com", 1).await;
    let wrong = if code == "000000" { "000001" } else { "000000" };
    for _ in 0..5 {
        assert_eq!(refused(world.confirm_email(&token, wrong).await), "CODE_WRONG");
    }
    assert_eq!(refused(world.confirm_email(&token, &code).await), "TOO_MANY_TRIES");
    assert_eq!(refused(world.begin_totp(&token).await), "EMAIL_NOT_PROVEN");
}

#[tokio::test]
async fn a_mailed_code_is_good_once_but_the_same_request_may_be_repeated() {
    let world = World::new().await;
    let token = world.register("ana@example.com").await.unwrap();
    let code = world.mailed_code("ana@example.com", 1).await;
    let request = id();
    world.confirm_email_as(&token, &code, &request).await.unwrap();
    world.confirm_email_as(&token, &code, &request).await.unwrap();
    assert_eq!(refused(world.confirm_email(&token, &code).await), "CODE_WRONG");
}

#[tokio::test]
async fn a_mailed_code_is_good_for_a_day() {
    let world = World::new().await;
    let token = world.register("ana@example.com").await.unwrap();
    let code = world.mailed_code("ana@example.com", 1).await;
    world.advance(24 * 3600);
    assert_eq!(refused(world.confirm_email(&token, &code).await), "CODE_EXPIRED");
    assert_eq!(refused(world.begin_totp(&token).await), "REGISTRATION_EXPIRED");
}

#[tokio::test]
async fn a_known_address_gets_the_same_answer_and_its_owner_another_mail() {
    let world = World::new().await;
    let ana = world.join("ana@example.com").await;
    let fresh = world.register("bea@example.com").await.unwrap();
    let token = world.register_as("ANA@example.com", "another long password", &id()).await.unwrap();
    assert_eq!(token.len(), fresh.len());
    let mail = world.mail("ana@example.com", 2).await;
    assert!(mail.starts_with("You already have a Docket account"), "{mail}");
    assert!(!mail.contains("ana"), "no personal data in {mail}");
    assert_eq!(refused(world.confirm_email(&token, "123456").await), "CODE_WRONG");
    assert_eq!(refused(world.begin_totp(&token).await), "EMAIL_NOT_PROVEN");
    world.sign_in(&ana).await;
}

#[tokio::test]
async fn who_lost_an_unfinished_registration_begins_anew_with_another_password() {
    let world = World::new().await;
    let lost = world.register_as("ana@example.com", "the password of a stranger", &id()).await.unwrap();
    let token = world.register("ana@example.com").await.unwrap();
    let first = world.mailed_code("ana@example.com", 1).await;
    let second = world.mailed_code("ana@example.com", 2).await;
    if first != second {
        assert_eq!(refused(world.confirm_email(&lost, &second).await), "CODE_WRONG");
    }
    world.confirm_email(&token, &second).await.unwrap();
    let ana = world.finish("ana@example.com", &token).await;
    let code = world.next_code(&ana);
    let stranger = world.try_sign_in("ana@example.com", "the password of a stranger", &code).await;
    assert_eq!(refused(stranger), "SIGN_IN_REFUSED");
    world.sign_in(&ana).await;
    assert_eq!(refused(world.confirm_email(&lost, &first).await), "CODE_EXPIRED");
}

#[tokio::test]
async fn a_repeated_registration_gives_the_same_token_and_sends_one_mail() {
    let world = World::new().await;
    let request = id();
    let token = world.register_as("ana@example.com", PASSWORD, &request).await.unwrap();
    assert_eq!(world.register_as("ana@example.com", PASSWORD, &request).await.unwrap(), token);
    world.mailed_code("ana@example.com", 1).await;
    let rows: i64 =
        sqlx::query_scalar("SELECT count(*) FROM mail").fetch_one(&world.database.pool).await.unwrap();
    assert_eq!((rows, world.mails_to("ana@example.com").await), (1, 1));
}

#[tokio::test]
async fn an_address_registered_by_many_at_once_belongs_to_one_account() {
    let world = World::new().await;
    let all = (0..4).map(|_| world.register("ana@example.com"));
    for answer in futures_join(all).await {
        answer.unwrap();
    }
    let accounts: i64 = sqlx::query_scalar("SELECT count(*) FROM log.event WHERE kind = 'email.claimed.v1'")
        .fetch_one(&world.database.pool)
        .await
        .unwrap();
    assert_eq!(accounts, 1);
}

#[tokio::test]
async fn the_code_of_the_set_up_must_be_right_and_counts_as_used() {
    let world = World::new().await;
    let token = world.register("ana@example.com").await.unwrap();
    world.confirm_email(&token, &world.mailed_code("ana@example.com", 1).await).await.unwrap();
    let secret = world.begin_totp(&token).await.unwrap();
    let code = world.code_of(&secret);
    let wrong = if code == "000000" { "000001" } else { "000000" };
    assert_eq!(refused(world.confirm_totp(&token, wrong.into()).await), "CODE_WRONG");
    world.confirm_totp(&token, code.clone()).await.unwrap();
    assert_eq!(refused(world.try_sign_in("ana@example.com", PASSWORD, &code).await), "SIGN_IN_REFUSED");
}

#[tokio::test]
async fn whoever_is_locked_out_of_the_set_up_is_sent_nowhere_that_is_locked_too() {
    let world = World::new().await;
    let token = world.register("ana@example.com").await.unwrap();
    world.confirm_email(&token, &world.mailed_code("ana@example.com", 1).await).await.unwrap();
    let code = world.code_of(&world.begin_totp(&token).await.unwrap());
    let wrong = if code == "000000" { "000001" } else { "000000" };
    assert_eq!(refused(world.confirm_totp(&token, wrong.into()).await), "CODE_WRONG");
    world.lock("set-up:").await;
    let locked = world.confirm_totp(&token, code).await.unwrap_err();
    assert_eq!(
        (reason(&locked), way_out(&locked)),
        ("TOO_MANY_TRIES".into(), "Wait, then try again.".into())
    );
}

#[tokio::test]
async fn a_registration_that_failed_on_our_side_takes_no_turn_of_the_address() {
    let world = World::new().await;
    for _ in 0..6 {
        let answer = world.without("mail", world.register("ana@example.com")).await;
        assert_eq!(answer.unwrap_err().code(), Code::Internal);
    }
    assert_eq!(world.tries("register:").await, 0);
    world.register("ana@example.com").await.unwrap();
    assert_eq!(world.tries("register:").await, 1);
}

#[tokio::test]
async fn a_mail_which_was_not_taken_is_sent_again_and_its_content_goes() {
    let world = World::new().await;
    world.register("defer@example.com").await.unwrap();
    let attempts = async || {
        let row: (i32, Option<String>, bool) =
            sqlx::query_as("SELECT attempts, outcome, sealed IS NULL FROM mail")
                .fetch_one(&world.database.pool)
                .await
                .unwrap();
        row
    };
    eventually("a first attempt", async || (attempts().await.0 == 1).then_some(())).await;
    let settled = eventually("the second attempt", async || {
        world.advance(1);
        let (tried, outcome, gone) = attempts().await;
        outcome.map(|outcome| (tried, outcome, gone))
    })
    .await;
    assert_eq!(settled, (2, "sent".to_owned(), true));
    assert_eq!(world.mails_to("defer@example.com").await, 1);
}

#[tokio::test]
async fn it_is_told_how_long_the_oldest_mail_waits_and_what_is_taken() {
    let world = World::new().await;
    world.party("mail", "error").await;
    world.register("ana@example.com").await.unwrap();
    world.advance(1_200);
    eventually("the age of the mail", async || {
        world.told("docket_mail_oldest_age_seconds").await.filter(|age_s| *age_s >= 1_200.0)
    })
    .await;
    world.party("mail", "works").await;
    eventually("the mail", async || {
        world.advance(60);
        (world.mails_to("ana@example.com").await == 1).then_some(())
    })
    .await;
    eventually("a mail that is taken", async || {
        world.told("docket_mail_taken").await.filter(|taken| *taken >= 1.0)
    })
    .await;
}

#[tokio::test]
async fn nothing_personal_stands_in_the_database_in_the_clear() {
    let world = World::new().await;
    world.join("ana.diaz@example.com").await;
    for query in [
        "SELECT count(*) FROM log.event WHERE position(convert_to('ana.diaz', 'UTF8') IN payload || sealed || metadata) > 0 OR stream LIKE '%ana%'",
        "SELECT count(*) FROM mail WHERE position(convert_to('ana.diaz', 'UTF8') IN coalesce(sealed, '')) > 0",
        "SELECT count(*) FROM tries WHERE key LIKE '%ana%'",
    ] {
        let found: i64 = sqlx::query_scalar(query).fetch_one(&world.database.pool).await.unwrap();
        assert_eq!(found, 0, "{query}");
    }
}

#[tokio::test]
async fn an_address_already_proven_needs_its_code_for_a_new_password() {
    let world = World::new().await;
    let token = world.register("ana@example.com").await.unwrap();
    world.confirm_email(&token, &world.mailed_code("ana@example.com", 1).await).await.unwrap();
    world.register_as("ana@example.com", "the password of a stranger", &id()).await.unwrap();
    let ana = world.finish("ana@example.com", &token).await;
    world.sign_in(&ana).await;
}

/// Registers an address as it is typed, in a language, from a zone.
async fn register_saying(world: &World, email: &str, [language, zone]: [&str; 2]) -> String {
    let message = pb::RegisterRequest {
        request_id: id(),
        email: email.into(),
        password: PASSWORD.into(),
        language: language.into(),
        zone: zone.into(),
    };
    world.accounts().register(message).await.unwrap().into_inner().registration_token
}

#[tokio::test]
async fn whoever_registered_an_address_first_has_fixed_nothing_of_it() {
    let world = World::new().await;
    register_saying(&world, "ANA@example.com", ["es", "Asia/Tokyo"]).await;
    let token = register_saying(&world, "ana@example.com", ["en", "America/Chicago"]).await;
    let (first, second) = (world.mail("ana@example.com", 1).await, world.mail("ana@example.com", 2).await);
    assert!(first.starts_with("Su código") && second.starts_with("Your code"), "{first} {second}");
    world.confirm_email(&token, &world.mailed_code("ana@example.com", 2).await).await.unwrap();
    let ana = world.finish("ana@example.com", &token).await;
    let account = world.account(&world.sign_in(&ana).await.access_token).await.unwrap();
    let said = [account.email.as_str(), account.language.as_str(), account.zone.as_str()];
    assert_eq!(said, ["ana@example.com", "en", "America/Chicago"]);
}

#[tokio::test]
async fn of_two_registrations_that_proved_the_address_the_later_one_counts() {
    let world = World::new().await;
    let first = register_saying(&world, "ana@example.com", ["es", "America/Denver"]).await;
    let second = register_saying(&world, "Ana@example.com", ["en", "America/Chicago"]).await;
    for (token, nth) in [(&second, 2), (&first, 1)] {
        world.confirm_email(token, &world.mailed_code("ana@example.com", nth).await).await.unwrap();
    }
    let ana = world.finish("ana@example.com", &first).await;
    let account = world.account(&world.sign_in(&ana).await.access_token).await.unwrap();
    let said = [account.email.as_str(), account.language.as_str(), account.zone.as_str()];
    assert_eq!(said, ["ana@example.com", "es", "America/Denver"]);
}

#[tokio::test]
async fn a_stranger_who_registers_an_address_again_and_again_does_not_close_it_for_a_day() {
    let world = World::new().await;
    for _ in 0..5 {
        world.register("ana@example.com").await.unwrap();
    }
    assert_eq!(refused(world.register("ana@example.com").await), "TOO_MANY_TRIES");
    for _ in 0..16 {
        world.advance(900);
        world.register("ana@example.com").await.unwrap();
    }
    assert_eq!(refused(world.register("ana@example.com").await), "TOO_MANY_TRIES");
    world.advance(900);
    let token = world.register("ana@example.com").await.unwrap();
    world.confirm_email(&token, &world.mailed_code("ana@example.com", 22).await).await.unwrap();
    let ana = world.finish("ana@example.com", &token).await;
    world.sign_in(&ana).await;
}

#[tokio::test]
async fn who_registers_one_address_after_the_other_is_slowed_by_network() {
    let world = World::new().await;
    let request = id();
    let first = world.register_as("0@example.com", PASSWORD, &request).await.unwrap();
    for nth in 1..40 {
        // What is repeated takes no turn,
        let again = world.register_as("0@example.com", PASSWORD, &request).await.unwrap();
        assert_eq!(again, first);
        world.register(&format!("{nth}@example.com")).await.unwrap();
    }
    assert_eq!(refused(world.register("one.more@example.com").await), "REGISTERED_TOO_OFTEN");
    // and is answered also when none is left.
    assert_eq!(world.register_as("0@example.com", PASSWORD, &request).await.unwrap(), first);
    let malformed = world.register("nobody").await.unwrap_err();
    assert_eq!(malformed.code(), Code::InvalidArgument, "what is mistyped costs no turn");
    assert_eq!(world.mails_to("one.more@example.com").await, 0);
    world.advance(30);
    world.register("one.more@example.com").await.unwrap();
    assert_eq!(refused(world.register("another@example.com").await), "REGISTERED_TOO_OFTEN");
}

/// Polls all at once.
pub(crate) async fn futures_join<F: Future>(all: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut waiting: Vec<_> = all.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        let mut open = false;
        for (future, done) in &mut waiting {
            if done.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(output) => *done = Some(output),
                    std::task::Poll::Pending => open = true,
                }
            }
        }
        if open { std::task::Poll::Pending } else { std::task::Poll::Ready(()) }
    })
    .await;
    waiting.into_iter().filter_map(|(_, done)| done).collect()
}
