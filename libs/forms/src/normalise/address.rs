//! Addresses: seven parts, each by its own format.

use std::borrow::Cow;

use docket_kernel::FieldFault;
use docket_kernel::identifier as id;
use serde_json::{Map, Value as Json};

use super::{common, fault};
use crate::value::{ADDRESS, Address};

/// Reads an address: its parts, those of the United States by their formats. Without any it is no answer.
pub(super) fn address(answer: &Json) -> Result<Option<Address<'_>>, FieldFault> {
    let Json::Object(parts) = answer else {
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
    let mut address = Address(Vec::with_capacity(parts.len()));
    let country = part(parts, "country", |text| id::country(text).map(Cow::Owned))?;
    if country.as_deref().is_some_and(|code| id::COUNTRIES.iter().all(|known| known.code != code)) {
        return Err(FieldFault::new(".country", "COUNTRY_UNKNOWN", "Choose a country of today, such as MX."));
    }
    let domestic = country.as_deref() == Some("US");
    for name in ADDRESS {
        let value = match name {
            "country" => country.clone(),
            "state" if domestic => part(parts, name, |text| id::us_state(text).map(Cow::Owned))?,
            "postal_code" if domestic => part(parts, name, |text| id::zip(text).map(Cow::Owned))?,
            _ => part(parts, name, |text| limited(name, text))?,
        };
        if let Some(value) = value {
            address.0.push((name, value));
        }
    }
    Ok(Some(address).filter(|address| !address.0.is_empty()))
}

fn part<'a>(
    parts: &'a Map<String, Json>,
    name: &str,
    read: impl Fn(&'a str) -> Result<Cow<'a, str>, FieldFault>,
) -> Result<Option<Cow<'a, str>>, FieldFault> {
    match parts.get(name) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) if id::is_blank(text) => Ok(None),
        Some(Json::String(text)) => {
            read(text).map(Some).map_err(|fault| FieldFault { field: format!(".{name}"), ..fault })
        }
        Some(_) => {
            Err(FieldFault::new(format!(".{name}"), "TEXT_EXPECTED", "Send a text, such as \"Reno\"."))
        }
    }
}

fn limited<'a>(name: &str, text: &'a str) -> Result<Cow<'a, str>, FieldFault> {
    let most = match name {
        "postal_code" => 10,
        "unit" => 12,
        "province" | "state" => 35,
        _ => 100,
    };
    let value = common(text);
    if value.chars().any(char::is_control) || value.chars().count() > most {
        return Err(fault("TEXT_TOO_LONG", format!("At most {most} characters, such as 1 Main St.")));
    }
    Ok(value)
}
