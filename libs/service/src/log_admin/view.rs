//! An event as an operator may see it: metadata and clear payload decoded, sealed fields named and never opened.

use std::collections::HashMap;
use std::sync::LazyLock;

use docket_eventlog::{Epoch, Metadata, Recorded};
use docket_proto::log::v1 as pb;
use docket_proto::options::v1::Subject;
use docket_proto::{DESCRIPTORS, personal_fields};
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, SerializeOptions};
use uuid::Uuid;

/// The message of every kind there is.
static MESSAGES: LazyLock<HashMap<String, MessageDescriptor>> = LazyLock::new(messages);

fn messages() -> HashMap<String, MessageDescriptor> {
    let pool = DescriptorPool::decode(DESCRIPTORS).expect("the build has read the same bytes");
    let option = pool.get_extension_by_name("docket.options.v1.kind").expect("the contract has the option");
    let kind_of = |message: &MessageDescriptor| {
        let options = message.options();
        let kind = options.get_extension(&option).as_str().unwrap_or_default().to_owned();
        (!kind.is_empty()).then_some(kind)
    };
    pool.all_messages().filter_map(|message| Some((kind_of(&message)?, message))).collect()
}

/// The event for an operator.
pub(super) fn event(recorded: &Recorded) -> pb::LogEvent {
    let sealed = sealed_for(recorded);
    let size: usize = recorded.payload.len() + recorded.sealed.iter().map(bytes::Bytes::len).sum::<usize>();
    pb::LogEvent {
        log: recorded.log.clone(),
        position: recorded.position,
        stream: recorded.stream.to_string(),
        version: recorded.version,
        event_id: recorded.event_id.to_string(),
        kind: recorded.kind.clone(),
        recorded_at_us: recorded.recorded_at.as_microsecond(),
        metadata: Some(metadata(&recorded.metadata)),
        payload_json: payload(recorded, &sealed).unwrap_or_default(),
        sealed_for: sealed.into_iter().map(|(_, whose)| whose).collect(),
        link: hex::encode(recorded.link),
        bytes: size as u64,
        epoch: recorded.epoch,
    }
}

/// An epoch for an operator.
pub(super) fn epoch(epoch: Epoch) -> pb::EpochEntry {
    pb::EpochEntry {
        number: epoch.number,
        id: epoch.id.to_string(),
        from_position: epoch.from_position,
        started_at_us: epoch.started_at.as_microsecond(),
        reason: epoch.reason,
    }
}

fn metadata(metadata: &Metadata) -> pb::LogEventMetadata {
    let optional = |id: Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
    pb::LogEventMetadata {
        command_id: metadata.command_id.to_string(),
        causation_id: optional(metadata.causation_id),
        correlation_id: metadata.correlation_id.to_string(),
        actor: metadata.actor.to_string(),
        on_behalf_of: optional(metadata.on_behalf_of),
        auth_level: metadata.auth_level,
        traceparent: metadata.traceparent.clone(),
        producer: metadata.producer.clone(),
        rules: metadata.rules.clone(),
    }
}

/// Whose keys seal a part: the sort of subject, and `filing:<id>`.
fn sealed_for(recorded: &Recorded) -> Vec<(&'static str, String)> {
    let whose = |part: pb::SealedPart| {
        let sort = match part.subject() {
            Subject::Filing => "filing",
            Subject::Account => "account",
            Subject::Person => "person",
            Subject::Unspecified => "unknown",
        };
        let id = Uuid::from_slice(&part.subject_id).unwrap_or_default();
        (sort, format!("{sort}:{id}"))
    };
    recorded.sealed.iter().filter_map(|part| pb::SealedPart::decode(&part[..]).ok()).map(whose).collect()
}

/// The clear part as JSON, with a mark for each field that may be in a sealed part; none for an unknown kind.
fn payload(recorded: &Recorded, sealed: &[(&'static str, String)]) -> Option<String> {
    let message = MESSAGES.get(&recorded.kind)?;
    let decoded = DynamicMessage::decode(message.clone(), &recorded.payload[..]).ok()?;
    let options = SerializeOptions::new().use_proto_field_name(true).stringify_64_bit_integers(false);
    let mut json = decoded.serialize_with_options(serde_json::value::Serializer, &options).ok()?;
    let fields = json.as_object_mut()?;
    for (number, subject) in personal_fields(&recorded.kind) {
        let Some(field) = message.get_field(*number) else { continue };
        if let Some((_, whose)) = sealed.iter().find(|(sort, _)| *sort == subject.as_str()) {
            fields.insert(field.name().to_owned(), format!("sealed:{whose}").into());
        }
    }
    Some(json.to_string())
}

#[cfg(test)]
mod tests {
    use docket_proto::events::ALL_KINDS;

    use super::*;

    #[test]
    fn every_kind_has_its_message_and_every_personal_field_a_name() {
        for kind in ALL_KINDS {
            let message = MESSAGES.get(*kind).unwrap_or_else(|| panic!("{kind} has no message"));
            for (number, _) in personal_fields(kind) {
                assert!(message.get_field(*number).is_some(), "{kind} has no field {number}");
            }
        }
    }
}
