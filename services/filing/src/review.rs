//! The canonical text of a filing: what the signer sees and what the keyed hash of the signature is taken over.
//!
//! `docs/reference/signed-text.md` is its format. The same answers and files give the same bytes: form order, one line an
//! answer, nothing that depends on the clock. The signature and its date are not part of it: they come about by signing.

use std::fmt::Write as _;

use docket_forms::{Answers, Form, Question, Type};
use docket_kernel::Cents;
use serde_json::Value;
use uuid::Uuid;

use crate::help;
use crate::sheet::{File, Lacking, Row, Section, Sheet};

/// What the keyed hash of a signature is for: part of the key's derivation.
pub(crate) const PURPOSE: &str = "filing.content";

/// What stands for a question that is asked but has no answer.
pub(crate) const UNANSWERED: &str = "(not answered)";

/// The statement where a form has none of its own (28 USC 1746).
const DECLARATION: &str = "I declare under penalty of perjury under the laws of the United States of America that this is true and complete.";

/// Whether a question is answered by the act of signing: by whoever files, by a helper, or by a co-signer.
pub(crate) fn is_signing(form: &Form, question: &Question) -> bool {
    is_filers_signing(question) || help::is_signature(form, question)
}

/// Whether a question is answered when whoever files signs.
pub(crate) fn is_filers_signing(question: &Question) -> bool {
    question.block.as_deref() == Some("sign")
        && (question.kind == Type::Signature || question.id.ends_with("signed_on"))
}

/// The statement that is signed under penalty of perjury.
pub(crate) fn declaration(form: &Form) -> &str {
    let own = form.questions.iter().find(|question| question.id.ends_with("declares_true"));
    own.map_or(DECLARATION, |question| &question.label)
}

/// What the keyed hash of a signature is taken over. The filing's id is in it, so that a signature never fits another filing of
/// the same content.
pub(crate) fn signed_bytes(filing: Uuid, text: &str) -> Vec<u8> {
    [filing.as_bytes().as_slice(), text.as_bytes()].concat()
}

/// The text of a sheet.
pub(crate) fn text(sheet: &Sheet) -> String {
    let mut text = format!(
        "{} {}\nEdition {}, catalogue {}\n",
        sheet.number, sheet.title, sheet.edition, sheet.catalogue_version
    );
    for section in &sheet.sections {
        section_lines(&mut text, section);
    }
    evidence(&mut text, &sheet.evidence);
    cannot_be_provided(&mut text, &sheet.lacking);
    text + &sheet.waiver.as_ref().map(waiver).unwrap_or_default()
}

/// The text of the part that one of several signs.
pub(crate) fn part(sheet: &Sheet, name: &str) -> String {
    let mut text = format!(
        "{} {}\nPart of {name}\nEdition {}, catalogue {}\n",
        sheet.number, sheet.title, sheet.edition, sheet.catalogue_version
    );
    for section in &sheet.sections {
        section_lines(&mut text, section);
    }
    text
}

/// The text of the request for a waiver of the fee.
pub(crate) fn waiver(section: &Section) -> String {
    let mut text = String::new();
    section_lines(&mut text, section);
    text
}

fn section_lines(text: &mut String, section: &Section) {
    push(text, format_args!("\n{}\n", section.title));
    for row in &section.rows {
        line(text, row);
    }
}

/// The answers that apply, as bytes for the hash which a fee is shown for.
pub(crate) fn answers_bytes(form: &Form, answers: &Answers, applies: impl Fn(&str) -> bool) -> Vec<u8> {
    let pairs: Vec<_> = form
        .questions
        .iter()
        .filter(|question| !is_signing(form, question) && applies(&question.id))
        .filter_map(|question| Some((&question.id, answers.get(&question.id)?)))
        .collect();
    serde_json::to_vec(&pairs).expect("JSON values and texts can be written")
}

fn evidence(text: &mut String, files: &[File]) {
    push(text, format_args!("\nEvidence\n"));
    if files.is_empty() {
        push(text, format_args!("- none\n"));
    }
    for file in files {
        let language = if file.foreign_language { ", not in English" } else { "" };
        push(
            text,
            format_args!(
                "- {}: {} ({}, {} bytes{language}), commitment {}\n",
                file.kind, file.name, file.media_type, file.size, file.commitment
            ),
        );
    }
}

/// What the filer says of evidence that is not there.
fn cannot_be_provided(text: &mut String, lacking: &[Lacking]) {
    if lacking.is_empty() {
        return;
    }
    push(text, format_args!("\nEvidence that cannot be provided\n"));
    for Lacking { kind, title, words } in lacking {
        let words = words.clone().map(Value::String);
        push(text, format_args!("- {kind}, {title}: {}\n", plain(Type::LongText, words.as_ref())));
    }
}

/// One question with its answer.
pub(crate) fn line(text: &mut String, row: &Row) {
    push(text, format_args!("- {}:", row.label));
    match &row.items {
        Some(items) => {
            if items.is_empty() {
                push(text, format_args!(" none"));
            }
            for (n, item) in items.iter().enumerate() {
                push(text, format_args!("\n  {}.", n + 1));
                for part in item {
                    let answer = plain(part.kind, part.value.as_ref());
                    push(text, format_args!("\n     {}: {answer}", part.label));
                }
            }
        }
        None => push(text, format_args!(" {}", plain(row.kind, row.value.as_ref()))),
    }
    text.push('\n');
}

/// A value on one line; further lines of a long text are set in, so that no answer can look like another.
pub(crate) fn plain(kind: Type, value: Option<&Value>) -> String {
    match (kind, value) {
        (_, None | Some(Value::Null)) => UNANSWERED.to_owned(),
        (_, Some(Value::Bool(yes))) => if *yes { "yes" } else { "no" }.to_owned(),
        (Type::Money, Some(Value::Number(cents))) => Cents(cents.as_i64().unwrap_or_default()).to_string(),
        (_, Some(Value::Number(number))) => number.to_string(),
        (_, Some(Value::String(text))) => text.replace('\n', "\n     | "),
        (_, Some(Value::Array(values))) => {
            let words: Vec<_> = values.iter().filter_map(Value::as_str).collect();
            if words.is_empty() { "none".to_owned() } else { words.join(", ") }
        }
        (_, Some(Value::Object(parts))) => {
            let parts: Vec<_> = ["line1", "unit", "city", "state", "province", "postal_code", "country"]
                .into_iter()
                .filter_map(|part| parts.get(part)?.as_str())
                .collect();
            parts.join("; ")
        }
    }
}

fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("a string takes everything");
}
