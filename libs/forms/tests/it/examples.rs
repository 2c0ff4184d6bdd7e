//! Worked examples of fees and rules.

use std::sync::LazyLock;

use docket_forms::{Catalogue, FeeResult, FilingChannel, Form, Truth, fee, rule_value};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::support::{day, given, load};

#[derive(Deserialize)]
struct Examples {
    fee: Vec<Fee>,
    rule: Vec<Rule>,
}

#[derive(Deserialize)]
struct Fee {
    form: String,
    channel: FilingChannel,
    date: String,
    waiver: bool,
    total: i64,
    rows: Vec<Row>,
    answers: Map<String, Value>,
}

#[derive(Deserialize)]
struct Row {
    id: String,
    usd: i64,
}

#[derive(Deserialize)]
struct Rule {
    form: String,
    #[serde(rename = "rule")]
    id: String,
    date: String,
    /// Where the filer is, where that is another day.
    today: Option<String>,
    value: Truth,
    #[serde(default)]
    linked: Vec<String>,
    answers: Map<String, Value>,
}

static EXAMPLES: LazyLock<Examples> =
    LazyLock::new(|| toml::from_str(include_str!("examples.toml")).unwrap());

/// The blocks of residence and birth without a prefix.
static COMMON: LazyLock<Form> = LazyLock::new(|| {
    load("include = [{ block = \"birth\", prefix = \"\", section = \"all\" }, { block = \"residence_history\", prefix = \"\", section = \"all\" }]")
        .unwrap()
});

#[test]
fn fees_come_out() {
    let catalogue = Catalogue::embedded();
    assert_eq!(EXAMPLES.fee.len(), 62);
    for (n, case) in EXAMPLES.fee.iter().enumerate() {
        let mut given = given(&case.date);
        given.channel = case.channel;
        let form = catalogue.form(&case.form).unwrap();
        let name = format!("fee {n}: {} {} {}", case.form, case.date, Value::Object(case.answers.clone()));
        match fee(form, &case.answers, &given, case.waiver) {
            FeeResult::Known { rows, total_cents, table_version, .. } => {
                let got: Vec<(&str, i64)> = rows.iter().map(|row| (row.id.as_str(), row.cents)).collect();
                let wanted: Vec<(&str, i64)> =
                    case.rows.iter().map(|row| (row.id.as_str(), row.usd * 100)).collect();
                assert_eq!(got, wanted, "{name}");
                assert_eq!(total_cents, case.total * 100, "{name}");
                assert_eq!(table_version, catalogue.version());
            }
            other @ (FeeResult::Unknown { .. } | FeeResult::Unpublished { .. }) => {
                panic!("{name}: {other:?}")
            }
        }
    }
}

#[test]
fn rules_come_out() {
    let catalogue = Catalogue::embedded();
    assert_eq!(EXAMPLES.rule.len(), 101);
    for (n, case) in EXAMPLES.rule.iter().enumerate() {
        let mut given = given(&case.date);
        given.today = case.today.as_deref().map_or(given.filing_date, day);
        given.linked = case.linked.iter().cloned().collect();
        let form = if case.form == "_common" { &COMMON } else { catalogue.form(&case.form).unwrap() };
        let got = rule_value(form, &case.id, &case.answers, &given);
        let answers = Value::Object(case.answers.clone());
        assert_eq!(got, Some(case.value), "rule {n}: {} {} {} {answers}", case.form, case.id, case.date);
    }
}

#[test]
fn presence_counts_whole_days_abroad() {
    let form = |least: i64| {
        load(&format!(
            "question = [{{ id = \"trips\", section = \"all\", type = \"repeating\", required = \"never\", label = \"Trips\", fields = [\"left|date|y|Left\", \"back|date|y|Back\"] }}]\n\
             rule = [{{ id = \"present\", level = \"warn\", when = \"days_present(trips, d'2021-06-01', d'2026-06-01') == {least}\", field = \"trips\", kind = \"advice\", message = \"So many.\" }}]"
        ))
        .unwrap()
    };
    let value = |least, trips: Value| {
        let answers = crate::support::answers(serde_json::json!({ "trips": trips }));
        rule_value(&form(least), "present", &answers, &given("2026-06-01")).unwrap()
    };
    let trip = |left: &str, back: &str| serde_json::json!({ "left": left, "back": back });
    assert_eq!(value(1817, serde_json::json!([trip("2024-01-01", "2024-01-11")])), Truth::True);
    assert_eq!(
        value(1817, serde_json::json!([trip("2024-01-05", "2024-01-11"), trip("2024-01-01", "2024-01-08")])),
        Truth::True,
        "days are counted once"
    );
    assert_eq!(value(1826, serde_json::json!([])), Truth::True);
    assert_eq!(value(0, serde_json::json!([{ "left": "2020-01-01" }])), Truth::True);
    assert_eq!(value(0, serde_json::json!([{ "back": "2020-01-01" }])), Truth::Unknown);
}
