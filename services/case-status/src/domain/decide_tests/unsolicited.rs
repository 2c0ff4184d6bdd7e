//! Evidence added unasked: recorded whenever it came, new until an officer acts, and nothing else changes.

use docket_proto::case_status::events::v1 as pb;
use docket_proto::types::v1::EvidenceRef;

use crate::domain::samples::*;
use crate::domain::{Case, Event, decide, evolve, task, timeline, title};

/// The same case after a file was added.
fn added(case: Given, late: bool) -> Given {
    let evidence = EvidenceRef { kind: "other".into(), ..EvidenceRef::default() };
    let events = case
        .when(|case| decide::record_unsolicited(case, &evidence, now()))
        .then(&["unsolicited_evidence_recorded"]);
    let [Event::UnsolicitedEvidenceRecorded(recorded)] = events.as_slice() else { unreachable!() };
    assert_eq!((recorded.late, recorded.evidence.as_ref()), (late, Some(&evidence)));
    let line = timeline::line(&case.0, &events[0]);
    assert_eq!((line.text.ends_with("-late"), line.office_only), (late, false));
    Given(evolve(case.0, &events[0]))
}

#[test]
fn it_is_new_until_an_officer_acts_on_the_file() {
    let case = added(added(in_review(), false), false);
    assert_eq!((case.0.new_evidence, case.0.unsolicited), (2, 2));
    let assigned = case.and(pb::CaseAssigned { officer: BO.to_string() });
    assert_eq!(assigned.0.new_evidence, 2, "who gets the case has not looked at it yet");
    let recommended = assigned.and(pb::DecisionRecommended { officer: BO.to_string(), ..Default::default() });
    assert_eq!(recommended.0.new_evidence, 0);
    let more = added(recommended, false).and(pb::DecisionReviewed { concurs: false, ..Default::default() });
    assert_eq!((more.0.new_evidence, more.0.unsolicited), (1, 3));
}

#[test]
fn it_moves_no_deadline_and_answers_no_request() {
    let before = served();
    let after = added(served(), false);
    assert_eq!(after.0.request, before.0.request);
    assert_eq!(
        (title::title(&after.0), task::task(&after.0)),
        (title::title(&before.0), task::task(&before.0))
    );
}

#[test]
fn after_the_decision_it_is_kept_and_marked() {
    let denied = in_review().and(pb::CaseDenied { officer: BO.to_string(), ..Default::default() });
    assert_eq!(added(denied, true).0.new_evidence, 0);
    let voided = added(accepted().and(pb::AcceptanceVoided::default()), true);
    assert_eq!(voided.0.unsolicited, 1);
    assert!(decide::record_unsolicited(&Case::default(), &EvidenceRef::default(), now()).is_err());
}
