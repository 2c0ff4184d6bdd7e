//! When somebody is reminded of a day: at nine in the morning of certain days before it, where they live or are to come.

use std::cmp::Reverse;

use jiff::Timestamp;
use jiff::civil::{Date, time};
use jiff::tz::TimeZone;

use super::{OFFICE_ZONE, instant, zone};
use crate::calendar::{days_between, plus_days};

/// From so many days on a period is a long one, in whose course one is reminded more often.
const LONG: u32 = 30;

/// The reminders of one day.
#[derive(Debug, Clone)]
pub struct Reminders {
    /// The days left and when that is told, first the earliest.
    times: Vec<(u32, Timestamp)>,
    day: Date,
    zone: TimeZone,
}

impl Reminders {
    /// Those so many days before `day`, at nine o'clock of the zone; an unknown zone counts as the office's.
    pub fn before(day: Date, days: &[u32], zone_name: &str) -> Self {
        let zone = zone(zone_name).or_else(|_unknown| zone(OFFICE_ZONE)).unwrap_or(TimeZone::UTC);
        let nine = |left: &u32| {
            let at = plus_days(day, -i64::from(*left)).to_datetime(time(9, 0, 0, 0));
            Some((*left, instant(at, &zone).ok()?))
        };
        let mut times: Vec<(u32, Timestamp)> = days.iter().filter_map(nine).collect();
        times.sort_unstable_by_key(|(left, _)| Reverse(*left));
        times.dedup();
        Self { times, day, zone }
    }

    /// Those of a due date: half-time and 14, 7, 3, 1 days before and the last day for periods of 30 days or more; else 7, 3 and
    /// 1 days before. The service itself tells of the period, and is not among them.
    pub fn before_due(day0: Date, due: Date, base_days: u32, zone_name: &str) -> Self {
        let whole = u32::try_from(days_between(day0, due)).unwrap_or(0);
        let long = [whole / 2, 14, 7, 3, 1, 0];
        let told = if base_days >= LONG { &long[..] } else { &[7, 3, 1][..] };
        let within: Vec<u32> = told.iter().copied().filter(|left| *left < whole).collect();
        Self::before(due, &within, zone_name)
    }

    /// The days left at each, and when that is told.
    pub fn times(&self) -> &[(u32, Timestamp)] {
        &self.times
    }

    /// When the next one after an instant is due; none after the last.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        self.times.iter().map(|(_, at)| *at).find(|at| *at > after)
    }

    /// The days left, when somebody is to be reminded now: its hour has come, and its day is not over. Of a day that is past nobody
    /// is reminded.
    pub fn now(&self, now: Timestamp) -> Option<u32> {
        let today = self.zone.to_datetime(now).date();
        let is_due =
            |(left, at): &&(u32, Timestamp)| *at <= now && plus_days(self.day, -i64::from(*left)) == today;
        self.times.iter().find(is_due).map(|(left, _)| *left)
    }
}
