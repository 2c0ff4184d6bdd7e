//! Earlier editions: what a file of them may say, how each change carries an answer, and what people are told of the rest.

use docket_forms::{
    Answers, Attention, CarriedOver, Catalogue, Form, Given, Happened, Language, LoadError, Truth, evaluate,
    rule_value,
};
use serde_json::{Value, json};

use crate::support::{HEAD, answers, day, form, given, load, load_all, load_catalogue, load_editions};

/// One earlier edition with what it asked and what changed.
fn edition(questions: &str, changes: &str) -> String {
    format!(
        "[[edition]]\ndate = \"2024-01-01\"\nsource = \"made up\"\nchange = [\n{changes}\n]\n[edition.question]\n{questions}\n"
    )
}

fn try_both(old: &str, changes: &str, next: &str) -> Result<Form, Vec<LoadError>> {
    load_editions(&form(next), &edition(old, changes))
}

fn carried(old: &str, changes: &str, next: &str, given: Value) -> CarriedOver {
    let form = try_both(old, changes, next).unwrap_or_else(|faults| panic!("{faults:?}"));
    form.carry_over(day("2024-01-01"), &answers(given)).unwrap()
}

/// What is noted, as `was > field: what (answer)`.
fn notes(carried: &CarriedOver) -> Vec<String> {
    let said = |one: &Attention| {
        let what = match &one.happened {
            Happened::Dropped { reason } => format!("dropped, {reason}"),
            Happened::OptionGone { option } => format!("no {option}"),
            Happened::TooMany { kept } => format!("kept {kept}"),
            Happened::NoLongerFits { .. } => "does not fit".to_owned(),
            Happened::New => "new".to_owned(),
        };
        let path = |path: &Option<String>| path.clone().unwrap_or_else(|| "-".to_owned());
        format!("{} > {}: {what} {}", path(&one.was), path(&one.field), one.answer)
    };
    carried.attention.iter().map(said).collect()
}

/// What was asked, the change, what is asked now, the old answer to `a`, and the new answers.
type Case = (&'static str, &'static str, &'static str, Value, Value);

fn carries(cases: impl IntoIterator<Item = Case>) {
    for (old, change, next, given, wanted) in cases {
        let old = old.replace('\'', "\"");
        let next = next.replace('\'', "\"");
        let carried = carried(&old, &change.replace('\'', "\""), &next, json!({ "a": given }));
        let unnoted: Vec<String> =
            notes(&carried).into_iter().filter(|note| !note.contains(": new")).collect();
        assert_eq!((Value::Object(carried.answers.clone()), unnoted), (wanted, vec![]), "{old} {change}");
    }
}

#[test]
fn each_change_of_an_answer_carries_it() {
    carries([
        (
            "a = 'text'",
            "{ do = 'carry', from = 'a', to = 'b' }",
            "b = 'text'",
            json!("x"),
            json!({ "b": "x" }),
        ),
        ("a = 'text'", "{ do = 'carry', from = 'a' }", "a = 'long_text'", json!("x"), json!({ "a": "x" })),
        ("a = 'int'", "{ do = 'carry', from = 'a' }", "a = 'money'", json!(12), json!({ "a": 1200 })),
        ("a = 'money'", "{ do = 'carry', from = 'a' }", "a = 'int'", json!(1200), json!({ "a": 12 })),
        (
            "a = 'money'",
            "{ do = 'carry', from = 'a' }",
            "a = 'text'",
            json!(123_405),
            json!({ "a": "$1,234.05" }),
        ),
        // What is asked more widely is carried without a word, and back where it fits.
        ("a = 'date'", "", "a = 'partial_date:month'", json!("2024-01-05"), json!({ "a": "2024-01-05" })),
        ("a = 'partial_date:month'", "", "a = 'partial_date'", json!("2024-01"), json!({ "a": "2024-01" })),
        (
            "a = 'partial_date'",
            "{ do = 'carry', from = 'a' }",
            "a = 'partial_date:month'",
            json!("2024-01"),
            json!({ "a": "2024-01" }),
        ),
        (
            "a = 'text'",
            "{ do = 'carry', from = 'a' }",
            "a = 'date'",
            json!("1/5/2024"),
            json!({ "a": "2024-01-05" }),
        ),
        (
            "a = 'date'",
            "{ do = 'carry', from = 'a' }",
            "a = 'text'",
            json!("2024-01-05"),
            json!({ "a": "2024-01-05" }),
        ),
        ("a = 'text'", "{ do = 'carry', from = 'a' }", "a = 'select:x,y'", json!("Y"), json!({ "a": "y" })),
        (
            "a = 'yes_no'",
            "{ do = 'carry', from = 'a', options = { yes = 'w', no = 'v' } }",
            "a = 'select:v,w'",
            json!(true),
            json!({ "a": "w" }),
        ),
        (
            "a = 'select:p,q,r'",
            "{ do = 'carry', from = 'a', options = { p = 's', q = 's' } }",
            "a = 'select:r,s'",
            json!("q"),
            json!({ "a": "s" }),
        ),
        (
            "a = 'multi:p,q,r'",
            "{ do = 'carry', from = 'a', options = { p = 's', q = 's' } }",
            "a = 'multi:r,s'",
            json!(["r", "p", "q"]),
            json!({ "a": ["r", "s"] }),
        ),
        (
            "a = 'select:p,q'",
            "{ do = 'carry', from = 'a' }",
            "a = 'multi:p,q'",
            json!("q"),
            json!({ "a": ["q"] }),
        ),
        ("a = 'check'", "{ do = 'carry', from = 'a' }", "a = 'yes_no'", json!(true), json!({ "a": true })),
        (
            "a = 'name_part'",
            "{ do = 'split', from = 'a', to = ['b', 'c'], at = ' ' }",
            "b = 'name_part'\nc = 'name_part'",
            json!("Ana de Paz"),
            json!({ "b": "Ana", "c": "de Paz" }),
        ),
    ]);
}

#[test]
fn answers_move_into_lists_and_addresses_and_out_of_them() {
    carries([
        (
            "a = 'text'",
            "{ do = 'carry', from = 'a', to = 'list.x' }, { do = 'new', to = 'list.y' }",
            "list = { x = 'text', y = 'date' }",
            json!("one"),
            json!({ "list": [{ "x": "one" }] }),
        ),
        (
            "a = { x = 'text', y = 'int' }",
            "{ do = 'carry', from = 'a', to = 'b' }, { do = 'carry', from = 'a.y', to = 'b.z' }",
            "b = { x = 'text', z = 'money' }",
            json!([{ "x": "one", "y": 2 }, {}]),
            json!({ "b": [{ "x": "one", "z": 200 }, {}] }),
        ),
        (
            "a = { x = 'text' }",
            "{ do = 'carry', from = 'a.x', to = 'b', more = 'last' }",
            "b = 'text'",
            json!([{ "x": "one" }]),
            json!({ "b": "one" }),
        ),
        (
            "a = 'address'",
            "{ do = 'carry', from = 'a.unit', to = 'flat' }",
            "a = 'address'\nflat = 'text'",
            json!({ "line1": "1 Elm St", "unit": "5", "city": "Reno", "state": "NV", "country": "US" }),
            json!({ "a": { "line1": "1 Elm St", "city": "Reno", "state": "NV", "country": "US" }, "flat": "5" }),
        ),
        (
            "a = 'country'",
            "{ do = 'carry', from = 'a', to = 'home.country' }",
            "home = 'address'",
            json!("PE"),
            json!({ "home": { "country": "PE" } }),
        ),
    ]);
}

#[test]
fn what_cannot_be_carried_is_named_with_the_old_answer() {
    let old = r#"
gone = "text"
pick = "select:p,q"
many = "multi:p,q,r"
trips = { left = "date", why = "text" }
long = "long_text"
first = "text"
last = "text"
cents = "money"
part = { x = "text" }
"#;
    let changes = r#"
{ do = "drop", from = "gone", reason = "Nobody reads it." },
{ do = "carry", from = "pick", ask = ["q"] },
{ do = "carry", from = "many", options = { p = "z" }, ask = ["q", "r"] },
{ do = "drop", from = "trips.why", reason = "Not asked." },
{ do = "carry", from = "trips.left", to = "trips.on" },
{ do = "new", to = "trips.where" },
{ do = "carry", from = "long", to = "short" },
{ do = "join", from = ["first", "last"], to = "name", with = " " },
{ do = "carry", from = "cents", to = "dollars" },
{ do = "carry", from = "part.x", to = "only", more = "first" },
{ do = "new", to = "fresh" },
"#;
    let next = r#"
pick = "select:p"
many = "multi:z"
trips = { on = "date", where = "text" }
short = "text"
name = "name_part"
dollars = "int"
only = "text"
fresh = "yes_no"
"#;
    let carried = carried(
        old,
        changes,
        next,
        json!({
            "gone": "x", "pick": "q", "many": ["p", "q", "r"], "long": "y".repeat(400), "first": "7", "last": "8", "cents": 150,
            "trips": [{ "left": "2024-01-05", "why": "w" }, { "why": "v" }], "part": [{ "x": "1" }, {}, { "x": "2" }],
            "unknown": 5, "trips2": null,
        }),
    );
    let long = "y".repeat(400);
    assert_eq!(
        Value::Object(carried.answers.clone()),
        json!({ "many": ["z"], "trips": [{ "on": "2024-01-05" }, {}], "only": "1" })
    );
    assert_eq!(
        notes(&carried),
        [
            "unknown > -: does not fit 5",
            "gone > -: dropped, Nobody reads it. \"x\"",
            "pick > pick: no q \"q\"",
            "many > many: no q \"q\"",
            "many > many: no r \"r\"",
            "trips[0].why > -: dropped, Not asked. \"w\"",
            "trips[1].why > -: dropped, Not asked. \"v\"",
            "- > trips.where: new null",
            &format!("long > short: does not fit \"{long}\""),
            "first > name: does not fit \"7\"",
            "last > name: does not fit \"8\"",
            "cents > dollars: does not fit 150",
            "part.x > only: kept 1 [\"2\"]",
            "- > fresh: new null",
        ]
    );
}

/// Two lenses in a row: what is noted early is followed to the present questions.
#[test]
fn editions_are_gone_through_one_by_one() {
    let editions = r#"
[[edition]]
date = "2023-01-01"
source = "made up"
change = [
  { do = "carry", from = "pick", to = "choice", ask = ["q"] },
  { do = "new", to = "fresh" },
  { do = "new", to = "passing" },
]
[edition.question]
pick = "select:p,q"
name = "text"

[[edition]]
date = "2024-01-01"
source = "made up"
change = [
  { do = "carry", from = "choice", to = "selection" },
  { do = "drop", from = "passing", reason = "Asked for a year." },
  { do = "carry", from = "fresh", to = "fresher" },
]
[edition.question]
choice = "select:p"
name = "text"
fresh = "yes_no"
passing = "text"

[[edition]]
date = "2024-06-01"
source = "made up"
"#;
    let form =
        load_editions(&form("selection = \"select:p\"\nname = \"text\"\nfresher = \"yes_no\""), editions)
            .unwrap();
    let from = |date: &str, given: Value| form.carry_over(day(date), &answers(given)).unwrap();
    let oldest = from("2023-01-01", json!({ "pick": "q", "name": "Ana" }));
    assert_eq!(Value::Object(oldest.answers.clone()), json!({ "name": "Ana" }));
    assert_eq!(notes(&oldest), ["pick > selection: no q \"q\"", "- > fresher: new null"]);
    let next = from("2024-01-01", json!({ "choice": "p", "fresh": false, "passing": "x" }));
    assert_eq!(Value::Object(next.answers.clone()), json!({ "selection": "p", "fresher": false }));
    assert_eq!(notes(&next), ["passing > -: dropped, Asked for a year. \"x\""]);
    let given = json!({ "selection": "p", "odd": null });
    for same in ["2024-06-01", "2025-01-20"] {
        let same = from(same, json!({ "selection": "p" }));
        assert_eq!((Value::Object(same.answers), same.attention), (json!({ "selection": "p" }), vec![]));
    }
    assert_eq!(
        Value::Object(from("2025-01-20", given.clone()).answers),
        given,
        "of this edition: as they are"
    );
    let unknown = form.carry_over(day("2022-01-01"), &answers(json!({}))).unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "T-1 has no edition of 2022-01-01 in this catalogue; it has 2023-01-01, 2024-01-01, 2024-06-01, 2025-01-20"
    );
}

#[test]
fn a_new_question_is_open_while_it_is_asked() {
    let asked = |id: &str, required: &str| {
        format!(
            "{{ id = \"{id}\", section = \"all\", type = \"yes_no\", required = \"{required}\", label = \"{id}?\" }}"
        )
    };
    let next =
        format!("question = [{}, {}, {}]", asked("a", "always"), asked("b", "a"), asked("c", "always"));
    let changes = "{ do = \"new\", to = \"b\" }, { do = \"new\", to = \"c\" }";
    let form = load_editions(&next, &edition("a = \"yes_no\"", changes)).unwrap();
    let open = |a: bool| -> Vec<String> {
        let carried = form.carry_over(day("2024-01-01"), &answers(json!({ "a": a }))).unwrap();
        assert_eq!(carried.attention.len(), 2);
        let evaluation = evaluate(&form, &carried.answers, &Given::on(day("2025-03-01")));
        carried.open(&evaluation).filter_map(|one| one.field.clone()).collect()
    };
    assert_eq!(open(true), ["b", "c"]);
    assert_eq!(open(false), ["c"]);
}

#[test]
fn reasons_are_read_in_spanish_too() {
    let head = crate::support::HEAD;
    let form = load_all(&[
        ("t-1.toml", &format!("{head}{}", form("a = \"text\""))),
        (
            "editions/t-1.toml",
            &edition("a = \"text\"\nb = \"text\"", "{ do = \"drop\", from = \"b\", reason = \"No more.\" }"),
        ),
        ("es/t-1.toml", "[dropped.2024-01-01]\nb = \"Ya no.\"\n"),
    ])
    .unwrap();
    let carried = form.carry_over(day("2024-01-01"), &answers(json!({ "b": "x" }))).unwrap();
    assert_eq!(notes(&carried), ["b > -: dropped, Ya no. \"x\""]);
}

/// Each fault, with the id and the line it is named by: the changes begin in line 5.
#[test]
fn a_change_that_does_not_hold_is_named_with_its_place() {
    let old = "a = \"text\"\nb = \"select:p,q\"\nc = \"multi:p,q\"\nlist = { x = \"text\", y = \"int\" }\nhome = \"address\"\nn = \"int\"";
    let next = "a = \"text\"\nb = \"select:p,q\"\nc = \"multi:p,q\"\nlist = { x = \"text\", y = \"int\" }\nhome = \"address\"\nn = \"int\"\nz = \"text\"\nother = { x = \"text\" }";
    for (changes, id, message) in [
        ("{ do = 'carry', from = 'no', to = 'z' }", "no", "the earlier edition does not ask this"),
        ("{ do = 'carry', from = 'a', to = 'no' }", "no", "the next edition does not ask this"),
        ("{ do = 'carry', from = 'list.no', to = 'z' }", "list.no", "the earlier edition does not ask this"),
        (
            "{ do = 'carry', from = 'home.street', to = 'z' }",
            "home.street",
            "the earlier edition does not ask this",
        ),
        ("{ do = 'carry', from = 'a', to = 'home' }", "a", "text cannot become address"),
        ("{ do = 'carry', from = 'c', to = 'b' }", "c", "several options cannot become one"),
        ("{ do = 'carry', from = 'list', to = 'z' }", "list", "repeating cannot become text"),
        ("{ do = 'carry', from = 'list', to = 'other', ask = ['p'] }", "list", "item by item"),
        ("{ do = 'carry', from = 'n', to = 'z', ask = ['p'] }", "n", "options are mapped where"),
        ("{ do = 'carry', from = 'b', options = { r = 'p' } }", "b", "the earlier edition has no option r"),
        ("{ do = 'carry', from = 'b', options = { q = 'r' } }", "b", "the next edition has no option r"),
        (
            "{ do = 'carry', from = 'b', options = { q = 'p' }, ask = ['q'] }",
            "b",
            "mapped and left to the person",
        ),
        ("{ do = 'carry', from = 'list.x', to = 'z' }", "list.x", "say with `more`"),
        (
            "{ do = 'carry', from = 'a', to = 'z', more = 'first' }",
            "a",
            "`more` is for what comes out of a list",
        ),
        ("{ do = 'carry', from = 'list.x', to = 'other.x' }", "list.x", "does not become the list other"),
        ("{ do = 'carry', from = 'a', to = 'list.x' }", "a", "has items of its own"),
        (
            "{ do = 'carry', from = 'a', to = 'z' }, { do = 'carry', from = 'a' }",
            "a",
            "two changes read this",
        ),
        (
            "{ do = 'carry', from = 'a', to = 'z' }, { do = 'carry', from = 'n', to = 'z' }",
            "z",
            "written twice",
        ),
        (
            "{ do = 'carry', from = 'home' }, { do = 'carry', from = 'a', to = 'home.city' }",
            "home.city",
            "written twice",
        ),
        (
            "{ do = 'drop', from = 'list', reason = 'So.' }, { do = 'drop', from = 'list.x', reason = 'So.' }",
            "list.x",
            "two changes read",
        ),
        (
            "{ do = 'carry', from = 'list', to = 'other' }, { do = 'carry', from = 'list', to = 'other' }",
            "list",
            "two changes read",
        ),
        ("{ do = 'drop', from = 'a', reason = ' ' }", "a", "people are told why"),
        ("{ do = 'join', from = ['a', 'n'], to = 'z', with = ' ' }", "n", "only texts and parts of names"),
        (
            "{ do = 'join', from = ['a', 'list.x'], to = 'z', with = ' ' }",
            "a",
            "within one list or outside of all",
        ),
        ("{ do = 'join', from = ['a'], to = 'z', with = ' ' }", "a", "several are joined to one"),
        ("{ do = 'split', from = 'a', to = ['a', 'z'], at = '' }", "a", "split at some characters"),
        ("{ do = 'split', from = 'a', to = ['a', 'a'], at = ' ' }", "a", "written twice"),
    ] {
        let faults = try_both(old, &changes.replace('\'', "\""), next).unwrap_err();
        assert_eq!(faults.len(), 1, "{changes}: {faults:?}");
        let fault = &faults[0];
        assert!(fault.message.contains(message), "{changes}: {fault}");
        assert_eq!(
            (fault.file.as_str(), fault.id.as_str(), fault.line),
            ("editions/t-1.toml", id, 5),
            "{changes}"
        );
    }
}

#[test]
fn every_question_of_both_editions_has_its_place() {
    let fault = |old: &str, changes: &str, next: &str| {
        let mut faults = try_both(old, changes, next).unwrap_err();
        assert_eq!(faults.len(), 1, "{faults:?}");
        let fault = faults.remove(0);
        (fault.id, fault.line, fault.message)
    };
    let (id, line, message) = fault("a = \"text\"\nb = \"text\"", "", "a = \"text\"");
    assert_eq!((id.as_str(), line), ("b", 9));
    assert!(message.contains("2024-01-01") && message.contains("nothing becomes of this"), "{message}");
    let (id, line, message) = fault("a = \"text\"", "", "a = \"text\"\nb = \"text\"");
    assert_eq!((id.as_str(), line), ("b", 2));
    assert!(message.contains("the next edition asks this"), "{message}");
    // Another type, fewer options, a field of a list, a part of an address that is taken apart.
    for (old, changes, next, id) in [
        ("a = \"multi:p,q\"", "", "a = \"multi:p\"", "a"),
        ("a = { x = \"text\", y = \"text\" }", "", "a = { x = \"text\" }", "a.y"),
        ("a = { x = \"text\" }", "", "a = { x = \"text\", y = \"text\" }", "a.y"),
        (
            "a = { x = \"text\" }",
            "{ do = \"carry\", from = \"a\", to = \"b\" }",
            "b = { x = \"text\", y = \"date\" }",
            "b.y",
        ),
    ] {
        let found = try_both(old, changes, next).unwrap_err();
        assert!(found.iter().all(|fault| fault.id == id), "{found:?}");
    }
    let taken_apart = "{ do = \"carry\", from = \"a.city\", to = \"b\" }";
    let found = try_both("a = \"address\"", taken_apart, "b = \"text\"").unwrap_err();
    assert_eq!(found.len(), 6, "the other parts: {found:?}");
    // More options need no word.
    try_both("a = \"select:p\"", "", "a = \"select:p,q\"").unwrap();
}

#[test]
fn a_file_of_editions_that_does_not_hold_is_named_with_its_place() {
    let asked = form("a = \"text\"");
    let fault = |editions: &str| {
        let mut faults = load_editions(&asked, editions).unwrap_err();
        assert_eq!(faults.len(), 1, "{faults:?}");
        let fault = faults.remove(0);
        assert_eq!(fault.file, "editions/t-1.toml");
        fault
    };
    let head = "source = \"made up\"\n";
    for (editions, line, message) in [
        (format!("[[edition]]\n{head}date = \"2025-01-20\""), 3, "the next one is of 2025-01-20"),
        (
            format!("[[edition]]\n{head}date = \"2024-02-01\"\n[[edition]]\n{head}date = \"2024-01-01\""),
            3,
            "the next one is of 2024-01-01",
        ),
        (
            format!("[[edition]]\n{head}date = \"2024-01-01\"\nrejected_from = \"2025-01-21\""),
            3,
            "refused from 2025-01-20",
        ),
        (
            format!(
                "[[edition]]\n{head}date = \"2024-01-01\"\naccepted_from = \"2024-02-01\"\nrejected_from = \"2024-01-02\""
            ),
            3,
            "refused before it is taken",
        ),
        ("[[edition]]\ndate = \"2024-01-01\"".to_owned(), 1, "source"),
        (format!("[[edition]]\n{head}date = \"2024-13-01\""), 3, ""),
        (format!("[[edition]]\n{head}date = \"2024-01-01\"\nquestions = 5"), 4, "questions"),
        (format!("[[edition]]\n{head}date = \"2024-01-01\"\nchange = [{{ do = \"guess\" }}]"), 4, "guess"),
        (
            format!(
                "[[edition]]\n{head}date = \"2024-01-01\"\nchange = [{{ do = \"drop\", from = \"a\", why = \"x\" }}]"
            ),
            4,
            "why",
        ),
        (format!("{}\nb = \"texts\"", edition("a = \"text\"", "")), 10, "there is no type texts"),
        (format!("{}\nb = \"select\"", edition("a = \"text\"", "")), 10, "options belong to select"),
        (format!("{}\nb = \"repeating\"", edition("a = \"text\"", "")), 10, "table of its fields"),
        ("[[edition]".to_owned(), 1, ""),
    ] {
        let found = fault(&editions);
        assert_eq!(found.line, line, "{editions}\n{found}");
        assert!(found.message.contains(message), "{editions}\n{found}");
    }
    let head = crate::support::HEAD;
    let alone = load_all(&[("t-1.toml", &format!("{head}{asked}")), ("editions/t-2.toml", "")]).unwrap_err();
    assert_eq!((alone.len(), alone[0].file.as_str()), (1, "editions/t-2.toml"));
    assert!(alone[0].message.contains("no form in a file t-2.toml"), "{alone:?}");
}

/// A draft that was carried over and opened again in the edition after: nothing that was still open is forgotten.
#[test]
fn what_is_still_open_from_one_change_is_open_after_the_next() {
    let first = r#"
[[edition]]
date = "2023-01-01"
source = "made up"
change = [
  { do = "carry", from = "pick", to = "choice", ask = ["q"] },
  { do = "carry", from = "trips.left", to = "trips.on" },
  { do = "drop", from = "fax", reason = "No longer asked." },
  { do = "new", to = "fresh" },
  { do = "new", to = "passing" },
]
[edition.question]
pick = "select:p,q"
fax = "text"
trips = { left = "text" }
"#;
    let asked = r#"
choice = "select:p"
fresh = "yes_no"
passing = "text"
trips = { on = "date" }
"#;
    let then = r#"
[[edition]]
date = "2024-01-01"
source = "made up"
change = [
  { do = "carry", from = "choice", to = "selection" },
  { do = "carry", from = "fresh", to = "fresher" },
  { do = "drop", from = "passing", reason = "Asked for a year." },
  { do = "carry", from = "trips", to = "journeys" },
  { do = "new", to = "last" },
]
[edition.question]
"#;
    let next = r#"
selection = "select:p"
fresher = "yes_no"
journeys = { on = "date" }
last = "text"
"#;
    let given = answers(json!({
        "pick": "q", "fax": "1", "trips": [{ "left": "2024-01-05" }, { "left": "soon" }],
    }));
    let before = load_editions(&form(asked), first).unwrap();
    let before = before.carry_over(day("2023-01-01"), &given).unwrap();
    assert_eq!(
        notes(&before),
        [
            "pick > choice: no q \"q\"",
            "trips[1].left > trips[1].on: does not fit \"soon\"",
            "fax > -: dropped, No longer asked. \"1\"",
            "- > fresh: new null",
            "- > passing: new null",
        ]
    );
    let whole = load_editions(&form(next), &format!("{first}{then}{asked}")).unwrap();
    let carried = whole.carry_on(day("2024-01-01"), &before.answers, &before.attention).unwrap();
    assert_eq!(
        notes(&carried),
        [
            "pick > selection: no q \"q\"",
            "trips[1].left > journeys[1].on: does not fit \"soon\"",
            "fax > -: dropped, No longer asked. \"1\"",
            "- > fresher: new null",
            "- > last: new null",
        ]
    );
    let straight = whole.carry_over(day("2023-01-01"), &given).unwrap();
    assert_eq!(carried, straight, "as if it had been opened only now");
    let same = whole.carry_on(whole.edition, &carried.answers, &carried.attention).unwrap();
    assert_eq!(same, carried);
}

#[test]
fn a_form_without_a_file_of_editions_has_one_edition() {
    let form = load(&form("a = \"text\"")).unwrap();
    assert!(form.earlier_editions().is_empty());
    assert_eq!(form.released().len(), 1);
    assert_eq!(form.asked(), "a = \"text\"\n");
}

/// The form of the tests in two editions: the one before asked for a fax number.
fn two_editions(kept: Option<&str>) -> Result<Catalogue, Vec<LoadError>> {
    let present = HEAD.replace(
        "form.edition = \"2025-01-20\"",
        "form.edition = \"2025-01-20\"\nform.accepted_from = \"2025-02-01\"",
    );
    let present = format!("{present}{}", form("name = \"text\""));
    let editions = edition(
        "name = \"text\"\nfax = \"text\"",
        "{ do = \"drop\", from = \"fax\", reason = \"No longer asked.\" }",
    );
    let before = HEAD.replace("2025-01-20", "2024-01-01");
    let before = kept.map(|questions| format!("{before}{}", form(questions)));
    let spanish = "[question]\nname = \"¿Nombre?\"\n";
    let mut files =
        vec![("t-1.toml", present.as_str()), ("editions/t-1.toml", &editions), ("es/t-1.toml", spanish)];
    files.extend(before.as_deref().map(|text| ("before/t-1.toml", text)));
    load_catalogue(&files)
}

#[test]
fn a_day_has_the_edition_that_is_taken_on_it() {
    let catalogue = two_editions(Some("name = \"text\"\nfax = \"text\"")).unwrap();
    let on = |date: &str| catalogue.form_on("T-1", day(date)).unwrap();
    for (date, edition) in [
        ("2023-12-31", "2024-01-01"),
        ("2024-01-01", "2024-01-01"),
        // Printed and known, and not yet taken.
        ("2025-01-31", "2024-01-01"),
        ("2025-02-01", "2025-01-20"),
        ("2031-01-01", "2025-01-20"),
    ] {
        assert_eq!(on(date).edition.to_string(), edition, "{date}");
        assert_eq!(catalogue.forms_on(day(date)).count(), 1);
    }
    let (before, present) = (on("2025-01-31"), on("2025-02-01"));
    assert_eq!(before.accepted_until, Some(day("2025-01-31")));
    assert_eq!((present.accepted_from, present.accepted_until), (day("2025-02-01"), None));
    assert!(before.question("fax").is_some() && present.question("fax").is_none());
    let spanish = catalogue.in_language(before, Language::Es);
    assert_eq!((spanish.edition, spanish.language), (before.edition, Language::Es));
    assert_eq!(spanish.question("name").unwrap().label, "¿Nombre?");
    let kept = before.carry_over(before.edition, &answers(json!({ "fax": "1" }))).unwrap();
    assert_eq!(Value::Object(kept.answers), json!({ "fax": "1" }));
    let carried = present.carry_over(before.edition, &answers(json!({ "fax": "1", "name": "Ana" }))).unwrap();
    assert_eq!(notes(&carried), ["fax > -: dropped, No longer asked. \"1\""]);
    assert_eq!(catalogue.form("T-1").unwrap().edition, present.edition, "the present edition is the newest");
}

#[test]
fn an_edition_that_cannot_be_filled_in_is_passed_over() {
    let catalogue = two_editions(None).unwrap();
    assert_eq!(catalogue.form_on("T-1", day("2024-06-01")).unwrap().edition, day("2025-01-20"));
    let other = two_editions(Some("name = \"text\"")).unwrap_err();
    assert_eq!((other.len(), other[0].file.as_str()), (1, "before/t-1.toml"), "{other:?}");
    assert!(other[0].message.contains("asks something else"), "{other:?}");
    let nobody = load_catalogue(&[("before/t-2.toml", "")]).unwrap_err();
    assert!(nobody[0].message.contains("no form in a file t-2.toml"), "{nobody:?}");
    let gap = "[[edition]]\ndate = \"2024-01-01\"\nrejected_from = \"2025-01-19\"\nsource = \"made up\"";
    let gap = load_editions(&form("name = \"text\""), gap).unwrap_err();
    assert!(gap[0].message.contains("from 2025-01-19 to 2025-01-20 no edition would be taken"), "{gap:?}");
}

/// An earlier edition that asks the same is filled in with the form as it is, under its own date.
#[test]
fn what_asks_the_same_is_filed_in_the_edition_of_its_day() {
    let catalogue = Catalogue::embedded();
    for (date, edition) in [
        ("2024-01-01", "2024-10-24"),
        ("2025-01-19", "2024-10-24"),
        ("2026-09-17", "2025-01-20"),
        ("2026-09-18", "2026-09-18"),
    ] {
        for language in Language::ALL {
            let form = catalogue.in_language(catalogue.form_on("I-485", day(date)).unwrap(), language);
            assert_eq!((form.edition.to_string(), form.language), (edition.to_owned(), language), "{date}");
        }
    }
    assert!(catalogue.form_on("X-99", day("2026-09-18")).is_none());
}

#[test]
fn an_edition_is_found_by_its_date_and_refused_from_a_day() {
    let catalogue = Catalogue::embedded();
    let form = catalogue.form("I-485").unwrap();
    for edition in ["2024-10-24", "2025-01-20", "2026-09-18"] {
        let found = catalogue.in_edition("I-485", day(edition)).unwrap();
        assert_eq!((found.id.as_str(), found.edition), ("I-485", day(edition)));
    }
    assert!(catalogue.in_edition("I-485", day("2025-01-21")).is_none());
    assert!(catalogue.in_edition("X-99", day("2025-01-20")).is_none());
    // Of which it is not known, it is refused when the form says that all earlier ones are.
    for earlier in ["2024-10-24", "2025-01-20"] {
        assert_eq!(form.refused_from(day(earlier)), Some(day("2026-09-18")), "{earlier}");
    }
    for not_earlier in ["2026-09-18", "2025-01-21"] {
        assert_eq!(form.refused_from(day(not_earlier)), None, "{not_earlier}");
    }
}

#[test]
fn what_the_catalogue_knows_of_earlier_editions() {
    let catalogue = Catalogue::embedded();
    let form = catalogue.form("I-485").unwrap();
    let known: Vec<(String, Option<String>)> = form
        .earlier_editions()
        .iter()
        .map(|edition| (edition.date.to_string(), edition.rejected_from.map(|day| day.to_string())))
        .collect();
    let refused = Some("2026-09-18".to_owned());
    assert_eq!(known, [("2024-10-24".to_owned(), None), ("2025-01-20".to_owned(), refused)]);
    let written = serde_json::to_value(form).unwrap();
    assert!(written.get("earlier").is_none(), "a definition carries no lenses");
}

#[test]
fn the_editions_of_autumn_2026_are_asked_for_from_their_day_and_those_before_refused() {
    let catalogue = Catalogue::embedded();
    for (form, before) in [("I-765", "2025-08-21"), ("I-539", "2025-01-20")] {
        let on = |text: &str| catalogue.form_on(form, day(text)).unwrap();
        for taken in [before, "2026-09-14"] {
            assert_eq!(on(taken).edition, day(before), "{form} {taken}");
        }
        assert_eq!(on("2026-09-14").accepted_until, Some(day("2026-09-14")), "{form}");
        assert_eq!(on("2026-09-15").edition, day("2026-09-15"), "{form}");
        let printed = |text: &str| Given { edition: Some(day(before)), ..given(text) };
        let value =
            |text: &str| rule_value(on(text), "edition-old", &Answers::new(), &printed(text)).unwrap();
        assert_eq!(value("2026-09-14"), Truth::False, "{form}");
        assert_eq!(value("2026-09-15"), Truth::True, "{form}");
        // Answers of then are answers now.
        let draft = answers(json!({ "app_family_name": "Quispe" }));
        let carried = on("2026-09-15").carry_over(day(before), &draft).unwrap();
        assert_eq!((carried.answers, carried.attention), (draft, Vec::new()), "{form}");
    }
}
