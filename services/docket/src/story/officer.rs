//! What officers do to the case.
use super::act::Act;
use super::party::{appointment_kind, call, wait_for};
use super::player::{Answer, Player, Stumble, command_id};
use super::{office, see};
use anyhow::{Context, anyhow};
use docket_proto::case_status::v1 as cases;
use docket_proto::notifications::v1 as notifications;
use docket_proto::types::v1::Deadline;

/// Acts of the office.
pub async fn act(player: &mut Player, who: &str, act: &Act) -> Answer {
    if let Act::AnswerMessage { text } = act {
        return answer_message(player, who, text).await;
    }
    if let Act::SeeWhyIntakeLooks { reasons } = act {
        return see_intake(player, who, reasons).await;
    }
    let (version, told) = command(player, who, act).await?;
    player.matter.version = version.context("case")?.version;
    Ok(told)
}

/// Where a command left the case, and what to tell.
pub(super) type Done = Result<(Option<cases::CaseVersion>, String), Stumble>;

/// What happens up to the requests.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the player sorts the acts; what is left is decided below"
)]
async fn command(player: &mut Player, who: &str, act: &Act) -> Done {
    let (request_id, name) = (command_id(), player.case());
    let token = player.token(who)?;
    Ok(match act {
        Act::DecideFeeWaiver { granted } => {
            let message = cases::DecideFeeWaiverRequest { request_id, name, granted: *granted };
            let told = if *granted { "the fee is waived" } else { "the fee is not waived" };
            (call!(player, token, cases, decide_fee_waiver, message)?.case, told.to_owned())
        }
        Act::AcceptFiling {} => {
            let message = cases::AcceptFilingRequest { request_id, name };
            (call!(player, token, cases, accept_filing, message)?.case, "accepted by intake".to_owned())
        }
        Act::VoidAcceptance { cause } => {
            let message = cases::VoidAcceptanceRequest { request_id, name, cause: cause.clone() };
            let told = format!("the acceptance is taken back: {cause}");
            (call!(player, token, cases, void_acceptance, message)?.case, told)
        }
        Act::RejectFiling { codes } => {
            let message = cases::RejectFilingRequest { request_id, name, codes: codes.clone() };
            let told = format!("rejected: {}", codes.join(", "));
            (call!(player, token, cases, reject_filing, message)?.case, told)
        }
        Act::Assign { to } => {
            let officer = player.person(to)?;
            let (account, called) = (officer.account.clone(), officer.row.called.clone());
            player.assigned.clone_from(to);
            let message = cases::AssignCaseRequest { request_id, name, officer: account };
            (call!(player, token, cases, assign_case, message)?.case, format!("the case is with {called}"))
        }
        Act::StartReview {} => {
            let message = cases::StartReviewRequest { request_id, name };
            (call!(player, token, cases, start_review, message)?.case, "the review has begun".to_owned())
        }
        Act::Schedule { kind } => {
            let kind = appointment_kind(kind)?.into();
            let message = cases::ScheduleAppointmentRequest {
                request_id,
                name,
                kind,
                date: String::new(),
                time: String::new(),
            };
            let answer = call!(player, token, cases, schedule_appointment, message)?;
            (answer.case, see::slot(&answer.appointment.context("appointment")?)?)
        }
        Act::TakeBiometrics { early } => {
            let message = cases::RecordBiometricsRequest { request_id, name, early_by_agreement: *early };
            (
                call!(player, token, cases, record_biometrics, message)?.case,
                "fingerprints, photograph and signature were taken".to_owned(),
            )
        }
        Act::MissAppointment { kind } => {
            let told = format!("nobody came: {kind}");
            let kind = appointment_kind(kind)?.into();
            let message = cases::RecordMissedAppointmentRequest { request_id, name, kind };
            (call!(player, token, cases, record_missed_appointment, message)?.case, told)
        }
        Act::BackgroundCheck { system, result } => {
            let message = cases::RecordBackgroundCheckRequest {
                request_id,
                name,
                system: system.clone(),
                result_class: result.clone(),
            };
            (
                call!(player, token, cases, record_background_check, message)?.case,
                "recorded, for the office only".to_owned(),
            )
        }
        Act::Interview { passed, early } => {
            let tests =
                passed.iter().map(|part| cases::TestPart { part: part.clone(), passed: true }).collect();
            let message =
                cases::RecordInterviewRequest { request_id, name, tests, early_by_agreement: *early };
            (
                call!(player, token, cases, record_interview, message)?.case,
                format!("interview held; passed: {}", passed.join(", ")),
            )
        }
        Act::RequestEvidence { kind, items, explanation } => {
            request_evidence(player, who, kind, items, explanation).await?
        }
        Act::IntendDenial { grounds, derogatory, items } => {
            let message = cases::IntendDenialRequest {
                request_id,
                name,
                grounds: grounds.clone(),
                derogatory_information: derogatory.clone(),
                items: items.iter().map(|code| item(code)).collect(),
                days: 0,
            };
            let answer = call!(player, token, cases, intend_denial, message)?;
            let due = due(player, answer.deadline)?;
            (answer.case, format!("a denial is intended; to be answered by {due}"))
        }
        other => return conclusion(player, who, other).await,
    })
}

/// What sends the case elsewhere, leads to the decision and follows it.
#[expect(clippy::wildcard_enum_match_arm, reason = "the player sorts the acts")]
async fn conclusion(player: &mut Player, who: &str, act: &Act) -> Done {
    let (request_id, name) = (command_id(), player.case());
    let token = player.token(who)?;
    Ok(match act {
        Act::Recommend { recommendation, grounds } => {
            let message = cases::RecommendDecisionRequest {
                request_id,
                name,
                recommendation: recommendation.clone(),
                grounds: grounds.clone(),
            };
            (
                call!(player, token, cases, recommend_decision, message)?.case,
                format!("recommended: {recommendation}"),
            )
        }
        Act::Decide { decision, grounds, reasons, status, new_facts } => {
            let message = cases::DecideCaseRequest {
                request_id,
                name,
                decision: decision.clone(),
                ground_codes: grounds.clone(),
                reasons: reasons.clone(),
                applicant_status: status.clone(),
                new_facts: new_facts.clone(),
            };
            (call!(player, token, cases, decide_case, message)?.case, format!("decided: {decision}"))
        }
        Act::Transfer { to, reason } => {
            let (office, reason) = (to.clone(), reason.clone());
            let message = cases::TransferCaseRequest { request_id, name, office, reason };
            (call!(player, token, cases, transfer_case, message)?.case, format!("sent to {to}"))
        }
        Act::Reopen { motion } => {
            let motion = player.kept(motion)?.case();
            let message = cases::ReopenCaseRequest { request_id, name, motion };
            (call!(player, token, cases, reopen_case, message)?.case, "the case is open again".to_owned())
        }
        Act::Reverify {} => {
            let message = cases::CompleteReverificationRequest { request_id, name };
            (
                call!(player, token, cases, complete_reverification, message)?.case,
                "checked again by another officer".to_owned(),
            )
        }
        Act::TakeOath { early } => {
            let message = cases::RecordOathRequest { request_id, name, early_by_agreement: *early };
            (call!(player, token, cases, record_oath, message)?.case, "the oath was taken".to_owned())
        }
        Act::IssueCertificate { number } => {
            let message =
                cases::IssueCertificateRequest { request_id, name, certificate_number: number.clone() };
            (
                call!(player, token, cases, issue_certificate, message)?.case,
                "Certificate of Naturalization (N-550) issued".to_owned(),
            )
        }
        Act::OrderCard {} => {
            let message = cases::OrderCardRequest { request_id, name };
            (call!(player, token, cases, order_card, message)?.case, "the card is ordered".to_owned())
        }
        Act::RecordCard { step, carrier, tracking, cause } => {
            let message = cases::RecordCardRequest {
                request_id,
                name,
                step: step.clone(),
                carrier: carrier.clone(),
                tracking_number: tracking.clone(),
                cause: cause.clone(),
            };
            (call!(player, token, cases, record_card, message)?.case, format!("the card: {step}"))
        }
        other => return office::act(player, who, other).await,
    })
}

async fn request_evidence(
    player: &mut Player,
    who: &str,
    kind: &str,
    items: &[String],
    explanation: &str,
) -> Done {
    let message = cases::RequestEvidenceRequest {
        request_id: command_id(),
        name: player.case(),
        kind: kind.to_owned(),
        items: items.iter().map(|code| item(code)).collect(),
        days: 0,
        explanation: explanation.to_owned(),
    };
    let answer = call!(player, player.token(who)?, cases, request_evidence, message)?;
    let due = due(player, answer.deadline)?;
    Ok((answer.case, format!("asked for {}; due {due}", items.join(", "))))
}

pub(super) fn item(code: &str) -> cases::request_evidence_request::Item {
    cases::request_evidence_request::Item { code: code.to_owned(), reason: "missing".to_owned() }
}

/// Keeps when the open request is due, and says so with how it was counted.
pub(super) fn due(player: &mut Player, deadline: Option<Deadline>) -> anyhow::Result<String> {
    let deadline = deadline.context("deadline")?;
    player.matter.due_date.clone_from(&deadline.due_date);
    Ok(format!("{}\n{} ({})", deadline.due_date, deadline.derivation, deadline.cite))
}

async fn see_intake(player: &Player, who: &str, reasons: &[String]) -> Answer {
    let seen = wait_for("intake sees the filing", async || {
        let message = cases::GetCaseRequest { name: player.case(), language: String::new(), min_version: 0 };
        Ok(call!(player, player.token(who)?, status, get_case, message).ok().and_then(|answer| answer.case))
    })
    .await?;
    if seen.intake_reasons != reasons {
        return Err(anyhow!("intake sees {:?}", seen.intake_reasons).into());
    }
    Ok(format!("to be looked at: {}", reasons.join(", ")))
}

async fn answer_message(player: &Player, who: &str, text: &str) -> Answer {
    wait_for("the office sees the message", async || {
        let message = notifications::ListThreadsRequest { case: player.case(), ..Default::default() };
        let threads =
            call!(player, player.token(who)?, inbox, list_threads, message).map(|answer| answer.threads);
        Ok(threads.ok().filter(|threads| threads.iter().any(|thread| thread.name == player.thread)))
    })
    .await?;
    let message = notifications::SendMessageRequest {
        request_id: command_id(),
        name: player.thread.clone(),
        text: text.to_owned(),
    };
    let thread = call!(player, player.token(who)?, inbox, send_message, message)?.thread.context("thread")?;
    Ok(format!("{} messages in the conversation", thread.messages.len()))
}
