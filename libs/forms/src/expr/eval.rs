//! Evaluation in three values: what is unknown stays unknown.

use std::borrow::Cow;

use super::functions::call;
use super::{Kind, Name, Node, Op};
use crate::answers::Facts;
use crate::truth::Truth;
use crate::value::{Duration, Item, Value, same_address, same_text};
use crate::within::Within;
use docket_kernel::calendar::{plus_days, plus_months, plus_years};
use jiff::civil::Date;

/// Where an expression is evaluated: the facts, and the item where there is one.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) facts: &'a Facts<'a>,
    pub(crate) it: Option<&'a Item<'a>>,
    /// The place of a question whose answer is left out of account.
    pub(crate) without: Option<usize>,
}

impl<'a> Context<'a> {
    pub(crate) fn of(facts: &'a Facts<'_>, it: Option<&'a Item<'_>>) -> Self {
        Context { facts, it, without: None }
    }
}

/// The value of a condition.
pub(crate) fn truth<'a>(node: &'a Node, context: &Context<'a>) -> Truth {
    match value(node, context).as_deref() {
        Some(Value::Bool(true)) => Truth::True,
        Some(Value::Bool(false)) => Truth::False,
        _ => Truth::Unknown,
    }
}

/// The value of an expression, an answer as it stands; nothing when it is unknown.
pub(crate) fn value<'a>(node: &'a Node, context: &Context<'a>) -> Option<Cow<'a, Value<'a>>> {
    let made = match &node.kind {
        Kind::Name(name) => return look_up(name, context),
        Kind::Bool(value) => Some(Value::Bool(*value)),
        Kind::Number(value) => Some(Value::Number(*value)),
        Kind::Text(value) => Some(Value::Text(Cow::Borrowed(value))),
        Kind::Date(value) => Some(Value::Date(*value)),
        Kind::List(_) => None,
        Kind::Call(function, args) => call(function, args, context),
        Kind::Not(inner) => truth(inner, context).negated().known(),
        Kind::Binary(op, a, b) => binary(*op, a, b, context),
    };
    made.map(Cow::Owned)
}

/// What a name stands for.
pub(crate) fn look_up<'a>(name: &Name, context: &Context<'a>) -> Option<Cow<'a, Value<'a>>> {
    let (found, rest) = match (name.question, name.words.as_slice()) {
        (Some(_), [_, rest @ ..]) if name.question == context.without => (None, rest),
        (Some(place), [_, rest @ ..]) => (context.facts.value(place).map(Cow::Borrowed), rest),
        (None, [first, field, rest @ ..]) if first == "it" => {
            (context.it?.get(field).map(Cow::Borrowed), rest)
        }
        (None, [first, rest @ ..]) => {
            (context.facts.given.value(context.facts.form, first).map(Cow::Owned), rest)
        }
        (_, []) => return None,
    };
    match (found?, rest) {
        (value, []) => Some(value),
        // An address is an answer: nothing makes one.
        (Cow::Borrowed(Value::Address(parts)), [part]) => {
            parts.get(part).map(|text| Cow::Owned(Value::Text(Cow::Borrowed(text))))
        }
        _ => None,
    }
}

fn binary<'a>(op: Op, a: &'a Node, b: &'a Node, context: &Context<'a>) -> Option<Value<'static>> {
    match op {
        Op::And => truth(a, context).and(truth(b, context)).known(),
        Op::Or => truth(a, context).or(truth(b, context)).known(),
        Op::In => member(value(a, context)?.as_ref(), b, context).map(Value::Bool),
        Op::Eq => equal(value(a, context)?.as_ref(), b, context).map(Value::Bool),
        Op::Ne => equal(value(a, context)?.as_ref(), b, context).map(|same| Value::Bool(!same)),
        Op::Lt => ordered(a, b, context, std::cmp::Ordering::is_lt),
        Op::Le => ordered(a, b, context, std::cmp::Ordering::is_le),
        Op::Gt => ordered(a, b, context, std::cmp::Ordering::is_gt),
        Op::Ge => ordered(a, b, context, std::cmp::Ordering::is_ge),
        Op::Add | Op::Sub | Op::Mul => {
            arithmetic(op, value(a, context)?.as_ref(), value(b, context)?.as_ref())
        }
    }
}

fn member<'a>(left: &Value<'_>, list: &'a Node, context: &Context<'a>) -> Option<bool> {
    let Kind::List(values) = &list.kind else { return None };
    let mut open = false;
    for one in values {
        match equal(left, one, context) {
            Some(true) => return Some(true),
            Some(false) => {}
            None => open = true,
        }
    }
    (!open).then_some(false)
}

fn equal<'a>(left: &Value<'_>, right: &'a Node, context: &Context<'a>) -> Option<bool> {
    match (left, &right.kind) {
        // What nearly every condition of a form is, without a copy of the text.
        (Value::Text(a), Kind::Text(b)) => Some(same_text(a, b)),
        _ => same(left, value(right, context)?.as_ref()),
    }
}

fn same(a: &Value<'_>, b: &Value<'_>) -> Option<bool> {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => Some(a == b),
        (Value::Date(a), Value::Date(b)) => Some(a == b),
        (Value::Text(a), Value::Text(b)) => Some(same_text(a, b)),
        (Value::Address(a), Value::Address(b)) => Some(same_address(a, b)),
        _ => match (a.days(), b.days()) {
            (Some(a), Some(b)) => a.same(b),
            _ => a.numbers()?.same(b.numbers()?),
        },
    }
}

fn ordered<'a>(
    a: &'a Node,
    b: &'a Node,
    context: &Context<'a>,
    holds: fn(std::cmp::Ordering) -> bool,
) -> Option<Value<'static>> {
    let (a, b) = (value(a, context)?, value(b, context)?);
    let truth = match (a.as_ref(), b.as_ref()) {
        (Value::Number(a), Value::Number(b)) => holds(a.cmp(b)),
        (Value::Date(a), Value::Date(b)) => holds(a.cmp(b)),
        (a, b) => match (a.days(), b.days()) {
            (Some(a), Some(b)) => a.ordered(b, holds)?,
            _ => a.numbers()?.ordered(b.numbers()?, holds)?,
        },
    };
    Some(Value::Bool(truth))
}

/// A number too large for 64 bits is unknown.
fn arithmetic(op: Op, a: &Value<'_>, b: &Value<'_>) -> Option<Value<'static>> {
    match (op, a, b) {
        (Op::Add, day, Value::Duration(length)) => {
            Some(day.days()?.map(|day| shift(day, *length, 1)).value())
        }
        (Op::Sub, day, Value::Duration(length)) => {
            Some(day.days()?.map(|day| shift(day, *length, -1)).value())
        }
        (op, a, b) => {
            let (a, b) = (a.numbers()?, b.numbers()?);
            let made = match op {
                Op::Add => a.reckon(b, i64::checked_add),
                Op::Sub => a.reckon(b, i64::checked_sub),
                Op::Mul => a.reckon(b, i64::checked_mul),
                Op::Or | Op::And | Op::Eq | Op::Ne | Op::Lt | Op::Le | Op::Gt | Op::Ge | Op::In => None,
            };
            made.map(Within::<i64>::value)
        }
    }
}

/// Months clip to the month's last day; forward years from 29 February give 1 March, backward 28 February.
fn shift(day: Date, length: Duration, sign: i64) -> Date {
    match length {
        Duration::Days(n) => plus_days(day, n.saturating_mul(sign)),
        Duration::Months(n) => plus_months(day, n.saturating_mul(sign)),
        Duration::Years(n) => plus_years(day, n.saturating_mul(sign)),
    }
}
