//! "Which form do I need?": the guide's questions on the terminal, to the form that is begun.
use super::ask::{Ask, say};
use super::words::Words;
use crate::client::{Connection, request};
use crate::commands::Refused;
use anyhow::Result;
use docket_proto::filing::v1 as pb;
use serde_json::{Map, Value};

/// Asks until the guide knows; gives the form to begin, if there is one and the person wants it.
pub async fn form(connection: &Connection, ask: &mut Ask, language: &str) -> Result<Option<String>> {
    let words = Words::of(language);
    say(words.which_form);
    let mut answers = Map::new();
    loop {
        let message = pb::GuideFormsRequest {
            answers_json: Value::Object(answers.clone()).to_string(),
            language: language.to_owned(),
        };
        let guided =
            connection.catalogue().guide_forms(request(None, message)).await.map_err(Refused::from)?;
        let guided = guided.into_inner();
        let Some(question) = guided.question else { return begin(&guided.outcomes, ask, words) };
        let (ids, labels): (Vec<String>, Vec<String>) =
            question.choices.into_iter().map(|choice| (choice.id, choice.label)).unzip();
        let Some(chosen) = ask.choice(&question.label, &ids, &labels)? else { return Ok(None) };
        answers.insert(question.id, Value::String(chosen));
    }
}

fn begin(outcomes: &[pb::GuideOutcome], ask: &mut Ask, words: &Words) -> Result<Option<String>> {
    eprintln!();
    for outcome in outcomes {
        say(&format!("{} ({})", outcome.text, outcome.cite));
    }
    let forms = outcomes.iter().flat_map(|outcome| &outcome.forms).filter(|form| form.online);
    let (ids, labels): (Vec<String>, Vec<String>) =
        forms.map(|form| (form.form.clone(), format!("{} {}", form.form, form.title))).unzip();
    if ids.is_empty() {
        return Ok(None);
    }
    ask.choice(words.begin_which, &ids, &labels)
}
