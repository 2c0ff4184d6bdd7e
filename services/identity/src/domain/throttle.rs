//! How often a secret may be tried: first freely, then slower and slower, then not at all for a day.

use jiff::{SignedDuration, Timestamp};

/// A rule for tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Policy {
    /// After so many failures there is a wait of 1 s before the next try, doubled with each,
    pub(crate) slow_from: u32,
    /// up to so many seconds.
    pub(crate) longest_wait_s: i64,
    /// After so many failures there is no further try.
    pub(crate) lock_at: u32,
    /// After so long without a try the failures are forgotten; none: never.
    pub(crate) forgotten_after: Option<SignedDuration>,
}

/// Passwords, codes of the second factor, invitations: slower from 5, locked at 20 for a day
/// (NIST SP 800-63B-4 §3.2.2 allows at most 100).
pub(crate) const GUESSES: Policy = Policy {
    slow_from: 5,
    longest_wait_s: 300,
    lock_at: 20,
    forgotten_after: Some(SignedDuration::from_hours(24)),
};

/// Registrations of an address, each of which mails it: slower from 5, and from then on four an hour, so that a stranger can neither
/// fill somebody's mailbox nor keep them from registering for a day.
pub(crate) const REGISTRATIONS: Policy = Policy { longest_wait_s: 900, lock_at: u32::MAX, ..GUESSES };

/// Proofing of an identity: three tries, then another way.
pub(crate) const PROOFING: Policy =
    Policy { slow_from: u32::MAX, longest_wait_s: 0, lock_at: 3, forgotten_after: None };

/// The tries so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tries {
    /// Failures, tries under way included.
    pub(crate) failures: u32,
    /// When the last try was made.
    pub(crate) last_at: Timestamp,
}

/// Whether another try may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Yes; it is the failure of that number unless it succeeds.
    Go(u32),
    /// Not before that instant.
    Wait(Timestamp),
    /// No; until that instant, when there is one.
    Locked(Option<Timestamp>),
}

impl Policy {
    /// Whether another try may be made at `now`.
    pub(crate) fn judge(&self, tries: Option<Tries>, now: Timestamp) -> Verdict {
        let Some(tries) = tries else { return Verdict::Go(1) };
        let forgotten_at = self.forgotten_after.map(|after| tries.last_at + after);
        if tries.failures == 0 || forgotten_at.is_some_and(|at| at <= now) {
            return Verdict::Go(1);
        }
        if tries.failures >= self.lock_at {
            return Verdict::Locked(forgotten_at);
        }
        let next_at = tries.last_at + self.wait_after(tries.failures);
        if now < next_at { Verdict::Wait(next_at) } else { Verdict::Go(tries.failures + 1) }
    }

    fn wait_after(&self, failures: u32) -> SignedDuration {
        match failures.checked_sub(self.slow_from) {
            None => SignedDuration::ZERO,
            Some(doublings) => SignedDuration::from_secs(self.longest_wait_s.min(1_i64 << doublings.min(20))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn judged(policy: Policy, failures: u32, second: i64) -> Verdict {
        policy.judge(Some(Tries { failures, last_at: at(0) }), at(second))
    }

    #[test]
    fn four_failures_cost_no_time_and_then_the_wait_doubles() {
        assert_eq!(GUESSES.judge(None, at(0)), Verdict::Go(1));
        assert_eq!(judged(GUESSES, 4, 0), Verdict::Go(5));
        assert_eq!(judged(GUESSES, 5, 0), Verdict::Wait(at(1)));
        assert_eq!(judged(GUESSES, 5, 1), Verdict::Go(6));
        assert_eq!(judged(GUESSES, 8, 7), Verdict::Wait(at(8)));
        assert_eq!(judged(GUESSES, 19, 0), Verdict::Wait(at(300)));
    }

    #[test]
    fn however_often_an_address_is_registered_the_next_time_is_a_quarter_of_an_hour_away() {
        assert_eq!(judged(REGISTRATIONS, 5, 0), Verdict::Wait(at(1)));
        for failures in [20, 1_000, u32::MAX - 1] {
            assert_eq!(judged(REGISTRATIONS, failures, 899), Verdict::Wait(at(900)));
            assert_eq!(judged(REGISTRATIONS, failures, 900), Verdict::Go(failures + 1));
        }
    }

    #[test]
    fn twenty_failures_lock_for_a_day() {
        let day = 24 * 3600;
        assert_eq!(judged(GUESSES, 20, day - 1), Verdict::Locked(Some(at(day))));
        assert_eq!(judged(GUESSES, 20, day), Verdict::Go(1));
    }

    #[test]
    fn an_identity_is_tried_three_times_and_that_is_not_forgotten() {
        assert_eq!(judged(PROOFING, 2, 0), Verdict::Go(3));
        assert_eq!(judged(PROOFING, 3, 1_000_000), Verdict::Locked(None));
    }

    #[test]
    fn success_begins_anew() {
        assert_eq!(judged(GUESSES, 0, 0), Verdict::Go(1));
    }
}
