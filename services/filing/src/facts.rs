//! Facts that the case needs and that identify nobody, derived from the answers on the receipt date.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use docket_forms::{Answers, Challenges, FeeResult, Form, Given, evaluate, fee, is_protected};
use docket_kernel::{calendar, deadline};
use docket_proto::filing::events::v1::DerivedFacts;
use docket_proto::types::v1::KeptFee;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::Value;

use crate::{party, place};

/// Categories of Form I-485 in which the spouse or child adjusts in their own right, whatever becomes of the principal's (INA 209(a), (b),
/// 245(m)(1)).
const IN_THEIR_OWN_RIGHT: [&str; 3] = ["asylee", "refugee", "u_nonimmigrant"];

/// The zone in which receipt dates, fees and editions are reckoned.
pub(crate) use docket_kernel::deadline::OFFICE_ZONE;

/// The civil date of an instant in a zone; an unknown zone counts as the office's.
pub(crate) fn civil_date(at: Timestamp, zone: &str) -> Date {
    let zone = deadline::zone(zone).or_else(|_| deadline::zone(OFFICE_ZONE)).unwrap_or(TimeZone::UTC);
    zone.to_datetime(at).date()
}

/// When a day has ended both for the office and in a zone, microseconds since the epoch; an unknown zone counts as the office's.
pub(crate) fn ends_at_us(day: Date, zone: &str) -> i64 {
    let ends = [OFFICE_ZONE, zone].into_iter().filter_map(|zone| deadline::ends(day, zone).ok());
    ends.map(Timestamp::as_microsecond).max().unwrap_or(i64::MIN)
}

/// Derives the facts of a filing received at an instant (microseconds since the epoch), beside which these forms count, as they did
/// when it was signed: what was answered and is not asked with them is in nothing that was signed, and no fact.
pub(crate) fn derive(
    form: &Form,
    answers: &Answers,
    linked: BTreeSet<String>,
    received_at_us: i64,
) -> DerivedFacts {
    let received_at = Timestamp::from_microsecond(received_at_us).unwrap_or(Timestamp::UNIX_EPOCH);
    let receipt_date = civil_date(received_at, OFFICE_ZONE);
    let given = Given { linked, ..Given::on(receipt_date) };
    let mailing = party::answer(form, answers, "mailing").and_then(Value::as_object);
    let said = |question: &str| answers.get(question).and_then(Value::as_str).unwrap_or_default().to_owned();
    let challenges = form.challenges.as_ref();
    let kind = |challenges: &Challenges| {
        let asked = challenges.kind_asked.as_deref().map(said);
        challenges.kind.clone().or(asked).unwrap_or_default()
    };
    let (rests_on_receipt, rests_on_unnamed) = rests_on(form, answers, &given);
    DerivedFacts {
        age: party::filer(form, answers, &given).age.unwrap_or_default(),
        abroad: mailing.is_some_and(place::is_abroad),
        basis: said("basis"),
        civics_test: if form.family == "naturalization" { civics_test(receipt_date) } else { String::new() },
        about_receipt: challenges.map(|challenges| said(&challenges.receipt)).unwrap_or_default(),
        challenge: challenges.map(kind).unwrap_or_default(),
        protected: is_protected(form, answers, &given),
        rests_on_receipt,
        rests_on_unnamed,
        // Who is an unaccompanied child says to be without lawful status with that.
        without_status: form.family == "asylum"
            && answers.get("unaccompanied_child") == Some(&Value::Bool(true)),
        derivative: form.family == "adjustment"
            && said("applicant_kind") == "derivative"
            && !IN_THEIR_OWN_RIGHT.contains(&said("category").as_str()),
        kept_fee: kept_fee(form, answers, &given),
        // What follows from the signature and from what was asked for, the domain adds.
        ..DerivedFacts::default()
    }
}

/// What of the fee does not go back where the filing is rejected; nothing where all of it does, or nobody knows what it is.
fn kept_fee(form: &Form, answers: &Answers, given: &Given) -> Option<KeptFee> {
    if !form.fees.iter().any(|row| row.kept_on_rejection) {
        return None;
    }
    let FeeResult::Known { rows, total_cents, .. } = fee(form, answers, given, false) else { return None };
    let kept = rows.into_iter().filter(|row| row.kept_on_rejection && row.cents > 0);
    let (cents, cites): (Vec<i64>, Vec<String>) = kept.map(|row| (row.cents, row.cite)).unzip();
    let cents: i64 = cents.iter().sum();
    (cents > 0).then(|| KeptFee { cents, is_all: cents == total_cents, cite: cites.join("; ") })
}

/// The receipt number of the case that a form rests on, where the question for it is asked and answered; and whether it need not be
/// said only because of a form that counts with this one.
fn rests_on(form: &Form, answers: &Answers, given: &Given) -> (String, bool) {
    let Some(question) = form.rests_on.as_deref() else { return (String::new(), false) };
    let receipt = answers.get(question).and_then(Value::as_str).unwrap_or_default();
    if !receipt.is_empty() && !evaluate(form, answers, given).set_aside.contains(question) {
        return (receipt.to_owned(), false);
    }
    if given.linked.is_empty() {
        return (String::new(), false);
    }
    let mut silent = answers.clone();
    silent.remove(question);
    let alone = Given { linked: BTreeSet::new(), ..given.clone() };
    let needed =
        |given: &Given| evaluate(form, &silent, given).missing.iter().any(|one| one.field == question);
    (String::new(), needed(&alone) && !needed(given))
}

/// One row of `data/civics_tests.toml`.
#[derive(Debug, Deserialize)]
struct CivicsTest {
    version: String,
    from: Date,
    until: Option<Date>,
}

#[derive(Deserialize)]
struct CivicsTests {
    test: Vec<CivicsTest>,
}

fn civics_test(receipt_date: Date) -> String {
    static TESTS: OnceLock<CivicsTests> = OnceLock::new();
    let tests = TESTS.get_or_init(|| {
        toml::from_str(include_str!("../data/civics_tests.toml")).expect("a test reads the table")
    });
    let in_force = |row: &&CivicsTest| calendar::in_force(row.from, row.until, receipt_date);
    tests.test.iter().find(in_force).map(|row| row.version.clone()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_civics_test_changes_with_the_receipt_date() {
        assert_eq!(civics_test("2025-10-19".parse().unwrap()), "2008");
        assert_eq!(civics_test("2025-10-20".parse().unwrap()), "2025");
        assert_eq!(civics_test("2030-01-01".parse().unwrap()), "2025");
    }

    #[test]
    fn a_form_against_a_decision_says_which_case_and_what_it_is() {
        let catalogue = docket_forms::Catalogue::embedded();
        let of = |form: &str, said: Value| {
            let facts = derive(catalogue.form(form).unwrap(), said.as_object().unwrap(), BTreeSet::new(), 0);
            (facts.about_receipt, facts.challenge)
        };
        let told = |receipt: &str, challenge: &str| (receipt.to_owned(), challenge.to_owned());
        let hearing = json!({ "n400_receipt": "DKT1234567894", "reason": "The test was passed." });
        assert_eq!(of("N-336", hearing), told("DKT1234567894", "hearing"));
        let motion = json!({ "receipt": "DKT1234567894", "what": "motion_reopen" });
        assert_eq!(of("I-290B", motion.clone()), told("DKT1234567894", "motion_reopen"));
        assert_eq!(of("N-400", motion), told("", ""), "it challenges nothing");
    }

    #[test]
    fn a_day_has_ended_when_it_has_in_both_places() {
        let ends =
            |zone| Timestamp::from_microsecond(ends_at_us("2026-03-02".parse().unwrap(), zone)).unwrap();
        assert_eq!(ends(OFFICE_ZONE).to_string(), "2026-03-03T05:00:00Z");
        assert_eq!(ends("Pacific/Honolulu").to_string(), "2026-03-03T10:00:00Z");
        assert_eq!(ends("Pacific/Guam").to_string(), "2026-03-03T05:00:00Z");
        assert_eq!(ends("No/Where").to_string(), "2026-03-03T05:00:00Z");
    }

    #[test]
    fn the_fee_of_an_asylum_application_is_kept_where_it_is_received_under_the_rule_that_says_so() {
        let catalogue = docket_forms::Catalogue::embedded();
        let kept = |form: &str, day: &str| {
            let noon = TimeZone::UTC.to_timestamp(day.parse::<Date>().unwrap().at(12, 0, 0, 0)).unwrap();
            let noon = noon.as_microsecond();
            let facts = derive(catalogue.form(form).unwrap(), &Answers::new(), BTreeSet::new(), noon);
            facts.kept_fee.map(|kept| (kept.cents, kept.is_all, kept.cite.contains("Pub. L. 119-21")))
        };
        assert_eq!(kept("I-589", "2026-05-28"), None);
        assert_eq!(kept("I-589", "2026-05-29"), Some((10_000, true, true)));
        assert_eq!(kept("I-589", "2027-01-01"), None, "nobody knows what it is");
        assert_eq!(kept("N-400", "2026-05-29"), None);
    }

    #[test]
    fn who_asks_for_asylum_as_an_unaccompanied_child_is_without_status() {
        let catalogue = docket_forms::Catalogue::embedded();
        let of = |form: &str, said: Value| {
            derive(catalogue.form(form).unwrap(), said.as_object().unwrap(), BTreeSet::new(), 0)
                .without_status
        };
        assert!(of("I-589", json!({ "in_proceedings": true, "unaccompanied_child": true })));
        assert!(!of("I-589", json!({ "in_proceedings": false })), "nothing is said of it");
        assert!(!of("N-400", json!({ "unaccompanied_child": true })));
    }

    #[test]
    fn who_asks_as_a_victim_is_protected_from_the_day_of_filing() {
        let catalogue = docket_forms::Catalogue::embedded();
        let of = |form: &str, said: Value| {
            derive(catalogue.form(form).unwrap(), said.as_object().unwrap(), BTreeSet::new(), 0).protected
        };
        for (form, protected, other) in [
            ("I-485", json!({ "category": "vawa" }), json!({ "category": "refugee" })),
            ("I-751", json!({ "basis": "abused" }), json!({ "basis": "divorced" })),
            ("N-400", json!({ "basis": "vawa_3_years" }), json!({ "basis": "lpr_5_years" })),
            (
                "I-765",
                json!({ "category": "(c)(9)", "fee_exempt_basis": "u_nonimmigrant" }),
                json!({ "category": "(c)(9)", "fee_exempt_basis": "special_immigrant_juvenile" }),
            ),
            (
                "I-131",
                json!({ "kind": "advance_parole", "fee_exempt_basis": "vawa" }),
                json!({ "kind": "advance_parole", "fee_exempt_basis": "none" }),
            ),
            (
                "I-290B",
                json!({ "fee_exempt_basis": "t_nonimmigrant" }),
                json!({ "fee_exempt_basis": "none" }),
            ),
            ("AR-11", json!({ "protected": true }), json!({ "protected": false })),
        ] {
            assert!(of(form, protected), "{form}");
            assert!(!of(form, other), "{form}");
            assert!(!of(form, json!({})), "{form}");
        }
        assert!(of("I-765", json!({ "category": "(c)(31)" })));
        let rows = catalogue.forms().filter(|form| !form.protections.is_empty()).count();
        assert_eq!(rows, 7, "a form without a row in the table above");
    }

    #[test]
    fn a_form_that_rests_on_another_case_says_on_which() {
        let catalogue = docket_forms::Catalogue::embedded();
        let beside = |linked: &[&str], form: &str, said: Value| {
            let linked = linked.iter().map(|form| (*form).to_owned()).collect();
            derive(catalogue.form(form).unwrap(), said.as_object().unwrap(), linked, 0)
        };
        let receipt = "DKT1234567894";
        let status = |category| json!({ "category": category, "basis_receipt": receipt });
        let travel = |kind| json!({ "kind": kind, "basis_receipt": receipt });
        let permit = |category| json!({ "category": category, "underlying_receipt": receipt });
        for (form, asked, other) in [
            ("I-485", status("employment"), status("refugee")),
            ("I-131", travel("advance_parole"), travel("reentry_permit")),
            ("I-765", permit("(c)(9)"), permit("(a)(5)")),
        ] {
            let facts = beside(&[], form, asked);
            assert_eq!((facts.rests_on_receipt.as_str(), facts.rests_on_unnamed), (receipt, false), "{form}");
            let facts = beside(&[], form, other);
            assert_eq!(
                (facts.rests_on_receipt.as_str(), facts.rests_on_unnamed),
                ("", false),
                "not asked there: {form}"
            );
        }
        // With the form that it rests on beside it, it is not asked, and what was typed before is set aside.
        for (form, other, said) in [
            ("I-131", "I-485", travel("advance_parole")),
            ("I-485", "I-140", status("employment")),
            ("I-765", "I-485", json!({ "category": "(c)(9)" })),
        ] {
            let facts = beside(&[other], form, said);
            assert_eq!((facts.rests_on_receipt.as_str(), facts.rests_on_unnamed), ("", true), "{form}");
        }
        let facts = beside(&["I-90"], "I-131", travel("advance_parole"));
        assert_eq!(
            (facts.rests_on_receipt.as_str(), facts.rests_on_unnamed),
            (receipt, false),
            "another form"
        );
    }

    #[test]
    fn who_applies_through_a_principal_is_a_derivative_where_the_law_lets_them_only_follow() {
        let catalogue = docket_forms::Catalogue::embedded();
        let of = |form: &str, kind: &str, category: &str| {
            let said = json!({ "applicant_kind": kind, "category": category });
            derive(catalogue.form(form).unwrap(), said.as_object().unwrap(), BTreeSet::new(), 0).derivative
        };
        for category in ["employment", "family_preference", "family_k1", "cuban_adjustment"] {
            assert!(of("I-485", "derivative", category), "{category}");
            assert!(!of("I-485", "principal", category), "{category}");
        }
        for category in IN_THEIR_OWN_RIGHT {
            assert!(!of("I-485", "derivative", category), "{category}");
        }
        assert!(!of("I-539", "derivative", "employment"), "it asks for no residence");
    }

    #[test]
    fn a_day_is_a_day_somewhere() {
        let instant: Timestamp = "2026-03-02T04:30:00Z".parse().unwrap();
        assert_eq!(civil_date(instant, OFFICE_ZONE).to_string(), "2026-03-01");
        assert_eq!(civil_date(instant, "Pacific/Guam").to_string(), "2026-03-02");
        assert_eq!(civil_date(instant, "No/Where").to_string(), "2026-03-01");
    }
}
