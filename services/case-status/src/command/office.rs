//! The face `CaseOfficeService`: what officers do of the office's own accord, corrections, and the searches they read.

use std::iter::once;

use docket_eventlog::Subjects;
use docket_kernel::{Refusal, derived_id, resource};
use docket_proto::case_status::v1 as pb;
use docket_proto::case_status::v1::case_office_service_server::CaseOfficeService;
use docket_service::{ApiError, caller, detached};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::api::{CaseCommands, Done, Facts, answer, answer_asked, done};
use super::searches;
use super::wire::{self, Kind};
use crate::domain::Case;
use crate::domain::decide::{self, Decision, Happened, Motion, Others, Wrong};
use crate::relation::relations;

#[tonic::async_trait]
impl CaseOfficeService for CaseCommands {
    async fn intend_revocation(
        &self,
        request: Request<pb::IntendRevocationRequest>,
    ) -> Result<Response<pb::IntendRevocationResponse>, Status> {
        answer_asked!(IntendRevocationResponse, self.run(request, intend_revocation).await?)
    }

    async fn withdraw_revocation_intent(
        &self,
        request: Request<pb::WithdrawRevocationIntentRequest>,
    ) -> Result<Response<pb::WithdrawRevocationIntentResponse>, Status> {
        let decide =
            |case: &Case, _: &_, facts: &Facts| decide::withdraw_revocation_intent(case, facts.account);
        answer!(WithdrawRevocationIntentResponse, self.run(request, decide).await?)
    }

    async fn revoke_approval(
        &self,
        request: Request<pb::RevokeApprovalRequest>,
    ) -> Result<Response<pb::RevokeApprovalResponse>, Status> {
        let decide = |case: &Case, message: &pb::RevokeApprovalRequest, facts: &Facts| {
            let reasons = wire::bounded("reasons", &message.reasons)?;
            decide::revoke_approval(case, facts.account, (&message.ground_codes, reasons), facts.now)
        };
        answer!(RevokeApprovalResponse, self.run(request, decide).await?)
    }

    async fn reopen_on_own_motion(
        &self,
        request: Request<pb::ReopenOnOwnMotionRequest>,
    ) -> Result<Response<pb::ReopenOnOwnMotionResponse>, Status> {
        let favorable = request.get_ref().favorable;
        let decide = |case: &Case, message: &pb::ReopenOnOwnMotionRequest, facts: &Facts| {
            let (favorable, reasons) = (message.favorable, message.reasons.clone());
            let request_id = derived_id("request", facts.command_id, 0);
            let motion = Motion { request_id, favorable, reasons };
            decide::reopen_on_own_motion(case, facts.account, &motion, facts.now)
        };
        let (case, state) = self.run(request, decide).await?;
        let asked = state.request.filter(|_| !favorable);
        Ok(Response::new(pb::ReopenOnOwnMotionResponse {
            case: Some(case),
            request: asked.as_ref().map(|asked| resource::name("requests", asked.id)).unwrap_or_default(),
            deadline: asked.map(|asked| (&asked.deadline).into()),
        }))
    }

    async fn close_administratively(
        &self,
        request: Request<pb::CloseAdministrativelyRequest>,
    ) -> Result<Response<pb::CloseAdministrativelyResponse>, Status> {
        let decide = |case: &Case, message: &pb::CloseAdministrativelyRequest, facts: &Facts| {
            decide::close_administratively(case, facts.account, &message.cause, facts.now)
        };
        answer!(CloseAdministrativelyResponse, self.run(request, decide).await?)
    }

    async fn reopen_closed(
        &self,
        request: Request<pb::ReopenClosedRequest>,
    ) -> Result<Response<pb::ReopenClosedResponse>, Status> {
        let decide = |case: &Case, _: &_, facts: &Facts| decide::reopen_closed(case, facts.account);
        answer!(ReopenClosedResponse, self.run(request, decide).await?)
    }

    async fn set_message_aside(
        &self,
        request: Request<pb::SetMessageAsideRequest>,
    ) -> Result<Response<pb::SetMessageAsideResponse>, Status> {
        let decide = |case: &Case, message: &pb::SetMessageAsideRequest, facts: &Facts| {
            let thread = resource::parse_field("thread", "threads", &message.thread)?;
            let last = resource::parse_field("last_message", "messages", &message.last_message)?;
            decide::set_message_aside(case, (thread, last), facts.account, &message.cause)
        };
        answer!(SetMessageAsideResponse, self.run(request, decide).await?)
    }

    async fn unassign_case(
        &self,
        request: Request<pb::UnassignCaseRequest>,
    ) -> Result<Response<pb::UnassignCaseResponse>, Status> {
        let decide = |case: &Case, _: &_, facts: &Facts| decide::unassign(case, facts.account);
        answer!(UnassignCaseResponse, self.run(request, decide).await?)
    }

    async fn dispense_biometrics(
        &self,
        request: Request<pb::DispenseBiometricsRequest>,
    ) -> Result<Response<pb::DispenseBiometricsResponse>, Status> {
        answer!(DispenseBiometricsResponse, self.run(request, dispense_biometrics).await?)
    }

    async fn record_failed_capture(
        &self,
        request: Request<pb::RecordFailedCaptureRequest>,
    ) -> Result<Response<pb::RecordFailedCaptureResponse>, Status> {
        let decide = |case: &Case, message: &pb::RecordFailedCaptureRequest, facts: &Facts| {
            decide::fail_capture(case, &message.cause, facts.now, message.early_by_agreement)
        };
        answer!(RecordFailedCaptureResponse, self.run(request, decide).await?)
    }

    async fn excuse_absence(
        &self,
        request: Request<pb::ExcuseAbsenceRequest>,
    ) -> Result<Response<pb::ExcuseAbsenceResponse>, Status> {
        let kind = Kind::read(request.get_ref().kind).map_err(ApiError::from)?;
        let decide = move |case: &Case, message: &pb::ExcuseAbsenceRequest, facts: &Facts| match kind {
            Kind::Biometrics => decide::excuse_biometrics(case, facts.account, &message.cause),
            Kind::Interview => decide::excuse_interview(case, facts.account, &message.cause),
            Kind::Oath => decide::excuse_oath(case, facts.account, &message.cause),
        };
        answer!(ExcuseAbsenceResponse, self.run(request, decide).await?)
    }

    async fn waive_interview(
        &self,
        request: Request<pb::WaiveInterviewRequest>,
    ) -> Result<Response<pb::WaiveInterviewResponse>, Status> {
        let decide = |case: &Case, message: &pb::WaiveInterviewRequest, facts: &Facts| {
            decide::waive_interview(case, facts.account, &message.criterion)
        };
        answer!(WaiveInterviewResponse, self.run(request, decide).await?)
    }

    async fn verify_basis(
        &self,
        request: Request<pb::VerifyBasisRequest>,
    ) -> Result<Response<pb::VerifyBasisResponse>, Status> {
        answer!(VerifyBasisResponse, self.say_basis(request).await?)
    }

    async fn intend_termination(
        &self,
        request: Request<pb::IntendTerminationRequest>,
    ) -> Result<Response<pb::IntendTerminationResponse>, Status> {
        let decide = |case: &Case, message: &pb::IntendTerminationRequest, facts: &Facts| {
            let words = (message.grounds.as_str(), message.derogatory_information.as_str());
            let intent = facts.intent(words, &message.items, message.days)?;
            decide::intend_termination(case, facts.account, &intent, facts.now)
        };
        answer_asked!(IntendTerminationResponse, self.run(request, decide).await?)
    }

    async fn withdraw_termination_intent(
        &self,
        request: Request<pb::WithdrawTerminationIntentRequest>,
    ) -> Result<Response<pb::WithdrawTerminationIntentResponse>, Status> {
        let decide =
            |case: &Case, _: &_, facts: &Facts| decide::withdraw_termination_intent(case, facts.account);
        answer!(WithdrawTerminationIntentResponse, self.run(request, decide).await?)
    }

    async fn terminate_status(
        &self,
        request: Request<pb::TerminateStatusRequest>,
    ) -> Result<Response<pb::TerminateStatusResponse>, Status> {
        let decide = |case: &Case, message: &pb::TerminateStatusRequest, facts: &Facts| {
            let reasons = wire::bounded("reasons", &message.reasons)?;
            decide::terminate_status(case, facts.account, (&message.ground_codes, reasons), facts.now)
        };
        answer!(TerminateStatusResponse, self.run(request, decide).await?)
    }

    async fn hold_case(
        &self,
        request: Request<pb::HoldCaseRequest>,
    ) -> Result<Response<pb::HoldCaseResponse>, Status> {
        let decide = |case: &Case, message: &pb::HoldCaseRequest, facts: &Facts| {
            let hold_id = derived_id("hold", facts.command_id, 0);
            let review_by = wire::date("review_by_date", &message.review_by_date)?;
            decide::hold_case(case, (hold_id, facts.account), (&message.reason, review_by), facts.now)
        };
        answer!(HoldCaseResponse, self.run(request, decide).await?)
    }

    async fn lift_hold(
        &self,
        request: Request<pb::LiftHoldRequest>,
    ) -> Result<Response<pb::LiftHoldResponse>, Status> {
        let decide = |case: &Case, message: &pb::LiftHoldRequest, facts: &Facts| {
            decide::lift_hold(case, facts.account, &message.reason)
        };
        answer!(LiftHoldResponse, self.run(request, decide).await?)
    }

    async fn record_revocation_by_law(
        &self,
        request: Request<pb::RecordRevocationByLawRequest>,
    ) -> Result<Response<pb::RecordRevocationByLawResponse>, Status> {
        let done = self.run_beside(request, |case| case.carried().collect(), revoke_by_law).await?;
        answer!(RecordRevocationByLawResponse, done)
    }

    async fn ask_correction(
        &self,
        request: Request<pb::AskCorrectionRequest>,
    ) -> Result<Response<pb::AskCorrectionResponse>, Status> {
        let (case, state) = self.run(request, ask_correction).await?;
        let deadline = state.correction.as_ref().map(|asked| (&asked.deadline).into());
        Ok(Response::new(pb::AskCorrectionResponse { case: Some(case), deadline }))
    }

    async fn answer_correction(
        &self,
        request: Request<pb::AnswerCorrectionRequest>,
    ) -> Result<Response<pb::AnswerCorrectionResponse>, Status> {
        let decide = |case: &Case, message: &pb::AnswerCorrectionRequest, facts: &Facts| {
            if message.made {
                decide::make_correction(case, facts.account, &message.value, facts.now)
            } else {
                decide::refuse_correction(case, facts.account, &message.reasons)
            }
        };
        answer!(AnswerCorrectionResponse, self.run(request, decide).await?)
    }

    async fn list_searches(
        &self,
        request: Request<pb::ListSearchesRequest>,
    ) -> Result<Response<pb::ListSearchesResponse>, Status> {
        let caller = caller(&request)?;
        let case_id = resource::parse("cases", &request.get_ref().name).map_err(ApiError::from)?;
        self.admit(&caller, "ListSearches", case_id).await?;
        let loaded = self.store.load(case_id).await.map_err(ApiError::from)?;
        let searches = searches::of(&self.base.log, &loaded.state, &loaded.events).await?;
        Ok(Response::new(pb::ListSearchesResponse { searches }))
    }
}

impl CaseCommands {
    /// Writes on which petition a case rests, into each that is linked with it by that or no more, in a task of its own.
    async fn say_basis(&self, request: Request<pb::VerifyBasisRequest>) -> Result<Done, Status> {
        let caller = caller(&request)?;
        let message = request.into_inner();
        let named = Some(message.basis.as_str()).filter(|name| !name.is_empty());
        let basis = named.map(|name| resource::parse_field("basis", "cases", name)).transpose();
        let basis = basis.map_err(ApiError::from)?;
        let this = self.clone();
        let said = detached(async move {
            let (id, context, case, facts) = this.admit_command(&caller, &message).await?;
            let beside: Vec<Uuid> = case.rests_on().filter(|one| Some(*one) != basis).chain(basis).collect();
            let streams: Vec<_> = beside.iter().map(|one| (*one, Subjects::filing(*one))).collect();
            let executed = this
                .store
                .execute_beside(&context, (id, Subjects::filing(id)), &streams, |cases| {
                    let (own, rest) = cases.split_first().ok_or_else(Refusal::not_found)?;
                    let states = rest.iter().map(|folded| folded.state.clone());
                    let others: Others = beside.iter().copied().zip(states).collect();
                    let (officer, of_principal) = (facts.account, message.of_principal);
                    let of = decide::Said { officer, basis, of_principal, note: &message.note };
                    // What is protected is found by nobody who does not read it (8 USC 1367).
                    let named = basis.and_then(|basis| others.get(&basis));
                    let hidden = |case: &Case| !relations(&caller, case).iter().any(|one| one.reads());
                    if named.is_some_and(|case| case.is_protected() && hidden(case)) {
                        return Err(Refusal::not_found());
                    }
                    let mut written = decide::say_basis((id, &own.state), &others, of)?;
                    Ok(once(id)
                        .chain(beside.iter().copied())
                        .map(|one| written.remove(&one).unwrap_or_default())
                        .collect())
                })
                .await?;
            Ok::<_, ApiError>(done(id, executed))
        });
        Ok(said.await?)
    }
}

fn intend_revocation(case: &Case, message: &pb::IntendRevocationRequest, facts: &Facts) -> Decision {
    let words = (message.grounds.as_str(), message.derogatory_information.as_str());
    let intent = facts.intent(words, &message.items, message.days)?;
    decide::intend_revocation(case, facts.account, &intent, facts.now)
}

fn revoke_by_law(
    case: &Case,
    others: &Others,
    message: &pb::RecordRevocationByLawRequest,
    facts: &Facts,
) -> Decision {
    let on = wire::date("happened_on_date", &message.happened_on_date)?;
    let (relation, findings) = (message.relation.as_str(), message.findings.as_str());
    let happened = Happened { cause: &message.cause, on, relation, findings };
    decide::revoke_by_law(case, facts.account, happened, others, facts.now)
}

fn ask_correction(case: &Case, message: &pb::AskCorrectionRequest, facts: &Facts) -> Decision {
    let wrong = Wrong {
        id: derived_id("correction", facts.command_id, 0),
        field: message.field.clone(),
        value: message.value.clone(),
        error_of: message.cause.clone(),
        proof: message.proof.clone(),
        explanation: message.explanation.clone(),
    };
    decide::ask_correction(case, &wrong, facts.now)
}

fn dispense_biometrics(case: &Case, message: &pb::DispenseBiometricsRequest, facts: &Facts) -> Decision {
    if message.cause != "reused" {
        return decide::waive_biometrics(case, facts.account, &message.cause);
    }
    let captured_on = wire::date("captured_on_date", &message.captured_on_date)?;
    decide::reuse_biometrics(case, facts.account, captured_on, facts.now)
}
