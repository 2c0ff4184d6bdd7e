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
const UNANSWERED: &str = "(not answered)";

/// The statement where a form has none of its own (28 USC 1746).
const DECLARATION: &str =
    "I declare under penalty of perjury under the laws of the United States of America that this is true and complete.";

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
pub(crate) fn text(form: &Form, filing: &Filing, content: &Content, applies: impl Fn(&str) -> bool) -> String {
    let mut text = format!(
        "{} {}\nEdition {}, catalogue {}\n",
        form.id, form.title, filing.edition, form.catalogue_version
    );
    for section in &form.sections {
        let asked: Vec<_> = form
            .questions
            .iter()
            .filter(|question| question.section == section.id && !is_signing(question) && applies(&question.id))
            .collect();
        if asked.is_empty() {
            continue;
        }
        push(&mut text, format_args!("\n{}\n", section.title));
        for question in asked {
            answer(&mut text, question, content.answers.get(&question.id));
        }
    }
    evidence(&mut text, filing, content);
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

fn answer(text: &mut String, question: &Question, value: Option<&Value>) {
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
fn plain(kind: Type, value: Option<&Value>) -> String {
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

#[cfg(test)]
mod tests {
    use docket_forms::{Catalogue, Given, Truth, evaluate, normalise};
    use serde_json::json;

    use super::*;

    #[path = "../../../tests/it/answers.rs"]
    mod fixture;

    fn content(changes: Value) -> Content {
        let catalogue = Catalogue::embedded();
        let form = catalogue.form("N-400").unwrap();
        let mut given = fixture::ready().as_object().unwrap().clone();
        given.extend(changes.as_object().unwrap().clone());
        let answers = given.iter().map(|(id, answer)| (id.clone(), normalise(form, id, answer).unwrap())).collect();
        Content { answers, ..Content::default() }
    }

    fn shown(content: &Content) -> String {
        let catalogue = Catalogue::embedded();
        let form = catalogue.form("N-400").unwrap();
        let evaluation = evaluate(form, &content.answers, &Given::on("2026-09-20".parse().unwrap()));
        let filing = Filing { edition: form.edition.to_string(), ..Filing::default() };
        text(form, &filing, content, |id| evaluation.shown.get(id) == Some(&Truth::True))
    }

    #[test]
    fn the_text_is_the_same_for_the_same_answers_and_shows_every_change() {
        let text = shown(&content(json!({})));
        assert_eq!(text, shown(&content(json!({}))));
        assert!(text.starts_with("N-400 Application for Naturalization\nEdition 2025-01-20"), "{text}");
        assert!(text.contains("- Given name (first name): Ana Lúcia\n"), "{text}");
        assert!(!text.contains("Signature") && !text.contains("Date signed"), "{text}");
        assert_ne!(text, shown(&content(json!({ "app_weight": 141 }))));
    }

    #[test]
    fn an_answer_that_is_set_aside_is_not_signed() {
        let aside = json!({ "new_name": "Nobody" });
        assert_eq!(shown(&content(json!({}))), shown(&content(aside)));
    }

    #[test]
    fn the_fixture_lacks_only_the_signature_and_the_card() {
        let catalogue = Catalogue::embedded();
        let form = catalogue.form("N-400").unwrap();
        let evaluation = evaluate(form, &content(json!({})).answers, &Given::on("2026-09-20".parse().unwrap()));
        let missing: Vec<_> = evaluation.missing.iter().map(|missing| missing.field.as_str()).collect();
        assert_eq!(missing, ["signature", "signed_on"]);
        assert_eq!(evaluation.findings, []);
        let needs: Vec<_> = evaluation.evidence.iter().map(|need| need.kind.as_str()).collect();
        assert_eq!(needs, ["green_card"]);
    }

    #[test]
    fn values_read_as_people_write_them() {
        for (kind, value, shown) in [
            (Type::YesNo, json!(true), "yes"),
            (Type::Check, json!(false), "no"),
            (Type::Money, json!(123_456), "$1,234.56"),
            (Type::Int, json!(3), "3"),
            (Type::Multi, json!(["white", "asian"]), "white, asian"),
            (Type::LongText, json!("one\n- Date of birth: 1990"), "one\n     | - Date of birth: 1990"),
            (Type::Address, json!({"country": "US", "line1": "1 Main St", "city": "Reno"}), "1 Main St; Reno; US"),
        ] {
            assert_eq!(plain(kind, Some(&value)), shown);
        }
        assert_eq!(plain(Type::Text, None), UNANSWERED);
    }
}
