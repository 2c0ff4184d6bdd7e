//! The face `CaseWordsService`: what officers wrote to a party, opened for the notice that prints it.

use docket_eventlog::Store;
use docket_kernel::resource;
use docket_proto::case_status::v1 as pb;
use docket_proto::case_status::v1::case_words_service_server::CaseWordsService;
use docket_service::{ApiError, caller};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::aggregate::Cases;
use crate::domain::Event;

/// The words of cases.
pub(crate) struct CaseWords {
    /// The cases.
    pub(crate) store: Store<Cases>,
}

#[tonic::async_trait]
impl CaseWordsService for CaseWords {
    async fn get_words(
        &self,
        request: Request<pb::GetWordsRequest>,
    ) -> Result<Response<pb::GetWordsResponse>, Status> {
        // The auth layer lets only the services named by the method come this far.
        caller(&request)?.service().ok_or(ApiError::Unauthenticated)?;
        let message = request.into_inner();
        Ok(Response::new(self.words(&message).await?))
    }
}

impl CaseWords {
    async fn words(&self, asked: &pb::GetWordsRequest) -> Result<pb::GetWordsResponse, ApiError> {
        let case_id = resource::parse("cases", &asked.case)?;
        let event_id = Uuid::try_parse(&asked.event_id).map_err(|_malformed| ApiError::not_found())?;
        let events = self.store.load(case_id).await?.events;
        let recorded = events.iter().find(|event| event.event_id == event_id);
        let recorded = recorded.ok_or_else(ApiError::not_found)?;
        to_the_party(self.store.log().open_event(recorded).await?).ok_or_else(ApiError::not_found)
    }
}

/// The words of an event that are for the party; none of those that have none, or have them for the office.
#[expect(clippy::wildcard_enum_match_arm, reason = "no other event has words for the party")]
fn to_the_party(event: Event) -> Option<pb::GetWordsResponse> {
    let words = |words| pb::GetWordsResponse { words, ..pb::GetWordsResponse::default() };
    Some(match event {
        Event::EvidenceRequested(event) => words(event.explanation),
        Event::ExaminationContinued(event) => words(event.explanation),
        Event::DenialIntended(event) => pb::GetWordsResponse {
            words: event.grounds,
            derogatory_information: event.derogatory_information,
        },
        Event::RevocationIntended(event) => pb::GetWordsResponse {
            words: event.grounds,
            derogatory_information: event.derogatory_information,
        },
        Event::CaseReopenedOnOwnMotion(event) => words(event.reasons),
        Event::ApprovalRevoked(event) => words(event.reasons),
        Event::TerminationIntended(event) => pb::GetWordsResponse {
            words: event.grounds,
            derogatory_information: event.derogatory_information,
        },
        Event::StatusTerminated(event) => words(event.reasons),
        Event::ApprovalRevokedByLaw(event) => words(event.findings),
        // What is printed as the party's name from then on.
        Event::NameCorrected(event) => words(event.corrected_name),
        Event::CaseDenied(event) => words(event.reasons),
        Event::CaseReferred(event) => words(event.reasons),
        _ => return None,
    })
}
