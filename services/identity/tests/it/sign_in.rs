//! Signing in.

use tonic::Code;

use crate::registration::futures_join;
use crate::world::{PASSWORD, World, eventually, id, refused};

#[tokio::test]
async fn a_refusal_does_not_tell_what_was_wrong_nor_whether_the_account_exists() {
    let world = World::new().await;
    let ana = world.join("ana@example.com").await;
    world.register("unproven@example.com").await.unwrap();
    let code = world.next_code(&ana);
    let (used, taken) = (code.clone(), id());
    world.sign_in_as(&ana.email, PASSWORD, &used, &taken).await.unwrap();
    let code = world.next_code(&ana);
    let wrong_code = if code == "000000" { "000001" } else { "000000" };
    let mut answers = Vec::new();
    for (email, password, code, request) in [
        ("ana@example.com", "another password", code.as_str(), &id()),
        ("ana@example.com", PASSWORD, wrong_code, &id()),
        ("ana@example.com", PASSWORD, "ABCD-EFGH-JKMN-PQRS", &id()),
        ("nobody@example.com", PASSWORD, code.as_str(), &id()),
        ("unproven@example.com", PASSWORD, code.as_str(), &id()),
        // With the id of a request that began a session.
        ("ana@example.com", "another password", used.as_str(), &taken),
        ("ana@example.com", PASSWORD, wrong_code, &taken),
        ("nobody@example.com", PASSWORD, used.as_str(), &taken),
    ] {
        let status = world.sign_in_as(email, password, code, request).await.unwrap_err();
        answers.push((status.code(), status.message().to_owned(), status.details().to_vec()));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    let tokens = world.sign_in(&ana).await;
    let refusals = eventually("five refusals in the history", async || {
        let history = world.history(&tokens.access_token).await;
        let refusals = history.iter().filter(|kind| *kind == "sign_in_refused").count();
        (refusals == 5).then_some(refusals)
    });
    refusals.await;
}

#[tokio::test]
async fn a_code_of_the_app_is_taken_once_and_by_one_of_many() {
    let world = World::new().await;
    let ana = world.join("ana@example.com").await;
    let code = world.next_code(&ana);
    let all = (0..4).map(|_| world.try_sign_in(&ana.email, PASSWORD, &code));
    let taken = futures_join(all).await.into_iter().flatten().count();
    assert_eq!(taken, 1);
    assert_eq!(refused(world.try_sign_in(&ana.email, PASSWORD, &code).await), "SIGN_IN_REFUSED");
    world.sign_in(&ana).await;
}

#[tokio::test]
async fn a_recovery_code_is_taken_once_however_it_is_typed() {
    let world = World::new().await;
    let ana = world.join("ana@example.com").await;
    let typed = ana.recovery_codes[3].to_lowercase().replace('-', " ");
    world.try_sign_in(&ana.email, PASSWORD, &typed).await.unwrap();
    assert_eq!(refused(world.try_sign_in(&ana.email, PASSWORD, &typed).await), "SIGN_IN_REFUSED");
    world.try_sign_in(&ana.email, PASSWORD, &ana.recovery_codes[4]).await.unwrap();
}

#[tokio::test]
async fn after_five_failures_there_is_a_wait_for_known_and_unknown_addresses_alike() {
    let world = World::new().await;
    let ana = world.join("ana@example.com").await;
    let mut answers = Vec::new();
    for email in ["ana@example.com", "nobody@example.com"] {
        for _ in 0..5 {
            assert_eq!(
                refused(world.try_sign_in(email, "a wrong password", "123456").await),
                "SIGN_IN_REFUSED"
            );
        }
        let status = world.try_sign_in(email, "a wrong password", "123456").await.unwrap_err();
        answers.push((status.code(), status.message().to_owned(), status.details().to_vec()));
    }
    assert_eq!(answers[0], answers[1]);
    world.advance(1);
    world.sign_in(&ana).await;
}

#[tokio::test]
async fn twenty_failures_lock_the_password_until_a_recovery_code_opens_it() {
    let world = World::new().await;
    let ana = world.join("ana@example.com").await;
    let tokens = world.sign_in(&ana).await;
    for _ in 0..20 {
        assert_eq!(
            refused(world.try_sign_in(&ana.email, "a wrong password", "123456").await),
            "SIGN_IN_REFUSED"
        );
        world.advance(300);
    }
    for _ in 0..5 {
        let code = world.next_code(&ana);
        assert_eq!(refused(world.try_sign_in(&ana.email, PASSWORD, &code).await), "TOO_MANY_TRIES");
    }
    assert_eq!(refused(world.refresh(&tokens.refresh_token).await), "SESSION_ENDED");
    let opened = world.try_sign_in(&ana.email, PASSWORD, &ana.recovery_codes[0]).await.unwrap();
    let history = eventually("the lock and its end", async || {
        let history = world.history(&opened.access_token).await;
        history.contains(&"locked".to_owned()).then_some(history)
    })
    .await;
    assert!(history.contains(&"unlocked".to_owned()), "{history:?}");
    assert_eq!(world.account(&opened.access_token).await.unwrap().state, "active");
    world.sign_in(&ana).await;
}

#[tokio::test]
async fn a_lock_ends_after_a_day() {
    let world = World::new().await;
    let ana = world.join("ana@example.com").await;
    for _ in 0..20 {
        refused(world.try_sign_in(&ana.email, "a wrong password", "123456").await);
        world.advance(300);
    }
    let code = world.next_code(&ana);
    assert_eq!(refused(world.try_sign_in(&ana.email, PASSWORD, &code).await), "TOO_MANY_TRIES");
    world.advance(24 * 3600);
    world.sign_in(&ana).await;
}

#[tokio::test]
async fn tries_of_yesterday_do_not_fill_the_table() {
    let world = World::new().await;
    refused(world.try_sign_in("nobody@example.com", "a wrong password", "123456").await);
    let rows = async |world: &World| {
        let rows: i64 =
            sqlx::query_scalar("SELECT count(*) FROM tries").fetch_one(&world.database.pool).await.unwrap();
        rows
    };
    assert_eq!(rows(&world).await, 1);
    world.advance(26 * 3600);
    let world = world.restart().await;
    eventually("their end", async || (rows(&world).await == 0).then_some(())).await;
}

#[tokio::test]
async fn a_sign_in_that_nobody_could_judge_costs_no_try() {
    let world = World::new().await;
    let ana = world.join("ana@example.com").await;
    let unjudged = async |code: &str| {
        let answer = world.without("credential", world.try_sign_in(&ana.email, PASSWORD, code)).await;
        assert_eq!(answer.unwrap_err().code(), Code::Internal);
    };
    for _ in 0..6 {
        unjudged(&world.next_code(&ana)).await;
    }
    assert_eq!(world.tries("sign-in:").await, 0);
    world.lock("sign-in:").await;
    unjudged(&ana.recovery_codes[0]).await;
    assert_eq!((world.tries("sign-in:").await, world.tries("recovery-").await), (20, 0));
    world.try_sign_in(&ana.email, PASSWORD, &ana.recovery_codes[0]).await.unwrap();
    refused(world.try_sign_in(&ana.email, "a wrong password", "123456").await);
    assert_eq!(world.tries("sign-in:").await, 1, "what was judged costs one");
}
