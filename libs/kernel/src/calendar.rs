//! Civil days: legal holidays and their observance, working days, anniversaries, ages, and what holds on a day.

use std::sync::LazyLock;

use jiff::Span;
use jiff::civil::{Date, Weekday};
use serde::Deserialize;

/// A holiday of one year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holiday {
    /// Its short name, such as `Memorial`.
    pub name: &'static str,
    /// The day the statute names.
    pub actual: Date,
    /// The day it is observed: 5 USC 6103(b).
    pub observed: Date,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    month: i8,
    day: Option<i8>,
    weekday: Option<String>,
    nth: Option<i8>,
    from: i16,
    #[expect(dead_code, reason = "the source of the row, for readers of the table")]
    cite: String,
}

#[derive(Deserialize)]
struct Table {
    holiday: Vec<Row>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    toml::from_str(include_str!("../data/holidays.toml")).expect("the table is part of the build and tested")
});

impl Row {
    fn in_year(&'static self, year: i16) -> Option<Holiday> {
        if year < self.from {
            return None;
        }
        let actual = match (self.day, self.nth) {
            (Some(day), _) => Date::new(year, self.month, day).ok()?,
            (None, Some(nth)) => Date::new(year, self.month, 1)
                .ok()?
                .nth_weekday_of_month(nth, weekday(self.weekday.as_deref()?)?)
                .ok()?,
            (None, None) => return None,
        };
        Some(Holiday { name: &self.name, actual, observed: observed(actual) })
    }
}

fn weekday(name: &str) -> Option<Weekday> {
    match name {
        "monday" => Some(Weekday::Monday),
        "thursday" => Some(Weekday::Thursday),
        _ => None,
    }
}

fn observed(actual: Date) -> Date {
    match actual.weekday() {
        Weekday::Saturday => plus_days(actual, -1),
        Weekday::Sunday => plus_days(actual, 1),
        Weekday::Monday | Weekday::Tuesday | Weekday::Wednesday | Weekday::Thursday | Weekday::Friday => {
            actual
        }
    }
}

/// The legal holidays of a year, in order; the observed day may lie in the year before.
pub fn holidays(year: i16) -> Vec<Holiday> {
    TABLE.holiday.iter().filter_map(|row| row.in_year(year)).collect()
}

/// The holiday observed on this day. New Year's observance may fall on 31 December before.
pub fn holiday_on(day: Date) -> Option<&'static str> {
    let next = day.year().saturating_add(1);
    TABLE
        .holiday
        .iter()
        .filter_map(|row| row.in_year(day.year()))
        .chain(TABLE.holiday.first().and_then(|row| row.in_year(next)))
        .find(|holiday| holiday.observed == day)
        .map(|holiday| holiday.name)
}

/// Why a day is no working day: `Saturday`, `Sunday` or the holiday's name.
pub fn closed_because(day: Date) -> Option<&'static str> {
    match day.weekday() {
        Weekday::Saturday => Some("Saturday"),
        Weekday::Sunday => Some("Sunday"),
        Weekday::Monday | Weekday::Tuesday | Weekday::Wednesday | Weekday::Thursday | Weekday::Friday => {
            holiday_on(day)
        }
    }
}

/// Whether the day is neither Saturday, Sunday nor an observed legal holiday (8 CFR 1.2).
pub fn is_working_day(day: Date) -> bool {
    closed_because(day).is_none()
}

/// The day itself, or the next working day when it is none.
pub fn roll(day: Date) -> Date {
    let mut day = day;
    while !is_working_day(day) && day < Date::MAX {
        day = plus_days(day, 1);
    }
    day
}

/// The first working day after this one.
pub fn next_working_day(day: Date) -> Date {
    roll(plus_days(day, 1))
}

/// The `n`-th working day after `day`; `day` is not counted.
pub fn plus_working_days(day: Date, n: u32) -> Date {
    (0..n).fold(day, |day, _| next_working_day(day))
}

/// `n` civil days later, or earlier when negative; stops at the ends of the calendar.
pub fn plus_days(day: Date, n: i64) -> Date {
    match Span::new().try_days(n) {
        Ok(span) => day.saturating_add(span),
        Err(_) => {
            if n < 0 {
                Date::MIN
            } else {
                Date::MAX
            }
        }
    }
}

/// Civil days from `a` to `b`; negative when `b` is earlier.
pub fn days_between(a: Date, b: Date) -> i64 {
    b.duration_since(a).as_hours() / 24
}

/// `n` months later or earlier; a day which does not exist becomes the last of the month.
pub fn plus_months(day: Date, n: i64) -> Date {
    match Span::new().try_months(n) {
        Ok(span) => day.saturating_add(span),
        Err(_) => {
            if n < 0 {
                Date::MIN
            } else {
                Date::MAX
            }
        }
    }
}

/// The anniversary `n` years later as an *opening* date: 29 February becomes 1 March in a common year.
/// Earlier years (`n` negative) take 28 February.
pub fn plus_years(day: Date, n: i64) -> Date {
    let clipped = closing_years(day, n);
    if n > 0 && clipped.day() != day.day() && clipped < Date::MAX { plus_days(clipped, 1) } else { clipped }
}

/// The anniversary `n` years later as a *closing* date: 29 February becomes 28 February.
pub fn closing_years(day: Date, n: i64) -> Date {
    match Span::new().try_years(n) {
        Ok(span) => day.saturating_add(span),
        Err(_) => {
            if n < 0 {
                Date::MIN
            } else {
                Date::MAX
            }
        }
    }
}

/// The days of the week from Monday on, in English and in Spanish.
pub const WEEKDAYS: [[&str; 7]; 2] = [
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
    ["lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"],
];
/// The months, in English and in Spanish.
#[rustfmt::skip]
pub const MONTHS: [[&str; 12]; 2] = [
    ["January", "February", "March", "April", "May", "June",
     "July", "August", "September", "October", "November", "December"],
    ["enero", "febrero", "marzo", "abril", "mayo", "junio",
     "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"],
];

/// Whether what the law says from one day on, if it has a first one, until another or until further notice, holds on `day`; both days are within.
pub fn in_force(from: impl Into<Option<Date>>, until: Option<Date>, day: Date) -> bool {
    from.into().is_none_or(|from| from <= day) && until.is_none_or(|until| day <= until)
}

/// Completed years at `at`: the largest n with `born + n years <= at`; negative before birth.
/// Who was born on 29 February is a year older on 1 March of a common year.
pub fn age(born: Date, at: Date) -> i64 {
    let years = i64::from(at.year()) - i64::from(born.year());
    let mut years = years;
    while plus_years(born, years) > at {
        years -= 1;
    }
    years
}
