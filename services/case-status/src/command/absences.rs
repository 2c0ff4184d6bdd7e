//! Our own log: who did not come to an examination may say why for some days, and the timer of their end is set.

use async_trait::async_trait;
use docket_eventlog::{Recorded, Timers};
use docket_proto::events::case;
use docket_service::{ApplyError, Subscriber};
use sqlx::PgConnection;

use super::deadlines;
use super::reactions::{named, stream_id};

/// Sets the timers.
pub(crate) struct Absences {
    /// The timers of the log.
    pub(crate) timers: Timers,
}

#[async_trait]
impl Subscriber for Absences {
    fn categories(&self) -> &'static [&'static str] {
        &["case"]
    }

    async fn apply(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), ApplyError> {
        let case::Event::InterviewMissed(missed) = event.decode()? else { return Ok(()) };
        let Some(deadline) = &missed.deadline else { return Ok(()) };
        let appointment = named(&missed.appointment_id, "appointment_id")?;
        let timer = deadlines::absence_timer(stream_id(event)?, appointment, &deadline.into());
        self.timers.schedule_in(tx, &timer).await?;
        Ok(())
    }
}
