//! The functions of the expression language: what they take, and what they give.

use docket_kernel::calendar::{age, closing_years, plus_days, plus_months, roll};
use docket_kernel::identifier::{common, is_po_box};
use jiff::civil::Date;

use std::borrow::Cow;

use super::check::{Names, Scope, among_options, condition, expect, name, shape};
use super::eval::{Context, look_up, truth, value};
use super::histories::{days_present, gap_days, overlap_days};
use super::parse::Fault;
use super::{Kind, Node};
use crate::truth::Truth;
use crate::value::{Duration, Item, Shape, Value, same_text};
use crate::visas;
use crate::within::Within;

/// The kind which is there when any attached file is marked as not in English.
pub(crate) const FOREIGN: &str = "foreign_language";

/// Checks the arguments of a function and gives the type of its value.
pub(crate) fn signature(
    function: &str,
    args: &[Node],
    at: usize,
    names: &Names<'_>,
    it: Scope<'_>,
) -> Result<Shape, Fault> {
    let wants = |shapes: &[Shape], gives: Shape| {
        if args.len() != shapes.len() {
            return Err(Fault::new(at, format!("{function}() takes {} arguments", shapes.len())));
        }
        args.iter().zip(shapes).try_for_each(|(arg, wanted)| expect(arg, names, it, wanted)).map(|()| gives)
    };
    match (function, args) {
        ("present", [Node { kind: Kind::Name(looked_for), at }]) => {
            name(&looked_for.words, *at, names, it).map(|_| Shape::Condition)
        }
        ("present", _) => Err(Fault::new(at, "present() takes one name")),
        ("linked", [Node { kind: Kind::Text(form), at }])
            if names.forms.is_some_and(|forms| !forms.contains(form)) =>
        {
            Err(Fault::new(*at, format!("the catalogue has no form '{form}'")))
        }
        ("linked", [Node { kind: Kind::Text(_), .. }]) => Ok(Shape::Condition),
        ("linked", _) => Err(Fault::new(at, "linked() takes a form number in quotes")),
        ("has_evidence", [Node { kind: Kind::Text(kind), at }])
            if kind != FOREIGN && !names.evidence.contains(kind) =>
        {
            Err(Fault::new(*at, format!("the form has no evidence '{kind}'")))
        }
        ("has_evidence", [Node { kind: Kind::Text(_), .. }]) => Ok(Shape::Condition),
        ("has_evidence", _) => Err(Fault::new(at, "has_evidence() takes a kind in quotes")),
        ("first", [first, second]) => {
            let found = shape(first, names, it)?;
            expect(second, names, it, &found)?;
            // What both may be: a choice among other options than those of the first too.
            Ok(if matches!(found, Shape::Text(_)) { Shape::Text(None) } else { found })
        }
        ("any" | "all", [list, each]) => {
            let fields = items(list, names, it)?;
            condition(each, names, Some(&fields)).map(|()| Shape::Condition)
        }
        ("count", [list]) => {
            let found = shape(list, names, it)?;
            if matches!(found, Shape::Items(_) | Shape::Multi(_)) {
                return Ok(Shape::Number);
            }
            Err(Fault::new(list.at, format!("count() takes a list, this is {}", found.word())))
        }
        ("min_of" | "max_of", [list, Node { kind: Kind::Text(field), at }]) => {
            match items(list, names, it)?.remove(field) {
                Some(found @ (Shape::Date | Shape::Number)) => Ok(found),
                _ => Err(Fault::new(*at, format!("the items have no date or number '{field}'"))),
            }
        }
        ("contains", [list, literal @ Node { kind: Kind::Text(_), .. }]) => {
            let found = shape(list, names, it)?;
            if !matches!(found, Shape::Multi(_)) {
                return Err(Fault::new(
                    list.at,
                    format!("contains() takes a list of values, this is {}", found.word()),
                ));
            }
            among_options(&found, literal).map(|()| Shape::Condition)
        }
        (
            "overlap_days",
            [list, Node { kind: Kind::Text(from), .. }, Node { kind: Kind::Text(to), .. }, end],
        ) => {
            dated(list, [from, to], names, it)?;
            expect(end, names, it, &Shape::Date)?;
            Ok(Shape::Number)
        }
        ("gap_days", [list, from, to]) => window(list, from, to, ["from", "to"], names, it),
        ("days_present", [list, from, to]) => window(list, from, to, ["left", "back"], names, it),
        ("age" | "days_between", _) => wants(&[Shape::Date, Shape::Date], Shape::Number),
        ("days" | "months" | "years", _) => wants(&[Shape::Number], Shape::Duration),
        ("closing", _) => wants(&[Shape::Date, Shape::Duration], Shape::Date),
        ("roll", _) => wants(&[Shape::Date], Shape::Date),
        ("whole", _) => wants(&[Shape::Date], Shape::Condition),
        ("later" | "earlier", _) => wants(&[Shape::Date, Shape::Date], Shape::Date),
        ("po_box", _) => wants(&[Shape::Address], Shape::Condition),
        ("single_word", _) => wants(&[Shape::Text(None)], Shape::Condition),
        ("code", _) => wants(&[Shape::Text(None)], Shape::Text(None)),
        (function, _) if visas::FUNCTIONS.contains(&function) && !names.visas => {
            Err(Fault::new(at, format!("{function}() has no Visa Bulletin to read")))
        }
        ("visa_available", _) => {
            wants(&[Shape::Text(None), Shape::Text(None), Shape::Date, Shape::Date], Shape::Condition)
        }
        ("visa_class", _) => wants(&[Shape::Text(None)], Shape::Condition),
        ("visa_month", _) => wants(&[Shape::Date], Shape::Condition),
        (
            "first" | "any" | "all" | "count" | "min_of" | "max_of" | "contains" | "gap_days"
            | "overlap_days" | "days_present",
            _,
        ) => Err(Fault::new(at, format!("{function}() has other arguments"))),
        _ => Err(Fault::new(at, format!("there is no function {function}()"))),
    }
}

type Fields = std::collections::BTreeMap<String, Shape>;

fn items(list: &Node, names: &Names<'_>, it: Scope<'_>) -> Result<Fields, Fault> {
    let found = shape(list, names, it)?;
    let word = found.word();
    let Shape::Items(fields) = found else {
        return Err(Fault::new(list.at, format!("a list of items is needed here, this is {word}")));
    };
    Ok(fields)
}

/// A list whose items have these dates.
fn dated(list: &Node, fields: [&str; 2], names: &Names<'_>, it: Scope<'_>) -> Result<(), Fault> {
    let found = items(list, names, it)?;
    match fields.into_iter().find(|field| found.get(*field) != Some(&Shape::Date)) {
        None => Ok(()),
        Some(field) => Err(Fault::new(list.at, format!("the items have no date '{field}'"))),
    }
}

fn window(
    list: &Node,
    from: &Node,
    to: &Node,
    fields: [&str; 2],
    names: &Names<'_>,
    it: Scope<'_>,
) -> Result<Shape, Fault> {
    dated(list, fields, names, it)?;
    expect(from, names, it, &Shape::Date)?;
    expect(to, names, it, &Shape::Date)?;
    Ok(Shape::Number)
}

/// The value of a function; nothing when it is unknown.
pub(crate) fn call<'a>(function: &str, args: &'a [Node], context: &Context<'a>) -> Option<Value<'a>> {
    match (function, args) {
        ("present", [Node { kind: Kind::Name(name), .. }]) => {
            Some(Value::Bool(look_up(name, context).is_some_and(|value| value.is_answer())))
        }
        ("linked", [Node { kind: Kind::Text(form), .. }]) => {
            Some(Value::Bool(context.facts.given.linked.contains(form)))
        }
        ("has_evidence", [Node { kind: Kind::Text(kind), .. }]) => {
            Some(Value::Bool(has_evidence(kind, context)))
        }
        ("first", [first, second]) => {
            value(first, context).or_else(|| value(second, context)).map(Cow::into_owned)
        }
        ("any", [list, each]) => over_items(list, each, context, (Truth::False, Truth::or))?.known(),
        ("all", [list, each]) => over_items(list, each, context, (Truth::True, Truth::and))?.known(),
        ("min_of", [list, Node { kind: Kind::Text(field), .. }]) => {
            of_items(list, context, |items| extreme(items, field, false))?
        }
        ("max_of", [list, Node { kind: Kind::Text(field), .. }]) => {
            of_items(list, context, |items| extreme(items, field, true))?
        }
        _ => {
            let known: Option<Vec<Cow<'_, Value<'_>>>> = args.iter().map(|arg| value(arg, context)).collect();
            let known = known?;
            let known: Vec<&Value<'_>> = known.iter().map(Cow::as_ref).collect();
            if visas::FUNCTIONS.contains(&function) {
                return context.facts.form.visas.as_ref()?.says(function, &known).map(Value::Bool);
            }
            of_known(function, &known)
        }
    }
}

/// Functions of which every argument is known.
fn of_known(function: &str, args: &[&Value<'_>]) -> Option<Value<'static>> {
    match (function, args) {
        ("count", [Value::Items(list)]) => i64::try_from(list.len()).ok().map(Value::Number),
        ("count", [Value::Multi(list)]) => i64::try_from(list.len()).ok().map(Value::Number),
        ("contains", [Value::Multi(list), Value::Text(one)]) => {
            Some(Value::Bool(list.iter().any(|value| same_text(value, one))))
        }
        ("age", [born, at]) => Some(born.days()?.between(at.days()?, age).value()),
        ("days_between", [a, b]) => Some(a.days()?.days_to(b.days()?).value()),
        ("days", [Value::Number(n)]) => Some(Value::Duration(Duration::Days(*n))),
        ("months", [Value::Number(n)]) => Some(Value::Duration(Duration::Months(*n))),
        ("years", [Value::Number(n)]) => Some(Value::Duration(Duration::Years(*n))),
        ("closing", [day, Value::Duration(length)]) => {
            let closes = |day: Date| match length {
                Duration::Days(n) => plus_days(day, *n),
                Duration::Months(n) => plus_months(day, *n),
                Duration::Years(n) => closing_years(day, *n),
            };
            Some(day.days()?.map(closes).value())
        }
        ("roll", [day]) => Some(day.days()?.map(roll).value()),
        ("later", [a, b]) => Some(a.days()?.extreme(b.days()?, true).value()),
        ("earlier", [a, b]) => Some(a.days()?.extreme(b.days()?, false).value()),
        ("whole", [day]) => Some(Value::Bool(day.days()?.is_exact())),
        ("gap_days", [Value::Items(list), from, to]) => {
            gap_days(list, (from.days()?, to.days()?)).map(Within::<i64>::value)
        }
        ("overlap_days", [Value::Items(list), Value::Text(from), Value::Text(to), end]) => {
            overlap_days(list, (from, to), end.days()?).map(Within::<i64>::value)
        }
        ("days_present", [Value::Items(list), from, to]) => {
            days_present(list, (from.days()?, to.days()?)).map(Within::<i64>::value)
        }
        ("po_box", [Value::Address(parts)]) => {
            Some(Value::Bool(parts.0.iter().any(|(_, line)| is_po_box(line))))
        }
        ("single_word", [Value::Text(text)]) => Some(Value::Bool(!text.trim().contains(char::is_whitespace))),
        ("code", [Value::Text(text)]) => Some(Value::Text(Cow::Owned(code(text)))),
        _ => None,
    }
}

/// The code in what people type, such as the number of a form or a class: a number with the letters before it and one letter that
/// follows, in upper case without blanks and dashes. Where there is none, all of it in that way.
fn code(text: &str) -> String {
    let typed: Vec<char> = common(text).to_uppercase().chars().collect();
    let is_gap = |c: &char| matches!(c, ' ' | '-');
    let numbers = (1..typed.len()).filter(|n| typed[*n].is_ascii_digit() && !typed[n - 1].is_ascii_digit());
    for first in numbers {
        let before = &typed[..first];
        let before = &before[..before.len() - usize::from(before.last().is_some_and(is_gap))];
        let letters = before.iter().rev().take_while(|c| c.is_alphabetic()).count();
        if letters > 0 {
            let digits = typed[first..].iter().take_while(|c| c.is_ascii_digit()).count();
            let after = &typed[first + digits..];
            let ends = after.iter().take_while(|c| c.is_alphabetic()).count();
            let ended = &after[..usize::from(ends == 1)];
            let parts = [&before[before.len() - letters..], &typed[first..first + digits], ended];
            return parts.concat().into_iter().collect();
        }
    }
    typed.into_iter().filter(|c| !is_gap(c)).collect()
}

fn has_evidence(kind: &str, context: &Context<'_>) -> bool {
    if kind == FOREIGN {
        return context.facts.given.foreign_language;
    }
    let attached = &context.facts.given.evidence;
    let rows = context.facts.form.evidence.iter().filter(|row| row.kind == kind);
    attached.contains(kind) || rows.flat_map(|row| &row.substitutes).any(|kind| attached.contains(kind))
}

/// Looks at the items of a list; nothing when the list is unknown.
fn of_items<'a, T>(list: &'a Node, context: &Context<'a>, look: impl FnOnce(&[Item<'a>]) -> T) -> Option<T> {
    let list = value(list, context)?;
    let Value::Items(items) = list.as_ref() else { return None };
    Some(look(items))
}

/// The truths of a condition over each item, joined.
fn over_items<'a>(
    list: &'a Node,
    each: &'a Node,
    context: &Context<'a>,
    (begin, join): (Truth, fn(Truth, Truth) -> Truth),
) -> Option<Truth> {
    let look = |items: &[Item<'a>]| {
        items.iter().map(|item| truth(each, &Context { it: Some(item), ..*context })).fold(begin, join)
    };
    of_items(list, context, look)
}

/// The greatest or least of a sub-field; nothing where there is no item, or one lacks it.
fn extreme(items: &[Item<'_>], field: &str, greatest: bool) -> Option<Value<'static>> {
    let fields = || items.iter().map(|item| item.get(field));
    let days = joined(fields().map(|value| value?.days()), greatest);
    days.map(Within::<Date>::value)
        .or_else(|| joined(fields().map(|value| value?.numbers()), greatest).map(Within::<i64>::value))
}

fn joined<T: Copy + Ord>(
    mut each: impl Iterator<Item = Option<Within<T>>>,
    greatest: bool,
) -> Option<Within<T>> {
    let first = each.next()??;
    each.try_fold(first, |best, one| Some(best.extreme(one?, greatest)))
}
