//! Events of an invented case.

use docket_kernel::calendar::roll;
use docket_kernel::deadline::{Deadline, OFFICE_ZONE, Rule, ServiceChannel};
use docket_proto::case_status::events::v1 as pb;
use docket_proto::events::case::Event;
use docket_proto::types::v1 as types;
use uuid::Uuid;

pub(crate) const RECEIPT: &str = "DKT1234567897";

pub(crate) fn opened(account: Uuid) -> Event {
    pb::CaseOpened {
        form: "N-400".into(),
        family: "naturalization".into(),
        account_id: account.to_string(),
        party_role: "applicant".into(),
        receipt_date: "2026-03-02".into(),
        zone: "America/Chicago".into(),
        ..pb::CaseOpened::default()
    }
    .into()
}

/// Opened by a form that says that a case of the person is protected.
pub(crate) fn opened_as_protected(account: Uuid) -> Event {
    let Event::CaseOpened(opened) = opened(account) else { unreachable!("it opens a case") };
    pb::CaseOpened { protected: true, ..opened }.into()
}

/// Opened by a form that gives the party's address, submitted at an instant.
pub(crate) fn opened_with_address(account: Uuid, submitted_at_us: i64) -> Event {
    let Event::CaseOpened(opened) = opened(account) else { unreachable!("it opens a case") };
    pb::CaseOpened { gives_address: true, submitted_at_us, ..opened }.into()
}

/// Opened with an appearance, under which somebody acts.
pub(crate) fn opened_under(account: Uuid, (representation, representative): (Uuid, Uuid)) -> Event {
    let Event::CaseOpened(opened) = opened(account) else { unreachable!("it opens a case") };
    pb::CaseOpened {
        representation_id: representation.to_string(),
        representative: representative.to_string(),
        ..opened
    }
    .into()
}

pub(crate) fn activated((representation, representative): (Uuid, Uuid)) -> Event {
    pb::RepresentationActivated {
        representation_id: representation.to_string(),
        representative: representative.to_string(),
        wishes: None,
    }
    .into()
}

pub(crate) fn accepted() -> Event {
    pb::FilingAccepted { receipt_number: RECEIPT.into(), office: "NBC".into() }.into()
}

pub(crate) fn rejected() -> Event {
    pb::FilingRejected { codes: vec!["X-SIGN".into()], refund: true, kept: None }.into()
}

/// A fee that was to go back to whoever paid did not arrive.
pub(crate) fn refund_failed(payer: Option<Uuid>) -> Event {
    pb::RefundFailureRecorded {
        refund_id: Uuid::from_u128(5).to_string(),
        amount_cents: 71_000,
        was_recorded: true,
        account_id: payer.map(|payer| payer.to_string()).unwrap_or_default(),
    }
    .into()
}

pub(crate) fn assigned(officer: Uuid) -> Event {
    pb::CaseAssigned { officer: officer.to_string() }.into()
}

fn slot(starts: &str) -> Option<types::AppointmentSlot> {
    let starts: jiff::Timestamp = starts.parse().unwrap();
    Some(types::AppointmentSlot {
        appointment_id: Uuid::now_v7().to_string(),
        office: "FO-NYC".into(),
        place: "Docket Field Office, New York, 200 Example Street, Floor 7".into(),
        starts_at_us: starts.as_microsecond(),
        zone: "America/New_York".into(),
    })
}

pub(crate) fn biometrics_scheduled() -> Event {
    pb::BiometricsScheduled { appointment: slot("2026-03-24T13:00:00Z"), capture_code: 3 }.into()
}

pub(crate) fn biometrics_rescheduled() -> Event {
    pb::BiometricsRescheduled {
        from: slot("2026-03-24T13:00:00Z"),
        to: slot("2026-03-31T18:30:00Z"),
        moved_by: "party".into(),
        cause: "travel".into(),
    }
    .into()
}

pub(crate) fn biometrics_cancelled() -> Event {
    pb::BiometricsCancelled { appointment: slot("2026-03-24T13:00:00Z"), cause: "withdrawn".into() }.into()
}

pub(crate) fn interview_scheduled() -> Event {
    pb::InterviewScheduled { appointment: slot("2026-06-11T14:15:00Z"), bring: vec![] }.into()
}

pub(crate) fn interview_cancelled() -> Event {
    pb::InterviewCancelled { appointment: slot("2026-06-11T14:15:00Z"), cause: "denied".into() }.into()
}

/// The period of a request served on the working day of `now`.
pub(crate) fn period(now: jiff::Timestamp) -> Deadline {
    let day0 = roll(now.in_tz(OFFICE_ZONE).unwrap().date());
    Deadline::compute(Rule::of("n14"), day0, ServiceChannel::Posted, "America/Chicago").unwrap()
}

pub(crate) fn continued(request: Uuid, deadline: &Deadline) -> Event {
    continued_with(request, deadline, "Sealed words of the officer")
}

/// The same, in other words of the officer.
pub(crate) fn continued_with(request: Uuid, deadline: &Deadline, words: &str) -> Event {
    pb::ExaminationContinued {
        request_id: request.to_string(),
        items: vec![pb::RequestedItem { code: "tax_transcripts".into(), reason: "missing".into() }],
        deadline: Some(planned(deadline)),
        explanation: words.into(),
    }
    .into()
}

pub(crate) fn denial_intended(request: Uuid, deadline: &Deadline) -> Event {
    pb::DenialIntended {
        request_id: request.to_string(),
        items: Vec::new(),
        deadline: Some(planned(deadline)),
        grounds: "Sealed grounds of the officer".into(),
        derogatory_information: "Sealed facts that she may not know".into(),
    }
    .into()
}

/// The party's name was corrected in the case.
pub(crate) fn name_corrected(name: &str) -> Event {
    let corrected_name = name.to_owned();
    pb::NameCorrected { corrected_name, ..pb::NameCorrected::default() }.into()
}

pub(crate) fn request_cancelled(request: Uuid) -> Event {
    pb::RequestCancelled { request_id: request.to_string(), cause: "withdrawn".into() }.into()
}

pub(crate) fn withdrawn() -> Event {
    pb::CaseWithdrawn {}.into()
}

fn planned(deadline: &Deadline) -> types::Deadline {
    types::Deadline {
        derivation: deadline.derivation(),
        rule: deadline.rule_id.clone(),
        day0_date: deadline.day0.to_string(),
        base_days: deadline.base_days,
        due_date: deadline.due.to_string(),
        zone: deadline.zone.clone(),
        cite: deadline.cite.clone(),
        ..types::Deadline::default()
    }
}

pub(crate) fn approved() -> Event {
    pb::CaseApproved { officer: String::new(), effective_date: "2026-06-20".into() }.into()
}

pub(crate) fn denied() -> Event {
    pb::CaseDenied { ground_codes: vec!["good_moral_character".into()], ..pb::CaseDenied::default() }.into()
}

/// The party lives elsewhere, in that zone.
pub(crate) fn moved_to(zone: &str) -> Event {
    pb::CaseAddressChanged { zone: zone.into(), ..pb::CaseAddressChanged::default() }.into()
}

pub(crate) fn oath_scheduled() -> Event {
    pb::OathScheduled { appointment: slot("2026-07-02T14:00:00Z") }.into()
}

pub(crate) fn certificate_issued() -> Event {
    pb::CertificateIssued { certificate_number: "N550-1".into() }.into()
}

/// Events which owe no notice.
pub(crate) fn quiet() -> Vec<Event> {
    vec![
        pb::BiometricsNeeded {}.into(),
        pb::ReviewStarted {}.into(),
        pb::BackgroundCheckStarted { system: "fbi_fingerprint".into() }.into(),
        pb::TestTaken { part: "civics".into(), version: "2025".into(), passed: true, attempt: 1 }.into(),
    ]
}
