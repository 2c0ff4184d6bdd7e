//! `docket forms` and `docket file`: the catalogue, and a filing begun from a file.
use super::{Refused, Session};
use crate::address::Addresses;
use crate::client::{Connection, request};
use crate::output::Teller;
use anyhow::{Context, Result};
use docket_proto::filing::v1 as pb;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::path::Path;
use uuid::Uuid;

/// Lists the forms, or shows one with its questions.
pub async fn forms(home: &Path, form: Option<&str>, teller: &Teller) -> Result<()> {
    let mut catalogue = Connection::new(&Addresses::read(home)?)?.catalogue();
    let Some(form) = form else {
        let answer = catalogue
            .list_forms(request(None, pb::ListFormsRequest {}))
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
    let message = pb::GetFormRequest { form: form.to_owned() };
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
pub async fn file(home: &Path, path: &Path, teller: &Teller) -> Result<()> {
    let text = std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    let paper: Paper = serde_json::from_str(&text)
        .with_context(|| format!("{} is not {{\"form\", \"answers\"}}", path.display()))?;
    let (connection, token) = Session::resume(home).await?;
    let mut drafts = connection.drafts();
    let message = pb::StartDraftRequest {
        representation: String::new(),
        package: String::new(),
        request_id: Uuid::now_v7().to_string(),
        form: paper.form,
        again: String::new(),
    };
    let begun = drafts
        .start_draft(request(Some(&token), message))
        .await
        .map_err(Refused::from)?
        .into_inner()
        .filing
        .context("filing")?;
    let message = pb::AnswerDraftRequest {
        request_id: Uuid::now_v7().to_string(),
        name: begun.name,
        answers_json: Value::Object(paper.answers).to_string(),
        etag: 0,
    };
    let filing = drafts
        .answer_draft(request(Some(&token), message))
        .await
        .map_err(Refused::from)?
        .into_inner()
        .filing
        .context("filing")?;
    if teller.is_json() {
        teller.value(&json!({
            "name": filing.name, "ready": filing.ready,
            "findings": filing.findings.iter().map(|f| json!({"rule": f.rule, "level": f.level, "field": f.field, "message": f.message, "cite": f.cite})).collect::<Vec<_>>(),
            "missing": filing.missing.iter().map(|m| &m.field).collect::<Vec<_>>(),
        }));
        return Ok(());
    }
    teller.heading(&format!("{} {}", filing.form, filing.name));
    for finding in &filing.findings {
        teller.line(&format!(
            "{} {}: {} {}",
            if finding.level == "block" { "✗" } else { "!" },
            finding.field,
            finding.message,
            finding.cite
        ));
    }
    for missing in &filing.missing {
        teller.line(&format!("? {}: {}", missing.field, missing.label));
    }
    for need in filing.evidence_needs.iter().filter(|need| !need.satisfied) {
        teller.line(&format!("+ {}: {}", need.kind, need.title));
    }
    Ok(())
}
