//! Reminders of a request's day and of an appointment: every branch, and a clock that goes through a whole period.

use docket_kernel::EventEnum as _;
use docket_proto::case_status::events::v1 as pb;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::domain::decide::{self, Response};
use crate::domain::samples::*;
use crate::domain::{Case, Event, evolve, timeline, title};

/// The appointment of every sample.
const APPOINTMENT: Uuid = Uuid::from_u128(7);

fn of_request(case: &Given, time: &str) -> Then {
    case.when(|case| decide::remind_of_request(case, REQUEST, at(time)))
}

fn of_appointment(case: &Given, time: &str) -> Then {
    case.when(|case| decide::remind_of_appointment(case, APPOINTMENT, at(time)))
}

/// The same case, in which the party was reminded.
fn reminded(case: Given, time: &str) -> Given {
    let events = of_request(&case, time).then(&["request_reminded"]);
    Given(events.iter().fold(case.0, evolve))
}

/// The hours at which somebody is reminded, when it is asked every hour, and the days left then.
fn told(
    case: Given,
    from: &str,
    hours: i64,
    remind: impl Fn(&Case, Timestamp) -> decide::Decision,
) -> Vec<(String, u32)> {
    let (mut case, mut told) = (case.0, Vec::new());
    for hour in 0..hours {
        let now = at(from) + SignedDuration::from_hours(hour);
        for event in remind(&case, now).unwrap() {
            let days = if let Event::RequestReminded(event) = &event {
                event.days_left
            } else if let Event::AppointmentReminded(event) = &event {
                event.days_left
            } else {
                panic!("{}", event.kind())
            };
            told.push((now.to_string(), days));
            case = evolve(case, &event);
        }
    }
    told
}

#[test]
fn the_party_is_reminded_of_an_open_request_on_each_day_once_and_nothing_else_changes() {
    let told = told(served(), "2026-11-24T17:00:00Z", 24 * 40, |case, now| {
        decide::remind_of_request(case, REQUEST, now)
    });
    let days: Vec<(&str, u32)> = told.iter().map(|(when, days)| (when.as_str(), *days)).collect();
    assert_eq!(
        days,
        [
            ("2026-12-09T14:00:00Z", 15),
            ("2026-12-10T14:00:00Z", 14),
            ("2026-12-17T14:00:00Z", 7),
            ("2026-12-21T14:00:00Z", 3),
            ("2026-12-23T14:00:00Z", 1),
            ("2026-12-24T14:00:00Z", 0),
        ]
    );
    let case = reminded(served(), "2026-12-17T14:00:00Z");
    assert_eq!(title::title(&case.0), title::title(&served().0));
    let aside = Case { reminded: served().0.reminded, ..case.0.clone() };
    assert_eq!(aside, served().0, "no period moves");
    // A row from before reminders were kept has none.
    let mut stored = serde_json::to_value(&case.0).unwrap();
    stored.as_object_mut().unwrap().remove("reminded");
    assert_eq!(serde_json::from_value::<Case>(stored).unwrap(), served().0);
}

#[test]
fn of_a_day_that_went_by_while_we_were_away_nobody_is_reminded() {
    of_request(&served(), "2026-12-10T13:59:59Z").then(&[]);
    of_request(&served(), "2026-12-11T04:59:59Z").then(&["request_reminded"]);
    of_request(&served(), "2026-12-11T05:00:00Z").then(&[]);
    // It goes on with the next one, and never back.
    let case = reminded(served(), "2026-12-17T20:00:00Z");
    of_request(&case, "2026-12-17T21:00:00Z").then(&[]);
    of_request(&case, "2026-12-10T14:00:00Z").then(&[]);
    of_request(&case, "2026-12-21T14:00:00Z").then(&["request_reminded"]);
}

#[test]
fn nobody_is_reminded_of_what_was_answered_is_over_or_was_never_told() {
    let at_nine = "2026-12-10T14:00:00Z";
    let request_id = REQUEST.to_string();
    let response = Response {
        request_id: REQUEST,
        received_at: now(),
        complete: true,
        evidence: Vec::new(),
        being_checked: Vec::new(),
    };
    let answered =
        served().when(|case| decide::record_response(case, &response)).then(&["response_recorded"]);
    let answered = Given(answered.iter().fold(served().0, evolve));
    let passed = served().and(pb::DeadlinePassed { request_id: request_id.clone() });
    let withdrawn = served().when(decide::withdraw).then(&["withdrawn", "request_cancelled"]);
    let withdrawn = Given(withdrawn.iter().fold(served().0, evolve));
    for over in [answered, passed, withdrawn, continued(), given([])] {
        of_request(&over, at_nine).then(&[]);
    }
    let other = Uuid::from_u128(0x15);
    served().when(|case| decide::remind_of_request(case, other, at(at_nine))).then(&[]);
}

#[test]
fn an_appointment_is_told_again_seven_and_two_days_before() {
    let told = told(biometrics_scheduled(), "2026-11-24T17:00:00Z", 24 * 20, |case, now| {
        decide::remind_of_appointment(case, APPOINTMENT, now)
    });
    assert_eq!(told, [("2026-12-01T14:00:00Z".to_owned(), 7), ("2026-12-06T14:00:00Z".to_owned(), 2)]);
    for (case, kind, time) in [
        (biometrics_scheduled(), "biometrics", "2026-12-06T14:00:00Z"),
        (interview_scheduled(), "interview", "2026-12-13T14:00:00Z"),
        (oath_scheduled(), "oath", "2026-12-16T14:00:00Z"),
    ] {
        let events = of_appointment(&case, time).then(&["appointment_reminded"]);
        let Event::AppointmentReminded(event) = &events[0] else { panic!("{events:?}") };
        assert_eq!((event.appointment_kind.as_str(), event.days_left), (kind, 2));
        let line = timeline::line(&evolve(case.0, &events[0]), &events[0]);
        assert!(!line.office_only && line.facts.contains_key("when"), "{line:?}");
    }
}

#[test]
fn an_appointment_that_was_moved_begins_anew_and_one_that_is_over_is_left_alone() {
    let time = "2026-12-06T14:00:00Z";
    let moved = pb::BiometricsRescheduled {
        from: Some(slot("2026-12-08T15:00:00Z", "ASC-NYC")),
        to: Some(docket_proto::types::v1::AppointmentSlot {
            appointment_id: Uuid::from_u128(8).to_string(),
            ..slot("2026-12-13T15:00:00Z", "ASC-NYC")
        }),
        moved_by: "party".into(),
        cause: "travel".into(),
    };
    let moved = biometrics_scheduled().and(moved);
    of_appointment(&moved, time).then(&[]);
    let other = Uuid::from_u128(8);
    moved.when(|case| decide::remind_of_appointment(case, other, at(time))).then(&["appointment_reminded"]);
    let cancelled = biometrics_scheduled().and(pb::BiometricsCancelled::default());
    for over in [biometrics_taken(), cancelled, accepted()] {
        of_appointment(&over, time).then(&[]);
    }
}

#[test]
fn the_morning_is_that_of_the_party_or_of_the_office_whatever_the_clocks_were_set_to() {
    // The clocks go back in Los Angeles on 1 November 2026: nine o'clock is an hour later in London from then on.
    let mut deadline = deadline();
    deadline.day0_date = "2026-10-08".into();
    deadline.due_date = "2026-11-07".into();
    deadline.zone = "America/Los_Angeles".into();
    let case = continued().and(pb::RequestServed {
        request_id: REQUEST.to_string(),
        notice_id: Uuid::from_u128(9).to_string(),
        deadline: Some(deadline),
    });
    of_request(&case, "2026-10-31T15:59:59Z").then(&[]);
    of_request(&case, "2026-10-31T16:00:00Z").then(&["request_reminded"]);
    of_request(&case, "2026-11-04T16:59:59Z").then(&[]);
    of_request(&case, "2026-11-04T17:00:00Z").then(&["request_reminded"]);
    let mut slot = slot("2027-03-19T15:00:00Z", "ASC-NYC");
    slot.zone = "America/Chicago".into();
    let case = accepted().and(pb::BiometricsScheduled { appointment: Some(slot), capture_code: 3 });
    of_appointment(&case, "2027-03-12T15:00:00Z").then(&["appointment_reminded"]);
    of_appointment(&case, "2027-03-17T13:59:59Z").then(&[]);
    of_appointment(&case, "2027-03-17T14:00:00Z").then(&["appointment_reminded"]);
}
