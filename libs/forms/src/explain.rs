//! Why a condition holds: the answers it rests on, and the words for it.

use crate::answers::Facts;
use crate::expr::eval::{Context, truth};
use crate::expr::functions::FOREIGN;
use crate::expr::{Expr, Kind, Node, Op};
use crate::form::Form;
use crate::truth::Truth;
use crate::value::Item;

/// The places of the questions without whose present answers a true condition would no longer be known to hold, in the
/// order in which it names them. Where each of several would do alone (`a or b`), all of them.
pub(crate) fn rests_on(facts: &Facts<'_>, expr: &Expr, it: Option<&Item<'_>>) -> Vec<usize> {
    if expr.is_always() {
        return Vec::new();
    }
    let named = expr.questions();
    let looked_for = looked_for(&expr.node);
    let decides = |place: &usize| {
        if facts.value(*place).is_none() {
            // That it is not there is what counts.
            return looked_for.contains(place);
        }
        truth(&expr.node, &Context { without: Some(*place), ..Context::of(facts, it) }) != Truth::True
    };
    let deciding: Vec<usize> = named.iter().copied().filter(decides).collect();
    if deciding.is_empty() {
        return asked(facts, &named).into_iter().filter(|place| facts.value(*place).is_some()).collect();
    }
    asked(facts, &deciding)
}

/// What people were asked of it: for a question that a table answers, those answered ones from which it follows.
fn asked(facts: &Facts<'_>, places: &[usize]) -> Vec<usize> {
    let behind = facts.asked(places).into_iter();
    behind.filter(|place| places.contains(place) || facts.value(*place).is_some()).collect()
}

/// The places of the questions of which a condition asks whether they are answered.
fn looked_for(node: &Node) -> Vec<usize> {
    let mut found = Vec::new();
    node.walk_calls(&mut |function, args| {
        for arg in args.iter().filter(|_| function == "present") {
            arg.walk_names(&mut |name| found.extend(name.question));
        }
    });
    found
}

/// The words: what it rests on by the questions' labels; where no answer has a part in it, by what is attached and filed.
pub(crate) fn because(facts: &Facts<'_>, expr: &Expr, rests_on: &[usize], always: &str) -> String {
    if expr.is_always() {
        return always.to_owned();
    }
    let form = facts.form;
    let asked = rests_on.iter().filter_map(|place| form.questions.get(*place));
    let labels: Vec<&str> = asked.map(|question| question.label.as_str()).collect();
    if !labels.is_empty() {
        return form.language.because_of_answers(&labels);
    }
    let mut so = Vec::new();
    what_is_so(facts, &expr.node, true, &mut so);
    form.language.because_it_is_so(&so)
}

/// What is attached and filed, as far as it is as the condition has it.
fn what_is_so(facts: &Facts<'_>, node: &Node, wanted: bool, so: &mut Vec<String>) {
    match &node.kind {
        Kind::Not(inner) => what_is_so(facts, inner, !wanted, so),
        Kind::Binary(Op::And | Op::Or, a, b) => {
            what_is_so(facts, a, wanted, so);
            what_is_so(facts, b, wanted, so);
        }
        Kind::Call(function, args) => {
            let is_there = truth(node, &Context::of(facts, None)) == Truth::True;
            if let ([Node { kind: Kind::Text(what), .. }], true) = (args.as_slice(), is_there == wanted) {
                so.extend(words(facts.form, function, what, is_there));
            }
        }
        Kind::Binary(..)
        | Kind::List(_)
        | Kind::Bool(_)
        | Kind::Number(_)
        | Kind::Text(_)
        | Kind::Date(_)
        | Kind::Name(_) => {}
    }
}

fn words(form: &Form, function: &str, what: &str, is_there: bool) -> Option<String> {
    match function {
        "linked" => Some(form.language.other_form(what, is_there)),
        "has_evidence" if what == FOREIGN => Some(form.language.foreign_file(is_there)),
        "has_evidence" => {
            let row = form.evidence.iter().find(|row| row.kind == what)?;
            Some(form.language.paper(&row.title, is_there))
        }
        _ => None,
    }
}
