//! The office reopens a decided case on its own motion: to decide it for the party at once, or, when it may be against it, after the
//! party could answer (8 CFR 103.5(a)(5), 335.5).

use docket_kernel::Refusal;
use docket_proto::case_status::events::v1 as pb;
use jiff::Timestamp;
use uuid::Uuid;

use super::ending::inquiry_closed;
use super::request::plan;
use super::{Decision, worded};
use crate::domain::{Case, Oath, Outcome, OwnMotion, REOPENING, RequestKind};

/// A case that is reopened without anybody's motion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Motion {
    /// Id of the request that the party may answer.
    pub request_id: Uuid,
    /// Whether it is to decide for the party.
    pub favorable: bool,
    /// Why, in words to the party; sealed by the log.
    pub reasons: String,
}

/// Reopens a case that was denied, whose approval was revoked, or which was closed; or, against
/// the party, a naturalization that was approved, before the oath. What was withdrawn is final, and what was referred is the court's.
///
/// # Errors
/// `NOT_REOPENABLE`, `WORDS_OUT_OF_BOUNDS`; not found without a case.
pub fn reopen_on_own_motion(case: &Case, officer: Uuid, motion: &Motion, now: Timestamp) -> Decision {
    if !case.exists() {
        return Err(Refusal::not_found());
    }
    if !may_be_reopened(case, motion.favorable) {
        return Err(Refusal::state(
            "NOT_REOPENABLE",
            "On its own motion the office reopens a case that was denied, revoked or closed, or an approved naturalization before the oath, to decide it otherwise (8 CFR 103.5(a)(5), 335.5).",
        )
        .way_out("Look at how the case stands; the approval of a petition is revoked."));
    }
    let reasons = worded("reasons", &motion.reasons)?;
    let (request_id, deadline) = if motion.favorable {
        (String::new(), None)
    } else {
        let deadline = plan(case, RequestKind::OwnMotion, None, false, now)?;
        (motion.request_id.to_string(), Some(deadline))
    };
    let (officer, favorable) = (officer.to_string(), motion.favorable);
    let mut events =
        vec![pb::CaseReopenedOnOwnMotion { officer, reasons, favorable, request_id, deadline }.into()];
    // Who asked for it has the answer.
    let asked = case.inquiries.iter().filter(|open| open.kind == REOPENING);
    events.extend(asked.map(|open| inquiry_closed(open, "reopened")));
    Ok(events)
}

/// Whether the office may reopen a decided case, to decide it for the party or against it.
pub(super) fn may_be_reopened(case: &Case, favorable: bool) -> bool {
    match case.outcome {
        Some(
            Outcome::Denied
            | Outcome::DeniedAbandoned
            | Outcome::Revoked
            | Outcome::RevokedByLaw
            | Outcome::Terminated
            | Outcome::ClosedAsMoot,
        ) => true,
        Some(Outcome::Approved) => !favorable && case.oath_is_to_come() && case.oath != Oath::Taken,
        Some(Outcome::AdministrativelyClosed) => !case.reopen_until.is_empty(),
        Some(Outcome::Referred | Outcome::Withdrawn) | None => false,
    }
}

/// Nobody decides against the party in a case that was reopened for it, before the party was told and could answer.
///
/// # Errors
/// `PARTY_NOT_TOLD`.
pub(super) fn party_told(case: &Case) -> Result<(), Refusal> {
    if case.own_motion != Some(OwnMotion::Favorable) {
        return Ok(());
    }
    Err(Refusal::state(
        "PARTY_NOT_TOLD",
        "The case was reopened to decide it for the party; against it is decided only after it could answer (8 CFR 103.5(a)(5)(ii)).",
    )
    .way_out("Send a notice of intent to deny, and decide after the answer or its day."))
}
