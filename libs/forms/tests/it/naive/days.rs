//! The calendar counted by hand: years and days one by one, holidays from 5 USC 6103 itself.

use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday, date};

/// So many days, months or years.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Span {
    Days(i64),
    Months(i64),
    Years(i64),
}

/// A day's number.
pub(super) fn number(day: Date) -> i64 {
    i64::from(day.since(date(2000, 1, 1)).unwrap().get_days())
}

/// All days that are written so as far as they are known: `2024-02` is one of twenty-nine.
pub(super) fn of(known: &str) -> Vec<Date> {
    let first: Date = format!("{known}{}", &"-01-01"[known.len() - 4..]).parse().unwrap();
    let days = std::iter::successors(Some(first), |day| day.tomorrow().ok());
    days.take_while(|day| day.to_string().starts_with(known)).collect()
}

fn last_of_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

fn made(year: i64, month: i64, day: i64) -> Date {
    let (month, day) = (i8::try_from(month).unwrap(), i8::try_from(day).unwrap());
    date(i16::try_from(year).unwrap(), month, day)
}

fn parts(day: Date) -> (i64, i64, i64) {
    (i64::from(day.year()), i64::from(day.month()), i64::from(day.day()))
}

/// A day so much later, or earlier; from 29 February the years forward lead to 1 March where there is none.
pub(super) fn moved(from: Date, by: Span, back: bool) -> Date {
    let sign = if back { -1 } else { 1 };
    let (year, month, day) = parts(from);
    match by {
        Span::Days(n) => from.checked_add((sign * n).days()).unwrap(),
        Span::Months(n) => {
            let months = year * 12 + month - 1 + sign * n;
            let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
            made(year, month, day.min(last_of_month(year, month)))
        }
        Span::Years(n) if day > last_of_month(year + sign * n, month) => {
            if back {
                made(year - n, 2, 28)
            } else {
                made(year + n, 3, 1)
            }
        }
        Span::Years(n) => made(year + sign * n, month, day),
    }
}

/// The day on which something closes: 28 February where there is no 29th.
pub(super) fn closing(from: Date, by: Span) -> Date {
    let (year, month, day) = parts(from);
    match by {
        Span::Years(n) => made(year + n, month, day.min(last_of_month(year + n, month))),
        Span::Days(_) | Span::Months(_) => moved(from, by, false),
    }
}

/// Completed years; before birth they are negative.
pub(super) fn age(born: Date, at: Date) -> i64 {
    let birthday = |years: i64| moved(born, Span::Years(years.abs()), years < 0);
    let mut years = 0;
    while birthday(years + 1) <= at {
        years += 1;
    }
    while birthday(years) > at {
        years -= 1;
    }
    years
}

/// The day, or the next that is no Saturday, Sunday or legal holiday as it is observed.
pub(super) fn roll(day: Date) -> Date {
    let mut day = day;
    while [Weekday::Saturday, Weekday::Sunday].contains(&day.weekday()) || is_holiday(day) {
        day = day.tomorrow().unwrap();
    }
    day
}

/// Whether it is a holiday, or the Friday before or the Monday after one that falls on a weekend.
fn is_holiday(day: Date) -> bool {
    let friday = day.weekday() == Weekday::Friday && named(day.tomorrow().unwrap());
    let monday = day.weekday() == Weekday::Monday && named(day.yesterday().unwrap());
    friday || monday || named(day)
}

fn named(day: Date) -> bool {
    let (year, month, number) = parts(day);
    let week = (number - 1) / 7 + 1;
    match (month, day.weekday()) {
        (1, _) if number == 1 => true,
        (6, _) if number == 19 => year >= 2021,
        (7, _) if number == 4 => true,
        (11, _) if number == 11 => year >= 1978,
        (12, _) if number == 25 => true,
        (1, Weekday::Monday) => week == 3 && year >= 1986,
        (2, Weekday::Monday) => week == 3 && year >= 1971,
        (5, Weekday::Monday) => number + 7 > 31 && year >= 1971,
        (9, Weekday::Monday) => week == 1 && year >= 1894,
        (10, Weekday::Monday) => week == 2 && year >= 1971,
        (11, Weekday::Thursday) => week == 4 && year >= 1942,
        _ => false,
    }
}

/// The days from `from` until before `to`, as numbers.
fn window(from: Date, to: Date) -> std::ops::Range<i64> {
    number(from)..number(to)
}

/// The longest run of days that nothing covers.
pub(super) fn longest_gap(covered: &[(Date, Date)], from: Date, to: Date) -> i64 {
    let covered: Vec<_> = covered.iter().map(|(begin, end)| number(*begin)..number(*end)).collect();
    let (mut longest, mut run) = (0, 0);
    for day in window(from, to) {
        run = if covered.iter().any(|one| one.contains(&day)) { 0 } else { run + 1 };
        longest = longest.max(run);
    }
    longest
}

/// The days before `end` that two or more cover.
pub(super) fn twice_covered(covered: &[(Date, Date)], end: Date) -> i64 {
    let Some(first) = covered.iter().map(|(begin, _)| *begin).min() else { return 0 };
    let covered: Vec<_> = covered.iter().map(|(begin, end)| number(*begin)..number(*end)).collect();
    let twice = |day: &i64| covered.iter().filter(|one| one.contains(day)).count() > 1;
    i64::try_from(window(first, end).filter(twice).count()).unwrap()
}

/// The days of a window on which nobody was wholly abroad.
pub(super) fn present(trips: &[(Date, Date)], from: Date, to: Date) -> i64 {
    let trips: Vec<_> = trips.iter().map(|(left, back)| (number(*left), number(*back))).collect();
    let abroad = |day: &i64| trips.iter().any(|(left, back)| left < day && day < back);
    i64::try_from(window(from, to).filter(|day| !abroad(day)).count()).unwrap()
}
