//! Mail: says that there is something and nothing else, once, and its ledger tells what became of it.

use std::collections::BTreeSet;

use docket_kernel::EventEnum as _;
use docket_proto::case_status::events::v1 as cases;
use docket_proto::events::delivery::Event as Outcome;
use docket_proto::events::notice;
use docket_proto::filing::events::v1 as pb;
use docket_proto::notifications::v1::Delivery;
use uuid::Uuid;

use crate::events;
use crate::world::{Person, World, told};

/// What was told, by the alerts' names.
fn alerts(told: &[Delivery]) -> Vec<&str> {
    let mut alerts: Vec<&str> = told.iter().map(|delivery| delivery.alert.as_str()).collect();
    alerts.sort_unstable();
    alerts
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_names_nobody_and_nothing() {
    let world = World::new().await;
    let server = world.serve().await;
    let mut ana = world.person(server.channel(), "ana@example.test", "es");
    world.accepted_case(&ana).await;
    let mails = world.wait_for_mails(&ana.email, 1).await;
    let deliveries = ana.wait_for_deliveries("handed_over", 1).await;
    assert_eq!((deliveries[0].channel.as_str(), deliveries[0].alert.as_str()), ("email", "filing_accepted"));
    assert_eq!(world.count("delivery.handed_over.v1").await, 1);
    let mail = world.mail_text(&mails[0]).await;
    assert_eq!(mail["subject"], "Tiene un aviso nuevo");
    let text = mail["text"].as_str().unwrap();
    assert!(text.starts_with("Hola, Ana Lúcia:"), "{text}");
    for secret in ["Verdemar", "DKT", "N-400", "I-797", "http"] {
        assert!(!text.contains(secret), "{secret}");
    }
    let delivery: Uuid =
        sqlx::query_scalar("SELECT delivery_id FROM delivery").fetch_one(&world.own.pool).await.unwrap();
    assert!(mail["message_id"].as_str().unwrap().contains(&delivery.to_string()));
    let headers = mail["headers"].as_array().unwrap();
    assert!(headers.iter().any(|header| header["name"] == "Auto-Submitted"));
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_did_not_arrive_is_told_to_the_party_and_to_whoever_paid() {
    let world = World::new().await;
    let server = world.serve().await;
    let mut ana = world.person(server.channel(), "ana@example.test", "es");
    let mut ben = world.person(server.channel(), "ben@example.test", "en");
    let case = Uuid::now_v7();
    world.happens(case, events::opened(ana.account)).await;
    world.happens(case, events::rejected()).await;
    world.wait_for_mails(&ana.email, 1).await;
    world.happens(case, events::refund_failed(Some(ben.account))).await;
    ana.wait_for_notice(case, "refund_failed").await;
    let mails = world.wait_for_mails(&ana.email, 2).await;
    let mail = mails.iter().find(|mail| mail["subject"] == "No llegó el dinero que se le iba a devolver");
    let text = world.mail_text(mail.unwrap()).await["text"].as_str().unwrap().to_owned();
    assert!(text.contains("lo guardamos para usted") && !text.contains("710"), "{text}");
    let mails = world.wait_for_mails(&ben.email, 1).await;
    let text = world.mail_text(&mails[0]).await["text"].as_str().unwrap().to_owned();
    assert!(text.contains("paid for somebody else") && text.contains("did not arrive"), "{text}");
    assert_eq!(alerts(&ben.wait_for_deliveries("handed_over", 1).await), ["payers_refund_failed"]);
    assert!(ben.notices(case).await.is_empty(), "the case is not the payer's");

    // Who paid for themselves hears of it once; so does the party where nobody knows who paid.
    for payer in [Some(ana.account), None] {
        world.happens(case, events::refund_failed(payer)).await;
    }
    let told = ana.wait_for_deliveries("handed_over", 4).await;
    assert_eq!(alerts(&told), ["filing_rejected", "refund_failed", "refund_failed", "refund_failed"]);
    assert_eq!(world.mails(&ben.email).await.len(), 1);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bounce_fails_at_once_and_a_deferred_mail_goes_out_later() {
    let world = World::new().await;
    let server = world.serve().await;
    let mut bounced = world.person(server.channel(), "bounce@example.test", "en");
    world.accepted_case(&bounced).await;
    bounced.wait_for_deliveries("failed", 1).await;
    assert_eq!(world.count("delivery.failed.v1").await, 1);

    let mut deferred = world.person(server.channel(), "defer@example.test", "en");
    world.accepted_case(&deferred).await;
    crate::world::until("the first try", async || {
        let tries: Option<i32> =
            sqlx::query_scalar("SELECT max(attempts) FROM delivery WHERE account_id = $1")
                .bind(deferred.account)
                .fetch_one(&world.own.pool)
                .await
                .unwrap();
        tries.filter(|tries| *tries == 1)
    })
    .await;
    assert_eq!(deferred.deliveries().await[0].state, "queued");
    world.bench.advance(30);
    crate::world::until("it is told that a mail waits", async || {
        told(&server, "docket_mail_oldest_age_seconds").await.filter(|age_s| *age_s >= 30.0)
    })
    .await;
    world.bench.advance(31);
    world.wait_for_mails("defer@example.test", 1).await;
    let mut deferred = world.stranger(server.channel(), deferred.account, "defer@example.test");
    deferred.wait_for_deliveries("handed_over", 1).await;
    assert!(told(&server, "docket_mail_taken").await.is_some_and(|taken| taken >= 1.0));
    assert_eq!(world.mails("defer@example.test").await.len(), 1);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_a_mail_does_not_reach_is_said_with_its_notice_and_seen_until_one_is_taken() {
    let world = World::new().await;
    let server = world.serve().await;
    let mut ana = world.person(server.channel(), "bounce@example.test", "en");
    let case = world.accepted_case(&ana).await;
    ana.wait_for_deliveries("failed", 1).await;
    let receipt = ana.wait_for_notice(case, "receipt").await;
    let outcomes = world.outcomes().await;
    let [Outcome::DeliveryFailed(failed)] = &outcomes[..] else { panic!("{outcomes:?}") };
    assert_eq!((failed.reason.as_str(), failed.alert.as_str()), ("bounced", "filing_accepted"));
    assert_eq!(
        (failed.case_id.clone(), failed.account_id.clone()),
        (case.to_string(), ana.account.to_string())
    );
    assert_eq!(format!("notices/{}", failed.notice_id), receipt.name);
    assert_eq!((failed.notice_kind.as_str(), failed.opened), ("receipt", false));
    let returned = async |ana: &mut Person| {
        ana.try_notices(&format!("cases/{case}"), 100, "").await.unwrap().mail_returned_at_us
    };
    assert_ne!(returned(&mut ana).await, 0, "who looks is told that mail comes back");

    // What was opened without a mail is said to be.
    let (_, pdf) = ana.download(&receipt.name).await.unwrap();
    assert!(!pdf.is_empty());
    let opened = "SELECT payload FROM log.event WHERE kind = 'notice.opened.v1'";
    let opened: Vec<u8> = sqlx::query_scalar(opened).fetch_one(&world.own.pool).await.unwrap();
    let opened = notice::Event::decode("notice.opened.v1", &opened).unwrap();
    assert!(matches!(&opened, notice::Event::NoticeOpened(opened) if opened.case_id == case.to_string()));

    world.changes_address(ana.account, "ana@example.test");
    world.bench.advance(1);
    world.happens(case, events::biometrics_scheduled()).await;
    ana.wait_for_deliveries("handed_over", 1).await;
    assert_eq!(returned(&mut ana).await, 0, "the address takes mail again");
    let outcomes = world.outcomes().await;
    let Some(Outcome::DeliveryHandedOver(sent)) = outcomes.last() else { panic!("{outcomes:?}") };
    let notice = ana.wait_for_notice(case, "biometrics_appointment").await;
    assert_eq!(
        (sent.case_id.clone(), format!("notices/{}", sent.notice_id)),
        (case.to_string(), notice.name)
    );
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_did_not_arrive_at_one_address_goes_once_to_the_next_unless_it_was_read_since() {
    let world = World::new().await;
    let server = world.serve().await;
    let mut ana = world.person(server.channel(), "bounce@example.test", "en");
    let case = world.accepted_case(&ana).await;
    let receipt = ana.wait_for_notice(case, "receipt").await;
    world.happens(case, events::biometrics_scheduled()).await;
    ana.wait_for_deliveries("failed", 2).await;
    ana.download(&receipt.name).await.unwrap();
    let appointment = ana.wait_for_notice(case, "biometrics_appointment").await;

    world.moves_to(ana.account, "ana@example.test").await;
    let mails = world.wait_for_mails("ana@example.test", 1).await;
    ana.wait_for_deliveries("handed_over", 1).await;
    let outcomes = world.outcomes().await;
    let [Outcome::DeliveryFailed(_), Outcome::DeliveryFailed(_), Outcome::DeliveryHandedOver(sent)] =
        &outcomes[..]
    else {
        panic!("{outcomes:?}")
    };
    assert_eq!(format!("notices/{}", sent.notice_id), appointment.name);
    assert_eq!((sent.case_id.clone(), sent.account_id.clone()), (case.to_string(), ana.account.to_string()));
    let answer = ana.try_notices(&format!("cases/{case}"), 100, "").await.unwrap();
    assert_eq!(answer.mail_returned_at_us, 0, "of the new address nothing came back");

    // One more address is told of nothing that arrived.
    world.moves_to(ana.account, "third@example.test").await;
    world.happens(case, events::biometrics_scheduled()).await;
    world.wait_for_mails("third@example.test", 1).await;
    assert_eq!((world.mails("ana@example.test").await.len(), mails.len()), (1, 1));
    assert_eq!(world.mails("third@example.test").await.len(), 1);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_still_bounces_a_changed_address_is_told_once_for_each_change() {
    let world = World::new().await;
    let server = world.serve().await;
    let mut ana = world.person(server.channel(), "bounce@example.test", "en");
    let case = world.accepted_case(&ana).await;
    ana.wait_for_deliveries("failed", 1).await;
    world.moves_to(ana.account, "bounce@elsewhere.test").await;
    crate::world::until("a second bounce", async || {
        (world.count("delivery.failed.v1").await == 2).then_some(())
    })
    .await;
    let returned = ana.try_notices(&format!("cases/{case}"), 100, "").await.unwrap().mail_returned_at_us;
    assert_ne!(returned, 0, "mail comes back from there too");
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_comes_back_while_its_address_changes_goes_to_the_next() {
    let world = World::new().await;
    let server = world.serve().await;
    let mut ana = world.person(server.channel(), "bounce@example.test", "en");
    world.directory.moves_when_asked(&ana.account.to_string(), "ana@example.test");
    world.accepted_case(&ana).await;
    crate::world::until("the try given back", async || {
        queued(&world, ana.account)
            .await
            .filter(|(tries, _)| *tries == 0)
            .filter(|(_, next_at)| *next_at > world.bench.now().as_microsecond())
    })
    .await;
    world.bench.advance(301);
    world.wait_for_mails("ana@example.test", 1).await;
    ana.wait_for_deliveries("handed_over", 1).await;
    assert_eq!(world.count("delivery.failed.v1").await, 0);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_whose_address_changes_during_its_last_try_goes_to_the_next() {
    let world = World::new().await;
    let server = world.serve().await;
    let ana = world.person(server.channel(), "defer@example.test", "en");
    world.accepted_case(&ana).await;
    let tried = async |times: i32| {
        crate::world::until("a try", async || {
            queued(&world, ana.account).await.filter(|(tries, _)| *tries == times)
        })
        .await
    };
    tried(1).await;
    // One try is left of the six. The address of then does not take it, and is another one by the time that it is given up.
    let used_up = "UPDATE delivery SET attempts = 5 WHERE account_id = $1";
    sqlx::query(used_up).bind(ana.account).execute(&world.own.pool).await.unwrap();
    world.changes_address(ana.account, "defer@elsewhere.test");
    world.directory.moves_when_asked(&ana.account.to_string(), "ana@example.test");
    world.bench.advance(61);
    crate::world::until("the try given back", async || {
        queued(&world, ana.account)
            .await
            .filter(|(tries, _)| *tries == 5)
            .filter(|(_, next_at)| *next_at > world.bench.now().as_microsecond())
    })
    .await;
    world.bench.advance(301);
    world.wait_for_mails("ana@example.test", 1).await;
    let mut ana = world.stranger(server.channel(), ana.account, "ana@example.test");
    ana.wait_for_deliveries("handed_over", 1).await;
    assert_eq!(world.count("delivery.failed.v1").await, 0);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_one_address_is_tried_at_the_next_at_once() {
    let world = World::new().await;
    let server = world.serve().await;
    let deferred = world.person(server.channel(), "defer@example.test", "en");
    world.accepted_case(&deferred).await;
    crate::world::until("the first try", async || {
        queued(&world, deferred.account).await.filter(|(tries, _)| *tries == 1)
    })
    .await;
    // The clock stands still: it is the change that makes it due.
    world.moves_to(deferred.account, "ana@example.test").await;
    world.wait_for_mails("ana@example.test", 1).await;
    assert_eq!(world.count("delivery.failed.v1").await, 0);
    server.stop().await.unwrap();
}

/// What the ledger says of somebody's one mail: how often it was tried, and when it is next.
async fn queued(world: &World, account: Uuid) -> Option<(i32, i64)> {
    sqlx::query_as("SELECT attempts, next_at_us FROM delivery WHERE account_id = $1 AND state = 'queued'")
        .bind(account)
        .fetch_optional(&world.own.pool)
        .await
        .unwrap()
}

/// Breaks the mail relay, or mends it.
async fn relay(world: &World, mode: &str) {
    let url = format!("http://{}/sandbox/parties/mail", world.sandbox.ports.http);
    let body = serde_json::json!({ "mode": mode });
    reqwest::Client::new().put(url).json(&body).send().await.unwrap().error_for_status().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_is_away_for_an_evening_gets_the_mail_a_day_later() {
    let world = World::new().await;
    let server = world.serve().await;
    let ana = world.person(server.channel(), "ana@example.test", "en");
    relay(&world, "error").await;
    world.accepted_case(&ana).await;
    for (tries, pause) in [(1, 60), (2, 300), (3, 1_800), (4, 14_400), (5, 86_400)] {
        crate::world::until("the try", async || {
            queued(&world, ana.account).await.filter(|(tried, _)| *tried == tries)
        })
        .await;
        if tries == 5 {
            relay(&world, "works").await;
        }
        world.bench.advance(pause + 1);
    }
    world.wait_for_mails(&ana.email, 1).await;
    let mut ana = world.stranger(server.channel(), ana.account, &ana.email);
    ana.wait_for_deliveries("handed_over", 1).await;
    assert_eq!(world.count("delivery.failed.v1").await, 0);
    server.stop().await.unwrap();
}

/// Waits until somebody's one mail, tried once at most so far, is due at another instant than `before` and was tried no more:
/// the instant. The first try may still be under way, and then it is none either.
async fn given_back(world: &World, account: Uuid, before: i64) -> i64 {
    crate::world::until("the try given back", async || {
        let (tried, next_at) = queued(world, account).await?;
        (tried <= 1 && next_at != before).then_some(next_at)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_blocks_our_sender_costs_no_try() {
    let world = World::new().await;
    let server = world.serve().await;
    let blocked = world.person(server.channel(), "policy@example.test", "en");
    world.accepted_case(&blocked).await;
    // A 5xx that says nothing of the mailbox. The first instant is that of the lease of a try which counts.
    crate::world::until("the try given back", async || {
        let tried: Option<bool> = sqlx::query_scalar(
            "SELECT attempts = 0 AND next_at_us > changed_at_us FROM delivery WHERE account_id = $1",
        )
        .bind(blocked.account)
        .fetch_optional(&world.own.pool)
        .await
        .unwrap();
        tried.filter(|tried| *tried)
    })
    .await;
    world.bench.advance(301);
    world.wait_for_mails("policy@example.test", 1).await;
    assert_eq!(world.count("delivery.failed.v1").await, 0);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn while_identity_is_away_no_try_is_counted() {
    let world = World::new().await;
    let server = world.serve().await;
    let ana = world.person(server.channel(), "ana@example.test", "en");
    relay(&world, "error").await;
    world.accepted_case(&ana).await;
    let (tries, mut next_at) = crate::world::until("the first try", async || {
        queued(&world, ana.account).await.filter(|(tried, _)| *tried == 1)
    })
    .await;
    assert_eq!(tries, 1);
    let contact = world.directory.0.lock().unwrap().remove(&ana.account.to_string()).unwrap();
    relay(&world, "works").await;
    for _ in 0..7 {
        world.bench.advance(301);
        next_at = given_back(&world, ana.account, next_at).await;
    }
    world.directory.set(&ana.account.to_string(), contact);
    world.bench.advance(301);
    world.wait_for_mails(&ana.email, 1).await;
    assert_eq!(world.count("delivery.failed.v1").await, 0);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn while_filing_is_away_no_try_of_an_invitation_is_counted() {
    let world = World::new().await;
    let server = world.serve().await;
    let (filing, nobody) = (Uuid::now_v7(), Uuid::nil());
    let filings = |invited| world.invitations.0.lock().unwrap().insert(format!("filings/{filing}"), invited);
    filings(None);
    let asked = pb::HelperAsked { role: "preparer".into(), by_mail: true, ..Default::default() };
    world.happens_to_draft(filing, asked.into()).await;
    let mut due_at = 0;
    // More often than a mail would be tried.
    for _ in 0..8 {
        let before = due_at;
        due_at = crate::world::until("a try that was none", async || {
            let (tried, next_at) = queued(&world, nobody).await?;
            (tried == 0 && next_at != before).then_some(next_at)
        })
        .await;
        world.bench.advance(301);
    }
    filings(Some(("lia@example.test".to_owned(), "ABCDE-01234".to_owned())));
    world.bench.advance(301);
    world.wait_for_mails("lia@example.test", 1).await;
    assert_eq!(world.count("delivery.failed.v1").await, 0);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_got_lost_gives_a_second_copy_with_the_same_id() {
    let world = World::new().await;
    let server = world.serve().await;
    let ana = world.person(server.channel(), "lostanswer@example.test", "en");
    world.accepted_case(&ana).await;
    world.wait_for_mails(&ana.email, 1).await;
    world.bench.advance(61);
    let mails = world.wait_for_mails(&ana.email, 2).await;
    let ids: BTreeSet<_> = mails.iter().map(|mail| mail["message_id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 1);
    let mut later = world.stranger(server.channel(), ana.account, &ana.email);
    later.wait_for_deliveries("handed_over", 1).await;
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_sees_only_their_own_deliveries() {
    let world = World::new().await;
    let server = world.serve().await;
    let mut ana = world.person(server.channel(), "ana@example.test", "en");
    let mut eve = world.person(server.channel(), "eve@example.test", "en");
    let case = world.accepted_case(&ana).await;
    world.happens(case, events::biometrics_scheduled()).await;
    ana.wait_for_deliveries("handed_over", 2).await;
    assert!(eve.deliveries().await.is_empty());
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_prepares_a_draft_is_told_of_its_end_once_for_what_is_filed_together() {
    let world = World::new().await;
    let server = world.serve().await;
    let mut ana = world.person(server.channel(), "ana@example.test", "en");
    let mut obi = world.person(server.channel(), "obi@example.test", "es");
    let (representative, account_id) = (obi.account.to_string(), ana.account.to_string());
    let announced = |days| pb::DraftExpiryAnnounced {
        account_id: account_id.clone(),
        representative: representative.clone(),
        kept_until_date: "2026-12-31".into(),
        days,
    };
    let (first, beside) = (Uuid::now_v7(), Uuid::now_v7());
    world.happens_to_draft(first, announced(14).into()).await;
    world.happens_to_draft(beside, announced(14).into()).await;
    let asked = pb::FilingReviewAsked { content_mac: vec![1], account_id: account_id.clone() };
    world.happens_to_draft(first, asked.into()).await;
    // In order: what was told before this mail was, and the second draft by none of its own.
    ana.wait_for_deliveries("handed_over", 2).await;
    obi.wait_for_deliveries("handed_over", 1).await;
    let mut subjects = Vec::new();
    for mail in world.wait_for_mails("ana@example.test", 2).await {
        subjects.push(world.mail_text(&mail).await["subject"].as_str().unwrap().to_owned());
    }
    subjects.sort();
    let wanted =
        ["A form you began will be deleted in two weeks", "Your representative asks you to look at a form"];
    assert_eq!(subjects, wanted);
    let mails = world.wait_for_mails("obi@example.test", 1).await;
    let text = world.mail_text(&mails[0]).await;
    assert_eq!(text["subject"], "Un formulario que usted empezó se borrará en dos semanas");

    // What was asked before accounts were kept tells nobody; the end is told.
    world.happens_to_draft(first, pb::FilingReviewAsked::default().into()).await;
    let expired = pb::DraftExpired {
        account_id: account_id.clone(),
        representative: String::new(),
        kept_until_date: "2026-12-31".into(),
    };
    world.happens_to_draft(first, expired.into()).await;
    let told = ana.wait_for_deliveries("handed_over", 3).await;
    assert!(told.iter().any(|delivery| delivery.alert == "draft_expired"), "{told:?}");
    assert_eq!(obi.deliveries().await.len(), 1);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_prepared_a_form_is_told_what_the_client_says_and_both_when_that_no_longer_stands() {
    let world = World::new().await;
    let server = world.serve().await;
    let mut ana = world.person(server.channel(), "ana@example.test", "es");
    let mut obi = world.person(server.channel(), "obi@example.test", "en");
    let (representative, account_id) = (obi.account.to_string(), ana.account.to_string());
    let filing = Uuid::now_v7();
    let returned = pb::FilingReturned { representative: representative.clone(), ..Default::default() };
    let approved = pb::FilingApproved {
        content_mac: vec![1],
        representative: representative.clone(),
        ..Default::default()
    };
    let voided = pb::ApprovalVoided { account_id, representative };
    // The second time is another occasion; what was approved before preparers were kept tells nobody.
    for event in [
        returned.clone().into(),
        returned.into(),
        pb::FilingApproved { content_mac: vec![1], ..Default::default() }.into(),
        approved.into(),
        voided.into(),
    ] {
        world.happens_to_draft(filing, event).await;
    }
    let told = obi.wait_for_deliveries("handed_over", 4).await;
    assert_eq!(
        alerts(&told),
        ["clients_approval_voided", "review_approved", "review_returned", "review_returned"]
    );
    ana.wait_for_deliveries("handed_over", 1).await;
    let mails = world.wait_for_mails("ana@example.test", 1).await;
    let text = world.mail_text(&mails[0]).await;
    assert_eq!(text["subject"], "Se cambió un formulario con el que usted estaba de acuerdo");
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_a_form_names_to_sign_it_gets_the_code_by_mail_while_they_are_waited_for() {
    let world = World::new().await;
    let server = world.serve().await;
    let (waits, over, by_hand) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    let invited = ("lia@example.test".to_owned(), "ABCDE-01234".to_owned());
    world.invitations.0.lock().unwrap().insert(format!("filings/{waits}"), Some(invited));
    let asked =
        |by_mail| pb::HelperAsked { role: "co_signer".into(), person: 1, by_mail, ..Default::default() };
    world.happens_to_draft(by_hand, asked(false).into()).await;
    world.happens_to_draft(over, asked(true).into()).await;
    world.happens_to_draft(waits, asked(true).into()).await;
    let mails = world.wait_for_mails("lia@example.test", 1).await;
    let mail = world.mail_text(&mails[0]).await;
    assert_eq!(mail["subject"], "You are asked to sign a form / Se le pide que firme un formulario");
    assert_eq!(mail["text"].as_str().unwrap().matches("ABCDE-01234").count(), 4);
    crate::world::until("the other one is let go", async || {
        (world.count("delivery.failed.v1").await == 1).then_some(())
    })
    .await;
    assert_eq!(world.count("delivery.handed_over.v1").await, 1);
    let accounts: Vec<Uuid> =
        sqlx::query_scalar("SELECT account_id FROM delivery").fetch_all(&world.own.pool).await.unwrap();
    assert_eq!(accounts, [Uuid::nil(); 2], "an address is kept nowhere, and the third goes by no mail");
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_asked_to_file_a_form_gets_the_code_by_mail_and_both_sides_hear_what_becomes_of_it() {
    let world = World::new().await;
    let server = world.serve().await;
    let mut ana = world.person(server.channel(), "ana@example.test", "es");
    let mut olavo = world.person(server.channel(), "olavo@example.test", "en");
    let package = Uuid::now_v7();
    let invited = ("olavo@example.test".to_owned(), "ABCDE-01234".to_owned());
    world.invitations.0.lock().unwrap().insert(format!("packages/{package}"), Some(invited));
    let (asker, other) = (ana.account.to_string(), olavo.account.to_string());
    let asking = |by_mail| pb::PackageFilerInvited { number: 1, by_mail, ..Default::default() };
    let accepted = pb::PackageInvitationAccepted { asker_account_id: asker.clone(), ..Default::default() };
    let declined = pb::PackageInvitationDeclined { asker_account_id: asker.clone(), ..Default::default() };
    let left = pb::PackageFilerSteppedBack { asker_account_id: asker, ..Default::default() };
    let released = pb::PackageFilerReleased { account_id: other, ..Default::default() };
    for event in [
        asking(true).into(),
        asking(false).into(),
        pb::PackageInvitationWithdrawn { number: 2 }.into(),
        accepted.into(),
        declined.into(),
        left.into(),
        released.into(),
    ] {
        world.happens_to_package(package, event).await;
    }
    let mails = world.wait_for_mails("olavo@example.test", 2).await;
    let mut texts = Vec::new();
    for mail in &mails {
        texts.push(world.mail_text(mail).await);
    }
    let invitation =
        texts.iter().find(|mail| mail["text"].as_str().unwrap().contains("ABCDE-01234")).unwrap();
    let subject =
        "You are asked to file a form with somebody / Se le pide que presente un formulario con otra persona";
    assert_eq!(invitation["subject"], subject);
    assert!(invitation["text"].as_str().unwrap().contains("docket invitation show ABCDE-01234"));
    assert_eq!(alerts(&olavo.wait_for_deliveries("handed_over", 1).await), ["package_released"]);
    assert_eq!(
        alerts(&ana.wait_for_deliveries("handed_over", 3).await),
        ["package_declined", "package_joined", "package_left"]
    );
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn several_who_sign_and_who_files_are_told_of_it() {
    let world = World::new().await;
    let server = world.serve().await;
    let mut ana = world.person(server.channel(), "ana@example.test", "es");
    let mut lia = world.person(server.channel(), "lia@example.test", "en");
    let (filing, filer, other) = (Uuid::now_v7(), ana.account.to_string(), lia.account.to_string());
    let signed = pb::HelperSigned { account_id: other.clone(), filer, ..Default::default() };
    let by_hand = pb::HelperSigned { account_id: other.clone(), ..Default::default() };
    let ended = pb::CoSignaturesEnded { accounts: vec![other.clone()] };
    let submitted = pb::FilingSubmitted { co_signers: vec![other], ..Default::default() };
    for event in [signed.into(), by_hand.into(), ended.into(), submitted.into()] {
        world.happens_to_draft(filing, event).await;
    }
    assert_eq!(
        alerts(&lia.wait_for_deliveries("handed_over", 2).await),
        ["co_signature_over", "co_signed_went_in"]
    );
    assert_eq!(alerts(&ana.wait_for_deliveries("handed_over", 1).await), ["co_signer_signed"]);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_to_pay_is_reminded_and_told_once_for_all_of_a_package_that_nobody_paid() {
    let world = World::new().await;
    let server = world.serve().await;
    let mut ana = world.person(server.channel(), "ana@example.test", "es");
    let (package, account_id) = (Uuid::now_v7(), ana.account.to_string());
    for days in [14, 7, 1] {
        let waits_until_date = "2026-11-23".into();
        let reminded = pb::PackagePayerReminded { account_id: account_id.clone(), days, waits_until_date };
        world.happens_to_package(package, reminded.into()).await;
    }
    world.happens_to_package(package, pb::PackageLeftUnpaid::default().into()).await;
    for waited_until_date in ["2026-11-23", "2026-11-23", ""] {
        let recalled = pb::FilingRecalled {
            package_id: package.to_string(),
            account_id: account_id.clone(),
            waited_until_date: waited_until_date.into(),
        };
        world.happens_to_draft(Uuid::now_v7(), recalled.into()).await;
    }
    let told = ana.wait_for_deliveries("handed_over", 4).await;
    let expected = ["fee_left_unpaid", "fee_waits_a_day", "fee_waits_a_week", "fee_waits_two_weeks"];
    assert_eq!(alerts(&told), expected);
    let mails = world.wait_for_mails("ana@example.test", 4).await;
    let mut subjects = Vec::new();
    for mail in &mails {
        subjects.push(world.mail_text(mail).await["subject"].as_str().unwrap().to_owned());
    }
    assert!(subjects.iter().any(|subject| subject.contains("nadie pagó")), "{subjects:?}");
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_reminded_each_time_and_both_are_told_when_what_was_signed_reads_otherwise() {
    let world = World::new().await;
    let server = world.serve().await;
    let mut ana = world.person(server.channel(), "ana@example.test", "es");
    let mut obi = world.person(server.channel(), "obi@example.test", "en");
    let (representative, account_id) = (obi.account.to_string(), ana.account.to_string());
    let filing = Uuid::now_v7();
    let reminded = |days| pb::FilingReviewReminded { account_id: account_id.clone(), days };
    world.happens_to_draft(filing, reminded(2).into()).await;
    world.happens_to_draft(filing, reminded(5).into()).await;
    let voided = pb::SignatureVoided {
        account_id: account_id.clone(),
        representative,
        catalogue_version: "2026-09-01".into(),
    };
    world.happens_to_draft(filing, voided.into()).await;
    let told = ana.wait_for_deliveries("handed_over", 3).await;
    assert_eq!(alerts(&told), ["review_waits", "review_waits", "signature_voided"]);
    let told = obi.wait_for_deliveries("handed_over", 1).await;
    assert_eq!(told[0].alert, "clients_signature_voided");
    let mails = world.wait_for_mails("obi@example.test", 1).await;
    let text = world.mail_text(&mails[0]).await;
    assert_eq!(text["subject"], "A form that your client signed or agreed with has changed");
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_sent_a_file_that_turns_out_hostile_is_told_of_a_draft_and_of_an_answer() {
    let world = World::new().await;
    let server = world.serve().await;
    let mut ana = world.person(server.channel(), "ana@example.test", "es");
    let mut obi = world.person(server.channel(), "obi@example.test", "en");
    let (representative, account_id) = (obi.account.to_string(), ana.account.to_string());
    let draft = |verdict: &str| pb::EvidenceScanned {
        verdict: verdict.into(),
        account_id: account_id.clone(),
        representative: representative.clone(),
        ..Default::default()
    };
    let answer = |verdict: &str| pb::ResponseEvidenceScanned {
        verdict: verdict.into(),
        account_id: account_id.clone(),
        ..Default::default()
    };
    let (filing, request) = (Uuid::now_v7(), Uuid::now_v7());
    for verdict in ["clean", "infected"] {
        world.happens_to_draft(filing, draft(verdict).into()).await;
        world.happens_to_answer(request, answer(verdict).into()).await;
    }
    let told = ana.wait_for_deliveries("handed_over", 2).await;
    assert_eq!(alerts(&told), ["file_refused", "file_refused"]);
    let told = obi.wait_for_deliveries("handed_over", 1).await;
    assert_eq!(told[0].alert, "clients_file_refused");
    let mails = world.wait_for_mails("ana@example.test", 2).await;
    let text = world.mail_text(&mails[0]).await;
    assert_eq!(text["subject"], "No se pudo conservar un archivo que usted envió");
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_represents_a_client_now_and_no_longer_is_told_to_all_and_the_new_one_finds_the_notices() {
    let world = World::new().await;
    let server = world.serve().await;
    let mut ana = world.person(server.channel(), "ana@example.test", "en");
    let mut obi = world.person(server.channel(), "obi@example.test", "en");
    let mut nia = world.person(server.channel(), "nia@example.test", "es");
    let case = world.accepted_case(&ana).await;
    ana.wait_for_notice(case, "receipt").await;
    let (first, second) = (Uuid::now_v7(), Uuid::now_v7());
    let activated = cases::RepresentationActivated {
        representation_id: first.to_string(),
        representative: obi.account.to_string(),
        wishes: None,
    };
    world.happens(case, activated.into()).await;
    obi.wait_for_notice(case, "receipt").await;

    let prepared = pb::RepresentationPrepared { client: ana.account.to_string(), ..Default::default() };
    let accepted = pb::RepresentationAccepted {
        filing_id: case.to_string(),
        representative: nia.account.to_string(),
        ..Default::default()
    };
    let replaced = pb::RepresentationReplaced {
        filing_id: case.to_string(),
        representation_id: second.to_string(),
        representative: obi.account.to_string(),
        client: ana.account.to_string(),
        ended: true,
    };
    // One that is for all that is begun under it tells nobody: both are there.
    world.happens_to_appearance(Uuid::now_v7(), pb::RepresentationPrepared::default().into()).await;
    world.happens_to_appearance(Uuid::now_v7(), pb::RepresentationAccepted::default().into()).await;
    world.happens_to_appearance(second, prepared.into()).await;
    world.happens_to_appearance(second, accepted.into()).await;
    world.happens_to_appearance(first, replaced.into()).await;
    let replaced = cases::CaseRepresentationReplaced {
        representation_id: second.to_string(),
        representative: nia.account.to_string(),
        former_representation_id: first.to_string(),
        former_representative: obi.account.to_string(),
        wishes: None,
    };
    world.happens(case, replaced.into()).await;
    nia.wait_for_notice(case, "receipt").await;
    assert!(obi.notices(case).await.is_empty(), "who acts no longer finds nothing");
    assert_eq!(ana.notices(case).await.len(), 1, "nobody is told that nobody represents them");
    for (person, expected) in [
        (&mut ana, &["appearance_signed", "clients_representative_replaced", "filing_accepted"][..]),
        (&mut obi, &["representative_replaced"]),
        (&mut nia, &["representative_appointed"]),
    ] {
        let told = person.wait_for_deliveries("handed_over", expected.len()).await;
        assert_eq!(alerts(&told), expected);
    }
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_did_not_end_a_representation_is_told_by_one_mail() {
    let world = World::new().await;
    let server = world.serve().await;
    let mut ana = world.person(server.channel(), "ana@example.test", "es");
    let mut obi = world.person(server.channel(), "obi@example.test", "en");
    let (representative, client) = (obi.account.to_string(), ana.account.to_string());
    let withdrawn =
        || pb::RepresentationWithdrawn { representative: representative.clone(), client: client.clone() };
    let ended = |representation: Uuid, cause: &str| cases::CaseRepresentationEnded {
        representation_id: representation.to_string(),
        representative: representative.clone(),
        cause: cause.into(),
        ..Default::default()
    };
    // He withdraws where there is no case, and from what nobody consented to.
    world.happens_to_appearance(Uuid::now_v7(), withdrawn().into()).await;
    let unknown = pb::RepresentationWithdrawn { client: String::new(), ..withdrawn() };
    world.happens_to_appearance(Uuid::now_v7(), unknown.into()).await;
    let told = ana.wait_for_deliveries("handed_over", 1).await;
    assert_eq!(alerts(&told), ["representative_withdrew"]);
    let mails = world.wait_for_mails("ana@example.test", 1).await;
    assert_eq!(world.mail_text(&mails[0]).await["subject"], "Su representante se retiró");

    // In two cases: what filing says comes first, then the notices of both, and once the other way about.
    let (first, second) = (Uuid::now_v7(), Uuid::now_v7());
    world.happens_to_appearance(first, withdrawn().into()).await;
    ana.wait_for_deliveries("handed_over", 2).await;
    let (one, other, last) =
        (world.accepted_case(&ana).await, world.accepted_case(&ana).await, world.accepted_case(&ana).await);
    for (case, representation) in [(one, first), (other, first), (last, second)] {
        world.happens(case, ended(representation, "withdrawn").into()).await;
        ana.wait_for_notice(case, "representation_ended").await;
    }
    world.happens_to_appearance(second, withdrawn().into()).await;
    // In order: what comes after it in its stream was told.
    let after = pb::RepresentationReplaced { representative: representative.clone(), ..Default::default() };
    world.happens_to_appearance(second, after.into()).await;
    obi.wait_for_deliveries("handed_over", 1).await;

    // She ends it: he is told, and she finds the notice of it.
    let third = Uuid::now_v7();
    let dismissed =
        pb::RepresentationEnded { representative: representative.clone(), client: client.clone() };
    world.happens_to_appearance(third, dismissed.into()).await;
    let told = obi.wait_for_deliveries("handed_over", 2).await;
    assert_eq!(alerts(&told), ["client_ended_representation", "representative_replaced"]);
    world.happens(one, ended(third, "ended").into()).await;

    // The office ends one: both are told.
    let by_office = pb::RepresentationEndedByOffice {
        representative: representative.clone(),
        client: client.clone(),
        reason: "suspended".into(),
    };
    world.happens_to_appearance(Uuid::now_v7(), by_office.into()).await;
    let told = obi.wait_for_deliveries("handed_over", 3).await;
    assert_eq!(
        alerts(&told),
        ["client_ended_representation", "office_ended_representation", "representative_replaced"]
    );
    let told = ana.wait_for_deliveries("handed_over", 8).await;
    let expected = [
        "clients_representation_ended",
        "filing_accepted",
        "filing_accepted",
        "filing_accepted",
        "notice_posted",
        "representative_withdrew",
        "representative_withdrew",
        "representative_withdrew",
    ];
    assert_eq!(alerts(&told), expected);
    server.stop().await.unwrap();
}
