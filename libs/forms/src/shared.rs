//! The same person on several forms of a package: which questions ask the same of the same person.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::catalogue::LoadError;
use crate::form::{Form, Question};
use crate::load::File;
use crate::load::source::{Common, Text};
use crate::value::{Precision, Type};

/// A person as one form asks about them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The form.
    pub form: String,
    /// Who it is to all forms of a package, such as `petitioner`.
    pub person: String,
    /// Whether it is who files the form.
    pub files: bool,
    /// Whether a form is filed but once for each of them in a package.
    pub once: bool,
    /// The question that asks for each fact: `dob` is asked as `ben_dob`.
    pub asks: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    blocks: Vec<Text>,
    once: Vec<Text>,
    part: Vec<WrittenPart>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenPart {
    form: Text,
    person: String,
    #[serde(default)]
    files: bool,
    prefixes: Vec<Text>,
    /// Questions of no block that ask for a fact too.
    #[serde(default)]
    also: BTreeMap<String, String>,
}

/// Reads the persons that forms share; every fault found is in `errors`.
pub(crate) fn read(file: &File, common: &Common, forms: &[Form], errors: &mut Vec<LoadError>) -> Vec<Part> {
    let Some(written): Option<Written> = file.read(errors) else { return Vec::new() };
    for block in written.blocks.iter().filter(|block| !common.block.contains_key(block.get_ref())) {
        errors.push(file.error(block.get_ref(), block.span().start, "there is no such block"));
    }
    for person in &written.once {
        if !written.part.iter().any(|part| part.person == *person.get_ref()) {
            errors.push(file.error(person.get_ref(), person.span().start, "no form asks about this person"));
        }
    }
    let reader = Reader { file, written: &written, forms };
    let parts: Vec<Part> = written.part.iter().filter_map(|part| reader.part(part, errors)).collect();
    reader.check(&parts, errors);
    parts
}

struct Reader<'a> {
    file: &'a File,
    written: &'a Written,
    forms: &'a [Form],
}

impl<'a> Reader<'a> {
    fn part(&self, part: &WrittenPart, errors: &mut Vec<LoadError>) -> Option<Part> {
        let fault = |message: String| self.fault(part, message);
        let Some(form) = self.form(part.form.get_ref()) else {
            errors.push(fault("there is no such form".to_owned()));
            return None;
        };
        let mut asked: Vec<(&str, &Question)> = Vec::new();
        for prefix in &part.prefixes {
            let before = asked.len();
            let of_blocks =
                form.questions.iter().filter_map(|question| self.fact(prefix.get_ref(), question));
            asked.extend(of_blocks);
            if asked.len() == before {
                errors.push(fault(format!("no shared block is asked as {}", prefix.get_ref())));
            }
        }
        for (id, fact) in &part.also {
            match form.question(id) {
                Some(question) => asked.push((fact, question)),
                None => errors.push(fault(format!("the form does not ask {id}"))),
            }
        }
        let mut asks = BTreeMap::new();
        for (fact, question) in asked {
            if question.kind == Type::Signature {
                errors.push(fault(format!("{} is a signature, which serves its own form only", question.id)));
            }
            if let Some(other) = asks.insert(fact.to_owned(), question.id.clone()) {
                errors.push(fault(format!("{other} and {} both ask {fact}", question.id)));
            }
        }
        let once = self.written.once.iter().any(|person| *person.get_ref() == part.person);
        Some(Part { form: form.id.clone(), person: part.person.clone(), files: part.files, once, asks })
    }

    /// What a question of a shared block asks for.
    fn fact<'q>(&self, prefix: &str, question: &'q Question) -> Option<(&'q str, &'q Question)> {
        let (block, fact) = (question.block.as_deref()?, question.common_id.as_deref()?);
        let shared = self.written.blocks.iter().any(|shared| shared.get_ref() == block);
        (shared && question.id.strip_prefix(prefix) == Some(fact)).then_some((fact, question))
    }

    /// Whether each fact takes the same answers wherever it is asked, and what is named beside the blocks is asked elsewhere too.
    fn check(&self, parts: &[Part], errors: &mut Vec<LoadError>) {
        let mut first: BTreeMap<&str, (&str, &Question)> = BTreeMap::new();
        for part in parts {
            for (fact, id) in &part.asks {
                let Some(question) = self.form(&part.form).and_then(|form| form.question(id)) else {
                    continue;
                };
                let (form, other) = *first.entry(fact.as_str()).or_insert((part.form.as_str(), question));
                if !take_the_same(question, other) {
                    let message = format!("{id} does not take the answers of {} of {form}", other.id);
                    errors.extend(self.written_as(part).map(|written| self.fault(written, message)));
                }
            }
        }
        for written in &self.written.part {
            let asks =
                |id: &str| self.form(written.form.get_ref()).is_some_and(|form| form.question(id).is_some());
            let asked = |fact: &str| parts.iter().filter(|part| part.asks.contains_key(fact)).count();
            for (_, fact) in written.also.iter().filter(|(id, fact)| asks(id) && asked(fact) == 1) {
                errors.push(self.fault(written, format!("no other form asks {fact}")));
            }
        }
    }

    fn form(&self, id: &str) -> Option<&'a Form> {
        self.forms.iter().find(|form| form.id == id)
    }

    fn written_as(&self, part: &Part) -> Option<&'a WrittenPart> {
        let is_it = |one: &&WrittenPart| *one.form.get_ref() == part.form && one.person == part.person;
        self.written.part.iter().find(is_it)
    }

    fn fault(&self, part: &WrittenPart, message: String) -> LoadError {
        self.file.error(part.form.get_ref(), part.form.span().start, message)
    }
}

/// Whether an answer to one question is one to the other. Of a date one form may need the day where another does not: what is
/// known of it then serves where it is enough.
fn take_the_same(one: &Question, other: &Question) -> bool {
    let fields = |question: &Question| -> Vec<(String, Type, Precision, Vec<String>)> {
        let parts = question.fields.iter();
        parts.map(|field| (field.id.clone(), field.kind, field.precision, field.options.clone())).collect()
    };
    let is_date = |question: &Question| matches!(question.kind, Type::Date | Type::PartialDate);
    let kinds = one.kind == other.kind || (is_date(one) && is_date(other));
    kinds && one.options == other.options && fields(one) == fields(other)
}
