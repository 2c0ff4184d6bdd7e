//! Answers that were worked out before, by their questions, of which there are few.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{PoisonError, RwLock};

/// So many are kept; then all are forgotten.
const MOST: usize = 4_096;

/// Answers to questions that have the same answer whenever they are asked.
pub(super) struct Known<Q, A>(RwLock<HashMap<Q, A>>);

impl<Q, A> Default for Known<Q, A> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<Q: Eq + Hash, A: Clone> Known<Q, A> {
    /// The answer, worked out where it is not known.
    pub(super) fn of(&self, question: Q, answer: impl FnOnce() -> A) -> A {
        if let Some(known) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&question) {
            return known.clone();
        }
        let answer = answer();
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(question, answer.clone());
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_worked_out_once_and_no_more_are_kept_than_so_many() {
        let (known, mut asked) = (Known::default(), 0);
        for question in [1, 1, 2, 1] {
            let mut answer = || {
                asked += 1;
                question * 10
            };
            assert_eq!(known.of(question, &mut answer), question * 10);
        }
        assert_eq!(asked, 2);
        for question in 0..2 * MOST {
            known.of(question, || question);
        }
        assert!(known.0.read().unwrap().len() <= MOST);
    }
}
