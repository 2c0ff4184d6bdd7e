//! Ids as the real parties make them: a prefix and random letters and digits.

use rand::distr::{Alphanumeric, SampleString};

/// `pi_` and the like, followed by 24 random letters and digits.
pub(crate) fn random(prefix: &str) -> String {
    format!("{prefix}_{}", Alphanumeric.sample_string(&mut rand::rng(), 24))
}

/// A carrier's message id: `SM` and 32 hexadecimal digits.
pub(crate) fn text_message() -> String {
    format!("SM{}", hex::encode(rand::random::<[u8; 16]>()))
}
