//! The last day of a form: which it is, and that what says "too late" says so from the day after.

use docket_forms::{Catalogue, Given, Truth, last_day, rule_value};
use serde_json::{Value, json};

use crate::support::{HEAD, answers, day, given, load};

/// A form with answers, its last day, and the rules of which one fires from the day after.
struct Case {
    form: &'static str,
    answers: Value,
    last: &'static str,
    rules: &'static [&'static str],
}

fn case(form: &'static str, answers: Value, last: &'static str, rules: &'static [&'static str]) -> Case {
    Case { form, answers, last, rules }
}

fn decided(kind: &str, served_by: &str) -> Value {
    json!({ "what": "motion_reopen", "decided_on": "2026-03-02", "decision_kind": kind, "served_by": served_by })
}

fn work(category: &str, recommended: &str, program_end: &str, card: &str) -> Value {
    json!({
        "category": category, "reason": "initial", "opt_dso_recommended": recommended,
        "opt_program_end": program_end, "prior_card_expiry": card
    })
}

fn cases() -> Vec<Case> {
    let asylum = json!({ "app_dob": "1990-05-05", "arrived_on": "2025-03-02", "in_proceedings": false });
    vec![
        // The thirtieth day, a Wednesday; by mail the thirty-third, a Saturday, and so the Monday after.
        case("I-290B", decided("denial", "online"), "2026-04-01", &["late"]),
        case("I-290B", decided("denial", "mail"), "2026-04-06", &["late"]),
        case("I-290B", decided("revocation", "in_person"), "2026-03-17", &["late"]),
        case("I-290B", decided("revocation", "mail"), "2026-03-20", &["late"]),
        case("N-336", json!({ "denied_on": "2026-03-02", "served_by": "online" }), "2026-04-01", &["late"]),
        case("N-336", json!({ "denied_on": "2026-03-02", "served_by": "mail" }), "2026-04-06", &["late"]),
        case("I-751", json!({ "basis": "joint", "cr_since": "2024-02-29" }), "2026-02-28", &["late"]),
        case("I-589", asylum, "2026-03-02", &["one-year"]),
        case("I-539", json!({ "status_expires": "2026-03-02" }), "2026-03-02", &["expired"]),
        case(
            "I-765",
            work("(c)(3)(B)", "2026-03-02", "2026-03-30", "2027-01-01"),
            "2026-04-01",
            &["opt-30", "opt-window"],
        ),
        case(
            "I-765",
            work("(c)(3)(B)", "2026-03-02", "2026-01-02", "2027-01-01"),
            "2026-03-03",
            &["opt-30", "opt-window"],
        ),
        case(
            "I-765",
            work("(c)(3)(C)", "2026-03-02", "2026-03-30", "2026-03-15"),
            "2026-03-15",
            &["stem-60", "stem-window"],
        ),
        case(
            "I-765",
            work("(c)(3)(C)", "2026-03-02", "2026-03-30", "2026-05-20"),
            "2026-05-01",
            &["stem-60", "stem-window"],
        ),
    ]
}

#[test]
fn what_says_too_late_says_it_from_the_day_after_the_last_day() {
    let catalogue = Catalogue::embedded();
    for Case { form, answers: said, last, rules } in cases() {
        let (form, said, last) = (catalogue.form(form).unwrap(), answers(said), day(last));
        let told = format!("{} {said:?}", form.id);
        let fires = |given: &Given| {
            rules.iter().any(|rule| rule_value(form, rule, &said, given) == Some(Truth::True))
        };
        let on = Given::on(last);
        assert_eq!(last_day(form, &said, &on), Some(last), "{told}");
        assert!(!fires(&on), "{told}: it is not late yet");
        let after = last.tomorrow().unwrap();
        assert_eq!(last_day(form, &said, &Given::on(after)), Some(last), "{told}");
        assert!(fires(&Given::on(after)), "{told}: it is late");
        // A day lasts until it has ended in both places.
        assert!(!fires(&Given { today: after, ..Given::on(last) }), "{told}");
        assert!(!fires(&Given { filing_date: after, ..Given::on(last) }), "{told}");
    }
}

#[test]
fn every_form_with_a_last_day_is_held_against_its_rules() {
    let catalogue = Catalogue::embedded();
    let held = cases();
    for form in catalogue.forms().filter(|form| !form.last_days.is_empty()) {
        assert!(held.iter().any(|case| case.form == form.id), "{} has no case here", form.id);
    }
}

#[test]
fn a_form_without_one_has_none_and_what_is_not_known_is_no_day() {
    let catalogue = Catalogue::embedded();
    let none = |form: &str, said: Value| {
        assert_eq!(last_day(catalogue.form(form).unwrap(), &answers(said), &given("2026-03-02")), None);
    };
    none("N-400", json!({ "basis": "lpr_5_years", "lpr_since": "2020-01-01" }));
    none("I-290B", json!({ "decided_on": "2026-03-02" }));
    none("I-290B", json!({ "decision_kind": "denial", "served_by": "mail" }));
    none("I-751", json!({ "basis": "divorced", "cr_since": "2024-03-02" }));
    let child = json!({ "app_dob": "2012-05-05", "arrived_on": "2025-03-02", "unaccompanied_child": true });
    none("I-589", child);
}

#[test]
fn a_last_day_is_a_date_when_the_catalogue_is_loaded_and_in_a_definition() {
    let row = |when: &str, day: &str| {
        format!(
            r#"question = [{{ id = "d", section = "all", type = "date", required = "always", label = "D" }}]
last_day = [{{ when = "{when}", day = "{day}", cite = "made up" }}]"#
        )
    };
    let form = load(&row("always", "d + days(30)")).unwrap();
    let again = docket_forms::Form::from_definition(&serde_json::to_string(&form).unwrap()).unwrap();
    let said = answers(json!({ "d": "2026-03-02" }));
    for form in [&form, &again] {
        assert_eq!(last_day(form, &said, &given("2026-03-02")), Some(day("2026-04-01")));
    }
    let mut of_yes = serde_json::to_value(&form).unwrap();
    of_yes["last_days"][0]["day"] = json!("always");
    assert!(
        docket_forms::Form::from_definition(&of_yes.to_string()).unwrap_err().to_string().contains("date")
    );
    for (when, day, message) in [
        ("always", "always", "a date is needed"),
        ("d", "d", "a condition is needed"),
        ("always", "e", "no question or given value `e`"),
        ("always", "d +", ""),
    ] {
        let faults = load(&row(when, day)).unwrap_err();
        assert!(faults.iter().any(|fault| fault.id == "last_day"), "{faults:?}");
        assert!(faults.iter().any(|fault| fault.message.contains(message)), "{message}: {faults:?}");
        let head = HEAD.lines().count();
        assert!(faults.iter().all(|fault| fault.line > head), "{faults:?}");
    }
}
