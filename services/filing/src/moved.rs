//! What an accepted Form AR-11 reports (8 CFR 265.1): the address of record, for identity to keep.

use docket_forms::Answers;
use docket_kernel::identifier;
use docket_proto::identity::v1::RecordAddressRequest;
use serde_json::{Map, Value};

use crate::facts::OFFICE_ZONE;
use crate::place::{self, text};

/// The form.
pub(crate) const FORM: &str = "AR-11";

/// The report; without ids. None where the answers do not hold an address.
pub(crate) fn report(answers: &Answers) -> Option<RecordAddressRequest> {
    let new = answers.get("new_address").and_then(Value::as_object)?;
    let mailing = answers.get("mailing").and_then(Value::as_object);
    let zone = place::zone_at(new);
    let receipts = answers.get("receipts").and_then(Value::as_array).into_iter().flatten();
    Some(RecordAddressRequest {
        address: lines(new),
        mailing: mailing.map(lines).unwrap_or_default(),
        zone: zone.unwrap_or(OFFICE_ZONE).to_owned(),
        abroad: zone.is_none(),
        moved_on_date: answers.get("moved_on").and_then(Value::as_str).unwrap_or_default().to_owned(),
        receipt_numbers: receipts.filter_map(|row| row.get("receipt")?.as_str().map(str::to_owned)).collect(),
        ..RecordAddressRequest::default()
    })
}

/// An address as it stands on a letter.
pub(crate) fn lines(parts: &Map<String, Value>) -> String {
    let street = joined(&[text(parts, "line1"), text(parts, "unit")], ", ");
    let region = joined(&[text(parts, "state"), text(parts, "province"), text(parts, "postal_code")], " ");
    let place = joined(&[text(parts, "city"), &region], ", ");
    let country = identifier::country_name(text(parts, "country")).filter(|_| text(parts, "country") != "US");
    joined(&[&street, &place, country.unwrap_or_default()], "\n")
}

fn joined(parts: &[&str], between: &str) -> String {
    parts.iter().copied().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(between)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn reported(answers: Value) -> RecordAddressRequest {
        report(&serde_json::from_value(answers).unwrap()).unwrap()
    }

    #[test]
    fn a_move_is_reported_as_it_stands_on_a_letter() {
        let new = json!({"line1": "9 Sample Ave", "unit": "Apt 4", "city": "Reno", "state": "NV",
            "postal_code": "89501", "country": "US"});
        let report = reported(json!({"new_address": new, "moved_on": "2026-11-20",
            "receipts": [{"receipt": "DKT1234567897"}]}));
        assert_eq!(report.address, "9 Sample Ave, Apt 4\nReno, NV 89501");
        assert_eq!((report.zone.as_str(), report.abroad), ("America/Los_Angeles", false));
        assert_eq!(report.receipt_numbers, ["DKT1234567897"]);
        assert!(report.mailing.is_empty());
    }

    #[test]
    fn abroad_is_where_the_law_says_so() {
        let abroad = |new: Value| reported(json!({ "new_address": new }));
        let lisbon =
            abroad(json!({"line1": "Rua 1", "city": "Lisbon", "postal_code": "1000", "country": "PT"}));
        assert!(lisbon.abroad && lisbon.address.ends_with("Lisbon, 1000\nPortugal"));
        assert_eq!(lisbon.zone, OFFICE_ZONE);
        assert!(abroad(json!({"line1": "1", "city": "Koror", "state": "PW", "country": "US"})).abroad);
        assert!(!abroad(json!({"line1": "1", "city": "Dededo", "state": "GU", "country": "US"})).abroad);
    }

    #[test]
    fn without_an_address_nothing_is_reported() {
        assert!(report(&serde_json::from_value(json!({})).unwrap()).is_none());
    }
}
