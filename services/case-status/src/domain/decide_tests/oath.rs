//! The oath and the certificate: every branch.

use docket_proto::case_status::events::v1 as pb;

use crate::domain::decide;
use crate::domain::samples::*;

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
