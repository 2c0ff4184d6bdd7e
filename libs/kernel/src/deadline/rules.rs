//! The rows of periods: which one held on which day, and what an officer may choose within it.

use std::sync::LazyLock;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::calendar;
use crate::refusal::Refusal;

/// Whose act the period limits; only a person's last day is rolled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// An act of a person.
    Party,
    /// A limit on the office.
    Office,
    /// Docket's own limit.
    Docket,
    /// A day before which something cannot happen.
    Earliest,
}

/// What the days are.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Calendar days: 8 CFR 1.2.
    #[default]
    Days,
    /// Working days only.
    WorkingDays,
}

/// One row: a period with the service dates for which it holds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Period {
    /// The rule's id, such as `rfe`.
    pub id: String,
    /// Whose act it limits.
    pub who: Who,
    /// What the days are.
    #[serde(default)]
    pub unit: Unit,
    /// The days when nobody chooses others.
    pub days: u32,
    /// The most an officer may give.
    pub max_days: Option<u32>,
    /// The least an officer may give without a supervisor.
    pub min_days: Option<u32>,
    /// Added when the notice was mailed.
    #[serde(default)]
    pub mail_days: u32,
    /// Added instead when the party is abroad.
    pub mail_days_abroad: Option<u32>,
    /// First service date, inclusive.
    pub from: Option<Date>,
    /// Last service date, inclusive.
    pub until: Option<Date>,
    /// The sources.
    pub cite: String,
    /// How sure the sources are.
    pub mark: String,
}

/// One row of a window before an anniversary.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WindowRow {
    pub(super) id: String,
    pub(super) years: i64,
    pub(super) days_before: i64,
    pub(super) closes: bool,
    pub(super) cite: String,
    #[expect(dead_code, reason = "how sure the source is, for readers of the table")]
    pub(super) mark: String,
}

#[derive(Deserialize)]
struct Table {
    period: Vec<Period>,
    window: Vec<WindowRow>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    toml::from_str(include_str!("../../data/deadlines.toml"))
        .expect("the table is part of the build and tested")
});

/// All rows.
pub fn rules() -> &'static [Period] {
    &TABLE.period
}

pub(super) fn window_row(id: &str) -> Option<&'static WindowRow> {
    TABLE.window.iter().find(|row| row.id == id)
}

/// A rule as it is applied: its id, and what was chosen within it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    id: String,
    days: Option<u32>,
    abroad: bool,
    supervised: bool,
}

impl Rule {
    /// The rule with this id, such as `rfe` or `appeal.aao`.
    pub fn of(id: impl Into<String>) -> Self {
        Self { id: id.into(), days: None, abroad: false, supervised: false }
    }

    /// The officer gives this many days.
    #[must_use]
    pub fn days(mut self, days: u32) -> Self {
        self.days = Some(days);
        self
    }

    /// The party's address of record on day 0 is outside the United States and its territories.
    #[must_use]
    pub fn abroad(mut self, abroad: bool) -> Self {
        self.abroad = abroad;
        self
    }

    /// A supervisor allowed fewer days than the row's minimum.
    #[must_use]
    pub fn supervised(mut self) -> Self {
        self.supervised = true;
        self
    }

    pub(super) fn is_abroad(&self) -> bool {
        self.abroad
    }

    /// The row in force on the day of service.
    pub fn period(&self, day0: Date) -> Result<&'static Period, Refusal> {
        TABLE
            .period
            .iter()
            .find(|row| row.id == self.id && calendar::in_force(row.from, row.until, day0))
            .ok_or_else(|| {
                Refusal::invalid(
                    "rule",
                    "RULE_UNKNOWN",
                    format!("No rule {} is in force on {day0}.", self.id),
                )
            })
    }

    pub(super) fn base_days(&self, period: &Period) -> Result<u32, Refusal> {
        let days = self.days.unwrap_or(period.days);
        let most = period.max_days.unwrap_or(period.days);
        let least = if self.supervised { 1 } else { period.min_days.unwrap_or(1) };
        if days > most {
            return Err(Refusal::invalid(
                "days",
                "PERIOD_TOO_LONG",
                format!("{} allows at most {most} days: {}.", period.id, period.cite),
            ));
        }
        if days < least {
            return Err(Refusal::invalid(
                "days",
                "PERIOD_TOO_SHORT",
                format!("{} gives at least {least} days unless a supervisor agrees.", period.id),
            ));
        }
        Ok(days)
    }

    pub(super) fn mail_days(&self, period: &Period) -> u32 {
        period.mail_days_abroad.filter(|_| self.abroad).unwrap_or(period.mail_days)
    }
}
