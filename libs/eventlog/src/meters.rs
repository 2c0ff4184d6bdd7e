//! The figures of the appending task, resolved once.

use std::time::Duration;

use metrics::{Counter, Histogram};

use crate::Error;
use crate::appender::Settled;

/// What is counted and timed of a log's appends.
pub(crate) struct Meters {
    pub(crate) group_wait: Histogram,
    pub(crate) group_events: Histogram,
    written: Histogram,
    repeated: Histogram,
    conflict: Histogram,
    refused: Histogram,
    duplicates: Counter,
    conflicts: Counter,
}

impl Meters {
    pub(crate) fn new(log: &'static str) -> Self {
        let duration = |outcome: &'static str| metrics::histogram!("docket_log_append_duration_seconds", "log" => log, "outcome" => outcome);
        Self {
            group_wait: metrics::histogram!("docket_log_group_wait_seconds", "log" => log),
            group_events: metrics::histogram!("docket_log_append_group_events", "log" => log),
            written: duration("written"),
            repeated: duration("repeated"),
            conflict: duration("conflict"),
            refused: duration("refused"),
            duplicates: metrics::counter!("docket_log_duplicates_total", "log" => log),
            conflicts: metrics::counter!("docket_log_conflicts_total", "log" => log),
        }
    }

    /// Counts what became of an append, after so long.
    pub(crate) fn settled(&self, settled: &Settled, after: Duration) {
        let duration = match settled {
            Settled::Repeated(appended) if appended.repeated => {
                self.duplicates.increment(1);
                &self.repeated
            }
            Settled::Written(_) | Settled::Repeated(_) => &self.written,
            Settled::Lost(Error::Conflict { .. }) => {
                self.conflicts.increment(1);
                &self.conflict
            }
            Settled::Lost(_) => &self.refused,
        };
        duration.record(after);
    }
}
