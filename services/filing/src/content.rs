//! The personal content of a filing or response, opened at the edge: answers, file names, salts, signatures.

use std::collections::{BTreeMap, HashMap};

use aws_lc_rs::digest::{Context, SHA256};
use docket_eventlog::{Error, EventLog, Recorded};
use docket_forms::{Answers, Attention};
use docket_kernel::{DecodeError, EventEnum};
use docket_proto::events::{filing, response};
use serde_json::Value;
use uuid::Uuid;

use crate::domain::filing::HelperRole;

/// What only the edge sees of an attached file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sealed {
    /// File name as given.
    pub(crate) file_name: String,
    /// Salt of the commitment.
    pub(crate) salt: Vec<u8>,
}

/// What only the edge sees of a signature.
#[derive(Debug, Clone, Default)]
pub(crate) struct SealedSignature {
    /// Role in which it was signed, such as `applicant`.
    pub(crate) role: String,
    /// The name as typed.
    pub(crate) typed_name: String,
    /// The name proven for the account, where it differs; else empty.
    pub(crate) proven_name: String,
    /// What was signed (`Sheet`) as JSON; empty where it was not kept.
    pub(crate) sheet_json: String,
}

/// What only the edge sees of a helper's signature.
#[derive(Debug, Clone, Default)]
pub(crate) struct SealedHelper {
    /// The name as typed.
    pub(crate) typed_name: String,
    /// The name proven for the account, where it differs; else empty.
    pub(crate) proven_name: String,
    /// The language in which an interpreter read the form; empty for a preparer.
    pub(crate) spoken_language: String,
}

/// The opened content.
#[derive(Debug, Clone, Default)]
pub(crate) struct Content {
    /// The present answers, normalised.
    pub(crate) answers: Answers,
    /// What did not come over whole from an earlier edition of the form, and was not answered since.
    pub(crate) attention: Vec<Attention>,
    /// The answers to Form I-912, when a waiver of the fee is asked for.
    pub(crate) waiver: Option<Answers>,
    /// What the client wants corrected, as said last; empty when nothing was said.
    pub(crate) remark: String,
    /// Why evidence cannot be provided, by kind.
    pub(crate) explanations: BTreeMap<String, String>,
    /// Files by evidence id; also those taken off.
    pub(crate) files: HashMap<Uuid, Sealed>,
    /// The signature given last; whether it holds, the fold knows.
    pub(crate) signature: SealedSignature,
    /// What each helper signed last; whether it counts, the fold knows.
    pub(crate) helpers: BTreeMap<HelperRole, SealedHelper>,
    /// The key was destroyed: nothing can be read again.
    pub(crate) erased: bool,
}

impl Content {
    /// Opens the events of a filing's stream.
    pub(crate) async fn of_filing(log: &EventLog, events: &[Recorded]) -> Result<Self, Error> {
        let mut content = Self::default();
        content.follow(log, events).await?;
        Ok(content)
    }

    /// Opens what came since and merges the answers, the later over the earlier.
    pub(crate) async fn follow(&mut self, log: &EventLog, events: &[Recorded]) -> Result<(), Error> {
        for recorded in events.iter().filter(|event| !event.sealed.is_empty()) {
            let event: filing::Event = self.open(log, recorded).await?;
            if let filing::Event::DraftAnswered(e) = event {
                self.answered_since(&e.questions);
                self.merge(&e.answers_json);
            } else if let filing::Event::DraftEditionChanged(e) = event {
                // With what was still open from a change before.
                self.attention = serde_json::from_str(&e.attention_json).unwrap_or_default();
                self.merge(&e.answers_json);
            } else if let filing::Event::FeeWaiverRequested(e) = event {
                self.waiver = serde_json::from_str(&e.answers_json).ok();
            } else if let filing::Event::FilingSigned(e) = event {
                let (role, typed_name, proven_name, sheet_json) =
                    (e.role, e.typed_name, e.proven_name, e.sheet_json);
                self.signature = SealedSignature { role, typed_name, proven_name, sheet_json };
            } else if let filing::Event::HelperSigned(e) = event {
                let (typed_name, proven_name, spoken_language) =
                    (e.typed_name, e.proven_name, e.spoken_language);
                let sealed = SealedHelper { typed_name, proven_name, spoken_language };
                self.helpers.extend(HelperRole::known(&e.role, e.person).map(|role| (role, sealed)));
            } else if let filing::Event::FilingReturned(e) = event {
                self.remark = e.remark;
            } else if let filing::Event::EvidenceAdded(e) = event {
                self.file(e.evidence.unwrap_or_default().evidence_id, e.file_name, e.salt);
            } else if let filing::Event::MissingEvidenceExplained(e) = event {
                self.explanations.insert(e.kind, e.explanation);
            } else if let filing::Event::UnsolicitedEvidenceAdded(e) = event {
                self.file(e.evidence.unwrap_or_default().evidence_id, e.file_name, e.salt);
            }
        }
        Ok(())
    }

    /// Opens the events of a response's stream.
    pub(crate) async fn of_response(log: &EventLog, events: &[Recorded]) -> Result<Self, Error> {
        let mut content = Self::default();
        for recorded in events.iter().filter(|event| !event.sealed.is_empty()) {
            let event: response::Event = content.open(log, recorded).await?;
            if let response::Event::ResponseEvidenceAdded(e) = event {
                content.file(e.evidence.unwrap_or_default().evidence_id, e.file_name, e.salt);
            } else if let response::Event::ResponseItemExplained(e) = event {
                content.explanations.insert(e.item, e.explanation);
            }
        }
        Ok(content)
    }

    async fn open<E: EventEnum>(&mut self, log: &EventLog, recorded: &Recorded) -> Result<E, Error> {
        let opened = log.open_payload(recorded).await?;
        self.erased |= opened.is_erased();
        opened.decode(&recorded.kind).map_err(|error: DecodeError| error.into())
    }

    /// What is answered anew needs no attention any more.
    fn answered_since(&mut self, questions: &[String]) {
        let of = |field: &str| field.split(['.', '[']).next().unwrap_or_default().to_owned();
        self.attention.retain(|one| one.field.as_deref().is_none_or(|field| !questions.contains(&of(field))));
    }

    fn merge(&mut self, answers_json: &str) {
        // Written by this service as an object; an erased event has none.
        let Ok(Value::Object(changed)) = serde_json::from_str(answers_json) else { return };
        for (question, answer) in changed {
            if answer.is_null() {
                self.answers.remove(&question);
            } else {
                self.answers.insert(question, answer);
            }
        }
    }

    fn file(&mut self, evidence_id: String, file_name: String, salt: Vec<u8>) {
        if let Ok(id) = Uuid::try_parse(&evidence_id) {
            self.files.insert(id, Sealed { file_name, salt });
        }
    }

    /// The name of a file; empty when it was erased.
    pub(crate) fn file_name(&self, evidence: Uuid) -> String {
        self.files.get(&evidence).map(|file| file.file_name.clone()).unwrap_or_default()
    }
}

/// The commitment to a file: SHA-256 over salt and bytes. Without the salt it says nothing about the bytes.
pub(crate) fn commitment(salt: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mut digest = Context::new(&SHA256);
    digest.update(salt);
    digest.update(bytes);
    digest.finish().as_ref().to_vec()
}
