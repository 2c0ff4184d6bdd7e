//! Who may look again at a decision that is challenged: nobody who made it, and for a hearing nobody of a lower grade.

use docket_proto::case_status::events::v1 as pb;
use uuid::Uuid;

use crate::domain::Case;
use crate::domain::decide::{self, Challenged, Decision};
use crate::domain::samples::*;

const EXAMINER: Uuid = Uuid::from_u128(0xE0);
const OTHER: Uuid = Uuid::from_u128(0x0F);

/// A case that EXAMINER examined, ADA recommended to deny and BO denied.
fn denied(by_supervisor: bool) -> Challenged {
    let mut case = in_review()
        .and(pb::DecisionRecommended {
            officer: ADA.to_string(),
            recommendation: "deny".into(),
            grounds: String::new(),
        })
        .and(pb::CaseDenied { officer: BO.to_string(), ..pb::CaseDenied::default() })
        .0;
    case.interviewer = Some(EXAMINER);
    Challenged { case, by_supervisor }
}

fn challenge(kind: &str) -> Given {
    given([pb::CaseOpened { challenge: kind.into(), about_receipt: RECEIPT.into(), ..opened() }.into()])
}

/// A rule about who may look again.
type Rule = fn(&Case, Option<&Challenged>, (Uuid, bool)) -> Result<(), docket_kernel::Refusal>;

fn may(rule: Rule, kind: &str, challenged: &Challenged, officer: (Uuid, bool)) -> Then {
    let decide = |case: &Case| -> Decision { rule(case, Some(challenged), officer).map(|()| Vec::new()) };
    challenge(kind).when(decide)
}

#[test]
fn a_hearing_is_another_officers_than_who_examined_recommended_or_decided() {
    for officer in [EXAMINER, ADA, BO] {
        for supervisor in [false, true] {
            may(decide::hears, "hearing", &denied(false), (officer, supervisor)).refused("SAME_OFFICER");
            may(decide::decides_challenge, "hearing", &denied(false), (officer, supervisor))
                .refused("SAME_OFFICER");
        }
    }
    may(decide::hears, "hearing", &denied(false), (OTHER, false)).then(&[]);
    may(decide::decides_challenge, "hearing", &denied(false), (OTHER, false)).then(&[]);
}

#[test]
fn a_hearing_is_held_by_an_officer_of_at_least_the_grade_of_who_examined() {
    may(decide::hears, "hearing", &denied(true), (OTHER, false)).refused("GRADE_TOO_LOW");
    may(decide::decides_challenge, "hearing", &denied(true), (OTHER, false)).refused("GRADE_TOO_LOW");
    may(decide::hears, "hearing", &denied(true), (OTHER, true)).then(&[]);
}

#[test]
fn a_motion_may_be_had_by_anybody_and_is_decided_by_nobody_who_recommended_or_decided() {
    for kind in ["motion_reopen", "motion_reconsider", "motion_both", "appeal"] {
        for officer in [ADA, BO] {
            may(decide::hears, kind, &denied(true), (officer, false)).then(&[]);
            may(decide::decides_challenge, kind, &denied(true), (officer, true)).refused("SAME_OFFICER");
        }
        may(decide::decides_challenge, kind, &denied(true), (EXAMINER, false)).then(&[]);
        may(decide::decides_challenge, kind, &denied(true), (OTHER, false)).then(&[]);
    }
}

#[test]
fn what_challenges_nothing_that_is_here_is_anybodys() {
    assert!(decide::hears(&challenge("hearing").0, None, (ADA, false)).is_ok());
    assert!(decide::decides_challenge(&in_review().0, None, (ADA, false)).is_ok());
}
