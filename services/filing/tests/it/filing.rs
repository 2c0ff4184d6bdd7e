//! From the fee to the receipt number, and back after a rejection.

use docket_proto::events::case::Event as CaseEvent;
use docket_proto::events::filing::Event as FilingEvent;
use serde_json::json;
use tonic::Code;
use uuid::Uuid;

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
    ana.quote(&draft).await.unwrap();
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

    world.case(&draft, case_accepted("DKT1234567897")).await;
    assert_eq!(ana.until(&draft, "accepted").await.receipt_number, "DKT1234567897");
    world
        .expect_nothing_personal_in_the_clear(&["Ana L", "Recife", "Hudson Clinic", "12 Main St", "card.png"])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_filing_is_open_again_in_a_new_package() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let (draft, payment) = ana.sent().await;
    world.payment(&payment, fee_settled(&payment, &draft, world.now_us())).await;
    ana.until(&draft, "submitted").await;
    let rejected: CaseEvent = case_rejected("X-SIGN");
    world.case(&draft, rejected).await;
    let open = ana.until(&draft, "rejected").await;
    assert!(!payment.ends_with(&open.package_id));
    ana.answer(&draft, &json!({ "app_weight": 142 })).await.unwrap();
    ana.quote(&draft).await.unwrap();
    ana.sign_now(&draft).await;
    let again = ana.submit(&draft).await.unwrap();
    assert_eq!(again.payment, format!("payments/{}", open.package_id));
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
