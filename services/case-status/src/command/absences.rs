//! Our own log: who did not come to an examination may say why for some days, and the timer of their end is set. Where an inquiry about
//! an earlier appointment was open when it rang, nothing was recorded: it is set again when that one is answered.

use async_trait::async_trait;
use docket_eventlog::{Recorded, Store, Timers};
use docket_proto::events::case;
use docket_service::{ApplyError, Subscriber};
use sqlx::PgConnection;
use uuid::Uuid;

use super::deadlines;
use super::reactions::{named, stream_id};
use crate::aggregate::Cases;
use crate::domain::{APPOINTMENT_MISSED, decide};

/// Sets the timers.
pub(crate) struct Absences {
    /// The timers of the log.
    pub(crate) timers: Timers,
    /// The cases.
    pub(crate) store: Store<Cases>,
}

#[async_trait]
impl Subscriber for Absences {
    fn categories(&self) -> &'static [&'static str] {
        &["case"]
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the other events change nothing of these days")]
    async fn apply(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), ApplyError> {
        let case_id = stream_id(event)?;
        let (kind, inquiry) = match event.decode()? {
            case::Event::InterviewMissed(missed) => {
                let Some(deadline) = &missed.deadline else { return Ok(()) };
                let appointment = named(&missed.appointment_id, "appointment_id")?;
                let timer = deadlines::absence_timer(case_id, appointment, &deadline.into());
                return Ok(self.timers.schedule_in(tx, &timer).await?);
            }
            case::Event::InquiryAnswered(ended) => (ended.kind, ended.inquiry_id),
            case::Event::InquiryClosed(ended) => (ended.kind, ended.inquiry_id),
            _ => return Ok(()),
        };
        if kind != APPOINTMENT_MISSED {
            return Ok(());
        }
        self.again(tx, case_id, named(&inquiry, "inquiry_id")?).await
    }
}

impl Absences {
    /// The party may now say why nobody came to the examination, and has not: the days pass, though one timer rang in vain.
    async fn again(&self, tx: &mut PgConnection, case_id: Uuid, inquiry: Uuid) -> Result<(), ApplyError> {
        let case = self.store.state_in(tx, case_id).await?.state;
        let Some(absence) = decide::unexplained(&case) else { return Ok(()) };
        let timer = deadlines::absence_timer_after(case_id, absence, inquiry);
        Ok(self.timers.schedule_in(tx, &timer).await?)
    }
}
