//! The grammar of expressions.

use jiff::civil::Date;
use winnow::ascii::{digit1, multispace0};
use winnow::combinator::{
    alt, cut_err, delimited, eof, fail, not, opt, peek, preceded, repeat, separated, terminated,
};
use winnow::error::{StrContext, StrContextValue};
use winnow::prelude::*;
use winnow::stream::{LocatingSlice, Location};
use winnow::token::{any, one_of, take, take_while};

use super::{Kind, Name, Node, Op};

type Input<'a> = LocatingSlice<&'a str>;

const LONGEST: usize = 4000;
const DEEPEST: usize = 40;

/// What is wrong with an expression, and where it begins in the text (bytes).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) at: usize,
    pub(crate) message: String,
}

impl Fault {
    pub(crate) fn new(at: usize, message: impl Into<String>) -> Self {
        Self { at, message: message.into() }
    }
}

/// Reads a whole expression.
pub(crate) fn parse(text: &str) -> Result<Node, Fault> {
    if text.len() > LONGEST || depth(text) > DEEPEST {
        return Err(Fault::new(0, "the expression is too long or nested too deeply"));
    }
    delimited(multispace0, or, (multispace0, eof)).parse(LocatingSlice::new(text)).map_err(|error| {
        let said = error.inner().to_string();
        let message =
            if said.is_empty() { "this is not an expression".to_owned() } else { said.replace('\n', ", ") };
        Fault::new(error.offset(), message)
    })
}

/// How deep brackets and `not`s nest, so that a reader which calls itself stays within its stack.
fn depth(text: &str) -> usize {
    let (mut open, mut most) = (0_usize, 0);
    for c in text.chars() {
        match c {
            '(' | '[' => open += 1,
            ')' | ']' => open = open.saturating_sub(1),
            _ => {}
        }
        most = most.max(open);
    }
    most + text.split_whitespace().filter(|word| word.trim_matches('(') == "not").count() / 4
}

fn or(input: &mut Input<'_>) -> ModalResult<Node> {
    chain(input, and, keyword("or").value(Op::Or))
}

fn and(input: &mut Input<'_>) -> ModalResult<Node> {
    chain(input, negation, keyword("and").value(Op::And))
}

fn chain<'a>(
    input: &mut Input<'a>,
    mut part: fn(&mut Input<'a>) -> ModalResult<Node>,
    mut op: impl ModalParser<Input<'a>, Op, winnow::error::ContextError>,
) -> ModalResult<Node> {
    let mut left = part(input)?;
    while let Some(op) = opt(delimited(multispace0, op.by_ref(), multispace0)).parse_next(input)? {
        let right = cut_err(part.by_ref()).parse_next(input)?;
        let at = left.at;
        left = Node::new(Kind::Binary(op, Box::new(left), Box::new(right)), at);
    }
    Ok(left)
}

fn negation(input: &mut Input<'_>) -> ModalResult<Node> {
    let at = input.current_token_start();
    if opt(terminated(keyword("not"), multispace0)).parse_next(input)?.is_some() {
        let inner = cut_err(negation).parse_next(input)?;
        return Ok(Node::new(Kind::Not(Box::new(inner)), at));
    }
    compare(input)
}

fn compare(input: &mut Input<'_>) -> ModalResult<Node> {
    let left = sum(input)?;
    let op = opt(delimited(multispace0, comparison, multispace0)).parse_next(input)?;
    let Some(op) = op else { return Ok(left) };
    let right = cut_err(sum).parse_next(input)?;
    cut_err(not(preceded(multispace0, comparison)))
        .context(StrContext::Label("comparison: comparisons cannot be chained"))
        .parse_next(input)?;
    let at = left.at;
    Ok(Node::new(Kind::Binary(op, Box::new(left), Box::new(right)), at))
}

fn comparison(input: &mut Input<'_>) -> ModalResult<Op> {
    alt((
        "==".value(Op::Eq),
        "!=".value(Op::Ne),
        "<=".value(Op::Le),
        ">=".value(Op::Ge),
        "<".value(Op::Lt),
        ">".value(Op::Gt),
        keyword("in").value(Op::In),
    ))
    .parse_next(input)
}

fn sum(input: &mut Input<'_>) -> ModalResult<Node> {
    chain(input, product, alt(("+".value(Op::Add), "-".value(Op::Sub))))
}

fn product(input: &mut Input<'_>) -> ModalResult<Node> {
    chain(input, atom, "*".value(Op::Mul))
}

fn atom(input: &mut Input<'_>) -> ModalResult<Node> {
    let at = input.current_token_start();
    let kind = alt((
        literal,
        list,
        delimited(("(", multispace0), cut_err(or), cut_err((multispace0, ")"))).map(|node| node.kind),
        words,
    ))
    .context(StrContext::Expected(StrContextValue::Description("a name, a value or a bracket")))
    .parse_next(input)?;
    Ok(Node::new(kind, at))
}

fn literal(input: &mut Input<'_>) -> ModalResult<Kind> {
    alt((
        number.map(Kind::Number),
        text.map(Kind::Text),
        preceded(("d", peek("'")), cut_err(date)).map(Kind::Date),
    ))
    .parse_next(input)
}

fn number(input: &mut Input<'_>) -> ModalResult<i64> {
    digit1.parse_to().parse_next(input)
}

fn text(input: &mut Input<'_>) -> ModalResult<String> {
    let piece = alt(("''".value('\''), (not("'"), any).map(|((), c)| c)));
    delimited("'", repeat(0.., piece), cut_err("'")).parse_next(input)
}

fn date(input: &mut Input<'_>) -> ModalResult<Date> {
    let exact = (take(4_usize), "-", take(2_usize), "-", take(2_usize)).take();
    delimited("'", exact.verify_map(|text: &str| text.parse::<Date>().ok()), "'")
        .context(StrContext::Expected(StrContextValue::Description("a day that exists, as d'2026-03-02'")))
        .parse_next(input)
}

fn list(input: &mut Input<'_>) -> ModalResult<Kind> {
    let item = |input: &mut Input<'_>| {
        let at = input.current_token_start();
        literal(input).map(|kind| Node::new(kind, at))
    };
    delimited(
        ("[", multispace0),
        separated(0.., item, (multispace0, ",", multispace0)),
        cut_err((multispace0, "]")).context(StrContext::Label("list: only values may stand in it")),
    )
    .map(Kind::List)
    .parse_next(input)
}

fn words(input: &mut Input<'_>) -> ModalResult<Kind> {
    let first = name(input)?;
    match first {
        "true" | "always" => return Ok(Kind::Bool(true)),
        "false" | "never" => return Ok(Kind::Bool(false)),
        "and" | "or" | "not" | "in" => return fail.parse_next(input),
        _ => {}
    }
    if opt((multispace0, "(", multispace0)).parse_next(input)?.is_some() {
        let args: Vec<Node> = separated(0.., or, (multispace0, ",", multispace0)).parse_next(input)?;
        cut_err((multispace0, ")")).parse_next(input)?;
        return Ok(Kind::Call(first.to_owned(), args));
    }
    let rest: Vec<&str> =
        repeat(0.., preceded((multispace0, ".", multispace0), cut_err(name))).parse_next(input)?;
    let words = std::iter::once(first).chain(rest).map(str::to_owned).collect();
    Ok(Kind::Name(Name { words, question: None }))
}

fn name<'a>(input: &mut Input<'a>) -> ModalResult<&'a str> {
    (
        one_of(|c: char| c.is_ascii_alphabetic()),
        take_while(0.., |c: char| c.is_ascii_alphanumeric() || c == '_'),
    )
        .take()
        .parse_next(input)
}

fn keyword<'a>(word: &'static str) -> impl ModalParser<Input<'a>, &'a str, winnow::error::ContextError> {
    terminated(word, not(one_of(|c: char| c.is_ascii_alphanumeric() || c == '_')))
}
