//! A denied case and the motion about it: every branch.

use docket_proto::case_status::events::v1 as pb;
use uuid::Uuid;

use crate::domain::decide::{self, Others, Response};
use crate::domain::samples::*;
use crate::domain::{Biometrics, Case, Event, Outcome, RequestState, Stage, evolve, task, timeline, title};

const MOTION: Uuid = Uuid::from_u128(0x290);

/// Denied for abandonment, with a biometrics appointment that fell away and an answer that came too late.
fn denied() -> Given {
    let late = at("2026-12-25T05:00:00Z");
    let expired = served().and(pb::DeadlinePassed { request_id: REQUEST.to_string() });
    let recommended = expired.and(pb::DecisionRecommended {
        officer: ADA.to_string(),
        recommendation: "deny".into(),
        grounds: String::new(),
    });
    let verdict = denial(&["abandoned"]);
    let events = recommended
        .when(|case| decide::decide_case(case, BO, &verdict, &Others::new(), late))
        .then(&["decision_reviewed", "denied"]);
    Given(events.iter().fold(recommended.0, evolve))
}

fn motion(change: impl FnOnce(&mut Case)) -> Case {
    let opened = pb::CaseOpened {
        form: "I-290B".into(),
        family: "appeal".into(),
        about_receipt: RECEIPT.into(),
        challenge: "motion_reopen".into(),
        ..opened()
    };
    let mut motion = given([opened.into()])
        .and(pb::FilingAccepted { receipt_number: "DKT1234567905".into(), office: "NBC".into() })
        .and(pb::CaseApproved { officer: ADA.to_string(), effective_date: "2026-12-28".into() })
        .0;
    change(&mut motion);
    motion
}

fn reopened(case: &Given, motion: &Case) -> Then {
    case.when(|case| decide::reopen(case, MOTION, motion, BO))
}

#[test]
fn a_granted_motion_brings_a_denied_case_back_under_review_once() {
    let denied = denied();
    let events: Vec<Event> = reopened(&denied, &motion(|_| ())).then(&["reopened"]);
    let again = Given(events.iter().fold(denied.0, evolve));
    assert_eq!((again.0.stage, again.0.outcome, again.0.recommendation), (Stage::InReview, None, None));
    assert_eq!(again.0.receipt_number, RECEIPT, "the number stays");
    again.when(|case| decide::recommend(case, ADA, false, "")).then(&["decision_recommended"]);
    reopened(&again, &motion(|_| ())).refused("MOTION_USED");
}

#[test]
fn a_motion_about_a_denial_is_shown_while_it_is_pending() {
    let follow =
        |case: &Given, motion: &Case| case.when(|case| decide::follow_challenge(case, MOTION, motion));
    let ended = |outcome| motion(|motion| motion.outcome = outcome);
    let pending = motion(|motion| (motion.outcome, motion.stage) = (None, Stage::Accepted));
    let denied = denied();
    assert_eq!(title::title(&denied.0).id, "1");
    let told = follow(&denied, &pending).then(&["challenge_accepted"]);
    let challenged = Given(told.iter().fold(denied.0.clone(), evolve));
    assert_eq!(
        title::title(&challenged.0).id,
        "6",
        "the denial stands, and something is being done about it"
    );
    follow(&challenged, &pending).then(&[]);
    for (outcome, cause) in [
        (Some(Outcome::Approved), "granted"),
        (Some(Outcome::Denied), "denied"),
        (Some(Outcome::Withdrawn), "withdrawn"),
    ] {
        let told = follow(&challenged, &ended(outcome)).then(&["challenge_ended"]);
        assert!(matches!(&told[0], Event::ChallengeEnded(event) if event.cause == cause), "{told:?}");
        assert_eq!(title::title(&Given(told.iter().fold(challenged.0.clone(), evolve)).0).id, "1");
    }
    let voided = motion(|motion| (motion.outcome, motion.stage) = (None, Stage::Voided));
    follow(&challenged, &voided).then(&["challenge_ended"]);

    // What ended before it was known, is about another case or party, or about a case that was not denied: nothing.
    follow(&denied, &ended(Some(Outcome::Denied))).then(&[]);
    follow(&accepted(), &pending).then(&[]);
    let unlike: [fn(&mut Case); 3] = [
        |motion| motion.about_receipt = "DKT0000000000".into(),
        |motion| motion.party = Some(BO),
        |motion| motion.challenge.clear(),
    ];
    for change in unlike {
        let mut other = pending.clone();
        change(&mut other);
        follow(&denied, &other).then(&[]);
    }
}

/// A naturalization that was denied, and the N-336 about it (8 CFR 336.2).
#[test]
fn a_request_for_a_hearing_is_shown_while_it_is_pending_and_its_grant_brings_the_case_back() {
    let hearing = |outcome, stage| {
        motion(|case| {
            (case.form, case.challenge) = ("N-336".into(), "hearing".into());
            (case.outcome, case.stage) = (outcome, stage);
        })
    };
    let (pending, granted) =
        (hearing(None, Stage::Accepted), hearing(Some(Outcome::Approved), Stage::Decided));
    let denied = denied();
    let follow = |case: &Given, other: &Case| case.when(|case| decide::follow_challenge(case, MOTION, other));
    let told = follow(&denied, &pending).then(&["challenge_accepted"]);
    let asked = Given(told.iter().fold(denied.0, evolve));
    let shown = title::title(&asked.0);
    assert_eq!(shown.id, "6");
    assert_eq!(shown.facts["challenge"], timeline::Fact::Code("challenge-hearing".into()));
    reopened(&asked, &pending).refused("MOTION_NOT_GRANTED");
    let told = follow(&asked, &granted).then(&["challenge_ended"]);
    let ended = Given(told.iter().fold(asked.0, evolve));
    reopened(&ended, &granted).then(&["reopened"]);
}

#[test]
fn a_late_answer_counts_once_the_case_is_reopened() {
    let denied = denied();
    let late = Response {
        request_id: REQUEST,
        received_at: at("2026-12-27T12:00:00Z"),
        complete: true,
        evidence: Vec::new(),
        being_checked: Vec::new(),
    };
    let kept = denied.when(|case| decide::record_response(case, &late)).then(&["response_recorded"]);
    let kept = Given(kept.iter().fold(denied.0, evolve));
    assert_eq!(title::title(&kept.0).id, "1", "a late answer changes no decision");
    let events = reopened(&kept, &motion(|_| ())).then(&["reopened"]);
    let again = Given(events.iter().fold(kept.0, evolve));
    assert_eq!(again.0.request.as_ref().unwrap().state, RequestState::RespondedPartial);
    assert_eq!(title::title(&again.0).id, "20");
    let abandoned = denial(&["abandoned"]);
    let recommended = again.and(pb::DecisionRecommended {
        officer: ADA.to_string(),
        recommendation: "deny".into(),
        grounds: String::new(),
    });
    recommended
        .when(|case| decide::decide_case(case, BO, &abandoned, &Others::new(), now()))
        .refused("NOT_ABANDONED");
}

#[test]
fn what_fell_away_with_a_denial_is_set_again() {
    let recommended = biometrics_scheduled().and(pb::ReviewStarted {}).and(pb::DecisionRecommended {
        officer: ADA.to_string(),
        recommendation: "deny".into(),
        grounds: String::new(),
    });
    let verdict = denial(&["no_basis"]);
    let events = recommended
        .when(|case| decide::decide_case(case, BO, &verdict, &Others::new(), now()))
        .then(&["decision_reviewed", "denied", "biometrics_cancelled"]);
    let denied = Given(events.iter().fold(recommended.0, evolve));
    assert_eq!(denied.0.appointment(), None);
    let events = reopened(&denied, &motion(|_| ())).then(&["reopened"]);
    let again = events.iter().fold(denied.0, evolve);
    assert_eq!((again.biometrics, task::task(&again)), (Biometrics::Needed, Some("assign")));
}

#[test]
fn only_a_denied_case_is_reopened_and_only_by_its_own_granted_motion() {
    reopened(&in_review(), &motion(|_| ())).refused("NOT_DENIED");
    reopened(&approved(), &motion(|_| ())).refused("NOT_DENIED");
    reopened(&accepted().and(pb::CaseWithdrawn {}), &motion(|_| ())).refused("NOT_DENIED");
    reopened(&given([]), &motion(|_| ())).refused("NOT_FOUND");
    let denied = denied();
    reopened(&denied, &motion(|motion| motion.challenge.clear())).refused("MOTION_UNKNOWN");
    reopened(&denied, &motion(|motion| motion.about_receipt = "DKT1".into())).refused("MOTION_UNKNOWN");
    reopened(&denied, &motion(|motion| motion.party = Some(BO))).refused("MOTION_UNKNOWN");
    reopened(&denied, &Case::default()).refused("MOTION_UNKNOWN");
    reopened(&denied, &motion(|motion| motion.outcome = None)).refused("MOTION_NOT_GRANTED");
}

#[test]
fn what_was_granted_is_the_offices_task_until_the_case_is_reopened() {
    let kinds = [
        ("motion_reopen", "granted"),
        ("motion_both", "granted"),
        ("appeal", "granted"),
        ("hearing", "granted"),
    ];
    for (kind, cause) in kinds.into_iter().chain([("motion_reopen", "denied"), ("appeal", "withdrawn")]) {
        let (case_id, challenge) = (MOTION.to_string(), kind.to_owned());
        let accepted = pb::ChallengeAccepted { case_id: case_id.clone(), challenge: challenge.clone() };
        let ended = pb::ChallengeEnded { case_id, cause: cause.to_owned(), challenge };
        let challenged = || denied().and(accepted.clone());
        assert_eq!(task::task(&challenged().0), None, "it waits for that one");
        let case = challenged().and(ended.clone());
        if cause != "granted" {
            assert_eq!(task::task(&case.0), None);
            continue;
        }
        assert_eq!(task::task(&case.0), Some("reopen"));
        let granted = motion(|motion| motion.challenge = kind.into());
        let events = reopened(&case, &granted).then(&["reopened"]);
        let again = case.and(events[0].clone());
        assert!(again.0.granted.is_empty() && task::task(&again.0) != Some("reopen"));
        // Denied once more, it takes another one.
        assert_eq!(task::task(&again.and(pb::CaseDenied::default()).0), None);
        // The office may do it of its own accord, or before it is heard here that it was granted.
        let own = challenged().and(ended.clone()).and(pb::CaseReopenedOnOwnMotion::default());
        assert!(own.0.granted.is_empty());
        let before = challenged().and(events[0].clone()).and(ended);
        assert!(before.0.granted.is_empty());
        assert_eq!(task::task(&before.and(pb::CaseDenied::default()).0), None);
    }
}
