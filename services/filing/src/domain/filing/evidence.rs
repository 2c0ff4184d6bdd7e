//! What is attached to a draft, what comes of a scan that had to wait, and what is said of evidence that cannot be had.

use docket_kernel::Refusal;
use docket_proto::events::filing::Event;
use docket_proto::filing::events::v1 as pb;
use uuid::Uuid;

use super::draft::changing;
use super::{Filing, MOST_FILES};
use crate::domain::at_hand::LastDay;
use crate::domain::attached::{Attached, NewFile, Verdict, all_scanned};

/// Attaches a file that was checked and sealed, and scanned or marked as being checked.
pub fn attach(filing: &Filing, file: NewFile) -> Result<Vec<Event>, Refusal> {
    filing.open()?;
    if let Some(same) = file.same_as {
        return Err(already_attached(same));
    }
    if filing.evidence.len() >= MOST_FILES {
        return Err(Refusal::too_much(
            "TOO_MANY_FILES",
            format!("A filing takes at most {MOST_FILES} files."),
        )
        .way_out("Put pages that belong together into one PDF."));
    }
    Ok(changing(filing, vec![added(file)]))
}

pub(super) fn added(file: NewFile) -> Event {
    let attached = file.attached;
    pb::EvidenceAdded {
        evidence: Some(attached.reference()),
        media_type: attached.media_type,
        size: attached.size,
        object_key: attached.object_key,
        foreign_language: attached.foreign_language,
        file_name: file.file_name,
        salt: file.salt,
        being_checked: attached.being_checked,
        hard_to_read: attached.hard_to_read,
    }
    .into()
}

/// Notes what the scan of a file came to that had to wait, also after the filing was sent: it stays what it is, without a file that is
/// not clean. One that was taken off meanwhile, or whose draft has ended: nothing.
pub fn scanned_file(
    filing: &Filing,
    evidence: Uuid,
    verdict: Verdict,
    representative: Option<Uuid>,
) -> Vec<Event> {
    let waits = |file: &Attached| file.id == evidence && file.being_checked;
    if filing.is_gone() || !filing.evidence.iter().any(waits) {
        return Vec::new();
    }
    let scanned: Event = pb::EvidenceScanned {
        evidence_id: evidence.to_string(),
        verdict: verdict.as_str().to_owned(),
        account_id: filing.account.to_string(),
        representative: representative.map(|account| account.to_string()).unwrap_or_default(),
    }
    .into();
    match verdict {
        Verdict::Infected | Verdict::Unscannable if filing.open().is_ok() => changing(filing, vec![scanned]),
        Verdict::Clean | Verdict::Infected | Verdict::Unscannable => vec![scanned],
    }
}

/// What is signed was scanned, unless the last 24 hours run in which the law takes the form: then it is worth more in time than whole.
pub(super) fn scanned_whole(filing: &Filing, last_day: Option<LastDay>) -> Result<(), Refusal> {
    let Some(last) = last_day else {
        return all_scanned(
            &filing.evidence,
            "It is done by itself, mostly within minutes: then sign. Or take the file off and go on without it.",
        );
    };
    if last.at_hand {
        return Ok(());
    }
    let way_out = "It is done by itself, mostly within minutes: then sign. In the last 24 hours of the last day for this form it is taken with files that are being checked.";
    all_scanned(&filing.evidence, way_out).map_err(|refusal| refusal.fact("last_day", last.on.to_string()))
}

/// The refusal of a file that is there already, byte for byte.
pub(crate) fn already_attached(same: Uuid) -> Refusal {
    Refusal::state("ALREADY_ATTACHED", "This very file is attached already; nothing is lost.")
        .way_out("Use the one that is there, or choose another file.")
        .fact("evidence", same.to_string())
}

/// The refusal of an explanation for what is attached.
pub(crate) fn already_there() -> Refusal {
    Refusal::state("EVIDENCE_ATTACHED", "A file of this kind is attached already.")
        .way_out("Take the file off first if it is not what is asked for.")
        .field("kind")
}

/// Takes a file off.
pub fn detach(filing: &Filing, evidence: Uuid) -> Result<Vec<Event>, Refusal> {
    filing.open()?;
    if !filing.evidence.iter().any(|attached| attached.id == evidence) {
        return Err(Refusal::not_found());
    }
    Ok(changing(filing, vec![pb::EvidenceRemoved { evidence_id: evidence.to_string() }.into()]))
}

/// Says why evidence of a kind cannot be provided; without an explanation, takes that back.
pub fn explain_missing(
    filing: &Filing,
    kind: &str,
    explanation: Option<String>,
) -> Result<Vec<Event>, Refusal> {
    filing.open()?;
    let kind = kind.to_owned();
    let said = match explanation {
        Some(_) if filing.evidence.iter().any(|file| file.kind == kind) => {
            return Err(already_there());
        }
        Some(explanation) => vec![pb::MissingEvidenceExplained { kind, explanation }.into()],
        None if filing.explained.contains(&kind) => {
            vec![pb::MissingEvidenceExplanationDropped { kind }.into()]
        }
        None => Vec::new(),
    };
    Ok(changing(filing, said))
}
