//! Who files, as the form asks it: the block of questions about the applicant or petitioner.

use docket_forms::{Answers, Form};
use serde_json::Value;

/// The prefix of the questions about the person who files: the form asks the name of that person first.
pub(crate) fn prefix(form: &Form) -> Option<&str> {
    form.questions.iter().find_map(|question| question.id.strip_suffix("family_name"))
}

/// An answer about the person who files.
pub(crate) fn answer<'a>(form: &Form, answers: &'a Answers, question: &str) -> Option<&'a Value> {
    answers.get(&format!("{}{question}", prefix(form)?))
}

/// The ways in which the full legal name of the form may be typed: with and without middle name and suffix.
pub(crate) fn names(form: &Form, answers: &Answers) -> Vec<String> {
    let part = |question| answer(form, answers, question).and_then(Value::as_str).unwrap_or_default();
    let (given, middle, family, suffix) =
        (part("given_name"), part("middle_name"), part("family_name"), part("suffix"));
    if family.is_empty() {
        return Vec::new();
    }
    [
        [given, "", family, ""],
        [given, middle, family, ""],
        [given, "", family, suffix],
        [given, middle, family, suffix],
    ]
    .map(|parts| parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" "))
    .to_vec()
}
