//! How events and figures look: tables for people, the message's own fields as JSON for programs.
use super::Operator;
use super::each::Away;
use crate::commands::when;
use crate::output::Teller;
use anyhow::{Context, Result};
use docket_proto::log::v1 as pb;
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};
use serde_json::{Value, json};
use std::sync::LazyLock;

static CONTRACT: LazyLock<DescriptorPool> = LazyLock::new(|| {
    DescriptorPool::decode(docket_proto::DESCRIPTORS).expect("the build has read the same bytes")
});

/// A message of the operator's face with the contract's field names; payloads as JSON, not as text.
pub(super) fn json_of(name: &str, message: &impl prost::Message) -> Result<Value> {
    json_of_any(&format!("docket.log.v1.{name}"), message)
}

/// The same for a message of any package.
pub(super) fn json_of_any(full_name: &str, message: &impl prost::Message) -> Result<Value> {
    let descriptor = CONTRACT.get_message_by_name(full_name).context("a message")?;
    let mut dynamic = DynamicMessage::new(descriptor);
    dynamic.transcode_from(message)?;
    let options = SerializeOptions::new()
        .use_proto_field_name(true)
        .stringify_64_bit_integers(false)
        .skip_default_fields(false);
    let mut value = dynamic.serialize_with_options(serde_json::value::Serializer, &options)?;
    open_payloads(&mut value);
    Ok(value)
}

fn open_payloads(value: &mut Value) {
    if let Some(text) = value.get("payload_json").and_then(Value::as_str) {
        let payload = serde_json::from_str(text).unwrap_or_default();
        value["payload"] = payload;
        if let Some(fields) = value.as_object_mut() {
            fields.shift_remove("payload_json");
        }
    }
    if let Some(event) = value.get_mut("event") {
        open_payloads(event);
    }
}

/// An event on one line.
pub(super) fn line(event: &pb::LogEvent, teller: &Teller) {
    if teller.is_json() {
        if let Ok(value) = json_of("LogEvent", event) {
            teller.value(&value);
        }
        return;
    }
    let actor = event.metadata.as_ref().map_or("", |metadata| metadata.actor.as_str());
    teller.line(&format!(
        "{:>8}  {}  {:<36} {} v{}  {actor}",
        event.position,
        when(event.recorded_at_us),
        event.kind,
        event.stream,
        event.version
    ));
}

/// An event with everything that may be seen of it.
pub(super) fn event(event: &pb::LogEvent, teller: &Teller) {
    if teller.is_json() {
        line(event, teller);
        return;
    }
    teller.heading(&format!("{} at position {} of {}", event.kind, event.position, event.log));
    teller.pair("stream", &format!("{}, version {}", event.stream, event.version));
    teller.pair("recorded", &format!("{} ({} µs)", when(event.recorded_at_us), event.recorded_at_us));
    teller.pair("event id", &event.event_id);
    if let Some(metadata) = &event.metadata {
        let level = metadata.auth_level.to_string();
        for (name, value) in [
            ("actor", &metadata.actor),
            ("on behalf of", &metadata.on_behalf_of),
            ("authentication level", &level),
            ("command", &metadata.command_id),
            ("caused by event", &metadata.causation_id),
            ("conversation", &metadata.correlation_id),
            ("trace", &metadata.traceparent),
            ("written by", &metadata.producer),
            ("rules", &metadata.rules),
        ] {
            if !value.is_empty() {
                teller.pair(name, value);
            }
        }
    }
    teller.pair("link", &event.link);
    teller.pair("size", &format!("{} bytes, epoch {}", event.bytes, event.epoch));
    if !event.sealed_for.is_empty() {
        teller.pair("sealed for", &event.sealed_for.join(", "));
    }
    let payload: Value = serde_json::from_str(&event.payload_json).unwrap_or_default();
    let text = serde_json::to_string_pretty(&payload).unwrap_or_default();
    text.lines().for_each(|line| teller.line(line));
}

pub(super) async fn stats(operator: &Operator<'_>) -> Result<()> {
    let mut away = Away::default();
    for (service, mut client) in operator.clients()? {
        let asked = client.get_log_stats(operator.ask_for_long(pb::GetLogStatsRequest {})).await;
        let Some(stats) = away.unless(operator, &service, asked)? else { continue };
        if operator.teller.is_json() {
            let mut value = json_of("GetLogStatsResponse", &stats)?;
            value["service"] = json!(service);
            operator.teller.value(&value);
        } else {
            figures(&service, &stats, operator.teller);
        }
    }
    away.end()
}

fn figures(service: &str, stats: &pb::GetLogStatsResponse, teller: &Teller) {
    teller.heading(&format!("{} ({service})", stats.log));
    let epoch = stats.epoch.clone().unwrap_or_default();
    teller.pair("events", &format!("{}, the last {}", stats.head, when(stats.last_recorded_at_us)));
    teller
        .pair("epoch", &format!("{} from position {}: {}", epoch.number, epoch.from_position, epoch.reason));
    teller.pair(
        "streams, commands",
        &format!("{}, {} in {} commits", stats.streams, stats.commands, stats.commits),
    );
    match &stats.checkpoint {
        Some(signed) => {
            teller.pair("signed", &format!("{} events, {}", signed.size, when(signed.signed_at_us)));
        }
        None => teller.pair("signed", "nothing yet"),
    }
    teller.pair("timers", &format!("{} waiting, {} overdue", stats.timers, stats.timers_overdue));
    teller.pair("parked", &format!("{} streams, {} events", stats.parked_streams, stats.parked_events));
    let rows = stats.kinds.iter().map(|kind| vec![kind.kind.clone(), kind.events.to_string()]).collect();
    teller.table(&["kind", "events"], rows);
    let rows = stats.consumers.iter().map(|consumer| {
        let lag = consumer.head.map(|head| head.saturating_sub(consumer.position));
        let unknown = || "unknown".to_owned();
        vec![
            consumer.log.clone(),
            consumer.position.to_string(),
            consumer.head.map_or_else(unknown, |head| head.to_string()),
            lag.map_or_else(unknown, |lag| lag.to_string()),
        ]
    });
    teller.table(&["reads", "position", "head", "behind"], rows.collect());
    let rows = stats.obligations.iter();
    let rows =
        rows.map(|one| vec![one.kind.clone(), one.open.to_string(), one.overdue.to_string()]).collect();
    teller.table(&["obligation", "open", "overdue"], rows);
    let rows = stats.tables.iter().map(|table| vec![table.table.clone(), table.bytes.to_string()]).collect();
    teller.table(&["table", "bytes"], rows);
}

pub(super) async fn relay(operator: &Operator<'_>) -> Result<()> {
    let (mut rows, mut away) = (Vec::new(), Away::default());
    for (service, mut client) in operator.clients()? {
        let asked = client.get_relay_status(operator.ask(pb::GetRelayStatusRequest {})).await;
        let Some(status) = away.unless(operator, &service, asked)? else { continue };
        let lag = status.head.saturating_sub(status.last_sequence);
        if operator.teller.is_json() {
            let mut value = json_of("GetRelayStatusResponse", &status)?;
            value["service"] = json!(service);
            value["lag"] = json!(lag);
            operator.teller.value(&value);
            continue;
        }
        let stream = match &status {
            pb::GetRelayStatusResponse { published: false, .. } => "not published".to_owned(),
            pb::GetRelayStatusResponse { broker_reachable: false, .. } => "the broker is away".to_owned(),
            pb::GetRelayStatusResponse { stream_exists: false, .. } => "no stream".to_owned(),
            status => format!("{} … {}", status.first_sequence, status.last_sequence),
        };
        let holder = status.holder.unwrap_or_default();
        rows.push(vec![
            status.log,
            stream,
            status.head.to_string(),
            lag.to_string(),
            format!("{} / {}", status.stream_epoch, status.epoch),
            format!("{} {} (backend {})", holder.application, holder.address, holder.backend_pid),
        ]);
    }
    if !operator.teller.is_json() {
        let heads = ["log", "on the broker", "head", "behind", "epoch there / here", "published by"];
        operator.teller.table(&heads, rows);
    }
    away.end()
}
