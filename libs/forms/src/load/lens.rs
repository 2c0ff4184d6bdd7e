//! A lens out of what a file says has changed: every question of the one edition goes somewhere, every one of the next comes
//! from somewhere, and nothing is written twice.

use std::collections::{BTreeMap, BTreeSet};

use toml::Spanned;

use super::editions::Change;
use crate::edition::convert::Convert;
use crate::edition::lens::{Lens, More, Rows, Step};
use crate::edition::schema::{Place, Schema, Slot};
use crate::value::{ADDRESS, Type};

/// What is wrong, with the byte of the change it is in; of a question which no change is about, none.
pub(super) struct Fault {
    pub(super) at: Option<usize>,
    pub(super) id: String,
    pub(super) message: String,
}

/// Why a change does not hold: the id, and what is wrong.
type Wrong = (String, String);

/// Weaves the lens from one edition to the next.
pub(super) fn weave(old: &Schema, next: &Schema, changes: &[Spanned<Change>]) -> (Lens, Vec<Fault>) {
    let mut weaver = Weaver {
        old,
        next,
        lens: Lens { lists: lists(old, next, changes), steps: Vec::new() },
        read: BTreeSet::new(),
        written: BTreeSet::new(),
    };
    let mut faults = Vec::new();
    for change in changes {
        let at = Some(change.span().start);
        if let Err((id, message)) = weaver.change(change.get_ref()) {
            faults.push(Fault { at, id, message });
        }
    }
    weaver.unchanged();
    let left = |id: String, message: &str| Fault { at: None, id, message: message.to_owned() };
    // What was wrong above would only be said again.
    if faults.is_empty() {
        faults.extend(uncovered(old, &weaver.read).map(|slot| {
            left(slot.to_string(), "nothing becomes of this: carry it, or drop it with a reason")
        }));
        faults.extend(uncovered(next, &weaver.written).filter(|slot| !is_part(next, slot)).map(|slot| {
            left(slot.to_string(), "the next edition asks this: carry something to it, or say that it is new")
        }));
    }
    (weaver.lens, faults)
}

/// What of an edition no step is about: questions, fields of lists, and parts of an address of which another part is seen.
fn uncovered<'a>(schema: &'a Schema, seen: &'a BTreeSet<Slot>) -> impl Iterator<Item = Slot> + 'a {
    let slots = schema.0.keys().flat_map(move |question| {
        let opened = seen.iter().any(|slot| slot.question == *question && slot.sub.is_some());
        if schema.is_list(question) || opened { parts(schema, question) } else { vec![Slot::of(question)] }
    });
    slots.filter(move |slot| !seen.iter().any(|one| one.overlaps(slot)))
}

/// A part of an address: what is not written of one is asked, as of any.
fn is_part(schema: &Schema, slot: &Slot) -> bool {
    slot.sub.is_some() && schema.is_address(&slot.question)
}

/// The fields of a list, or the parts of an address.
fn parts(schema: &Schema, question: &str) -> Vec<Slot> {
    if schema.is_address(question) {
        return ADDRESS.iter().map(|part| Slot::part(question, part)).collect();
    }
    let fields = schema.0.get(question).map(|asked| asked.fields.as_slice()).unwrap_or_default();
    fields.iter().map(|field| Slot::part(question, &field.id)).collect()
}

/// Which lists become lists: those that a change carries, and those of one id that none is about as a whole.
fn lists(old: &Schema, next: &Schema, changes: &[Spanned<Change>]) -> BTreeMap<String, String> {
    let mut lists = BTreeMap::new();
    let (mut gone, mut made) = (BTreeSet::new(), BTreeSet::new());
    for change in changes {
        match change.get_ref() {
            Change::Carry { from, to, .. } => {
                let to = to.as_ref().unwrap_or(from);
                if old.is_list(from) && next.is_list(to) {
                    lists.insert(from.clone(), to.clone());
                    gone.insert(from);
                    made.insert(to);
                }
            }
            Change::Drop { from, .. } => drop(gone.insert(from)),
            Change::New { to } => drop(made.insert(to)),
            Change::Join { .. } | Change::Split { .. } => {}
        }
    }
    for question in old.0.keys().filter(|id| old.is_list(id) && next.is_list(id)) {
        if !gone.contains(question) && !made.contains(question) {
            lists.insert(question.clone(), question.clone());
        }
    }
    lists
}

struct Weaver<'a> {
    old: &'a Schema,
    next: &'a Schema,
    lens: Lens,
    read: BTreeSet<Slot>,
    written: BTreeSet<Slot>,
}

impl Weaver<'_> {
    fn change(&mut self, change: &Change) -> Result<(), Wrong> {
        let step = match change {
            Change::Carry { from, to, options, ask, more } => {
                let from = self.from(from)?;
                let to = self.to(to.as_deref().unwrap_or(&from.slot.to_string()))?;
                let wrong = |message: String| (from.slot.to_string(), message);
                if from.leaf.kind == Type::Repeating && to.leaf.kind == Type::Repeating {
                    if !options.is_empty() || !ask.is_empty() || more.is_some() {
                        return Err(wrong("a list becomes a list item by item".to_owned()));
                    }
                    return self.take(&[from], &[to]);
                }
                let how = Convert::between(&from.leaf, &to.leaf, options, ask).map_err(wrong)?;
                let rows = self.rows(&from, &to, *more).map_err(wrong)?;
                Step::Carry { from, to, how, rows }
            }
            Change::Join { from, to, with } => {
                let from: Vec<Place> = from.iter().map(|path| self.from(path)).collect::<Result<_, _>>()?;
                let to = self.to(to)?;
                self.texts(&from, std::slice::from_ref(&to))?;
                Step::Join { from, to, with: with.clone() }
            }
            Change::Split { from, to, at } => {
                let from = self.from(from)?;
                let to: Vec<Place> = to.iter().map(|path| self.to(path)).collect::<Result<_, _>>()?;
                self.texts(std::slice::from_ref(&from), &to)?;
                if at.is_empty() {
                    return Err((from.slot.to_string(), "a text is split at some characters".to_owned()));
                }
                Step::Split { from, to, at: at.clone() }
            }
            Change::Drop { from, reason } => {
                let from = self.from(from)?.slot;
                if reason.trim().is_empty() {
                    return Err((from.to_string(), "people are told why it is dropped".to_owned()));
                }
                Step::Drop { from, reason: reason.clone() }
            }
            Change::New { to } => Step::New { to: self.to(to)?.slot },
        };
        self.add(step)
    }

    /// Keeps a step, with what it reads and writes.
    fn add(&mut self, step: Step) -> Result<(), Wrong> {
        let place = |schema: &Schema, slot: &Slot| schema.place(slot).into_iter().collect::<Vec<_>>();
        let (read, written) = match &step {
            Step::Same { question } => {
                let slot = Slot::of(question);
                (place(self.old, &slot), place(self.next, &slot))
            }
            Step::Carry { from, to, .. } => (vec![from.clone()], vec![to.clone()]),
            Step::Join { from, to, .. } => (from.clone(), vec![to.clone()]),
            Step::Split { from, to, .. } => (vec![from.clone()], to.clone()),
            Step::Drop { from, .. } => (place(self.old, from), Vec::new()),
            Step::New { to } => (Vec::new(), place(self.next, to)),
        };
        self.take(&read, &written)?;
        self.lens.steps.push(step);
        Ok(())
    }

    /// Marks what is read and written; each only once.
    fn take(&mut self, read: &[Place], written: &[Place]) -> Result<(), Wrong> {
        let lists = &self.lens.lists;
        let read =
            marks(read, |slot| lists.contains_key(&slot.question), &self.read, "two changes read this")?;
        let made = |slot: &Slot| lists.values().any(|list| *list == slot.question);
        let written = marks(written, made, &self.written, "this is written twice")?;
        self.read.extend(read);
        self.written.extend(written);
        Ok(())
    }

    fn from(&self, path: &str) -> Result<Place, Wrong> {
        let place = self.old.place(&Slot::of(path));
        place.ok_or_else(|| (path.to_owned(), "the earlier edition does not ask this".to_owned()))
    }

    fn to(&self, path: &str) -> Result<Place, Wrong> {
        let place = self.next.place(&Slot::of(path));
        place.ok_or_else(|| (path.to_owned(), "the next edition does not ask this".to_owned()))
    }

    /// How the rows of the one become those of the other.
    fn rows(&self, from: &Place, to: &Place, more: Option<More>) -> Result<Rows, String> {
        let (old, new) = (&from.slot.question, &to.slot.question);
        let rows = match (from.in_list, to.in_list) {
            (true, false) => {
                more.map(Rows::OutOf).ok_or("say with `more` which item stays where there are several")?
            }
            (_, _) if more.is_some() => {
                return Err("`more` is for what comes out of a list".to_owned());
            }
            (false, false) => Rows::Each,
            (true, true) if self.lens.lists.get(old) == Some(new) => Rows::Each,
            (true, true) => return Err(format!("the list {old} does not become the list {new}")),
            (false, true) if self.lens.lists.values().any(|list| list == new) => {
                return Err(format!("{new} has items of its own: which of them is meant is not known"));
            }
            (false, true) => Rows::IntoFirst,
        };
        Ok(rows)
    }

    /// What is joined and split are texts, in one list or in none.
    fn texts(&self, from: &[Place], to: &[Place]) -> Result<(), Wrong> {
        for place in from.iter().chain(to) {
            let wrong = |message: &str| Err((place.slot.to_string(), message.to_owned()));
            if !matches!(place.leaf.kind, Type::Text | Type::LongText | Type::NamePart) {
                return wrong("only texts and parts of names are joined and split");
            }
        }
        let list = |place: &Place| place.in_list.then(|| place.slot.question.clone());
        let old: BTreeSet<Option<String>> = from.iter().map(list).collect();
        let new: BTreeSet<Option<String>> = to.iter().map(list).collect();
        let paired = |list: &Option<String>| match list {
            Some(list) => self.lens.lists.get(list).cloned(),
            None => None,
        };
        let same = old.len() == 1 && old.iter().map(paired).collect::<BTreeSet<_>>() == new;
        let outside = old.contains(&None) == new.contains(&None);
        if same && outside && from.len() + to.len() > 2 {
            return Ok(());
        }
        let id = from.first().map(|place| place.slot.to_string()).unwrap_or_default();
        Err((
            id,
            "several are joined to one, or one is split to several, within one list or outside of all"
                .to_owned(),
        ))
    }

    /// What no change is about goes to the place of its own id, where it fits.
    fn unchanged(&mut self) {
        let old = self.old;
        for (question, asked) in &old.0 {
            let touched = |seen: &BTreeSet<Slot>, id: &str| seen.iter().any(|slot| slot.question == id);
            let free = !touched(&self.read, question) && !touched(&self.written, question);
            let listed = self.lens.lists.get(question).cloned();
            if free && listed.as_ref().is_none_or(|to| to == question) {
                let next = self.next.0.get(question);
                if next.is_some_and(|next| asked.within(next)) {
                    self.lens.lists.remove(question);
                    self.keep(Step::Same { question: question.clone() });
                    continue;
                }
            }
            let Some(to) = listed.or_else(|| self.opened(question)) else { continue };
            for slot in parts(old, question) {
                let to = Slot { question: to.clone(), sub: slot.sub.clone() };
                let places = old.place(&slot).zip(self.next.place(&to));
                if let Some((from, to)) = places.filter(|(from, to)| from.leaf.within(&to.leaf)) {
                    self.keep(Step::Carry { from, to, how: Convert::Plain, rows: Rows::Each });
                }
            }
        }
    }

    /// An address of which parts go elsewhere, or come from elsewhere, and which is still asked.
    fn opened(&self, question: &str) -> Option<String> {
        let both = self.old.is_address(question) && self.next.is_address(question);
        let part =
            |seen: &BTreeSet<Slot>| seen.iter().any(|slot| slot.question == question && slot.sub.is_some());
        (both && (part(&self.read) || part(&self.written))).then(|| question.to_owned())
    }

    /// Keeps a step that nobody wrote, unless what it is about has its place already.
    fn keep(&mut self, step: Step) {
        let _ = self.add(step);
    }
}

/// What is to be marked as read or written. A list which becomes a list is marked apart from its fields: each of them is seen to
/// by itself.
fn marks(
    places: &[Place],
    paired: impl Fn(&Slot) -> bool,
    seen: &BTreeSet<Slot>,
    twice: &str,
) -> Result<Vec<Slot>, Wrong> {
    let mut marks: Vec<Slot> = Vec::new();
    for Place { slot, leaf, .. } in places {
        let itself = leaf.kind == Type::Repeating && paired(slot);
        let mark = if itself { Slot::part(&slot.question, "") } else { slot.clone() };
        if seen.iter().chain(&marks).any(|one| one.overlaps(&mark)) {
            return Err((slot.to_string(), twice.to_owned()));
        }
        marks.push(mark);
    }
    Ok(marks)
}
