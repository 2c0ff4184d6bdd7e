//! Deadlines that pass, and reminders before: the timer records it once, and nothing is decided by it (lifecycle 19, 21).

use std::sync::Arc;

use async_trait::async_trait;
use docket_eventlog::{Context, Store, StreamName, Subjects, Timer};
use docket_kernel::{EventEnum as _, SharedClock};
use docket_proto::events::response;
use docket_service::{ApplyError, Heard, TimerHandler};
use sqlx::PgConnection;

use super::{deadlines, fees, reminders};
use crate::aggregate::Cases;
use crate::domain::decide;

/// Records deadlines that passed, and that the party was reminded.
pub(crate) struct Deadlines {
    /// The cases.
    pub(crate) store: Store<Cases>,
    /// The clock.
    pub(crate) clock: SharedClock,
    /// Filing's log, where an answer that came in time may stand and not be recorded yet.
    pub(crate) filing: Heard,
    /// Payments' log, where a fee may have been made good in time.
    pub(crate) payments: Arc<Heard>,
}

#[async_trait]
impl TimerHandler for Deadlines {
    async fn fire(&self, tx: &mut PgConnection, timer: &Timer) -> Result<(), ApplyError> {
        let passed = match timer.kind.as_str() {
            deadlines::REQUEST => decide::pass_deadline,
            deadlines::FEE => decide::pass_fee_deadline,
            deadlines::ABSENCE => decide::pass_absence,
            reminders::REQUEST | reminders::APPOINTMENT => {
                return reminders::fire(&self.store, tx, timer, self.clock.now()).await;
            }
            kind => return Err(ApplyError::Park(format!("no timer of the kind {kind} is known"))),
        };
        let (case_id, id) = deadlines::read(&timer.payload)
            .ok_or_else(|| ApplyError::Park("the timer's payload is malformed".to_owned()))?;
        let now = self.clock.now();
        self.store
            .execute_in(tx, &Context::timer(timer), case_id, Subjects::filing(case_id), |case| {
                passed(case, id, now)
            })
            .await?;
        Ok(())
    }

    /// A request: for filing's log to be read up to its end. Who answered is not told that nothing came, nor reminded. A fee: for payments',
    /// so that who made it good in time is not told that the day passed.
    async fn waits_for(&self, timer: &Timer) -> Result<Option<String>, ApplyError> {
        let Some((case_id, id)) = deadlines::read(&timer.payload) else { return Ok(None) };
        match timer.kind.as_str() {
            deadlines::REQUEST | reminders::REQUEST => {
                let stream = StreamName::of(response::Event::CATEGORY, id);
                self.filing.not_all_of(&stream, timer.due_at).await
            }
            deadlines::FEE => {
                let case = self.store.load(case_id).await?.state;
                fees::not_heard(&self.payments, &case, timer.due_at).await
            }
            _ => Ok(None),
        }
    }

    /// The case, whose stream it writes to.
    fn about(&self, timer: &Timer) -> String {
        deadlines::read(&timer.payload).map_or_else(|| timer.key.clone(), |(case_id, _)| case_id.to_string())
    }
}
