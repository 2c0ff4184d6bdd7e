//! The last hours of a last day: what must be there by its end goes with files that still wait for the virus scanner.

use jiff::civil::Date;

/// With so much time left, or less, what has a last day is taken though a file of it is not scanned yet, in microseconds: 24 hours.
/// A last day is a civil day and ends with it (8 CFR 103.2(b)(8)(iv)); so it has begun, and a scanner that is away must not make
/// anybody late. Earlier there is time to wait for it.
const AT_HAND_US: i64 = 24 * 3_600 * 1_000_000;

/// Whether the last 24 hours before an instant have begun, or it is over.
pub(crate) fn is_near(ends_at_us: i64, now_us: i64) -> bool {
    now_us >= ends_at_us - AT_HAND_US
}

/// The last day on which a form can be filed in time, as long as it is not over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastDay {
    /// The day.
    pub on: Date,
    /// Whether its last 24 hours run.
    pub at_hand: bool,
}

impl LastDay {
    /// The day, which ends at an instant, as of now; none once it is over, when nothing is won by haste.
    pub fn of(on: Date, ends_at_us: i64, now_us: i64) -> Option<Self> {
        (now_us < ends_at_us).then(|| Self { on, at_hand: is_near(ends_at_us, now_us) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_24_hours_run_until_the_day_has_ended() {
        let hour = 3_600 * 1_000_000;
        let ends_at_us = 1_000 * hour;
        let on = jiff::civil::date(2026, 3, 2);
        for (now_us, near, at_hand) in [
            (ends_at_us - 24 * hour - 1, false, Some(false)),
            (ends_at_us - 24 * hour, true, Some(true)),
            (ends_at_us - 1, true, Some(true)),
            (ends_at_us, true, None),
            (ends_at_us + 24 * hour, true, None),
        ] {
            let last = LastDay::of(on, ends_at_us, now_us);
            assert_eq!(
                (is_near(ends_at_us, now_us), last.map(|last| last.at_hand)),
                (near, at_hand),
                "{now_us}"
            );
        }
    }
}
