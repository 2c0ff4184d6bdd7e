//! What officers do of the office's own accord: with its decisions, and with appointments that nobody needs.
use super::act::Act;
use super::officer::{Done, due, item};
use super::party::{appointment_kind, call, wait_for};
use super::player::{Player, Stumble, command_id};
use anyhow::{Context as _, anyhow};
use docket_proto::case_status::v1 as cases;

/// The day so many days from now, as the people of the system have it.
fn in_days(days: i64) -> Result<String, anyhow::Error> {
    let then = jiff::Timestamp::from_second(crate::clock::now_s() + days * 86_400)?;
    Ok(then.to_zoned_datetime(jiff::tz::TimeZone::UTC).date().to_string())
}

/// Acts of the office of its own accord.
#[expect(clippy::too_many_lines, reason = "a table: each act, and its message")]
#[expect(clippy::wildcard_enum_match_arm, reason = "the player sorts the acts")]
pub async fn act(player: &mut Player, who: &str, act: &Act) -> Done {
    let (request_id, name) = (command_id(), player.case());
    let token = player.token(who)?;
    Ok(match act {
        Act::IntendRevocation { grounds, derogatory, items } => {
            let message = cases::IntendRevocationRequest {
                request_id,
                name,
                grounds: grounds.clone(),
                derogatory_information: derogatory.clone(),
                items: items.iter().map(|code| item(code)).collect(),
                days: 0,
            };
            let answer = call!(player, token, office, intend_revocation, message)?;
            let due = due(player, answer.deadline)?;
            (answer.case, format!("a revocation is intended; to be answered by {due}"))
        }
        Act::WithdrawRevocationIntent {} => {
            let message = cases::WithdrawRevocationIntentRequest { request_id, name };
            let answer = call!(player, token, office, withdraw_revocation_intent, message)?;
            (answer.case, "the approval stands".to_owned())
        }
        Act::RevokeApproval { grounds, reasons } => {
            let (ground_codes, reasons) = (grounds.clone(), reasons.clone());
            let message = cases::RevokeApprovalRequest { request_id, name, ground_codes, reasons };
            (
                call!(player, token, office, revoke_approval, message)?.case,
                "the approval is revoked".to_owned(),
            )
        }
        Act::RevokeByLaw { cause, relation, happened_on, findings } => {
            let told = format!("the approval ended by the law: {cause}");
            let message = cases::RecordRevocationByLawRequest {
                request_id,
                name,
                cause: cause.clone(),
                happened_on_date: happened_on.clone(),
                findings: findings.clone(),
                relation: relation.clone(),
            };
            (call!(player, token, office, record_revocation_by_law, message)?.case, told)
        }
        Act::Hold { reason, days } => {
            let (reason, review_by_date) = (reason.clone(), in_days(*days)?);
            let told = format!("held until {review_by_date} at the latest: {reason}");
            let message = cases::HoldCaseRequest { request_id, name, reason, review_by_date };
            (call!(player, token, office, hold_case, message)?.case, told)
        }
        Act::LiftHold { reason } => {
            let (told, reason) = (format!("held no more: {reason}"), reason.clone());
            let message = cases::LiftHoldRequest { request_id, name, reason };
            (call!(player, token, office, lift_hold, message)?.case, told)
        }
        Act::AnswerCorrection { value, reasons } => {
            let (made, value, reasons) = (!value.is_empty(), value.clone(), reasons.clone());
            let told = if made { "corrected" } else { "not corrected" }.to_owned();
            let message = cases::AnswerCorrectionRequest { request_id, name, made, value, reasons };
            (call!(player, token, office, answer_correction, message)?.case, told)
        }
        Act::ReopenOnOwnMotion { favorable, reasons } => {
            let (favorable, reasons) = (*favorable, reasons.clone());
            let message = cases::ReopenOnOwnMotionRequest { request_id, name, favorable, reasons };
            let answer = call!(player, token, office, reopen_on_own_motion, message)?;
            let told = match answer.deadline {
                Some(deadline) => format!("open again; to be answered by {}", due(player, Some(deadline))?),
                None => "open again, to be decided for the party".to_owned(),
            };
            (answer.case, told)
        }
        Act::CloseAdministratively { cause } => {
            let (told, cause) = (format!("closed: {cause}"), cause.clone());
            let message = cases::CloseAdministrativelyRequest { request_id, name, cause };
            (call!(player, token, office, close_administratively, message)?.case, told)
        }
        Act::ReopenClosed {} => {
            let message = cases::ReopenClosedRequest { request_id, name };
            (call!(player, token, office, reopen_closed, message)?.case, "the case is open again".to_owned())
        }
        Act::SetMessageAside { cause } => {
            let (told, cause) = (format!("set aside: {cause}"), cause.clone());
            let waits = waiting(player, who).await?;
            let (thread, last_message) = (waits.thread, waits.last_message);
            let message = cases::SetMessageAsideRequest { request_id, name, thread, cause, last_message };
            (call!(player, token, office, set_message_aside, message)?.case, told)
        }
        Act::Unassign {} => {
            let message = cases::UnassignCaseRequest { request_id, name };
            (call!(player, token, office, unassign_case, message)?.case, "nobody has the case".to_owned())
        }
        Act::DispenseBiometrics { cause, captured_on } => {
            let (cause, captured_on_date) = (cause.clone(), captured_on.clone());
            let told = format!("no appointment is needed: {cause}");
            let message = cases::DispenseBiometricsRequest { request_id, name, cause, captured_on_date };
            (call!(player, token, office, dispense_biometrics, message)?.case, told)
        }
        Act::FailCapture { cause, early } => {
            let (cause, early_by_agreement) = (cause.clone(), *early);
            let told = format!("the capture did not succeed: {cause}");
            let message = cases::RecordFailedCaptureRequest { request_id, name, cause, early_by_agreement };
            (call!(player, token, office, record_failed_capture, message)?.case, told)
        }
        Act::ExcuseAbsence { kind, cause } => {
            let (told, cause) = (format!("excused: {kind}, {cause}"), cause.clone());
            let kind = appointment_kind(kind)?.into();
            let message = cases::ExcuseAbsenceRequest { request_id, name, kind, cause };
            (call!(player, token, office, excuse_absence, message)?.case, told)
        }
        Act::WaiveInterview { criterion } => {
            let (told, criterion) = (format!("no interview: {criterion}"), criterion.clone());
            let message = cases::WaiveInterviewRequest { request_id, name, criterion };
            (call!(player, token, office, waive_interview, message)?.case, told)
        }
        other => return Err(anyhow!("{other:?} is no act of the office").into()),
    })
}

/// The last conversation that was begun, once the office sees that somebody waits in it.
async fn waiting(player: &Player, who: &str) -> Result<cases::WaitingThread, Stumble> {
    wait_for("the office sees that somebody waits for an answer", async || {
        let message = cases::GetCaseRequest { name: player.case(), language: String::new(), min_version: 0 };
        let case = call!(player, player.token(who)?, status, get_case, message)?.case.context("case")?;
        Ok(case.waiting_threads.into_iter().find(|waiting| waiting.thread == player.thread))
    })
    .await
}
