//! The ends of streams that a walk through a log has in mind: so many and no more, however many streams the log has.

use std::collections::HashMap;

use crate::chain::NO_LINK;
use crate::merkle::Hash;

/// Where a stream ended when the walk last saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) version: u64,
    pub(crate) link: Hash,
    pub(crate) position: u64,
}

impl End {
    /// As it stands in a row. A link of another length is no link at all.
    pub(crate) fn read(version: i64, link: &[u8], position: i64) -> Self {
        Self {
            version: version.unsigned_abs(),
            link: link.try_into().unwrap_or(NO_LINK),
            position: position.unsigned_abs(),
        }
    }
}

/// Ends by stream, in two halves: when the young one is full it becomes the old one, and what was old and not seen
/// since is let go. Whoever asks for what was let go looks it up in the table.
#[derive(Debug)]
pub(crate) struct Heads {
    half: usize,
    young: HashMap<String, End>,
    old: HashMap<String, End>,
    most: usize,
}

impl Heads {
    /// Holds at most `most` ends, and surely those that were kept last, half as many.
    pub(crate) fn new(most: usize) -> Self {
        Self { half: (most / 2).max(1), young: HashMap::new(), old: HashMap::new(), most: 0 }
    }

    /// The most that may be held.
    pub(crate) fn bound(&self) -> usize {
        2 * self.half
    }

    /// The most that ever were held.
    pub(crate) fn most(&self) -> usize {
        self.most
    }

    pub(crate) fn get(&self, stream: &str) -> Option<&End> {
        self.young.get(stream).or_else(|| self.old.get(stream))
    }

    /// Whether the stream's end is in mind; then it is as if it were just kept.
    pub(crate) fn touch(&mut self, stream: &str) -> bool {
        if self.young.contains_key(stream) {
            return true;
        }
        let Some(end) = self.old.get(stream).copied() else { return false };
        self.keep(stream, end);
        true
    }

    pub(crate) fn keep(&mut self, stream: &str, end: End) {
        if let Some(known) = self.young.get_mut(stream) {
            *known = end;
            return;
        }
        let name = self.old.remove_entry(stream).map_or_else(|| stream.to_owned(), |(name, _)| name);
        if self.young.len() >= self.half {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(name, end);
        self.most = self.most.max(self.young.len() + self.old.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn end(version: u64) -> End {
        End { version, link: [7; 32], position: 10 * version }
    }

    #[test]
    fn what_is_asked_for_again_and_again_stays_and_the_rest_goes() {
        let mut heads = Heads::new(8);
        assert_eq!((heads.bound(), heads.most()), (8, 0));
        for n in 1..=100 {
            heads.keep(&format!("case-{n}"), end(1));
            if n % 2 == 0 {
                heads.keep("case-busy", end(n));
            } else {
                assert_eq!(heads.touch("case-busy"), n > 1, "asked for is as good as kept");
            }
            assert_eq!(heads.get("case-busy"), (n > 1).then(|| end(n - n % 2)).as_ref());
        }
        assert!(!heads.touch("case-1") && heads.get("case-1").is_none());
        assert_eq!(heads.get("case-100"), Some(&end(1)));
        assert!(heads.most() <= 8);
    }

    proptest! {
        #[test]
        fn no_more_is_held_than_may_be_and_never_what_is_no_longer_so(
            most in 0_usize..12,
            seen in proptest::collection::vec(0_u64..20, 0..200),
        ) {
            let mut heads = Heads::new(most);
            let mut all = HashMap::new();
            for (n, stream) in (1..).zip(seen) {
                heads.keep(&stream.to_string(), end(n));
                all.insert(stream, end(n));
                prop_assert_eq!(heads.get(&stream.to_string()), Some(&end(n)), "the last one is held");
                let held: Vec<_> = all.iter().filter(|(s, _)| heads.get(&s.to_string()).is_some()).collect();
                prop_assert!(held.len() <= heads.bound());
                for (stream, end) in held {
                    prop_assert_eq!(heads.get(&stream.to_string()), Some(end));
                }
            }
            prop_assert!(heads.most() <= heads.bound());
        }
    }
}
