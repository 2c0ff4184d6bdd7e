//! The poverty guidelines: by day, household and state, to the cent; what they answer nobody else does, and what no table answers
//! is a fault.

use docket_forms::{Answers, Catalogue, Form, Given, Language, Truth, evaluate, normalise, rule_value};
use serde_json::{Value, json};

use crate::support::{answers, fault, given, load_all};

fn form(id: &str) -> Form {
    Catalogue::embedded().form(id).unwrap().clone()
}

fn home(state: &str) -> Value {
    json!({ "line1": "1 Sample Street", "city": "Sample", "state": state, "postal_code": "99501", "country": "US" })
}

/// A waiver because of a low income.
fn waiver(state: &str, household: i64, income: i64) -> Answers {
    answers(json!({
        "basis": ["income_at_or_below_150"], "household_size": household, "income": income,
        "app_mailing": home(state), "app_physical_same": true,
    }))
}

fn over(state: &str, household: i64, income: i64, day: &str) -> Truth {
    rule_value(&form("I-912"), "over-150", &waiver(state, household, income), &given(day)).unwrap()
}

fn line(answers: &Answers, form: &Form, given: &Given) -> Option<i64> {
    evaluate(form, answers, given).filled.first().map(|filled| filled.cents)
}

#[test]
fn a_waiver_is_stopped_one_cent_above_the_line_and_not_at_it() {
    // 150 % of $33,000, of $69,650 + $7,100, of $18,360.
    for (state, household, most) in [("TX", 4, 4_950_000), ("AK", 9, 11_512_500), ("HI", 1, 2_754_000)] {
        assert_eq!(over(state, household, most, "2026-06-01"), Truth::False, "{state}");
        assert_eq!(over(state, household, most + 1, "2026-06-01"), Truth::True, "{state}");
    }
    assert_eq!(over("TX", 1, 20_000_000, "2026-06-01"), Truth::True, "$200,000 is no low income");
}

#[test]
fn each_use_takes_the_guidelines_of_a_year_from_its_own_day_on() {
    let (i912, i864) = (form("I-912"), form("I-864"));
    let answers = waiver("PR", 1, 0);
    for (day, waived, supported) in [
        ("2025-01-14", None, None),
        ("2025-01-15", Some(1_565_000), None),
        ("2025-03-01", Some(1_565_000), Some(1_565_000)),
        ("2026-01-12", Some(1_565_000), Some(1_565_000)),
        ("2026-01-13", Some(1_596_000), Some(1_565_000)),
        ("2026-02-28", Some(1_596_000), Some(1_565_000)),
        ("2026-03-01", Some(1_596_000), Some(1_596_000)),
        ("2031-01-01", Some(1_596_000), Some(1_596_000)),
    ] {
        assert_eq!(line(&answers, &i912, &given(day)), waived, "{day}");
        assert_eq!(line(&answers, &i864, &given(day)), supported, "{day}");
    }
    // At the change of the year, by the day of filing.
    assert_eq!(over("TX", 1, 2_347_501, "2026-01-12"), Truth::True);
    assert_eq!(over("TX", 1, 2_347_501, "2026-01-13"), Truth::False);
}

#[test]
fn a_sponsor_is_warned_one_cent_below_125_percent_or_below_the_line_on_active_duty() {
    let form = form("I-864");
    let value = |rule: &str, military: bool, income: i64| {
        let answers = answers(json!({
            "household_size": 2, "household_income": income, "military_active": military,
            "app_mailing": home("NY"), "app_physical_same": false, "app_physical": home("AK"),
        }));
        rule_value(&form, rule, &answers, &given("2026-06-01")).unwrap()
    };
    // Where they live, and not where their letters go: $27,050 in Alaska.
    assert_eq!(value("income-125", false, 3_381_249), Truth::True);
    assert_eq!(value("income-125", false, 3_381_250), Truth::False);
    assert_eq!(value("income-100", true, 2_704_999), Truth::True);
    assert_eq!(value("income-100", true, 2_705_000), Truth::False);
}

#[test]
fn who_has_no_guideline_is_stopped_and_not_waved_through() {
    let i912 = form("I-912");
    let stopped = |answers: &Answers, day: &str| {
        let found = evaluate(&i912, answers, &given(day)).findings;
        found.into_iter().map(|finding| finding.rule).collect::<Vec<_>>()
    };
    assert_eq!(stopped(&waiver("NY", 1, 0), "2026-06-01"), [""; 0]);
    for (answers, day) in [
        (waiver("AS", 1, 0), "2026-06-01"),
        (waiver("NY", 0, 0), "2026-06-01"),
        (waiver("NY", 1, 0), "2025-01-01"),
    ] {
        assert_eq!(stopped(&answers, day), ["no-guideline"], "{answers:?} {day}");
    }
    let mut hardship = waiver("AS", 1, 0);
    hardship.insert("basis".into(), json!(["financial_hardship"]));
    assert_eq!(stopped(&hardship, "2026-06-01"), [""; 0]);
}

#[test]
fn the_line_is_told_with_its_source_and_rests_on_what_was_asked() {
    let catalogue = Catalogue::embedded();
    let i912 = catalogue.form("I-912").unwrap();
    let answers = waiver("TX", 4, 4_950_001);
    let said = |language| evaluate(catalogue.in_language(i912, language), &answers, &given("2026-06-01"));
    let english = said(Language::En);
    let told = &english.filled[0];
    let words = "The poverty guideline for a household of 4 in Texas is $33,000.00 a year; 150 % of it is $49,500.00.";
    assert_eq!(
        (told.question.as_str(), told.cents, told.because.as_str()),
        ("poverty_line", 3_300_000, words)
    );
    assert_eq!(told.cite, "91 FR 1797 (15 January 2026)");
    let finding = &english.findings[0];
    assert_eq!(finding.message, "Income is above 150 % of the guideline: choose another basis.");
    assert_eq!(finding.because, words);
    assert_eq!(finding.way_out, "choose another basis.");
    assert_eq!(finding.rests_on, ["income", "household_size", "app_mailing"]);
    assert!(said(Language::Es).filled[0].because.contains("un hogar de 4 en Texas es de $33,000.00 por año"));
}

#[test]
fn nobody_else_answers_what_a_table_answers() {
    let i912 = form("I-912");
    let mut bribed = waiver("TX", 1, 20_000_000);
    bribed.insert("poverty_line".into(), json!(99_999_999_999_i64));
    assert_eq!(rule_value(&i912, "over-150", &bribed, &given("2026-06-01")), Some(Truth::True));
    let refused = normalise(&i912, "poverty_line", &json!(5)).unwrap_err();
    assert_eq!((refused.field.as_str(), refused.reason.as_str()), ("poverty_line", "ANSWERED_BY_THE_FILING"));
    assert_eq!(normalise(&i912, "poverty_line", &Value::Null), Ok(Value::Null));
}

#[test]
fn a_part_that_is_told_is_one_that_a_rule_compares_with() {
    for form in Catalogue::embedded().forms() {
        for question in &form.questions {
            for percent in question.filled.iter().flat_map(|filled| &filled.percent) {
                let wanted = if *percent == 100 {
                    question.id.clone()
                } else {
                    format!("{} * {percent}", question.id)
                };
                let compares = form.rules.iter().any(|rule| rule.when.to_string().contains(&wanted));
                assert!(compares, "{} {} {percent}", form.id, question.id);
            }
        }
    }
}

const ASKED: &str = r#"question = [
  { id = "n", section = "all", type = "int", required = "always", label = "How many?" },
  { id = "home", section = "all", type = "address", required = "always", label = "Where?" },
  { id = "line", section = "all", type = "money", required = "never", label = "Line", filled = { table = "support", household = "n", state = ["home.state"], percent = [] } },
]
rule = [{ id = "r", level = "block", when = "n < line", field = "n", kind = "intake", message = "So." }]"#;

#[test]
fn what_no_table_fills_in_is_a_fault_of_the_catalogue() {
    let whole = include_str!("../../catalogue/_guidelines.toml");
    let beside = |form: &str, table: &str| {
        let text = format!("{}{form}", crate::support::HEAD);
        load_all(&[("t-1.toml", &text), ("_guidelines.toml", table)])
    };
    let only = |form: &str, table: &str| {
        let mut faults = beside(form, table).unwrap_err();
        assert_eq!(faults.len(), 1, "{faults:?}");
        faults.remove(0)
    };
    assert!(beside(ASKED, whole).is_ok());
    let none = fault(ASKED);
    assert_eq!(
        (none.id.as_str(), none.message.as_str()),
        ("line", "nothing fills it in: there is no table support")
    );
    for (was, is, message) in [
        ("\"support\"", "\"alms\"", "there is no table alms"),
        ("\"money\", required = \"never\"", "\"money\", required = \"n > 1\"", "never required of anybody"),
        ("household = \"n\"", "household = \"home.city\"", "a number is needed here"),
        ("[\"home.state\"]", "[\"n\"]", "a text is needed here"),
        ("[\"home.state\"]", "[]", "nothing says where"),
        ("household = \"n\"", "household = \"line\"", "depending on itself"),
    ] {
        let found = only(&ASKED.replacen(was, is, 1), whole);
        assert!(found.message.contains(message), "{message}: {found}");
    }
    for (was, is, message) in [
        ("support = \"2026-02-28\"", "support = \"2026-02-27\"", "the day after the one before it ends"),
        ("15650, 21150", "15650, 15650", "each more than the one before"),
        ("15650, 21150", "15650", "has not 8 amounts"),
        ("alaska = [\"AK\"]", "alaska = [\"AK\", \"TX\"]", "TX is in two places"),
        ("hawaii = [\"HI\"]", "hawaii = [\"HI\"]\nguam = [\"XX\"]", "other places than the file"),
    ] {
        let faults = beside("", &whole.replacen(was, is, 1)).unwrap_err();
        assert!(faults.iter().any(|one| one.message.contains(message)), "{message}: {faults:?}");
        assert!(faults.iter().all(|one| one.file == "_guidelines.toml"), "{faults:?}");
    }
}

#[test]
fn a_definition_carries_its_table() {
    let written = serde_json::to_string(&form("I-912")).unwrap();
    let read = Form::from_definition(&written).unwrap();
    let answers = waiver("HI", 8, 0);
    assert_eq!(line(&answers, &read, &given("2026-06-01")), Some(6_407_000));
    let emptied = written.replacen("\"years\":[", "\"years\":[],\"was\":[", 1);
    assert!(Form::from_definition(&emptied).is_err());
}
