//! Intake: every branch.

use docket_proto::case_status::events::v1 as pb;

use crate::domain::decide;
use crate::domain::samples::*;

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
    assert_eq!(decide::intake_reasons(&minor.0), ["under_18"]);
    assert!(decide::intake_reasons(&submitted().0).is_empty());
}

#[test]
fn a_filing_signed_by_another_is_looked_at_by_an_officer() {
    for (signed_as, reasons) in [
        ("", &[][..]),
        ("self", &[]),
        ("parent", &["signed_as_parent"]),
        ("guardian", &["signed_as_guardian"]),
        ("attorney_in_fact", &["signed_as_attorney_in_fact"]),
    ] {
        let case = given([pb::CaseOpened { signed_as: signed_as.into(), ..opened() }.into()]);
        assert_eq!(decide::intake_reasons(&case.0), reasons, "{signed_as}");
    }
}

#[test]
fn facts_of_others_are_kept_for_a_case_that_exists() {
    let notice = pb::NoticeRecorded { notice_id: BO.to_string(), notice_kind: "receipt".into() };
    accepted().when(|case| decide::record_notice(case, &notice)).then(&["notice_recorded"]);
    given([]).when(|case| decide::record_notice(case, &notice)).refused("NOT_FOUND");
    submitted().when(|case| decide::record_refund(case, 71_000)).then(&["refund_recorded"]);
    given([]).when(|case| decide::record_refund(case, 71_000)).refused("NOT_FOUND");
}
