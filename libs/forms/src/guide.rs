//! "Which form do I need?": a few questions, and the forms they lead to.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::Deserialize;
use serde_json::Value;

use crate::Answers;
use crate::answers::Facts;
use crate::catalogue::LoadError;
use crate::expr::eval::{Context, truth};
use crate::expr::{Expr, Node};
use crate::form::{Form, Question};
use crate::given::Given;
use crate::load::File;
use crate::load::checks::Draft;
use crate::load::order::put_in_order;
use crate::load::source::Text;
use crate::truth::Truth;
use crate::value::{Precision, Type};

/// More paths than this, and the guide is no short one.
const MOST_PATHS: usize = 5_000;

/// The guided choice of a form.
#[derive(Debug, Clone)]
pub struct Guide {
    /// The questions as a form's: their conditions are evaluated as a form's are.
    pub(crate) form: Form,
    pub(crate) choices: Vec<Vec<Choice>>,
    pub(crate) outcomes: Vec<Outcome>,
}

/// One of the answers to choose from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// What is sent, such as `citizenship`.
    pub id: String,
    /// What is shown.
    pub label: String,
}

/// Where the answers lead.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Such as `naturalize`.
    pub id: String,
    /// What to file, in order; nothing when there is no form for it here.
    pub forms: Vec<String>,
    /// Why, in plain words; without forms, where to go instead.
    pub text: String,
    /// The source.
    pub cite: String,
    when: Expr,
}

/// The next step of a guided choice.
#[derive(Debug, Clone, PartialEq)]
pub enum Step<'a> {
    /// Ask this.
    Ask {
        /// The id under which the answer is given.
        question: &'a str,
        /// What is asked.
        label: &'a str,
        /// What can be answered.
        choices: &'a [Choice],
    },
    /// The answers lead here; at least one.
    End(Vec<&'a Outcome>),
}

impl PartialEq for Outcome {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    question: Vec<WrittenQuestion>,
    outcome: Vec<WrittenOutcome>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenQuestion {
    id: Text,
    label: String,
    when: Option<Text>,
    choices: Vec<Choice>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenOutcome {
    id: Text,
    #[serde(default)]
    forms: Vec<String>,
    when: Text,
    text: String,
    cite: String,
}

impl Guide {
    /// The next question, or where the answers lead. An answer to a question that is not asked does not count.
    pub fn step(&self, answers: &Answers) -> Step<'_> {
        let given = Given::on(Date::ZERO);
        let mut counted = Answers::new();
        for n in &self.form.order {
            let (Some(question), Some(choices)) = (self.form.questions.get(*n), self.choices.get(*n)) else {
                continue;
            };
            let facts = Facts::read(&self.form, &counted, &given);
            if facts.shown.get(*n) != Some(&Truth::True) {
                continue;
            }
            match answers.get(&question.id).and_then(|answer| self.normalise(&question.id, answer).ok()) {
                Some(answer) if !answer.is_null() => drop(counted.insert(question.id.clone(), answer)),
                Some(_) | None => {
                    return Step::Ask { question: &question.id, label: &question.label, choices };
                }
            }
        }
        let facts = Facts::read(&self.form, &counted, &given);
        let context = Context::of(&facts, None);
        Step::End(self.outcomes.iter().filter(|one| truth(&one.when.node, &context) == Truth::True).collect())
    }

    /// An answer as [`Guide::step`] takes it.
    ///
    /// # Errors
    /// The question or the choice is not one of the guide's.
    pub fn normalise(&self, question: &str, answer: &Value) -> Result<Value, docket_kernel::FieldFault> {
        crate::normalise(&self.form, question, answer)
    }

    pub(crate) fn read(file: &File, forms: &[Form], errors: &mut Vec<LoadError>) -> Option<Self> {
        let written: Written = file.read(errors)?;
        let before = errors.len();
        let guide = Self::assemble(file, &written, errors);
        for outcome in &written.outcome {
            for form in outcome.forms.iter().filter(|id| !forms.iter().any(|form| form.id == **id)) {
                let at = outcome.id.span().start;
                errors.push(file.error(outcome.id.get_ref(), at, format!("there is no form {form}")));
            }
        }
        // Paths of a guide with faults say nothing more.
        if errors.len() == before {
            guide.walk(file, errors);
        }
        (errors.len() == before).then_some(guide)
    }

    fn assemble(file: &File, written: &Written, errors: &mut Vec<LoadError>) -> Self {
        // The frame in which the questions stand; no form that is filed.
        let mut form = Form { id: "The guide".to_owned(), ..Form::default() };
        let mut draft = Draft::default();
        for one in &written.question {
            let id = one.id.get_ref();
            let shown = match &one.when {
                Some(when) => draft.condition(file, id, when, errors),
                None => Expr::new(Node::always()),
            };
            form.questions.push(Question::choice(id, &one.label, shown, options(&one.choices)));
        }
        let outcomes = written.outcome.iter().map(|one| Outcome {
            id: one.id.get_ref().clone(),
            forms: one.forms.clone(),
            text: one.text.clone(),
            cite: one.cite.clone(),
            when: draft.condition(file, one.id.get_ref(), &one.when, errors),
        });
        let mut outcomes: Vec<Outcome> = outcomes.collect();
        draft.types(&form, errors);
        let cycles = put_in_order(&mut form).into_iter();
        errors.extend(cycles.map(|id| file.error(&id, 0, "the question is asked depending on itself")));
        let places = form.places();
        for outcome in &mut outcomes {
            outcome.when.settle(&places);
        }
        let choices = written.question.iter().map(|one| one.choices.clone()).collect();
        Self { form, choices, outcomes }
    }

    /// Goes every path to its end: each leads somewhere, and every question and outcome is on one.
    fn walk(&self, file: &File, errors: &mut Vec<LoadError>) {
        let mut unseen: BTreeSet<&str> = self.form.questions.iter().map(|one| one.id.as_str()).collect();
        unseen.extend(self.outcomes.iter().map(|one| one.id.as_str()));
        let (mut open, mut paths) = (vec![Answers::new()], 0);
        while let Some(answers) = open.pop() {
            paths += 1;
            if paths > MOST_PATHS {
                errors.push(file.error("", 0, format!("the guide has more than {MOST_PATHS} paths")));
                return;
            }
            match self.step(&answers) {
                Step::Ask { question, choices, .. } => {
                    unseen.remove(question);
                    for choice in choices {
                        let mut next = answers.clone();
                        next.insert(question.to_owned(), Value::String(choice.id.clone()));
                        open.push(next);
                    }
                }
                Step::End(found) if found.is_empty() => {
                    let path = Value::Object(answers);
                    errors.push(file.error("", 0, format!("nothing is said where one answers {path}")));
                }
                Step::End(found) => {
                    for one in found {
                        unseen.remove(one.id.as_str());
                    }
                }
            }
        }
        errors.extend(unseen.into_iter().map(|id| file.error(id, 0, "no path comes here")));
    }
}

fn options(choices: &[Choice]) -> Vec<String> {
    choices.iter().map(|choice| choice.id.clone()).collect()
}

impl Question {
    /// A question of a guide.
    fn choice(id: &str, label: &str, shown: Expr, options: Vec<String>) -> Self {
        Self {
            id: id.to_owned(),
            section: String::new(),
            kind: Type::Select,
            required: shown.clone(),
            shown,
            label: label.to_owned(),
            label_id: format!("guide.{id}.label"),
            help: None,
            options,
            option_labels: Vec::new(),
            precision: Precision::default(),
            fields: Vec::new(),
            block: None,
            filled: None,
            common_id: None,
            field_order: Vec::new(),
        }
    }
}
