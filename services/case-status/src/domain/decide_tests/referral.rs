//! Asylum that is not granted, denied or referred: every branch.

use docket_proto::case_status::events::v1 as pb;
use jiff::Timestamp;

use crate::domain::decide::{self, Others, Status, Verdict};
use crate::domain::samples::*;
use crate::domain::{Case, Event, Interview, Outcome, RequestState, Stage, evolve, task, title};

/// A reviewed application for asylum, whose applicant was heard.
fn heard() -> Given {
    let mut given = interviewed(true);
    given.0.family = "asylum".into();
    given.0.form = "I-589".into();
    given
}

/// The same, of a child that says to be without lawful status.
fn child() -> Given {
    let mut given = heard();
    given.0.without_status = true;
    given
}

fn advised(given: Given, recommendation: &str) -> Given {
    given.and(pb::DecisionRecommended {
        officer: ADA.to_string(),
        recommendation: recommendation.into(),
        grounds: String::new(),
    })
}

fn refer(given: &Given, now: Timestamp) -> Then {
    given.when(|case| decide::recommend_referral(case, ADA, "grounds", now))
}

fn decided(given: &Given, verdict: &Verdict) -> Then {
    given.when(|case| decide::decide_case(case, BO, verdict, &Others::new(), now()))
}

fn deny(status: Option<Status>) -> Verdict {
    Verdict::Deny {
        ground_codes: vec!["no_nexus".into()],
        reasons: "because".into(),
        status,
        new_facts: Some(decide::NewFacts::Absent),
    }
}

fn referral(status: Option<Status>) -> Verdict {
    Verdict::Refer { ground_codes: vec!["no_nexus".into()], reasons: "because".into(), status }
}

#[test]
fn only_an_application_for_asylum_is_referred_and_since_the_rule_unheard_too() {
    refer(&in_review(), now()).refused("NOT_ASYLUM");
    refer(&served(), now()).refused("REQUEST_OPEN");
    refer(&accepted(), now()).refused("REVIEW_NOT_STARTED");
    refer(&heard(), now()).then(&["decision_recommended"]);
    let mut unheard = heard();
    unheard.0.interview = Interview::ToSchedule;
    refer(&unheard, at("2026-07-28T03:59:59Z")).refused("INTERVIEW_MISSING");
    refer(&unheard, at("2026-07-28T04:00:00Z")).then(&["decision_recommended"]);
    // Who did not come was to be heard.
    unheard.0.interview = Interview::Missed;
    refer(&unheard, at("2026-07-27T12:00:00Z")).then(&["decision_recommended"]);
}

#[test]
fn who_is_in_a_lawful_status_is_denied_and_who_is_in_none_is_referred() {
    let denial = advised(heard(), "deny");
    decided(&denial, &deny(None)).refused("STATUS_MISSING");
    decided(&denial, &deny(Some(Status::None))).refused("REFERRED_NOT_DENIED");
    decided(&denial, &referral(None)).refused("NOT_AS_RECOMMENDED");
    let events = decided(&denial, &deny(Some(Status::Lawful))).then(&["decision_reviewed", "denied"]);
    let Event::CaseDenied(denied) = &events[1] else { unreachable!() };
    assert_eq!(denied.applicant_status, "lawful", "what the officer stated is kept");

    let referred = advised(heard(), "refer");
    decided(&referred, &deny(Some(Status::Lawful))).refused("NOT_AS_RECOMMENDED");
    decided(&referred, &Verdict::Approve).refused("NOT_AS_RECOMMENDED");
    decided(&referred, &referral(Some(Status::Lawful))).refused("DENIED_NOT_REFERRED");
    for status in [None, Some(Status::None)] {
        decided(&referred, &referral(status)).then(&["decision_reviewed", "referred"]);
    }
    decided(&referred, &Verdict::Return).then(&["decision_reviewed"]);
    referred
        .when(|case| decide::decide_case(case, ADA, &referral(None), &Others::new(), now()))
        .refused("SAME_OFFICER");
    let silent = Verdict::Refer { ground_codes: Vec::new(), reasons: "because".into(), status: None };
    decided(&referred, &silent).refused("GROUNDS_MISSING");
    // Of nobody else is the status said.
    decided(&recommended(false), &deny(Some(Status::Lawful))).refused("NOT_ASYLUM");
}

#[test]
fn whom_the_file_shows_without_status_nobody_denies_whatever_is_stated() {
    child().when(|case| decide::recommend(case, ADA, false, "")).refused("REFERRED_NOT_DENIED");
    decided(&advised(child(), "deny"), &deny(Some(Status::Lawful))).refused("REFERRED_NOT_DENIED");
    decided(&advised(child(), "refer"), &referral(None)).then(&["decision_reviewed", "referred"]);
    child().when(|case| decide::recommend(case, ADA, true, "")).then(&["decision_recommended"]);
}

#[test]
fn a_referral_ends_what_stands_and_is_final_here() {
    let mut open = advised(heard(), "refer").and(pb::InquirySent {
        inquiry_id: REQUEST.to_string(),
        kind: "typographic_error".into(),
        ..pb::InquirySent::default()
    });
    open.0.interview = Interview::Scheduled;
    open.0.interview_booking.appointment = Some(appointment("2026-12-15T15:00:00Z"));
    let events = decided(&open, &referral(None));
    let events = events.then(&["decision_reviewed", "referred", "interview_cancelled", "inquiry_closed"]);
    let Event::InterviewCancelled(cancelled) = &events[2] else { unreachable!() };
    assert_eq!(cancelled.cause, "referred");
    let case: Case = events.iter().fold(open.0, evolve);
    assert_eq!(
        (case.stage, case.outcome, case.decided_by),
        (Stage::Closed, Some(Outcome::Referred), Some(BO))
    );
    assert_eq!((title::title(&case).id.as_str(), task::task(&case), case.appointment()), ("2a", None, None));
    assert!(case.request.iter().all(|request| request.state != RequestState::Open));
    let case = Given(case);
    case.when(decide::withdraw).refused("ALREADY_DECIDED");
    case.when(|case| decide::assign(case, BO)).refused("ALREADY_DECIDED");
    let motion = Case { challenge: "motion_reopen".into(), ..Case::default() };
    case.when(|case| decide::reopen(case, REQUEST, &motion, BO)).refused("NOT_DENIED");
    assert_eq!(decide::basis_end(&case.0), None, "it is pending before the court");
}
