//! The approval of a petition is revoked: every branch.

use docket_proto::case_status::events::v1 as pb;
use docket_proto::identity::events::v1::AddressChanged;
use jiff::civil::date;
use uuid::Uuid;

use crate::domain::decide::{self, Intent, Others, Response};
use crate::domain::samples::*;
use crate::domain::{BasisEnd, Case, Event, Outcome, RequestKind, RequestState, Stage, task, title};

/// When the thirty days are over that began on the day of the tests.
const OVER: &str = "2026-12-25T05:00:00Z";

/// A petition that was approved: recommended by one officer, decided by another.
fn petition() -> Given {
    let filed = pb::CaseOpened { form: "I-130".into(), family: "family_petition".into(), ..opened() };
    given([filed.into()])
        .and(pb::FilingAccepted { receipt_number: RECEIPT.into(), office: "NBC".into() })
        .and(pb::CaseAssigned { officer: ADA.to_string() })
        .and(pb::ReviewStarted {})
        .and(pb::DecisionRecommended {
            officer: ADA.to_string(),
            recommendation: "approve".into(),
            grounds: String::new(),
        })
        .and(pb::CaseApproved { officer: BO.to_string(), effective_date: "2026-11-24".into() })
}

fn intent() -> Intent {
    Intent {
        request_id: REQUEST,
        grounds: "The marriage was entered into to evade the law.".into(),
        derogatory_information: "A petition of 2019 names another spouse.".into(),
        items: Vec::new(),
        days: None,
        supervised: false,
    }
}

fn after(given: Given, events: Vec<Event>) -> Given {
    events.into_iter().fold(given, Given::and)
}

/// A revocation that an officer intended, with its notice in the account.
fn intended() -> Given {
    let asked = petition().when(|case| decide::intend_revocation(case, ADA, &intent(), now()));
    let open = after(petition(), asked.then(&["revocation_intended"]));
    let notice = Uuid::from_u128(9);
    let served = open.when(|case| decide::serve_request(case, REQUEST, notice, date(2026, 11, 24)));
    let served = served.then(&["request_served"]);
    after(open, served)
}

fn answered() -> Given {
    let answer = Response {
        request_id: REQUEST,
        received_at: at("2026-12-01T00:00:00Z"),
        complete: true,
        evidence: Vec::new(),
        being_checked: Vec::new(),
    };
    let open = intended();
    let events = open.when(|case| decide::record_response(case, &answer)).then(&["response_recorded"]);
    after(open, events)
}

fn expired() -> Given {
    let open = intended();
    let events = open.when(|case| decide::pass_deadline(case, REQUEST, at(OVER))).then(&["deadline_passed"]);
    after(open, events)
}

fn revoke(given: &Given, officer: Uuid) -> Then {
    let codes = ["marriage_not_shown".to_owned()];
    given.when(|case| decide::revoke_approval(case, officer, (&codes, "Nothing shows it."), at(OVER)))
}

#[test]
fn a_revocation_is_intended_for_at_most_thirty_days_and_the_approval_stands_meanwhile() {
    let noir = |intent: Intent| petition().when(|case| decide::intend_revocation(case, ADA, &intent, now()));
    let events = noir(intent()).then(&["revocation_intended"]);
    let Event::RevocationIntended(event) = &events[0] else { panic!("{events:?}") };
    let deadline = event.deadline.clone().unwrap();
    assert_eq!((deadline.rule.as_str(), deadline.due_date.as_str()), ("noir", "2026-12-24"));
    assert_eq!((deadline.base_days, deadline.mail_days), (30, 0));
    assert_eq!(event.officer, ADA.to_string());
    noir(Intent { days: Some(31), supervised: true, ..intent() }).refused("PERIOD_TOO_LONG");
    noir(Intent { grounds: " ".into(), ..intent() }).refused("GROUNDS_MISSING");
    let nameless = pb::RequestedItem { code: String::new(), reason: "missing".into() };
    noir(Intent { items: vec![nameless], ..intent() }).refused("ITEMS_MISSING");

    let open = intended();
    assert_eq!((open.0.stage, open.0.outcome), (Stage::Decided, Some(Outcome::Approved)));
    assert_eq!(open.0.open_request().unwrap().kind, RequestKind::Noir);
    assert_eq!((title::title(&open.0).id.as_str(), task::task(&open.0)), ("18a", None));
    open.when(|case| decide::intend_revocation(case, BO, &intent(), now())).refused("REVOCATION_INTENDED");
    // Who moves meanwhile is asked at the new address from then on; an approval by itself goes by none.
    let moved = AddressChanged { zone: "America/Los_Angeles".into(), ..AddressChanged::default() };
    let ids = (Uuid::from_u128(1), Uuid::from_u128(2));
    open.when(|case| decide::change_address(case, ids, &moved, now())).then(&["address_changed"]);
    petition().when(|case| decide::change_address(case, ids, &moved, now())).then(&[]);
}

#[test]
fn only_an_approved_petition_is_revoked() {
    let noir = |given: Given| given.when(|case| decide::intend_revocation(case, ADA, &intent(), now()));
    noir(given([])).refused("NOT_FOUND");
    noir(in_review()).refused("NOT_APPROVED");
    noir(approved()).refused("NOT_REVOCABLE");
    revoke(&petition(), BO).refused("REVOCATION_NOT_INTENDED");
    revoke(&given([]), BO).refused("NOT_FOUND");
    let withdraw = |given: Given| given.when(|case| decide::withdraw_revocation_intent(case, ADA));
    withdraw(petition()).refused("REVOCATION_NOT_INTENDED");
    withdraw(given([])).refused("NOT_FOUND");
}

#[test]
fn an_approval_is_revoked_after_the_answer_or_its_day_by_another_officer_who_says_why() {
    revoke(&intended(), BO).refused("REQUEST_OPEN");
    for (case, row) in [(answered(), "20"), (expired(), "19")] {
        assert_eq!(title::title(&case.0).id, row);
        assert_eq!(
            (task::task(&case.0), case.0.outcome),
            (Some("decide_revocation"), Some(Outcome::Approved))
        );
        revoke(&case, ADA).refused("SAME_OFFICER");
        let why = |codes: &[String], reasons: &str| {
            case.when(|case| decide::revoke_approval(case, BO, (codes, reasons), at(OVER)))
        };
        why(&[], "Nothing shows it.").refused("GROUNDS_MISSING");
        why(&["x".into()], " ").refused("GROUNDS_MISSING");
        let events = revoke(&case, BO).then(&["approval_revoked"]);
        let revoked = after(case, events);
        assert_eq!((revoked.0.stage, revoked.0.outcome), (Stage::Decided, Some(Outcome::Revoked)));
        assert_eq!((title::title(&revoked.0).id.as_str(), task::task(&revoked.0)), ("5", None));
        assert_eq!(decide::basis_end(&revoked.0), Some(BasisEnd::Revoked));
        revoke(&revoked, BO).refused("REVOCATION_NOT_INTENDED");
    }
}

#[test]
fn the_clock_revokes_nothing_and_a_late_answer_is_kept() {
    let late = Response {
        request_id: REQUEST,
        received_at: at("2026-12-26T00:00:00Z"),
        complete: true,
        evidence: Vec::new(),
        being_checked: Vec::new(),
    };
    let passed = expired();
    let events = passed.when(|case| decide::record_response(case, &late)).then(&["response_recorded"]);
    assert!(matches!(&events[0], Event::ResponseRecorded(event) if !event.timely));
    let kept = after(passed, events);
    assert_eq!(kept.0.request.as_ref().unwrap().state, RequestState::Expired);
    assert_eq!(kept.0.outcome, Some(Outcome::Approved));
}

#[test]
fn an_intent_that_is_given_up_leaves_the_approval_and_ends_the_request() {
    let withdraw = |given: &Given| given.when(|case| decide::withdraw_revocation_intent(case, BO));
    let open = intended();
    let events = withdraw(&open).then(&["revocation_intent_withdrawn", "request_cancelled"]);
    assert!(matches!(&events[1], Event::RequestCancelled(event) if event.cause == "intent_withdrawn"));
    let stands = after(open, events);
    assert_eq!((title::title(&stands.0).id.as_str(), task::task(&stands.0)), ("15", None));
    revoke(&stands, BO).refused("REVOCATION_NOT_INTENDED");
    // After an answer nothing is open, and the next intent is a new one.
    let again = after(answered(), withdraw(&answered()).then(&["revocation_intent_withdrawn"]));
    assert_eq!(title::title(&again.0).id, "15");
    let other = Intent { request_id: Uuid::from_u128(0x15), ..intent() };
    again.when(|case| decide::intend_revocation(case, BO, &other, now())).then(&["revocation_intended"]);
}

#[test]
fn who_was_not_reached_by_the_notice_is_looked_for_before_an_approval_is_revoked_unanswered() {
    let missing = |given: Given| {
        given.and(pb::AddresseeNotReached {
            notice_id: Uuid::from_u128(9).to_string(),
            notice_kind: "noir".into(),
            account_id: APPLICANT.to_string(),
            addressee: "party".into(),
            ..Default::default()
        })
    };
    revoke(&missing(expired()), BO).refused("ADDRESSEE_NOT_SOUGHT");
    revoke(&missing(answered()), BO).then(&["approval_revoked", "addressee_search_ended"]);
}

fn revoked() -> Given {
    after(answered(), revoke(&answered(), BO).then(&["approval_revoked"]))
}

/// A motion about the petition, of its party.
fn motion(outcome: Option<Outcome>) -> Case {
    let opened = pb::CaseOpened {
        form: "I-290B".into(),
        family: "appeal".into(),
        about_receipt: RECEIPT.into(),
        challenge: "motion_reconsider".into(),
        ..opened()
    };
    let mut motion = given([opened.into()])
        .and(pb::FilingAccepted { receipt_number: "DKT1234567905".into(), office: "NBC".into() })
        .0;
    if outcome.is_some() {
        (motion.outcome, motion.stage) = (outcome, Stage::Decided);
    }
    motion
}

#[test]
fn a_revocation_is_challenged_as_a_denial_is_and_a_granted_motion_brings_the_case_back() {
    let id = Uuid::from_u128(0x290);
    let pending = motion(None);
    let told = revoked().when(|case| decide::follow_challenge(case, id, &pending));
    let challenged = after(revoked(), told.then(&["challenge_accepted"]));
    assert_eq!(title::title(&challenged.0).id, "6");
    let about = decide::Challenged { case: challenged.0.clone(), by_supervisor: false };
    for (officer, reason) in [(ADA, "SAME_OFFICER"), (BO, "SAME_OFFICER")] {
        let refused = decide::decides_challenge(&pending, Some(&about), (officer, true)).unwrap_err();
        assert_eq!(refused.reason, reason, "who intended or made it");
    }
    decide::decides_challenge(&pending, Some(&about), (Uuid::from_u128(0xC), true)).unwrap();
    let granted = motion(Some(Outcome::Approved));
    let events = challenged.when(|case| decide::reopen(case, id, &granted, BO)).then(&["reopened"]);
    let again = after(challenged, events);
    assert_eq!((again.0.stage, again.0.outcome), (Stage::InReview, None));
    assert_eq!(decide::basis_end(&again.0), None);
    // Not to have answered the notice is no abandonment.
    let unanswered = after(expired(), revoke(&expired(), BO).then(&["approval_revoked"]));
    let events = unanswered.when(|case| decide::reopen(case, id, &granted, BO)).then(&["reopened"]);
    let again = after(unanswered, events);
    let again = again.and(pb::DecisionRecommended {
        officer: ADA.to_string(),
        recommendation: "deny".into(),
        grounds: String::new(),
    });
    let abandoned = denial(&["abandoned"]);
    again
        .when(|case| decide::decide_case(case, BO, &abandoned, &Others::new(), now()))
        .refused("NOT_ABANDONED");
}
