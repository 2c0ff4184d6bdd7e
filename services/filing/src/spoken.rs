//! Answers as people write them: dates in words, choices without underscores, places by name, addresses as on a letter.

use docket_forms::Type;
use docket_kernel::{Cents, identifier};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::facts::OFFICE_ZONE;
use crate::moved;
use crate::sheet::Row;

/// What stands for a question that is asked but has no answer.
const UNANSWERED: &str = "Not answered";

/// The answer of a row: in the words that the form had for it when it was signed, where they were kept.
pub(crate) fn row(row: &Row) -> String {
    if row.said.is_empty() {
        return answer(row.kind, row.value.as_ref());
    }
    row.said.iter().map(|words| sentence(words)).collect::<Vec<_>>().join("\n")
}

/// An answer; lines are parted by line ends.
fn answer(kind: Type, value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => UNANSWERED.to_owned(),
        Some(Value::Bool(yes)) => if *yes { "Yes" } else { "No" }.to_owned(),
        Some(Value::Number(cents)) if kind == Type::Money => {
            Cents(cents.as_i64().unwrap_or_default()).to_string()
        }
        Some(Value::Number(pounds)) if kind == Type::Weight => format!("{pounds} lb"),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::String(text)) => word(kind, text),
        Some(Value::Array(values)) => {
            let words: Vec<_> =
                values.iter().filter_map(Value::as_str).map(|text| word(kind, text)).collect();
            if words.is_empty() { "None".to_owned() } else { words.join("\n") }
        }
        Some(Value::Object(parts)) => moved::lines(parts),
    }
}

fn word(kind: Type, text: &str) -> String {
    let name = if [Type::Date, Type::PartialDate].contains(&kind) {
        date(text)
    } else if [Type::Select, Type::Multi].contains(&kind) {
        Some(choice(text))
    } else if kind == Type::Country {
        identifier::country_name(text).map(str::to_owned)
    } else if kind == Type::UsState {
        identifier::us_state_name(text).map(str::to_owned)
    } else {
        None
    };
    name.unwrap_or_else(|| text.to_owned())
}

/// `1985-04-12` as `April 12, 1985`, `1985-04` as `April 1985`.
pub(crate) fn date(text: &str) -> Option<String> {
    if let Ok(day) = text.parse::<Date>() {
        return Some(day.strftime("%B %-d, %Y").to_string());
    }
    let month = format!("{text}-01").parse::<Date>().ok()?;
    Some(month.strftime("%B %Y").to_string())
}

/// `i_read_it` as `I read it`.
pub(crate) fn choice(option: &str) -> String {
    sentence(&option.replace('_', " "))
}

fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// An instant (microseconds since the epoch) at the office, and as UTC: `March 2, 2026, 10:00:00 AM EST (2026-03-02T15:00:00Z)`.
pub(crate) fn instant(at_us: i64) -> String {
    let Ok(at) = Timestamp::from_microsecond(at_us) else { return String::new() };
    let zone = docket_kernel::deadline::zone(OFFICE_ZONE).unwrap_or(TimeZone::UTC);
    let office = at.to_zoned_datetime(zone).strftime("%B %-d, %Y, %-I:%M:%S %p %Z").to_string();
    format!("{office} ({})", at.strftime("%Y-%m-%dT%H:%M:%SZ"))
}

/// Bytes as people count them.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 2] = [(1024 * 1024, "MB"), (1024, "KB")];
    let unit = UNITS.into_iter().find(|(unit, _)| bytes >= *unit);
    unit.map_or_else(
        || format!("{bytes} bytes"),
        |(unit, name)| {
            let tenths = (bytes * 10 + unit / 2) / unit;
            format!("{}.{} {name} ({bytes} bytes)", tenths / 10, tenths % 10)
        },
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn answers_read_as_people_write_them() {
        let address = json!({"line1": "4 Fictitious Row", "unit": "Apt 2", "city": "Albany", "state": "NY",
            "postal_code": "12207", "country": "US"});
        for (kind, value, spoken) in [
            (Type::YesNo, json!(true), "Yes"),
            (Type::Check, json!(false), "No"),
            (Type::Date, json!("1985-04-12"), "April 12, 1985"),
            (Type::PartialDate, json!("1985-04"), "April 1985"),
            (Type::PartialDate, json!("1985"), "1985"),
            (Type::Select, json!("i_read_it"), "I read it"),
            (Type::Multi, json!(["white", "asian"]), "White\nAsian"),
            (Type::Multi, json!([]), "None"),
            (Type::Country, json!("BR"), "Brazil"),
            (Type::UsState, json!("NY"), "New York"),
            (Type::Money, json!(123_456), "$1,234.56"),
            (Type::Weight, json!(140), "140 lb"),
            (Type::Int, json!(3), "3"),
            (Type::Text, json!("no_change_here"), "no_change_here"),
            (Type::Address, address, "4 Fictitious Row, Apt 2\nAlbany, NY 12207"),
        ] {
            assert_eq!(answer(kind, Some(&value)), spoken);
        }
        assert_eq!(answer(Type::Text, None), UNANSWERED);
    }

    #[test]
    fn options_read_in_the_words_of_the_form_where_they_were_kept() {
        let chosen = |kept: &[&str]| Row {
            label: "Reason".into(),
            kind: Type::Multi,
            value: Some(json!(["lost_stolen_destroyed", "old_edition_card"])),
            said: kept.iter().map(|words| (*words).to_owned()).collect(),
            items: None,
        };
        assert_eq!(row(&chosen(&[])), "Lost stolen destroyed\nOld edition card");
        let kept = ["the card was lost, stolen or destroyed", "I have an old edition of the card"];
        assert_eq!(
            row(&chosen(&kept)),
            "The card was lost, stolen or destroyed\nI have an old edition of the card"
        );
    }

    #[test]
    fn instants_are_said_at_the_office_and_in_utc() {
        let at_us = "2026-03-02T15:00:00Z".parse::<Timestamp>().unwrap().as_microsecond();
        assert_eq!(instant(at_us), "March 2, 2026, 10:00:00 AM EST (2026-03-02T15:00:00Z)");
    }

    #[test]
    fn sizes_are_said_in_the_unit_that_fits() {
        assert_eq!(size(1_023), "1023 bytes");
        assert_eq!(size(1_536), "1.5 KB (1536 bytes)");
        assert_eq!(size(12 * 1024 * 1024), "12.0 MB (12582912 bytes)");
    }
}
