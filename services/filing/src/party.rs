//! Who files, as the form asks it: the block of questions about the applicant or petitioner.

use std::sync::OnceLock;

use docket_forms::{Answers, Form, Given, Truth, takes_part};
use docket_kernel::calendar;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::Value;

use crate::domain::filing::Filer;
use crate::domain::name;

/// The role of a parent or guardian who signs for a child; a form that has it says up to which age.
const PARENT: &str = "parent_or_guardian";

/// The role of whoever signs for a company that files.
const COMPANY_OFFICER: &str = "company_officer";

/// The prefix of the questions about the person who files: the form asks the name of that person first.
pub(crate) fn prefix(form: &Form) -> Option<&str> {
    form.questions.iter().find_map(|question| question.id.strip_suffix("family_name"))
}

/// An answer about the person who files; a short form such as AR-11 asks about nobody else and needs no prefix.
pub(crate) fn answer<'a>(form: &Form, answers: &'a Answers, question: &str) -> Option<&'a Value> {
    let prefixed = format!("{}{question}", prefix(form)?);
    answers.get(&prefixed).or_else(|| answers.get(question).filter(|_| form.question(&prefixed).is_none()))
}

/// The age of the person who files on a day, in completed years; nothing where the form does not say.
fn age(form: &Form, answers: &Answers, on: Date) -> Option<u32> {
    let born: Date = answer(form, answers, "dob")?.as_str()?.parse().ok()?;
    u32::try_from(calendar::age(born, on)).ok()
}

/// Who files, as far as it decides who signs on a day.
pub(crate) fn filer(form: &Form, answers: &Answers, given: &Given) -> Filer {
    let takes_part = |role| takes_part(form, role, answers, given) == Some(Truth::True);
    let company = takes_part(COMPANY_OFFICER);
    // Whom a company asks for is not who files.
    let age = age(form, answers, given.filing_date).filter(|_| !company);
    let is_child = age.is_some_and(|age| parent_signs(age, given.filing_date));
    Filer { age, parent_signs: is_child || takes_part(PARENT), company }
}

/// One row of `data/signing_ages.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SigningAge {
    below: u32,
    from: Option<Date>,
    until: Option<Date>,
    #[serde(rename = "cite")]
    _cite: String,
    #[serde(rename = "mark")]
    _mark: String,
}

#[derive(Deserialize)]
struct SigningAges {
    parent: Vec<SigningAge>,
}

/// Whether somebody of this age is a child for whom a parent may sign on a day.
fn parent_signs(age: u32, on: Date) -> bool {
    static AGES: OnceLock<SigningAges> = OnceLock::new();
    let ages = AGES.get_or_init(|| {
        toml::from_str(include_str!("../data/signing_ages.toml")).expect("a test reads the table")
    });
    let in_force = |row: &&SigningAge| calendar::in_force(row.from, row.until, on);
    ages.parent.iter().find(in_force).is_some_and(|row| age < row.below)
}

/// The ways in which the full legal name of the form may be typed: with and without middle name and suffix.
pub(crate) fn names(form: &Form, answers: &Answers) -> Vec<String> {
    typed(|question| answer(form, answers, question))
}

/// Whether two forms are about the same person: of the same name, and born on the same day.
pub(crate) fn same_person(one: (&Form, &Answers), other: (&Form, &Answers)) -> bool {
    let born = |(form, answers)| answer(form, answers, "dob");
    let their_names = names(other.0, other.1);
    let alike = |name: &String| their_names.iter().any(|theirs| name::same(name, theirs));
    born(one).is_some_and(|day| born(other) == Some(day)) && names(one.0, one.1).iter().any(alike)
}

/// The ways in which a full name may be typed that is answered part by part; none without a family name. Of who has one name only,
/// a given name that was typed before that was ticked is no part of it.
pub(crate) fn typed<'a>(part: impl Fn(&str) -> Option<&'a Value>) -> Vec<String> {
    let one_name = part("one_name") == Some(&Value::Bool(true));
    let part = |question| part(question).and_then(Value::as_str).unwrap_or_default();
    let (given, middle, family, suffix) =
        (part("given_name"), part("middle_name"), part("family_name"), part("suffix"));
    let given = if one_name { "" } else { given };
    if family.is_empty() {
        return Vec::new();
    }
    [
        [given, "", family, ""],
        [given, middle, family, ""],
        [given, "", family, suffix],
        [given, middle, family, suffix],
    ]
    .map(|parts| parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" "))
    .to_vec()
}

#[cfg(test)]
mod tests {
    use docket_forms::Catalogue;
    use jiff::ToSpan as _;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_parent_signs_below_the_age_of_the_table_and_where_the_form_lets_a_parent_apply() {
        let catalogue = Catalogue::embedded();
        let signs = |form: &str, born: &str, on: &str| {
            let answers = json!({ "app_dob": born });
            let given = Given::on(on.parse().unwrap());
            filer(catalogue.form(form).unwrap(), answers.as_object().unwrap(), &given).parent_signs
        };
        for on in ["1999-11-28", "2026-11-28"] {
            let born = |years: i16, days: i64| {
                let on: Date = on.parse().unwrap();
                on.with().year(on.year() - years).build().unwrap().saturating_add(days.days()).to_string()
            };
            assert!(signs("N-400", &born(14, 1), on), "the day before the birthday, {on}");
            assert!(!signs("N-400", &born(14, 0), on), "on it, {on}");
            assert!(signs("N-600", &born(18, 1), on) && !signs("N-600", &born(18, 0), on), "{on}");
        }
    }

    #[test]
    fn a_given_name_that_was_typed_before_one_name_was_ticked_is_no_part_of_the_name() {
        let catalogue = Catalogue::embedded();
        let form = catalogue.form("I-90").unwrap();
        let named = |one_name: Value| {
            let answers =
                json!({ "app_family_name": "Nurul", "app_given_name": "Fnu", "app_one_name": one_name });
            names(form, answers.as_object().unwrap())
        };
        assert_eq!(named(json!(true)), ["Nurul"; 4]);
        for not_ticked in [json!(false), Value::Null] {
            assert_eq!(named(not_ticked), ["Fnu Nurul"; 4]);
        }
    }
}
