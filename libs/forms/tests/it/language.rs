//! The language: its laws in three values, its dates, and what is set aside.

use docket_forms::{Answers, Form, Truth, evaluate, rule_value};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{answers, given, load};

fn form(when: &str) -> Form {
    load(&format!(
        r#"question = [
  {{ id = "a", section = "all", type = "yes_no", required = "never", label = "A?" }},
  {{ id = "b", section = "all", type = "yes_no", required = "never", label = "B?" }},
  {{ id = "c", section = "all", type = "yes_no", required = "never", label = "C?" }},
  {{ id = "gate", section = "all", type = "yes_no", required = "always", label = "Gate?" }},
  {{ id = "behind", section = "all", type = "text", required = "gate", label = "Behind" }},
  {{ id = "ticked", section = "all", type = "check", required = "never", shown = "gate", label = "Tick" }},
  {{ id = "many", section = "all", type = "multi", required = "gate", label = "Many", options = ["x", "y"] }},
  {{ id = "n", section = "all", type = "int", required = "never", label = "N" }},
  {{ id = "on", section = "all", type = "date", required = "never", label = "On" }},
  {{ id = "part", section = "all", type = "partial_date", required = "never", label = "Part" }},
  {{ id = "word", section = "all", type = "text", required = "never", label = "Word" }},
  {{ id = "home", section = "all", type = "address", required = "never", label = "Home" }},
  {{ id = "work", section = "all", type = "address", required = "never", label = "Work" }},
  {{ id = "stays", section = "all", type = "repeating", required = "never", label = "Stays", fields = ["since|date|n|Since", "until|date|n|Until"] }},
  {{ id = "months", section = "all", type = "repeating", required = "never", label = "Months", fields = ["from|partial_date:month|n|From", "to|partial_date:month|not it.current|To", "current|check|n|Current"] }},
  {{ id = "list", section = "all", type = "repeating", required = "gate", label = "List", fields = ["from|date|n|From", "to|date|not it.current|To", "current|check|n|Current", "ok|yes_no|n|OK"] }},
]
rule = [{{ id = "r", level = "warn", when = "{when}", field = "a", kind = "advice", message = "So." }}]
"#
    ))
    .unwrap_or_else(|errors| panic!("{when}: {errors:?}"))
}

fn value(when: &str, given_answers: Value) -> Truth {
    rule_value(&form(when), "r", &answers(given_answers), &given("2026-03-02")).unwrap()
}

fn asked(truth: Truth) -> Value {
    match truth {
        Truth::True => Value::Bool(true),
        Truth::False => Value::Bool(false),
        Truth::Unknown => Value::Null,
    }
}

#[test]
fn functions_and_dates_as_written_down() {
    use Truth::{False, True, Unknown};
    for (when, with, expected) in [
        ("d'2024-02-29' + years(1) == d'2025-03-01'", json!({}), True),
        ("d'2024-02-29' - years(1) == d'2023-02-28'", json!({}), True),
        ("d'2024-02-29' + years(14) + days(30) == d'2038-03-31'", json!({}), True),
        ("closing(d'2024-02-29', years(2)) == d'2026-02-28'", json!({}), True),
        ("d'2026-03-31' - months(1) == d'2026-02-28'", json!({}), True),
        ("roll(d'2026-07-03') == d'2026-07-06'", json!({}), True),
        ("later(d'2026-07-03', on) == d'2026-07-03'", json!({}), Unknown),
        ("earlier(d'2026-07-03', on) == on", json!({"on": "2026-07-01"}), True),
        ("days_between(d'2026-03-02', d'2026-03-01') == n - 2", json!({"n": 1}), True),
        ("2 + 3 * 4 - 1 == 13", json!({}), True),
        ("not a and b", json!({"a": false, "b": true}), True),
        ("not n == 1", json!({"n": 2}), True),
        ("word == ' STRASSE  12'", json!({"word": "strasse 12"}), True),
        ("word in ['x','Él']", json!({"word": "e\u{301}l"}), True),
        ("word == 'it''s'", json!({"word": "It's"}), True),
        ("present(part)", json!({"part": "1985"}), True),
        ("present(part)", json!({"part": ""}), False),
        ("present(a)", json!({"a": false}), True),
        ("present(many)", json!({"gate": true, "many": []}), False),
        ("home == work", json!({"home": {"city": "Reno"}, "work": {"city": "RENO", "unit": ""}}), True),
        ("home.city == 'reno'", json!({"home": {"city": "Reno"}}), True),
        ("home.state == 'NV'", json!({"home": {"city": "Reno"}}), Unknown),
        ("po_box(home)", json!({"home": {"line1": "P.O. Box 12"}}), True),
        ("single_word(word)", json!({"word": " one "}), True),
        ("single_word(word)", json!({"word": "one two"}), False),
        ("code(word) == 'B2'", json!({}), Unknown),
        ("code(word) in ['B2','K1']", json!({"word": "H-1B"}), False),
        ("contains(many, 'x')", json!({"gate": true, "many": ["x"]}), True),
        ("contains(many, 'x')", json!({"gate": true}), Unknown),
        ("count(list) == 0", json!({"gate": true, "list": []}), True),
        ("count(list) == 0", json!({"gate": true}), Unknown),
        ("any(list, it.ok)", json!({"gate": true, "list": []}), False),
        ("all(list, it.ok)", json!({"gate": true, "list": []}), True),
        ("any(list, it.ok)", json!({"gate": true, "list": [{}, {"ok": true}]}), True),
        ("all(list, it.ok)", json!({"gate": true, "list": [{}, {"ok": true}]}), Unknown),
        ("max_of(list, 'from') > on", json!({"gate": true, "list": [], "on": "2026-01-01"}), Unknown),
        (
            "max_of(list, 'from') > min_of(list, 'from')",
            json!({"gate": true, "list": [{"from": "2026-01-01"}, {"from": "2025-01-01"}]}),
            True,
        ),
        (
            "max_of(list, 'from') > on",
            json!({"on": "2020-01-01", "gate": true, "list": [{"from": "2026-01-01"}, {}]}),
            Unknown,
        ),
        ("gap_days(list, d'2026-01-01', d'2026-02-01') == 31", json!({"gate": true, "list": []}), True),
        (
            "gap_days(list, d'2026-01-01', d'2026-02-01') == 9",
            json!({"gate": true, "list": [{"from": "2026-01-10", "to": "2026-01-20"}, {"from": "2026-01-25"}]}),
            True,
        ),
        (
            "gap_days(list, d'2026-01-01', d'2026-02-01') == 0",
            json!({"gate": true, "list": [{"to": "2026-01-20"}]}),
            Unknown,
        ),
        (
            "gap_days(list, d'2026-01-01', d'2026-02-01') == 0",
            json!({"gate": true, "list": [{"from": "2025-01-01", "to": "2025-02-01", "current": true}]}),
            True,
        ),
        ("linked('T-1')", json!({}), False),
        ("edition < form_edition", json!({}), Unknown),
        ("channel == 'online' and not fee_waiver_requested", json!({}), True),
        ("n * 9999999999 * 9999999999 > 1", json!({"n": 9_999_999}), Unknown),
    ] {
        assert_eq!(value(when, with.clone()), expected, "{when} with {with}");
    }
}

#[test]
fn a_code_is_known_however_it_is_typed() {
    for (typed, code) in [
        ("I-485", "I485"),
        ("Form I485, filed in May", "I485"),
        ("formulario i 485", "I485"),
        ("N\u{2013}400", "N400"),
        ("I-821D", "I821D"),
        ("B-2", "B2"),
        ("b2", "B2"),
        ("B 2 visitor", "B2"),
        ("B1/B2", "B1"),
        ("2 years in F-1", "F1"),
        ("H-1B", "H1B"),
        ("L2S", "L2S"),
        ("F1student", "F1"),
        ("Visa Waiver", "VISAWAIVER"),
        ("esta", "ESTA"),
        ("485", "485"),
        ("-", ""),
        ("5 -", "5"),
    ] {
        assert_eq!(value(&format!("code(word) == '{code}'"), json!({"word": typed})), Truth::True, "{typed}");
    }
}

#[test]
fn days_that_two_items_cover_are_counted_once() {
    use Truth::{True, Unknown};
    for (when, with, expected) in [
        ("overlap_days(list, 'from', 'to', d'2026-02-01') == 0", json!({"gate": true, "list": []}), True),
        ("overlap_days(list, 'from', 'to', d'2026-02-01') == 0", json!({"gate": true}), Unknown),
        (
            "overlap_days(list, 'from', 'to', d'2026-02-01') == 0",
            json!({"gate": true, "list": [{"from": "2026-01-01", "to": "2026-01-10"}, {"from": "2026-01-10", "current": true}]}),
            True,
        ),
        (
            "overlap_days(list, 'from', 'to', d'2026-02-01') == 3",
            json!({"gate": true, "list": [{"from": "2026-01-07", "current": true}, {"from": "2026-01-01", "to": "2026-01-10"}]}),
            True,
        ),
        // Two that go on overlap up to the day that is given, and no longer.
        (
            "overlap_days(list, 'from', 'to', d'2026-02-01') == 12",
            json!({"gate": true, "list": [{"from": "2026-01-20", "current": true}, {"from": "2020-01-01", "current": true}]}),
            True,
        ),
        // Three at one time count once; what ends before it begins counts for nothing.
        (
            "overlap_days(list, 'from', 'to', d'2026-02-01') == 9",
            json!({"gate": true, "list": [
                {"from": "2026-01-01", "to": "2026-01-10"}, {"from": "2026-01-01", "to": "2026-01-05"},
                {"from": "2026-01-01", "to": "2026-01-10"}, {"from": "2026-01-09", "to": "2026-01-03"}]}),
            True,
        ),
        (
            "overlap_days(list, 'from', 'to', d'2026-02-01') == 0",
            json!({"gate": true, "list": [{"from": "2026-01-01"}, {"from": "2026-01-10", "current": true}]}),
            Unknown,
        ),
        (
            "overlap_days(list, 'from', 'to', d'2026-02-01') > 0",
            json!({"gate": true, "list": [{"to": "2026-01-20"}, {"from": "2026-01-10", "current": true}]}),
            Unknown,
        ),
        // What cannot be marked as current goes on where it has no end.
        (
            "overlap_days(stays, 'since', 'until', d'2026-02-01') == 22",
            json!({"stays": [{"since": "2026-01-01"}, {"since": "2026-01-10"}]}),
            True,
        ),
    ] {
        assert_eq!(value(when, with.clone()), expected, "{when} with {with}");
    }
}

#[test]
fn what_is_said_of_a_month_or_a_year_is_so_on_each_of_its_days() {
    use Truth::{False, True, Unknown};
    for (when, part, on, expected) in [
        ("part < on", "1985", "1986-01-01", True),
        ("part < on", "1985", "1985-12-31", Unknown),
        ("part <= on", "1985", "1985-12-31", True),
        ("part > on", "1985-06", "1985-06-30", False),
        ("on >= part", "1985-06", "1985-06-30", True),
        ("part == on", "1985-06", "1985-06-30", Unknown),
        ("part == on", "1985-06", "1985-07-01", False),
        ("part != on", "1985-06", "1985-05-31", True),
        ("part == on", "1985-06-30", "1985-06-30", True),
        ("part in [d'1985-05-31', d'1985-07-01']", "1985-06", "1985-06-01", False),
        ("part in [d'1985-05-31', d'1985-06-15']", "1985-06", "1985-06-01", Unknown),
        ("whole(part)", "1985", "1985-06-01", False),
        ("whole(part)", "1985-06", "1985-06-01", False),
        ("whole(part) and whole(on)", "1985-06-01", "1985-06-01", True),
        ("age(part, on) >= 18", "1985-06", "2003-06-30", True),
        ("age(part, on) >= 18", "1985-06", "2003-06-29", Unknown),
        ("age(part, on) >= 18", "1985-06", "2003-05-31", False),
        ("part + years(18) <= on", "1984-02", "2002-02-28", Unknown),
        ("part + years(18) <= on", "1984-02", "2002-03-01", True),
        ("part - months(1) < on", "2026-03", "2026-03-01", True),
        ("days_between(part, on) > 30", "2026-01", "2026-03-03", True),
        ("days_between(part, on) > 30", "2026-01", "2026-03-02", Unknown),
        ("days_between(part, on) > 30", "2026-01", "2026-01-31", False),
        ("100 - days_between(part, on) * 2 < 38", "2026-01", "2026-03-04", True),
        ("later(part, on) == on", "1985-06", "1985-07-01", True),
        ("earlier(part, on) == on", "1985-06", "1985-06-01", True),
        ("later(part, on) == on", "1985-06", "1985-06-15", Unknown),
        ("closing(part, years(1)) < roll(on)", "2025-07", "2026-07-31", Unknown),
        ("closing(part, years(1)) < roll(on)", "2025-07", "2026-08-01", True),
        // A number of days that is not known makes no length of time.
        ("on + days(days_between(part, on)) > part", "2025-07", "2026-08-01", Unknown),
    ] {
        assert_eq!(value(when, json!({"part": part, "on": on})), expected, "{when} with {part}, {on}");
    }
    assert_eq!(value("whole(part)", json!({})), Unknown, "nothing is said of what is not answered");
}

#[test]
fn a_gap_or_an_overlap_is_said_only_where_it_is_there_whatever_the_day() {
    use Truth::{False, True, Unknown};
    let gap = |days| format!("gap_days(months, d'2026-01-01', d'2026-07-01') > {days}");
    let overlap = |days| format!("overlap_days(months, 'from', 'to', d'2026-07-01') > {days}");
    let then = |left: &str, came: &str| json!({"months": [{"from": came, "current": true}, {"from": "2024-05", "to": left}]});
    for (when, with, expected) in [
        // From one month to the same, or to the next, nobody need know the day.
        (gap(31), then("2026-03", "2026-03"), False),
        (gap(31), then("2026-03", "2026-04"), Unknown),
        (gap(31), then("2026-03", "2026-05"), Unknown),
        (gap(31), then("2026-02", "2026-04"), True),
        (gap(31), then("2026-02-28", "2026-04"), True),
        (gap(32), then("2026-02", "2026-04"), Unknown),
        (gap(31), json!({"months": [{"from": "2026-02", "current": true}]}), Unknown),
        (gap(31), json!({"months": [{"from": "2026-03", "current": true}]}), True),
        (gap(31), json!({"months": [{"to": "2026-03"}]}), Unknown),
        (overlap(0), then("2026-03", "2026-04"), False),
        (overlap(0), then("2026-03", "2026-03"), Unknown),
        (overlap(31), then("2026-03", "2026-03"), False),
        (overlap(31), then("2026-04", "2026-02"), True),
        (overlap(32), then("2026-04", "2026-02"), Unknown),
        (overlap(0), then("2026-03", "2026-03-31"), False),
    ] {
        assert_eq!(value(&when, with.clone()), expected, "{when} with {with}");
    }
    // A year alone does not say it.
    let year = json!({"months": [{"from": "2025", "current": true}]});
    assert_eq!(value("any(months, present(it.from))", year), False);
}

#[test]
fn what_does_not_apply_is_set_aside_and_kept() {
    let form = form("present(behind) or ticked or count(many) > 0 or count(list) > 0");
    let full = json!({"behind": "text", "ticked": true, "many": ["x"], "list": [{"ok": true}]});
    for (gate, expected) in
        [(json!(true), Truth::True), (json!(false), Truth::False), (Value::Null, Truth::True)]
    {
        let mut with = answers(full.clone());
        with.insert("gate".into(), gate.clone());
        let before = with.clone();
        assert_eq!(rule_value(&form, "r", &with, &given("2026-03-02")), Some(expected), "gate {gate}");
        assert_eq!(with, before, "the draft keeps what is set aside");
    }
    assert_eq!(
        value(
            "any(list, present(it.to))",
            json!({"gate": true, "list": [{"to": "2026-01-01", "current": true}]})
        ),
        Truth::False
    );
}

#[test]
fn a_wrong_shape_counts_as_not_answered() {
    for wrong in [json!("x"), json!([]), json!({}), json!(1.5), json!(null), json!(-1)] {
        assert_eq!(value("present(n)", json!({"n": wrong})), Truth::False, "{wrong}");
    }
    assert_eq!(value("present(list)", json!({"gate": true, "list": ["x"]})), Truth::False);
    assert_eq!(value("present(many)", json!({"gate": true, "many": ["z"]})), Truth::False);
    assert_eq!(
        value("any(list, present(it.from))", json!({"gate": true, "list": [{"from": "soon"}]})),
        Truth::False
    );
}

/// A date, and how much of it is told: ten letters, seven or four.
fn some_date() -> impl Strategy<Value = (String, usize)> {
    let day = (0..24_i16, 1..32_i8).prop_map(|(month, day)| {
        let first = jiff::civil::date(2024 + month / 12, i8::try_from(month % 12).unwrap() + 1, 1);
        first.with().day(day.min(first.days_in_month())).build().unwrap().to_string()
    });
    (day, prop_oneof![Just(10_usize), Just(7), Just(7), Just(4)])
}

/// Conditions that name each date once, over `part`, `on` and `months`.
const OF_DATES: [&str; 13] = [
    "part < on",
    "part >= d'2025-01-01'",
    "part == on",
    "part in [d'2024-12-31', d'2025-01-31']",
    "part + months(5) - days(3) <= on",
    "days_between(part, on) > 40",
    "2 * days_between(part, on) - 3 < 100",
    "age(part, on) >= 1",
    "later(part, on) > d'2025-03-31'",
    "closing(part, years(1)) <= earlier(on, d'2025-11-30')",
    "gap_days(months, d'2024-02-01', d'2026-01-01') > 31",
    "overlap_days(months, 'from', 'to', d'2026-01-01') > 31",
    "any(months, it.to < it.from)",
];

/// The answers with the dates as far as each is told, or filled up.
fn dated(dates: &[(String, usize)], filled: impl Fn(usize, &str) -> String) -> Answers {
    let told = |n: usize| {
        let (day, known) = &dates[n];
        // A list asks for the month at least.
        filled(n, &day[..if n > 1 { (*known).max(7) } else { *known }])
    };
    let mut answers = answers(json!({"part": told(0), "on": dates[1].0}));
    let items = (2..dates.len() - 1).step_by(2).map(|n| {
        let current = n == 2;
        if current {
            json!({"from": told(n), "current": true})
        } else {
            json!({"from": told(n), "to": told(n + 1)})
        }
    });
    answers.insert("months".into(), items.collect());
    answers
}

/// The first or the last day that it can be.
fn end(told: &str, last: bool) -> String {
    let known = docket_kernel::identifier::partial_date(told).unwrap();
    (if last { known.last() } else { known.first() }).to_string()
}

fn some_truth() -> impl Strategy<Value = Truth> {
    prop_oneof![Just(Truth::True), Just(Truth::False), Just(Truth::Unknown)]
}

fn with(a: Truth, b: Truth, c: Truth) -> Answers {
    answers(json!({"a": asked(a), "b": asked(b), "c": asked(c)}))
}

/// Expressions over three conditions.
fn some_condition() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("a".to_owned()),
        Just("b".to_owned()),
        Just("c".to_owned()),
        Just("present(a)".to_owned()),
        Just("age(on, today) < 18".to_owned()),
        Just("word in ['x', 'y']".to_owned()),
        Just("n * 2 + 1 > 4 - n".to_owned()),
    ];
    leaf.prop_recursive(4, 24, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(x, y)| format!("({x} and {y})")),
            (inner.clone(), inner.clone()).prop_map(|(x, y)| format!("({x} or {y})")),
            inner.clone().prop_map(|x| format!("not {x}")),
            (inner.clone(), inner).prop_map(|(x, y)| format!("{x} or not {y} and c")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_laws_of_kleene_hold(a in some_truth(), b in some_truth(), c in some_truth()) {
        for (left, right) in [
            ("a and b", "b and a"),
            ("a or b", "b or a"),
            ("a and (b and c)", "(a and b) and c"),
            ("a or (b or c)", "(a or b) or c"),
            ("a and (b or c)", "a and b or a and c"),
            ("a or b and c", "(a or b) and (a or c)"),
            ("not (a and b)", "not a or not b"),
            ("not (a or b)", "not a and not b"),
            ("not not a", "a"),
            ("a and a", "a"),
            ("a or a and b", "a"),
            ("a and never", "never"),
            ("a or always", "always"),
            ("a and always", "a"),
        ] {
            let given = given("2026-03-02");
            let of = |when: &str| LAWS.with(|laws| rule_value(laws.get(when), "r", &with(a, b, c), &given));
            prop_assert_eq!(of(left), of(right), "{} is {}", left, right);
        }
    }

    #[test]
    fn what_is_known_stays_when_more_is_answered(
        when in some_condition(),
        a in some_truth(), b in some_truth(), c in some_truth(),
        more in proptest::collection::vec(any::<bool>(), 3),
    ) {
        prop_assume!(!when.contains("present"));
        let form = form(&when);
        let given = given("2026-03-02");
        let before = rule_value(&form, "r", &with(a, b, c), &given).unwrap();
        let fill = |truth: Truth, n: usize| match truth {
            Truth::Unknown if more[n] => Truth::True,
            Truth::Unknown => Truth::False,
            Truth::True | Truth::False => truth,
        };
        let after = rule_value(&form, "r", &with(fill(a, 0), fill(b, 1), fill(c, 2)), &given).unwrap();
        prop_assert!(before == Truth::Unknown || before == after, "{}: {:?} became {:?}", when, before, after);
    }

    /// Known is what holds on every day that it can be, and nothing else.
    #[test]
    fn what_is_said_of_dates_is_so_whichever_days_they_are_and_only_that(
        dates in proptest::collection::vec(some_date(), 2..8),
    ) {
        let given = given("2026-03-02");
        for when in OF_DATES {
            let of = |answers: &Answers| LAWS.with(|laws| rule_value(laws.get(when), "r", answers, &given)).unwrap();
            let said = of(&dated(&dates, |_, told| told.to_owned()));
            let there = of(&dated(&dates, |n, _| dates[n].0.clone()));
            prop_assert!(said == Truth::Unknown || said == there, "{}: {:?}, and {:?} of {:?}", when, said, there, dates);
            let ends = (0..1_usize << dates.len()).map(|ends| {
                of(&dated(&dates, |n, told| end(told, (ends >> n) & 1 == 1)))
            });
            let ends: std::collections::HashSet<Truth> = ends.collect();
            // A day in the midst of a month may be the one that is equal.
            if !when.contains("==") && !when.contains(" in ") {
                let open = ends.len() > 1 || ends.contains(&Truth::Unknown);
                prop_assert_eq!(said == Truth::Unknown, open, "{}: {:?} of {:?}", when, ends, dates);
            }
        }
    }

    #[test]
    fn only_true_fires_a_rule(when in some_condition(), a in some_truth(), b in some_truth(), c in some_truth()) {
        let form = form(&when);
        let given = given("2026-03-02");
        let answers = with(a, b, c);
        let fired = evaluate(&form, &answers, &given).findings.iter().any(|finding| finding.rule == "r");
        prop_assert_eq!(fired, rule_value(&form, "r", &answers, &given) == Some(Truth::True));
    }

    #[test]
    fn an_expression_is_read_as_it_is_written(when in some_condition()) {
        let once = form(&when);
        let written = once.rules[0].when.to_string();
        let twice = form(&written);
        prop_assert_eq!(twice.rules[0].when.to_string(), written);
        for (a, b) in [(true, true), (true, false), (false, true), (false, false)] {
            let answers = answers(json!({"a": a, "b": b, "n": 1, "word": "x", "on": "2010-01-01"}));
            let given = given("2026-03-02");
            prop_assert_eq!(rule_value(&once, "r", &answers, &given), rule_value(&twice, "r", &answers, &given));
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(when in "\\PC{0,40}") {
        let escaped = when.replace(['\\', '"'], "'");
        let text = format!("rule = [{{ id = \"r\", level = \"warn\", when = \"{escaped}\", field = \"form\", kind = \"advice\", message = \"So.\" }}]");
        let _ = load(&text);
    }
}

/// Forms by their rule, made once.
struct Laws(std::cell::RefCell<std::collections::HashMap<String, &'static Form>>);

impl Laws {
    fn get(&self, when: &str) -> &'static Form {
        self.0.borrow_mut().entry(when.to_owned()).or_insert_with(|| Box::leak(Box::new(form(when))))
    }
}

thread_local! {
    static LAWS: Laws = Laws(std::cell::RefCell::default());
}
