//! A file attached to a filing or to a response, as the folds know it: no name, no content.

use docket_kernel::Refusal;
use docket_proto::types::v1::{EvidenceRef, HardToRead};
use uuid::Uuid;

/// An attached file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// Its id.
    pub id: Uuid,
    /// Kind from the checklist, or the item answered.
    pub kind: String,
    /// SHA-256 over salt and bytes.
    pub commitment: Vec<u8>,
    /// Type found in the content.
    pub media_type: String,
    /// Bytes.
    pub size: u64,
    /// Where the sealed object lies.
    pub object_key: String,
    /// Whether the document is in another language than English.
    pub foreign_language: bool,
    /// Whether it came while the virus scanner was away: nobody opens it until it is scanned.
    pub being_checked: bool,
    /// What on its pages may be hard to read, as the person was told.
    pub hard_to_read: Vec<HardToRead>,
}

impl Attached {
    /// The reference that others may hold.
    pub fn reference(&self) -> EvidenceRef {
        EvidenceRef {
            evidence_id: self.id.to_string(),
            kind: self.kind.clone(),
            commitment: self.commitment.clone(),
        }
    }
}

/// What a scan came to that had to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing was found.
    Clean,
    /// Something was found.
    Infected,
    /// The scanner, found able to scan, failed over it again and again.
    Unscannable,
}

impl Verdict {
    /// The word in events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Infected => "infected",
            Self::Unscannable => "unscannable",
        }
    }
}

/// A file that was taken out when it was scanned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Its id.
    pub id: Uuid,
    /// Its kind, or the item that it answered.
    pub kind: String,
    /// `infected` or `unscannable`.
    pub verdict: String,
    /// Whether what it was attached to had been sent by then.
    pub was_sent: bool,
}

/// Folds the verdict on a file of what was sent, or was not yet: a clean one may be opened, another one is among the refused.
pub(super) fn scanned(
    files: &mut Vec<Attached>,
    refused: &mut Vec<Refused>,
    (file, was_sent): (Uuid, bool),
    verdict: &str,
) {
    let Some(place) = files.iter().position(|attached| attached.id == file) else { return };
    if verdict == Verdict::Clean.as_str() {
        files[place].being_checked = false;
    } else {
        let Attached { id, kind, .. } = files.remove(place);
        refused.push(Refused { id, kind, verdict: verdict.to_owned(), was_sent });
    }
}

/// Whether nothing is still being checked.
///
/// # Errors
/// `FILES_BEING_CHECKED`, with what they are.
pub(super) fn all_scanned(files: &[Attached], way_out: &str) -> Result<(), Refusal> {
    let waiting: Vec<&Attached> = files.iter().filter(|file| file.being_checked).collect();
    if waiting.is_empty() {
        return Ok(());
    }
    let kinds: Vec<&str> = waiting.iter().map(|file| file.kind.as_str()).collect();
    let ids: Vec<String> = waiting.iter().map(|file| file.id.to_string()).collect();
    Err(Refusal::state(
        "FILES_BEING_CHECKED",
        format!("Files are still being checked for viruses: {}. They are kept.", kinds.join(", ")),
    )
    .way_out(way_out)
    .fact("evidence", ids.join(",")))
}

/// A file that was checked and sealed, and scanned or marked as being checked, on its way into an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// What will be known of it.
    pub attached: Attached,
    /// File name as given; sealed.
    pub file_name: String,
    /// Salt of the commitment; sealed.
    pub salt: Vec<u8>,
    /// The evidence of the same filing with the same bytes, as the edge found it by opening the salts.
    pub same_as: Option<Uuid>,
}
