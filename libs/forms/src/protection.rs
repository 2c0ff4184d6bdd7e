//! Whether what a form asks for is protected from being known at all (8 USC 1367).

use crate::Answers;
use crate::answers::Facts;
use crate::expr::eval::{Context, truth};
use crate::form::Form;
use crate::given::Given;
use crate::truth::Truth;

/// Whether the form, so answered, is of somebody whom 8 USC 1367 protects: who asks as a victim of abuse or of a crime.
pub fn is_protected(form: &Form, answers: &Answers, given: &Given) -> bool {
    if form.protections.is_empty() {
        return false;
    }
    let facts = Facts::read(form, answers, given);
    let context = Context::of(&facts, None);
    form.protections.iter().any(|row| truth(&row.when.node, &context) == Truth::True)
}
