//! `HelperService`: whoever helped with a filing, or files it together with the filer, is asked with a code, reads what the filer is
//! going to sign, or of several the part that is theirs, and signs it.

use docket_eventlog::{Context, Subjects};
use docket_forms::Language;
use docket_kernel::Refusal;
use docket_proto::events::filing::Event;
use docket_proto::filing::events::v1 as events;
use docket_proto::filing::v1 as pb;
use docket_proto::filing::v1::helper_service_server::HelperService;
use docket_service::{ApiError, Caller, caller, detached};
use tonic::{Request, Response, Status};

use super::drafts::repeated;
use super::evidence::{self, Readable};
use super::signing::not_erased;
use super::{invitation, view};
use crate::check::Check;
use crate::desk::{Desk, Stands, acting_for, evidence_in, full_name, id_in};
use crate::domain::filing::{self, Checked, Filing, HelperCode, HelperRole, HelperSign, NameProven};
use crate::domain::name;
use crate::domain::representation::CODE_VALID_US;
use crate::dossiers::Dossier;
use crate::edition;
use crate::help::{self, Helping};
use crate::store::helper_codes;

/// Answers about helpers.
pub(crate) struct HelperApi(pub(crate) Desk);

#[tonic::async_trait]
impl HelperService for HelperApi {
    async fn ask_helper(
        &self,
        request: Request<pb::AskHelperRequest>,
    ) -> Result<Response<pb::AskHelperResponse>, Status> {
        let (desk, caller, request) = (self.0.clone(), caller(&request)?, request.into_inner());
        Ok(Response::new(detached(async move { ask(&desk, &caller, request).await }).await?))
    }

    async fn withdraw_helper(
        &self,
        request: Request<pb::WithdrawHelperRequest>,
    ) -> Result<Response<pb::WithdrawHelperResponse>, Status> {
        let (desk, caller, request) = (self.0.clone(), caller(&request)?, request.into_inner());
        Ok(Response::new(detached(async move { withdraw(&desk, &caller, request).await }).await?))
    }

    async fn review_as_helper(
        &self,
        request: Request<pb::ReviewAsHelperRequest>,
    ) -> Result<Response<pb::ReviewAsHelperResponse>, Status> {
        let caller = caller(&request)?;
        Ok(Response::new(review(&self.0, &caller, &request.get_ref().code).await?))
    }

    async fn sign_as_helper(
        &self,
        request: Request<pb::SignAsHelperRequest>,
    ) -> Result<Response<pb::SignAsHelperResponse>, Status> {
        let (desk, caller, request) = (self.0.clone(), caller(&request)?, request.into_inner());
        Ok(Response::new(detached(async move { sign(&desk, &caller, request).await }).await?))
    }

    async fn open_invitation(
        &self,
        request: Request<pb::OpenInvitationRequest>,
    ) -> Result<Response<pb::OpenInvitationResponse>, Status> {
        // The auth layer lets only the services named by the method come this far.
        caller(&request)?.service().ok_or(ApiError::Unauthenticated)?;
        let request = request.into_inner();
        Ok(Response::new(invitation::open(&self.0, &request).await?))
    }
}

/// Makes a code for a helper or co-signer, and its row: both or neither.
async fn ask(
    desk: &Desk,
    caller: &Caller,
    request: pb::AskHelperRequest,
) -> Result<pb::AskHelperResponse, ApiError> {
    let id = id_in("name", "filings", &request.name)?;
    let context = caller.context(&request.request_id, &request)?;
    let dossier = desk.filing(caller, "AskHelper", id).await?;
    not_erased(&dossier)?;
    let context = acting_for(context, caller, dossier.filing.account);
    let role = HelperRole::read(&request.role, request.person)?;
    let mail_to = filing::invited_at(&request.mail_to)?;
    let checked = Check::now(desk, &dossier).await?.checked(desk, &dossier);
    let code = help::code(&desk.base.vault, id, role, context.command_id);
    let mac = help::code_mac(&desk.base.vault, &code);
    let waits = HelperCode { mac: mac.clone(), valid_until_us: desk.now_us() + CODE_VALID_US };
    let decide = |state: &Filing| filing::ask_helper(state, &checked, role, (waits.clone(), mail_to.clone()));
    let mut tx = docket_database::begin(&desk.base.pool).await?;
    let done = desk.filings.execute_in(&mut tx, &context, id, Subjects::filing(id), decide).await?;
    if !done.repeated {
        helper_codes::set(&mut tx, id, &role.key(), &mac).await?;
    }
    tx.commit().await?;
    desk.committed(&done.events);
    let dossier = desk.filing(caller, "AskHelper", id).await?;
    let filing = view::filing(desk, &dossier, Language::of(&request.language)).await?;
    Ok(pb::AskHelperResponse { filing: Some(filing), code })
}

/// Takes back that somebody was asked.
async fn withdraw(
    desk: &Desk,
    caller: &Caller,
    request: pb::WithdrawHelperRequest,
) -> Result<pb::WithdrawHelperResponse, ApiError> {
    let id = id_in("name", "filings", &request.name)?;
    let context = caller.context(&request.request_id, &request)?;
    let dossier = desk.filing(caller, "WithdrawHelper", id).await?;
    not_erased(&dossier)?;
    let context = acting_for(context, caller, dossier.filing.account);
    let role = HelperRole::read(&request.role, request.person)?;
    let now_us = desk.now_us();
    let decide = |state: &Filing| filing::withdraw_helper(state, role, now_us);
    desk.filings.execute(&context, id, Subjects::filing(id), decide).await?;
    let dossier = desk.filing(caller, "WithdrawHelper", id).await?;
    let filing = view::filing(desk, &dossier, Language::of(&request.language)).await?;
    Ok(pb::WithdrawHelperResponse { filing: Some(filing) })
}

/// A draft that a code lets the caller read and sign.
struct Helped {
    dossier: Dossier,
    role: HelperRole,
    code_mac: Vec<u8>,
    /// The name proven for the caller's account; empty where none is.
    proven: String,
}

/// The draft that a code was made for. Who has no code that waits, or none at all, learns nothing.
async fn helped(desk: &Desk, caller: &Caller, action: &str, code: &str) -> Result<Helped, ApiError> {
    let code_mac = help::code_mac(&desk.base.vault, code);
    let found = helper_codes::find(&desk.base.pool, &code_mac).await?;
    let found = found.and_then(|(id, role)| Some((id, HelperRole::of_key(&role)?)));
    let (id, role) = found.ok_or_else(filing::helper_code_unknown)?;
    let closed = desk.dossiers.find(id).await?;
    let account = caller.person()?.account;
    closed.filing.lets_help(role, &code_mac, account, desk.now_us())?;
    // One of several reads and signs a part, and looks at nothing that is attached.
    let relation = match role {
        HelperRole::Interpreter | HelperRole::Preparer | HelperRole::OneOf(_) => "helper",
        HelperRole::CoSigner => "co_signer",
    };
    desk.require(caller, action, "Filing", id, vec![relation])?;
    let dossier = edition::present(desk, desk.dossiers.open(closed).await?).await?;
    not_erased(&dossier)?;
    // Once more: it may have been taken over to another edition, or written to, in between.
    dossier.filing.lets_help(role, &code_mac, account, desk.now_us())?;
    let proven = full_name(&desk.contact(account).await?);
    Ok(Helped { dossier, role, code_mac, proven })
}

/// Whom the form names as this helper or co-signer, where it may be the caller.
fn named<'c>(check: &'c Check<'_>, checked: &Checked, helped: &Helped) -> Result<&'c Helping, Refusal> {
    filing::shows_to(checked, helped.role)?;
    let helping = check.helpers.iter().find(|one| one.role == helped.role);
    let helping = helping.ok_or_else(filing::helper_code_unknown)?;
    match helped.role {
        HelperRole::Interpreter | HelperRole::Preparer => {}
        HelperRole::CoSigner | HelperRole::OneOf(_) => filing::may_co_sign(helping.proven(&helped.proven))?,
    }
    Ok(helping)
}

/// A file of the draft, for a co-signer who looks at it before signing.
pub(super) async fn readable(
    desk: &Desk,
    caller: &Caller,
    code: &str,
    name: &str,
) -> Result<Readable, ApiError> {
    let (id, file) = evidence_in("filings", name)?;
    let helped = helped(desk, caller, "ViewEvidence", code).await?;
    let check = Check::now(desk, &helped.dossier).await?;
    named(&check, &check.checked(desk, &helped.dossier), &helped)?;
    if id != helped.dossier.id {
        return Err(ApiError::not_found());
    }
    evidence::of_filing(&helped.dossier, file, Stands { relation: "co_signer", case: id })
}

/// What a helper or co-signer reads: the text that the filer is going to sign, and their own statement.
async fn review(desk: &Desk, caller: &Caller, code: &str) -> Result<pb::ReviewAsHelperResponse, ApiError> {
    let helped = helped(desk, caller, "ReviewAsHelper", code).await?;
    let (dossier, role) = (&helped.dossier, helped.role);
    let check = Check::now(desk, dossier).await?;
    let checked = check.checked(desk, dossier);
    let helping = named(&check, &checked, &helped)?;
    if let Some(refusal) = &checked.not_ready {
        return Err(refusal.clone().into());
    }
    let waits = dossier.filing.helper_waits(role, desk.now_us());
    Ok(pb::ReviewAsHelperResponse {
        role: role.as_str().to_owned(),
        form: dossier.filing.form.clone(),
        text: check.text_of(dossier, helping),
        content_hash: checked.signed_by(role).to_vec(),
        statement: helping.statement.clone(),
        valid_until_us: waits.map_or(0, |code| code.valid_until_us),
        signs_as: helping.signs_as.clone(),
        evidence: match role {
            HelperRole::Interpreter | HelperRole::Preparer | HelperRole::OneOf(_) => Vec::new(),
            HelperRole::CoSigner => view::evidence_of(dossier),
        },
        person: role.person(),
    })
}

/// Signs as a helper or co-signer.
async fn sign(
    desk: &Desk,
    caller: &Caller,
    request: pb::SignAsHelperRequest,
) -> Result<pb::SignAsHelperResponse, ApiError> {
    let context = caller.context(&request.request_id, &request)?;
    if let Some(signed) = signed_before(desk, &context).await? {
        return Ok(signed);
    }
    let helped = helped(desk, caller, "SignAsHelper", &request.code).await?;
    let (id, form) = (helped.dossier.id, helped.dossier.filing.form.clone());
    let (role, filer) = (helped.role, helped.dossier.filing.account);
    let context = acting_for(context, caller, filer);
    let check = Check::now(desk, &helped.dossier).await?;
    let checked = check.checked(desk, &helped.dossier);
    let helping = named(&check, &checked, &helped)?;
    let (account, signed_at_us) = (caller.person()?.account, desk.now_us());
    let part_text = check.part(&helped.dossier, helping);
    let is_typed = name::same(&helped.proven, &request.typed_name);
    let sign = HelperSign {
        role,
        account,
        code_mac: helped.code_mac,
        name_agrees: helping.is_named(&request.typed_name),
        language_agrees: language_agrees(helping, &request.spoken_language),
        signed: events::HelperSigned {
            role: role.as_str().to_owned(),
            account_id: account.to_string(),
            content_mac: request.content_hash.clone(),
            signed_at_us,
            statement: helping.statement.clone(),
            name_proven: role.is_co_signer() && helping.proven(&helped.proven) == NameProven::AsInTheForm,
            proven_name: if is_typed { String::new() } else { helped.proven },
            typed_name: request.typed_name,
            spoken_language: request.spoken_language,
            signs_as: helping.signs_as.clone(),
            // Of several the filer is told that one has signed: it comes when it comes.
            filer: part_text.as_ref().map(|_| filer.to_string()).unwrap_or_default(),
            part_text: part_text.unwrap_or_default(),
            person: role.person(),
        },
        shown_mac: request.content_hash,
    };
    let decide = |state: &Filing| filing::sign_as_helper(state, &checked, sign.clone());
    desk.filings.execute(&context, id, Subjects::filing(id), decide).await?;
    Ok(pb::SignAsHelperResponse { role: role.as_str().to_owned(), form, signed_at_us })
}

fn language_agrees(helping: &Helping, spoken: &str) -> bool {
    match helping.role {
        HelperRole::Interpreter => name::same(&helping.spoken_language, spoken),
        HelperRole::Preparer | HelperRole::CoSigner | HelperRole::OneOf(_) => spoken.is_empty(),
    }
}

/// What this very command signed before. The code is used up by then.
async fn signed_before(desk: &Desk, context: &Context) -> Result<Option<pb::SignAsHelperResponse>, ApiError> {
    let Some((_, done)) = repeated(desk, &desk.filings, context).await? else { return Ok(None) };
    match done.events.first().map(docket_eventlog::Recorded::decode::<Event>) {
        Some(Ok(Event::HelperSigned(e))) => Ok(Some(pb::SignAsHelperResponse {
            role: e.role,
            form: done.state.form,
            signed_at_us: e.signed_at_us,
        })),
        _ => Ok(None),
    }
}

/// Who signs a filing beside the filer, and how their signatures stand. What was sent is not judged again: then those whose signature went
/// with it.
pub(super) fn view_of(desk: &Desk, dossier: &Dossier, check: Option<&Check<'_>>) -> Vec<pb::Helper> {
    let Some(check) = check else { return went_with_it(dossier) };
    if check.helpers.is_empty() {
        return Vec::new();
    }
    // What is signed stands as it was signed, though a later version of the catalogue may head the text now.
    let content_mac = match &dossier.filing.signature {
        Some(signature) => signature.content_mac.clone(),
        None => Check::content_mac(desk, dossier, &check.text(dossier)),
    };
    let (parts, now_us) = (check.parts(desk, dossier), desk.now_us());
    let mac = |helping: &Helping| parts.get(&helping.role).unwrap_or(&content_mac);
    check.helpers.iter().map(|helping| one(dossier, helping, mac(helping), now_us)).collect()
}

fn one(dossier: &Dossier, helping: &Helping, content_mac: &[u8], now_us: i64) -> pb::Helper {
    let (filing, role) = (&dossier.filing, helping.role);
    let before = filing.helpers.get(&role).and_then(|helper| helper.signature.as_ref());
    let waits = filing.helper_waits(role, now_us);
    let state = if helping.by_appearance {
        "appearance"
    } else if is_signed(filing, role, content_mac) {
        return signed(dossier, role);
    } else if waits.is_some() {
        "asked"
    } else if before.is_some() {
        "changed"
    } else {
        "unasked"
    };
    pb::Helper {
        role: role.as_str().to_owned(),
        state: state.to_owned(),
        name: helping.name.clone(),
        spoken_language: helping.spoken_language.clone(),
        valid_until_us: waits.map_or(0, |code| code.valid_until_us),
        signed_at_us: before.map_or(0, |signature| signature.signed_at_us),
        signs_as: helping.signs_as.clone(),
        person: role.person(),
    }
}

/// Whether what somebody signed is what is in the form now; once the filer has signed, whether it went with that.
fn is_signed(filing: &Filing, role: HelperRole, content_mac: &[u8]) -> bool {
    match &filing.signature {
        Some(_) => filing.helper_went(role, content_mac).is_some(),
        None => filing.helper_signed(role, content_mac).is_some(),
    }
}

/// A helper or co-signer who signed.
fn signed(dossier: &Dossier, role: HelperRole) -> pb::Helper {
    let signature = dossier.filing.helpers.get(&role).and_then(|helper| helper.signature.as_ref());
    let sealed = dossier.content.helpers.get(&role).cloned().unwrap_or_default();
    pb::Helper {
        role: role.as_str().to_owned(),
        state: "signed".to_owned(),
        name: sealed.typed_name,
        spoken_language: sealed.spoken_language,
        valid_until_us: 0,
        signed_at_us: signature.map_or(0, |signature| signature.signed_at_us),
        signs_as: signature.map(|signature| signature.signs_as.clone()).unwrap_or_default(),
        person: role.person(),
    }
}

fn went_with_it(dossier: &Dossier) -> Vec<pb::Helper> {
    let filing = &dossier.filing;
    let Some(signature) = &filing.signature else { return Vec::new() };
    let roles = filing.helpers.keys().copied();
    let went = roles.filter(|role| filing.helper_went(*role, &signature.content_mac).is_some());
    went.map(|role| signed(dossier, role)).collect()
}
