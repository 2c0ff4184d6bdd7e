//! A paper given once serves again: files of the party's other filings, and one that is here under another kind, attached without
//! being sent anew.

use docket_kernel::{Refusal, resource};
use docket_proto::filing::v1 as pb;
use docket_service::{ApiError, Caller};
use docket_vault::Subject;
use tonic::Status;

use super::attach::{self, Bytes};
use super::evidence::{Readable, readable};
use super::view;
use crate::desk::Desk;
use crate::domain::Attached;
use crate::domain::filing::OTHER;
use crate::store::filings;

/// The latest filings that are looked into, and the files that are offered.
const FILINGS: i64 = 20;
const OFFERED: usize = 100;

/// What can be attached to `parent` again, newest first. Nothing of another party, also where the caller represents both.
pub(super) async fn list(
    desk: &Desk,
    caller: &Caller,
    parent: &str,
) -> Result<Vec<pb::ReusableEvidence>, ApiError> {
    let place = attach::at(desk, (caller, "ListReusableEvidence"), parent).await?;
    let mut offered = Vec::new();
    for id in filings::own(&desk.base.pool, place.account, None, FILINGS).await? {
        if resource::name("filings", id) == parent {
            continue;
        }
        let closed = match desk.closed(caller, "DownloadEvidence", id).await {
            Ok(closed) => closed,
            // One under another representative is not this caller's to see.
            Err(ApiError::Refused(_) | ApiError::Denied { .. }) => continue,
            Err(error) => return Err(error),
        };
        // As it stands: its files are the same in whichever edition its answers are, also in one that this node does not have.
        let dossier = desk.dossiers.open(closed).await?;
        if dossier.content.erased {
            continue;
        }
        for file in dossier.files() {
            let evidence = view::evidence("filings", id, file, &dossier.content);
            // What was on no checklist goes wherever its owner says that it belongs.
            let fits = file.kind == OTHER || attach::takes(desk, &place, &file.kind);
            if fits && !file.being_checked && !is_here(&place, file, &evidence.file_name) {
                offered.push(pb::ReusableEvidence {
                    evidence: Some(evidence),
                    form: dossier.filing.form.clone(),
                });
            }
        }
    }
    offered.truncate(OFFERED);
    Ok(offered)
}

/// Whether a file of that name, kind and size is attached already; one of no kind is known by the rest.
fn is_here(place: &attach::Place, file: &Attached, name: &str) -> bool {
    place.files.iter().any(|here| {
        let its_name = place.content.files.get(&here.id).map(|sealed| sealed.file_name.as_str());
        let alike = file.kind == OTHER || here.kind == file.kind;
        alike && (here.size, its_name) == (file.size, Some(name))
    })
}

/// Attaches it here, once.
pub(super) async fn attach_again(
    desk: &Desk,
    caller: &Caller,
    request: &pb::ReuseEvidenceRequest,
) -> Result<pb::Evidence, Status> {
    let action = "ReuseEvidence";
    let context = caller.context(&request.request_id, request)?;
    if let Some(evidence) = attach::repeated(desk, caller, action, &context).await? {
        return Ok(evidence);
    }
    let Readable { evidence, file, subject, account, .. } =
        readable(desk, (caller, "DownloadEvidence"), &request.evidence).await?;
    let header = pb::UploadHeader {
        request_id: request.request_id.clone(),
        parent: request.parent.clone(),
        kind: request.kind.clone(),
        file_name: evidence.file_name,
        foreign_language: file.foreign_language,
    };
    attach::check_header(&header).map_err(ApiError::from)?;
    let place = attach::place(desk, (caller, action), &header).await?;
    if place.account != account {
        return Err(ApiError::from(Refusal::not_found()).into());
    }
    let bytes = desk.base.objects.get(&Subject::filing(subject), &file.object_key).await?;
    let bytes = bytes.ok_or(ApiError::Erased)?;
    attach::store(desk, (caller, context), place, &header, Bytes::Again(bytes)).await
}
