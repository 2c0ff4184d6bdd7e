//! The address of record, for identity to keep: what an accepted Form AR-11 reports (8 CFR 265.1), or what another form gives.

use docket_forms::{Answers, Form};
use docket_kernel::identifier;
use docket_proto::identity::v1::RecordAddressRequest;
use serde_json::{Map, Value};

use crate::domain::filing::Capacity;
use crate::facts::OFFICE_ZONE;
use crate::letter;
use crate::party;
use crate::place::{self, text};

/// The form.
pub(crate) const FORM: &str = "AR-11";

/// The report; without ids. None where the answers do not hold an address. Signed for somebody else, such as a child, it is that
/// person who moved, and the address is not the account's (INA 265(c)).
pub(crate) fn report(answers: &Answers, signed_as: Capacity) -> Option<RecordAddressRequest> {
    let new = answers.get("new_address").and_then(Value::as_object)?;
    let mailing = answers.get("mailing").and_then(Value::as_object);
    let zone = place::zone_at(new);
    let receipts = answers.get("receipts").and_then(Value::as_array).into_iter().flatten();
    Some(RecordAddressRequest {
        address: letter::lines(new),
        mailing: mailing.map(letter::lines).unwrap_or_default(),
        zone: zone.unwrap_or(OFFICE_ZONE).to_owned(),
        abroad: zone.is_none(),
        moved_on_date: answers.get("moved_on").and_then(Value::as_str).unwrap_or_default().to_owned(),
        receipt_numbers: receipts.filter_map(|row| row.get("receipt")?.as_str().map(str::to_owned)).collect(),
        for_case: signed_as.is_for_another(),
        ..RecordAddressRequest::default()
    })
}

/// What another form gives of who files; without ids. None where it asks for no address, or reports a move. Signed for somebody else
/// it is not the account's, which is that of who signs, and a child needs none: it is for its case (8 CFR 103.2(b)(19), where notices
/// go to the address that the form gives).
pub(crate) fn stated(form: &Form, answers: &Answers, signed_as: Capacity) -> Option<RecordAddressRequest> {
    if form.id == FORM {
        return None;
    }
    let answer = |question| party::answer(form, answers, question);
    let mailing = letter::lines(answer("mailing")?.as_object()?);
    let elsewhere = answer("physical_same") == Some(&Value::Bool(false));
    let lives = answer("physical").filter(|_| elsewhere).and_then(Value::as_object).map(letter::lines);
    let (address, mailing) = match lives.filter(|lives| !lives.is_empty()) {
        Some(lives) => (lives, mailing),
        None => (mailing, String::new()),
    };
    let none = RecordAddressRequest::default();
    let stated = RecordAddressRequest {
        address,
        mailing,
        no_move: true,
        for_case: signed_as.is_for_another(),
        ..none
    };
    Some(stated).filter(|stated| !stated.address.is_empty())
}

/// What a representative gives in Form G-28 as the address of their office, which is that of their account: for what they file
/// themselves they have another. Without ids; none where it is not answered.
pub(crate) fn office(answers: &Answers) -> Option<RecordAddressRequest> {
    let address = letter::lines(answers.get("rep_address")?.as_object()?);
    Some(RecordAddressRequest { address, no_move: true, ..RecordAddressRequest::default() })
}

/// An address in the few lines in which a form's answers are shown.
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
        report(&serde_json::from_value(answers).unwrap(), Capacity::OneSelf).unwrap()
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
        assert!(report.mailing.is_empty() && !report.for_case);
        let answers: Answers =
            serde_json::from_value(json!({ "new_address": { "line1": "1 Row" } })).unwrap();
        let childs = super::report(&answers, Capacity::Parent).unwrap();
        assert!(childs.for_case && !childs.no_move, "whom it was signed for moved, and not who signed");
    }

    #[test]
    fn abroad_is_where_the_law_says_so() {
        let abroad = |new: Value| reported(json!({ "new_address": new }));
        let lisbon =
            abroad(json!({"line1": "Rua 1", "city": "Lisbon", "postal_code": "1000", "country": "PT"}));
        assert!(lisbon.abroad && lisbon.address.ends_with("1000 Lisbon\nPORTUGAL"));
        assert_eq!(lisbon.zone, OFFICE_ZONE);
        assert!(abroad(json!({"line1": "1", "city": "Koror", "state": "PW", "country": "US"})).abroad);
        assert!(!abroad(json!({"line1": "1", "city": "Dededo", "state": "GU", "country": "US"})).abroad);
    }

    #[test]
    fn another_form_gives_where_somebody_lives_and_where_mail_goes() {
        let catalogue = docket_forms::Catalogue::embedded();
        let stated = |form: &str, answers: &Value, signed_as| {
            let answers: Answers = serde_json::from_value(answers.clone()).unwrap();
            stated(catalogue.form(form).unwrap(), &answers, signed_as)
        };
        let at = |city: &str| json!({"line1": "9 Sample Ave", "city": city, "state": "NV", "postal_code": "89501", "country": "US"});
        let same = json!({"app_mailing": at("Reno"), "app_physical_same": true, "app_physical": at("Elko")});
        let given = stated("N-400", &same, Capacity::OneSelf).unwrap();
        assert_eq!((given.address.as_str(), given.mailing.as_str()), ("9 Sample Ave\nReno, NV 89501", ""));
        assert!(given.no_move && !given.for_case);
        let other =
            json!({"app_mailing": at("Reno"), "app_physical_same": false, "app_physical": at("Elko")});
        let given = stated("N-400", &other, Capacity::OneSelf).unwrap();
        assert!(given.address.contains("Elko") && given.mailing.contains("Reno"), "{given:?}");
        for for_another in [Capacity::Parent, Capacity::Guardian, Capacity::AttorneyInFact] {
            let given = stated("N-400", &same, for_another).unwrap();
            assert!(given.for_case && given.address.contains("Reno"), "it is not the account's own");
        }
        assert_eq!(stated("AR-11", &json!({"mailing": at("Reno")}), Capacity::OneSelf), None);
        assert_eq!(stated("N-400", &json!({}), Capacity::OneSelf), None);
        let petitioner = json!({"pet_mailing": at("Reno"), "ben_physical": at("Elko")});
        assert!(stated("I-130", &petitioner, Capacity::OneSelf).unwrap().address.contains("Reno"));
    }

    #[test]
    fn without_an_address_nothing_is_reported() {
        assert!(report(&serde_json::from_value(json!({})).unwrap(), Capacity::OneSelf).is_none());
    }
}
