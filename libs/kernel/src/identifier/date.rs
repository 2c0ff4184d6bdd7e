//! Dates as people type them: ISO 8601 or month/day/year, stored ISO.

use std::fmt;

use jiff::civil::Date;

use super::{common, digits, fault};
use crate::refusal::FieldFault;

/// A whole date: `2026-03-02` or `03/02/2026`.
pub fn date(text: &str) -> Result<Date, FieldFault> {
    let value = common(text);
    let iso = parts(&value, '-', [4, 2, 2]).map(|[y, m, d]| (y, m, d));
    let american = || parts(&value, '/', [2, 2, 4]).map(|[m, d, y]| (y, m, d));
    iso.or_else(american).and_then(|(y, m, d)| whole(y, m, d)).ok_or_else(|| {
        fault(
            "date",
            "DATE_MALFORMED",
            "Write a day that exists as year-month-day, such as 1985-01-31, or as 01/31/1985.",
        )
    })
}

fn parts(value: &str, separator: char, widths: [usize; 3]) -> Option<[i16; 3]> {
    let mut numbers = [0; 3];
    let mut pieces = value.split(separator);
    for (number, width) in numbers.iter_mut().zip(widths) {
        let piece = pieces.next()?;
        let short = separator == '/' && width == 2 && piece.len() == 1;
        if !short && piece.len() != width || !digits(piece, piece.len()) {
            return None;
        }
        *number = piece.parse().ok()?;
    }
    pieces.next().is_none().then_some(numbers)
}

fn whole(year: i16, month: i16, day: i16) -> Option<Date> {
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// A date of birth: from 1900 on and not after `today`.
pub fn birth_date(text: &str, today: Date) -> Result<Date, FieldFault> {
    let day = date(text)?;
    if day.year() < 1900 || day > today {
        return Err(fault(
            "birth_date",
            "BIRTH_DATE_RANGE",
            "A date of birth lies between 1900 and today, such as 1985-01-31.",
        ));
    }
    Ok(day)
}

/// A date of which the day, or the month too, may be unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PartialDate {
    /// Only the year is known.
    Year(i16),
    /// Year and month are known.
    Month(i16, i8),
    /// The whole date is known.
    Day(Date),
}

impl fmt::Display for PartialDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Year(year) => write!(f, "{year:04}"),
            Self::Month(year, month) => write!(f, "{year:04}-{month:02}"),
            Self::Day(day) => write!(f, "{day}"),
        }
    }
}

/// A partial date: `1985`, `1985-01` or a whole date.
pub fn partial_date(text: &str) -> Result<PartialDate, FieldFault> {
    let value = common(text);
    let bad = || fault("date", "DATE_MALFORMED", "Write what you know: 1985, 1985-01 or 1985-01-31.");
    match value.len() {
        4 if digits(&value, 4) => Ok(PartialDate::Year(value.parse().map_err(|_| bad())?)),
        7 => {
            let (year, month) =
                value.split_once('-').filter(|(y, m)| digits(y, 4) && digits(m, 2)).ok_or_else(bad)?;
            let month: i8 = month.parse().ok().filter(|m| (1..=12).contains(m)).ok_or_else(bad)?;
            Ok(PartialDate::Month(year.parse().map_err(|_| bad())?, month))
        }
        _ => date(&value).map(PartialDate::Day).map_err(|_| bad()),
    }
}
