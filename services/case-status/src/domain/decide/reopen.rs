//! A case that was denied, or whose approval was revoked, comes back because a motion was granted (8 CFR 103.5(a)), or an appeal, which
//! the office then treats as one (8 CFR 103.3(a)(2)(iii)), or because a hearing found for the applicant (8 CFR 336.2(b)).

use docket_kernel::Refusal;
use docket_proto::case_status::events::v1 as pb;
use uuid::Uuid;

use super::Decision;
use super::challenge::is_about;
use crate::domain::{Case, Outcome};

/// Reopens the case for a motion, an appeal or a request for a hearing, as that one's own case stands. Each reopens once.
///
/// # Errors
/// `NOT_DENIED`, `MOTION_UNKNOWN`, `MOTION_NOT_GRANTED`, `MOTION_USED`; not found without a case.
pub fn reopen(case: &Case, motion_id: Uuid, motion: &Case, officer: Uuid) -> Decision {
    if !case.exists() {
        return Err(Refusal::not_found());
    }
    if case.reopened_by.contains(&motion_id) {
        return Err(Refusal::state("MOTION_USED", "This motion has reopened the case already.")
            .way_out("Another denial needs another motion."));
    }
    if !case.is_decided_against() {
        return Err(Refusal::state(
            "NOT_DENIED",
            "Only a case that was denied or revoked is reopened by a motion.",
        )
        .way_out("Look at how the case stands."));
    }
    if !is_about(motion, case) {
        return Err(Refusal::state("MOTION_UNKNOWN", "That is no motion of this party about this case.")
            .way_out("Name the case of the I-290B or N-336 that gives this receipt number.")
            .field("motion"));
    }
    if motion.outcome != Some(Outcome::Approved) {
        return Err(Refusal::state("MOTION_NOT_GRANTED", "The motion was not granted.")
            .way_out("Decide the motion first, in its own case.")
            .field("motion"));
    }
    Ok(vec![pb::CaseReopened { motion_id: motion_id.to_string(), officer: officer.to_string() }.into()])
}
