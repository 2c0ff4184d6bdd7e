//! What the case is told of a form when it goes in: what was signed, and nothing that was set aside.

use docket_kernel::deadline::office_date;
use docket_proto::case_status::events::v1 as cases;
use docket_proto::events::filing::Event;
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::client::Client;
use crate::files;
use crate::world::{GLANCE, PATIENCE, World, fee_settled, story_answers};

const RECEIPT: &str = "DKT1234567897";

/// Everything that the I-131 of Ana for advance parole asks, as the story answers it, with the case that it rests on.
fn advance_parole(now_us: i64) -> Value {
    let today = office_date(Timestamp::from_microsecond(now_us).unwrap());
    let values = [
        ("today+90d", (today + 90.days()).to_string()),
        ("today-2y", (today - 2.years()).to_string()),
        ("applicant.family_name", "Lima".into()),
        ("applicant.given_name", "Ana Lúcia".into()),
        ("applicant.birth_date", "1985-04-12".into()),
        ("applicant.a_number", "A212345678".into()),
    ];
    let mut answers = story_answers("i-131-advance-parole", values);
    answers["basis_receipt"] = json!(RECEIPT);
    answers
}

/// An I-131 for advance parole with all its papers, of which the receipt number of the other case is asked.
async fn ready(world: &World, ana: &Client) -> String {
    let draft = ana.start("I-131").await.unwrap().name;
    ana.answer(&draft, &advance_parole(world.now_us())).await.unwrap();
    for (kind, seed) in ["government_id", "photos", "pending_case"].into_iter().zip(91..) {
        ana.upload(&draft, kind, "paper.png", &files::picture(seed)).await.unwrap();
    }
    let filing = ana.get(&draft).await.unwrap();
    assert!(filing.ready, "{:?} {:?} {:?}", filing.missing, filing.findings, filing.evidence_needs);
    assert!(filing.shown.iter().any(|question| question == "basis_receipt"));
    draft
}

/// The receipt number of the case on which what went in rests, as the case is told it.
async fn goes_in(world: &World, ana: &Client, draft: &str) -> String {
    ana.quote(draft).await.unwrap();
    ana.sign_now(draft).await;
    let payment = ana.submit(draft).await.unwrap().payment;
    world.payment(&payment, fee_settled(&payment, draft, world.now_us())).await;
    ana.until(draft, "submitted").await;
    let Event::FilingSubmitted(submitted) = world.last_event(draft).await else { panic!() };
    submitted.facts.unwrap().rests_on_receipt
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_set_aside_before_it_was_signed_is_no_fact() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let draft = ready(&world, &ana).await;
    assert_eq!(goes_in(&world, &ana, &draft).await, RECEIPT, "it was asked, and signed");

    // An I-485 of hers becomes pending: the receipt number is asked no longer, and what was typed is in nothing that is signed.
    let draft = ready(&world, &ana).await;
    let status = ana.start("I-485").await.unwrap().name;
    world.case(&status, cases::CaseReopenedOnOwnMotion::default().into()).await;
    let is_asked = async || {
        let filing = ana.get(&draft).await.unwrap();
        filing.shown.iter().any(|question| question == "basis_receipt")
    };
    let set_aside = async {
        while is_asked().await {
            sleep(GLANCE).await;
        }
    };
    timeout(PATIENCE, set_aside).await.expect("it is asked no longer");
    assert!(!ana.review(&draft).await.unwrap().text.contains(RECEIPT));
    assert_eq!(goes_in(&world, &ana, &draft).await, "");
}
