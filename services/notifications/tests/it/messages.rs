//! Messages: party and office of one case, and nobody else; the party is told that there is one.

use docket_service::testing::grant_role;
use tonic::Code;
use tonic_types::StatusExt as _;
use uuid::Uuid;

use crate::events;
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_party_asks_and_the_office_answers() {
    let world = World::new().await;
    let server = world.serve().await;
    let mut ana = world.person(server.channel(), "ana@example.test", "en");
    let mut officer = world.person(server.channel(), "officer@example.test", "en");
    let case = world.accepted_case(&ana).await;
    world.happens(case, events::assigned(officer.account)).await;
    world.happens(case, events::biometrics_scheduled()).await;
    ana.wait_for_notice(case, "biometrics_appointment").await;

    let request_id = Uuid::now_v7();
    let asked = "May a friend come along? Grüße, ñandú";
    let thread = ana.start_thread(request_id, case, "appointment", asked).await.unwrap();
    let again = ana.start_thread(request_id, case, "appointment", asked).await.unwrap();
    assert_eq!(thread, again, "asked twice, begun once");
    let other = ana.start_thread(request_id, case, "appointment", "Something else").await.unwrap_err();
    assert_eq!(other.code(), Code::AlreadyExists);

    // The assignment alone is not enough: the officer must hold the role now.
    assert_eq!(officer.threads(case).await.unwrap_err().code(), Code::NotFound);
    grant_role(&world.own.pool, officer.account, "adjudicator", "NBC").await;
    let seen = officer.threads(case).await.unwrap();
    assert_eq!(seen, std::slice::from_ref(&thread));
    let answered = officer.say(Uuid::now_v7(), &thread.name, " Yes, outside the room. ").await.unwrap();
    let said: Vec<_> = answered.messages.iter().map(|m| (m.from.as_str(), m.text.as_str())).collect();
    assert_eq!(said, [("party", asked), ("office", "Yes, outside the room.")]);
    assert_eq!(ana.threads(case).await.unwrap(), [answered]);

    ana.wait_for_deliveries("handed_over", 3).await;
    let mails = world.mails(&ana.email).await;
    assert_eq!(mails.iter().filter(|mail| mail["subject"] == "You have a new message").count(), 1);
    assert!(world.mails(&officer.email).await.is_empty());

    // The texts are sealed.
    let payloads: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT payload FROM log.event WHERE kind = 'thread.message_sent.v1'")
            .fetch_all(&world.own.pool)
            .await
            .unwrap();
    assert_eq!(payloads.len(), 2);
    assert!(!payloads.iter().any(|payload| String::from_utf8_lossy(payload).contains("friend")));
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_and_other_offices_are_told_nothing() {
    let world = World::new().await;
    let server = world.serve().await;
    let mut ana = world.person(server.channel(), "ana@example.test", "en");
    let mut eve = world.person(server.channel(), "eve@example.test", "en");
    let mut supervisor = world.person(server.channel(), "supervisor@example.test", "en");
    let mut elsewhere = world.person(server.channel(), "elsewhere@example.test", "en");
    grant_role(&world.own.pool, supervisor.account, "supervisor", "NBC").await;
    grant_role(&world.own.pool, elsewhere.account, "supervisor", "FO-NYC").await;
    let case = world.accepted_case(&ana).await;
    ana.wait_for_notice(case, "receipt").await;
    let thread = ana.start_thread(Uuid::now_v7(), case, "other", "Hello?").await.unwrap();
    for stranger in [&mut eve, &mut elsewhere] {
        assert_eq!(stranger.threads(case).await.unwrap_err().code(), Code::NotFound);
        let refused = stranger.say(Uuid::now_v7(), &thread.name, "Hello").await.unwrap_err();
        let unknown = format!("threads/{}", Uuid::now_v7());
        let nobodys = stranger.say(Uuid::now_v7(), &unknown, "Hello").await.unwrap_err();
        assert_eq!((refused.code(), refused.message()), (Code::NotFound, nobodys.message()));
        let refused = stranger.start_thread(Uuid::now_v7(), case, "other", "Hello").await.unwrap_err();
        assert_eq!(refused.code(), Code::NotFound);
    }
    assert_eq!(supervisor.say(Uuid::now_v7(), &thread.name, "We look.").await.unwrap().messages.len(), 2);
    let refused = supervisor.start_thread(Uuid::now_v7(), case, "other", "Hello").await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied, "only the party begins");
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_message_is_said_by_field() {
    let world = World::new().await;
    let server = world.serve().await;
    let mut ana = world.person(server.channel(), "ana@example.test", "en");
    let case = world.accepted_case(&ana).await;
    ana.wait_for_notice(case, "receipt").await;
    let refused = ana.start_thread(Uuid::now_v7(), case, "gossip", &"x".repeat(2_001)).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    let faults = refused.get_details_bad_request().unwrap().field_violations;
    let reasons: Vec<_> = faults.iter().map(|fault| fault.description.split(':').next().unwrap()).collect();
    assert_eq!(reasons, ["TEXT_TOO_LONG", "TOPIC_UNKNOWN"]);
    for n in 0..10 {
        ana.start_thread(Uuid::now_v7(), case, "other", &format!("Question {n}")).await.unwrap();
    }
    let refused = ana.start_thread(Uuid::now_v7(), case, "other", "One more").await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert_eq!(refused.get_details_error_info().unwrap().reason, "TOO_MANY_THREADS");

    // Page by page, none twice and none left out.
    let (mut begun, mut token) = (Vec::new(), String::new());
    for left in (0..3).rev() {
        let page = ana.some_threads(case, 4, &token).await.unwrap();
        begun.extend(page.threads.iter().map(|thread| thread.messages[0].text.clone()));
        assert_eq!(page.next_page_token.is_empty(), left == 0);
        token = page.next_page_token;
    }
    assert_eq!(begun, (0..10).rev().map(|n| format!("Question {n}")).collect::<Vec<_>>());
    assert_eq!(ana.some_threads(case, 1, "forged").await.unwrap_err().code(), Code::InvalidArgument);

    let pending = Uuid::now_v7();
    world.happens(pending, events::opened(ana.account)).await;
    crate::world::until("the case is known", async || {
        ana.clone().try_notices(&format!("cases/{pending}"), 0, "").await.ok()
    })
    .await;
    let refused = ana.start_thread(Uuid::now_v7(), pending, "other", "Hello").await.unwrap_err();
    assert_eq!(refused.get_details_error_info().unwrap().reason, "CASE_NOT_ACCEPTED");
    assert!(refused.get_details_help().is_some_and(|help| !help.links.is_empty()), "it has a way out");
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_asked_how_money_of_a_rejected_filing_can_be_given_back_can_say_so() {
    let world = World::new().await;
    let server = world.serve().await;
    let mut ana = world.person(server.channel(), "ana@example.test", "en");
    let mut supervisor = world.person(server.channel(), "supervisor@example.test", "en");
    let mut elsewhere = world.person(server.channel(), "elsewhere@example.test", "en");
    grant_role(&world.own.pool, supervisor.account, "supervisor", "NBC").await;
    grant_role(&world.own.pool, elsewhere.account, "supervisor", "FO-NYC").await;
    let case = Uuid::now_v7();
    world.happens(case, events::opened(ana.account)).await;
    world.happens(case, events::rejected()).await;
    world.happens(case, events::refund_failed(None)).await;
    ana.wait_for_notice(case, "refund_failed").await;
    let text = "That card is closed. Please send a check.";
    let thread = ana.start_thread(Uuid::now_v7(), case, "other", text).await.unwrap();
    // The office of intake, which keeps the filing, reads and answers it.
    assert_eq!(supervisor.threads(case).await.unwrap(), std::slice::from_ref(&thread));
    let answered = supervisor.say(Uuid::now_v7(), &thread.name, "It is on its way.").await.unwrap();
    assert_eq!(answered.messages.len(), 2);
    assert_eq!(elsewhere.threads(case).await.unwrap_err().code(), Code::NotFound);
    server.stop().await.unwrap();
}
