//! One form out of its file and the blocks it includes.

use std::collections::BTreeSet;

use toml::Spanned;

use super::blocks::Included;
use super::checks::Draft;
use super::editions::precision;
use super::guidelines::Guidelines;
use super::source::{self, Common, FormFile, Question as Asked, Text};
use super::{File, Placed};
use crate::catalogue::LoadError;
use crate::definition::conditions;
use crate::expr::{Expr, Node, Op};
use crate::filled::Filled;
use crate::form::{Form, Question, Role, Rule, Section, SubField};
use crate::language::Language;
use crate::texts::spoken;
use crate::value::{Precision, Type};
use crate::visas::{self, VisaBulletin};

/// What stands beside a form in the catalogue.
pub(crate) struct Beside<'a> {
    /// All forms; nothing where some could not be read.
    pub(crate) forms: Option<BTreeSet<String>>,
    /// The poverty guidelines of each use.
    pub(crate) guidelines: &'a Guidelines,
    /// The Visa Bulletin, where the folder has one.
    pub(crate) visas: Option<&'a VisaBulletin>,
}

/// Puts a form together and checks it; every fault found is in `errors`.
pub(crate) fn form(
    (file, source): (&File, &FormFile),
    (common_file, common): (&File, &Common),
    beside: &Beside<'_>,
    version: &str,
    errors: &mut Vec<LoadError>,
) -> Option<Form> {
    let mut maker = Maker {
        file,
        slug: source.form.id.get_ref().to_lowercase(),
        errors,
        draft: Draft::beside(beside.forms.as_ref()),
        guidelines: beside.guidelines,
    };
    let mut form = maker.head(source, version);
    form.visas = beside.visas.cloned();
    for include in &source.include {
        match Included::new(file, include, common_file, common) {
            Ok(included) => maker.included(&mut form, &included),
            Err(error) => maker.errors.push(error),
        }
    }
    for asked in &source.question {
        maker.question(&mut form, asked);
    }
    in_section_order(&mut form);
    for rule in &source.rule {
        maker.rule(&mut form, file, rule, None);
    }
    for rule in &common.rules_of_all {
        maker.rule(&mut form, common_file, rule, Some(rule.id.get_ref()));
    }
    maker.evidence(&mut form, source);
    maker.fees(&mut form, source);
    maker.last_days(&mut form, source);
    maker.protections(&mut form, source);
    let Maker { draft, errors, .. } = maker;
    let before = errors.len();
    draft.finish(file, source, &mut form, errors);
    if !conditions(&form).iter().any(|(_, condition, _)| condition.calls(&visas::FUNCTIONS)) {
        form.visas = None;
    }
    (errors.len() == before).then_some(form)
}

/// Questions stand in the order of their sections; within one, blocks first, as they were included.
fn in_section_order(form: &mut Form) {
    let place = |section: &str| form.sections.iter().position(|one| one.id == section).unwrap_or(usize::MAX);
    let mut keyed: Vec<(usize, Question)> =
        form.questions.drain(..).map(|question| (place(&question.section), question)).collect();
    keyed.sort_by_key(|(place, _)| *place);
    form.questions = keyed.into_iter().map(|(_, question)| question).collect();
}

pub(super) struct Maker<'a, 'e> {
    pub(super) file: &'a File,
    pub(super) slug: String,
    pub(super) errors: &'e mut Vec<LoadError>,
    draft: Draft<'a>,
    guidelines: &'a Guidelines,
}

impl<'a> Maker<'a, '_> {
    fn head(&mut self, source: &'a FormFile, version: &str) -> Form {
        let head = &source.form;
        let roles = source.role.iter().map(|role| {
            let required = self.condition(self.file, &role.id, &role.required);
            let co_signs = role.co_signs.as_ref().map(|co_signs| co_signs.get_ref().clone());
            Role { id: role.id.clone(), required, signs: role.signs, note: role.note.clone(), co_signs }
        });
        let roles = roles.collect();
        let sections = source.section.iter().map(|section| Section {
            id: section.id.get_ref().clone(),
            title: section.title.clone(),
            title_id: format!("{}.{}.title", self.slug, section.id.get_ref()),
        });
        Form {
            language: Language::En,
            id: head.id.get_ref().clone(),
            title: head.title.clone(),
            family: head.family.clone(),
            summary: head.summary.clone(),
            edition: head.edition,
            accepted_from: head.accepted_from.unwrap_or(head.edition),
            accepted_until: None,
            edition_required_from: head.edition_required_from.unwrap_or(head.edition),
            edition_source: head.edition_source.clone(),
            online_in_reality: head.online_in_reality.clone(),
            docket: head.docket.get_ref().clone(),
            goes_with: head.goes_with.as_ref().map(|form| form.get_ref().clone()),
            asked_for: head.asked_for.as_ref().map(|asked| asked.get_ref().clone()),
            online_fee_waiver: head.online_fee_waiver,
            challenges: head.challenges.as_ref().map(|challenges| challenges.get_ref().clone()),
            rests_on: head.rests_on.as_ref().map(|question| question.get_ref().clone()),
            last_days: Vec::new(),
            protections: Vec::new(),
            visas: None,
            cfr: head.cfr.clone(),
            biometrics: head.biometrics.clone(),
            biometrics_note: head.biometrics_note.clone(),
            detail: head.detail.clone(),
            sections: sections.collect(),
            roles,
            questions: Vec::new(),
            rules: Vec::new(),
            evidence: Vec::new(),
            fees: Vec::new(),
            rejects: source.reject.clone(),
            rfes: source.rfe.clone(),
            catalogue_version: version.to_owned(),
            order: Vec::new(),
            earlier: Vec::new(),
        }
    }

    /// Reads a condition and keeps it to be checked when all names are known.
    pub(super) fn condition(&mut self, file: &'a File, id: &str, text: &Text) -> Expr {
        self.draft.condition(file, id, text, self.errors)
    }

    fn keep(&mut self, id: &str, placed: Placed<'a>, items_of: Option<&str>) -> Expr {
        self.draft.keep(id, placed, items_of)
    }

    fn included(&mut self, form: &mut Form, included: &Included<'a>) {
        for asked in included.questions() {
            let id = included.prefixed(asked.id.get_ref());
            match included.required_and_shown(&id, asked) {
                Ok((required, shown)) => {
                    let block = Some(included.block_name());
                    let made = self.asked(
                        included.file(),
                        asked,
                        &id,
                        included.section(),
                        required,
                        shown,
                        block,
                        included,
                    );
                    form.questions.push(made);
                }
                Err(error) => self.errors.push(error),
            }
        }
        for rule in included.rules() {
            let id = included.prefixed(&rule.id);
            match included.rule_condition(&id, rule) {
                Ok(placed) => {
                    let when = self.keep(&id, placed, None);
                    let message_id = format!("{}.rule.{id}.message", self.slug);
                    form.rules.push(Rule {
                        level: rule.level,
                        when,
                        field: included.prefixed(&rule.field),
                        message: rule.message.clone(),
                        message_id,
                        kind: rule.kind,
                        cite: rule.cite.clone(),
                        common_id: Some(rule.id.clone()),
                        id,
                    });
                }
                Err(error) => self.errors.push(error),
            }
        }
    }

    fn question(&mut self, form: &mut Form, asked: &'a Asked) {
        let id = asked.id.get_ref().clone();
        let Some(section) = asked.section.clone() else {
            self.errors.push(self.file.error(&id, asked.id.span().start, "the question names no section"));
            return;
        };
        let required = match Placed::read(self.file, &id, &asked.required) {
            Ok(placed) => placed,
            Err(error) => return self.errors.push(error),
        };
        let shown = asked.shown.as_ref().map(|text| Placed::read(self.file, &id, text)).transpose();
        let shown = match shown {
            Ok(shown) => shown_when(&required, shown),
            Err(error) => return self.errors.push(error),
        };
        let plain = Included::none(self.file);
        let made = self.asked(self.file, asked, &id, &section, required, shown, None, &plain);
        form.questions.push(made);
    }

    #[expect(clippy::too_many_arguments, reason = "a question's parts, each from another place")]
    fn asked(
        &mut self,
        file: &'a File,
        asked: &'a Asked,
        id: &str,
        section: &str,
        required: Placed<'a>,
        shown: Placed<'a>,
        block: Option<&str>,
        included: &Included<'a>,
    ) -> Question {
        let kind = self.kind(file, id, asked.kind.get_ref(), asked.kind.span().start);
        if matches!(kind, Type::Select | Type::Multi) == asked.options.is_empty() {
            self.errors.push(file.error(
                id,
                asked.id.span().start,
                "options belong to select and multi, which need them",
            ));
        }
        if (kind == Type::Repeating) == asked.fields.is_empty() {
            self.errors.push(file.error(
                id,
                asked.id.span().start,
                "fields belong to repeating, which needs them",
            ));
        }
        let precision = asked.precision.as_ref();
        let at = precision.map_or(asked.id.span().start, |word| word.span().start);
        let precision = precision.map_or("", |word| word.get_ref().as_str());
        let precision = self.precision((file, id, at), kind, precision);
        let fields =
            asked.fields.iter().filter_map(|text| self.sub_field(file, id, text, included)).collect();
        Question {
            id: id.to_owned(),
            section: section.to_owned(),
            kind,
            required: self.keep(id, required, None),
            shown: self.keep(id, shown, None),
            label: asked.label.clone(),
            label_id: format!("{}.{id}.label", self.slug),
            help: asked.help.clone(),
            options: asked.options.clone(),
            option_labels: asked.options.iter().map(|option| spoken(option)).collect(),
            precision,
            fields,
            filled: asked.filled.as_ref().and_then(|filled| self.filled(file, id, filled, included)),
            block: block.map(str::to_owned),
            common_id: block.map(|_| asked.id.get_ref().clone()),
            field_order: Vec::new(),
        }
    }

    /// Which table answers a question; the rows of it are those of its use.
    fn filled(
        &mut self,
        file: &'a File,
        id: &str,
        filled: &'a source::Filled,
        included: &Included<'a>,
    ) -> Option<Filled> {
        let mut read = |text: &'a Text| match Placed::read(file, id, text) {
            Ok(placed) => Some(Expr::new(included.renamed(placed).node)),
            Err(error) => {
                self.errors.push(error);
                None
            }
        };
        Some(Filled {
            table: filled.table.clone(),
            household: read(&filled.household)?,
            state: filled.state.iter().map(read).collect::<Option<_>>()?,
            percent: filled.percent.clone(),
            years: self.guidelines.get(&filled.table).cloned().unwrap_or_default(),
        })
    }

    fn kind(&mut self, file: &File, id: &str, word: &str, byte: usize) -> Type {
        Type::named(word).unwrap_or_else(|| {
            self.errors.push(file.error(id, byte, format!("there is no type {word}")));
            Type::Text
        })
    }

    /// What of a partial date must be known at least; nothing is said of that elsewhere.
    fn precision(&mut self, (file, id, at): (&File, &str, usize), kind: Type, word: &str) -> Precision {
        let read = if kind == Type::PartialDate || word.is_empty() {
            precision(word)
        } else {
            Err("a precision belongs to partial_date".to_owned())
        };
        read.unwrap_or_else(|message| {
            self.errors.push(file.error(id, at, message));
            Precision::default()
        })
    }

    /// Reads `id|type|required|label`, where the type may be `select:a,b` or `partial_date:month`.
    fn sub_field(
        &mut self,
        file: &'a File,
        id: &str,
        text: &Spanned<String>,
        included: &Included<'a>,
    ) -> Option<SubField> {
        let start = text.span().start + 1;
        let mut parts = text.get_ref().splitn(4, '|');
        let (Some(name), Some(kind), Some(required), Some(label)) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            self.errors.push(file.error(id, start, "a field is written id|type|required|label"));
            return None;
        };
        let path = format!("{id}.{name}");
        let (word, options) = kind.split_once(':').unwrap_or((kind, ""));
        let kind = self.kind(file, &path, word, start + name.len() + 1);
        if kind == Type::Repeating {
            self.errors.push(file.error(&path, start, "items cannot hold items"));
        }
        let at = start + name.len() + word.len() + if options.is_empty() { 2 } else { 3 + options.len() };
        let required = match required {
            "y" => Placed { node: Node::always(), file, byte: at },
            "n" => Placed { node: never(), file, byte: at },
            expr => match crate::expr::parse::parse(expr) {
                Ok(node) => included.renamed(Placed { node, file, byte: at }),
                Err(fault) => {
                    self.errors.push(file.error(&path, at + fault.at, fault.message));
                    return None;
                }
            },
        };
        let shown = shown_when(&required, None);
        let said = if kind == Type::PartialDate { options } else { "" };
        let precision = self.precision((file, &path, start + name.len() + word.len() + 2), kind, said);
        let options = if kind == Type::PartialDate { "" } else { options };
        let options: Vec<String> =
            options.split(',').filter(|option| !option.is_empty()).map(str::to_owned).collect();
        Some(SubField {
            id: name.to_owned(),
            kind,
            required: self.keep(&path, required, Some(id)),
            shown: self.keep(&path, shown, Some(id)),
            label: label.to_owned(),
            label_id: format!("{}.{path}.label", self.slug),
            option_labels: options.iter().map(|option| spoken(option)).collect(),
            options,
            precision,
        })
    }
}

pub(crate) fn never() -> Node {
    Node::new(crate::expr::Kind::Bool(false), 0)
}

/// Where `shown` is written: shown or required. Else always, or with what it is required for.
pub(crate) fn shown_when<'a>(required: &Placed<'a>, shown: Option<Placed<'a>>) -> Placed<'a> {
    match shown {
        Some(shown) => {
            let node = Node::join(Op::Or, shown.node.clone(), required.node.clone());
            shown.of(node)
        }
        None if required.node.is_always() || required.node.is_never() => required.of(Node::always()),
        None => required.clone(),
    }
}
