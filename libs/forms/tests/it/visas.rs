//! The Visa Bulletin: whether a number is available by class, country, priority date and month; what is not known stops nobody, and
//! a month more is a row more.

use docket_forms::{
    Answers, Catalogue, Form, Given, Language, Level, LoadError, Truth, evaluate, rule_value,
};
use serde_json::json;

use crate::support::{HEAD, answers, day, given, load, load_catalogue};

/// The file of the catalogue, and one more month, made up.
const NEXT: &str = r#"
[[month]]
month = "2026-12"
cite = "made up"
mark = "made up"
[month.family]
chart = "final_action"
dates."F1" = ["2011-01-01", "U", "2011-01-01", "2011-01-01", "C"]
dates."F2A" = ["2011-01-01", "U", "2011-01-01", "2011-01-01", "C"]
dates."F2B" = ["2011-01-01", "U", "2011-01-01", "2011-01-01", "C"]
dates."F3" = ["2011-01-01", "U", "2011-01-01", "2011-01-01", "C"]
dates."F4" = ["2011-01-01", "U", "2011-01-01", "2011-01-01", "C"]
[month.employment]
chart = "filing"
dates."EB-1" = ["C", "U", "2022-10-15", "C", "C"]
dates."EB-2" = ["C", "U", "2022-10-15", "C", "C"]
dates."EB-3" = ["C", "U", "2022-10-15", "C", "C"]
dates."Other Workers" = ["C", "U", "2022-10-15", "C", "C"]
dates."EB-4" = ["C", "U", "2022-10-15", "C", "C"]
dates."EB-5 Unreserved" = ["C", "U", "2022-10-15", "C", "C"]
dates."EB-5 Rural" = ["C", "U", "2022-10-15", "C", "C"]
dates."EB-5 High Unemployment" = ["C", "U", "2022-10-15", "C", "C"]
dates."EB-5 Infrastructure" = ["C", "U", "2022-10-15", "C", "C"]
"#;

const WRITTEN: &str = include_str!("../../catalogue/_visa_bulletin.toml");

/// A form that asks what the Bulletin is asked by.
const ASKED: &str = r#"question = [
  { id = "class", section = "all", type = "text", required = "always", label = "Class" },
  { id = "born", section = "all", type = "country", required = "always", label = "Born" },
  { id = "charged", section = "all", type = "country", required = "never", label = "Charged" },
  { id = "priority", section = "all", type = "partial_date", required = "always", label = "Priority" },
]
rule = [
  { id = "available", level = "block", when = "visa_available(class, first(charged, born), priority, filing_date)", field = "class", kind = "intake", message = "So." },
  { id = "listed", level = "warn", when = "visa_class(class)", field = "class", kind = "intake", message = "So." },
  { id = "known", level = "warn", when = "visa_month(filing_date)", field = "class", kind = "intake", message = "So." },
]"#;

fn beside(bulletin: &str) -> Result<Catalogue, Vec<LoadError>> {
    load_catalogue(&[("t-1.toml", &format!("{HEAD}{ASKED}")), ("_visa_bulletin.toml", bulletin)])
}

fn asked(form: &Form, rule: &str, [class, country, priority]: [&str; 3], on: &str) -> Truth {
    let answers = answers(json!({ "class": class, "born": country, "priority": priority }));
    rule_value(form, rule, &answers, &given(on)).unwrap()
}

fn preference(kind: &str, class: &str, country: &str, priority: &str) -> Answers {
    answers(json!({
        "category": kind, "category_detail": class, "app_birth_country": country, "basis_priority_date": priority,
    }))
}

/// The rules about visa numbers that speak, each with whether it stops.
fn found(catalogue: &Catalogue, answers: &Answers, on: &str) -> Vec<(String, bool)> {
    let form = catalogue.form_on("I-485", day(on)).unwrap();
    let found = evaluate(form, answers, &given(on)).findings.into_iter();
    let about = found.filter(|finding| finding.rule.starts_with("visa-"));
    about.map(|finding| (finding.rule, finding.level == Level::Block)).collect()
}

fn stops() -> Vec<(String, bool)> {
    vec![("visa-availability".to_owned(), true)]
}

fn nothing() -> Vec<(String, bool)> {
    Vec::new()
}

fn warns(rule: &str) -> Vec<(String, bool)> {
    vec![(rule.to_owned(), false)]
}

#[test]
fn a_number_is_available_the_day_before_the_date_of_the_chart_and_not_on_it() {
    let catalogue = Catalogue::embedded();
    for (kind, class, country, last) in [
        ("family_preference", "F1", "CU", "2018-12-31"),
        ("family_preference", "f-2b", "MX", "2010-05-14"),
        ("family_preference", "F4", "IN", "2006-12-14"),
        ("employment", "EB-3", "PH", "2023-07-31"),
        ("employment", "EB-3 (Other Workers)", "CN", "2019-03-31"),
    ] {
        let next = day(last).tomorrow().unwrap().to_string();
        assert_eq!(
            found(&catalogue, &preference(kind, class, country, last), "2026-07-01"),
            nothing(),
            "{class}"
        );
        assert_eq!(
            found(&catalogue, &preference(kind, class, country, &next), "2026-07-31"),
            stops(),
            "{class}"
        );
    }
    // Current is for all, unavailable for nobody.
    let current = preference("family_preference", "F2A", "MX", "2026-07-01");
    assert_eq!(found(&catalogue, &current, "2026-07-01"), nothing());
    assert_eq!(
        found(&catalogue, &preference("employment", "eb 2", "IN", "1990-01-01"), "2026-07-01"),
        stops()
    );
    // Who needs no number is not asked for one.
    let spouse = preference("family_immediate_spouse", "F1", "MX", "2026-07-01");
    assert_eq!(found(&catalogue, &spouse, "2026-07-01"), nothing());
}

#[test]
fn a_month_or_a_class_that_is_not_known_stops_nobody_and_is_said() {
    let catalogue = Catalogue::embedded();
    let never = preference("employment", "EB-2", "IN", "2025-01-01");
    for on in ["2026-06-30", "2099-08-01"] {
        assert_eq!(found(&catalogue, &never, on), warns("visa-chart"), "{on}");
    }
    assert_eq!(found(&catalogue, &never, "2026-07-31"), stops());
    // Which of the four it is nobody knows.
    let investor = preference("employment", "EB-5", "IN", "2025-01-01");
    assert_eq!(found(&catalogue, &investor, "2026-07-31"), warns("visa-class"));
    assert_eq!(found(&catalogue, &investor, "2099-08-01"), warns("visa-chart"));
    let rural = preference("employment", "EB-5 rural", "IN", "2025-01-01");
    assert_eq!(found(&catalogue, &rural, "2026-07-31"), nothing());
    // A date that has not come stops whatever is known of the month.
    let future = preference("employment", "EB-5", "IN", "2099-08-02");
    assert_eq!(found(&catalogue, &future, "2099-08-01"), stops());
    // What is not answered is asked for, and not taken for anything.
    for left_out in ["category_detail", "app_birth_country", "basis_priority_date"] {
        let mut open = never.clone();
        open.remove(left_out);
        assert_eq!(found(&catalogue, &open, "2026-07-01"), nothing(), "{left_out}");
    }
}

#[test]
fn the_country_of_a_spouse_or_parent_counts_in_place_of_that_of_birth() {
    let catalogue = Catalogue::embedded();
    let mut charged = preference("employment", "EB-2", "IN", "2025-01-01");
    charged.insert("chargeability_country".into(), json!("FR"));
    assert_eq!(found(&catalogue, &charged, "2026-07-01"), nothing());
    charged.insert("app_birth_country".into(), json!("FR"));
    charged.insert("chargeability_country".into(), json!("IN"));
    assert_eq!(found(&catalogue, &charged, "2026-07-01"), stops());
}

#[test]
fn what_the_bulletin_says_is_told_in_both_languages() {
    let catalogue = Catalogue::embedded();
    let form = catalogue.form("I-485").unwrap();
    let said = |answers: &Answers, language| {
        let found = evaluate(catalogue.in_language(form, language), answers, &given("2026-07-14")).findings;
        found.into_iter().find(|finding| finding.rule == "visa-availability").unwrap()
    };
    let mexico = preference("family_preference", "F1", "MX", "2020-02-29");
    let english = said(&mexico, Language::En);
    assert_eq!(
        english.because,
        "For F1 and Mexico, the Visa Bulletin of July 2026 (Dates for Filing) has numbers for priority dates before 1 October 2008."
    );
    assert!(english.way_out.starts_with("file in a month in which"), "{}", english.way_out);
    assert_eq!(english.rests_on, ["category", "basis_priority_date", "category_detail", "app_birth_country"]);
    assert_eq!(
        said(&mexico, Language::Es).because,
        "Para F1 y México, el Boletín de Visas de julio de 2026 (Fechas para Presentar Solicitudes) tiene números para fechas de \
         prioridad anteriores al 1 de octubre de 2008."
    );
    let india = preference("employment", "EB-2", "IN", "2020-02-29");
    assert_eq!(
        said(&india, Language::En).because,
        "For EB-2 and India, the Visa Bulletin of July 2026 (Final Action Dates) has no numbers."
    );
}

#[test]
fn next_months_bulletin_is_a_row_more_in_the_folder() {
    let catalogue = beside(&format!("{WRITTEN}{NEXT}")).unwrap();
    let form = catalogue.form("T-1").unwrap();
    let known = |on: &str| asked(form, "known", ["F1", "FR", "2010-01-01"], on);
    assert_eq!(
        ["2026-11-30", "2026-12-01", "2026-12-31", "2027-01-01"].map(known),
        [Truth::False, Truth::True, Truth::True, Truth::False]
    );
    let available = |asked_by| asked(form, "available", asked_by, "2026-12-24");
    assert_eq!(available(["F1", "FR", "2010-12-31"]), Truth::True);
    assert_eq!(available(["F1", "CN", "2010-12-31"]), Truth::False);
    assert_eq!(available(["F1", "PH", "2026-12-24"]), Truth::True);
    // Of a day that is not known it is said where it is so on every one.
    assert_eq!(available(["F1", "FR", "2010-12"]), Truth::True);
    assert_eq!(available(["F1", "FR", "2011"]), Truth::False);
    assert_eq!(available(["EB-1", "IN", "2022-10"]), Truth::Unknown);
    assert_eq!(available(["EB-5", "IN", "2001"]), Truth::Unknown);
    assert_eq!(asked(form, "listed", ["EB-5", "IN", "2001"], "2026-12-24"), Truth::False);
    assert_eq!(asked(form, "available", ["F1", "FR", "2010-01-01"], "2026-11-30"), Truth::Unknown);
}

#[test]
fn a_faulty_bulletin_is_named_with_its_place_and_a_form_without_one_too() {
    let without = load(ASKED).unwrap_err();
    assert!(without[0].message.contains("visa_available() has no Visa Bulletin to read"), "{without:?}");
    assert!(beside(WRITTEN).is_ok());
    for (was, is, message) in [
        ("month = \"2026-07\"", "month = \"July\"", "a month is written as 2026-07"),
        ("\"2019-01-01\", \"2019-01-01\", \"2019-01-01\", ", "\"2019-01-01\", ", "F1 has not 5 entries"),
        ("[\"2019-01-01\", ", "[\"2026-07-01\", ", "a date of F1 does not lie before the month"),
        ("[\"2019-01-01\", ", "[\"N\", ", "`N` is not C, U or a date"),
        ("dates.\"F3\"", "dates.\"F5\"", "it says nothing of F3"),
        ("dates.\"F3\"", "dates.\"EB-1\"", "there is no class EB-1 of this kind"),
        ("names = [\"F3\"", "names = [\"F-1\"", "another class is written F1 too"),
        ("countries = [\"IN\"]", "countries = [\"CN\"]", "CN is in two areas"),
        ("countries = []", "countries = [\"FR\"]", "the first area lists no country"),
    ] {
        assert!(WRITTEN.contains(was), "{was}");
        let faults = beside(&WRITTEN.replacen(was, is, 1)).unwrap_err();
        assert!(faults.iter().any(|one| one.message.contains(message)), "{message}: {faults:?}");
        assert!(faults.iter().any(|one| one.file == "_visa_bulletin.toml" && one.line > 0), "{faults:?}");
    }
    let twice = NEXT.replace("2026-12", "2026-07");
    let faults = beside(&format!("{WRITTEN}{twice}")).unwrap_err();
    assert!(faults[0].message.contains("after the months before it"), "{faults:?}");
}

#[test]
fn a_definition_carries_the_bulletin_where_its_form_reads_it() {
    let catalogue = Catalogue::embedded();
    let reads = |form: &&Form| form.visas.is_some();
    assert_eq!(catalogue.forms().filter(reads).map(|form| form.id.as_str()).collect::<Vec<_>>(), ["I-485"]);
    let written = serde_json::to_string(catalogue.form("I-485").unwrap()).unwrap();
    let read = Form::from_definition(&written).unwrap();
    assert_eq!(read.visas, catalogue.form("I-485").unwrap().visas);
    let answers = preference("employment", "EB-2", "IN", "2020-01-01");
    let given = Given::on(day("2026-07-01"));
    assert_eq!(rule_value(&read, "visa-availability", &answers, &given), Some(Truth::True));
    let without = written.replacen("\"visas\":", "\"was\":", 1);
    assert!(Form::from_definition(&without).is_err());
}
