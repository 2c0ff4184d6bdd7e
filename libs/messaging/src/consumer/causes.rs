//! Causes for which streams were parked. One that has parked several is not waited for with each of the next: the lanes, and
//! everything behind them, would wait as often.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::park::SEVERAL;

/// A cause that was not met for so long has passed.
const LATELY: Duration = Duration::from_mins(10);

/// What has parked streams of a consumer, and not passed since.
#[derive(Debug, Default)]
pub(crate) struct Causes(Mutex<HashMap<String, Met>>);

#[derive(Debug)]
struct Met {
    /// The first streams that it parked, at most [`SEVERAL`].
    streams: Vec<String>,
    at: Instant,
}

impl Causes {
    /// Whether it has parked several streams lately.
    pub(crate) fn is_known(&self, cause: &str, now: Instant) -> bool {
        let met = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        met.get(cause).is_some_and(|met| met.streams.len() >= SEVERAL && now - met.at < LATELY)
    }

    /// A stream is parked for it.
    pub(crate) fn met(&self, cause: &str, stream: &str, now: Instant) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, met| now - met.at < LATELY);
        let met = all.entry(cause.to_owned()).or_insert_with(|| Met { streams: Vec::new(), at: now });
        met.at = now;
        if met.streams.len() < SEVERAL && !met.streams.iter().any(|known| known == stream) {
            met.streams.push(stream.to_owned());
        }
    }

    /// Something that was parked went well: what parked it, and perhaps others, has passed.
    pub(crate) fn pass(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_known_once_it_has_parked_two_streams_and_until_it_passes() {
        let (causes, began, half) = (Causes::default(), Instant::now(), LATELY / 2);
        let known = |after: Duration| causes.is_known("the peer is ill", began + after);
        causes.met("the peer is ill", "case-1", began);
        causes.met("the peer is ill", "case-1", began);
        causes.met("another", "case-2", began);
        assert!(!known(Duration::ZERO), "one stream may have a fault of its own");
        causes.met("the peer is ill", "case-2", began);
        assert!(known(half) && !causes.is_known("another", began));
        // It is met again and again.
        causes.met("the peer is ill", "case-3", began + half);
        assert!(known(LATELY));
        assert!(!known(half + LATELY));
        causes.pass();
        assert!(!known(half));
    }

    #[test]
    fn a_cause_that_was_not_met_for_long_begins_anew() {
        let (causes, began) = (Causes::default(), Instant::now());
        causes.met("the peer is ill", "case-1", began);
        causes.met("the peer is ill", "case-2", began + LATELY);
        assert!(!causes.is_known("the peer is ill", began + LATELY));
    }
}
