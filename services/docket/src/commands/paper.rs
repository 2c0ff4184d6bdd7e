//! `docket forms` and `docket file`: the catalogue, and a filing begun from a file.
use super::interview::words::Words;
use super::{Refused, Session};
use crate::address::Addresses;
use crate::client::{Connection, patiently, request};
use crate::output::Teller;
use anyhow::{Context, Result};
use docket_proto::filing::v1 as pb;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::path::Path;
use uuid::Uuid;

/// Lists the forms, or shows one with its questions.
pub async fn forms(home: &Path, form: Option<&str>, language: &str, teller: &Teller) -> Result<()> {
    let mut catalogue = Connection::new(&Addresses::read(home)?)?.catalogue();
    let Some(form) = form else {
        let answer = catalogue
            .list_forms(request(None, pb::ListFormsRequest { language: language.to_owned() }))
            .await
            .map_err(Refused::from)?
            .into_inner();
        for form in answer.forms {
            if teller.is_json() {
                teller.value(&json!({"form": form.form, "title": form.title, "edition": form.edition, "online": form.online}));
            } else {
                teller.pair(
                    &form.form,
                    &format!("{}{}", form.title, if form.online { "" } else { " (not yet online)" }),
                );
            }
        }
        return Ok(());
    };
    let message = pb::GetFormRequest { form: form.to_owned(), language: language.to_owned() };
    let answer = catalogue.get_form(request(None, message)).await.map_err(Refused::from)?.into_inner();
    let definition: Value = serde_json::from_str(&answer.definition_json).context("the definition")?;
    if teller.is_json() {
        teller.value(&definition);
        return Ok(());
    }
    let summary = answer.summary.context("summary")?;
    teller.heading(&format!("{} {} (edition {})", summary.form, summary.title, summary.edition));
    teller.line(&summary.summary);
    for question in definition["questions"].as_array().into_iter().flatten() {
        teller.pair(
            question["id"].as_str().unwrap_or_default(),
            question["label"].as_str().unwrap_or_default(),
        );
    }
    Ok(())
}

/// A filing in a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Paper {
    form: String,
    answers: Map<String, Value>,
}

/// Begins a filing with the answers of a file.
pub async fn file(home: &Path, path: &Path, language: &str, teller: &Teller) -> Result<()> {
    let text = std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    let paper: Paper = serde_json::from_str(&text)
        .with_context(|| format!("{} is not {{\"form\", \"answers\"}}", path.display()))?;
    let (connection, token) = Session::resume(home).await?;
    let drafts = Drafts { connection, token, language: language.to_owned() };
    let begun = drafts.begin(&paper.form).await?;
    let filing = drafts.amend(&begun, paper.answers).await.map_err(Refused::from)?;
    tell(&filing, Words::of(language), teller);
    Ok(())
}

/// Drafts at the service, for somebody who is signed in and reads a language.
pub struct Drafts {
    pub connection: Connection,
    pub token: String,
    pub language: String,
}

impl Drafts {
    /// Begins a draft of a form.
    pub async fn begin(&self, form: &str) -> Result<pb::Filing> {
        let message = pb::StartDraftRequest {
            request_id: Uuid::now_v7().to_string(),
            form: form.to_owned(),
            language: self.language.clone(),
            ..pb::StartDraftRequest::default()
        };
        let mut drafts = self.connection.drafts();
        let begun = drafts.start_draft(request(Some(&self.token), message)).await.map_err(Refused::from)?;
        begun.into_inner().filing.context("filing")
    }

    /// A filing with its answers.
    pub async fn get(&self, name: &str) -> Result<pb::Filing> {
        let message = pb::GetFilingRequest { name: name.to_owned(), language: self.language.clone() };
        let mut drafts = self.connection.drafts();
        let answer = drafts.get_filing(request(Some(&self.token), message)).await.map_err(Refused::from)?;
        answer.into_inner().filing.context("filing")
    }

    /// Saves answers to a filing that was looked at; nobody else's are overwritten unseen.
    pub async fn amend(
        &self,
        seen: &pb::Filing,
        answers: Map<String, Value>,
    ) -> Result<pb::Filing, tonic::Status> {
        let message = pb::AnswerDraftRequest {
            request_id: Uuid::now_v7().to_string(),
            name: seen.name.clone(),
            answers_json: Value::Object(answers).to_string(),
            etag: seen.etag,
            language: self.language.clone(),
        };
        let drafts = self.connection.drafts();
        let answer = patiently(|| {
            let (mut drafts, message) = (drafts.clone(), message.clone());
            async move { drafts.answer_draft(request(Some(&self.token), message)).await }
        });
        let answered = answer.await?.into_inner().filing;
        answered.ok_or_else(|| tonic::Status::internal("an answer without its filing"))
    }
}

/// What is wrong, missing and to be attached.
pub fn tell(filing: &pb::Filing, words: &Words, teller: &Teller) {
    if teller.is_json() {
        teller.value(&told(filing));
        return;
    }
    teller.heading(&format!("{} {}", filing.form, filing.name));
    for finding in &filing.findings {
        teller.line(&found(finding));
    }
    for missing in &filing.missing {
        teller.line(&format!("? {}: {}", missing.field, missing.label));
    }
    for need in filing.evidence_needs.iter().filter(|need| !need.satisfied && !need.explained) {
        teller.line(&format!("+ {}: {}", need.kind, need.title));
    }
    if filing.ready {
        teller.line(words.ready);
    }
}

/// A finding as people read it.
pub fn found(finding: &pb::Finding) -> String {
    let mark = if finding.level == "block" { "✗" } else { "!" };
    format!("{mark} {}: {} {}", finding.field, finding.message, finding.cite)
}

/// What a program is told of a filing.
fn told(filing: &pb::Filing) -> Value {
    let findings = filing.findings.iter().map(|finding| {
        json!({
            "rule": finding.rule, "level": finding.level, "field": finding.field, "message": finding.message,
            "cite": finding.cite, "rests_on": finding.rests_on,
        })
    });
    let needs = filing.evidence_needs.iter().filter(|need| !need.satisfied && !need.explained);
    json!({
        "name": filing.name, "form": filing.form, "ready": filing.ready,
        "findings": findings.collect::<Vec<_>>(),
        "missing": filing.missing.iter().map(|missing| &missing.field).collect::<Vec<_>>(),
        "evidence": needs.map(|need| &need.kind).collect::<Vec<_>>(),
    })
}
