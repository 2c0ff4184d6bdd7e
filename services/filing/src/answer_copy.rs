//! The copy of an answer to a request as a PDF: what was asked, the files that answer it with their hashes, and why something could
//! not be provided. The same answer gives the same bytes.

use docket_forms::Form;
use docket_kernel::resource;
use docket_typeset::{Template, TypesetError, Typesetter};
use jiff::Timestamp;
use serde::Serialize;

use crate::desk::ResponseDossier;
use crate::domain::attached::{Attached, Refused};
use crate::domain::filing::Filing;
use crate::domain::response::{N14, NOID, NOIR, NOIT, OWN_MOTION, RFE};
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
    request: String,
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
    /// What was sent, and taken out when it was checked.
    taken_out: Vec<TakenOut>,
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

#[derive(Debug, Serialize)]
struct TakenOut {
    name: String,
    /// Why, in words.
    because: String,
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
            taken_out: response
                .refused
                .iter()
                .filter(|file| file.kind == *item && file.was_sent)
                .map(|one| taken_out(dossier, one))
                .collect(),
            why: if response.lacking().any(|one| one == item) {
                dossier.content.explanations.get(item).cloned().unwrap_or_default()
            } else {
                String::new()
            },
        });
        let asked =
            |item: &Item| !item.files.is_empty() || !item.taken_out.is_empty() || !item.why.is_empty();
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
        typesetter.set_legibly(ANSWER, &data, (&self.response, self.at))
    }
}

/// What each kind of a request is called.
const REQUESTS: [(&str, &str); 6] = [
    (RFE, "Request for evidence"),
    (N14, "Request for evidence (Form N-14)"),
    (NOID, "Notice of intent to deny"),
    (NOIR, "Notice of intent to revoke"),
    (NOIT, "Notice of intent to terminate"),
    (OWN_MOTION, "Notice that the case was reopened"),
];

/// What was asked; by its code where it is none of these.
fn request(kind: &str) -> String {
    let known = REQUESTS.iter().find(|(known, _)| *known == kind);
    known.map_or_else(|| spoken::choice(kind), |(_, words)| (*words).to_owned())
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

fn taken_out(dossier: &ResponseDossier, file: &Refused) -> TakenOut {
    let because = match file.verdict.as_str() {
        "infected" => "it was found unsafe".to_owned(),
        "unscannable" => "it could not be checked".to_owned(),
        other => other.to_owned(),
    };
    TakenOut { name: dossier.content.file_name(file.id), because }
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use docket_proto::types::v1::Deadline;
    use uuid::Uuid;

    use super::*;
    use crate::content::{Content, Sealed};
    use crate::domain::response::Response;

    const FILE: Uuid = Uuid::from_u128(7);

    /// An answer to a request for court records, of which nothing is there now.
    fn sent(refused: Vec<Refused>) -> ResponseDossier {
        let response = Response {
            request_kind: N14.to_owned(),
            deadline: Some(Deadline {
                expires_at_us: 10,
                due_date: "2026-03-02".into(),
                ..Deadline::default()
            }),
            items: vec!["court_records".to_owned()],
            refused,
            received_at_us: 5,
            ..Response::default()
        };
        let mut content = Content::default();
        content.files.insert(FILE, Sealed { file_name: "court.pdf".to_owned(), salt: Vec::new() });
        ResponseDossier { id: Uuid::from_u128(1), response, content }
    }

    fn refused(verdict: &str, was_sent: bool) -> Vec<Refused> {
        vec![Refused { id: FILE, kind: "court_records".into(), verdict: verdict.into(), was_sent }]
    }

    /// What became of each file, as the copy says it.
    fn taken_out(refused: Vec<Refused>) -> Vec<(String, String)> {
        let copy = AnswerCopy::of(&sent(refused), &Filing::default(), None);
        let [item] = copy.items.as_slice() else { panic!("one item") };
        item.taken_out.iter().map(|file| (file.name.clone(), file.because.clone())).collect()
    }

    #[test]
    fn what_was_sent_and_taken_out_since_is_named() {
        let named = |because: &str| vec![("court.pdf".to_owned(), because.to_owned())];
        assert_eq!(taken_out(refused("infected", true)), named("it was found unsafe"));
        assert_eq!(taken_out(refused("unscannable", true)), named("it could not be checked"));
        assert_eq!(taken_out(refused("infected", false)), [], "it was taken out before the answer was sent");
        assert_eq!(taken_out(Vec::new()), []);
    }

    #[test]
    fn what_was_sent_and_is_being_checked_is_not_said_to_be_lacking() {
        let item = |evidence: Vec<Attached>| {
            let mut dossier = sent(Vec::new());
            dossier.response.evidence = evidence;
            dossier.response.explained.insert("court_records".into());
            dossier.content.explanations.insert("court_records".into(), "The court keeps none.".into());
            AnswerCopy::of(&dossier, &Filing::default(), None).items.remove(0)
        };
        assert_eq!(item(Vec::new()).why, "The court keeps none.");
        let checked = Attached {
            id: FILE,
            kind: "court_records".into(),
            commitment: Vec::new(),
            media_type: "application/pdf".into(),
            size: 1,
            object_key: String::new(),
            foreign_language: false,
            being_checked: true,
            hard_to_read: Vec::new(),
        };
        let item = item(vec![checked]);
        assert_eq!((item.files.len(), item.why.as_str()), (1, ""));
    }

    #[test]
    fn each_kind_of_a_request_has_words_of_its_own() {
        let kinds = [RFE, N14, NOID, NOIR, NOIT, OWN_MOTION];
        let words: BTreeSet<String> = kinds.into_iter().map(request).collect();
        assert_eq!((words.len(), REQUESTS.len()), (kinds.len(), kinds.len()));
        assert_eq!(request(NOIT), "Notice of intent to terminate");
        assert_eq!(request("other_notice"), "Other notice", "one that is not known is not taken for another");
    }
}
