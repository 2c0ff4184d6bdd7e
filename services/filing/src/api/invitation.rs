//! The mail that asks somebody to sign, or to file a form in a package, for notifications, which sends it: where it goes, and with which code. Neither is kept there.

use docket_eventlog::Recorded;
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
    let (mail_to, code) = if request.package.is_empty() {
        to_sign(desk, request).await?
    } else {
        to_file(desk, request).await?
    };
    let waits = code.filter(|_| !mail_to.is_empty());
    Ok(waits.map(|code| pb::OpenInvitationResponse { mail_to, code }).unwrap_or_default())
}

/// Where the mail goes that asks somebody to sign a filing, and its code while they are waited for.
async fn to_sign(
    desk: &Desk,
    request: &pb::OpenInvitationRequest,
) -> Result<(String, Option<String>), ApiError> {
    let id = id_in("filing", "filings", &request.filing)?;
    let loaded = desk.filings.load(id).await?;
    let asked = event(&loaded.events, &request.event_id)?;
    let Event::HelperAsked(e) = desk.log.open_event(asked).await? else { return Err(ApiError::not_found()) };
    let waits = |role: &HelperRole| {
        loaded.state.helper_waits(*role, desk.now_us()).is_some_and(|code| code.mac == e.code_mac)
    };
    let role = HelperRole::known(&e.role, e.person).filter(waits);
    let code = role.map(|role| help::code(&desk.base.vault, id, role, asked.metadata.command_id));
    Ok((e.mail_to, code))
}

/// The same of the mail that asks somebody to file a form in a package.
async fn to_file(
    desk: &Desk,
    request: &pb::OpenInvitationRequest,
) -> Result<(String, Option<String>), ApiError> {
    let id = id_in("package", "packages", &request.package)?;
    let loaded = desk.packages.load(id).await?;
    let asked = event(&loaded.events, &request.event_id)?;
    let PackageEvent::PackageFilerInvited(e) = desk.log.open_event(asked).await? else {
        return Err(ApiError::not_found());
    };
    let Some(invitation) = loaded.state.waiting(e.number, desk.now_us()) else {
        return Ok((e.mail_to, None));
    };
    let asks = desk.dossiers.find(invitation.asker).await?.outline().is_open();
    let code = asks.then(|| help::invitation_code(&desk.base.vault, id, asked.metadata.command_id));
    Ok((e.mail_to, code))
}

/// The event with an id.
fn event<'e>(events: &'e [Recorded], event_id: &str) -> Result<&'e Recorded, ApiError> {
    let event_id = Uuid::try_parse(event_id).ok();
    let found = events.iter().find(|event| Some(event.event_id) == event_id);
    found.ok_or_else(ApiError::not_found)
}
