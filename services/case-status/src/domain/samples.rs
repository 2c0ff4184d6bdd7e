//! Events of an invented case for tests, in the words of given/when/then.

use docket_kernel::Refusal;
use docket_proto::case_status::events::v1 as pb;
use docket_proto::types::v1::{AppointmentSlot, Deadline};
use jiff::Timestamp;
use uuid::Uuid;

use super::decide::{Decision, NewFacts, Verdict};
use super::{Appointment, Case, Event, evolve};

pub(crate) const APPLICANT: Uuid = Uuid::from_u128(0xA);
pub(crate) const ADA: Uuid = Uuid::from_u128(0xADA);
pub(crate) const BO: Uuid = Uuid::from_u128(0xB0);
pub(crate) const REQUEST: Uuid = Uuid::from_u128(0x14);
pub(crate) const RECEIPT: &str = "DKT1234567897";

/// Noon of a Tuesday in New York.
pub(crate) fn now() -> Timestamp {
    at("2026-11-24T17:00:00Z")
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) struct Given(pub(crate) Case);

/// The state after these events.
pub(crate) fn given(events: impl IntoIterator<Item = Event>) -> Given {
    Given(events.into_iter().fold(Case::default(), |case, event| evolve(case, &event)))
}

impl Given {
    pub(crate) fn and(self, event: impl Into<Event>) -> Self {
        Self(evolve(self.0, &event.into()))
    }

    pub(crate) fn when(&self, decide: impl FnOnce(&Case) -> Decision) -> Then {
        Then(decide(&self.0))
    }
}

pub(crate) struct Then(Result<Vec<Event>, Refusal>);

impl Then {
    /// These kinds, in this order, without `case.` and version.
    #[track_caller]
    pub(crate) fn then(self, kinds: &[&str]) -> Vec<Event> {
        use docket_kernel::EventEnum;
        let events = self.0.expect("accepted");
        let names: Vec<&str> = events.iter().map(|event| event.kind().split('.').nth(1).unwrap()).collect();
        assert_eq!(names, kinds);
        events
    }

    #[track_caller]
    pub(crate) fn refused(self, reason: &str) {
        assert_eq!(self.0.expect_err("refused").reason, reason);
    }
}

pub(crate) fn opened() -> pb::CaseOpened {
    pb::CaseOpened {
        form: "N-400".into(),
        edition: "2025-01-20".into(),
        family: "naturalization".into(),
        account_id: APPLICANT.to_string(),
        party_role: "applicant".into(),
        submitted_at_us: at("2026-11-23T15:00:00Z").as_microsecond(),
        receipt_date: "2026-11-23".into(),
        zone: "America/New_York".into(),
        age: 40,
        civics_test: "2025".into(),
        ..pb::CaseOpened::default()
    }
}

pub(crate) fn slot(starts_at: &str, office: &str) -> AppointmentSlot {
    AppointmentSlot {
        appointment_id: Uuid::from_u128(7).to_string(),
        office: office.into(),
        place: "a place".into(),
        starts_at_us: at(starts_at).as_microsecond(),
        zone: "America/New_York".into(),
    }
}

pub(crate) fn appointment(starts_at: &str) -> Appointment {
    (&slot(starts_at, "ASC-NYC")).into()
}

pub(crate) fn submitted() -> Given {
    given([opened().into()])
}

pub(crate) fn accepted() -> Given {
    submitted()
        .and(pb::FilingAccepted { receipt_number: RECEIPT.into(), office: "NBC".into() })
        .and(pb::BiometricsNeeded {})
}

pub(crate) fn biometrics_scheduled() -> Given {
    accepted().and(pb::BiometricsScheduled {
        appointment: Some(slot("2026-12-08T15:00:00Z", "ASC-NYC")),
        capture_code: 3,
    })
}

pub(crate) fn biometrics_taken() -> Given {
    biometrics_scheduled()
        .and(pb::BiometricsTaken { appointment_id: String::new(), early_by_agreement: true })
        .and(pb::BackgroundCheckStarted { system: "fbi_fingerprint".into() })
}

pub(crate) fn in_review() -> Given {
    biometrics_taken()
        .and(pb::BackgroundCheckReturned {
            system: "fbi_fingerprint".into(),
            result_class: "no_record".into(),
        })
        .and(pb::CaseAssigned { officer: ADA.to_string() })
        .and(pb::ReviewStarted {})
}

pub(crate) fn interview_scheduled() -> Given {
    in_review().and(pb::InterviewScheduled {
        appointment: Some(slot("2026-12-15T15:00:00Z", "FO-NYC")),
        bring: Vec::new(),
    })
}

pub(crate) fn interviewed(civics_passed: bool) -> Given {
    let mut case = interview_scheduled().and(pb::InterviewCompleted {
        appointment_id: String::new(),
        officer: ADA.to_string(),
        early_by_agreement: true,
        held_on_date: "2026-11-24".into(),
        decision_deadline: None,
    });
    for part in super::TEST_PARTS {
        let passed = civics_passed || part != "civics";
        case = case.and(pb::TestTaken { part: part.into(), version: "2025".into(), passed, attempt: 1 });
    }
    case
}

/// 30 days from 24 November: 24 December 2026, a working day; ends at midnight in New York.
pub(crate) fn deadline() -> Deadline {
    Deadline {
        rule: "n14".into(),
        day0_date: "2026-11-24".into(),
        base_days: 30,
        raw_last_date: "2026-12-24".into(),
        due_date: "2026-12-24".into(),
        zone: "America/New_York".into(),
        expires_at_us: at("2026-12-25T05:00:00Z").as_microsecond(),
        ..Deadline::default()
    }
}

pub(crate) fn continued() -> Given {
    interviewed(true).and(pb::ExaminationContinued {
        request_id: REQUEST.to_string(),
        items: vec![pb::RequestedItem { code: "tax_transcripts".into(), reason: "missing".into() }],
        deadline: Some(deadline()),
        explanation: String::new(),
    })
}

pub(crate) fn served() -> Given {
    continued().and(pb::RequestServed {
        request_id: REQUEST.to_string(),
        notice_id: Uuid::from_u128(9).to_string(),
        deadline: Some(deadline()),
    })
}

pub(crate) fn recommended(approve: bool) -> Given {
    interviewed(true).and(pb::DecisionRecommended {
        officer: ADA.to_string(),
        recommendation: if approve { "approve" } else { "deny" }.into(),
        grounds: String::new(),
    })
}

pub(crate) fn approved() -> Given {
    recommended(true).and(pb::CaseApproved { officer: BO.to_string(), effective_date: "2026-11-24".into() })
}

pub(crate) fn oath_scheduled() -> Given {
    approved()
        .and(pb::ReverificationCompleted { officer: BO.to_string() })
        .and(pb::OathScheduled { appointment: Some(slot("2026-12-18T15:00:00Z", "FO-NYC")) })
}

pub(crate) fn oath_taken() -> Given {
    oath_scheduled().and(pb::OathTaken {
        appointment_id: String::new(),
        taken_on_date: "2026-11-24".into(),
        early_by_agreement: true,
    })
}

/// A denial on these grounds, of which the party knew all.
pub(crate) fn denial(codes: &[&str]) -> Verdict {
    Verdict::Deny {
        ground_codes: codes.iter().map(|code| (*code).to_owned()).collect(),
        reasons: "because".into(),
        status: None,
        new_facts: Some(NewFacts::Absent),
    }
}
