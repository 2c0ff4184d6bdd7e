//! The canonical text of a filing: what the signer sees and what the keyed hash of the signature is taken over.
//!
//! The same answers and files give the same bytes: form order, one line an answer, nothing that depends on the
//! clock. The signature and its date are not part of it, since they come about by signing.

use std::fmt::Write as _;

use docket_forms::{Answers, Form, Question, SubField, Type};
use docket_kernel::Cents;
use serde_json::Value;

use crate::content::Content;
use crate::domain::filing::Filing;

/// What stands for a question that is asked but has no answer.
pub(crate) const UNANSWERED: &str = "(not answered)";

/// The statement where a form has none of its own (28 USC 1746).
const DECLARATION: &str = "I declare under penalty of perjury under the laws of the United States of America that this is true and complete.";

/// Whether a question is answered by the act of signing.
pub(crate) fn is_signing(question: &Question) -> bool {
    question.block.as_deref() == Some("sign")
        && (question.kind == Type::Signature || question.id.ends_with("signed_on"))
}

/// The statement that is signed under penalty of perjury.
pub(crate) fn declaration(form: &Form) -> &str {
    let own = form.questions.iter().find(|question| question.id.ends_with("declares_true"));
    own.map_or(DECLARATION, |question| &question.label)
}

/// The text, of the questions that `applies` lets through.
pub(crate) fn text(
    form: &Form,
    filing: &Filing,
    content: &Content,
    applies: impl Fn(&str) -> bool,
) -> String {
    let mut text = format!(
        "{} {}\nEdition {}, catalogue {}\n",
        form.id, form.title, filing.edition, form.catalogue_version
    );
    for section in &form.sections {
        let asked: Vec<_> = form
            .questions
            .iter()
            .filter(|question| {
                question.section == section.id && !is_signing(question) && applies(&question.id)
            })
            .collect();
        if asked.is_empty() {
            continue;
        }
        push(&mut text, format_args!("\n{}\n", section.title));
        for question in asked {
            answer_line(&mut text, question, content.answers.get(&question.id));
        }
    }
    evidence(&mut text, filing, content);
    cannot_be_provided(&mut text, form, filing, content);
    text
}

/// The answers that apply, as bytes for the hash which a fee is shown for.
pub(crate) fn answers_bytes(form: &Form, answers: &Answers, applies: impl Fn(&str) -> bool) -> Vec<u8> {
    let pairs: Vec<_> = form
        .questions
        .iter()
        .filter(|question| !is_signing(question) && applies(&question.id))
        .filter_map(|question| Some((&question.id, answers.get(&question.id)?)))
        .collect();
    serde_json::to_vec(&pairs).expect("JSON values and texts can be written")
}

fn evidence(text: &mut String, filing: &Filing, content: &Content) {
    push(text, format_args!("\nEvidence\n"));
    if filing.evidence.is_empty() {
        push(text, format_args!("- none\n"));
    }
    for file in &filing.evidence {
        let language = if file.foreign_language { ", not in English" } else { "" };
        push(
            text,
            format_args!(
                "- {}: {} ({}, {} bytes{language}), commitment {}\n",
                file.kind,
                content.file_name(file.id),
                file.media_type,
                file.size,
                hex::encode(&file.commitment)
            ),
        );
    }
}

/// What the filer says of evidence that is not there.
fn cannot_be_provided(text: &mut String, form: &Form, filing: &Filing, content: &Content) {
    if filing.explained.is_empty() {
        return;
    }
    push(text, format_args!("\nEvidence that cannot be provided\n"));
    for kind in &filing.explained {
        let title = form.evidence.iter().find(|row| row.kind == *kind).map_or("", |row| &row.title);
        let words = content.explanations.get(kind).cloned().map(Value::String);
        push(text, format_args!("- {kind}, {title}: {}\n", plain(Type::LongText, words.as_ref())));
    }
}

/// One question with its answer.
pub(crate) fn answer_line(text: &mut String, question: &Question, value: Option<&Value>) {
    push(text, format_args!("- {}:", question.label));
    match value {
        Some(Value::Array(items)) if question.kind == Type::Repeating => {
            if items.is_empty() {
                push(text, format_args!(" none"));
            }
            for (n, item) in items.iter().enumerate() {
                push(text, format_args!("\n  {}.", n + 1));
                for field in &question.fields {
                    sub_field(text, field, item.get(&field.id));
                }
            }
        }
        value => push(text, format_args!(" {}", plain(question.kind, value))),
    }
    text.push('\n');
}

fn sub_field(text: &mut String, field: &SubField, value: Option<&Value>) {
    if value.is_some() {
        push(text, format_args!("\n     {}: {}", field.label, plain(field.kind, value)));
    }
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
