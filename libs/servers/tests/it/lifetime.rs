//! No server outlives the process that started it, not even one that was killed.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::{runs, wait_until};

/// Starts `with-servers` on a command that tells where the server's data is, and then waits for ever.
fn started(reexec: bool) -> (Child, u32, PathBuf) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_with-servers"));
    let tell =
        r#""$DOCKET_POSTGRES_BIN/psql" "$DOCKET_TEST_POSTGRES" -XAtc 'SHOW data_directory'; read -r forever"#;
    command.args(["sh", "-c", tell]).stdin(Stdio::piped()).stdout(Stdio::piped());
    if reexec {
        command.env("DOCKET_REEXEC", "yes");
    }
    let mut process = command.spawn().unwrap();
    let mut data = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut data).unwrap();
    let data = PathBuf::from(data.trim());
    let pid_file = std::fs::read_to_string(data.join("postmaster.pid")).unwrap();
    (process, pid_file.lines().next().unwrap().parse().unwrap(), data.parent().unwrap().to_owned())
}

#[test]
fn the_watchdog_ends_the_server_and_removes_its_folder() {
    let (mut process, server, folder) = started(false);
    assert!(runs(server));
    process.kill().unwrap();
    process.wait().unwrap();
    wait_until("the server ends", || !runs(server));
    wait_until("the folder goes", || !folder.exists());
}

#[test]
#[cfg(target_os = "linux")]
fn the_parent_death_signal_ends_the_server() {
    let (mut process, server, folder) = started(true);
    assert!(runs(server));
    process.kill().unwrap();
    process.wait().unwrap();
    wait_until("the server ends", || !runs(server));
    std::fs::remove_dir_all(folder).unwrap(); // data that was to stay
}

#[test]
fn the_commands_status_is_passed_on() {
    let command =
        Command::new(env!("CARGO_BIN_EXE_with-servers")).args(["sh", "-c", "exit 3"]).status().unwrap();
    assert_eq!(command.code(), Some(3));
}
