//! Starting: what is refused, and where the chosen ports are told.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use crate::harness::Ports;

fn sandbox() -> Command {
    Command::new(env!("CARGO_BIN_EXE_docket-sandbox"))
}

/// What it says when it does not start.
fn complaint(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn production_is_refused() {
    for word in ["production", "Production", "prod"] {
        let said = complaint(sandbox().env("DOCKET_SANDBOX__ENVIRONMENT", word));
        assert!(said.contains("does not run in production"), "{said}");
    }
}

#[test]
fn an_unknown_key_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("sandbox.toml");
    std::fs::write(&config, "[processor]\nretry_base = 5\n").unwrap();
    let said = complaint(sandbox().arg("--config").arg(&config));
    assert!(said.contains("retry_base"), "{said}");
    assert!(complaint(sandbox().env("DOCKET_SANDBOX__MAIL__MAX", "1")).contains("max"));
}

#[test]
fn the_ports_file_says_what_stdout_says() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ports.json");
    let mut child = sandbox().arg("--ports-file").arg(&file).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let told = std::fs::read_to_string(&file).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(told, line.trim());
    let ports: Ports = serde_json::from_str(&told).unwrap();
    assert!([ports.http, ports.mail_http, ports.smtp, ports.clamd].iter().all(|address| address.port() != 0));
}
