//! A fee that was not honoured, made good or not: every branch.

use docket_proto::case_status::events::v1 as pb;
use jiff::Timestamp;
use uuid::Uuid;

use crate::domain::decide::{self, Others, Returned, Verdict};
use crate::domain::samples::*;
use crate::domain::{Biometrics, Case, Event, Stage, evolve, task, title};

const RETURN: Uuid = Uuid::from_u128(0xFEE);

fn returned() -> Returned {
    Returned { id: RETURN, amount_cents: 71_000, reason: "insufficient_funds".into(), at: now() }
}

/// The same case after its payment came back.
fn owing(case: Given) -> Given {
    let events =
        case.when(|case| decide::record_payment_return(case, &returned())).then(&["payment_return_recorded"]);
    Given(events.iter().fold(case.0, evolve))
}

/// The first instant after the last day to pay: 14 days from November 24 is December 8.
fn overdue() -> Timestamp {
    at("2026-12-09T05:00:00Z")
}

fn void(case: &Given, why: &str, at: Timestamp) -> Then {
    case.when(|case| decide::void_acceptance(case, ADA, why, at))
}

#[test]
fn a_return_decides_nothing_and_says_until_when_it_may_be_made_good() {
    let case = owing(biometrics_scheduled());
    let owed = case.0.fee_owed.as_ref().unwrap();
    assert_eq!((owed.amount_cents, owed.deadline.due_date.as_str()), (71_000, "2026-12-08"));
    assert_eq!((case.0.stage, case.0.biometrics), (Stage::Accepted, Biometrics::Scheduled));
    assert_eq!(title::title(&case.0).id, "33b");
    let again = case.when(|case| decide::record_made_good(case, 71_000)).then(&["fee_made_good_recorded"]);
    let case = Given(again.iter().fold(case.0, evolve));
    assert_eq!((case.0.fee_owed.clone(), title::title(&case.0).id.as_str()), (None, "26"));
    case.when(|case| decide::record_made_good(case, 71_000)).then(&[]);
}

#[test]
fn a_filing_that_was_not_taken_owes_nothing() {
    for ended in [
        Event::from(pb::FilingRejected { codes: vec!["X-SIGN".into()], refund: true, kept: None }),
        pb::AcceptanceVoided::default().into(),
    ] {
        let case = submitted().and(ended);
        case.when(|case| decide::record_payment_return(case, &returned())).then(&[]);
    }
    assert!(decide::record_payment_return(&Case::default(), &returned()).is_err());
    assert!(decide::record_made_good(&Case::default(), 1).is_err());
}

#[test]
fn a_rejected_filing_owes_nothing_any_more() {
    let case = owing(submitted()).and(pb::FilingRejected {
        codes: vec!["X-PAYFAIL".into()],
        refund: true,
        kept: None,
    });
    case.when(|case| decide::pass_fee_deadline(case, RETURN, overdue())).then(&[]);
    case.when(|case| decide::record_made_good(case, 71_000)).then(&[]);
}

#[test]
fn a_decided_case_keeps_its_decision_and_shows_what_is_owed() {
    let approved =
        in_review().and(pb::CaseApproved { officer: BO.to_string(), effective_date: "2026-11-24".into() });
    let before = approved.0.clone();
    let case = owing(approved);
    assert_eq!((case.0.stage, case.0.outcome), (before.stage, before.outcome));
    assert!(case.0.fee_owed.is_some());
    assert_eq!(title::title(&case.0), title::title(&before));
    void(&case, "payment", overdue()).refused("ALREADY_DECIDED");
}

#[test]
fn a_case_whose_fee_is_owed_is_neither_accepted_nor_approved() {
    let case = owing(submitted());
    assert_eq!(decide::intake_reasons(&case.0), ["fee_owed"]);
    case.when(|case| decide::accept(case, RECEIPT, "NBC")).refused("FEE_OWED");
    let case = owing(in_review());
    case.when(|case| decide::recommend(case, ADA, true, "")).refused("FEE_OWED");
    let recommended = case.and(pb::DecisionRecommended {
        officer: ADA.to_string(),
        recommendation: "approve".into(),
        grounds: String::new(),
    });
    assert_eq!(task::task(&recommended.0), Some("see_to_fee"));
    recommended
        .when(|case| decide::decide_case(case, BO, &Verdict::Approve, &Others::new(), now()))
        .refused("FEE_OWED");
}

#[test]
fn the_deadline_passes_once_and_decides_nothing() {
    let case = owing(accepted().and(pb::CaseAssigned { officer: ADA.to_string() }));
    let pass = |case: &Given, id, at| case.when(|case| decide::pass_fee_deadline(case, id, at));
    pass(&case, RETURN, at("2026-12-09T04:59:59Z")).then(&[]);
    pass(&case, Uuid::from_u128(1), overdue()).then(&[]);
    let events = pass(&case, RETURN, overdue()).then(&["fee_deadline_passed"]);
    let case = Given(events.iter().fold(case.0, evolve));
    assert_eq!((case.0.stage, task::task(&case.0)), (Stage::Accepted, Some("see_to_fee")));
    pass(&case, RETURN, overdue()).then(&[]);
}

#[test]
fn the_acceptance_is_taken_back_only_when_the_day_is_over() {
    void(&biometrics_scheduled(), "payment", overdue()).refused("FEE_NOT_OWED");
    let case = owing(biometrics_scheduled());
    void(&case, "weather", overdue()).refused("CAUSE_UNKNOWN");
    void(&case, "payment", at("2026-12-09T04:59:59Z")).refused("FEE_STILL_IN_TIME");
    let events = void(&case, "payment", overdue()).then(&["biometrics_cancelled", "acceptance_voided"]);
    let Some(Event::AcceptanceVoided(voided)) = events.last() else { unreachable!() };
    assert!(!voided.refund, "nothing is there to go back");
    let case = Given(events.iter().fold(case.0, evolve));
    assert_eq!((case.0.stage, case.0.receipt_number.as_str()), (Stage::Voided, RECEIPT));
    assert_eq!((title::title(&case.0).id.as_str(), task::task(&case.0)), ("33a", None));
    assert_eq!((case.0.appointment(), case.0.fee_owed.clone()), (None, None));
    void(&case, "payment", overdue()).refused("ALREADY_VOIDED");
    case.when(decide::withdraw).refused("ALREADY_VOIDED");
    case.when(|case| decide::accept(case, RECEIPT, "NBC")).refused("ALREADY_ACCEPTED");
}

#[test]
fn a_signature_is_questioned_only_since_the_rule_and_then_the_fee_goes_back() {
    let paid = |case: Given| {
        let mut case = case.0;
        case.payment = Some(Uuid::from_u128(5));
        Given(case)
    };
    let events = void(&paid(accepted()), "signature", now()).then(&["acceptance_voided"]);
    let Some(Event::AcceptanceVoided(voided)) = events.last() else { unreachable!() };
    assert!(voided.refund);
    let before = |date: &str| {
        let mut case = paid(accepted()).0;
        case.receipt_date = date.into();
        Given(case)
    };
    void(&before("2026-07-09"), "signature", now()).refused("SIGNATURE_ACCEPTED");
    void(&before("2026-07-10"), "signature", now()).then(&["acceptance_voided"]);
}

#[test]
fn one_payment_clears_what_it_pays_and_no_more() {
    let earlier = Returned { id: Uuid::from_u128(0xFED), amount_cents: 9_500, ..returned() };
    let case = owing(accepted());
    let events =
        case.when(|case| decide::record_payment_return(case, &earlier)).then(&["payment_return_recorded"]);
    let case = Given(events.iter().fold(case.0, evolve));
    let owed = |case: &Given| case.0.fee_owed.as_ref().map(|owed| owed.amount_cents);
    assert_eq!(owed(&case), Some(80_500));
    // What was returned first is made good first, and only what is paid whole is said to be.
    let pay = |case: Given, cents, made_good: &[Uuid]| {
        let events =
            case.when(|case| decide::record_made_good(case, cents)).then(&["fee_made_good_recorded"]);
        let Event::FeeMadeGoodRecorded(paid) = &events[0] else { unreachable!() };
        assert_eq!(paid.return_ids, made_good.iter().map(Uuid::to_string).collect::<Vec<_>>());
        Given(events.iter().fold(case.0, evolve))
    };
    let case = pay(case, 70_000, &[]);
    let case = pay(case, 1_000, &[RETURN]);
    assert_eq!((owed(&case), title::title(&case.0).id.as_str()), (Some(9_500), "33b"));
    assert_eq!(owed(&pay(case, 9_500, &[Uuid::from_u128(0xFED)])), None);
}

#[test]
fn what_is_left_of_a_fee_goes_back_with_a_signature_that_is_not_valid() {
    let mut case = owing(accepted()).0;
    case.payment = Some(Uuid::from_u128(5));
    let events = void(&Given(case), "signature", now()).then(&["acceptance_voided"]);
    assert!(matches!(&events[0], Event::AcceptanceVoided(voided) if voided.refund));
}

#[test]
fn an_answer_that_crosses_with_the_end_of_the_acceptance_is_not_recorded() {
    let (evidence, being_checked) = (Vec::new(), Vec::new());
    let answer =
        decide::Response { request_id: REQUEST, received_at: now(), complete: true, evidence, being_checked };
    let voided = served().and(pb::AcceptanceVoided::default());
    voided.when(|case| decide::record_response(case, &answer)).then(&[]);
}
