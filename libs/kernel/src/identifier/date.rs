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

impl PartialDate {
    /// The earliest day that it can be.
    pub fn first(self) -> Date {
        match self {
            Self::Year(year) => Date::new(year, 1, 1).unwrap_or(Date::MIN),
            Self::Month(year, month) => Date::new(year, month, 1).unwrap_or(Date::MIN),
            Self::Day(day) => day,
        }
    }

    /// The latest day that it can be.
    pub fn last(self) -> Date {
        match self {
            Self::Year(_) => self.first().last_of_year(),
            Self::Month(..) => self.first().last_of_month(),
            Self::Day(day) => day,
        }
    }
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

/// A partial date: `1985`, `1985-01`, `01/1985` or a whole date.
pub fn partial_date(text: &str) -> Result<PartialDate, FieldFault> {
    let value = common(text);
    let year = || digits(&value, 4).then(|| value.parse().ok().map(PartialDate::Year)).flatten();
    let whole = || date(&value).ok().map(PartialDate::Day);
    year().or_else(|| month(&value)).or_else(whole).ok_or_else(|| {
        fault(
            "date",
            "DATE_MALFORMED",
            "Write what you know of it: 1985, 1985-01 or 01/1985, 1985-01-31 or 01/31/1985.",
        )
    })
}

/// A partial date of which the month is known: `1985-01`, `01/1985` or a whole date.
pub fn month_date(text: &str) -> Result<PartialDate, FieldFault> {
    match partial_date(text) {
        Ok(PartialDate::Year(_)) => Err(fault(
            "date",
            "MONTH_MISSING",
            "Write the month too, such as 1985-01 or 01/1985, and the day if you know it, such as 01/31/1985.",
        )),
        Ok(known @ (PartialDate::Month(..) | PartialDate::Day(_))) => Ok(known),
        Err(_) => Err(fault(
            "date",
            "DATE_MALFORMED",
            "Write month and year, such as 1985-01 or 01/1985, or the day if you know it, such as 1985-01-31 or 01/31/1985.",
        )),
    }
}

/// `1985-01` or `01/1985`.
fn month(value: &str) -> Option<PartialDate> {
    let iso = value.split_once('-').filter(|(year, month)| digits(year, 4) && digits(month, 2));
    let american = || {
        let (month, year) = value.split_once('/')?;
        (digits(year, 4) && (digits(month, 2) || digits(month, 1))).then_some((year, month))
    };
    let (year, month) = iso.or_else(american)?;
    let month: i8 = month.parse().ok().filter(|month| (1..=12).contains(month))?;
    Some(PartialDate::Month(year.parse().ok()?, month))
}
