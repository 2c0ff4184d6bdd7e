//! Answers as they come in: one JSON object, each answer brought into its form, every faulty one named at once.

use docket_forms::{Answers, Form, Question};
use docket_kernel::{FieldFault, Refusal};
use serde_json::{Map, Value};

/// The answers as they are stored, or everything that is wrong with them: then nothing is stored. `left_out` says why a
/// question is not answered in this way. `example` shows what is expected.
///
/// # Errors
/// `JSON_EXPECTED`, what `left_out` says, and what is wrong with an answer.
pub(crate) fn normalised(
    form: &Form,
    answers_json: &str,
    example: &str,
    left_out: impl Fn(&Question, &Value) -> Option<FieldFault>,
) -> Result<Answers, Refusal> {
    object(answers_json, example, |question, answer| {
        let refused = form.question(question).and_then(|question| left_out(question, answer));
        refused.map_or_else(|| docket_forms::normalise(form, question, answer), Err)
    })
}

/// A JSON object of answers, each brought into its form by `normalise`.
///
/// # Errors
/// `JSON_EXPECTED`, and every answer that `normalise` refuses.
pub(crate) fn object(
    answers_json: &str,
    example: &str,
    normalise: impl Fn(&str, &Value) -> Result<Value, FieldFault>,
) -> Result<Answers, Refusal> {
    let given: Map<String, Value> = serde_json::from_str(answers_json).map_err(|_| {
        let rule = format!("Send one JSON object of question ids and answers, such as {example}.");
        Refusal::invalid("answers_json", "JSON_EXPECTED", rule)
    })?;
    let (mut answers, mut faults) = (Map::new(), Vec::new());
    for (question, answer) in &given {
        match normalise(question, answer) {
            Ok(answer) => drop(answers.insert(question.clone(), answer)),
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() { Ok(answers) } else { Err(Refusal::faults(faults)) }
}
