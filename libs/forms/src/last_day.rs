//! The last day on which a form can be filed in time, where the law sets one.

use jiff::civil::Date;

use crate::Answers;
use crate::answers::Facts;
use crate::expr::check::{Names, expect};
use crate::expr::eval::{Context, truth, value};
use crate::expr::parse::Fault;
use crate::form::{Form, LastDay};
use crate::given::Given;
use crate::truth::Truth;
use crate::value::{Shape, Value};

/// The last day on which the form, so answered, can be filed in time; nothing where it has none, or where the day hangs on what is
/// not answered.
pub fn last_day(form: &Form, answers: &Answers, given: &Given) -> Option<Date> {
    if form.last_days.is_empty() {
        return None;
    }
    let facts = Facts::read(form, answers, given);
    let context = Context::of(&facts, None);
    let mut rows = form.last_days.iter().map(|row| (row, truth(&row.when.node, &context)));
    let (row, holds) = rows.find(|(_, holds)| *holds != Truth::False)?;
    match value(&row.day.node, &context).as_deref() {
        Some(Value::Date(day)) if holds == Truth::True => Some(*day),
        _ => None,
    }
}

/// Checks that a row gives a date.
pub(crate) fn check(row: &LastDay, names: &Names<'_>) -> Result<(), Fault> {
    expect(&row.day.node, names, None, &Shape::Date)
}
