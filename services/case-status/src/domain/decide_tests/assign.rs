//! Assignment, review and withdrawal: every branch.

use docket_proto::case_status::events::v1 as pb;

use crate::domain::decide::{self, Response};
use crate::domain::samples::*;
use crate::domain::{Case, Event, RequestState, evolve, task, title};

#[test]
fn a_case_that_is_taken_from_its_officer_is_to_be_given_to_another_one() {
    let take = |given: Given| given.when(|case| decide::unassign(case, BO));
    let taken = in_review().and(take(in_review()).then(&["unassigned"])[0].clone());
    assert_eq!((taken.0.officer, crate::domain::task::task(&taken.0)), (None, Some("assign")));
    take(taken).then(&[]);
    take(approved()).then(&["unassigned"]);
    take(submitted()).refused("NOT_ACCEPTED");
    take(accepted().and(pb::CaseWithdrawn {})).refused("ALREADY_DECIDED");
}

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

/// The case after its party withdrew.
fn withdrawn(given: Given, kinds: &[&str]) -> Case {
    let events = given.when(decide::withdraw).then(kinds);
    events.iter().fold(given.0, |case, event: &Event| evolve(case, event))
}

#[test]
fn what_stood_open_ends_with_a_withdrawal() {
    let case = withdrawn(biometrics_scheduled(), &["withdrawn", "biometrics_cancelled"]);
    assert_eq!((case.appointment(), task::task(&case)), (None, None));
    let case = withdrawn(interview_scheduled(), &["withdrawn", "interview_cancelled"]);
    assert_eq!((case.appointment(), title::title(&case).id.as_str()), (None, "3"));
    let case = Given(withdrawn(served(), &["withdrawn", "request_cancelled"]));
    assert_eq!(case.0.open_request(), None);
    let never = at("2027-06-01T00:00:00Z");
    case.when(|case| decide::pass_deadline(case, REQUEST, never)).then(&[]);
}

#[test]
fn an_appointment_falls_away_also_in_a_log_from_before_its_end_was_an_event() {
    let old = biometrics_scheduled().and(pb::CaseWithdrawn {});
    assert_eq!((old.0.appointment(), old.0.biometrics_booking.appointment.as_ref()), (None, None));
}

#[test]
fn a_request_that_was_cancelled_is_not_served_and_an_answer_under_way_is_kept_beside_it() {
    let case = Given(withdrawn(continued(), &["withdrawn", "request_cancelled"]));
    let today = jiff::civil::date(2026, 11, 24);
    case.when(|case| decide::serve_request(case, REQUEST, uuid::Uuid::from_u128(9), today)).then(&[]);
    let (evidence, being_checked) = (Vec::new(), Vec::new());
    let response =
        Response { request_id: REQUEST, received_at: now(), complete: true, evidence, being_checked };
    let events = case.when(|case| decide::record_response(case, &response)).then(&["response_recorded"]);
    let case = events.iter().fold(case.0, evolve);
    let request = case.request.unwrap();
    assert_eq!((request.state, request.received_at), (RequestState::Cancelled, Some(now())));
}
