//! The canonical text: the same for the same content, different for every other.

use docket_forms::{Catalogue, Given, Truth, Type, evaluate, normalise};
use serde_json::{Value, json};

use crate::content::Content;
use crate::domain::filing::Filing;
use crate::review::{UNANSWERED, plain, text};
use crate::sheet::{Sheet, fits_event};

#[path = "../tests/it/answers.rs"]
mod fixture;

fn content(changes: Value) -> Content {
    let catalogue = Catalogue::embedded();
    let form = catalogue.form("N-400").unwrap();
    let mut given = fixture::ready().as_object().unwrap().clone();
    given.extend(changes.as_object().unwrap().clone());
    let answers =
        given.iter().map(|(id, answer)| (id.clone(), normalise(form, id, answer).unwrap())).collect();
    Content { answers, ..Content::default() }
}

fn shown(content: &Content) -> String {
    text(&sheet(content))
}

fn sheet(content: &Content) -> Sheet {
    let catalogue = Catalogue::embedded();
    let form = catalogue.form("N-400").unwrap();
    let evaluation = evaluate(form, &content.answers, &Given::on("2026-09-20".parse().unwrap()));
    let filing = Filing { edition: form.edition.to_string(), ..Filing::default() };
    let counting = evaluation.counting(&content.answers);
    Sheet::of(form, &filing, (content, &counting), |id| evaluation.shown.get(id) == Some(&Truth::True))
}

#[test]
fn the_text_is_the_same_for_the_same_answers_and_shows_every_change() {
    let text = shown(&content(json!({})));
    assert_eq!(text, shown(&content(json!({}))));
    assert!(text.starts_with("N-400 Application for Naturalization\nEdition 2025-01-20"), "{text}");
    assert!(text.contains("- Given name (first name): Ana Lúcia\n"), "{text}");
    assert!(!text.contains("Signature") && !text.contains("Date signed"), "{text}");
    assert_ne!(text, shown(&content(json!({ "app_weight": 141 }))));
}

#[test]
fn what_is_kept_with_the_signature_gives_the_same_text_again() {
    let sheet = sheet(&content(json!({ "app_weight": null })));
    assert_eq!(text(&Sheet::read(&sheet.kept()).unwrap()), text(&sheet));
    let long = "A word. ".repeat(40_000);
    let large = Sheet { declaration: long, ..sheet.clone() };
    assert!(fits_event(&sheet.kept()) && !fits_event(&large.kept()));
    assert!(text(&Sheet::read(&large.kept()).unwrap()) == text(&large) && Sheet::read("").is_none());
}

#[test]
fn the_text_of_what_was_kept_never_changes() {
    let kept = r#"{"number": "N-400", "title": "Application for Naturalization", "edition": "2025-01-20",
        "catalogue_version": "1", "declaration": "True.", "sections": [{"title": "About you", "rows": [
            {"label": "Family name", "kind": "name_part", "value": "Example"}, {"label": "Suffix", "kind": "text"},
            {"label": "Trips", "kind": "repeating", "items": [[{"label": "Left", "kind": "date", "value": "2024-01-02"}]]},
            {"label": "Children", "kind": "repeating", "items": []}]}],
        "evidence": [{"id": "019a0000-0000-7000-8000-000000000001", "kind": "green_card", "title": "Card",
            "name": "card.png", "media_type": "image/png", "size": 9, "foreign_language": true, "commitment": "ab"}],
        "lacking": [{"kind": "birth_certificate", "title": "Birth certificate", "words": "It burned.\nTwice."}],
        "waiver": {"title": "I-912 Request for Fee Waiver, edition 2025-01-20", "rows": [
            {"label": "Basis", "kind": "multi", "value": ["financial_hardship"]}]}}"#;
    let signed = "N-400 Application for Naturalization\nEdition 2025-01-20, catalogue 1\n\nAbout you\n\
        - Family name: Example\n- Suffix: (not answered)\n- Trips:\n  1.\n     Left: 2024-01-02\n\
        - Children: none\n\nEvidence\n- green_card: card.png (image/png, 9 bytes, not in English), commitment ab\n\
        \nEvidence that cannot be provided\n- birth_certificate, Birth certificate: It burned.\n     | Twice.\n\
        \nI-912 Request for Fee Waiver, edition 2025-01-20\n- Basis: financial_hardship\n";
    assert_eq!(text(&Sheet::read(kept).unwrap()), signed);
}

/// The words of options are kept for the copy; the text, and with it the hash that was signed, has the options themselves.
#[test]
fn the_words_of_options_are_no_part_of_what_is_signed() {
    let with_words = sheet(&content(json!({})));
    let rows =
        |sheet: &Sheet| sheet.sections.iter().flat_map(|section| section.rows.clone()).collect::<Vec<_>>();
    assert!(rows(&with_words).iter().any(|row| row.said == ["i read it"]), "{with_words:?}");
    let mut kept: Value = serde_json::from_str(&with_words.kept()).unwrap();
    without_said(&mut kept);
    let before = Sheet::read(&kept.to_string()).unwrap();
    assert!(rows(&before).iter().all(|row| row.said.is_empty()));
    assert_ne!(before, with_words);
    assert_eq!(text(&before), text(&with_words));
}

/// A sheet as it was kept before words were.
fn without_said(kept: &mut Value) {
    match kept {
        Value::Array(values) => values.iter_mut().for_each(without_said),
        Value::Object(parts) => {
            parts.remove("said");
            parts.values_mut().for_each(without_said);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What was signed so is made again where it was not kept; `Check::sheet`, of what is signed now, lets it through no more.
#[test]
fn what_was_typed_for_a_helper_stands_in_what_was_signed_before_they_signed_themselves() {
    let typed = content(json!({
        "used_interpreter": true, "interp_name": "Inês Inventada", "interp_language": "Portuguese",
        "interp_phone": "+1 212 555 0144", "interp_signature": "Inês Inventada"
    }));
    let text = shown(&typed);
    let line = "- Interpreter certifies fluency and that everything was read: Inês Inventada\n";
    assert!(text.contains(line), "{text}");
}

#[test]
fn an_answer_that_is_set_aside_is_not_signed() {
    let aside = json!({ "new_name": "Nobody" });
    assert_eq!(shown(&content(json!({}))), shown(&content(aside)));
}

#[test]
fn a_part_of_an_item_that_is_set_aside_is_not_signed() {
    let married = |more: Value| {
        let mut marriage =
            json!({ "spouse_family": "Sousa", "married_on": "2015-05-01", "married_place": "Lisbon" });
        marriage.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        shown(&content(json!({ "app_times_married": 1, "app_marriages": [marriage] })))
    };
    let ended = json!({ "ended_on": "2020-01-01", "ended_how": "divorced", "ended_place": "Porto" });
    let text = married(ended.clone());
    assert!(text.contains("Date it ended: 2020-01-01") && text.contains("Where it ended: Porto"), "{text}");
    let mut corrected = ended;
    corrected["current"] = json!(true);
    let text = married(corrected);
    assert_eq!(text, married(json!({ "current": true })));
    assert!(text.contains("Current marriage: yes") && !text.contains("ended"), "{text}");
}

#[test]
fn the_fixture_lacks_only_the_signature_and_the_card() {
    let catalogue = Catalogue::embedded();
    let form = catalogue.form("N-400").unwrap();
    let evaluation = evaluate(form, &content(json!({})).answers, &Given::on("2026-09-20".parse().unwrap()));
    let missing: Vec<_> = evaluation.missing.iter().map(|missing| missing.field.as_str()).collect();
    assert_eq!(missing, ["signature", "signed_on"]);
    assert_eq!(evaluation.findings, []);
    let needs: Vec<_> = evaluation.evidence.iter().map(|need| need.kind.as_str()).collect();
    assert_eq!(needs, ["green_card"]);
}

#[test]
fn values_read_as_people_write_them() {
    for (kind, value, shown) in [
        (Type::YesNo, json!(true), "yes"),
        (Type::Check, json!(false), "no"),
        (Type::Money, json!(123_456), "$1,234.56"),
        (Type::Int, json!(3), "3"),
        (Type::Multi, json!(["white", "asian"]), "white, asian"),
        (Type::LongText, json!("one\n- Date of birth: 1990"), "one\n     | - Date of birth: 1990"),
        (
            Type::Address,
            json!({"country": "US", "line1": "1 Main St", "city": "Reno"}),
            "1 Main St; Reno; US",
        ),
    ] {
        assert_eq!(plain(kind, Some(&value)), shown);
    }
    assert_eq!(plain(Type::Text, None), UNANSWERED);
}
