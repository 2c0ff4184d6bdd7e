//! Appointments that nobody needs, and those that are to be set again: every branch.

use docket_proto::case_status::events::v1 as pb;
use jiff::civil::date;

use crate::domain::decide::{self, Others};
use crate::domain::samples::*;
use crate::domain::{Biometrics, Event, Interview, task, title};

fn after(given: Given, events: Vec<Event>) -> Given {
    events.into_iter().fold(given, Given::and)
}

/// An adjustment under review, whose biometrics were taken and checked, of somebody of that age.
fn adjustment(age: u32) -> Given {
    let filed = pb::CaseOpened { form: "I-485".into(), family: "adjustment".into(), age, ..opened() };
    given([filed.into()])
        .and(pb::FilingAccepted { receipt_number: RECEIPT.into(), office: "NBC".into() })
        .and(pb::BiometricsNeeded {})
        .and(pb::BiometricsTaken::default())
        .and(pb::BackgroundCheckReturned {
            system: "fbi_fingerprint".into(),
            result_class: "no_record".into(),
        })
        .and(pb::CaseAssigned { officer: ADA.to_string() })
        .and(pb::ReviewStarted {})
}

#[test]
fn biometrics_of_an_earlier_capture_are_used_and_checked_anew() {
    let reuse = |given: Given, day| given.when(|case| decide::reuse_biometrics(case, ADA, day, now()));
    let day = date(2026, 1, 5);
    let reused =
        after(accepted(), reuse(accepted(), day).then(&["biometrics_reused", "background_check_started"]));
    assert_eq!((reused.0.biometrics, title::title(&reused.0).id.as_str()), (Biometrics::Reused, "27"));
    assert!(!reused.0.checks_answered(), "the check is waited for");
    let answered = reused.and(pb::BackgroundCheckReturned {
        system: "fbi_fingerprint".into(),
        result_class: "no_record".into(),
    });
    let slot = appointment("2026-12-15T15:00:00Z");
    answered.when(|case| decide::schedule_interview(case, &slot)).then(&["interview_scheduled"]);
    // An appointment that stands falls away; nobody comes for nothing.
    reuse(biometrics_scheduled(), day).then(&[
        "biometrics_cancelled",
        "biometrics_reused",
        "background_check_started",
    ]);
    reuse(accepted(), date(2025, 8, 23)).refused("CAPTURE_TOO_OLD");
    reuse(accepted(), date(2025, 8, 24)).then(&["biometrics_reused", "background_check_started"]);
    reuse(accepted(), date(2026, 11, 25)).refused("CAPTURE_TOO_OLD");
    reuse(biometrics_taken(), day).refused("ALREADY_ATTENDED");
    reuse(answered, day).refused("NOT_NEEDED");
    reuse(submitted(), day).refused("NOT_ACCEPTED");
}

#[test]
fn biometrics_that_are_waived_are_waited_for_no_more() {
    let waive = |given: Given, why: &str| given.when(|case| decide::waive_biometrics(case, ADA, why));
    let waived = after(accepted(), waive(accepted(), "not_able").then(&["biometrics_waived"]));
    assert_eq!((waived.0.biometrics, title::title(&waived.0).id.as_str()), (Biometrics::Waived, "32b"));
    assert!(waived.0.checks_answered(), "there is no check to wait for");
    assert_eq!(
        task::task(&waived.and(pb::CaseAssigned { officer: ADA.to_string() }).0),
        Some("start_review")
    );
    waive(biometrics_scheduled(), "age").then(&["biometrics_cancelled", "biometrics_waived"]);
    waive(accepted(), "busy").refused("CAUSE_UNKNOWN");
    waive(biometrics_taken(), "age").refused("ALREADY_ATTENDED");
    let missed = biometrics_scheduled().and(pb::BiometricsMissed::default());
    waive(missed, "not_able").then(&["biometrics_waived"]);
}

#[test]
fn a_capture_that_fails_is_no_absence_and_another_day_is_set() {
    let fail = |given: Given, why: &str, early: bool| {
        given.when(|case| decide::fail_capture(case, why, now(), early))
    };
    fail(biometrics_scheduled(), "equipment", false).refused("TOO_EARLY");
    let events = fail(biometrics_scheduled(), "equipment", true).then(&["biometrics_capture_failed"]);
    let failed = after(biometrics_scheduled(), events);
    assert_eq!((failed.0.biometrics, failed.0.has_missed()), (Biometrics::Needed, false));
    assert_eq!(failed.0.appointment(), None);
    let slot = appointment("2026-12-15T15:00:00Z");
    failed.when(|case| decide::schedule_biometrics(case, &slot)).then(&["biometrics_scheduled"]);
    fail(biometrics_scheduled(), "rain", true).refused("CAUSE_UNKNOWN");
    fail(accepted(), "equipment", true).refused("NOT_SCHEDULED");
    fail(biometrics_taken(), "equipment", true).refused("ALREADY_ATTENDED");
}

#[test]
fn who_is_excused_has_another_day_and_is_not_denied_for_the_one_before() {
    let missed = || biometrics_scheduled().and(pb::BiometricsMissed::default());
    let excuse = |given: Given, why: &str| given.when(|case| decide::excuse_biometrics(case, ADA, why));
    let excused = after(missed(), excuse(missed(), "illness").then(&["absence_excused"]));
    assert_eq!((excused.0.biometrics, excused.0.has_missed()), (Biometrics::Needed, false));
    let abandoned = denial(&["abandoned"]);
    let denied = |given: Given| {
        let recommended = given.and(pb::ReviewStarted {}).and(pb::DecisionRecommended {
            officer: ADA.to_string(),
            recommendation: "deny".into(),
            grounds: String::new(),
        });
        recommended.when(|case| decide::decide_case(case, BO, &abandoned, &Others::new(), now()))
    };
    denied(missed()).then(&["decision_reviewed", "denied"]);
    denied(excused).refused("NOT_ABANDONED");
    excuse(missed(), "weather").refused("CAUSE_UNKNOWN");
    excuse(biometrics_scheduled(), "illness").refused("NOT_MISSED");
}

#[test]
fn an_excuse_ends_the_days_to_say_why_nobody_came_to_the_examination() {
    let missed = || {
        interview_scheduled()
            .and(pb::InterviewMissed { appointment_id: String::new(), deadline: Some(deadline()) })
    };
    let excuse = |given: Given| given.when(|case| decide::excuse_interview(case, ADA, "no_transport"));
    let excused = after(missed(), excuse(missed()).then(&["absence_excused"]));
    assert_eq!((excused.0.interview, excused.0.absence.as_ref()), (Interview::ToSchedule, None));
    assert_eq!(task::task(&excused.0), Some("schedule_interview"));
    let over = at("2026-12-26T05:00:00Z");
    excused.when(|case| decide::pass_absence(case, uuid::Uuid::nil(), over)).then(&[]);
    excuse(in_review()).refused("NOT_MISSED");
}

#[test]
fn only_the_interview_of_an_adjustment_is_waived_by_its_criteria() {
    let waive = |given: Given, why: &str| given.when(|case| decide::waive_interview(case, ADA, why));
    let waived = after(adjustment(40), waive(adjustment(40), "unnecessary").then(&["interview_waived"]));
    assert_eq!((waived.0.interview, task::task(&waived.0)), (Interview::Waived, Some("recommend")));
    waived.when(|case| decide::recommend(case, ADA, true, "")).then(&["decision_recommended"]);
    adjustment(40).when(|case| decide::recommend(case, ADA, true, "")).refused("INTERVIEW_MISSING");
    waive(adjustment(13), "child").then(&["interview_waived"]);
    waive(adjustment(14), "child").refused("NO_CHILD");
    waive(adjustment(40), "busy").refused("CRITERION_UNKNOWN");
    waive(waived, "unnecessary").refused("NOT_NEEDED");
    waive(in_review(), "unnecessary").refused("NOT_WAIVABLE");
    let set = adjustment(40).and(pb::InterviewScheduled {
        appointment: Some(slot("2026-12-15T15:00:00Z", "FO-NYC")),
        bring: Vec::new(),
    });
    waive(set, "unnecessary").then(&["interview_cancelled", "interview_waived"]);
    let held = adjustment(40).and(pb::InterviewCompleted::default());
    waive(held, "unnecessary").refused("ALREADY_ATTENDED");
}
