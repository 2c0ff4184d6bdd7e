//! `UploadService`: files that arrive in pieces, and are gone on with after a cut.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use docket_eventlog::Context;
use docket_kernel::{FieldFault, Refusal, derived_id, resource};
use docket_proto::filing::v1 as pb;
use docket_proto::filing::v1::send_upload_request::Part;
use docket_proto::filing::v1::upload_service_server::UploadService;
use docket_service::{ApiError, Caller, caller, detached};
use docket_vault::{Opened, Subject};
use prost::Message;
use tokio::time::timeout;
use tonic::{Code, Request, Response, Status, Streaming};
use uuid::Uuid;

use super::attach::{self, Bytes, Place};
use super::places::Places;
use crate::desk::{Desk, id_in};
use crate::domain::filing::MOST_FILES;
use crate::file_type;
use crate::spool::{self, Arrived, Room, Sender};
use crate::store::uploads::{self, Upload};

/// Files looked at and scanned at a time: each is in memory whole then, 12 MiB at most. More wait in line.
const CHECKS: usize = 4;
/// Of these, those of one person.
const CHECKS_OF_ONE: usize = 2;
/// Files sent at a time: a megabyte of each may be in memory.
const SENDERS: usize = 256;
/// Of these, those of one person.
const SENDERS_OF_ONE: usize = 64;
/// A sender may be silent for so long.
const PATIENCE: Duration = Duration::from_mins(1);

/// Answers about uploads. Cheap to clone.
#[derive(Clone)]
pub(crate) struct UploadApi {
    desk: Desk,
    checks: Places,
    senders: Places,
    room: Room,
}

impl UploadApi {
    pub(crate) fn new(desk: Desk) -> Self {
        let (checks, senders) = (Places::new(CHECKS, CHECKS_OF_ONE), Places::new(SENDERS, SENDERS_OF_ONE));
        Self { desk, checks, senders, room: Room::default() }
    }
}

#[tonic::async_trait]
impl UploadService for UploadApi {
    async fn begin_upload(
        &self,
        request: Request<pb::BeginUploadRequest>,
    ) -> Result<Response<pb::BeginUploadResponse>, Status> {
        let (desk, caller, request) = (self.desk.clone(), caller(&request)?, request.into_inner());
        let upload = detached(async move { begin(&desk, &caller, request).await }).await?;
        Ok(Response::new(pb::BeginUploadResponse { upload: Some(upload) }))
    }

    async fn send_upload(
        &self,
        request: Request<Streaming<pb::SendUploadRequest>>,
    ) -> Result<Response<pb::SendUploadResponse>, Status> {
        let (api, caller, stream) = (self.clone(), caller(&request)?, request.into_inner());
        // In a task of its own: what came before the line was cut is kept.
        let upload = detached(async move { send(&api, &caller, stream).await }).await?;
        Ok(Response::new(pb::SendUploadResponse { upload: Some(upload) }))
    }

    async fn resume_upload(
        &self,
        request: Request<pb::ResumeUploadRequest>,
    ) -> Result<Response<pb::ResumeUploadResponse>, Status> {
        let (desk, caller, request) = (self.desk.clone(), caller(&request)?, request.into_inner());
        let upload = detached(async move { resume(&desk, &caller, &request.name).await }).await?;
        Ok(Response::new(pb::ResumeUploadResponse { upload: Some(upload) }))
    }

    async fn list_uploads(
        &self,
        request: Request<pb::ListUploadsRequest>,
    ) -> Result<Response<pb::ListUploadsResponse>, Status> {
        let caller = caller(&request)?;
        let uploads = list(&self.desk, &caller, &request.get_ref().parent).await?;
        Ok(Response::new(pb::ListUploadsResponse { uploads }))
    }

    async fn finish_upload(
        &self,
        request: Request<pb::FinishUploadRequest>,
    ) -> Result<Response<pb::FinishUploadResponse>, Status> {
        let (api, caller, request) = (self.clone(), caller(&request)?, request.into_inner());
        let evidence = detached(async move { finish(&api, &caller, &request).await }).await?;
        Ok(Response::new(pb::FinishUploadResponse { evidence: Some(evidence) }))
    }

    async fn cancel_upload(
        &self,
        request: Request<pb::CancelUploadRequest>,
    ) -> Result<Response<pb::CancelUploadResponse>, Status> {
        let (desk, caller, request) = (self.desk.clone(), caller(&request)?, request.into_inner());
        detached(async move { cancel(&desk, &caller, &request.name).await }).await?;
        Ok(Response::new(pb::CancelUploadResponse {}))
    }
}

/// An upload that the caller may act on: its row, what was announced, and the place it is for.
struct Known {
    row: Upload,
    announced: pb::BeginUploadRequest,
    place: Place,
}

impl Known {
    fn subject(&self) -> Subject {
        Subject::filing(self.place.subject)
    }
}

async fn known(desk: &Desk, caller: &Caller, action: &str, name: &str) -> Result<Known, ApiError> {
    let id = id_in("name", "uploads", name)?;
    let row = uploads::find(&desk.base.pool, id).await?.ok_or_else(ApiError::not_found)?;
    // The parent is all that is needed to know whether it is the caller's.
    let place = attach::at(desk, (caller, action), &row.parent).await?;
    let announced = opened(desk, place.subject, &row).await?;
    Ok(Known { row, announced, place })
}

/// What was announced, unsealed.
async fn opened(desk: &Desk, subject: Uuid, row: &Upload) -> Result<pb::BeginUploadRequest, ApiError> {
    let aad = aad(row.upload_id);
    match desk.base.vault.open(&Subject::filing(subject), aad.as_bytes(), &row.announced).await? {
        Opened::Plain(bytes) => pb::BeginUploadRequest::decode(bytes.as_slice()).map_err(ApiError::internal),
        Opened::Erased => Err(ApiError::Erased),
    }
}

fn aad(upload: Uuid) -> String {
    format!("docket.upload.v1:{upload}")
}

async fn begin(
    desk: &Desk,
    caller: &Caller,
    request: pb::BeginUploadRequest,
) -> Result<pb::Upload, ApiError> {
    let header = request.header.clone().unwrap_or_default();
    check(&header, &request)?;
    let command = caller.context(&header.request_id, &request)?.command_id;
    let place = attach::place(desk, (caller, "BeginUpload"), &header).await?;
    let upload_id = derived_id(&format!("upload:{}", caller.actor()), command, 0);
    if let Some(row) = uploads::find(&desk.base.pool, upload_id).await? {
        return begun_before(desk, &place, row, &request).await;
    }
    if let Some(refusal) = place.closed {
        return Err(refusal.into());
    }
    let sealed = {
        let (subject, aad) = (Subject::filing(place.subject), aad(upload_id));
        desk.base.vault.seal(&subject, aad.as_bytes(), &request.encode_to_vec()).await?
    };
    if uploads::of_parent(&desk.base.pool, &header.parent).await?.len() >= MOST_FILES {
        return Err(Refusal::too_much(
            "TOO_MANY_UPLOADS",
            format!("{MOST_FILES} uploads wait here to be finished; there may be no more."),
        )
        .way_out("Finish one of them, or give it up.")
        .into());
    }
    let row = Upload {
        upload_id,
        parent: header.parent,
        announced: sealed,
        size: i64::try_from(request.size).map_err(ApiError::internal)?,
        received: 0,
        turn: 1,
        begun_at_us: desk.now_us(),
        expires_at_us: spool::expiry(&desk.base),
    };
    if uploads::insert(&desk.base.pool, &row).await? {
        return Ok(shown(&row, &request, row.turn));
    }
    let row = uploads::find(&desk.base.pool, upload_id).await?.ok_or_else(ApiError::not_found)?;
    begun_before(desk, &place, row, &request).await
}

fn check(header: &pb::UploadHeader, request: &pb::BeginUploadRequest) -> Result<(), ApiError> {
    attach::check_header(header)?;
    if request.size > file_type::MAX_BYTES as u64 {
        return Err(file_type::too_large().into());
    }
    let mut faults = Vec::new();
    if request.size == 0 {
        faults.push(FieldFault::new(
            "size",
            "SIZE_MISSING",
            "Say how many bytes the file has; at least one.",
        ));
    }
    if request.sha256.len() != SHA256.output_len() {
        let rule = "Give the SHA-256 of the whole file, 32 bytes.";
        faults.push(FieldFault::new("sha256", "SHA256_MALFORMED", rule));
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.into()) }
}

/// The same upload, when the same was announced.
async fn begun_before(
    desk: &Desk,
    place: &Place,
    row: Upload,
    request: &pb::BeginUploadRequest,
) -> Result<pb::Upload, ApiError> {
    if opened(desk, place.subject, &row).await? == *request {
        return Ok(shown(&row, request, row.turn));
    }
    Err(Refusal::exists("UPLOAD_DIFFERS", "Another file was announced with this request id.")
        .way_out("Take a new request id for another file.")
        .into())
}

async fn send(
    api: &UploadApi,
    caller: &Caller,
    mut stream: Streaming<pb::SendUploadRequest>,
) -> Result<pb::Upload, Status> {
    let desk = &api.desk;
    let account = caller.person()?.account;
    let _place = api.senders.take(account).ok_or(ApiError::Exhausted("the upload of files"))?;
    let Some(pb::SendUploadRequest { part: Some(Part::Place(place)) }) = next(&mut stream).await? else {
        let rule = "Send first where the bytes go, then the bytes.";
        return Err(ApiError::invalid("place", "PLACE_MISSING", rule).into());
    };
    let known = known(desk, caller, "SendUpload", &place.name).await?;
    if let Some(refusal) = known.place.closed.clone() {
        return Err(ApiError::from(refusal).into());
    }
    let place = (place.turn, place.offset);
    let mut sender =
        Sender::at((&desk.base, &api.room), known.subject(), &known.row, place).map_err(ApiError::from)?;
    let taken = take(&mut sender, &mut stream).await;
    // Whatever ended it: what came whole is kept.
    sender.flush().await?;
    taken?;
    let row = uploads::find(&desk.base.pool, known.row.upload_id).await.map_err(ApiError::from)?;
    let row = row.ok_or_else(ApiError::not_found)?;
    Ok(shown(&row, &known.announced, known.row.turn))
}

async fn take(sender: &mut Sender, stream: &mut Streaming<pb::SendUploadRequest>) -> Result<(), Status> {
    while let Some(message) = next(stream).await? {
        let Some(Part::Chunk(chunk)) = message.part else {
            let rule = "After the place send only chunks.";
            return Err(ApiError::invalid("chunk", "CHUNK_MISSING", rule).into());
        };
        if !chunk.is_intact() {
            return Err(ApiError::from(damaged()).into());
        }
        sender.push(&chunk.bytes).await?;
    }
    Ok(())
}

async fn next(
    stream: &mut Streaming<pb::SendUploadRequest>,
) -> Result<Option<pb::SendUploadRequest>, Status> {
    let silent = |_late| Status::deadline_exceeded("nothing came for a minute; what came before is kept");
    timeout(PATIENCE, stream.message()).await.map_err(silent)?
}

fn damaged() -> Refusal {
    Refusal::invalid("chunk", "CHUNK_DAMAGED", "The bytes of a chunk are not those its CRC-32C was taken of.")
        .way_out("Resume and send from the offset on; what came before is kept.")
}

async fn resume(desk: &Desk, caller: &Caller, name: &str) -> Result<pb::Upload, ApiError> {
    let known = known(desk, caller, "ResumeUpload", name).await?;
    let expires_at_us = spool::expiry(&desk.base);
    let row = uploads::take_turn(&desk.base.pool, known.row.upload_id, expires_at_us).await?;
    let row = row.ok_or_else(ApiError::not_found)?;
    Ok(shown(&row, &known.announced, row.turn))
}

async fn list(desk: &Desk, caller: &Caller, parent: &str) -> Result<Vec<pb::Upload>, ApiError> {
    let place = attach::at(desk, (caller, "ListUploads"), parent).await?;
    let mut listed = Vec::new();
    for row in uploads::of_parent(&desk.base.pool, parent).await? {
        let announced = opened(desk, place.subject, &row).await?;
        listed.push(shown(&row, &announced, 0));
    }
    Ok(listed)
}

async fn finish(
    api: &UploadApi,
    caller: &Caller,
    request: &pb::FinishUploadRequest,
) -> Result<pb::Evidence, Status> {
    let desk = &api.desk;
    let account = caller.person()?.account;
    let call = Finish { caller, context: caller.context(&request.request_id, request)?, name: &request.name };
    // Whoever is told something at once waits for nobody.
    if let Stands::Attached(evidence) = call.stands(desk).await? {
        return Ok(evidence);
    }
    let _place = api.checks.wait(account).await;
    // The same call may have ended it while this one waited, or another node does while it reads.
    let known = match call.stands(desk).await? {
        Stands::Attached(evidence) => return Ok(evidence),
        Stands::Arrived(known) => known,
    };
    let (row, announced) = (&known.row, &known.announced);
    let arrived = match Arrived::read(&desk.base, &known.subject(), row).await {
        Ok(arrived) if arrived.is_whole(row) => arrived,
        broken => {
            return match call.stands(desk).await? {
                Stands::Attached(evidence) => Ok(evidence),
                Stands::Arrived(_) => Err(broken.map_or_else(Status::from, |_| continued_elsewhere())),
            };
        }
    };
    if digest(&SHA256, &arrived.bytes).as_ref() != announced.sha256 {
        spool::give_up(&desk.base, row.upload_id).await?;
        return Err(ApiError::from(hash_differs()).into());
    }
    let header = announced.header.clone().unwrap_or_default();
    // Looked at once more with the kind: what may be attached can have changed since it was begun.
    let place = attach::place(desk, (caller, Finish::ACTION), &header).await?;
    let stored = attach::store(desk, (caller, call.context), place, &header, Bytes::Arrived(arrived)).await;
    let left = match &stored {
        Ok(_) => spool::take_away(&desk.base, row.upload_id).await,
        // A file that is no good does not get better by waiting; everything else may be tried again.
        Err(status) if status.code() == Code::InvalidArgument => {
            spool::give_up(&desk.base, row.upload_id).await
        }
        Err(_) => Ok(()),
    };
    if let Err(error) = left {
        tracing::warn!(
            error = error.cause(),
            "an upload that is over leaves something to be taken away later"
        );
    }
    stored
}

/// A call that finishes an upload.
struct Finish<'a> {
    caller: &'a Caller,
    context: Context,
    name: &'a str,
}

/// How an upload stands that is to be finished.
enum Stands {
    /// This very call attached it before.
    Attached(pb::Evidence),
    /// All its bytes are here.
    Arrived(Box<Known>),
}

impl Finish<'_> {
    const ACTION: &'static str = "FinishUpload";

    async fn stands(&self, desk: &Desk) -> Result<Stands, ApiError> {
        if let Some(evidence) = self.attached(desk).await? {
            return Ok(Stands::Attached(evidence));
        }
        let known = match known(desk, self.caller, Self::ACTION, self.name).await {
            Ok(known) => known,
            // The first try attached it and took the upload away between the two looks.
            Err(gone) => return self.attached(desk).await?.map(Stands::Attached).ok_or(gone),
        };
        if known.row.received < known.row.size {
            return Err(incomplete(&known.row).into());
        }
        Ok(Stands::Arrived(Box::new(known)))
    }

    async fn attached(&self, desk: &Desk) -> Result<Option<pb::Evidence>, ApiError> {
        attach::repeated(desk, self.caller, Self::ACTION, &self.context).await
    }
}

fn continued_elsewhere() -> Status {
    ApiError::from(spool::continued_elsewhere()).into()
}

/// Whether nothing is still on its way to a filing or a response: what is signed or sent now would go without it.
///
/// # Errors
/// `UPLOADS_UNFINISHED`, with the uploads' names.
pub(super) async fn none_under_way(desk: &Desk, parent: &str) -> Result<(), ApiError> {
    let waiting = uploads::of_parent(&desk.base.pool, parent).await?;
    if waiting.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = waiting.iter().map(|row| resource::name("uploads", row.upload_id)).collect();
    Err(Refusal::state(
        "UPLOADS_UNFINISHED",
        format!("{} files are still on their way here; this would go without them.", names.len()),
    )
    .way_out("Finish each upload, on whatever device it was begun, or give it up; then do this again.")
    .fact("uploads", names.join(","))
    .into())
}

fn incomplete(row: &Upload) -> Refusal {
    Refusal::state("UPLOAD_INCOMPLETE", format!("{} of {} bytes are here.", row.received, row.size))
        .way_out("Resume it and send the rest; then finish it.")
        .fact("offset", row.received.to_string())
}

fn hash_differs() -> Refusal {
    Refusal::invalid(
        "sha256",
        "HASH_DIFFERS",
        "What arrived is not the file that was announced; it was not kept.",
    )
    .way_out("Begin anew; if the file is being written by another program, close that first.")
}

async fn cancel(desk: &Desk, caller: &Caller, name: &str) -> Result<(), ApiError> {
    let known = known(desk, caller, "CancelUpload", name).await?;
    spool::give_up(&desk.base, known.row.upload_id).await
}

fn shown(row: &Upload, announced: &pb::BeginUploadRequest, turn: i64) -> pb::Upload {
    let header = announced.header.clone().unwrap_or_default();
    pb::Upload {
        name: resource::name("uploads", row.upload_id),
        parent: row.parent.clone(),
        kind: header.kind,
        file_name: header.file_name,
        size: row.size.unsigned_abs(),
        offset: row.received.unsigned_abs(),
        turn: turn.unsigned_abs(),
        expires_at_us: row.expires_at_us,
        foreign_language: header.foreign_language,
    }
}
