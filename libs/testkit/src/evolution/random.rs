//! Random cases from one seed, which is printed and can be given again.

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use crate::chance::seed;

/// Runs `test` on values of `strategy`: `PROPTEST_CASES` says how many, `DOCKET_SEED` repeats a run.
///
/// # Panics
/// With the smallest value found for which `test` panicked, and the seed.
pub fn check<S: Strategy>(strategy: &S, test: impl Fn(S::Value)) {
    check_from(seed(), strategy, test);
}

/// [`check`], with the values of a seed.
pub(super) fn check_from<S: Strategy>(seed: u64, strategy: &S, test: impl Fn(S::Value)) {
    let config = Config { failure_persistence: None, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed_bytes(seed));
    let outcome = TestRunner::new_with_rng(config, rng).run(strategy, |value| {
        test(value);
        Ok::<(), TestCaseError>(())
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, value)) => {
            panic!("DOCKET_SEED={seed}: {reason}\nsmallest case: {value:#?}")
        }
        Err(TestError::Abort(reason)) => panic!("DOCKET_SEED={seed}: {reason}"),
    }
}

/// A seed as the generator takes it.
pub(super) fn seed_bytes(seed: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes
}
