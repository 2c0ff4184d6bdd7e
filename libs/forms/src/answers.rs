//! Answers as rules see them: normalised, with those set aside which do not apply.

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
}

impl<'a> Facts<'a> {
    /// Reads the answers in an order in which each question's being shown is known before it is read.
    pub(crate) fn read(form: &'a Form, answers: &'a Answers, given: &'a Given) -> Self {
        let count = form.questions.len();
        let mut facts = Self { form, given, values: vec![None; count], shown: vec![Truth::Unknown; count] };
        for &place in &form.order {
            let Some(question) = form.questions.get(place) else { continue };
            let shown = truth(&question.shown.node, &Context::of(&facts, None));
            facts.values[place] = match shown {
                Truth::False => set_aside(question.kind),
                Truth::True | Truth::Unknown => match &question.filled {
                    Some(filled) => filled.cents(&facts).map(Value::Number),
                    None => facts.answer(question, answers.get(&question.id)),
                },
            };
            facts.shown[place] = shown;
        }
        facts
    }

    fn answer(&self, question: &'a Question, answer: Option<&'a Json>) -> Option<Value<'a>> {
        let read = match (question.kind, answer) {
            (Type::Repeating, Some(Json::Array(list))) => {
                let items: Option<Vec<Item<'a>>> = list.iter().map(|one| self.item(question, one)).collect();
                items.map(Value::Items)
            }
            (Type::Repeating, Some(_)) | (_, None) => None,
            (kind, Some(answer)) => normalise::single(kind, &question.options, answer).ok().flatten(),
        };
        read.or_else(|| unticked(question.kind))
    }

    /// The sub-fields of one item which count; what is no object is no item.
    fn item(&self, question: &'a Question, one: &'a Json) -> Option<Item<'a>> {
        let given = one.as_object()?;
        let mut item = Item::of(question.fields.len());
        for field in question.field_order.iter().filter_map(|n| question.fields.get(*n)) {
            let value = match truth(&field.shown.node, &Context::of(self, Some(&item))) {
                Truth::False => set_aside(field.kind),
                Truth::True | Truth::Unknown => sub_value(field, given.get(&field.id)),
            };
            if let Some(value) = value {
                item.push(&field.id, value);
            }
        }
        Some(item)
    }

    /// The answer which counts, of the question at this place.
    pub(crate) fn value(&self, place: usize) -> Option<&Value<'a>> {
        self.values.get(place)?.as_ref()
    }

    /// These questions, and for one that a table answers those from whose answers it follows; each once.
    pub(crate) fn asked(&self, places: &[usize]) -> Vec<usize> {
        let mut asked = Vec::new();
        for place in places {
            let filled = self.form.questions.get(*place).and_then(|question| question.filled.as_ref());
            let behind = filled.map_or_else(|| vec![*place], |filled| filled.questions().collect());
            for place in behind {
                if !asked.contains(&place) {
                    asked.push(place);
                }
            }
        }
        asked
    }

    /// The ids of the questions at these places.
    pub(crate) fn ids(&self, places: &[usize]) -> Vec<String> {
        places.iter().filter_map(|place| self.form.questions.get(*place)).map(|one| one.id.clone()).collect()
    }
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
