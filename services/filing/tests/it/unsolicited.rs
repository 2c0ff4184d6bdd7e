//! Evidence added unasked: beside what was signed, not while something is asked for, not after the decision.

use docket_proto::case_status::events::v1 as cases;
use docket_proto::events::{case, filing};
use tokio::time::timeout;
use tonic::Code;
use uuid::Uuid;

use crate::files;
use crate::world::{
    PATIENCE, World, case_accepted, case_assigned, examination_continued, fee_settled, reason,
    request_cancelled, request_served, revocation_intended,
};

/// A day, in microseconds.
const DAY_US: i64 = 86_400_000_000;

#[tokio::test(flavor = "multi_thread")]
async fn it_stands_beside_what_was_signed_for_the_party_and_the_officer() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let ada = world.officer("adjudicator", "NBC").await;
    let (name, payment) = ana.sent().await;
    let early = ana.upload(&name, "other", "letter.png", &files::picture(21)).await.unwrap_err();
    assert_eq!(reason(&early), "KIND_UNKNOWN", "a draft has its checklist");
    let sent = ana.upload(&name, "green_card", "letter.png", &files::picture(21)).await.unwrap_err();
    assert_eq!(reason(&sent), "ALREADY_SUBMITTED");
    world.payment(&payment, fee_settled(&payment, &name, world.now_us())).await;
    ana.until(&name, "submitted").await;
    world.case(&name, case_accepted("DKT1234567897")).await;
    world.case(&name, case_assigned(ada.account)).await;
    let before = ana.until(&name, "accepted").await;

    let command = Uuid::now_v7();
    let added = ana.upload_as(command, &name, "other", "letter.png", &files::picture(21)).await.unwrap();
    assert_eq!(
        ana.upload_as(command, &name, "other", "letter.png", &files::picture(21)).await.unwrap(),
        added
    );
    let filing::Event::UnsolicitedEvidenceAdded(event) = world.last_event(&name).await else {
        panic!("another event")
    };
    assert!(event.file_name.is_empty() && event.salt.is_empty() && event.received_at_us > 0);
    let shown = ana.get(&name).await.unwrap();
    assert_eq!((&shown.unsolicited[..], &shown.evidence), (std::slice::from_ref(&added), &before.evidence));
    let twin = ana.upload(&name, "other", "again.png", &files::picture(21)).await.unwrap_err();
    assert_eq!(reason(&twin), "ALREADY_ATTACHED");
    let unknown = ana.upload(&name, "driving_licence", "a.png", &files::picture(22)).await.unwrap_err();
    assert_eq!(reason(&unknown), "KIND_UNKNOWN");
    ana.upload(&name, "green_card", "card.png", &files::picture(22)).await.unwrap();

    for reader in [&ana, &ada] {
        assert!(reader.download(&added.name).await.unwrap().1 == files::picture(21), "byte for byte");
    }
    assert_eq!(reason(&ana.remove(&added.name).await.unwrap_err()), "ALREADY_SUBMITTED");
    let eve = world.person("Eve", "Other");
    assert_eq!(eve.download(&added.name).await.unwrap_err().code(), Code::NotFound);
    let foreign = eve.upload(&name, "other", "a.png", &files::picture(23)).await.unwrap_err();
    assert_eq!(foreign.code(), Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_goes_into_the_answer_while_a_request_is_open_and_nothing_after_the_decision() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let (name, payment) = ana.sent().await;
    world.accept(&ana, &name, &payment).await;
    let mut seed = 10;
    let mut add = || {
        seed += 1;
        let (ana, name) = (ana.clone(), name.clone());
        async move {
            let added = ana.upload(&name, "other", "letter.png", &files::picture(seed)).await;
            added.map_or_else(|status| reason(&status), |_| String::new())
        }
    };
    // Each thing that happens in the case is seen here once the next one is.
    let (answered, cancelled, over) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    world.case(&name, examination_continued(answered, &["tax_transcripts"])).await;
    timeout(PATIENCE, async { while add().await != "REQUEST_OPEN" {} }).await.unwrap();
    world.case(&name, request_served(answered, world.now_us() + DAY_US)).await;
    let response = ana.until_response(answered).await.name;
    assert_eq!(add().await, "REQUEST_OPEN");
    ana.upload(&response, "tax_transcripts", "taxes.png", &files::picture(5)).await.unwrap();
    assert_eq!(add().await, "REQUEST_OPEN");
    ana.respond(&response, true).await.unwrap();
    assert_eq!(add().await, "", "what was answered is open no more");

    // One whose day is over, and one that was cancelled, are no longer open.
    world.ask(&name, over, &["court_records"], world.now_us() - 1).await;
    ana.until_response(over).await;
    assert_eq!(add().await, "");
    world.ask(&name, cancelled, &["court_records"], world.now_us() + DAY_US).await;
    ana.until_response(cancelled).await;
    assert_eq!(add().await, "REQUEST_OPEN");
    world.case(&name, request_cancelled(cancelled)).await;
    ana.until_response_is(cancelled, |response| !response.closed_cause.is_empty()).await;
    assert_eq!(add().await, "");

    let denied = cases::CaseDenied { officer: Uuid::now_v7().to_string(), ..Default::default() };
    world.case(&name, case::Event::from(denied)).await;
    timeout(PATIENCE, async { while add().await != "CASE_DECIDED" {} }).await.unwrap();
    assert_eq!(add().await, "CASE_DECIDED");

    // Also of a decision the office may ask something: what is added goes with the answer.
    let intended = Uuid::now_v7();
    world.case(&name, revocation_intended(intended)).await;
    world.case(&name, request_served(intended, world.now_us() + DAY_US)).await;
    ana.until_response(intended).await;
    assert_eq!(add().await, "REQUEST_OPEN");
}
