//! Invented events, one for each kind of notice, for tests.

use docket_kernel::deadline::{Deadline, Rule, ServiceChannel};
use docket_proto::case_status::events::v1 as pb;
use docket_proto::events::case::Event;
use docket_proto::types::v1 as types;
use jiff::Timestamp;
use uuid::Uuid;

use super::facts::Matter;
use super::kind::NoticeKind;

pub(crate) const REQUEST: Uuid = Uuid::from_u128(0x77);
pub(crate) const RETURN: Uuid = Uuid::from_u128(0xFEE);

pub(crate) fn matter() -> Matter {
    Matter {
        case: Uuid::from_u128(1),
        account: Uuid::from_u128(2),
        form: "N-400".into(),
        receipt_number: "DKT1234567897".into(),
        receipt_date: "2026-03-02".into(),
        office: "NBC".into(),
        zone: "America/New_York".into(),
        officer: Some(Uuid::from_u128(3)),
        representative: Some(Uuid::from_u128(6)),
        notices_to_representative: true,
        i94_to_client: true,
        address_given_at_us: 0,
        name_from: None,
    }
}

fn slot(starts: &str, place: &str) -> Option<types::AppointmentSlot> {
    let starts: Timestamp = starts.parse().unwrap();
    Some(types::AppointmentSlot {
        appointment_id: Uuid::from_u128(9).to_string(),
        office: "ASC-NYC".into(),
        place: place.into(),
        starts_at_us: starts.as_microsecond(),
        zone: "America/New_York".into(),
    })
}

const CENTER: &str =
    "Docket Application Support Center, New York, 200 Example Street, Floor 1, New York, NY 10000";
const FIELD: &str = "Docket Field Office, New York, 200 Example Street, Floor 7, New York, NY 10000";

fn deadline(rule: &str) -> Option<types::Deadline> {
    let day0 = "2026-03-02".parse().unwrap();
    let zone = "America/Los_Angeles";
    let deadline = Deadline::compute(Rule::of(rule), day0, ServiceChannel::Posted, zone).unwrap();
    Some(types::Deadline {
        derivation: deadline.derivation(),
        rule: deadline.rule_id,
        day0_date: deadline.day0.to_string(),
        base_days: deadline.base_days,
        mail_days: deadline.mail_days,
        raw_last_date: deadline.raw_last.to_string(),
        due_date: deadline.due.to_string(),
        zone: deadline.zone,
        expires_at_us: deadline.expires_at.as_microsecond(),
        cite: deadline.cite,
    })
}

fn items() -> Vec<pb::RequestedItem> {
    let item = |code: &str| pb::RequestedItem { code: code.into(), reason: "missing".into() };
    vec![item("tax_transcripts"), item("name_change")]
}

fn denial_intended() -> Event {
    pb::DenialIntended {
        request_id: REQUEST.to_string(),
        items: Vec::new(),
        deadline: deadline("noid"),
        grounds: "The record does not show it.".into(),
        derogatory_information: String::new(),
    }
    .into()
}

fn revocation_intended() -> Event {
    pb::RevocationIntended {
        request_id: REQUEST.to_string(),
        items: Vec::new(),
        deadline: deadline("noir"),
        grounds: "The record does not show it.".into(),
        derogatory_information: String::new(),
        officer: String::new(),
    }
    .into()
}

fn revoked() -> Event {
    pb::ApprovalRevoked {
        officer: String::new(),
        ground_codes: vec!["bona_fides_not_shown".into()],
        reasons: String::new(),
        revoked_on_date: "2026-03-02".into(),
    }
    .into()
}

fn termination_intended() -> Event {
    pb::TerminationIntended {
        request_id: REQUEST.to_string(),
        items: Vec::new(),
        deadline: deadline("noit"),
        grounds: "The record does not show it.".into(),
        derogatory_information: String::new(),
        officer: String::new(),
    }
    .into()
}

fn terminated() -> Event {
    pb::StatusTerminated {
        officer: String::new(),
        ground_codes: vec!["continuous_residence".into()],
        reasons: String::new(),
        terminated_on_date: "2026-03-02".into(),
    }
    .into()
}

fn revoked_by_law() -> Event {
    pb::ApprovalRevokedByLaw {
        officer: String::new(),
        cause: "marriage_ended".into(),
        happened_on_date: "2026-02-20".into(),
        findings: "You sent the decree.".into(),
        recorded_on_date: "2026-03-02".into(),
        relation: "spouse_of_citizen".into(),
    }
    .into()
}

fn reopened_on_own_motion() -> Event {
    pb::CaseReopenedOnOwnMotion {
        officer: String::new(),
        reasons: "The record was read wrong.".into(),
        favorable: false,
        request_id: REQUEST.to_string(),
        deadline: deadline("own_motion"),
    }
    .into()
}

fn representation_ended() -> Event {
    pb::CaseRepresentationEnded {
        representation_id: Uuid::from_u128(5).to_string(),
        representative: Uuid::from_u128(6).to_string(),
        cause: "withdrawn".into(),
        deadline: deadline("rfe"),
        appointment: slot("2026-03-24T13:00:00Z", FIELD),
    }
    .into()
}

fn expedited() -> Event {
    pb::ExpediteDecided { granted: true, ..pb::ExpediteDecided::default() }.into()
}

fn inquiry_answered() -> Event {
    let kind = "notice_not_received".into();
    pb::InquiryAnswered { kind, ..pb::InquiryAnswered::default() }.into()
}

fn examination_missed() -> Event {
    pb::InterviewMissed { appointment_id: String::new(), deadline: deadline("n400.noshow") }.into()
}

fn denied() -> Event {
    pb::CaseDenied {
        officer: String::new(),
        ground_codes: vec!["good_moral_character".into(), "physical_presence".into()],
        abandoned: false,
        reasons: String::new(),
        applicant_status: String::new(),
        new_facts: "none".into(),
    }
    .into()
}

fn refund_failed() -> Event {
    pb::RefundFailureRecorded {
        refund_id: Uuid::from_u128(5).to_string(),
        amount_cents: 71_000,
        was_recorded: true,
        account_id: String::new(),
    }
    .into()
}

fn referred() -> Event {
    pb::CaseReferred { officer: String::new(), ground_codes: vec!["no_nexus".into()], reasons: String::new() }
        .into()
}

fn transferred() -> Event {
    pb::CaseTransferred {
        from_office: "NBC".into(),
        to_office: "FO-CHI".into(),
        reason: "jurisdiction".into(),
        officer: String::new(),
    }
    .into()
}

/// An event which owes a notice of `kind`.
#[expect(clippy::too_many_lines, reason = "a table: each kind, and its event")]
pub(crate) fn event(kind: NoticeKind) -> Event {
    let request_id = REQUEST.to_string();
    match kind {
        NoticeKind::Receipt => {
            pb::FilingAccepted { receipt_number: "DKT1234567897".into(), office: "NBC".into() }.into()
        }
        NoticeKind::Rejection => {
            pb::FilingRejected { codes: vec!["X-SIGN".into(), "X-FEE".into()], refund: true, kept: None }
                .into()
        }
        NoticeKind::BiometricsAppointment => {
            pb::BiometricsScheduled { appointment: slot("2026-03-24T13:00:00Z", CENTER), capture_code: 3 }
                .into()
        }
        NoticeKind::AppointmentMoved => pb::BiometricsRescheduled {
            from: slot("2026-03-24T13:00:00Z", CENTER),
            to: slot("2026-03-31T18:30:00Z", CENTER),
            moved_by: "party".into(),
            cause: "travel".into(),
        }
        .into(),
        NoticeKind::AppointmentCancelled => pb::InterviewCancelled {
            appointment: slot("2026-06-11T14:15:00Z", FIELD),
            cause: "withdrawn".into(),
        }
        .into(),
        NoticeKind::AppointmentMissed => examination_missed(),
        NoticeKind::InterviewAppointment => pb::InterviewScheduled {
            appointment: slot("2026-06-11T14:15:00Z", FIELD),
            bring: vec!["green_card".into(), "passports".into()],
        }
        .into(),
        NoticeKind::Rfe => pb::EvidenceRequested {
            request_id,
            items: items(),
            deadline: deadline("rfe"),
            explanation: String::new(),
        }
        .into(),
        NoticeKind::Continuation => pb::ExaminationContinued {
            request_id,
            items: items(),
            deadline: deadline("n14"),
            explanation: String::new(),
        }
        .into(),
        NoticeKind::Noid => denial_intended(),
        NoticeKind::Noir => revocation_intended(),
        NoticeKind::NoirWithdrawn => pb::RevocationIntentWithdrawn::default().into(),
        NoticeKind::Revocation => revoked(),
        NoticeKind::Noit => termination_intended(),
        NoticeKind::NoitWithdrawn => pb::TerminationIntentWithdrawn::default().into(),
        NoticeKind::Termination => terminated(),
        NoticeKind::RevocationByLaw => revoked_by_law(),
        NoticeKind::OwnMotion => reopened_on_own_motion(),
        NoticeKind::AdminClose => pb::CaseAdministrativelyClosed {
            officer: String::new(),
            cause: "examination_missed".into(),
            reopen_until_date: "2027-03-02".into(),
        }
        .into(),
        NoticeKind::BiometricsReused => {
            pb::BiometricsReused { officer: String::new(), captured_on_date: "2025-09-15".into() }.into()
        }
        NoticeKind::Approval => {
            pb::CaseApproved { officer: String::new(), effective_date: "2026-06-11".into() }.into()
        }
        NoticeKind::Denial => denied(),
        NoticeKind::Referral => referred(),
        NoticeKind::Transfer => transferred(),
        NoticeKind::WithdrawalAck => pb::CaseWithdrawn {}.into(),
        NoticeKind::CaseClosedMoot => pb::CaseClosedAsMoot {
            cause: "benefit_received_by_other_means".into(),
            case_id: Uuid::from_u128(4).to_string(),
        }
        .into(),
        NoticeKind::Reopened => pb::CaseReopened::default().into(),
        NoticeKind::PaymentNotHonoured => pb::PaymentReturnRecorded {
            amount_cents: 71_000,
            reason: "insufficient_funds".into(),
            deadline: deadline("fee.returned"),
            return_id: RETURN.to_string(),
        }
        .into(),
        NoticeKind::RefundFailed => refund_failed(),
        NoticeKind::AcceptanceVoided => {
            pb::AcceptanceVoided { officer: String::new(), cause: "payment".into(), refund: false }.into()
        }
        NoticeKind::RepresentationEnded => representation_ended(),
        NoticeKind::MoveConfirmed => {
            let receipt_numbers = vec!["DKT1234567897".into(), "DKT1234567905".into()];
            pb::MoveRecorded { receipt_numbers, ..pb::MoveRecorded::default() }.into()
        }
        NoticeKind::CardMailed => pb::CardMailed {
            document: "permanent_resident_card".into(),
            carrier: "USPS".into(),
            tracking_number: "9400100000000000000000".into(),
            mailed_on_date: "2026-06-15".into(),
            goes_to: String::new(),
        }
        .into(),
        NoticeKind::CardReturned => pb::CardReturned {
            document: "permanent_resident_card".into(),
            cause: "not_deliverable".into(),
            returned_at_us: 0,
            keep_until_date: "2026-08-14".into(),
        }
        .into(),
        NoticeKind::ExpediteDecision => expedited(),
        NoticeKind::InquiryAnswer => inquiry_answered(),
        NoticeKind::Oath => pb::OathScheduled { appointment: slot("2026-07-02T14:00:00Z", FIELD) }.into(),
        NoticeKind::CitizenshipCertificateReady => {
            pb::CertificateIssued { certificate_number: String::new() }.into()
        }
    }
}
