//! A decided case knows of the motion or the appeal against its denial (8 CFR 103.3, 103.5(a); lifecycle 6, title 6).

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

/// Follows the case of a motion or an appeal: accepted and pending, or at its end. What came to its end before it was
/// known is not told.
///
/// # Errors
/// None.
pub fn follow_challenge(case: &Case, challenge_id: Uuid, challenge: &Case) -> Decision {
    let denied = matches!(case.outcome, Some(Outcome::Denied | Outcome::DeniedAbandoned));
    if !is_about(challenge, case) {
        return Ok(Vec::new());
    }
    let (case_id, kind) = (challenge_id.to_string(), challenge.challenge.clone());
    Ok(match (end(challenge), case.challenges.contains_key(&challenge_id)) {
        (None, false) if denied && challenge.is_open() => {
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
        (_, Some(Outcome::Denied | Outcome::DeniedAbandoned)) => Some("denied"),
        (_, Some(Outcome::Withdrawn | Outcome::ClosedAsMoot)) => Some("withdrawn"),
        (_, None) => None,
    }
}
