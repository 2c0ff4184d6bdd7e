//! The oath and the certificate: every branch.

use docket_proto::case_status::events::v1 as pb;

use crate::domain::decide::{self, MovedBy};
use crate::domain::samples::*;
use crate::domain::{Event, evolve, task, title};

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

#[test]
fn who_misses_a_ceremony_may_say_why_and_gets_another_day_and_after_two_the_office_looks_at_it() {
    let over = "2026-12-19T05:00:00Z";
    let miss = |given: &Given, now: &str| given.when(|case| decide::miss_oath(case, at(now)));
    miss(&oath_scheduled(), "2026-12-19T04:59:59Z").refused("TOO_EARLY");
    miss(&approved(), over).refused("OATH_NOT_SCHEDULED");
    miss(&oath_taken(), over).refused("ALREADY_ATTENDED");
    miss(&given([]), over).refused("NOT_FOUND");
    let case = oath_scheduled();
    let events = miss(&case, over).then(&["oath_missed"]);
    let Event::OathMissed(event) = &events[0] else { panic!("{events:?}") };
    // Thirty days from 19 December are a Monday that is a holiday.
    assert_eq!(event.deadline.as_ref().unwrap().due_date, "2027-01-19");
    let missed = case.and(events[0].clone());
    let shown = |case: &Given| (title::title(&case.0).id, task::task(&case.0));
    assert_eq!(shown(&missed), ("13".into(), Some("schedule_oath")));
    assert!(missed.0.appointment().is_none());
    missed.when(|case| decide::take_oath(case, at(over), true)).refused("OATH_NOT_SCHEDULED");
    // The party says why; another day is set either way.
    let why = "My train did not run on that day.";
    let say = |case: &Given| {
        let id = uuid::Uuid::from_u128(0x1);
        case.when(|case| decide::send_inquiry(case, id, "appointment_missed", why, at(over)))
    };
    say(&missed).then(&["inquiry_sent"]);
    say(&oath_scheduled()).refused("ALREADY_DECIDED");
    let day = appointment("2027-01-12T15:00:00Z");
    let again = |case: &Given| case.when(|case| decide::schedule_oath(case, &day, at(over)));
    let set = again(&missed).then(&["oath_scheduled"]);
    let missed = missed.and(set[0].clone());
    let events = miss(&missed, "2027-01-13T05:00:00Z").then(&["oath_missed"]);
    let twice = missed.and(events[0].clone());
    assert_eq!(shown(&twice), ("13a".into(), Some("see_to_absence")));
    again(&twice).refused("OATH_MISSED_TWICE");

    let excuse = |case: &Given, why: &str| case.when(|case| decide::excuse_oath(case, ADA, why));
    excuse(&twice, "laziness").refused("CAUSE_UNKNOWN");
    excuse(&oath_scheduled(), "illness").refused("NOT_MISSED");
    excuse(&given([]), "illness").refused("NOT_FOUND");
    let events = excuse(&twice, "illness").then(&["absence_excused"]);
    let excused = Given(evolve(twice.0.clone(), &events[0]));
    assert_eq!((shown(&excused), excused.0.oaths_missed), (("14".into(), Some("schedule_oath")), 1));
    again(&excused).then(&["oath_scheduled"]);
    // Without an excuse the office reopens it, and the person has 15 days (8 CFR 335.5).
    let motion = decide::Motion {
        request_id: REQUEST,
        favorable: false,
        reasons: "You missed two ceremonies and did not say why.".into(),
    };
    let events = twice.when(|case| decide::reopen_on_own_motion(case, BO, &motion, at(over)));
    let reopened = twice.and(events.then(&["reopened_on_own_motion"])[0].clone());
    assert_eq!((reopened.0.open_request().unwrap().deadline.base_days, reopened.0.oaths_missed), (15, 0));
}
