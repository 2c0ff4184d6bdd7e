//! Answers as people type them, by the type of the question.

use docket_forms::{Catalogue, normalise};
use serde_json::{Value, json};

fn n400(field: &str, answer: Value) -> Result<Value, (String, String, String)> {
    let catalogue = Catalogue::embedded();
    normalise(catalogue.form("N-400").unwrap(), field, &answer)
        .map_err(|fault| (fault.field, fault.reason, fault.message))
}

#[test]
fn answers_are_stored_in_one_form() {
    for (field, typed, stored) in [
        ("app_dob", json!("01/31/1985"), json!("1985-01-31")),
        ("app_a_number", json!("A 12-345-678"), json!("A012345678")),
        ("app_ssn", json!(" "), json!(null)),
        ("app_ssn", json!(null), json!(null)),
        ("app_one_name", json!("yes"), json!(true)),
        ("crimes", json!(false), json!(false)),
        ("basis", json!("LPR_5_years"), json!("lpr_5_years")),
        ("app_race", json!(["asian", "white", "asian"]), json!(["asian", "white"])),
        ("app_height", json!({"feet": 5, "inches": 8}), json!("5'08\"")),
        ("app_weight", json!("154"), json!(154)),
        ("household_income", json!("$41,250.50"), json!(4_125_050)),
        ("household_income", json!(4_125_050), json!(4_125_050)),
        ("household_size", json!("3"), json!(3)),
        ("app_family_name", json!("  García "), json!("García")),
        ("app_birth_country", json!("Soviet Union"), json!("SU")),
        ("app_day_phone", json!("(212) 555-0147"), json!("+12125550147")),
        (
            "app_mailing",
            json!({"line1": " 1  Main St ", "unit": "", "city": "Reno", "state": "Nevada", "postal_code": "895011234", "country": "united states"}),
            json!({"line1": "1 Main St", "city": "Reno", "state": "NV", "postal_code": "89501-1234", "country": "US"}),
        ),
        ("app_physical_since", json!("05/2019"), json!("2019-05")),
        ("app_physical_since", json!("2019-05"), json!("2019-05")),
        ("app_physical_since", json!("5/14/2019"), json!("2019-05-14")),
        (
            "app_residences",
            json!([{"from": "5/2019", "to": "2020-02-29"}]),
            json!([{"from": "2019-05", "to": "2020-02-29"}]),
        ),
        (
            "trips",
            json!([{"left": "1/5/2024", "back": "2024-02-01", "countries": "Peru"}, {}]),
            json!([{"left": "2024-01-05", "back": "2024-02-01", "countries": "Peru"}, {}]),
        ),
    ] {
        let got = n400(field, typed.clone()).unwrap_or_else(|fault| panic!("{field} {typed}: {fault:?}"));
        assert_eq!(got, stored, "{field} {typed}");
        assert_eq!(n400(field, got.clone()).unwrap(), stored, "{field} again");
    }
}

#[test]
fn a_wrong_answer_names_its_field_and_rule() {
    for (field, typed, at, reason) in [
        ("app_dob", json!("02/30/1985"), "app_dob", "DATE_MALFORMED"),
        ("app_dob", json!(1985), "app_dob", "TEXT_EXPECTED"),
        ("app_dob", json!("01/1985"), "app_dob", "DATE_MALFORMED"),
        ("app_physical_since", json!("2019"), "app_physical_since", "MONTH_MISSING"),
        ("app_physical_since", json!("13/2019"), "app_physical_since", "DATE_MALFORMED"),
        ("app_residences", json!([{}, {"to": "2019"}]), "app_residences[1].to", "MONTH_MISSING"),
        ("trips", json!([{"left": "2024-01"}]), "trips[0].left", "DATE_MALFORMED"),
        ("app_ssn", json!("000-12-3456"), "app_ssn", "SSN_NEVER_ISSUED"),
        ("basis", json!("friend"), "basis", "OPTION_UNKNOWN"),
        ("crimes", json!("perhaps"), "crimes", "YES_NO_EXPECTED"),
        ("app_race", json!("white"), "app_race", "LIST_EXPECTED"),
        ("app_race", json!(["green"]), "app_race", "OPTION_UNKNOWN"),
        ("household_size", json!(-1), "household_size", "NUMBER_EXPECTED"),
        ("household_size", json!(2.5), "household_size", "NUMBER_EXPECTED"),
        ("household_income", json!("12.345"), "household_income", "MONEY_EXPECTED"),
        ("app_height", json!({"feet": 9}), "app_height", "HEIGHT_MALFORMED"),
        ("app_mailing", json!("1 Main St"), "app_mailing", "ADDRESS_EXPECTED"),
        ("app_mailing", json!({"street": "1"}), "app_mailing.street", "FIELD_UNKNOWN"),
        ("app_mailing", json!({"country": "US", "state": "ZZ"}), "app_mailing.state", "STATE_UNKNOWN"),
        ("app_mailing", json!({"country": "SU"}), "app_mailing.country", "COUNTRY_UNKNOWN"),
        ("app_mailing", json!({"city": 5}), "app_mailing.city", "TEXT_EXPECTED"),
        ("trips", json!({}), "trips", "LIST_EXPECTED"),
        ("trips", json!(["x"]), "trips[0]", "ITEM_EXPECTED"),
        ("trips", json!([{}, {"left": "soon"}]), "trips[1].left", "DATE_MALFORMED"),
        ("trips", json!([{"gone": 1}]), "trips[0].gone", "FIELD_UNKNOWN"),
        (
            "app_residences",
            json!([{"address": {"state": "ZZ", "country": "US"}}]),
            "app_residences[0].address.state",
            "STATE_UNKNOWN",
        ),
        ("nothing", json!(1), "nothing", "QUESTION_UNKNOWN"),
    ] {
        let (got_field, got_reason, message) = n400(field, typed.clone()).unwrap_err();
        assert_eq!((got_field.as_str(), got_reason.as_str()), (at, reason), "{field} {typed}");
        assert!(message.ends_with('.') && message.len() > 12, "{message}");
    }
}
