//! A status is terminated: every branch.

use docket_proto::case_status::events::v1 as pb;
use jiff::civil::date;
use uuid::Uuid;

use crate::domain::decide::{self, Intent, Response};
use crate::domain::samples::*;
use crate::domain::{Case, Event, Outcome, RequestKind, Stage, evolve, task, title};

/// When the thirty days are over that began on the day of the tests.
const OVER: &str = "2026-12-25T05:00:00Z";

/// Deferred action that was approved.
fn status(form: &str) -> Given {
    let filed = pb::CaseOpened { form: form.into(), family: "humanitarian".into(), ..opened() };
    given([filed.into()])
        .and(pb::FilingAccepted { receipt_number: RECEIPT.into(), office: "NBC".into() })
        .and(pb::CaseApproved { officer: BO.to_string(), effective_date: "2026-11-24".into() })
}

fn intent() -> Intent {
    Intent {
        request_id: REQUEST,
        grounds: "The record does not show that you lived here throughout.".into(),
        derogatory_information: "A visa of another country was used in 2025.".into(),
        items: Vec::new(),
        days: None,
        supervised: false,
    }
}

fn after(given: Given, events: &[Event]) -> Given {
    Given(events.iter().fold(given.0, evolve))
}

fn intend(given: &Given) -> Then {
    given.when(|case| decide::intend_termination(case, ADA, &intent(), now()))
}

/// Intended, with its notice in the account.
fn intended() -> Given {
    let open = after(status("I-821D"), &intend(&status("I-821D")).then(&["termination_intended"]));
    let served =
        open.when(|case| decide::serve_request(case, REQUEST, Uuid::from_u128(9), date(2026, 11, 24)));
    let served = served.then(&["request_served"]);
    after(open, &served)
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
    after(open, &events)
}

fn expired() -> Given {
    let open = intended();
    let events = open.when(|case| decide::pass_deadline(case, REQUEST, at(OVER))).then(&["deadline_passed"]);
    after(open, &events)
}

fn terminate(given: &Given, officer: Uuid) -> Then {
    let codes = ["continuous_residence".to_owned()];
    given.when(|case| decide::terminate_status(case, officer, (&codes, "Nothing shows it."), at(OVER)))
}

fn shown(case: &Case) -> (String, Option<&'static str>) {
    (title::title(case).id, task::task(case))
}

#[test]
fn a_termination_is_intended_for_at_most_thirty_days_and_the_status_stands_meanwhile() {
    let events = intend(&status("I-821")).then(&["termination_intended"]);
    let Event::TerminationIntended(event) = &events[0] else { panic!("{events:?}") };
    let deadline = event.deadline.clone().unwrap();
    assert_eq!((deadline.rule.as_str(), deadline.due_date.as_str()), ("noit", "2026-12-24"));
    let noit =
        |intent: Intent| status("I-821").when(|case| decide::intend_termination(case, ADA, &intent, now()));
    noit(Intent { days: Some(31), supervised: true, ..intent() }).refused("PERIOD_TOO_LONG");
    noit(Intent { grounds: " ".into(), ..intent() }).refused("GROUNDS_MISSING");
    let open = intended();
    assert_eq!((open.0.stage, open.0.outcome), (Stage::Decided, Some(Outcome::Approved)));
    assert_eq!(open.0.open_request().unwrap().kind, RequestKind::Noit);
    assert_eq!(shown(&open.0), ("18c".into(), None));
    intend(&open).refused("TERMINATION_INTENDED");
}

#[test]
fn only_a_status_is_terminated_and_only_the_approval_of_a_petition_revoked() {
    intend(&given([])).refused("NOT_FOUND");
    intend(&in_review()).refused("NOT_APPROVED");
    intend(&approved()).refused("NOT_TERMINABLE");
    intend(&status("I-130")).refused("NOT_TERMINABLE");
    terminate(&status("I-821D"), BO).refused("TERMINATION_NOT_INTENDED");
    terminate(&given([]), BO).refused("NOT_FOUND");
    // What is intended here is no revocation, nor the other way round.
    answered().when(|case| decide::withdraw_revocation_intent(case, ADA)).refused("REVOCATION_NOT_INTENDED");
    let petition = status("I-130");
    let noir = petition.when(|case| decide::intend_revocation(case, ADA, &intent(), now()));
    let petition = after(petition, &noir.then(&["revocation_intended"]));
    petition.when(|case| decide::withdraw_termination_intent(case, ADA)).refused("TERMINATION_NOT_INTENDED");
}

#[test]
fn a_status_is_terminated_after_the_answer_or_its_day_by_another_officer_who_says_why() {
    terminate(&intended(), BO).refused("REQUEST_OPEN");
    for (case, row) in [(answered(), "20"), (expired(), "19")] {
        assert_eq!(shown(&case.0), (row.into(), Some("decide_termination")));
        terminate(&case, ADA).refused("SAME_OFFICER");
        case.when(|case| decide::terminate_status(case, BO, (&[], "Nothing shows it."), at(OVER)))
            .refused("GROUNDS_MISSING");
        let events = terminate(&case, BO).then(&["status_terminated"]);
        let ended = after(case, &events);
        assert_eq!((ended.0.stage, ended.0.outcome), (Stage::Decided, Some(Outcome::Terminated)));
        // There is nothing to be done against the end of a deferral; of a protected status there is.
        assert_eq!(shown(&ended.0), ("5c".into(), None));
        let protected = Case { form: "I-821".into(), ..ended.0.clone() };
        assert_eq!(shown(&protected), ("5a".into(), None));
        assert!(ended.0.is_decided_against());
        terminate(&ended, BO).refused("TERMINATION_NOT_INTENDED");
        let motion = decide::Motion {
            request_id: Uuid::from_u128(0x15),
            favorable: true,
            reasons: "The visa is another person's.".into(),
        };
        ended
            .when(|case| decide::reopen_on_own_motion(case, BO, &motion, now()))
            .then(&["reopened_on_own_motion"]);
    }
    let missing = expired().and(pb::AddresseeNotReached {
        notice_id: Uuid::from_u128(9).to_string(),
        notice_kind: "noit".into(),
        account_id: APPLICANT.to_string(),
        addressee: "party".into(),
        ..Default::default()
    });
    terminate(&missing, BO).refused("ADDRESSEE_NOT_SOUGHT");
}

#[test]
fn an_intent_that_is_given_up_leaves_the_status_and_ends_the_request() {
    let open = intended();
    let events = open
        .when(|case| decide::withdraw_termination_intent(case, BO))
        .then(&["termination_intent_withdrawn", "request_cancelled"]);
    let stands = after(open, &events);
    assert_eq!(shown(&stands.0), ("15".into(), None));
    terminate(&stands, BO).refused("TERMINATION_NOT_INTENDED");
}
