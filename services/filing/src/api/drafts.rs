//! `DraftService`: starting, answering, looking, listing; signing and sending are in `signing`.

use docket_eventlog::{
    Aggregate, Context, Error, Executed, Expected, Recorded, Store, StreamAppend, Subjects,
};
use docket_forms::{Answers, Form, Language, Question};
use docket_kernel::{FieldFault, Refusal, RefusalCode, resource};
use docket_proto::events::filing::Event;
use docket_proto::filing::v1 as pb;
use docket_proto::filing::v1::draft_service_server::DraftService;
use docket_service::{ApiError, Caller, caller, detached, new_id, page};
use jiff::Timestamp;
use serde_json::Value;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::catalogue::not_begun_here;
use super::invitations::{self, Accepting};
use super::{again, fee_waiver, packages, view};
use crate::aggregates::{Filings, Packages};
use crate::desk::{Desk, acting_for, full_name, id_in};
use crate::domain::filing::{self, Filing, Start, TakenOver};
use crate::dossiers::Dossier;
use crate::policies::keep_draft;
use crate::store::{filings, invitations as store, unscanned};
use crate::{answers, edition, help, review};

/// The list, in its page tokens.
const FILINGS: &str = "ListFilings";

/// How often what several people may write is decided again after a lost race.
pub(super) const ATTEMPTS: u32 = 5;

/// Answers about drafts.
pub(crate) struct DraftApi(pub(crate) Desk);

#[tonic::async_trait]
impl DraftService for DraftApi {
    async fn start_draft(
        &self,
        request: Request<pb::StartDraftRequest>,
    ) -> Result<Response<pb::StartDraftResponse>, Status> {
        let (desk, caller, request) = (self.0.clone(), caller(&request)?, request.into_inner());
        let filing = detached(async move { start(&desk, &caller, request).await }).await?;
        Ok(Response::new(pb::StartDraftResponse { filing: Some(filing) }))
    }

    async fn answer_draft(
        &self,
        request: Request<pb::AnswerDraftRequest>,
    ) -> Result<Response<pb::AnswerDraftResponse>, Status> {
        let (desk, caller, request) = (self.0.clone(), caller(&request)?, request.into_inner());
        let filing = detached(async move { answer(&desk, &caller, request).await }).await?;
        Ok(Response::new(pb::AnswerDraftResponse { filing: Some(filing) }))
    }

    async fn abandon_draft(
        &self,
        request: Request<pb::AbandonDraftRequest>,
    ) -> Result<Response<pb::AbandonDraftResponse>, Status> {
        let (desk, caller, request) = (self.0.clone(), caller(&request)?, request.into_inner());
        let filing = detached(async move { abandon(&desk, &caller, request).await }).await?;
        Ok(Response::new(pb::AbandonDraftResponse { filing: Some(filing) }))
    }

    async fn ask_fee_waiver(
        &self,
        request: Request<pb::AskFeeWaiverRequest>,
    ) -> Result<Response<pb::AskFeeWaiverResponse>, Status> {
        let (desk, caller, request) = (self.0.clone(), caller(&request)?, request.into_inner());
        let filing = detached(async move { fee_waiver::ask(&desk, &caller, request).await }).await?;
        Ok(Response::new(pb::AskFeeWaiverResponse { filing: Some(filing) }))
    }

    async fn get_filing(
        &self,
        request: Request<pb::GetFilingRequest>,
    ) -> Result<Response<pb::GetFilingResponse>, Status> {
        let caller = caller(&request)?;
        let id = id_in("name", "filings", &request.get_ref().name).map_err(ApiError::from)?;
        let dossier = self.0.filing(&caller, "GetFiling", id).await?;
        let filing =
            view::whole(&self.0, &caller, &dossier, Language::of(&request.get_ref().language)).await?;
        Ok(Response::new(pb::GetFilingResponse { filing: Some(filing) }))
    }

    async fn list_filings(
        &self,
        request: Request<pb::ListFilingsRequest>,
    ) -> Result<Response<pb::ListFilingsResponse>, Status> {
        let (caller, request) = (caller(&request)?, request.into_inner());
        Ok(Response::new(list(&self.0, &caller, &request).await?))
    }

    async fn quote_fee(
        &self,
        request: Request<pb::QuoteFeeRequest>,
    ) -> Result<Response<pb::QuoteFeeResponse>, Status> {
        let (desk, caller, request) = (self.0.clone(), caller(&request)?, request.into_inner());
        Ok(Response::new(
            detached(async move { super::signing::quote(&desk, &caller, request).await }).await?,
        ))
    }

    async fn review_filing(
        &self,
        request: Request<pb::ReviewFilingRequest>,
    ) -> Result<Response<pb::ReviewFilingResponse>, Status> {
        let caller = caller(&request)?;
        Ok(Response::new(super::signing::review(&self.0, &caller, request.get_ref()).await?))
    }

    async fn ask_review(
        &self,
        request: Request<pb::AskReviewRequest>,
    ) -> Result<Response<pb::AskReviewResponse>, Status> {
        let (desk, caller, request) = (self.0.clone(), caller(&request)?, request.into_inner());
        let filing = detached(async move { super::review::ask(&desk, &caller, request).await }).await?;
        Ok(Response::new(pb::AskReviewResponse { filing: Some(filing) }))
    }

    async fn return_filing(
        &self,
        request: Request<pb::ReturnFilingRequest>,
    ) -> Result<Response<pb::ReturnFilingResponse>, Status> {
        let (desk, caller, request) = (self.0.clone(), caller(&request)?, request.into_inner());
        let filing = detached(async move { super::review::give_back(&desk, &caller, request).await }).await?;
        Ok(Response::new(pb::ReturnFilingResponse { filing: Some(filing) }))
    }

    async fn approve_filing(
        &self,
        request: Request<pb::ApproveFilingRequest>,
    ) -> Result<Response<pb::ApproveFilingResponse>, Status> {
        let (desk, caller, request) = (self.0.clone(), caller(&request)?, request.into_inner());
        let filing = detached(async move { super::review::approve(&desk, &caller, request).await }).await?;
        Ok(Response::new(pb::ApproveFilingResponse { filing: Some(filing) }))
    }

    async fn sign_filing(
        &self,
        request: Request<pb::SignFilingRequest>,
    ) -> Result<Response<pb::SignFilingResponse>, Status> {
        let (desk, caller, request) = (self.0.clone(), caller(&request)?, request.into_inner());
        let filing = detached(async move { super::signing::sign(&desk, &caller, request).await }).await?;
        Ok(Response::new(pb::SignFilingResponse { filing: Some(filing) }))
    }

    type DownloadCopyStream = super::copies::Download;

    async fn download_copy(
        &self,
        request: Request<pb::DownloadCopyRequest>,
    ) -> Result<Response<Self::DownloadCopyStream>, Status> {
        let caller = caller(&request)?;
        Ok(Response::new(super::copies::download(&self.0, &caller, request.get_ref()).await?))
    }

    async fn submit_filing(
        &self,
        request: Request<pb::SubmitFilingRequest>,
    ) -> Result<Response<pb::SubmitFilingResponse>, Status> {
        let (desk, caller, request) = (self.0.clone(), caller(&request)?, request.into_inner());
        Ok(Response::new(
            detached(async move { super::signing::submit(&desk, &caller, request).await }).await?,
        ))
    }
}

async fn start(desk: &Desk, caller: &Caller, request: pb::StartDraftRequest) -> Result<pb::Filing, ApiError> {
    let context = caller.context(&request.request_id, &request)?;
    let id = match repeated(desk, &desk.filings, &context).await? {
        Some((id, _)) => id,
        None if request.again.is_empty() => {
            let ways = ways(desk, caller, &request).await?;
            begin(desk, caller, acting_for(context, caller, ways.account), &request.form, ways).await?
        }
        None => again::begin(desk, caller, &context, &request).await?,
    };
    let dossier = desk.filing(caller, "GetFiling", id).await?;
    // With its answers: what was taken over is seen from the start.
    view::whole(desk, caller, &dossier, Language::of(&request.language)).await
}

/// The filing which this very command began before.
async fn started_before(desk: &Desk, context: &Context) -> Result<Option<Uuid>, ApiError> {
    Ok(first_event(desk, context).await?.and_then(|event| event.stream.id()))
}

/// The first event of this very command, where it was done before. One without events began nothing: the log says so when this
/// one is appended.
pub(super) async fn first_event(desk: &Desk, context: &Context) -> Result<Option<Recorded>, ApiError> {
    let done = desk.log.command(&context.actor, context.command_id).await?;
    let Some((first, _)) = done.filter(|(first, last)| first <= last) else { return Ok(None) };
    Ok(desk.log.read(first - 1, 1).await?.into_iter().next())
}

/// What this very command did before, and in which stream of its store; none where it is new. The log compares the two requests, and
/// nothing is decided any more.
pub(super) async fn repeated<A: Aggregate>(
    desk: &Desk,
    store: &Store<A>,
    context: &Context,
) -> Result<Option<(Uuid, Executed<A>)>, ApiError> {
    let Some(id) = started_before(desk, context).await? else { return Ok(None) };
    let done = store.execute(context, id, Subjects::NONE, |_| Ok(Vec::new())).await?;
    Ok(Some((id, done)))
}

/// How a draft is begun: for whom, by whom, with what.
struct Ways {
    account: Uuid,
    representation: Option<Uuid>,
    package: Option<Uuid>,
}

async fn ways(desk: &Desk, caller: &Caller, request: &pb::StartDraftRequest) -> Result<Ways, ApiError> {
    let package = packages::admitted(desk, caller, &request.package).await?;
    if request.representation.is_empty() {
        return Ok(Ways { account: caller.person()?.account, representation: None, package });
    }
    let representation = id_in("representation", "representations", &request.representation)?;
    let account = super::representations::client(desk, caller, representation, &request.form).await?;
    Ok(Ways { account, representation: Some(representation), package })
}

async fn begin(
    desk: &Desk,
    caller: &Caller,
    context: Context,
    form: &str,
    ways: Ways,
) -> Result<Uuid, ApiError> {
    let form = desk.form(form)?;
    let Opening { start, now, proven } = opening(desk, form, (ways.account, ways.package), None).await?;
    let start = Start { representation: ways.representation, ..start };
    let taken = match ways.package {
        Some(_) => packages::taken_over(desk, caller, &start, &proven).await?,
        None => Answers::new(),
    };
    let joins = Joins::package_if(ways.package.is_some());
    begun(desk, &context, (&start, now), (joins, taken)).await
}

/// Begins a draft with what it takes over.
pub(super) async fn begun(
    desk: &Desk,
    context: &Context,
    (start, now): (&Start, Timestamp),
    (joins, taken): (Joins<'_>, Answers),
) -> Result<Uuid, ApiError> {
    let id = new_id(now);
    let appends = vec![started(id, start, taken)?];
    let beginning = Beginning { id, start, now_us: now.as_microsecond(), joins, waiting: Vec::new() };
    if written(desk, context, appends, &beginning).await? {
        return Ok(id);
    }
    begun_elsewhere(desk, context).await
}

/// What this very command began elsewhere, between our look and now: that is the answer.
pub(super) async fn begun_elsewhere(desk: &Desk, context: &Context) -> Result<Uuid, ApiError> {
    started_before(desk, context).await?.ok_or_else(|| ApiError::unavailable("the log"))
}

/// How a filing that is begun comes into its package.
#[derive(Clone, Copy)]
pub(super) enum Joins<'a> {
    /// It is the first in one of its own.
    Nothing,
    /// By whoever has to do with what is in it.
    Package,
    /// By who was asked to file it there.
    Invited(&'a Accepting),
}

impl Joins<'_> {
    pub(super) fn package_if(joins: bool) -> Self {
        if joins { Self::Package } else { Self::Nothing }
    }
}

/// A filing that is begun.
pub(super) struct Beginning<'a> {
    pub(super) id: Uuid,
    pub(super) start: &'a Start,
    /// Now, microseconds since the epoch.
    pub(super) now_us: i64,
    /// Whether it joins a package.
    pub(super) joins: Joins<'a>,
    /// Its files that still wait for the virus scanner, and their objects.
    pub(super) waiting: Vec<(Uuid, String)>,
}

/// Appends what begins the filing and, where it joins a package, its place there; false when the command was done before.
pub(super) async fn written(
    desk: &Desk,
    context: &Context,
    appends: Vec<StreamAppend>,
    beginning: &Beginning<'_>,
) -> Result<bool, ApiError> {
    let place = Store::<Packages>::stream(beginning.start.package);
    let mut attempt = 1;
    loop {
        let mut streams = appends.clone();
        match beginning.joins {
            Joins::Nothing => {}
            Joins::Package => streams.push(packages::joining(desk, beginning.id, beginning.start).await?),
            Joins::Invited(accepting) => {
                streams.push(invitations::joining(desk, beginning, accepting).await?);
            }
        }
        match write(desk, context, streams, beginning).await {
            // Somebody else put another filing into the package meanwhile.
            Err(Error::Conflict { stream, .. }) if stream == place && attempt < ATTEMPTS => attempt += 1,
            written => return written.map_err(ApiError::from),
        }
    }
}

/// Appends streams with the row of the new filing; false when the command was done before.
async fn write(
    desk: &Desk,
    context: &Context,
    streams: Vec<StreamAppend>,
    beginning: &Beginning<'_>,
) -> Result<bool, Error> {
    let &Beginning { id, start, now_us, ref waiting, .. } = beginning;
    let mut tx = docket_database::begin(&desk.base.pool).await?;
    let appended = desk.log.append_in(&mut tx, context.append(&desk.log, streams)).await?;
    if appended.repeated {
        tx.rollback().await?;
        return Ok(false);
    }
    filings::insert(&mut tx, id, start, now_us).await?;
    if let Joins::Invited(accepting) = beginning.joins {
        store::set_filing(&mut tx, (start.package, accepting.number()), id).await?;
    }
    let parent = resource::name("filings", id);
    for (evidence, object_key) in waiting {
        unscanned::insert(&mut tx, (*evidence, &parent, object_key), now_us).await?;
    }
    let begun_at = Timestamp::from_microsecond(now_us).unwrap_or_default();
    desk.log.timers().schedule_in(&mut tx, &keep_draft::kept(id, keep_draft::first_look(begun_at))).await?;
    tx.commit().await?;
    desk.log.committed(appended.last);
    Ok(true)
}

/// What beginning writes of the draft itself, with what it takes over.
pub(super) fn started(id: Uuid, start: &Start, taken: Answers) -> Result<StreamAppend, Refusal> {
    let answers = (taken.keys().cloned().collect(), Value::Object(taken).to_string());
    let taken = TakenOver { answers, ..TakenOver::default() };
    let begun = filing::take_over(&Filing::default(), start.clone(), taken)?;
    Ok(StreamAppend::of(Store::<Filings>::stream(id), Expected::Version(0), Subjects::filing(id), &begun))
}

/// What a draft begins with.
pub(super) struct Opening {
    pub(super) start: Start,
    pub(super) now: Timestamp,
    /// The name proven for the account; empty where none is.
    pub(super) proven: String,
}

/// What a draft begins with, for somebody who may file the form here, in a package where one is named. Who they are need not be
/// proven: nothing that is missing there hinders anybody from filing.
pub(super) async fn opening(
    desk: &Desk,
    form: &Form,
    (account, package): (Uuid, Option<Uuid>),
    continues: Option<Uuid>,
) -> Result<Opening, ApiError> {
    if let Some(refusal) = not_begun_here(form, package.is_some()) {
        return Err(refusal.into());
    }
    let contact = desk.contact(account).await?;
    let (now, proven) = (desk.base.clock.now(), full_name(&contact));
    let start = Start {
        form: form.id.clone(),
        edition: form.edition.to_string(),
        package: package.unwrap_or_else(|| new_id(now)),
        account,
        zone: contact.zone,
        continues,
        representation: None,
    };
    Ok(Opening { start, now, proven })
}

async fn answer(
    desk: &Desk,
    caller: &Caller,
    request: pb::AnswerDraftRequest,
) -> Result<pb::Filing, ApiError> {
    let id = id_in("name", "filings", &request.name)?;
    let context = caller.context(&request.request_id, &request)?;
    let language = Language::of(&request.language);
    if let Some(kept) = desk.kept(caller, "AnswerDraft", id).await? {
        let told = Told::of(desk, &kept, &request)?;
        let context = acting_for(context.clone(), caller, kept.filing.account);
        if let Some(answered) = told.to_kept(desk, &context, kept).await? {
            return view::whole(desk, caller, &answered, language).await;
        }
    }
    let mut dossier = desk.filing(caller, "AnswerDraft", id).await?;
    let context = acting_for(context, caller, dossier.filing.account);
    let answered = loop {
        let told = Told::of(desk, &dossier, &request)?;
        match told.to(desk, &context, dossier).await {
            Err(ApiError::Refused(refusal)) if refusal.code == RefusalCode::Stale => {
                dossier = desk.filing(caller, "AnswerDraft", id).await?;
                if dossier.filing.edition == told.edition {
                    return Err(refusal.into());
                }
                // In another edition meanwhile: what was typed is read by its questions.
            }
            done => break done?,
        }
    };
    // With all answers: who goes on from this etag has seen what others wrote.
    view::whole(desk, caller, &answered, language).await
}

/// Answers that change a draft as somebody knows it.
struct Told {
    etag: u64,
    /// By whose questions they were read.
    edition: String,
    questions: Vec<String>,
    answers_json: String,
}

impl Told {
    fn of(desk: &Desk, dossier: &Dossier, request: &pb::AnswerDraftRequest) -> Result<Self, ApiError> {
        let form = desk.form(&dossier.filing.form)?;
        let example = r#"{"app_dob": "1990-01-31"}"#;
        let answers = answers::normalised(form, &request.answers_json, example, |question, answer| {
            answered_by_signing(form, question).filter(|_| !answer.is_null())
        })?;
        // What is answered so already changes nothing: neither a signature nor somebody else's answer.
        let before = &dossier.content.answers;
        let told: Answers = answers.into_iter().filter(|(id, answer)| is_news(before, id, answer)).collect();
        let questions = told.keys().cloned().collect();
        let (etag, edition) = (request.etag, form.edition.to_string());
        Ok(Self { etag, edition, questions, answers_json: Value::Object(told).to_string() })
    }

    fn decide(&self, state: &Filing) -> Result<Vec<Event>, Refusal> {
        filing::answered_in(state, &self.edition)?;
        filing::answer(state, self.etag, self.questions.clone(), self.answers_json.clone())
    }

    /// Saves them in what was just read.
    async fn to(&self, desk: &Desk, context: &Context, dossier: Dossier) -> Result<Dossier, ApiError> {
        let (of, known) = ((dossier.id, Subjects::filing(dossier.id)), dossier.folded());
        let done = desk.filings.execute_from(context, of, known, |state| self.decide(state)).await?;
        desk.dossiers.after(dossier, done).await
    }

    /// Saves them in what was kept, unless something came since.
    async fn to_kept(
        &self,
        desk: &Desk,
        context: &Context,
        dossier: Dossier,
    ) -> Result<Option<Dossier>, ApiError> {
        let Some(known) = dossier.folded_to() else { return Ok(None) };
        let of = (dossier.id, Subjects::filing(dossier.id));
        let done = desk.filings.execute_after(context, of, known, |state| self.decide(state)).await?;
        let Some(done) = done else { return Ok(None) };
        Ok(Some(desk.dossiers.after(dossier, done).await?))
    }
}

/// Why a question is not answered here; nothing where it is.
fn answered_by_signing(form: &Form, question: &Question) -> Option<FieldFault> {
    if help::is_co_signers(form, question) {
        let words = "Leave this out: who signs it together with you signs in an account of their own, and is asked to with a code.";
        return Some(FieldFault::new(&question.id, "ANSWERED_BY_CO_SIGNER", words));
    }
    if help::is_signature(form, question) {
        let words = "Leave this out: whoever helped signs it in an account of their own, and is asked to with a code.";
        return Some(FieldFault::new(&question.id, "ANSWERED_BY_HELPER", words));
    }
    let words = "Leave this out: signing answers it.";
    review::is_signing(form, question).then(|| FieldFault::new(&question.id, "ANSWERED_BY_SIGNING", words))
}

fn is_news(answers: &Answers, question: &str, answer: &Value) -> bool {
    answers.get(question).unwrap_or(&Value::Null) != answer
}

/// Ends the draft; its content is erased by a timer, which nothing can lose.
async fn abandon(
    desk: &Desk,
    caller: &Caller,
    request: pb::AbandonDraftRequest,
) -> Result<pb::Filing, ApiError> {
    let id = id_in("name", "filings", &request.name)?;
    let context = caller.context(&request.request_id, &request)?;
    let dossier = desk.filing(caller, "AbandonDraft", id).await?;
    let context = acting_for(context, caller, dossier.filing.account);
    if store::is_of(&desk.base.pool, id).await? {
        invitations::step_back(desk, &context, (id, dossier.filing.package)).await?;
        return view::filing(desk, &desk.filing(caller, "AbandonDraft", id).await?, Language::En).await;
    }
    let mut tx = docket_database::begin(&desk.base.pool).await?;
    let ended = desk.filings.execute_in(&mut tx, &context, id, Subjects::filing(id), filing::abandon).await?;
    if !ended.repeated {
        keep_draft::end(desk, &mut tx, id).await?;
    }
    tx.commit().await?;
    desk.log.committed(ended.events.last().map_or(0, |event| event.position));
    view::filing(desk, &desk.filing(caller, "AbandonDraft", id).await?, Language::En).await
}

async fn list(
    desk: &Desk,
    caller: &Caller,
    request: &pb::ListFilingsRequest,
) -> Result<pb::ListFilingsResponse, ApiError> {
    let account = caller.person()?.account;
    let size = page::size(request.page_size);
    let before = page::after(FILINGS, &request.page_token)?;
    let mut ids = filings::of_account(&desk.base.pool, account, before, i64::from(size) + 1).await?;
    let next_page_token = page::cut(FILINGS, &mut ids, size, Uuid::to_string);
    let (mut filings, language) = (Vec::with_capacity(ids.len()), Language::of(&request.language));
    for id in ids {
        filings.extend(line(desk, caller, id, language).await?);
    }
    Ok(pb::ListFilingsResponse { filings, next_page_token })
}

/// A filing's line in a list; none of one that is no longer the caller's. One that cannot be read or opened here, as while nodes are
/// updated one after the other, hides no other and says so.
async fn line(
    desk: &Desk,
    caller: &Caller,
    id: Uuid,
    language: Language,
) -> Result<Option<pb::Filing>, ApiError> {
    let closed = match desk.closed(caller, "ListFilings", id).await {
        Ok(closed) => closed,
        Err(ApiError::Refused(_) | ApiError::Denied { .. }) => return Ok(None),
        Err(error @ ApiError::Internal(_)) => {
            tracing::error!(filing.id = %id, error = error.cause(), "a filing cannot be read for a list");
            let (name, findings) = (resource::name("filings", id), vec![view::not_here(language)]);
            return Ok(Some(pb::Filing { name, findings, ..pb::Filing::default() }));
        }
        Err(error) => return Err(error),
    };
    let mut line = view::summary(desk, &closed.outline()).await;
    if !line.erased && !edition::is_here(desk, &closed.filing) {
        line.findings.push(view::not_here(language));
    }
    Ok(Some(line))
}
