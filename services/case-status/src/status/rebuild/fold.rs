//! The fold of many cases at once, in memory: what a rebuild does between reading the log and writing rows.

use std::collections::{HashMap, HashSet};

use docket_eventlog::Recorded;
use uuid::Uuid;

use super::super::row::{CaseRow, TimelineRow, step};
use crate::domain::Event;

/// Cases as far as they were folded.
#[derive(Default)]
pub(super) struct Fold {
    held: HashMap<Uuid, Held>,
    stopped: HashSet<Uuid>,
}

#[derive(Default)]
struct Held {
    row: CaseRow,
    changed: bool,
}

impl Fold {
    /// How many cases are held.
    pub(super) fn len(&self) -> usize {
        self.held.len()
    }

    /// Cases that stand before an event that cannot be applied.
    pub(super) fn stopped(&self) -> u64 {
        self.stopped.len() as u64
    }

    /// The cases of these events that are not held, each once.
    pub(super) fn unknown(&self, events: &[Recorded]) -> Vec<Uuid> {
        let cases = events.iter().filter_map(case_of).filter(|case| !self.held.contains_key(case));
        cases.collect::<HashSet<_>>().into_iter().collect()
    }

    /// Holds rows that were written before.
    pub(super) fn hold(&mut self, rows: Vec<CaseRow>) {
        self.held.extend(rows.into_iter().map(|row| (row.case_id, Held { row, changed: false })));
    }

    /// Applies an event; gives its line, or none for one that changes nothing: it is known, not of a case, or of one
    /// that is stopped.
    pub(super) fn apply(&mut self, event: &Recorded) -> Option<TimelineRow> {
        let case_id = case_of(event)?;
        let held = self.held.entry(case_id).or_default();
        if event.version <= held.row.version || self.stopped.contains(&case_id) {
            return None;
        }
        let decoded = event.decode::<Event>().ok().filter(|_| event.version == held.row.version + 1);
        let Some(decoded) = decoded else {
            self.stopped.insert(case_id);
            return None;
        };
        let (row, line) = step(std::mem::take(&mut held.row), case_id, event, &decoded);
        *held = Held { row, changed: true };
        Some(line)
    }

    /// Takes everything out; gives the rows that changed.
    pub(super) fn take(&mut self) -> Vec<CaseRow> {
        self.held.drain().filter(|(_, held)| held.changed).map(|(_, held)| held.row).collect()
    }
}

fn case_of(event: &Recorded) -> Option<Uuid> {
    if event.stream.category() == "case" { event.stream.id() } else { None }
}

#[cfg(test)]
mod tests {
    use docket_proto::case_status::events::v1 as pb;

    use super::*;
    use crate::domain::samples::{RECEIPT, opened};
    use crate::status::samples::recorded;

    fn accepted() -> Event {
        pb::FilingAccepted { receipt_number: RECEIPT.into(), office: "NBC".into() }.into()
    }

    #[test]
    fn an_event_that_cannot_be_applied_stops_its_case_and_no_other() {
        let mut fold = Fold::default();
        let unknown = Recorded { kind: "case.unheard_of.v1".into(), ..recorded(1, 2, &accepted()) };
        assert!(fold.apply(&recorded(1, 1, &opened().into())).is_some());
        assert!(fold.apply(&unknown).is_none());
        assert!(fold.apply(&recorded(1, 3, &accepted())).is_none());
        assert!(fold.apply(&recorded(2, 1, &opened().into())).is_some());
        // A gap is no better than an unknown event.
        assert!(fold.apply(&recorded(3, 2, &accepted())).is_none());
        assert_eq!(fold.stopped(), 2);
        let mut rows: Vec<_> = fold.take().iter().map(|row| (row.case_id.as_u128(), row.version)).collect();
        rows.sort_unstable();
        assert_eq!(rows, [(1, 1), (2, 1)]);
    }

    #[test]
    fn what_is_known_changes_nothing_and_is_not_written_again() {
        let mut fold = Fold::default();
        fold.apply(&recorded(1, 1, &opened().into()));
        let rows = fold.take();
        assert_eq!(
            fold.unknown(&[recorded(1, 2, &accepted()), recorded(1, 3, &accepted())]),
            [Uuid::from_u128(1)]
        );
        fold.hold(rows);
        assert!(fold.apply(&recorded(1, 1, &opened().into())).is_none());
        assert!(fold.take().is_empty());
    }
}
