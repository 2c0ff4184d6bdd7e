//! Assignment, review and withdrawal: every branch.

use docket_proto::case_status::events::v1 as pb;

use crate::domain::decide;
use crate::domain::samples::*;

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
