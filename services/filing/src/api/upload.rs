//! Taking a file in one call: header, then bytes; stops at the first byte too many.

use docket_eventlog::Context;
use docket_proto::filing::v1 as pb;
use docket_proto::filing::v1::upload_evidence_request::Part;
use docket_service::{ApiError, Caller};
use prost::Message;
use tonic::{Status, Streaming};

use super::attach::{self, Bytes};
use crate::content::commitment;
use crate::desk::Desk;
use crate::file_type;

/// A whole upload: header and bytes.
pub(super) struct Upload {
    header: pb::UploadHeader,
    bytes: Vec<u8>,
}

/// Reads header and chunks.
pub(super) async fn receive(mut stream: Streaming<pb::UploadEvidenceRequest>) -> Result<Upload, Status> {
    let Some(pb::UploadEvidenceRequest { part: Some(Part::Header(header)) }) = stream.message().await? else {
        return Err(
            ApiError::invalid("header", "HEADER_MISSING", "Send the header first, then the bytes.").into()
        );
    };
    attach::check_header(&header).map_err(ApiError::from)?;
    let mut bytes = Vec::new();
    while let Some(message) = stream.message().await? {
        let Some(Part::Chunk(chunk)) = message.part else {
            return Err(
                ApiError::invalid("chunk", "CHUNK_MISSING", "After the header send only bytes.").into()
            );
        };
        if bytes.len() + chunk.len() > file_type::MAX_BYTES {
            return Err(ApiError::from(file_type::too_large()).into());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Upload { header, bytes })
}

/// Attaches it, once.
pub(super) async fn store(desk: &Desk, caller: &Caller, upload: Upload) -> Result<pb::Evidence, Status> {
    let Upload { header, bytes } = upload;
    let action = "UploadEvidence";
    let place = attach::place(desk, (caller, action), &header).await?;
    let context = context(caller, &header, &bytes)?;
    if let Some(evidence) = attach::repeated(desk, caller, action, &context).await? {
        return Ok(evidence);
    }
    attach::store(desk, (caller, context), place, &header, Bytes::Given(bytes)).await
}

/// The command's context; its request holds the header and a digest of the bytes.
fn context(caller: &Caller, header: &pb::UploadHeader, bytes: &[u8]) -> Result<Context, ApiError> {
    let mut context = caller.context(&header.request_id, header)?;
    let digest = pb::UploadEvidenceRequest { part: Some(Part::Chunk(commitment(&[], bytes))) };
    // A header has no field 2000; so the digest is compared as a field of its own.
    prost::encoding::bytes::encode(2000, &digest.encode_to_vec(), &mut context.request);
    Ok(context)
}
