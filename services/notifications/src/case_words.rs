//! What an officer wrote to the party: sealed in the log of cases, asked from its owner for the page that prints it and never
//! kept beside that page.

use docket_kernel::resource;
use docket_proto::case_status::v1::GetWordsRequest;
use docket_proto::case_status::v1::case_words_service_client::CaseWordsServiceClient;
use docket_proto::events::case::Event;
use docket_service::{Base, outgoing};
use tonic::Status;
use uuid::Uuid;

/// The event of a case with the officer's words in their place.
///
/// # Errors
/// What the owner of the log of cases answered.
pub(crate) async fn with_words(
    base: &Base,
    case: Uuid,
    event_id: Uuid,
    mut event: Event,
) -> Result<Event, Status> {
    let mut owner = CaseWordsServiceClient::new(base.channel("case-status"));
    let request = GetWordsRequest { case: resource::name("cases", case), event_id: event_id.to_string() };
    let answer = owner.get_words(outgoing(request)).await?.into_inner();
    fill(&mut event, answer.words, answer.derogatory_information);
    Ok(event)
}

/// The party's name as an event corrected it; none where it was erased.
///
/// # Errors
/// What the owner of the log of cases answered.
pub(crate) async fn corrected_name(
    base: &Base,
    case: Uuid,
    event_id: Uuid,
) -> Result<Option<String>, Status> {
    let mut owner = CaseWordsServiceClient::new(base.channel("case-status"));
    let request = GetWordsRequest { case: resource::name("cases", case), event_id: event_id.to_string() };
    let name = owner.get_words(outgoing(request)).await?.into_inner().words;
    Ok(Some(name).filter(|name| !name.is_empty()))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "no other event has words for the party")]
fn fill(event: &mut Event, words: String, derogatory_information: String) {
    match event {
        Event::EvidenceRequested(event) => event.explanation = words,
        Event::ExaminationContinued(event) => event.explanation = words,
        Event::DenialIntended(event) => {
            event.grounds = words;
            event.derogatory_information = derogatory_information;
        }
        Event::RevocationIntended(event) => {
            event.grounds = words;
            event.derogatory_information = derogatory_information;
        }
        Event::ApprovalRevoked(event) => event.reasons = words,
        Event::TerminationIntended(event) => {
            event.grounds = words;
            event.derogatory_information = derogatory_information;
        }
        Event::StatusTerminated(event) => event.reasons = words,
        Event::ApprovalRevokedByLaw(event) => event.findings = words,
        Event::CaseReopenedOnOwnMotion(event) => event.reasons = words,
        Event::CaseDenied(event) => event.reasons = words,
        Event::CaseReferred(event) => event.reasons = words,
        _ => {}
    }
}
