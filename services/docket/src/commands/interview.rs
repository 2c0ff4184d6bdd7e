//! `docket file`: leads a person through a form, question by question, with its checks; each answer is saved as it is given.
pub mod ask;
pub mod choose;
pub mod form;
pub mod reading;
pub mod words;

use super::paper::{self, Drafts};
use super::{Refused, Session};
use crate::client::{Connection, plainly, reason, request};
use crate::output::Teller;
use anyhow::{Context, Result};
use ask::{Ask, Said, say};
use docket_proto::filing::v1 as pb;
use form::{Form, Question};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::path::Path;
use words::Words;

/// Leads through a form: of `what` (a form's number or `filings/<id>`), or of the guided choice.
pub async fn lead(home: &Path, what: Option<&str>, language: &str, teller: &Teller) -> Result<()> {
    let (connection, token) = Session::resume(home).await?;
    let drafts = Drafts { connection, token, language: language.to_owned() };
    let words = Words::of(language);
    let mut ask = Ask::of_terminal(words);
    let filing = match what {
        Some(name) if name.starts_with("filings/") => drafts.get(name).await?,
        Some(form) => drafts.begin(form).await?,
        None => match choose::form(&drafts.connection, &mut ask, language).await? {
            Some(form) => drafts.begin(&form).await?,
            None => return Ok(()),
        },
    };
    let form = definition(&drafts.connection, &filing.form, language).await?;
    let interview = Interview { drafts, words, form, passed: BTreeSet::new() };
    let filing = interview.run(filing, &mut ask).await?;
    paper::tell(&filing, words, teller);
    Ok(())
}

async fn definition(connection: &Connection, form: &str, language: &str) -> Result<Form> {
    let message = pb::GetFormRequest { form: form.to_owned(), language: language.to_owned() };
    let answer = connection.catalogue().get_form(request(None, message)).await.map_err(Refused::from)?;
    serde_json::from_str(&answer.into_inner().definition_json).context("the form's definition")
}

/// A person at a form.
struct Interview {
    drafts: Drafts,
    words: &'static Words,
    form: Form,
    /// Questions that were left open, not to be asked again.
    passed: BTreeSet<String>,
}

impl Interview {
    /// Asks what is asked and not answered, in the form's order, until nothing is or the person stops.
    async fn run(mut self, mut filing: pb::Filing, ask: &mut Ask) -> Result<pb::Filing> {
        say(&format!("{} {}", filing.form, filing.name));
        say(self.words.how_to_answer);
        let mut answers = answers_of(&filing);
        let mut section = String::new();
        while let Some(question) = self.next(&filing, &answers) {
            if question.section != section {
                say(&format!("\n  — {} —", self.form.heading(&question.section)));
                section.clone_from(&question.section);
            }
            let why = why(&filing, &question.id);
            match ask.question(&question, &why)? {
                Said::Stop => break,
                Said::Nothing => drop(self.passed.insert(question.id.clone())),
                Said::Answer(answer) => {
                    filing = self.save(filing, &question, answer).await?;
                    answers = answers_of(&filing);
                }
            }
        }
        Ok(filing)
    }

    fn next(&self, filing: &pb::Filing, answers: &Map<String, Value>) -> Option<Question> {
        let open = |id: &&String| !answers.contains_key(*id) && !self.passed.contains(*id);
        let id = filing.shown.iter().find(open)?;
        self.form.questions.iter().find(|question| question.id == *id).cloned()
    }

    /// Saves one answer and tells what follows; one that is refused is asked for again.
    async fn save(&self, before: pb::Filing, question: &Question, answer: Value) -> Result<pb::Filing> {
        let answers = Map::from_iter([(question.id.clone(), answer)]);
        match self.drafts.amend(&before, answers).await {
            Ok(after) => {
                say(self.words.saved);
                for finding in after.findings.iter().filter(|finding| !before.findings.contains(finding)) {
                    say(&paper::found(finding));
                }
                Ok(after)
            }
            Err(status) if reason(&status) == "ANSWERED_MEANWHILE" => {
                let after = self.drafts.get(&before.name).await?;
                let theirs = answers_of(&after).get(&question.id).cloned().unwrap_or_default();
                say(&self.words.answered_meanwhile.replace("{}", &theirs.to_string()));
                Ok(after)
            }
            Err(status) if status.code() == tonic::Code::InvalidArgument => {
                say(&format!("✗ {}", plainly(&status)));
                Ok(before)
            }
            Err(status) => Err(Refused::from(status).into()),
        }
    }
}

fn answers_of(filing: &pb::Filing) -> Map<String, Value> {
    serde_json::from_str(&filing.answers_json).unwrap_or_default()
}

/// Why a question is asked, with its source; empty where it may be left open.
fn why(filing: &pb::Filing, question: &str) -> String {
    let missing = filing.missing.iter().find(|missing| missing.field == question);
    missing.map(|missing| format!("{} {}", missing.because, missing.cite)).unwrap_or_default()
}
