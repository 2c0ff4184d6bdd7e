//! A quote: the rows of the fee table that apply to a package, checked against the same table.
use docket_eventlog::Aggregate;
use docket_forms::Catalogue;
use docket_kernel::Refusal;
use docket_proto::events::quote::Event;
use docket_proto::payments::events::v1::FeeQuoted;
use docket_proto::types::v1::FeeRow;
use jiff::civil::Date;
use std::collections::BTreeSet;

/// How long a quote is said to hold, in microseconds: to the end of the next day at most, since fees change by date. Whether it
/// still does when it is paid, [`changed`] says.
pub const VALID_FOR_US: i64 = 24 * 3_600 * 1_000_000;

/// The fold of `quote-…`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Quote {
    /// What was quoted; nothing before.
    pub quoted: Option<FeeQuoted>,
}

/// The aggregate.
#[derive(Clone, Copy, Debug)]
pub struct Quotes;

impl Aggregate for Quotes {
    type Event = Event;
    type State = Quote;

    fn evolve(_state: Quote, event: &Event) -> Quote {
        match event {
            Event::FeeQuoted(quoted) => Quote { quoted: Some(quoted.clone()) },
        }
    }
}

/// Appends the quote, once.
pub fn quote(state: &Quote, quoted: FeeQuoted) -> Result<Vec<Event>, Refusal> {
    if state.quoted.is_some() {
        return Err(Refusal::exists("QUOTE_EXISTS", "this quote was made already"));
    }
    Ok(vec![Event::FeeQuoted(quoted)])
}

/// Checks rows against the fee table: each must be a row of its form, in force on the filing date, with that amount
/// (8 CFR 103.7, part 106: the fee is the one in force on the receipt date), or zero where a waiver can be asked for.
pub fn check_rows(catalogue: &Catalogue, rows: &[FeeRow], filing_date: Date) -> Result<i64, Refusal> {
    let mut total = 0;
    for row in rows {
        let form = catalogue.form_on(&row.form, filing_date).ok_or_else(|| {
            Refusal::invalid("rows.form", "FORM_UNKNOWN", format!("{} is not in the fee table", row.form))
        })?;
        let known = form.fees.iter().any(|fee| {
            fee.id == row.row
                && (fee.cents == row.cents || row.waiver_asked && fee.waivable && row.cents == 0)
                && fee.kept_on_rejection == row.kept_on_rejection
                && fee.in_force(filing_date)
                && fee.is_known(filing_date)
        });
        if !known {
            return Err(Refusal::state(
                "FEE_DIFFERS",
                format!(
                    "row {} of {} is not in the fee table on {filing_date} with that amount",
                    row.row, row.form
                ),
            )
            .way_out("ask for the fee again: both services must use the same fee table"));
        }
        total += row.cents;
    }
    Ok(total)
}

/// Whether what was quoted, and still held when it was sent, is the fee no more on `day`: a row of it is no longer in force, or its
/// form has rows since that may apply too. Gives the forms.
pub fn changed(catalogue: &Catalogue, rows: &[FeeRow], sent_on: Date, day: Date) -> Option<String> {
    let forms: BTreeSet<&str> = rows.iter().map(|row| row.form.as_str()).collect();
    let mut tables = forms.iter().filter_map(|form| catalogue.form(form));
    let has_new_rows = tables.any(|form| form.fees.iter().any(|fee| sent_on < fee.from && fee.from <= day));
    let holds = check_rows(catalogue, rows, day).is_ok() && !has_new_rows;
    (!holds).then(|| forms.into_iter().collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(row: &str, form: &str, cents: i64, waiver_asked: bool) -> FeeRow {
        let (row, form) = (row.to_owned(), form.to_owned());
        FeeRow { row, form, cents, waiver_asked, ..FeeRow::default() }
    }

    #[test]
    fn a_row_is_zero_only_where_a_waiver_is_asked_for_and_can_be() {
        let catalogue = Catalogue::embedded();
        let day = "2026-09-20".parse().unwrap();
        let total = |row: FeeRow| check_rows(&catalogue, &[row], day).map_err(|refusal| refusal.reason);
        assert_eq!(total(row("online", "I-90", 41_500, false)), Ok(41_500));
        assert_eq!(total(row("online", "I-90", 0, true)), Ok(0));
        assert_eq!(total(row("online", "I-90", 0, false)), Err("FEE_DIFFERS"));
        assert_eq!(total(row("online", "I-90", 100, true)), Err("FEE_DIFFERS"));
        // The online fee of an N-400 cannot be waived.
        assert_eq!(total(row("online", "N-400", 0, true)), Err("FEE_DIFFERS"));
        assert_eq!(total(row("online", "N-1", 0, true)), Err("FORM_UNKNOWN"));
        // Whether it goes back is told to whoever pays, and so checked like the amount.
        let asylum = row("hr1", "I-589", 10_000, false);
        assert_eq!(total(FeeRow { kept_on_rejection: true, ..asylum.clone() }), Ok(10_000));
        assert_eq!(total(asylum), Err("FEE_DIFFERS"));
    }

    #[test]
    fn a_quote_holds_until_the_fees_of_its_form_change() {
        let catalogue = Catalogue::embedded();
        let changed = |row: FeeRow, sent_on: &str, day: &str| {
            changed(&catalogue, &[row], sent_on.parse().unwrap(), day.parse().unwrap())
        };
        let before = row("hr1-asylum-initial-2025", "I-765", 55_000, false);
        assert_eq!(changed(before.clone(), "2025-12-30", "2025-12-31"), None);
        assert_eq!(changed(before.clone(), "2025-12-30", "2026-01-01").as_deref(), Some("I-765"));
        // Whenever it was sent, a row that ended is not paid.
        assert_eq!(changed(before, "2026-01-01", "2026-01-01").as_deref(), Some("I-765"));
        // The row stands, but another may have to be paid beside it since.
        let beside = row("online", "I-765", 47_000, false);
        assert_eq!(changed(beside.clone(), "2025-12-30", "2025-12-31"), None);
        assert_eq!(changed(beside.clone(), "2025-12-30", "2026-01-01").as_deref(), Some("I-765"));
        assert_eq!(changed(beside, "2026-01-01", "2026-01-02"), None);
        // The amount moves with the year, and nobody knows it yet.
        let of_a_year = row("hr1-asylum-initial", "I-765", 56_000, false);
        assert_eq!(changed(of_a_year.clone(), "2026-12-30", "2026-12-31"), None);
        assert_eq!(changed(of_a_year, "2026-12-30", "2027-01-01").as_deref(), Some("I-765"));
        // Other forms change by themselves.
        assert_eq!(changed(row("online", "I-90", 41_500, false), "2025-12-30", "2026-01-01"), None);
    }
}
