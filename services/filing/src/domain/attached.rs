//! A file attached to a filing or to a response, as the folds know it: no name, no content.

use docket_proto::types::v1::EvidenceRef;
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

/// A file that was checked, scanned and sealed, on its way into an event.
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
