//! `docket officer act …`: what the office does of its own accord, with its decisions and with appointments that nobody needs, and
//! corrections that a party asked for.
use super::Refused;
use super::officers::asked;
use crate::client::{Connection, request};
use anyhow::Result;
use docket_proto::case_status::v1 as pb;

/// Acts of the office of its own accord.
#[derive(Debug, clap::Subcommand)]
pub enum OfficeAct {
    /// Send a notice of intent to revoke the approval of a petition: the party may answer the grounds before anything is decided.
    IntendRevocation {
        /// The grounds, in plain words to the party.
        #[arg(long)]
        grounds: String,
        /// Derogatory information that the party may not know of, in plain words.
        #[arg(long, default_value = "")]
        derogatory_information: String,
        /// What is asked for beside the answer, as code or code:reason; may be given more than once.
        #[arg(long = "item")]
        items: Vec<String>,
        /// Days to answer; the rule's own when 0.
        #[arg(long, default_value_t = 0)]
        days: u32,
    },
    /// Let the approval stand: what was intended is not done.
    WithdrawRevocation,
    /// Revoke the approval, as another officer than who intended it; needs a fresh second factor.
    Revoke {
        /// A ground, by its code; may be given more than once.
        #[arg(long = "ground", required = true)]
        grounds: Vec<String>,
        /// The findings and reasons, in plain words to the party.
        #[arg(long)]
        reasons: String,
    },
    /// Send a notice of intent to terminate a status: its holder may answer the grounds before anything is decided.
    IntendTermination {
        /// The grounds, in plain words to the party.
        #[arg(long)]
        grounds: String,
        /// Derogatory information that the party may not know of, in plain words.
        #[arg(long, default_value = "")]
        derogatory_information: String,
        /// What is asked for beside the answer, as code or code:reason; may be given more than once.
        #[arg(long = "item")]
        items: Vec<String>,
        /// Days to answer; the rule's own when 0.
        #[arg(long, default_value_t = 0)]
        days: u32,
    },
    /// Let the status stand: what was intended is not done.
    WithdrawTermination,
    /// Terminate the status, as another officer than who intended it; needs a fresh second factor.
    Terminate {
        /// A ground, by its code; may be given more than once.
        #[arg(long = "ground", required = true)]
        grounds: Vec<String>,
        /// The findings and reasons, in plain words to the party.
        #[arg(long)]
        reasons: String,
    },
    /// Record that the approval of a petition was revoked by the law itself, by something that happened; needs a fresh second factor.
    RevokedByLaw {
        /// petitioner-withdrew, petitioner-died, beneficiary-died; for a relative also marriage-ended, beneficiary-married,
        /// petitioner-lost-residence; for a worker also certification-invalidated, business-ended.
        cause: String,
        /// The day on which it happened, such as 2026-03-02.
        happened_on: String,
        /// What was found, in 20 to 2,000 characters to the party.
        findings: String,
        /// Of a petition for a relative, for whom it is: spouse-of-citizen, relative-of-citizen, spouse-of-resident or child-of-resident;
        /// not every cause ends each.
        #[arg(long)]
        relation: Option<String>,
    },
    /// Hold the case: it is not decided while the hold stands. One for the same reason goes on with the new day.
    Hold {
        /// background-check, visa-unavailable, litigation, other-office-file or abeyance.
        reason: String,
        /// The day until which it is looked at again, such as 2026-03-02.
        review_by: String,
    },
    /// Lift a hold.
    LiftHold {
        /// Why it was held.
        reason: String,
    },
    /// Make the correction that was asked for, to what is shown: what is printed from now on has it.
    Correct {
        /// The name as it is to be printed, or the birth date, such as 1984-03-09.
        value: String,
    },
    /// Leave it as it is.
    RefuseCorrection {
        /// Why, in 20 to 2,000 characters to the party.
        reasons: String,
    },
    /// Reopen a decided case on the office's own motion; needs a fresh second factor.
    ReopenOnOwnMotion {
        /// To decide it for the party; without this the party has days to answer first.
        #[arg(long)]
        favorable: bool,
        /// Why, in 20 to 2,000 characters to the party.
        reasons: String,
    },
    /// Close the case without a decision; needs a fresh second factor.
    Close {
        /// examination-missed or applicant-died.
        cause: String,
    },
    /// Reopen a case that was closed without a decision, because the applicant asked in time.
    ReopenClosed,
    /// Take the case from its officer.
    Unassign,
    /// Say that a message needs no answer; who wrote it reads why in the timeline.
    NoAnswer {
        /// threads/<id>, as `docket officer open` shows it.
        thread: String,
        /// nothing-asked, answered-elsewhere, asked-twice or other-case.
        cause: String,
        /// messages/<id>: the last message that you have read, as `docket officer open` shows it.
        #[arg(long)]
        last: String,
    },
    /// Use the biometrics of an earlier capture; one that stands falls away.
    ReuseBiometrics {
        /// The day of the earlier capture, such as 2026-03-02.
        captured_on: String,
    },
    /// Say that biometrics are not needed; an appointment that stands falls away.
    WaiveBiometrics {
        /// not-able or age.
        cause: String,
    },
    /// Record that the person came and the capture did not succeed.
    CaptureFailed {
        /// prints-not-legible, equipment or identity-not-shown.
        cause: String,
        /// The person came before the day, by agreement.
        #[arg(long)]
        early: bool,
    },
    /// Excuse that nobody came: another appointment is to be set.
    ExcuseAbsence {
        /// biometrics, interview or oath.
        kind: String,
        /// Good cause: illness, travel, family-event, no-transport, work-or-care or late-notice.
        cause: String,
    },
    /// Decide an adjustment without an interview; one that stands falls away.
    WaiveInterview {
        /// child, clearly-ineligible or unnecessary.
        criterion: String,
    },
    /// Say on which petition an I-485 rests that was not filed with it, or of a derivative's through which principal's I-485: its receipt
    /// number, or, of one that is no case here, what was seen of its approval and where.
    Basis {
        /// Receipt number or cases/<id> of the I-130 or I-140, or of the principal's I-485.
        #[arg(required_unless_present = "elsewhere", conflicts_with = "elsewhere")]
        petition: Option<String>,
        /// In words, 20 to 2,000 characters.
        #[arg(long)]
        elsewhere: Option<String>,
        /// The words are of the principal's I-485, not of the petition.
        #[arg(long, requires = "elsewhere")]
        of_principal: bool,
    },
}

/// A word of the contract as it is typed: `form-not-valid` for `form_not_valid`.
pub(super) fn code(typed: &str) -> String {
    typed.replace('-', "_")
}

/// Does it; gives where it left the case.
#[expect(clippy::too_many_lines, reason = "a table: each act, and its message")]
pub async fn act(
    connection: &Connection,
    token: Option<&str>,
    (request_id, name): (String, String),
    act: OfficeAct,
) -> Result<Option<pb::CaseVersion>> {
    let mut office = connection.office();
    macro_rules! done {
        ($rpc:ident, $message:expr) => {{
            let answer = office.$rpc(request(token, $message)).await;
            answer.map_err(Refused::from)?.into_inner().case
        }};
    }
    Ok(match act {
        OfficeAct::IntendRevocation { grounds, derogatory_information, items, days } => {
            let items = items.iter().map(|item| asked(item)).collect();
            let message = pb::IntendRevocationRequest {
                request_id,
                name,
                grounds,
                derogatory_information,
                items,
                days,
            };
            done!(intend_revocation, message)
        }
        OfficeAct::WithdrawRevocation => {
            done!(withdraw_revocation_intent, pb::WithdrawRevocationIntentRequest { request_id, name })
        }
        OfficeAct::Revoke { grounds, reasons } => {
            let message = pb::RevokeApprovalRequest { request_id, name, ground_codes: grounds, reasons };
            done!(revoke_approval, message)
        }
        OfficeAct::IntendTermination { grounds, derogatory_information, items, days } => {
            let items = items.iter().map(|item| asked(item)).collect();
            let message = pb::IntendTerminationRequest {
                request_id,
                name,
                grounds,
                derogatory_information,
                items,
                days,
            };
            done!(intend_termination, message)
        }
        OfficeAct::WithdrawTermination => {
            done!(withdraw_termination_intent, pb::WithdrawTerminationIntentRequest { request_id, name })
        }
        OfficeAct::Terminate { grounds, reasons } => {
            let message = pb::TerminateStatusRequest { request_id, name, ground_codes: grounds, reasons };
            done!(terminate_status, message)
        }
        OfficeAct::RevokedByLaw { cause, happened_on, findings, relation } => {
            let (cause, happened_on_date) = (code(&cause), happened_on);
            let relation = relation.as_deref().map(code).unwrap_or_default();
            let message = pb::RecordRevocationByLawRequest {
                request_id,
                name,
                cause,
                happened_on_date,
                findings,
                relation,
            };
            done!(record_revocation_by_law, message)
        }
        OfficeAct::Hold { reason, review_by } => {
            let (reason, review_by_date) = (code(&reason), review_by);
            done!(hold_case, pb::HoldCaseRequest { request_id, name, reason, review_by_date })
        }
        OfficeAct::LiftHold { reason } => {
            done!(lift_hold, pb::LiftHoldRequest { request_id, name, reason: code(&reason) })
        }
        OfficeAct::Correct { value } => {
            let (made, reasons) = (true, String::new());
            done!(answer_correction, pb::AnswerCorrectionRequest { request_id, name, made, value, reasons })
        }
        OfficeAct::RefuseCorrection { reasons } => {
            let (made, value) = (false, String::new());
            done!(answer_correction, pb::AnswerCorrectionRequest { request_id, name, made, value, reasons })
        }
        OfficeAct::ReopenOnOwnMotion { favorable, reasons } => {
            let message = pb::ReopenOnOwnMotionRequest { request_id, name, favorable, reasons };
            done!(reopen_on_own_motion, message)
        }
        OfficeAct::Close { cause } => {
            let message = pb::CloseAdministrativelyRequest { request_id, name, cause: code(&cause) };
            done!(close_administratively, message)
        }
        OfficeAct::ReopenClosed => done!(reopen_closed, pb::ReopenClosedRequest { request_id, name }),
        OfficeAct::NoAnswer { thread, cause, last: last_message } => {
            let cause = code(&cause);
            let message = pb::SetMessageAsideRequest { request_id, name, thread, cause, last_message };
            done!(set_message_aside, message)
        }
        OfficeAct::Unassign => done!(unassign_case, pb::UnassignCaseRequest { request_id, name }),
        OfficeAct::ReuseBiometrics { captured_on } => {
            let (cause, captured_on_date) = ("reused".to_owned(), captured_on);
            let message = pb::DispenseBiometricsRequest { request_id, name, cause, captured_on_date };
            done!(dispense_biometrics, message)
        }
        OfficeAct::WaiveBiometrics { cause } => {
            let (cause, captured_on_date) = (code(&cause), String::new());
            let message = pb::DispenseBiometricsRequest { request_id, name, cause, captured_on_date };
            done!(dispense_biometrics, message)
        }
        OfficeAct::CaptureFailed { cause, early } => {
            let (cause, early_by_agreement) = (code(&cause), early);
            let message = pb::RecordFailedCaptureRequest { request_id, name, cause, early_by_agreement };
            done!(record_failed_capture, message)
        }
        OfficeAct::ExcuseAbsence { kind, cause } => {
            let kind = crate::story::appointment_kind(&kind)?.into();
            done!(excuse_absence, pb::ExcuseAbsenceRequest { request_id, name, kind, cause: code(&cause) })
        }
        OfficeAct::Basis { petition, elsewhere, of_principal } => {
            let basis = match petition {
                Some(petition) => {
                    super::inquiries::case_named(connection, token.unwrap_or_default(), &petition).await?
                }
                None => String::new(),
            };
            let note = elsewhere.unwrap_or_default();
            done!(verify_basis, pb::VerifyBasisRequest { request_id, name, basis, note, of_principal })
        }
        OfficeAct::WaiveInterview { criterion } => {
            let criterion = code(&criterion);
            done!(waive_interview, pb::WaiveInterviewRequest { request_id, name, criterion })
        }
    })
}
