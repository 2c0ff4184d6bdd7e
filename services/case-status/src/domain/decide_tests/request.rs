//! Requests, their deadlines and their answers: every branch.

use docket_kernel::EventEnum as _;
use docket_proto::case_status::events::v1 as pb;
use jiff::civil::date;
use uuid::Uuid;

use crate::domain::decide::{self, Asked, Intent, Others, Response};
use crate::domain::samples::*;
use crate::domain::{Case, Event, RequestKind, RequestState, evolve, task, timeline, title};

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
        Event::DenialIntended(event) => event.deadline.clone(),
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

fn intent() -> Intent {
    Intent {
        request_id: REQUEST,
        grounds: "The record does not show it.".into(),
        derogatory_information: "Another record says otherwise.".into(),
        items: Vec::new(),
        days: None,
        supervised: false,
    }
}

/// A denial is intended on 24 November 2026 and the notice posted.
fn intended() -> Given {
    let given = in_review();
    let events = given.when(|case| decide::intend_denial(case, &intent(), now())).then(&["denial_intended"]);
    let given = given.and(events[0].clone());
    let notice = Uuid::from_u128(9);
    let served = given.when(|case| decide::serve_request(case, REQUEST, notice, date(2026, 11, 24)));
    given.and(served.then(&["request_served"])[0].clone())
}

#[test]
fn a_denial_is_intended_for_at_most_thirty_days_and_with_its_grounds() {
    let noid = |given: Given, intent: Intent| given.when(|case| decide::intend_denial(case, &intent, now()));
    let events = noid(in_review(), intent()).then(&["denial_intended"]);
    let deadline = deadline_of(&events);
    assert_eq!((deadline.rule.as_str(), deadline.due_date.as_str()), ("noid", "2026-12-24"));
    assert_eq!((deadline.base_days, deadline.mail_days), (30, 0));
    assert!(matches!(&events[0], Event::DenialIntended(event)
        if event.grounds == intent().grounds && !event.derogatory_information.is_empty()));
    noid(in_review(), Intent { days: Some(31), supervised: true, ..intent() }).refused("PERIOD_TOO_LONG");
    noid(in_review(), Intent { days: Some(20), ..intent() }).then(&["denial_intended"]);
    noid(in_review(), Intent { grounds: " ".into(), ..intent() }).refused("GROUNDS_MISSING");
    let nameless = pb::RequestedItem { code: String::new(), reason: "missing".into() };
    noid(in_review(), Intent { items: vec![nameless], ..intent() }).refused("ITEMS_MISSING");
    noid(in_review(), Intent { items: asked(None, false).items, ..intent() }).then(&["denial_intended"]);
}

#[test]
fn a_denial_is_intended_during_the_review_and_while_nothing_else_is_asked() {
    let noid = |given: Given| given.when(|case| decide::intend_denial(case, &intent(), now()));
    noid(accepted()).refused("REVIEW_NOT_STARTED");
    noid(recommended(false)).refused("DECISION_PENDING");
    noid(approved()).refused("ALREADY_DECIDED");
    noid(served()).refused("REQUEST_OPEN");
    noid(intended()).refused("REQUEST_OPEN");
    intended()
        .when(|case| decide::request_evidence(case, &asked(None, false), now()))
        .refused("REQUEST_OPEN");
    intended().when(|case| decide::recommend(case, ADA, false, "")).refused("REQUEST_OPEN");
}

#[test]
fn an_intended_denial_is_answered_or_passes_and_then_an_officer_decides() {
    let open = intended();
    assert_eq!(open.0.request.as_ref().unwrap().kind, RequestKind::Noid);
    assert_eq!((title::title(&open.0).id.as_str(), task::task(&open.0)), ("18", None));
    // Answered in time: the review goes on.
    let answer = response("2026-12-01T00:00:00Z", true);
    let events = open.when(|case| decide::record_response(case, &answer)).then(&["response_recorded"]);
    assert!(timely(&events));
    let answered = intended().and(events[0].clone());
    assert_eq!(
        (title::title(&answered.0).id.as_str(), task::task(&answered.0)),
        ("20", Some("schedule_interview"))
    );
    // Never answered: nothing is decided by the clock, and an officer may deny it as abandoned (8 CFR 103.2(b)(13)(i)).
    let passed = open.when(|case| decide::pass_deadline(case, REQUEST, at("2026-12-25T05:00:00Z")));
    let expired = open.and(passed.then(&["deadline_passed"])[0].clone());
    assert_eq!((title::title(&expired.0).id.as_str(), expired.0.outcome), ("19", None));
    assert_eq!(task::task(&expired.0), Some("schedule_interview"));
    let late = response("2026-12-26T00:00:00Z", true);
    assert!(!timely(&expired.when(|case| decide::record_response(case, &late)).then(&["response_recorded"])));
    assert_eq!(abandoned(expired), ["decision_reviewed", "denied"]);
}

/// What becomes of a denial as abandoned.
fn abandoned(case: Given) -> Vec<String> {
    let denied = denial(&["abandoned"]);
    let recommended = case.and(pb::DecisionRecommended {
        officer: ADA.to_string(),
        recommendation: "deny".into(),
        grounds: String::new(),
    });
    let decided = decide::decide_case(&recommended.0, BO, &denied, &Others::new(), now());
    let short = |event: &Event| event.kind().split('.').nth(1).unwrap_or_default().to_owned();
    decided
        .map_or_else(|refusal| vec![refusal.reason.to_owned()], |events| events.iter().map(short).collect())
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
    let (evidence, being_checked) = (Vec::new(), Vec::new());
    Response { request_id: REQUEST, received_at: at(received_at), complete, evidence, being_checked }
}

fn timely(events: &[Event]) -> bool {
    matches!(events.last(), Some(Event::ResponseRecorded(event)) if event.timely)
}

#[test]
fn a_response_at_the_instant_the_deadline_ends_is_late_but_kept() {
    let record = |received| served().when(|case| decide::record_response(case, &response(received, true)));
    assert!(timely(&record("2026-12-25T04:59:59.999999Z").then(&["response_recorded"])));
    // It tells what the clock has not told yet: the end is the same, whichever comes first.
    let late = record("2026-12-25T05:00:00Z").then(&["deadline_passed", "response_recorded"]);
    assert!(!timely(&late));
    let case = late.into_iter().fold(served(), Given::and);
    assert_eq!(case.0.request.as_ref().unwrap().state, RequestState::Expired);
    case.when(|case| decide::pass_deadline(case, REQUEST, at("2026-12-26T05:00:00Z"))).then(&[]);
    assert_eq!(abandoned(case), ["decision_reviewed", "denied"]);
    // Nobody's time runs before the notice is posted.
    continued()
        .when(|case| decide::record_response(case, &response("2026-12-26T00:00:00Z", true)))
        .then(&["response_recorded"]);
}

#[test]
fn an_answer_in_time_that_is_recorded_after_the_deadline_passed_counts() {
    for (complete, state) in
        [(true, RequestState::RespondedComplete), (false, RequestState::RespondedPartial)]
    {
        let expired = served().and(pb::DeadlinePassed { request_id: REQUEST.to_string() });
        let in_time = response("2026-12-25T04:59:59Z", complete);
        let events =
            expired.when(|case| decide::record_response(case, &in_time)).then(&["response_recorded"]);
        assert!(timely(&events));
        let answered = expired.and(events[0].clone());
        assert_eq!(answered.0.request.as_ref().unwrap().state, state);
        assert_eq!(title::title(&answered.0).id, "20");
        assert_eq!(abandoned(answered), ["NOT_ABANDONED"]);
    }
}

#[test]
fn an_answer_to_an_earlier_request_is_kept_with_that_one() {
    let later = Uuid::from_u128(0x15);
    let expired = served().and(pb::DeadlinePassed { request_id: REQUEST.to_string() });
    let asked_again = |given: Given| {
        let asked = Asked { request_id: later, ..asked(None, false) };
        let at = at("2026-12-28T17:00:00Z");
        let events =
            given.when(|case| decide::request_evidence(case, &asked, at)).then(&["evidence_requested"]);
        events.into_iter().fold(given, Given::and)
    };
    let again = asked_again(expired);
    let files = vec![docket_proto::types::v1::EvidenceRef::default(); 2];
    let late = Response { evidence: files, ..response("2026-12-30T12:00:00Z", true) };
    let events = again.when(|case| decide::record_response(case, &late)).then(&["response_recorded"]);
    assert!(!timely(&events));
    let kept = events.into_iter().fold(again, Given::and);
    let earlier = kept.0.request_with(REQUEST).unwrap();
    assert_eq!((earlier.state, earlier.received_at), (RequestState::Expired, Some(late.received_at)));
    assert_eq!(kept.0.new_evidence, 2, "the officer is told of it");
    // It answers nothing that was asked since, and comes once.
    assert_eq!(kept.0.open_request().map(|open| open.id), Some(later));
    assert_eq!(title::title(&kept.0).id, "17");
    kept.when(|case| decide::record_response(case, &late)).refused("ALREADY_RESPONDED");
    let unknown = Response { request_id: Uuid::from_u128(0x16), ..late };
    kept.when(|case| decide::record_response(case, &unknown)).refused("NO_REQUEST_OPEN");

    // A notice of the earlier one that comes after the later one was asked starts no clock.
    let unserved = asked_again(
        continued().and(pb::RequestCancelled { request_id: REQUEST.to_string(), cause: String::new() }),
    );
    unserved
        .when(|case| decide::serve_request(case, REQUEST, Uuid::from_u128(9), date(2026, 12, 28)))
        .then(&[]);
    // One that was sent in time and is heard of only now was in time.
    let expired = served().and(pb::DeadlinePassed { request_id: REQUEST.to_string() });
    let in_time = response("2026-12-24T12:00:00Z", true);
    let again = asked_again(expired);
    let events = again.when(|case| decide::record_response(case, &in_time)).then(&["response_recorded"]);
    assert!(timely(&events));
    let state = again.and(events[0].clone()).0.request_with(REQUEST).unwrap().state;
    assert_eq!(state, RequestState::RespondedComplete);
}

#[test]
fn a_day_that_is_to_come_stands_before_an_answer_that_was_given() {
    let answered = |given: Given| {
        let asked = given.and(pb::EvidenceRequested {
            request_id: REQUEST.to_string(),
            deadline: Some(crate::domain::samples::deadline()),
            ..pb::EvidenceRequested::default()
        });
        assert_eq!(title::title(&asked.0).id, "17", "what is asked for comes first");
        asked.and(pb::ResponseRecorded {
            request_id: REQUEST.to_string(),
            timely: true,
            complete: true,
            ..pb::ResponseRecorded::default()
        })
    };
    let row = |given: &Given| title::title(&given.0).id;
    let set = answered(interview_scheduled());
    assert_eq!(row(&set), "22");
    assert_eq!(row(&set.and(pb::InterviewMissed::default())), "21");
    let set = answered(biometrics_scheduled());
    assert_eq!(row(&set), "26");
    assert_eq!(row(&set.and(pb::BiometricsMissed::default())), "25");
    assert_eq!(row(&answered(interviewed(true))), "20");
    let passed = served().and(pb::DeadlinePassed { request_id: REQUEST.to_string() });
    assert_eq!(row(&passed), "19");
    assert_eq!(row(&passed.and(pb::InterviewScheduled::default())), "22");
}

#[test]
fn a_request_is_answered_once() {
    let answered = served().and(pb::ResponseRecorded {
        request_id: REQUEST.to_string(),
        received_at_us: 1,
        timely: true,
        complete: false,
        evidence: Vec::new(),
        being_checked: Vec::new(),
    });
    assert_eq!(answered.0.request.as_ref().unwrap().state, RequestState::RespondedPartial);
    let late = response("2026-12-01T00:00:00Z", true);
    answered.when(|case| decide::record_response(case, &late)).refused("ALREADY_RESPONDED");
    in_review().when(|case| decide::record_response(case, &late)).refused("NO_REQUEST_OPEN");
}

#[test]
fn a_file_that_was_not_scanned_yet_is_told_with_the_answer_and_its_verdict_after_it() {
    let file = Uuid::from_u128(77);
    for (received, said) in [
        ("2026-12-25T04:59:59Z", "timeline-response-recorded-checking"),
        ("2026-12-25T05:00:00Z", "timeline-response-recorded-late-checking"),
    ] {
        let unscanned = Response { being_checked: vec![file.to_string()], ..response(received, true) };
        let events = decide::record_response(&served().0, &unscanned).unwrap();
        let answered = events.iter().fold(served(), |given, event| given.and(event.clone()));
        assert_eq!(timeline::line(&answered.0, events.last().unwrap()).text, said);
        assert_eq!(answered.0.request.as_ref().unwrap().being_checked, [file].into());
        for (verdict, said) in [
            ("clean", "timeline-response-file-scanned"),
            ("infected", "timeline-response-file-scanned-refused"),
            ("unscannable", "timeline-response-file-scanned-refused"),
        ] {
            let scanned = answered
                .when(|case| decide::record_scan(case, REQUEST, file, verdict))
                .then(&["response_file_scanned"]);
            let line = timeline::line(&answered.0, &scanned[0]);
            assert_eq!((line.text.as_str(), line.office_only), (said, false));
            let after = evolve(answered.0.clone(), &scanned[0]);
            assert!(after.request.as_ref().unwrap().being_checked.is_empty());
            assert_eq!(after.request.unwrap().received_at, answered.0.request.as_ref().unwrap().received_at);
        }
    }
    assert_eq!(decide::record_scan(&Case::default(), REQUEST, file, "clean"), Ok(Vec::new()));
    let voided = accepted().and(pb::AcceptanceVoided::default());
    voided.when(|case| decide::record_scan(case, REQUEST, file, "clean")).then(&[]);
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
