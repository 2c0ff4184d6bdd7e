//! Whom a mail asks to sign a form, or to file one in a package, and with which code: asked from filing when it is sent, and never kept.

use docket_kernel::resource;
use docket_proto::filing::v1::helper_service_client::HelperServiceClient;
use docket_proto::filing::v1::{OpenInvitationRequest, OpenInvitationResponse};
use docket_service::{Base, outgoing};
use tonic::Status;

use crate::store::delivery::{Delivery, INVITATION_TO_FILE};

/// The address and the code; none when nobody waits for it any more.
///
/// # Errors
/// What filing answered.
pub(crate) async fn open(base: &Base, delivery: &Delivery) -> Result<Option<OpenInvitationResponse>, Status> {
    let asks = delivery.case_id.unwrap_or_default();
    let (filing, package) = if delivery.alert == INVITATION_TO_FILE {
        (String::new(), resource::name("packages", asks))
    } else {
        (resource::name("filings", asks), String::new())
    };
    let request = OpenInvitationRequest { filing, event_id: delivery.about_event.to_string(), package };
    let mut helpers = HelperServiceClient::new(base.channel("filing"));
    let invited = helpers.open_invitation(outgoing(request)).await?.into_inner();
    Ok(Some(invited).filter(|invited| !invited.mail_to.is_empty()))
}
