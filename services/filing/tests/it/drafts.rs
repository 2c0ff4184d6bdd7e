//! Drafts: who may begin one, what is saved, what is said about it.

use docket_kernel::calendar::{plus_days, roll};
use docket_kernel::deadline::office_date;
use docket_proto::filing::v1 as pb;
use docket_proto::filing::v1::draft_service_client::DraftServiceClient;
use docket_service::testing::with_token;
use serde_json::json;
use tonic::Code;
use tonic::metadata::MetadataValue;
use tonic_types::StatusExt as _;
use uuid::Uuid;

use crate::keep::turn_to;
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

/// The last day of a deadline goes on in Honolulu while the next one has begun in New York.
#[tokio::test(flavor = "multi_thread")]
async fn it_is_too_late_when_the_day_has_ended_here_and_where_the_filer_lives() {
    let world = World::start().await;
    let mut ana = world.person("Ana Lúcia", "Lima");
    let now = jiff::Timestamp::from_microsecond(world.now_us()).unwrap();
    let last = roll(plus_days(office_date(now), 2));
    turn_to(&world, &mut ana, plus_days(last, 1), 2).await;
    let draft = ana.start("N-336").await.unwrap().name;
    let lives = |state: &str, code: &str| {
        json!({
            "served_by": "online", "denied_on": plus_days(last, -30).to_string(), "app_physical_same": true,
            "app_mailing": {
                "line1": "4 Fictitious Row", "city": "Sampleton", "state": state, "postal_code": code, "country": "US"
            }
        })
    };
    let is_late = |filing: &pb::Filing| filing.findings.iter().any(|finding| finding.rule == "late");
    assert!(is_late(&ana.answer(&draft, &lives("NY", "12207")).await.unwrap()));
    assert!(!is_late(&ana.answer(&draft, &lives("HI", "96801")).await.unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_judged_in_spanish_and_signed_in_the_words_of_the_form() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let draft = ana.start("n400").await.unwrap();
    ana.answer(&draft.name, &json!({ "basis": "lpr_5_years", "lpr_since": "2026-01-10" })).await.unwrap();

    let (english, spanish) =
        (ana.get(&draft.name).await.unwrap(), ana.get_in(&draft.name, "es").await.unwrap());
    let finding = spanish.findings.iter().find(|finding| finding.rule == "early-5").unwrap();
    assert!(finding.message.starts_with("Demasiado pronto."), "{finding:?}");
    let dob = spanish.missing.iter().find(|missing| missing.field == "app_dob").unwrap();
    assert_eq!(dob.label, "Fecha de nacimiento");
    assert!(spanish.evidence_needs.iter().any(|need| need.title.starts_with("Copia de la tarjeta")));
    // The same is found, in other words.
    let rules = |filing: &pb::Filing| filing.findings.iter().map(|one| one.rule.clone()).collect::<Vec<_>>();
    let fields = |filing: &pb::Filing| filing.missing.iter().map(|one| one.field.clone()).collect::<Vec<_>>();
    assert_eq!((rules(&english), fields(&english)), (rules(&spanish), fields(&spanish)));

    ana.make_ready(&draft.name).await;
    let before = ana.review(&draft.name).await.unwrap();
    assert!(before.text.contains("Date of birth") && !before.text.contains("nacimiento"));
    ana.get_in(&draft.name, "es").await.unwrap();
    let after = ana.review(&draft.name).await.unwrap();
    assert_eq!((before.content_hash, before.text), (after.content_hash, after.text));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_reads_spanish_is_refused_in_spanish() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let draft = ana.start("n400").await.unwrap();
    let answers = |language: Option<&'static str>| {
        let mut request = with_token(
            pb::AnswerDraftRequest {
                request_id: Uuid::now_v7().to_string(),
                name: draft.name.clone(),
                answers_json: json!({ "app_dob": "yesterday", "app_a_number": "A1" }).to_string(),
                ..pb::AnswerDraftRequest::default()
            },
            &ana.token,
        );
        if let Some(language) = language {
            request.metadata_mut().insert("accept-language", MetadataValue::from_static(language));
        }
        request
    };
    let mut drafts = ana.drafts.clone();
    let english = drafts.answer_draft(answers(None)).await.unwrap_err();
    let spanish = drafts.answer_draft(answers(Some("es-US, en;q=0.5"))).await.unwrap_err();
    assert_eq!((bad_fields(&english), english.message()), (bad_fields(&spanish), spanish.message()));
    let [english, spanish] = [english, spanish].map(|status| status.get_details_bad_request().unwrap());
    for (english, spanish) in english.field_violations.iter().zip(&spanish.field_violations) {
        assert_eq!(english.description, spanish.description);
        assert!(english.localized_message.is_none());
        let said = spanish.localized_message.as_ref().expect("in Spanish too");
        assert!(said.locale == "es" && !english.description.contains(&said.message), "{said:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_is_listed_and_read_in_spanish() {
    let world = World::start().await;
    let listed = world.forms("es").await;
    let i90 = listed.iter().find(|form| form.form == "I-90").unwrap();
    assert!(i90.title.starts_with("Solicitud para Reemplazar"), "{i90:?}");
    let (english, spanish) = (world.form("I-90", "").await, world.form("i90", "es").await);
    assert_eq!((&english["language"], &spanish["language"]), (&json!("en"), &json!("es")));
    assert_eq!(english["catalogue_version"], spanish["catalogue_version"]);
    let reason = |form: &serde_json::Value| {
        let questions = form["questions"].as_array().unwrap().clone();
        questions.into_iter().find(|question| question["id"] == "reason").unwrap()
    };
    assert_eq!(reason(&english)["options"], reason(&spanish)["options"]);
    assert_eq!(reason(&spanish)["option_labels"][2], "La tarjeta está dañada");
    assert_eq!(reason(&english)["option_labels"][2], "the card is damaged");
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
async fn a_filing_needs_a_form_that_is_online() {
    let world = World::start().await;
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
    // The same again is no news, whoever looked when.
    let same = ana.answer_as(Uuid::now_v7(), &first.name, &answer, 1).await.unwrap();
    assert_eq!(same.etag, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_devices_write_at_once_and_neither_loses_an_answer_unseen() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let draft = ana.start("N-400").await.unwrap();
    let on = async |etag: u64, answer: serde_json::Value| {
        ana.answer_as(Uuid::now_v7(), &draft.name, &answer, etag).await
    };
    let phone = on(1, json!({ "app_birth_city": "Recife" })).await.unwrap();
    // The laptop still shows version 1: what the phone did not touch is merged, and its answer comes back with it.
    let laptop = on(1, json!({ "app_given_name": "Ana" })).await.unwrap();
    let merged: serde_json::Value = serde_json::from_str(&laptop.answers_json).unwrap();
    assert_eq!(
        (merged["app_birth_city"].as_str(), merged["app_given_name"].as_str()),
        (Some("Recife"), Some("Ana"))
    );
    assert_eq!((phone.etag, laptop.etag), (2, 3));

    let wrong = json!({ "app_birth_city": "Olinda", "app_birth_country": "BR" });
    let told = on(1, wrong.clone()).await.unwrap_err();
    assert_eq!((told.code(), reason(&told)), (Code::Aborted, "ANSWERED_MEANWHILE".to_owned()));
    assert!(told.message().contains("app_birth_city") && !told.message().contains("Olinda"), "{told}");
    let kept = ana.get(&draft.name).await.unwrap();
    assert_eq!((kept.etag, kept.answers_json == laptop.answers_json), (3, true), "nothing of it was saved");
    assert_eq!(on(3, wrong).await.unwrap().etag, 4);
    let ahead = on(9, json!({ "app_birth_city": null })).await.unwrap_err();
    assert_eq!(reason(&ahead), "STALE");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_keeps_a_draft_open_shows_what_another_one_wrote() {
    let world = World::start().await;
    let second = world.second_node().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let mut drafts = DraftServiceClient::new(second.channel());
    let draft = ana.start("N-400").await.unwrap();
    ana.answer(&draft.name, &json!({ "app_birth_city": "Recife" })).await.unwrap();
    for (etag, town) in (2..).zip(["Olinda", "Natal", "Belém"]) {
        let there = pb::AnswerDraftRequest {
            request_id: Uuid::now_v7().to_string(),
            name: draft.name.clone(),
            answers_json: json!({ "app_birth_city": town }).to_string(),
            etag,
            ..pb::AnswerDraftRequest::default()
        };
        let there = drafts.answer_draft(with_token(there, &ana.token)).await.unwrap().into_inner();
        let (there, here) = (there.filing.unwrap(), ana.get(&draft.name).await.unwrap());
        assert!(there.answers_json.contains(town), "{there:?}");
        assert_eq!((there.etag, there.answers_json), (here.etag, here.answers_json));
    }
    // Whoever goes on from what was there before is told, also where that was kept.
    let told = ana.answer_as(Uuid::now_v7(), &draft.name, &json!({ "app_birth_city": "Recife" }), 2).await;
    assert_eq!(reason(&told.unwrap_err()), "ANSWERED_MEANWHILE");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_says_what_is_asked_and_on_which_answers_that_rests() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let draft = ana.start("N-400").await.unwrap();
    let asked =
        |filing: &docket_proto::filing::v1::Filing, id: &str| filing.shown.iter().any(|one| one == id);
    assert!(asked(&draft, "basis") && !asked(&draft, "crime_list") && !asked(&draft, "signature"));
    let single =
        ana.answer(&draft.name, &json!({ "basis": "lpr_5_years", "lpr_since": "2026-01-10" })).await.unwrap();
    let early = single.findings.iter().find(|finding| finding.rule == "early-5").unwrap();
    assert!(early.rests_on.iter().any(|id| id == "lpr_since"), "{early:?}");
    assert!(single.missing.iter().all(|missing| !missing.cite.is_empty()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_few_questions_lead_to_the_form() {
    let world = World::start().await;
    let guide = async |answers: serde_json::Value| world.guide(&answers.to_string(), "").await;
    let first = world.guide("", "").await.unwrap().question.expect("a question");
    assert_eq!(first.id, "aim");
    assert!(first.choices.iter().any(|choice| choice.id == "card" && !choice.label.is_empty()));
    let second = guide(json!({ "aim": "card" })).await.unwrap();
    assert_eq!((second.question.unwrap().id.as_str(), second.outcomes.len()), ("card_need", 0));
    let end = guide(json!({ "aim": "card", "card_need": "lost" })).await.unwrap();
    assert!(end.question.is_none());
    assert_eq!(end.outcomes[0].forms[0].form, "I-90");
    assert!(end.outcomes[0].forms[0].online && !end.outcomes[0].text.is_empty());

    let spanish = world.guide("", "es-MX").await.unwrap().question.expect("a question");
    assert_eq!((spanish.id.as_str(), spanish.label.as_str()), ("aim", "¿Qué desea hacer?"));
    let moved = world.guide(&json!({ "aim": "moved" }).to_string(), "es").await.unwrap();
    assert!(moved.outcomes[0].forms[0].title.starts_with("Tarjeta de Cambio"), "{moved:?}");

    let wrong = guide(json!({ "aim": "fly" })).await.unwrap_err();
    assert_eq!((wrong.code(), bad_fields(&wrong)), (Code::InvalidArgument, vec!["aim".to_owned()]));
    assert_eq!(bad_fields(&world.guide("[]", "").await.unwrap_err()), ["answers_json"]);
}
