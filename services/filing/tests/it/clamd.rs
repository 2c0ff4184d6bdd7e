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
use tonic::{Code, Status};

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
        let unproven = ana.upload(&draft, "green_card", "card.png", &files::picture(53)).await.unwrap_err();
        assert_eq!(
            (unproven.code(), reason(&unproven)),
            (Code::Unavailable, "SCANNER_UNAVAILABLE".to_owned())
        );
        assert_eq!(world.objects(), 0);
    }
}

/// A whole picture of the largest size with the test signature right behind its end.
fn infected() -> Vec<u8> {
    let mut bytes = files::infected();
    bytes.resize(LARGEST, b' ');
    bytes
}

fn is_waiting(status: &Status) -> bool {
    (status.code(), reason(status)) == (Code::Unavailable, "SCANNER_UNAVAILABLE".to_owned())
}

/// What everybody can see of a draft is as many files as were attached, and nothing lies beside them.
async fn visible(world: &World, ana: &Client, draft: &str, attached: usize) {
    assert_eq!(ana.get(draft).await.unwrap().evidence.len(), attached);
    assert_eq!(world.objects(), attached);
}

/// It is away when the service starts, is killed in the middle of files, comes back with other limits, and hangs: no file that it
/// has not scanned to the end is ever seen, and what it can find is never let through.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_befalls_the_real_scanner_no_file_is_visible_unscanned() {
    let Some(program) = program() else { return };
    let address = free_port();
    let world = World::start_with_scanner(address).await;
    let mut ana = world.person("Ana Lúcia", "Lima");
    let draft = ana.start("N-400").await.unwrap().name;
    let (card, mut next) = (files::picture(54), (200..).map(files::picture));
    let down = ana.upload(&draft, "green_card", "card.png", &card).await.unwrap_err();
    assert!(is_waiting(&down), "{down:?}");
    visible(&world, &ana, &draft, 0).await;

    let mut clamd = Clamd::start_at(&program, RIGHT, address);
    ana.upload(&draft, "green_card", "card.png", &card).await.unwrap();
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
        match answer {
            Ok(_) => {
                assert_eq!(kill % 2, 0, "what it can find was let through");
                attached += 1;
            }
            Err(status) if is_waiting(&status) => cut_off += 1,
            Err(status) => {
                assert_eq!((kill % 2, reason(&status).as_str()), (1, "MALWARE_FOUND"), "{status:?}");
            }
        }
        drop(clamd);
        visible(&world, &ana, &draft, attached).await;
        clamd = Clamd::start_at(&program, RIGHT, address);
    }
    println!("{attached} attached, {cut_off} cut off");

    // It was seen to fail: with limits below ours it is not believed when it is back.
    drop(clamd);
    assert!(is_waiting(&ana.upload(&draft, "green_card", "card.png", &card).await.unwrap_err()));
    for limits in [LOW, SHORT] {
        let clamd = Clamd::start_at(&program, limits, address);
        for bytes in [&card, &bad] {
            let refused = ana.upload(&draft, "green_card", "card.png", bytes).await.unwrap_err();
            assert!(is_waiting(&refused), "{refused:?}");
        }
        drop(clamd);
    }
    visible(&world, &ana, &draft, attached).await;

    let clamd = Clamd::start_at(&program, RIGHT, address);
    ana.token = world.token(ana.account);
    ana.upload(&draft, "green_card", "card.png", &next.next().unwrap()).await.unwrap();
    clamd.signal(Signal::STOP);
    let hangs = ana.upload(&draft, "green_card", "card.png", &card).await.unwrap_err();
    assert!(is_waiting(&hangs), "{hangs:?}");
    visible(&world, &ana, &draft, attached + 1).await;
    clamd.signal(Signal::CONT);
    ana.token = world.token(ana.account);
    ana.upload(&draft, "green_card", "card.png", &next.next().unwrap()).await.unwrap();
    visible(&world, &ana, &draft, attached + 2).await;
}
