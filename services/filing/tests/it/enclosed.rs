//! Form I-864 in the package of the I-485 with which it goes: begun there only, read by who decides that case, over with it.

use docket_proto::events::payment;
use docket_proto::filing::v1 as pb;
use docket_proto::payments::events::v1::{FeeSettled, fee_settled::Settlement};
use serde_json::{Value, json};
use tonic::Code;
use uuid::Uuid;

use crate::client::Client;
use crate::files;
use crate::waiting::{answers, make_ready, sign_as, today};
use crate::world::{World, case_accepted, case_assigned, case_opened, case_rejected, reason};

/// Answers to Form I-864 of somebody who earns little. Nobody in it exists.
pub(crate) fn affidavit() -> Value {
    json!({
        "sponsor_kind": "petitioner", "immigrant_name": "Ana Lima", "family_included": 0, "sponsor_status": "us_citizen",
        "app_family_name": "Lima", "app_given_name": "Rui", "app_other_names_used": false, "app_dob": "1981-07-19",
        "app_birth_city": "Duluth", "app_birth_country": "US", "app_sex": "male",
        "app_mailing": { "line1": "77 Pretend Avenue", "city": "Albany", "state": "NY", "postal_code": "12207", "country": "US" },
        "app_physical_same": true, "app_physical_since": "2019-05-01", "app_day_phone": "+1 212 555 0164",
        "domicile_us": true, "military_active": false, "dependents": 0, "earlier_sponsored": 0, "household_size": 2,
        "income_now": 2_100_000, "household_income": 2_100_000, "tax_years_filed": true, "tax_income_last": 2_050_000,
        "contract_understood": true, "used_interpreter": false, "used_preparer": false, "reads_english": "i_read_it",
        "declares_true": true
    })
}

/// An I-485 and the I-864 that goes with it, signed and sent; the second is the affidavit.
async fn sent_together(world: &World, ana: &Client) -> (String, String, String) {
    let residence = ana.start("I-485").await.unwrap();
    let born = "1985-03-11".parse().unwrap();
    make_ready(ana, &residence.name, &answers(("Ana", born), today(world)), 1).await;
    let support = begun_with(ana, &residence).await;
    let filing = ana.answer(&support, &affidavit()).await.unwrap();
    assert!(filing.missing.is_empty(), "{:?}", filing.missing);
    let warned =
        filing.findings.iter().any(|finding| finding.rule == "income-125" && finding.level == "warn");
    assert!(warned, "held against the guideline that nobody is asked: {:?}", filing.findings);
    ana.upload(&support, "tax_transcript", "paper.png", &files::picture(30)).await.unwrap();
    sign_as(ana, &residence.name, "").await;
    assert_eq!(ana.quote(&support).await.unwrap().total.unwrap().cents, 0);
    let review = ana.review(&support).await.unwrap();
    assert!(
        review.text.contains("$21,000.00") && !review.text.contains("Poverty guideline"),
        "{}",
        review.text
    );
    ana.sign_for(&support, &review.content_hash, "Rui Lima", "").await.unwrap();
    let payment = ana.submit(&residence.name).await.unwrap().payment;
    let filing_ids = [&residence.name, &support].map(|name| name.replace("filings/", ""));
    let settled = FeeSettled {
        settlement: Settlement::Paid.into(),
        package_id: payment.replace("payments/", ""),
        filing_ids: filing_ids.to_vec(),
        authorised_at_us: world.now_us(),
        amount_cents: 144_000,
        ..FeeSettled::default()
    };
    world.payment(&payment, payment::Event::FeeSettled(settled)).await;
    ana.until(&residence.name, "submitted").await;
    ana.until(&support, "submitted").await;
    (residence.name, support, payment)
}

async fn begun_with(ana: &Client, main: &pb::Filing) -> String {
    ana.begin_with(Uuid::now_v7(), "I-864", main).await.unwrap().name
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_begun_beside_the_form_that_it_goes_with_and_sent_with_no_other() {
    let world = World::start().await;
    let ana = world.person("Ana", "Lima");
    let alone = ana.start("I-864").await.unwrap_err();
    assert_eq!((alone.code(), reason(&alone).as_str()), (Code::FailedPrecondition, "FORM_NOT_ONLINE"));
    assert!(alone.message().contains("I-485"), "{alone:?}");
    let listed = world.forms("en").await;
    let listed = listed.iter().find(|form| form.form == "I-864").unwrap();
    assert!(!listed.online && listed.goes_with == "I-485");

    // In a package without that form it stays a draft that says why.
    let petition = ana.start("I-130").await.unwrap();
    let support = begun_with(&ana, &petition).await;
    let stops = |filing: &pb::Filing| filing.findings.iter().any(|finding| finding.rule == "alone");
    assert!(stops(&ana.answer(&support, &affidavit()).await.unwrap()));
    ana.begin_with(Uuid::now_v7(), "I-485", &petition).await.unwrap();
    assert!(!stops(&ana.get(&support).await.unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_does_not_go_in_behind_a_case_that_is_pending_already() {
    let world = World::start().await;
    let ana = world.person("Ana", "Lima");
    let (residence, support, _) = sent_together(&world, &ana).await;
    world.case(&residence, case_opened()).await;
    world.case(&residence, case_accepted("DKT1234567897")).await;
    ana.until(&support, "accepted").await;

    let permit = ana.start("I-765").await.unwrap();
    let late = begun_with(&ana, &permit).await;
    ana.answer(&late, &affidavit()).await.unwrap();
    ana.upload(&late, "tax_transcript", "paper.png", &files::picture(32)).await.unwrap();
    let seen = ana.get(&late).await.unwrap();
    let blocks: Vec<&str> =
        seen.findings.iter().filter(|one| one.level == "block").map(|one| one.rule.as_str()).collect();
    assert_eq!((blocks, seen.missing.len()), (vec!["alone"], 0), "nothing else hinders it");
    assert_eq!(reason(&ana.review(&late).await.unwrap_err()), "NOT_READY");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_decides_the_case_reads_it_and_it_has_none_of_its_own() {
    let world = World::start().await;
    let ana = world.person("Ana", "Lima");
    let (residence, support, _) = sent_together(&world, &ana).await;
    let officer = world.officer("adjudicator", "NBC").await;
    let supervisor = world.officer("supervisor", "NBC").await;
    assert_eq!(officer.get(&support).await.unwrap_err().code(), Code::NotFound);
    world.case(&residence, case_opened()).await;
    world.case(&residence, case_accepted("DKT1234567897")).await;
    let accepted = ana.until(&support, "accepted").await;
    assert_eq!(accepted.receipt_number, "", "the number is that of the case");
    world.case(&residence, case_assigned(officer.account)).await;
    let main = officer.until(&residence, "accepted").await;
    assert_eq!(main.enclosed.iter().map(|enclosed| &enclosed.name).collect::<Vec<_>>(), [&support]);
    for reader in [&officer, &supervisor] {
        let read = reader.get(&support).await.unwrap();
        assert!(read.answers_json.contains("2050000"));
        assert!(!reader.download(&read.evidence[0].name).await.unwrap().1.is_empty());
        assert!(!reader.copy(&support).await.unwrap().1.is_empty());
    }
    let elsewhere = world.officer("supervisor", "FO-NYC").await;
    assert_eq!(elsewhere.get(&support).await.unwrap_err().code(), Code::NotFound);
    let eve = world.person("Eve", "Stone");
    assert_eq!(eve.get(&support).await.unwrap_err().code(), Code::NotFound);

    let unasked = ana.upload(&support, "assets_proof", "paper.png", &files::picture(31)).await.unwrap_err();
    assert_eq!(reason(&unasked), "NO_CASE_OF_ITS_OWN");
    world.case(&residence, case_assigned(Uuid::now_v7())).await;
    officer.until_gone(&support).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_over_with_the_form_it_went_in_with_and_is_begun_again_beside_the_next() {
    let world = World::start().await;
    let ana = world.person("Ana", "Lima");
    let (residence, support, _) = sent_together(&world, &ana).await;
    world.case(&residence, case_opened()).await;
    world.case(&residence, case_rejected("X-SIGN")).await;
    ana.until(&residence, "rejected").await;
    ana.until(&support, "rejected").await;
    let alone = ana.again_as(Uuid::now_v7(), &support).await.unwrap_err();
    assert_eq!(reason(&alone), "FORM_NOT_ONLINE");
    let next = ana.again_as(Uuid::now_v7(), &residence).await.unwrap();
    let again = pb::StartDraftRequest {
        request_id: Uuid::now_v7().to_string(),
        again: support.clone(),
        package: format!("packages/{}", next.package_id),
        ..Default::default()
    };
    let again = ana.begin(again).await.unwrap();
    assert!(again.continues == support && again.evidence.len() == 1 && again.missing.is_empty(), "{again:?}");
    assert!(!again.findings.iter().any(|finding| finding.rule == "alone"), "{:?}", again.findings);
}
