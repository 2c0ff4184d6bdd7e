//! Law that decides something in a case, and limits of our own: rows, each of which holds on certain days.

use std::sync::LazyLock;

use docket_kernel::calendar::in_force;
use jiff::civil::Date;
use serde::Deserialize;

/// A row.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The rule's id, such as `biometrics.reuse`.
    pub id: String,
    /// How many of the unit; none where the row says only that something holds.
    pub number: Option<i64>,
    /// `hours`, `days`, `months`, `years` or `times`.
    pub unit: Option<String>,
    /// The first day, inclusive.
    pub from: Option<Date>,
    /// The last day, inclusive.
    pub until: Option<Date>,
    /// The sources.
    pub cite: String,
    /// How sure the sources are; `D` for a limit of our own.
    pub mark: String,
}

#[derive(Deserialize)]
struct Table {
    rule: Vec<Row>,
}

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| read(include_str!("../../data/rules.toml")));

fn read(text: &str) -> Vec<Row> {
    toml::from_str::<Table>(text).expect("the table is part of the build and tested").rule
}

/// Every row.
pub fn rows() -> &'static [Row] {
    &ROWS
}

/// Whether a rule holds on a day.
pub fn holds(id: &str, on: Date) -> bool {
    row(&ROWS, id, on).is_some()
}

/// How many a rule says on a day, in the unit of its row; 0 where it says nothing then.
pub fn number(id: &str, on: Date) -> i64 {
    row(&ROWS, id, on).and_then(|row| row.number).unwrap_or_default()
}

/// The first day on which a rule holds; none where that is not known.
pub fn since(id: &str) -> Option<Date> {
    ROWS.iter().filter(|row| row.id == id).filter_map(|row| row.from).min()
}

fn row<'a>(rows: &'a [Row], id: &str, on: Date) -> Option<&'a Row> {
    rows.iter().find(|row| row.id == id && in_force(row.from, row.until, on))
}

#[cfg(test)]
mod tests {
    use docket_kernel::calendar::plus_days;
    use jiff::civil::date;

    use super::*;

    #[test]
    fn the_row_of_the_day_is_read() {
        let rows = read(
            "[[rule]]\nid = 'a'\nnumber = 1\nuntil = '2026-07-27'\ncite = ''\nmark = ''
             [[rule]]\nid = 'b'\nnumber = 9\ncite = ''\nmark = ''
             [[rule]]\nid = 'a'\nnumber = 2\nfrom = '2026-07-28'\ncite = ''\nmark = ''",
        );
        let on = |id, day| row(&rows, id, day).and_then(|row| row.number);
        assert_eq!((on("a", date(2026, 7, 27)), on("a", date(2026, 7, 28))), (Some(1), Some(2)));
        assert_eq!((on("b", date(1990, 1, 1)), on("c", date(2026, 7, 28))), (Some(9), None));
    }

    #[test]
    fn every_row_is_read_by_the_rules_of_a_case_and_holds_from_its_day_on() {
        let sources = concat!(
            include_str!("appointment.rs"),
            include_str!("decide/by_law.rs"),
            include_str!("decide/card.rs"),
            include_str!("decide/dispense.rs"),
            include_str!("decide/fee.rs"),
            include_str!("decide/hold.rs"),
            include_str!("decide/referral.rs"),
        );
        for row in rows() {
            assert!(sources.contains(&format!("= \"{}\";", row.id)), "{} is read by nobody", row.id);
            let Some(from) = row.from else { continue };
            let replaces = |other: &&Row| other.id == row.id && other.until.is_some();
            let before = rows().iter().any(|other| replaces(&other));
            assert!(holds(&row.id, from) && (before || !holds(&row.id, plus_days(from, -1))), "{}", row.id);
        }
    }

    #[test]
    fn what_is_our_own_limit_says_so_and_the_rest_names_its_source() {
        for row in rows() {
            assert_eq!(row.mark == "D", row.cite == "Docket's own limit", "{}", row.id);
            assert!(!row.cite.is_empty() && !row.mark.is_empty(), "{}", row.id);
            assert_eq!(row.number.is_some(), row.unit.is_some(), "{}", row.id);
        }
    }
}
