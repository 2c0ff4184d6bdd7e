//! Who has the case, when its review begins, and its end by the party.

use docket_kernel::Refusal;
use docket_proto::case_status::events::v1 as pb;
use uuid::Uuid;

use super::ending::ending;
use super::{Decision, decided, pending};
use crate::domain::{Case, Outcome, Stage};

/// Gives the case to an officer. Giving it to who has it changes nothing.
///
/// # Errors
/// `CONFLICT_OF_INTEREST`, `NOT_ACCEPTED`, `ALREADY_REJECTED`, `ALREADY_DECIDED` unless an approval still leads to an oath.
pub fn assign(case: &Case, officer: Uuid) -> Decision {
    has_an_officer(case)?;
    if case.party == Some(officer) {
        return Err(Refusal::not_yours("CONFLICT_OF_INTEREST", "Nobody works on a case of their own.")
            .way_out("Give it to another officer."));
    }
    if case.officer == Some(officer) {
        return Ok(Vec::new());
    }
    Ok(vec![pb::CaseAssigned { officer: officer.to_string() }.into()])
}

/// A case that an officer has: pending, or approved, which may still lead somewhere.
fn has_an_officer(case: &Case) -> Result<(), Refusal> {
    let approved = case.stage == Stage::Decided && case.outcome == Some(Outcome::Approved);
    if approved { Ok(()) } else { pending(case) }
}

/// Takes the case from its officer. What nobody has stays so.
///
/// # Errors
/// `NOT_ACCEPTED`, `ALREADY_REJECTED`, `ALREADY_DECIDED` unless an approval still leads somewhere.
pub fn unassign(case: &Case, supervisor: Uuid) -> Decision {
    has_an_officer(case)?;
    let taken = |officer: Uuid| {
        let (officer, supervisor) = (officer.to_string(), supervisor.to_string());
        pb::CaseUnassigned { officer, supervisor }.into()
    };
    Ok(case.officer.map(taken).into_iter().collect())
}

/// Begins the review; beginning again changes nothing.
///
/// # Errors
/// `NOT_ACCEPTED`, `ALREADY_REJECTED`, `ALREADY_DECIDED`, `DECISION_PENDING`.
pub fn start_review(case: &Case) -> Decision {
    pending(case)?;
    match case.stage {
        Stage::Accepted => Ok(vec![pb::ReviewStarted {}.into()]),
        Stage::InReview => Ok(Vec::new()),
        Stage::DecisionPending => super::in_review(case).map(|()| Vec::new()),
        Stage::Unknown
        | Stage::Submitted
        | Stage::Rejected
        | Stage::Voided
        | Stage::Decided
        | Stage::Closed => Err(decided(case)),
    }
}

/// The party withdraws: it cannot be taken back (8 CFR 103.2(b)(6)). What stands open ends with it.
///
/// # Errors
/// `NOT_ACCEPTED`, `ALREADY_REJECTED`, `ALREADY_DECIDED`.
pub fn withdraw(case: &Case) -> Result<Vec<crate::domain::Event>, Refusal> {
    pending(case)?;
    let mut events = vec![pb::CaseWithdrawn {}.into()];
    events.extend(ending(case, "withdrawn"));
    Ok(events)
}
