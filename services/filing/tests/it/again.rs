//! Begun again: whatever people had put into a filing that is over is in the new one, unsigned.

use docket_proto::case_status::events::v1 as cases;
use docket_proto::events::case;
use docket_proto::filing::v1 as pb;
use serde_json::{Value, json};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::client::Client;
use crate::files;
use crate::keep::abandon;
use crate::world::{World, case_rejected, fee_settled, reason};

/// Everything that the I-90 of an invented person asks who lost her card, but for the signature.
pub(crate) fn of_a_lost_card() -> Value {
    json!({
        "resident_kind": "permanent_resident", "reason": "lost_stolen_destroyed", "name_on_card_same": "no",
        "mother_given": "Ester", "father_given": "Ruy", "class_of_admission": "IR5",
        "date_of_admission": "2020-05-01", "place_applied": "Lisbon", "place_issued": "Lisbon",
        "in_proceedings": false, "i407_filed": false, "accommodation_needed": false,
        "app_family_name": "Lima", "app_given_name": "Ana Lúcia", "app_other_names_used": false,
        "app_dob": "1985-04-12", "app_birth_city": "Faro", "app_birth_country": "PT", "app_sex": "female",
        "app_a_number": "A212345678", "app_physical_same": true, "app_physical_since": "2023-01-01",
        "app_mailing": {
            "line1": "4 Fictitious Row", "city": "Albany", "state": "NY", "postal_code": "12207", "country": "US"
        },
        "app_ethnicity": "not_hispanic_or_latino", "app_race": ["white"], "app_height": "5 1", "app_weight": 120,
        "app_eye_color": "green", "app_hair_color": "brown", "app_day_phone": "(212) 555-0129",
        "used_interpreter": false, "used_preparer": false, "reads_english": "i_read_it", "declares_true": true
    })
}

/// Signs the filing, sends it, and has it rejected with a code; then begins it again.
async fn rejected_and_again(world: &World, ana: &Client, name: &str, code: &str) -> pb::Filing {
    ana.quote(name).await.expect("a fee");
    ana.sign_now(name).await;
    rejected(world, ana, name, code).await;
    let again = ana.again_as(Uuid::now_v7(), name).await.expect("it is begun again").name;
    ana.get(&again).await.expect("the new one")
}

/// Sends what is signed, and has it rejected with a code.
async fn rejected(world: &World, ana: &Client, name: &str, code: &str) {
    let payment = ana.submit(name).await.expect("it is sent").payment;
    world.payment(&payment, fee_settled(&payment, name, world.now_us())).await;
    ana.until(name, "submitted").await;
    world.case(name, case_rejected(code)).await;
    ana.until(name, "rejected").await;
}

impl Client {
    /// Begins a filing that is over again, in a package.
    async fn again_in(&self, request_id: Uuid, name: &str, package: &str) -> Result<pb::Filing, Status> {
        self.begin(pb::StartDraftRequest {
            request_id: request_id.to_string(),
            again: name.into(),
            package: package.into(),
            ..Default::default()
        })
        .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_went_in_together_is_begun_again_together() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let (first, second) = (ana.sent().await.0, ana.start("N-400").await.unwrap().name);
    ana.make_ready(&second).await;
    ana.quote(&second).await.unwrap();
    ana.sign_now(&second).await;
    rejected(&world, &ana, &second, "X-SIGN").await;
    let other = ana.start("I-90").await.unwrap();
    let package = format!("packages/{}", other.package_id);

    // Nobody puts anything into a package in which nothing is theirs, or into one that was sent.
    let eve = world.person("Eve", "Other").start("I-90").await.unwrap();
    let of_eve = format!("packages/{}", eve.package_id);
    let stranger = ana.again_in(Uuid::now_v7(), &second, &of_eve).await.unwrap_err();
    assert_eq!(stranger.code(), Code::NotFound);
    let sent = format!("packages/{}", ana.get(&first).await.unwrap().package_id);
    let late = ana.again_in(Uuid::now_v7(), &second, &sent).await.unwrap_err();
    assert_eq!(reason(&late), "PACKAGE_SENT");
    assert!(ana.get(&second).await.unwrap().continued_as.is_empty(), "it was not begun again by that");

    let command = Uuid::now_v7();
    let again = ana.again_in(command, &second, &package).await.unwrap();
    assert_eq!((&again.package_id, again.ready), (&other.package_id, true), "with its answers and its card");
    assert_eq!(ana.again_in(command, &second, &package).await.unwrap().name, again.name);
    ana.quote(&again.name).await.unwrap();
    ana.sign_now(&again.name).await;
    // It goes in with the other one or not at all.
    assert_eq!(reason(&ana.submit(&again.name).await.unwrap_err()), "PACKAGE_NOT_SIGNED");
    abandon(&ana, Uuid::now_v7(), &other.name).await.unwrap();
    assert_eq!(ana.submit(&again.name).await.unwrap().payment, package.replace("packages/", "payments/"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiver_that_was_not_refused_is_asked_for_again_and_one_that_was_is_not() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let card = ana.start("I-90").await.unwrap().name;
    ana.answer(&card, &of_a_lost_card()).await.unwrap();
    for (kind, seed) in [("passport", 51), ("hardship_proof", 52)] {
        ana.upload(&card, kind, "paper.png", &files::picture(seed)).await.unwrap();
    }
    let hardship = json!({ "basis": ["financial_hardship"], "hardship": "A bill leaves nothing." });
    let asked = ana.ask_fee_waiver(&card, &hardship.to_string()).await.unwrap();
    assert!(asked.ready, "{asked:?}");

    let second = rejected_and_again(&world, &ana, &card, "X-SIGN").await;
    assert!(second.fee_waiver && second.ready && second.state == "draft", "{second:?}");
    assert_eq!(serde_json::from_str::<Value>(&second.waiver_answers_json).unwrap(), hardship);

    let third = rejected_and_again(&world, &ana, &second.name, "I912-DENIED").await;
    assert!(!third.fee_waiver && third.evidence.len() == 2, "the fee is due, and the papers are there");
    let old = ana.get(&second.name).await.unwrap();
    assert_eq!(serde_json::from_str::<Value>(&old.waiver_answers_json).unwrap(), hardship, "it can be read");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_begun_again_and_given_up_is_begun_again_once_more() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let name = ana.start("N-400").await.unwrap().name;
    ana.make_ready(&name).await;
    let second = rejected_and_again(&world, &ana, &name, "X-SIGN").await;
    let while_it_is_there = ana.again_as(Uuid::now_v7(), &name).await.unwrap_err();
    assert_eq!(reason(&while_it_is_there), "BEGUN_AGAIN");

    abandon(&ana, Uuid::now_v7(), &second.name).await.unwrap();
    let command = Uuid::now_v7();
    let third = ana.again_as(command, &name).await.expect("the rejected one has all of it still");
    assert!(third.name != second.name && third.ready, "with its answers and its card: {third:?}");
    assert_eq!(ana.again_as(command, &name).await.unwrap().name, third.name, "once");
    assert_eq!(ana.get(&name).await.unwrap().continued_as, third.name);
    assert_eq!(reason(&ana.again_as(Uuid::now_v7(), &name).await.unwrap_err()), "BEGUN_AGAIN");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_added_unasked_goes_into_the_successor_of_a_filing_whose_acceptance_was_taken_back() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let (name, payment) = ana.sent().await;
    world.accept(&ana, &name, &payment).await;
    ana.upload(&name, "other", "letter.png", &files::picture(53)).await.unwrap();
    let voided = cases::AcceptanceVoided { cause: "payment".into(), ..Default::default() };
    world.case(&name, case::Event::from(voided)).await;
    ana.until(&name, "voided").await;

    let again = ana.again_as(Uuid::now_v7(), &name).await.unwrap();
    let there: Vec<_> =
        again.evidence.iter().map(|file| (file.kind.as_str(), file.file_name.as_str())).collect();
    assert_eq!(there, [("green_card", "card.png"), ("other", "letter.png")]);
    let letter = &again.evidence[1].name;
    assert!(ana.download(letter).await.unwrap().1 == files::picture(53), "byte for byte");
    ana.remove(letter).await.expect("whoever does not want it there takes it off");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_who_begin_it_again_at_once_one_does_and_nothing_is_left_behind() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let name = ana.start("N-400").await.unwrap().name;
    ana.make_ready(&name).await;
    ana.quote(&name).await.unwrap();
    ana.sign_now(&name).await;
    rejected(&world, &ana, &name, "X-SIGN").await;
    let sealed = world.objects();

    let all = futures::future::join_all((0..8).map(|_| ana.again_as(Uuid::now_v7(), &name))).await;
    let (begun, refused): (Vec<_>, Vec<_>) = all.into_iter().partition(Result::is_ok);
    let begun: Vec<pb::Filing> = begun.into_iter().map(Result::unwrap).collect();
    assert_eq!((begun.len(), refused.len()), (1, 7));
    for refused in refused {
        assert_eq!(reason(&refused.unwrap_err()), "BEGUN_AGAIN");
    }
    assert_eq!(ana.get(&name).await.unwrap().continued_as, begun[0].name);
    let copies = begun[0].evidence.len();
    assert_eq!(
        (copies, world.objects()),
        (1, sealed + copies),
        "the copies of those who came later are gone"
    );
}
