//! A form read back from its definition is the same form; a definition that does not hold together is refused.

use docket_forms::{Catalogue, DefinitionError, Form, Question, evaluate, fee};
use serde_json::{Value, json};

use crate::search::Search;

fn definition(form: &str) -> Value {
    serde_json::to_value(Catalogue::embedded().form(form).unwrap()).unwrap()
}

fn read(definition: &Value) -> Result<Form, DefinitionError> {
    Form::from_definition(&definition.to_string())
}

fn unsound(definition: &Value) -> String {
    let error = read(definition).unwrap_err();
    assert!(matches!(error, DefinitionError::Unsound { .. }), "{error}");
    error.to_string()
}

#[test]
fn every_form_comes_back_from_its_definition_and_says_the_same() {
    for form in Catalogue::embedded().forms() {
        let written = serde_json::to_string(form).unwrap();
        let back = Form::from_definition(&written).unwrap();
        assert_eq!(serde_json::to_string(&back).unwrap(), written, "{}", form.id);
        let mut search = Search::new(form);
        let questions: Vec<&Question> = form.questions.iter().collect();
        for _ in 0..3 {
            let given = search.given();
            let answers = search.answers(&questions, given.filing_date);
            assert_eq!(evaluate(&back, &answers, &given), evaluate(form, &answers, &given), "{}", form.id);
            assert_eq!(
                fee(&back, &answers, &given, false),
                fee(form, &answers, &given, false),
                "{}",
                form.id
            );
        }
    }
}

#[test]
fn a_definition_that_does_not_hold_together_is_refused() {
    let form = definition("I-90");
    let place =
        form["questions"].as_array().unwrap().iter().position(|one| one["id"] == "card_expiry").unwrap();
    let with = |field: &str, condition: &str| {
        let mut form = form.clone();
        form["questions"][place][field] = json!(condition);
        form
    };
    assert!(unsound(&with("required", "no_such_question == 'x'")).starts_with("card_expiry: there is no"));
    assert!(unsound(&with("required", "reason")).starts_with("card_expiry: "), "a text is no condition");
    assert!(unsound(&with("shown", "card_expiry == d'2026-01-01'")).contains("depending on itself"));
    assert!(matches!(read(&with("shown", "reason ==")), Err(DefinitionError::Malformed(_))));
    assert!(matches!(read(&json!({ "id": "I-90" })), Err(DefinitionError::Malformed(_))));
    let mut items = definition("N-400");
    let trips = items["questions"].as_array().unwrap().iter().position(|one| one["id"] == "trips").unwrap();
    items["questions"][trips]["fields"][0]["required"] = json!("it.no_such_part == 'x'");
    assert!(unsound(&items).starts_with("trips."), "over the items");
}
