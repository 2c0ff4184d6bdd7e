//! Every branch of every decision: the name is the rule, the body is given, when, then.

use docket_proto::case_status::events::v1 as pb;
use jiff::civil::date;
use uuid::Uuid;

use super::decide::{self, Asked, MovedBy, Response, TestResult, Verdict};
use super::samples::*;
use super::{Case, Event, RequestKind, RequestState};

fn asked(days: Option<u32>, supervised: bool) -> Asked {
    Asked {
        request_id: REQUEST,
        items: vec![pb::RequestedItem { code: "tax_transcripts".into(), reason: "missing".into() }],
        days,
        supervised,
        explanation: "please".into(),
    }
}

fn tests(parts: &[(&str, bool)]) -> Vec<TestResult> {
    parts.iter().map(|(part, passed)| TestResult { part: (*part).to_owned(), passed: *passed }).collect()
}

fn deny(codes: &[&str]) -> Verdict {
    Verdict::Deny {
        ground_codes: codes.iter().map(|code| (*code).to_owned()).collect(),
        reasons: "because".into(),
    }
}

// --- intake

#[test]
fn a_filing_becomes_one_case() {
    given([]).when(|case| decide::open(case, &opened())).then(&["opened"]);
    submitted().when(|case| decide::open(case, &opened())).refused("CASE_EXISTS");
}

#[test]
fn an_accepted_naturalization_needs_biometrics() {
    submitted()
        .when(|case| decide::accept(case, RECEIPT, "NBC"))
        .then(&["filing_accepted", "biometrics_needed"]);
    let petition = given([pb::CaseOpened { family: "family_petition".into(), ..opened() }.into()]);
    petition.when(|case| decide::accept(case, RECEIPT, "NBC")).then(&["filing_accepted"]);
}

#[test]
fn acceptance_and_rejection_exclude_each_other() {
    let codes = ["X-SIGN".to_owned()];
    submitted().when(|case| decide::reject(case, &codes)).then(&["filing_rejected"]);
    accepted().when(|case| decide::reject(case, &codes)).refused("ALREADY_ACCEPTED");
    accepted().when(|case| decide::accept(case, RECEIPT, "NBC")).refused("ALREADY_ACCEPTED");
    let rejected = submitted().and(pb::FilingRejected { codes: codes.to_vec(), refund: true });
    rejected.when(|case| decide::accept(case, RECEIPT, "NBC")).refused("ALREADY_REJECTED");
    rejected.when(decide::start_review).refused("ALREADY_REJECTED");
    submitted().when(|case| decide::reject(case, &[])).refused("CODES_MISSING");
    given([]).when(|case| decide::accept(case, RECEIPT, "NBC")).refused("NOT_FOUND");
}

#[test]
fn a_minor_asking_for_naturalization_is_looked_at_by_an_officer() {
    let minor = given([pb::CaseOpened { age: 17, ..opened() }.into()]);
    assert!(decide::needs_an_officer(&minor.0));
    assert!(!decide::needs_an_officer(&submitted().0));
}

#[test]
fn facts_of_others_are_kept_for_a_case_that_exists() {
    let notice = pb::NoticeRecorded { notice_id: BO.to_string(), notice_kind: "receipt".into() };
    accepted().when(|case| decide::record_notice(case, &notice)).then(&["notice_recorded"]);
    given([]).when(|case| decide::record_notice(case, &notice)).refused("NOT_FOUND");
    submitted().when(|case| decide::record_refund(case, 71_000)).then(&["refund_recorded"]);
    given([]).when(|case| decide::record_refund(case, 71_000)).refused("NOT_FOUND");
}

// --- assignment, review, withdrawal

#[test]
fn an_accepted_case_is_assigned_and_giving_it_again_changes_nothing() {
    submitted().when(|case| decide::assign(case, ADA)).refused("NOT_ACCEPTED");
    accepted().when(|case| decide::assign(case, ADA)).then(&["assigned"]);
    in_review().when(|case| decide::assign(case, ADA)).then(&[]);
    in_review().when(|case| decide::assign(case, BO)).then(&["assigned"]);
    approved().when(|case| decide::assign(case, BO)).then(&["assigned"]);
    accepted().when(|case| decide::assign(case, APPLICANT)).refused("CONFLICT_OF_INTEREST");
}

#[test]
fn a_review_begins_once() {
    accepted().when(decide::start_review).then(&["review_started"]);
    in_review().when(decide::start_review).then(&[]);
    recommended(true).when(decide::start_review).refused("DECISION_PENDING");
    approved().when(decide::start_review).refused("ALREADY_DECIDED");
}

#[test]
fn a_withdrawal_is_final() {
    submitted().when(decide::withdraw).refused("NOT_ACCEPTED");
    let withdrawn = accepted().and(pb::CaseWithdrawn {});
    accepted().when(decide::withdraw).then(&["withdrawn"]);
    withdrawn.when(decide::withdraw).refused("ALREADY_DECIDED");
    withdrawn.when(decide::start_review).refused("ALREADY_DECIDED");
    approved().when(decide::withdraw).refused("ALREADY_DECIDED");
}

// --- biometrics

#[test]
fn one_biometrics_appointment_stands_at_a_time() {
    let day = appointment("2026-12-08T15:00:00Z");
    accepted().when(|case| decide::schedule_biometrics(case, &day)).then(&["biometrics_scheduled"]);
    biometrics_scheduled().when(|case| decide::schedule_biometrics(case, &day)).refused("NOT_NEEDED");
    biometrics_taken().when(|case| decide::schedule_biometrics(case, &day)).refused("ALREADY_ATTENDED");
    let missed = biometrics_scheduled().and(pb::BiometricsMissed::default());
    missed.when(|case| decide::schedule_biometrics(case, &day)).then(&["biometrics_scheduled"]);
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

// --- interview

#[test]
fn an_interview_follows_biometrics_and_checks() {
    let day = appointment("2026-12-15T15:00:00Z");
    let set = |given: Given| given.when(|case| decide::schedule_interview(case, &day));
    set(accepted()).refused("BIOMETRICS_MISSING");
    set(biometrics_taken()).refused("CHECKS_MISSING");
    set(in_review()).then(&["interview_scheduled"]);
    set(interview_scheduled()).refused("NOT_NEEDED");
    set(interviewed(true)).refused("NOT_NEEDED");
}

#[test]
fn a_second_examination_is_not_before_day_60() {
    let set = |day| interviewed(false).when(|case| decide::schedule_interview(case, &appointment(day)));
    set("2027-01-22T15:00:00Z").refused("TOO_SOON");
    set("2027-01-25T15:00:00Z").then(&["interview_scheduled"]);
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

// --- requests

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

// --- decision

#[test]
fn an_approval_is_recommended_when_everything_it_needs_is_there() {
    let approve = |given: Given| given.when(|case| decide::recommend(case, ADA, true, ""));
    approve(accepted()).refused("REVIEW_NOT_STARTED");
    approve(accepted().and(pb::ReviewStarted {})).refused("BIOMETRICS_MISSING");
    approve(biometrics_taken().and(pb::ReviewStarted {})).refused("CHECKS_MISSING");
    approve(in_review()).refused("INTERVIEW_MISSING");
    approve(interviewed(false)).refused("TEST_FAILED");
    let untested = interview_scheduled().and(pb::InterviewCompleted::default());
    approve(untested).refused("TESTS_MISSING");
    approve(served()).refused("REQUEST_OPEN");
    approve(interviewed(true)).then(&["decision_recommended"]);
    approve(recommended(true)).refused("DECISION_PENDING");
    in_review().when(|case| decide::recommend(case, ADA, false, "grounds")).then(&["decision_recommended"]);
}

#[test]
fn who_recommended_does_not_decide() {
    let decide = |given: Given, officer, verdict| {
        given.when(|case| decide::decide_case(case, officer, &verdict, now()))
    };
    decide(recommended(true), ADA, Verdict::Approve).refused("SAME_OFFICER");
    decide(interviewed(true), BO, Verdict::Approve).refused("NOT_RECOMMENDED");
    decide(recommended(true), BO, Verdict::Approve).then(&["decision_reviewed", "approved"]);
    decide(approved(), BO, Verdict::Approve).refused("ALREADY_DECIDED");
}

#[test]
fn a_decision_is_the_recommended_one_or_goes_back() {
    let decide = |given: Given, verdict| given.when(|case| decide::decide_case(case, BO, &verdict, now()));
    decide(recommended(true), deny(&["moral_character"])).refused("NOT_AS_RECOMMENDED");
    decide(recommended(false), Verdict::Approve).refused("NOT_AS_RECOMMENDED");
    let events = decide(recommended(true), Verdict::Return).then(&["decision_reviewed"]);
    let back = recommended(true).and(events[0].clone());
    assert!(back.0.recommendation.is_none());
    back.when(|case| decide::recommend(case, ADA, true, "")).then(&["decision_recommended"]);
}

#[test]
fn a_denial_names_its_grounds_and_abandonment_needs_something_that_never_came() {
    let decide = |given: Given, verdict| given.when(|case| decide::decide_case(case, BO, &verdict, now()));
    decide(recommended(false), deny(&["moral_character"])).then(&["decision_reviewed", "denied"]);
    decide(recommended(false), deny(&[])).refused("GROUNDS_MISSING");
    let unreasoned = Verdict::Deny { ground_codes: vec!["x".into()], reasons: " ".into() };
    decide(recommended(false), unreasoned).refused("GROUNDS_MISSING");
    decide(recommended(false), deny(&["abandoned"])).refused("NOT_ABANDONED");
    let expired =
        served().and(pb::DeadlinePassed { request_id: REQUEST.to_string() }).and(pb::DecisionRecommended {
            officer: ADA.to_string(),
            recommendation: "deny".into(),
            grounds: String::new(),
        });
    let events = decide(expired, deny(&["abandoned"])).then(&["decision_reviewed", "denied"]);
    assert!(matches!(&events[1], Event::CaseDenied(event) if event.abandoned));
}

// --- oath and certificate

#[test]
fn another_officer_than_the_interviewer_checks_again_before_the_oath() {
    interviewed(true).when(|case| decide::reverify(case, BO)).refused("NOT_APPROVED");
    approved().when(|case| decide::reverify(case, ADA)).refused("SAME_OFFICER");
    approved().when(|case| decide::reverify(case, BO)).then(&["reverification_completed"]);
    oath_scheduled().when(|case| decide::reverify(case, BO)).then(&[]);
    let day = appointment("2026-12-18T15:00:00Z");
    approved().when(|case| decide::schedule_oath(case, &day)).refused("REVERIFICATION_MISSING");
    let checked = approved().and(pb::ReverificationCompleted { officer: BO.to_string() });
    checked.when(|case| decide::schedule_oath(case, &day)).then(&["oath_scheduled"]);
    oath_scheduled().when(|case| decide::schedule_oath(case, &day)).refused("NOT_NEEDED");
}

#[test]
fn the_oath_is_taken_at_its_ceremony_and_the_certificate_follows_it() {
    approved().when(|case| decide::take_oath(case, now(), true)).refused("OATH_NOT_SCHEDULED");
    oath_scheduled().when(|case| decide::take_oath(case, now(), false)).refused("TOO_EARLY");
    oath_scheduled().when(|case| decide::take_oath(case, now(), true)).then(&["oath_taken"]);
    oath_taken().when(|case| decide::take_oath(case, now(), true)).refused("ALREADY_ATTENDED");
    oath_scheduled().when(|case| decide::issue_certificate(case, "12345678")).refused("OATH_NOT_TAKEN");
    oath_taken().when(|case| decide::issue_certificate(case, "123456")).refused("NUMBER_MALFORMED");
    oath_taken().when(|case| decide::issue_certificate(case, "1234567x")).refused("NUMBER_MALFORMED");
    oath_taken().when(|case| decide::issue_certificate(case, "12345678")).then(&["certificate_issued"]);
    let done = oath_taken().and(pb::CertificateIssued::default());
    done.when(|case| decide::issue_certificate(case, "12345678")).refused("ALREADY_ISSUED");
}

#[test]
fn every_reason_of_the_list_is_raised_by_a_test_and_no_other_is() {
    let tests = concat!(include_str!("decide_tests.rs"), include_str!("appointment.rs"));
    for reason in decide::REASONS {
        assert!(tests.contains(&format!("\"{reason}\"")), "{reason} is raised by no test");
    }
    let sources = [
        include_str!("decide.rs"),
        include_str!("decide/assign.rs"),
        include_str!("decide/biometrics.rs"),
        include_str!("decide/decision.rs"),
        include_str!("decide/intake.rs"),
        include_str!("decide/interview.rs"),
        include_str!("decide/oath.rs"),
        include_str!("decide/request.rs"),
        include_str!("decide/response.rs"),
    ];
    for source in sources {
        let raised = source.split("Refusal::").skip(1).filter_map(|rest| rest.split_once('('));
        for (constructor, rest) in raised {
            if !["state", "invalid", "exists", "not_yours"].contains(&constructor) {
                continue;
            }
            let upper =
                |text: &&str| text.len() > 3 && text.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
            let reason = rest.split('"').find(upper).unwrap();
            assert!(decide::REASONS.contains(&reason), "{reason} stands in no list");
        }
    }
}
