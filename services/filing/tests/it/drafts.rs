//! Drafts: who may begin one, what is saved, what is said about it.

use serde_json::json;
use tonic::Code;
use uuid::Uuid;

use crate::world::{World, bad_fields, reason};

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_judged_as_it_is_answered() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let draft = ana.start("n400").await.unwrap();
    assert_eq!((draft.form.as_str(), draft.state.as_str(), draft.etag), ("N-400", "draft", 1));
    assert!(draft.missing.iter().any(|missing| missing.field == "app_dob"));
    assert!(!draft.ready);

    let early =
        ana.answer(&draft.name, &json!({ "basis": "lpr_5_years", "lpr_since": "2026-01-10" })).await.unwrap();
    let finding = early.findings.iter().find(|finding| finding.rule == "early-5").expect("it is too early");
    assert_eq!((finding.level.as_str(), finding.field.as_str()), ("block", "lpr_since"));
    assert!(finding.message.contains("90 days"));

    let full = ana.answer(&draft.name, &crate::answers::ready()).await.unwrap();
    assert!(full.missing.is_empty() && full.findings.is_empty(), "{full:?}");
    assert!(
        !full.ready && full.evidence_needs.iter().any(|need| need.kind == "green_card" && !need.satisfied)
    );
    let shown = ana.get(&draft.name).await.unwrap();
    let answers: serde_json::Value = serde_json::from_str(&shown.answers_json).unwrap();
    assert_eq!(answers["app_given_name"], "Ana Lúcia");
    assert_eq!(answers["app_day_phone"], "+12125550123");

    let cleared = ana.answer(&draft.name, &json!({ "app_dob": null })).await.unwrap();
    assert!(cleared.missing.iter().any(|missing| missing.field == "app_dob"));
    assert_eq!(ana.list().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_answers_are_all_named_and_nothing_of_them_is_kept() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let draft = ana.start("N-400").await.unwrap();
    let wrong = json!({
        "app_dob": "the 12th of April", "app_a_number": "12", "no_such_question": 1, "signature": "Ana Lima",
        "app_birth_city": "Recife"
    });
    let refused = ana.answer(&draft.name, &wrong).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(bad_fields(&refused), ["app_a_number", "app_dob", "no_such_question", "signature"]);
    assert!(!refused.message().contains("April"), "what was typed is not repeated");
    let after = ana.get(&draft.name).await.unwrap();
    assert_eq!((after.etag, after.answers_json.as_str()), (1, "{}"));
    let no_object = ana.answer_text(&draft.name, "[1]").await.unwrap_err();
    assert_eq!(bad_fields(&no_object), ["answers_json"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filing_needs_a_proven_identity_and_a_form_that_is_online() {
    let world = World::start().await;
    let nobody = world.unproven_person();
    assert_eq!(reason(&nobody.start("N-400").await.unwrap_err()), "IDENTITY_NOT_PROVEN");
    let ana = world.person("Ana Lúcia", "Lima");
    assert_eq!(reason(&ana.start("G-1450").await.unwrap_err()), "FORM_NOT_ONLINE");
    assert_eq!(ana.start("X-1").await.unwrap_err().code(), Code::InvalidArgument);
    assert!(ana.list().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_repeated_gives_the_first_result_and_another_under_its_id_is_refused() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let id = Uuid::now_v7();
    let first = ana.start_as(id, "N-400").await.unwrap();
    let again = ana.start_as(id, "N-400").await.unwrap();
    assert_eq!(first.name, again.name);
    assert_eq!(ana.start_as(id, "I-90").await.unwrap_err().code(), Code::AlreadyExists);
    assert_eq!(ana.list().await.len(), 1);

    let command = Uuid::now_v7();
    let answer = json!({ "app_birth_city": "Recife" });
    let saved = ana.answer_as(command, &first.name, &answer, 1).await.unwrap();
    let repeated = ana.answer_as(command, &first.name, &answer, 1).await.unwrap();
    assert_eq!((saved.etag, repeated.etag), (2, 2));
    let stale = ana.answer_as(Uuid::now_v7(), &first.name, &answer, 1).await.unwrap_err();
    assert_eq!((stale.code(), reason(&stale)), (Code::Aborted, "STALE".to_owned()));
}
