//! The chain against its test vectors and against a checker which shares no code with it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use docket_eventlog::{
    CheckpointKey, Expected, Metadata, Recorded, StreamAppend, StreamName, Subjects, link, merkle,
};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::world::{World, context, id, proven, registered, stream};

const TESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");

pub(crate) fn python(arguments: &[&str]) -> Output {
    Command::new("python3")
        .arg("-B")
        .arg(format!("{TESTS}/verify_chain.py"))
        .args(arguments)
        .output()
        .expect("Python 3 is there: the tools are installed with it")
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

fn event_of(vector: &Value) -> Recorded {
    let text = |key: &str| vector[key].as_str().unwrap().to_owned();
    let metadata_bytes = bytes(&vector["metadata"]);
    Recorded {
        log: text("log"),
        position: vector["position"].as_u64().unwrap(),
        stream: StreamName::new(text("stream")).unwrap(),
        version: vector["version"].as_u64().unwrap(),
        event_id: text("event_id").parse().unwrap(),
        kind: text("kind"),
        recorded_at: Timestamp::from_microsecond(vector["recorded_at_us"].as_i64().unwrap()).unwrap(),
        metadata: Metadata::decode(&metadata_bytes).unwrap(),
        metadata_bytes: metadata_bytes.into(),
        payload: bytes(&vector["payload"]).into(),
        sealed: vector["sealed"].as_array().unwrap().iter().map(|part| bytes(part).into()).collect(),
        link: bytes(&vector["link"]).try_into().unwrap(),
        format: 1,
        epoch: 1,
    }
}

#[test]
fn the_vectors_are_met_here_and_by_the_other_checker() {
    let vectors: Value = serde_json::from_str(include_str!("../vectors.json")).unwrap();
    let mut leaves = Vec::new();
    for vector in vectors["events"].as_array().unwrap() {
        let event = event_of(vector);
        let previous = bytes(&vector["previous"]).try_into().unwrap();
        assert_eq!(hex::encode(link(&previous, &event)), vector["link"], "{}", vector["name"]);
        assert!(event.follows(&previous));
        leaves.push(merkle::leaf(event.position, &event.link));
        assert_eq!(hex::encode(leaves.last().unwrap()), vector["leaf"], "{}", vector["name"]);
    }
    for (size, root) in vectors["roots"].as_array().unwrap().iter().enumerate() {
        assert_eq!(hex::encode(merkle::root(&leaves[..size])), *root, "root of {size}");
    }
    let other = python(&["--vectors", &format!("{TESTS}/vectors.json")]);
    assert!(other.status.success(), "{}", String::from_utf8_lossy(&other.stderr));
}

pub(crate) fn exported(event: &Recorded) -> Value {
    json!({
        "position": event.position,
        "log": event.log,
        "stream": event.stream.as_str(),
        "version": event.version,
        "kind": event.kind,
        "event_id": event.event_id,
        "recorded_at_us": event.recorded_at.as_microsecond(),
        "metadata": hex::encode(&event.metadata_bytes),
        "payload": hex::encode(&event.payload),
        "sealed": event.sealed.iter().map(hex::encode).collect::<Vec<_>>(),
        "link": hex::encode(event.link),
    })
}

pub(crate) fn write(path: &Path, events: &[Value]) {
    let lines: Vec<String> = events.iter().map(Value::to_string).collect();
    fs::write(path, lines.join("\n") + "\n").unwrap();
}

#[tokio::test]
async fn a_real_log_exported_is_found_sound_by_the_other_checker_and_a_changed_one_is_not() {
    let world = World::new().await;
    let log = &world.log;
    for n in 1..=12 {
        let subjects = Subjects::account(id(n % 3));
        let events = [registered(), proven()];
        let append = StreamAppend::of(stream(n % 4), Expected::Any, subjects, &events);
        log.append(context(n).append(log, vec![append])).await.unwrap();
    }
    let key = CheckpointKey::from_seed(&[3; 32]).unwrap();
    let root = hex::encode(log.checkpoint(&key).await.unwrap().unwrap().root);
    let mut events: Vec<Value> = world.sound().await.iter().map(exported).collect();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("export.jsonl");
    let path = file.to_str().unwrap();
    write(&file, &events);
    let sound = python(&[path, "--root", &root]);
    let said = String::from_utf8_lossy(&sound.stdout).into_owned();
    assert!(sound.status.success() && said.starts_with("24 events sound"), "{said}");
    assert!(!python(&[path, "--root", &"0".repeat(64)]).status.success());

    // An erasure changes nothing of it.
    world.erase(1).await;
    let after: Vec<Value> = world.sound().await.iter().map(exported).collect();
    assert_eq!(after, events);

    events[6]["payload"] = json!("00");
    write(&file, &events);
    let broken = python(&[path]);
    assert!(!broken.status.success());
    assert!(String::from_utf8_lossy(&broken.stderr).contains("position 7"), "it names the first bad event");
    events.remove(6);
    write(&file, &events);
    assert!(String::from_utf8_lossy(&python(&[path]).stderr).contains("position 7: missing"));
}

fn any_event() -> impl Strategy<Value = Recorded> {
    let parts = proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..5), 0..4);
    ("[a-z]{1,3}", "[a-z]{1,3}", 1_u64..4, "[a-z.]{0,3}", any::<u8>(), "[a-z]{0,3}", parts).prop_map(
        |(log, stream, version, kind, event_id, payload, sealed)| {
            let vectors: Value = serde_json::from_str(include_str!("../vectors.json")).unwrap();
            Recorded {
                log,
                stream: StreamName::new(stream).unwrap(),
                version,
                kind,
                event_id: id(event_id.into()),
                payload: payload.into(),
                sealed: sealed.into_iter().map(Into::into).collect(),
                ..event_of(&vectors["events"][0])
            }
        },
    )
}

proptest! {
    #[test]
    fn no_two_events_have_one_link(first in any_event(), second in any_event(), previous: [u8; 32]) {
        let of = |event: &Recorded| link(&previous, event);
        let hashed = |e: &Recorded| {
            (e.log.clone(), e.stream.clone(), e.version, e.kind.clone(), e.event_id, e.payload.clone(), e.sealed.clone())
        };
        prop_assert_eq!(of(&first) == of(&second), hashed(&first) == hashed(&second));
    }

    #[test]
    fn the_record_survives_the_wire(event in any_event()) {
        let event = Recorded { sealed: Vec::new(), ..event };
        prop_assert_eq!(Recorded::from_stored(&event.to_stored()).unwrap(), event);
    }
}
