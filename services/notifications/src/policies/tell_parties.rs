//! When the log of cases says that a party was reminded, that its time to answer passed, or that its answer was received, then a mail
//! tells the party and who acts for it. None of these is a notice: nothing depends on it.

use std::sync::Arc;

use async_trait::async_trait;
use docket_eventlog::Recorded;
use docket_proto::events::case::Event;
use docket_service::{ApplyError, Base, Subscriber};
use jiff::{SignedDuration, Timestamp};
use sqlx::PgConnection;
use tokio::sync::Notify;

use crate::store::delivery::{self, Delivery};
use crate::store::matter;

/// For so long a reminder says how many days are left: it is made at nine in the morning where the day counts.
const ITS_DAY: SignedDuration = SignedDuration::from_hours(15);

/// The subscriber of the log of cases. It comes after that which keeps whose the cases are.
pub(crate) struct TellParties {
    pub(crate) base: Base,
    pub(crate) mail: Arc<Notify>,
}

#[async_trait]
impl Subscriber for TellParties {
    fn categories(&self) -> &'static [&'static str] {
        &["case"]
    }

    fn rows_only(&self) -> bool {
        true
    }

    async fn apply(&self, tx: &mut PgConnection, recorded: &Recorded) -> Result<(), ApplyError> {
        let Some(alert) = alert(&recorded.decode()?) else { return Ok(()) };
        let case = recorded.stream.id().ok_or_else(|| ApplyError::Park("the stream names no case".into()))?;
        let Some(matter) = matter::find(&mut *tx, case).await? else { return Ok(()) };
        // A reminder that we read late is as old as it is.
        let since = recorded.recorded_at.min(self.base.clock.now());
        for account in matter.told() {
            delivery::queue_mail(tx, recorded, (case, account), alert, since).await?;
        }
        Ok(())
    }

    async fn after_commit(&self, _event: &Recorded) {
        self.mail.notify_one();
    }
}

/// The mail that tells of an event; most are told by a notice, or by nobody.
#[expect(clippy::wildcard_enum_match_arm, reason = "no other event is told so")]
fn alert(event: &Event) -> Option<&'static str> {
    Some(match event {
        Event::RequestReminded(e) => match e.days_left {
            14 => "deadline_reminder_two_weeks",
            7 => "deadline_reminder_a_week",
            3 => "deadline_reminder_three_days",
            1 => "deadline_reminder_a_day",
            0 => "deadline_reminder_today",
            _ => "deadline_reminder",
        },
        Event::AppointmentReminded(e) if e.days_left == 7 => "appointment_reminder_a_week",
        Event::AppointmentReminded(_) => "appointment_reminder_two_days",
        Event::DeadlinePassed(_) => "deadline_passed",
        Event::ResponseRecorded(_) => "response_received",
        _ => return None,
    })
}

/// Whether a reminder waited for so long that its days are no longer what it says. What is asked for stands in the notice all the
/// same, and the next reminder follows.
pub(crate) fn is_out_of_date(delivery: &Delivery, now: Timestamp) -> bool {
    let reminds =
        ["deadline_reminder", "appointment_reminder"].iter().any(|kind| delivery.alert.starts_with(kind));
    let since = Timestamp::from_microsecond(delivery.changed_at_us).unwrap_or(now);
    reminds && now.duration_since(since) >= ITS_DAY
}

#[cfg(test)]
mod tests {
    use docket_proto::case_status::events::v1 as pb;

    use super::*;
    use crate::texts::{self, Language};

    #[test]
    fn each_reminder_says_how_long_there_is_and_is_a_mail_of_its_own() {
        let days = [15, 14, 7, 3, 1, 0];
        let request = days.map(|days_left| pb::RequestReminded { days_left, ..Default::default() }.into());
        let days = [7, 2];
        let appointment =
            days.map(|days_left| pb::AppointmentReminded { days_left, ..Default::default() }.into());
        let others: [Event; 2] =
            [pb::DeadlinePassed::default().into(), pb::ResponseRecorded::default().into()];
        let events = request.into_iter().chain(appointment).chain(others);
        let mut texts: Vec<String> = events
            .map(|event: Event| texts::mail(Language::Es, alert(&event).unwrap(), "Ana").text)
            .collect();
        let notice = texts::mail(Language::Es, "notice_posted", "Ana").text;
        assert!(!texts.contains(&notice));
        texts.sort();
        texts.dedup();
        assert_eq!(texts.len(), 10);
        assert_eq!(alert(&pb::RequestServed::default().into()), None);
    }
}
