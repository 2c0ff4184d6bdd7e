//! Reminders through the ports, by a clock that goes on: of a request until it is answered, of an appointment where it stands now.

use docket_kernel::Clock as _;
use docket_proto::case_status::events::v1::RequestServed;
use docket_proto::events::case;
use docket_service::testing::append;
use jiff::Timestamp;
use tonic::Status;
use uuid::Uuid;

use crate::deadline::{Asked, asked};
use crate::people::{Someone, command};
use crate::world::World;

const BIOMETRICS: i32 = 1;

/// The clock is set on.
fn turn_to(world: &World, to: &str) {
    let to: Timestamp = to.parse().unwrap();
    world.clock.advance(to.duration_since(world.clock.now()));
}

/// When the timers of a kind fall due.
async fn timers(world: &World, kind: &str) -> Result<Vec<String>, Status> {
    let sql = "SELECT due_at_us FROM log.timer WHERE kind = $1 ORDER BY due_at_us";
    let due: sqlx::Result<Vec<i64>> = sqlx::query_scalar(sql).bind(kind).fetch_all(&world.cases.pool).await;
    let due = due.map_err(|error| Status::internal(error.to_string()))?;
    Ok(due.into_iter().map(|us| Timestamp::from_microsecond(us).unwrap().to_string()).collect())
}

/// How often the timeline says that the party was reminded.
async fn told(who: &Someone, name: &str, kind: &str) -> Result<usize, Status> {
    Ok(who.lines(name, 0).await?.iter().filter(|line| *line == kind).count())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_party_is_reminded_in_the_morning_of_each_day_until_it_answers() {
    let world = World::start().await;
    // Thirty days from 24 November: half of them are over on 9 December.
    let Asked { filing, name, request, ana } = asked(&world).await;
    let due = || timers(&world, "request_reminder");
    world.until(due, |due| due == &["2026-12-09T14:00:00Z"]).await;
    assert_eq!(told(&ana, &name, "request_reminded").await.unwrap(), 0);
    turn_to(&world, "2026-12-09T14:00:05Z");
    world.until(|| told(&ana, &name, "request_reminded"), |told| *told == 1).await;
    world.until(due, |due| due == &["2026-12-10T14:00:00Z"]).await;
    // We are away over a whole day: of that nobody is reminded, and the next one comes.
    turn_to(&world, "2026-12-11T20:00:00Z");
    world.until(due, |due| due == &["2026-12-17T14:00:00Z"]).await;
    turn_to(&world, "2026-12-17T14:00:05Z");
    world.until(|| told(&ana, &name, "request_reminded"), |told| *told == 2).await;
    world.until(due, |due| due == &["2026-12-21T14:00:00Z"]).await;
    world.respond(filing, request).await;
    world.until(|| ana.case(&name, 0), |case| case.title_id == "20").await;
    turn_to(&world, "2026-12-21T14:00:05Z");
    world.no_timers_left().await;
    assert_eq!(told(&ana, &name, "request_reminded").await.unwrap(), 2);
}

/// An answer that filing received and we have not read yet is one: the clock waits until that is known.
#[tokio::test(flavor = "multi_thread")]
async fn who_has_answered_is_not_reminded_because_we_are_late_to_hear_of_it() {
    let world = World::start().await;
    let Asked { filing, name, request, ana } = asked(&world).await;
    world.until(|| timers(&world, "request_reminder"), |due| due.len() == 1).await;
    let away = world.keep_from_reading("filing").await;
    world.respond(filing, request).await;
    turn_to(&world, "2026-12-09T14:00:05Z");
    world.somebody_waits().await;
    assert_eq!(told(&ana, &name, "request_reminded").await.unwrap(), 0);
    away.rollback().await.unwrap();
    world.until(|| ana.case(&name, 0), |case| case.title_id == "20").await;
    world.no_timers_left().await;
    assert_eq!(told(&ana, &name, "request_reminded").await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_party_is_reminded_of_an_appointment_on_the_day_to_which_it_was_moved() {
    let world = World::start().await;
    let (ana, sam) = (world.person(&[]).await, world.person(&[("supervisor", "NBC")]).await);
    let name = format!("cases/{}", world.submit(&ana, 40).await);
    world.until(|| ana.case(&name, 0), |case| case.version == 3).await;
    command!(sam, assign_case, AssignCaseRequest { name: name.clone() }).unwrap();
    // The first day with ten days' notice is Friday, 4 December.
    command!(sam, schedule_appointment, ScheduleAppointmentRequest { name: name.clone(), kind: BIOMETRICS })
        .unwrap();
    let due = || timers(&world, "appointment_reminder");
    world.until(due, |due| due == &["2026-11-27T14:00:00Z"]).await;
    let (date, time, cause) = ("2026-12-14".to_owned(), "10:00".to_owned(), "travel".to_owned());
    command!(
        ana,
        reschedule_appointment,
        RescheduleAppointmentRequest {
            name: name.clone(),
            kind: BIOMETRICS,
            date: date,
            time: time,
            cause: cause
        }
    )
    .unwrap();
    world.until(due, |due| due == &["2026-11-27T14:00:00Z", "2026-12-07T14:00:00Z"]).await;
    turn_to(&world, "2026-11-27T14:00:05Z");
    world.until(due, |due| due == &["2026-12-07T14:00:00Z"]).await;
    assert_eq!(told(&ana, &name, "appointment_reminded").await.unwrap(), 0, "it was moved");
    for (nth, time) in [(1, "2026-12-07T14:00:05Z"), (2, "2026-12-12T14:00:05Z")] {
        turn_to(&world, time);
        world.until(|| told(&ana, &name, "appointment_reminded"), |told| *told == nth).await;
    }
    world.no_timers_left().await;
}

/// What was served before there were reminders gets its timer from a replica that knows them: also while another one has the turn that knows
/// none, and up to where one that does has it.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_from_before_there_were_reminders_is_reminded_of_too() {
    let mut world = World::start().await;
    let Asked { filing, name, ana, .. } = asked(&world).await;
    let due = || timers(&world, "request_reminder");
    world.until(due, |due| due.len() == 1).await;
    let held = world.nothing_set_before().await;
    world.forget_reminders(filing).await;
    turn_to(&world, "2026-12-10T20:00:00Z");
    held.commit().await.unwrap();
    let replica = world.another_command().await;
    world.until(due, |due| due == &["2026-12-17T14:00:00Z"]).await;
    // The replica from before goes on applying, and sets no timer.
    let held = world.keep_from_setting().await;
    let another = asked(&world).await.filing;
    world.until(due, |due| due.len() == 2).await;
    world.forget_reminders(another).await;
    // What cannot be read keeps nobody from the others.
    let unreadable = RequestServed { request_id: "none".into(), ..Default::default() };
    append(&world.log_of_cases().await, Uuid::new_v4(), case::Event::from(unreadable)).await;
    held.commit().await.unwrap();
    world.until(due, |due| due.len() == 2).await;
    assert_eq!(world.reminders_set_up_to().await.unwrap(), None, "the other one has the turn");

    world.takes_over(replica).await;
    world.add_evidence(another).await;
    world.until(|| world.reminders_set_up_to(), Option::is_some).await;
    turn_to(&world, "2026-12-17T14:00:05Z");
    world.until(|| told(&ana, &name, "request_reminded"), |told| *told == 1).await;
}

/// A timer that is there stays when the log is gone through: its day has come, and nobody was reminded yet.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_goes_through_the_log_passes_over_no_day_that_has_come() {
    let world = World::start().await;
    let Asked { filing, request, .. } = asked(&world).await;
    let due = || timers(&world, "request_reminder");
    world.until(due, |due| due == &["2026-12-09T14:00:00Z"]).await;
    let _away = world.keep_from_reading("filing").await;
    world.respond(filing, request).await;
    let held = world.nothing_set_before().await;
    turn_to(&world, "2026-12-09T14:00:05Z");
    held.commit().await.unwrap();
    let _replica = world.another_command().await;
    world.until(|| world.not_gone_through(), |left| *left == 0).await;
    assert_eq!(due().await.unwrap(), ["2026-12-09T14:00:00Z"]);
}
