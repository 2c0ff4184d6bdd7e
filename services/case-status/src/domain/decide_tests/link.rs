//! Cases of one package: which rest on which, and what the end of one means for the others.

use docket_proto::case_status::events::v1 as pb;
use uuid::Uuid;

use crate::domain::decide::{self, Decision, Filed, Others, Verdict};
use crate::domain::samples::*;
use crate::domain::{Case, Direction, Link, LinkKind, Outcome, Stage, evolve, task, title};

const PETITION: Uuid = Uuid::from_u128(0x130);
const ADJUSTMENT: Uuid = Uuid::from_u128(0x485);
const PERMIT: Uuid = Uuid::from_u128(0x765);
const PETITIONER: Uuid = Uuid::from_u128(0xB);

fn filed(case: Uuid, form: &str, party: Uuid) -> Filed {
    Filed { case, form: form.into(), party }
}

fn petition() -> Filed {
    filed(PETITION, "I-130", PETITIONER)
}

fn adjustment() -> Filed {
    filed(ADJUSTMENT, "I-485", APPLICANT)
}

fn permit() -> Filed {
    filed(PERMIT, "I-765", APPLICANT)
}

fn submitted_as(form: &str, family: &str) -> Given {
    given([pb::CaseOpened { form: form.into(), family: family.into(), ..opened() }.into()])
}

fn taken(case: Given) -> Given {
    case.and(pb::FilingAccepted { receipt_number: RECEIPT.into(), office: "NBC".into() })
}

fn after(case: Given, decide: impl FnOnce(&Case) -> Decision) -> Given {
    let events = decide(&case.0).unwrap();
    Given(events.iter().fold(case.0, evolve))
}

/// An adjustment that rests on the petition, as that one stands.
fn resting(case: Given, basis: &Case) -> Given {
    let link = adjustment().link_with(&petition()).unwrap();
    after(case, |case| decide::link(case, &link, basis))
}

/// A permit that rests on the adjustment.
fn ancillary() -> Given {
    let link = permit().link_with(&adjustment()).unwrap();
    let permit = taken(submitted_as("I-765", "ancillary_card"));
    after(permit, |case| decide::link(case, &link, &accepted().0))
}

fn rejected() -> Given {
    submitted().and(pb::FilingRejected { codes: vec!["X-SIGN".into()], refund: true })
}

#[test]
fn an_adjustment_rests_on_its_petition_and_a_permit_on_the_own_adjustment() {
    let link = adjustment().link_with(&petition()).unwrap();
    assert_eq!(
        link,
        Link { case: PETITION, form: "I-130".into(), kind: LinkKind::Basis, direction: Direction::RestsOn }
    );
    let back = petition().link_with(&adjustment()).unwrap();
    assert_eq!((back.case, back.kind, back.direction), (ADJUSTMENT, LinkKind::Basis, Direction::Carries));
    let link = permit().link_with(&adjustment()).unwrap();
    assert_eq!((link.kind, link.direction), (LinkKind::Ancillary, Direction::RestsOn));
    let somebody_elses = filed(PERMIT, "I-131", PETITIONER);
    for (one, other) in [(somebody_elses, adjustment()), (permit(), petition()), (petition(), petition())] {
        assert_eq!((one.link_with(&other), other.link_with(&one)), (None, None), "{one:?} {other:?}");
    }
    assert!(permit().may_be_linked() && !filed(PERMIT, "N-400", APPLICANT).may_be_linked());
}

#[test]
fn a_link_is_made_once_and_not_with_what_has_ended_at_intake() {
    let link = adjustment().link_with(&petition()).unwrap();
    let case = resting(submitted(), &accepted().0);
    assert_eq!(case.0.links, std::slice::from_ref(&link));
    case.when(|case| decide::link(case, &link, &accepted().0)).then(&[]);
    rejected().when(|case| decide::link(case, &link, &accepted().0)).then(&[]);
    assert!(decide::link(&Case::default(), &link, &accepted().0).is_err());
}

#[test]
fn an_adjustment_is_approved_only_when_its_petition_is() {
    let case = resting(recommended(true), &accepted().0);
    let approve = |basis: Option<&Case>| {
        let others: Others = basis.map(|basis| (PETITION, basis.clone())).into_iter().collect();
        case.when(|case| decide::decide_case(case, BO, &Verdict::Approve, &others, now()))
    };
    approve(Some(&in_review().0)).refused("BASIS_NOT_APPROVED");
    approve(Some(&in_review().and(pb::CaseDenied::default()).0)).refused("BASIS_NOT_APPROVED");
    approve(None).refused("BASIS_NOT_APPROVED");
    approve(Some(&approved().0)).then(&["decision_reviewed", "approved"]);
    let denied = resting(recommended(false), &accepted().0);
    let verdict = denial(&["no_basis"]);
    denied
        .when(|case| decide::decide_case(case, BO, &verdict, &Others::new(), now()))
        .then(&["decision_reviewed", "denied"]);
}

#[test]
fn a_basis_that_ended_is_lost_and_comes_back_with_its_reopening_and_nothing_is_decided() {
    let case = resting(in_review(), &accepted().0);
    let follow = |case: &Given, basis: &Case| case.when(|case| decide::follow_basis(case, PETITION, basis));
    let denied = in_review().and(pb::CaseDenied::default());
    let withdrawn = in_review().and(pb::CaseWithdrawn {});
    let voided = accepted().and(pb::AcceptanceVoided::default());
    for basis in [&denied, &withdrawn, &rejected(), &voided] {
        follow(&case, &basis.0).then(&["basis_lost"]);
    }
    follow(&case, &approved().0).then(&[]);
    follow(&in_review(), &denied.0).then(&[]);
    let before = (title::title(&case.0), case.0.stage);
    let lost = after(case, |case| decide::follow_basis(case, PETITION, &denied.0));
    assert_eq!((title::title(&lost.0), lost.0.stage), before);
    assert_eq!(task::task(&lost.0), Some("see_to_basis"));
    follow(&lost, &withdrawn.0).then(&[]);
    let reopened = denied.and(pb::CaseReopened::default());
    follow(&lost, &reopened.0).then(&["basis_regained"]);
    let back = after(lost, |case| decide::follow_basis(case, PETITION, &reopened.0));
    assert!(back.0.lost_bases.is_empty());
    follow(&back, &reopened.0).then(&[]);
    follow(&back.and(pb::CaseDenied::default()), &rejected().0).then(&[]);
}

#[test]
fn who_recommended_an_approval_sees_to_the_basis_and_a_denial_is_decided() {
    let lost = |case: Given| {
        let case = resting(case, &accepted().0);
        after(case, |case| decide::follow_basis(case, PETITION, &rejected().0)).0
    };
    assert_eq!(task::task(&lost(recommended(true))), Some("see_to_basis"));
    assert_eq!(task::task(&lost(recommended(false))), Some("decide"));
}

#[test]
fn what_rests_on_a_rejected_filing_waits_for_a_person() {
    let first = resting(submitted(), &accepted().0);
    assert!(decide::intake_reasons(&first.0).is_empty());
    let later = after(first, |case| decide::follow_basis(case, PETITION, &rejected().0));
    assert_eq!(decide::intake_reasons(&later.0), ["basis_rejected"]);
    // Whatever comes first: the filing, or the rejection.
    let after_it = resting(submitted(), &rejected().0);
    assert_eq!(decide::intake_reasons(&after_it.0), ["basis_rejected"]);
}

#[test]
fn what_an_approval_makes_needless_is_closed_with_all_that_stands_open() {
    let moot = |case: &Given| case.when(|case| decide::close_as_moot(case, ADJUSTMENT));
    let case = ancillary()
        .and(pb::BiometricsNeeded {})
        .and(pb::BiometricsScheduled {
            appointment: Some(slot("2026-12-08T15:00:00Z", "ASC-NYC")),
            capture_code: 3,
        })
        .and(pb::EvidenceRequested {
            request_id: REQUEST.to_string(),
            deadline: Some(deadline()),
            ..pb::EvidenceRequested::default()
        });
    let events = moot(&case).then(&["closed_as_moot", "request_cancelled", "biometrics_cancelled"]);
    let closed = Given(events.iter().fold(case.0, evolve));
    assert_eq!((closed.0.stage, closed.0.outcome), (Stage::Closed, Some(Outcome::ClosedAsMoot)));
    assert_eq!((title::title(&closed.0).id.as_str(), task::task(&closed.0)), ("3a", None));
    assert!(closed.0.open_request().is_none() && closed.0.appointment().is_none());
    moot(&closed).then(&[]);
    closed.when(decide::withdraw).refused("ALREADY_DECIDED");
    moot(&ancillary().and(pb::CaseApproved::default())).then(&[]);
    moot(&accepted()).then(&[]);
    moot(&resting(in_review(), &accepted().0)).then(&[]);
}
