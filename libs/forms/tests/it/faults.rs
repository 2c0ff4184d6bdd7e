//! Faults of the catalogue: each names its file, its id and its place.

use crate::support::{HEAD, fault, load, load_catalogue};

fn rule(when: &str) -> String {
    format!(
        r#"question = [
  {{ id = "yes", section = "all", type = "yes_no", required = "always", label = "Yes?" }},
  {{ id = "n", section = "all", type = "int", required = "never", label = "How many?" }},
  {{ id = "on", section = "all", type = "date", required = "never", label = "When?" }},
  {{ id = "part", section = "all", type = "partial_date", required = "never", label = "About when?" }},
  {{ id = "pick", section = "all", type = "select", required = "never", label = "Which?", options = ["a", "b"] }},
  {{ id = "many", section = "all", type = "multi", required = "never", label = "Which ones?", options = ["a", "b"] }},
  {{ id = "home", section = "all", type = "address", required = "never", label = "Where?" }},
  {{ id = "list", section = "all", type = "repeating", required = "never", label = "Each", fields = ["from|date|y|From", "to|date|n|To", "kind|select:x,y|n|Kind"] }},
]
rule = [
  {{ id = "r", level = "warn", when = "{when}", field = "yes", kind = "advice", message = "So." }},
]
"#
    )
}

#[test]
fn a_wrong_expression_is_named_with_its_place() {
    for (when, message) in [
        ("yes and", "a name, a value or a bracket"),
        ("yes ==", "a name, a value or a bracket"),
        ("1 < 2 < 3", "cannot be chained"),
        ("nobody", "no question or given value `nobody`"),
        ("n", "a condition is needed here, this is a number"),
        ("n == on", "a number cannot equal a date"),
        ("yes == yes", "a condition cannot equal a condition"),
        ("many == many", "a list of values cannot equal"),
        ("n < on", "two numbers or two dates"),
        ("pick < 'b'", "two numbers or two dates"),
        ("pick == 'c'", "not among the options: a, b"),
        ("pick in ['a','c']", "not among the options: a, b"),
        ("contains(many, 'c')", "not among the options: a, b"),
        ("any(list, it.kind == 'z')", "not among the options: x, y"),
        ("part < n", "two numbers or two dates"),
        ("part == pick", "a date cannot equal a text"),
        ("whole(n)", "a date is needed here, this is a number"),
        ("whole(on, part)", "takes 1 arguments"),
        ("whole(on) == 1", "a condition cannot equal a number"),
        ("n in 1", "to the right of `in`"),
        ("n in [1, 'x']", "a number is needed here, this is a text"),
        ("[1] == [1]", "a list may stand only"),
        ("on + 1 == on", "or a date with a duration"),
        ("days(1) == days(1)", "a duration cannot equal"),
        ("it.from == on", "only inside any() and all()"),
        ("any(list, it.gone)", "no field `gone`"),
        ("any(n, true)", "a list of items is needed"),
        ("home.street == 'x'", "no `home.street`"),
        ("n.city == 'x'", "no `n.city`"),
        ("present(1)", "takes one name"),
        ("linked(pick)", "takes a form number in quotes"),
        ("not linked('X-99')", "the catalogue has no form 'X-99'"),
        ("has_evidence('x')", "no evidence 'x'"),
        ("age(on) > 1", "takes 2 arguments"),
        ("age(on, n) > 1", "a date is needed here, this is a number"),
        ("gap_days(many, on, on) > 1", "a list of items is needed"),
        ("days_present(list, on, on) > 1", "no date 'left'"),
        ("overlap_days(list, 'from', 'till', on) > 1", "no date 'till'"),
        ("overlap_days(list, 'from', 'kind', on) > 1", "no date 'kind'"),
        ("overlap_days(list, 'from', 'to') > 1", "has other arguments"),
        ("overlap_days(list, 'from', 'to', n) > 1", "a date is needed here, this is a number"),
        ("max_of(list, 'kind') > on", "no date or number 'kind'"),
        ("count(on) > 1", "count() takes a list"),
        ("guess(on)", "no function guess()"),
        ("on == d'2025-02-29'", "a day that exists"),
        ("pick == 'a", "expected"),
        ("((yes)", "expected"),
        ("yes yes", "expression"),
        ("99999999999999999999 > n", "a name, a value or a bracket"),
    ] {
        let found = fault(&rule(when));
        assert!(found.message.contains(message), "{when}: {}", found.message);
        assert_eq!((found.file.as_str(), found.id.as_str()), ("t-1.toml", "r"), "{when}");
        let first = HEAD.lines().count() + 11;
        assert_eq!(found.line, first + 1, "{when}");
    }
}

#[test]
fn the_column_is_that_of_the_wrong_part() {
    let good = fault(&rule("yes and nobody"));
    let text = format!("{HEAD}{}", rule("yes and nobody"));
    let line = text.lines().nth(good.line - 1).unwrap();
    assert_eq!(line.find("nobody").unwrap() + 1, good.column);
    assert!(good.to_string().starts_with(&format!("t-1.toml:{}:{}: r: ", good.line, good.column)));
}

#[test]
fn a_question_cannot_be_shown_depending_on_itself() {
    let questions = |one: &str, two: &str| {
        format!(
            r#"question = [
  {{ id = "one", section = "all", type = "yes_no", required = "{one}", label = "One?" }},
  {{ id = "two", section = "all", type = "yes_no", required = "{two}", label = "Two?" }},
]"#
        )
    };
    assert!(load(&questions("two", "always")).is_ok());
    assert!(fault(&questions("two", "one")).message.contains("depending on itself"));
    assert!(fault(&questions("one", "always")).message.contains("depending on itself"));
    let items = r#"question = [
  { id = "list", section = "all", type = "repeating", required = "never", label = "Each", fields = ["a|yes_no|it.b|A", "b|yes_no|it.a|B"] },
]"#;
    assert_eq!(fault(items).id, "list.a");
    let outer = r#"question = [
  { id = "list", section = "all", type = "repeating", required = "never", label = "Each", fields = ["a|yes_no|q|A"] },
  { id = "q", section = "all", type = "yes_no", required = "any(list, it.a)", label = "Q" },
]"#;
    assert!(fault(outer).message.contains("depending on itself"));
}

#[test]
fn what_a_form_refers_to_exists() {
    let question = |extra: &str| {
        format!(r#"question = [{{ id = "q", section = "all", required = "never", label = "Q", {extra} }}]"#)
    };
    assert!(fault(&question("type = \"texts\"")).message.contains("no type texts"));
    assert!(fault(&question("type = \"select\"")).message.contains("options"));
    assert!(fault(&question("type = \"text\", options = [\"a\"]")).message.contains("options"));
    assert!(fault(&question("type = \"repeating\"")).message.contains("fields"));
    assert!(
        fault(&question("type = \"repeating\", fields = [\"a|text\"]"))
            .message
            .contains("id|type|required|label")
    );
    assert!(
        fault(&question("type = \"date\", precision = \"month\""))
            .message
            .contains("belongs to partial_date")
    );
    let precision = fault(&question("type = \"partial_date\", precision = \"day\"")).message;
    assert!(precision.contains("year or month is known, and not day"), "{precision}");
    let field = fault(&question("type = \"repeating\", fields = [\"a|partial_date:day|n|A\"]"));
    assert!(field.id == "q.a" && field.message.contains("year or month is known, and not day"), "{field}");
    assert!(load(&question("type = \"repeating\", fields = [\"a|partial_date:month|n|A\"]")).is_ok());
    assert!(fault(&question("type = \"text\", colour = \"red\"")).message.contains("colour"));
    let today =
        r#"question = [{ id = "today", section = "all", type = "date", required = "never", label = "Q" }]"#;
    assert!(fault(today).message.contains("given value"));
    let nowhere =
        r#"question = [{ id = "q", section = "none", type = "date", required = "never", label = "Q" }]"#;
    assert!(fault(nowhere).message.contains("no section none"));
    let field = r#"rule = [{ id = "r", level = "warn", when = "never", field = "q", kind = "advice", message = "So." }]"#;
    assert!(fault(field).message.contains("no question or section q"));
    let rfe = r#"rfe = [{ code = "X", text = "Y", prevent = ["z"] }]"#;
    assert!(fault(rfe).message.contains("no rule, evidence or question z"));
    let block = r#"include = [{ block = "none", prefix = "", section = "all" }]"#;
    assert!(fault(block).message.contains("no block none"));
    let twice = r#"include = [{ block = "contact", prefix = "", section = "all" }, { block = "contact", prefix = "", section = "all" }]"#;
    assert_eq!(load(twice).unwrap_err().len(), 3);
    let unbound = r#"include = [{ block = "residence_history", prefix = "", section = "all" }]"#;
    let found = fault(unbound);
    assert_eq!((found.file.as_str(), found.id.as_str()), ("_common.toml", "res-gap"));
}

#[test]
fn a_form_against_a_decision_asks_for_its_receipt_number_and_says_what_it_is() {
    let form = |challenges: &str| {
        format!(
            r#"form.challenges = {{ {challenges} }}
question = [
  {{ id = "decided", section = "all", type = "receipt", required = "always", label = "R" }},
  {{ id = "what", section = "all", type = "select", required = "always", label = "W", options = ["appeal", "motion_both"] }},
]"#
        )
    };
    for right in [r#"receipt = "decided", kind = "hearing""#, r#"receipt = "decided", kind_asked = "what""#] {
        assert_eq!(load(&form(right)).unwrap().challenges.unwrap().receipt, "decided");
    }
    for (wrong, message) in [
        (r#"receipt = "what", kind = "hearing""#, "asks no receipt number as `what`"),
        (r#"receipt = "decided", kind_asked = "decided""#, "`decided` is no choice"),
        (r#"receipt = "decided""#, "not one of `kind` and `kind_asked`"),
        (
            r#"receipt = "decided", kind = "appeal", kind_asked = "what""#,
            "not one of `kind` and `kind_asked`",
        ),
    ] {
        assert!(fault(&form(wrong)).message.contains(message), "{}", fault(&form(wrong)).message);
    }
}

#[test]
fn a_co_signer_is_one_person_beside_the_filer_whom_the_form_names() {
    let form = |filer: &str, second: &str, prefix: &str, declares: &str| {
        format!(
            r#"role = [
  {{ id = "filer", required = "always", signs = true{filer} }},
  {{ id = "second", required = "always", {second}, co_signs = {{ prefix = "{prefix}", declares = "{declares}" }} }},
]
include = [{{ block = "person_name", prefix = "sp_", section = "all" }}]
question = [{{ id = "sp_signature", section = "all", type = "signature", required = "always", label = "S" }}]"#
        )
    };
    let good = load(&form("", "signs = true", "sp_", "I do.")).unwrap();
    assert_eq!(good.co_signer().unwrap().0.id, "second");
    let other = r#", co_signs = { prefix = "sp_", declares = "I do." }"#;
    for (wrong, message) in [
        (form("", "signs = false", "sp_", "I do."), "must sign and not be the first"),
        (form("", "signs = true", "sp_", " "), "nothing in `declares`"),
        (form("", "signs = true", "sp_\", more = \"", "I do."), "more"),
    ] {
        assert!(fault(&wrong).message.contains(message), "{}", fault(&wrong).message);
    }
    let says = |wrong: &str| load(wrong).unwrap_err().into_iter().map(|one| one.message).collect::<Vec<_>>();
    let both = says(&form(other, "signs = true", "sp_", "I do."));
    assert!(both[0].contains("not be the first") && both[1].contains("one role at most"), "{both:?}");
    let unnamed = says(&form("", "signs = true", "x_", "I do."));
    let lacking = ["x_family_name", "x_given_name", "x_signature"].map(|id| format!("no question `{id}`"));
    assert!(unnamed.iter().zip(&lacking).all(|(said, lacks)| said.contains(lacks)), "{unnamed:?}");
    assert_eq!(unnamed.len(), 3);
}

#[test]
fn several_co_signers_are_the_items_of_a_list_which_names_them_and_says_how_each_signs() {
    let form = |each: &str, prefix: &str| {
        format!(
            r#"role = [
  {{ id = "filer", required = "always", signs = true }},
  {{ id = "member", required = "any(family, it.how == 'own')", signs = true, co_signs = {{ {prefix}each = {{ {each} }}, declares = "I do." }} }},
]
question = [
  {{ id = "family", section = "all", type = "repeating", required = "never", label = "F", fields = ["name|text|y|N", "nick|text|n|K", "how|select:own,paper|y|H"] }},
  {{ id = "other", section = "all", type = "text", required = "never", label = "O" }},
]"#
        )
    };
    let good = r#"list = "family", name = "name", how = "how", own = "own", sees = ["all"]"#;
    let loaded = load(&form(good, "")).unwrap();
    let each = loaded.co_signer().unwrap().1.each.clone().unwrap();
    assert_eq!((each.list.as_str(), each.sees.as_slice()), ("family", ["all".to_owned()].as_slice()));
    for (right, wrong, message) in [
        (r#"list = "family""#, r#"list = "other""#, "there is no list `other`"),
        (r#"name = "name""#, r#"name = "nick""#, "no text `nick` that is required"),
        (r#"name = "name""#, r#"name = "who""#, "no text `who`"),
        (r#"how = "how""#, r#"how = "name""#, "no choice `own` of `name`"),
        (r#"own = "own""#, r#"own = "none""#, "no choice `none` of `how`"),
        (r#"["all"]"#, r#"["no_such"]"#, "no section `no_such` to see"),
    ] {
        let found = fault(&form(&good.replace(right, wrong), ""));
        assert!(found.message.contains(message), "{}", found.message);
    }
    assert!(fault(&form(good, r#"prefix = "sp_", "#)).message.contains("both `prefix` and `each`"));
}

#[test]
fn a_form_that_somebody_else_is_asked_for_says_by_whom_and_begins_with_answers_that_it_takes() {
    const QUESTION: &str = r#"question = [{ id = "kind", section = "all", type = "select", required = "always", label = "K", options = ["own", "joint"] }]"#;
    let catalogue = |way_in: &str| {
        let asked = HEAD.replace(r#"form.docket = "record""#, way_in) + QUESTION;
        let main = HEAD.replace("T-1", "M-1");
        load_catalogue(&[("t-1.toml", &asked), ("m-1.toml", &main)])
    };
    let right = r#"form.docket = "package"
form.goes_with = "M-1"
form.asked_for = { by = ["M-1"], most = 2, answers = { kind = "joint" } }"#;
    let loaded = catalogue(right).unwrap();
    let asked = loaded.form("T-1").unwrap().asked_for.as_ref().unwrap();
    assert_eq!((asked.most, asked.answers["kind"].as_str()), (2, Some("joint")));
    for (part, wrong, message) in [
        (r#"by = ["M-1"]"#, r#"by = ["X-9"]"#, "is asked for by `X-9`"),
        (r#"by = ["M-1"]"#, r#"by = ["T-1"]"#, "is asked for by `T-1`"),
        (r#"by = ["M-1"]"#, "by = []", "needs `goes_with`, `by`"),
        ("most = 2", "most = 0", "a `most` above 0"),
        (r#"kind = "joint""#, r#"kind = "none""#, "answer to `kind` that it does not take"),
        (r#"kind = "joint""#, r#"other = "joint""#, "answer to `other` that it does not take"),
    ] {
        let found = catalogue(&right.replace(part, wrong)).unwrap_err().remove(0);
        assert!(found.message.contains(message), "{wrong}: {}", found.message);
    }
}

#[test]
fn a_file_which_is_no_toml_is_named() {
    let found = fault("question = [");
    assert_eq!(found.file, "t-1.toml");
    assert!(found.line > 1);
}
