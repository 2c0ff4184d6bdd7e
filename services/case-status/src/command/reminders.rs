//! Reminders of a request's day and of an appointment: our own log says when one begins to count, and a timer of each fires on every
//! day on which its party is reminded, so long as it is open or stands.
//!
//! They are here and not with the mail, since here it is known at that instant whether the request was answered, the appointment
//! moved or the case ended; notifications sends what the log says.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use docket_database::answered;
use docket_eventlog::{Context, EventLog, Filter, Recorded, Store, Subjects, Timer, Timers};
use docket_kernel::deadline::Reminders;
use docket_proto::events::case;
use docket_proto::types::v1::{AppointmentSlot, Deadline};
use docket_service::{Again, ApplyError, Base, Rounds, Stop, Subscriber};
use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use super::deadlines;
use super::reactions::{named, stream_id};
use crate::aggregate::{Cases, LOG};
use crate::domain::reminder::{before_appointment, before_due};
use crate::domain::{Case, Event, decide};

/// Kind of the timer of a request's reminders.
pub(crate) const REQUEST: &str = "request_reminder";
/// Kind of the timer of an appointment's reminders.
pub(crate) const APPOINTMENT: &str = "appointment_reminder";

/// Sets the first timer of what is served or set; one that was moved is another appointment, with a timer of its own.
pub(crate) struct Reminding {
    timers: Timers,
    /// Whether it is known that it stands in the log from where on this is done.
    begun: AtomicBool,
}

impl Reminding {
    /// For the log of cases.
    pub(crate) fn new(log: &EventLog) -> Self {
        Self { timers: log.timers(), begun: AtomicBool::new(false) }
    }

    /// From here on what is served or set gets its timer here. All up to the log's end of now is gone through by [`set_older`]: part of it
    /// may have been applied by a replica that knew no reminders, which applies no more, since the turn is ours.
    async fn begin(&self, tx: &mut PgConnection) -> Result<(), ApplyError> {
        if self.begun.load(Ordering::Relaxed) {
            return Ok(());
        }
        let begins = sqlx::query!(
            "UPDATE reminders_set SET until = (SELECT position FROM log.head WHERE log = $1) WHERE until IS NULL",
            LOG
        );
        if begins.execute(tx).await?.rows_affected() == 0 {
            self.begun.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}

#[async_trait]
impl Subscriber for Reminding {
    fn categories(&self) -> &'static [&'static str] {
        &["case"]
    }

    async fn apply(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), ApplyError> {
        self.begin(&mut *tx).await?;
        if let Some(timer) = first_timer(event, event.recorded_at)? {
            self.timers.schedule_in(tx, &timer).await?;
        }
        Ok(())
    }
}

/// The kinds of events with which a day begins to come closer.
const FIRST: [&str; 6] = [
    "case.request_served.v1",
    "case.biometrics_scheduled.v1",
    "case.biometrics_rescheduled.v1",
    "case.interview_scheduled.v1",
    "case.interview_rescheduled.v1",
    "case.oath_scheduled.v1",
];

/// Events looked at in one go.
const PAGE: u32 = 1_000;
/// How often it is looked whether the log went on.
const LOOK: Duration = Duration::from_secs(1);

/// Sets the timers of what was served or set before there were reminders, page by page: while a replica from before has the turn, also of
/// what that one applies, and from when one with reminders has it, up to there; once for ever. What has ended since lets its timer pass, and
/// a timer that is there stays: its day may have come, and nobody was reminded yet.
///
/// # Errors
/// None: what fails is tried again.
pub(crate) async fn set_older(base: Base, stop: Stop) -> anyhow::Result<()> {
    let mut rounds = Rounds::every(LOOK, "the reminders of what was served before cannot be set");
    let mut done = false;
    while !done && rounds.go_on(&stop).await {
        rounds.turn(set_page(&base, &mut done)).await;
    }
    Ok(())
}

/// Goes one page on; of several replicas one at a time.
async fn set_page(base: &Base, done: &mut bool) -> anyhow::Result<Again> {
    let mut tx = docket_database::begin(&base.pool).await?;
    let at = sqlx::query!("SELECT position, until FROM reminders_set FOR UPDATE SKIP LOCKED");
    let Some(at) = answered(at.fetch_optional(&mut *tx)).await? else { return Ok(Again::Later) };
    if at.until.is_some_and(|until| at.position >= until) {
        *done = true;
        return Ok(Again::Later);
    }
    let after = at.position.unsigned_abs();
    let wanted = Filter { kinds: FIRST.map(str::to_owned).to_vec(), ..Filter::default() };
    let page = base.log.read_page(after, PAGE, &wanted).await?;
    if page.up_to == after {
        return Ok(Again::Later);
    }
    let (timers, now) = (base.log.timers(), base.clock.now());
    for event in &page.events {
        match first_timer(event, now) {
            Ok(Some(timer)) => timers.schedule_new_in(&mut tx, &timer).await?,
            Ok(None) => {}
            // Nobody can be reminded of it, and of the others they can.
            Err(ApplyError::Park(reason)) => {
                tracing::warn!(event.position, reason, "an event is passed over: nobody is reminded of it");
            }
            Err(ApplyError::Retry(error) | ApplyError::Away(error)) => return Err(error),
        }
    }
    let up_to = page.up_to.cast_signed();
    sqlx::query!("UPDATE reminders_set SET position = $1", up_to).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(Again::AtOnce)
}

/// The first timer after an instant of what an event begins, if it begins something.
#[expect(clippy::wildcard_enum_match_arm, reason = "nobody is reminded of anything else")]
fn first_timer(event: &Recorded, after: Timestamp) -> Result<Option<Timer>, ApplyError> {
    let first = match event.decode::<case::Event>()? {
        Event::RequestServed(served) => of_request(&served.request_id, served.deadline.as_ref())?,
        Event::BiometricsScheduled(set) => of_appointment(set.appointment.as_ref())?,
        Event::BiometricsRescheduled(moved) => of_appointment(moved.to.as_ref())?,
        Event::InterviewScheduled(set) => of_appointment(set.appointment.as_ref())?,
        Event::InterviewRescheduled(moved) => of_appointment(moved.to.as_ref())?,
        Event::OathScheduled(set) => of_appointment(set.appointment.as_ref())?,
        _ => None,
    };
    let Some((kind, id, reminders)) = first else { return Ok(None) };
    Ok(next_timer((kind, stream_id(event)?, id), &reminders, after))
}

/// What somebody is reminded of: the kind of its timer, its id, and when.
type First = Option<(&'static str, Uuid, Reminders)>;

fn of_request(request: &str, deadline: Option<&Deadline>) -> Result<First, ApplyError> {
    let reminders = deadline.and_then(|deadline| before_due(&deadline.into()));
    let id = named(request, "request_id")?;
    Ok(reminders.map(|reminders| (REQUEST, id, reminders)))
}

fn of_appointment(slot: Option<&AppointmentSlot>) -> Result<First, ApplyError> {
    let Some(slot) = slot else { return Ok(None) };
    let id = named(&slot.appointment_id, "appointment_id")?;
    Ok(Some((APPOINTMENT, id, before_appointment(&slot.into()))))
}

/// The timer of the next one after an instant, if there is one.
fn next_timer(
    (kind, case, id): (&str, Uuid, Uuid),
    reminders: &Reminders,
    after: Timestamp,
) -> Option<Timer> {
    Some(Timer::new(format!("{kind}:{id}"), kind, reminders.next(after)?, deadlines::payload(case, id)))
}

/// Reminds, if that is still to be done, and sets the timer of the next time. Of a day that went by while we were away nobody is
/// reminded.
pub(crate) async fn fire(
    store: &Store<Cases>,
    tx: &mut PgConnection,
    timer: &Timer,
    now: Timestamp,
) -> Result<(), ApplyError> {
    let (case_id, id) = deadlines::read(&timer.payload)
        .ok_or_else(|| ApplyError::Park("the timer's payload is malformed".to_owned()))?;
    let is_request = timer.kind == REQUEST;
    let done = store
        .execute_in(tx, &Context::timer(timer), case_id, Subjects::filing(case_id), |case| {
            let remind = if is_request { decide::remind_of_request } else { decide::remind_of_appointment };
            remind(case, id, now)
        })
        .await?;
    let next = left(&done.state, is_request, id)
        .and_then(|reminders| next_timer((&timer.kind, case_id, id), &reminders, now));
    if let Some(next) = next {
        store.log().timers().schedule_in(tx, &next).await?;
    }
    Ok(())
}

/// The reminders of what is still open or stands.
fn left(case: &Case, is_request: bool, id: Uuid) -> Option<Reminders> {
    if is_request {
        return case.reminders_of_request(id);
    }
    case.reminders_of_appointment(id).map(|(_, reminders)| reminders)
}
