//! How long a draft is kept: so many days after the last work on it as the table of periods says, told three times before, never gone
//! without a word.
//!
//! Days are the office's civil days; the draft is
//! there to the end of the last one. Whoever was told a day before has that day, also when the office was away meanwhile.

use docket_kernel::deadline::{OFFICE_ZONE, Rule, ends, office_date, zone};
use jiff::civil::{Date, time};
use jiff::{Timestamp, ToSpan as _};

/// The row of the table of periods by which a draft is kept.
pub const RULE: &str = "draft.keep";
/// So many days before the end it is told, from the first time to the last.
pub const TOLD: [u32; 3] = [14, 7, 1];

/// What comes next for a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing before this instant.
    Wait(Timestamp),
    /// It is told now: which time, and the last day on which the draft is kept.
    Tell {
        /// One of [`TOLD`].
        days: u32,
        /// The last day.
        kept_until: Date,
    },
    /// Its time is over; this was the last day.
    Expire(Date),
}

/// The last day on which a draft is kept that was last worked on at an instant, by the row in force on that day; where none is, it is
/// kept for good.
pub fn kept_until(worked_at: Timestamp) -> Date {
    let worked_on = office_date(worked_at);
    let days = Rule::of(RULE).period(worked_on).ok().and_then(|row| i32::try_from(row.days).ok());
    days.map_or(Date::MAX, |days| plus(worked_on, days))
}

/// What comes next for a draft last worked on at `worked_at`, of which was told last since then: which time, and when.
pub fn next(worked_at: Timestamp, told: Option<(u32, Timestamp)>, now: Timestamp) -> Step {
    let last_day = kept_until(worked_at);
    if let Some((1, at)) = told {
        let kept_until = last_day.max(plus(office_date(at), 1));
        let end = ends(kept_until, OFFICE_ZONE).unwrap_or(Timestamp::MAX);
        return if now >= end { Step::Expire(kept_until) } else { Step::Wait(end) };
    }
    let left = TOLD.into_iter().filter(|days| told.is_none_or(|(before, _)| *days < before));
    let mut due = left.clone().filter(|days| now >= telling(last_day, *days));
    // Where several were missed, the last one says it all.
    match due.next_back() {
        Some(days) => Step::Tell { days, kept_until: last_day.max(plus(office_date(now), 1)) },
        None => Step::Wait(left.clone().next().map_or(Timestamp::MAX, |days| telling(last_day, days))),
    }
}

/// Nine o'clock in the morning, so many days before the last one.
fn telling(last_day: Date, days: u32) -> Timestamp {
    let day = plus(last_day, -i32::try_from(days).unwrap_or(0)).to_datetime(time(9, 0, 0, 0));
    zone(OFFICE_ZONE).ok().and_then(|zone| zone.to_timestamp(day).ok()).unwrap_or(Timestamp::MAX)
}

fn plus(day: Date, days: i32) -> Date {
    day.saturating_add(days.days())
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn thirty_days_later_is_not_moved_by_weekends_and_ends_at_midnight() {
        // Saturday 24 October in New York, though Sunday in London already.
        let worked = at("2026-10-25T03:30:00Z");
        assert_eq!(kept_until(worked), day("2026-11-23"));
        let told = Some((1, at("2026-11-22T14:00:00Z")));
        let end = at("2026-11-24T05:00:00Z");
        assert_eq!(next(worked, told, end - 1.second()), Step::Wait(end));
        assert_eq!(next(worked, told, end), Step::Expire(day("2026-11-23")));
    }

    #[test]
    fn it_is_told_three_times_at_nine() {
        let worked = at("2026-10-24T16:00:00Z");
        let (first, second, third) =
            (at("2026-11-09T14:00:00Z"), at("2026-11-16T14:00:00Z"), at("2026-11-22T14:00:00Z"));
        let tell = |days| Step::Tell { days, kept_until: day("2026-11-23") };
        assert_eq!(next(worked, None, worked), Step::Wait(first));
        assert_eq!(next(worked, None, first), tell(14));
        assert_eq!(next(worked, Some((14, first)), first), Step::Wait(second));
        assert_eq!(next(worked, Some((14, first)), second), tell(7));
        assert_eq!(next(worked, Some((7, second)), second), Step::Wait(third));
        assert_eq!(next(worked, Some((7, second)), third), tell(1));
    }

    #[test]
    fn who_was_not_told_in_time_has_a_day_more() {
        let (worked, late) = (at("2026-01-10T16:00:00Z"), at("2026-06-01T16:00:00Z"));
        let tell = Step::Tell { days: 1, kept_until: day("2026-06-02") };
        assert_eq!(next(worked, None, late), tell);
        assert_eq!(next(worked, Some((7, late)), late), tell);
        let end = at("2026-06-03T04:00:00Z");
        assert_eq!(next(worked, Some((1, late)), late), Step::Wait(end));
        assert_eq!(next(worked, Some((1, late)), end), Step::Expire(day("2026-06-02")));
    }

    #[test]
    fn the_row_of_the_table_says_how_long_whenever_it_was_worked_on() {
        for worked in ["2019-03-02T18:00:00Z", "2026-11-30T04:59:00Z", "2040-02-29T18:00:00Z"].map(at) {
            let worked_on = office_date(worked);
            let row = Rule::of(RULE).period(worked_on).unwrap();
            assert_eq!(kept_until(worked), worked_on + i64::from(row.days).days());
        }
    }

    /// D14: whenever it is looked, in whatever steps, nothing goes that was not told at least a whole day before.
    #[test]
    fn in_whatever_steps_time_goes_nothing_goes_without_a_word() {
        let worked = at("2026-02-20T18:00:00Z");
        for stride in [1, 5, 11, 24, 30, 100, 400, 2_000] {
            let (mut now, mut told, mut said) = (worked, None, Vec::new());
            loop {
                match next(worked, told, now) {
                    Step::Wait(until) => {
                        assert!(until > now, "it goes on");
                        now += i64::from(stride).hours();
                    }
                    Step::Tell { days, kept_until } => {
                        assert!(told.is_none_or(|(before, _)| days < before), "each once");
                        assert!(kept_until > office_date(now));
                        told = Some((days, now));
                        said.push(days);
                    }
                    Step::Expire(kept_until) => {
                        let (days, at) = told.expect("it was told");
                        let notice = now.duration_since(at);
                        assert!(
                            days == 1 && notice >= SignedDuration::from_hours(24),
                            "{stride}: {at} {now}"
                        );
                        assert!(kept_until >= super::kept_until(worked) && office_date(now) > kept_until);
                        break;
                    }
                }
            }
            assert_eq!(said.last(), Some(&1));
        }
    }
}
