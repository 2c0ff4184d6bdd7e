//! What an edition of a form asks: ids, types, options and sub-fields, without words and conditions.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use sha2::{Digest, Sha256};

use crate::form::Form;
use crate::normalise::{Part, items, one};
use crate::value::{ADDRESS, Precision, Type};

/// What one answer may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leaf {
    pub(crate) kind: Type,
    /// Of `select` and `multi`.
    pub(crate) options: Vec<String>,
    /// Of `partial_date`.
    pub(crate) precision: Precision,
}

impl Leaf {
    pub(crate) fn of(kind: Type) -> Self {
        Self { kind, options: Vec::new(), precision: Precision::default() }
    }

    /// Whether whatever was an answer to this is one to the other: of one type, with every option still there; a date, and a
    /// partial date of which no more need be known.
    pub(crate) fn within(&self, other: &Self) -> bool {
        let one = match (self.kind, other.kind) {
            (Type::PartialDate, Type::PartialDate) => other.precision <= self.precision,
            (Type::Date, Type::PartialDate) => true,
            (one, other) => one == other,
        };
        one && self.options.iter().all(|option| other.options.contains(option))
    }

    /// The words that an answer is chosen from; nothing where it is written freely.
    pub(crate) fn words(&self) -> Option<Vec<&str>> {
        if matches!(self.kind, Type::YesNo | Type::Check) {
            return Some(vec!["yes", "no"]);
        }
        self.kind.has_options().then(|| self.options.iter().map(String::as_str).collect())
    }
}

/// A part of each item of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) id: String,
    pub(crate) leaf: Leaf,
}

impl Part for Field {
    fn id(&self) -> &str {
        &self.id
    }

    fn kind(&self) -> Type {
        self.leaf.kind
    }

    fn options(&self) -> &[String] {
        &self.leaf.options
    }

    fn precision(&self) -> Precision {
        self.leaf.precision
    }
}

/// One question of an edition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) leaf: Leaf,
    /// Of `repeating`.
    pub(crate) fields: Vec<Field>,
}

impl Asked {
    /// Whether whatever was an answer to this is one to the other.
    pub(crate) fn within(&self, other: &Self) -> bool {
        let field = |id: &str| other.fields.iter().find(|field| field.id == id);
        self.leaf.within(&other.leaf)
            && self.fields.len() == other.fields.len()
            && self.fields.iter().all(|one| field(&one.id).is_some_and(|it| one.leaf.within(&it.leaf)))
    }
}

/// A question, or a part of it: of each item of a list, or of an address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Slot {
    pub(crate) question: String,
    pub(crate) sub: Option<String>,
}

impl Slot {
    /// `trips` or `trips.left`.
    pub(crate) fn of(path: &str) -> Self {
        match path.split_once('.') {
            Some((question, sub)) => Self { question: question.to_owned(), sub: Some(sub.to_owned()) },
            None => Self { question: path.to_owned(), sub: None },
        }
    }

    pub(crate) fn part(question: &str, sub: &str) -> Self {
        Self { question: question.to_owned(), sub: Some(sub.to_owned()) }
    }

    /// Whether the two are one, or one is a part of the other.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        let apart = self.sub.is_some() && other.sub.is_some() && self.sub != other.sub;
        self.question == other.question && !apart
    }

    /// Its path, in one item where a row is named: `trips[2].left`.
    pub(crate) fn at(&self, row: Option<usize>) -> String {
        let mut path = self.question.clone();
        if let Some(n) = row {
            let _ = write!(path, "[{n}]");
        }
        if let Some(sub) = &self.sub {
            let _ = write!(path, ".{sub}");
        }
        path
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.at(None))
    }
}

/// A slot as an edition has it.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) slot: Slot,
    pub(crate) leaf: Leaf,
    /// Whether it is a part of each item of a list.
    pub(crate) in_list: bool,
}

/// Every question of an edition, by its id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Schema(pub(crate) BTreeMap<String, Asked>);

impl Schema {
    pub(crate) fn of(form: &Form) -> Self {
        let leaf = |kind, options: &[String], precision| Leaf { kind, options: options.to_vec(), precision };
        let asked = form.questions.iter().map(|question| {
            let fields = question.fields.iter();
            let fields = fields.map(|one| {
                let leaf = leaf(one.kind, &one.options, one.precision);
                Field { id: one.id.clone(), leaf }
            });
            let leaf = leaf(question.kind, &question.options, question.precision);
            (question.id.clone(), Asked { leaf, fields: fields.collect() })
        });
        Self(asked.collect())
    }

    pub(crate) fn is_list(&self, question: &str) -> bool {
        self.0.get(question).is_some_and(|asked| asked.leaf.kind == Type::Repeating)
    }

    pub(crate) fn is_address(&self, question: &str) -> bool {
        self.0.get(question).is_some_and(|asked| asked.leaf.kind == Type::Address)
    }

    /// What is asked at a slot; the parts of an address are texts.
    pub(crate) fn place(&self, slot: &Slot) -> Option<Place> {
        let asked = self.0.get(&slot.question)?;
        let leaf = match &slot.sub {
            None => asked.leaf.clone(),
            Some(part) if self.is_address(&slot.question) => {
                ADDRESS.contains(&part.as_str()).then(|| Leaf::of(Type::Text))?
            }
            Some(id) => asked.fields.iter().find(|field| field.id == *id)?.leaf.clone(),
        };
        let in_list = slot.sub.is_some() && self.is_list(&slot.question);
        Some(Place { slot: slot.clone(), leaf, in_list })
    }

    /// Reads an answer as this edition stored it; what is wrong with it, in plain words.
    pub(crate) fn read(
        &self,
        question: &str,
        answer: &serde_json::Value,
    ) -> Result<serde_json::Value, String> {
        if answer.is_null() {
            return Ok(serde_json::Value::Null);
        }
        let asked = self.0.get(question).ok_or("That edition did not ask this.")?;
        let read = if self.is_list(question) {
            items(question, &asked.fields, answer)
        } else {
            one(asked.leaf.kind, asked.leaf.precision, &asked.leaf.options, answer)
        };
        read.map_err(|fault| fault.message)
    }

    /// As the file of a form's editions says it: `[edition.question]`, a line a question, the options in order of the alphabet.
    pub(crate) fn written(&self) -> String {
        let said = |leaf: &Leaf| {
            let mut options: Vec<&str> = leaf.options.iter().map(String::as_str).collect();
            options.sort_unstable();
            if leaf.precision == Precision::Month {
                options.push("month");
            }
            let colon = if options.is_empty() { "" } else { ":" };
            format!("\"{}{colon}{}\"", leaf.kind.word(), options.join(","))
        };
        let mut lines = String::new();
        for (id, asked) in &self.0 {
            let mut fields: Vec<String> =
                asked.fields.iter().map(|field| format!("{} = {}", field.id, said(&field.leaf))).collect();
            fields.sort_unstable();
            let value = if asked.leaf.kind == Type::Repeating {
                format!("{{ {} }}", fields.join(", "))
            } else {
                said(&asked.leaf)
            };
            let _ = writeln!(lines, "{id} = {value}");
        }
        lines
    }

    /// The first 16 hexadecimal digits of a SHA-256 over what is written.
    pub(crate) fn digest(&self) -> String {
        let digest: Vec<u8> = Sha256::digest(self.written()).to_vec();
        hex::encode(digest.get(..8).unwrap_or(&digest))
    }
}
