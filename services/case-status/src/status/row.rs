//! The rows of the projection: a pure function from the row before and an event to the rows after (L8, L12).

use docket_eventlog::Recorded;
use docket_kernel::DecodeError;
use uuid::Uuid;

use crate::domain::{Case, Event, evolve, task, timeline, title};

/// How much earlier an expedited case stands in a queue, in microseconds: some three hundred years.
pub(crate) const AHEAD_US: i64 = 10_000_000_000_000_000;

/// The row of a case.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct CaseRow {
    /// The case.
    pub(crate) case_id: Uuid,
    /// Its fold.
    pub(crate) case: Case,
    /// Version of its stream.
    pub(crate) version: u64,
    /// When that was recorded, microseconds since the epoch.
    pub(crate) changed_at_us: i64,
    /// Version of the last event that changed what a party sees.
    pub(crate) party_version: u64,
    /// When that was recorded.
    pub(crate) party_changed_at_us: i64,
    /// What the office has to do; empty when nothing.
    pub(crate) task: String,
    /// Since when.
    pub(crate) waiting_since_us: i64,
}

/// A row of the timeline.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TimelineRow {
    /// The case.
    pub(crate) case_id: Uuid,
    /// Version at which it happened.
    pub(crate) version: u64,
    /// Kind of the event.
    pub(crate) kind: String,
    /// The line.
    pub(crate) line: timeline::Line,
    /// When it was recorded, microseconds since the epoch.
    pub(crate) recorded_at_us: i64,
}

/// The rows after an event of a case.
///
/// # Errors
/// [`DecodeError`] for an event the fold does not know.
pub(crate) fn project(
    before: CaseRow,
    case_id: Uuid,
    recorded: &Recorded,
) -> Result<(CaseRow, TimelineRow), DecodeError> {
    Ok(step(before, case_id, recorded, &recorded.decode()?))
}

/// The same for an event that is decoded already.
pub(crate) fn step(
    before: CaseRow,
    case_id: Uuid,
    recorded: &Recorded,
    event: &Event,
) -> (CaseRow, TimelineRow) {
    let recorded_at_us = recorded.recorded_at.as_microsecond();
    let shown_before = shown(&before.case);
    let case = evolve(before.case, event);
    let line = timeline::line(&case, event);
    let visible = !line.office_only || shown(&case) != shown_before;
    let task = task::task(&case).unwrap_or_default().to_owned();
    let waiting_since_us = if task == before.task { before.waiting_since_us } else { recorded_at_us };
    let row = CaseRow {
        case_id,
        version: recorded.version,
        changed_at_us: recorded_at_us,
        party_version: if visible { recorded.version } else { before.party_version },
        party_changed_at_us: if visible { recorded_at_us } else { before.party_changed_at_us },
        task,
        waiting_since_us,
        case,
    };
    let line =
        TimelineRow { case_id, version: recorded.version, kind: recorded.kind.clone(), line, recorded_at_us };
    (row, line)
}

/// What a party sees of the fold itself.
fn shown(case: &Case) -> (title::Title, &'static str) {
    (title::title(case), case.stage.as_str())
}

impl CaseRow {
    /// The office at which the person is expected next; empty when nowhere.
    pub(crate) fn site(&self) -> &str {
        let taken = self.case.oath_booking.appointment.as_ref().filter(|_| self.task == "issue_certificate");
        self.case.appointment().or(taken).map_or("", |appointment| appointment.office.as_str())
    }

    /// The answer that the party waits for, by code; empty when none is owed.
    pub(crate) fn answer(&self) -> &'static str {
        task::answer(&self.case).map_or("", |answer| answer.task)
    }

    /// The place in a queue: by the instant of receipt, and before all of those when the case is expedited.
    pub(crate) fn place(&self) -> i64 {
        self.case.submitted_at_us - if self.case.is_expedited() { AHEAD_US } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use docket_proto::case_status::events::v1 as pb;

    use super::*;
    use crate::domain::samples::{ADA, RECEIPT, opened, slot};
    use crate::status::samples::recorded;

    fn rows(events: &[Event]) -> (CaseRow, Vec<TimelineRow>) {
        let mut row = CaseRow::default();
        let mut lines = Vec::new();
        for (index, event) in events.iter().enumerate() {
            let recorded = recorded(1, index as u64 + 1, event);
            let (next, line) = project(row, Uuid::from_u128(1), &recorded).unwrap();
            row = next;
            lines.push(line);
        }
        (row, lines)
    }

    #[test]
    fn what_only_the_office_sees_moves_nothing_that_a_party_sees() {
        let (row, lines) = rows(&[
            opened().into(),
            pb::FilingAccepted { receipt_number: RECEIPT.into(), office: "NBC".into() }.into(),
            pb::BiometricsNeeded {}.into(),
            pb::CaseAssigned { officer: ADA.to_string() }.into(),
        ]);
        assert_eq!((row.version, row.party_version), (4, 3));
        assert!(row.party_changed_at_us < row.changed_at_us);
        assert_eq!(
            lines.iter().map(|line| line.line.office_only).collect::<Vec<_>>(),
            [false, false, false, true]
        );
        assert_eq!((row.task.as_str(), row.waiting_since_us), ("schedule_biometrics", row.changed_at_us));
    }

    #[test]
    fn a_hidden_line_that_changes_the_title_is_a_change_for_the_party() {
        let mut events = vec![
            opened().into(),
            pb::FilingAccepted { receipt_number: RECEIPT.into(), office: "NBC".into() }.into(),
            pb::ReviewStarted {}.into(),
        ];
        events.push(pb::DecisionRecommended { officer: ADA.to_string(), ..Default::default() }.into());
        let (row, _) = rows(&events);
        assert_eq!((row.version, row.party_version), (4, 4));
    }

    #[test]
    fn an_answer_is_owed_beside_the_task_and_a_grant_puts_the_case_before_others() {
        let mut events: Vec<Event> = vec![
            opened().into(),
            pb::FilingAccepted { receipt_number: RECEIPT.into(), office: "NBC".into() }.into(),
            pb::CaseAssigned { officer: ADA.to_string() }.into(),
        ];
        let before = rows(&events).0;
        let id = Uuid::from_u128(5).to_string();
        events.push(pb::ExpediteRequested { expedite_id: id.clone(), ..Default::default() }.into());
        let asked = rows(&events).0;
        assert_eq!((asked.task.as_str(), asked.answer()), (before.task.as_str(), "answer_expedite"));
        assert_eq!((asked.place(), asked.party_version), (before.place(), 4));
        events.push(pb::ExpediteDecided { expedite_id: id, granted: true, ..Default::default() }.into());
        let granted = rows(&events).0;
        assert_eq!((granted.task.as_str(), granted.answer()), (before.task.as_str(), ""));
        assert_eq!(granted.place(), before.place() - AHEAD_US);
    }

    #[test]
    fn the_site_is_where_the_person_is_expected() {
        let mut events: Vec<Event> = vec![
            opened().into(),
            pb::FilingAccepted { receipt_number: RECEIPT.into(), office: "NBC".into() }.into(),
            pb::BiometricsNeeded {}.into(),
            pb::CaseAssigned { officer: ADA.to_string() }.into(),
        ];
        assert_eq!(rows(&events).0.site(), "");
        let appointment = Some(slot("2026-12-08T15:00:00Z", "ASC-NYC"));
        events.push(pb::BiometricsScheduled { appointment, capture_code: 3 }.into());
        let (row, _) = rows(&events);
        assert_eq!((row.site(), row.task.as_str()), ("ASC-NYC", "record_biometrics"));
    }
}
