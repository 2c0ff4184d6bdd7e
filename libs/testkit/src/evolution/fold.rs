//! The laws of a fold: every golden event still changes the state it should, and no sequence of events breaks it.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Debug;

use docket_kernel::{EventEnum, Refusal};
use proptest::prelude::*;

use super::random::check_from;
use super::vary::vary;
use super::{Golden, check, goldens, pool};
use crate::chance::seed;

/// Variations of each golden event from which random sequences are made.
const VARIATIONS: u64 = 50;

/// From how many seeds, the same in every run, lives are lived until every kind was decided.
const ROUNDS: u64 = 40;

/// A fold under test.
#[derive(Debug, Clone, Copy)]
pub struct Fold<E, S> {
    /// The real fold of the service.
    pub evolve: fn(S, &E) -> S,
    /// The state without what every event changes, such as a counter of events.
    pub seen: fn(S) -> S,
    /// Kinds in the order of a plausible life; a kind may come again.
    pub life: &'static [&'static str],
    /// Kinds which change nothing in this state, as reviewed.
    pub changes_nothing: &'static [&'static str],
}

impl<E, S> Fold<E, S>
where
    E: EventEnum + PartialEq + Debug,
    S: Default + Clone + PartialEq + Debug,
{
    /// Every golden event is read by the category's enum and changes the state somewhere along a plausible life,
    /// unless it is reviewed as one that changes nothing.
    ///
    /// # Panics
    /// With the kind for which that is not so.
    pub fn every_golden_folds(&self) {
        let goldens = of_category::<E>();
        let states = self.states_of_a_life(&goldens);
        for kind in E::KINDS {
            let mut events = goldens.iter().filter(|(golden, _)| golden.kind == *kind).peekable();
            assert!(events.peek().is_some(), "{kind} has no golden file");
            let changed = events.any(|(_, event)| {
                states.iter().any(|state| self.step(state, event) != (self.seen)(state.clone()))
            });
            let expected = !self.changes_nothing.contains(kind);
            assert_eq!(changed, expected, "{kind}: does it change the state? (left: found, right: reviewed)");
        }
        for kind in self.changes_nothing {
            assert!(E::KINDS.contains(kind), "{kind} is not of this category");
        }
    }

    /// Any events of the category, in any order and with any values, obey [`Fold::laws`].
    ///
    /// # Panics
    /// With the smallest sequence that does not, and the seed.
    pub fn any_events_obey_the_laws(&self) {
        let events = varied::<E>();
        let chosen = prop::collection::vec(any::<prop::sample::Index>(), 0..60);
        check(&(chosen, any::<prop::sample::Index>()), |(chosen, split)| {
            let events: Vec<E> = chosen.iter().map(|index| index.get(&events).clone()).collect();
            self.laws(&events, split.index(events.len() + 1));
        });
    }

    /// Encoding and decoding gives the same event; folding a part and then the rest gives what folding all gives, as
    /// does folding again from the bytes. Gives that state.
    ///
    /// # Panics
    /// When a law is broken, or the fold panics.
    pub fn laws(&self, events: &[E], split: usize) -> S {
        let live = self.fold(S::default(), events);
        let (before, after) = events.split_at(split);
        let snapshot = self.fold(S::default(), before);
        assert_eq!(self.fold(snapshot.clone(), after), live, "a snapshot after {split} events differs");
        let read: Vec<E> = events
            .iter()
            .map(|event| E::decode(event.kind(), &event.encode()).expect("what was written can be read"))
            .collect();
        assert_eq!(read, events, "an event changed when it was written and read");
        assert_eq!(self.fold(S::default(), &read), live, "replay differs from what was live");
        live
    }

    /// Random commands: what `decide` accepts folds, `holds` of the state before, the event and the state after, and the
    /// whole life obeys [`Fold::laws`]. Along the way every kind is decided but the `undecided`, which no rule of this
    /// aggregate decides: a life that goes nowhere shows. The run's seed has no say in that; seeds that are the same in every
    /// run have.
    ///
    /// # Panics
    /// With the smallest list of commands that breaks a law, and the seed; with the kinds that were decided if they are
    /// others.
    pub fn decided_lives<C: Strategy>(
        &self,
        undecided: &[&str],
        command: C,
        decide: impl Fn(&S, &C::Value) -> Result<Vec<E>, Refusal>,
        holds: impl Fn(&S, &E, &S),
    ) {
        let decided = RefCell::new(BTreeSet::new());
        let lives = (prop::collection::vec(command, 1..80), any::<prop::sample::Index>());
        let live = |(commands, split): (Vec<C::Value>, prop::sample::Index)| {
            let (mut state, mut events) = (S::default(), Vec::new());
            for command in &commands {
                for event in decide(&state, command).unwrap_or_default() {
                    let after = (self.evolve)(state.clone(), &event);
                    holds(&state, &event, &after);
                    decided.borrow_mut().insert(event.kind());
                    state = after;
                    events.push(event);
                }
            }
            let folded = self.laws(&events, split.index(events.len() + 1));
            assert_eq!(folded, state, "the whole life folds to another state than its steps");
        };
        check(&lives, live);
        let expected: BTreeSet<&str> =
            E::KINDS.iter().copied().filter(|kind| !undecided.contains(kind)).collect();
        decided.borrow_mut().clear();
        for round in 0..ROUNDS {
            if decided.borrow().is_superset(&expected) {
                break;
            }
            check_from(round, &lives, live);
        }
        assert_eq!(decided.into_inner(), expected, "(left: decided from {ROUNDS} seeds, right: expected)");
    }

    fn fold(&self, state: S, events: &[E]) -> S {
        events.iter().fold(state, self.evolve)
    }

    fn step(&self, state: &S, event: &E) -> S {
        (self.seen)((self.evolve)(state.clone(), event))
    }

    /// The empty state and the one after each event of the life.
    fn states_of_a_life(&self, goldens: &[(Golden, E)]) -> Vec<S> {
        let lived: BTreeSet<&str> = self.life.iter().copied().collect();
        let known: BTreeSet<&str> = E::KINDS.iter().copied().collect();
        assert!(lived.is_subset(&known), "{:?} are not of this category", lived.difference(&known));
        let mut states = vec![S::default()];
        for kind in self.life {
            let (_, event) = goldens.iter().find(|(golden, _)| golden.kind == *kind).expect("a golden file");
            states.push((self.evolve)(states[states.len() - 1].clone(), event));
        }
        states
    }
}

/// Every golden event of a category, and variations of each by the seed.
fn varied<E: EventEnum>() -> Vec<E> {
    let (pool, first) = (pool(), seed());
    let vary_one = |golden: &Golden, number: u64| {
        let bytes = vary(&pool, golden, first.wrapping_add(number));
        E::decode(&golden.kind, &bytes).unwrap_or_else(|error| panic!("a varied {}: {error}", golden.kind))
    };
    let goldens = of_category::<E>();
    let all = goldens.iter().flat_map(|(golden, event)| {
        let variations = (0..VARIATIONS).map(|number| vary_one(golden, number));
        std::iter::once(event.clone()).chain(variations).collect::<Vec<E>>()
    });
    all.collect()
}

/// The golden events of a category as its enum reads them for a fold: without what is sealed.
fn of_category<E: EventEnum>() -> Vec<(Golden, E)> {
    let pool = pool();
    let mut goldens = goldens();
    goldens.retain(|golden| golden.kind.split('.').next() == Some(E::CATEGORY));
    let read = |golden: Golden| {
        let decode = |bytes: &[u8]| {
            E::decode(&golden.kind, bytes)
                .unwrap_or_else(|error| panic!("{} no longer folds: {error}", golden.kind))
        };
        let whole = decode(&golden.bytes);
        // What an older version became is written differently.
        assert!(
            whole.kind() != golden.kind || whole.encode() == golden.bytes,
            "{}: other bytes",
            golden.kind
        );
        let event = decode(&golden.sealed(&pool).unwrap_or_else(|error| panic!("{error}")));
        (golden, event)
    };
    goldens.into_iter().map(read).collect()
}
