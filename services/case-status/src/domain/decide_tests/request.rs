//! Requests, their deadlines and their answers: every branch.

use docket_proto::case_status::events::v1 as pb;
use jiff::civil::date;
use uuid::Uuid;

use crate::domain::decide::{self, Asked, Response};
use crate::domain::samples::*;
use crate::domain::{Case, Event, RequestKind, RequestState};

fn asked(days: Option<u32>, supervised: bool) -> Asked {
    Asked {
        request_id: REQUEST,
        items: vec![pb::RequestedItem { code: "tax_transcripts".into(), reason: "missing".into() }],
        days,
        supervised,
        explanation: "please".into(),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the other events have no deadline")]
fn deadline_of(events: &[Event]) -> docket_proto::types::v1::Deadline {
    match &events[0] {
        Event::ExaminationContinued(event) => event.deadline.clone(),
        Event::EvidenceRequested(event) => event.deadline.clone(),
        Event::RequestServed(event) => event.deadline.clone(),
        other => panic!("no deadline in {other:?}"),
    }
    .unwrap()
}

#[test]
fn an_examination_is_continued_for_thirty_days_counted_from_a_working_day() {
    let continuing = |now| {
        interviewed(true)
            .when(|case| decide::continue_examination(case, &asked(None, false), now))
            .then(&["examination_continued"])
    };
    let deadline = deadline_of(&continuing(now()));
    assert_eq!((deadline.rule.as_str(), deadline.due_date.as_str()), ("n14", "2026-12-24"));
    assert_eq!(deadline.derivation, "2026-11-24 + 30d = 2026-12-24 Thu");
    assert_eq!(deadline.expires_at_us, at("2026-12-25T05:00:00Z").as_microsecond());
    // Asked on Thanksgiving: day 0 is the Friday after; 26 December 2026 is a Saturday.
    let deadline = deadline_of(&continuing(at("2026-11-26T17:00:00Z")));
    assert_eq!((deadline.day0_date.as_str(), deadline.due_date.as_str()), ("2026-11-27", "2026-12-28"));
}

#[test]
fn an_examination_is_continued_once_and_only_after_it_was_held() {
    let n14 =
        |given: Given| given.when(|case| decide::continue_examination(case, &asked(None, false), now()));
    n14(in_review()).refused("INTERVIEW_MISSING");
    n14(accepted()).refused("REVIEW_NOT_STARTED");
    n14(served()).refused("CONTINUED_ALREADY");
}

#[test]
fn a_request_for_evidence_gives_at_most_84_days_and_30_unless_a_supervisor_agrees() {
    let rfe = |given: Given, asked: Asked| given.when(|case| decide::request_evidence(case, &asked, now()));
    let deadline = deadline_of(&rfe(in_review(), asked(None, false)).then(&["evidence_requested"]));
    assert_eq!((deadline.base_days, deadline.mail_days), (84, 0));
    rfe(in_review(), asked(Some(85), false)).refused("PERIOD_TOO_LONG");
    rfe(in_review(), asked(Some(29), false)).refused("PERIOD_TOO_SHORT");
    rfe(in_review(), asked(Some(29), true)).then(&["evidence_requested"]);
    rfe(in_review(), Asked { items: Vec::new(), ..asked(None, false) }).refused("ITEMS_MISSING");
    rfe(served(), asked(None, false)).refused("REQUEST_OPEN");
    rfe(accepted(), asked(None, false)).refused("REVIEW_NOT_STARTED");
    rfe(recommended(true), asked(None, false)).refused("DECISION_PENDING");
}

#[test]
fn service_confirms_the_deadline_and_only_a_later_day_moves_it_to_later() {
    let notice = Uuid::from_u128(9);
    let serve = |day| {
        continued().when(|case| decide::serve_request(case, REQUEST, notice, day)).then(&["request_served"])
    };
    assert_eq!(deadline_of(&serve(date(2026, 11, 24))).due_date, "2026-12-24");
    assert_eq!(deadline_of(&serve(date(2026, 11, 23))).due_date, "2026-12-24");
    assert_eq!(deadline_of(&serve(date(2026, 11, 30))).due_date, "2026-12-30");
    served().when(|case| decide::serve_request(case, REQUEST, notice, date(2026, 12, 1))).then(&[]);
    interviewed(true)
        .when(|case| decide::serve_request(case, REQUEST, notice, date(2026, 11, 24)))
        .refused("NO_REQUEST_OPEN");
}

fn response(received_at: &str, complete: bool) -> Response {
    Response { request_id: REQUEST, received_at: at(received_at), complete, evidence: Vec::new() }
}

fn timely(events: &[Event]) -> bool {
    matches!(&events[0], Event::ResponseRecorded(event) if event.timely)
}

#[test]
fn a_response_at_the_instant_the_deadline_ends_is_late_but_kept() {
    let record = |received| {
        served()
            .when(|case| decide::record_response(case, &response(received, true)))
            .then(&["response_recorded"])
    };
    assert!(timely(&record("2026-12-25T04:59:59.999999Z")));
    assert!(!timely(&record("2026-12-25T05:00:00Z")));
}

#[test]
fn a_request_is_answered_once() {
    let answered = served().and(pb::ResponseRecorded {
        request_id: REQUEST.to_string(),
        received_at_us: 1,
        timely: true,
        complete: false,
        evidence: Vec::new(),
    });
    assert_eq!(answered.0.request.as_ref().unwrap().state, RequestState::RespondedPartial);
    let late = response("2026-12-01T00:00:00Z", true);
    answered.when(|case| decide::record_response(case, &late)).refused("ALREADY_RESPONDED");
    in_review().when(|case| decide::record_response(case, &late)).refused("NO_REQUEST_OPEN");
}

#[test]
fn a_deadline_passes_once_after_its_end_and_only_without_an_answer() {
    let pass = |given: &Given, now| given.when(|case| decide::pass_deadline(case, REQUEST, at(now)));
    pass(&served(), "2026-12-25T04:59:59.999999Z").then(&[]);
    pass(&served(), "2026-12-25T05:00:00Z").then(&["deadline_passed"]);
    pass(&continued(), "2026-12-25T05:00:00Z").then(&[]);
    let expired = served().and(pb::DeadlinePassed { request_id: REQUEST.to_string() });
    pass(&expired, "2026-12-26T05:00:00Z").then(&[]);
    // A late answer is kept; the request stays expired.
    let events = expired
        .when(|case| decide::record_response(case, &response("2026-12-26T00:00:00Z", true)))
        .then(&["response_recorded"]);
    assert_eq!(expired.and(events[0].clone()).0.request.unwrap().state, RequestState::Expired);
    pass(&served().and(pb::CaseWithdrawn {}), "2026-12-26T05:00:00Z").then(&[]);
}

#[test]
fn the_row_of_the_form_gives_the_period() {
    let case = Case { form: "I-539".into(), zone: "America/Chicago".into(), ..Case::default() };
    let plan = |day| decide::plan_deadline(&case, RequestKind::Rfe, day, None, false).unwrap().base_days;
    assert_eq!(plan(date(2026, 6, 1)), 30);
    assert_eq!(plan(date(2026, 9, 1)), 84);
}
