//! `docket file`: leads a person through a form, question by question, with its checks, and through its papers; each answer is
//! saved as it is given.
pub mod ask;
pub mod choose;
pub mod evidence;
pub mod form;
pub mod part;
pub mod reading;
pub mod words;

use super::Refused;
use super::paper::{self, Drafts, Place};
use crate::client::{Connection, plainly, reason, request};
use crate::clock;
use crate::output::Teller;
use anyhow::{Context, Result, ensure};
use ask::{Ask, Said, say};
use docket_proto::filing::v1 as pb;
use evidence::{Checklist, End};
use form::{Form, Question};
use reading::shown;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::path::Path;
use words::Words;

/// Leads through a form: of `what` (a form's number or `filings/<id>`), or of the guided choice. What is begun goes into the
/// place that is said.
pub async fn lead(
    home: &Path,
    what: Option<&str>,
    place: Place<'_>,
    language: &str,
    teller: &Teller,
) -> Result<()> {
    let drafts = Drafts::of(home, language).await?;
    let words = Words::of(language);
    let mut ask = Ask::of_terminal(words);
    let mut together = Vec::new();
    let filing = match what {
        Some(name) if name.starts_with("filings/") => {
            ensure!(
                !place.is_said(),
                "{name} is begun already: only a new form goes --with another filing or under a --representation"
            );
            drafts.get(name).await?
        }
        Some(form) => drafts.begin(form, place).await?,
        None => match choose::form(&drafts.connection, &mut ask, language).await? {
            Some(chosen) => {
                together = chosen.together;
                drafts.begin(&chosen.form, place).await?
            }
            None => return Ok(()),
        },
    };
    let (form, rules) = definition(&drafts.connection, &filing.form, language).await?;
    if place.with.is_some() {
        say_taken_over(&filing, &form, words);
    }
    let interview = Interview { drafts, words, form, rules, passed: BTreeSet::new() };
    let filing = interview.run(filing, &mut ask).await?;
    paper::tell(&filing, words, teller);
    for form in together {
        say(&words.goes_in_with.replace("{}", &format!("docket file {form} --with {}", filing.name)));
    }
    Ok(())
}

/// Says what the other forms of the package answered already: it is not asked again, and is to be looked at.
fn say_taken_over(filing: &pb::Filing, form: &Form, words: &Words) {
    let answers = answers_of(filing);
    if answers.is_empty() {
        return;
    }
    say(&words.taken_over.replace("{}", &answers.len().to_string()));
    for question in &form.questions {
        if let Some(answer) = answers.get(&question.id) {
            say(&format!("= {}: {}", question.part.label, shown(&question.part, answer, words)));
        }
    }
}

/// The form as it is asked, and as its rules are evaluated.
pub async fn definition(
    connection: &Connection,
    form: &str,
    language: &str,
) -> Result<(Form, docket_forms::Form)> {
    let message = pb::GetFormRequest { form: form.to_owned(), language: language.to_owned() };
    let answer = connection.catalogue().get_form(request(None, message)).await.map_err(Refused::from)?;
    let json = answer.into_inner().definition_json;
    let rules = docket_forms::Form::from_definition(&json).context("the form's rules")?;
    Ok((serde_json::from_str(&json).context("the form's definition")?, rules))
}

/// A person at a form.
struct Interview {
    drafts: Drafts,
    words: &'static Words,
    form: Form,
    /// The same form, as it says what is asked of an item of a list.
    rules: docket_forms::Form,
    /// Questions that were left open, not to be asked again.
    passed: BTreeSet<String>,
}

impl Interview {
    /// Asks what is asked and not answered, in the form's order, and then for the papers, until the person stops.
    async fn run(mut self, mut filing: pb::Filing, ask: &mut Ask) -> Result<pb::Filing> {
        say(&format!("{} {}", filing.form, filing.name));
        say(self.words.how_to_answer);
        for one in filing.attention.iter().filter(|one| one.happened != "new") {
            let what = format!("{}: {} {}", one.was, one.answer_json, one.message);
            say(&self.words.not_taken_over.replace("{}", what.trim_end()));
        }
        let (mut section, mut wanted) = (String::new(), None);
        loop {
            let answers = answers_of(&filing);
            let wished = wanted.take().and_then(|id: String| self.form.question(&id));
            let Some(question) = wished.or_else(|| self.next(&filing, &answers)).cloned() else {
                let end;
                (filing, end) = self.papers(filing, ask).await?;
                wanted = filing.shown.last().cloned().filter(|_| end == End::Back);
                if wanted.is_none() {
                    return Ok(filing);
                }
                continue;
            };
            if question.section != section {
                say(&format!("\n  — {} —", self.form.heading(&question.section)));
                section.clone_from(&question.section);
            }
            let now = answers.get(&question.id);
            let why = self.why(&filing, &question.id, &answers);
            let asked = |item: &Map<String, Value>| self.asked_of((&question.id, item), &answers);
            match ask.question(&question, (now, &asked), &why)? {
                Said::Stop => return Ok(filing),
                Said::Nothing => drop(self.passed.insert(question.id)),
                Said::Back => {
                    let before = before(&filing.shown, &question.id);
                    if before.is_none() {
                        say(self.words.first_question);
                    }
                    wanted = before.or(Some(question.id));
                }
                Said::Papers => {
                    let end;
                    (filing, end) = self.papers(filing, ask).await?;
                    if end == End::Stop {
                        return Ok(filing);
                    }
                    wanted = Some(question.id);
                }
                Said::Answer(answer) => match self.save(&filing, &question, answer).await? {
                    Some(after) => filing = after,
                    None => wanted = Some(question.id),
                },
            }
        }
    }

    /// The papers of a filing; to what was sent, nothing is attached here.
    async fn papers(&self, filing: pb::Filing, ask: &mut Ask) -> Result<(pb::Filing, End)> {
        if !["draft", "signed"].contains(&filing.state.as_str()) {
            return Ok((filing, End::Done));
        }
        Checklist { drafts: &self.drafts, words: self.words }.run(&filing.name, ask).await
    }

    fn next(&self, filing: &pb::Filing, answers: &Map<String, Value>) -> Option<&Question> {
        let open = |id: &&String| !answers.contains_key(*id) && !self.passed.contains(*id);
        self.form.question(filing.shown.iter().find(open)?)
    }

    /// What is asked of an item of a list that says so much already, each part after those it hangs on.
    fn asked_of(
        &self,
        list_and_item: (&str, &Map<String, Value>),
        answers: &Map<String, Value>,
    ) -> Vec<String> {
        docket_forms::parts_asked(&self.rules, list_and_item, answers, &given())
    }

    /// Why a question is asked, with its source where an answer is required; else what an empty line does.
    fn why(&self, filing: &pb::Filing, question: &str, answers: &Map<String, Value>) -> String {
        if let Some(missing) = filing.missing.iter().find(|missing| missing.field == question) {
            return format!("{} {}", missing.because, missing.cite);
        }
        let asked = docket_forms::why_asked(&self.rules, question, answers, &given()).unwrap_or_default();
        let empty = if answers.contains_key(question) { self.words.keeps } else { self.words.may_stay_open };
        format!("{asked} {empty}").trim_start().to_owned()
    }

    /// Saves one answer and tells what follows; nothing where it was refused, and is to be asked for again.
    async fn save(
        &self,
        before: &pb::Filing,
        question: &Question,
        answer: Value,
    ) -> Result<Option<pb::Filing>> {
        let answers = Map::from_iter([(question.id.clone(), answer)]);
        match self.drafts.amend(before, answers).await {
            Ok(after) => {
                say(self.words.saved);
                for finding in after.findings.iter().filter(|finding| !before.findings.contains(finding)) {
                    say(&paper::found(finding));
                }
                Ok(Some(after))
            }
            Err(status) if reason(&status) == "ANSWERED_MEANWHILE" => {
                let after = self.drafts.get(&before.name).await?;
                let theirs = answers_of(&after).get(&question.id).cloned().unwrap_or_default();
                say(&self.words.answered_meanwhile.replace("{}", &theirs.to_string()));
                Ok(Some(after))
            }
            Err(status) if status.code() == tonic::Code::InvalidArgument => {
                say(&format!("✗ {}", plainly(&status)));
                Ok(None)
            }
            Err(status) => Err(Refused::from(status).into()),
        }
    }
}

/// The question before one, among those that are asked.
fn before(shown: &[String], question: &str) -> Option<String> {
    let at = shown.iter().position(|id| id == question)?;
    shown.get(at.checked_sub(1)?).cloned()
}

/// The answers of a filing that came with them.
pub fn answers_of(filing: &pb::Filing) -> Map<String, Value> {
    serde_json::from_str(&filing.answers_json).unwrap_or_default()
}

/// What is known beside the answers: the day.
fn given() -> docket_forms::Given {
    let now = jiff::Timestamp::from_second(clock::now_s()).unwrap_or_default();
    docket_forms::Given::on(jiff::tz::TimeZone::UTC.to_datetime(now).date())
}

#[cfg(test)]
mod tests {
    #[test]
    fn back_goes_by_what_is_asked() {
        let shown = ["a", "b", "c"].map(str::to_owned);
        assert_eq!(super::before(&shown, "c"), Some("b".into()));
        assert_eq!(super::before(&shown, "a"), None);
        assert_eq!(super::before(&shown, "z"), None, "it is no longer asked");
    }
}
