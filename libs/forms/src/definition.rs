//! A form out of its definition, the JSON that a form is written as: for who evaluates it elsewhere, such as a portal.

use crate::expr::Expr;
use crate::expr::check::Names;
use crate::filled;
use crate::form::{Form, Question};
use crate::last_day;
use crate::load::order::put_in_order;

/// Why a definition is no form.
#[derive(Debug, thiserror::Error)]
pub enum DefinitionError {
    /// It is not written as a form is.
    #[error("this is not the definition of a form: {0}")]
    Malformed(#[from] serde_json::Error),
    /// What is written does not fit together.
    #[error("{id}: {message}")]
    Unsound {
        /// The question, rule or row.
        id: String,
        /// What is wrong.
        message: String,
    },
}

impl Form {
    /// Reads a form as `serde_json` writes it; conditions are checked again as when the catalogue was loaded.
    ///
    /// # Errors
    /// The text is no definition, or a condition in it does not hold together.
    pub fn from_definition(json: &str) -> Result<Self, DefinitionError> {
        let mut form: Self = serde_json::from_str(json)?;
        let names = Names::of(&form, None);
        for (id, condition, question) in conditions(&form) {
            let items_of = question.map(|question| question.id.as_str());
            names.allow(&condition.node, items_of).map_err(|fault| unsound(id, fault.message))?;
        }
        for question in &form.questions {
            filled::check(question, &names).map_err(|fault| unsound(question.id.clone(), fault.message))?;
        }
        for row in &form.last_days {
            last_day::check(row, &names).map_err(|fault| unsound("last_day".to_owned(), fault.message))?;
        }
        match put_in_order(&mut form).pop() {
            None => Ok(form),
            Some(id) => Err(unsound(id, "is shown depending on itself".to_owned())),
        }
    }
}

/// Every condition of a form, with what it belongs to, and the question over whose items it is.
pub(crate) fn conditions(form: &Form) -> Vec<(String, &Expr, Option<&Question>)> {
    let mut all = Vec::new();
    let mut of_form = |id: &str, condition| all.push((id.to_owned(), condition, None));
    for role in &form.roles {
        of_form(&role.id, &role.required);
    }
    for question in &form.questions {
        of_form(&question.id, &question.required);
        of_form(&question.id, &question.shown);
    }
    for rule in &form.rules {
        of_form(&rule.id, &rule.when);
    }
    for row in &form.evidence {
        of_form(&row.kind, &row.when);
    }
    for row in &form.fees {
        of_form(&row.id, &row.when);
        of_form(&row.id, &row.waivable_when);
    }
    for row in &form.last_days {
        of_form("last_day", &row.when);
    }
    for row in &form.protections {
        of_form("protected", &row.when);
    }
    for question in &form.questions {
        for field in &question.fields {
            let path = format!("{}.{}", question.id, field.id);
            all.push((path.clone(), &field.required, Some(question)));
            all.push((path, &field.shown, Some(question)));
        }
    }
    all
}

fn unsound(id: String, message: String) -> DefinitionError {
    DefinitionError::Unsound { id, message }
}
