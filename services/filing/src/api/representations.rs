//! `RepresentationService`: a representative appears, the client consents, either ends it; what a client asks for, for a filing
//! that is there already, is in `appointments`, what the office ends in `office_ends`.

use docket_eventlog::{Context, Loaded, Subjects};
use docket_kernel::{Refusal, resource};
use docket_proto::events::representation::Event;
use docket_proto::filing::events::v1 as events;
use docket_proto::filing::v1 as pb;
use docket_proto::filing::v1::representation_service_server::RepresentationService;
use docket_service::{ApiError, Caller, caller, detached, new_id, page};
use serde_json::Value;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{appointments, office_ends};
use crate::aggregates::Representations;
use crate::appearance::{self, Said, Side};
use crate::desk::{Desk, full_name, id_in};
use crate::domain::name;
use crate::domain::representation::{self, CODE_VALID_US, Consent, Representation, Standing};
use crate::party;
use crate::policies::report_move;
use crate::store::representations;

/// Answers about representation.
pub(crate) struct RepresentationApi(pub(crate) Desk);

/// An appearance that the caller may see.
pub(super) struct File {
    pub(super) id: Uuid,
    pub(super) representation: Representation,
    pub(super) said: Said,
}

#[tonic::async_trait]
impl RepresentationService for RepresentationApi {
    async fn appoint_representative(
        &self,
        request: Request<pb::AppointRepresentativeRequest>,
    ) -> Result<Response<pb::AppointRepresentativeResponse>, Status> {
        let (desk, caller, request) = (self.0.clone(), caller(&request)?, request.into_inner());
        Ok(Response::new(detached(async move { appointments::ask(&desk, &caller, request).await }).await?))
    }

    async fn prepare_representation(
        &self,
        request: Request<pb::PrepareRepresentationRequest>,
    ) -> Result<Response<pb::PrepareRepresentationResponse>, Status> {
        let (desk, caller, request) = (self.0.clone(), caller(&request)?, request.into_inner());
        Ok(Response::new(detached(async move { prepare(&desk, &caller, request).await }).await?))
    }

    async fn get_representation(
        &self,
        request: Request<pb::GetRepresentationRequest>,
    ) -> Result<Response<pb::GetRepresentationResponse>, Status> {
        let (caller, request) = (caller(&request)?, request.into_inner());
        let id = match request.name.as_str() {
            "" => with_code(&self.0, &request.client_code).await?,
            name => id_in("name", "representations", name).map_err(ApiError::from)?,
        };
        let file = open(&self.0, &caller, "GetRepresentation", id, &request.client_code).await?;
        Ok(Response::new(pb::GetRepresentationResponse { representation: Some(view(&self.0, &file)?) }))
    }

    async fn list_representations(
        &self,
        request: Request<pb::ListRepresentationsRequest>,
    ) -> Result<Response<pb::ListRepresentationsResponse>, Status> {
        let caller = caller(&request)?;
        Ok(Response::new(list(&self.0, &caller, &request.into_inner()).await?))
    }

    async fn accept_representation(
        &self,
        request: Request<pb::AcceptRepresentationRequest>,
    ) -> Result<Response<pb::AcceptRepresentationResponse>, Status> {
        let (desk, caller, request) = (self.0.clone(), caller(&request)?, request.into_inner());
        let representation = Some(detached(async move { accept(&desk, &caller, request).await }).await?);
        Ok(Response::new(pb::AcceptRepresentationResponse { representation }))
    }

    async fn refuse_representation(
        &self,
        request: Request<pb::RefuseRepresentationRequest>,
    ) -> Result<Response<pb::RefuseRepresentationResponse>, Status> {
        let (desk, caller, request) = (self.0.clone(), caller(&request)?, request.into_inner());
        let representation = Some(detached(async move { refuse(&desk, &caller, request).await }).await?);
        Ok(Response::new(pb::RefuseRepresentationResponse { representation }))
    }

    async fn withdraw_representation(
        &self,
        request: Request<pb::WithdrawRepresentationRequest>,
    ) -> Result<Response<pb::WithdrawRepresentationResponse>, Status> {
        let (desk, caller, request) = (self.0.clone(), caller(&request)?, request.into_inner());
        let context = caller.context(&request.request_id, &request)?;
        let act = async move {
            let act = ("WithdrawRepresentation", request.name.as_str());
            finish(&desk, &caller, &context, act, representation::withdraw).await
        };
        Ok(Response::new(pb::WithdrawRepresentationResponse { representation: Some(detached(act).await?) }))
    }

    async fn change_representation_wishes(
        &self,
        request: Request<pb::ChangeRepresentationWishesRequest>,
    ) -> Result<Response<pb::ChangeRepresentationWishesResponse>, Status> {
        let (desk, caller, request) = (self.0.clone(), caller(&request)?, request.into_inner());
        let context = caller.context(&request.request_id, &request)?;
        let act = async move {
            let act = ("ChangeRepresentationWishes", request.name.as_str());
            let wishes = request.wishes.ok_or_else(wishes_missing)?;
            finish(&desk, &caller, &context, act, |state| representation::change_wishes(state, wishes)).await
        };
        let representation = Some(detached(act).await?);
        Ok(Response::new(pb::ChangeRepresentationWishesResponse { representation }))
    }

    type DownloadAppearanceStream = super::appearances::Download;

    async fn download_appearance(
        &self,
        request: Request<pb::DownloadAppearanceRequest>,
    ) -> Result<Response<Self::DownloadAppearanceStream>, Status> {
        let (caller, request) = (caller(&request)?, request.into_inner());
        Ok(Response::new(super::appearances::download(&self.0, &caller, &request).await?))
    }

    async fn end_representation(
        &self,
        request: Request<pb::EndRepresentationRequest>,
    ) -> Result<Response<pb::EndRepresentationResponse>, Status> {
        let (desk, caller, request) = (self.0.clone(), caller(&request)?, request.into_inner());
        let context = caller.context(&request.request_id, &request)?;
        let act = async move {
            let act = ("EndRepresentation", request.name.as_str());
            finish(&desk, &caller, &context, act, representation::end).await
        };
        Ok(Response::new(pb::EndRepresentationResponse { representation: Some(detached(act).await?) }))
    }

    async fn refuse_appearance(
        &self,
        request: Request<pb::RefuseAppearanceRequest>,
    ) -> Result<Response<pb::RefuseAppearanceResponse>, Status> {
        let (desk, caller, request) = (self.0.clone(), caller(&request)?, request.into_inner());
        Ok(Response::new(detached(async move { office_ends::refuse(&desk, &caller, request).await }).await?))
    }

    async fn reinstate_representative(
        &self,
        request: Request<pb::ReinstateRepresentativeRequest>,
    ) -> Result<Response<pb::ReinstateRepresentativeResponse>, Status> {
        let (desk, caller, request) = (self.0.clone(), caller(&request)?, request.into_inner());
        let act = async move { office_ends::reinstate(&desk, &caller, request).await };
        Ok(Response::new(detached(act).await?))
    }

    async fn end_appearances(
        &self,
        request: Request<pb::EndAppearancesRequest>,
    ) -> Result<Response<pb::EndAppearancesResponse>, Status> {
        let (desk, caller, request) = (self.0.clone(), caller(&request)?, request.into_inner());
        Ok(Response::new(detached(async move { office_ends::end_all(&desk, &caller, request).await }).await?))
    }
}

/// No wishes are not the wish that all papers go to the client.
fn wishes_missing() -> Refusal {
    Refusal::invalid(
        "wishes",
        "WISHES_MISSING",
        "Say where papers go: notices, documents, and the notice with the I-94.",
    )
}

/// The list, in its page tokens.
const LIST: &str = "ListRepresentations";

/// The caller's appearances, as representative and as client, newest first.
async fn list(
    desk: &Desk,
    caller: &Caller,
    request: &pb::ListRepresentationsRequest,
) -> Result<pb::ListRepresentationsResponse, ApiError> {
    let account = caller.person()?.account;
    let size = page::size(request.page_size);
    let after = page::after(LIST, &request.page_token)?;
    let mut ids = representations::of_account(&desk.base.pool, account, after, i64::from(size) + 1).await?;
    let next_page_token = page::cut(LIST, &mut ids, size, Uuid::to_string);
    let mut listed = Vec::with_capacity(ids.len());
    for id in ids {
        listed.push(summary(&open(desk, caller, LIST, id, "").await?));
    }
    Ok(pb::ListRepresentationsResponse { representations: listed, next_page_token })
}

/// The client for whom the caller may begin a filing of this form.
pub(super) async fn client(desk: &Desk, caller: &Caller, id: Uuid, form: &str) -> Result<Uuid, ApiError> {
    let representation = admit(desk, caller, "StartDraft", id, "").await?.state;
    representation.covers(&desk.form(form)?.id)?;
    match (representation.standing, representation.client) {
        (Standing::Active, Some(client)) => Ok(client),
        _ => Err(representation::not_represented().into()),
    }
}

/// The appearance that this very command was about before.
pub(super) async fn repeated(desk: &Desk, context: &Context) -> Result<Option<Uuid>, ApiError> {
    Ok(super::drafts::repeated(desk, &desk.representations, context).await?.map(|(id, _)| id))
}

/// The appearance that a code was made for.
async fn with_code(desk: &Desk, code: &str) -> Result<Uuid, ApiError> {
    let found = representations::with_code(&desk.base.pool, &appearance::code_hash(code)).await?;
    found.ok_or_else(|| representation::code_unknown().into())
}

/// Loads an appearance for an act of the caller and opens it.
pub(super) async fn open(
    desk: &Desk,
    caller: &Caller,
    action: &str,
    id: Uuid,
    code: &str,
) -> Result<File, ApiError> {
    let loaded = admit(desk, caller, action, id, code).await?;
    let said = Said::open(&desk.log, &loaded.events).await?;
    Ok(File { id, representation: loaded.state, said })
}

/// Loads an appearance for an act of the caller; what is sealed in it stays closed.
async fn admit(
    desk: &Desk,
    caller: &Caller,
    action: &str,
    id: Uuid,
    code: &str,
) -> Result<Loaded<Representations>, ApiError> {
    let loaded = desk.representations.load(id).await?;
    let (state, person) = (&loaded.state, caller.person()?.account);
    let mut relations = Vec::new();
    if !matches!(state.standing, Standing::Absent | Standing::Sought) && state.representative == person {
        relations.push("representative");
    }
    if state.client == Some(person) {
        relations.push("client");
    }
    if !code.is_empty() && state.opens(&appearance::code_hash(code), desk.now_us()) {
        relations.push("invited");
    }
    desk.require(caller, action, "Representation", id, relations)?;
    Ok(loaded)
}

async fn prepare(
    desk: &Desk,
    caller: &Caller,
    request: pb::PrepareRepresentationRequest,
) -> Result<pb::PrepareRepresentationResponse, ApiError> {
    let context = caller.context(&request.request_id, &request)?;
    let account = caller.person()?.account;
    desk.collection(caller, "PrepareRepresentation")?;
    let id = match repeated(desk, &context).await? {
        Some(id) => id,
        None if request.appointment_code.is_empty() => enter(desk, &context, account, &request).await?,
        None => appointments::enter(desk, &context, account, &request).await?,
    };
    let file = open(desk, caller, "GetRepresentation", id, "").await?;
    // Who asked has the code already.
    let asked = file.representation.filing.is_some();
    let client_code = if asked { String::new() } else { file.said.code.clone() };
    Ok(pb::PrepareRepresentationResponse { representation: Some(view(desk, &file)?), client_code })
}

/// Enters the appearance, and its row: both or neither.
async fn enter(
    desk: &Desk,
    context: &Context,
    account: Uuid,
    request: &pb::PrepareRepresentationRequest,
) -> Result<Uuid, ApiError> {
    let (id, code) = (new_id(desk.base.clock.now()), appearance::new_code()?);
    let prepared = events::RepresentationPrepared {
        code_hash: appearance::code_hash(&code),
        code,
        ..signed(desk, account, request, id).await?
    };
    let mut tx = docket_database::begin(&desk.base.pool).await?;
    let done = desk
        .representations
        .execute_in(&mut tx, context, id, Subjects::account(account), |state| {
            representation::prepare(state, prepared.clone())
        })
        .await?;
    if done.repeated {
        tx.rollback().await?;
        return super::drafts::begun_elsewhere(desk, context).await;
    }
    office_ends::may_appear(desk, &mut tx, account).await?;
    representations::insert(&mut tx, id, account, &prepared.code_hash, prepared.signed_at_us).await?;
    report_move::owe_representative(desk, &mut tx, (id, context.command_id), desk.base.clock.now()).await?;
    tx.commit().await?;
    desk.addresses.notify_one();
    desk.committed(&done.events);
    Ok(id)
}

/// What the representative signs, once it will do; without a code.
pub(super) async fn signed(
    desk: &Desk,
    account: Uuid,
    request: &pb::PrepareRepresentationRequest,
    id: Uuid,
) -> Result<events::RepresentationPrepared, ApiError> {
    let form = desk.form(appearance::FORM)?;
    let answers = appearance::normalised(form, Side::Representative, &request.answers_json)?;
    let said = Said { representative: answers, signed_by: request.typed_name.clone(), ..Said::default() };
    let now = desk.base.clock.now();
    let said = appearance::counting(desk, form, Side::Representative, said, now);
    let forms = appearance::forms(desk, &said.representative)?;
    if let Some(refusal) = appearance::not_ready(desk, form, Side::Representative, &said, now) {
        return Err(refusal.into());
    }
    representative_name(desk, account, &said).await?;
    let now_us = now.as_microsecond();
    Ok(events::RepresentationPrepared {
        representative: account.to_string(),
        representative_kind: appearance::text_of(&said.representative, "rep_kind"),
        forms,
        edition: form.edition.to_string(),
        valid_until_us: now_us + CODE_VALID_US,
        signed_at_us: now_us,
        catalogue_version: form.catalogue_version.clone(),
        content_mac: appearance::content_mac(desk, id, form, &said),
        answers_json: Value::Object(said.representative).to_string(),
        typed_name: said.signed_by,
        ..events::RepresentationPrepared::default()
    })
}

/// A representative signs with the name in the answers, which is the one proven for the account where one is.
async fn representative_name(desk: &Desk, account: Uuid, said: &Said) -> Result<(), ApiError> {
    let proven = full_name(&desk.contact(account).await?);
    let answered = ["rep_given", "rep_family"]
        .map(|part| appearance::text_of(&said.representative, part))
        .join(" ")
        .trim()
        .to_owned();
    if name::agrees(&proven, &said.signed_by) && name::same(&said.signed_by, &answered) {
        return Ok(());
    }
    Err(Refusal::invalid(
        "typed_name",
        "NAME_DIFFERS",
        "Type your own full legal name as it stands in the answers, which is the one that you proved if you did: given name, then family name.",
    )
    .into())
}

async fn accept(
    desk: &Desk,
    caller: &Caller,
    request: pb::AcceptRepresentationRequest,
) -> Result<pb::Representation, ApiError> {
    let context = caller.context(&request.request_id, &request)?;
    let account = caller.person()?.account;
    if let Some(id) = repeated(desk, &context).await? {
        return view(desk, &open(desk, caller, "GetRepresentation", id, "").await?);
    }
    let id = with_code(desk, &request.client_code).await?;
    let file = open(desk, caller, "AcceptRepresentation", id, &request.client_code).await?;
    let form = desk.form(appearance::FORM)?;
    let answers = appearance::normalised(form, Side::Client, &request.answers_json)?;
    let said = Said { client: answers, consented_by: request.typed_name.clone(), ..file.said.clone() };
    let signed_at = jiff::Timestamp::from_microsecond(file.representation.signed_at_us)
        .map_err(|error| ApiError::internal(anyhow::Error::new(error)))?;
    let said = appearance::counting(desk, form, Side::Client, said, signed_at);
    let proven = full_name(&desk.contact(account).await?);
    let in_answers = party::names(form, &said.client);
    let consent = Consent {
        client: account,
        code_hash: appearance::code_hash(&request.client_code),
        shown_mac: request.content_hash.clone(),
        not_ready: appearance::not_ready(desk, form, Side::Client, &said, signed_at),
        name_agrees: name::agrees(&proven, &request.typed_name)
            && in_answers.iter().any(|answered| name::same(answered, &request.typed_name)),
        accepted: events::RepresentationAccepted {
            client: account.to_string(),
            client_role: appearance::text_of(&said.client, "client_role"),
            signed_at_us: desk.now_us(),
            content_mac: request.content_hash.clone(),
            answers_json: Value::Object(said.client.clone()).to_string(),
            typed_name: request.typed_name.clone(),
            wishes: Some(appearance::wishes(&said.client)),
            ..events::RepresentationAccepted::default()
        },
    };
    if let Some(filing) = file.representation.filing {
        appointments::stand(desk, &context, (id, filing), consent).await?;
    } else {
        let decide = |state: &Representation| representation::accept(state, consent.clone());
        write(desk, &context, id, Some(account), decide).await?;
    }
    view(desk, &open(desk, caller, "GetRepresentation", id, "").await?)
}

async fn refuse(
    desk: &Desk,
    caller: &Caller,
    request: pb::RefuseRepresentationRequest,
) -> Result<pb::Representation, ApiError> {
    let context = caller.context(&request.request_id, &request)?;
    let account = caller.person()?.account;
    if let Some(id) = repeated(desk, &context).await? {
        return Ok(summary(&open(desk, caller, "GetRepresentation", id, "").await?));
    }
    let id = with_code(desk, &request.client_code).await?;
    admit(desk, caller, "RefuseRepresentation", id, &request.client_code).await?;
    let (hash, now_us) = (appearance::code_hash(&request.client_code), desk.now_us());
    write(desk, &context, id, Some(account), |state| representation::refuse(state, &hash, account, now_us))
        .await?;
    Ok(summary(&open(desk, caller, "GetRepresentation", id, "").await?))
}

/// Ends an appearance, for the one side or the other, or changes what is wished under it.
async fn finish(
    desk: &Desk,
    caller: &Caller,
    context: &Context,
    (action, name): (&str, &str),
    decide: impl Fn(&Representation) -> Result<Vec<Event>, Refusal> + Send + Sync,
) -> Result<pb::Representation, ApiError> {
    let id = id_in("name", "representations", name)?;
    admit(desk, caller, action, id, "").await?;
    write(desk, context, id, None, decide).await?;
    Ok(summary(&open(desk, caller, action, id, "").await?))
}

/// Decides, appends, and keeps the row: all or nothing, so that access changes with the event. Whether anything happened.
pub(super) async fn write(
    desk: &Desk,
    context: &Context,
    id: Uuid,
    client: Option<Uuid>,
    decide: impl Fn(&Representation) -> Result<Vec<Event>, Refusal> + Send + Sync,
) -> Result<bool, ApiError> {
    let subjects = client.map_or(Subjects::NONE, Subjects::account);
    let mut tx = docket_database::begin(&desk.base.pool).await?;
    let done = desk.representations.execute_in(&mut tx, context, id, subjects, decide).await?;
    representations::set(&mut tx, id, done.state.standing.as_str(), done.state.client.or(client)).await?;
    tx.commit().await?;
    desk.committed(&done.events);
    Ok(!done.events.is_empty())
}

/// Without its text.
pub(super) fn summary(file: &File) -> pb::Representation {
    let representation = &file.representation;
    pb::Representation {
        name: resource::name("representations", file.id),
        state: representation.standing.as_str().to_owned(),
        representative: Some(representation.representative)
            .filter(|account| !account.is_nil())
            .map(|account| account.to_string())
            .unwrap_or_default(),
        client: representation.client.map(|client| client.to_string()).unwrap_or_default(),
        representative_kind: representation.representative_kind.clone(),
        forms: representation.forms.clone(),
        valid_until_us: representation.valid_until_us,
        filing: representation.filing.map(|id| resource::name("filings", id)).unwrap_or_default(),
        erased: file.said.erased,
        wishes: representation.wishes,
        ended_because: representation.ended_because.clone(),
        ..pb::Representation::default()
    }
}

fn view(desk: &Desk, file: &File) -> Result<pb::Representation, ApiError> {
    let form = desk.form(appearance::FORM)?;
    let mut text = appearance::text(form, Side::Representative, &file.said);
    if !file.said.client.is_empty() {
        text += "\n";
        text += &appearance::text(form, Side::Client, &file.said);
    }
    let signed = file.representation.signed_at_us != 0;
    Ok(pb::Representation {
        text: if file.said.erased || !signed { String::new() } else { text },
        content_hash: file.representation.content_mac.clone(),
        ..summary(file)
    })
}
