//! Numbers by chance, which a seed repeats.
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};

/// Marsaglia's xorshift with 64 bits, "Xorshift RNGs" (2003).
pub(crate) struct Random(u64);

impl Random {
    /// From `DOCKET_SEED`; else in the long form by chance, and in the short one from a seed that was chosen once, since that
    /// one has to say the same twice. Printed, so that a run can be repeated.
    pub(crate) fn seeded(usual: u64) -> Self {
        let chosen = || match std::env::var_os("DOCKET_PROOF") {
            // Never zero, where it would stay.
            Some(_) => RandomState::new().build_hasher().finish() | 1,
            None => usual,
        };
        let seed =
            std::env::var("DOCKET_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(chosen);
        println!("DOCKET_SEED={seed}");
        Self(seed)
    }

    pub(crate) fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let place = self.below(all.len() as u64);
        &all[usize::try_from(place).expect("a place in a list")]
    }

    /// A number from zero, below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % end
    }
}
