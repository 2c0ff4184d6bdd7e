//! Windows: from some days before an anniversary, up to it where the law closes it.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::rules::window_row;
use super::{check_years, rolled, weekday};
use crate::calendar::{closing_years, plus_days, plus_years};
use crate::refusal::Refusal;

/// When something may be filed: not before `opens`, and where there is one, not after `last_day`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The rule, such as `i751.window`.
    pub rule_id: String,
    /// The date it is counted from, such as the day residence began.
    pub fact: Date,
    /// The anniversary as an opening date: 1 March for 29 February.
    pub anniversary: Date,
    /// Days before the anniversary.
    pub days_before: i64,
    /// The first day; never rolled.
    pub opens: Date,
    /// The anniversary as a closing date (28 February for 29 February): what to show as "file by".
    pub closes: Option<Date>,
    /// The closing day rolled to a working day: the last resort.
    pub last_day: Option<Date>,
    /// The sources.
    pub cite: String,
}

impl Window {
    /// Computes a window from the fact it hangs on.
    ///
    /// # Errors
    /// An unknown rule, or a year beyond the tables.
    pub fn compute(rule_id: &str, fact: Date) -> Result<Self, Refusal> {
        let row = window_row(rule_id).ok_or_else(|| {
            Refusal::invalid("rule", "RULE_UNKNOWN", format!("There is no window rule {rule_id}."))
        })?;
        let anniversary = plus_years(fact, row.years);
        let opens = plus_days(anniversary, -row.days_before);
        let closes = row.closes.then(|| closing_years(fact, row.years));
        let last_day = closes.map(|day| rolled(day).0);
        check_years(opens, last_day.unwrap_or(anniversary))?;
        Ok(Self {
            rule_id: row.id.clone(),
            fact,
            anniversary,
            days_before: row.days_before,
            opens,
            closes,
            last_day,
            cite: row.cite.clone(),
        })
    }

    /// How the dates came about.
    pub fn derivation(&self) -> String {
        let Self { anniversary, days_before, opens, .. } = self;
        let (Some(closes), Some(last)) = (self.closes, self.last_day) else {
            return format!(
                "{anniversary} − {days_before}d = earliest {opens} {} (no closing date)",
                weekday(*opens)
            );
        };
        let close = if closes == last {
            format!("{closes} {} = {last}", weekday(closes))
        } else {
            format!("{closes} {} → {last} {}", weekday(closes), weekday(last))
        };
        format!("opens {anniversary} − {days_before}d = {opens} {}; closes {close}", weekday(*opens))
    }
}
