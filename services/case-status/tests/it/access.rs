//! Every rpc × every role: who is let through to the decision, and who is not.

use docket_proto::METHODS;
use docket_proto::case_status::v1 as pb;
use tonic::{Code, Status};

use crate::people::{Someone, command, id};
use crate::world::World;

/// How an rpc answers somebody, as far as access goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// Let through, whatever then comes.
    Through,
    /// `PERMISSION_DENIED` by the policy.
    Denied,
    /// As if there were no such case.
    NotFound,
    /// No token.
    Unknown,
}

fn judge<T>(answer: Result<T, Status>) -> Answer {
    match answer {
        Err(status) if status.code() == Code::NotFound => Answer::NotFound,
        Err(status) if status.code() == Code::Unauthenticated => Answer::Unknown,
        Err(status)
            if status.code() == Code::PermissionDenied
                && crate::people::reason(&status) == "NOT_YOUR_ACT" =>
        {
            Answer::Denied
        }
        _ => Answer::Through,
    }
}

macro_rules! ask {
    ($person:expr, $client:ident, $rpc:ident, $message:expr) => {
        judge($person.$client.clone().$rpc($person.ask($message)).await)
    };
}

/// Calls an rpc by its path, with a message that is well formed but mostly empty.
async fn call(person: &Someone, path: &str, case: &str) -> Answer {
    let name = case.to_owned();
    let request_id = id();
    match path.rsplit('/').next().unwrap() {
        "AssignCase" => {
            // To nobody who could have it, or the case would change hands.
            let officer = format!("accounts/{}", uuid::Uuid::new_v4());
            ask!(person, cases, assign_case, pb::AssignCaseRequest { request_id, name, officer })
        }
        "AcceptFiling" => ask!(person, cases, accept_filing, pb::AcceptFilingRequest { request_id, name }),
        "RejectFiling" => {
            ask!(person, cases, reject_filing, pb::RejectFilingRequest { request_id, name, codes: vec![] })
        }
        "StartReview" => ask!(person, cases, start_review, pb::StartReviewRequest { request_id, name }),
        "ScheduleAppointment" | "ListFreeSlots" | "RescheduleAppointment" | "RecordMissedAppointment" => {
            at_an_appointment(person, path, name).await
        }
        "RecordBiometrics" => {
            let message = pb::RecordBiometricsRequest { request_id, name, ..Default::default() };
            ask!(person, cases, record_biometrics, message)
        }
        "TransferCase" => {
            let message = pb::TransferCaseRequest { request_id, name, ..Default::default() };
            ask!(person, cases, transfer_case, message)
        }
        "RecordBackgroundCheck" => {
            let message = pb::RecordBackgroundCheckRequest { request_id, name, ..Default::default() };
            ask!(person, cases, record_background_check, message)
        }
        "RecordInterview" => {
            let message = pb::RecordInterviewRequest { request_id, name, ..Default::default() };
            ask!(person, cases, record_interview, message)
        }
        "RequestEvidence" => {
            let message = pb::RequestEvidenceRequest { request_id, name, ..Default::default() };
            ask!(person, cases, request_evidence, message)
        }
        "IntendDenial" => {
            let message = pb::IntendDenialRequest { request_id, name, ..Default::default() };
            ask!(person, cases, intend_denial, message)
        }
        "RecommendDecision" => {
            let message = pb::RecommendDecisionRequest { request_id, name, ..Default::default() };
            ask!(person, cases, recommend_decision, message)
        }
        "DecideCase" => {
            ask!(person, cases, decide_case, pb::DecideCaseRequest { request_id, name, ..Default::default() })
        }
        "CompleteReverification" => {
            let message = pb::CompleteReverificationRequest { request_id, name };
            ask!(person, cases, complete_reverification, message)
        }
        "RecordOath" => {
            ask!(person, cases, record_oath, pb::RecordOathRequest { request_id, name, ..Default::default() })
        }
        "IssueCertificate" => {
            let message = pb::IssueCertificateRequest { request_id, name, ..Default::default() };
            ask!(person, cases, issue_certificate, message)
        }
        "DecideFeeWaiver" => {
            let granted = true;
            ask!(person, cases, decide_fee_waiver, pb::DecideFeeWaiverRequest { request_id, name, granted })
        }
        "VoidAcceptance" => {
            let message = pb::VoidAcceptanceRequest { request_id, name, ..Default::default() };
            ask!(person, cases, void_acceptance, message)
        }
        "ReopenCase" => {
            let motion = name.clone();
            ask!(person, cases, reopen_case, pb::ReopenCaseRequest { request_id, name, motion })
        }
        "OrderCard" => ask!(person, cases, order_card, pb::OrderCardRequest { request_id, name }),
        "RecordCard" => {
            let message = pb::RecordCardRequest { request_id, name, ..Default::default() };
            ask!(person, cases, record_card, message)
        }
        "ConfirmAddress" => {
            ask!(person, cases, confirm_address, pb::ConfirmAddressRequest { request_id, name })
        }
        "RecordAddresseeSought" => {
            let message = pb::RecordAddresseeSoughtRequest { request_id, name, ..Default::default() };
            ask!(person, cases, record_addressee_sought, message)
        }
        "RequestExpedite" | "AnswerExpedite" | "SendInquiry" | "AnswerInquiry" | "ListInquiries" => {
            ask_or_answer(person, path, name).await
        }
        // Last act on a case: only those who may not are asked, the party withdraws in a test of its own.
        "WithdrawCase" => {
            let name = format!("{name}x");
            ask!(person, cases, withdraw_case, pb::WithdrawCaseRequest { request_id, name })
        }
        "GetCase" => ask!(person, status, get_case, pb::GetCaseRequest { name, ..Default::default() }),
        "ListCases" => ask!(person, status, list_cases, pb::ListCasesRequest::default()),
        "ListTimeline" => {
            ask!(person, status, list_timeline, pb::ListTimelineRequest { name, ..Default::default() })
        }
        "WatchCase" => ask!(person, status, watch_case, pb::WatchCaseRequest { name, ..Default::default() }),
        "ListWorklist" => ask!(person, status, list_worklist, pb::ListWorklistRequest::default()),
        "GetPublicStatus" => ask!(person, status, get_public_status, pb::GetPublicStatusRequest::default()),
        other => panic!("{other} stands in no authorization test"),
    }
}

/// [`call`] for appointments.
async fn at_an_appointment(person: &Someone, path: &str, name: String) -> Answer {
    let request_id = id();
    match path.rsplit('/').next().unwrap() {
        "ScheduleAppointment" => {
            let message = pb::ScheduleAppointmentRequest { request_id, name, kind: 3, ..Default::default() };
            ask!(person, cases, schedule_appointment, message)
        }
        "ListFreeSlots" => ask!(person, cases, list_free_slots, pb::ListFreeSlotsRequest { name, kind: 1 }),
        "RescheduleAppointment" => {
            let message =
                pb::RescheduleAppointmentRequest { request_id, name, kind: 3, ..Default::default() };
            ask!(person, cases, reschedule_appointment, message)
        }
        _ => {
            let message = pb::RecordMissedAppointmentRequest { request_id, name, kind: 2 };
            ask!(person, cases, record_missed_appointment, message)
        }
    }
}

/// The same for what the office does of its own accord, and reads alone.
async fn of_own_accord(person: &Someone, path: &str, name: String) -> Answer {
    let request_id = id();
    match path.rsplit('/').next().unwrap() {
        "IntendRevocation" => {
            let message = pb::IntendRevocationRequest { request_id, name, ..Default::default() };
            ask!(person, office, intend_revocation, message)
        }
        "WithdrawRevocationIntent" => {
            let message = pb::WithdrawRevocationIntentRequest { request_id, name };
            ask!(person, office, withdraw_revocation_intent, message)
        }
        "RevokeApproval" => {
            let message = pb::RevokeApprovalRequest { request_id, name, ..Default::default() };
            ask!(person, office, revoke_approval, message)
        }
        "ReopenOnOwnMotion" => {
            let message = pb::ReopenOnOwnMotionRequest { request_id, name, ..Default::default() };
            ask!(person, office, reopen_on_own_motion, message)
        }
        "CloseAdministratively" => {
            let message = pb::CloseAdministrativelyRequest { request_id, name, ..Default::default() };
            ask!(person, office, close_administratively, message)
        }
        "ReopenClosed" => ask!(person, office, reopen_closed, pb::ReopenClosedRequest { request_id, name }),
        // As a withdrawal below, or the case would change hands: a supervisor of any office comes as far as the name.
        "UnassignCase" => {
            let name = format!("{name}x");
            ask!(person, office, unassign_case, pb::UnassignCaseRequest { request_id, name })
        }
        "SetMessageAside" => {
            let message = pb::SetMessageAsideRequest { request_id, name, ..Default::default() };
            ask!(person, office, set_message_aside, message)
        }
        "DispenseBiometrics" => {
            let message = pb::DispenseBiometricsRequest { request_id, name, ..Default::default() };
            ask!(person, office, dispense_biometrics, message)
        }
        "RecordFailedCapture" => {
            let message = pb::RecordFailedCaptureRequest { request_id, name, ..Default::default() };
            ask!(person, office, record_failed_capture, message)
        }
        "ExcuseAbsence" => {
            let message = pb::ExcuseAbsenceRequest { request_id, name, kind: 1, ..Default::default() };
            ask!(person, office, excuse_absence, message)
        }
        "WaiveInterview" => {
            let message = pb::WaiveInterviewRequest { request_id, name, ..Default::default() };
            ask!(person, office, waive_interview, message)
        }
        "VerifyBasis" => {
            let message = pb::VerifyBasisRequest { request_id, name, ..Default::default() };
            ask!(person, office, verify_basis, message)
        }
        "IntendTermination" => {
            let message = pb::IntendTerminationRequest { request_id, name, ..Default::default() };
            ask!(person, office, intend_termination, message)
        }
        "WithdrawTerminationIntent" => {
            let message = pb::WithdrawTerminationIntentRequest { request_id, name };
            ask!(person, office, withdraw_termination_intent, message)
        }
        "TerminateStatus" => {
            let message = pb::TerminateStatusRequest { request_id, name, ..Default::default() };
            ask!(person, office, terminate_status, message)
        }
        "HoldCase" => {
            let message = pb::HoldCaseRequest { request_id, name, ..Default::default() };
            ask!(person, office, hold_case, message)
        }
        "LiftHold" => {
            let message = pb::LiftHoldRequest { request_id, name, ..Default::default() };
            ask!(person, office, lift_hold, message)
        }
        "RecordRevocationByLaw" => {
            let message = pb::RecordRevocationByLawRequest { request_id, name, ..Default::default() };
            ask!(person, office, record_revocation_by_law, message)
        }
        "AskCorrection" => {
            let message = pb::AskCorrectionRequest { request_id, name, ..Default::default() };
            ask!(person, office, ask_correction, message)
        }
        "AnswerCorrection" => {
            let message = pb::AnswerCorrectionRequest { request_id, name, ..Default::default() };
            ask!(person, office, answer_correction, message)
        }
        _ => ask!(person, office, list_searches, pb::ListSearchesRequest { name }),
    }
}

/// [`call`] for what a party asks in its case, and what the office answers.
async fn ask_or_answer(person: &Someone, path: &str, name: String) -> Answer {
    let request_id = id();
    match path.rsplit('/').next().unwrap() {
        "RequestExpedite" => {
            let message = pb::RequestExpediteRequest { request_id, name, ..Default::default() };
            ask!(person, cases, request_expedite, message)
        }
        "AnswerExpedite" => {
            let message = pb::AnswerExpediteRequest { request_id, name, ..Default::default() };
            ask!(person, cases, answer_expedite, message)
        }
        "SendInquiry" => {
            let message = pb::SendInquiryRequest { request_id, name, ..Default::default() };
            ask!(person, cases, send_inquiry, message)
        }
        "AnswerInquiry" => {
            let message = pb::AnswerInquiryRequest { request_id, name, ..Default::default() };
            ask!(person, cases, answer_inquiry, message)
        }
        _ => ask!(person, cases, list_inquiries, pb::ListInquiriesRequest { name }),
    }
}

/// Columns: anonymous, stranger, applicant, other adjudicator, assigned adjudicator, supervisor, supervisor elsewhere,
/// biometrics officer of the site, intake officer. T through, D denied, N not found, U unauthenticated.
const TABLE: [(&str, &str); 60] = [
    ("AssignCase", "UDDDDTNDD"),
    ("AcceptFiling", "UDDDDTNDN"),
    ("RejectFiling", "UDDDDTNDN"),
    ("StartReview", "UDDNTDNDD"),
    ("ScheduleAppointment", "UDDNTTNDD"),
    ("ListFreeSlots", "UNTNTTNDN"),
    ("RescheduleAppointment", "UNTNTTNDN"),
    ("RecordBiometrics", "UDDDDDDTD"),
    ("RecordMissedAppointment", "UDDNTTNTD"),
    ("TransferCase", "UDDNTTNDD"),
    ("RecordBackgroundCheck", "UDDNTDNDD"),
    ("RecordInterview", "UDDNTTNDD"),
    ("RequestEvidence", "UDDNTTNDD"),
    ("IntendDenial", "UDDNTTNDD"),
    ("RecommendDecision", "UDDNTDNDD"),
    ("DecideCase", "UDDNTTNDD"),
    ("CompleteReverification", "UDDNTTNDD"),
    ("RecordOath", "UDDDDDDDD"),
    ("IssueCertificate", "UDDDDDDDD"),
    ("DecideFeeWaiver", "UDDDDTNDN"),
    ("VoidAcceptance", "UDDNTTNDD"),
    ("ReopenCase", "UDDDDTNDD"),
    ("OrderCard", "UDDNTTNDD"),
    ("RecordCard", "UDDDDDDDD"),
    ("ConfirmAddress", "UNTNDDNDN"),
    ("RequestExpedite", "UNTNDDNDN"),
    ("AnswerExpedite", "UDDNTTNDD"),
    ("SendInquiry", "UNTNDDNDN"),
    ("AnswerInquiry", "UDDNTTNDD"),
    ("ListInquiries", "UNTNTTNDN"),
    ("RecordAddresseeSought", "UDDNTTNDD"),
    ("IntendRevocation", "UDDNTTNDD"),
    ("WithdrawRevocationIntent", "UDDNTTNDD"),
    ("RevokeApproval", "UDDNTTNDD"),
    ("ReopenOnOwnMotion", "UDDDDTNDD"),
    ("CloseAdministratively", "UDDNTTNDD"),
    ("ReopenClosed", "UDDNTTNDD"),
    ("SetMessageAside", "UDDNTTNDD"),
    ("UnassignCase", "UDDDDTTDD"),
    ("DispenseBiometrics", "UDDNTTNDD"),
    ("RecordFailedCapture", "UDDDDDDTD"),
    ("ExcuseAbsence", "UDDNTTNDD"),
    ("WaiveInterview", "UDDNTTNDD"),
    ("VerifyBasis", "UDDNTTNDD"),
    ("IntendTermination", "UDDNTTNDD"),
    ("WithdrawTerminationIntent", "UDDNTTNDD"),
    ("TerminateStatus", "UDDNTTNDD"),
    ("HoldCase", "UDDNTTNDD"),
    ("LiftHold", "UDDNTTNDD"),
    ("RecordRevocationByLaw", "UDDNTTNDD"),
    ("AskCorrection", "UNTNDDNDN"),
    ("AnswerCorrection", "UDDNTTNDD"),
    ("ListSearches", "UDDNTTNDD"),
    ("WithdrawCase", "UTTTTTTTT"),
    ("GetCase", "UNTNTTNNN"),
    ("ListCases", "UTTTTTTTT"),
    ("ListTimeline", "UNTNTTNNN"),
    ("WatchCase", "UNTNTTNNN"),
    ("ListWorklist", "UDDTTTTTT"),
    ("GetPublicStatus", "TTTTTTTTT"),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_rpc_lets_through_whom_its_policy_names() {
    let world = World::start().await;
    let ana = world.person(&[]).await;
    let ito = world.person(&[("adjudicator", "NBC")]).await;
    let sam = world.person(&[("supervisor", "NBC")]).await;
    let name = format!("cases/{}", world.submit(&ana, 40).await);
    world.until(|| ana.case(&name, 0), |case| case.version == 3).await;
    let officer = format!("accounts/{}", ito.account);
    command!(sam, assign_case, AssignCaseRequest { name: name.clone(), officer: officer }).unwrap();
    let done =
        command!(ito, schedule_appointment, ScheduleAppointmentRequest { name: name.clone(), kind: 1 });
    let version = done.unwrap().case.unwrap().version;
    world.until(|| ana.case(&name, 0), |case| case.version == version).await;

    let mut people = vec![world.anonymous(), world.person(&[]).await, ana.clone()];
    people.push(world.person(&[("adjudicator", "NBC")]).await);
    people.extend([ito, sam]);
    people.push(world.person(&[("supervisor", "FO-NYC")]).await);
    people.push(world.person(&[("biometrics_officer", "ASC-NYC")]).await);
    people.push(world.person(&[("intake_officer", "NBC")]).await);
    let people: Vec<Someone> = people.iter().map(|person| stepped_up(&world, person)).collect();

    let ours =
        |service: &str| ["CaseCommandService", "CaseOfficeService", "StatusService"].contains(&service);
    let methods = METHODS.iter().filter(|method| {
        let service = method.path.split('/').nth(1).and_then(|service| service.rsplit('.').next());
        service.is_some_and(ours)
    });
    let mut seen = 0;
    let mut wrong = Vec::new();
    for method in methods {
        let rpc = method.path.rsplit('/').next().unwrap();
        let (_, row) =
            TABLE.iter().find(|(name, _)| *name == rpc).unwrap_or_else(|| panic!("{rpc} has no row"));
        let mut answers = String::new();
        for person in &people {
            let answer = if method.path.contains("CaseOfficeService") {
                of_own_accord(person, method.path, name.clone()).await
            } else {
                call(person, method.path, &name).await
            };
            answers.push(match answer {
                Answer::Through => 'T',
                Answer::Denied => 'D',
                Answer::NotFound => 'N',
                Answer::Unknown => 'U',
            });
        }
        if answers != *row {
            wrong.push(format!("{rpc}: expected {row}, was {answers}"));
        }
        seen += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(seen, TABLE.len());
}

fn stepped_up(world: &World, person: &Someone) -> Someone {
    if person.token.is_empty() { person.clone() } else { world.stepped_up(person) }
}
