//! What an operator hands out, checked by a stranger's program: files of `export` and proofs of `prove`, sound and spoilt.
//! The program shares no code with us.

use std::path::{Path, PathBuf};
use std::process::Command;

use docket_eventlog::{CheckpointKey, StreamName};
use docket_proto::log::v1 as pb;
use docket_proto::log::v1::export_record::Record;
use docket_service::Prove;
use serde_json::{Value, json};

use crate::log_admin::{World, account};

/// Accounts that register, with two events each.
const ACCOUNTS: u128 = 11;
const EVENTS: u64 = 22;

/// What the program says of a file: that it is sound, or why it is refused.
fn stranger(option: &str, file: &Path, key: &str) -> Result<String, String> {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/../eventlog/tests/verify_chain.py");
    let output = Command::new("python3")
        .args(["-B", program, option])
        .arg(file)
        .args(["--key", key])
        .output()
        .expect("Python 3 is there: the tools are installed with it");
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(said(&output.stdout)) } else { Err(said(&output.stderr)) }
}

fn write(folder: &Path, records: &[pb::ExportRecord]) -> PathBuf {
    let path = folder.join("export.log");
    let bytes: Vec<u8> = records.iter().flat_map(prost::Message::encode_length_delimited_to_vec).collect();
    std::fs::write(&path, bytes).unwrap();
    path
}

/// A log that was written and exported, and the key that it names.
async fn exported(stream: &str) -> (World, Vec<pb::ExportRecord>, String) {
    let world = World::start().await;
    for n in 1..=ACCOUNTS {
        world.register(account(n)).await;
    }
    let records = world.export(stream).await.unwrap();
    let Some(Record::Header(header)) = &records[0].record else { panic!("it begins with a header") };
    let key = hex::encode(&header.public_key);
    (world, records, key)
}

fn another_key() -> String {
    hex::encode(CheckpointKey::from_seed(&[4; 32]).unwrap().public_key())
}

fn event(records: &mut [pb::ExportRecord], at: usize) -> &mut pb::StoredEvent {
    let Some(Record::Event(event)) = &mut records[at].record else { panic!("record {at} is an event") };
    event
}

fn end(records: &mut [pb::ExportRecord]) -> &mut pb::ExportEnd {
    let Some(Record::End(end)) = &mut records.last_mut().unwrap().record else {
        panic!("it ends with its end")
    };
    end
}

fn signed(records: &mut [pb::ExportRecord]) -> &mut pb::ExportCheckpoint {
    end(records).checkpoint.as_mut().unwrap()
}

/// Another bit in the middle.
fn flip(bytes: &mut bytes::Bytes) {
    let mut changed = bytes.to_vec();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    *bytes = changed.into();
}

type Spoil = (&'static str, fn(&mut Vec<pb::ExportRecord>), &'static str);

/// Record 0 is the header, so the event at position n is record n.
const SPOILT: [Spoil; 22] = [
    ("a payload", |r| event(r, 7).payload = b"\x0a\x01x".as_slice().into(), "position 7: the link"),
    ("metadata", |r| flip(&mut event(r, 7).metadata), "position 7: the link"),
    ("a ciphertext", |r| flip(&mut event(r, 7).sealed[0].ciphertext), "position 7: the link"),
    ("a sealed part less", |r| event(r, 7).sealed.clear(), "position 7: the link"),
    ("a link", |r| flip(&mut event(r, 7).link), "position 7: the link"),
    ("a kind", |r| event(r, 7).kind = "account.closed.v1".into(), "position 7: the link"),
    ("an instant", |r| event(r, 7).recorded_at_us += 1, "position 7: the link"),
    ("an id", |r| flip(&mut event(r, 7).event_id), "position 7: the link"),
    ("a version", |r| event(r, 8).version = 9, "position 8: version 9"),
    ("a position", |r| event(r, 7).position = 9, "position 7: missing"),
    ("another log", |r| event(r, 7).log = "filing".into(), "position 7: of another log"),
    ("one dropped", |r| drop(r.remove(7)), "21 events, and the end says 22"),
    (
        "one dropped, and the number with it",
        |r| {
            r.remove(7);
            end(r).events = 21;
        },
        "position 7: missing",
    ),
    ("two swapped", |r| r.swap(7, 8), "position 7: missing"),
    (
        // Of different streams: no link is broken, but the signed tree knows the order.
        "two swapped with their positions",
        |r| {
            r.swap(6, 7);
            event(r, 6).position = 6;
            event(r, 7).position = 7;
        },
        "",
    ),
    (
        "the last dropped, and the number with it",
        |r| {
            r.remove(22);
            end(r).events = 21;
        },
        "21 events, and 22 are signed",
    ),
    ("a root", |r| flip(&mut signed(r).root), "not signed by this key"),
    ("a size", |r| signed(r).size = 21, "not signed by this key"),
    ("an epoch", |r| signed(r).epoch = 2, "not signed by this key"),
    ("a signature", |r| flip(&mut signed(r).signature), "not signed by this key"),
    ("no signature", |r| end(r).checkpoint = None, "not signed by this key"),
    ("no end", |r| drop(r.pop()), "ends before its end"),
];

#[tokio::test(flavor = "multi_thread")]
async fn an_exported_log_is_found_sound_and_each_spoilt_one_is_refused() {
    let (_world, records, key) = exported("").await;
    let folder = tempfile::tempdir().unwrap();
    let sound = stranger("--export", &write(folder.path(), &records), &key);
    assert_eq!(sound.unwrap(), format!("{EVENTS} events of the log identity sound, all of them signed\n"));
    for (what, spoil, word) in SPOILT {
        let mut spoilt = records.clone();
        spoil(&mut spoilt);
        let refused = stranger("--export", &write(folder.path(), &spoilt), &key).expect_err(what);
        assert!(refused.contains(word) && !refused.contains("Traceback"), "{what}: {refused}");
    }
    let file = write(folder.path(), &records);
    assert!(stranger("--export", &file, &another_key()).unwrap_err().contains("another key"));
    // Cut off anywhere it is refused. A byte that was changed somewhere is found too, unless nothing signed speaks of it.
    let whole = std::fs::read(&file).unwrap();
    for at in (0..whole.len()).step_by(whole.len() / 20) {
        std::fs::write(&file, &whole[..at]).unwrap();
        let refused = stranger("--export", &file, &key).expect_err("cut off");
        assert!(!refused.contains("Traceback"), "cut off after {at} bytes: {refused}");
        let mut changed = whole.clone();
        changed[at] ^= 4;
        std::fs::write(&file, changed).unwrap();
        let refused = stranger("--export", &file, &key).err().unwrap_or_default();
        assert!(!refused.contains("Traceback"), "byte {at}: {refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exported_stream_is_found_whole_and_each_spoilt_one_is_refused() {
    let name = StreamName::of("account", account(7)).to_string();
    let (_world, records, key) = exported(&name).await;
    let folder = tempfile::tempdir().unwrap();
    let sound = stranger("--export", &write(folder.path(), &records), &key).unwrap();
    assert_eq!(sound, format!("2 events sound: {name} is whole up to position {EVENTS}\n"));
    let spoilt: [Spoil; 5] = [
        ("a payload", |r| event(r, 2).payload = b"\x0a\x01x".as_slice().into(), "version 2: the link"),
        (
            "the last dropped",
            |r| {
                r.remove(2);
                end(r).events = 1;
            },
            "version 2: missing",
        ),
        (
            "the last dropped, and stated so",
            |r| {
                let link = event(r, 1).link.clone();
                r.remove(2);
                end(r).events = 1;
                let stated = end(r).statement.as_mut().unwrap();
                (stated.version, stated.link) = (1, link);
            },
            "the statement is not signed",
        ),
        ("two swapped", |r| r.swap(1, 2), "version 1: missing"),
        ("no statement", |r| end(r).statement = None, "the statement is not signed"),
    ];
    for (what, spoil, word) in spoilt {
        let mut records = records.clone();
        spoil(&mut records);
        let refused = stranger("--export", &write(folder.path(), &records), &key).expect_err(what);
        assert!(refused.contains(word) && !refused.contains("Traceback"), "{what}: {refused}");
    }
}

/// Another digit in the middle.
fn digit(value: &mut Value) {
    let mut text = value.as_str().unwrap().to_owned();
    let at = text.len() / 2;
    let digit = if &text[at..=at] == "0" { "1" } else { "0" };
    text.replace_range(at..=at, digit);
    *value = json!(text);
}

type Forge = (&'static str, fn(&mut Value), &'static str);

const FORGED: [Forge; 17] = [
    ("a payload", |p| p["event"]["payload"] = json!("0a0178"), "the link is wrong"),
    ("metadata", |p| digit(&mut p["event"]["metadata"]), "the link is wrong"),
    ("a sealed part", |p| digit(&mut p["event"]["sealed"][0]), "the link is wrong"),
    ("a stream", |p| p["event"]["stream"] = json!("account-other"), "the link is wrong"),
    ("a link", |p| digit(&mut p["event"]["link"]), "the link is wrong"),
    ("a position", |p| p["event"]["position"] = json!(8), "the leaf is wrong"),
    ("a position beyond", |p| p["event"]["position"] = json!(23), "not among the 22"),
    ("the link before", |p| p["previous"] = json!("11".repeat(32)), "the link before it is none"),
    ("a leaf", |p| digit(&mut p["leaf"]), "the leaf is wrong"),
    ("a hash of the path", |p| digit(&mut p["path"][1]), "does not lead to"),
    ("a path too short", |p| drop(p["path"].as_array_mut().unwrap().pop()), "too short"),
    ("no path", |p| p["path"] = json!([]), "too short"),
    ("a path in another order", |p| p["path"].as_array_mut().unwrap().swap(0, 1), "does not lead to"),
    ("a root", |p| digit(&mut p["checkpoint"]["root"]), "not signed by this key"),
    ("a size", |p| p["checkpoint"]["size"] = json!(21), "not signed by this key"),
    ("a signature", |p| digit(&mut p["checkpoint"]["signature"]), "not signed by this key"),
    ("another key", |p| p["public_key"] = json!(another_key()), "another key"),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_event_is_proven_and_each_forged_proof_is_refused() {
    let (world, records, key) = exported("").await;
    let folder = tempfile::tempdir().unwrap();
    let (file, to) = (write(folder.path(), &records), folder.path().join("proof.json"));
    let prove = |position| Prove { position, file: file.clone(), to: Some(to.clone()), public_key: None };
    for position in 1..=EVENTS {
        let said = prove(position).run().unwrap();
        assert!(said.contains(&key), "{said}");
        let proof = std::fs::read(&to).unwrap();
        assert_eq!(
            prove(position).run_within(2).unwrap(),
            said,
            "with the ends of next to no streams in mind"
        );
        assert_eq!(std::fs::read(&to).unwrap(), proof);
        let sound = stranger("--proof", &to, &key).unwrap();
        assert!(sound.starts_with(&format!("position {position}, version ")), "{sound}");
        assert!(sound.ends_with(&format!("is one of the {EVENTS} events signed\n")), "{sound}");
    }
    let refused = |ask: Prove| format!("{:#}", ask.run().unwrap_err());
    assert!(refused(prove(EVENTS + 1)).contains("holds 22 events, and none at position 23"));
    assert!(refused(prove(0)).contains("positions begin with 1"));
    let other = Prove { public_key: Some(another_key()), ..prove(7) };
    assert!(refused(other).contains("another key"));

    // Without a file to write to it is printed.
    let printed = Prove { to: None, ..prove(7) }.run().unwrap();
    let proof: Value = serde_json::from_str(&printed).unwrap();
    for (what, forge, word) in FORGED {
        let mut forged = proof.clone();
        forge(&mut forged);
        std::fs::write(&to, forged.to_string()).unwrap();
        let refused = stranger("--proof", &to, &key).expect_err(what);
        assert!(refused.contains(word) && !refused.contains("Traceback"), "{what}: {refused}");
    }
    std::fs::write(&to, proof.to_string()).unwrap();
    assert!(stranger("--proof", &to, &another_key()).unwrap_err().contains("another key"));

    // What is not as it was written proves nothing, nor does a part.
    let mut changed = records.clone();
    event(&mut changed, 3).recorded_at_us += 1;
    write(folder.path(), &changed);
    assert!(refused(prove(7)).contains("position 3"));
    let name = StreamName::of("account", account(2)).to_string();
    write(folder.path(), &world.export(&name).await.unwrap());
    assert!(refused(prove(3)).contains("the file of a whole log"));
}
