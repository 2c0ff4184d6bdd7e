//! The ends of the streams of a portable file: so many are in mind at a time, and the others when the file is read again.
//!
//! A reading follows the streams whose hashes are in one part of all hashes. Where they become too many, the upper half of
//! the part is left to the next reading. A part only ever loses its upper end, so whatever stream a reading still follows it
//! has followed from its first event.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};

use docket_eventlog::StreamName;

/// Streams whose ends are in mind: some 40 MB, as `verify` has.
pub(crate) const MOST: usize = 1 << 18;

/// A stream as far as it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) version: u64,
    pub(crate) link: [u8; 32],
    pub(crate) first: u64,
    pub(crate) last: u64,
}

/// The ends of the streams that one reading follows.
#[derive(Debug)]
pub(crate) struct Ends {
    most: usize,
    /// With a key of this process: nobody makes a file whose streams are all in one part.
    hash: RandomState,
    from: u64,
    /// Where the part ends; none: nowhere.
    below: Option<u64>,
    held: HashMap<StreamName, End>,
}

impl Ends {
    /// For the first reading, with at most `most` in mind.
    pub(crate) fn new(most: usize) -> Self {
        let (hash, held) = (RandomState::new(), HashMap::new());
        Self { most: most.max(1), hash, from: 0, below: None, held }
    }

    /// Whether this reading follows the stream.
    pub(crate) fn follow(&self, stream: &StreamName) -> bool {
        let hash = self.hash.hash_one(stream);
        hash >= self.from && self.below.is_none_or(|below| hash < below)
    }

    /// The version and link that the next event of a stream follows; zeros before its first.
    pub(crate) fn before_next(&self, stream: &StreamName) -> (u64, [u8; 32]) {
        self.held.get(stream).map_or((0, [0; 32]), |end| (end.version, end.link))
    }

    /// All that this reading has followed to their ends.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&StreamName, &End)> {
        self.held.iter()
    }

    /// Keeps the end of a stream that is followed: it is at this position now, and begins there if it was not met before.
    pub(crate) fn keep(&mut self, stream: &StreamName, version: u64, link: [u8; 32], position: u64) {
        if let Some(known) = self.held.get_mut(stream) {
            *known = End { version, link, last: position, ..*known };
            return;
        }
        self.held.insert(stream.clone(), End { version, link, first: position, last: position });
        if self.held.len() > self.most {
            self.halve();
        }
    }

    /// What the next reading follows; none when everything was followed.
    pub(crate) fn rest(self) -> Option<Self> {
        let from = self.below?;
        Some(Self { from, below: None, held: HashMap::new(), ..self })
    }

    fn halve(&mut self) {
        let mut hashes: Vec<u64> = self.held.keys().map(|stream| self.hash.hash_one(stream)).collect();
        let middle = hashes.len() / 2;
        let (_, median, _) = hashes.select_nth_unstable(middle);
        let below = (*median).max(self.from.saturating_add(1));
        self.held.retain(|stream, _| self.hash.hash_one(stream) < below);
        self.below = Some(below);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(n: u64) -> StreamName {
        StreamName::new(format!("case-{n}")).unwrap()
    }

    /// Follows these events, each of the stream with that number, to the end of all readings; and how many these were.
    fn read(most: usize, events: &[u64]) -> (HashMap<StreamName, End>, usize) {
        let (mut found, mut readings, mut next) = (HashMap::new(), 0, Some(Ends::new(most)));
        while let Some(mut ends) = next {
            readings += 1;
            for (position, n) in (1..).zip(events) {
                let stream = stream(*n);
                if ends.follow(&stream) {
                    let (version, _link) = ends.before_next(&stream);
                    ends.keep(&stream, version + 1, [7; 32], position);
                }
                assert!(ends.held.len() <= most.max(1));
            }
            for (stream, end) in ends.iter() {
                assert!(found.insert(stream.clone(), *end).is_none(), "{stream} is followed once");
            }
            next = ends.rest();
        }
        (found, readings)
    }

    #[test]
    fn every_stream_is_followed_to_its_end_in_one_reading_and_no_more_are_in_mind_than_may_be() {
        // Each stream is met at distances of its own.
        let events: Vec<u64> = (0..400).map(|n: u64| n * n % 61).collect();
        let (all, readings) = read(100, &events);
        assert_eq!(all.values().map(|end| end.version).sum::<u64>(), 400);
        assert_eq!((all.len(), readings), (31, 1));
        for most in 0..35 {
            let (found, readings) = read(most, &events);
            assert_eq!(found, all, "{most}");
            assert_eq!(readings == 1, most >= 31, "{most}: {readings} readings");
        }
    }
}
