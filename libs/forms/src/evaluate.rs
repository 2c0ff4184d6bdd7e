//! What a set of answers still needs: what is missing, what is wrong, which evidence, and whether it is ready.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::Answers;
use crate::answers::{Facts, part_path};
use crate::explain::{because, rests_on};
use crate::expr::Expr;
use crate::expr::eval::{Context, truth};
use crate::filled::{FilledIn, filled_in};
use crate::form::{Evidence, EvidenceLevel, FindingKind, Form, Level, Question, Rule};
use crate::given::Given;
use crate::truth::Truth;
use crate::value::{Address, Item, Type, Value};
use crate::visas;

/// A required answer which is not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// Such as `app_dob` or `app_marriages[0].ended_on`.
    pub field: String,
    /// What is asked.
    pub label: String,
    /// The section it is asked in.
    pub section: String,
    /// Why it is asked.
    pub because: String,
    /// The source of the duty to answer.
    pub cite: String,
    /// The questions whose present answers make it so: another answer to one of them may end it.
    pub rests_on: Vec<String>,
}

/// A rule which fired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule's id.
    pub rule: String,
    /// What it does.
    pub level: Level,
    /// Where to show it.
    pub field: String,
    /// The section of the field.
    pub section: String,
    /// What it is about.
    pub kind: FindingKind,
    /// Plain words, the way out included.
    pub message: String,
    /// The source; empty when there is none.
    pub cite: String,
    /// What tables of the law answered of that on which it rests, in words; empty where they answered nothing of it.
    pub because: String,
    /// The part of the message which says what to do.
    pub way_out: String,
    /// The questions whose present answers make it so: another answer to one of them may end it.
    pub rests_on: Vec<String>,
}

/// Evidence which is needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceNeed {
    /// Such as `green_card`.
    pub kind: String,
    /// What it is.
    pub title: String,
    /// When it must be there.
    pub level: EvidenceLevel,
    /// Kinds which do instead.
    pub substitutes: Vec<String>,
    /// What people read for each of them, in their order.
    pub substitute_titles: Vec<String>,
    /// Whether it, or a substitute, is attached.
    pub satisfied: bool,
    /// Whether the filer said why it cannot be provided, so that its want does not stop the filing (8 CFR 103.2(b)(2)).
    pub explained: bool,
    /// Why it is needed.
    pub because: String,
    /// The source that asks for it; empty where the catalogue has none.
    pub cite: String,
    /// The questions whose present answers make it so: another answer to one of them may end it.
    pub rests_on: Vec<String>,
}

impl EvidenceNeed {
    /// Whether it must be there at filing, is not, and nothing is said about why.
    pub fn is_lacking(&self) -> bool {
        self.level == EvidenceLevel::Initial && !self.satisfied && !self.explained
    }
}

/// What a set of answers still needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evaluation {
    /// For every question whether it is asked.
    pub shown: BTreeMap<String, Truth>,
    /// The answers which are there and do not count, such as `new_name` or `app_marriages[0].ended_on`.
    #[serde(default)]
    pub set_aside: BTreeSet<String>,
    /// Required answers which are not there.
    pub missing: Vec<Missing>,
    /// Rules which fired.
    pub findings: Vec<Finding>,
    /// Evidence which is needed.
    pub evidence: Vec<EvidenceNeed>,
    /// What tables of the law answered.
    pub filled: Vec<FilledIn>,
    /// Nothing missing, nothing that blocks, and all initial evidence there.
    pub ready: bool,
}

impl Evaluation {
    /// The answers which count: without those which are set aside, also in the items of lists.
    pub fn counting<'a>(&self, answers: &'a Answers) -> Cow<'a, Answers> {
        if self.set_aside.is_empty() {
            return Cow::Borrowed(answers);
        }
        let counting = answers.iter().filter(|(question, _)| !self.set_aside.contains(*question));
        let counting =
            counting.map(|(question, answer)| (question.clone(), self.counting_of(question, answer)));
        Cow::Owned(counting.collect())
    }

    /// An answer without the parts of its items which are set aside.
    fn counting_of(&self, question: &str, answer: &Json) -> Json {
        let Json::Array(items) = answer else { return answer.clone() };
        let item = |(n, item): (usize, &Json)| {
            let Json::Object(parts) = item else { return item.clone() };
            let counts = |part: &str| !self.set_aside.contains(&part_path(question, n, part));
            let counting = parts.iter().filter(|(part, _)| counts(part));
            Json::Object(counting.map(|(part, answer)| (part.clone(), answer.clone())).collect())
        };
        Json::Array(items.iter().enumerate().map(item).collect())
    }
}

/// Evaluates a form over its answers; what is said is said in the form's language.
pub fn evaluate(form: &Form, answers: &Answers, given: &Given) -> Evaluation {
    let facts = Facts::read(form, answers, given);
    let missing = missing(&facts);
    let filled = filled_in(&facts);
    let findings = findings(&facts, &filled);
    let evidence = evidence(&facts);
    let ready = missing.is_empty()
        && findings.iter().all(|finding| finding.level != Level::Block)
        && !evidence.iter().any(EvidenceNeed::is_lacking);
    let set_aside = facts.set_aside();
    let ids = form.questions.iter().map(|question| question.id.clone());
    Evaluation {
        shown: ids.zip(facts.shown).collect(),
        set_aside,
        missing,
        findings,
        evidence,
        filled,
        ready,
    }
}

/// The three-valued value of a rule's condition; nothing when the form has no such rule.
pub fn rule_value(form: &Form, rule: &str, answers: &Answers, given: &Given) -> Option<Truth> {
    let rule = form.rules.iter().find(|one| one.id == rule)?;
    let facts = Facts::read(form, answers, given);
    Some(truth(&rule.when.node, &Context::of(&facts, None)))
}

/// Whether somebody takes a role in this filing, three-valued; nothing when the form has no such role.
pub fn takes_part(form: &Form, role: &str, answers: &Answers, given: &Given) -> Option<Truth> {
    let role = form.roles.iter().find(|one| one.id == role)?;
    let facts = Facts::read(form, answers, given);
    Some(truth(&role.required.node, &Context::of(&facts, None)))
}

/// What is asked of an item of a list which says so much already: each part after those it hangs on. Nothing when the form has
/// no such question.
pub fn parts_asked(
    form: &Form,
    (question, item): (&str, &Answers),
    answers: &Answers,
    given: &Given,
) -> Vec<String> {
    let Some(question) = form.question(question) else { return Vec::new() };
    Facts::read(form, answers, given).asked_of(question, item)
}

/// Why a question is asked, in words with the answers on which that rests, also where it may be left open or is answered. Nothing
/// where it is not asked, as far as these answers tell.
pub fn why_asked(form: &Form, question: &str, answers: &Answers, given: &Given) -> Option<String> {
    let (place, asked) = form.questions.iter().enumerate().find(|(_, one)| one.id == question)?;
    let facts = Facts::read(form, answers, given);
    if facts.shown.get(place) != Some(&Truth::True) {
        return None;
    }
    let rests_on = rests_on(&facts, &asked.shown, None);
    Some(because(&facts, &asked.shown, &rests_on, form.language.asked_of_everyone()))
}

fn missing(facts: &Facts<'_>) -> Vec<Missing> {
    let mut missing = Vec::new();
    for (place, question) in facts.form.questions.iter().enumerate() {
        if facts.shown[place] != Truth::True {
            continue;
        }
        let required = truth(&question.required.node, &Context::of(facts, None)) == Truth::True;
        let value = facts.value(place);
        match value.filter(|value| value.is_answer()) {
            None if required && question.kind != Type::Check => {
                let asked = Asked::of(question);
                missing.push(lacking(facts, &asked, &question.id, &question.label));
            }
            Some(Value::Items(items)) => {
                for (n, item) in items.iter().enumerate() {
                    missing_in_item(facts, question, n, item, &mut missing);
                }
            }
            Some(Value::Address(parts)) if required => {
                missing_parts(facts, &Asked::of(question), &question.id, parts, &mut missing);
            }
            None | Some(_) => {}
        }
    }
    missing
}

fn missing_in_item(
    facts: &Facts<'_>,
    question: &Question,
    n: usize,
    item: &Item<'_>,
    missing: &mut Vec<Missing>,
) {
    let context = Context::of(facts, Some(item));
    for field in &question.fields {
        let wanted = truth(&field.shown.node, &context).and(truth(&field.required.node, &context));
        if wanted != Truth::True || field.kind == Type::Check {
            continue;
        }
        let path = part_path(&question.id, n, &field.id);
        let asked =
            Asked { label: &field.label, required: &field.required, it: Some(item), ..Asked::of(question) };
        match item.get(&field.id) {
            None => missing.push(lacking(facts, &asked, &path, &field.label)),
            Some(Value::Multi(values)) if values.is_empty() => {
                missing.push(lacking(facts, &asked, &path, &field.label));
            }
            Some(Value::Address(parts)) => missing_parts(facts, &asked, &path, parts, missing),
            Some(_) => {}
        }
    }
}

/// What every address needs: line, city and country; in the United States state and ZIP code too.
fn missing_parts(
    facts: &Facts<'_>,
    asked: &Asked<'_>,
    field: &str,
    parts: &Address<'_>,
    missing: &mut Vec<Missing>,
) {
    let domestic = parts.get("country") == Some("US");
    let wanted: &[&str] =
        if domestic { &["line1", "city", "state", "postal_code"] } else { &["line1", "city", "country"] };
    for part in wanted.iter().filter(|part| parts.get(part).is_none()) {
        let label = format!("{}: {}", asked.label, facts.form.language.part_label(part));
        missing.push(lacking(facts, asked, &format!("{field}.{part}"), &label));
    }
}

/// What is asked where an answer is missing: a question, or a part of one of its items.
struct Asked<'a> {
    section: &'a str,
    label: &'a str,
    required: &'a Expr,
    it: Option<&'a Item<'a>>,
}

impl<'a> Asked<'a> {
    fn of(question: &'a Question) -> Self {
        Self { section: &question.section, label: &question.label, required: &question.required, it: None }
    }
}

fn lacking(facts: &Facts<'_>, asked: &Asked<'_>, field: &str, label: &str) -> Missing {
    let rests_on = rests_on(facts, asked.required, asked.it);
    Missing {
        field: field.to_owned(),
        label: label.to_owned(),
        section: asked.section.to_owned(),
        because: because(facts, asked.required, &rests_on, facts.form.language.asked_of_everyone()),
        cite: "8 CFR 103.2(a)(1)".to_owned(),
        rests_on: facts.ids(&rests_on),
    }
}

fn findings(facts: &Facts<'_>, filled: &[FilledIn]) -> Vec<Finding> {
    let context = Context::of(facts, None);
    let fired = facts.form.rules.iter().filter(|rule| truth(&rule.when.node, &context) == Truth::True);
    fired
        .map(|rule| Finding {
            rule: rule.id.clone(),
            level: rule.level,
            field: rule.field.clone(),
            section: facts.form.section_of(&rule.field).to_owned(),
            kind: rule.kind,
            message: rule.message.clone(),
            because: of_tables(facts, filled, rule),
            cite: rule.cite.clone().unwrap_or_default(),
            way_out: way_out(&rule.message),
            rests_on: facts.ids(&rests_on(facts, &rule.when, None)),
        })
        .collect()
}

/// What tables answered of that on which a rule rests.
fn of_tables(facts: &Facts<'_>, filled: &[FilledIn], rule: &Rule) -> String {
    let named = rule.when.questions();
    let told = named.iter().filter_map(|place| {
        let question = facts.form.questions.get(*place)?;
        filled.iter().find(|one| one.question == question.id)
    });
    told.map(|one| one.because.clone()).chain(visas::words(facts, &rule.when)).collect::<Vec<_>>().join(" ")
}

/// What follows the first sentence or colon; the whole message when it is all advice.
fn way_out(message: &str) -> String {
    let sentence = message.find(". ").map(|at| at + 2);
    let colon = message.find(": ").map(|at| at + 2);
    let from = sentence.or(colon).unwrap_or(0);
    message.get(from..).unwrap_or(message).to_owned()
}

fn evidence(facts: &Facts<'_>) -> Vec<EvidenceNeed> {
    let context = Context::of(facts, None);
    let attached = &facts.given.evidence;
    let needed = facts.form.evidence.iter().filter(|row| truth(&row.when.node, &context) == Truth::True);
    let need = |row: &Evidence| {
        let rests_on = rests_on(facts, &row.when, None);
        EvidenceNeed {
            kind: row.kind.clone(),
            title: row.title.clone(),
            level: row.level,
            substitutes: row.substitutes.clone(),
            substitute_titles: row.substitute_titles.clone(),
            satisfied: attached.contains(&row.kind)
                || row.substitutes.iter().any(|kind| attached.contains(kind)),
            explained: facts.given.explained.contains(&row.kind),
            because: because(facts, &row.when, &rests_on, facts.form.language.needed_from_everyone()),
            cite: row.cite.clone().unwrap_or_default(),
            rests_on: facts.ids(&rests_on),
        }
    };
    needed.map(need).collect()
}

/// The questions an expression hangs on which have no answer that counts.
pub(crate) fn hangs_on(facts: &Facts<'_>, expr: &Expr) -> Vec<String> {
    let all = expr.questions();
    let open: Vec<usize> = all.iter().copied().filter(|place| facts.value(*place).is_none()).collect();
    facts.ids(&facts.asked(if open.is_empty() { &all } else { &open }))
}
