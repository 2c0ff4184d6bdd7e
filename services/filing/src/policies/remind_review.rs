//! When a client who was asked to look at a filing says nothing for some days, then they are reminded; never again once they
//! looked, nobody stands for it any more, or it was changed or ended.

use std::sync::LazyLock;

use docket_eventlog::{Context, Subjects, Timer};
use docket_service::ApplyError;
use jiff::Timestamp;
use serde::Deserialize;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::aggregates::recorded_at;
use crate::desk::Desk;
use crate::domain::filing;
use crate::domain::remind::{self, Step};
use crate::store::representations;

/// The kind of its timers.
pub(crate) const KIND: &str = "review_reminded";

/// `data/review_reminders.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reminders {
    days: Vec<u32>,
}

static REMINDERS: LazyLock<Reminders> = LazyLock::new(|| {
    toml::from_str(include_str!("../../data/review_reminders.toml")).expect("a test reads the row")
});

fn timer(filing: Uuid, due_at: Timestamp) -> Timer {
    Timer::new(format!("review-reminded:{filing}"), KIND, due_at, filing.as_bytes().to_vec())
}

/// The first timer of a client of that zone who is asked now.
pub(crate) fn first(filing: Uuid, zone: &str, now: Timestamp) -> Timer {
    let due_at = match remind::next(&REMINDERS.days, (now, zone), 0, now) {
        Step::Wait(until) => until,
        Step::Remind(_) | Step::Enough => now,
    };
    timer(filing, due_at)
}

/// Reminds, and sets the timer of the next time.
pub(super) async fn fire(
    desk: &Desk,
    tx: &mut PgConnection,
    due: &Timer,
    id: Uuid,
) -> Result<(), ApplyError> {
    let loaded = desk.filings.load(id).await?;
    let (asked, reminded) = loaded.state.asked;
    let stands = representations::standing(&mut *tx, id).await?.is_some();
    let (Some(asked_at), true) = (recorded_at(&loaded, asked), stands && loaded.state.awaits_review()) else {
        return Ok(());
    };
    let (asked_at, now) = ((asked_at, loaded.state.zone.as_str()), desk.base.clock.now());
    let mut step = remind::next(&REMINDERS.days, asked_at, reminded, now);
    if let Step::Remind(days) = step {
        let decide = |state: &filing::Filing| filing::remind_review(state, asked, days);
        desk.filings.execute_in(tx, &Context::timer(due), id, Subjects::filing(id), decide).await?;
        step = remind::next(&REMINDERS.days, asked_at, days, now);
    }
    match step {
        Step::Wait(until) => Ok(desk.log.timers().schedule_in(tx, &timer(id, until)).await?),
        Step::Remind(_) | Step::Enough => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_days_are_read_and_rise() {
        assert_eq!(REMINDERS.days, [2, 5, 9]);
        assert!(REMINDERS.days.is_sorted_by(|before, after| before < after));
    }
}
