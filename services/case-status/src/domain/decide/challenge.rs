//! A decided case knows of the motion or the appeal against its denial or revocation (8 CFR 103.3, 103.5(a), 205.2(d)), and who decided
//! it does not decide about that.

use docket_kernel::Refusal;
use docket_proto::case_status::events::v1 as pb;
use uuid::Uuid;

use super::Decision;
use crate::domain::{Case, Outcome, Stage};

/// Whether `other` challenges the decision of this case: a party challenges what was decided about itself.
pub fn is_about(other: &Case, case: &Case) -> bool {
    !other.challenge.is_empty()
        && other.party == case.party
        && !case.receipt_number.is_empty()
        && other.about_receipt == case.receipt_number
}

/// The denied case that a challenge is about, as far as it says who may look at it again.
#[derive(Debug, Clone)]
pub struct Challenged {
    /// The case.
    pub case: Case,
    /// Whether who examined there, or else decided, is a supervisor.
    pub by_supervisor: bool,
}

/// Whether an officer, a supervisor or not, may have a request for a hearing, and look at it: another one than who examined or
/// decided, and of at least the grade of who examined (8 CFR 336.2(b)). A case that is no such request anybody may have.
///
/// # Errors
/// `SAME_OFFICER`, `GRADE_TOO_LOW`.
pub fn hears(
    case: &Case,
    challenged: Option<&Challenged>,
    (officer, supervisor): (Uuid, bool),
) -> Result<(), Refusal> {
    let Some(challenged) = challenged.filter(|_| case.challenge == "hearing") else { return Ok(()) };
    if decided(&challenged.case, officer) || challenged.case.interviewer == Some(officer) {
        return Err(Refusal::not_yours(
            "SAME_OFFICER",
            "Who examined the applicant or decided the case does not hear the request (8 CFR 336.2(b)).",
        )
        .way_out("Give it to another officer of at least the same grade."));
    }
    if challenged.by_supervisor && !supervisor {
        return Err(Refusal::not_yours(
            "GRADE_TOO_LOW",
            "A request is heard by an officer of at least the grade of who examined the applicant (8 CFR 336.2(b)).",
        )
        .way_out("Give it to a supervisor who had no part in the case."));
    }
    Ok(())
}

/// Whether an officer may decide a challenge: nobody who recommended or made the decision that it is about.
///
/// # Errors
/// `SAME_OFFICER`, and what [`hears`] says.
pub fn decides_challenge(
    case: &Case,
    challenged: Option<&Challenged>,
    officer: (Uuid, bool),
) -> Result<(), Refusal> {
    hears(case, challenged, officer)?;
    if challenged.is_some_and(|challenged| decided(&challenged.case, officer.0)) {
        return Err(Refusal::not_yours(
            "SAME_OFFICER",
            "Who recommended or made a decision does not decide about a motion or an appeal against it.",
        )
        .way_out("Another officer of the office decides."));
    }
    Ok(())
}

/// Whether an officer recommended or made the decision of a case, or intended the revocation or termination that was made.
fn decided(case: &Case, officer: Uuid) -> bool {
    let revoked = matches!(case.outcome, Some(Outcome::Revoked | Outcome::Terminated));
    case.decided_by == Some(officer)
        || case.recommendation.is_some_and(|it| it.officer == officer)
        || (revoked && case.revocation.is_some_and(|it| it.officer == officer))
}

/// Follows the case of a motion or an appeal: accepted and pending, or at its end. What came to its end before it was
/// known is not told.
///
/// # Errors
/// None.
pub fn follow_challenge(case: &Case, challenge_id: Uuid, challenge: &Case) -> Decision {
    if !is_about(challenge, case) {
        return Ok(Vec::new());
    }
    let (case_id, kind) = (challenge_id.to_string(), challenge.challenge.clone());
    Ok(match (end(challenge), case.challenges.contains_key(&challenge_id)) {
        (None, false) if case.is_decided_against() && challenge.is_open() => {
            vec![pb::ChallengeAccepted { case_id, challenge: kind }.into()]
        }
        (Some(how), true) => {
            vec![pb::ChallengeEnded { case_id, cause: how.to_owned(), challenge: kind }.into()]
        }
        (None, _) | (Some(_), false) => Vec::new(),
    })
}

/// How the case of a challenge ended; none while it is pending.
fn end(challenge: &Case) -> Option<&'static str> {
    match (challenge.stage, challenge.outcome) {
        (Stage::Voided, _) => Some("voided"),
        (_, Some(Outcome::Approved)) => Some("granted"),
        (
            _,
            Some(
                Outcome::Denied
                | Outcome::DeniedAbandoned
                | Outcome::Revoked
                | Outcome::RevokedByLaw
                | Outcome::Terminated
                | Outcome::Referred,
            ),
        ) => Some("denied"),
        (_, Some(Outcome::Withdrawn | Outcome::AdministrativelyClosed | Outcome::ClosedAsMoot)) => {
            Some("withdrawn")
        }
        (_, None) => None,
    }
}
