//! Requests as the domain wants them: names, dates, times and choices read from the wire.

use docket_kernel::{FieldFault, Refusal};
use docket_proto::case_status::events::v1::RequestedItem;
use docket_proto::case_status::v1 as pb;
use jiff::civil::{Date, Time};

use crate::domain::appointment::Wish;
use crate::domain::decide::{CardStep, NewFacts, Status, TestResult, Verdict};

/// Most characters of a text an officer writes.
const TEXT: usize = 4_000;

/// A command: its id and the case it is about.
pub(crate) trait Command: prost::Message + Default + Clone + 'static {
    /// The rpc's name, which is the policy's action.
    const ACTION: &'static str;

    /// The command's id.
    fn request_id(&self) -> &str;

    /// The case's name.
    fn case_name(&self) -> &str;
}

macro_rules! commands {
    ($($message:ident $action:literal),* $(,)?) => {$(
        impl Command for pb::$message {
            const ACTION: &'static str = $action;

            fn request_id(&self) -> &str {
                &self.request_id
            }

            fn case_name(&self) -> &str {
                &self.name
            }
        }
    )*};
}

commands! {
    AssignCaseRequest "AssignCase",
    AcceptFilingRequest "AcceptFiling",
    RejectFilingRequest "RejectFiling",
    StartReviewRequest "StartReview",
    ScheduleAppointmentRequest "ScheduleAppointment",
    RescheduleAppointmentRequest "RescheduleAppointment",
    RecordBiometricsRequest "RecordBiometrics",
    RecordMissedAppointmentRequest "RecordMissedAppointment",
    TransferCaseRequest "TransferCase",
    RecordBackgroundCheckRequest "RecordBackgroundCheck",
    RecordInterviewRequest "RecordInterview",
    RequestEvidenceRequest "RequestEvidence",
    IntendDenialRequest "IntendDenial",
    RecommendDecisionRequest "RecommendDecision",
    DecideCaseRequest "DecideCase",
    CompleteReverificationRequest "CompleteReverification",
    RecordOathRequest "RecordOath",
    IssueCertificateRequest "IssueCertificate",
    WithdrawCaseRequest "WithdrawCase",
    ReopenCaseRequest "ReopenCase",
    DecideFeeWaiverRequest "DecideFeeWaiver",
    VoidAcceptanceRequest "VoidAcceptance",
    OrderCardRequest "OrderCard",
    RecordCardRequest "RecordCard",
    ConfirmAddressRequest "ConfirmAddress",
    RequestExpediteRequest "RequestExpedite",
    AnswerExpediteRequest "AnswerExpedite",
    SendInquiryRequest "SendInquiry",
    AnswerInquiryRequest "AnswerInquiry",
    RecordAddresseeSoughtRequest "RecordAddresseeSought",
    IntendRevocationRequest "IntendRevocation",
    WithdrawRevocationIntentRequest "WithdrawRevocationIntent",
    RevokeApprovalRequest "RevokeApproval",
    ReopenOnOwnMotionRequest "ReopenOnOwnMotion",
    CloseAdministrativelyRequest "CloseAdministratively",
    ReopenClosedRequest "ReopenClosed",
    UnassignCaseRequest "UnassignCase",
    SetMessageAsideRequest "SetMessageAside",
    DispenseBiometricsRequest "DispenseBiometrics",
    RecordFailedCaptureRequest "RecordFailedCapture",
    ExcuseAbsenceRequest "ExcuseAbsence",
    WaiveInterviewRequest "WaiveInterview",
    VerifyBasisRequest "VerifyBasis",
    IntendTerminationRequest "IntendTermination",
    WithdrawTerminationIntentRequest "WithdrawTerminationIntent",
    TerminateStatusRequest "TerminateStatus",
    HoldCaseRequest "HoldCase",
    LiftHoldRequest "LiftHold",
    RecordRevocationByLawRequest "RecordRevocationByLaw",
    AskCorrectionRequest "AskCorrection",
    AnswerCorrectionRequest "AnswerCorrection",
}

/// What an appointment is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Biometrics.
    Biometrics,
    /// Interview.
    Interview,
    /// Oath.
    Oath,
}

impl Kind {
    /// The kind on the wire.
    ///
    /// # Errors
    /// `KIND_UNKNOWN`.
    pub(crate) fn read(kind: i32) -> Result<Self, Refusal> {
        match pb::AppointmentKind::try_from(kind) {
            Ok(pb::AppointmentKind::Biometrics) => Ok(Self::Biometrics),
            Ok(pb::AppointmentKind::Interview) => Ok(Self::Interview),
            Ok(pb::AppointmentKind::Oath) => Ok(Self::Oath),
            Ok(pb::AppointmentKind::Unspecified) | Err(_) => Err(Refusal::invalid(
                "kind",
                "KIND_UNKNOWN",
                "Say which appointment: biometrics, interview or oath.",
            )),
        }
    }

    /// What an office hosts.
    pub(crate) fn hosted(self) -> &'static str {
        match self {
            Self::Biometrics => "biometrics",
            Self::Interview => "interview",
            Self::Oath => "oath",
        }
    }
}

/// The day and time asked for; empty ones are left to the office.
///
/// # Errors
/// Each field that is malformed.
pub(crate) fn wish(date: &str, time: &str) -> Result<Wish, Refusal> {
    let mut faults = Vec::new();
    let date: Option<Date> = optional(date, &mut faults, || date_malformed("date"));
    let time: Option<Time> = optional(time, &mut faults, || {
        FieldFault::new("time", "TIME_MALFORMED", "Write the time as hours and minutes, such as 09:30.")
    });
    if faults.is_empty() { Ok(Wish { date, time }) } else { Err(Refusal::faults(faults)) }
}

/// A day that has to be given.
///
/// # Errors
/// `DATE_MALFORMED`.
pub(crate) fn date(field: &str, text: &str) -> Result<Date, Refusal> {
    text.parse().map_err(|_malformed| Refusal::faults(vec![date_malformed(field)]))
}

fn date_malformed(field: &str) -> FieldFault {
    FieldFault::new(field, "DATE_MALFORMED", "Write the day as year-month-day, such as 2026-12-08.")
}

fn optional<T: std::str::FromStr>(
    text: &str,
    faults: &mut Vec<FieldFault>,
    fault: impl FnOnce() -> FieldFault,
) -> Option<T> {
    if text.is_empty() {
        return None;
    }
    let read = text.parse().ok();
    if read.is_none() {
        faults.push(fault());
    }
    read
}

/// A text within bounds.
///
/// # Errors
/// `TOO_LONG`.
pub(crate) fn bounded<'a>(field: &str, text: &'a str) -> Result<&'a str, Refusal> {
    if text.chars().count() > TEXT {
        return Err(Refusal::invalid(field, "TOO_LONG", format!("Write at most {TEXT} characters.")));
    }
    Ok(text)
}

/// The parts of the test.
pub(crate) fn tests(parts: &[pb::TestPart]) -> Vec<TestResult> {
    parts.iter().map(|test| TestResult { part: test.part.clone(), passed: test.passed }).collect()
}

/// The items asked for.
pub(crate) fn items(items: &[pb::request_evidence_request::Item]) -> Vec<RequestedItem> {
    items.iter().map(|item| RequestedItem { code: item.code.clone(), reason: item.reason.clone() }).collect()
}

/// What an officer recommends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recommended {
    /// To approve.
    Approve,
    /// To deny.
    Deny,
    /// To refer to the immigration court.
    Refer,
}

/// What is recommended.
///
/// # Errors
/// `RECOMMENDATION_UNKNOWN`.
pub(crate) fn recommended(recommendation: &str) -> Result<Recommended, Refusal> {
    match recommendation {
        "approve" => Ok(Recommended::Approve),
        "deny" => Ok(Recommended::Deny),
        "refer" => Ok(Recommended::Refer),
        _ => {
            let message = "Recommend approve, deny or refer.";
            Err(Refusal::invalid("recommendation", "RECOMMENDATION_UNKNOWN", message))
        }
    }
}

/// What the second officer says.
///
/// # Errors
/// `DECISION_UNKNOWN`, `TOO_LONG`, `STATUS_UNKNOWN`, `NEW_FACTS_UNKNOWN`.
pub(crate) fn verdict(request: &pb::DecideCaseRequest) -> Result<Verdict, Refusal> {
    let ground_codes = request.ground_codes.clone();
    let reasons = || bounded("reasons", &request.reasons).map(str::to_owned);
    let status = || status(&request.applicant_status);
    match request.decision.as_str() {
        "approve" => Ok(Verdict::Approve),
        "deny" => Ok(Verdict::Deny {
            ground_codes,
            reasons: reasons()?,
            status: status()?,
            new_facts: new_facts(&request.new_facts)?,
        }),
        "refer" => Ok(Verdict::Refer { ground_codes, reasons: reasons()?, status: status()? }),
        "return" => Ok(Verdict::Return),
        _ => Err(Refusal::invalid("decision", "DECISION_UNKNOWN", "Decide approve, deny, refer or return.")),
    }
}

fn status(status: &str) -> Result<Option<Status>, Refusal> {
    match status {
        "" => Ok(None),
        "lawful" => Ok(Some(Status::Lawful)),
        "none" => Ok(Some(Status::None)),
        _ => {
            let message = "Say the status as lawful or none.";
            Err(Refusal::invalid("applicant_status", "STATUS_UNKNOWN", message))
        }
    }
}

fn new_facts(facts: &str) -> Result<Option<NewFacts>, Refusal> {
    match facts {
        "" => Ok(None),
        "none" => Ok(Some(NewFacts::Absent)),
        "told" => Ok(Some(NewFacts::Told)),
        _ => Err(Refusal::invalid(
            "new_facts",
            "NEW_FACTS_UNKNOWN",
            "Say of new facts that there are none, or that they were told.",
        )),
    }
}

/// What happened to a card.
///
/// # Errors
/// `CARD_STEP_UNKNOWN`.
pub(crate) fn card_step(request: &pb::RecordCardRequest) -> Result<CardStep, Refusal> {
    Ok(match request.step.as_str() {
        "produced" => CardStep::Produced,
        "mailed" => CardStep::Mailed {
            carrier: request.carrier.clone(),
            tracking_number: request.tracking_number.clone(),
        },
        "delivered" => CardStep::Delivered,
        "returned" => CardStep::Returned { cause: request.cause.clone() },
        "destroyed" => CardStep::Destroyed,
        _ => {
            let message = "Say what happened: produced, mailed, delivered, returned or destroyed.";
            return Err(Refusal::invalid("step", "CARD_STEP_UNKNOWN", message));
        }
    })
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn every_malformed_field_is_named_at_once() {
        let refusal = wish("tomorrow", "nine").unwrap_err();
        let reasons: Vec<&str> = refusal.faults.iter().map(|fault| fault.reason.as_str()).collect();
        assert_eq!(reasons, ["DATE_MALFORMED", "TIME_MALFORMED"]);
        let empty = wish("", "").unwrap();
        assert!(empty.date.is_none() && empty.time.is_none());
        assert_eq!(wish("2026-12-08", "09:30").unwrap().time, Some(jiff::civil::time(9, 30, 0, 0)));
    }

    #[test]
    fn choices_are_read_or_refused() {
        assert_eq!(Kind::read(0).unwrap_err().reason, "KIND_UNKNOWN");
        assert_eq!(Kind::read(3).unwrap(), Kind::Oath);
        assert_eq!(recommended("maybe").unwrap_err().reason, "RECOMMENDATION_UNKNOWN");
        assert_eq!(recommended("refer").unwrap(), Recommended::Refer);
        let decide =
            |decision: &str| pb::DecideCaseRequest { decision: decision.into(), ..Default::default() };
        assert_eq!(verdict(&decide("return")).unwrap(), Verdict::Return);
        assert_eq!(verdict(&decide("")).unwrap_err().reason, "DECISION_UNKNOWN");
        let stated =
            |status: &str| pb::DecideCaseRequest { applicant_status: status.into(), ..decide("refer") };
        assert_eq!(verdict(&stated("expired")).unwrap_err().reason, "STATUS_UNKNOWN");
        for (status, read) in [("", None), ("lawful", Some(Status::Lawful)), ("none", Some(Status::None))] {
            assert!(
                matches!(verdict(&stated(status)).unwrap(), Verdict::Refer { status, .. } if status == read)
            );
        }
        let denied = |facts: &str| pb::DecideCaseRequest { new_facts: facts.into(), ..decide("deny") };
        assert_eq!(verdict(&denied("guessed")).unwrap_err().reason, "NEW_FACTS_UNKNOWN");
        for (facts, read) in [("", None), ("none", Some(NewFacts::Absent)), ("told", Some(NewFacts::Told))] {
            assert!(
                matches!(verdict(&denied(facts)).unwrap(), Verdict::Deny { new_facts, .. } if new_facts == read)
            );
        }
        let step = |step: &str| pb::RecordCardRequest { step: step.into(), ..Default::default() };
        assert_eq!(card_step(&step("produced")).unwrap(), CardStep::Produced);
        assert_eq!(card_step(&step("lost")).unwrap_err().reason, "CARD_STEP_UNKNOWN");
        assert_eq!(bounded("reasons", &"x".repeat(4_001)).unwrap_err().reason, "TOO_LONG");
    }
}
