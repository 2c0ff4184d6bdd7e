//! A case that goes to another office: every branch.

use crate::domain::decide;
use crate::domain::samples::*;
use crate::domain::{Biometrics, Case, Event, Interview, evolve, office, task, title};

const TO: &str = "FO-CHI";

fn send(given: &Given, to: &str, reason: &str) -> Then {
    given.when(|case| decide::transfer(case, to, reason, ADA))
}

fn sent(given: Given, kinds: &[&str]) -> Case {
    let events = send(&given, TO, "jurisdiction").then(kinds);
    events.iter().fold(given.0, evolve)
}

#[test]
fn a_pending_case_goes_to_an_office_that_keeps_cases_and_has_no_officer_there() {
    send(&submitted(), TO, "workload").refused("NOT_ACCEPTED");
    send(&approved(), TO, "workload").refused("ALREADY_DECIDED");
    send(&recommended(true), TO, "workload").refused("DECISION_PENDING");
    send(&in_review(), TO, "weather").refused("CAUSE_UNKNOWN");
    for unknown in ["", "FO-XYZ", "ASC-NYC"] {
        send(&in_review(), unknown, "workload").refused("OFFICE_UNKNOWN");
    }
    send(&in_review(), office::INTAKE_OFFICE, "workload").refused("ALREADY_THERE");
    let case = sent(in_review(), &["transferred"]);
    assert_eq!((case.office.as_str(), case.officer, case.receipt_number.as_str()), (TO, None, RECEIPT));
    assert_eq!((title::title(&case).id.as_str(), task::task(&case)), ("30", Some("assign")));
    let there = Given(case);
    let events = there.when(|case| decide::assign(case, BO)).then(&["assigned"]);
    assert_eq!(title::title(&there.and(events[0].clone()).0).id, "31");
}

#[test]
fn what_is_due_stays_due_and_an_appointment_elsewhere_falls_away_and_is_set_again() {
    let before = served();
    let (request, notices) = (before.0.request.clone(), before.0.notices.clone());
    let case = sent(before, &["transferred"]);
    assert_eq!((case.request, case.notices), (request, notices));

    let case = sent(biometrics_scheduled(), &["transferred", "biometrics_cancelled"]);
    assert_eq!((case.biometrics, case.appointment()), (Biometrics::Needed, None));
    let given = interview_scheduled();
    let events = send(&given, TO, "jurisdiction").then(&["transferred", "interview_cancelled"]);
    let Event::InterviewCancelled(cancelled) = &events[1] else { unreachable!() };
    assert_eq!(
        (cancelled.cause.as_str(), cancelled.appointment.as_ref().unwrap().office.as_str()),
        ("transferred", "FO-NYC")
    );
    let case = events.iter().fold(given.0, evolve);
    assert_eq!((case.interview, case.appointment()), (Interview::ToSchedule, None));
    // Back again: what is set there falls away in turn.
    let there = Given(case);
    let back = send(&there, office::INTAKE_OFFICE, "workload").then(&["transferred"]);
    assert_eq!(there.and(back[0].clone()).0.office, office::INTAKE_OFFICE);
}
