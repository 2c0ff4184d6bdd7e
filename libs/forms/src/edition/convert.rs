//! An answer of one type as an answer of another: what can become what, and how.

use std::collections::{BTreeMap, BTreeSet};

use docket_kernel::Cents;
use serde_json::{Value, json};

use super::schema::Leaf;
use crate::value::Type;

/// How an answer of one type becomes one of another. Whether the result fits is for the new type to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Convert {
    /// As it is.
    Plain,
    /// Word by word; a word that is not here has no equivalent.
    Words { map: BTreeMap<String, String>, to: Type },
    /// Whole dollars to cents.
    ToCents,
    /// Cents to whole dollars, where they are whole.
    ToDollars,
    /// Cents written out in dollars, such as `$1,234.50`.
    Amount,
    /// Written out.
    Spelled,
}

/// What an answer became, and the words of it that have no equivalent.
pub(crate) struct Converted {
    pub(crate) value: Option<Value>,
    pub(crate) gone: Vec<String>,
}

impl Convert {
    /// How the one becomes the other.
    ///
    /// # Errors
    /// What does not go, in plain words.
    pub(crate) fn between(
        from: &Leaf,
        to: &Leaf,
        options: &BTreeMap<String, String>,
        ask: &BTreeSet<String>,
    ) -> Result<Self, String> {
        match (from.words(), to.words()) {
            (Some(old), Some(new)) => words(from, to, (&old, &new), options, ask),
            _ if !options.is_empty() || !ask.is_empty() => {
                Err("options are mapped where both questions have some, or are answered yes or no".to_owned())
            }
            _ => plain(from.kind, to.kind)
                .ok_or_else(|| format!("{} cannot become {}", from.kind.word(), to.kind.word())),
        }
    }

    /// The answer in its new form.
    ///
    /// # Errors
    /// Why it has none.
    pub(crate) fn apply(&self, answer: &Value) -> Result<Converted, String> {
        let value = match self {
            Self::Plain => answer.clone(),
            Self::Spelled => Value::String(spelled(answer)),
            Self::Amount => json!(Cents(answer.as_i64().unwrap_or_default()).to_string()),
            Self::ToCents => {
                answer.as_i64().and_then(|n| n.checked_mul(100)).map_or(Value::Null, Value::from)
            }
            Self::ToDollars => match answer.as_i64() {
                Some(cents) if cents % 100 == 0 => json!(cents / 100),
                _ => return Err("Only whole dollars are asked for now.".to_owned()),
            },
            Self::Words { map, to } => return Ok(mapped(answer, map, *to)),
        };
        Ok(Converted { value: Some(value), gone: Vec::new() })
    }
}

fn words(
    from: &Leaf,
    to: &Leaf,
    (old, new): (&[&str], &[&str]),
    options: &BTreeMap<String, String>,
    ask: &BTreeSet<String>,
) -> Result<Convert, String> {
    if from.kind == Type::Multi && to.kind != Type::Multi {
        return Err("several options cannot become one".to_owned());
    }
    if let Some(option) = options.keys().chain(ask).find(|option| !old.contains(&option.as_str())) {
        return Err(format!("the earlier edition has no option {option}"));
    }
    if let Some(option) = options.values().find(|option| !new.contains(&option.as_str())) {
        return Err(format!("the next edition has no option {option}"));
    }
    let mut map = BTreeMap::new();
    for option in old {
        match (options.get(*option), ask.contains(*option)) {
            (Some(_), true) => return Err(format!("option {option} is mapped and left to the person")),
            (None, true) => {}
            (Some(now), false) => drop(map.insert((*option).to_owned(), now.clone())),
            (None, false) if new.contains(option) => {
                map.insert((*option).to_owned(), (*option).to_owned());
            }
            (None, false) => {
                return Err(format!(
                    "option {option} is no longer there: map it in `options`, or leave it to the person in `ask`"
                ));
            }
        }
    }
    Ok(Convert::Words { map, to: to.kind })
}

fn plain(from: Type, to: Type) -> Option<Convert> {
    let free = |kind| matches!(kind, Type::Text | Type::LongText);
    match (from, to) {
        (Type::Int, Type::Money) => Some(Convert::ToCents),
        (Type::Money, Type::Int) => Some(Convert::ToDollars),
        (from, to) if from == to && from != Type::Repeating => Some(Convert::Plain),
        (Type::Int, Type::Weight)
        | (Type::Weight, Type::Int)
        | (Type::Date, Type::PartialDate)
        | (Type::PartialDate, Type::Date) => Some(Convert::Plain),
        (Type::Money, to) if free(to) => Some(Convert::Amount),
        (from, to) if (free(to) && from.is_one_line()) || (free(from) && to.is_one_line()) => {
            Some(if free(to) { Convert::Spelled } else { Convert::Plain })
        }
        _ => None,
    }
}

/// Words as they are, numbers in digits, conditions as `yes` and `no`.
fn spelled(answer: &Value) -> String {
    match answer {
        Value::String(text) => text.clone(),
        Value::Bool(value) => word(*value).to_owned(),
        Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => answer.to_string(),
    }
}

fn word(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

fn mapped(answer: &Value, map: &BTreeMap<String, String>, to: Type) -> Converted {
    let old: Vec<String> = match answer {
        Value::Array(list) => list.iter().map(spelled).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            vec![spelled(answer)]
        }
    };
    let gone: Vec<String> = old.iter().filter(|option| !map.contains_key(*option)).cloned().collect();
    let now: Vec<&String> = old.iter().filter_map(|option| map.get(option)).collect();
    let value = match (to, now.first()) {
        (Type::Multi, _) if !now.is_empty() || old.is_empty() => Some(json!(now)),
        (_, None) => None,
        (Type::YesNo | Type::Check, Some(word)) => Some(json!(*word == "yes")),
        (_, Some(word)) => Some(json!(word)),
    };
    Converted { value, gone }
}
