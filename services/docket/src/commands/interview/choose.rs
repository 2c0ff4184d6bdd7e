//! "Which form do I need?": the guide's questions on the terminal, to the form that is begun.
use super::ask::{Ask, say};
use super::words::Words;
use crate::client::{Connection, request};
use crate::commands::Refused;
use anyhow::Result;
use docket_proto::filing::v1 as pb;
use serde_json::{Map, Value};

/// A form that is to be begun.
#[derive(Debug, PartialEq, Eq)]
pub struct Chosen {
    pub form: String,
    /// Forms that are filed together with it.
    pub together: Vec<String>,
}

/// Asks until the guide knows; gives the form to begin, if there is one and the person wants it.
pub async fn form(connection: &Connection, ask: &mut Ask, language: &str) -> Result<Option<Chosen>> {
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

fn begin(outcomes: &[pb::GuideOutcome], ask: &mut Ask, words: &Words) -> Result<Option<Chosen>> {
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
    Ok(ask.choice(words.begin_which, &ids, &labels)?.map(|form| chosen(outcomes, form)))
}

fn chosen(outcomes: &[pb::GuideOutcome], form: String) -> Chosen {
    let has_it = |outcome: &&pb::GuideOutcome| outcome.forms.iter().any(|one| one.form == form);
    let forms = outcomes.iter().find(has_it).into_iter().flat_map(|outcome| &outcome.forms);
    let filed = |one: &&pb::FormSummary| one.online || !one.goes_with.is_empty();
    let together = forms.filter(filed).filter(|one| one.form != form).map(|one| one.form.clone());
    Chosen { together: together.collect(), form }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_outcome_names_is_filed_together() {
        let outcome = |forms: &[(&str, bool, &str)]| {
            let forms = forms.iter().map(|(form, online, goes_with)| pb::FormSummary {
                form: (*form).to_owned(),
                online: *online,
                goes_with: (*goes_with).to_owned(),
                ..pb::FormSummary::default()
            });
            pb::GuideOutcome { forms: forms.collect(), ..pb::GuideOutcome::default() }
        };
        let family =
            [("I-130", true, ""), ("I-485", true, ""), ("I-864", false, "I-485"), ("I-912", false, "")];
        let outcomes = [outcome(&[("I-90", true, "")]), outcome(&family)];
        let begun = |form: &str| chosen(&outcomes, form.to_owned()).together;
        assert_eq!(begun("I-130"), ["I-485", "I-864"]);
        assert_eq!(begun("I-485"), ["I-130", "I-864"]);
        assert_eq!(begun("I-90"), [""; 0]);
    }
}
