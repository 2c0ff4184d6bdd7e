//! What is written in the measurements: events of cases, 438 bytes each with 203 bytes of metadata.

use docket_eventlog::{Append, Context, EventLog, Expected, NewEvent, StreamAppend, StreamName, Subjects};
use docket_kernel::Actor;
use docket_proto::case_status::events::v1::{CaseOpened, EvidenceRequested, FilingAccepted, RequestedItem};
use docket_proto::events::case::Event;
use docket_proto::types::v1::Deadline;
use uuid::Uuid;

/// Bytes of an event's message, the personal field included.
pub(crate) const EVENT_BYTES: usize = 438;
/// Bytes of its metadata.
pub(crate) const METADATA_BYTES: usize = 203;
/// Events of one case in the long logs.
pub(crate) const EVENTS_OF_A_CASE: u64 = 40;

/// The `n`th event of a case: opened, accepted, then requests for evidence.
pub(crate) fn event(n: u64) -> Event {
    match n {
        1 => opened(),
        2 => accepted(1_234_567_897),
        _ => requested(n),
    }
}

/// The whole life of the `number`th case of a long log, with a receipt number of its own.
pub(crate) fn life(number: u64) -> impl Iterator<Item = Event> {
    (1..=EVENTS_OF_A_CASE).map(move |n| if n == 2 { accepted(number) } else { event(n) })
}

fn accepted(number: u64) -> Event {
    FilingAccepted { receipt_number: format!("DKT{number:010}"), office: "NYC".to_owned() }.into()
}

fn opened() -> Event {
    CaseOpened {
        form: "N-400".to_owned(),
        edition: "2025-01-20".to_owned(),
        family: "naturalization".to_owned(),
        account_id: Uuid::from_u128(7).to_string(),
        party_role: "applicant".to_owned(),
        submitted_at_us: 1_772_463_600_000_000,
        receipt_date: "2026-03-02".to_owned(),
        zone: "America/New_York".to_owned(),
        package_id: Uuid::from_u128(8).to_string(),
        payment_id: Uuid::from_u128(9).to_string(),
        age: 40,
        basis: "five_years".to_owned(),
        civics_test: "2008".to_owned(),
        ..CaseOpened::default()
    }
    .into()
}

/// A request for evidence whose message has [`EVENT_BYTES`]; what the officer writes is sealed.
fn requested(n: u64) -> Event {
    let mut request = EvidenceRequested {
        request_id: Uuid::from_u128(n.into()).to_string(),
        items: vec![RequestedItem { code: "tax_transcripts".to_owned(), reason: "missing".to_owned() }],
        deadline: Some(Deadline {
            due_date: "2026-05-27".to_owned(),
            zone: "America/New_York".to_owned(),
            rule: "8 CFR 103.2(b)(8)(iv)".to_owned(),
            ..Deadline::default()
        }),
        explanation: String::new(),
    };
    let bare = docket_kernel::EventEnum::encode(&Event::from(request.clone())).len();
    // Its tag and its length take three bytes.
    request.explanation = "x".repeat(EVENT_BYTES.saturating_sub(bare + 3));
    request.into()
}

/// A command's context with [`METADATA_BYTES`] once encoded.
pub(crate) fn context() -> Context {
    Context {
        command_id: Uuid::new_v4(),
        correlation_id: Uuid::new_v4(),
        causation_id: Some(Uuid::from_u128(3)),
        actor: Actor::account(Uuid::from_u128(11)),
        on_behalf_of: Some(Uuid::from_u128(12)),
        auth_level: 2,
        traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned(),
        request: Vec::new(),
    }
}

/// One event for a case at the version it must have.
pub(crate) fn one(log: &EventLog, case: Uuid, version: u64) -> Append {
    many(log, case, version, [requested(version + 1)])
}

/// Events for a case at the version it must have.
pub(crate) fn many(
    log: &EventLog,
    case: Uuid,
    version: u64,
    events: impl IntoIterator<Item = Event>,
) -> Append {
    let append = StreamAppend {
        stream: StreamName::of("case", case),
        expected: Expected::Version(version),
        subjects: Subjects::filing(case),
        events: events.into_iter().map(|event| NewEvent::of(&event)).collect(),
    };
    context().append(log, vec![append])
}
