//! What must hold in a whole form: types, ids used once, names which exist, no cycles.

use std::collections::{BTreeSet, HashSet};

use super::order::put_in_order;
use super::source::{FormFile, Text};
use super::{File, Placed};
use crate::catalogue::LoadError;
use crate::expr::check::Names;
use crate::expr::{Expr, Node};
use crate::filled;
use crate::form::{AskedFor, CoSignsEach, Form};
use crate::given::given_shape;
use crate::last_day;
use crate::normalise::normalise;
use crate::value::Type;

/// What every filing guards: the sum is computed.
const GUARDS: &[&str] = &["fee"];

/// A condition which waits until all names of the form are known.
struct Pending<'a> {
    id: String,
    placed: Placed<'a>,
    /// The `repeating` question whose items are `it`.
    items_of: Option<String>,
}

/// A form which is being put together.
#[derive(Default)]
pub(crate) struct Draft<'a> {
    pending: Vec<Pending<'a>>,
    /// All forms of the catalogue, of which a condition may look for others; nothing where some could not be read.
    forms: Option<&'a BTreeSet<String>>,
}

impl<'a> Draft<'a> {
    /// One beside these forms of the catalogue.
    pub(crate) fn beside(forms: Option<&'a BTreeSet<String>>) -> Self {
        Self { forms, ..Self::default() }
    }

    /// Reads a condition and keeps it to be checked when all names are known; one that cannot be read is always true.
    pub(crate) fn condition(
        &mut self,
        file: &'a File,
        id: &str,
        text: &Text,
        errors: &mut Vec<LoadError>,
    ) -> Expr {
        match Placed::read(file, id, text) {
            Ok(placed) => self.keep(id, placed, None),
            Err(error) => {
                errors.push(error);
                Expr::new(Node::always())
            }
        }
    }

    /// Keeps a condition; over the items of a question, where it stands in one.
    pub(crate) fn keep(&mut self, id: &str, placed: Placed<'a>, items_of: Option<&str>) -> Expr {
        let expr = Expr::new(placed.node.clone());
        self.pending.push(Pending { id: id.to_owned(), placed, items_of: items_of.map(str::to_owned) });
        expr
    }

    /// Checks everything and finds the orders of evaluation.
    pub(crate) fn finish(self, file: &File, source: &FormFile, form: &mut Form, errors: &mut Vec<LoadError>) {
        let head = source.form.id.span().start;
        unique(file, source, form, errors);
        references(file, head, form, errors);
        co_signing(file, source, errors, form);
        challenges(file, source, errors, form);
        rests_on(file, source, errors, form);
        self.way_in(file, source, errors);
        self.asked_for(file, source, form, errors);
        filled_in(file, source, form, errors);
        last_days(file, source, form, errors);
        self.types(form, errors);
        let cycles = put_in_order(form).into_iter();
        errors.extend(cycles.map(|id| file.error(&id, head, "is shown depending on itself")));
    }

    /// How it is filed here; one that goes in with another form names it, and no other does.
    fn way_in(&self, file: &File, source: &FormFile, errors: &mut Vec<LoadError>) {
        let (docket, goes_with) = (&source.form.docket, source.form.goes_with.as_ref());
        let at = goes_with.unwrap_or(docket).span().start;
        let mut fault = |message: String| errors.push(file.error(source.form.id.get_ref(), at, message));
        match (docket.get_ref().as_str(), goes_with.map(Text::get_ref)) {
            ("package", None) => fault("is filed in a package, and `goes_with` names no form".to_owned()),
            ("package", Some(other)) => {
                if other == source.form.id.get_ref() || self.forms.is_some_and(|forms| !forms.contains(other))
                {
                    fault(format!("goes with `{other}`, which is no other form of the catalogue"));
                }
            }
            ("online" | "attached" | "record", None) => {}
            ("online" | "attached" | "record", Some(_)) => {
                fault("goes with another form, and `docket` is not `package`".to_owned());
            }
            (other, _) => {
                fault(format!("`docket` is `{other}`, and not online, package, attached or record"));
            }
        }
    }

    /// It is asked of somebody else by who files another form of the package, and begins with answers that it takes.
    fn asked_for(&self, file: &File, source: &FormFile, form: &Form, errors: &mut Vec<LoadError>) {
        let Some(asked) = &source.form.asked_for else { return };
        let (at, AskedFor { by, most, answers }) = (asked.span().start, asked.get_ref());
        let mut fault = |message: String| errors.push(file.error(&form.id, at, message));
        if form.goes_with.is_none() || by.is_empty() || *most == 0 {
            fault("is asked of somebody, and that needs `goes_with`, `by` and a `most` above 0".to_owned());
        }
        let unknown = |other: &&String| self.forms.is_some_and(|forms| !forms.contains(*other));
        for other in by.iter().filter(|other| **other == form.id || unknown(other)) {
            fault(format!("is asked for by `{other}`, which is no other form of the catalogue"));
        }
        for (question, answer) in answers {
            if let Err(wrong) = normalise(form, question, answer) {
                fault(format!(
                    "begins with an answer to `{question}` that it does not take: {}",
                    wrong.message
                ));
            }
        }
    }

    /// Checks what was kept against the names of the form.
    pub(crate) fn types(self, form: &Form, errors: &mut Vec<LoadError>) {
        let names = Names::of(form, self.forms);
        for Pending { id, placed, items_of } in self.pending {
            if let Err(fault) = names.allow(&placed.node, items_of.as_deref()) {
                errors.push(placed.error(&id, &fault));
            }
        }
    }
}

/// Whatever a table is to answer, a table does answer.
fn filled_in(file: &File, source: &FormFile, form: &Form, errors: &mut Vec<LoadError>) {
    let names = Names::of(form, None);
    for question in &form.questions {
        if let Err(fault) = filled::check(question, &names) {
            let own = source.question.iter().find(|one| *one.id.get_ref() == question.id);
            let at = own.map_or(source.form.id.span().start, |one| one.id.span().start);
            errors.push(file.error(&question.id, at, fault.message));
        }
    }
}

/// A last day is a date.
fn last_days(file: &File, source: &FormFile, form: &Form, errors: &mut Vec<LoadError>) {
    let names = Names::of(form, None);
    for (row, written) in form.last_days.iter().zip(&source.last_day) {
        if let Err(fault) = last_day::check(row, &names) {
            errors.push(file.error("last_day", written.day.span().start + 1 + fault.at, fault.message));
        }
    }
}

/// Who signs beside the filer is not the filer, and is one person whom the form names and of whom it wants a signature, or each of a
/// list.
fn co_signing(file: &File, source: &FormFile, errors: &mut Vec<LoadError>, form: &Form) {
    let mut before = None;
    for role in &source.role {
        let Some(co_signs) = &role.co_signs else { continue };
        let (at, co_signs) = (co_signs.span().start, co_signs.get_ref());
        let mut fault = |message: String| errors.push(file.error(&role.id, at, message));
        let filer = source.role.iter().find(|one| one.signs).map(|one| &one.id);
        if !role.signs || filer == Some(&role.id) {
            fault("co-signs, and so must sign and not be the first who does: that one files".to_owned());
        }
        if let Some(other) = before.replace(&role.id) {
            fault(format!("co-signs beside `{other}`: in a form one role at most does"));
        }
        if co_signs.declares.trim().is_empty() {
            fault("co-signs, and has nothing in `declares`".to_owned());
        }
        if let Some(each) = &co_signs.each {
            let lacks = if co_signs.prefix.is_empty() { co_signs_each(form, each) } else { vec![both()] };
            lacks.into_iter().for_each(fault);
            continue;
        }
        let kinds =
            [("family_name", Type::NamePart), ("given_name", Type::NamePart), ("signature", Type::Signature)];
        for (question, kind) in kinds {
            let id = format!("{}{question}", co_signs.prefix);
            if form.question(&id).is_none_or(|asked| asked.kind != kind) {
                fault(format!("co-signs, and there is no question `{id}` of the type `{}`", kind.word()));
            }
        }
    }
}

fn both() -> String {
    "co-signs, and is named by both `prefix` and `each`".to_owned()
}

/// What is wrong with the list whose items each name somebody who signs.
fn co_signs_each(form: &Form, each: &CoSignsEach) -> Vec<String> {
    let Some(list) = form.question(&each.list).filter(|asked| asked.kind == Type::Repeating) else {
        return vec![format!("co-signs, and there is no list `{}`", each.list)];
    };
    let part = |id: &str| list.fields.iter().find(|field| field.id == id);
    let mut lacks = Vec::new();
    if part(&each.name).is_none_or(|name| name.kind != Type::Text || !name.required.is_always()) {
        lacks.push(format!("co-signs, and `{}` has no text `{}` that is required", each.list, each.name));
    }
    if part(&each.how).is_none_or(|how| how.kind != Type::Select || !how.options.contains(&each.own)) {
        lacks.push(format!("co-signs, and `{}` has no choice `{}` of `{}`", each.list, each.own, each.how));
    }
    let unknown = each.sees.iter().filter(|id| !form.sections.iter().any(|section| section.id == **id));
    lacks.extend(unknown.map(|id| format!("co-signs, and there is no section `{id}` to see")));
    lacks
}

/// What a form against a decision is read from is asked.
fn challenges(file: &File, source: &FormFile, errors: &mut Vec<LoadError>, form: &Form) {
    let Some(challenges) = &source.form.challenges else { return };
    let (at, challenges) = (challenges.span().start, challenges.get_ref());
    let asks = |id: &str, kind: Type| form.question(id).is_some_and(|asked| asked.kind == kind);
    let mut fault = |message: String| errors.push(file.error(&form.id, at, message));
    if !asks(&challenges.receipt, Type::Receipt) {
        fault(format!("challenges a decision, and asks no receipt number as `{}`", challenges.receipt));
    }
    match (&challenges.kind, &challenges.kind_asked) {
        (Some(_), None) => {}
        (None, Some(question)) if asks(question, Type::Select) => {}
        (None, Some(question)) => fault(format!("challenges a decision, and `{question}` is no choice")),
        (Some(_), Some(_)) | (None, None) => {
            fault("challenges a decision, and has not one of `kind` and `kind_asked`".to_owned());
        }
    }
}

/// The receipt number of the case that a form rests on is asked.
fn rests_on(file: &File, source: &FormFile, errors: &mut Vec<LoadError>, form: &Form) {
    let Some(named) = &source.form.rests_on else { return };
    if form.question(named.get_ref()).is_none_or(|question| question.kind != Type::Receipt) {
        let message = format!("rests on another case, and asks no receipt number as `{}`", named.get_ref());
        errors.push(file.error(&form.id, named.span().start, message));
    }
}

/// Ids are used once, and no question has the name of a given value.
fn unique(file: &File, source: &FormFile, form: &Form, errors: &mut Vec<LoadError>) {
    let head = source.form.id.span().start;
    let at = |id: &str| {
        let own = source.question.iter().map(|one| &one.id).chain(source.rule.iter().map(|one| &one.id));
        own.chain(source.evidence.iter().map(|one| &one.kind))
            .chain(source.fee.iter().map(|one| &one.id))
            .chain(source.section.iter().map(|one| &one.id))
            .rfind(|one| one.get_ref() == id)
            .map_or(head, |one| one.span().start)
    };
    let mut twice = |what: &str, ids: Vec<&str>| {
        let mut seen = HashSet::new();
        for id in ids {
            if !seen.insert(id) {
                errors.push(file.error(id, at(id), format!("there are two {what} with this id")));
            }
        }
    };
    twice("questions", form.questions.iter().map(|one| one.id.as_str()).collect());
    twice("rules", form.rules.iter().map(|one| one.id.as_str()).collect());
    twice("kinds of evidence", form.evidence.iter().map(|one| one.kind.as_str()).collect());
    twice("fee rows", form.fees.iter().map(|one| one.id.as_str()).collect());
    twice("sections", form.sections.iter().map(|one| one.id.as_str()).collect());
    for question in &form.questions {
        if given_shape(&question.id).is_some() || question.id == "it" {
            errors.push(file.error(&question.id, at(&question.id), "this is the name of a given value"));
        }
        let mut seen = HashSet::new();
        if question.fields.iter().any(|field| !seen.insert(&field.id)) {
            errors.push(file.error(&question.id, at(&question.id), "two fields of its items have one id"));
        }
    }
}

/// Sections, fields of rules and what prevents a request exist.
fn references(file: &File, head: usize, form: &Form, errors: &mut Vec<LoadError>) {
    let section = |id: &str| form.sections.iter().any(|section| section.id == id);
    for question in form.questions.iter().filter(|question| !section(&question.section)) {
        errors.push(file.error(&question.id, head, format!("there is no section {}", question.section)));
    }
    for rule in &form.rules {
        let known = form.question(&rule.field).is_some()
            || section(&rule.field)
            || matches!(rule.field.as_str(), "evidence" | "form");
        if !known {
            errors.push(file.error(
                &rule.id,
                head,
                format!("there is no question or section {}", rule.field),
            ));
        }
    }
    let requests = form.rfes.iter().map(|rfe| (&rfe.code, &rfe.prevent, &[][..]));
    let rejects = form.rejects.iter().map(|reject| (&reject.code, &reject.prevent, GUARDS));
    for (code, prevent, guards) in requests.chain(rejects) {
        for one in prevent {
            let known = form.question(one).is_some()
                || form.rules.iter().any(|rule| rule.id == *one)
                || form.evidence.iter().any(|row| row.kind == *one)
                || guards.contains(&one.as_str());
            if !known {
                errors.push(file.error(code, head, format!("there is no rule, evidence or question {one}")));
            }
        }
    }
    for row in form.fees.iter().filter(|row| row.until.is_some_and(|until| until < row.from)) {
        errors.push(file.error(&row.id, head, "the fee row ends before it begins"));
    }
}
