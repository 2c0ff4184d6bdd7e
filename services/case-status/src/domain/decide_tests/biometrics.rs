//! Biometrics and checks: every branch.

use docket_proto::case_status::events::v1 as pb;

use crate::domain::decide::{self, MovedBy};
use crate::domain::samples::*;
use crate::domain::{task, title};

#[test]
fn one_biometrics_appointment_stands_at_a_time() {
    let day = appointment("2026-12-08T15:00:00Z");
    accepted().when(|case| decide::schedule_biometrics(case, &day)).then(&["biometrics_scheduled"]);
    biometrics_scheduled().when(|case| decide::schedule_biometrics(case, &day)).refused("NOT_NEEDED");
    biometrics_taken().when(|case| decide::schedule_biometrics(case, &day)).refused("ALREADY_ATTENDED");
    let missed = biometrics_scheduled().and(pb::BiometricsMissed::default());
    missed.when(|case| decide::schedule_biometrics(case, &day)).then(&["biometrics_scheduled"]);
}

/// Whoever comes late on the day is still seen; the day is that of the office.
#[test]
fn biometrics_are_missed_when_their_day_is_over() {
    let (evening, midnight) = (at("2026-12-09T04:59:59Z"), at("2026-12-09T05:00:00Z"));
    biometrics_scheduled().when(|case| decide::miss_biometrics(case, evening)).refused("TOO_EARLY");
    let events = biometrics_scheduled()
        .when(|case| decide::miss_biometrics(case, midnight))
        .then(&["biometrics_missed"]);
    let missed = biometrics_scheduled().and(events[0].clone());
    assert!(missed.0.has_missed() && missed.0.appointment().is_none());
    assert_eq!(title::title(&missed.0).id, "25");
    let assigned = missed.and(pb::CaseAssigned { officer: ADA.to_string() });
    assert_eq!(task::task(&assigned.0), Some("see_to_absence"));
    assigned.when(|case| decide::miss_biometrics(case, midnight)).refused("NOT_SCHEDULED");
    assigned.when(|case| decide::take_biometrics(case, midnight, false)).refused("NOT_SCHEDULED");
    biometrics_taken().when(|case| decide::miss_biometrics(case, midnight)).refused("ALREADY_ATTENDED");
}

#[test]
fn the_party_moves_with_good_cause_twice_and_in_time() {
    let to = appointment("2026-12-09T15:00:00Z");
    let mut case = biometrics_scheduled();
    case.when(|case| decide::move_biometrics(case, &to, MovedBy::Party, "weather", now()))
        .refused("CAUSE_UNKNOWN");
    for _ in 0..2 {
        let events = case
            .when(|case| decide::move_biometrics(case, &to, MovedBy::Party, "travel", now()))
            .then(&["biometrics_rescheduled"]);
        case = case.and(events[0].clone());
    }
    case.when(|case| decide::move_biometrics(case, &to, MovedBy::Party, "travel", now()))
        .refused("MOVED_TWICE");
    case.when(|case| decide::move_biometrics(case, &to, MovedBy::Office, "", now()))
        .then(&["biometrics_rescheduled"]);
    accepted()
        .when(|case| decide::move_biometrics(case, &to, MovedBy::Party, "travel", now()))
        .refused("NOT_SCHEDULED");
}

#[test]
fn twelve_hours_before_is_the_last_moment_to_move() {
    let to = appointment("2026-12-09T15:00:00Z");
    let at_12 = at("2026-12-08T03:00:00Z");
    let moving = |now| {
        biometrics_scheduled().when(|case| decide::move_biometrics(case, &to, MovedBy::Party, "illness", now))
    };
    moving(at_12).then(&["biometrics_rescheduled"]);
    moving(at_12 + jiff::SignedDuration::from_micros(1)).refused("TOO_LATE_TO_MOVE");
}

#[test]
fn how_often_and_until_when_it_is_moved_online_is_the_law_of_the_day_on_which_that_is_asked() {
    let mut case = biometrics_scheduled();
    case.0.biometrics_booking.moved_by_party = 2;
    let moving = |given: &Given, starts_at: &str, now: &str| {
        let (mut given, now) = (Given(given.0.clone()), at(now));
        given.0.biometrics_booking.appointment = Some(appointment(starts_at));
        let to = appointment("2026-12-09T15:00:00Z");
        given.when(|case| decide::move_biometrics(case, &to, MovedBy::Party, "illness", now))
    };
    // The 28th of June 2023 began at four o'clock in the morning in UTC.
    moving(&case, "2023-06-29T15:00:00Z", "2023-06-28T04:00:00Z").refused("MOVED_TWICE");
    moving(&case, "2023-06-29T15:00:00Z", "2023-06-28T03:59:59Z").then(&["biometrics_rescheduled"]);
    let never = biometrics_scheduled();
    moving(&never, "2023-06-28T15:00:00Z", "2023-06-28T04:00:00Z").refused("TOO_LATE_TO_MOVE");
    moving(&never, "2023-06-28T15:00:00Z", "2023-06-28T03:59:59Z").then(&["biometrics_rescheduled"]);
}

#[test]
fn biometrics_are_taken_on_the_day_or_earlier_by_agreement() {
    let taking = |now, early| biometrics_scheduled().when(|case| decide::take_biometrics(case, now, early));
    taking(now(), false).refused("TOO_EARLY");
    taking(now(), true).then(&["biometrics_taken", "background_check_started"]);
    taking(at("2026-12-08T13:00:00Z"), false).then(&["biometrics_taken", "background_check_started"]);
    accepted().when(|case| decide::take_biometrics(case, now(), true)).refused("NOT_SCHEDULED");
    biometrics_taken().when(|case| decide::take_biometrics(case, now(), true)).refused("ALREADY_ATTENDED");
}

#[test]
fn a_check_is_answered_once_and_by_class() {
    let answer = |given: Given, class: &str| {
        given.when(|case| decide::record_background_check(case, "fbi_fingerprint", class))
    };
    answer(biometrics_taken(), "no_record").then(&["background_check_returned"]);
    answer(biometrics_taken(), "maybe").refused("RESULT_UNKNOWN");
    answer(in_review(), "record").refused("CHECK_NOT_STARTED");
    answer(accepted(), "record").refused("CHECK_NOT_STARTED");
}
