//! Deadlines that pass: the timer records it once, and nothing is decided by it (lifecycle 19, 21).

use async_trait::async_trait;
use docket_eventlog::{Context, Store, Subjects, Timer};
use docket_kernel::SharedClock;
use docket_service::{ApplyError, TimerHandler};
use sqlx::PgConnection;

use super::deadlines;
use crate::aggregate::Cases;
use crate::domain::decide;

/// Records deadlines that passed.
pub(crate) struct Deadlines {
    /// The cases.
    pub(crate) store: Store<Cases>,
    /// The clock.
    pub(crate) clock: SharedClock,
}

#[async_trait]
impl TimerHandler for Deadlines {
    async fn fire(&self, tx: &mut PgConnection, timer: &Timer) -> Result<(), ApplyError> {
        let passed = match timer.kind.as_str() {
            deadlines::REQUEST => decide::pass_deadline,
            deadlines::FEE => decide::pass_fee_deadline,
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
}
