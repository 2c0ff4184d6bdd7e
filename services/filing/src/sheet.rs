//! What is signed, as data: each question that was asked, as it was worded and answered, in the form's order.
//!
//! The canonical text (`review`) and the copy for people (`copy`) are both written from it, and it is kept sealed with the
//! signature: whatever the catalogue says later, what was signed can be shown again. What is larger than an event takes lies
//! beside it, as a sealed object of the filing.

use docket_forms::{Answers, Form, Question, SubField, Type};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::content::Content;
use crate::domain::filing::Filing;
use crate::review::{declaration, is_filers_signing};

/// All of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sheet {
    /// Number of the form, such as `N-400`.
    pub(crate) number: String,
    /// Official title.
    pub(crate) title: String,
    /// Edition, ISO 8601.
    pub(crate) edition: String,
    /// Version of the catalogue.
    pub(crate) catalogue_version: String,
    /// The statement that is signed under penalty of perjury.
    pub(crate) declaration: String,
    /// Sections in which something was asked, and one that says who signs where two do.
    pub(crate) sections: Vec<Section>,
    /// What is attached, in order.
    pub(crate) evidence: Vec<File>,
    /// What cannot be provided, by kind.
    pub(crate) lacking: Vec<Lacking>,
    /// The request for a waiver of the fee, when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) waiver: Option<Section>,
}

/// A page of questions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Section {
    /// Heading.
    pub(crate) title: String,
    /// The questions.
    pub(crate) rows: Vec<Row>,
}

/// A question with its answer, or a part of an item of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    /// What was asked.
    pub(crate) label: String,
    /// Its type.
    pub(crate) kind: Type,
    /// The normalised answer; nothing when there is none, and where there are items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<Value>,
    /// What people read for the options that are chosen, in their order: for the copy alone, no part of what is signed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) said: Vec<String>,
    /// The items of a list, each with the parts that have an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) items: Option<Vec<Vec<Row>>>,
}

/// An attached file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct File {
    /// Its id.
    pub(crate) id: Uuid,
    /// Kind from the checklist.
    pub(crate) kind: String,
    /// What the form calls that kind; empty for one that is not on its checklist.
    pub(crate) title: String,
    /// File name as given.
    pub(crate) name: String,
    /// Type found in the content.
    pub(crate) media_type: String,
    /// Bytes.
    pub(crate) size: u64,
    /// Whether the document is in another language than English.
    pub(crate) foreign_language: bool,
    /// SHA-256 over salt and bytes, hexadecimal.
    pub(crate) commitment: String,
}

/// Evidence that cannot be provided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Lacking {
    /// Kind from the checklist.
    pub(crate) kind: String,
    /// What the form calls it.
    pub(crate) title: String,
    /// Why, in the filer's words; nothing when the words were erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) words: Option<String>,
}

impl Sheet {
    /// Of the questions that `applies` lets through, with what of these answers is said.
    pub(crate) fn of(
        form: &Form,
        filing: &Filing,
        (content, answers): (&Content, &Answers),
        applies: impl Fn(&str) -> bool,
    ) -> Self {
        // What a table fills in nobody said, and so nobody signs.
        let asked = |question: &&Question| {
            question.filled.is_none() && !is_filers_signing(question) && applies(&question.id)
        };
        let section = |section: &docket_forms::Section| Section {
            title: section.title.clone(),
            rows: rows(
                form.questions.iter().filter(|question| question.section == section.id).filter(asked),
                answers,
            ),
        };
        let title = |kind: &str| {
            let row = form.evidence.iter().find(|row| row.kind == kind);
            row.map(|row| row.title.clone()).unwrap_or_default()
        };
        let file = |file: &crate::domain::Attached| File {
            id: file.id,
            kind: file.kind.clone(),
            title: title(&file.kind),
            name: content.file_name(file.id),
            media_type: file.media_type.clone(),
            size: file.size,
            foreign_language: file.foreign_language,
            commitment: hex::encode(&file.commitment),
        };
        let lacking = |kind: &String| Lacking {
            kind: kind.clone(),
            title: title(kind),
            words: content.explanations.get(kind).cloned(),
        };
        Self {
            number: form.id.clone(),
            title: form.title.clone(),
            edition: filing.edition.clone(),
            catalogue_version: form.catalogue_version.clone(),
            declaration: declaration(form).to_owned(),
            sections: form.sections.iter().map(section).filter(|section| !section.rows.is_empty()).collect(),
            evidence: filing.evidence.iter().map(file).collect(),
            lacking: filing.explained.iter().map(lacking).collect(),
            waiver: None,
        }
    }

    /// As it is kept.
    pub(crate) fn kept(&self) -> String {
        serde_json::to_string(self).expect("texts and JSON values can be written")
    }

    /// As it was kept; nothing when it was not.
    pub(crate) fn read(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }
}

/// Whether a sheet as it is kept goes into the event of its signature.
pub(crate) fn fits_event(kept: &str) -> bool {
    kept.len() <= MOST_IN_EVENT
}

/// Bytes that an event of the log takes at most, with room for the rest of it.
const MOST_IN_EVENT: usize = 240 * 1024;

/// Questions with their answers.
fn rows<'a>(questions: impl Iterator<Item = &'a Question>, answers: &Answers) -> Vec<Row> {
    questions.map(|question| Row::of(question, answers.get(&question.id))).collect()
}

impl Row {
    /// What nobody was asked.
    pub(crate) fn said_of(label: &str, words: &str) -> Self {
        let (label, value) = (label.to_owned(), Some(Value::String(words.to_owned())));
        Self { label, kind: Type::Text, value, said: Vec::new(), items: None }
    }

    /// A question with its answer.
    pub(crate) fn of(question: &Question, value: Option<&Value>) -> Self {
        let (label, kind) = (question.label.clone(), question.kind);
        match value {
            Some(Value::Array(items)) if kind == Type::Repeating => {
                let item = |item: &Value| {
                    let parts = question.fields.iter();
                    parts.filter_map(|field| Some(Self::of_part(field, item.get(&field.id)?))).collect()
                };
                let items = Some(items.iter().map(item).collect());
                Self { label, kind, value: None, said: Vec::new(), items }
            }
            value => {
                let said = said(&question.options, &question.option_labels, value);
                Self { label, kind, value: value.cloned(), said, items: None }
            }
        }
    }

    fn of_part(field: &SubField, value: &Value) -> Self {
        let said = said(&field.options, &field.option_labels, Some(value));
        Self { label: field.label.clone(), kind: field.kind, value: Some(value.clone()), said, items: None }
    }
}

/// What people read for the options that an answer names; nothing unless the form has words for all of them.
fn said(options: &[String], labels: &[String], value: Option<&Value>) -> Vec<String> {
    let chosen = match value {
        Some(Value::String(option)) => vec![option.as_str()],
        Some(Value::Array(options)) => options.iter().filter_map(Value::as_str).collect(),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => Vec::new(),
    };
    let label = |option: &str| Some(labels.get(options.iter().position(|one| one == option)?)?.clone());
    chosen.into_iter().map(label).collect::<Option<_>>().unwrap_or_default()
}
