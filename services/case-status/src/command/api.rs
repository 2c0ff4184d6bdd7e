//! The face `CaseCommandService`: each rpc reads its request, asks the policy, decides, appends, answers.

use std::sync::Arc;

use docket_eventlog::{Context, Executed, Recorded, Store, Subjects};
use docket_kernel::{Refusal, derived_id, resource};
use docket_proto::case_status::v1 as pb;
use docket_proto::case_status::v1::case_command_service_server::CaseCommandService;
use docket_service::{ApiError, Base, Caller, Heard, Resource, caller, detached};
use jiff::Timestamp;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::booking::{self, Asked};
use super::serials::Serials;
use super::wire::{self, Command, Kind, Recommended};
use super::{challenges, fees, inquiries, parties};
use crate::aggregate::Cases;
use crate::domain::decide::{self, Challenged, Decision, MovedBy, Others};
use crate::domain::office::INTAKE_OFFICE;
use crate::domain::{Case, Event};
use crate::relation::{OFFICER_ROLES, Relation, relations};

/// Commands on cases.
#[derive(Clone)]
pub(crate) struct CaseCommands {
    pub(super) base: Base,
    pub(super) store: Store<Cases>,
    serials: Arc<Serials>,
    payments: Arc<Heard>,
}

/// What comes with a command beside its message.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    pub(super) account: Uuid,
    pub(super) command_id: Uuid,
    pub(super) now: Timestamp,
    relations: Vec<Relation>,
}

impl Facts {
    /// Who moves an appointment.
    fn moved_by(&self) -> MovedBy {
        moved_by(&self.relations)
    }

    /// Whether a supervisor of the case's office.
    fn is_supervisor(&self) -> bool {
        self.relations.contains(&Relation::Supervisor)
    }

    /// What is intended, as a request says it: the grounds, and what the party may not know of.
    pub(super) fn intent(
        &self,
        (grounds, derogatory): (&str, &str),
        items: &[pb::request_evidence_request::Item],
        days: u32,
    ) -> Result<decide::Intent, Refusal> {
        let derogatory = wire::bounded("derogatory_information", derogatory)?;
        Ok(decide::Intent {
            request_id: derived_id("request", self.command_id, 0),
            grounds: wire::bounded("grounds", grounds)?.to_owned(),
            derogatory_information: derogatory.to_owned(),
            items: wire::items(items),
            days: Some(days).filter(|days| *days > 0),
            supervised: self.is_supervisor(),
        })
    }

    fn asked(&self, kind: Kind, date: &str, time: &str) -> Result<Asked, Refusal> {
        let id = derived_id("appointment", self.command_id, 0);
        Ok(Asked { id, kind, wish: wire::wish(date, time)?, now: self.now })
    }
}

/// A case to which an officer is let for a command, before it is decided.
struct Admitted {
    id: Uuid,
    case: Case,
    /// The case whose denial it challenges.
    challenged: Option<Challenged>,
    /// The officer, and whether a supervisor.
    officer: (Uuid, bool),
}

pub(super) type Done = (pb::CaseVersion, Case);

impl CaseCommands {
    /// The face on a base.
    pub(crate) fn new(base: Base, store: Store<Cases>, serials: Arc<Serials>, payments: Arc<Heard>) -> Self {
        Self { base, store, serials, payments }
    }

    /// Carries out a command in a task of its own: access from the case's own stream, then the decision.
    pub(super) async fn run<M: Command>(
        &self,
        request: Request<M>,
        decide: impl Fn(&Case, &M, &Facts) -> Decision + Send + Sync + 'static,
    ) -> Result<Done, Status> {
        let caller = caller(&request)?;
        let message = request.into_inner();
        let this = self.clone();
        Ok(detached(async move { this.execute(&caller, &message, decide).await }).await?)
    }

    /// [`Self::run`] for a decision that looks at other cases beside this one, such as the petitions it rests on or waits for: it is made
    /// again when one moved on.
    pub(super) async fn run_beside<M: Command>(
        &self,
        request: Request<M>,
        beside: fn(&Case) -> Vec<Uuid>,
        decide: impl Fn(&Case, &Others, &M, &Facts) -> Decision + Send + Sync + 'static,
    ) -> Result<Done, Status> {
        let caller = caller(&request)?;
        let message = request.into_inner();
        let this = self.clone();
        Ok(detached(async move { this.execute_beside(&caller, &message, beside, decide).await }).await?)
    }

    async fn execute<M: Command>(
        &self,
        caller: &Caller,
        message: &M,
        decide: impl Fn(&Case, &M, &Facts) -> Decision + Send + Sync,
    ) -> Result<Done, ApiError> {
        let (case_id, context, _, facts) = self.admit_command(caller, message).await?;
        let executed = self
            .store
            .execute(&context, case_id, Subjects::filing(case_id), |case| decide(case, message, &facts))
            .await?;
        Ok(done(case_id, executed))
    }

    async fn execute_beside<M: Command>(
        &self,
        caller: &Caller,
        message: &M,
        beside: fn(&Case) -> Vec<Uuid>,
        decide: impl Fn(&Case, &Others, &M, &Facts) -> Decision + Send + Sync,
    ) -> Result<Done, ApiError> {
        let (case_id, context, case, facts) = self.admit_command(caller, message).await?;
        let mut looked_at = beside(&case);
        looked_at.extend(self.conditions_of(&case).await?);
        let beside: Vec<(Uuid, Subjects)> =
            looked_at.into_iter().map(|other| (other, Subjects::filing(other))).collect();
        let first = (case_id, Subjects::filing(case_id));
        let executed = self
            .store
            .execute_beside(&context, first, &beside, |cases| {
                let (case, others) = cases.split_first().ok_or_else(Refusal::not_found)?;
                let others: Others =
                    beside.iter().zip(others).map(|((id, _), other)| (*id, other.state.clone())).collect();
                Ok(vec![decide(&case.state, &others, message, &facts)?])
            })
            .await?;
        Ok(done(case_id, executed))
    }

    /// The petitions to remove conditions of who applies for naturalization.
    async fn conditions_of(&self, case: &Case) -> Result<Vec<Uuid>, ApiError> {
        let Some(party) = case.party.filter(|_| decide::waits_for_conditions(case)) else {
            return Ok(Vec::new());
        };
        let mut found = Vec::new();
        for other in parties::cases(&mut *self.base.pool.acquire().await?, party).await? {
            if decide::removes_conditions(&self.store.load(other).await?.state) {
                found.push(other);
            }
        }
        Ok(found)
    }

    /// The case of a command and what comes with it, if the policy lets the caller do that.
    pub(super) async fn admit_command<M: Command>(
        &self,
        caller: &Caller,
        message: &M,
    ) -> Result<(Uuid, Context, Case, Facts), ApiError> {
        let case_id = resource::parse("cases", message.case_name())?;
        let (case, relations) = self.let_in(caller, message, case_id).await?;
        let context = acting_for(caller.context(message.request_id(), message)?, &case, &relations);
        let account = caller.person()?.account;
        let facts = Facts { account, command_id: context.command_id, now: self.base.clock.now(), relations };
        Ok((case_id, context, case, facts))
    }

    /// The case and the caller's relations to it, if the policy lets the caller do that, or the caller did it: a repetition has the first
    /// answer also where that act ended the relation.
    async fn let_in<M: Command>(
        &self,
        caller: &Caller,
        message: &M,
        case_id: Uuid,
    ) -> Result<(Case, Vec<Relation>), ApiError> {
        let case = self.store.load(case_id).await?.state;
        let relations = relations(caller, &case);
        if let Err(refused) = self.require(caller, M::ACTION, (case_id, &case), &relations) {
            let Ok(context) = caller.context(message.request_id(), message) else { return Err(refused) };
            if !self.base.log.was_done(&context).await? {
                return Err(refused);
            }
        }
        Ok((case, relations))
    }

    /// The case and the caller's relations to it, if the policy lets the caller do that.
    pub(super) async fn admit(
        &self,
        caller: &Caller,
        action: &str,
        case_id: Uuid,
    ) -> Result<(Case, Vec<Relation>), ApiError> {
        let case = self.store.load(case_id).await?.state;
        let relations = relations(caller, &case);
        self.require(caller, action, (case_id, &case), &relations)?;
        Ok((case, relations))
    }

    /// Asks the policy.
    fn require(
        &self,
        caller: &Caller,
        action: &str,
        (case_id, case): (Uuid, &Case),
        relations: &[Relation],
    ) -> Result<(), ApiError> {
        let resource = Resource {
            kind: "Case",
            id: case_id,
            relations: relations.iter().map(|relation| relation.as_str()).collect(),
            office: Some(&case.office).filter(|office| !office.is_empty()).map(String::as_str),
            class: "normal",
        };
        self.base.access.require(caller, action, &resource)
    }

    /// The case that a command names, if the policy lets the caller do that, and the decision which it challenges.
    async fn admit_to<M: Command>(&self, request: &Request<M>) -> Result<Admitted, ApiError> {
        let caller = caller(request)?;
        let case_id = resource::parse("cases", request.get_ref().case_name())?;
        let (case, _) = self.let_in(&caller, request.get_ref(), case_id).await?;
        let challenged = challenges::challenged(&self.base.pool, &self.store, &case).await?;
        let account = caller.person()?.account;
        let officer = (account, challenges::is_supervisor(&self.base.pool, account).await?);
        Ok(Admitted { id: case_id, case, challenged, officer })
    }

    /// Whether somebody may have a case of this office given to them, by the roles this service knows.
    async fn is_officer(&self, account: Uuid, case_id: Uuid) -> Result<bool, ApiError> {
        let office = self.store.load(case_id).await?.state.office;
        let known = sqlx::query_scalar!(
            r#"SELECT EXISTS (SELECT FROM access.role
                   WHERE account = $1 AND office = $2 AND role = ANY($3)) AS "known!""#,
            account,
            office,
            &OFFICER_ROLES.map(str::to_owned),
        )
        .fetch_one(&self.base.pool)
        .await?;
        Ok(known)
    }
}

pub(super) fn done(case_id: Uuid, executed: Executed<Cases>) -> Done {
    let version = pb::CaseVersion {
        name: resource::name("cases", case_id),
        version: executed.version,
        events: executed.events.iter().map(|event: &Recorded| event.kind.clone()).collect(),
    };
    (version, executed.state)
}

macro_rules! answer {
    ($response:ident, $done:expr) => {
        Ok(Response::new(pb::$response { case: Some($done.0) }))
    };
}

/// The answer to a command that asks something of the party: the request, with its planned deadline.
macro_rules! answer_asked {
    ($response:ident, $done:expr) => {{
        let (case, state) = $done;
        let asked =
            state.request.ok_or_else(|| ApiError::internal(anyhow::anyhow!("no request after asking")))?;
        Ok(Response::new(pb::$response {
            case: Some(case),
            request: resource::name("requests", asked.id),
            deadline: Some((&asked.deadline).into()),
        }))
    }};
}
pub(super) use {answer, answer_asked};

#[tonic::async_trait]
impl CaseCommandService for CaseCommands {
    async fn assign_case(
        &self,
        request: Request<pb::AssignCaseRequest>,
    ) -> Result<Response<pb::AssignCaseResponse>, Status> {
        let Admitted { challenged, officer: (caller, _), .. } = self.admit_to(&request).await?;
        let message = request.get_ref();
        let case_id = resource::parse("cases", &message.name).map_err(ApiError::from)?;
        let officer = match message.officer.as_str() {
            "" => caller,
            name => resource::parse_field("officer", "accounts", name).map_err(ApiError::from)?,
        };
        let known = self.is_officer(officer, case_id).await?;
        let supervisor = challenges::is_supervisor(&self.base.pool, officer).await.map_err(ApiError::from)?;
        let decide = move |case: &Case, _: &_, _: &Facts| {
            if !known {
                let message = "Only an adjudicator or a supervisor of the case's office can have it.";
                return Err(Refusal::invalid("officer", "NOT_AN_OFFICER", message));
            }
            decide::hears(case, challenged.as_ref(), (officer, supervisor))?;
            decide::assign(case, officer)
        };
        answer!(AssignCaseResponse, self.run(request, decide).await?)
    }

    async fn accept_filing(
        &self,
        request: Request<pb::AcceptFilingRequest>,
    ) -> Result<Response<pb::AcceptFilingResponse>, Status> {
        let receipt = self.serials.next().await?.as_str().to_owned();
        let (case, state) =
            self.run(request, move |case, _, _| decide::accept(case, &receipt, INTAKE_OFFICE)).await?;
        let receipt_number = state.receipt_number;
        Ok(Response::new(pb::AcceptFilingResponse { case: Some(case), receipt_number }))
    }

    async fn reject_filing(
        &self,
        request: Request<pb::RejectFilingRequest>,
    ) -> Result<Response<pb::RejectFilingResponse>, Status> {
        let done = self.run(request, |case, message, _| decide::reject(case, &message.codes)).await?;
        answer!(RejectFilingResponse, done)
    }

    async fn start_review(
        &self,
        request: Request<pb::StartReviewRequest>,
    ) -> Result<Response<pb::StartReviewResponse>, Status> {
        answer!(StartReviewResponse, self.run(request, |case, _, _| decide::start_review(case)).await?)
    }

    async fn schedule_appointment(
        &self,
        request: Request<pb::ScheduleAppointmentRequest>,
    ) -> Result<Response<pb::ScheduleAppointmentResponse>, Status> {
        let kind = Kind::read(request.get_ref().kind).map_err(ApiError::from)?;
        let (case, state) = self
            .run(request, move |case, message, facts| {
                booking::schedule(case, facts.asked(kind, &message.date, &message.time)?)
            })
            .await?;
        let appointment = booking::standing(&state, kind).map(Into::into);
        Ok(Response::new(pb::ScheduleAppointmentResponse { case: Some(case), appointment }))
    }

    async fn list_free_slots(
        &self,
        request: Request<pb::ListFreeSlotsRequest>,
    ) -> Result<Response<pb::ListFreeSlotsResponse>, Status> {
        let caller = caller(&request)?;
        let message = request.into_inner();
        let case_id = resource::parse("cases", &message.name).map_err(ApiError::from)?;
        let kind = Kind::read(message.kind).map_err(ApiError::from)?;
        let (case, relations) = self.admit(&caller, "ListFreeSlots", case_id).await?;
        let slots = booking::slots(&case, kind, moved_by(&relations), self.base.clock.now())
            .map_err(ApiError::from)?;
        Ok(Response::new(pb::ListFreeSlotsResponse { slots: slots.iter().map(Into::into).collect() }))
    }

    async fn reschedule_appointment(
        &self,
        request: Request<pb::RescheduleAppointmentRequest>,
    ) -> Result<Response<pb::RescheduleAppointmentResponse>, Status> {
        let kind = Kind::read(request.get_ref().kind).map_err(ApiError::from)?;
        let (case, state) = self
            .run(request, move |case, message, facts| {
                let asked = facts.asked(kind, &message.date, &message.time)?;
                booking::reschedule(case, asked, facts.moved_by(), &message.cause)
            })
            .await?;
        let appointment = booking::standing(&state, kind).map(Into::into);
        Ok(Response::new(pb::RescheduleAppointmentResponse { case: Some(case), appointment }))
    }

    async fn record_biometrics(
        &self,
        request: Request<pb::RecordBiometricsRequest>,
    ) -> Result<Response<pb::RecordBiometricsResponse>, Status> {
        let decide = |case: &Case, message: &pb::RecordBiometricsRequest, facts: &Facts| {
            decide::take_biometrics(case, facts.now, message.early_by_agreement)
        };
        answer!(RecordBiometricsResponse, self.run(request, decide).await?)
    }

    async fn record_missed_appointment(
        &self,
        request: Request<pb::RecordMissedAppointmentRequest>,
    ) -> Result<Response<pb::RecordMissedAppointmentResponse>, Status> {
        let kind = Kind::read(request.get_ref().kind).map_err(ApiError::from)?;
        let decide = move |case: &Case, _: &pb::RecordMissedAppointmentRequest, facts: &Facts| {
            booking::missed(case, kind, facts.now)
        };
        answer!(RecordMissedAppointmentResponse, self.run(request, decide).await?)
    }

    async fn transfer_case(
        &self,
        request: Request<pb::TransferCaseRequest>,
    ) -> Result<Response<pb::TransferCaseResponse>, Status> {
        let decide = |case: &Case, message: &pb::TransferCaseRequest, facts: &Facts| {
            decide::transfer(case, &message.office, &message.reason, facts.account)
        };
        answer!(TransferCaseResponse, self.run(request, decide).await?)
    }

    async fn record_background_check(
        &self,
        request: Request<pb::RecordBackgroundCheckRequest>,
    ) -> Result<Response<pb::RecordBackgroundCheckResponse>, Status> {
        let decide = |case: &Case, message: &pb::RecordBackgroundCheckRequest, _: &Facts| {
            decide::record_background_check(case, &message.system, &message.result_class)
        };
        answer!(RecordBackgroundCheckResponse, self.run(request, decide).await?)
    }

    async fn record_interview(
        &self,
        request: Request<pb::RecordInterviewRequest>,
    ) -> Result<Response<pb::RecordInterviewResponse>, Status> {
        let decide = |case: &Case, message: &pb::RecordInterviewRequest, facts: &Facts| {
            let tests = wire::tests(&message.tests);
            decide::complete_interview(case, facts.account, &tests, facts.now, message.early_by_agreement)
        };
        answer!(RecordInterviewResponse, self.run(request, decide).await?)
    }

    async fn request_evidence(
        &self,
        request: Request<pb::RequestEvidenceRequest>,
    ) -> Result<Response<pb::RequestEvidenceResponse>, Status> {
        answer_asked!(RequestEvidenceResponse, self.run(request, request_evidence).await?)
    }

    async fn intend_denial(
        &self,
        request: Request<pb::IntendDenialRequest>,
    ) -> Result<Response<pb::IntendDenialResponse>, Status> {
        answer_asked!(IntendDenialResponse, self.run(request, intend_denial).await?)
    }

    async fn recommend_decision(
        &self,
        request: Request<pb::RecommendDecisionRequest>,
    ) -> Result<Response<pb::RecommendDecisionResponse>, Status> {
        let Admitted { challenged, officer, .. } = self.admit_to(&request).await?;
        let decide = move |case: &Case, message: &pb::RecommendDecisionRequest, facts: &Facts| {
            decide::hears(case, challenged.as_ref(), officer)?;
            let grounds = wire::bounded("grounds", &message.grounds)?;
            match wire::recommended(&message.recommendation)? {
                Recommended::Approve => decide::recommend(case, facts.account, true, grounds),
                Recommended::Deny => decide::recommend(case, facts.account, false, grounds),
                Recommended::Refer => decide::recommend_referral(case, facts.account, grounds, facts.now),
            }
        };
        answer!(RecommendDecisionResponse, self.run(request, decide).await?)
    }

    async fn decide_case(
        &self,
        request: Request<pb::DecideCaseRequest>,
    ) -> Result<Response<pb::DecideCaseResponse>, Status> {
        let Admitted { challenged, officer, .. } = self.admit_to(&request).await?;
        let decide = move |case: &Case, bases: &Others, message: &pb::DecideCaseRequest, facts: &Facts| {
            decide::decides_challenge(case, challenged.as_ref(), officer)?;
            decide::decide_case(case, facts.account, &wire::verdict(message)?, bases, facts.now)
        };
        let done = Box::pin(self.run_beside(request, |case| case.rests_on().collect(), decide)).await?;
        answer!(DecideCaseResponse, done)
    }

    async fn complete_reverification(
        &self,
        request: Request<pb::CompleteReverificationRequest>,
    ) -> Result<Response<pb::CompleteReverificationResponse>, Status> {
        let done = self.run(request, |case, _, facts| decide::reverify(case, facts.account)).await?;
        answer!(CompleteReverificationResponse, done)
    }

    async fn record_oath(
        &self,
        request: Request<pb::RecordOathRequest>,
    ) -> Result<Response<pb::RecordOathResponse>, Status> {
        let decide = |case: &Case, message: &pb::RecordOathRequest, facts: &Facts| {
            decide::take_oath(case, facts.now, message.early_by_agreement)
        };
        answer!(RecordOathResponse, self.run(request, decide).await?)
    }

    async fn issue_certificate(
        &self,
        request: Request<pb::IssueCertificateRequest>,
    ) -> Result<Response<pb::IssueCertificateResponse>, Status> {
        let decide = |case: &Case, message: &pb::IssueCertificateRequest, _: &Facts| {
            decide::issue_certificate(case, &message.certificate_number)
        };
        answer!(IssueCertificateResponse, self.run(request, decide).await?)
    }

    async fn decide_fee_waiver(
        &self,
        request: Request<pb::DecideFeeWaiverRequest>,
    ) -> Result<Response<pb::DecideFeeWaiverResponse>, Status> {
        let done = self
            .run(request, |case, message, facts| {
                decide::decide_fee_waiver(case, facts.account, message.granted)
            })
            .await?;
        answer!(DecideFeeWaiverResponse, done)
    }

    async fn void_acceptance(
        &self,
        request: Request<pb::VoidAcceptanceRequest>,
    ) -> Result<Response<pb::VoidAcceptanceResponse>, Status> {
        if request.get_ref().cause == "payment" {
            let Admitted { case, .. } = self.admit_to(&request).await?;
            let now = self.base.clock.now();
            if fees::may_be_paid(&self.payments, &case, now).await {
                return Err(ApiError::unavailable("what payments has of this fee").into());
            }
        }
        let decide = |case: &Case, message: &pb::VoidAcceptanceRequest, facts: &Facts| {
            decide::void_acceptance(case, facts.account, &message.cause, facts.now)
        };
        answer!(VoidAcceptanceResponse, self.run(request, decide).await?)
    }

    async fn reopen_case(
        &self,
        request: Request<pb::ReopenCaseRequest>,
    ) -> Result<Response<pb::ReopenCaseResponse>, Status> {
        let motion_id = resource::parse_field("motion", "cases", &request.get_ref().motion);
        let motion_id = motion_id.map_err(ApiError::from)?;
        // A motion that is granted stays so: what is read here is still true when the case is written.
        let motion = self.store.load(motion_id).await.map_err(ApiError::from)?.state;
        let decide =
            move |case: &Case, _: &_, facts: &Facts| decide::reopen(case, motion_id, &motion, facts.account);
        answer!(ReopenCaseResponse, self.run(request, decide).await?)
    }

    async fn order_card(
        &self,
        request: Request<pb::OrderCardRequest>,
    ) -> Result<Response<pb::OrderCardResponse>, Status> {
        let done =
            self.run(request, |case, _, facts| decide::order_card(case, facts.account, facts.now)).await?;
        answer!(OrderCardResponse, done)
    }

    async fn record_card(
        &self,
        request: Request<pb::RecordCardRequest>,
    ) -> Result<Response<pb::RecordCardResponse>, Status> {
        let decide = |case: &Case, message: &pb::RecordCardRequest, facts: &Facts| {
            decide::record_card(case, &wire::card_step(message)?, facts.now)
        };
        answer!(RecordCardResponse, self.run(request, decide).await?)
    }

    async fn confirm_address(
        &self,
        request: Request<pb::ConfirmAddressRequest>,
    ) -> Result<Response<pb::ConfirmAddressResponse>, Status> {
        let Admitted { id, case, .. } = self.admit_to(&request).await?;
        let noted = parties::address_of(&self.base.pool, (id, &case)).await.map_err(ApiError::from)?;
        let decide = move |case: &Case, _: &_, facts: &Facts| decide::confirm_address(case, noted, facts.now);
        let done = self.run(request, decide).await?;
        answer!(ConfirmAddressResponse, done)
    }

    async fn withdraw_case(
        &self,
        request: Request<pb::WithdrawCaseRequest>,
    ) -> Result<Response<pb::WithdrawCaseResponse>, Status> {
        answer!(WithdrawCaseResponse, self.run(request, |case, _, _| decide::withdraw(case)).await?)
    }

    async fn request_expedite(
        &self,
        request: Request<pb::RequestExpediteRequest>,
    ) -> Result<Response<pb::RequestExpediteResponse>, Status> {
        let decide = |case: &Case, message: &pb::RequestExpediteRequest, facts: &Facts| {
            let id = derived_id("expedite", facts.command_id, 0);
            decide::request_expedite(case, id, &message.criterion, &message.reasons, facts.now)
        };
        let (case, state) = self.run(request, decide).await?;
        let deadline = state.expedite.as_ref().map(|expedite| (&expedite.deadline).into());
        Ok(Response::new(pb::RequestExpediteResponse { case: Some(case), deadline }))
    }

    async fn answer_expedite(
        &self,
        request: Request<pb::AnswerExpediteRequest>,
    ) -> Result<Response<pb::AnswerExpediteResponse>, Status> {
        let decide = |case: &Case, message: &pb::AnswerExpediteRequest, facts: &Facts| {
            decide::answer_expedite(case, facts.account, message.granted, &message.answer)
        };
        answer!(AnswerExpediteResponse, self.run(request, decide).await?)
    }

    async fn send_inquiry(
        &self,
        request: Request<pb::SendInquiryRequest>,
    ) -> Result<Response<pb::SendInquiryResponse>, Status> {
        let decide = |case: &Case, message: &pb::SendInquiryRequest, facts: &Facts| {
            let id = derived_id("inquiry", facts.command_id, 0);
            decide::send_inquiry(case, id, &message.kind, &message.text, facts.now)
        };
        let (case, state) = self.run(request, decide).await?;
        let sent = state
            .inquiries
            .last()
            .ok_or_else(|| ApiError::internal(anyhow::anyhow!("no inquiry after it")))?;
        Ok(Response::new(pb::SendInquiryResponse {
            case: Some(case),
            inquiry: resource::name("inquiries", sent.id),
            deadline: Some((&sent.deadline).into()),
        }))
    }

    async fn answer_inquiry(
        &self,
        request: Request<pb::AnswerInquiryRequest>,
    ) -> Result<Response<pb::AnswerInquiryResponse>, Status> {
        let decide = |case: &Case, message: &pb::AnswerInquiryRequest, facts: &Facts| {
            let inquiry = resource::parse_field("inquiry", "inquiries", &message.inquiry)?;
            decide::answer_inquiry(case, inquiry, facts.account, &message.answer)
        };
        answer!(AnswerInquiryResponse, self.run(request, decide).await?)
    }

    async fn list_inquiries(
        &self,
        request: Request<pb::ListInquiriesRequest>,
    ) -> Result<Response<pb::ListInquiriesResponse>, Status> {
        let caller = caller(&request)?;
        let case_id = resource::parse("cases", &request.get_ref().name).map_err(ApiError::from)?;
        self.admit(&caller, "ListInquiries", case_id).await?;
        let events = self.store.load(case_id).await.map_err(ApiError::from)?.events;
        Ok(Response::new(inquiries::of(&self.base.log, &events).await?))
    }

    async fn record_addressee_sought(
        &self,
        request: Request<pb::RecordAddresseeSoughtRequest>,
    ) -> Result<Response<pb::RecordAddresseeSoughtResponse>, Status> {
        let decide = |case: &Case, message: &pb::RecordAddresseeSoughtRequest, facts: &Facts| {
            let notice = match message.notice.as_str() {
                "" => None,
                name => Some(resource::parse_field("notice", "notices", name)?),
            };
            decide::record_sought(case, notice, facts.account, &message.tried, &message.note)
        };
        answer!(RecordAddresseeSoughtResponse, self.run(request, decide).await?)
    }
}

/// Who moves an appointment: the party and who acts for the party, or the office.
fn moved_by(relations: &[Relation]) -> MovedBy {
    if relations.iter().any(|relation| relation.is_partys()) { MovedBy::Party } else { MovedBy::Office }
}

/// Who acts for the party is named with the party.
fn acting_for(context: Context, case: &Case, relations: &[Relation]) -> Context {
    let on_behalf_of = case.party.filter(|_| relations.contains(&Relation::Representative));
    Context { on_behalf_of, ..context }
}

fn request_evidence(
    case: &Case,
    message: &pb::RequestEvidenceRequest,
    facts: &Facts,
) -> Result<Vec<Event>, Refusal> {
    let asked = decide::Asked {
        request_id: derived_id("request", facts.command_id, 0),
        items: wire::items(&message.items),
        days: Some(message.days).filter(|days| *days > 0),
        supervised: facts.is_supervisor(),
        explanation: wire::bounded("explanation", &message.explanation)?.to_owned(),
    };
    match message.kind.as_str() {
        "rfe" => decide::request_evidence(case, &asked, facts.now),
        "n14" => decide::continue_examination(case, &asked, facts.now),
        _ => Err(Refusal::invalid("kind", "KIND_UNKNOWN", "Ask by rfe or n14.")),
    }
}

fn intend_denial(
    case: &Case,
    message: &pb::IntendDenialRequest,
    facts: &Facts,
) -> Result<Vec<Event>, Refusal> {
    let words = (message.grounds.as_str(), message.derogatory_information.as_str());
    decide::intend_denial(case, &facts.intent(words, &message.items, message.days)?, facts.now)
}
