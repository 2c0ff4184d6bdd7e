//! Dates and times as people read them, in both languages.

use docket_kernel::Refusal;
use docket_kernel::calendar::{MONTHS, WEEKDAYS};
pub(crate) use docket_kernel::deadline::office_date;
use docket_kernel::deadline::zone;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

/// Something said in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Said {
    /// English.
    pub(crate) en: String,
    /// Spanish.
    pub(crate) es: String,
}

/// `Tuesday, May 26, 2026` and `martes, 26 de mayo de 2026`.
pub(crate) fn said_date(date: Date) -> Said {
    let weekday = usize::from(date.weekday().to_monday_zero_offset().unsigned_abs());
    let month = usize::from(date.month().unsigned_abs()) - 1;
    let (day, year) = (date.day(), date.year());
    Said {
        en: format!("{}, {} {day}, {year}", WEEKDAYS[0][weekday], MONTHS[0][month]),
        es: format!("{}, {day} de {} de {year}", WEEKDAYS[1][weekday], MONTHS[1][month]),
    }
}

/// The date and the time of day of an instant in a zone.
///
/// # Errors
/// An unknown zone.
pub(crate) fn said_instant(at: Timestamp, zone_name: &str) -> Result<(Said, Said), Refusal> {
    let at = at.to_zoned_datetime(zone(zone_name)?);
    let time =
        Said { en: at.strftime("%-I:%M %p (%Z)").to_string(), es: at.strftime("%H:%M (%Z)").to_string() };
    Ok((said_date(at.date()), time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_with_weekday_and_times_with_zone() {
        let said = said_date("2026-05-26".parse().unwrap());
        assert_eq!(
            (said.en.as_str(), said.es.as_str()),
            ("Tuesday, May 26, 2026", "martes, 26 de mayo de 2026")
        );
        let at: Timestamp = "2026-05-28T20:30:00Z".parse().unwrap();
        let (date, time) = said_instant(at, "America/New_York").unwrap();
        assert_eq!(
            (date.en.as_str(), time.en.as_str(), time.es.as_str()),
            ("Thursday, May 28, 2026", "4:30 PM (EDT)", "16:30 (EDT)")
        );
        assert!(said_instant(at, "Mars/Olympus").is_err());
    }

    #[test]
    fn what_is_posted_late_in_the_evening_counts_for_the_day_at_the_office() {
        assert_eq!(office_date("2026-05-27T03:59:59Z".parse().unwrap()).to_string(), "2026-05-26");
        assert_eq!(office_date("2026-05-27T04:00:00Z".parse().unwrap()).to_string(), "2026-05-27");
    }
}
