//! Evidence that nobody asked for, added to an accepted filing while its case is not decided and nothing is asked for.

use docket_kernel::{Refusal, resource};
use docket_proto::events::filing::Event;
use docket_proto::filing::events::v1 as pb;
use uuid::Uuid;

use super::{Filing, MOST_FILES, Phase, already_attached};
use crate::domain::attached::{Attached, NewFile};

/// The kind of what is on no checklist.
pub const OTHER: &str = "other";

/// Where the case of an accepted filing stands, as filing knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Not decided, and nothing is asked for.
    Pending,
    /// A request of the office was made and waits to be served.
    RequestWaits,
    /// A request was served and waits for this response.
    RequestOpen(Uuid),
    /// Decided, or ended without a decision.
    Decided,
}

/// Whether evidence may be added unasked: while a request is open everything goes into the one response
/// (8 CFR 103.2(b)(11)), and what was decided is decided on the record as it was (8 CFR 103.2(b)(16)).
///
/// # Errors
/// `REQUEST_OPEN`, `CASE_DECIDED`, `NO_CASE_OF_ITS_OWN`, and what [`Filing::open`] says of a filing that is not accepted.
pub fn may_add_unsolicited(filing: &Filing, standing: Standing) -> Result<(), Refusal> {
    if filing.phase != Phase::Accepted {
        return filing.open().and(Err(Refusal::not_found()));
    }
    filing.has_case()?;
    match standing {
        Standing::Pending => Ok(()),
        Standing::RequestWaits => Err(request_open()
            .way_out("Wait for the notice, which comes in a moment, and put this file into the answer.")),
        Standing::RequestOpen(response) => Err(request_open()
            .way_out("Attach this file to the answer to the request, and send everything together.")
            .fact("response", resource::name("responses", response))),
        Standing::Decided => Err(Refusal::state(
            "CASE_DECIDED",
            "This case is decided or has ended; nothing can be added to it any more.",
        )
        .way_out("If you disagree with a decision, file Form I-290B and attach what you want to show.")),
    }
}

fn request_open() -> Refusal {
    Refusal::state("REQUEST_OPEN", "The office has asked for evidence: everything goes into the one answer.")
}

/// Adds a file that was checked, scanned and sealed to an accepted filing. What was signed stays what it was.
///
/// # Errors
/// As [`may_add_unsolicited`]; `ALREADY_ATTACHED`, `TOO_MANY_FILES`.
pub fn add_unsolicited(
    filing: &Filing,
    standing: Standing,
    file: NewFile,
    received_at_us: i64,
) -> Result<Vec<Event>, Refusal> {
    may_add_unsolicited(filing, standing)?;
    if let Some(same) = file.same_as {
        return Err(already_attached(same));
    }
    if filing.unsolicited.len() >= MOST_FILES {
        return Err(Refusal::too_much(
            "TOO_MANY_FILES",
            format!("At most {MOST_FILES} files are added to a case unasked."),
        )
        .way_out("Write a message about the case; the officer can ask for what is needed."));
    }
    let attached = file.attached;
    Ok(vec![
        pb::UnsolicitedEvidenceAdded {
            evidence: Some(attached.reference()),
            media_type: attached.media_type,
            size: attached.size,
            object_key: attached.object_key,
            foreign_language: attached.foreign_language,
            file_name: file.file_name,
            salt: file.salt,
            received_at_us,
            hard_to_read: attached.hard_to_read,
        }
        .into(),
    ])
}

/// The file of an event, as the fold keeps it.
pub(super) fn added(e: &pb::UnsolicitedEvidenceAdded) -> Attached {
    let evidence = e.evidence.clone().unwrap_or_default();
    Attached {
        id: super::id(&evidence.evidence_id),
        kind: evidence.kind,
        commitment: evidence.commitment,
        media_type: e.media_type.clone(),
        size: e.size,
        object_key: e.object_key.clone(),
        foreign_language: e.foreign_language,
        // What is added unasked waits for the scanner: nothing hangs on the day.
        being_checked: false,
        hard_to_read: e.hard_to_read.clone(),
    }
}
