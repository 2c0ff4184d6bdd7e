//! An event of an older version is read as what it became, step by step; a version that cannot be read does not build.

use crate::generator;
use crate::sample::events::v1::{ParcelLost, ParcelWeighed, ParcelWeighedV2, ParcelWeighedV3};
use docket_kernel::{DecodeError, EventEnum};
use prost::Message;
use prost_reflect::DescriptorPool;
use std::path::Path;

mod events {
    include!(concat!(env!("OUT_DIR"), "/sample/events.rs"));
}
use events::parcel::Event;

impl From<ParcelWeighed> for ParcelWeighedV2 {
    fn from(old: ParcelWeighed) -> Self {
        Self { grams: u64::from(old.pounds) * 454 }
    }
}

impl From<ParcelWeighedV2> for ParcelWeighedV3 {
    fn from(old: ParcelWeighedV2) -> Self {
        Self { grams: old.grams, scale: "unknown".into() }
    }
}

/// A fold which knows the newest versions only.
fn heaviest(so_far: u64, event: &Event) -> u64 {
    match event {
        Event::ParcelWeighedV3(weighed) => so_far.max(weighed.grams),
        Event::ParcelLost(_) => 0,
    }
}

fn weighed(grams: u64, scale: &str) -> Event {
    ParcelWeighedV3 { grams, scale: scale.into() }.into()
}

#[test]
fn every_older_version_is_read_as_the_newest() {
    let first = Event::decode("parcel.weighed.v1", &ParcelWeighed { pounds: 2 }.encode_to_vec());
    assert_eq!(first.unwrap(), weighed(908, "unknown"));
    let second = Event::decode("parcel.weighed.v2", &ParcelWeighedV2 { grams: 7 }.encode_to_vec());
    assert_eq!(second.unwrap(), weighed(7, "unknown"));
    let third = weighed(9, "dock 4");
    assert_eq!(Event::decode(third.kind(), &third.encode()).unwrap(), third);
    assert_eq!(third.kind(), "parcel.weighed.v3", "only the newest version is written");
}

#[test]
fn a_history_of_mixed_versions_folds() {
    let history = [
        ("parcel.weighed.v2", ParcelWeighedV2 { grams: 100 }.encode_to_vec()),
        ("parcel.lost.v1", ParcelLost {}.encode_to_vec()),
        ("parcel.weighed.v1", ParcelWeighed { pounds: 1 }.encode_to_vec()),
        ("parcel.weighed.v3", weighed(20, "dock 4").encode()),
    ];
    let events = history.iter().map(|(kind, bytes)| Event::decode(kind, bytes).unwrap());
    assert_eq!(events.fold(0, |so_far, event| heaviest(so_far, &event)), 454);
}

#[test]
fn all_versions_are_known_and_nothing_else_is() {
    let kinds = ["parcel.lost.v1", "parcel.weighed.v1", "parcel.weighed.v2", "parcel.weighed.v3"];
    assert_eq!(Event::KINDS, kinds);
    assert_eq!(events::ALL_KINDS, kinds);
    let unknown = Event::decode("parcel.weighed.v4", &[]).unwrap_err();
    assert!(matches!(unknown, DecodeError::UnknownKind(kind) if kind == "parcel.weighed.v4"));
    let malformed = Event::decode("parcel.weighed.v1", &[0xff]).unwrap_err();
    assert!(matches!(malformed, DecodeError::Malformed { kind, .. } if kind == "parcel.weighed.v1"));
}

/// What the build script says to a contract with these messages.
fn generated(messages: &str) -> anyhow::Result<String> {
    let folder = tempfile::tempdir()?;
    let head = "syntax = \"proto3\";\npackage docket.spoiled.events.v1;\nimport \"docket/options/v1/options.proto\";\n";
    std::fs::write(folder.path().join("spoiled.proto"), format!("{head}{messages}"))?;
    let contract = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    let mut compiler = protox::Compiler::new([folder.path(), &contract])?;
    compiler.include_imports(true).open_files(["spoiled.proto"])?;
    generator::events(&DescriptorPool::decode(compiler.encode_file_descriptor_set().as_slice())?)
}

fn event(name: &str, kind: &str) -> String {
    format!("message {name} {{ option (docket.options.v1.kind) = \"{kind}\"; }}\n")
}

#[test]
fn a_version_without_the_ones_before_it_is_refused_by_the_build() {
    let refusal = |messages: &[String]| generated(&messages.concat()).unwrap_err().to_string();
    let second = event("Sent2", "parcel.sent.v2");
    assert!(refusal(std::slice::from_ref(&second)).contains("parcel.sent.v2: version 1 is missing"));
    let fourth = event("Sent4", "parcel.sent.v4");
    let gap = [event("Sent", "parcel.sent.v1"), second, fourth];
    assert!(refusal(&gap).contains("parcel.sent.v4: version 3 is missing"));
    let twice = [event("Sent", "parcel.sent.v1"), event("Again", "parcel.sent.v1")];
    assert!(refusal(&twice).contains("two events of kind parcel.sent.v1"));
    assert!(refusal(&["message Loose {}\n".into()]).contains("has no kind"));
    for kind in ["parcel.sent", "parcel.sent.1", "parcel.sent.vx", "a.parcel.sent.v1"] {
        assert!(refusal(&[event("Sent", kind)]).contains("category.name.vN"), "{kind}");
    }
}

/// The compiler asks for the conversion by name: a second version without one does not build.
#[test]
fn a_second_version_asks_the_compiler_for_the_way_from_the_first() {
    let code =
        generated(&[event("Sent", "parcel.sent.v1"), event("Sent2", "parcel.sent.v2")].concat()).unwrap();
    let conversion = "<crate::spoiled::events::v1::Sent2 as From<crate::spoiled::events::v1::Sent>>::from";
    assert_eq!(code.matches(conversion).count(), 1, "{code}");
    assert!(!code.contains("Sent(crate::spoiled::events::v1::Sent)"), "folds see the newest only: {code}");
}
