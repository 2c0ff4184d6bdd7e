//! Evaluation in three values: what is unknown stays unknown.

use super::functions::call;
use super::{Kind, Node, Op};
use crate::answers::Facts;
use crate::truth::Truth;
use crate::value::{Duration, Item, Value, same_address, same_text};
use docket_kernel::calendar::{plus_days, plus_months, plus_years};
use jiff::civil::Date;

/// Where an expression is evaluated: the facts, and the item where there is one.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) facts: &'a Facts<'a>,
    pub(crate) it: Option<&'a Item>,
    /// A question whose answer is left out of account.
    pub(crate) without: Option<&'a str>,
}

impl<'a> Context<'a> {
    pub(crate) fn of(facts: &'a Facts<'_>, it: Option<&'a Item>) -> Self {
        Context { facts, it, without: None }
    }
}

/// The value of a condition.
pub(crate) fn truth(node: &Node, context: &Context<'_>) -> Truth {
    match value(node, context) {
        Some(Value::Bool(true)) => Truth::True,
        Some(Value::Bool(false)) => Truth::False,
        _ => Truth::Unknown,
    }
}

/// The value of an expression; nothing when it is unknown.
pub(crate) fn value(node: &Node, context: &Context<'_>) -> Option<Value> {
    match &node.kind {
        Kind::Bool(value) => Some(Value::Bool(*value)),
        Kind::Number(value) => Some(Value::Number(*value)),
        Kind::Text(value) => Some(Value::Text(value.clone())),
        Kind::Date(value) => Some(Value::Date(*value)),
        Kind::List(_) => None,
        Kind::Name(path) => look_up(path, context),
        Kind::Call(function, args) => call(function, args, context),
        Kind::Not(inner) => truth(inner, context).negated().known(),
        Kind::Binary(op, a, b) => binary(*op, a, b, context),
    }
}

/// What a name stands for.
pub(crate) fn look_up(path: &[String], context: &Context<'_>) -> Option<Value> {
    let (found, rest) = match path {
        [first, field, rest @ ..] if first == "it" => (context.it?.get(field).cloned(), rest),
        [first, rest @ ..] => {
            let answer = context.facts.value(first).filter(|_| context.without != Some(first)).cloned();
            (answer.or_else(|| context.facts.given.value(context.facts.form, first)), rest)
        }
        [] => return None,
    };
    match (found?, rest) {
        (value, []) => Some(value),
        (Value::Address(parts), [part]) => parts.get(part).cloned().map(Value::Text),
        _ => None,
    }
}

fn binary(op: Op, a: &Node, b: &Node, context: &Context<'_>) -> Option<Value> {
    match op {
        Op::And => truth(a, context).and(truth(b, context)).known(),
        Op::Or => truth(a, context).or(truth(b, context)).known(),
        Op::In => member(&value(a, context)?, b, context).map(Value::Bool),
        Op::Eq => same(&value(a, context)?, &value(b, context)?).map(Value::Bool),
        Op::Ne => same(&value(a, context)?, &value(b, context)?).map(|same| Value::Bool(!same)),
        Op::Lt => ordered(a, b, context, std::cmp::Ordering::is_lt),
        Op::Le => ordered(a, b, context, std::cmp::Ordering::is_le),
        Op::Gt => ordered(a, b, context, std::cmp::Ordering::is_gt),
        Op::Ge => ordered(a, b, context, std::cmp::Ordering::is_ge),
        Op::Add | Op::Sub | Op::Mul => arithmetic(op, &value(a, context)?, &value(b, context)?),
    }
}

fn member(left: &Value, list: &Node, context: &Context<'_>) -> Option<bool> {
    let Kind::List(values) = &list.kind else { return None };
    Some(values.iter().any(|one| value(one, context).and_then(|one| same(left, &one)) == Some(true)))
}

fn same(a: &Value, b: &Value) -> Option<bool> {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => Some(a == b),
        (Value::Date(a), Value::Date(b)) => Some(a == b),
        (Value::Text(a), Value::Text(b)) => Some(same_text(a, b)),
        (Value::Address(a), Value::Address(b)) => Some(same_address(a, b)),
        _ => None,
    }
}

fn ordered(
    a: &Node,
    b: &Node,
    context: &Context<'_>,
    holds: fn(std::cmp::Ordering) -> bool,
) -> Option<Value> {
    let order = match (value(a, context)?, value(b, context)?) {
        (Value::Number(a), Value::Number(b)) => a.cmp(&b),
        (Value::Date(a), Value::Date(b)) => a.cmp(&b),
        _ => return None,
    };
    Some(Value::Bool(holds(order)))
}

/// A number too large for 64 bits is unknown.
fn arithmetic(op: Op, a: &Value, b: &Value) -> Option<Value> {
    match (op, a, b) {
        (Op::Add, Value::Number(a), Value::Number(b)) => a.checked_add(*b).map(Value::Number),
        (Op::Sub, Value::Number(a), Value::Number(b)) => a.checked_sub(*b).map(Value::Number),
        (Op::Mul, Value::Number(a), Value::Number(b)) => a.checked_mul(*b).map(Value::Number),
        (Op::Add, Value::Date(day), Value::Duration(length)) => Some(Value::Date(shift(*day, *length, 1))),
        (Op::Sub, Value::Date(day), Value::Duration(length)) => Some(Value::Date(shift(*day, *length, -1))),
        _ => None,
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
