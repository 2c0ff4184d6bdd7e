//! The guided choice of a form: where paths lead, and what is wrong with a guide that leads nowhere.

use std::collections::BTreeSet;

use docket_forms::{Answers, Catalogue, Language, LoadError, Step};
use serde_json::json;

use crate::support::{HEAD, answers};

fn end(given: serde_json::Value) -> Vec<(String, Vec<String>)> {
    let catalogue = Catalogue::embedded();
    match catalogue.guide(Language::En).unwrap().step(&answers(given)) {
        Step::End(found) => found.iter().map(|one| (one.id.clone(), one.forms.clone())).collect(),
        Step::Ask { question, .. } => panic!("{question} is asked"),
    }
}

#[test]
fn answers_lead_to_forms_in_their_order_or_to_words_that_explain() {
    let naturalize = json!({"aim": "citizenship", "citizen_by_parents": "no", "has_card": "yes"});
    assert_eq!(end(naturalize), [("naturalize".to_owned(), vec!["N-400".to_owned()])]);
    let together = json!({"aim": "stay", "where": "inside", "through": "relative", "petition": "no"});
    let forms = vec!["I-130".to_owned(), "I-485".to_owned(), "I-864".to_owned()];
    assert_eq!(end(together), [("adjust_with_relative".to_owned(), forms)]);
    // What a sponsor must give is named also where the petition was filed before (8 CFR 213a.2(a)(1)(i)).
    let after = |through| json!({"aim": "stay", "where": "inside", "through": through, "petition": "yes"});
    let forms = vec!["I-485".to_owned(), "I-864".to_owned()];
    assert_eq!(end(after("relative")), [("adjust_after_relative".to_owned(), forms)]);
    assert_eq!(end(after("employer")), [("adjust".to_owned(), vec!["I-485".to_owned()])]);
    let served = json!({"aim": "citizenship", "citizen_by_parents": "no", "has_card": "no", "served": "yes"});
    assert_eq!(end(served), [("naturalize_by_service".to_owned(), vec!["N-400".to_owned()])]);
    let not_served =
        json!({"aim": "citizenship", "citizen_by_parents": "no", "has_card": "no", "served": "no"});
    assert_eq!(end(not_served), [("card_first".to_owned(), vec![])]);
    for (through, self_petition, found) in [
        ("diversity", None, "adjust_otherwise"),
        ("victim", None, "adjust_otherwise"),
        ("cuban", None, "adjust_otherwise"),
        ("registry", None, "adjust_otherwise"),
        ("abuse", Some("yes"), "adjust"),
        ("juvenile", Some("yes"), "adjust"),
        ("abuse", Some("no"), "self_petition_first"),
        ("none", None, "no_way_to_stay"),
    ] {
        let stay =
            json!({"aim": "stay", "where": "inside", "through": through, "self_petition": self_petition});
        let forms: &[&str] = if found.starts_with("adjust") { &["I-485"] } else { &[] };
        assert_eq!(end(stay), [(found.to_owned(), forms.iter().map(|one| (*one).to_owned()).collect())]);
    }
    let resident = json!({"aim": "family", "own_status": "resident", "relative": "parent"});
    assert_eq!(end(resident), [("relative_of_resident".to_owned(), vec![])]);
}

#[test]
fn an_answer_to_a_question_that_no_longer_applies_changes_nothing() {
    let left_over = json!({"aim": "moved", "own_status": "citizen", "relative": "spouse"});
    assert_eq!(end(left_over), [("address".to_owned(), vec!["AR-11".to_owned()])]);
}

/// All questions that are asked and all ends, path by path.
fn walk(catalogue: &Catalogue) -> BTreeSet<String> {
    let guide = catalogue.guide(Language::En).unwrap();
    let (mut open, mut forms) = (vec![Answers::new()], BTreeSet::new());
    while let Some(path) = open.pop() {
        match guide.step(&path) {
            Step::Ask { question, label, choices } => {
                assert!(!label.is_empty() && choices.len() > 1, "{question}");
                for choice in choices {
                    let answer = guide.normalise(question, &json!(choice.id)).unwrap();
                    let mut next = path.clone();
                    next.insert(question.to_owned(), answer);
                    open.push(next);
                }
            }
            Step::End(found) => {
                assert_eq!(found.len(), 1, "one end for each path: {path:?}");
                assert!(!found[0].text.is_empty() && !found[0].cite.is_empty(), "{path:?}");
                forms.extend(found[0].forms.iter().cloned());
            }
        }
    }
    forms
}

#[test]
fn every_form_that_is_filed_by_itself_or_with_another_is_found_and_no_other() {
    let catalogue = Catalogue::embedded();
    let filed = |form: &&docket_forms::Form| ["online", "package"].contains(&form.docket.as_str());
    let online: BTreeSet<String> = catalogue.forms().filter(filed).map(|form| form.id.clone()).collect();
    assert_eq!(walk(&catalogue), online);
}

#[test]
fn what_is_not_offered_is_refused_by_name() {
    let catalogue = Catalogue::embedded();
    let guide = catalogue.guide(Language::En).unwrap();
    assert_eq!(guide.normalise("aim", &json!("fly")).unwrap_err().field, "aim");
    assert_eq!(guide.normalise("weather", &json!("fine")).unwrap_err().reason, "QUESTION_UNKNOWN");
}

fn faults(guide: &str) -> Vec<LoadError> {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("_common.toml", include_str!("../../catalogue/_common.toml"));
    write("t-1.toml", HEAD);
    write("_guide.toml", guide);
    Catalogue::load(folder.path()).err().unwrap_or_default()
}

const AIM: &str = r#"
question = [
  { id = "aim", label = "What?", choices = [{ id = "a", label = "A" }, { id = "b", label = "B" }] },
"#;

#[test]
fn a_guide_with_a_path_that_ends_nowhere_or_an_end_without_a_path_is_not_loaded() {
    let outcome = |id: &str, form: &str, when: &str| {
        format!(r#"{{ id = "{id}", forms = ["{form}"], when = "{when}", text = "So.", cite = "8 CFR 1" }},"#)
    };
    let guide = |question: &str, outcomes: &[String]| {
        faults(&format!("{AIM}{question}\n]\noutcome = [{}]", outcomes.concat()))
    };
    let whole = outcome("both", "T-1", "aim in ['a', 'b']");
    assert_eq!(guide("", std::slice::from_ref(&whole)), []);

    let only = |faults: Vec<LoadError>| {
        assert_eq!(faults.len(), 1, "{faults:?}");
        faults[0].to_string()
    };
    let dead_end = only(guide("", &[outcome("one", "T-1", "aim == 'a'")]));
    assert!(dead_end.contains(r#"nothing is said where one answers {"aim":"b"}"#), "{dead_end}");
    let unreached = only(guide("", &[whole.clone(), outcome("none", "T-1", "never")]));
    assert!(unreached.contains("none: no path comes here"), "{unreached}");
    let unknown = only(guide("", &[outcome("both", "T-9", "aim in ['a', 'b']")]));
    assert!(unknown.contains("there is no form T-9"), "{unknown}");
    let misspelt = only(guide("", &[outcome("both", "T-1", "aim == 'c'")]));
    assert!(misspelt.contains("'c'"), "{misspelt}");
    let circle = r#"
        { id = "x", when = "y == 'a'", label = "X?", choices = [{ id = "a", label = "A" }] },
        { id = "y", when = "x == 'a'", label = "Y?", choices = [{ id = "a", label = "A" }] },"#;
    assert!(only(guide(circle, &[whole])).contains("depending on itself"));
}
