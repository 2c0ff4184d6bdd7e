//! PostgreSQL: new and old data, ports, passwords, crashes.

use std::net::TcpListener;
use std::path::Path;

use docket_servers::{
    Error, Launcher, Postgres, PostgresOptions, Signal, TlsFiles, child, unprivileged_user,
};

use crate::{ask, closed_folder, folder, mode_of, psql, scratch};

#[test]
fn data_password_and_port_survive_a_stop() {
    let folder = folder();
    let mut server = Postgres::start(scratch(&folder)).unwrap();
    ask(&server, "CREATE TABLE kept AS SELECT 7 AS n").unwrap();
    assert!(server.stop().unwrap().success());
    let port = server.port();
    let again = Postgres::start(PostgresOptions { port: Some(port), ..scratch(&folder) }).unwrap();
    assert_eq!((again.port(), again.password()), (port, server.password()));
    assert_eq!(ask(&again, "SELECT n FROM kept").unwrap(), "7");
}

#[test]
fn a_crash_loses_nothing_that_was_committed() {
    let folder = folder();
    let mut server = Postgres::start(PostgresOptions { durable: true, ..scratch(&folder) }).unwrap();
    ask(&server, "CREATE TABLE kept AS SELECT 7 AS n").unwrap();
    server.process().kill().unwrap();
    assert!(ask(&server, "SELECT 1").is_err());
    server.restart().unwrap();
    assert_eq!(ask(&server, "SELECT n FROM kept").unwrap(), "7");
    assert_eq!(ask(&server, "SHOW fsync").unwrap(), "on");
}

#[test]
fn what_an_earlier_run_left_is_ended_or_cleared_away() {
    let folder = folder();
    let mut dead = Postgres::start(PostgresOptions { durable: true, ..scratch(&folder) }).unwrap();
    ask(&dead, "CREATE TABLE kept AS SELECT 7 AS n").unwrap();
    dead.process().signal(Signal::KILL).unwrap();
    std::mem::forget(dead); // dead, and nobody takes note of it
    let alive = Postgres::start(scratch(&folder)).unwrap();
    std::mem::forget(alive); // still running
    let server = Postgres::start(scratch(&folder)).unwrap();
    assert_eq!(ask(&server, "SELECT n FROM kept").unwrap(), "7");
}

#[test]
fn the_password_is_asked_for_and_kept_private() {
    let folder = folder();
    let server = Postgres::start(scratch(&folder)).unwrap();
    let wrong = server.url("postgres").replace(server.password(), "wrong");
    assert!(psql(&server, &wrong, "SELECT 1").unwrap_err().contains("password authentication failed"));
    assert_eq!(mode_of(&server.folder().join("password")), 0o600);
    assert_eq!(
        ask(&server, "SELECT count(*) FROM pg_hba_file_rules WHERE auth_method <> 'scram-sha-256'").unwrap(),
        "0"
    );
}

#[test]
fn only_throw_away_data_has_passwords_that_are_proven_in_one_round() {
    for (durable, rounds) in [(true, "4096"), (false, "1")] {
        let folder = folder();
        let server = Postgres::start(PostgresOptions { durable, ..scratch(&folder) }).unwrap();
        ask(&server, "CREATE ROLE clerk LOGIN PASSWORD 'tea'").unwrap();
        let kept = "SELECT DISTINCT substring(rolpassword from '^SCRAM-SHA-256\\$(\\d+):') FROM pg_authid WHERE rolcanlogin";
        assert_eq!(ask(&server, kept).unwrap(), rounds, "the superuser's and another's");
    }
}

#[test]
fn a_port_in_use_is_named() {
    let folder = folder();
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let refused = Postgres::start(PostgresOptions { port: Some(port), ..scratch(&folder) });
    assert!(matches!(refused, Err(Error::PortBusy(busy)) if busy == port), "{refused:?}");
}

#[test]
fn a_wrong_setting_is_told_in_the_servers_words() {
    let folder = folder();
    let settings = vec![("max_connections".to_owned(), "many".to_owned())];
    let refused = Postgres::start(PostgresOptions { settings, ..scratch(&folder) });
    let Err(Error::Ended { tail, .. }) = refused else { panic!("{refused:?}") };
    assert!(tail.contains("max_connections"), "{tail}");
}

#[test]
fn an_initdb_broken_off_is_begun_again() {
    let folder = folder();
    let left = folder.path().join("postgres/data.new/base");
    std::fs::create_dir_all(&left).unwrap();
    std::fs::write(left.join("half"), "written").unwrap();
    let server = Postgres::start(scratch(&folder)).unwrap();
    assert_eq!(ask(&server, "SHOW data_checksums").unwrap(), "on");
}

#[test]
fn data_that_nobody_cannot_reach_moves_and_leaves_a_link() {
    let folder = closed_folder();
    if unprivileged_user().unwrap().is_none() {
        return; // PostgreSQL runs as ourselves
    }
    let server = Postgres::start(scratch(&folder)).unwrap();
    let asked = folder.path().join("postgres");
    assert_eq!(asked.canonicalize().unwrap(), server.folder());
    assert!(server.folder().starts_with("/var/tmp"));
    assert!(server.notes()[0].contains(asked.to_str().unwrap()));
    ask(&server, "CREATE TABLE kept AS SELECT 7 AS n").unwrap();
    drop(server);
    let again = Postgres::start(scratch(&folder)).unwrap();
    assert_eq!(ask(&again, "SELECT n FROM kept").unwrap(), "7");
    let moved = again.folder().to_owned();
    drop(again);
    std::fs::remove_dir_all(moved).unwrap();
}

/// A certificate for 127.0.0.1 that is its own authority.
fn certificate(folder: &Path) -> TlsFiles {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let files =
        TlsFiles { cert: folder.join("cert.pem"), key: folder.join("key.pem"), ca: folder.join("cert.pem") };
    std::fs::write(&files.cert, made.cert.pem()).unwrap();
    std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    files
}

#[test]
fn tls_is_demanded_or_its_absence_told() {
    let folder = folder();
    let tls = certificate(folder.path());
    let server = match Postgres::start(PostgresOptions { tls: Some(tls.clone()), ..scratch(&folder) }) {
        Err(Error::NoTls(_)) => return, // as the pinned build
        started => started.unwrap(),
    };
    let secure = format!("{}?sslmode=verify-full&sslrootcert={}", server.url("postgres"), tls.ca.display())
        .replace(' ', "%20");
    assert_eq!(
        psql(&server, &secure, "SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()").unwrap(),
        "TLSv1.3"
    );
    let plain = format!("{}?sslmode=disable", server.url("postgres"));
    assert!(psql(&server, &plain, "SELECT 1").unwrap_err().contains("no encryption"));
}

#[test]
fn a_re_executed_child_is_unprivileged_and_stops_in_order() {
    let folder = folder();
    let launcher = Launcher::Reexec(env!("CARGO_BIN_EXE_with-servers").into());
    let mut server = Postgres::start(PostgresOptions { launcher, ..scratch(&folder) }).unwrap();
    if cfg!(target_os = "linux") {
        let status = std::fs::read_to_string(format!("/proc/{}/status", server.process().pid())).unwrap();
        let line = |name: &str| status.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
        if let Some(user) = unprivileged_user().unwrap() {
            let (uid, gid) = (user.uid, user.gid);
            assert_eq!(line("Uid:"), format!("Uid:\t{uid}\t{uid}\t{uid}\t{uid}"));
            assert_eq!(line("Groups:").trim(), format!("Groups:\t{gid}"));
        }
        assert_ne!(line("Uid:").split_whitespace().nth(1), Some("0"));
    }
    assert!(server.stop().unwrap().success());
    assert_eq!(child::SUBCOMMAND, "__child");
}
