//! The Form G-28 of a filing as both signed it, set as a PDF: for whoever may read the filing, so for the office too.

use aws_lc_rs::digest::{SHA256, digest};
use docket_eventlog::Recorded;
use docket_kernel::resource;
use docket_proto::events::representation::Event;
use docket_proto::filing::v1 as pb;
use docket_proto::filing::v1::download_appearance_response::Part;
use docket_proto::types::v1::MailingWishes;
use docket_service::{ApiError, Caller};
use jiff::Timestamp;

use super::representations::{File, summary};
use super::{Messages, in_chunks};
use crate::appearance::{self, Said};
use crate::copy::{Copy, Cover};
use crate::desk::{Desk, id_in};
use crate::domain::filing::Filing;
use crate::domain::representation::{Representation, Standing, not_represented};
use crate::facts::{OFFICE_ZONE, civil_date};
use crate::{signatures, spoken};

pub(super) type Download = Messages<pb::DownloadAppearanceResponse>;

/// The header, then the PDF.
pub(super) async fn download(
    desk: &Desk,
    caller: &Caller,
    request: &pb::DownloadAppearanceRequest,
) -> Result<Download, ApiError> {
    let id = id_in("filing", "filings", &request.filing)?;
    let closed = desk.closed(caller, "DownloadAppearance", id).await?;
    let appearance = closed.filing.representation.ok_or_else(not_represented)?;
    let loaded = desk.representations.load(appearance).await?;
    let said = Said::open(&desk.log, &loaded.events).await?;
    if said.erased {
        return Err(ApiError::Erased);
    }
    let file = File { id: appearance, representation: loaded.state, said };
    let pdf = desk.copies.make(copy(desk, &closed.filing, &file, &loaded.events)?).await?;
    let header = pb::Appearance {
        representation: Some(summary(&file)),
        size: pdf.len() as u64,
        sha256: digest(&SHA256, &pdf).as_ref().to_vec(),
    };
    let message = |part| pb::DownloadAppearanceResponse { part: Some(part) };
    Ok(in_chunks(Part::Appearance(header), &pdf, Part::Chunk, message))
}

/// In the edition that the representative signed.
fn copy(desk: &Desk, filing: &Filing, file: &File, events: &[Recorded]) -> Result<Copy, ApiError> {
    let (signed, said) = (&file.representation, &file.said);
    let at = Timestamp::from_microsecond(signed.signed_at_us).unwrap_or(Timestamp::UNIX_EPOCH);
    let form = desk.catalogue.form_on(appearance::FORM, civil_date(at, OFFICE_ZONE));
    let form =
        form.ok_or_else(|| ApiError::internal(anyhow::anyhow!("Form G-28 is not in the catalogue")))?;
    let consented_at_us = consented_at_us(events)?;
    let cover = Cover {
        filing: resource::name("representations", file.id),
        receipt_number: filing.receipt_number.clone(),
        state: state(signed, said),
        signed: spoken::instant(signed.signed_at_us),
        received: if consented_at_us == 0 { String::new() } else { spoken::instant(consented_at_us) },
        hash: hex::encode(&signed.content_mac),
        appearance: true,
    };
    Ok(Copy {
        cover,
        sheet: appearance::sheet(form, said),
        signatures: signatures::on_appearance(events, said)?,
        salts: Vec::new(),
        at: Timestamp::from_microsecond(consented_at_us.max(signed.signed_at_us)).unwrap_or(at),
        missing: None,
    })
}

fn consented_at_us(events: &[Recorded]) -> Result<i64, ApiError> {
    for recorded in events {
        if let Event::RepresentationAccepted(accepted) =
            recorded.decode().map_err(docket_eventlog::Error::from)?
        {
            return Ok(accepted.signed_at_us);
        }
    }
    Ok(0)
}

/// Where it stands, and what the client said since of where papers go.
fn state(representation: &Representation, said: &Said) -> String {
    let stands = match representation.standing {
        Standing::Active => "Stands",
        Standing::Withdrawn => "Ended: the representative withdrew",
        Standing::Ended => "Ended by the client",
        Standing::Replaced => "Ended: another took its place",
        Standing::EndedByOffice => "Ended by the office",
        Standing::Refused => "The client did not consent",
        Standing::Absent | Standing::Sought | Standing::Prepared => "Waits for the client's consent",
    };
    let on_form = appearance::wishes(&said.client);
    match representation.wishes.filter(|wishes| *wishes != on_form) {
        Some(wishes) => format!("{stands}. {}", changed(wishes)),
        None => stands.to_owned(),
    }
}

fn changed(wishes: MailingWishes) -> String {
    let to = |representative| if representative { "representative" } else { "client" };
    format!(
        "The client has since changed where papers go: originals of notices to the {}, cards to the {}, the notice with the I-94 to the {}",
        to(wishes.notices_to_representative),
        to(wishes.documents_to_representative),
        to(wishes.notices_to_representative && !wishes.i94_to_client),
    )
}
