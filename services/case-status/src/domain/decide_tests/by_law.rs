//! An approval ends by the law itself: every branch.

use docket_proto::case_status::events::v1 as pb;
use jiff::civil::{Date, date};
use uuid::Uuid;

use crate::domain::decide::{self, Happened, Others};
use crate::domain::samples::*;
use crate::domain::{BasisEnd, Case, Event, Outcome, Stage, evolve, task, title};

const ADJUSTMENT: Uuid = Uuid::from_u128(0x485);

/// A petition that was approved on 24 November 2026 with an application for adjustment that rests on it.
fn petition(form: &str) -> Given {
    let filed = pb::CaseOpened { form: form.into(), family: "family_petition".into(), ..opened() };
    given([filed.into()])
        .and(pb::FilingAccepted { receipt_number: RECEIPT.into(), office: "NBC".into() })
        .and(pb::CaseLinked {
            case_id: ADJUSTMENT.to_string(),
            form: "I-485".into(),
            link_kind: "basis".into(),
            direction: "carries".into(),
            apart: false,
        })
        .and(pb::CaseApproved { officer: BO.to_string(), effective_date: "2026-11-24".into() })
}

/// That application, received on a day.
fn adjustment(received: &str) -> Given {
    let filed = pb::CaseOpened {
        form: "I-485".into(),
        family: "adjustment".into(),
        receipt_date: received.into(),
        ..opened()
    };
    given([filed.into()])
        .and(pb::FilingAccepted { receipt_number: "DKT1234567905".into(), office: "NBC".into() })
        .and(pb::CaseLinked {
            case_id: Uuid::from_u128(0x130).to_string(),
            form: "I-130".into(),
            link_kind: "basis".into(),
            direction: "rests_on".into(),
            apart: false,
        })
}

fn beside(case: Case) -> Others {
    [(ADJUSTMENT, case)].into()
}

fn record(case: &Given, what: &str, on: Date, beside: &Others, now: &str) -> Then {
    let relation = match (case.0.form.as_str(), what) {
        ("I-140", _) => "",
        (_, "petitioner_lost_residence" | "beneficiary_married") => "child_of_resident",
        (_, "marriage_ended") => "spouse_of_citizen",
        _ => "relative_of_citizen",
    };
    let happened = Happened { cause: what, on, relation, findings: "You sent the certificate of it." };
    case.when(|case| decide::revoke_by_law(case, ADA, happened, beside, at(now)))
}

const TODAY: &str = "2026-11-24T17:00:00Z";

#[test]
fn what_the_law_names_ends_the_approval_at_once_and_what_rests_on_it_loses_its_basis() {
    let case = petition("I-130");
    let pending = beside(adjustment("2026-11-23").0);
    let events = record(&case, "marriage_ended", date(2026, 11, 24), &pending, TODAY);
    let events = events.then(&["approval_revoked_by_law"]);
    assert!(
        matches!(&events[0], Event::ApprovalRevokedByLaw(event) if event.recorded_on_date == "2026-11-24")
    );
    let revoked = events.iter().fold(case.0, evolve);
    assert_eq!((revoked.stage, revoked.outcome), (Stage::Decided, Some(Outcome::RevokedByLaw)));
    assert_eq!((title::title(&revoked).id.as_str(), task::task(&revoked)), ("5b", None));
    assert_eq!(decide::basis_end(&revoked), Some(BasisEnd::Revoked));
    // What rests on it is not ended, and an officer is to see to it.
    let resting = adjustment("2026-11-23").and(pb::CaseAssigned { officer: ADA.to_string() });
    let told = resting.when(|case| decide::follow_basis(case, Uuid::from_u128(0x130), &revoked));
    let resting = told.then(&["basis_lost"]).iter().fold(resting.0, evolve);
    assert_eq!((resting.outcome, task::task(&resting)), (None, Some("see_to_basis")));
    // There is nothing to appeal from; the office may find that it was wrong.
    assert!(!revoked.is_decided_against());
    let motion = decide::Motion {
        request_id: REQUEST,
        favorable: true,
        reasons: "The decree is of another couple.".into(),
    };
    decide::reopen_on_own_motion(&revoked, BO, &motion, now()).unwrap();
}

#[test]
fn each_form_has_causes_of_its_own_and_what_has_not_happened_ends_nothing() {
    let none = Others::new();
    let day = date(2026, 11, 24);
    for (form, cause) in [
        ("I-130", "petitioner_withdrew"),
        ("I-130", "petitioner_lost_residence"),
        ("I-140", "certification_invalidated"),
        ("I-140", "business_ended"),
    ] {
        record(&petition(form), cause, day, &none, TODAY).then(&["approval_revoked_by_law"]);
    }
    record(&petition("I-130"), "business_ended", day, &none, TODAY).refused("CAUSE_UNKNOWN");
    record(&petition("I-140"), "marriage_ended", day, &none, TODAY).refused("CAUSE_UNKNOWN");
    record(&petition("I-130"), "petitioner_died", date(2026, 11, 25), &none, TODAY).refused("NOT_AUTOMATIC");
    record(&in_review(), "petitioner_died", day, &none, TODAY).refused("NOT_APPROVED");
    record(&approved(), "petitioner_died", day, &none, TODAY).refused("NOT_REVOCABLE");
    record(&given([]), "petitioner_died", day, &none, TODAY).refused("NOT_FOUND");
    let relation = "relative_of_citizen";
    let silent = Happened { cause: "petitioner_died", on: day, relation, findings: "dead" };
    petition("I-130")
        .when(|case| decide::revoke_by_law(case, ADA, silent, &none, now()))
        .refused("WORDS_OUT_OF_BOUNDS");
}

#[test]
fn who_became_a_resident_before_keeps_the_approval() {
    let resident = |day: &str| {
        let approved = pb::CaseApproved { officer: BO.to_string(), effective_date: day.into() };
        beside(adjustment("2026-11-23").and(approved).0)
    };
    let case = petition("I-130");
    let died = |others: &Others| {
        record(&case, "petitioner_died", date(2026, 12, 10), others, "2026-12-15T17:00:00Z")
    };
    died(&resident("2026-12-10")).refused("ALREADY_ADJUSTED");
    died(&resident("2026-12-01")).refused("ALREADY_ADJUSTED");
    died(&resident("2026-12-11")).then(&["approval_revoked_by_law"]);
}

#[test]
fn a_petition_for_a_worker_outlives_its_employer_after_half_a_year() {
    let case = petition("I-140");
    let withdrew =
        |on: Date, others: &Others| record(&case, "petitioner_withdrew", on, others, "2027-12-01T17:00:00Z");
    // 180 days after 24 November 2026 is 23 May 2027.
    withdrew(date(2027, 5, 22), &Others::new()).then(&["approval_revoked_by_law"]);
    withdrew(date(2027, 5, 23), &Others::new()).refused("NOT_AUTOMATIC");
    // An application that was pending as long before it happened carries it too.
    let early = beside(adjustment("2026-06-01").0);
    withdrew(date(2026, 11, 27), &early).then(&["approval_revoked_by_law"]);
    withdrew(date(2026, 11, 28), &early).refused("NOT_AUTOMATIC");
    // Also one that was denied since: whether it was pending on that day is for an officer to find.
    let denied = beside(adjustment("2026-06-01").and(pb::CaseDenied::default()).0);
    withdrew(date(2026, 11, 28), &denied).refused("NOT_AUTOMATIC");
    let given_up = beside(adjustment("2026-06-01").and(pb::CaseWithdrawn {}).0);
    withdrew(date(2026, 11, 28), &given_up).then(&["approval_revoked_by_law"]);
    record(&case, "beneficiary_died", date(2027, 6, 1), &early, "2027-12-01T17:00:00Z")
        .then(&["approval_revoked_by_law"]);
    // Of a relative's there is no such time.
    record(&petition("I-130"), "petitioner_withdrew", date(2027, 6, 1), &early, "2027-12-01T17:00:00Z")
        .then(&["approval_revoked_by_law"]);
}

#[test]
fn a_revocation_that_was_intended_is_overtaken_and_its_request_ends() {
    let intent = decide::Intent {
        request_id: REQUEST,
        grounds: "The marriage was entered into to evade the law.".into(),
        derogatory_information: String::new(),
        items: Vec::new(),
        days: None,
        supervised: false,
    };
    let case = petition("I-130");
    let events = case.when(|case| decide::intend_revocation(case, ADA, &intent, now()));
    let intended = Given(events.then(&["revocation_intended"]).iter().fold(case.0, evolve));
    let events = record(&intended, "petitioner_withdrew", date(2026, 11, 24), &Others::new(), TODAY);
    let events = events.then(&["approval_revoked_by_law", "request_cancelled"]);
    let revoked = Given(events.iter().fold(intended.0, evolve));
    assert!(revoked.0.intended_revocation().is_none() && revoked.0.open_request().is_none());
    revoked.when(|case| decide::withdraw_revocation_intent(case, ADA)).refused("REVOCATION_NOT_INTENDED");
}

#[test]
fn not_every_cause_ends_a_petition_for_every_relative() {
    let ends = |cause: &str, relation: &str| {
        let (on, findings) = (date(2026, 11, 24), "You sent the certificate of it.");
        let happened = Happened { cause, on, relation, findings };
        petition("I-130").when(|case| decide::revoke_by_law(case, ADA, happened, &Others::new(), at(TODAY)))
    };
    // A widow's petition stays, and who marries as the child of a citizen has another class (8 CFR 205.1(a)(3)(i)(C)(1), (G), (H)).
    for (cause, relation) in [
        ("petitioner_died", "spouse_of_citizen"),
        ("beneficiary_married", "relative_of_citizen"),
        ("beneficiary_married", "spouse_of_resident"),
        ("marriage_ended", "child_of_resident"),
        ("petitioner_lost_residence", "spouse_of_citizen"),
    ] {
        ends(cause, relation).refused("NOT_AUTOMATIC");
    }
    for (cause, relation) in [
        ("petitioner_died", "child_of_resident"),
        ("beneficiary_married", "child_of_resident"),
        ("petitioner_withdrew", "spouse_of_citizen"),
    ] {
        ends(cause, relation).then(&["approval_revoked_by_law"]);
    }
    ends("petitioner_died", "").refused("RELATION_UNKNOWN");
    ends("petitioner_died", "cousin").refused("RELATION_UNKNOWN");
}
