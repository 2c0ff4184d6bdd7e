//! Requests and answers of the module as JSON. An answer that begins with `fault` is a refusal; no call changes what is
//! loaded unless it succeeds.

use docket_forms::{Answers, Form, Given, evaluate, fee, normalise};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The forms that were loaded.
pub(crate) struct Forms(Vec<Form>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ToEvaluate {
    form: String,
    answers: Answers,
    given: Given,
    #[serde(default)]
    waiver_granted: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ToNormalise {
    form: String,
    question: String,
    answer: Value,
}

/// An answer that refuses.
pub(crate) fn fault(reason: &str, message: &str) -> String {
    json!({ "fault": { "field": "", "reason": reason, "message": message } }).to_string()
}

fn written(answer: &impl Serialize) -> String {
    serde_json::to_string(answer).expect("answers are plain data")
}

fn read<'a, T: Deserialize<'a>>(request: &'a str) -> Result<T, String> {
    serde_json::from_str(request).map_err(|error| fault("REQUEST_MALFORMED", &error.to_string()))
}

impl Forms {
    pub(crate) const fn none() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn load(&mut self, definition: &str) -> String {
        match Form::from_definition(definition) {
            Err(error) => fault("DEFINITION_UNSOUND", &error.to_string()),
            Ok(form) => {
                let loaded = json!({ "form": form.id, "edition": form.edition, "catalogue_version": form.catalogue_version });
                self.0.retain(|one| one.id != form.id);
                self.0.push(form);
                written(&loaded)
            }
        }
    }

    pub(crate) fn evaluate(&self, request: &str) -> String {
        read::<ToEvaluate>(request)
            .and_then(|asked| {
                let form = self.form(&asked.form)?;
                Ok(written(&json!({
                    "evaluation": evaluate(form, &asked.answers, &asked.given),
                    "fee": fee(form, &asked.answers, &asked.given, asked.waiver_granted),
                })))
            })
            .unwrap_or_else(|refused| refused)
    }

    pub(crate) fn normalise(&self, request: &str) -> String {
        read::<ToNormalise>(request)
            .and_then(|asked| {
                let form = self.form(&asked.form)?;
                Ok(match normalise(form, &asked.question, &asked.answer) {
                    Ok(answer) => written(&json!({ "answer": answer })),
                    Err(fault) => written(&json!({ "fault": fault })),
                })
            })
            .unwrap_or_else(|refused| refused)
    }

    fn form(&self, id: &str) -> Result<&Form, String> {
        self.0
            .iter()
            .find(|form| form.id == id)
            .ok_or_else(|| fault("FORM_NOT_LOADED", "Load the form's definition first."))
    }
}
