//! The Visa Bulletin: month by month, for which class, country and priority date a visa number is available.

use docket_kernel::identifier::common;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::answers::Facts;
use crate::expr::eval::{Context, value};
use crate::expr::{Expr, Node};
use crate::value::Value;
use crate::within::Within;

/// The functions of the expression language that read it.
pub(crate) const FUNCTIONS: [&str; 3] = ["visa_available", "visa_class", "visa_month"];

/// The Bulletin as far as it is known: its rows and columns, and what stands in them.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VisaBulletin {
    /// The columns, in order; the first is for every country that no other names.
    pub areas: Vec<VisaArea>,
    /// The rows.
    pub classes: Vec<VisaClass>,
    /// The months that are known, in order.
    pub months: Vec<VisaMonth>,
}

/// The countries of a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VisaArea {
    /// What it is called in English.
    pub en: String,
    /// In Spanish.
    pub es: String,
    /// Codes of countries.
    pub countries: Vec<String>,
}

/// A class of immigrants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VisaClass {
    /// Such as `F2A`.
    pub id: String,
    /// How people write it: letters and digits in upper case, without what stands between them.
    pub names: Vec<String>,
}

/// What holds for filings in a month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VisaMonth {
    /// Its first day.
    pub month: Date,
    /// The source.
    pub cite: String,
    /// A row for each class.
    pub rows: Vec<VisaRow>,
}

/// What holds for a class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VisaRow {
    /// The class.
    pub class: String,
    /// The chart from which it is.
    pub chart: Chart,
    /// For each area, in their order.
    pub cutoffs: Vec<Cutoff>,
}

/// The two charts of the Bulletin; which of them is taken for filings the agency says each month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Chart {
    /// Final Action Dates.
    FinalAction,
    /// Dates for Filing.
    Filing,
}

/// For whom a number is available: written `C`, `U` or as a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Cutoff {
    /// For everybody.
    Current,
    /// For nobody.
    Unavailable,
    /// For priority dates before this one.
    Before(Date),
}

impl TryFrom<String> for Cutoff {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "C" => Ok(Self::Current),
            "U" => Ok(Self::Unavailable),
            day => day.parse().map(Self::Before).map_err(|_| format!("`{day}` is not C, U or a date")),
        }
    }
}

impl From<Cutoff> for String {
    fn from(cutoff: Cutoff) -> Self {
        match cutoff {
            Cutoff::Current => "C".to_owned(),
            Cutoff::Unavailable => "U".to_owned(),
            Cutoff::Before(day) => day.to_string(),
        }
    }
}

impl Cutoff {
    /// Whether a number is available for a priority date; nothing where that hangs on its day.
    fn reaches(self, priority: Within<Date>) -> Option<bool> {
        match self {
            Self::Current => Some(true),
            Self::Unavailable => Some(false),
            Self::Before(day) => priority.ordered(Within::exactly(day), std::cmp::Ordering::is_lt),
        }
    }
}

/// What of a class is compared: its letters and digits, in upper case.
pub(crate) fn plain(class: &str) -> String {
    common(class).to_uppercase().chars().filter(|c| c.is_alphanumeric()).collect()
}

/// The first day of the month of a day; nothing where it hangs on the day which month that is.
fn month_of(day: Within<Date>) -> Option<Date> {
    let first = day.least.first_of_month();
    (first == day.most.first_of_month()).then_some(first)
}

/// What stands in the Bulletin of a month for a class and a country.
struct Found<'a> {
    month: Date,
    class: &'a str,
    chart: Chart,
    area: &'a VisaArea,
    cutoff: Cutoff,
}

impl VisaBulletin {
    fn class(&self, written: &str) -> Option<&VisaClass> {
        let written = plain(written);
        self.classes.iter().find(|class| class.names.contains(&written))
    }

    fn month(&self, first: Date) -> Option<&VisaMonth> {
        self.months.iter().find(|known| known.month == first)
    }

    fn find(&self, class: &str, country: &str, day: Within<Date>) -> Option<Found<'_>> {
        let class = self.class(class)?;
        let VisaMonth { month, rows, .. } = self.month(month_of(day)?)?;
        let row = rows.iter().find(|row| row.class == class.id)?;
        let named = |area: &VisaArea| area.countries.iter().any(|one| one == country);
        let column = self.areas.iter().position(named).unwrap_or_default();
        let (area, cutoff) = (self.areas.get(column)?, *row.cutoffs.get(column)?);
        Some(Found { month: *month, class: &class.id, chart: row.chart, area, cutoff })
    }

    /// The value of a function over known arguments; nothing where the Bulletin does not say it.
    pub(crate) fn says(&self, function: &str, args: &[&Value<'_>]) -> Option<bool> {
        match (function, args) {
            ("visa_available", [Value::Text(class), Value::Text(country), priority, day]) => {
                self.find(class, country, day.days()?)?.cutoff.reaches(priority.days()?)
            }
            ("visa_class", [Value::Text(class)]) => Some(self.class(class).is_some()),
            ("visa_month", [day]) => Some(self.month(month_of(day.days()?)?).is_some()),
            _ => None,
        }
    }
}

/// What the Bulletin says of that on which a condition rests, in the form's language; each once.
pub(crate) fn words(facts: &Facts<'_>, expr: &Expr) -> Vec<String> {
    let Some(bulletin) = &facts.form.visas else { return Vec::new() };
    let mut said = Vec::new();
    expr.node.walk_calls(&mut |function, args| {
        if function == "visa_available"
            && let Some(words) = line(facts, bulletin, args)
            && !said.contains(&words)
        {
            said.push(words);
        }
    });
    said
}

fn line(facts: &Facts<'_>, bulletin: &VisaBulletin, args: &[Node]) -> Option<String> {
    let [class, country, _, day] = args else { return None };
    let context = Context::of(facts, None);
    let (class, country) = (value(class, &context)?, value(country, &context)?);
    let (Value::Text(class), Value::Text(country)) = (class.as_ref(), country.as_ref()) else { return None };
    let Found { month, class, chart, area, cutoff } =
        bulletin.find(class, country, value(day, &context)?.days()?)?;
    Some(facts.form.language.visa_bulletin((month, chart), (class, area), cutoff))
}
