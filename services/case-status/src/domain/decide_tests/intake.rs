//! Intake: every branch.

use docket_proto::case_status::events::v1 as pb;
use docket_proto::payments::events::v1::RefundFailed;
use docket_proto::types::v1::KeptFee;

use crate::domain::samples::*;
use crate::domain::{Case, Event, decide, evolve, timeline};

#[test]
fn a_filing_becomes_one_case() {
    given([]).when(|case| decide::open(case, &opened())).then(&["opened"]);
    submitted().when(|case| decide::open(case, &opened())).refused("CASE_EXISTS");
}

#[test]
fn a_request_for_a_hearing_is_to_be_heard_within_180_days_of_its_receipt() {
    let filed = |challenge: &str| {
        let filed = pb::CaseOpened { form: "N-336".into(), challenge: challenge.into(), ..opened() };
        let mut events = given([]).when(|case| decide::open(case, &filed)).then(&["opened"]);
        let text = timeline::line(&Case::default(), &events[0]).text;
        let Event::CaseOpened(opened) = events.remove(0) else { unreachable!() };
        (given([opened.into()]).0.office_deadline, text)
    };
    let (day, text) = filed("hearing");
    let day = day.unwrap();
    assert_eq!((day.rule.as_str(), day.due_date.as_str()), ("n336.hearing", "2027-05-22"));
    assert_eq!(text, "timeline-opened-hearing");
    assert_eq!(filed("motion_reopen"), (None, "timeline-opened".to_owned()));
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
    let refund = |payment_id: &str| {
        let submitted = given([pb::CaseOpened { payment_id: payment_id.into(), ..opened() }.into()]);
        let events = submitted.when(|case| decide::reject(case, &codes)).then(&["filing_rejected"]);
        let Event::FilingRejected(rejected) = &events[0] else { panic!("{events:?}") };
        rejected.refund
    };
    assert!(refund("019a0000-0000-7000-8000-000000000001") && !refund(""), "what was paid goes back");
    accepted().when(|case| decide::reject(case, &codes)).refused("ALREADY_ACCEPTED");
    accepted().when(|case| decide::accept(case, RECEIPT, "NBC")).refused("ALREADY_ACCEPTED");
    let rejected = submitted().and(pb::FilingRejected { codes: codes.to_vec(), refund: true, kept: None });
    rejected.when(|case| decide::accept(case, RECEIPT, "NBC")).refused("ALREADY_REJECTED");
    rejected.when(decide::start_review).refused("ALREADY_REJECTED");
    submitted().when(|case| decide::reject(case, &[])).refused("CODES_MISSING");
    given([]).when(|case| decide::accept(case, RECEIPT, "NBC")).refused("NOT_FOUND");
}

#[test]
fn what_the_law_keeps_of_a_fee_does_not_go_back_and_is_said_with_its_source() {
    let codes = ["X-SIGN".to_owned()];
    let rejected = |payment: &str, is_all: bool| {
        let kept_fee = Some(KeptFee { cents: 10_000, is_all, cite: "Pub. L. 119-21".into() });
        let opened = pb::CaseOpened { payment_id: payment.into(), kept_fee, ..opened() };
        let case = given([opened.into()]);
        let events = case.when(|case| decide::reject(case, &codes)).then(&["filing_rejected"]);
        let line = timeline::line(&case.0, &events[0]);
        let Event::FilingRejected(rejected) = &events[0] else { panic!("{events:?}") };
        (rejected.refund, rejected.kept.as_ref().map(|kept| kept.cents), line.text)
    };
    let paid = "019a0000-0000-7000-8000-000000000001";
    let said = |variant: &str| format!("timeline-filing-rejected-{variant}");
    assert_eq!(rejected(paid, true), (false, Some(10_000), said("kept")));
    assert_eq!(rejected(paid, false), (true, Some(10_000), said("partly")));
    assert_eq!(rejected("", true), (false, None, said("free")), "nothing was paid");
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
        ("self_other_name", &["name_not_proven"]),
        ("parent", &["signed_as_parent"]),
        ("guardian", &["signed_as_guardian"]),
        ("attorney_in_fact", &["signed_as_attorney_in_fact"]),
        ("company_officer", &["signed_as_company_officer"]),
    ] {
        let case = given([pb::CaseOpened { signed_as: signed_as.into(), ..opened() }.into()]);
        assert_eq!(decide::intake_reasons(&case.0), reasons, "{signed_as}");
    }
}

#[test]
fn a_waiver_of_the_fee_is_decided_before_the_filing_is_accepted() {
    let asked = || given([pb::CaseOpened { fee_waiver: true, ..opened() }.into()]);
    assert_eq!(decide::intake_reasons(&asked().0), ["fee_waiver"]);
    asked().when(|case| decide::accept(case, RECEIPT, "NBC")).refused("FEE_WAIVER_UNDECIDED");
    asked().when(|case| decide::decide_fee_waiver(case, ADA, true)).then(&["fee_waiver_granted"]);
    let granted = asked().and(pb::FeeWaiverGranted { officer: ADA.to_string() });
    granted.when(|case| decide::accept(case, RECEIPT, "NBC")).then(&["filing_accepted", "biometrics_needed"]);
    granted.when(|case| decide::decide_fee_waiver(case, ADA, false)).refused("NO_WAIVER_ASKED");
    submitted().when(|case| decide::decide_fee_waiver(case, ADA, true)).refused("NO_WAIVER_ASKED");
    accepted().when(|case| decide::decide_fee_waiver(case, ADA, true)).refused("ALREADY_ACCEPTED");
    given([]).when(|case| decide::decide_fee_waiver(case, ADA, true)).refused("NOT_FOUND");
    let refused = asked()
        .when(|case| decide::decide_fee_waiver(case, ADA, false))
        .then(&["fee_waiver_refused", "filing_rejected"]);
    let Event::FilingRejected(rejected) = &refused[1] else { panic!("{refused:?}") };
    assert_eq!(rejected.codes, ["I912-DENIED"]);
}

#[test]
fn facts_of_others_are_kept_for_a_case_that_exists() {
    let notice = pb::NoticeRecorded { notice_id: BO.to_string(), notice_kind: "receipt".into() };
    accepted().when(|case| decide::record_notice(case, &notice)).then(&["notice_recorded"]);
    given([]).when(|case| decide::record_notice(case, &notice)).refused("NOT_FOUND");
    submitted().when(|case| decide::record_refund(case, "r", 71_000)).then(&["refund_recorded"]);
    given([]).when(|case| decide::record_refund(case, "r", 71_000)).refused("NOT_FOUND");
}

#[test]
fn a_refund_that_did_not_arrive_takes_its_amount_away_until_it_is_done_again() {
    let failed = |was_issued| RefundFailed {
        refund_id: "r".into(),
        amount_cents: 71_000,
        was_issued,
        account_id: BO.to_string(),
        ..RefundFailed::default()
    };
    let go = |case: Given, events: Vec<Event>| Given(events.iter().fold(case.0, evolve));
    let issue = |case: &Given, id: &str| case.when(|case| decide::record_refund(case, id, 71_000));
    let fail = |case: &Given, failed: &RefundFailed| {
        case.when(|case| decide::record_refund_failure(case, failed)).then(&["refund_failure_recorded"])
    };
    let events = issue(&submitted(), "r").then(&["refund_recorded"]);
    let back = go(submitted(), events);
    issue(&back, "r").then(&[]);
    let told = fail(&back, &failed(true));
    let Event::RefundFailureRecorded(said) = &told[0] else { panic!("{told:?}") };
    assert!(said.was_recorded && said.account_id == BO.to_string());
    let owed = go(back, told);
    assert_eq!(owed.0.refunded_cents, 0, "it is with us");
    let events = issue(&owed, "r").then(&["refund_recorded"]);
    let again = go(owed, events);
    assert_eq!(again.0.refunded_cents, 71_000, "once, though it was given back twice");

    // One that never went takes nothing away, nor does one refund what another gave.
    let events = fail(&again, &RefundFailed { refund_id: "other".into(), ..failed(false) });
    assert_eq!(go(again, events).0.refunded_cents, 71_000);
    // What was recorded before its id was kept.
    let old = submitted().and(pb::RefundRecorded { amount_cents: 71_000, ..Default::default() });
    let events = fail(&old, &failed(true));
    assert_eq!(go(old, events).0.refunded_cents, 0);
    given([]).when(|case| decide::record_refund_failure(case, &failed(true))).refused("NOT_FOUND");
}
