//! Blocks put into a form: prefixed, bound, and made to hang on a condition.

use super::assemble::shown_when;
use super::source::{BlockRule, Common, Include, Question};
use super::{File, Placed};
use crate::catalogue::LoadError;
use crate::expr::{Node, Op};

/// A block as one form includes it.
pub(crate) struct Included<'a> {
    file: &'a File,
    include: Option<&'a Include>,
    needs: &'a [String],
    questions: &'a [Question],
    rules: Vec<&'a BlockRule>,
    condition: Option<Node>,
}

impl<'a> Included<'a> {
    pub(crate) fn new(
        form_file: &File,
        include: &'a Include,
        file: &'a File,
        common: &'a Common,
    ) -> Result<Self, LoadError> {
        let name = include.block.get_ref();
        let block = common.block.get(name).ok_or_else(|| {
            form_file.error(name, include.block.span().start, format!("there is no block {name}"))
        })?;
        let condition =
            include.required.as_ref().map(|text| Placed::read(form_file, name, text)).transpose()?;
        let rules = common.block_rule.iter().filter(|rule| rule.block.get_ref() == name).collect();
        Ok(Self {
            file,
            include: Some(include),
            needs: &block.needs,
            questions: &block.question,
            rules,
            condition: condition.map(|placed| placed.node),
        })
    }

    /// No block: a form's own questions keep their names.
    pub(crate) fn none(file: &'a File) -> Self {
        Self { file, include: None, needs: &[], questions: &[], rules: Vec::new(), condition: None }
    }

    pub(crate) fn file(&self) -> &'a File {
        self.file
    }

    pub(crate) fn block_name(&self) -> &'a str {
        self.include.map_or("", |include| include.block.get_ref())
    }

    pub(crate) fn section(&self) -> &'a str {
        self.include.map_or("", |include| &include.section)
    }

    pub(crate) fn questions(&self) -> &'a [Question] {
        self.questions
    }

    pub(crate) fn rules(&self) -> Vec<&'a BlockRule> {
        self.rules.clone()
    }

    pub(crate) fn prefixed(&self, id: &str) -> String {
        format!("{}{id}", self.include.map_or("", |include| &include.prefix))
    }

    /// Block ids get the prefix, needed names what they are bound to.
    pub(crate) fn renamed(&self, mut placed: Placed<'a>) -> Placed<'a> {
        let Some(include) = self.include else { return placed };
        placed.node.rename(&|name| {
            if let Some(bound) = include.bind.get(name) {
                return Some(bound.clone());
            }
            let ours = self.questions.iter().any(|question| question.id.get_ref() == name);
            (ours || self.needs.iter().any(|need| need == name)).then(|| self.prefixed(name))
        });
        placed
    }

    /// What the include's own `required` makes of a question's conditions.
    pub(crate) fn required_and_shown(
        &self,
        id: &str,
        asked: &Question,
    ) -> Result<(Placed<'a>, Placed<'a>), LoadError> {
        let mut required = self.renamed(Placed::read(self.file, id, &asked.required)?);
        let mut shown = match &asked.shown {
            Some(text) => Some(self.renamed(Placed::read(self.file, id, text)?)),
            None => None,
        };
        if let Some(condition) = &self.condition {
            if required.node.is_never() && shown.is_none() {
                shown = Some(required.of(condition.clone()));
            } else {
                shown = shown.map(|shown| self.when_included(shown));
            }
            required = self.when_included(required);
        }
        let shown = shown_when(&required, shown);
        Ok((required, shown))
    }

    pub(crate) fn rule_condition(&self, id: &str, rule: &BlockRule) -> Result<Placed<'a>, LoadError> {
        let placed = self.renamed(Placed::read(self.file, id, &rule.when)?);
        Ok(self.when_included(placed))
    }

    fn when_included(&self, placed: Placed<'a>) -> Placed<'a> {
        match &self.condition {
            Some(condition) => {
                let node = Node::join(Op::And, condition.clone(), placed.node.clone());
                placed.of(node)
            }
            None => placed,
        }
    }
}
