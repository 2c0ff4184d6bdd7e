//! A lens: what becomes of each answer of one edition in the next, and the carrying itself.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde_json::{Map, Value};

use super::convert::Convert;
use super::schema::{Place, Schema, Slot};
use super::{Happened, Note, Spot};
use crate::Answers;
use crate::normalise::one;
use crate::value::Type;

/// Which answer of a list stays where there is room for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum More {
    First,
    Last,
    /// None: the person says which.
    Ask,
}

/// Where the rows of a list go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rows {
    /// Each to its own place: item to item, or answer to answer.
    Each,
    /// A single answer into the first item.
    IntoFirst,
    /// One of the items out to a single answer.
    OutOf(More),
}

/// One thing a lens does; each slot of both editions stands in at most one.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// A whole question as it is.
    Same { question: String },
    /// One answer to one place.
    Carry { from: Place, to: Place, how: Convert, rows: Rows },
    /// Several texts to one.
    Join { from: Vec<Place>, to: Place, with: String },
    /// One text to several.
    Split { from: Place, to: Vec<Place>, at: String },
    /// Answers set aside, with what people are told.
    Drop { from: Slot, reason: String },
    /// What was not asked before.
    New { to: Slot },
}

/// From one edition to the next.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lens {
    /// Lists which become lists, item by item.
    pub(crate) lists: BTreeMap<String, String>,
    pub(crate) steps: Vec<Step>,
}

impl Lens {
    /// The slot that took the place of another; nothing where none did.
    pub(crate) fn follow(&self, spot: &Spot) -> Option<Spot> {
        let Spot { slot, row } = spot;
        if slot.sub.is_none()
            && let Some(list) = self.lists.get(&slot.question)
        {
            return Some(Spot { slot: Slot::of(list), row: *row });
        }
        let (to, rows) = self.steps.iter().find_map(|step| match step {
            Step::Same { question } => (*question == slot.question).then(|| (slot.clone(), Rows::Each)),
            Step::Carry { from, to, rows, .. } => {
                from.slot.overlaps(slot).then(|| (within(slot, &from.slot, &to.slot), *rows))
            }
            Step::Join { from, to, .. } => {
                let here = from.iter().any(|place| place.slot.overlaps(slot));
                here.then(|| (to.slot.clone(), Rows::Each))
            }
            Step::Split { from, to, .. } => {
                let first = to.first().filter(|_| from.slot.overlaps(slot));
                first.map(|place| (place.slot.clone(), Rows::Each))
            }
            Step::Drop { .. } | Step::New { .. } => None,
        })?;
        let row = match rows {
            Rows::Each => *row,
            Rows::IntoFirst => Some(0),
            Rows::OutOf(_) => None,
        };
        Some(Spot { slot: to, row })
    }

    /// Carries answers of an edition over to the next.
    pub(crate) fn carry(
        &self,
        edition: Date,
        schema: &Schema,
        next: &Schema,
        old: &Answers,
    ) -> (Answers, Vec<Note>) {
        let mut carrying = Carrying {
            lens: self,
            edition,
            raw: old,
            old: Answers::new(),
            new: Answers::new(),
            notes: Vec::new(),
        };
        carrying.read(schema);
        for (from, to) in &self.lists {
            if let Some(Value::Array(items)) = carrying.old.get(from) {
                let rows = items.iter().map(|_| Value::Object(Map::new())).collect();
                carrying.new.insert(to.clone(), Value::Array(rows));
            }
        }
        for step in &self.steps {
            carrying.step(step, next);
        }
        (carrying.new, carrying.notes)
    }
}

/// A part of an address which was carried whole is the same part of the other.
fn within(slot: &Slot, from: &Slot, to: &Slot) -> Slot {
    if from.sub.is_none() && to.sub.is_none() {
        return Slot { question: to.question.clone(), sub: slot.sub.clone() };
    }
    to.clone()
}

/// Answers on their way.
struct Carrying<'a> {
    lens: &'a Lens,
    edition: Date,
    /// As they came.
    raw: &'a Answers,
    /// Those which are answers of the edition, as it stores them.
    old: Answers,
    new: Answers,
    notes: Vec<Note>,
}

impl Carrying<'_> {
    /// Takes what the edition can have stored; the rest is noted.
    fn read(&mut self, schema: &Schema) {
        let raw: BTreeMap<&String, &Value> = self.raw.iter().collect();
        for (question, answer) in raw {
            match schema.read(question, answer) {
                Ok(Value::Null) => {}
                Ok(answer) => drop(self.old.insert(question.clone(), answer)),
                Err(why) => {
                    let was = Spot { slot: Slot::of(question), row: None };
                    let now = self.lens.follow(&was);
                    self.note(Some(was), now, Happened::NoLongerFits { why }, answer.clone());
                }
            }
        }
    }

    fn note(&mut self, was: Option<Spot>, now: Option<Spot>, happened: Happened, answer: Value) {
        self.notes.push(Note { edition: self.edition, was, now, happened, answer });
    }

    fn step(&mut self, step: &Step, next: &Schema) {
        match step {
            Step::Same { question } => {
                if self.old.contains_key(question)
                    && let Some(answer) = self.raw.get(question)
                {
                    self.new.insert(question.clone(), answer.clone());
                }
            }
            Step::Carry { from, to, how, rows } => self.carry(from, to, how, *rows),
            Step::Join { from, to, with } => self.join(from, to, with),
            Step::Split { from, to, at } => self.split(from, to, at),
            Step::Drop { from, reason } => {
                for (row, answer) in self.column(from) {
                    let was = Some(Spot { slot: from.clone(), row });
                    self.note(was, None, Happened::Dropped { reason: reason.clone() }, answer);
                }
            }
            Step::New { to } => {
                let of_items = to.sub.is_some() && next.is_list(&to.question);
                let items = self.new.get(&to.question).and_then(Value::as_array);
                if !of_items || items.is_some_and(|items| !items.is_empty()) {
                    let now = Some(Spot { slot: to.clone(), row: None });
                    self.note(None, now, Happened::New, Value::Null);
                }
            }
        }
    }

    /// The answers at a slot: one, or one of each item that has it.
    fn column(&self, slot: &Slot) -> Vec<(Option<usize>, Value)> {
        let whole = self.old.get(&slot.question);
        match (&slot.sub, whole) {
            (_, None) => Vec::new(),
            (None, Some(answer)) => vec![(None, answer.clone())],
            (Some(sub), Some(Value::Array(items))) => {
                let rows = items.iter().enumerate();
                rows.filter_map(|(n, item)| Some((Some(n), item.get(sub)?.clone()))).collect()
            }
            (Some(part), Some(address)) => {
                address.get(part).map(|answer| (None, answer.clone())).into_iter().collect()
            }
        }
    }

    fn carry(&mut self, from: &Place, to: &Place, how: &Convert, rows: Rows) {
        let mut column = self.column(&from.slot);
        if let Rows::OutOf(more) = rows {
            column = self.chosen(from, to, column, more);
        }
        for (row, answer) in column {
            let at = match rows {
                Rows::Each => row,
                Rows::IntoFirst => Some(0),
                Rows::OutOf(_) => None,
            };
            let was = Some(Spot { slot: from.slot.clone(), row });
            let now = Some(Spot { slot: to.slot.clone(), row: at });
            let written = how.apply(&answer).and_then(|converted| {
                converted.value.map_or(Ok(()), |value| self.write(to, at, value))?;
                Ok(converted.gone)
            });
            match written {
                Ok(gone) => {
                    for option in gone {
                        let answer = Value::String(option.clone());
                        self.note(was.clone(), now.clone(), Happened::OptionGone { option }, answer);
                    }
                }
                Err(why) => self.note(was, now, Happened::NoLongerFits { why }, answer),
            }
        }
    }

    /// Of the answers of a list the one there is room for; the others are noted together.
    fn chosen(
        &mut self,
        from: &Place,
        to: &Place,
        mut column: Vec<(Option<usize>, Value)>,
        more: More,
    ) -> Vec<(Option<usize>, Value)> {
        if column.len() < 2 {
            return column;
        }
        let left = match more {
            More::First => column.split_off(1),
            More::Last => {
                let last = column.split_off(column.len() - 1);
                std::mem::replace(&mut column, last)
            }
            More::Ask => std::mem::take(&mut column),
        };
        let left = left.into_iter().map(|(_, answer)| answer).collect();
        let spot = |place: &Place| Some(Spot { slot: place.slot.clone(), row: None });
        self.note(spot(from), spot(to), Happened::TooMany { kept: column.len() }, Value::Array(left));
        column
    }

    fn join(&mut self, from: &[Place], to: &Place, with: &str) {
        let mut rows: BTreeMap<Option<usize>, Vec<(&Place, Value)>> = BTreeMap::new();
        for place in from {
            for (row, answer) in self.column(&place.slot) {
                rows.entry(row).or_default().push((place, answer));
            }
        }
        for (row, parts) in rows {
            let texts: Vec<&str> = parts.iter().filter_map(|(_, answer)| answer.as_str()).collect();
            let Err(why) = self.write(to, row, Value::String(texts.join(with))) else { continue };
            for (place, answer) in parts {
                let was = Some(Spot { slot: place.slot.clone(), row });
                let now = Some(Spot { slot: to.slot.clone(), row });
                self.note(was, now, Happened::NoLongerFits { why: why.clone() }, answer);
            }
        }
    }

    /// All of the pieces, or none: what is half carried is hard to mend.
    fn split(&mut self, from: &Place, to: &[Place], at: &str) {
        for (row, answer) in self.column(&from.slot) {
            let before = self.new.clone();
            let pieces = answer.as_str().unwrap_or_default().splitn(to.len(), at).map(str::trim);
            let written = to
                .iter()
                .zip(pieces)
                .filter(|(_, piece)| !piece.is_empty())
                .try_for_each(|(place, piece)| self.write(place, row, Value::String(piece.to_owned())));
            if let Err(why) = written {
                self.new = before;
                let was = Some(Spot { slot: from.slot.clone(), row });
                let now = to.first().map(|place| Spot { slot: place.slot.clone(), row });
                self.note(was, now, Happened::NoLongerFits { why }, answer);
            }
        }
    }

    /// Writes an answer as the next edition stores it.
    ///
    /// # Errors
    /// Why it does not fit there; nothing is written then.
    fn write(&mut self, to: &Place, row: Option<usize>, value: Value) -> Result<(), String> {
        let Slot { question, sub } = &to.slot;
        let read = |leaf: &super::schema::Leaf, value: &Value| {
            one(leaf.kind, leaf.precision, &leaf.options, value).map_err(|fault| fault.message)
        };
        match (sub, row) {
            (None, _) => {
                let stored = read(&to.leaf, &value)?;
                self.new.insert(question.clone(), stored);
            }
            (Some(sub), Some(row)) if to.in_list => {
                let stored = read(&to.leaf, &value)?;
                let list = self.new.entry(question.clone()).or_insert_with(|| Value::Array(Vec::new()));
                if let Value::Array(items) = list {
                    while items.len() <= row {
                        items.push(Value::Object(Map::new()));
                    }
                    if let Some(Value::Object(item)) = items.get_mut(row) {
                        item.insert(sub.clone(), stored);
                    }
                }
            }
            (Some(part), _) => {
                let mut address = match self.new.get(question) {
                    Some(Value::Object(parts)) => parts.clone(),
                    _ => Map::new(),
                };
                address.insert(part.clone(), value);
                let address = Value::Object(address);
                let stored = read(&super::schema::Leaf::of(Type::Address), &address)?;
                self.new.insert(question.clone(), stored);
            }
        }
        Ok(())
    }
}
