//! The mail that asks somebody to sign, or to file a form in a package, for notifications, which sends it: where it goes, and with which code. Neither is kept there.

use docket_proto::events::filing::Event;
use docket_proto::events::package::Event as PackageEvent;
use docket_proto::filing::v1 as pb;
use docket_service::ApiError;
use uuid::Uuid;

use crate::desk::{Desk, id_in};
use crate::domain::filing::HelperRole;
use crate::help;

/// What to send for an event; nothing where nobody waits for it any more, or what it is about was erased.
///
/// # Errors
/// `NAME_MALFORMED`; not found, where there is no such event; a log or vault that does not answer.
pub(super) async fn open(
    desk: &Desk,
    request: &pb::OpenInvitationRequest,
) -> Result<pb::OpenInvitationResponse, ApiError> {
    if !request.package.is_empty() {
        return to_package(desk, request).await;
    }
    let id = id_in("filing", "filings", &request.filing)?;
    let event_id = Uuid::try_parse(&request.event_id).map_err(|_malformed| ApiError::not_found())?;
    let loaded = desk.filings.load(id).await?;
    let asked = loaded.events.iter().find(|event| event.event_id == event_id);
    let asked = asked.ok_or_else(ApiError::not_found)?;
    let Event::HelperAsked(e) = desk.log.open_event(asked).await? else { return Err(ApiError::not_found()) };
    let waits =
        |role| loaded.state.helper_waits(role, desk.now_us()).is_some_and(|code| code.mac == e.code_mac);
    let role = HelperRole::known(&e.role, e.person).filter(|role| waits(*role) && !e.mail_to.is_empty());
    let Some(role) = role else { return Ok(pb::OpenInvitationResponse::default()) };
    let code = help::code(&desk.base.vault, id, role, asked.metadata.command_id);
    Ok(pb::OpenInvitationResponse { mail_to: e.mail_to, code })
}

/// The same for who is asked to file a form in a package.
async fn to_package(
    desk: &Desk,
    request: &pb::OpenInvitationRequest,
) -> Result<pb::OpenInvitationResponse, ApiError> {
    let id = id_in("package", "packages", &request.package)?;
    let event_id = Uuid::try_parse(&request.event_id).map_err(|_malformed| ApiError::not_found())?;
    let loaded = desk.packages.load(id).await?;
    let asked = loaded.events.iter().find(|event| event.event_id == event_id);
    let asked = asked.ok_or_else(ApiError::not_found)?;
    let PackageEvent::PackageFilerInvited(e) = desk.log.open_event(asked).await? else {
        return Err(ApiError::not_found());
    };
    let waits = loaded.state.is_to_be_asked(e.number, &e.code_mac, desk.now_us());
    let inviting = waits.map(|invitation| invitation.asker).filter(|_| !e.mail_to.is_empty());
    let Some(inviting) = inviting else { return Ok(pb::OpenInvitationResponse::default()) };
    if desk.dossiers.find(inviting).await?.filing.open().is_err() {
        return Ok(pb::OpenInvitationResponse::default());
    }
    let code = help::invitation_code(&desk.base.vault, id, asked.metadata.command_id);
    Ok(pb::OpenInvitationResponse { mail_to: e.mail_to, code })
}
