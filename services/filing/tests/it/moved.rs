//! An accepted Form AR-11, or another form that was submitted, becomes the address of record. Identity is waited for, and nobody but that address waits with it.

use docket_proto::events::filing::Event;
use serde_json::json;
use tokio::time::{sleep, timeout};

use crate::client::Client;
use crate::files;
use crate::peers::Addresses;
use crate::representation::attorney;
use crate::world::{GLANCE, PATIENCE, World, case_accepted, fee_settled};

/// A report of a move that was submitted; gives the filing's name.
async fn submitted(world: &World, ana: &Client) -> String {
    let draft = ana.start("AR-11").await.unwrap().name;
    let address = |city: &str| json!({ "line1": "9 Sample Ave", "city": city, "state": "NV", "postal_code": "89501", "country": "US" });
    let answers = json!({
        "app_family_name": "Lima", "app_given_name": "Ana Lúcia", "app_other_names_used": false,
        "dob": "1985-04-12", "citizenship": "BR", "protected": false,
        "old_address": address("Elko"), "new_address": address("Reno"), "moved_on": "2026-01-02",
        "reads_english": "i_read_it", "declares_true": true,
    });
    let answered = ana.answer(&draft, &answers).await.unwrap();
    assert!(answered.missing.is_empty(), "{:?}", answered.missing);
    ana.quote(&draft).await.unwrap();
    ana.sign_now(&draft).await;
    let payment = ana.submit(&draft).await.unwrap().payment;
    world.payment(&payment, fee_settled(&payment, &draft, world.now_us())).await;
    ana.until(&draft, "submitted").await;
    draft
}

/// Waits until nothing is owed.
async fn settled(world: &World) {
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
    eva.upload(&draft, "authority_to_sign", "letters.png", &files::picture(7)).await.unwrap();
    eva.quote(&draft).await.unwrap();
    let hash = eva.review(&draft).await.unwrap().content_hash;
    eva.sign_for(&draft, &hash, "Eva Lima", "attorney_in_fact").await.unwrap();
    let payment = eva.submit(&draft).await.unwrap().payment;
    world.payment(&payment, fee_settled(&payment, &draft, world.now_us())).await;
    eva.until(&draft, "submitted").await;
    let Event::FilingSubmitted(submitted) = world.last_event(&draft).await else { panic!("another event") };
    assert!(submitted.gives_address);
    settled(&world).await;
    assert_eq!(world.postal_address(&eva), "", "it is not where she lives");
    assert!(world.case_address(&draft).unwrap().starts_with("12 Main St"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_representative_gives_as_their_office_is_told_to_identity() {
    let world = World::start().await;
    let obi = world.person("Obi", "Adeyemi");
    obi.prepare(&attorney()).await.unwrap();
    settled(&world).await;
    assert_eq!(world.postal_address(&obi), "9 Imaginary Plaza\nNew York, NY 10007");
}
