//! The copy of a filing, or of an appearance on Form G-28, as a PDF: what was signed, by whom and when, with an index, addenda and the hashes, for people to keep;
//! and a draft as it stands, for people to look through on paper.
//!
//! The same filing gives the same bytes; only what happened to it since (its receipt) changes the cover.

use std::path::Path;
use std::sync::Arc;

use docket_forms::Type;
use docket_service::ApiError;
use docket_typeset::{Template, TypesetError, Typesetter};
use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::Semaphore;

use crate::answer_copy::AnswerCopy;
use crate::sheet::{Row, Section, Sheet};
use crate::signatures::Signature;
use crate::spoken;

/// Copies set at a time: each takes a core for a moment.
const AT_A_TIME: usize = 2;
/// An answer of more characters or lines than these stands in an addendum.
const ROW_CHARACTERS: usize = 360;
const ROW_LINES: usize = 8;

const COPY: Template<'_> =
    Template { name: "copy", main: include_str!("../templates/copy.typ"), imports: &[], input: "copy" };

/// Makes copies. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Copies {
    typesetter: Typesetter,
    places: Arc<Semaphore>,
}

/// What the cover says beside the sheet.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Cover {
    /// `filings/<uuid>`.
    pub(crate) filing: String,
    /// Receipt number; empty before acceptance.
    pub(crate) receipt_number: String,
    /// Where the filing stands, in words.
    pub(crate) state: String,
    /// When it was signed, in words.
    pub(crate) signed: String,
    /// When it was received, in words; empty before.
    pub(crate) received: String,
    /// Keyed hash of the signed text, hexadecimal.
    pub(crate) hash: String,
    /// Whether it is of an appearance on Form G-28, by whose name and consent the above is meant, and not of a filing.
    pub(crate) appearance: bool,
}

/// All that a copy says.
pub(crate) struct Copy {
    pub(crate) cover: Cover,
    pub(crate) sheet: Sheet,
    pub(crate) signatures: Vec<Signature>,
    /// Salts of the files' hashes by place in the sheet, hexadecimal.
    pub(crate) salts: Vec<String>,
    /// The last instant that the copy speaks of.
    pub(crate) at: Timestamp,
    /// Of a draft, what is still missing or wrong, in words; nothing for what is signed.
    pub(crate) missing: Option<Vec<String>>,
}

impl Copies {
    /// With the embedded fonts, and those in `font_dir` for scripts which they lack.
    ///
    /// # Errors
    /// A folder or file that cannot be read.
    pub(crate) fn new(font_dir: Option<&Path>) -> std::io::Result<Self> {
        Ok(Self { typesetter: Typesetter::new(font_dir)?, places: Arc::new(Semaphore::new(AT_A_TIME)) })
    }

    /// Sets the copy of a filing, when it is its turn.
    ///
    /// # Errors
    /// Our fault: the template.
    pub(crate) async fn make(&self, copy: Copy) -> Result<Vec<u8>, ApiError> {
        self.set(move |typesetter| set(typesetter, &copy)).await
    }

    /// Sets the copy of an answer to a request, when it is its turn.
    ///
    /// # Errors
    /// Our fault: the template.
    pub(crate) async fn of_answer(&self, answer: AnswerCopy) -> Result<Vec<u8>, ApiError> {
        self.set(move |typesetter| answer.set(typesetter)).await
    }

    async fn set(
        &self,
        set: impl FnOnce(&Typesetter) -> Result<Vec<u8>, TypesetError> + Send + 'static,
    ) -> Result<Vec<u8>, ApiError> {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(ApiError::internal)?;
        let typesetter = self.typesetter.clone();
        let work = move || {
            let pdf = set(&typesetter);
            // Kept until here also where the caller has gone away meanwhile.
            drop(place);
            pdf
        };
        let set = tokio::task::spawn_blocking(work).await;
        set.map_err(ApiError::internal)?.map_err(ApiError::internal)
    }
}

fn set(typesetter: &Typesetter, copy: &Copy) -> Result<Vec<u8>, TypesetError> {
    let data = serde_json::to_value(Printed::of(copy)).expect("texts and numbers can be written");
    let id = format!("{} {} {}", copy.cover.filing, copy.cover.hash, copy.cover.receipt_number);
    typesetter.set_legibly(COPY, &data, (&id, copy.at))
}

/// What the template is given.
#[derive(Serialize)]
struct Printed<'a> {
    cover: &'a Cover,
    /// Of a draft, and nothing for what is signed.
    missing: Option<&'a [String]>,
    number: &'a str,
    title: &'a str,
    edition: String,
    catalogue: &'a str,
    declaration: &'a str,
    sections: Vec<PrintedSection>,
    signatures: &'a [Signature],
    evidence: Vec<PrintedFile>,
    lacking: Vec<PrintedRow>,
    addenda: Vec<Addendum>,
}

#[derive(Serialize)]
struct PrintedSection {
    title: String,
    rows: Vec<PrintedRow>,
}

#[derive(Serialize)]
struct PrintedRow {
    label: String,
    /// The answer; with an addendum, empty.
    text: String,
    /// Number of the addendum that holds the answer; 0 when it stands here.
    addendum: usize,
    /// Whether it is a list.
    listed: bool,
    items: Vec<Vec<PrintedRow>>,
}

#[derive(Serialize)]
struct PrintedFile {
    title: String,
    name: String,
    about: String,
    hash: String,
    salt: String,
}

/// An answer that is too long for its row.
#[derive(Serialize)]
struct Addendum {
    section: String,
    label: String,
    text: String,
}

impl<'a> Printed<'a> {
    fn of(copy: &'a Copy) -> Self {
        let sheet = &copy.sheet;
        let mut addenda = Vec::new();
        let waiver = sheet.waiver.iter();
        let sections: Vec<_> =
            sheet.sections.iter().chain(waiver).map(|section| printed(section, &mut addenda)).collect();
        let lacking = sheet.lacking.iter().map(|lacking| {
            let label =
                if lacking.title.is_empty() { spoken::choice(&lacking.kind) } else { lacking.title.clone() };
            let text = lacking.words.clone().unwrap_or_default();
            plain_row("Evidence that cannot be provided", label, text, &mut addenda)
        });
        let lacking = lacking.collect();
        Self {
            cover: &copy.cover,
            missing: copy.missing.as_deref(),
            number: &sheet.number,
            title: &sheet.title,
            edition: spoken::date(&sheet.edition).unwrap_or_default(),
            catalogue: &sheet.catalogue_version,
            declaration: &sheet.declaration,
            sections,
            signatures: &copy.signatures,
            evidence: files(copy),
            lacking,
            addenda,
        }
    }
}

fn files(copy: &Copy) -> Vec<PrintedFile> {
    let salts = copy.salts.iter().cloned().chain(std::iter::repeat(String::new()));
    let printed = |(file, salt): (&crate::sheet::File, String)| PrintedFile {
        title: if file.title.is_empty() { spoken::choice(&file.kind) } else { file.title.clone() },
        name: file.name.clone(),
        about: format!(
            "{}, {}{}",
            file.media_type,
            spoken::size(file.size),
            if file.foreign_language { ", not in English" } else { "" }
        ),
        hash: file.commitment.clone(),
        salt,
    };
    copy.sheet.evidence.iter().zip(salts).map(printed).collect()
}

fn printed(section: &Section, addenda: &mut Vec<Addendum>) -> PrintedSection {
    let rows = section.rows.iter().map(|row| printed_row(&section.title, row, addenda)).collect();
    PrintedSection { title: section.title.clone(), rows }
}

fn printed_row(section: &str, row: &Row, addenda: &mut Vec<Addendum>) -> PrintedRow {
    let Some(items) = &row.items else {
        return plain_row(section, row.label.clone(), spoken::row(row), addenda);
    };
    let mut list = Vec::with_capacity(items.len());
    for (n, item) in items.iter().enumerate() {
        let part = |part: &Row| {
            let label = format!("{}, {}: {}", row.label, n + 1, part.label);
            let text = spoken::row(part);
            let one_line = [Type::Address, Type::Multi].contains(&part.kind);
            let text = if one_line { text.replace('\n', ", ") } else { text };
            PrintedRow { label: part.label.clone(), ..plain_row(section, label, text, addenda) }
        };
        list.push(item.iter().map(part).collect());
    }
    PrintedRow { label: row.label.clone(), text: String::new(), addendum: 0, listed: true, items: list }
}

/// A row whose answer stands in it, or else in an addendum.
fn plain_row(section: &str, label: String, text: String, addenda: &mut Vec<Addendum>) -> PrintedRow {
    let row = PrintedRow { label, text, addendum: 0, listed: false, items: Vec::new() };
    if row.text.chars().count() <= ROW_CHARACTERS && row.text.lines().count() <= ROW_LINES {
        return row;
    }
    addenda.push(Addendum { section: section.to_owned(), label: row.label.clone(), text: row.text });
    PrintedRow { text: String::new(), addendum: addenda.len(), ..row }
}

#[cfg(test)]
#[path = "copy_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "copy_whole_tests.rs"]
mod whole_tests;
