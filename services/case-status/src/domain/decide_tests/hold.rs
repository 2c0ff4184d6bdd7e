//! A case is held, and is not decided meanwhile: every branch.

use docket_proto::case_status::events::v1 as pb;
use jiff::civil::{Date, date};
use uuid::Uuid;

use crate::domain::decide::{self, Others, Verdict};
use crate::domain::samples::*;
use crate::domain::timeline;
use crate::domain::{Case, Event, Stage, evolve, task, title};

const HOLD: Uuid = Uuid::from_u128(0x401D);

/// An application for adjustment that an officer reviews, with everything an approval needs.
fn adjustment() -> Given {
    let filed = pb::CaseOpened { form: "I-485".into(), family: "adjustment".into(), ..opened() };
    given([filed.into()])
        .and(pb::FilingAccepted { receipt_number: RECEIPT.into(), office: "NBC".into() })
        .and(pb::BiometricsTaken::default())
        .and(pb::BackgroundCheckReturned {
            system: "fbi_fingerprint".into(),
            result_class: "no_record".into(),
        })
        .and(pb::CaseAssigned { officer: ADA.to_string() })
        .and(pb::ReviewStarted {})
        .and(pb::InterviewWaived::default())
}

fn place(case: &Given, reason: &str, day: Date) -> Then {
    case.when(|case| decide::hold_case(case, (HOLD, ADA), (reason, day), now()))
}

fn held(case: Given, reason: &str) -> Given {
    let events = place(&case, reason, date(2026, 12, 24)).then(&["held"]);
    Given(events.iter().fold(case.0, evolve))
}

fn title_of(case: &Case) -> String {
    title::title(case).id
}

#[test]
fn a_case_is_held_for_a_reason_of_the_list_until_a_day_that_is_near_enough() {
    let day = date(2026, 12, 24);
    for reason in decide::HOLDS {
        place(&adjustment(), reason, day).then(&["held"]);
    }
    place(&adjustment(), "busy", day).refused("HOLD_REASON_UNKNOWN");
    place(&in_review(), "visa_unavailable", day).refused("NOT_HOLDABLE");
    // From tomorrow on, for 180 days.
    place(&adjustment(), "litigation", date(2026, 11, 24)).refused("REVIEW_DAY_OUT_OF_BOUNDS");
    place(&adjustment(), "litigation", date(2026, 11, 25)).then(&["held"]);
    place(&adjustment(), "litigation", date(2027, 5, 23)).then(&["held"]);
    place(&adjustment(), "litigation", date(2027, 5, 24)).refused("REVIEW_DAY_OUT_OF_BOUNDS");
    place(&submitted(), "litigation", day).refused("NOT_ACCEPTED");
    place(&approved(), "litigation", day).refused("ALREADY_DECIDED");
    place(&given([]), "litigation", day).refused("NOT_FOUND");
}

#[test]
fn a_case_that_is_held_is_neither_recommended_nor_decided_and_goes_back_to_who_recommended() {
    let waits = held(adjustment(), "visa_unavailable");
    waits.when(|case| decide::recommend(case, ADA, true, "")).refused("CASE_HELD");
    waits.when(|case| decide::recommend(case, ADA, false, "")).refused("CASE_HELD");
    assert_eq!(task::task(&waits.0), Some("see_to_hold"));
    let filed = pb::CaseOpened { form: "I-589".into(), family: "asylum".into(), ..opened() };
    let asylum = held(
        given([filed.into()])
            .and(pb::FilingAccepted { receipt_number: RECEIPT.into(), office: "NBC".into() })
            .and(pb::ReviewStarted {}),
        "litigation",
    );
    asylum.when(|case| decide::recommend_referral(case, ADA, "", now())).refused("CASE_HELD");

    let recommended = held(recommended(true), "background_check");
    assert_eq!(task::task(&recommended.0), Some("see_to_hold"));
    let decided = |verdict: &Verdict| {
        recommended.when(|case| decide::decide_case(case, BO, verdict, &Others::new(), now()))
    };
    decided(&Verdict::Approve).refused("CASE_HELD");
    let denial = denial(&["x"]);
    decided(&denial).refused("CASE_HELD");
    decided(&Verdict::Return).then(&["decision_reviewed"]);
    // The refusal names the hold, until when it is looked at, and who lifts it.
    let refusal = decide::decide_case(&recommended.0, BO, &denial, &Others::new(), now()).unwrap_err();
    let said = format!("{refusal:?}");
    for word in ["background check", "2026-12-24", "supervisor lifts"] {
        assert!(said.contains(word), "{word} is not in {said}");
    }
    let lifted = recommended.when(|case| decide::lift_hold(case, BO, "background_check"));
    let free = Given(lifted.then(&["hold_lifted"]).iter().fold(recommended.0, evolve));
    assert_eq!(task::task(&free.0), Some("decide"));
    free.when(|case| decide::decide_case(case, BO, &Verdict::Approve, &Others::new(), now()))
        .then(&["decision_reviewed", "approved"]);
}

#[test]
fn a_hold_goes_on_with_another_day_and_each_reason_is_lifted_for_itself() {
    let case = held(held(adjustment(), "litigation"), "visa_unavailable");
    let later = Uuid::from_u128(0x401E);
    let events = case
        .when(|case| decide::hold_case(case, (later, BO), ("litigation", date(2027, 1, 29)), now()))
        .then(&["held"]);
    let Event::CaseHeld(event) = &events[0] else { panic!("{events:?}") };
    assert_eq!(
        (event.replaces_id.as_str(), event.review_by_date.as_str()),
        (&*HOLD.to_string(), "2027-01-29")
    );
    let case = Given(events.iter().fold(case.0, evolve));
    let kept: Vec<(&str, Uuid)> = case.0.holds.iter().map(|hold| (hold.reason.as_str(), hold.id)).collect();
    assert_eq!(kept, [("visa_unavailable", HOLD), ("litigation", later)]);
    case.when(|case| decide::lift_hold(case, ADA, "abeyance")).refused("NOT_HELD");
    given([]).when(|case| decide::lift_hold(case, ADA, "litigation")).refused("NOT_FOUND");
    // The visa number came: the other hold stands.
    let events = case.when(|case| decide::lift_hold(case, ADA, "visa_unavailable")).then(&["hold_lifted"]);
    let case = Given(events.iter().fold(case.0, evolve));
    assert_eq!(title_of(&case.0), "29a");
    case.when(|case| decide::recommend(case, ADA, true, "")).refused("CASE_HELD");
}

#[test]
fn a_party_reads_what_it_waits_for_and_nothing_of_a_check() {
    let line = |case: &Given, reason: &str| {
        let events = place(case, reason, date(2026, 12, 24)).then(&["held"]);
        timeline::line(&evolve(case.0.clone(), &events[0]), &events[0]).office_only
    };
    let before = title_of(&adjustment().0);
    assert_eq!(title_of(&held(adjustment(), "background_check").0), before);
    assert!(line(&adjustment(), "background_check") && !line(&adjustment(), "litigation"));
    let both = held(held(adjustment(), "litigation"), "background_check");
    assert_eq!(title_of(&both.0), "29a");
    assert_eq!(title_of(&held(both, "visa_unavailable").0), "29");
    // What was asked is read first, with its day (lifecycle 56).
    let asked = held(adjustment(), "litigation").and(pb::EvidenceRequested {
        request_id: REQUEST.to_string(),
        deadline: Some(deadline()),
        ..Default::default()
    });
    assert_eq!(title_of(&asked.0), "17");
    let lifted = |cause: &str| {
        let event = pb::HoldLifted { reason: "litigation".into(), cause: cause.into(), ..Default::default() };
        timeline::is_office_only(&event.into())
    };
    assert!(!lifted("lifted") && lifted("withdrawn"));
}

#[test]
fn a_hold_ends_with_its_case() {
    let case = held(adjustment(), "litigation");
    let events = case.when(decide::withdraw).then(&["withdrawn", "hold_lifted"]);
    assert!(matches!(&events[1], Event::HoldLifted(event) if event.cause == "withdrawn"));
    let gone = events.iter().fold(case.0, evolve);
    assert!(gone.holds.is_empty() && gone.stage == Stage::Decided);
}
