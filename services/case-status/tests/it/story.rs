//! A naturalization from submission to certificate, as each person sees it.

use docket_proto::case_status::v1::{AppointmentKind, TestPart, request_evidence_request::Item};
use tonic::Code;

use crate::people::{command, reason};
use crate::world::World;

const BIOMETRICS: i32 = AppointmentKind::Biometrics as i32;
const INTERVIEW: i32 = AppointmentKind::Interview as i32;
const OATH: i32 = AppointmentKind::Oath as i32;

pub(crate) fn tests() -> Vec<TestPart> {
    ["reading", "writing", "speaking", "civics"]
        .map(|part| TestPart { part: part.into(), passed: true })
        .to_vec()
}

fn items() -> Vec<Item> {
    vec![Item { code: "tax_transcripts".into(), reason: "missing".into() }]
}

/// The last version of an answer.
macro_rules! version {
    ($answer:expr) => {
        $answer.unwrap().case.unwrap().version
    };
}

#[expect(clippy::too_many_lines, reason = "a story is told in one piece")]
#[tokio::test(flavor = "multi_thread")]
async fn a_naturalization_goes_from_submission_to_certificate() {
    let world = World::start().await;
    let (ana, zoe) = (world.person(&[]).await, world.person(&[]).await);
    let ito = world.person(&[("adjudicator", "NBC")]).await;
    let sam = world.person(&[("supervisor", "NBC")]).await;
    let bea = world.person(&[("biometrics_officer", "ASC-NYC")]).await;
    let oli = world.person(&[("oath_officer", "FO-NYC")]).await;

    let filing = world.submit(&ana, 40).await;
    let name = format!("cases/{filing}");
    let case = world.until(|| ana.case(&name, 0), |case| case.version == 3).await;
    assert_eq!((case.title_id.as_str(), case.stage.as_str(), case.version), ("32", "accepted", 3));
    assert!(case.explanation.contains(&case.receipt_number));
    assert_eq!(ana.case(&case.receipt_number, 0).await.unwrap().name, name);
    assert_eq!(zoe.case(&name, 0).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(zoe.case(&case.receipt_number, 0).await.unwrap_err().code(), Code::NotFound);
    assert!(zoe.listed().await.is_empty());

    // The office takes it up.
    let refused = command!(ito, start_review, StartReviewRequest { name: name.clone() }).unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    let officer = format!("accounts/{}", ito.account);
    version!(command!(sam, assign_case, AssignCaseRequest { name: name.clone(), officer: officer }));
    let at = version!(command!(
        ito,
        schedule_appointment,
        ScheduleAppointmentRequest { name: name.clone(), kind: BIOMETRICS }
    ));
    let case = ana.case(&name, at).await.unwrap();
    assert_eq!((case.title_id.as_str(), case.version), ("26", at));
    assert!(case.officer.is_empty());
    assert!(!ana.lines(&name, 0).await.unwrap().contains(&"assigned".to_owned()));
    assert!(ito.lines(&name, 0).await.unwrap().contains(&"assigned".to_owned()));

    // The party moves it; the site captures earlier, as agreed.
    let slots = command_slots(&ana, &name).await;
    let moved = command!(
        ana,
        reschedule_appointment,
        RescheduleAppointmentRequest {
            name: name.clone(),
            kind: BIOMETRICS,
            date: slots.0,
            time: slots.1,
            cause: "travel".into(),
        }
    );
    assert!(moved.unwrap().appointment.is_some());
    assert_eq!(world.until(|| bea.queue("office"), |queue| queue.1 == 1).await.0, ["record_biometrics"]);
    let early = command!(bea, record_biometrics, RecordBiometricsRequest { name: name.clone() }).unwrap_err();
    assert_eq!((early.code(), reason(&early).as_str()), (Code::FailedPrecondition, "TOO_EARLY"));
    let at = version!(command!(
        bea,
        record_biometrics,
        RecordBiometricsRequest { name: name.clone(), early_by_agreement: true }
    ));
    assert_eq!(ito.case(&name, at).await.unwrap().title_id, "28");
    let at = version!(command!(
        ito,
        record_background_check,
        RecordBackgroundCheckRequest {
            name: name.clone(),
            system: "fbi_fingerprint".into(),
            result_class: "no_record".into(),
        }
    ));
    // The office sees the answer; what the party sees did not move.
    assert_eq!(ito.case(&name, at).await.unwrap().version, at);
    assert_eq!(ana.case(&name, 0).await.unwrap().version, at - 2);
    let at = version!(command!(ito, start_review, StartReviewRequest { name: name.clone() }));
    assert_eq!(ana.case(&name, at).await.unwrap().title_id, "31");

    // Interview, tests, and what is missing.
    version!(command!(
        ito,
        schedule_appointment,
        ScheduleAppointmentRequest { name: name.clone(), kind: INTERVIEW }
    ));
    version!(command!(
        ito,
        record_interview,
        RecordInterviewRequest { name: name.clone(), tests: tests(), early_by_agreement: true }
    ));
    let asked = command!(
        ito,
        request_evidence,
        RequestEvidenceRequest {
            name: name.clone(),
            kind: "n14".into(),
            items: items(),
            explanation: "Please send it.".into(),
        }
    )
    .unwrap();
    assert_eq!(asked.deadline.as_ref().unwrap().derivation, "2026-11-24 + 30d = 2026-12-24 Thu");
    let case = ana.case(&name, asked.case.unwrap().version).await.unwrap();
    assert_eq!((case.title_id.as_str(), case.request.as_str()), ("17", asked.request.as_str()));
    let open = command!(
        ito,
        recommend_decision,
        RecommendDecisionRequest { name: name.clone(), recommendation: "approve".into() }
    );
    assert_eq!(reason(&open.unwrap_err()), "REQUEST_OPEN");
    let request_id = asked.request.trim_start_matches("requests/").parse().unwrap();
    world.notice(filing, "continuation", Some(request_id)).await;
    world.until(|| ana.lines(&name, 0), |lines| lines.contains(&"request_served".to_owned())).await;
    world.respond(filing, request_id).await;
    let case = world.until(|| ana.case(&name, 0), |case| case.title_id == "20").await;
    assert!(case.request.is_empty());

    // Two officers decide.
    let at = version!(command!(
        ito,
        recommend_decision,
        RecommendDecisionRequest { name: name.clone(), recommendation: "approve".into() }
    ));
    assert_eq!(ana.case(&name, at).await.unwrap().title_id, "16");
    let weak =
        command!(sam, decide_case, DecideCaseRequest { name: name.clone(), decision: "approve".into() })
            .unwrap_err();
    assert_eq!(reason(&weak), "STEP_UP_REQUIRED");
    let (ito_up, sam_up) = (world.stepped_up(&ito), world.stepped_up(&sam));
    let same =
        command!(ito_up, decide_case, DecideCaseRequest { name: name.clone(), decision: "approve".into() })
            .unwrap_err();
    assert_eq!((same.code(), reason(&same).as_str()), (Code::PermissionDenied, "SAME_OFFICER"));
    let at = version!(command!(
        sam_up,
        decide_case,
        DecideCaseRequest { name: name.clone(), decision: "approve".into() }
    ));
    assert_eq!(ana.case(&name, at).await.unwrap().title_id, "14");
    version!(command!(sam, complete_reverification, CompleteReverificationRequest { name: name.clone() }));
    let at = version!(command!(
        ito,
        schedule_appointment,
        ScheduleAppointmentRequest { name: name.clone(), kind: OATH }
    ));
    assert_eq!(ana.case(&name, at).await.unwrap().title_id, "12");
    version!(command!(oli, record_oath, RecordOathRequest { name: name.clone(), early_by_agreement: true }));
    let at = version!(command!(
        oli,
        issue_certificate,
        IssueCertificateRequest { name: name.clone(), certificate_number: "99000001".into() }
    ));
    let case = ana.case(&name, at).await.unwrap();
    assert_eq!((case.title_id.as_str(), case.stage.as_str()), ("11", "closed"));

    assert_eq!(ana.lines(&name, 0).await.unwrap(), PARTY_LINES);
    let hidden = ito.lines(&name, 0).await.unwrap().len() - PARTY_LINES.len();
    assert_eq!(hidden, 5, "assigned, check started and returned, recommended, reviewed");
    assert_eq!(zoe.case(&name, 0).await.unwrap_err().code(), Code::NotFound);
}

const PARTY_LINES: [&str; 22] = [
    "opened",
    "filing_accepted",
    "biometrics_needed",
    "biometrics_scheduled",
    "biometrics_rescheduled",
    "biometrics_taken",
    "review_started",
    "interview_scheduled",
    "interview_completed",
    "test_taken",
    "test_taken",
    "test_taken",
    "test_taken",
    "examination_continued",
    "notice_recorded",
    "request_served",
    "response_recorded",
    "approved",
    "reverification_completed",
    "oath_scheduled",
    "oath_taken",
    "certificate_issued",
];

async fn command_slots(person: &crate::people::Someone, name: &str) -> (String, String) {
    let message = docket_proto::case_status::v1::ListFreeSlotsRequest { name: name.into(), kind: BIOMETRICS };
    let slots = person.cases.clone().list_free_slots(person.ask(message)).await.unwrap().into_inner().slots;
    let slot = &slots[2];
    let zone = docket_kernel::deadline::zone(&slot.zone).unwrap();
    let at = jiff::Timestamp::from_microsecond(slot.starts_at_us).unwrap().to_zoned_datetime(zone);
    (at.date().to_string(), at.strftime("%H:%M").to_string())
}
