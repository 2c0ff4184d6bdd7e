//! The hours in which no texts are sent: from 21:00 to 08:00 where their reader is, as 47 CFR 64.1200(c)(1) has it for calls.

use jiff::civil::{Date, Time, time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

/// From when on texts are sent in the morning,
const MORNING: Time = time(8, 0, 0, 0);
/// and from when on no more in the evening.
const EVENING: Time = time(21, 0, 0, 0);

/// Until when a text is held at an instant; none where it may go at once.
pub(crate) fn held_until(now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let local = zone.to_datetime(now);
    if local.time() < MORNING {
        Some(morning(local.date(), zone, now))
    } else if local.time() >= EVENING {
        Some(next_morning(now, zone))
    } else {
        None
    }
}

/// The next morning after the day of an instant.
pub(crate) fn next_morning(now: Timestamp, zone: &TimeZone) -> Timestamp {
    let today = zone.to_datetime(now).date();
    morning(today.checked_add(1.day()).unwrap_or(today), zone, now)
}

/// When the day of an instant began, µs since the epoch.
pub(crate) fn day_began_us(now: Timestamp, zone: &TimeZone) -> i64 {
    let midnight = zone.to_datetime(now).date().to_datetime(Time::midnight());
    zone.to_timestamp(midnight).unwrap_or(now - SignedDuration::from_hours(24)).as_microsecond()
}

/// When it is morning on a day. In no zone a clock is changed at that hour; were it so, the hour after the gap is taken.
fn morning(date: Date, zone: &TimeZone, now: Timestamp) -> Timestamp {
    zone.to_timestamp(date.to_datetime(MORNING)).unwrap_or(now + SignedDuration::from_hours(12))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(now: &str, zone: &str, expected: Option<&str>) {
        let zone = TimeZone::get(zone).unwrap();
        let expected = expected.map(|at| at.parse::<Timestamp>().unwrap());
        assert_eq!(held_until(now.parse().unwrap(), &zone), expected, "{now}");
    }

    #[test]
    fn what_comes_at_night_is_held_to_eight_where_its_reader_is() {
        check("2026-07-01T12:59:59Z", "America/Chicago", Some("2026-07-01T13:00:00Z"));
        check("2026-07-01T13:00:00Z", "America/Chicago", None);
        check("2026-07-02T01:59:59Z", "America/Chicago", None);
        check("2026-07-02T02:00:00Z", "America/Chicago", Some("2026-07-02T13:00:00Z"));
        check("2026-07-02T02:00:00Z", "Pacific/Honolulu", None);
    }

    #[test]
    fn a_night_in_which_the_clock_is_changed_ends_at_eight_too() {
        check("2026-03-08T04:00:00Z", "America/New_York", Some("2026-03-08T12:00:00Z"));
        check("2026-11-01T04:00:00Z", "America/New_York", Some("2026-11-01T13:00:00Z"));
        let (zone, now) =
            (TimeZone::get("America/New_York").unwrap(), "2026-11-01T18:00:00Z".parse().unwrap());
        assert_eq!(
            day_began_us(now, &zone),
            "2026-11-01T04:00:00Z".parse::<Timestamp>().unwrap().as_microsecond()
        );
    }
}
