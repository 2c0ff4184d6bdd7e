//! The copy of an answer to a request as a PDF: what was asked, the files that answer it with their hashes, and why something could
//! not be provided. The same answer gives the same bytes.

use docket_forms::Form;
use docket_kernel::resource;
use docket_typeset::{Template, TypesetError, Typesetter};
use jiff::Timestamp;
use serde::Serialize;

use crate::copy::set_legibly;
use crate::desk::ResponseDossier;
use crate::domain::attached::Attached;
use crate::domain::filing::Filing;
use crate::spoken;

const ANSWER: Template<'_> =
    Template { name: "answer", main: include_str!("../templates/answer.typ"), imports: &[], input: "answer" };

/// All that it says.
#[derive(Debug, Serialize)]
pub(crate) struct AnswerCopy {
    /// `responses/<uuid>`.
    response: String,
    /// The form and the receipt number of the case.
    form: String,
    receipt_number: String,
    /// What was asked, in words.
    request: &'static str,
    /// The deadline as printed, with how it is counted.
    due: String,
    /// When it was received, in words, and whether that was in time.
    received: String,
    in_time: bool,
    items: Vec<Item>,
    /// The last instant that it speaks of.
    #[serde(skip)]
    at: Timestamp,
}

/// Something that was asked for, or that answers the grounds.
#[derive(Debug, Serialize)]
struct Item {
    title: String,
    files: Vec<File>,
    /// Why it cannot be provided; empty where that was not said.
    why: String,
}

#[derive(Debug, Serialize)]
struct File {
    name: String,
    about: String,
    hash: String,
    salt: String,
}

impl AnswerCopy {
    /// Of an answer that went in, in a case of this form.
    pub(crate) fn of(dossier: &ResponseDossier, filing: &Filing, form: Option<&Form>) -> Self {
        let response = &dossier.response;
        let optional = response.optional_items();
        let items = response.items.iter().chain(&optional).map(|item| Item {
            title: title(item, form),
            files: response
                .evidence
                .iter()
                .filter(|file| file.kind == *item)
                .map(|one| file(dossier, one))
                .collect(),
            why: if response.explained.contains(item) {
                dossier.content.explanations.get(item).cloned().unwrap_or_default()
            } else {
                String::new()
            },
        });
        let asked = |item: &Item| !item.files.is_empty() || !item.why.is_empty();
        // What may be sent beside is left out where nothing was.
        let items = items.enumerate().filter(|(place, item)| *place < response.items.len() || asked(item));
        let due = response.deadline.clone().unwrap_or_default();
        Self {
            response: resource::name("responses", dossier.id),
            form: filing.form.clone(),
            receipt_number: filing.receipt_number.clone(),
            request: request(&response.request_kind),
            due: format!("{} ({})", spoken::date(&due.due_date).unwrap_or_default(), due.derivation),
            received: spoken::instant(response.received_at_us),
            in_time: response.received_at_us < due.expires_at_us,
            items: items.map(|(_, item)| item).collect(),
            at: Timestamp::from_microsecond(response.received_at_us).unwrap_or(Timestamp::UNIX_EPOCH),
        }
    }

    /// Sets it.
    ///
    /// # Errors
    /// Our fault: the template.
    pub(crate) fn set(&self, typesetter: &Typesetter) -> Result<Vec<u8>, TypesetError> {
        let data = serde_json::to_value(self).expect("texts can be written");
        set_legibly(typesetter, ANSWER, (&data, &self.response, self.at))
    }
}

fn request(kind: &str) -> &'static str {
    match kind {
        "noid" => "Notice of intent to deny",
        "noir" => "Notice of intent to revoke",
        "own_motion" => "Notice that the case was reopened",
        "n14" => "Request for evidence (Form N-14)",
        _ => "Request for evidence",
    }
}

/// What the form calls a paper; by its code where it has no such one.
fn title(item: &str, form: Option<&Form>) -> String {
    let slot = form.and_then(|form| form.evidence.iter().find(|slot| slot.kind == item));
    match slot {
        Some(slot) => slot.title.clone(),
        None if item == "rebuttal" => "Answer to the grounds".to_owned(),
        None => spoken::choice(item),
    }
}

fn file(dossier: &ResponseDossier, file: &Attached) -> File {
    let sealed = dossier.content.files.get(&file.id).cloned().unwrap_or_default();
    let language = if file.foreign_language { ", not in English" } else { "" };
    let checked = if file.being_checked { ", still being checked for viruses" } else { "" };
    File {
        name: sealed.file_name,
        about: format!("{}, {}{language}{checked}", file.media_type, spoken::size(file.size)),
        hash: hex::encode(&file.commitment),
        salt: hex::encode(&sealed.salt),
    }
}
