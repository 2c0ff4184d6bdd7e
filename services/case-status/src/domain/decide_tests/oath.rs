//! The oath and the certificate: every branch.

use docket_proto::case_status::events::v1 as pb;

use crate::domain::decide::{self, MovedBy};
use crate::domain::samples::*;

#[test]
fn another_officer_than_the_interviewer_checks_again_before_the_oath() {
    interviewed(true).when(|case| decide::reverify(case, BO)).refused("NOT_APPROVED");
    approved().when(|case| decide::reverify(case, ADA)).refused("SAME_OFFICER");
    approved().when(|case| decide::reverify(case, BO)).then(&["reverification_completed"]);
    oath_scheduled().when(|case| decide::reverify(case, BO)).then(&[]);
    let day = appointment("2026-12-18T15:00:00Z");
    approved().when(|case| decide::schedule_oath(case, &day, now())).refused("REVERIFICATION_MISSING");
    let checked = approved().and(pb::ReverificationCompleted { officer: BO.to_string() });
    checked.when(|case| decide::schedule_oath(case, &day, now())).then(&["oath_scheduled"]);
    oath_scheduled().when(|case| decide::schedule_oath(case, &day, now())).refused("NOT_NEEDED");
}

#[test]
fn who_did_not_come_to_the_ceremony_or_cannot_gets_another_day() {
    let day = appointment("2027-01-12T15:00:00Z");
    let again = |given: Given, now: &str| given.when(|case| decide::schedule_oath(case, &day, at(now)));
    again(oath_scheduled(), "2026-12-19T04:59:59Z").refused("NOT_NEEDED");
    let events = again(oath_scheduled(), "2026-12-19T05:00:00Z").then(&["oath_scheduled"]);
    let set = oath_scheduled().and(events[0].clone());
    assert_eq!(set.0.appointment(), Some(&day));
    set.when(|case| decide::take_oath(case, at("2027-01-12T17:00:00Z"), false)).then(&["oath_taken"]);
    again(oath_taken(), "2027-01-05T15:00:00Z").refused("NOT_NEEDED");

    let moving = |given: Given, by| given.when(|case| decide::move_oath(case, &day, by));
    moving(oath_scheduled(), MovedBy::Party).refused("OATH_NOT_MOVABLE");
    moving(oath_scheduled(), MovedBy::Office).then(&["oath_scheduled"]);
    moving(oath_taken(), MovedBy::Office).refused("NOT_SCHEDULED");
    moving(approved(), MovedBy::Office).refused("NOT_SCHEDULED");
    moving(interviewed(true), MovedBy::Office).refused("NOT_APPROVED");
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
