//! Histories: how much of a time the items of a list cover, each from one date to another. Where a day is not known, the least
//! and the most that it can be.

use docket_kernel::calendar::{days_between, plus_days};
use jiff::civil::Date;

use crate::value::{Item, Value};
use crate::within::Within;

/// What an item covers: from its first day until before its last; where it has no last, for as long as is looked at.
struct Stay {
    begins: Within<Date>,
    ends: Option<Within<Date>>,
}

impl Stay {
    /// The days that it covers at most, or surely; one that has no end covers all until `open`.
    fn days(&self, most: bool, open: Date) -> (Date, Date) {
        let begins = if most { self.begins.least } else { self.begins.most };
        let ends = self.ends.map(|ends| if most { ends.most } else { ends.least });
        (begins, ends.unwrap_or(open))
    }
}

/// Whether every day is known.
fn are_exact(stays: &[Stay]) -> bool {
    stays.iter().all(|stay| stay.begins.is_exact() && stay.ends.is_none_or(|ends| ends.is_exact()))
}

fn day(item: &Item<'_>, field: &str) -> Option<Within<Date>> {
    item.get(field)?.days()
}

/// The longest run of days in a window which no item covers; an item without `from` leaves it unknown.
pub(super) fn gap_days(items: &[Item<'_>], (from, to): (Within<Date>, Within<Date>)) -> Option<Within<i64>> {
    let stay = |item: &Item<'_>| {
        let current = item.get("current") == Some(&Value::Bool(true));
        Some(Stay { begins: day(item, "from")?, ends: if current { None } else { day(item, "to") } })
    };
    let stays = items.iter().map(stay).collect::<Option<Vec<_>>>()?;
    let gap = |most: bool, from: Date, to: Date| longest_gap(covered(&stays, most, to), from, to);
    // The gap is least where the window is short and everything covers what it can.
    let least = gap(true, from.most, to.least);
    let exact = from.is_exact() && to.is_exact() && are_exact(&stays);
    Some(Within { least, most: if exact { least } else { gap(false, from.least, to.most) } })
}

/// The days before `end` which two or more items cover, counted once; an item of which a date is not known leaves it unknown.
pub(super) fn overlap_days(
    items: &[Item<'_>],
    (from, to): (&str, &str),
    end: Within<Date>,
) -> Option<Within<i64>> {
    let stay = |item: &Item<'_>| {
        // What can be marked as current and is not has ended, be it not known when; what cannot goes on.
        let ends = match item.get("current") {
            Some(Value::Bool(true)) => None,
            Some(_) => Some(day(item, to)?),
            None => day(item, to),
        };
        Some(Stay { begins: day(item, from)?, ends })
    };
    let stays = items.iter().map(stay).collect::<Option<Vec<_>>>()?;
    let twice = |most: bool, end: Date| twice_covered(covered(&stays, most, end), end);
    let least = twice(false, end.least);
    let exact = end.is_exact() && are_exact(&stays);
    Some(Within { least, most: if exact { least } else { twice(true, end.most) } })
}

/// Days of a window less those wholly abroad: after `left` and before `back`, counted once.
pub(super) fn days_present(
    items: &[Item<'_>],
    (from, to): (Within<Date>, Within<Date>),
) -> Option<Within<i64>> {
    let abroad = |item: &Item<'_>| {
        Some(Stay { begins: day(item, "left")?.map(|left| plus_days(left, 1)), ends: day(item, "back") })
    };
    let trips = items.iter().map(abroad).collect::<Option<Vec<_>>>()?;
    let present = |most: bool, from: Date, to: Date| {
        days_between(from, to).max(0) - days_covered(covered(&trips, most, to), from, to)
    };
    let least = present(true, from.most, to.least);
    let exact = from.is_exact() && to.is_exact() && are_exact(&trips);
    Some(Within { least, most: if exact { least } else { present(false, from.least, to.most) } })
}

/// What the items cover, from the earliest on; what does not end after it begins covers nothing.
fn covered(stays: &[Stay], most: bool, open: Date) -> Vec<(Date, Date)> {
    let mut covered: Vec<(Date, Date)> = stays.iter().map(|stay| stay.days(most, open)).collect();
    covered.retain(|(begins, ends)| begins < ends);
    covered.sort_unstable();
    covered
}

fn longest_gap(covered: Vec<(Date, Date)>, from: Date, to: Date) -> i64 {
    let (mut longest, mut reached) = (0, from);
    for (begins, ends) in covered {
        longest = longest.max(days_between(reached, begins.min(to)));
        reached = reached.max(ends);
    }
    longest.max(days_between(reached, to))
}

fn twice_covered(covered: Vec<(Date, Date)>, end: Date) -> i64 {
    let (mut twice, mut reached, mut counted) = (0, Date::MIN, Date::MIN);
    for (begins, ends) in covered {
        let ends = ends.min(end);
        let (again, until) = (begins.max(counted), ends.min(reached));
        if again < until {
            twice += days_between(again, until);
            counted = until;
        }
        reached = reached.max(ends);
    }
    twice
}

fn days_covered(covered: Vec<(Date, Date)>, from: Date, to: Date) -> i64 {
    let (mut days, mut reached) = (0, from);
    for (begins, ends) in covered {
        let ends = ends.min(to);
        days += days_between(begins.max(reached), ends).max(0);
        reached = reached.max(ends);
    }
    days
}
