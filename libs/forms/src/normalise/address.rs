//! Addresses: seven parts, each by its own format.

use docket_kernel::FieldFault;
use docket_kernel::identifier as id;
use serde_json::{Map, Value};

use super::fault;
use crate::value::ADDRESS;

/// Reads an address: its parts, those of the United States by their formats.
pub(super) fn address(answer: &Value) -> Result<Value, FieldFault> {
    let Value::Object(parts) = answer else {
        let example = "Send an object such as {\"line1\": \"1 Main St\", \"city\": \"Reno\", \"state\": \"NV\", \"postal_code\": \"89501\", \"country\": \"US\"}.";
        return Err(fault("ADDRESS_EXPECTED", example));
    };
    if let Some(unknown) = parts.keys().find(|key| !ADDRESS.contains(&key.as_str())) {
        return Err(FieldFault::new(
            format!(".{unknown}"),
            "FIELD_UNKNOWN",
            format!("The parts of an address are {}.", ADDRESS.join(", ")),
        ));
    }
    let mut stored = Map::new();
    let country = part(parts, "country", id::country)?;
    if country.as_deref().is_some_and(|code| id::COUNTRIES.iter().all(|known| known.code != code)) {
        return Err(FieldFault::new(".country", "COUNTRY_UNKNOWN", "Choose a country of today, such as MX."));
    }
    let domestic = country.as_deref() == Some("US");
    for name in ADDRESS {
        let value = match name {
            "country" => country.clone(),
            "state" if domestic => part(parts, name, id::us_state)?,
            "postal_code" if domestic => part(parts, name, id::zip)?,
            _ => part(parts, name, |text| limited(name, text))?,
        };
        if let Some(value) = value {
            stored.insert(name.to_owned(), Value::String(value));
        }
    }
    if stored.is_empty() { Ok(Value::Null) } else { Ok(Value::Object(stored)) }
}

fn part(
    parts: &Map<String, Value>,
    name: &str,
    read: impl Fn(&str) -> Result<String, FieldFault>,
) -> Result<Option<String>, FieldFault> {
    match parts.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if id::is_blank(text) => Ok(None),
        Some(Value::String(text)) => {
            read(text).map(Some).map_err(|fault| FieldFault { field: format!(".{name}"), ..fault })
        }
        Some(_) => {
            Err(FieldFault::new(format!(".{name}"), "TEXT_EXPECTED", "Send a text, such as \"Reno\"."))
        }
    }
}

fn limited(name: &str, text: &str) -> Result<String, FieldFault> {
    let most = match name {
        "postal_code" => 10,
        "unit" => 12,
        "province" | "state" => 35,
        _ => 100,
    };
    let value = id::common(text);
    if value.chars().any(char::is_control) || value.chars().count() > most {
        return Err(fault("TEXT_TOO_LONG", format!("At most {most} characters, such as 1 Main St.")));
    }
    Ok(value)
}
