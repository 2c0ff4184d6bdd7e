//! A stranger's check of exports, by a program which shares no code with the log: signatures, proofs, completeness.

use std::fs;

use docket_eventlog::{CheckpointKey, Expected, SignedCheckpoint, StreamAppend, Subjects, merkle};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::chain::{exported, python, write};
use crate::world::{World, context, id, proven, registered, stream};

/// What a stranger gets: events, and what was signed about them.
#[derive(Clone)]
struct Export {
    events: Vec<Value>,
    /// `--checkpoint` for a log, `--statement` for a stream.
    option: &'static str,
    signed: Value,
    key: String,
}

/// What makes it false.
type Spoil = (&'static str, fn(&mut Export));

impl Export {
    /// What the program says: of a sound export, or of a refused one.
    fn check(&self, folder: &TempDir) -> Result<String, String> {
        let (events, signed) = (folder.path().join("export.jsonl"), folder.path().join("signed.json"));
        write(&events, &self.events);
        fs::write(&signed, self.signed.to_string()).unwrap();
        let output =
            python(&[events.to_str().unwrap(), self.option, signed.to_str().unwrap(), "--key", &self.key]);
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() { Ok(said(&output.stdout)) } else { Err(said(&output.stderr)) }
    }

    fn all_refused(&self, cases: &[Spoil]) {
        let folder = tempfile::tempdir().unwrap();
        for (what, spoil) in cases {
            let mut spoilt = self.clone();
            spoil(&mut spoilt);
            let refused = spoilt.check(&folder).expect_err(what);
            assert!(!refused.contains("Traceback"), "{what}: {refused}");
        }
    }
}

/// A log of 24 events in 4 streams, of which 20 are signed: log and key.
async fn log() -> (World, CheckpointKey, SignedCheckpoint) {
    let (world, key) = (World::new().await, CheckpointKey::from_seed(&[3; 32]).unwrap());
    let mut signed = None;
    for n in 1..=12 {
        let events = [registered(), proven()];
        let append = StreamAppend::of(stream(n % 4), Expected::Any, Subjects::account(id(n % 3)), &events);
        world.log.append(context(n).append(&world.log, vec![append])).await.unwrap();
        if n == 10 {
            signed = world.log.checkpoint(&key).await.unwrap();
        }
    }
    (world, key, signed.unwrap())
}

fn checkpoint(signed: &SignedCheckpoint) -> Value {
    json!({
        "log": signed.log,
        "size": signed.size,
        "root": hex::encode(signed.root),
        "epoch": signed.epoch,
        "signed_at_us": signed.signed_at.as_microsecond(),
        "signature": hex::encode(signed.signature),
    })
}

/// Another digit in the middle.
fn flip(value: &mut Value) {
    let mut text = value.as_str().unwrap().to_owned();
    let at = text.len() / 2;
    let digit = if &text[at..=at] == "0" { "1" } else { "0" };
    text.replace_range(at..=at, digit);
    *value = json!(text);
}

#[tokio::test]
async fn a_signed_log_is_found_sound_and_spoilt_ones_are_refused() {
    let (world, key, signed) = log().await;
    let export = Export {
        events: world.sound().await.iter().map(exported).collect(),
        option: "--checkpoint",
        signed: checkpoint(&signed),
        key: hex::encode(key.public_key()),
    };
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(export.check(&folder).unwrap(), "24 events sound, 20 of them signed\n");
    // The tail after the checkpoint may be missing: nothing signed speaks of it.
    let mut shorter = export.clone();
    shorter.events.truncate(20);
    assert_eq!(shorter.check(&folder).unwrap(), "20 events sound, 20 of them signed\n");
    export.all_refused(&[
        ("a payload", |e| e.events[6]["payload"] = json!("00")),
        ("metadata", |e| flip(&mut e.events[6]["metadata"])),
        ("a sealed part", |e| flip(&mut e.events[6]["sealed"][0])),
        ("a sealed part less", |e| e.events[6]["sealed"] = json!([])),
        ("a link", |e| flip(&mut e.events[6]["link"])),
        ("a kind", |e| e.events[6]["kind"] = json!("account.closed.v1")),
        ("an instant", |e| e.events[6]["recorded_at_us"] = json!(1)),
        ("a version", |e| e.events[6]["version"] = json!(9)),
        ("a position", |e| e.events[6]["position"] = json!(9)),
        ("another log", |e| e.events[6]["log"] = json!("filing")),
        ("another stream", |e| e.events[6]["stream"] = json!("account-other")),
        ("one removed", |e| drop(e.events.remove(6))),
        ("cut off below the checkpoint", |e| e.events.truncate(19)),
        ("two changed about", |e| e.events.swap(6, 7)),
        // Links stay right, for the two are of different streams.
        ("two changed about with their positions", |e| {
            e.events.swap(5, 6);
            e.events[5]["position"] = json!(6);
            e.events[6]["position"] = json!(7);
        }),
        ("a root", |e| flip(&mut e.signed["root"])),
        ("a size", |e| e.signed["size"] = json!(19)),
        ("an epoch", |e| e.signed["epoch"] = json!(2)),
        ("a signing instant", |e| e.signed["signed_at_us"] = json!(1)),
        ("a signature", |e| flip(&mut e.signed["signature"])),
        ("no signature", |e| e.signed["signature"] = json!("")),
        ("another key", |e| {
            e.key = hex::encode(CheckpointKey::from_seed(&[4; 32]).unwrap().public_key());
        }),
    ]);
}

#[tokio::test]
async fn a_stream_is_proven_whole_and_spoilt_ones_are_refused() {
    let (world, key, _) = log().await;
    let statement = world.log.statement(&key, &stream(1)).await.unwrap();
    let all = world.sound().await;
    let leaves: Vec<_> = all.iter().map(|event| merkle::leaf(event.position, &event.link)).collect();
    let prove = |event: &docket_eventlog::Recorded| {
        let proof = merkle::inclusion_proof(&leaves, usize::try_from(event.position - 1).unwrap());
        let mut event = exported(event);
        event["proof"] = proof.iter().map(hex::encode).collect();
        event
    };
    let export = Export {
        events: all.iter().filter(|event| event.stream == stream(1)).map(prove).collect(),
        option: "--statement",
        signed: json!({
            "stream": statement.stream.as_str(),
            "version": statement.version,
            "link": hex::encode(statement.link),
            "signature": hex::encode(statement.signature),
            "checkpoint": checkpoint(&statement.checkpoint),
        }),
        key: hex::encode(key.public_key()),
    };
    let folder = tempfile::tempdir().unwrap();
    let said = export.check(&folder).unwrap();
    assert_eq!(said, format!("6 events sound: {} is whole up to position 24\n", stream(1)));

    // It stays provable after an erasure.
    world.erase(1).await;
    let after = world.log.read_stream(&stream(1), 1).await.unwrap();
    assert_eq!(after.iter().map(prove).collect::<Vec<_>>(), export.events);
    export.all_refused(&[
        ("a payload", |e| e.events[2]["payload"] = json!("00")),
        ("a sealed part", |e| flip(&mut e.events[2]["sealed"][0])),
        ("a link", |e| flip(&mut e.events[2]["link"])),
        ("a position", |e| e.events[2]["position"] = json!(11)),
        ("a proof", |e| flip(&mut e.events[2]["proof"][1])),
        ("a proof too short", |e| drop(e.events[2]["proof"].as_array_mut().unwrap().pop())),
        ("no proof", |e| e.events[2]["proof"] = json!([])),
        ("a proof too long", |e| {
            let last = e.events[2]["proof"][0].clone();
            e.events[2]["proof"].as_array_mut().unwrap().push(last);
        }),
        ("the first left out", |e| drop(e.events.remove(0))),
        ("one left out", |e| drop(e.events.remove(2))),
        ("the last left out", |e| drop(e.events.pop())),
        ("all left out", |e| e.events.clear()),
        ("one twice", |e| e.events.push(e.events[5].clone())),
        ("two changed about", |e| e.events.swap(2, 3)),
        ("a stated version", |e| e.signed["version"] = json!(5)),
        ("a shorter statement for a shorter stream", |e| {
            e.events.pop();
            e.signed["version"] = json!(5);
            e.signed["link"] = e.events[4]["link"].clone();
        }),
        ("another stream", |e| e.signed["stream"] = json!("account-other")),
        ("a statement's signature", |e| flip(&mut e.signed["signature"])),
        ("a checkpoint's signature", |e| flip(&mut e.signed["checkpoint"]["signature"])),
        ("a root", |e| flip(&mut e.signed["checkpoint"]["root"])),
        ("another key", |e| {
            e.key = hex::encode(CheckpointKey::from_seed(&[4; 32]).unwrap().public_key());
        }),
    ]);
}
