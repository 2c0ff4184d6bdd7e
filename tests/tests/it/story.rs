//! The stories go through, and the command line shows what came of them.
use crate::system::{System, root};
use serde_json::Value;

#[test]
fn a_permanent_resident_becomes_a_citizen() {
    let system = System::start();
    let told = system.play("tests/stories/naturalization.toml", |_| ());
    let story = std::fs::read_to_string(root().join("tests/stories/naturalization.toml")).unwrap();
    let steps = told.iter().filter(|line| line["step"].is_u64()).count();
    assert_eq!(steps, story.matches("[[step]]").count(), "every step was played");
    let came_of_it = told.last().unwrap();
    let receipt = came_of_it["receipt_number"].as_str().expect("a receipt number");
    as_anybody(&system, receipt);
    as_the_officer(&system, receipt, &came_of_it["sign_ins"][1]);
    as_the_applicant(&system, receipt, &came_of_it["sign_ins"][0]);
}

/// Anybody with the whole number sees a title and nothing else; an unknown number is refused.
fn as_anybody(system: &System, receipt: &str) {
    let public = json(system, &["status", receipt]);
    assert_eq!(public[0]["form"], "N-400");
    assert!(public[0].get("timeline").is_none());
    assert_eq!(exit_code(system, &["status", "DKT0000000000"]), Some(3));
    assert_eq!(exit_code(system, &["status"]), Some(2));
    let forms = json(system, &["forms"]);
    assert!(forms.iter().any(|form| form["form"] == "N-400"));
    let form = json(system, &["forms", "n400"]);
    assert!(form[0]["questions"].as_array().is_some_and(|questions| questions.len() > 50));
}

fn as_the_officer(system: &System, receipt: &str, sign_in: &Value) {
    signed_in(system, sign_in);
    let queue = json(system, &["officer", "worklist", "--queue", "mine"]);
    assert!(queue.iter().all(|item| item["name"].as_str().is_some_and(|name| name.starts_with("cases/"))));
    let case = &json(system, &["officer", "open", receipt])[0];
    let kinds: Vec<&str> =
        case["timeline"].as_array().unwrap().iter().filter_map(|line| line["kind"].as_str()).collect();
    assert!(kinds.contains(&"case.background_check_returned.v1"), "officers see the checks: {kinds:?}");
    // A decided case takes no second decision, and a decision needs a fresh second factor.
    let name = case["name"].as_str().unwrap();
    assert_eq!(exit_code(system, &["officer", "decide", name, "approve"]), Some(3));
}

fn as_the_applicant(system: &System, receipt: &str, sign_in: &Value) {
    signed_in(system, sign_in);
    let case = &json(system, &["status", receipt])[0];
    assert_eq!(case["title_id"], "11");
    let kinds: Vec<&str> =
        case["timeline"].as_array().unwrap().iter().filter_map(|line| line["kind"].as_str()).collect();
    assert!(!kinds.iter().any(|kind| kind.contains("background_check") || kind.contains("recommended")));
    let spanish = &json(system, &["status", receipt, "--language", "es"])[0];
    assert_ne!(spanish["title"], case["title"]);
    let notices = json(system, &["inbox"]);
    assert_eq!(notices.len(), 8, "{notices:#?}");
    let pdf = tempfile::NamedTempFile::new().unwrap();
    let (name, to) = (notices[0]["name"].as_str().unwrap(), pdf.path().display().to_string());
    assert_eq!(exit_code(system, &["inbox", "--save", name, "--to", &to]), Some(0));
    assert!(std::fs::read(pdf.path()).unwrap().starts_with(b"%PDF-"));
    let paper = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(
        paper.path(),
        r#"{"form": "N-400", "answers": {"basis": "lpr_5_years", "lpr_since": "2026-01-01"}}"#,
    )
    .unwrap();
    let filing = &json(system, &["file", &paper.path().display().to_string()])[0];
    assert!(
        filing["findings"].as_array().unwrap().iter().any(|finding| finding["rule"] == "early-5"),
        "{filing:#}"
    );
    assert_eq!(filing["ready"], false);
}

fn signed_in(system: &System, sign_in: &Value) {
    let text = |field: &str| sign_in[field].as_str().expect("a text").to_owned();
    let (email, password, secret) = (text("email"), text("password"), text("totp_secret"));
    let arguments = ["sign-in", "--email", &email, "--password", &password, "--totp-secret", &secret];
    assert_eq!(exit_code(system, &arguments), Some(0), "sign-in of the {}", text("role"));
}

/// What a command prints with `--json`, a value a line.
fn json(system: &System, arguments: &[&str]) -> Vec<Value> {
    let output = system.command(arguments).arg("--json").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "docket {}: {said}", arguments.join(" "));
    let printed = String::from_utf8(output.stdout).unwrap();
    printed
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
        .collect()
}

fn exit_code(system: &System, arguments: &[&str]) -> Option<i32> {
    system.command(arguments).output().unwrap().status.code()
}
