//! The decision: every branch.

use docket_proto::case_status::events::v1 as pb;

use crate::domain::decide::{self, NewFacts, Others, Status, Verdict};
use crate::domain::samples::*;
use crate::domain::{Biometrics, Event, Interview, RequestKind, needs};

#[test]
fn an_approval_is_recommended_when_everything_it_needs_is_there() {
    let approve = |given: Given| given.when(|case| decide::recommend(case, ADA, true, ""));
    approve(accepted()).refused("REVIEW_NOT_STARTED");
    approve(accepted().and(pb::ReviewStarted {})).refused("BIOMETRICS_MISSING");
    approve(biometrics_taken().and(pb::ReviewStarted {})).refused("CHECKS_MISSING");
    approve(in_review()).refused("INTERVIEW_MISSING");
    approve(interviewed(false)).refused("TEST_FAILED");
    let untested = interview_scheduled().and(pb::InterviewCompleted::default());
    approve(untested).refused("TESTS_MISSING");
    approve(served()).refused("REQUEST_OPEN");
    approve(interviewed(true)).then(&["decision_recommended"]);
    approve(recommended(true)).refused("DECISION_PENDING");
    in_review().when(|case| decide::recommend(case, ADA, false, "grounds")).then(&["decision_recommended"]);
}

#[test]
fn who_recommended_does_not_decide() {
    let decide = |given: Given, officer, verdict| {
        given.when(|case| decide::decide_case(case, officer, &verdict, &Others::new(), now()))
    };
    decide(recommended(true), ADA, Verdict::Approve).refused("SAME_OFFICER");
    decide(interviewed(true), BO, Verdict::Approve).refused("NOT_RECOMMENDED");
    decide(recommended(true), BO, Verdict::Approve).then(&["decision_reviewed", "approved"]);
    decide(approved(), BO, Verdict::Approve).refused("ALREADY_DECIDED");
}

#[test]
fn a_decision_is_the_recommended_one_or_goes_back() {
    let decide = |given: Given, verdict| {
        given.when(|case| decide::decide_case(case, BO, &verdict, &Others::new(), now()))
    };
    decide(recommended(true), denial(&["moral_character"])).refused("NOT_AS_RECOMMENDED");
    decide(recommended(false), Verdict::Approve).refused("NOT_AS_RECOMMENDED");
    let events = decide(recommended(true), Verdict::Return).then(&["decision_reviewed"]);
    let back = recommended(true).and(events[0].clone());
    assert!(back.0.recommendation.is_none());
    back.when(|case| decide::recommend(case, ADA, true, "")).then(&["decision_recommended"]);
}

#[test]
fn a_denial_names_its_grounds_and_abandonment_needs_something_that_never_came() {
    let decide = |given: Given, verdict| {
        given.when(|case| decide::decide_case(case, BO, &verdict, &Others::new(), now()))
    };
    decide(recommended(false), denial(&["moral_character"])).then(&["decision_reviewed", "denied"]);
    decide(recommended(false), denial(&[])).refused("GROUNDS_MISSING");
    let unreasoned = Verdict::Deny {
        ground_codes: vec!["x".into()],
        reasons: " ".into(),
        status: None,
        new_facts: Some(NewFacts::Absent),
    };
    decide(recommended(false), unreasoned).refused("GROUNDS_MISSING");
    decide(recommended(false), denial(&["abandoned"])).refused("NOT_ABANDONED");
    let expired =
        served().and(pb::DeadlinePassed { request_id: REQUEST.to_string() }).and(pb::DecisionRecommended {
            officer: ADA.to_string(),
            recommendation: "deny".into(),
            grounds: String::new(),
        });
    let events = decide(expired, denial(&["abandoned"])).then(&["decision_reviewed", "denied"]);
    assert!(matches!(&events[1], Event::CaseDenied(event) if event.abandoned));
}

#[test]
fn nobody_is_denied_for_facts_that_it_was_not_told_of() {
    let stating = |new_facts| {
        let Verdict::Deny { ground_codes, reasons, status, .. } = denial(&["misrepresentation"]) else {
            unreachable!()
        };
        Verdict::Deny { ground_codes, reasons, status, new_facts }
    };
    let decide = |given: Given, new_facts: Option<NewFacts>| {
        let verdict = stating(new_facts);
        given.when(|case| decide::decide_case(case, BO, &verdict, &Others::new(), now()))
    };
    let recommending = pb::DecisionRecommended {
        officer: ADA.to_string(),
        recommendation: "deny".into(),
        grounds: String::new(),
    };
    decide(recommended(false), None).refused("NEW_FACTS_NOT_STATED");
    decide(recommended(false), Some(NewFacts::Told)).refused("NEW_FACTS_NOT_TOLD");
    // A request for evidence says what is missing, not what speaks against the party.
    let passed = || pb::DeadlinePassed { request_id: REQUEST.to_string() };
    let asked = served().and(passed()).and(recommending.clone());
    decide(asked, Some(NewFacts::Told)).refused("NEW_FACTS_NOT_TOLD");
    let warned = |over: bool| {
        let mut given = served();
        given.0.request.as_mut().unwrap().kind = RequestKind::Noid;
        let given = if over { given.and(passed()) } else { given };
        given.and(recommending.clone())
    };
    decide(warned(false), Some(NewFacts::Told)).refused("NEW_FACTS_NOT_TOLD");
    let events = decide(warned(true), Some(NewFacts::Told)).then(&["decision_reviewed", "denied"]);
    assert!(matches!(&events[1], Event::CaseDenied(event) if event.new_facts == "told"));
    // For an abandonment it is not asked.
    let mut missed = recommended(false);
    missed.0.biometrics = Biometrics::Missed;
    let abandoned = Verdict::Deny {
        ground_codes: vec!["abandoned".into()],
        reasons: "because".into(),
        status: None,
        new_facts: None,
    };
    missed
        .when(|case| decide::decide_case(case, BO, &abandoned, &Others::new(), now()))
        .then(&["decision_reviewed", "denied"]);
}

#[test]
fn who_missed_an_appointment_may_have_abandoned_the_case_but_not_a_naturalization_by_its_examination() {
    let decide = |given: Given| {
        let verdict = denial(&["abandoned"]);
        given.when(|case| decide::decide_case(case, BO, &verdict, &Others::new(), now()))
    };
    let missed = |family: &str, biometrics: bool| {
        let mut given = recommended(false);
        family.clone_into(&mut given.0.family);
        if biometrics {
            given.0.biometrics = Biometrics::Missed;
        } else {
            given.0.interview = Interview::Missed;
        }
        given
    };
    decide(missed("adjustment", true)).then(&["decision_reviewed", "denied"]);
    decide(missed("adjustment", false)).then(&["decision_reviewed", "denied"]);
    decide(missed("naturalization", true)).then(&["decision_reviewed", "denied"]);
    decide(missed("naturalization", false)).refused("NOT_ABANDONED");
}

#[test]
fn who_asks_for_asylum_is_heard_before_any_decision_but_that_it_was_abandoned() {
    let all = needs("asylum");
    assert!(all.biometrics && all.interview && !all.test && !all.oath);
    let filed = pb::CaseOpened { form: "I-589".into(), family: "asylum".into(), ..opened() };
    let accepted = pb::FilingAccepted { receipt_number: RECEIPT.into(), office: "NBC".into() };
    let unheard = given([filed.into(), accepted.into()]).and(pb::ReviewStarted {});
    assert_eq!(unheard.0.interview, Interview::ToSchedule);
    let recommend = |given: &Given, approve| given.when(|case| decide::recommend(case, ADA, approve, ""));
    recommend(&unheard, false).refused("INTERVIEW_MISSING");
    recommend(&unheard.and(pb::BiometricsNeeded {}), true).refused("BIOMETRICS_MISSING");

    let mut missed = recommended(false);
    (missed.0.family, missed.0.interview) = ("asylum".into(), Interview::Missed);
    let decide = |given: &Given, verdict: &Verdict| {
        given.when(|case| decide::decide_case(case, BO, verdict, &Others::new(), now()))
    };
    decide(&missed, &lawful(denial(&["no_nexus"]))).refused("INTERVIEW_MISSING");
    decide(&missed, &lawful(denial(&["abandoned"]))).then(&["decision_reviewed", "denied"]);
    let mut heard = recommended(false);
    heard.0.family = "asylum".into();
    decide(&heard, &lawful(denial(&["no_nexus"]))).then(&["decision_reviewed", "denied"]);
}

/// The denial of who is in a lawful status.
fn lawful(denial: Verdict) -> Verdict {
    let Verdict::Deny { ground_codes, reasons, .. } = denial else { unreachable!() };
    Verdict::Deny { ground_codes, reasons, status: Some(Status::Lawful), new_facts: Some(NewFacts::Absent) }
}
