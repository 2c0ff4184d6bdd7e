//! The copy of what was signed: proven against the signature, set as a PDF, sent in pieces; and that of an answer to a request.

use aws_lc_rs::digest::{SHA256, digest};
use docket_kernel::{Refusal, resource};
use docket_proto::filing::v1 as pb;
use docket_proto::filing::v1::download_copy_response::Part;
use docket_service::{ApiError, Caller};
use docket_vault::Subject;
use jiff::Timestamp;

use super::signing::not_erased;
use super::{Messages, in_chunks};
use crate::answer_copy::AnswerCopy;
use crate::check::Check;
use crate::copy::{Copy, Cover};
use crate::desk::{Desk, id_in};
use crate::domain::filing::{Phase, Signature};
use crate::dossiers::Dossier;
use crate::sheet::Sheet;
use crate::{review, signatures, spoken};

pub(super) type Download = Messages<pb::DownloadCopyResponse>;

/// The header, then the PDF.
pub(super) async fn download(
    desk: &Desk,
    caller: &Caller,
    request: &pb::DownloadCopyRequest,
) -> Result<Download, ApiError> {
    if request.name.starts_with("responses/") {
        return of_answer(desk, caller, &request.name).await;
    }
    let id = id_in("name", "filings", &request.name)?;
    let dossier = desk.filing(caller, "DownloadCopy", id).await?;
    let draft = request.draft && dossier.filing.phase == Phase::Draft;
    let (copy, content_hash, signed_at_us) = if draft {
        not_erased(&dossier)?;
        let (copy, hash) = of_draft(desk, &dossier).await?;
        (copy, hash, 0)
    } else {
        let signed = dossier.filing.signed()?;
        not_erased(&dossier)?;
        let copy = of_signed(desk, &dossier, signed).await?;
        (copy, signed.content_mac.clone(), signed.signed_at_us)
    };
    let pdf = desk.copies.make(copy).await?;
    let header = pb::Copy {
        filing: resource::name("filings", id),
        size: pdf.len() as u64,
        sha256: digest(&SHA256, &pdf).as_ref().to_vec(),
        content_hash,
        signed_at_us,
        draft,
    };
    let message = |part| pb::DownloadCopyResponse { part: Some(part) };
    Ok(in_chunks(Part::Copy(header), &pdf, Part::Chunk, message))
}

/// The copy of an answer that went in: what was asked, the files that answer it, and why something could not be provided.
async fn of_answer(desk: &Desk, caller: &Caller, name: &str) -> Result<Download, ApiError> {
    let id = id_in("name", "responses", name)?;
    let dossier = desk.response(caller, "DownloadCopy", id).await?;
    let received_at_us = dossier.response.received_at_us;
    if received_at_us == 0 {
        return Err(Refusal::state("NOT_SUBMITTED", "This answer was not sent.")
            .way_out("There is a copy of it once it is sent.")
            .into());
    }
    if dossier.content.erased {
        return Err(ApiError::Erased);
    }
    let filing = desk.dossiers.find(dossier.response.case).await?.filing;
    let copy = AnswerCopy::of(&dossier, &filing, desk.form(&filing.form).ok());
    let pdf = desk.copies.of_answer(copy).await?;
    let header = pb::Copy {
        filing: resource::name("responses", id),
        size: pdf.len() as u64,
        sha256: digest(&SHA256, &pdf).as_ref().to_vec(),
        signed_at_us: received_at_us,
        ..pb::Copy::default()
    };
    let message = |part| pb::DownloadCopyResponse { part: Some(part) };
    Ok(in_chunks(Part::Copy(header), &pdf, Part::Chunk, message))
}

async fn of_signed(desk: &Desk, dossier: &Dossier, signed: &Signature) -> Result<Copy, ApiError> {
    let sheet = signed_sheet(desk, dossier, signed).await?;
    Ok(Copy {
        cover: cover(dossier, signed),
        signatures: signatures::of(desk, dossier, signed, &sheet).await?,
        salts: salts(dossier, &sheet),
        at: last_instant(dossier, signed),
        missing: None,
        sheet,
    })
}

/// The draft as it stands, with the hash that a signature would bind.
async fn of_draft(desk: &Desk, dossier: &Dossier) -> Result<(Copy, Vec<u8>), ApiError> {
    let (check, at) = (Check::now(desk, dossier).await?, desk.base.clock.now());
    let sheet = check.sheet(dossier);
    let hash = Check::content_mac(desk, dossier, &review::text(&sheet));
    let cover = Cover {
        filing: resource::name("filings", dossier.id),
        state: format!("Draft, printed {}", spoken::instant(at.as_microsecond())),
        hash: hex::encode(&hash),
        ..Cover::default()
    };
    let salts = salts(dossier, &sheet);
    Ok((Copy { cover, signatures: Vec::new(), salts, at, missing: Some(check.lacking()), sheet }, hash))
}

/// What was signed, as it was kept with the signature; what was signed before it was kept is made again. Either must have the
/// hash that was signed.
async fn signed_sheet(desk: &Desk, dossier: &Dossier, signed: &Signature) -> Result<Sheet, ApiError> {
    let is_signed =
        |sheet: &Sheet| Check::content_mac(desk, dossier, &review::text(sheet)) == signed.content_mac;
    let sheet = match kept_sheet(desk, dossier, signed).await? {
        Some(kept) => Some(kept).filter(is_signed),
        None => Check::now(desk, dossier).await?.sheets(dossier).find(is_signed),
    };
    sheet.ok_or_else(|| {
        Refusal::state(
            "SIGNED_TEXT_NOT_KEPT",
            "What was signed was not kept with this signature, and the form has changed since: its text cannot be made again.",
        )
        .way_out("Look at the filing: its answers and files are as they were signed.")
        .into()
    })
}

/// What was kept: in the event of the signature, or beside it. One that lies beside and cannot be read is missed by whoever runs
/// this, and by the filer only where it cannot be made again.
async fn kept_sheet(desk: &Desk, dossier: &Dossier, signed: &Signature) -> Result<Option<Sheet>, ApiError> {
    if signed.sheet_key.is_empty() {
        return Ok(Sheet::read(&dossier.content.signature.sheet_json));
    }
    match desk.base.objects.get(&Subject::filing(dossier.id), &signed.sheet_key).await {
        Ok(Some(bytes)) => Ok(String::from_utf8(bytes).ok().as_deref().and_then(Sheet::read)),
        Ok(None) => Err(ApiError::Erased),
        Err(error @ (ApiError::Refused(_) | ApiError::Internal(_))) => {
            let (filing, key, error) = (dossier.id, &signed.sheet_key, error.cause());
            tracing::error!(%filing, object.key = key, error, "what was signed is not there: bring it back from a copy");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn cover(dossier: &Dossier, signed: &Signature) -> Cover {
    let filing = &dossier.filing;
    let state = match filing.phase {
        Phase::Absent | Phase::Draft => "Not signed",
        Phase::Signed => "Signed; not sent yet",
        Phase::Sent => "Sent; waits for its fee",
        Phase::Submitted => "Received; the receipt number comes with its acceptance",
        Phase::Accepted => "Accepted",
        Phase::Rejected => "Rejected at intake",
        Phase::Voided => "Acceptance taken back",
        Phase::Abandoned | Phase::Expired => "Deleted before it was sent",
    };
    Cover {
        filing: resource::name("filings", dossier.id),
        receipt_number: filing.receipt_number.clone(),
        state: state.to_owned(),
        signed: spoken::instant(signed.signed_at_us),
        received: match filing.submitted_at_us {
            0 => String::new(),
            at_us => spoken::instant(at_us),
        },
        hash: hex::encode(&signed.content_mac),
        appearance: false,
    }
}

fn salts(dossier: &Dossier, sheet: &Sheet) -> Vec<String> {
    let salt = |id| dossier.content.files.get(id).map(|file| hex::encode(&file.salt)).unwrap_or_default();
    sheet.evidence.iter().map(|file| salt(&file.id)).collect()
}

fn last_instant(dossier: &Dossier, signed: &Signature) -> Timestamp {
    let at_us = dossier.filing.submitted_at_us.max(signed.signed_at_us);
    Timestamp::from_microsecond(at_us).unwrap_or(Timestamp::UNIX_EPOCH)
}
