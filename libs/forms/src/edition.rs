//! Earlier editions of a form, and how answers given in one are carried over to the present one.

pub(crate) mod convert;
pub(crate) mod lens;
pub(crate) mod schema;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Answers;
use crate::evaluate::Evaluation;
use crate::form::Form;
use crate::truth::Truth;
use lens::{Lens, Step};
use schema::{Schema, Slot};

/// An edition of a form before the present one.
#[derive(Debug, Clone)]
pub struct EarlierEdition {
    /// The date printed on it.
    pub date: Date,
    /// The first day on which it was taken; nothing when that is not known.
    pub accepted_from: Option<Date>,
    /// The first day on which it is refused; nothing when that is not known.
    pub rejected_from: Option<Date>,
    /// Where this is known from.
    pub source: String,
    /// How sure the source is.
    pub mark: String,
    pub(crate) schema: Schema,
    /// To the next edition.
    pub(crate) lens: Lens,
}

impl EarlierEdition {
    /// What people are told of answers that the next edition has no place for, by the question's path.
    pub(crate) fn reasons(&mut self) -> impl Iterator<Item = (String, &mut String)> {
        self.lens.steps.iter_mut().filter_map(|step| match step {
            Step::Drop { from, reason } => Some((from.to_string(), reason)),
            Step::Same { .. }
            | Step::Carry { .. }
            | Step::Join { .. }
            | Step::Split { .. }
            | Step::New { .. } => None,
        })
    }
}

/// No edition of this form in the catalogue has this date.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{form} has no edition of {edition} in this catalogue; it has {known}")]
pub struct UnknownEdition {
    /// The form.
    pub form: String,
    /// The date asked for.
    pub edition: Date,
    /// The dates there are, from the earliest on.
    pub known: String,
}

/// Answers of an earlier edition in the present one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CarriedOver {
    /// The answers to the present questions.
    pub answers: Answers,
    /// What a person should look at, always in the same order.
    pub attention: Vec<Attention>,
}

impl CarriedOver {
    /// What a person should look at now: all of it but new questions which are known not to be asked.
    pub fn open<'a>(&'a self, evaluation: &'a Evaluation) -> impl Iterator<Item = &'a Attention> {
        let asked = |field: &str| {
            let question = field.split(['.', '[']).next().unwrap_or_default();
            evaluation.shown.get(question) != Some(&Truth::False)
        };
        self.attention
            .iter()
            .filter(move |one| one.happened != Happened::New || one.field.as_deref().is_some_and(asked))
    }
}

/// Something a person should look at after answers were carried over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attention {
    /// The edition that the answer could not be carried on from; of a new question the last one that did not ask it.
    pub edition: Date,
    /// What that edition asked, such as `trips[2].left`; nothing for a new question.
    pub was: Option<String>,
    /// What the present edition asks in its place, written the same way; nothing where it asks no such thing.
    pub field: Option<String>,
    /// What happened.
    pub happened: Happened,
    /// The old answer, as far as it was not carried; `null` for a new question.
    pub answer: Value,
}

/// What happened to an answer which was not carried over whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Happened {
    /// It is no longer asked, and the answer was set aside.
    Dropped {
        /// What people are told.
        reason: String,
    },
    /// An option was chosen that has no equivalent.
    OptionGone {
        /// The old option.
        option: String,
    },
    /// There is room for fewer answers than there were.
    TooMany {
        /// How many were carried over.
        kept: usize,
    },
    /// The answer is not one to what is asked now.
    NoLongerFits {
        /// Why, in plain words.
        why: String,
    },
    /// The question was not asked before.
    New,
}

/// A slot, in one item of a list where a row is named.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Spot {
    pub(crate) slot: Slot,
    pub(crate) row: Option<usize>,
}

impl Spot {
    /// Reads `trips`, `trips.left` or `trips[2].left`.
    fn of(path: &str) -> Self {
        let row = path.split_once('[').and_then(|(question, rest)| {
            let (row, rest) = rest.split_once(']')?;
            Some((format!("{question}{rest}"), row.parse().ok()?))
        });
        match row {
            Some((path, row)) => Self { slot: Slot::of(&path), row: Some(row) },
            None => Self { slot: Slot::of(path), row: None },
        }
    }

    fn path(&self) -> String {
        self.slot.at(self.row)
    }
}

/// What is noted on the way; `now` is followed through the editions that come after.
#[derive(Debug, Clone)]
pub(crate) struct Note {
    pub(crate) edition: Date,
    pub(crate) was: Option<Spot>,
    pub(crate) now: Option<Spot>,
    pub(crate) happened: Happened,
    pub(crate) answer: Value,
}

impl Note {
    /// What was noted when answers were carried over before.
    fn again(open: &Attention) -> Self {
        Self {
            edition: open.edition,
            was: open.was.as_deref().map(Spot::of),
            now: open.field.as_deref().map(Spot::of),
            happened: open.happened.clone(),
            answer: open.answer.clone(),
        }
    }
}

impl Form {
    /// The first day on which an edition before this one is refused; nothing for one that is not known as such.
    pub fn refused_from(&self, edition: Date) -> Option<Date> {
        let earlier = self.earlier.iter().find(|earlier| earlier.date == edition)?;
        Some(earlier.rejected_from.unwrap_or(self.edition_required_from))
    }

    /// The editions before the present one that the catalogue knows, from the earliest on.
    pub fn earlier_editions(&self) -> &[EarlierEdition] {
        &self.earlier
    }

    /// Every edition the catalogue knows, with a digest of what it asks: ids, types, options and sub-fields of its questions.
    pub fn released(&self) -> BTreeMap<Date, String> {
        self.of_editions(Schema::digest)
    }

    /// The same with what it asks, as the file of its editions says it.
    pub fn asked_in(&self) -> BTreeMap<Date, String> {
        self.of_editions(Schema::written)
    }

    fn of_editions(&self, said: fn(&Schema) -> String) -> BTreeMap<Date, String> {
        let earlier = self.earlier.iter().map(|edition| (edition.date, said(&edition.schema)));
        earlier.chain([(self.edition, said(&Schema::of(self)))]).collect()
    }

    /// What the present edition asks, as the file of its editions will have to say it when there is a next one.
    pub fn asked(&self) -> String {
        Schema::of(self).written()
    }

    /// Carries answers given in an earlier edition over to this one, edition by edition. Nothing is lost without a word: an
    /// answer is among the new ones, or in the list of what needs attention. Those of this edition come back as they are.
    ///
    /// # Errors
    /// The catalogue has no such edition of this form.
    pub fn carry_over(&self, from_edition: Date, answers: &Answers) -> Result<CarriedOver, UnknownEdition> {
        self.carry_on(from_edition, answers, &[])
    }

    /// The same for a draft that was carried over before: what is still open from then stays open, first in the list, each
    /// beside what is asked now in the place of what was asked then.
    ///
    /// # Errors
    /// As [`Form::carry_over`].
    pub fn carry_on(
        &self,
        from_edition: Date,
        answers: &Answers,
        open: &[Attention],
    ) -> Result<CarriedOver, UnknownEdition> {
        if from_edition == self.edition {
            return Ok(CarriedOver { answers: answers.clone(), attention: open.to_vec() });
        }
        let Some(first) = self.earlier.iter().position(|edition| edition.date == from_edition) else {
            let known: Vec<String> = self.released().keys().map(Date::to_string).collect();
            let known = known.join(", ");
            return Err(UnknownEdition { form: self.id.clone(), edition: from_edition, known });
        };
        let present = Schema::of(self);
        let mut answers = answers.clone();
        let mut notes: Vec<Note> = open.iter().map(Note::again).collect();
        for (n, edition) in self.earlier.iter().enumerate().skip(first) {
            let next = self.earlier.get(n + 1).map_or(&present, |next| &next.schema);
            for note in &mut notes {
                note.now = note.now.as_ref().and_then(|spot| edition.lens.follow(spot));
            }
            let (carried, more) = edition.lens.carry(edition.date, &edition.schema, next, &answers);
            answers = carried;
            notes.extend(more);
        }
        let attention = attention(notes, &answers);
        Ok(CarriedOver { answers, attention })
    }
}

/// The notes as people read them: a new question once, and only while it has no answer.
fn attention(notes: Vec<Note>, answers: &Answers) -> Vec<Attention> {
    let mut new = BTreeSet::new();
    let kept = notes.into_iter().filter(|note| {
        let open = |spot: &Spot| !has_answer(answers, &spot.slot) && new.insert(spot.clone());
        note.happened != Happened::New || note.now.as_ref().is_some_and(open)
    });
    kept.map(|note| Attention {
        edition: note.edition,
        was: note.was.map(|spot| spot.path()),
        field: note.now.map(|spot| spot.path()),
        happened: note.happened,
        answer: note.answer,
    })
    .collect()
}

/// Whether there is an answer at a slot; of a part of items, whether every item has it.
fn has_answer(answers: &Answers, slot: &Slot) -> bool {
    match (answers.get(&slot.question), &slot.sub) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(Value::Array(items)), Some(sub)) => items.iter().all(|item| item.get(sub).is_some()),
        (Some(address), Some(part)) => address.get(part).is_some(),
    }
}
