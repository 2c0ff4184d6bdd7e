//! A change that breaks what was released is refused by the very check that `make check` runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// What buf says to the contract after `change` in one file of it.
fn buf_breaking(file: &str, change: impl FnOnce(String) -> String) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    copy(&root().join("proto/docket"), &folder.path().join("proto/docket"));
    fs::copy(root().join("buf.yaml"), folder.path().join("buf.yaml")).unwrap();
    let file = folder.path().join("proto/docket").join(file);
    fs::write(&file, change(fs::read_to_string(&file).unwrap())).unwrap();
    let buf =
        std::env::var_os("DOCKET_BUF").map_or_else(|| root().join(".local/tools/bin/buf"), PathBuf::from);
    let released = root().join("proto/released/contract.binpb");
    let Output { status, stdout, stderr } = Command::new(&buf)
        .args(["breaking", "--against"])
        .arg(released)
        .current_dir(folder.path())
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}; deploy/tools/install brings it", buf.display()));
    let said = [stdout, stderr].concat();
    (status.success(), String::from_utf8(said).unwrap())
}

const EVENTS: &str = "case_status/events/v1/case_events.proto";

/// Replaces what must be there.
fn replace(from: &'static str, to: &'static str) -> impl FnOnce(String) -> String {
    move |text| {
        assert!(text.contains(from), "{from} is not in the file");
        text.replacen(from, to, 1)
    }
}

#[test]
fn what_was_released_is_not_broken_by_the_contract_as_it_is() {
    let (fits, said) = buf_breaking(EVENTS, |text| text);
    assert!(fits, "{said}");
}

#[test]
fn a_new_event_and_a_new_field_are_no_break() {
    let (fits, said) = buf_breaking(EVENTS, |text| {
        replace("  uint32 age = 12;", "  uint32 age = 12;\n  // New.\n  string later = 99;")(text)
            + "// New.\nmessage CaseOfTomorrow {}\n"
    });
    assert!(fits, "{said}");
}

#[test]
fn a_removed_field_a_changed_type_a_moved_number_and_a_lost_event_are_refused() {
    let refused = |change: Box<dyn FnOnce(String) -> String>, name: &str| {
        let (fits, said) = buf_breaking(EVENTS, change);
        assert!(!fits && said.contains(name), "{name} should be named: {said}");
    };
    refused(Box::new(replace("  uint32 age = 12;", "")), "\"age\"");
    refused(Box::new(replace("uint32 age = 12;", "string age = 12;")), "\"age\"");
    refused(Box::new(replace("uint32 age = 12;", "uint32 age = 98;")), "\"age\"");
    refused(Box::new(replace("message CaseWithdrawn {", "message CaseGivenUp {")), "\"CaseWithdrawn\"");
}
