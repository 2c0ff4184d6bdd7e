//! Expressions of the catalogue: their tree, how they are written, and which names they use.

pub(crate) mod check;
pub(crate) mod eval;
pub(crate) mod functions;
mod histories;
pub(crate) mod parse;

use std::collections::HashMap;
use std::fmt;

use jiff::civil::Date;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An expression of the catalogue, such as `basis == 'joint' and age(app_dob, filing_date) < 18`.
#[derive(Clone)]
pub struct Expr {
    pub(crate) node: Node,
}

/// A part of an expression and where it begins in the text.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) at: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Bool(bool),
    Number(i64),
    Text(String),
    Date(Date),
    List(Vec<Node>),
    Name(Name),
    Call(String, Vec<Node>),
    Not(Box<Node>),
    Binary(Op, Box<Node>, Box<Node>),
}

/// A name: its words, and the place of the question it is, found when all questions of the form are known.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Name {
    pub(crate) words: Vec<String>,
    pub(crate) question: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    Or,
    And,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    In,
    Add,
    Sub,
    Mul,
}

impl Op {
    fn word(self) -> &'static str {
        match self {
            Self::Or => "or",
            Self::And => "and",
            Self::Eq => "==",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
            Self::In => "in",
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
        }
    }

    /// How tightly it binds, and whether its left side may be of the same kind without parentheses.
    fn strength(self) -> (u8, bool) {
        match self {
            Self::Or => (1, true),
            Self::And => (2, true),
            Self::Eq | Self::Ne | Self::Lt | Self::Le | Self::Gt | Self::Ge | Self::In => (4, false),
            Self::Add | Self::Sub => (5, true),
            Self::Mul => (6, true),
        }
    }
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl Node {
    pub(crate) fn new(kind: Kind, at: usize) -> Self {
        Self { kind, at }
    }

    pub(crate) fn always() -> Self {
        Self::new(Kind::Bool(true), 0)
    }

    pub(crate) fn is_always(&self) -> bool {
        self.kind == Kind::Bool(true)
    }

    pub(crate) fn is_never(&self) -> bool {
        self.kind == Kind::Bool(false)
    }

    /// `a op b`, leaving out what `always` and `never` decide.
    pub(crate) fn join(op: Op, a: Self, b: Self) -> Self {
        match (op, &a.kind, &b.kind) {
            (Op::And, Kind::Bool(true), _)
            | (Op::Or, Kind::Bool(false), _)
            | (Op::And, _, Kind::Bool(false))
            | (Op::Or, _, Kind::Bool(true)) => b,
            (Op::And, Kind::Bool(false), _)
            | (Op::Or, Kind::Bool(true), _)
            | (Op::And, _, Kind::Bool(true))
            | (Op::Or, _, Kind::Bool(false)) => a,
            _ => {
                let at = a.at;
                Self::new(Kind::Binary(op, Box::new(a), Box::new(b)), at)
            }
        }
    }

    /// Calls `see` with every node, outer ones first, from left to right.
    fn walk<'a>(&'a self, see: &mut impl FnMut(&'a Self)) {
        see(self);
        match &self.kind {
            Kind::List(nodes) | Kind::Call(_, nodes) => {
                for node in nodes {
                    node.walk(see);
                }
            }
            Kind::Not(node) => node.walk(see),
            Kind::Binary(_, a, b) => {
                a.walk(see);
                b.walk(see);
            }
            Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::Date(_) | Kind::Name(_) => {}
        }
    }

    /// Calls `see` with every name, from left to right.
    pub(crate) fn walk_names(&self, see: &mut impl FnMut(&Name)) {
        self.walk(&mut |node| {
            if let Kind::Name(name) = &node.kind {
                see(name);
            }
        });
    }

    /// Calls `see` with every function and its arguments, outer ones first.
    pub(crate) fn walk_calls<'a>(&'a self, see: &mut impl FnMut(&'a str, &'a [Node])) {
        self.walk(&mut |node| {
            if let Kind::Call(function, args) = &node.kind {
                see(function, args);
            }
        });
    }

    /// Rewrites the first word of every name.
    pub(crate) fn rename(&mut self, to: &impl Fn(&str) -> Option<String>) {
        self.change_names(&|name| {
            if let Some(first) = name.words.first_mut()
                && let Some(new) = to(first)
            {
                *first = new;
            }
        });
    }

    /// Calls `change` with every name.
    fn change_names(&mut self, change: &impl Fn(&mut Name)) {
        match &mut self.kind {
            Kind::Name(name) => change(name),
            Kind::List(nodes) | Kind::Call(_, nodes) => {
                for node in nodes {
                    node.change_names(change);
                }
            }
            Kind::Not(node) => node.change_names(change),
            Kind::Binary(_, a, b) => {
                a.change_names(change);
                b.change_names(change);
            }
            Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::Date(_) => {}
        }
    }

    fn strength(&self) -> u8 {
        match &self.kind {
            Kind::Binary(op, ..) => op.strength().0,
            Kind::Not(_) => 3,
            Kind::Bool(_)
            | Kind::Number(_)
            | Kind::Text(_)
            | Kind::Date(_)
            | Kind::List(_)
            | Kind::Name(_)
            | Kind::Call(..) => 7,
        }
    }

    fn write_at(&self, least: u8, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.strength() < least { write!(f, "({self})") } else { write!(f, "{self}") }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Bool(value) => write!(f, "{}", if *value { "always" } else { "never" }),
            Kind::Number(value) => write!(f, "{value}"),
            Kind::Text(value) => write!(f, "'{}'", value.replace('\'', "''")),
            Kind::Date(value) => write!(f, "d'{value}'"),
            Kind::List(nodes) => write_list(f, "[", nodes, "]"),
            Kind::Name(name) => f.write_str(&name.words.join(".")),
            Kind::Call(name, nodes) => {
                f.write_str(name)?;
                write_list(f, "(", nodes, ")")
            }
            Kind::Not(node) => {
                f.write_str("not ")?;
                node.write_at(3, f)
            }
            Kind::Binary(op, a, b) => {
                let (strength, chains) = op.strength();
                a.write_at(if chains { strength } else { strength + 1 }, f)?;
                write!(f, " {} ", op.word())?;
                b.write_at(strength + 1, f)
            }
        }
    }
}

fn write_list(f: &mut fmt::Formatter<'_>, open: &str, nodes: &[Node], close: &str) -> fmt::Result {
    f.write_str(open)?;
    for (n, node) in nodes.iter().enumerate() {
        if n > 0 {
            f.write_str(", ")?;
        }
        write!(f, "{node}")?;
    }
    f.write_str(close)
}

impl Expr {
    pub(crate) fn new(node: Node) -> Self {
        Self { node }
    }

    /// Whether it is `always`.
    pub fn is_always(&self) -> bool {
        self.node.is_always()
    }

    /// Whether it is `never`.
    pub fn is_never(&self) -> bool {
        self.node.is_never()
    }

    /// The names it uses outside of items, each once, in order.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        self.node.walk_names(&mut |name| {
            if let Some(first) = name.words.first()
                && first != "it"
                && !names.contains(first)
            {
                names.push(first.clone());
            }
        });
        names
    }

    /// Whether it calls any of these functions.
    pub(crate) fn calls(&self, functions: &[&str]) -> bool {
        let mut calls = false;
        self.node.walk_calls(&mut |function, _| calls |= functions.contains(&function));
        calls
    }

    /// Finds for every name outside of items which question it is, out of the questions' places in the form.
    pub(crate) fn settle(&mut self, places: &HashMap<String, usize>) {
        self.node.change_names(&|name| {
            let first = name.words.first().filter(|first| *first != "it");
            name.question = first.and_then(|first| places.get(first)).copied();
        });
    }

    /// The places of the questions it uses, each once, in order.
    pub(crate) fn questions(&self) -> Vec<usize> {
        let mut places = Vec::new();
        self.node.walk_names(&mut |name| {
            if let Some(place) = name.question
                && !places.contains(&place)
            {
                places.push(place);
            }
        });
        places
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.node.fmt(f)
    }
}

impl fmt::Debug for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expr({self})")
    }
}

impl Serialize for Expr {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Read as it is written; whether its names exist and its types fit is for the form to check.
impl<'de> Deserialize<'de> for Expr {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse::parse(&text)
            .map(Self::new)
            .map_err(|fault| D::Error::custom(format!("{}: `{text}`", fault.message)))
    }
}
