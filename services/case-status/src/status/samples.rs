//! Events as they are stored, for the tests of the projection.

use docket_eventlog::{Metadata, Recorded, StreamName};
use docket_kernel::{Actor, EventEnum};
use uuid::Uuid;

use crate::domain::Event;
use crate::domain::samples::now;

/// The event with that version of that case, a second after the one before it.
pub(crate) fn recorded(case: u128, version: u64, event: &Event) -> Recorded {
    let id = Uuid::from_u128(case);
    Recorded {
        log: "cases-0".into(),
        position: version,
        stream: StreamName::of("case", id),
        version,
        event_id: Uuid::from_u128(u128::from(version)),
        kind: event.kind().into(),
        recorded_at: now() + jiff::SignedDuration::from_secs(i64::try_from(version).unwrap()),
        metadata: Metadata {
            command_id: id,
            causation_id: None,
            correlation_id: id,
            actor: Actor::machine("test"),
            on_behalf_of: None,
            auth_level: 0,
            traceparent: String::new(),
            producer: String::new(),
            rules: String::new(),
        },
        metadata_bytes: Vec::new().into(),
        payload: event.encode().into(),
        sealed: Vec::new(),
        link: [0; 32],
        format: 1,
        epoch: 1,
    }
}
