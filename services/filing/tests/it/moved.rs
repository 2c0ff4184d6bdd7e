//! An accepted Form AR-11, or another form that was submitted, becomes the address of record. Identity is waited for, and nobody but that address waits with it.

use docket_proto::events::filing::Event;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::client::Client;
use crate::files;
use crate::peers::Addresses;
use crate::representation::attorney;
use crate::world::{GLANCE, PATIENCE, World, case_accepted, fee_settled};

/// A report of a move that was submitted; gives the filing's name.
async fn submitted(world: &World, ana: &Client) -> String {
    let draft = answered(ana, &json!({})).await;
    ana.sign_now(&draft).await;
    went_in(world, ana, &draft).await;
    draft
}

/// A report of Ana's move that was signed for her, and submitted.
async fn submitted_for(world: &World, eva: &Client, more: &Value) -> String {
    let draft = answered(eva, more).await;
    signed_for(eva, &draft).await;
    went_in(world, eva, &draft).await;
    draft
}

/// Signs under a power of attorney.
async fn signed_for(eva: &Client, draft: &str) {
    eva.upload(draft, "authority_to_sign", "letters.png", &files::picture(7)).await.unwrap();
    let hash = eva.review(draft).await.unwrap().content_hash;
    eva.sign_for(draft, &hash, "Eva Lima", "attorney_in_fact").await.unwrap();
}

async fn went_in(world: &World, whose: &Client, draft: &str) {
    let payment = whose.submit(draft).await.unwrap().payment;
    world.payment(&payment, fee_settled(&payment, draft, world.now_us())).await;
    whose.until(draft, "submitted").await;
}

/// A report that is answered; gives the filing's name.
async fn answered(ana: &Client, more: &Value) -> String {
    let draft = ana.start("AR-11").await.unwrap().name;
    let address = |city: &str| json!({ "line1": "9 Sample Ave", "city": city, "state": "NV", "postal_code": "89501", "country": "US" });
    let mut answers = json!({
        "app_family_name": "Lima", "app_given_name": "Ana Lúcia", "app_other_names_used": false,
        "dob": "1985-04-12", "citizenship": "BR", "protected": false,
        "old_address": address("Elko"), "new_address": address("Reno"), "moved_on": "2026-01-02",
        "reads_english": "i_read_it", "declares_true": true,
    });
    answers.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let answered = ana.answer(&draft, &answers).await.unwrap();
    assert!(answered.missing.is_empty(), "{:?}", answered.missing);
    ana.quote(&draft).await.unwrap();
    draft
}

/// Waits until nothing is owed.
pub(crate) async fn settled(world: &World) {
    let none = async {
        while !world.owed().await.is_empty() {
            sleep(GLANCE).await;
        }
    };
    timeout(PATIENCE, none).await.expect("what is owed is settled");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_report_of_a_move_is_kept_by_identity() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let draft = submitted(&world, &ana).await;
    assert_eq!(world.postal_address(&ana), "", "nothing is kept before it is accepted");
    assert!(world.owed().await.is_empty());
    world.case(&draft, case_accepted("DKT1234567897")).await;
    ana.until(&draft, "accepted").await;
    settled(&world).await;
    assert_eq!(world.postal_address(&ana), "9 Sample Ave\nReno, NV 89501");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_identity_does_not_answer_the_log_is_free_and_the_address_is_owed() {
    let world = World::start().await;
    let (ana, ben) = (world.person("Ana Lúcia", "Lima"), world.person("Ben", "Example"));
    let draft = submitted(&world, &ana).await;
    world.addresses(Addresses::Hang);
    world.case(&draft, case_accepted("DKT1234567897")).await;
    // Accepted, though identity has not answered; and who begins a draft meanwhile waits for nobody.
    ana.until(&draft, "accepted").await;
    assert_eq!(world.owed().await, ["address_of_record"]);
    ben.start("AR-11").await.unwrap();
    assert_eq!(world.postal_address(&ana), "");
    world.addresses(Addresses::Kept);
    settled(&world).await;
    assert_eq!(world.postal_address(&ana), "9 Sample Ave\nReno, NV 89501");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_erased_there_meanwhile_has_no_address_and_keeps_nobody_waiting() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let draft = submitted(&world, &ana).await;
    world.addresses(Addresses::Erased);
    world.case(&draft, case_accepted("DKT1234567897")).await;
    ana.until(&draft, "accepted").await;
    settled(&world).await;
    assert_eq!(world.postal_address(&ana), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_form_gives_is_told_to_identity_once_it_is_submitted() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let (draft, payment) = ana.sent().await;
    assert_eq!(world.postal_address(&ana), "", "nothing is told of what is not submitted");
    world.payment(&payment, fee_settled(&payment, &draft, world.now_us())).await;
    ana.until(&draft, "submitted").await;
    settled(&world).await;
    let address = world.postal_address(&ana);
    assert!(address.starts_with("12 Main St") && address.lines().count() == 2, "{address}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_form_gives_that_is_signed_for_somebody_else_is_told_for_its_case() {
    let world = World::start().await;
    let eva = world.person("Eva", "Lima");
    let draft = eva.start("N-400").await.unwrap().name;
    eva.make_ready(&draft).await;
    eva.quote(&draft).await.unwrap();
    signed_for(&eva, &draft).await;
    went_in(&world, &eva, &draft).await;
    let Event::FilingSubmitted(submitted) = world.last_event(&draft).await else { panic!("another event") };
    assert!(submitted.gives_address);
    settled(&world).await;
    assert_eq!(world.postal_address(&eva), "", "it is not where she lives");
    assert!(world.case_address(&draft).unwrap().starts_with("12 Main St"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_is_reported_for_somebody_else_is_for_their_cases_and_not_the_accounts_address() {
    let world = World::start().await;
    let eva = world.person("Eva", "Lima");
    let case = eva.start("N-400").await.unwrap().name;
    eva.make_ready(&case).await;
    eva.quote(&case).await.unwrap();
    signed_for(&eva, &case).await;
    went_in(&world, &eva, &case).await;
    settled(&world).await;
    let at_first = world.case_address(&case).unwrap();

    // Of somebody else of whom it is signed too: no case of theirs is there.
    let other = submitted_for(&world, &eva, &json!({ "dob": "1985-04-13" })).await;
    world.case(&other, case_accepted("DKT1234567897")).await;
    eva.until(&other, "accepted").await;
    settled(&world).await;
    assert_eq!(world.case_address(&case).unwrap(), at_first);

    // Of the same person, none being named, whatever was begun since; then of one that is named.
    for _ in 0..21 {
        eva.start("I-90").await.unwrap();
    }
    let report = submitted_for(&world, &eva, &json!({})).await;
    world.case(&report, case_accepted("DKT1234567905")).await;
    eva.until(&report, "accepted").await;
    settled(&world).await;
    assert_eq!(world.case_address(&case).unwrap(), "9 Sample Ave\nReno, NV 89501");
    let named = json!({ "receipts": [{ "receipt": "DKT1234567913" }] });
    let report = submitted_for(&world, &eva, &named).await;
    world.case(&report, case_accepted("DKT1234567921")).await;
    eva.until(&report, "accepted").await;
    settled(&world).await;
    assert_eq!(world.case_address("DKT1234567913").unwrap(), "9 Sample Ave\nReno, NV 89501");
    assert_eq!(world.postal_address(&eva), "", "she did not move");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_representative_gives_as_their_office_is_told_to_identity() {
    let world = World::start().await;
    let obi = world.person("Obi", "Adeyemi");
    obi.prepare(&attorney()).await.unwrap();
    settled(&world).await;
    assert_eq!(world.postal_address(&obi), "9 Imaginary Plaza\nNew York, NY 10007");
}
