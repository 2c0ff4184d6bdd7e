//! An address as it stands on a letter, line by line: whose care it goes to, street, place, and abroad the country.

use docket_kernel::identifier;
use serde_json::{Map, Value};

use crate::place::text;

/// Countries in which the postal code stands before the place (Universal Postal Union, postal addressing systems; own knowledge,
/// unchecked). Elsewhere abroad it ends the line.
const CODE_FIRST: [&str; 40] = [
    "AR", "AT", "BE", "BG", "CH", "CR", "CU", "CZ", "DE", "DK", "DO", "DZ", "EE", "ES", "FI", "FR", "GR",
    "GT", "HN", "HR", "HU", "IL", "IT", "LT", "LU", "MA", "MX", "NL", "NO", "PH", "PL", "PT", "RO", "RS",
    "SE", "SI", "SK", "SN", "TN", "TR",
];

/// How people write that mail goes to them in somebody's care.
const CARE: [&str; 4] = ["c/o ", "in care of ", "care of ", "a/c "];

/// The lines, without who it is for.
pub(crate) fn lines(parts: &Map<String, Value>) -> String {
    let (care, street) = in_care(text(parts, "line1"));
    let street = joined(&[street, text(parts, "unit")], ", ");
    let (country, code) = (text(parts, "country"), text(parts, "postal_code"));
    let abroad = country != "US";
    let (city, region) = (text(parts, "city"), joined(&[text(parts, "state"), text(parts, "province")], " "));
    let place = if abroad && CODE_FIRST.contains(&country) {
        joined(&[&joined(&[code, city], " "), &region], ", ")
    } else {
        joined(&[city, &joined(&[&region, code], " ")], ", ")
    };
    // In capitals, as the last line (USPS International Mail Manual 122.1).
    let country = identifier::country_name(country).filter(|_| abroad).unwrap_or_default().to_uppercase();
    let care = if care.is_empty() { String::new() } else { format!("c/o {care}") };
    joined(&[&care, &street, &place, &country], "\n")
}

/// In whose care it goes, and the street: people write both into one line, with a comma between.
fn in_care(line: &str) -> (&str, &str) {
    let starts = |care: &&&str| line.get(..care.len()).is_some_and(|start| start.eq_ignore_ascii_case(care));
    let Some(care) = CARE.iter().find(starts) else { return ("", line) };
    let (whom, street) = line[care.len()..].split_once([',', ';']).unwrap_or((&line[care.len()..], ""));
    (whom.trim(), street.trim())
}

fn joined(parts: &[&str], between: &str) -> String {
    parts.iter().copied().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(between)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(parts: &Value, expected: &str) {
        assert_eq!(lines(parts.as_object().unwrap()), expected);
    }

    #[test]
    fn an_address_stands_as_on_a_letter() {
        check(
            &json!({"line1": "9 Sample Ave", "unit": "Apt 4", "city": "Reno", "state": "NV", "postal_code": "89501", "country": "US"}),
            "9 Sample Ave, Apt 4\nReno, NV 89501",
        );
        check(
            &json!({"line1": "1 Invented Dr", "city": "Dededo", "state": "GU", "postal_code": "96929", "country": "US"}),
            "1 Invented Dr\nDededo, GU 96929",
        );
    }

    #[test]
    fn abroad_the_code_stands_where_the_country_has_it_and_the_country_ends_it_in_capitals() {
        check(
            &json!({"line1": "Rua Inventada 1", "city": "Lisboa", "postal_code": "1000-001", "country": "PT"}),
            "Rua Inventada 1\n1000-001 Lisboa\nPORTUGAL",
        );
        check(
            &json!({"line1": "7 Sample Rd", "city": "Toronto", "province": "ON", "postal_code": "M5V 2T6", "country": "CA"}),
            "7 Sample Rd\nToronto, ON M5V 2T6\nCANADA",
        );
        check(
            &json!({"line1": "Calle Inventada 5", "city": "Mérida", "province": "Yucatán", "postal_code": "97000", "country": "MX"}),
            "Calle Inventada 5\n97000 Mérida, Yucatán\nMEXICO",
        );
        check(
            &json!({"line1": "1 Sample Lane", "city": "Nassau", "country": "BS"}),
            "1 Sample Lane\nNassau\nBAHAMAS",
        );
    }

    #[test]
    fn whose_care_it_goes_to_has_a_line_of_its_own() {
        check(
            &json!({"line1": "C/O Bo Sample, 9 Sample Ave", "city": "Reno", "state": "NV", "postal_code": "89501", "country": "US"}),
            "c/o Bo Sample\n9 Sample Ave\nReno, NV 89501",
        );
        check(
            &json!({"line1": "in care of Bo Sample", "unit": "PO Box 7", "city": "Reno", "state": "NV", "country": "US"}),
            "c/o Bo Sample\nPO Box 7\nReno, NV",
        );
        check(
            &json!({"line1": "Çakır Sokak 3", "city": "Ankara", "country": "TR"}),
            "Çakır Sokak 3\nAnkara\nTÜRKIYE",
        );
    }
}
