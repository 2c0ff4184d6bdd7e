//! How the program `docket` ends when something is in the way: exit codes, and with `--json` one object on the error side.
use crate::system::{docket, root};
use docket_cli::address::Addresses;
use docket_service::testing::Bench;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tonic::service::Routes;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

fn run(home: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(docket());
    command.args(arguments).env("DOCKET_HOME", home).env("DOCKET_ROOT", root()).current_dir(root());
    command.output().unwrap()
}

/// Runs a command that fails, for people and for a program; gives the exit code, which is the same, and the object.
fn failed(home: &Path, arguments: &[&str]) -> (i32, Value) {
    let (plain, told) = (run(home, arguments), run(home, &[arguments, &["--json"]].concat()));
    assert_eq!(plain.status.code(), told.status.code(), "{arguments:?}");
    assert!(plain.stdout.is_empty() && told.stdout.is_empty(), "{arguments:?}: {told:?}");
    assert!(!plain.stderr.is_empty());
    let object: Value =
        serde_json::from_slice(&told.stderr).unwrap_or_else(|_| panic!("no object: {told:?}"));
    let code = told.status.code().unwrap();
    assert_eq!(object["exit_code"], code, "{object:#}");
    (code, object)
}

/// A home in which services run at these addresses.
fn home_of(grpc: BTreeMap<String, String>, ca_file: PathBuf) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let addresses = Addresses {
        start_id: String::new(),
        supervisor_pid: 0,
        ca_file,
        grpc,
        admin: BTreeMap::new(),
        http: BTreeMap::new(),
        mail: String::new(),
        sandbox: String::new(),
        databases: BTreeMap::new(),
        broker: String::new(),
        processes: BTreeMap::new(),
        held: PathBuf::new(),
        invitations: BTreeMap::new(),
        clock: None,
    };
    addresses.write(home.path()).unwrap();
    home
}

#[test]
fn words_that_are_off_and_a_system_that_is_not_there_are_told_as_such() {
    let empty = tempfile::tempdir().unwrap();
    let (code, told) = failed(empty.path(), &["status"]);
    assert_eq!((code, &told["ending"], &told["code"]), (2, &json!("usage"), &Value::Null));
    assert!(told["message"].as_str().unwrap().contains("<RECEIPT>"), "{told:#}");
    let (code, told) = failed(empty.path(), &["status", "DKT1234567897"]);
    assert_eq!((code, &told["ending"]), (4, &json!("away")), "nothing runs there");
    assert_eq!(told["way_out"], json!([]));

    let help = run(empty.path(), &["help"]);
    let help = String::from_utf8(help.stdout).unwrap();
    let page = std::fs::read_to_string(root().join("docs/reference/command-line.md")).unwrap();
    for (code, word) in
        (0..).zip(["done", "failed", "usage", "refused", "away", "not_found", "not_allowed", "internal"])
    {
        assert!(page.contains(&format!("| {code} | `{word}` |")), "{code} on the page");
        assert!(help.contains(&format!(" {code} ")), "{code} in the help");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_service_answers_has_an_exit_code_of_its_own_and_all_its_details() {
    let (bench, answer) = (Bench::new().await, Arc::new(Mutex::new(Status::ok(""))));
    let given = Arc::clone(&answer);
    let stub = Routes::default().into_axum_router().fallback(move || {
        let status = given.lock().unwrap().clone();
        async move { status.into_http::<tonic::body::Body>() }
    });
    bench.peer("status-projection", Routes::from(stub)).await;
    let folder = tempfile::tempdir().unwrap();
    let ca_file = bench.authority.issue("caller", folder.path()).ca_file;
    let there = bench.config("caller", "", None, "").peers["status-projection"].clone();
    let names = ["identity", "filing", "payments", "case-status", "status-projection", "notifications"];
    let home = home_of(names.map(|name| (name.to_owned(), there.clone())).into(), ca_file);
    let said = async |status: Status| {
        *answer.lock().unwrap() = status;
        let home = home.path().to_owned();
        tokio::task::spawn_blocking(move || failed(&home, &["status", "DKT1234567897"])).await.unwrap()
    };

    let mut details =
        ErrorDetails::with_error_info("TOO_EARLY", "cases.docket", [("day".into(), "Monday".into())]);
    details.add_bad_request_violation("receipt_number", "RECEIPT_OLD: It is an old one.");
    details.add_help_link("Come on Monday.", "").set_retry_info(Some(Duration::from_secs(7)));
    details.set_request_info("0190f3f0-0000-7000-8000-000000000001", "");
    let (code, told) = said(Status::with_error_details(Code::FailedPrecondition, "Not yet.", details)).await;
    let expected = json!({
        "ending": "refused", "exit_code": 3, "code": "FAILED_PRECONDITION", "reason": "TOO_EARLY",
        "message": "Not yet.", "about": null, "field": "receipt_number",
        "faults": [{"field": "receipt_number", "reason": "RECEIPT_OLD", "message": "It is an old one."}],
        "way_out": ["Come on Monday."], "retry_after_s": 7.0,
        "request_id": "0190f3f0-0000-7000-8000-000000000001", "facts": {"day": "Monday"},
    });
    assert_eq!((code, told), (3, expected));

    let reason = || ErrorDetails::with_error_info("WHY", "cases.docket", []);
    let later = ErrorDetails::with_retry_info(Some(Duration::from_secs(1)));
    for (code, details, exit_code, ending) in [
        (Code::Unavailable, later.clone(), 4, "away"),
        (Code::ResourceExhausted, later, 4, "away"),
        (Code::NotFound, reason(), 5, "not_found"),
        (Code::PermissionDenied, reason(), 6, "not_allowed"),
        (Code::Unauthenticated, ErrorDetails::new(), 6, "not_allowed"),
        (Code::Internal, reason(), 7, "internal"),
    ] {
        let (exited, told) = said(Status::with_error_details(code, "No.", details)).await;
        assert_eq!((exited, told["ending"].as_str().unwrap()), (exit_code, ending), "{told:#}");
    }
    let (code, told) = {
        let home = home.path().to_owned();
        tokio::task::spawn_blocking(move || failed(&home, &["filings"])).await.unwrap()
    };
    assert_eq!((code, &told["ending"]), (6, &json!("not_allowed")), "nobody is signed in");
}
