//! The evaluator against an interpreter that shares nothing with it: written the plain way from the catalogue's README, over the
//! files as they lie there, without what makes the evaluator fast. Random answers, ten million in the long form (`make proof`).

mod days;
mod language;
mod source;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use docket_forms::{Answers, Catalogue, Evaluation, FeeResult, Form, Given, Level, Question, Truth, Type};
use docket_forms::{evaluate, fee, normalise, rule_value};
use serde_json::{Map, Value, json};

use crate::search::{Search, seed, short_or_long};
use source::Source;
use world::{Sum, Three, World};

/// What is said of a set of answers, but for the words.
#[derive(Debug, PartialEq)]
struct Verdict {
    shown: BTreeMap<String, Three>,
    missing: BTreeSet<String>,
    /// The rules that fire, each with whether it blocks.
    fired: Vec<(String, bool)>,
    /// The papers that are needed, each with whether it is there.
    papers: Vec<(String, bool)>,
    ready: bool,
}

fn three(truth: Truth) -> Three {
    match truth {
        Truth::True => Some(true),
        Truth::False => Some(false),
        Truth::Unknown => None,
    }
}

fn evaluated(said: &Evaluation) -> Verdict {
    let fired = said.findings.iter().map(|finding| (finding.rule.clone(), finding.level == Level::Block));
    Verdict {
        shown: said.shown.iter().map(|(id, truth)| (id.clone(), three(*truth))).collect(),
        missing: said.missing.iter().map(|missing| missing.field.clone()).collect(),
        fired: fired.collect(),
        papers: said.evidence.iter().map(|need| (need.kind.clone(), need.satisfied)).collect(),
        ready: said.ready,
    }
}

fn worked_out(world: &World<'_>) -> Verdict {
    let questions = world.form.questions.iter();
    let holding = world.form.rules.iter().filter(|(_, _, when)| world.truth(when, None) == Some(true));
    let fired: Vec<(String, bool)> = holding.map(|(id, blocks, _)| (id.clone(), *blocks)).collect();
    let missing = world.missing();
    let stopped = fired.iter().any(|(_, blocks)| *blocks) || world.lacks_papers();
    Verdict {
        shown: questions.map(|(id, asked)| (id.clone(), world.shown(asked))).collect(),
        ready: missing.is_empty() && !stopped,
        missing,
        fired,
        papers: world.papers(),
    }
}

fn fee_said(said: FeeResult) -> Sum {
    match said {
        FeeResult::Known { rows, total_cents, later, .. } => Some((
            rows.into_iter().map(|row| (row.id, row.cents)).collect(),
            total_cents,
            later.into_iter().map(|row| row.id).collect(),
        )),
        FeeResult::Unknown { .. } | FeeResult::Unpublished { .. } => None,
    }
}

/// The answers as a draft keeps them: what is of the wrong shape is left out, also within an item.
fn stored(form: &Form, typed: &Answers) -> Answers {
    let mut stored = Answers::new();
    for (id, answer) in typed {
        let question = form.question(id).unwrap();
        let kept = normalise(form, id, answer).ok().or_else(|| {
            let items = answer.as_array().filter(|_| question.kind == Type::Repeating)?;
            Some(items.iter().map(|item| item_stored(form, id, item)).collect())
        });
        stored.extend(kept.filter(|kept| !kept.is_null()).map(|kept| (id.clone(), kept)));
    }
    stored
}

fn item_stored(form: &Form, question: &str, item: &Value) -> Value {
    let mut stored = Map::new();
    for (part, answer) in item.as_object().unwrap() {
        if let Ok(kept) = normalise(form, question, &json!([{ part: answer }])) {
            stored.extend(kept[0].as_object().unwrap().clone());
        }
    }
    Value::Object(stored)
}

/// Beside what the conditions name: papers that are there, or said not to be had.
fn papers_given(form: &Form, search: &mut Search<'_>, given: &mut Given) {
    for row in &form.evidence {
        for kind in row.substitutes.iter().chain([&row.kind]) {
            if search.chance.often(3) {
                given.evidence.insert(kind.clone());
            }
        }
        if search.chance.often(6) {
            given.explained.insert(row.kind.clone());
        }
    }
}

/// Compares over one set of answers; how many these are.
fn compare(form: &Form, source: &Source, search: &mut Search<'_>) -> usize {
    let questions: Vec<&Question> = form.questions.iter().collect();
    let mut given = search.given();
    papers_given(form, search, &mut given);
    let typed = search.answers(&questions, given.filing_date);
    let answers = stored(form, &typed);
    let world = World { form: source, answers: &answers, given: &given };
    let told = || format!("{}: {} beside {given:?}", form.id, Value::Object(answers.clone()));
    let said = evaluate(form, &answers, &given);
    assert_eq!(evaluated(&said), worked_out(&world), "{}", told());
    let waiver = search.chance.often(2);
    assert_eq!(
        fee_said(fee(form, &answers, &given, waiver)),
        world.fee(waiver),
        "waiver {waiver}, {}",
        told()
    );
    // Now and then what a rule is when it does not fire, and that answers count the same before they are kept.
    if search.chance.often(16) {
        for (rule, _, when) in &source.rules {
            let value = rule_value(form, rule, &answers, &given).map(three);
            assert_eq!(value, Some(world.truth(when, None)), "{rule} of {}", told());
        }
        // What is typed and is no answer is set aside by its name, though nothing of it is kept.
        let set_aside = said.set_aside.clone();
        assert_eq!(Evaluation { set_aside, ..evaluate(form, &typed, &given) }, said, "{}", told());
    }
    typed.len()
}

#[test]
fn a_plain_interpreter_of_the_files_says_what_the_evaluator_says() {
    let seed = seed();
    let catalogue = Catalogue::embedded();
    let sources = source::all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("catalogue"));
    assert_eq!(sources.len(), catalogue.forms().count());
    let wanted = short_or_long(100_000, 10_000_000);
    let (mut sets, mut compared) = (0, 0);
    for source in &sources {
        let form = catalogue.form(&source.id).unwrap();
        let mut search = Search::of_seed(form, seed);
        let mut of_form = 0;
        while of_form < wanted / sources.len() {
            of_form += compare(form, source, &mut search);
            sets += 1;
        }
        compared += of_form;
    }
    println!("{compared} answers in {sets} sets");
}
