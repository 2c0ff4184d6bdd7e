//! Real servers: started, found again with their data, and gone when they should be.
#![allow(clippy::unwrap_used, reason = "a helper of tests may panic as a test may")]

mod lifetime;
mod nats;
mod postgres;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use docket_servers::{Postgres, PostgresOptions};

/// A throw-away server's options in a folder that goes with the guard, also where `nobody` must reach it.
fn scratch(folder: &tempfile::TempDir) -> PostgresOptions {
    PostgresOptions { durable: false, ..PostgresOptions::new(folder.path().join("postgres")) }
}

fn folder() -> tempfile::TempDir {
    folder_of_mode(0o755)
}

/// A folder that only its owner can pass.
fn closed_folder() -> tempfile::TempDir {
    folder_of_mode(0o700)
}

fn folder_of_mode(mode: u32) -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::Permissions::from_mode(mode);
    tempfile::Builder::new().prefix("docket servers ").permissions(mode).tempdir().unwrap()
}

/// What psql prints for a statement, or its complaint.
fn psql(server: &Postgres, url: &str, statement: &str) -> Result<String, String> {
    let output = Command::new(server.bin().join("psql")).args([url, "-XAtc", statement]).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

fn ask(server: &Postgres, statement: &str) -> Result<String, String> {
    psql(server, &server.url("postgres"), statement)
}

/// True while a process runs, and is not only waiting for its parent to take note of its end.
fn runs(pid: u32) -> bool {
    let status = std::fs::read_to_string(PathBuf::from(format!("/proc/{pid}/status")));
    status.is_ok_and(|status| !status.contains("State:\tZ"))
}

/// Waits for a condition for at most 30 s.
fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::yield_now();
    }
}

fn mode_of(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}
