//! Types of questions, and values as rules see them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use docket_kernel::identifier::{PartialDate, is_settled};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use unicode_normalization::UnicodeNormalization;

use crate::within::Within;

/// The type of a question or sub-field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words of the catalogue, explained by the formats of identifiers")]
pub enum Type {
    Text,
    LongText,
    YesNo,
    Select,
    Multi,
    Int,
    Money,
    Date,
    PartialDate,
    NamePart,
    ANumber,
    Receipt,
    AccountNumber,
    Ssn,
    #[serde(rename = "i94")]
    I94,
    PassportNumber,
    Sevis,
    EadCategory,
    Country,
    UsState,
    Address,
    Phone,
    Email,
    Height,
    Weight,
    Signature,
    Repeating,
    Check,
}

impl Type {
    /// The type with this word, as the catalogue writes it.
    pub fn named(word: &str) -> Option<Self> {
        Self::deserialize(serde::de::value::StrDeserializer::<serde::de::value::Error>::new(word)).ok()
    }

    /// Its word, as the catalogue writes it.
    pub(crate) fn word(self) -> String {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::String(word)) => word,
            Ok(_) | Err(_) => String::new(),
        }
    }

    /// Whether an answer is chosen from options.
    pub(crate) fn has_options(self) -> bool {
        matches!(self, Self::Select | Self::Multi)
    }

    /// Whether an answer can be typed on one line, and is more than a picture of somebody's will.
    pub(crate) fn is_one_line(self) -> bool {
        !matches!(self, Self::Multi | Self::Address | Self::Repeating | Self::Signature)
    }
}

/// What of a `partial_date` must be known at least.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// The year.
    #[default]
    Year,
    /// The month too.
    Month,
}

impl Precision {
    /// The one with this word, as the catalogue writes it.
    pub(crate) fn named(word: &str) -> Option<Self> {
        match word {
            "year" => Some(Self::Year),
            "month" => Some(Self::Month),
            _ => None,
        }
    }

    /// Whether it is what is meant where nothing is said.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
    pub(crate) fn is_year(&self) -> bool {
        *self == Self::Year
    }
}

/// The sub-fields of an address.
pub(crate) const ADDRESS: [&str; 7] =
    ["line1", "unit", "city", "state", "province", "postal_code", "country"];

/// What an expression has as its value, seen without answers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    Condition,
    Number,
    Date,
    /// With the options of a `select`, when it is one.
    Text(Option<Vec<String>>),
    Multi(Vec<String>),
    Items(BTreeMap<String, Shape>),
    Address,
    Duration,
}

impl Shape {
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Condition => "a condition",
            Self::Number => "a number",
            Self::Date => "a date",
            Self::Text(_) => "a text",
            Self::Multi(_) => "a list of values",
            Self::Items(_) => "a list of items",
            Self::Address => "an address",
            Self::Duration => "a duration",
        }
    }

    /// Whether both are of one type; options do not matter.
    pub(crate) fn like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

/// One item of a `repeating` question: its answered sub-fields.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Item<'a>(Vec<(&'a str, Value<'a>)>);

impl<'a> Item<'a> {
    /// One in which that many sub-fields have room.
    pub(crate) fn of(fields: usize) -> Self {
        Self(Vec::with_capacity(fields))
    }

    /// The sub-field's value, where it has one. Items are so small that looking through one is the fastest way.
    pub(crate) fn get(&self, field: &str) -> Option<&Value<'a>> {
        self.0.iter().find(|(name, _)| *name == field).map(|(_, value)| value)
    }

    pub(crate) fn push(&mut self, field: &'a str, value: Value<'a>) {
        self.0.push((field, value));
    }
}

/// The answered parts of an address, each with a name of [`ADDRESS`] and in that order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Address<'a>(pub(crate) Vec<(&'static str, Cow<'a, str>)>);

impl Address<'_> {
    pub(crate) fn get(&self, part: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| *name == part).map(|(_, text)| text.as_ref())
    }
}

/// A known value. What is unknown is `None` beside it. A text which is there in this form already, in the answers, in
/// the form or in what is given, is borrowed from there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value<'a> {
    Bool(bool),
    Number(i64),
    Date(Date),
    /// A date as it was answered, of which the day is not known.
    Partial(PartialDate),
    /// A day reckoned from one that is not known.
    Days(Within<Date>),
    /// A number reckoned from a day that is not known.
    Numbers(Within<i64>),
    Text(Cow<'a, str>),
    Multi(Vec<&'a str>),
    Items(Vec<Item<'a>>),
    Address(Address<'a>),
    Duration(Duration),
}

/// A length of time in one unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Duration {
    Days(i64),
    Months(i64),
    Years(i64),
}

impl Value<'_> {
    /// An answer which counts as one: a list needs an item.
    pub(crate) fn is_answer(&self) -> bool {
        match self {
            Self::Multi(values) => !values.is_empty(),
            Self::Items(items) => !items.is_empty(),
            Self::Bool(_)
            | Self::Number(_)
            | Self::Date(_)
            | Self::Partial(_)
            | Self::Days(_)
            | Self::Numbers(_)
            | Self::Text(_)
            | Self::Address(_)
            | Self::Duration(_) => true,
        }
    }

    /// The form in which an answer is stored; nothing for what no single answer is.
    pub(crate) fn stored(&self) -> Json {
        match self {
            Self::Bool(value) => Json::from(*value),
            Self::Number(value) => Json::from(*value),
            Self::Date(day) => Json::from(day.to_string()),
            Self::Partial(day) => Json::from(day.to_string()),
            Self::Text(text) => Json::from(text.as_ref()),
            Self::Multi(values) => Json::from(values.as_slice()),
            Self::Address(Address(parts)) => Json::Object(
                parts.iter().map(|(name, text)| ((*name).to_owned(), text.as_ref().into())).collect(),
            ),
            Self::Days(_) | Self::Numbers(_) | Self::Items(_) | Self::Duration(_) => Json::Null,
        }
    }
}

/// The form in which texts are compared: NFC, trimmed, inner white space collapsed, lower case.
fn folded(text: &str) -> String {
    if is_settled(text) {
        return text.to_ascii_lowercase();
    }
    let composed: String = text.nfc().collect();
    composed.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase().nfc().collect()
}

/// Whether two texts are equal without regard to case, composition and white space.
pub(crate) fn same_text(a: &str, b: &str) -> bool {
    if is_settled(a) && is_settled(b) { a.eq_ignore_ascii_case(b) } else { folded(a) == folded(b) }
}

/// Whether all seven sub-fields agree, a missing one counting as empty.
pub(crate) fn same_address(a: &Address<'_>, b: &Address<'_>) -> bool {
    ADDRESS.iter().all(|part| same_text(a.get(part).unwrap_or_default(), b.get(part).unwrap_or_default()))
}
