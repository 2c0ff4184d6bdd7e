//! The interview and its test: every branch.

use docket_proto::case_status::events::v1 as pb;
use uuid::Uuid;

use crate::domain::decide::{self, MovedBy, TestResult};
use crate::domain::samples::*;
use crate::domain::{Event, evolve, task, timeline, title};

fn tests(parts: &[(&str, bool)]) -> Vec<TestResult> {
    parts.iter().map(|(part, passed)| TestResult { part: (*part).to_owned(), passed: *passed }).collect()
}

#[test]
fn an_interview_follows_biometrics_and_checks() {
    let day = appointment("2026-12-15T15:00:00Z");
    let set = |given: Given| given.when(|case| decide::schedule_interview(case, &day));
    set(accepted()).refused("BIOMETRICS_MISSING");
    set(biometrics_taken()).refused("CHECKS_MISSING");
    let bring = |events: &[Event]| {
        let card = |paper: &String| paper == "permanent_resident_card";
        matches!(&events[0], Event::InterviewScheduled(set) if set.bring.iter().any(card))
    };
    assert!(bring(&set(in_review()).then(&["interview_scheduled"])));
    let mut asylum = in_review();
    asylum.0.family = "asylum".into();
    assert!(!bring(&set(asylum).then(&["interview_scheduled"])), "who asks for asylum has no card");
    set(interview_scheduled()).refused("NOT_NEEDED");
    set(interviewed(true)).refused("NOT_NEEDED");
}

#[test]
fn a_second_examination_is_not_before_day_60() {
    let set = |day| interviewed(false).when(|case| decide::schedule_interview(case, &appointment(day)));
    set("2027-01-22T15:00:00Z").refused("TOO_SOON");
    set("2027-01-25T15:00:00Z").then(&["interview_scheduled"]);
    // Nor where the day that was set fell away with a transfer, or nobody came.
    let fell_away = |event: Event| {
        let appointment = Some(slot("2027-01-25T15:00:00Z", "FO-NYC"));
        interviewed(false).and(pb::InterviewScheduled { appointment, ..Default::default() }).and(event)
    };
    for event in [
        pb::InterviewCancelled { cause: "transferred".into(), ..Default::default() }.into(),
        pb::InterviewMissed::default().into(),
    ] {
        let given = fell_away(event);
        let set = |day| given.when(|case| decide::schedule_interview(case, &appointment(day)));
        set("2027-01-22T15:00:00Z").refused("TOO_SOON");
        set("2027-01-25T15:00:00Z").then(&["interview_scheduled"]);
    }
    // Nor is it moved there, unless the applicant asks.
    let moving = |given: Given, by| {
        let to = appointment("2027-01-22T15:00:00Z");
        given.when(|case| decide::move_interview(case, &to, by, "travel", now()))
    };
    let second = || {
        interviewed(false).and(pb::InterviewScheduled {
            appointment: Some(slot("2027-01-25T15:00:00Z", "FO-NYC")),
            ..pb::InterviewScheduled::default()
        })
    };
    moving(second(), MovedBy::Office).refused("TOO_SOON");
    moving(second(), MovedBy::Party).then(&["interview_rescheduled"]);
    moving(interview_scheduled(), MovedBy::Office).then(&["interview_rescheduled"]);
}

#[test]
fn a_case_that_was_reopened_after_two_attempts_has_one_more_at_what_was_not_passed() {
    let failed = interviewed(false).and(pb::TestTaken {
        part: "civics".into(),
        version: "2025".into(),
        passed: false,
        attempt: 2,
    });
    let day = appointment("2027-06-15T15:00:00Z");
    let set = |given: &Given| given.when(|case| decide::schedule_interview(case, &day));
    set(&failed).refused("NOT_NEEDED");
    let reopened = failed.and(pb::CaseDenied::default()).and(pb::CaseReopened::default());
    reopened.when(|case| decide::recommend(case, ADA, true, "")).refused("TEST_FAILED");
    let events = set(&reopened).then(&["interview_scheduled"]);
    let again = reopened.and(events[0].clone());
    let hold = |given: &Given, part: &str| {
        let tests = tests(&[(part, true)]);
        given.when(|case| decide::complete_interview(case, ADA, &tests, at("2027-06-15T16:00:00Z"), false))
    };
    hold(&again, "reading").refused("TESTED_TWICE");
    let events = hold(&again, "civics").then(&["interview_completed", "test_taken"]);
    let passed = events.into_iter().fold(again, Given::and);
    passed.when(|case| decide::recommend(case, ADA, true, "")).then(&["decision_recommended"]);
    hold(&passed, "civics").refused("ALREADY_ATTENDED");
}

#[test]
fn an_interview_is_moved_like_biometrics() {
    let to = appointment("2026-12-16T15:00:00Z");
    let moving = |given: Given, cause: &str| {
        given.when(|case| decide::move_interview(case, &to, MovedBy::Party, cause, now()))
    };
    moving(interview_scheduled(), "illness").then(&["interview_rescheduled"]);
    moving(interview_scheduled(), "").refused("CAUSE_UNKNOWN");
    moving(in_review(), "illness").refused("NOT_SCHEDULED");
}

#[test]
fn an_interview_is_held_with_each_part_of_the_test_once() {
    let hold = |given: Given, parts: &[(&str, bool)]| {
        given.when(|case| decide::complete_interview(case, ADA, &tests(parts), now(), true))
    };
    hold(interview_scheduled(), &[("reading", true), ("civics", false)]).then(&[
        "interview_completed",
        "test_taken",
        "test_taken",
    ]);
    hold(interview_scheduled(), &[("singing", true)]).refused("TEST_PART_UNKNOWN");
    hold(interview_scheduled(), &[("civics", false), ("civics", true)]).refused("TESTED_TWICE");
    hold(in_review(), &[]).refused("NOT_SCHEDULED");
    hold(interviewed(true), &[]).refused("ALREADY_ATTENDED");
    interview_scheduled()
        .when(|case| decide::complete_interview(case, ADA, &[], now(), false))
        .refused("TOO_EARLY");
}

#[test]
fn the_office_has_120_days_to_decide_from_the_first_examination_for_naturalization() {
    let examine = |given: &Given| {
        let parts = tests(&[("civics", true)]);
        given.when(|case| decide::complete_interview(case, ADA, &parts, now(), true))
    };
    let mut events = examine(&interview_scheduled()).then(&["interview_completed", "test_taken"]);
    let line = timeline::line(&interview_scheduled().0, &events[0]);
    assert_eq!(line.text, "timeline-interview-completed-early-until");
    let Event::InterviewCompleted(held) = events.remove(0) else { unreachable!() };
    let day = held.decision_deadline.clone().unwrap();
    assert_eq!((day.rule.as_str(), day.due_date.as_str()), ("n400.decision", "2027-03-24"));
    assert_eq!(day.expires_at_us, at("2027-03-25T04:00:00Z").as_microsecond());
    let examined = interview_scheduled().and(held);
    assert_eq!(examined.0.office_deadline.as_ref().unwrap().due_date, "2027-03-24");

    // A second examination begins no days of its own.
    let again = examined.and(pb::InterviewScheduled {
        appointment: Some(slot("2027-01-25T15:00:00Z", "FO-NYC")),
        ..pb::InterviewScheduled::default()
    });
    let events = examine(&again).then(&["interview_completed", "test_taken"]);
    assert!(matches!(&events[0], Event::InterviewCompleted(held) if held.decision_deadline.is_none()));
    let examined = again.and(events[0].clone());
    assert_eq!(examined.0.office_deadline.as_ref().unwrap().due_date, "2027-03-24");

    // It ends with the decision, however that is.
    let clear = |event: Event| evolve(examined.0.clone(), &event).office_deadline;
    for event in [
        pb::CaseApproved::default().into(),
        pb::CaseDenied::default().into(),
        pb::CaseWithdrawn {}.into(),
        pb::CaseAdministrativelyClosed::default().into(),
        pb::AcceptanceVoided::default().into(),
    ] {
        assert_eq!(clear(event), None);
    }
    // Nobody has it who is heard for something else.
    let mut asylum = interview_scheduled();
    asylum.0.family = "asylum".into();
    let events = asylum
        .when(|case| decide::complete_interview(case, ADA, &[], now(), true))
        .then(&["interview_completed"]);
    assert!(matches!(&events[0], Event::InterviewCompleted(held) if held.decision_deadline.is_none()));
}

#[test]
fn an_interview_is_missed_when_its_day_is_over() {
    let miss = |given: Given, now: &str| given.when(|case| decide::miss_interview(case, at(now)));
    miss(interview_scheduled(), "2026-12-16T04:59:59Z").refused("TOO_EARLY");
    let events = miss(interview_scheduled(), "2026-12-16T05:00:00Z").then(&["interview_missed"]);
    let missed = interview_scheduled().and(events[0].clone());
    assert_eq!((title::title(&missed.0).id.as_str(), task::task(&missed.0)), ("21a", Some("see_to_absence")));
    let day = appointment("2027-01-05T15:00:00Z");
    missed.when(|case| decide::schedule_interview(case, &day)).then(&["interview_scheduled"]);
    miss(missed, "2026-12-16T05:00:00Z").refused("NOT_SCHEDULED");
    miss(interviewed(true), "2026-12-16T05:00:00Z").refused("ALREADY_ATTENDED");
}

/// The same case after nobody came to the examination on Tuesday, December 15, and that was recorded.
fn missed(case: Given, recorded_at: &str) -> Given {
    let events = case.when(|case| decide::miss_interview(case, at(recorded_at))).then(&["interview_missed"]);
    case.and(events[0].clone())
}

fn until(case: &Given) -> Option<(&str, &str)> {
    let deadline = &case.0.absence.as_ref()?.deadline;
    Some((deadline.day0_date.as_str(), deadline.due_date.as_str()))
}

#[test]
fn who_missed_the_examination_has_thirty_days_from_its_day_to_say_why() {
    let next_day = "2026-12-16T15:00:00Z";
    assert_eq!(until(&missed(interview_scheduled(), next_day)), Some(("2026-12-15", "2027-01-14")));
    // Friday, December 18 and 30 days is Sunday, January 17, 2027; the Monday after it is a holiday.
    let friday = in_review().and(pb::InterviewScheduled {
        appointment: Some(slot("2026-12-18T15:00:00Z", "FO-NYC")),
        bring: Vec::new(),
    });
    assert_eq!(until(&missed(friday, "2026-12-21T15:00:00Z")), Some(("2026-12-18", "2027-01-19")));
    // Recorded when they are over: from then on.
    assert_eq!(
        until(&missed(interview_scheduled(), "2027-01-15T05:00:00Z")),
        Some(("2027-01-15", "2027-02-16"))
    );
    assert_eq!(
        until(&missed(interview_scheduled(), "2027-01-15T04:59:59Z")),
        Some(("2026-12-15", "2027-01-14"))
    );
    // Where no rule gives days there are none.
    let mut asylum = interview_scheduled();
    asylum.0.family = "asylum".into();
    let asylum = missed(asylum, next_day);
    assert_eq!((until(&asylum), title::title(&asylum.0).id.as_str()), (None, "21"));
}

#[test]
fn the_days_to_say_why_pass_once_and_only_without_a_word() {
    let appointment = Uuid::from_u128(7);
    let case = missed(interview_scheduled(), "2026-12-16T15:00:00Z");
    let end = "2027-01-15T05:00:00Z";
    let pass = |case: &Given, id, now: &str| case.when(|case| decide::pass_absence(case, id, at(now)));
    pass(&case, appointment, "2027-01-15T04:59:59Z").then(&[]);
    pass(&case, Uuid::nil(), end).then(&[]);
    let events = pass(&case, appointment, end).then(&["absence_deadline_passed"]);
    let said = pb::InquirySent { kind: "appointment_missed".into(), ..pb::InquirySent::default() };
    let other = pb::InquirySent { kind: "typographic_error".into(), ..pb::InquirySent::default() };
    let told = |sent: pb::InquirySent| missed(interview_scheduled(), "2026-12-16T15:00:00Z").and(sent);
    pass(&told(said.clone()), appointment, end).then(&[]);
    pass(&told(other), appointment, end).then(&["absence_deadline_passed"]);
    // What was asked about the biometrics before is not answered yet, and the party cannot ask again.
    let asked_before = missed(interview_scheduled().and(said.clone()), "2026-12-16T15:00:00Z");
    pass(&asked_before, appointment, end).then(&[]);
    assert_eq!(decide::unexplained(&asked_before.0), None);
    let answered = asked_before.and(pb::InquiryAnswered::default());
    assert!(decide::unexplained(&answered.0).is_some());
    pass(&answered, appointment, end).then(&["absence_deadline_passed"]);

    let passed = case.and(events[0].clone());
    assert_eq!((title::title(&passed.0).id.as_str(), task::task(&passed.0)), ("21c", Some("see_to_absence")));
    pass(&passed, appointment, end).then(&[]);
    let late = passed.and(said);
    assert_eq!(title::title(&late.0).id, "21b", "what came late is read all the same");
    let again = late.and(pb::InterviewScheduled::default());
    assert_eq!(again.0.absence, None);
    let ended = missed(interview_scheduled(), "2026-12-16T15:00:00Z").and(pb::CaseWithdrawn {});
    pass(&ended, appointment, end).then(&[]);
}

#[test]
fn a_part_is_taken_twice_at_most_and_not_again_when_passed() {
    let again = |given: Given| {
        given.and(pb::InterviewScheduled {
            appointment: Some(slot("2027-01-25T15:00:00Z", "FO-NYC")),
            ..pb::InterviewScheduled::default()
        })
    };
    let hold = |given: &Given, part: &str| {
        given.when(|case| decide::complete_interview(case, ADA, &tests(&[(part, false)]), now(), true))
    };
    let second = again(interviewed(false));
    hold(&second, "reading").refused("TESTED_TWICE");
    let events = hold(&second, "civics").then(&["interview_completed", "test_taken"]);
    let failed = events.into_iter().fold(second, Given::and);
    hold(&again(failed), "civics").refused("TESTED_TWICE");
}

#[test]
fn a_form_without_a_test_has_none() {
    let case = given([
        pb::CaseOpened { family: "adjustment".into(), ..opened() }.into(),
        pb::FilingAccepted { receipt_number: RECEIPT.into(), office: "NBC".into() }.into(),
    ]);
    let case = case.and(pb::InterviewScheduled {
        appointment: Some(slot("2026-12-15T15:00:00Z", "FO-NYC")),
        ..pb::InterviewScheduled::default()
    });
    case.when(|case| decide::complete_interview(case, ADA, &tests(&[("civics", true)]), now(), true))
        .refused("TEST_NOT_DUE");
}
