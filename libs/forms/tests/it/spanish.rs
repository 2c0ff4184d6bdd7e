//! The forms in Spanish: whole, in other words than the English, with the same facts; and what a faulty translation says.

use std::collections::{BTreeMap, BTreeSet};

use docket_forms::{Answers, Catalogue, FeeResult, Form, Given, Language, LoadError, Step, evaluate, fee};
use serde_json::json;

use crate::support::{HEAD, answers, given};

/// Words that are the same in both languages.
const SAME: &[&str] = &["no", "No", "I-20"];

/// Everything said in English and what the Spanish says instead, by file and text.
fn pairs() -> Vec<(String, String, String)> {
    let catalogue = Catalogue::embedded();
    let mut pairs = Vec::new();
    let mut add = |of: &str, english: BTreeMap<String, String>, spanish: &BTreeMap<String, String>| {
        for (id, text) in english {
            let said = spanish.get(&id).cloned().unwrap_or_default();
            pairs.push((format!("{of} {id}"), text, said));
        }
    };
    for form in catalogue.forms() {
        add(&form.id, form.texts(), &catalogue.in_language(form, Language::Es).texts());
    }
    let guide = |language| catalogue.guide(language).unwrap().texts();
    add("guide", guide(Language::En), &guide(Language::Es));
    pairs
}

/// The numbers in a text, in any order: dates, days, forms and sources are the same in both languages.
fn numbers(text: &str) -> Vec<&str> {
    let mut found: Vec<&str> =
        text.split(|letter: char| !letter.is_ascii_digit()).filter(|number| !number.is_empty()).collect();
    found.sort_unstable();
    found
}

/// The numbers of forms in a text, such as I-90.
fn forms(text: &str) -> BTreeSet<&str> {
    let words = text.split(|letter: char| !letter.is_alphanumeric() && letter != '-');
    let is_form = |word: &&str| {
        let (letters, number) = word.split_once('-').unwrap_or_default();
        let is_number = number.starts_with(|first: char| first.is_ascii_digit());
        is_number && !letters.is_empty() && letters.bytes().all(|byte| byte.is_ascii_uppercase())
    };
    words.filter(is_form).collect()
}

#[test]
fn every_form_is_translated_whole() {
    let catalogue = Catalogue::embedded();
    for form in catalogue.forms() {
        assert_eq!(catalogue.in_language(form, Language::Es).language, Language::Es, "{}", form.id);
    }
    let left: Vec<String> = pairs()
        .into_iter()
        .filter(|(_, english, spanish)| english == spanish && !SAME.contains(&english.as_str()))
        .map(|(id, english, _)| format!("{id}: {english}"))
        .collect();
    assert!(left.is_empty(), "{} without Spanish:\n{}", left.len(), left.join("\n"));
}

#[test]
fn numbers_dates_sources_and_forms_are_those_of_the_english() {
    let wrong: Vec<String> = pairs()
        .into_iter()
        .filter(|(id, _, _)| !id.contains(" option."))
        .filter(|(_, english, spanish)| {
            numbers(english) != numbers(spanish) || forms(english) != forms(spanish)
        })
        .map(|(id, english, spanish)| format!("{id}: {english}\n    {spanish}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_option_of_a_question_reads_differently() {
    for form in Catalogue::embedded().forms() {
        for language in Language::ALL {
            let catalogue = Catalogue::embedded();
            for question in &catalogue.in_language(form, language).questions {
                let labels: BTreeSet<&String> = question.option_labels.iter().collect();
                assert_eq!(labels.len(), question.options.len(), "{} {}", form.id, question.id);
            }
        }
    }
}

#[test]
fn what_is_evaluated_is_the_same_and_is_said_in_spanish() {
    let catalogue = Catalogue::embedded();
    let english = catalogue.form("I-90").unwrap();
    let spanish = catalogue.in_language(english, Language::Es);
    let filled = answers(json!({
        "reason": "lost_stolen_destroyed", "app_mailing": {"line1": "1 Main St", "country": "US"},
        "app_other_names_used": true, "app_other_names": [{}], "name_on_card_same": "yes",
    }));
    let given = given("2026-02-03");
    let (en, es) = (evaluate(english, &filled, &given), evaluate(spanish, &filled, &given));

    assert_eq!((&en.shown, en.ready), (&es.shown, es.ready));
    let field = |found: &[docket_forms::Missing]| -> Vec<(String, Vec<String>)> {
        found.iter().map(|one| (one.field.clone(), one.rests_on.clone())).collect()
    };
    assert_eq!(field(&en.missing), field(&es.missing));
    let missing = |field: &str| es.missing.iter().find(|one| one.field == field).unwrap();
    assert_eq!(missing("app_dob").label, "Fecha de nacimiento");
    assert_eq!(missing("app_dob").because, "Este formulario se lo pregunta a todas las personas.");
    let zip = missing("app_mailing.postal_code");
    assert!(zip.label.ends_with(": código postal"), "{}", zip.label);
    let name = missing("app_other_names[0].family");
    assert_eq!(name.label, "Apellido(s)");
    let on_card = missing("name_on_card");
    assert_eq!(on_card.because, "Debido a su respuesta a “¿Ha cambiado su nombre desde la última tarjeta?”.");

    let finding = |rule: &str| es.findings.iter().find(|one| one.rule == rule).unwrap();
    assert_eq!(en.findings.len(), es.findings.len());
    assert_eq!(finding("anumber").message, "Se necesita el Número A para una tarjeta.");
    assert_eq!(finding("lost-police").way_out, finding("lost-police").message);
    let need = es.evidence.iter().find(|need| need.kind == "government_id_photo").unwrap();
    assert!(need.title.starts_with("Documento de identidad"), "{}", need.title);
    assert_eq!(need.because, "Debido a su respuesta a “Motivo”.");
}

#[test]
fn why_something_is_needed_is_said_in_words_in_both_languages() {
    let catalogue = Catalogue::embedded();
    let english = catalogue.form("I-485").unwrap();
    let spanish = catalogue.in_language(english, Language::Es);
    let foreign = Given { foreign_language: true, ..given("2026-02-03") };
    for (form, words) in [
        (english, "Because a file that you attached is not in English."),
        (spanish, "Porque un archivo que usted adjuntó no está en inglés."),
    ] {
        let needs = evaluate(form, &Answers::new(), &foreign).evidence;
        assert_eq!(needs.iter().find(|need| need.kind == "translation").unwrap().because, words);
    }
    for form in catalogue.forms() {
        let mut search = crate::search::Search::new(form);
        let questions: Vec<_> = form.questions.iter().collect();
        for form in Language::ALL.map(|language| catalogue.in_language(form, language)) {
            for _ in 0..40 {
                let given = search.given();
                let answers = search.answers(&questions, given.filing_date);
                let found = evaluate(form, &answers, &given);
                let fees = match fee(form, &answers, &given, false) {
                    FeeResult::Known { rows, later, .. } => rows.into_iter().chain(later).collect(),
                    FeeResult::Unknown { .. } | FeeResult::Unpublished { .. } => Vec::new(),
                };
                let why = found.missing.into_iter().map(|one| one.because);
                let why = why.chain(found.evidence.into_iter().map(|one| one.because));
                for words in why.chain(fees.into_iter().map(|row| row.because)) {
                    let english = words.starts_with("Because ")
                        || words.starts_with("This form ")
                        || words.starts_with("Everyone ");
                    assert_eq!(english, form.language == Language::En, "{}: {words}", form.id);
                    assert!(!words.contains("linked(") && !words.contains("has_evidence("), "{words}");
                    assert!(!words.contains(" == ") && !words.contains("d'"), "{words}");
                }
            }
        }
    }
}

#[test]
fn the_guide_asks_and_leads_in_spanish_to_the_same_forms() {
    let catalogue = Catalogue::embedded();
    let (en, es) = (catalogue.guide(Language::En).unwrap(), catalogue.guide(Language::Es).unwrap());
    let Step::Ask { question, label, choices } = es.step(&Answers::new()) else { panic!("it asks first") };
    assert_eq!((question, label), ("aim", "¿Qué desea hacer?"));
    assert!(choices.iter().any(|choice| choice.id == "work" && choice.label.contains("permiso de trabajo")));
    let moved = answers(json!({"aim": "moved"}));
    match (en.step(&moved), es.step(&moved)) {
        (Step::End(en), Step::End(es)) => {
            assert_eq!((&en[0].id, &en[0].forms, &en[0].cite), (&es[0].id, &es[0].forms, &es[0].cite));
            assert_ne!(en[0].text, es[0].text);
        }
        other => panic!("both end: {other:?}"),
    }
}

#[test]
fn a_tag_gives_its_language_and_any_other_english() {
    for (tag, language) in [
        ("es", Language::Es),
        ("es-MX", Language::Es),
        ("ES_419", Language::Es),
        ("", Language::En),
        ("en-US", Language::En),
        ("est", Language::En),
        ("fr", Language::En),
    ] {
        assert_eq!(Language::of(tag), language, "{tag}");
    }
}

#[test]
fn what_may_stand_in_for_a_paper_has_a_name_in_each_language_and_no_name_stands_for_nothing() {
    let catalogue = Catalogue::embedded();
    let kinds = catalogue.forms().flat_map(|form| &form.evidence).flat_map(|row| &row.substitutes);
    let kinds: BTreeSet<&str> = kinds.map(String::as_str).collect();
    let english = include_str!("../../catalogue/en/_common.toml");
    let spanish = include_str!("../../catalogue/es/_common.toml");
    let names =
        |file: &str| toml::from_str::<toml::Table>(file).unwrap()["substitute"].as_table().unwrap().clone();
    let (english, spanish) = (names(english), names(spanish));
    assert_eq!(spanish.keys().map(String::as_str).collect::<BTreeSet<_>>(), kinds);
    // In English a kind of plain words reads as it is.
    let unused: Vec<_> = english.keys().filter(|kind| !kinds.contains(kind.as_str())).collect();
    assert!(unused.is_empty(), "{unused:?}");
}

const FORM: &str = r#"
include = [{ block = "birth", prefix = "app_", section = "all" }]
question = [
  { id = "pick", section = "all", type = "select", required = "always", label = "Which?", options = ["a_b", "c"] },
]
"#;

/// A folder with the real blocks, one form, and files of Spanish.
fn folder(files: &[(&str, &str)]) -> Result<Catalogue, Vec<LoadError>> {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    std::fs::create_dir(folder.path().join("es")).unwrap();
    write("_common.toml", include_str!("../../catalogue/_common.toml"));
    write("es/_common.toml", include_str!("../../catalogue/es/_common.toml"));
    write("t-1.toml", &format!("{HEAD}{FORM}"));
    for (name, text) in files {
        write(name, text);
    }
    Catalogue::load(folder.path())
}

fn in_spanish(catalogue: &Catalogue) -> &Form {
    catalogue.in_language(catalogue.form("T-1").unwrap(), Language::Es)
}

#[test]
fn a_form_dropped_into_the_folder_without_a_translation_reads_in_english() {
    let catalogue = folder(&[]).unwrap();
    let form = in_spanish(&catalogue);
    assert_eq!(form.language, Language::En);
    assert_eq!(form.question("app_dob").unwrap().label, "Date of birth");
    assert_eq!(form.question("pick").unwrap().option_labels, ["a b", "c"]);
    assert!(evaluate(form, &Answers::new(), &given("2026-02-03")).missing.len() > 3);
}

#[test]
fn a_translation_is_put_beside_its_form_and_changes_no_version() {
    let texts = "form.title = \"Un formulario\"\n[option.pick]\na_b = \"A y B\"\n";
    let catalogue = folder(&[("es/t-1.toml", texts)]).unwrap();
    assert_eq!(catalogue.version(), folder(&[]).unwrap().version());
    let form = in_spanish(&catalogue);
    assert_eq!((form.title.as_str(), form.language), ("Un formulario", Language::Es));
    assert_eq!(form.question("app_dob").unwrap().label, "Fecha de nacimiento");
    assert_eq!(form.question("pick").unwrap().option_labels, ["A y B", "c"]);
    // What is not translated reads in English, and English reads as it did.
    assert_eq!(form.question("pick").unwrap().label, "Which?");
    assert_eq!(catalogue.form("T-1").unwrap().title, "A form of the tests");
}

#[test]
fn words_of_english_can_be_given_to_options_too() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("en")).unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("_common.toml", include_str!("../../catalogue/_common.toml"));
    write("t-1.toml", &format!("{HEAD}{FORM}"));
    write("en/t-1.toml", "option.pick.a_b = \"A and B\"\n");
    let catalogue = Catalogue::load(folder.path()).unwrap();
    let form = catalogue.form("T-1").unwrap();
    assert_eq!(form.question("pick").unwrap().option_labels, ["A and B", "c"]);
}

#[test]
fn a_faulty_translation_is_named_with_its_file_and_id() {
    let fault = |name: &str, text: &str| {
        let faults = folder(&[(name, text)]).unwrap_err();
        assert_eq!(faults.len(), 1, "{faults:?}");
        faults[0].to_string()
    };
    let unknown = fault("es/t-1.toml", "[question]\npick = \"¿Cuál?\"\n# a line\nnobody = \"¿Quién?\"\n");
    assert_eq!(unknown, "es/t-1.toml:4:1: question.nobody: t-1.toml has no text with this id");
    let option = fault("es/t-1.toml", "[option.pick]\nd = \"D\"\n");
    assert_eq!(option, "es/t-1.toml:2:1: option.pick.d: t-1.toml has no text with this id");
    let block = fault("es/_common.toml", "[rule]\nnobody = \"Nadie.\"\n");
    assert_eq!(block, "es/_common.toml:2:1: rule.nobody: _common.toml has no text with this id");
    let alone = fault("es/t-2.toml", "form.title = \"Nada\"\n");
    assert_eq!(alone, "es/t-2.toml:1:1: there is no file t-2.toml to translate");
    let number = fault("es/t-1.toml", "form.title = 1\n");
    assert!(number.ends_with("form.title: a text is needed here"), "{number}");
    let empty = fault("es/t-1.toml", "form.title = \"\"\n");
    assert!(empty.ends_with("form.title: a text is needed here"), "{empty}");
    assert!(fault("es/t-1.toml", "form.title = \n").starts_with("es/t-1.toml:1:"));
}
