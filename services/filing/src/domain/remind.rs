//! When a client who was asked to look at a filing is reminded: so many days later, at nine in the morning where they live.

use docket_kernel::deadline::{OFFICE_ZONE, zone};
use jiff::civil::time;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

/// What comes next for a client who was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing before this instant.
    Wait(Timestamp),
    /// They are reminded now, so many days after they were asked.
    Remind(u32),
    /// They were reminded as often as anybody is.
    Enough,
}

/// What comes next for a client of that zone who was asked at an instant and reminded last after `reminded` days, 0 when not yet;
/// `days` is when one is reminded, rising. Of several that were missed, the last one says it all.
pub fn next(days: &[u32], (asked_at, zone): (Timestamp, &str), reminded: u32, now: Timestamp) -> Step {
    let left = days.iter().copied().filter(|days| *days > reminded);
    match left.clone().rfind(|days| now >= due(asked_at, zone, *days)) {
        Some(days) => Step::Remind(days),
        None => left.min().map_or(Step::Enough, |days| Step::Wait(due(asked_at, zone, days))),
    }
}

/// Nine o'clock so many days after the day on which they were asked; an unknown zone counts as the office's.
fn due(asked_at: Timestamp, name: &str, days: u32) -> Timestamp {
    let zone = zone(name).or_else(|_| zone(OFFICE_ZONE)).unwrap_or(TimeZone::UTC);
    let day = zone.to_datetime(asked_at).date().saturating_add(i64::from(days).days());
    zone.to_timestamp(day.to_datetime(time(9, 0, 0, 0))).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAYS: [u32; 3] = [2, 5, 9];
    const CHICAGO: &str = "America/Chicago";

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_client_is_reminded_at_nine_of_each_day_and_then_left_alone() {
        // Friday the 30th in Chicago, though Saturday in London; the clocks are set back on Sunday.
        let asked = (at("2026-10-31T03:30:00Z"), CHICAGO);
        let dues = [at("2026-11-01T15:00:00Z"), at("2026-11-04T15:00:00Z"), at("2026-11-08T15:00:00Z")];
        assert_eq!(next(&DAYS, asked, 0, asked.0), Step::Wait(dues[0]));
        assert_eq!(next(&DAYS, asked, 0, dues[0] - 1.second()), Step::Wait(dues[0]));
        assert_eq!(next(&DAYS, asked, 0, dues[0]), Step::Remind(2));
        assert_eq!(next(&DAYS, asked, 2, dues[0]), Step::Wait(dues[1]));
        assert_eq!(next(&DAYS, asked, 2, dues[1]), Step::Remind(5));
        assert_eq!(next(&DAYS, asked, 5, dues[2]), Step::Remind(9));
        assert_eq!(next(&DAYS, asked, 9, at("2027-01-01T00:00:00Z")), Step::Enough);
    }

    #[test]
    fn who_was_not_reminded_in_time_is_reminded_once_for_all_that_was_missed() {
        let asked = (at("2026-06-01T12:00:00Z"), CHICAGO);
        assert_eq!(next(&DAYS, asked, 0, at("2026-06-07T12:00:00Z")), Step::Remind(5));
        assert_eq!(next(&DAYS, asked, 0, at("2026-07-01T12:00:00Z")), Step::Remind(9));
        assert_eq!(next(&[], asked, 0, asked.0), Step::Enough);
        let unknown = next(&DAYS, (asked.0, "Nowhere/Land"), 0, asked.0);
        assert_eq!(unknown, Step::Wait(at("2026-06-03T13:00:00Z")), "nine in New York");
    }
}
