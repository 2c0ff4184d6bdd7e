//! Countries, states, postal codes and P.O. boxes.

use std::sync::LazyLock;

use super::{common, digits, fault};
use crate::refusal::FieldFault;

/// A code and the English name it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// ISO or USPS code.
    pub code: &'static str,
    /// English short name.
    pub name: &'static str,
}

/// Countries of today (ISO 3166-1 alpha-2).
pub static COUNTRIES: LazyLock<Vec<Place>> = LazyLock::new(|| read(include_str!("../../data/countries.tsv")));

/// Former countries: a birth may be there, a residence not.
pub static HISTORIC_COUNTRIES: LazyLock<Vec<Place>> =
    LazyLock::new(|| read(include_str!("../../data/countries-historic.tsv")));

/// States, territories, military and freely associated postal codes (USPS).
pub static US_STATES: LazyLock<Vec<Place>> = LazyLock::new(|| read(include_str!("../../data/us-states.tsv")));

static NATIONALITIES: LazyLock<Vec<Place>> =
    LazyLock::new(|| read(include_str!("../../data/nationalities.tsv")));

fn read(table: &'static str) -> Vec<Place> {
    table
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('\t'))
        .map(|(code, name)| Place { code, name })
        .collect()
}

fn find(places: &'static [Place], text: &str) -> Option<&'static Place> {
    let wanted = common(text);
    if wanted.is_ascii() {
        // No name with another letter than ASCII becomes ASCII in lower case but by the Kelvin sign, which none has.
        let same = |word: &str| word.eq_ignore_ascii_case(&wanted);
        return places.iter().find(|place| same(place.code) || same(place.name));
    }
    let wanted = wanted.to_lowercase();
    places.iter().find(|place| place.name.to_lowercase() == wanted)
}

/// A country by code or English name, stored as its code. Territories of the United States are `US`;
/// former countries and the codes of stateless people and refugees are taken too.
pub fn country(text: &str) -> Result<String, FieldFault> {
    let territory = ["PR", "GU", "VI", "AS", "MP"];
    let tables = [&COUNTRIES, &HISTORIC_COUNTRIES, &NATIONALITIES];
    if let Some(place) = tables.into_iter().find_map(|table| find(table, text)) {
        return Ok(place.code.to_owned());
    }
    if find(&US_STATES, text).is_some_and(|state| territory.contains(&state.code)) {
        return Ok("US".to_owned());
    }
    Err(fault("country", "COUNTRY_UNKNOWN", "Choose a country, or write its two-letter code, such as MX."))
}

/// The English name of a stored country code.
pub fn country_name(code: &str) -> Option<&'static str> {
    [&COUNTRIES, &HISTORIC_COUNTRIES, &NATIONALITIES]
        .into_iter()
        .find_map(|table| table.iter().find(|place| place.code == code))
        .map(|place| place.name)
}

/// A state by code or name, stored as its two letters.
pub fn us_state(text: &str) -> Result<String, FieldFault> {
    find(&US_STATES, text).map(|state| state.code.to_owned()).ok_or_else(|| {
        fault(
            "us_state",
            "STATE_UNKNOWN",
            "Choose a state or territory, or write its two letters, such as CA.",
        )
    })
}

/// The name of a stored state code.
pub fn us_state_name(code: &str) -> Option<&'static str> {
    US_STATES.iter().find(|state| state.code == code).map(|state| state.name)
}

/// A ZIP code: five digits, or nine with a hyphen.
pub fn zip(text: &str) -> Result<String, FieldFault> {
    let value = common(text).replace(' ', "");
    let (head, tail) =
        value.split_once('-').map_or((value.as_str(), None), |(head, tail)| (head, Some(tail)));
    if digits(head, 5) && head != "00000" && tail.is_none_or(|tail| digits(tail, 4)) {
        return Ok(value);
    }
    if digits(&value, 9) && !value.starts_with("00000") {
        return Ok(format!("{}-{}", &value[..5], &value[5..]));
    }
    Err(fault(
        "zip",
        "ZIP_MALFORMED",
        "A ZIP code has 5 digits, or 5 and 4 more, such as 10001 or 10001-1234.",
    ))
}

/// Whether a line of an address is a post office box: `P.O. Box`, `PO BOX`, `p o box` as a word.
pub fn is_po_box(line: &str) -> bool {
    let value = common(line).to_uppercase();
    value.char_indices().filter(|(_, c)| *c == 'P').any(|(at, _)| {
        let starts = value[..at].chars().next_back().is_none_or(|before| !is_word(before));
        starts
            && after_box(&value[at + 1..]).is_some_and(|end| end.chars().next().is_none_or(|c| !is_word(c)))
    })
}

fn after_box(rest: &str) -> Option<&str> {
    let rest = rest.strip_prefix('.').unwrap_or(rest).trim_start().strip_prefix('O')?;
    rest.strip_prefix('.').unwrap_or(rest).trim_start().strip_prefix("BOX")
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}
