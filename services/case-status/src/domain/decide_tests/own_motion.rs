//! The office reopens a case on its own motion: every branch.

use docket_proto::case_status::events::v1 as pb;
use jiff::civil::date;
use uuid::Uuid;

use crate::domain::decide::{self, Intent, Motion, Others, Response, Verdict};
use crate::domain::samples::*;
use crate::domain::{Event, Oath, Outcome, OwnMotion, RequestKind, Stage, task, title};

const WHY: &str = "The record was read wrong: the lease names both.";

fn motion(favorable: bool) -> Motion {
    Motion { request_id: REQUEST, favorable, reasons: WHY.into() }
}

fn after(given: Given, events: Vec<Event>) -> Given {
    events.into_iter().fold(given, Given::and)
}

fn denied() -> Given {
    recommended(false).and(pb::CaseDenied {
        officer: BO.to_string(),
        ground_codes: vec!["moral_character".into()],
        abandoned: false,
        reasons: "because".into(),
        applicant_status: String::new(),
        new_facts: "none".into(),
    })
}

fn reopened(given: Given, favorable: bool) -> Given {
    let motion = motion(favorable);
    let events = given.when(|case| decide::reopen_on_own_motion(case, BO, &motion, now()));
    let events = events.then(&["reopened_on_own_motion"]);
    after(given, events)
}

#[test]
fn a_case_that_is_reopened_for_the_party_is_approved_at_once() {
    let again = reopened(denied(), true);
    assert_eq!((again.0.stage, again.0.outcome), (Stage::InReview, None));
    assert_eq!((again.0.own_motion, again.0.open_request()), (Some(OwnMotion::Favorable), None));
    assert_eq!(again.0.receipt_number, RECEIPT, "the number stays");
    let events = again.when(|case| decide::recommend(case, ADA, true, "")).then(&["decision_recommended"]);
    let recommended = after(again, events);
    let decide = |case: &_| decide::decide_case(case, BO, &Verdict::Approve, &Others::new(), now());
    let events = recommended.when(decide).then(&["decision_reviewed", "approved"]);
    assert_eq!(after(recommended, events).0.own_motion, None);
}

#[test]
fn against_the_party_nobody_decides_before_it_was_told_and_could_answer() {
    let again = reopened(denied(), true);
    again.when(|case| decide::recommend(case, ADA, false, "")).refused("PARTY_NOT_TOLD");
    let intent = Intent {
        request_id: Uuid::from_u128(0x15),
        grounds: "Another ground.".into(),
        derogatory_information: String::new(),
        items: Vec::new(),
        days: None,
        supervised: false,
    };
    let events = again.when(|case| decide::intend_denial(case, &intent, now())).then(&["denial_intended"]);
    let told = after(again, events);
    told.when(|case| decide::recommend(case, ADA, false, "")).refused("REQUEST_OPEN");
    let passed = told.and(pb::DeadlinePassed { request_id: intent.request_id.to_string() });
    passed.when(|case| decide::recommend(case, ADA, false, "")).then(&["decision_recommended"]);
}

#[test]
fn a_motion_that_may_end_against_the_party_gives_thirty_days_to_answer() {
    let motion = motion(false);
    let events = denied().when(|case| decide::reopen_on_own_motion(case, BO, &motion, now()));
    let events = events.then(&["reopened_on_own_motion"]);
    let Event::CaseReopenedOnOwnMotion(event) = &events[0] else { panic!("{events:?}") };
    // The case of the samples is a naturalization: 15 days; 30 in any other (8 CFR 335.5, 103.5(a)(5)(ii)).
    let deadline = event.deadline.clone().unwrap();
    assert_eq!((deadline.rule.as_str(), deadline.base_days), ("n400.reopen", 15));
    let plan = |form: &str| {
        let case = crate::domain::Case { form: form.into(), ..denied().0 };
        decide::plan_deadline(&case, RequestKind::OwnMotion, date(2026, 11, 24), None, false).unwrap()
    };
    assert_eq!((plan("I-90").base_days, plan("I-90").due), (30, date(2026, 12, 24)));

    let open = after(denied(), events);
    assert_eq!((title::title(&open.0).id.as_str(), task::task(&open.0)), ("18b", None));
    open.when(|case| decide::recommend(case, ADA, false, "")).refused("REQUEST_OPEN");
    let answer = Response {
        request_id: REQUEST,
        received_at: at("2026-12-01T00:00:00Z"),
        complete: true,
        evidence: Vec::new(),
        being_checked: Vec::new(),
    };
    let events = open.when(|case| decide::record_response(case, &answer)).then(&["response_recorded"]);
    let answered = after(open, events);
    answered.when(|case| decide::recommend(case, ADA, false, "")).then(&["decision_recommended"]);
}

#[test]
fn not_to_answer_the_offices_motion_is_no_abandonment() {
    let open = reopened(denied(), false);
    let expired = open.and(pb::DeadlinePassed { request_id: REQUEST.to_string() });
    let events = expired.when(|case| decide::recommend(case, ADA, false, "")).then(&["decision_recommended"]);
    let recommended = after(expired, events);
    let deny = |ground: &str| {
        recommended.when(|case| decide::decide_case(case, BO, &denial(&[ground]), &Others::new(), now()))
    };
    deny("abandoned").refused("NOT_ABANDONED");
    deny("moral_character").then(&["decision_reviewed", "denied"]);
}

#[test]
fn an_approved_naturalization_is_reopened_before_the_oath_and_then_there_is_none_to_come() {
    for approved in [approved(), oath_scheduled()] {
        let again = reopened(approved, false);
        assert_eq!((again.0.stage, again.0.outcome), (Stage::InReview, None));
        assert_eq!((again.0.oath, again.0.reverified_by), (Oath::None, None));
        assert_eq!(again.0.appointment(), None);
    }
    let own = |given: Given, favorable: bool| {
        given.when(|case| decide::reopen_on_own_motion(case, BO, &motion(favorable), now()))
    };
    own(approved(), true).refused("NOT_REOPENABLE");
    own(oath_taken(), false).refused("NOT_REOPENABLE");
}

#[test]
fn what_is_pending_withdrawn_or_before_a_court_is_not_reopened_and_the_party_is_told_why() {
    let own = |given: Given, favorable: bool| {
        given.when(|case| decide::reopen_on_own_motion(case, BO, &motion(favorable), now()))
    };
    own(given([]), true).refused("NOT_FOUND");
    own(in_review(), true).refused("NOT_REOPENABLE");
    own(accepted().and(pb::CaseWithdrawn {}), true).refused("NOT_REOPENABLE");
    own(in_review().and(pb::CaseReferred::default()), true).refused("NOT_REOPENABLE");
    let moot = in_review().and(pb::CaseClosedAsMoot::default());
    assert_eq!(moot.0.outcome, Some(Outcome::ClosedAsMoot));
    own(moot, true).then(&["reopened_on_own_motion"]);
    let silent = Motion { reasons: "Short.".into(), ..motion(true) };
    denied()
        .when(|case| decide::reopen_on_own_motion(case, BO, &silent, now()))
        .refused("WORDS_OUT_OF_BOUNDS");
}
