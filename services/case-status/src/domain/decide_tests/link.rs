//! Cases of one package: which rest on which, and what the end of one means for the others.

use std::collections::BTreeMap;

use docket_kernel::EventEnum as _;
use docket_proto::case_status::events::v1 as pb;
use uuid::Uuid;

use crate::domain::decide::{self, Decision, Filed, Others, Verdict};
use crate::domain::samples::*;
use crate::domain::{Case, Direction, Event, Link, LinkKind, Outcome, Stage, evolve, task, timeline, title};

const PETITION: Uuid = Uuid::from_u128(0x130);
const ADJUSTMENT: Uuid = Uuid::from_u128(0x485);
const PERMIT: Uuid = Uuid::from_u128(0x765);
const FOLLOWING: Uuid = Uuid::from_u128(0x203);
const PETITIONER: Uuid = Uuid::from_u128(0xB);

fn filed(case: Uuid, form: &str, party: Uuid) -> Filed {
    Filed { case, form: form.into(), party, derivative: false }
}

/// The application of a spouse who follows the one of [`adjustment`].
fn following() -> Filed {
    Filed { derivative: true, ..filed(FOLLOWING, "I-485", PETITIONER) }
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
    submitted().and(pb::FilingRejected { codes: vec!["X-SIGN".into()], refund: true, kept: None })
}

#[test]
fn an_adjustment_rests_on_its_petition_and_a_permit_on_the_own_adjustment() {
    let link = adjustment().link_with(&petition()).unwrap();
    assert_eq!(
        link,
        Link {
            case: PETITION,
            form: "I-130".into(),
            kind: LinkKind::Basis,
            direction: Direction::RestsOn,
            apart: false
        }
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

/// An adjustment under review that names a petition filed apart.
fn apart() -> Given {
    let mut case = recommended(true);
    (case.0.form, case.0.rests_on_receipt) = ("I-485".into(), RECEIPT.into());
    case
}

/// What happened, without the category and the version.
fn names(events: &[Event]) -> Vec<String> {
    events.iter().map(|event| event.kind().split('.').nth(1).unwrap().to_owned()).collect()
}

/// A case of a form, accepted.
fn accepted_as(form: &str) -> Given {
    taken(submitted_as(form, "family_petition"))
}

#[test]
fn an_adjustment_that_names_a_petition_is_approved_only_when_somebody_has_looked_at_it() {
    let approve = |case: &Given, others: Others| {
        case.when(|case| decide::decide_case(case, BO, &Verdict::Approve, &others, now()))
    };
    approve(&apart(), Others::new()).refused("BASIS_NOT_VERIFIED");
    // Who asks as a refugee names none.
    let mut without = apart();
    without.0.rests_on_receipt = String::new();
    approve(&without, Others::new()).then(&["decision_reviewed", "approved"]);

    let petition = accepted_as("I-130");
    let written = say(&apart(), Some(PETITION), "", &[(PETITION, &petition)]).unwrap();
    let [own, other] = [ADJUSTMENT, PETITION].map(|case| names(&written[&case]));
    assert_eq!((own, other), (vec!["linked".to_owned()], vec!["linked".to_owned()]));
    let rests = told(apart(), Some(PETITION), "", &[(PETITION, &petition)]);
    let stands = |basis: &Given| Others::from([(PETITION, basis.0.clone())]);
    approve(&rests, stands(&petition)).refused("BASIS_NOT_APPROVED");
    approve(&rests, stands(&approved())).then(&["decision_reviewed", "approved"]);

    // One that is no case here.
    let verified = told(apart(), None, SEEN, &[]);
    approve(&verified, Others::new()).then(&["decision_reviewed", "approved"]);
    // Nobody was asked for the number, since a case of theirs was pending.
    let mut known = apart();
    (known.0.rests_on_receipt, known.0.rests_on_unnamed) = (String::new(), true);
    approve(&known, Others::new()).refused("BASIS_NOT_VERIFIED");
}

const SEEN: &str = "Approval notice of an I-360 of 2025, seen in the file.";

/// What an officer's word writes, by case.
fn say(
    case: &Given,
    basis: Option<Uuid>,
    note: &str,
    others: &[(Uuid, &Given)],
) -> Result<BTreeMap<Uuid, Vec<Event>>, &'static str> {
    let others: Others = others.iter().map(|(id, case)| (*id, case.0.clone())).collect();
    let said = decide::Said { officer: ADA, basis, of_principal: false, note };
    decide::say_basis((ADJUSTMENT, &case.0), &others, said).map_err(|refusal| refusal.reason)
}

/// The application after it.
fn told(case: Given, basis: Option<Uuid>, note: &str, others: &[(Uuid, &Given)]) -> Given {
    let mut written = say(&case, basis, note, others).unwrap();
    let events = written.remove(&ADJUSTMENT).unwrap();
    Given(events.iter().fold(case.0, evolve))
}

#[test]
fn what_an_officer_said_of_the_petition_can_be_said_anew() {
    const RIGHT: Uuid = Uuid::from_u128(0x131);
    let (wrong, right) = (accepted_as("I-130"), accepted_as("I-130"));
    let case = told(apart(), Some(PETITION), "", &[(PETITION, &wrong)]);
    let written = say(&case, Some(RIGHT), "", &[(PETITION, &wrong), (RIGHT, &right)]).unwrap();
    let of = |id: Uuid| names(&written[&id]);
    assert_eq!(
        (of(ADJUSTMENT), of(PETITION)),
        (vec!["unlinked".into(), "linked".into()], vec!["unlinked".into()])
    );
    assert_eq!(of(RIGHT), ["linked"]);
    let case = told(case, Some(RIGHT), "", &[(PETITION, &wrong), (RIGHT, &right)]);
    assert_eq!(case.0.bases().collect::<Vec<_>>(), [RIGHT]);
    // The petitioner reads nothing of what somebody else filed apart.
    let [linked, unlinked] = [&written[&RIGHT][0], &written[&PETITION][0]];
    assert!([linked, unlinked].iter().all(|event| timeline::line(&right.0, event).office_only));
    // Or that it is no case here.
    let elsewhere = told(case, None, SEEN, &[(RIGHT, &right)]);
    assert!(elsewhere.0.bases().next().is_none() && elsewhere.0.basis_verified);
}

#[test]
fn a_petition_that_was_filed_with_it_and_denied_gives_way_to_another() {
    const OTHER: Uuid = Uuid::from_u128(0x140);
    let denied = accepted_as("I-130").and(pb::CaseDenied::default());
    let other = accepted_as("I-140");
    let lost = after(resting(apart(), &accepted_as("I-130").0), |case| {
        decide::follow_basis(case, PETITION, &denied.0)
    });
    assert_eq!(task::task(&lost.0), Some("see_to_basis"));
    let moved = told(lost, Some(OTHER), "", &[(PETITION, &denied), (OTHER, &other)]);
    assert_eq!((moved.0.bases().collect::<Vec<_>>(), moved.0.lost_bases.len()), (vec![OTHER], 0));
}

#[test]
fn what_is_ones_own_is_linked_apart_and_a_petition_for_somebody_else_is_not() {
    let own = filed(PETITION, "I-140", APPLICANT);
    let link = adjustment().link_apart(&own).unwrap();
    assert!(link.apart && link.is_basis());
    assert!(permit().link_apart(&adjustment()).is_some_and(|link| link.apart));
    assert_eq!(adjustment().link_apart(&filed(PETITION, "I-130", APPLICANT)), None);
    assert_eq!(adjustment().link_apart(&filed(PETITION, "I-140", PETITIONER)), None);
}

/// A derivative's adjustment under review.
fn derivative() -> Given {
    let mut case = recommended(true);
    (case.0.form, case.0.derivative) = ("I-485".into(), true);
    case
}

#[test]
fn a_derivative_s_adjustment_rests_on_the_principal_s_and_not_the_other_way() {
    let link = following().link_with(&adjustment()).unwrap();
    assert_eq!((link.case, link.kind, link.direction), (ADJUSTMENT, LinkKind::Principal, Direction::RestsOn));
    let back = adjustment().link_with(&following()).unwrap();
    assert_eq!((back.case, back.kind, back.direction), (FOLLOWING, LinkKind::Principal, Direction::Carries));
    let another = Filed { case: PERMIT, ..following() };
    assert_eq!(following().link_with(&another), None, "two who follow");
    let unrelated = Filed { case: PERMIT, ..adjustment() };
    assert_eq!(adjustment().link_with(&unrelated), None, "two who do not");
    assert_eq!(following().link_with(&petition()).unwrap().kind, LinkKind::Basis);
}

#[test]
fn a_derivative_is_not_approved_before_the_principal() {
    let approve = |case: &Given, others: Others| {
        case.when(|case| decide::decide_case(case, BO, &Verdict::Approve, &others, now()))
    };
    let link = following().link_with(&adjustment()).unwrap();
    let case = after(derivative(), |case| decide::link(case, &link, &accepted().0));
    let stands = |principal: Given| Others::from([(ADJUSTMENT, principal.0)]);
    approve(&case, Others::new()).refused("PRINCIPAL_NOT_APPROVED");
    approve(&case, stands(recommended(true))).refused("PRINCIPAL_NOT_APPROVED");
    let reopened = approved().and(pb::CaseReopenedOnOwnMotion::default());
    approve(&case, stands(reopened)).refused("PRINCIPAL_NOT_APPROVED");
    let denied = || in_review().and(pb::CaseDenied::default());
    approve(&case, stands(denied())).refused("PRINCIPAL_NOT_APPROVED");
    approve(&case, stands(approved())).then(&["decision_reviewed", "approved"]);
    // Of two with whom it went in, one was denied and the other one approved.
    let second = Link { case: PERMIT, ..link };
    let of_two = after(case, |case| decide::link(case, &second, &accepted().0));
    let both = |second: Given| Others::from([(ADJUSTMENT, approved().0), (PERMIT, second.0)]);
    approve(&of_two, both(in_review())).refused("PRINCIPAL_NOT_APPROVED");
    approve(&of_two, both(denied())).then(&["decision_reviewed", "approved"]);
}

#[test]
fn a_derivative_who_filed_apart_waits_until_somebody_says_whose_case_it_follows() {
    let approve = |case: &Given, others: Others| {
        case.when(|case| decide::decide_case(case, BO, &Verdict::Approve, &others, now()))
    };
    approve(&derivative(), Others::new()).refused("PRINCIPAL_NOT_KNOWN");
    let say = |case: &Given, basis: Option<&Given>, of_principal: bool| {
        let others: Others = basis.map(|basis| (ADJUSTMENT, basis.0.clone())).into_iter().collect();
        let note = "Approval notice of an I-485 of 2024, seen in the file.";
        let said = decide::Said { officer: ADA, basis: basis.map(|_| ADJUSTMENT), of_principal, note };
        decide::say_basis((FOLLOWING, &case.0), &others, said).map_err(|refusal| refusal.reason)
    };
    let noted = |case: Given, of_principal: bool| {
        let events = say(&case, None, of_principal).unwrap().remove(&FOLLOWING).unwrap();
        Given(events.iter().fold(case.0, evolve))
    };
    approve(&noted(derivative(), false), Others::new()).refused("PRINCIPAL_NOT_KNOWN");
    approve(&noted(derivative(), true), Others::new()).then(&["decision_reviewed", "approved"]);
    assert_eq!(say(&apart(), None, true).map(drop), Err("NO_PRINCIPAL_NEEDED"));

    let rest_on = |case: &Given, basis: &Given| say(case, Some(basis), false);
    let principal = accepted_as("I-485");
    let mut another = accepted_as("I-485");
    another.0.derivative = true;
    assert_eq!(rest_on(&derivative(), &another).map(drop), Err("NOT_A_PRINCIPAL"));
    let submitted = submitted_as("I-485", "adjustment");
    assert_eq!(rest_on(&derivative(), &submitted).map(drop), Err("NOT_A_PRINCIPAL"));
    assert_eq!(rest_on(&derivative(), &accepted_as("I-765")).map(drop), Err("NOT_A_PETITION"));
    assert_eq!(rest_on(&apart(), &principal).map(drop), Err("NOT_A_PETITION"), "who follows nobody");
    let written = rest_on(&derivative(), &principal).unwrap();
    assert!([FOLLOWING, ADJUSTMENT].iter().all(|case| names(&written[case]) == ["linked"]));
    let linked = Given(written[&FOLLOWING].iter().fold(derivative().0, evolve));
    assert_eq!(linked.0.principals().collect::<Vec<_>>(), [ADJUSTMENT]);
    assert_eq!(linked.0.bases().count(), 0, "it is no petition");
    // Who applied first reads nothing of what somebody else filed apart.
    assert!(timeline::line(&principal.0, &written[&ADJUSTMENT][0]).office_only);
    // A principal who is denied is a lost basis, and decides nothing.
    let denied = in_review().and(pb::CaseDenied::default());
    linked.when(|case| decide::follow_basis(case, ADJUSTMENT, &denied.0)).then(&["basis_lost"]);
}

#[test]
fn who_is_a_resident_on_conditions_becomes_no_citizen_before_they_are_removed() {
    let conditions = |case: Given| {
        let mut case = case;
        case.0.family = "conditions_removal".into();
        case.0
    };
    let approve = |other: Case| {
        let others = Others::from([(PETITION, other)]);
        recommended(true).when(|case| decide::decide_case(case, BO, &Verdict::Approve, &others, now()))
    };
    approve(conditions(in_review())).refused("CONDITIONS_PENDING");
    approve(conditions(submitted())).refused("CONDITIONS_PENDING");
    approve(conditions(approved())).then(&["decision_reviewed", "approved"]);
    approve(conditions(rejected())).then(&["decision_reviewed", "approved"]);
    // A child's, for which the parent signed.
    let mut childs = conditions(in_review());
    childs.signed_as = "parent".into();
    approve(childs).then(&["decision_reviewed", "approved"]);
    approve(in_review().0).then(&["decision_reviewed", "approved"]);
}

#[test]
fn only_an_adjustment_is_linked_with_a_petition_and_only_with_one() {
    let rest_on = |case: &Given, basis: &Given| say(case, Some(PETITION), "", &[(PETITION, basis)]).map(drop);
    let petition = accepted_as("I-130");
    assert_eq!(rest_on(&in_review(), &petition), Err("NO_BASIS_NEEDED"));
    assert_eq!(rest_on(&apart(), &accepted_as("I-765")), Err("NOT_A_PETITION"));
    assert_eq!(rest_on(&apart(), &submitted_as("I-130", "family_petition")), Err("NOT_A_PETITION"));
    assert_eq!(
        rest_on(&apart(), &accepted_as("I-130").and(pb::CaseDenied::default())),
        Err("PETITION_ENDED")
    );
    let linked = resting(apart(), &petition.0);
    assert_eq!(rest_on(&linked, &petition), Err("ALREADY_LINKED"));
    assert_eq!(say(&in_review(), None, SEEN, &[]).map(drop), Err("NO_BASIS_NEEDED"));
    assert_eq!(say(&apart(), None, "seen", &[]).map(drop), Err("WORDS_OUT_OF_BOUNDS"));
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
