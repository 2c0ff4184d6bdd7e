//! From the fee to the receipt number, and back after a rejection.

use docket_kernel::Cents;
use docket_proto::events::case::Event as CaseEvent;
use docket_proto::events::filing::Event as FilingEvent;
use docket_proto::filing::v1 as pb;
use serde_json::{Value, json};
use tonic::Code;
use uuid::Uuid;

use crate::copies::text;
use crate::files;
use crate::world::{World, case_accepted, case_rejected, fee_settled, reason};

#[tokio::test(flavor = "multi_thread")]
async fn a_filing_is_shown_its_fee_signed_sent_paid_and_received() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let draft = ana.start("N-400").await.unwrap().name;
    let not_ready = ana.review(&draft).await.unwrap_err();
    assert_eq!(reason(&not_ready), "NOT_READY");
    assert!(not_ready.message().contains("app_dob"));
    assert_eq!(reason(&ana.quote(&draft).await.unwrap_err()), "FEE_UNKNOWN");
    ana.make_ready(&draft).await;

    let review = ana.review(&draft).await.unwrap();
    assert!(review.text.contains("Ana Lúcia") && review.declaration.contains("penalty of perjury"));
    assert_eq!(review, ana.review(&draft).await.unwrap());
    let hash = review.content_hash;
    assert_eq!(reason(&ana.sign(&draft, &hash, "Ana Lucia Lima").await.unwrap_err()), "FEE_NOT_SHOWN");
    let quote = ana.quote(&draft).await.unwrap();
    assert_eq!(quote.total.unwrap().cents, 71_000);
    assert_eq!(quote.rows[0].row, "online");
    let other = ana.sign(&draft, &hash, "Anna Lima").await.unwrap_err();
    assert_eq!(reason(&other), "NAME_DIFFERS");
    assert!(!other.message().contains("Lima"));
    assert_eq!(reason(&ana.sign(&draft, &[0; 32], "Ana Lucia Lima").await.unwrap_err()), "CONTENT_CHANGED");
    assert_eq!(ana.sign(&draft, &hash, "ana lucia LIMA").await.unwrap().state, "signed");

    // A change voids the signature, and the fee is shown for the answers as they are now.
    assert_eq!(ana.answer(&draft, &json!({ "app_weight": 141 })).await.unwrap().state, "draft");
    assert_eq!(reason(&ana.submit(&draft).await.unwrap_err()), "NOT_SIGNED");
    assert_eq!(reason(&ana.sign(&draft, &hash, "Ana Lucia Lima").await.unwrap_err()), "CONTENT_CHANGED");
    let rows = ana.quote_in(&draft, "es").await.unwrap().rows;
    assert_eq!(rows[0].because, "La paga toda persona que presenta este formulario.");
    ana.sign_now(&draft).await;

    let command = Uuid::now_v7();
    let sent = ana.submit_as(command, &draft).await.unwrap();
    assert_eq!(sent.filing.as_ref().unwrap().state, "sent");
    assert_eq!(ana.submit_as(command, &draft).await.unwrap().payment, sent.payment);
    assert_eq!(reason(&ana.submit(&draft).await.unwrap_err()), "ALREADY_SUBMITTED");
    let late = ana.answer(&draft, &json!({ "app_weight": 140 })).await.unwrap_err();
    assert_eq!(reason(&late), "ALREADY_SUBMITTED");

    let authorised_at_us = world.now_us() + 60_000_000;
    world.payment(&sent.payment, fee_settled(&sent.payment, &draft, authorised_at_us)).await;
    let submitted = ana.until(&draft, "submitted").await;
    assert_eq!(submitted.submitted_at_us, authorised_at_us);
    let FilingEvent::FilingSubmitted(e) = world.last_event(&draft).await else { panic!("it was submitted") };
    assert_eq!((e.family.as_str(), e.form.as_str(), e.evidence.len()), ("naturalization", "N-400", 1));
    assert_eq!(format!("payments/{}", e.payment_id), sent.payment);
    let facts = e.facts.unwrap();
    assert_eq!(
        (facts.basis.as_str(), facts.civics_test.as_str(), facts.abroad),
        ("lpr_5_years", "2025", false)
    );
    assert!(facts.age >= 41);
    assert!(e.gives_address);
    assert_eq!(facts.signed_as, "self", "her name is proven: no officer has to look");

    world.case(&draft, case_accepted("DKT1234567897")).await;
    assert_eq!(ana.until(&draft, "accepted").await.receipt_number, "DKT1234567897");
    world
        .expect_nothing_personal_in_the_clear(&["Ana L", "Recife", "Hudson Clinic", "12 Main St", "card.png"])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_filing_is_over_and_begun_again_as_another_with_all_that_was_in_it() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let (draft, payment) = ana.sent().await;
    world.payment(&payment, fee_settled(&payment, &draft, world.now_us())).await;
    ana.until(&draft, "submitted").await;
    let rejected: CaseEvent = case_rejected("X-SIGN");
    world.case(&draft, rejected).await;
    let over = ana.until(&draft, "rejected").await;
    let weight = json!({ "app_weight": 142 });
    assert_eq!(reason(&ana.answer(&draft, &weight).await.unwrap_err()), "FILING_REJECTED");

    let eve = world.person("Eve", "Other");
    let stolen = eve.again_as(Uuid::now_v7(), &draft).await.unwrap_err();
    assert_eq!(stolen.code(), Code::NotFound);
    let (form, again) = ("I-90".into(), draft.clone());
    let request_id = Uuid::now_v7().to_string();
    let other =
        ana.begin(pb::StartDraftRequest { request_id, form, again, ..Default::default() }).await.unwrap_err();
    assert_eq!(reason(&other), "OTHER_FORM");

    let command = Uuid::now_v7();
    let again = ana.again_as(command, &draft).await.unwrap();
    assert_eq!((again.state.as_str(), &again.continues), ("draft", &draft));
    assert!(again.ready && again.package_id != over.package_id && again.name != draft);
    assert_eq!(ana.again_as(command, &draft).await.unwrap(), again, "repeated, it is the same");
    assert_eq!(reason(&ana.again_as(Uuid::now_v7(), &draft).await.unwrap_err()), "BEGUN_AGAIN");
    assert_eq!(ana.get(&draft).await.unwrap().continued_as, again.name);

    // The same answers, and the same bytes under a key of their own.
    let answers =
        |filing: &pb::Filing| serde_json::from_str::<serde_json::Value>(&filing.answers_json).unwrap();
    let (old, new) = (ana.get(&draft).await.unwrap(), ana.get(&again.name).await.unwrap());
    assert_eq!(answers(&old), answers(&new));
    assert_eq!(old.evidence.len(), new.evidence.len());
    for (before, after) in old.evidence.iter().zip(&new.evidence) {
        assert_eq!((&before.kind, &before.file_name), (&after.kind, &after.file_name));
        let bytes = ana.download(&before.name).await.unwrap().1;
        assert!(before.name != after.name && ana.download(&after.name).await.unwrap().1 == bytes);
    }
    ana.answer(&again.name, &weight).await.unwrap();
    ana.quote(&again.name).await.unwrap();
    ana.sign_now(&again.name).await;
    let sent = ana.submit(&again.name).await.unwrap();
    assert_eq!(sent.payment, format!("payments/{}", again.package_id));
    world.payment(&sent.payment, fee_settled(&sent.payment, &again.name, world.now_us())).await;
    ana.until(&again.name, "submitted").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_for_another_signs_in_the_own_name_with_what_shows_the_authority() {
    let world = World::start().await;
    let ana = world.person("Eva", "Lima");
    let draft = ana.start("N-400").await.unwrap().name;
    ana.make_ready(&draft).await;
    ana.quote(&draft).await.unwrap();
    let hash = ana.review(&draft).await.unwrap().content_hash;
    let signing = async |name: &str, hash: &[u8], capacity: &str| {
        ana.sign_for(&draft, hash, name, capacity).await.map_err(|status| reason(&status))
    };
    assert_eq!(signing("Eva Lima", &hash, "friend").await.unwrap_err(), "CAPACITY_UNKNOWN");
    assert_eq!(signing("Eva Lima", &hash, "parent").await.unwrap_err(), "SIGNS_SELF_FROM_14");
    assert_eq!(signing("Eva Lima", &hash, "guardian").await.unwrap_err(), "AUTHORITY_MISSING");
    ana.upload(&draft, "authority_to_sign", "letters.png", &files::picture(9)).await.unwrap();
    let hash = ana.review(&draft).await.unwrap().content_hash;
    // The name in the form is Ana's; the guardian has one of her own.
    assert_eq!(signing("Ana Lucia Lima", &hash, "guardian").await.unwrap_err(), "NAME_DIFFERS");
    assert_eq!(signing("Eva Lima", &hash, "").await.unwrap_err(), "NAME_DIFFERS");
    assert_eq!(signing("Eva Lima", &hash, "guardian").await.unwrap().state, "signed");
    let payment = ana.submit(&draft).await.unwrap().payment;
    world.payment(&payment, fee_settled(&payment, &draft, world.now_us())).await;
    ana.until(&draft, "submitted").await;
    let FilingEvent::FilingSubmitted(e) = world.last_event(&draft).await else { panic!("it was submitted") };
    assert_eq!(e.facts.unwrap().signed_as, "guardian");
}

#[tokio::test(flavor = "multi_thread")]
async fn whose_name_is_not_proven_files_as_anybody_and_an_officer_is_told() {
    let world = World::start().await;
    let ana = world.unproven_person();
    let (draft, payment) = ana.sent().await;
    let says = text(&ana.copy(&draft).await.unwrap().1);
    assert!(says.contains("No name is proven for the account."), "{says}");
    world.payment(&payment, fee_settled(&payment, &draft, world.now_us())).await;
    ana.until(&draft, "submitted").await;
    let FilingEvent::FilingSubmitted(e) = world.last_event(&draft).await else { panic!("it was submitted") };
    assert_eq!(e.facts.unwrap().signed_as, "self_other_name");

    // Nor does who signs for somebody else prove a name; it is typed, and it is not blank.
    let draft = ana.start("N-400").await.unwrap().name;
    ana.make_ready(&draft).await;
    ana.quote(&draft).await.unwrap();
    ana.upload(&draft, "authority_to_sign", "letters.png", &files::picture(9)).await.unwrap();
    let hash = ana.review(&draft).await.unwrap().content_hash;
    let own = ana.sign(&draft, &hash, "Eva Lima").await.unwrap_err();
    let blank = ana.sign_for(&draft, &hash, "-", "guardian").await.unwrap_err();
    assert_eq!([reason(&own), reason(&blank)], ["NAME_DIFFERS", "NAME_DIFFERS"]);
    assert_eq!(ana.sign_for(&draft, &hash, "Eva Lima", "guardian").await.unwrap().state, "signed");
}

#[tokio::test(flavor = "multi_thread")]
async fn for_a_company_somebody_signs_who_may_bind_it_in_the_own_name() {
    let world = World::start().await;
    let eva = world.person("Eva", "Lima");
    let draft = eva.start("I-140").await.unwrap().name;
    let filing = eva.answer(&draft, &of_a_company()).await.unwrap();
    assert!(filing.missing.is_empty() && filing.findings.is_empty(), "{filing:?}");
    for (kind, seed) in [("labor_certification", 71), ("ability_to_pay", 72), ("experience_letters", 73)] {
        eva.upload(&draft, kind, "paper.png", &files::picture(seed)).await.unwrap();
    }
    eva.quote(&draft).await.unwrap();
    let hash = eva.review(&draft).await.unwrap().content_hash;
    let signing = async |name: &str, capacity: &str| {
        eva.sign_for(&draft, &hash, name, capacity).await.map_err(|status| reason(&status))
    };
    assert_eq!(signing("Eva Lima", "").await.unwrap_err(), "COMPANY_SIGNS_BY_OFFICER");
    assert_eq!(signing("Eva Lima", "parent").await.unwrap_err(), "COMPANY_SIGNS_BY_OFFICER");
    // The worker's name stands in the form; whoever signs has one of their own.
    assert_eq!(signing("Ji-woo Han", "company_officer").await.unwrap_err(), "NAME_DIFFERS");
    assert_eq!(signing("Eva Lima", "company_officer").await.unwrap().state, "signed");
    let payment = eva.submit(&draft).await.unwrap().payment;
    world.payment(&payment, fee_settled(&payment, &draft, world.now_us())).await;
    eva.until(&draft, "submitted").await;
    let FilingEvent::FilingSubmitted(e) = world.last_event(&draft).await else { panic!("it was submitted") };
    let facts = e.facts.unwrap();
    assert_eq!(
        (facts.signed_as.as_str(), facts.age),
        ("company_officer", 0),
        "the worker's age is not the filer's"
    );
}

/// Everything that the I-140 of an invented company asks about an invented worker, but for the signature.
fn of_a_company() -> Value {
    json!({
        "petitioner_kind": "employer", "company": "Hudson Clinic", "ein": "12-3456789", "employees_us": 40,
        "nonprofit": false, "gross_income": "$4,000,000", "net_income": "$500,000",
        "classification": "eb3_skilled", "labor_cert_number": "A-123-45678-123456",
        "labor_cert_valid_until": "2027-01-31", "prior_petition": false,
        "ben_family_name": "Han", "ben_given_name": "Ji-woo", "ben_other_names_used": false, "ben_dob": "1990-06-02",
        "ben_birth_city": "Busan", "ben_birth_country": "KR", "ben_sex": "female",
        "job_title": "Nurse", "soc_code": "29-1141", "wage": "$90,000", "premium": false,
        "pet_day_phone": "(212) 555-0123", "used_interpreter": false, "used_preparer": false,
        "reads_english": "i_read_it", "declares_true": true
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_added_after_the_signature_voids_it() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let draft = ana.start("N-400").await.unwrap().name;
    ana.make_ready(&draft).await;
    ana.quote(&draft).await.unwrap();
    ana.sign_now(&draft).await;
    ana.upload(&draft, "green_card", "back.png", &files::picture(44)).await.unwrap();
    assert_eq!(ana.get(&draft).await.unwrap().state, "draft");
    assert_eq!(reason(&ana.submit(&draft).await.unwrap_err()), "NOT_SIGNED");
    // The answers are the same, so the fee shown for them still stands.
    ana.sign_now(&draft).await;
    assert_eq!(ana.submit(&draft).await.unwrap().filing.unwrap().state, "sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_and_sending_ask_for_the_second_factor_again() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let draft = ana.start("N-400").await.unwrap().name;
    let plain = ana.without_step_up();
    assert_eq!(plain.sign(&draft, &[0; 32], "Ana Lima").await.unwrap_err().code(), Code::PermissionDenied);
    assert_eq!(plain.submit(&draft).await.unwrap_err().code(), Code::PermissionDenied);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiver_of_the_fee_is_asked_for_where_the_law_leaves_one_and_can_be_taken_back() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let hardship = r#"{"basis": ["financial_hardship"], "hardship": "The hospital at Canary Hill"}"#;
    let naturalization = ana.start("N-400").await.unwrap().name;
    ana.make_ready(&naturalization).await;
    let refused = ana.ask_fee_waiver(&naturalization, hardship).await.unwrap_err();
    assert_eq!(reason(&refused), "WAIVER_NOT_POSSIBLE");

    let card = ana.start("I-90").await.unwrap().name;
    for (answers, why) in [
        (r#"{"forms": []}"#, "ANSWERED_BY_THE_FILING"),
        (r#"{"app_family_name": "Lima"}"#, "ANSWERED_BY_THE_FILING"),
        ("[]", "JSON_EXPECTED"),
    ] {
        assert_eq!(reason(&ana.ask_fee_waiver(&card, answers).await.unwrap_err()), why);
    }
    assert!(!ana.get(&card).await.unwrap().fee_waiver, "nothing was stored");
    let asked = ana.ask_fee_waiver(&card, hardship).await.unwrap();
    assert!(asked.fee_waiver && asked.evidence_needs.iter().any(|need| need.kind == "hardship_proof"));
    let read_back: Value =
        serde_json::from_str(&ana.get(&card).await.unwrap().waiver_answers_json).expect("what was answered");
    assert_eq!(
        read_back,
        json!({ "basis": ["financial_hardship"], "hardship": "The hospital at Canary Hill" })
    );

    // Two who saw the same version: what one answers is merged, the same answer is told, and null clears one.
    let seen = ana.get(&card).await.unwrap().etag;
    let from = async |etag, answers: &str| ana.ask_fee_waiver_from(etag, &card, answers).await;
    let more = from(seen, r#"{"household_size": 3, "basis": ["financial_hardship"]}"#).await.unwrap();
    let told = from(seen, r#"{"household_size": 4}"#).await.unwrap_err();
    assert_eq!((told.code(), reason(&told)), (Code::Aborted, "ANSWERED_MEANWHILE".to_owned()));
    let merged = from(seen, r#"{"hardship": null, "benefit_name": "SNAP"}"#).await.unwrap();
    assert!(merged.etag > more.etag && seen < more.etag);
    assert_eq!(
        serde_json::from_str::<Value>(&merged.waiver_answers_json).unwrap(),
        json!({ "basis": ["financial_hardship"], "household_size": 3, "benefit_name": "SNAP" })
    );
    assert_eq!(from(merged.etag, r#"{"household_size": 3}"#).await.unwrap().etag, merged.etag, "no news");
    assert_eq!(reason(&from(seen, "").await.unwrap_err()), "ANSWERED_MEANWHILE");
    let dropped = ana.ask_fee_waiver(&card, "").await.unwrap();
    assert_eq!(ana.get(&card).await.unwrap().waiver_answers_json, "");
    assert!(!dropped.fee_waiver && !dropped.evidence_needs.iter().any(|need| need.kind == "hardship_proof"));
    world.expect_nothing_personal_in_the_clear(&["Canary Hill"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_days_of_the_case_end_where_the_filer_lives_when_it_is_sent() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let zone = async |draft: &str, payment: &str| {
        world.payment(payment, fee_settled(payment, draft, world.now_us())).await;
        ana.until(draft, "submitted").await;
        let FilingEvent::FilingSubmitted(e) = world.last_event(draft).await else {
            panic!("it was submitted")
        };
        e.zone
    };
    // The account says Chicago, the form says Albany.
    let (draft, payment) = ana.sent().await;
    assert_eq!(zone(&draft, &payment).await, "America/New_York");

    // Whoever has no address here: as the account says when it is sent, not when it was begun.
    let draft = ana.start("N-400").await.unwrap().name;
    let abroad = json!({ "line1": "Rua 1", "city": "Lisbon", "postal_code": "1000", "country": "PT" });
    ana.answer(&draft, &crate::answers::ready()).await.unwrap();
    ana.answer(&draft, &json!({ "app_mailing": abroad })).await.unwrap();
    for (kind, seed) in [("green_card", 1), ("photos", 2)] {
        ana.upload(&draft, kind, "paper.png", &files::picture(seed)).await.unwrap();
    }
    ana.quote(&draft).await.unwrap();
    ana.sign_now(&draft).await;
    world.set_zone(&ana, "Pacific/Honolulu");
    let payment = ana.submit(&draft).await.unwrap().payment;
    assert_eq!(zone(&draft, &payment).await, "Pacific/Honolulu");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiver_for_a_low_income_is_held_against_the_poverty_guideline_which_is_told() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let card = ana.start("I-90").await.unwrap().name;
    let home = json!({
        "line1": "4 Fictitious Row", "city": "Albany", "state": "NY", "postal_code": "12207", "country": "US"
    });
    ana.answer(&card, &json!({ "app_mailing": home, "app_physical_same": true })).await.unwrap();
    let ask = async |income: i64| {
        let answers = json!({ "basis": ["income_at_or_below_150"], "household_size": 4, "income": income });
        ana.ask_fee_waiver(&card, &answers.to_string()).await.unwrap()
    };
    let over = |filing: &pb::Filing| filing.findings.iter().find(|one| one.rule == "over-150").cloned();
    // Whichever year's it is.
    let told = ask(0).await.filled.pop().expect("what the table answered");
    let (words, most) = (told.because.as_str(), told.cents * 150 / 100);
    assert_eq!(told.question, "poverty_line");
    let part = format!("; 150 % of it is {}.", Cents(most));
    assert!(words.contains("a household of 4 in New York is $") && words.ends_with(&part), "{words}");
    assert!(told.cite.contains(" FR "), "{}", told.cite);
    assert_eq!(over(&ask(most).await), None);
    let above = over(&ask(most + 1).await).expect("one cent too much");
    assert_eq!(above.level, "block");
    assert!(above.message.ends_with(words), "{}", above.message);
    assert_eq!(above.rests_on, ["income", "household_size", "app_mailing"]);
    let lifted = ana.ask_fee_waiver(&card, r#"{"poverty_line": 99999999}"#).await.unwrap_err();
    assert_eq!(reason(&lifted), "ANSWERED_BY_THE_FILING");
}
