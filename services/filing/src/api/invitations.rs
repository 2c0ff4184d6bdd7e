//! `InvitationService`: asking somebody to file a form in one's package, from an account of their own: with a code that goes by mail or is handed over, which
//! they accept or decline. What they file is theirs alone; whoever asked sees how it stands.

use docket_eventlog::{Context, Error, Expected, Loaded, Recorded, Store, StreamAppend, Subjects};
use docket_forms::{AskedFor, Form, Language};
use docket_kernel::{Refusal, resource};
use docket_proto::events::filing::Event as FilingEvent;
use docket_proto::events::package::Event;
use docket_proto::filing::v1 as pb;
use docket_proto::filing::v1::invitation_service_server::InvitationService;
use docket_service::{ApiError, Caller, caller, detached};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::drafts::{ATTEMPTS, Beginning, Joins, Opening, begun, opening, repeated};
use super::signing::not_erased;
use super::{again, view};
use crate::aggregates::{Filings, Packages};
use crate::desk::{Desk, acting_for, full_name, id_in};
use crate::domain::filing::{self, Phase};
use crate::domain::package::{self, Added, Answer, Ask, Invitation, Package, Standing};
use crate::domain::representation::CODE_VALID_US;
use crate::dossiers::Dossier;
use crate::policies::keep_draft;
use crate::store::{filings, invitations as store};
use crate::{help, party};

/// Answers about invitations to a package.
pub(crate) struct InvitationApi(pub(crate) Desk);

#[tonic::async_trait]
impl InvitationService for InvitationApi {
    async fn invite_to_package(
        &self,
        request: Request<pb::InviteToPackageRequest>,
    ) -> Result<Response<pb::InviteToPackageResponse>, Status> {
        let (desk, caller, request) = (self.0.clone(), caller(&request)?, request.into_inner());
        let invited = detached(async move { invite(&desk, &caller, request).await }).await?;
        Ok(Response::new(invited))
    }

    async fn list_package_invitations(
        &self,
        request: Request<pb::ListPackageInvitationsRequest>,
    ) -> Result<Response<pb::ListPackageInvitationsResponse>, Status> {
        let caller = caller(&request)?;
        let invitations = list(&self.0, &caller, &request.get_ref().name).await?;
        Ok(Response::new(pb::ListPackageInvitationsResponse { invitations }))
    }

    async fn withdraw_package_invitation(
        &self,
        request: Request<pb::WithdrawPackageInvitationRequest>,
    ) -> Result<Response<pb::WithdrawPackageInvitationResponse>, Status> {
        let (desk, caller, request) = (self.0.clone(), caller(&request)?, request.into_inner());
        let withdrawn = detached(async move { withdraw(&desk, &caller, request).await }).await?;
        Ok(Response::new(pb::WithdrawPackageInvitationResponse { invitation: Some(withdrawn) }))
    }

    async fn release_from_package(
        &self,
        request: Request<pb::ReleaseFromPackageRequest>,
    ) -> Result<Response<pb::ReleaseFromPackageResponse>, Status> {
        let (desk, caller, request) = (self.0.clone(), caller(&request)?, request.into_inner());
        let released = detached(async move { release(&desk, &caller, request).await }).await?;
        Ok(Response::new(pb::ReleaseFromPackageResponse { invitation: Some(released) }))
    }

    async fn read_package_invitation(
        &self,
        request: Request<pb::ReadPackageInvitationRequest>,
    ) -> Result<Response<pb::ReadPackageInvitationResponse>, Status> {
        let caller = caller(&request)?;
        Ok(Response::new(read(&self.0, &caller, request.get_ref()).await?))
    }

    async fn accept_package_invitation(
        &self,
        request: Request<pb::AcceptPackageInvitationRequest>,
    ) -> Result<Response<pb::AcceptPackageInvitationResponse>, Status> {
        let (desk, caller, request) = (self.0.clone(), caller(&request)?, request.into_inner());
        let filing = detached(async move { accept(&desk, &caller, request).await }).await?;
        Ok(Response::new(pb::AcceptPackageInvitationResponse { filing: Some(filing) }))
    }

    async fn decline_package_invitation(
        &self,
        request: Request<pb::DeclinePackageInvitationRequest>,
    ) -> Result<Response<pb::DeclinePackageInvitationResponse>, Status> {
        let (desk, caller, request) = (self.0.clone(), caller(&request)?, request.into_inner());
        let declined = detached(async move { decline(&desk, &caller, request).await }).await?;
        Ok(Response::new(declined))
    }
}

/// Asks somebody: the event and the row of the code, both or neither.
pub(super) async fn invite(
    desk: &Desk,
    caller: &Caller,
    request: pb::InviteToPackageRequest,
) -> Result<pb::InviteToPackageResponse, ApiError> {
    let id = id_in("name", "filings", &request.name)?;
    let context = caller.context(&request.request_id, &request)?;
    let dossier = desk.filing(caller, "InviteToPackage", id).await?;
    let (account, package) = (dossier.filing.account, dossier.filing.package);
    let context = acting_for(context, caller, account);
    let form = desk.form(&request.form)?;
    let asked_for = asked_for(form, &dossier.filing.form)?;
    let (mail_to, invitee_name) =
        (filing::invited_at(&request.mail_to)?, package::invitee(&request.invitee_name)?);
    if !desk.done_before(&context).await? {
        dossier.filing.open()?;
        not_erased(&dossier)?;
    }
    let code = help::invitation_code(&desk.base.vault, package, context.command_id);
    let now_us = desk.now_us();
    let ask = Ask {
        asker: id,
        account,
        form: form.id.clone(),
        most: asked_for.most,
        code_mac: help::code_mac(&desk.base.vault, &code),
        now_us,
        valid_until_us: now_us + CODE_VALID_US,
        mail_to,
        invitee_name,
    };
    let gone = gone(desk, package).await?;
    let decide = |state: &Package| package::invite(state, ask.clone(), &gone);
    let mut tx = docket_database::begin(&desk.base.pool).await?;
    let done = desk.packages.execute_in(&mut tx, &context, package, Subjects::filing(id), decide).await?;
    let number = done.events.iter().find_map(|event| match event.decode::<Event>() {
        Ok(Event::PackageFilerInvited(e)) => Some(e.number),
        _ => None,
    });
    let number = number.ok_or_else(|| ApiError::unavailable("the log"))?;
    if !done.repeated {
        store::insert(&mut tx, (package, number), &ask.code_mac).await?;
    }
    tx.commit().await?;
    desk.committed(&done.events);
    let invitation = one(desk, package, number).await?;
    Ok(pb::InviteToPackageResponse { invitation: Some(invitation), code })
}

/// How a form is asked of somebody else by who files another one.
fn asked_for<'f>(form: &'f Form, by: &str) -> Result<&'f AskedFor, Refusal> {
    form.asked_for.as_ref().filter(|asked| asked.by.iter().any(|one| one == by)).ok_or_else(|| {
        Refusal::state(
            "NOT_ASKED_FOR",
            format!("Form {} is asked of nobody by who files form {by}.", form.id),
        )
        .way_out("Whoever files it begins it, in an account of their own; `asked_for` of a form's definition says who may ask for it.")
        .fact("form", form.id.clone())
    })
}

/// Those filings of a package, begun for an invitation, that have ended as drafts. Of one that is begun later nothing is said.
async fn gone(desk: &Desk, package: Uuid) -> Result<Vec<Uuid>, ApiError> {
    let state = desk.packages.state(package).await?.state;
    let standing = filings::standing_in(&desk.base.pool, package).await?;
    let is_gone = |filing: &Uuid| standing.iter().all(|one| one.filing != *filing);
    Ok(state.joined().filter(is_gone).collect())
}

/// Whom a filing asked.
pub(super) async fn list(
    desk: &Desk,
    caller: &Caller,
    name: &str,
) -> Result<Vec<pb::PackageInvitation>, ApiError> {
    let id = id_in("name", "filings", name)?;
    let closed = desk.closed(caller, "ListPackageInvitations", id).await?;
    let loaded = desk.packages.load(closed.filing.package).await?;
    let own = loaded.state.invitations.iter().filter(|(_, one)| one.asker == id);
    let mut invitations = Vec::new();
    for (number, _) in own {
        invitations.push(shown(desk, &loaded, *number).await?);
    }
    Ok(invitations)
}

/// Takes an invitation back.
pub(super) async fn withdraw(
    desk: &Desk,
    caller: &Caller,
    request: pb::WithdrawPackageInvitationRequest,
) -> Result<pb::PackageInvitation, ApiError> {
    let id = id_in("name", "filings", &request.name)?;
    let context = caller.context(&request.request_id, &request)?;
    let closed = desk.closed(caller, "WithdrawPackageInvitation", id).await?;
    let (context, package) = (acting_for(context, caller, closed.filing.account), closed.filing.package);
    let decide = |state: &Package| package::withdraw(state, id, request.number);
    desk.packages.execute(&context, package, Subjects::NONE, decide).await?;
    one(desk, package, request.number).await
}

/// Does without what somebody files who accepted: their draft ends.
pub(super) async fn release(
    desk: &Desk,
    caller: &Caller,
    request: pb::ReleaseFromPackageRequest,
) -> Result<pb::PackageInvitation, ApiError> {
    let id = id_in("name", "filings", &request.name)?;
    let context = caller.context(&request.request_id, &request)?;
    let closed = desk.closed(caller, "ReleaseFromPackage", id).await?;
    let (context, package) = (acting_for(context, caller, closed.filing.account), closed.filing.package);
    end(desk, &context, package, Ends::Released { asker: id, number: request.number }).await?;
    one(desk, package, request.number).await
}

/// Steps back from what was begun for an invitation, in a package: a draft ends; of what waits for its fee payments is asked to withdraw
/// the payment.
pub(super) async fn step_back(
    desk: &Desk,
    context: &Context,
    (id, package): (Uuid, Uuid),
) -> Result<(), ApiError> {
    end(desk, context, package, Ends::LeftBy(id)).await
}

/// How what was begun for an invitation ends.
#[derive(Clone, Copy)]
enum Ends {
    /// Whoever asked does without it.
    Released { asker: Uuid, number: u32 },
    /// Who was asked steps back from this filing.
    LeftBy(Uuid),
}

/// What ends a filing in a package and is noted there.
struct Ended {
    filing: Uuid,
    events: Vec<FilingEvent>,
    version: u64,
    noted: Vec<Event>,
}

impl Ends {
    async fn decide(self, desk: &Desk, package: &Package) -> Result<Ended, ApiError> {
        let filing = match self {
            Self::Released { asker, number } => package::to_release(package, asker, number)?,
            Self::LeftBy(filing) => filing,
        };
        let ending = desk.dossiers.find(filing).await?.filing;
        let (events, noted) = match self {
            Self::Released { number, .. } => {
                (filing::abandon(&ending)?, package::release(number, filing, ending.account))
            }
            Self::LeftBy(_) if ending.phase == Phase::Sent => {
                (Vec::new(), package::step_back(package, filing))
            }
            Self::LeftBy(_) => (filing::abandon(&ending)?, package::step_back(package, filing)),
        };
        Ok(Ended { filing, events, version: ending.version, noted })
    }
}

/// Ends a filing and notes it at its package, both or neither; a command that was done before is compared with the first by the log.
async fn end(desk: &Desk, context: &Context, package: Uuid, ends: Ends) -> Result<(), ApiError> {
    if desk.done_before(context).await? {
        desk.packages.execute(context, package, Subjects::NONE, |_| Ok(Vec::new())).await?;
        return Ok(());
    }
    let stream = Store::<Packages>::stream(package);
    let mut attempt = 1;
    loop {
        let state = desk.packages.state(package).await?;
        let Ended { filing, events, version, noted } = ends.decide(desk, &state.state).await?;
        if events.is_empty() && noted.is_empty() {
            return Ok(());
        }
        let (of_filing, subjects) = (Store::<Filings>::stream(filing), Subjects::filing(filing));
        let streams = vec![
            StreamAppend::of(of_filing, Expected::Version(version), subjects, &events),
            StreamAppend::of(stream.clone(), Expected::Version(state.version), Subjects::NONE, &noted),
        ];
        let mut tx = docket_database::begin(&desk.base.pool).await?;
        match desk.log.append_in(&mut tx, context.append(&desk.log, streams)).await {
            Ok(appended) => {
                if !appended.repeated && !events.is_empty() {
                    keep_draft::end(desk, &mut tx, filing).await?;
                }
                tx.commit().await?;
                desk.log.committed(appended.last);
                return Ok(());
            }
            Err(Error::Conflict { .. }) if attempt < ATTEMPTS => attempt += 1,
            Err(error) => return Err(error.into()),
        }
    }
}

/// An invitation that waits for who has its code.
struct Waiting {
    package: Uuid,
    /// The code, as it is given back.
    answer: Answer,
    invitation: Invitation,
    loaded: Loaded<Packages>,
    /// The filing that asks.
    asker: Dossier,
}

/// The invitation of a code. Who has no code that waits, or none at all, learns nothing.
async fn waiting(desk: &Desk, caller: &Caller, action: &str, code: &str) -> Result<Waiting, ApiError> {
    let code_mac = help::code_mac(&desk.base.vault, code);
    let found = store::find(&desk.base.pool, &code_mac).await?;
    let (package, number) = found.ok_or_else(package::invitation_code_unknown)?;
    let loaded = desk.packages.load(package).await?;
    let invited = loaded.state.invitations.get(&number).ok_or_else(package::invitation_code_unknown)?;
    let asker = desk.dossiers.opened(invited.asker).await?;
    let answer = Answer {
        number,
        code_mac,
        account: caller.person()?.account,
        now_us: desk.now_us(),
        asker_open: asker.outline().is_open(),
    };
    let invitation = loaded.state.answered(&answer)?.clone();
    desk.require(caller, action, "Package", package, vec!["asked"])?;
    Ok(Waiting { package, answer, invitation, loaded, asker })
}

/// Who asks, and for what.
pub(super) async fn read(
    desk: &Desk,
    caller: &Caller,
    request: &pb::ReadPackageInvitationRequest,
) -> Result<pb::ReadPackageInvitationResponse, ApiError> {
    let waiting = waiting(desk, caller, "ReadPackageInvitation", &request.code).await?;
    let form = desk.form(&waiting.invitation.form)?;
    let said = desk.catalogue.in_language(form, Language::of(&request.language));
    Ok(pb::ReadPackageInvitationResponse {
        form: form.id.clone(),
        title: said.title.clone(),
        summary: said.summary.clone(),
        asked_by: asked_by(desk, &waiting.asker).await?,
        with_form: waiting.asker.filing.form.clone(),
        invitee_name: invitee_name(desk, &waiting.loaded, waiting.answer.number).await?,
        valid_until_us: waiting.invitation.valid_until_us,
    })
}

/// The name of whoever asks: the one that is proven, else the one in their form.
async fn asked_by(desk: &Desk, asker: &Dossier) -> Result<String, ApiError> {
    let proven = full_name(&desk.contact(asker.filing.account).await?);
    if !proven.is_empty() {
        return Ok(proven);
    }
    let form = desk.form(&asker.filing.form)?;
    Ok(party::names(form, &asker.content.answers).pop().unwrap_or_default())
}

/// An invitation that is accepted.
pub(super) struct Accepting {
    answer: Answer,
    /// The filing that asks.
    asker: Uuid,
}

impl Accepting {
    /// Which of the package's it is.
    pub(super) fn number(&self) -> u32 {
        self.answer.number
    }
}

/// Begins what was asked for, in the package.
pub(super) async fn accept(
    desk: &Desk,
    caller: &Caller,
    request: pb::AcceptPackageInvitationRequest,
) -> Result<pb::Filing, ApiError> {
    let context = caller.context(&request.request_id, &request)?;
    let id = match repeated(desk, &desk.filings, &context).await? {
        Some((id, _)) => id,
        None => begin(desk, caller, &context, &request).await?,
    };
    let dossier = desk.filing(caller, "GetFiling", id).await?;
    view::whole(desk, caller, &dossier, Language::of(&request.language)).await
}

async fn begin(
    desk: &Desk,
    caller: &Caller,
    context: &Context,
    request: &pb::AcceptPackageInvitationRequest,
) -> Result<Uuid, ApiError> {
    let waiting = waiting(desk, caller, "AcceptPackageInvitation", &request.code).await?;
    let form = desk.form(&waiting.invitation.form)?;
    let answers = form.asked_for.as_ref().map(|asked| asked.answers.clone()).unwrap_or_default();
    let (account, package) = (waiting.answer.account, waiting.package);
    let accepting = Accepting { answer: waiting.answer, asker: waiting.asker.id };
    let joins = Joins::Invited(&accepting);
    if !request.again.is_empty() {
        let old = again::own(desk, caller, &request.again, form).await?;
        let new = again::New { form, package: Some(package), joins, answers };
        return again::begun(desk, caller, context, (&old, new)).await;
    }
    let Opening { start, now, .. } = opening(desk, form, (account, Some(package)), None).await?;
    begun(desk, context, (&start, now), (joins, answers)).await
}

/// What accepting writes at the package, beside the start of the filing itself.
pub(super) async fn joining(
    desk: &Desk,
    beginning: &Beginning<'_>,
    accepting: &Accepting,
) -> Result<StreamAppend, ApiError> {
    let start = beginning.start;
    let state = desk.packages.state(start.package).await?;
    let asker_open = desk.dossiers.find(accepting.asker).await?.outline().is_open();
    let answer = Answer { now_us: desk.now_us(), asker_open, ..accepting.answer.clone() };
    let new = Added { filing: beginning.id, account: start.account, form: start.form.clone() };
    let standing = filings::standing_in(&desk.base.pool, start.package).await?;
    let accepted = package::accept(&state.state, &answer, new, standing)?;
    let stream = Store::<Packages>::stream(start.package);
    Ok(StreamAppend::of(stream, Expected::Version(state.version), Subjects::NONE, &accepted))
}

/// Says no.
pub(super) async fn decline(
    desk: &Desk,
    caller: &Caller,
    request: pb::DeclinePackageInvitationRequest,
) -> Result<pb::DeclinePackageInvitationResponse, ApiError> {
    let context = caller.context(&request.request_id, &request)?;
    if let Some(form) = declined_before(desk, &context).await? {
        return Ok(pb::DeclinePackageInvitationResponse { form });
    }
    let waiting = waiting(desk, caller, "DeclinePackageInvitation", &request.code).await?;
    let decide = |state: &Package| package::decline(state, &waiting.answer);
    desk.packages.execute(&context, waiting.package, Subjects::NONE, decide).await?;
    Ok(pb::DeclinePackageInvitationResponse { form: waiting.invitation.form })
}

/// The form that this very command declined before. The code is used up by then.
async fn declined_before(desk: &Desk, context: &Context) -> Result<Option<String>, ApiError> {
    let Some((_, done)) = repeated(desk, &desk.packages, context).await? else { return Ok(None) };
    Ok(match done.events.first().map(Recorded::decode::<Event>) {
        Some(Ok(Event::PackageInvitationDeclined(e))) => {
            done.state.invitations.get(&e.number).map(|one| one.form.clone())
        }
        _ => None,
    })
}

/// What who asked calls whom they asked under a number; empty where that was erased.
async fn invitee_name(desk: &Desk, loaded: &Loaded<Packages>, number: u32) -> Result<String, ApiError> {
    let asks = |event: &&Recorded| matches!(event.decode(), Ok(Event::PackageFilerInvited(invited)) if invited.number == number);
    let Some(asked) = loaded.events.iter().find(asks) else { return Ok(String::new()) };
    let Event::PackageFilerInvited(invited) = desk.log.open_event(asked).await? else {
        return Ok(String::new());
    };
    Ok(invited.invitee_name)
}

/// One invitation, as whoever asked sees it.
async fn one(desk: &Desk, package: Uuid, number: u32) -> Result<pb::PackageInvitation, ApiError> {
    shown(desk, &desk.packages.load(package).await?, number).await
}

async fn shown(
    desk: &Desk,
    loaded: &Loaded<Packages>,
    number: u32,
) -> Result<pb::PackageInvitation, ApiError> {
    let invitation = loaded.state.invitations.get(&number).ok_or_else(ApiError::not_found)?;
    let waits = loaded.state.waiting(number, desk.now_us()).is_some();
    let state = match invitation.standing {
        Standing::Waits if waits => "asked",
        Standing::Waits => "run_out",
        Standing::Withdrawn => "withdrawn",
        Standing::Declined => "declined",
        Standing::Released(_) => "released",
        Standing::SteppedBack(filing) => {
            let phase = phase(desk, filing).await?;
            // It goes in all the same where its fee was being paid just then.
            if is_in(phase) { stage(phase) } else { "stepped_back" }
        }
        Standing::Accepted(filing) => stage(phase(desk, filing).await?),
    };
    Ok(pb::PackageInvitation {
        number,
        form: invitation.form.clone(),
        invitee_name: invitee_name(desk, loaded, number).await?,
        state: state.to_owned(),
        valid_until_us: if waits { invitation.valid_until_us } else { 0 },
        asked_by: resource::name("filings", invitation.asker),
    })
}

fn is_in(phase: Phase) -> bool {
    matches!(phase, Phase::Submitted | Phase::Accepted | Phase::Rejected | Phase::Voided)
}

async fn phase(desk: &Desk, filing: Uuid) -> Result<Phase, ApiError> {
    Ok(desk.filings.state(filing).await?.state.phase)
}

/// How far somebody is who accepted; nothing of what they file.
fn stage(phase: Phase) -> &'static str {
    match phase {
        Phase::Draft => "accepted",
        Phase::Signed => "signed",
        Phase::Sent => "sent",
        Phase::Submitted | Phase::Accepted => "went_in",
        Phase::Rejected | Phase::Voided => "over",
        Phase::Absent | Phase::Abandoned | Phase::Expired => "stepped_back",
    }
}
