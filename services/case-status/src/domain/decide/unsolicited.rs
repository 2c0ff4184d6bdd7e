//! Evidence that nobody asked for: kept with the case, shown to the officer, and nothing else changes by it.

use docket_kernel::Refusal;
use docket_proto::case_status::events::v1 as pb;
use docket_proto::types::v1::EvidenceRef;
use jiff::Timestamp;

use super::Decision;
use crate::domain::{Case, Stage};

/// The party added evidence unasked. It is recorded whenever it came, and marked late once the case was decided or had ended
/// (8 CFR 103.2(b)(16)); it moves no deadline and answers no request (lifecycle 61).
///
/// # Errors
/// Not found without a case.
pub fn record_unsolicited(case: &Case, evidence: &EvidenceRef, received_at: Timestamp) -> Decision {
    if !case.exists() {
        return Err(Refusal::not_found());
    }
    Ok(vec![
        pb::UnsolicitedEvidenceRecorded {
            evidence: Some(evidence.clone()),
            received_at_us: received_at.as_microsecond(),
            late: !case.stage.is_pending() && case.stage != Stage::Submitted,
        }
        .into(),
    ])
}
