//! The real clamd, where there is one (Debian: clamav-daemon; else `DOCKET_CLAMD` names it), with a signature of our own.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use docket_testkit::chance;
use rand::RngExt as _;
use rustix::process::{Pid, Signal, geteuid, kill_process};
use tokio::time::sleep;
use tonic::Code;

use crate::client::Client;
use crate::files;
use crate::world::{World, reason};

const RIGHT: &str = "StreamMaxLength 30M\nMaxFileSize 30M\nMaxScanSize 60M\nAlertExceedsMax yes\n";
/// With these it says OK of a large file that it did not look at.
const LOW: &str = "StreamMaxLength 30M\nMaxFileSize 5M\nMaxScanSize 5M\n";
const SHORT: &str = "StreamMaxLength 5M\nMaxFileSize 30M\nMaxScanSize 60M\n";
const LARGEST: usize = 12 * 1024 * 1024;

/// A running clamd.
struct Clamd {
    process: Child,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Drop for Clamd {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Where clamd is on this machine.
fn program() -> Option<PathBuf> {
    let named = std::env::var_os("DOCKET_CLAMD").map(PathBuf::from);
    let found = named.or_else(|| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
        folders.push("/usr/sbin".into());
        folders.into_iter().map(|folder| folder.join("clamd")).find(|file| file.is_file())
    });
    if found.is_none() {
        println!(
            "NOT RUN, though it counts as passed: there is no clamd on this machine (Debian: clamav-daemon; DOCKET_CLAMD)"
        );
    }
    found
}

impl Clamd {
    /// Starts it with more lines in its configuration.
    fn start(program: &PathBuf, more: &str) -> Self {
        Self::start_at(program, more, free_port())
    }

    /// The same, where it is waited for.
    fn start_at(program: &PathBuf, more: &str, port: SocketAddr) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        // In two halves so that no scanner objects to this source.
        let eicar = [r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR", "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"].concat();
        let hex = hex::encode(eicar);
        fs::write(folder.path().join("docket.ndb"), format!("Docket.Test.EICAR:0:*:{hex}\n")).unwrap();
        let user = if geteuid().is_root() { "User clamav\n" } else { "" };
        let config = format!(
            "TCPSocket {}\nTCPAddr 127.0.0.1\nDatabaseDirectory {}\nOfficialDatabaseOnly no\nForeground yes\n{user}{more}",
            port.port(),
            folder.path().display(),
        );
        let file = folder.path().join("clamd.conf");
        fs::write(&file, config).unwrap();
        let process = Command::new(program)
            .arg("--config-file")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while TcpStream::connect(port).is_err() {
            assert!(begun.elapsed() < Duration::from_mins(1), "clamd does not listen");
            std::thread::park_timeout(Duration::from_millis(20));
        }
        Self { process, address: port, _folder: folder }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
    }
}

fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_scanner_finds_what_it_knows_and_is_believed_only_with_limits_above_ours() {
    let Some(program) = program() else { return };
    let right = Clamd::start(&program, RIGHT);
    let world = World::start_with_scanner(right.address).await;
    let ana = world.person("Ana Lúcia", "Lima");
    let draft = ana.start("N-400").await.unwrap().name;
    ana.upload(&draft, "green_card", "card.png", &files::picture(51)).await.unwrap();
    ana.upload(&draft, "green_card", "large.png", &files::sized(12 * 1024 * 1024, 52)).await.unwrap();
    let found = ana.upload(&draft, "green_card", "card.png", &files::infected()).await.unwrap_err();
    assert_eq!((found.code(), reason(&found)), (Code::InvalidArgument, "MALWARE_FOUND".to_owned()));

    for limits in [LOW, SHORT] {
        let scanner = Clamd::start(&program, limits);
        let world = World::start_with_scanner(scanner.address).await;
        let ana = world.person("Ana Lúcia", "Lima");
        let draft = ana.start("N-400").await.unwrap().name;
        let unproven = ana.upload(&draft, "green_card", "card.png", &files::picture(53)).await.unwrap();
        assert!(unproven.being_checked, "it is not believed");
        shut(&ana, &unproven.name).await;
    }
}

/// A whole picture of the largest size with the test signature right behind its end.
fn infected() -> Vec<u8> {
    let mut bytes = files::infected();
    bytes.resize(LARGEST, b' ');
    bytes
}

/// A file that was not scanned is opened by nobody.
async fn shut(ana: &Client, evidence: &str) {
    let shut = ana.download(evidence).await.unwrap_err();
    assert_eq!(reason(&shut), "FILE_BEING_CHECKED", "{shut:?}");
    let shut = ana.looks("", evidence).await.unwrap_err();
    assert_eq!(reason(&shut), "FILE_BEING_CHECKED", "{shut:?}");
}

/// Every file of a draft that waits to be scanned is shut; how many there are of all.
async fn all_shut(ana: &Client, draft: &str) -> usize {
    let files = ana.get(draft).await.unwrap().evidence;
    for file in files.iter().filter(|file| file.being_checked) {
        shut(ana, &file.name).await;
    }
    files.len()
}

/// The scanner is back, and every file has its verdict: so many are left, and nothing lies beside them.
async fn settled(world: &World, ana: &Client, draft: &str, left: usize) {
    let files = ana.until_scanned(draft).await.evidence;
    assert_eq!(files.len(), left, "{files:?}");
    world.until_objects(left).await;
    for file in files {
        ana.download(&file.name).await.unwrap();
    }
}

/// It is away when the service starts, is killed in the middle of files, comes back with other limits, and hangs: no file that it
/// has not scanned to the end is ever opened, what it can find is never let through, and every file has its verdict in the end.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_befalls_the_real_scanner_no_file_is_visible_unscanned() {
    let Some(program) = program() else { return };
    let address = free_port();
    let world = World::start_with_scanner(address).await;
    let mut ana = world.person("Ana Lúcia", "Lima");
    let draft = ana.start("N-400").await.unwrap().name;
    let (card, mut next) = (files::picture(54), (200..).map(files::picture));
    ana.upload(&draft, "green_card", "card.png", &card).await.unwrap();
    assert_eq!(all_shut(&ana, &draft).await, 1);

    let mut clamd = Clamd::start_at(&program, RIGHT, address);
    settled(&world, &ana, &draft, 1).await;
    let (mut attached, mut cut_off, mut chance) = (2, 0, chance::rng());
    let begun = Instant::now();
    ana.upload(&draft, "green_card", "card.png", &files::sized(LARGEST, 55)).await.unwrap();
    let (took, bad) = (begun.elapsed(), infected());
    for kill in 0..chance::short_or_long(10, 100) {
        // A token lives five minutes.
        ana.token = world.token(ana.account);
        let bytes = if kill % 2 == 0 { files::sized(LARGEST, 100 + kill) } else { bad.clone() };
        let killing = async {
            sleep(took.mul_f64(chance.random_range(0.0..2.0))).await;
            clamd.signal(Signal::KILL);
        };
        let (answer, ()) = tokio::join!(ana.upload(&draft, "green_card", "card.png", &bytes), killing);
        drop(clamd);
        match answer {
            Ok(file) => {
                assert!(kill % 2 == 0 || file.being_checked, "what it can find was let through");
                cut_off += usize::from(file.being_checked);
                attached += usize::from(kill % 2 == 0);
            }
            Err(status) => {
                assert_eq!((kill % 2, reason(&status).as_str()), (1, "MALWARE_FOUND"), "{status:?}");
            }
        }
        all_shut(&ana, &draft).await;
        clamd = Clamd::start_at(&program, RIGHT, address);
        settled(&world, &ana, &draft, attached).await;
    }
    println!("{attached} attached, {cut_off} cut off");

    // It was seen to fail: with limits below ours it is not believed when it is back.
    drop(clamd);
    let unlike = next.next().unwrap();
    ana.upload(&draft, "green_card", "card.png", &unlike).await.unwrap();
    ana.upload(&draft, "green_card", "card.png", &bad).await.unwrap();
    for limits in [LOW, SHORT] {
        let clamd = Clamd::start_at(&program, limits, address);
        // Longer than it takes to look again.
        sleep(Duration::from_secs(3)).await;
        assert_eq!(all_shut(&ana, &draft).await, attached + 2);
        drop(clamd);
    }

    let clamd = Clamd::start_at(&program, RIGHT, address);
    ana.token = world.token(ana.account);
    settled(&world, &ana, &draft, attached + 1).await;
    clamd.signal(Signal::STOP);
    let hangs = ana.upload(&draft, "green_card", "card.png", &next.next().unwrap()).await.unwrap();
    assert!(hangs.being_checked);
    shut(&ana, &hangs.name).await;
    clamd.signal(Signal::CONT);
    ana.token = world.token(ana.account);
    settled(&world, &ana, &draft, attached + 2).await;
}
