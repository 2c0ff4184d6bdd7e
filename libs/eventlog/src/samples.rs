//! Appends, rounds and records for the unit tests, made without a database.

use bytes::Bytes;
use docket_kernel::Actor;
use jiff::Timestamp;
use uuid::Uuid;

use crate::prepare::{Prepared, PreparedEvent, PreparedStream};
use crate::round::Round;
use crate::slots::Closed;
use crate::{Expected, FORMAT, Metadata, Recorded, StreamName};

/// 2026-03-02T15:00:00Z.
pub(crate) fn at() -> Timestamp {
    Timestamp::from_microsecond(1_772_463_600_000_000).unwrap()
}

pub(crate) fn stream(name: &str) -> StreamName {
    StreamName::new(name).unwrap()
}

pub(crate) fn metadata(command: u128) -> Metadata {
    Metadata {
        command_id: Uuid::from_u128(command),
        causation_id: None,
        correlation_id: Uuid::from_u128(2),
        actor: Actor::account(Uuid::from_u128(3)),
        on_behalf_of: Some(Uuid::from_u128(4)),
        auth_level: 2,
        traceparent: "00-trace".to_owned(),
        producer: "filing/1".to_owned(),
        rules: "26.1".to_owned(),
    }
}

/// Command number `command` with so many events for each stream, at the version it must have.
pub(crate) fn prepared(command: u128, streams: &[(&str, Expected, usize)]) -> Prepared {
    let metadata = metadata(command);
    let event = |number: usize| PreparedEvent {
        event_id: Uuid::from_u128(command * 1_000 + number as u128),
        kind: "case.opened.v1".to_owned(),
        payload: Bytes::from(format!("payload {number}")),
        sealed: vec![Bytes::from_static(b"sealed")],
    };
    let streams = streams.iter().map(|(name, expected, events)| PreparedStream {
        stream: stream(name),
        expected: *expected,
        events: (0..*events).map(event).collect(),
    });
    Prepared {
        log: "cases-0",
        actor: metadata.actor.to_string(),
        command_id: metadata.command_id,
        metadata_bytes: metadata.encode().into(),
        metadata,
        // As long as the keyed hash of a whole request.
        fingerprint: command.to_be_bytes().repeat(2),
        streams: streams.collect(),
        bytes: 100,
    }
}

/// A log of ten events, after four groups.
pub(crate) fn round() -> Round {
    Round {
        log: "cases-0",
        commits: 4,
        position: 10,
        recorded_at: at(),
        closed: Closed::default(),
        streams: std::collections::HashMap::new(),
        known: std::collections::HashMap::new(),
        commands: Vec::new(),
    }
}

/// An event of version 7 with two sealed parts, one of them empty.
pub(crate) fn recorded() -> Recorded {
    Recorded {
        log: "cases-0".to_owned(),
        position: 11,
        stream: stream("case-a"),
        version: 7,
        event_id: Uuid::from_bytes([9; 16]),
        kind: "case.opened.v1".to_owned(),
        recorded_at: at(),
        metadata: metadata(1),
        metadata_bytes: Bytes::from_static(b"meta"),
        payload: Bytes::from_static(b"payload"),
        sealed: vec![Bytes::from_static(b"one"), Bytes::new()],
        link: [0; 32],
        format: FORMAT,
        epoch: 1,
    }
}
