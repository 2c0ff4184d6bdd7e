//! One answer, read by the type of its question.

mod address;

use std::borrow::Cow;

use docket_kernel::FieldFault;
use docket_kernel::identifier as id;
use serde_json::{Map, Value as Json};

use crate::form::{Form, SubField};
use crate::value::{Precision, Type, Value, same_text};

const LONGEST_TEXT: usize = 300;
const LONGEST_LONG_TEXT: usize = 8_000;
const MOST_ITEMS: usize = 200;

/// Reads an answer to `question_id` and gives its stored form. Text which is empty after trimming and
/// `null` give `null`: not answered.
///
/// # Errors
/// The answer is not of the question's type; the fault names the field, the rule and one example.
pub fn normalise(form: &Form, question_id: &str, answer: &Json) -> Result<Json, FieldFault> {
    let question = form.question(question_id).ok_or_else(|| {
        FieldFault::new(question_id, "QUESTION_UNKNOWN", format!("{} does not ask this.", form.id))
    })?;
    if question.filled.is_some() && !answer.is_null() {
        let words = "Leave this out: the filing answers it.";
        return Err(FieldFault::new(question_id, "ANSWERED_BY_THE_FILING", words));
    }
    if question.kind == Type::Repeating {
        return items(&question.id, &question.fields, answer);
    }
    one(question.kind, question.precision, &question.options, answer).map_err(|fault| at(fault, question_id))
}

fn at(fault: FieldFault, field: &str) -> FieldFault {
    let sub = fault.field.strip_prefix('.').map(|sub| format!("{field}.{sub}"));
    FieldFault { field: sub.unwrap_or_else(|| field.to_owned()), ..fault }
}

fn fault(reason: &str, message: impl Into<String>) -> FieldFault {
    FieldFault::new("", reason, message)
}

/// A part of each item of a list, as far as reading it goes.
pub(crate) trait Part {
    fn id(&self) -> &str;
    fn kind(&self) -> Type;
    fn options(&self) -> &[String];
    fn precision(&self) -> Precision;
}

impl Part for SubField {
    fn id(&self) -> &str {
        &self.id
    }

    fn kind(&self) -> Type {
        self.kind
    }

    fn options(&self) -> &[String] {
        &self.options
    }

    fn precision(&self) -> Precision {
        self.precision
    }
}

/// Reads an answer which is a list of items.
pub(crate) fn items(id: &str, parts: &[impl Part], answer: &Json) -> Result<Json, FieldFault> {
    let list = match answer {
        Json::Null => return Ok(Json::Null),
        Json::Array(list) => list,
        Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Object(_) => {
            return Err(at(fault("LIST_EXPECTED", "Send a list of items, such as []."), id));
        }
    };
    if list.len() > MOST_ITEMS {
        return Err(at(fault("LIST_TOO_LONG", format!("At most {MOST_ITEMS} items.")), id));
    }
    let read = list.iter().enumerate().map(|(n, one)| item(&format!("{id}[{n}]"), parts, one));
    read.collect::<Result<Vec<_>, _>>().map(Json::Array)
}

fn item(path: &str, parts: &[impl Part], one: &Json) -> Result<Json, FieldFault> {
    let Json::Object(given) = one else {
        return Err(at(fault("ITEM_EXPECTED", "Each item is an object of its fields."), path));
    };
    let mut stored = Map::new();
    for (name, value) in given {
        let part = parts.iter().find(|part| part.id() == name).ok_or_else(|| {
            let known: Vec<&str> = parts.iter().map(Part::id).collect();
            at(
                fault("FIELD_UNKNOWN", format!("The fields are {}.", known.join(", "))),
                &format!("{path}.{name}"),
            )
        })?;
        let value = single(part.kind(), part.precision(), part.options(), value)
            .map_err(|fault| at(fault, &format!("{path}.{name}")))?;
        if let Some(value) = value {
            stored.insert(name.clone(), value.stored());
        }
    }
    Ok(Json::Object(stored))
}

/// Reads an answer which is not a list of items, as it is stored: `null` where it is none.
pub(crate) fn one(
    kind: Type,
    precision: Precision,
    options: &[String],
    answer: &Json,
) -> Result<Json, FieldFault> {
    Ok(single(kind, precision, options, answer)?.map_or(Json::Null, |value| value.stored()))
}

/// An answer as it is read: nothing when it is empty.
pub(crate) type Read<'a> = Result<Option<Value<'a>>, FieldFault>;

pub(crate) fn sub<'a>(field: &'a SubField, value: &'a Json) -> Read<'a> {
    single(field.kind, field.precision, &field.options, value)
}

/// Reads an answer which is not a list of items.
pub(crate) fn single<'a>(
    kind: Type,
    precision: Precision,
    options: &'a [String],
    answer: &'a Json,
) -> Read<'a> {
    if answer.is_null() || answer.as_str().is_some_and(id::is_blank) {
        return Ok(None);
    }
    let value = match kind {
        Type::Address => return address::address(answer).map(|parts| parts.map(Value::Address)),
        Type::YesNo | Type::Check => Value::Bool(yes_no(answer)?),
        Type::Multi => Value::Multi(multi(options, answer)?),
        Type::Int => Value::Number(int(answer)?),
        Type::Weight => Value::Number(weight(answer)?),
        Type::Money => Value::Number(money(answer)?),
        Type::Select => Value::Text(option(options, text(answer)?)?.into()),
        Type::Height => Value::Text(height(answer)?.into()),
        Type::Repeating => return Err(fault("LIST_EXPECTED", "Send a list of items, such as [].")),
        Type::Date => Value::Date(id::date(text(answer)?)?),
        Type::PartialDate => partial_date(precision, text(answer)?)?,
        Type::Text
        | Type::LongText
        | Type::NamePart
        | Type::ANumber
        | Type::Receipt
        | Type::AccountNumber
        | Type::Ssn
        | Type::I94
        | Type::PassportNumber
        | Type::Sevis
        | Type::EadCategory
        | Type::Country
        | Type::UsState
        | Type::Phone
        | Type::Email
        | Type::Signature => Value::Text(typed_text(kind, text(answer)?)?),
    };
    Ok(Some(value))
}

fn typed_text(kind: Type, text: &str) -> Result<Cow<'_, str>, FieldFault> {
    let read = match kind {
        Type::NamePart => id::name_part(text),
        Type::ANumber => id::a_number(text),
        Type::Receipt => id::ReceiptNumber::parse(text).map(String::from),
        Type::AccountNumber => id::account_number(text),
        Type::Ssn => id::ssn(text),
        Type::I94 => id::i94(text),
        Type::PassportNumber => id::passport_number(text),
        Type::Sevis => id::sevis(text),
        Type::EadCategory => id::ead_category(text),
        Type::Country => id::country(text),
        Type::UsState => id::us_state(text),
        Type::Phone => id::phone(text),
        Type::Email => id::email(text),
        Type::LongText => long_text(text),
        Type::Text
        | Type::Signature
        | Type::Date
        | Type::PartialDate
        | Type::YesNo
        | Type::Select
        | Type::Multi
        | Type::Int
        | Type::Money
        | Type::Address
        | Type::Height
        | Type::Weight
        | Type::Repeating
        | Type::Check => return short_text(text),
    };
    read.map(Cow::Owned)
}

/// A partial date of which the day is known is a date like any other.
fn partial_date(precision: Precision, text: &str) -> Result<Value<'static>, FieldFault> {
    let known = match precision {
        Precision::Year => id::partial_date(text)?,
        Precision::Month => id::month_date(text)?,
    };
    Ok(match known {
        id::PartialDate::Day(day) => Value::Date(day),
        id::PartialDate::Year(_) | id::PartialDate::Month(..) => Value::Partial(known),
    })
}

/// The common form of a text, which most have already.
fn common(text: &str) -> Cow<'_, str> {
    if id::is_settled(text) { Cow::Borrowed(text) } else { Cow::Owned(id::common(text)) }
}

fn text(answer: &Json) -> Result<&str, FieldFault> {
    answer.as_str().ok_or_else(|| fault("TEXT_EXPECTED", "Send a text in quotes, such as \"Lima\"."))
}

fn short_text(text: &str) -> Result<Cow<'_, str>, FieldFault> {
    let value = common(text);
    if value.chars().any(char::is_control) || value.chars().count() > LONGEST_TEXT {
        return Err(fault(
            "TEXT_TOO_LONG",
            format!("At most {LONGEST_TEXT} characters on one line, such as Lima."),
        ));
    }
    Ok(value)
}

fn long_text(text: &str) -> Result<String, FieldFault> {
    let value = text.trim().replace("\r\n", "\n");
    let bad = |c: char| c.is_control() && c != '\n' && c != '\t';
    if value.chars().any(bad) || value.chars().count() > LONGEST_LONG_TEXT {
        return Err(fault("TEXT_TOO_LONG", format!("At most {LONGEST_LONG_TEXT} characters of plain text.")));
    }
    Ok(value)
}

fn yes_no(answer: &Json) -> Result<bool, FieldFault> {
    let word = answer.as_str().map(|text| id::common(text).to_lowercase());
    match (answer.as_bool(), word.as_deref()) {
        (Some(value), _) => Ok(value),
        (None, Some("yes" | "true" | "y")) => Ok(true),
        (None, Some("no" | "false" | "n")) => Ok(false),
        (None, _) => Err(fault("YES_NO_EXPECTED", "Answer yes or no: true or false.")),
    }
}

fn option<'a>(options: &'a [String], text: &str) -> Result<&'a str, FieldFault> {
    options
        .iter()
        .find(|known| same_text(known, text))
        .map(String::as_str)
        .ok_or_else(|| fault("OPTION_UNKNOWN", format!("Choose one of: {}.", options.join(", "))))
}

fn multi<'a>(options: &'a [String], answer: &Json) -> Result<Vec<&'a str>, FieldFault> {
    let expected = || fault("LIST_EXPECTED", format!("Send a list of: {}.", options.join(", ")));
    let mut chosen: Vec<&str> = Vec::new();
    for one in answer.as_array().ok_or_else(expected)? {
        let value = option(options, one.as_str().ok_or_else(expected)?)?;
        if !chosen.contains(&value) {
            chosen.push(value);
        }
    }
    Ok(chosen)
}

fn int(answer: &Json) -> Result<i64, FieldFault> {
    let number = match answer {
        Json::Number(number) => number.as_i64(),
        Json::String(text) => id::common(text).parse().ok(),
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
    };
    number
        .filter(|n| (0..=9_999_999).contains(n))
        .ok_or_else(|| fault("NUMBER_EXPECTED", "Write a whole number from 0, such as 2."))
}

fn weight(answer: &Json) -> Result<i64, FieldFault> {
    let text = match answer {
        Json::Number(number) => number.to_string(),
        Json::String(text) => text.clone(),
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => String::new(),
    };
    id::weight(&text).map(i64::from)
}

/// A number is whole cents; a text is dollars as typed, such as `$1,234.50`.
fn money(answer: &Json) -> Result<i64, FieldFault> {
    let cents = match answer {
        Json::Number(number) => number.as_i64(),
        Json::String(text) => dollars(&id::common(text)),
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
    };
    cents.filter(|n| (0..=100_000_000_000_000).contains(n)).ok_or_else(|| {
        fault(
            "MONEY_EXPECTED",
            "Write an amount in dollars, such as \"$1,234.50\", or whole cents as a number.",
        )
    })
}

fn dollars(text: &str) -> Option<i64> {
    let bare: String = text.trim_start_matches('$').chars().filter(|c| !matches!(c, ',' | ' ')).collect();
    let (whole, part) = bare.split_once('.').unwrap_or((&bare, "00"));
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if part.len() != 2 || !all_digits(whole) || !all_digits(part) {
        return None;
    }
    whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(part.parse().ok()?)
}

fn height(answer: &Json) -> Result<String, FieldFault> {
    let text = match answer {
        Json::Object(parts) => {
            let part = |name| parts.get(name).and_then(|value: &Json| int(value).ok());
            format!("{} {}", part("feet").unwrap_or(0), part("inches").unwrap_or(0))
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => {
            self::text(answer)?.to_owned()
        }
    };
    id::height(&text)
}
