//! `EvidenceService`: files in and out, and the responses they are attached to.

use std::time::Duration;

use docket_eventlog::Subjects;
use docket_forms::Language;
use docket_kernel::Refusal;
use docket_proto::filing::v1 as pb;
use docket_proto::filing::v1::download_evidence_response::Part;
use docket_proto::filing::v1::evidence_service_server::EvidenceService;
use docket_service::{ApiError, Caller, Read, caller, detached};
use docket_vault::Subject;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use tokio::time::timeout;
use tonic::{Request, Response, Status, Streaming};
use uuid::Uuid;

use super::accesses::{self, Opened};
use super::places::{Places, Taken};
use super::views::{self, Views};
use super::{CHUNK, Messages, responses, reuse, upload, view};
use crate::check::Check;
use crate::content::Content;
use crate::desk::{Desk, ResponseDossier, Stands, acting_for, evidence_in, id_in};
use crate::domain::{Attached, filing, response};
use crate::dossiers::Dossier;
use crate::policies::clear_removed;

/// Uploads at a time: each is held in memory whole until it is looked at and scanned, 12 MiB at most.
const UPLOADS: usize = 16;
/// Of these, those of one person.
const UPLOADS_OF_ONE: usize = 4;
/// How long an explanation is, in characters.
const EXPLANATION: std::ops::RangeInclusive<usize> = 20..=2_000;
/// A file must be here within this time, so that nobody holds a place for ever.
const PATIENCE: Duration = Duration::from_mins(3);

/// Answers about evidence.
pub(crate) struct EvidenceApi {
    desk: Desk,
    uploads: Places,
    views: Views,
}

impl EvidenceApi {
    pub(crate) fn new(desk: Desk) -> Self {
        let views = Views::new(desk.clone());
        Self { desk, uploads: Places::new(UPLOADS, UPLOADS_OF_ONE), views }
    }

    /// Room for one file in memory.
    fn place(&self, caller: &Caller) -> Result<Taken, ApiError> {
        self.uploads.take(caller.person()?.account).ok_or(ApiError::Exhausted("the upload of files"))
    }
}

type Download = Messages<pb::DownloadEvidenceResponse>;

#[tonic::async_trait]
impl EvidenceService for EvidenceApi {
    async fn upload_evidence(
        &self,
        request: Request<Streaming<pb::UploadEvidenceRequest>>,
    ) -> Result<Response<pb::UploadEvidenceResponse>, Status> {
        let (desk, caller) = (self.desk.clone(), caller(&request)?);
        let place = self.place(&caller)?;
        let upload = timeout(PATIENCE, upload::receive(request.into_inner())).await;
        let upload =
            upload.map_err(|_late| Status::deadline_exceeded("the file did not arrive in time"))??;
        let evidence = detached(async move {
            let stored = upload::store(&desk, &caller, upload).await;
            drop(place);
            stored
        })
        .await?;
        Ok(Response::new(pb::UploadEvidenceResponse { evidence: Some(evidence) }))
    }

    type ViewEvidenceStream = views::Stream;

    async fn view_evidence(
        &self,
        request: Request<pb::ViewEvidenceRequest>,
    ) -> Result<Response<views::Stream>, Status> {
        let caller = caller(&request)?;
        Ok(Response::new(self.views.view(&caller, request.get_ref()).await?))
    }

    type DownloadEvidenceStream = Download;

    async fn download_evidence(
        &self,
        request: Request<pb::DownloadEvidenceRequest>,
    ) -> Result<Response<Download>, Status> {
        let caller = caller(&request)?;
        Ok(Response::new(download(&self.desk, &caller, &request.get_ref().name).await?))
    }

    async fn list_accesses(
        &self,
        request: Request<pb::ListAccessesRequest>,
    ) -> Result<Response<pb::ListAccessesResponse>, Status> {
        let caller = caller(&request)?;
        Ok(Response::new(accesses::list(&self.desk, &caller, request.get_ref()).await?))
    }

    async fn remove_evidence(
        &self,
        request: Request<pb::RemoveEvidenceRequest>,
    ) -> Result<Response<pb::RemoveEvidenceResponse>, Status> {
        let (desk, caller, request) = (self.desk.clone(), caller(&request)?, request.into_inner());
        detached(async move { remove(&desk, &caller, &request).await }).await?;
        Ok(Response::new(pb::RemoveEvidenceResponse {}))
    }

    async fn explain_missing_evidence(
        &self,
        request: Request<pb::ExplainMissingEvidenceRequest>,
    ) -> Result<Response<pb::ExplainMissingEvidenceResponse>, Status> {
        let (desk, caller, request) = (self.desk.clone(), caller(&request)?, request.into_inner());
        Ok(Response::new(detached(async move { explain(&desk, &caller, request).await }).await?))
    }

    async fn list_reusable_evidence(
        &self,
        request: Request<pb::ListReusableEvidenceRequest>,
    ) -> Result<Response<pb::ListReusableEvidenceResponse>, Status> {
        let caller = caller(&request)?;
        let evidence = reuse::list(&self.desk, &caller, &request.get_ref().parent).await?;
        Ok(Response::new(pb::ListReusableEvidenceResponse { evidence }))
    }

    async fn reuse_evidence(
        &self,
        request: Request<pb::ReuseEvidenceRequest>,
    ) -> Result<Response<pb::ReuseEvidenceResponse>, Status> {
        let (desk, caller, request) = (self.desk.clone(), caller(&request)?, request.into_inner());
        let place = self.place(&caller)?;
        let evidence = detached(async move {
            let attached = reuse::attach_again(&desk, &caller, &request).await;
            drop(place);
            attached
        })
        .await?;
        Ok(Response::new(pb::ReuseEvidenceResponse { evidence: Some(evidence) }))
    }

    async fn list_case_responses(
        &self,
        request: Request<pb::ListCaseResponsesRequest>,
    ) -> Result<Response<pb::ListCaseResponsesResponse>, Status> {
        let caller = caller(&request)?;
        let responses = responses::of_case(&self.desk, &caller, &request.get_ref().case).await?;
        Ok(Response::new(pb::ListCaseResponsesResponse { responses }))
    }

    async fn list_responses(
        &self,
        request: Request<pb::ListResponsesRequest>,
    ) -> Result<Response<pb::ListResponsesResponse>, Status> {
        let caller = caller(&request)?;
        Ok(Response::new(responses::list(&self.desk, &caller, &request.into_inner()).await?))
    }

    async fn submit_response(
        &self,
        request: Request<pb::SubmitResponseRequest>,
    ) -> Result<Response<pb::SubmitResponseResponse>, Status> {
        let (desk, caller, request) = (self.desk.clone(), caller(&request)?, request.into_inner());
        Ok(Response::new(detached(async move { responses::submit(&desk, &caller, request).await }).await?))
    }
}

async fn remove(desk: &Desk, caller: &Caller, request: &pb::RemoveEvidenceRequest) -> Result<(), ApiError> {
    let (action, context) = ("RemoveEvidence", caller.context(&request.request_id, request)?);
    let cleared = clear_removed::timer(&request.name, desk.base.clock.now());
    if request.name.starts_with("responses/") {
        let (id, evidence) = evidence_in("responses", &request.name)?;
        let response = desk.response(caller, action, id).await?.response;
        let context = acting_for(context, caller, response.account);
        let set = (id, Subjects::filing(response.case), &cleared);
        desk.execute_with(&desk.responses, &context, set, |state| response::detach(state, evidence)).await?;
        return Ok(());
    }
    let (id, evidence) = evidence_in("filings", &request.name)?;
    let account = desk.closed(caller, action, id).await?.filing.account;
    let context = acting_for(context, caller, account);
    let set = (id, Subjects::filing(id), &cleared);
    desk.execute_with(&desk.filings, &context, set, |state| filing::detach(state, evidence)).await?;
    Ok(())
}

async fn explain(
    desk: &Desk,
    caller: &Caller,
    request: pb::ExplainMissingEvidenceRequest,
) -> Result<pb::ExplainMissingEvidenceResponse, ApiError> {
    if request.name.starts_with("responses/") {
        let response = responses::explain(desk, caller, request).await?;
        return Ok(pb::ExplainMissingEvidenceResponse { filing: None, response: Some(response) });
    }
    let id = id_in("name", "filings", &request.name)?;
    let context = caller.context(&request.request_id, &request)?;
    let dossier = desk.filing(caller, "ExplainMissingEvidence", id).await?;
    let context = acting_for(context, caller, dossier.filing.account);
    let explanation = explanation_in(&request);
    if let Some(words) = &explanation {
        dossier.filing.open()?;
        may_be_explained(&Check::now(desk, &dossier).await?, &request.kind, words)?;
    }
    let act = ("ExplainMissingEvidence", &context, Language::of(&request.language));
    let decide = |state: &filing::Filing| filing::explain_missing(state, &request.kind, explanation.clone());
    let filing = view::after(desk, caller, act, id, decide).await?;
    Ok(pb::ExplainMissingEvidenceResponse { filing: Some(filing), response: None })
}

/// The words of a request; none where it takes an explanation back.
pub(super) fn explanation_in(request: &pb::ExplainMissingEvidenceRequest) -> Option<String> {
    let words = request.explanation.trim().to_owned();
    Some(words).filter(|words| !words.is_empty())
}

/// Only what the form asks for as the answers are, in words that an officer can judge.
fn may_be_explained(check: &Check<'_>, kind: &str, words: &str) -> Result<(), Refusal> {
    let mut needs = check.evaluations().flat_map(|evaluation| &evaluation.evidence);
    if !needs.any(|need| need.kind == kind) {
        let rule = "Name a kind from the checklist: what is not asked for needs no explanation.";
        return Err(Refusal::invalid("kind", "NOT_ON_CHECKLIST", rule));
    }
    says_enough(words)
}

/// Neither a word nor a book.
pub(super) fn says_enough(words: &str) -> Result<(), Refusal> {
    if EXPLANATION.contains(&words.chars().count()) {
        return Ok(());
    }
    let rule = "Say in 20 to 2,000 characters why you cannot get it, and what you tried.";
    Err(Refusal::invalid("explanation", "EXPLANATION_LENGTH", rule))
}

/// A file that the caller may read.
pub(super) struct Readable {
    pub(super) evidence: pb::Evidence,
    pub(super) file: Attached,
    /// Whose key seals it: the filing, also of what was attached to an answer in its case.
    pub(super) subject: Uuid,
    /// The party's account.
    pub(super) account: Uuid,
    /// The answer that it is attached to.
    pub(super) response: Option<Uuid>,
    /// How the caller stands to it.
    pub(super) stands: Stands,
}

/// The file of that name, for whoever may do that with it.
pub(super) async fn readable(
    desk: &Desk,
    (caller, action): (&Caller, &str),
    name: &str,
) -> Result<Readable, ApiError> {
    if name.starts_with("responses/") {
        let (id, evidence) = evidence_in("responses", name)?;
        let (ResponseDossier { response, content, .. }, stands) =
            desk.response_by(caller, action, id).await?;
        if response.refused.iter().any(|refused| refused.id == evidence) {
            return Err(refused().into());
        }
        let mut files = response.evidence.into_iter();
        let file = files.find(|file| file.id == evidence).ok_or_else(ApiError::not_found)?;
        still_there(&content)?;
        is_scanned(&file)?;
        let evidence = view::evidence("responses", id, &file, &content);
        let (subject, account) = (response.case, response.account);
        return Ok(Readable { evidence, file, subject, account, response: Some(id), stands });
    }
    let (id, evidence) = evidence_in("filings", name)?;
    // As it stands: a file is the same in whichever edition the answers beside it are.
    let (closed, stands) = desk.closed_by(caller, action, id).await?;
    of_filing(&desk.dossiers.open(closed).await?, evidence, stands)
}

/// A file of a filing that the caller may see.
pub(super) fn of_filing(dossier: &Dossier, evidence: Uuid, stands: Stands) -> Result<Readable, ApiError> {
    if dossier.filing.refused.iter().any(|refused| refused.id == evidence) {
        return Err(refused().into());
    }
    let file = dossier.files().find(|file| file.id == evidence).cloned().ok_or_else(ApiError::not_found)?;
    still_there(&dossier.content)?;
    is_scanned(&file)?;
    let evidence = view::evidence("filings", dossier.id, &file, &dossier.content);
    let (subject, account) = (dossier.id, dossier.filing.account);
    Ok(Readable { evidence, file, subject, account, response: None, stands })
}

/// What was erased says so, also when its object is taken away already: that it was is not hidden.
fn still_there(content: &Content) -> Result<(), ApiError> {
    if content.erased { Err(ApiError::Erased) } else { Ok(()) }
}

/// Whoever asks: what was not scanned to the end is shown to nobody.
fn is_scanned(file: &Attached) -> Result<(), Refusal> {
    if !file.being_checked {
        return Ok(());
    }
    Err(Refusal::state(
        "FILE_BEING_CHECKED",
        "This file is still being checked for viruses; nobody can open it until that is done.",
    )
    .way_out("Look again in a while: it is checked by itself as soon as the virus scanner is back."))
}

fn refused() -> Refusal {
    Refusal::state(
        "FILE_REFUSED",
        "This file was checked for viruses later than it came, was found unsafe, and was taken out; it was not kept.",
    )
    .way_out("What else came with it stands as it was received. Whoever sent it can scan the document anew.")
}

/// The header, then the bytes, each piece proven by its seal before it is sent; none before it is written down who took them.
async fn download(desk: &Desk, caller: &Caller, name: &str) -> Result<Download, ApiError> {
    let readable = readable(desk, (caller, "DownloadEvidence"), name).await?;
    let reader =
        match desk.base.objects.read(&Subject::filing(readable.subject), &readable.file.object_key).await? {
            Read::Plain(reader) => reader,
            Read::Erased => return Err(ApiError::Erased),
        };
    accesses::note(desk, caller, &readable, Opened::Original).await?;
    let header = readable.evidence;
    let header = pb::DownloadEvidenceResponse { part: Some(Part::Evidence(header)) };
    let chunks = stream::try_unfold(reader, |mut reader| async move {
        let piece = reader.next().await.map_err(Status::from)?;
        Ok(piece.map(|piece| (piece, reader)))
    })
    .map(|piece: Result<Vec<u8>, Status>| {
        piece.map(|bytes| {
            let cut = bytes.chunks(CHUNK).map(<[u8]>::to_vec).collect::<Vec<_>>();
            stream::iter(
                cut.into_iter()
                    .map(|chunk| Ok(pb::DownloadEvidenceResponse { part: Some(Part::Chunk(chunk)) })),
            )
        })
    });
    Ok(Box::pin(stream::iter([Ok(header)]).chain(chunks.try_flatten())))
}
