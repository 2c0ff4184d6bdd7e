//! Virtual slots: a stream's slot never changes, and says in which of several logs a new stream is born.

use std::fmt;

use crate::StreamName;

/// How many slots there are, for ever: a log that is added takes slots over, and no stream changes its slot.
pub const SLOTS: u32 = 64;

/// One of the [`SLOTS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot(u32);

impl Slot {
    /// The slot of a stream: FNV-1a over the part of its name after the category, which must never change. So the streams
    /// `case-<id>` and `evidence-<id>` of one id share a slot.
    pub fn of(stream: &StreamName) -> Self {
        let name = stream.as_str();
        let key = name.split_once('-').map_or(name, |(_, id)| id);
        let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(u32::try_from(hash % u64::from(SLOTS)).expect("below SLOTS"))
    }

    /// Its number, from 0.
    pub fn number(self) -> u32 {
        self.0
    }

    /// The place of the log that has this slot open when there are so many `logs`: each log that is added takes an even
    /// share from the fullest ones, and no slot ever goes to an older log.
    pub fn home(self, logs: usize) -> usize {
        let mut homes = [0; SLOTS as usize];
        for added in 1..logs {
            for _ in 0..homes.len() / (added + 1) {
                let share = |log: usize| homes.iter().filter(|home| **home == log).count();
                let fullest = (0..added).rev().max_by_key(|log| share(*log)).expect("there is an older one");
                let last = homes.iter().rposition(|home| *home == fullest).expect("it is the fullest");
                homes[last] = added;
            }
        }
        homes[self.0 as usize]
    }

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..SLOTS).map(Self)
    }
}

/// The slots which are closed for new streams in one log.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Closed(u64);

impl Closed {
    pub(crate) const ALL: Self = Self(u64::MAX);

    pub(crate) fn stored(bits: i64) -> Self {
        Self(bits.cast_unsigned())
    }

    pub(crate) fn bits(self) -> i64 {
        self.0.cast_signed()
    }

    pub(crate) fn has(self, slot: Slot) -> bool {
        self.0 & (1 << slot.0) != 0
    }

    pub(crate) fn set(self, slot: Slot, closed: bool) -> Self {
        let bit = 1 << slot.0;
        Self(if closed { self.0 | bit } else { self.0 & !bit })
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slot_of_a_stream_never_changes_and_follows_the_id_only() {
        let slot = |name: &str| Slot::of(&StreamName::new(name).unwrap()).number();
        assert_eq!(slot("case-01890a5d-ac96-774b-bcce-b302099a8057"), 51);
        assert_eq!(slot("evidence-01890a5d-ac96-774b-bcce-b302099a8057"), 51);
        assert_eq!([slot("a"), slot("b"), slot("c")], [12, 37, 50]);
    }

    #[test]
    fn a_log_that_is_added_takes_an_even_share_and_no_slot_goes_back() {
        assert!(Slot::all().all(|slot| slot.home(1) == 0));
        for logs in 2..=70 {
            let mut shares = vec![0_u32; logs];
            for slot in Slot::all() {
                let (before, now) = (slot.home(logs - 1), slot.home(logs));
                assert!(
                    now == before || now == logs - 1,
                    "slot {slot} goes from {before} to {now} of {logs}"
                );
                shares[now] += 1;
            }
            let even = SLOTS / u32::try_from(logs).unwrap();
            assert!(shares.iter().all(|share| (even..=even + 1).contains(share)), "{logs}: {shares:?}");
        }
    }

    #[test]
    fn closing_one_slot_leaves_the_others() {
        let numbers: Vec<String> = Slot::all().map(|slot| slot.to_string()).collect();
        assert_eq!(numbers, (0..SLOTS).map(|number| number.to_string()).collect::<Vec<_>>());
        for slot in Slot::all() {
            let closed = Closed::default().set(slot, true);
            assert!(Slot::all().all(|other| closed.has(other) == (other == slot)));
            assert_eq!(Closed::stored(closed.bits()), closed);
            assert!(!Closed::ALL.set(slot, false).has(slot));
            assert_eq!(closed.set(slot, false), Closed::default());
            assert_eq!(closed.set(slot, true), closed, "closed twice is closed");
        }
    }
}
