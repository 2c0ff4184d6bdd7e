//! The catalogue as a whole: it loads, and the built-in one is the folder's.

use std::collections::BTreeSet;
use std::path::Path;

use docket_forms::{Catalogue, Channel, Language};

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/catalogue"))
}

#[test]
fn every_form_loads() {
    let loaded = Catalogue::load(folder()).unwrap_or_else(|errors| {
        panic!("{}", errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    });
    assert_eq!(loaded.forms().count(), 21);
    let n400 = loaded.form("N-400").unwrap();
    assert_eq!(n400.question("app_dob").unwrap().label_id, "n-400.app_dob.label");
    assert_eq!(n400.section_of("app_dob"), "about");
    assert!(loaded.form("n-400").is_none());
    assert_eq!(loaded.find("n400").unwrap().id, "N-400");
    assert_eq!(loaded.find("N-4000").unwrap_err().reason, "FORM_UNKNOWN");
}

#[test]
fn the_built_in_catalogue_is_the_folder() {
    let (loaded, built_in) = (Catalogue::load(folder()).unwrap(), Catalogue::embedded());
    assert_eq!(loaded.version(), built_in.version());
    assert_eq!(loaded.version().len(), 16);
    // No version tells of translations.
    for language in Language::ALL {
        for form in loaded.forms() {
            let built_in = built_in.in_language(built_in.form(&form.id).unwrap(), language);
            assert_eq!(loaded.in_language(form, language).texts(), built_in.texts(), "{}", form.id);
        }
        let guide = |catalogue: &Catalogue| catalogue.guide(language).unwrap().texts();
        assert_eq!(guide(&loaded), guide(&built_in));
    }
}

/// The I-912 is taken online where it has something to waive, and its own form does not stop it.
#[test]
fn a_waiver_is_taken_online_where_an_online_fee_can_be_waived() {
    for form in Catalogue::embedded().forms() {
        let waivable = form.fees.iter().any(|row| row.waivable && row.channel != Channel::Paper);
        assert_eq!(form.online_fee_waiver, waivable || form.id == "I-912", "{}", form.id);
    }
}

#[test]
fn questions_stand_in_the_order_of_sections() {
    for form in Catalogue::embedded().forms() {
        let places: Vec<usize> = form
            .questions
            .iter()
            .map(|question| form.sections.iter().position(|section| section.id == question.section).unwrap())
            .collect();
        assert!(places.is_sorted(), "{}", form.id);
    }
}

#[test]
fn every_text_has_an_id_of_its_own() {
    for form in Catalogue::embedded().forms() {
        let mut ids: Vec<&str> = form.questions.iter().map(|question| question.label_id.as_str()).collect();
        ids.extend(form.questions.iter().flat_map(|q| &q.fields).map(|field| field.label_id.as_str()));
        ids.extend(form.rules.iter().map(|rule| rule.message_id.as_str()));
        ids.extend(form.sections.iter().map(|section| section.title_id.as_str()));
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{}", form.id);
        assert!(ids.iter().all(|id| id.starts_with(&form.id.to_lowercase())));
    }
}

#[test]
fn a_form_is_written_as_json_with_its_expressions() {
    let json = serde_json::to_value(Catalogue::embedded().form("N-400").unwrap()).unwrap();
    let early = json["rules"].as_array().unwrap().iter().find(|rule| rule["id"] == "early-5").unwrap();
    assert_eq!(early["when"], "basis == 'lpr_5_years' and filing_date < lpr_since + years(5) - days(90)");
    assert_eq!(json["questions"][0]["type"], "select");
}
