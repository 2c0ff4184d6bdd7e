//! Randomised tests: their seed, which is printed and can be given again, and their long form.

use std::env;
use std::sync::OnceLock;

use rand::SeedableRng as _;
use rand::rngs::StdRng;

/// The seed of this process: that of `DOCKET_SEED`, or one by chance; printed, so that a failure can be had again.
///
/// # Panics
/// When `DOCKET_SEED` is no whole number.
pub fn seed() -> u64 {
    static SEED: OnceLock<u64> = OnceLock::new();
    let seed = *SEED.get_or_init(|| match env::var("DOCKET_SEED") {
        Ok(given) => given.parse().expect("DOCKET_SEED is a whole number"),
        Err(_) => rand::random(),
    });
    println!("DOCKET_SEED={seed}");
    seed
}

/// Numbers from the seed.
pub fn rng() -> StdRng {
    StdRng::seed_from_u64(seed())
}

/// Whether the long form is asked for (`make proof`).
pub fn long() -> bool {
    env::var_os("DOCKET_PROOF").is_some()
}

/// The first in the short form, the second in the long one.
pub fn short_or_long<T>(short: T, in_proof: T) -> T {
    if long() { in_proof } else { short }
}
