//! A case that is closed without a decision, and reopened when asked: every branch.

use docket_proto::case_status::events::v1 as pb;
use uuid::Uuid;

use crate::domain::decide::{self, Motion};
use crate::domain::samples::*;
use crate::domain::{Event, Interview, Outcome, Stage, task, title};

const TEXT: &str = "I was at sea and had no connection; please reopen my case.";

fn after(given: Given, events: Vec<Event>) -> Given {
    events.into_iter().fold(given, Given::and)
}

/// An examination to which nobody came, with the days to say why.
fn missed() -> Given {
    interview_scheduled()
        .and(pb::InterviewMissed { appointment_id: String::new(), deadline: Some(deadline()) })
}

fn silent() -> Given {
    missed().and(pb::AbsenceDeadlinePassed { appointment_id: Uuid::nil().to_string() })
}

fn close(given: &Given, cause: &str) -> Then {
    given.when(|case| decide::close_administratively(case, ADA, cause, at("2026-12-29T17:00:00Z")))
}

fn closed() -> Given {
    after(silent(), close(&silent(), "examination_missed").then(&["administratively_closed"]))
}

fn ask(given: &Given, when: &str) -> Then {
    given.when(|case| decide::send_inquiry(case, Uuid::from_u128(5), "reopening", TEXT, at(when)))
}

#[test]
fn a_naturalization_is_closed_when_nobody_came_and_nobody_said_why() {
    let case = closed();
    assert_eq!((case.0.stage, case.0.outcome), (Stage::Closed, Some(Outcome::AdministrativelyClosed)));
    // A year, and 29 December 2027 is a working day.
    assert_eq!((case.0.reopen_until.as_str(), title::title(&case.0).id.as_str()), ("2027-12-29", "4"));
    assert_eq!(task::task(&case.0), None);
    close(&missed(), "examination_missed").refused("NOT_CLOSABLE");
    let said = missed().and(pb::InquirySent { kind: "appointment_missed".into(), ..Default::default() });
    close(&said, "examination_missed").refused("NOT_CLOSABLE");
    close(&in_review(), "examination_missed").refused("NOT_CLOSABLE");
    close(&silent(), "tired").refused("CAUSE_UNKNOWN");
    close(&case, "examination_missed").refused("ALREADY_DECIDED");
    close(&submitted(), "applicant_died").refused("NOT_ACCEPTED");
}

#[test]
fn a_case_whose_applicant_died_is_closed_for_good_and_a_petition_is_decided() {
    let dead = close(&served(), "applicant_died").then(&["administratively_closed", "request_cancelled"]);
    let dead = after(served(), dead);
    assert_eq!(title::title(&dead.0).id, "4a");
    ask(&dead, "2027-01-05T17:00:00Z").refused("NOT_CLOSED");
    dead.when(|case| decide::reopen_closed(case, ADA)).refused("NOT_CLOSED");
    let own = |given: &Given| {
        let reasons = "It was closed by mistake, as we found.".into();
        let motion = Motion { request_id: REQUEST, favorable: true, reasons };
        given.when(|case| decide::reopen_on_own_motion(case, BO, &motion, now()))
    };
    own(&dead).refused("NOT_REOPENABLE");
    own(&closed()).then(&["reopened_on_own_motion"]);
    let filed = pb::CaseOpened { form: "I-130".into(), family: "family_petition".into(), ..opened() };
    let petition = given([filed.into()])
        .and(pb::FilingAccepted { receipt_number: RECEIPT.into(), office: "NBC".into() });
    close(&petition, "applicant_died").refused("NOT_CLOSABLE");
}

#[test]
fn who_asks_within_the_year_has_the_case_reopened_and_another_examination() {
    let case = closed();
    case.when(|case| decide::reopen_closed(case, ADA)).refused("NOT_ASKED");
    let events = ask(&case, "2027-12-30T04:59:59Z").then(&["inquiry_sent"]);
    let asked = after(case, events);
    // However it is reopened, who asked has the answer.
    let motion = Motion { request_id: REQUEST, favorable: true, reasons: "It was closed by mistake.".into() };
    let own = asked.when(|case| decide::reopen_on_own_motion(case, BO, &motion, now()));
    own.then(&["reopened_on_own_motion", "inquiry_closed"]);
    let events = asked.when(|case| decide::reopen_closed(case, ADA));
    let again = after(asked, events.then(&["reopened_on_request", "inquiry_closed"]));
    assert_eq!((again.0.stage, again.0.outcome), (Stage::InReview, None));
    assert_eq!((again.0.interview, again.0.inquiries.len()), (Interview::ToSchedule, 0));
    assert!(again.0.reopen_until.is_empty() && again.0.absence.is_none());
    assert_eq!(task::task(&again.0), Some("schedule_interview"));
    // An instant later the year is over.
    let late = ask(&closed(), "2027-12-30T05:00:00Z").then(&["inquiry_sent"]);
    after(closed(), late).when(|case| decide::reopen_closed(case, ADA)).refused("ASKED_TOO_LATE");
    ask(&in_review(), "2027-01-05T17:00:00Z").refused("NOT_CLOSED");
    given([]).when(|case| decide::reopen_closed(case, ADA)).refused("NOT_FOUND");
}
