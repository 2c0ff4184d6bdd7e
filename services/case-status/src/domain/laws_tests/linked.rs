//! Laws over random lives of a package: petition, adjustment, permit and the adjustment of who follows, in whatever order they come
//! and end.

use docket_proto::case_status::events::v1 as pb;
use proptest::prelude::*;
use uuid::Uuid;

use crate::domain::decide::{self, Decision, Filed, Others, Verdict};
use crate::domain::samples::{ADA, APPLICANT, BO, RECEIPT, denial, now, opened};
use crate::domain::{Case, Event, Link, Outcome, Stage, evolve};

const FORMS: [(&str, &str); ALL] = [
    ("I-130", "family_petition"),
    ("I-485", "adjustment"),
    ("I-765", "ancillary_card"),
    ("I-485", "adjustment"),
];
const ALL: usize = 4;
const ADJUSTMENT: usize = 1;
const PERMIT: usize = 2;
/// The application of the spouse or child who follows the one who adjusts.
const DERIVATIVE: usize = 3;

/// An act on one of them.
#[derive(Debug, Clone, Copy)]
enum Act {
    File,
    Accept,
    Reject,
    /// What an approval needs beside its basis is there.
    Prepare,
    Recommend(bool),
    Approve,
    Deny,
    Withdraw,
    Void,
    Reopen,
    /// The approval is revoked; or what was intended is given up.
    Revoke(bool),
    /// Something happened that ends the approval by itself.
    RevokeByLaw,
    OwnMotion,
}

fn act() -> impl Strategy<Value = (usize, Act)> {
    let act = prop_oneof![
        6 => Just(Act::File),
        6 => Just(Act::Accept),
        1 => Just(Act::Reject),
        8 => Just(Act::Prepare),
        8 => prop::bool::weighted(0.85).prop_map(Act::Recommend),
        8 => Just(Act::Approve),
        2 => Just(Act::Deny),
        1 => Just(Act::Withdraw),
        1 => Just(Act::Void),
        1 => Just(Act::Reopen),
        1 => prop::bool::weighted(0.8).prop_map(Act::Revoke),
        1 => Just(Act::RevokeByLaw),
        1 => Just(Act::OwnMotion),
    ];
    (0_usize..ALL, act)
}

fn filed(nth: usize) -> Filed {
    let party = match nth {
        0 => Uuid::from_u128(0xB),
        DERIVATIVE => Uuid::from_u128(0xD),
        _ => APPLICANT,
    };
    Filed { case: id(nth), form: FORMS[nth].0.into(), party, derivative: nth == DERIVATIVE }
}

fn link(from: usize, to: usize) -> Option<Link> {
    filed(from).link_with(&filed(to))
}

fn id(nth: usize) -> Uuid {
    Uuid::from_u128(100 + nth as u128)
}

/// An intent with an answer, and what follows.
fn revoke(case: &Case, done: bool) -> Decision {
    let request_id = Uuid::from_u128(0x205 + case.earlier_requests.len() as u128);
    let intent = decide::Intent {
        request_id,
        grounds: "because".into(),
        derogatory_information: String::new(),
        items: Vec::new(),
        days: None,
        supervised: false,
    };
    let mut events = decide::intend_revocation(case, ADA, &intent, now())?;
    let answer = decide::Response {
        request_id,
        received_at: now(),
        complete: true,
        evidence: Vec::new(),
        being_checked: Vec::new(),
    };
    let fold = |events: &[Event]| events.iter().fold(case.clone(), evolve);
    events.extend(decide::record_response(&fold(&events), &answer)?);
    let end = fold(&events);
    events.extend(if done {
        decide::revoke_approval(&end, BO, (&["no_basis".to_owned()], "because"), now())?
    } else {
        decide::withdraw_revocation_intent(&end, BO)?
    });
    Ok(events)
}

#[derive(Default)]
struct Package {
    cases: [Case; ALL],
    approved: usize,
    followed: usize,
    moot: usize,
    revoked: usize,
    by_law: usize,
}

impl Package {
    fn decide(&self, nth: usize, act: Act) -> Decision {
        let case = &self.cases[nth];
        let deny = || denial(&["no_basis"]);
        match act {
            Act::File => {
                let (form, family) = FORMS[nth];
                let derivative = nth == DERIVATIVE;
                let (form, family) = (form.into(), family.into());
                decide::open(case, &pb::CaseOpened { form, family, derivative, ..opened() })
            }
            Act::Accept => decide::accept(case, RECEIPT, "NBC"),
            Act::Reject => decide::reject(case, &["X-SIGN".into()]),
            Act::Prepare if case.stage == Stage::Accepted => Ok(vec![
                pb::ReviewStarted {}.into(),
                pb::BiometricsTaken::default().into(),
                pb::BackgroundCheckReturned { system: "fbi".into(), result_class: "no_record".into() }.into(),
                pb::InterviewCompleted::default().into(),
            ]),
            Act::Prepare => Ok(Vec::new()),
            Act::Recommend(approve) => decide::recommend(case, ADA, approve, ""),
            Act::Approve => {
                let others: Others = (0..ALL).map(|n| (id(n), self.cases[n].clone())).collect();
                decide::decide_case(case, BO, &Verdict::Approve, &others, now())
            }
            Act::Deny => decide::decide_case(case, BO, &deny(), &Others::new(), now()),
            Act::Withdraw => decide::withdraw(case),
            Act::Void => decide::void_acceptance(case, ADA, "signature", now()),
            Act::Revoke(done) => revoke(case, done),
            Act::RevokeByLaw => {
                let on = docket_kernel::deadline::office_date(now());
                let happened = decide::Happened {
                    cause: "petitioner_withdrew",
                    on,
                    relation: "relative_of_citizen",
                    findings: "The petitioner wrote so.",
                };
                let others: Others = (0..ALL).map(|n| (id(n), self.cases[n].clone())).collect();
                decide::revoke_by_law(case, ADA, happened, &others, now())
            }
            Act::OwnMotion => {
                let (request_id, reasons) = (Uuid::nil(), "Twenty characters or more.".into());
                let motion = decide::Motion { request_id, favorable: true, reasons };
                decide::reopen_on_own_motion(case, BO, &motion, now())
            }
            Act::Reopen => {
                let motion = Case {
                    challenge: "motion_reopen".into(),
                    about_receipt: case.receipt_number.clone(),
                    party: case.party,
                    outcome: Some(Outcome::Approved),
                    ..Case::default()
                };
                decide::reopen(case, Uuid::from_u128(case.reopened_by.len() as u128), &motion, BO)
            }
        }
    }

    fn write(&mut self, nth: usize, events: &[Event]) {
        for event in events {
            self.check(nth, event);
            self.cases[nth] = evolve(std::mem::take(&mut self.cases[nth]), event);
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the law says nothing of the others")]
    fn check(&mut self, nth: usize, event: &Event) {
        let case = &self.cases[nth];
        match event {
            Event::CaseApproved(_) => {
                self.approved += 1;
                if matches!(nth, ADJUSTMENT | DERIVATIVE) && self.cases[0].exists() {
                    assert_eq!(self.cases[0].outcome, Some(Outcome::Approved), "approved without its basis");
                }
                if nth == DERIVATIVE {
                    self.followed += 1;
                    let principal = self.cases[ADJUSTMENT].outcome;
                    assert_eq!(principal, Some(Outcome::Approved), "approved before its principal");
                }
            }
            Event::CaseClosedAsMoot(_) => {
                self.moot += 1;
                assert!(case.stage.is_pending() && case.outcome.is_none(), "moot after a decision");
                assert_eq!((nth, self.cases[ADJUSTMENT].outcome), (PERMIT, Some(Outcome::Approved)));
            }
            Event::ApprovalRevokedByLaw(_) => {
                self.by_law += 1;
                assert_eq!((nth, case.outcome), (0, Some(Outcome::Approved)), "no approved petition");
                let adjusted = self.cases[ADJUSTMENT].outcome == Some(Outcome::Approved);
                assert!(!adjusted || case.carried().next().is_none(), "the beneficiary is a resident");
            }
            Event::ApprovalRevoked(_) => {
                self.revoked += 1;
                assert_eq!((nth, case.outcome), (0, Some(Outcome::Approved)), "no approved petition");
            }
            Event::CaseLinked(_) | Event::BasisLost(_) | Event::BasisRegained(_) => {
                assert!(!matches!(case.stage, Stage::Rejected | Stage::Voided));
            }
            _ => {}
        }
    }

    fn run(&mut self, nth: usize, act: Act) {
        let Ok(events) = self.decide(nth, act) else { return };
        self.write(nth, &events);
        if matches!(act, Act::File) {
            for other in (0..ALL).filter(|other| *other != nth) {
                let (Some(to), Some(back)) = (link(nth, other), link(other, nth)) else { continue };
                if !self.cases[other].exists() {
                    continue;
                }
                let theirs = decide::link(&self.cases[other], &back, &self.cases[nth]).unwrap();
                let ours = decide::link(&self.cases[nth], &to, &self.cases[other]).unwrap();
                self.write(other, &theirs);
                self.write(nth, &ours);
            }
        }
        // The reactions to what was written.
        for event in &events {
            for other in (0..ALL).filter(|other| *other != nth) {
                let (case, linked) = (&self.cases[nth], &self.cases[other]);
                let mut follows = decide::follow_basis(linked, id(nth), case).unwrap();
                if matches!(event, Event::CaseApproved(_)) {
                    follows.extend(decide::close_as_moot(linked, id(nth)).unwrap());
                }
                self.write(other, &follows);
                if matches!(event, Event::CaseReopened(_) | Event::CaseReopenedOnOwnMotion(_)) {
                    let (case, basis) = (&self.cases[nth], &self.cases[other]);
                    let follows = decide::follow_basis(case, id(other), basis).unwrap();
                    self.write(nth, &follows);
                }
            }
        }
        let lost = |case: &Case, basis: &Case| case.is_open() && decide::basis_end(basis).is_some();
        assert_eq!(
            self.cases[ADJUSTMENT].is_open() && !self.cases[ADJUSTMENT].lost_bases.is_empty(),
            lost(&self.cases[ADJUSTMENT], &self.cases[0]),
            "an open case says whether its basis is lost"
        );
        let follows = &self.cases[DERIVATIVE];
        assert_eq!(
            follows.is_open() && !follows.lost_bases.is_empty(),
            lost(follows, &self.cases[0]) || lost(follows, &self.cases[ADJUSTMENT]),
            "who follows says whether the petition or the principal is lost"
        );
    }
}

proptest! {
    #[test]
    fn whatever_becomes_of_a_package_keeps_the_invariants(acts in prop::collection::vec(act(), 1..120)) {
        let mut package = Package::default();
        for (nth, act) in acts {
            package.run(nth, act);
        }
    }
}

/// Random lives must reach an approval on a basis, one after a principal's and a case closed as moot now and then, or the law says little.
#[test]
fn random_packages_reach_what_the_law_is_about() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = prop::collection::vec(act(), 200);
    let (mut approved, mut followed, mut moot, mut revoked, mut by_law) = (0, 0, 0, 0, 0);
    for _ in 0..600 {
        let mut package = Package::default();
        for (nth, act) in strategy.new_tree(&mut runner).unwrap().current() {
            package.run(nth, act);
        }
        approved += usize::from(package.cases[ADJUSTMENT].outcome == Some(Outcome::Approved));
        followed += package.followed;
        moot += package.moot;
        revoked += package.revoked;
        by_law += package.by_law;
    }
    let told = format!(
        "{approved} approved, {followed} after their principal, {moot} moot, {revoked} revoked, {by_law} by law"
    );
    assert!(approved > 0 && followed > 0 && moot > 0 && revoked > 0 && by_law > 0, "{told}");
}
