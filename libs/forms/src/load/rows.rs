//! Rules, evidence, fees and last days of a form's own file.

use super::assemble::Maker;
use super::source::{FormFile, Rule as Written};
use super::{File, Placed};
use crate::expr::{Expr, Node};
use crate::form::{Evidence, FeeRule, Form, LastDay, Protection, Rule};
use crate::texts::spoken;

impl<'a> Maker<'a, '_> {
    pub(super) fn rule(
        &mut self,
        form: &mut Form,
        file: &'a File,
        rule: &Written,
        common_id: Option<&String>,
    ) {
        let id = rule.id.get_ref().clone();
        let when = self.condition(file, &id, &rule.when);
        let message_id = format!("{}.rule.{id}.message", self.slug);
        form.rules.push(Rule {
            level: rule.level,
            when,
            field: rule.field.clone(),
            message: rule.message.clone(),
            message_id,
            kind: rule.kind,
            cite: rule.cite.clone(),
            common_id: common_id.cloned(),
            id,
        });
    }

    pub(super) fn evidence(&mut self, form: &mut Form, source: &FormFile) {
        for row in &source.evidence {
            let when = self.condition(self.file, row.kind.get_ref(), &row.when);
            form.evidence.push(Evidence {
                kind: row.kind.get_ref().clone(),
                title: row.title.clone(),
                when,
                substitutes: row.substitutes.clone(),
                substitute_titles: row.substitutes.iter().map(|kind| spoken(kind)).collect(),
                note: row.note.clone(),
                cite: row.cite.clone(),
                level: row.level,
            });
        }
    }

    pub(super) fn fees(&mut self, form: &mut Form, source: &FormFile) {
        for row in &source.fee {
            let id = row.id.get_ref();
            let when = self.condition(self.file, id, &row.when);
            let waivable_when = match &row.waivable_when {
                Some(text) => self.condition(self.file, id, text),
                None => Expr::new(Node::always()),
            };
            form.fees.push(FeeRule {
                id: id.clone(),
                kind: row.kind,
                cents: i64::from(row.usd) * 100,
                channel: row.channel,
                when,
                from: row.from,
                until: row.until,
                known_until: row.known_until,
                waivable: row.waivable,
                waivable_when,
                kept_on_rejection: row.kept_on_rejection,
                cite: row.cite.clone(),
                mark: row.mark.clone(),
            });
        }
    }

    pub(super) fn protections(&mut self, form: &mut Form, source: &FormFile) {
        for row in &source.protected {
            let when = self.condition(self.file, "protected", &row.when);
            form.protections.push(Protection { when, cite: row.cite.clone() });
        }
    }

    pub(super) fn last_days(&mut self, form: &mut Form, source: &'a FormFile) {
        for row in &source.last_day {
            let when = self.condition(self.file, "last_day", &row.when);
            match Placed::read(self.file, "last_day", &row.day) {
                Ok(placed) => {
                    form.last_days.push(LastDay {
                        when,
                        day: Expr::new(placed.node),
                        cite: row.cite.clone(),
                    });
                }
                Err(error) => self.errors.push(error),
            }
        }
    }
}
