//! Every event of the contract has a golden file, and every golden file still reads as it was written.

use docket_testkit::evolution::{Golden, add_missing, goldens, pool, unfilled};
use std::collections::BTreeSet;

/// `DOCKET_UPDATE_GOLDENS=1` adds what is missing first; it never writes over a file.
#[test]
fn every_kind_and_every_field_has_a_golden_file() {
    let pool = pool();
    if std::env::var_os("DOCKET_UPDATE_GOLDENS").is_some() {
        println!("added: {:?}", add_missing(&pool));
    }
    let missing = unfilled(&pool, &goldens());
    assert!(
        missing.is_empty(),
        "no golden file has these; run this test with DOCKET_UPDATE_GOLDENS=1 and read what it wrote: {missing:#?}"
    );
}

#[test]
fn every_golden_file_still_reads_as_it_was_written() {
    let pool = pool();
    let goldens = goldens();
    let broken: Vec<String> = goldens.iter().filter_map(|golden| golden.holds(&pool).err()).collect();
    assert!(broken.is_empty(), "{broken:#?}");
    let kinds: BTreeSet<&str> = goldens.iter().map(|golden| golden.kind.as_str()).collect();
    let known: BTreeSet<&str> = docket_proto::events::ALL_KINDS.iter().copied().collect();
    assert_eq!(kinds, known, "golden files (left) and kinds of the contract (right)");
}

/// A file of a golden event that was spoiled on purpose, and the check must say so.
fn spoiled(spoil: impl FnOnce(&mut Golden)) -> String {
    let mut golden =
        goldens().into_iter().find(|golden| golden.kind == "case.evidence_requested.v1").unwrap();
    golden.holds(&pool()).unwrap();
    spoil(&mut golden);
    golden.holds(&pool()).unwrap_err()
}

#[test]
fn a_golden_file_that_no_longer_holds_is_told_from_one_that_does() {
    let other = spoiled(|golden| golden.plain["request_id"] = "another".into());
    assert!(other.contains("now reads"), "{other}");
    let unknown = spoiled(|golden| golden.bytes.extend([0xf8, 0x07, 0x01]));
    assert!(unknown.contains("nobody knows the fields [127]"), "{unknown}");
    // The deadline is field 3; a field in it that nobody knows shows too, as the last one wins by merging.
    let nested = spoiled(|golden| golden.bytes.extend([0x1a, 0x03, 0xf8, 0x07, 0x01]));
    assert!(nested.contains("nobody knows the fields [127]"), "{nested}");
    let cut = spoiled(|golden| golden.bytes.truncate(golden.bytes.len() - 1));
    assert!(cut.contains("case.evidence_requested.v1"), "{cut}");
    let renamed = spoiled(|golden| golden.kind = "case.evidence_requested.v9".into());
    assert!(renamed.contains("is no longer the event"), "{renamed}");
    let gone = spoiled(|golden| golden.message = "docket.case_status.events.v1.Gone".into());
    assert!(gone.contains("is gone"), "{gone}");
}

#[test]
fn a_kind_or_field_without_a_golden_file_is_named() {
    let pool = pool();
    let mut goldens = goldens();
    goldens.retain(|golden| golden.kind != "case.withdrawn.v1");
    let number = goldens.iter().position(|golden| golden.kind == "case.oath_scheduled.v1").unwrap();
    // Without its last field, the zone; the length of the part is the second byte.
    let bytes = &mut goldens[number].bytes;
    bytes.truncate(bytes.len() - "America/New_York".len() - 2);
    bytes[1] -= 18;
    let named = unfilled(&pool, &goldens);
    let fields = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<String>>();
    let expected = [
        ("case.withdrawn.v1".to_owned(), fields(&[])),
        ("case.oath_scheduled.v1".to_owned(), fields(&["docket.types.v1.AppointmentSlot.zone"])),
    ];
    assert_eq!(named, expected);
}
