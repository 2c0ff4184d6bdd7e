//! Answers as rules see them: normalised, with those set aside which do not apply.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::Answers;
use crate::expr::eval::{Context, truth};
use crate::form::{Form, Question, SubField};
use crate::given::Given;
use crate::normalise;
use crate::truth::Truth;
use crate::value::{Item, Type, Value};

/// What is known of a form: which questions are shown, and the answers which count.
pub(crate) struct Facts<'a> {
    pub(crate) form: &'a Form,
    pub(crate) given: &'a Given,
    /// By the questions' places in the form.
    pub(crate) values: Vec<Option<Value<'a>>>,
    /// Likewise.
    pub(crate) shown: Vec<Truth>,
    /// What is answered and does not count.
    pub(crate) aside: Vec<Aside>,
}

/// An answer which does not apply: to a question, or to a part of an item.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Aside {
    /// The question's place in the form.
    question: usize,
    /// The item's place in the list, and the part's in the question.
    part: Option<(usize, usize)>,
}

impl<'a> Facts<'a> {
    /// Reads the answers in an order in which each question's being shown is known before it is read.
    pub(crate) fn read(form: &'a Form, answers: &'a Answers, given: &'a Given) -> Self {
        let count = form.questions.len();
        let (values, shown, aside) = (vec![None; count], vec![Truth::Unknown; count], Vec::new());
        let mut facts = Self { form, given, values, shown, aside };
        for &place in &form.order {
            let Some(question) = form.questions.get(place) else { continue };
            let shown = truth(&question.shown.node, &Context::of(&facts, None));
            let answer = answers.get(&question.id);
            facts.values[place] = match shown {
                Truth::False => {
                    facts.aside.extend(answer.map(|_| Aside { question: place, part: None }));
                    set_aside(question.kind)
                }
                Truth::True | Truth::Unknown => match &question.filled {
                    Some(filled) => filled.cents(&facts).map(Value::Number),
                    None => facts.answer(place, question, answer),
                },
            };
            facts.shown[place] = shown;
        }
        facts
    }

    fn answer(
        &mut self,
        place: usize,
        question: &'a Question,
        answer: Option<&'a Json>,
    ) -> Option<Value<'a>> {
        let read = match (question.kind, answer) {
            (Type::Repeating, Some(Json::Array(list))) => {
                let items = list.iter().enumerate().map(|(n, one)| self.item((place, n), question, one));
                items.collect::<Option<Vec<Item<'a>>>>().map(Value::Items)
            }
            (Type::Repeating, Some(_)) | (_, None) => None,
            (kind, Some(answer)) => {
                normalise::single(kind, question.precision, &question.options, answer).ok().flatten()
            }
        };
        read.or_else(|| unticked(question.kind))
    }

    /// The sub-fields of one item which count; what is no object is no item.
    fn item(
        &mut self,
        (place, n): (usize, usize),
        question: &'a Question,
        one: &'a Json,
    ) -> Option<Item<'a>> {
        let given = one.as_object()?;
        let mut aside = Vec::new();
        let item = self.parts(question, given, |part, field, shown| {
            if shown == Truth::False && given.contains_key(&field.id) {
                aside.push(Aside { question: place, part: Some((n, part)) });
            }
        });
        self.aside.append(&mut aside);
        Some(item)
    }

    /// The same of what is an item; `seen` is told of each sub-field whether it is shown, after those which that hangs on.
    fn parts(
        &self,
        question: &'a Question,
        given: &'a Answers,
        mut seen: impl FnMut(usize, &'a SubField, Truth),
    ) -> Item<'a> {
        let mut item = Item::of(question.fields.len());
        for &part in &question.field_order {
            let Some(field) = question.fields.get(part) else { continue };
            let shown = truth(&field.shown.node, &Context::of(self, Some(&item)));
            let value = match shown {
                Truth::False => set_aside(field.kind),
                Truth::True | Truth::Unknown => sub_value(field, given.get(&field.id)),
            };
            if let Some(value) = value {
                item.push(&field.id, value);
            }
            seen(part, field, shown);
        }
        item
    }

    /// The sub-fields which are asked of an item, each after those its being shown hangs on.
    pub(crate) fn asked_of(&self, question: &'a Question, item: &'a Answers) -> Vec<String> {
        let mut asked = Vec::new();
        self.parts(question, item, |_, field, shown| {
            if shown == Truth::True {
                asked.push(field.id.clone());
            }
        });
        asked
    }

    /// The answer which counts, of the question at this place.
    pub(crate) fn value(&self, place: usize) -> Option<&Value<'a>> {
        self.values.get(place)?.as_ref()
    }

    /// These questions, and for one that a table answers those from whose answers it follows; each once.
    pub(crate) fn asked(&self, places: &[usize]) -> Vec<usize> {
        let mut asked = Vec::new();
        let mut ask = |place| {
            if !asked.contains(&place) {
                asked.push(place);
            }
        };
        for place in places {
            match self.form.questions.get(*place).and_then(|question| question.filled.as_ref()) {
                Some(filled) => filled.questions().for_each(&mut ask),
                None => ask(*place),
            }
        }
        asked
    }

    /// The ids of the questions at these places.
    pub(crate) fn ids(&self, places: &[usize]) -> Vec<String> {
        places.iter().filter_map(|place| self.form.questions.get(*place)).map(|one| one.id.clone()).collect()
    }

    /// Where the answers stand which are there and do not count.
    pub(crate) fn set_aside(&self) -> BTreeSet<String> {
        let path = |aside: &Aside| {
            let question = self.form.questions.get(aside.question)?;
            let Some((n, part)) = aside.part else { return Some(question.id.clone()) };
            Some(part_path(&question.id, n, &question.fields.get(part)?.id))
        };
        self.aside.iter().filter_map(path).collect()
    }
}

/// A part of an item, such as `app_marriages[0].ended_on`.
pub(crate) fn part_path(question: &str, n: usize, part: &str) -> String {
    format!("{question}[{n}].{part}")
}

fn sub_value<'a>(field: &'a SubField, answer: Option<&'a Json>) -> Option<Value<'a>> {
    answer.and_then(|answer| normalise::sub(field, answer).ok().flatten()).or_else(|| unticked(field.kind))
}

fn unticked(kind: Type) -> Option<Value<'static>> {
    (kind == Type::Check).then_some(Value::Bool(false))
}

/// What counts of a question which does not apply.
fn set_aside(kind: Type) -> Option<Value<'static>> {
    if kind == Type::Repeating {
        Some(Value::Items(Vec::new()))
    } else if kind == Type::Multi {
        Some(Value::Multi(Vec::new()))
    } else {
        unticked(kind)
    }
}
