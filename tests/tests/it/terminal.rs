//! A whole path on the terminal alone: a form is filled in from a file, read, signed, sent, paid and watched.
use crate::story::{exit_code, json, signed_in};
use crate::system::{System, root};
use serde_json::Value;
use std::io::Write as _;
use std::process::{Output, Stdio};

/// Runs a command and types lines into it.
fn typed(system: &System, arguments: &[&str], lines: &[&str]) -> Output {
    let mut command = system.command(arguments);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all((lines.join("\n") + "\n").as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// The answers of somebody who lost a card, with the paper that is asked for, in a file.
fn answers_of(folder: &std::path::Path, sign_in: &Value) -> String {
    let email = sign_in["email"].as_str().unwrap();
    let run: String = email.chars().filter(char::is_ascii_digit).collect();
    let text = std::fs::read_to_string(root().join("tests/stories/answers/i-90.toml")).unwrap();
    let text = text
        .replace("{{applicant.a_number}}", &format!("A000{run}"))
        .replace("{{today-6y}}", "2019-05-04")
        .replace("{{today-3y}}", "2021-02-03")
        .replace("\"agency_error\"", "\"lost_stolen_destroyed\"");
    let answers: Value = serde_json::to_value(toml::from_str::<toml::Table>(&text).unwrap()).unwrap();
    std::fs::copy(root().join("tests/stories/evidence/green-card-front.jpg"), folder.join("passport.jpg"))
        .unwrap();
    let filing = serde_json::json!({
        "form": "I-90", "answers": answers, "evidence": [{ "kind": "passport", "path": "passport.jpg" }],
    });
    let path = folder.join("filing.json");
    std::fs::write(&path, filing.to_string()).unwrap();
    path.display().to_string()
}

#[test]
fn a_card_that_was_lost_is_asked_for_paid_and_watched_on_the_terminal() {
    let system = System::start();
    let came_of_it = system.play("free", |_| ());
    let tomas = &came_of_it.last().unwrap()["sign_ins"][0];
    signed_in(&system, tomas);
    let folder = tempfile::tempdir().unwrap();
    let told = &json(&system, &["file", &answers_of(folder.path(), tomas)])[0];
    assert_eq!(told["ready"], true, "{told:#}");
    let filing = told["name"].as_str().unwrap();
    let secret = tomas["totp_secret"].as_str().unwrap();
    assert_eq!(
        exit_code(&system, &["send", filing]),
        Some(1),
        "a second factor is asked for, and nobody types"
    );
    assert_eq!(exit_code(&system, &["send", filing, "--totp-secret", secret]), Some(3), "it is not signed");

    // Read by itself; then asked as whom and by which name, and left.
    let read = &json(&system, &["review", filing])[0];
    assert!(read["text"].as_str().unwrap().contains("Tomás"), "{read:#}");
    let left = typed(&system, &["sign", filing], &["", ""]);
    let (shown, said) = (String::from_utf8_lossy(&left.stdout), String::from_utf8_lossy(&left.stderr));
    assert_eq!(left.status.code(), Some(1), "{said}");
    assert!(shown.contains("$415.00") && shown.contains(read["declaration"].as_str().unwrap()), "{shown}");
    assert!(said.contains("for yourself") && said.contains("nothing was signed"), "{said}");

    // Signed by typing: for oneself, and the name. Another name is refused.
    let other = ["sign", filing, "--name", "Rosa Other"];
    assert_eq!(exit_code(&system, &other), Some(3), "that is not the name in the form");
    let signed = typed(&system, &["sign", filing], &["1", "Tomás Calado"]);
    let said = String::from_utf8_lossy(&signed.stderr);
    assert!(signed.status.success() && said.contains(&format!("docket send {filing}")), "{said}");

    let sent = json(&system, &["submit", filing]).pop().unwrap();
    assert_eq!(sent["due_cents"], 41_500, "{sent:#}");
    let payment = sent["payment"].as_str().unwrap();
    let declined = system.command(&["pay", payment, "--card", "pm_card_chargeDeclined"]).output().unwrap();
    assert_eq!(declined.status.code(), Some(1), "{declined:?}");
    let paid = json(&system, &["pay", filing, "--card", "pm_card_visa"]).pop().unwrap();
    let receipt = paid["receipt_number"].as_str().unwrap();
    let case = &json(&system, &["status", receipt])[0];
    assert_eq!(case["form"], "I-90", "{case:#}");
    assert_eq!(
        exit_code(&system, &["pay", payment, "--card", "pm_card_visa"]),
        Some(3),
        "it is paid already"
    );
    // Nobody stands for anybody; under an appearance that is not there nothing is begun.
    assert!(json(&system, &["representations"]).is_empty());
    let nobody = uuid::Uuid::now_v7().to_string();
    assert_eq!(exit_code(&system, &["file", "I-90", "--representation", &nobody]), Some(5));
}
