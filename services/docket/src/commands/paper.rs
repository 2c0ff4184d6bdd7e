//! `docket forms` and `docket again`: the catalogue, a filing begun again; and the drafts of whoever is signed in, for all commands.
use super::interview::words::Words;
use super::{Refused, Session};
use crate::address::Addresses;
use crate::client::{Connection, patiently, request};
use crate::output::Teller;
use anyhow::{Context, Result};
use docket_proto::filing::v1 as pb;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use tonic::Status;
use uuid::Uuid;

/// Lists the forms, or shows one with its questions.
pub async fn forms(home: &Path, form: Option<&str>, language: &str, teller: &Teller) -> Result<()> {
    let mut catalogue = Connection::new(&Addresses::read(home)?)?.reading(language).catalogue();
    let Some(form) = form else {
        let answer = catalogue
            .list_forms(request(None, pb::ListFormsRequest { language: language.to_owned() }))
            .await
            .map_err(Refused::from)?
            .into_inner();
        for form in answer.forms {
            if teller.is_json() {
                teller.value(&json!({
                    "form": form.form, "title": form.title, "edition": form.edition, "online": form.online,
                    "goes_with": form.goes_with,
                }));
            } else {
                let way_in = match form.goes_with.as_str() {
                    main if !main.is_empty() => teller.filled(" (in the package of Form {})", &[&main]),
                    _ if form.online => String::new(),
                    _ => teller.words(" (not yet online)").to_owned(),
                };
                teller.pair(&form.form, &format!("{}{way_in}", form.title));
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
    let edition = teller.filled("edition {}", &[&summary.edition]);
    teller.heading(&format!("{} {} ({edition})", summary.form, summary.title));
    teller.line(&summary.summary);
    for question in definition["questions"].as_array().into_iter().flatten() {
        teller.pair(
            question["id"].as_str().unwrap_or_default(),
            question["label"].as_str().unwrap_or_default(),
        );
    }
    Ok(())
}

/// The filing of a case: it has the id of the case.
pub fn filing_of(case: &str) -> String {
    case.replacen("cases/", "filings/", 1)
}

/// Where a filing is begun.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place<'a> {
    /// In the package of this filing.
    pub with: Option<&'a str>,
    /// For the client of this appearance.
    pub representation: Option<&'a str>,
}

impl Place<'_> {
    /// Whether anything is said of it.
    pub fn is_said(&self) -> bool {
        self.with.is_some() || self.representation.is_some()
    }
}

/// Begins a filing that is over again: nothing of it is typed anew.
pub async fn again(
    home: &Path,
    name: &str,
    with: Option<&str>,
    language: &str,
    teller: &Teller,
) -> Result<()> {
    let drafts = Drafts::of(home, language).await?;
    tell(&drafts.begin_again(name, with).await?, Words::of(language), teller);
    Ok(())
}

/// Drafts at the service, for somebody who is signed in and reads a language.
pub struct Drafts {
    pub connection: Connection,
    pub language: String,
    home: PathBuf,
}

impl Drafts {
    /// The drafts of who is signed in here.
    pub async fn of(home: &Path, language: &str) -> Result<Self> {
        let (connection, _token) = Session::resume(home).await?;
        Ok(Self {
            connection: connection.reading(language),
            language: language.to_owned(),
            home: home.to_owned(),
        })
    }

    /// The token as it is now: people take longer over a form than a token lasts.
    pub async fn token(&self) -> Result<String, Status> {
        let token = Session::token(&self.home, &self.connection).await;
        token.map_err(|error| match error.downcast::<Refused>() {
            Ok(refused) => refused.status(),
            Err(error) => Status::unauthenticated(format!("{error:#}")),
        })
    }

    /// Begins a draft of a form; in a package it comes with what it took over there.
    pub async fn begin(&self, form: &str, place: Place<'_>) -> Result<pb::Filing> {
        self.start(pb::StartDraftRequest {
            form: form.to_owned(),
            package: self.package(place.with).await?,
            representation: place.representation.map(appearance).unwrap_or_default(),
            ..pb::StartDraftRequest::default()
        })
        .await
    }

    /// Begins a filing that is over again, with all that was in it; in the package of another one where that is named.
    pub async fn begin_again(&self, name: &str, with: Option<&str>) -> Result<pb::Filing> {
        self.start(pb::StartDraftRequest {
            again: name.to_owned(),
            package: self.package(with).await?,
            ..pb::StartDraftRequest::default()
        })
        .await
    }

    /// The package of a filing; empty where none is named.
    async fn package(&self, with: Option<&str>) -> Result<String> {
        Ok(match with {
            Some(filing) => format!("packages/{}", self.get(filing).await?.package_id),
            None => String::new(),
        })
    }

    async fn start(&self, how: pb::StartDraftRequest) -> Result<pb::Filing> {
        let message = pb::StartDraftRequest {
            request_id: Uuid::now_v7().to_string(),
            language: self.language.clone(),
            ..how
        };
        let token = self.token().await.map_err(Refused::from)?;
        let mut drafts = self.connection.drafts();
        let begun = drafts.start_draft(request(Some(&token), message)).await.map_err(Refused::from)?;
        begun.into_inner().filing.context("filing")
    }

    /// Gives a draft up; gives what is left of it.
    pub async fn give_up(&self, name: &str) -> Result<pb::Filing> {
        let message =
            pb::AbandonDraftRequest { request_id: Uuid::now_v7().to_string(), name: name.to_owned() };
        let token = self.token().await.map_err(Refused::from)?;
        let answer = self.connection.drafts().abandon_draft(request(Some(&token), message)).await;
        answer.map_err(Refused::from)?.into_inner().filing.context("filing")
    }

    /// A filing with its answers.
    pub async fn get(&self, name: &str) -> Result<pb::Filing> {
        let message = pb::GetFilingRequest { name: name.to_owned(), language: self.language.clone() };
        let token = self.token().await.map_err(Refused::from)?;
        let mut drafts = self.connection.drafts();
        let answer = drafts.get_filing(request(Some(&token), message)).await.map_err(Refused::from)?;
        answer.into_inner().filing.context("filing")
    }

    /// Saves answers to a filing that was looked at; nobody else's are overwritten unseen.
    pub async fn amend(&self, seen: &pb::Filing, answers: Map<String, Value>) -> Result<pb::Filing, Status> {
        self.amend_at((&seen.name, seen.etag), answers).await
    }

    /// The same of a filing that was looked at when it had this version.
    pub async fn amend_at(
        &self,
        (name, etag): (&str, u64),
        answers: Map<String, Value>,
    ) -> Result<pb::Filing, Status> {
        let message = pb::AnswerDraftRequest {
            request_id: Uuid::now_v7().to_string(),
            name: name.to_owned(),
            answers_json: Value::Object(answers).to_string(),
            etag,
            language: self.language.clone(),
        };
        let (drafts, token) = (self.connection.drafts(), self.token().await?);
        let answer = patiently(|| {
            let (mut drafts, message) = (drafts.clone(), request(Some(&token), message.clone()));
            async move { drafts.answer_draft(message).await }
        });
        let answered = answer.await?.into_inner().filing;
        answered.ok_or_else(|| Status::internal("an answer without its filing"))
    }

    /// Asks that the fee be waived, with answers to Form I-912; without any, no longer. With a version that was looked at, what
    /// somebody else answered since is not overwritten; without one (0), these are all the answers.
    pub async fn ask_waiver(
        &self,
        (name, etag): (&str, u64),
        answers: Option<Map<String, Value>>,
    ) -> Result<pb::Filing, Status> {
        let message = pb::AskFeeWaiverRequest {
            request_id: Uuid::now_v7().to_string(),
            name: name.to_owned(),
            answers_json: answers.map(|answers| Value::Object(answers).to_string()).unwrap_or_default(),
            language: self.language.clone(),
            etag,
        };
        let (drafts, token) = (self.connection.drafts(), self.token().await?);
        let asked = patiently(|| {
            let (mut drafts, message) = (drafts.clone(), request(Some(&token), message.clone()));
            async move { drafts.ask_fee_waiver(message).await }
        });
        let filing = asked.await?.into_inner().filing;
        filing.ok_or_else(|| Status::internal("an answer without its filing"))
    }

    /// Says why evidence of a kind, or an item of a request, cannot be provided; without words takes that back.
    pub async fn explain(&self, name: &str, kind: &str, explanation: &str) -> Result<(), Status> {
        let message = pb::ExplainMissingEvidenceRequest {
            request_id: Uuid::now_v7().to_string(),
            name: name.to_owned(),
            kind: kind.to_owned(),
            explanation: explanation.to_owned(),
            language: self.language.clone(),
        };
        let (evidence, token) = (self.connection.evidence(), self.token().await?);
        let answer = patiently(|| {
            let (mut evidence, message) = (evidence.clone(), request(Some(&token), message.clone()));
            async move { evidence.explain_missing_evidence(message).await }
        });
        answer.await.map(drop)
    }

    /// Files of the person's other filings that can be attached here too.
    pub async fn reusable(&self, parent: &str) -> Result<Vec<pb::ReusableEvidence>> {
        let message = pb::ListReusableEvidenceRequest { parent: parent.to_owned() };
        let token = self.token().await.map_err(Refused::from)?;
        let mut evidence = self.connection.evidence();
        let answer = evidence.list_reusable_evidence(request(Some(&token), message)).await;
        Ok(answer.map_err(Refused::from)?.into_inner().evidence)
    }

    /// Attaches one of them.
    pub async fn reuse(&self, parent: &str, file: &pb::Evidence) -> Result<pb::Evidence, Status> {
        let message = pb::ReuseEvidenceRequest {
            request_id: Uuid::now_v7().to_string(),
            parent: parent.to_owned(),
            kind: file.kind.clone(),
            evidence: file.name.clone(),
        };
        let (evidence, token) = (self.connection.evidence(), self.token().await?);
        let answer = patiently(|| {
            let (mut evidence, message) = (evidence.clone(), request(Some(&token), message.clone()));
            async move { evidence.reuse_evidence(message).await }
        });
        let attached = answer.await?.into_inner().evidence;
        attached.ok_or_else(|| Status::internal("an answer without its evidence"))
    }
}

/// The answers in a file, by question.
pub fn answers_in(path: &Path) -> Result<Map<String, Value>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not a JSON object of answers", path.display()))
}

/// The name of an appearance, also where only its id is given.
pub fn appearance(given: &str) -> String {
    if given.contains('/') { given.to_owned() } else { format!("representations/{given}") }
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
    for filled in &filing.filled {
        teller.line(&format!("= {} {}", filled.because, filled.cite));
    }
    for missing in &filing.missing {
        teller.line(&format!("? {}: {}", missing.field, missing.label));
    }
    for evidence in &filing.evidence {
        teller.line(&format!("✓ {}: {}", evidence.kind, evidence.file_name));
    }
    for need in filing.evidence_needs.iter().filter(|need| !need.satisfied && !need.explained) {
        teller.line(&format!("+ {}: {}", need.kind, need.title));
    }
    if filing.ready {
        teller.line(&words.ready.replace("{}", &format!("docket sign {}", filing.name)));
    }
}

/// A finding as people read it.
pub fn found(finding: &pb::Finding) -> String {
    let mark = if finding.level == "block" { "✗" } else { "!" };
    let about = if finding.field.is_empty() { String::new() } else { format!("{}: ", finding.field) };
    format!("{mark} {about}{} {}", finding.message, finding.cite).trim_end().to_owned()
}

/// What a program is told of a filing.
fn told(filing: &pb::Filing) -> Value {
    let findings = filing.findings.iter().map(|finding| {
        json!({
            "rule": finding.rule, "level": finding.level, "field": finding.field, "message": finding.message,
            "cite": finding.cite, "rests_on": finding.rests_on,
        })
    });
    let filled = filing.filled.iter().map(|one| {
        json!({ "question": one.question, "cents": one.cents, "because": one.because, "cite": one.cite })
    });
    let needs = filing.evidence_needs.iter().filter(|need| !need.satisfied && !need.explained);
    let attached = filing.evidence.iter().map(|evidence| {
        json!({
            "name": evidence.name, "kind": evidence.kind, "file_name": evidence.file_name,
            "media_type": evidence.media_type, "size": evidence.size,
            "foreign_language": evidence.foreign_language, "being_checked": evidence.being_checked,
        })
    });
    json!({
        "name": filing.name, "form": filing.form, "etag": filing.etag, "ready": filing.ready,
        "findings": findings.collect::<Vec<_>>(),
        "filled": filled.collect::<Vec<_>>(),
        "missing": filing.missing.iter().map(|missing| &missing.field).collect::<Vec<_>>(),
        "evidence": needs.map(|need| &need.kind).collect::<Vec<_>>(),
        "attached": attached.collect::<Vec<_>>(),
        "explained": filing.explanations.iter().map(|missing| &missing.kind).collect::<Vec<_>>(),
    })
}
