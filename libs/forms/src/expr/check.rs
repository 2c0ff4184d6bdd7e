//! Types of expressions, checked when the catalogue is loaded.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::functions::signature;
use super::parse::Fault;
use super::{Kind, Node, Op};
use crate::form::Form;
use crate::given::given_shape;
use crate::value::{ADDRESS, Shape, same_text};

/// What names mean while a form's expressions are checked.
#[derive(Default)]
pub(crate) struct Names<'a> {
    /// Questions of the form.
    pub(crate) questions: HashMap<String, Shape>,
    /// Kinds of evidence the form knows.
    pub(crate) evidence: BTreeSet<String>,
    /// All forms of the catalogue; nothing where they are not known, as of a form by itself.
    pub(crate) forms: Option<&'a BTreeSet<String>>,
    /// Whether there is a Visa Bulletin to read.
    pub(crate) visas: bool,
}

impl<'a> Names<'a> {
    /// Those of a form, and of all forms of the catalogue where they are known.
    pub(crate) fn of(form: &Form, forms: Option<&'a BTreeSet<String>>) -> Self {
        let questions = form.questions.iter().map(|question| (question.id.clone(), question.shape()));
        let evidence = form.evidence.iter().map(|row| row.kind.clone());
        Self {
            questions: questions.collect(),
            evidence: evidence.collect(),
            forms,
            visas: form.visas.is_some(),
        }
    }

    /// Checks a condition of the form; over the items of a question, where it stands in one.
    pub(crate) fn allow(&self, node: &Node, items_of: Option<&str>) -> Result<(), Fault> {
        let fields = match items_of.and_then(|question| self.questions.get(question)) {
            Some(Shape::Items(fields)) => Some(fields),
            _ => None,
        };
        condition(node, self, fields)
    }
}

/// The sub-fields of `it`, where there is one.
pub(crate) type Scope<'a> = Option<&'a BTreeMap<String, Shape>>;

/// Checks that an expression is a condition.
pub(crate) fn condition(node: &Node, names: &Names<'_>, it: Scope<'_>) -> Result<(), Fault> {
    expect(node, names, it, &Shape::Condition)
}

pub(crate) fn expect(node: &Node, names: &Names<'_>, it: Scope<'_>, wanted: &Shape) -> Result<(), Fault> {
    let found = shape(node, names, it)?;
    if found.like(wanted) {
        return Ok(());
    }
    Err(Fault::new(node.at, format!("{} is needed here, this is {}", wanted.word(), found.word())))
}

/// The type of an expression.
pub(crate) fn shape(node: &Node, names: &Names<'_>, it: Scope<'_>) -> Result<Shape, Fault> {
    match &node.kind {
        Kind::Bool(_) => Ok(Shape::Condition),
        Kind::Number(_) => Ok(Shape::Number),
        Kind::Text(_) => Ok(Shape::Text(None)),
        Kind::Date(_) => Ok(Shape::Date),
        Kind::List(_) => Err(Fault::new(node.at, "a list may stand only to the right of `in`")),
        Kind::Name(found) => name(&found.words, node.at, names, it),
        Kind::Call(function, args) => signature(function, args, node.at, names, it),
        Kind::Not(inner) => condition(inner, names, it).map(|()| Shape::Condition),
        Kind::Binary(op, a, b) => binary(*op, a, b, names, it),
    }
}

/// The type of a name; also what `present` looks at.
pub(crate) fn name(path: &[String], at: usize, names: &Names<'_>, it: Scope<'_>) -> Result<Shape, Fault> {
    let unknown = |what: &str| Fault::new(at, format!("there is no {what}"));
    let (found, rest) = match path {
        [first, field, rest @ ..] if first == "it" => {
            let scope = it.ok_or_else(|| Fault::new(at, "`it` stands only inside any() and all()"))?;
            (
                scope.get(field).cloned().ok_or_else(|| unknown(&format!("field `{field}` in the items")))?,
                rest,
            )
        }
        [first, rest @ ..] => {
            let found = names.questions.get(first).cloned().or_else(|| given_shape(first));
            (found.ok_or_else(|| unknown(&format!("question or given value `{first}`")))?, rest)
        }
        [] => return Err(unknown("name")),
    };
    match (rest, &found) {
        ([], _) => Ok(found),
        ([part], Shape::Address) if ADDRESS.contains(&part.as_str()) => Ok(Shape::Text(None)),
        _ => Err(unknown(&format!("`{}`", path.join(".")))),
    }
}

fn binary(op: Op, a: &Node, b: &Node, names: &Names<'_>, it: Scope<'_>) -> Result<Shape, Fault> {
    match op {
        Op::And | Op::Or => {
            condition(a, names, it)?;
            condition(b, names, it)?;
            Ok(Shape::Condition)
        }
        Op::Lt | Op::Le | Op::Gt | Op::Ge => ordered(a, b, names, it),
        Op::Eq | Op::Ne => equal(a, b, names, it),
        Op::In => member(a, b, names, it),
        Op::Add | Op::Sub | Op::Mul => arithmetic(op, a, b, names, it),
    }
}

fn ordered(a: &Node, b: &Node, names: &Names<'_>, it: Scope<'_>) -> Result<Shape, Fault> {
    let (left, right) = (shape(a, names, it)?, shape(b, names, it)?);
    if matches!((&left, &right), (Shape::Number, Shape::Number) | (Shape::Date, Shape::Date)) {
        return Ok(Shape::Condition);
    }
    let message = format!("two numbers or two dates are compared, not {} with {}", left.word(), right.word());
    Err(Fault::new(a.at, message))
}

fn equal(a: &Node, b: &Node, names: &Names<'_>, it: Scope<'_>) -> Result<Shape, Fault> {
    let (left, right) = (shape(a, names, it)?, shape(b, names, it)?);
    let comparable = matches!(left, Shape::Number | Shape::Date | Shape::Text(_) | Shape::Address);
    if !comparable || !left.like(&right) {
        return Err(Fault::new(a.at, format!("{} cannot equal {}", left.word(), right.word())));
    }
    among_options(&left, b)?;
    among_options(&right, a)?;
    Ok(Shape::Condition)
}

fn member(a: &Node, b: &Node, names: &Names<'_>, it: Scope<'_>) -> Result<Shape, Fault> {
    let left = shape(a, names, it)?;
    let Kind::List(values) = &b.kind else {
        return Err(Fault::new(b.at, "to the right of `in` stands a list of values"));
    };
    if !matches!(left, Shape::Number | Shape::Date | Shape::Text(_)) {
        return Err(Fault::new(a.at, format!("{} cannot be in a list", left.word())));
    }
    for value in values {
        expect(value, names, it, &left)?;
        among_options(&left, value)?;
    }
    Ok(Shape::Condition)
}

/// A literal compared with a `select` must be among its options.
pub(crate) fn among_options(shape: &Shape, literal: &Node) -> Result<(), Fault> {
    let (Shape::Text(Some(options)) | Shape::Multi(options), Kind::Text(text)) = (shape, &literal.kind)
    else {
        return Ok(());
    };
    if options.iter().any(|option| same_text(option, text)) {
        return Ok(());
    }
    Err(Fault::new(literal.at, format!("'{text}' is not among the options: {}", options.join(", "))))
}

fn arithmetic(op: Op, a: &Node, b: &Node, names: &Names<'_>, it: Scope<'_>) -> Result<Shape, Fault> {
    match (op, shape(a, names, it)?, shape(b, names, it)?) {
        (Op::Add | Op::Sub | Op::Mul, Shape::Number, Shape::Number) => Ok(Shape::Number),
        (Op::Add | Op::Sub, Shape::Date, Shape::Duration) => Ok(Shape::Date),
        (_, left, right) => Err(Fault::new(
            a.at,
            format!(
                "numbers with numbers, or a date with a duration; not {} with {}",
                left.word(),
                right.word()
            ),
        )),
    }
}
