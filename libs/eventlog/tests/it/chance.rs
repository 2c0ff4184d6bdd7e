//! Randomised tests: their seed, which is printed and can be given again, and their long form.

use std::env;

/// The seed of a test: that of `DOCKET_SEED`, or a new one. Printed, so that a failure can be had again.
pub(crate) fn seed() -> u64 {
    let given = env::var("DOCKET_SEED").ok().map(|seed| seed.parse().expect("DOCKET_SEED is a number"));
    let seed = given.unwrap_or_else(rand::random);
    println!("DOCKET_SEED={seed}");
    seed
}

/// Whether the long form is asked for (`make proof`).
pub(crate) fn long() -> bool {
    env::var_os("DOCKET_PROOF").is_some()
}

/// The first in the short form, the second in the long one.
pub(crate) fn short_or_long<T>(short: T, in_proof: T) -> T {
    if long() { in_proof } else { short }
}
