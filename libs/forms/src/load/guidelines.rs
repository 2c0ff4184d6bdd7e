//! The file of the poverty guidelines: years, the days from which each use takes them, and where which amounts hold.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Deserialize;

use super::File;
use super::source::Text;
use crate::catalogue::LoadError;
use crate::filled::{Amounts, Guideline};

/// For households of one person to so many the amount is written; further ones are added by what each costs.
const WRITTEN: usize = 8;

/// The guidelines of each use.
pub(crate) type Guidelines = BTreeMap<String, Vec<Guideline>>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    places: BTreeMap<String, Vec<String>>,
    year: Vec<Year>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Year {
    cite: Text,
    #[serde(rename = "mark")]
    _mark: String,
    from: BTreeMap<String, Date>,
    #[serde(default)]
    until: BTreeMap<String, Date>,
    amounts: BTreeMap<String, Column>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Column {
    usd: Vec<u32>,
    more: u32,
}

/// Reads the guidelines; every fault found is in `errors`.
pub(crate) fn read(file: &File, errors: &mut Vec<LoadError>) -> Guidelines {
    let Some(written): Option<Written> = file.read(errors) else { return Guidelines::new() };
    let mut guidelines = Guidelines::new();
    let before = errors.len();
    for year in &written.year {
        let (cite, at) = (year.cite.get_ref(), year.cite.span().start);
        let mut fault = |message: String| errors.push(file.error(cite, at, message));
        let amounts = columns(&written.places, year, &mut fault);
        if let Some(other) = year.until.keys().find(|used| !year.from.contains_key(*used)) {
            fault(format!("it ends for {other}, for which it does not begin"));
        }
        for (used, from) in &year.from {
            let rows = guidelines.entry(used.clone()).or_default();
            let until = year.until.get(used).copied();
            let follows = |last: &Guideline| last.until.and_then(|last| last.tomorrow().ok()) == Some(*from);
            if until.is_some_and(|until| until < *from) || !rows.last().is_none_or(follows) {
                fault(format!(
                    "for {used} it does not begin the day after the one before it ends, or ends too soon"
                ));
            }
            rows.push(Guideline { from: *from, until, cite: cite.clone(), amounts: amounts.clone() });
        }
    }
    if errors.len() == before { guidelines } else { Guidelines::new() }
}

/// The amounts of a year by states: each place has some, and each state is in one place.
fn columns(
    places: &BTreeMap<String, Vec<String>>,
    year: &Year,
    fault: &mut impl FnMut(String),
) -> Vec<Amounts> {
    let mut seen: Vec<&String> = Vec::new();
    for state in places.values().flatten() {
        if seen.contains(&state) {
            fault(format!("{state} is in two places"));
        }
        seen.push(state);
    }
    if !places.keys().eq(year.amounts.keys()) {
        fault("it has other places than the file".to_owned());
    }
    let column = |(place, column): (&String, &Column)| {
        if column.usd.len() != WRITTEN || !column.usd.is_sorted_by(|a, b| a < b) {
            fault(format!("{place} has not {WRITTEN} amounts, each more than the one before"));
        }
        Amounts {
            states: places.get(place).cloned().unwrap_or_default(),
            cents: column.usd.iter().map(|usd| i64::from(*usd) * 100).collect(),
            more: i64::from(column.more) * 100,
        }
    };
    year.amounts.iter().map(column).collect()
}
